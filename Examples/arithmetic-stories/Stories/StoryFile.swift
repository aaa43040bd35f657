import Foundation

/// A file of stories in JSONL, line by line.
public struct StoryFile: Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// Problems with their answers, no chain twice.
    case problems
    /// Equations alone, as texts.
    case facts
    /// Conversations in which the answer follows the question at once.
    case answers
    /// Conversations in which the steps are written before the answer.
    case traces
    /// Plain texts of all kinds, from which a tokenizer is learned.
    case corpus
  }

  public var kind: Kind
  public var count: Int
  public var steps: ClosedRange<Int>
  public var split: Split
  public var seed: UInt64

  /// Enough for any of these models.
  public static let mostLines = 10_000_000

  /// The steps that stories may have.
  public static let allowedSteps = 1...8

  /// - Throws: `StoryError` if there may not be as many.
  public init(
    _ kind: Kind, count: Int, steps: ClosedRange<Int>, of split: Split, seed: UInt64
  ) throws(StoryError) {
    guard (1...Self.mostLines).contains(count) else {
      throw StoryError("A file may have 1 to \(Self.mostLines) lines, not \(count).")
    }
    guard Self.allowedSteps.contains(steps.lowerBound), Self.allowedSteps.contains(steps.upperBound)
    else {
      throw StoryError(
        "Stories have \(Self.allowedSteps.lowerBound) to \(Self.allowedSteps.upperBound) steps, "
          + "not \(steps.lowerBound) to \(steps.upperBound).")
    }
    self.kind = kind
    self.count = count
    self.steps = steps
    self.split = split
    self.seed = seed
  }

  /// Gives the lines to `write`, each with its end.
  ///
  /// - Throws: `StoryError` if there are too few problems; what `write` throws.
  public func write(_ write: (String) throws -> Void) throws {
    var seen: Set<String> = []
    var number = 0
    var written = 0
    while written < count {
      guard number < count * 20 else {
        throw StoryError(
          "Only \(written) of \(count) problems were found in \(number) tries; ask for fewer or for "
            + "more steps.")
      }
      var draws = Draws(seed: seed, "\(kind.rawValue) \(split.rawValue)", number)
      number += 1
      if kind == .facts {
        try write("{\"text\":\(json(FactSheet(&draws).text))}\n")
        written += 1
        continue
      }
      // Of problems each number of steps gets its equal share.
      let own = steps.lowerBound + written % steps.count
      let story = Story(steps: kind == .problems ? own...own : steps, of: split, &draws)
      if kind == .problems, !seen.insert(story.chain.key).inserted { continue }
      try write(line(of: story))
      written += 1
    }
  }

  private func line(of story: Story) -> String {
    let id = json(story.chain.key)
    let question = json(story.question)
    func conversation(_ answer: String) -> String {
      "{\"id\":\(id),\"messages\":[{\"role\":\"user\",\"content\":\(question)},"
        + "{\"role\":\"assistant\",\"content\":\(json(answer))}]}\n"
    }
    switch kind {
    case .problems:
      let count = story.chain.steps.count
      return "{\"id\":\(id),\"question\":\(question),\"answer\":\(json(story.answer)),"
        + "\"difficulty\":\"\(count == 1 ? "1 step" : "\(count) steps")\"}\n"
    case .answers: return conversation(story.directAnswer)
    case .traces: return conversation(story.tracedAnswer)
    case .facts, .corpus:
      return
        "{\"id\":\(id),\"text\":\(json(story.question + "\n" + story.trace + "\n\n" + story.directAnswer))}\n"
    }
  }

  /// A text as JSON: of what has to be escaped, stories have line ends and backslashes only.
  private func json(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// Why stories can't be written.
public struct StoryError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
