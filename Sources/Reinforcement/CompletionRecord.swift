import Foundation
import Storage

/// An answer and what it came to: a line of `completions/step-000012.jsonl` in a run's folder.
///
/// Numbers that are not finite, which JSON does not have, are left out.
public struct CompletionRecord: Codable, Equatable, Sendable {
  /// One reward's part.
  public struct Part: Codable, Equatable, Sendable {
    public let name: String
    /// Before its weight.
    public let value: Double?
    public let reason: String?
  }

  public let step: Int
  /// The number of the question in its step, from 0.
  public let question: Int
  /// The problem's id.
  public let problem: String
  /// What is right: an answer, or a choice's letter; absent for programs.
  public let reference: String?
  /// The number of the answer to its question, from 0.
  public let sample: Int
  public let prompt: String
  /// All that was said, with what the prompt began it with.
  public let text: String
  public let tokens: Int
  /// `stop`, or `length` where it was cut at the token limit.
  public let finishReason: String
  public let parts: [Part]
  /// The weighted sum; absent where the reward failed.
  public let reward: Double?
  /// Why the reward failed.
  public let failure: String?
  /// Absent for an answer that is left out.
  public let advantage: Double?

  /// - Parameters:
  ///   - question: The number of the question in its step, from 0.
  ///   - advantage: From `Advantages`; nil for an answer that is left out.
  ///   - finishReason: By its name in the OpenAI interface, as `FinishReason.name` has it.
  public init(
    step: Int, question: Int, answer: SampledAnswer, rewarded: RewardedAnswer,
    advantage: Double?, finishReason: String
  ) {
    func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
    (self.step, self.question, problem) = (step, question, answer.problem.id)
    (sample, prompt, text) = (answer.sample, answer.prompt, answer.text)
    switch answer.problem.reference {
    case .answer(let text): reference = text
    case .choices(_, let correct):
      reference = UInt8(exactly: correct + 65).map { String(UnicodeScalar($0)) }
    case .program, .none: reference = nil
    }
    (tokens, self.finishReason) = (answer.tokenCount, finishReason)
    parts = rewarded.parts.map {
      Part(name: $0.name, value: finite($0.value), reason: $0.reason)
    }
    (reward, failure) = (finite(rewarded.total), rewarded.failure)
    self.advantage = finite(advantage)
  }

  /// Compares texts by their bytes.
  public static func == (a: Self, b: Self) -> Bool {
    func texts(_ record: Self) -> [String?] {
      [
        record.problem, record.reference, record.prompt, record.text, record.finishReason,
        record.failure,
      ]
        + record.parts.flatMap { [$0.name, $0.reason] }
    }
    func numbers(_ record: Self) -> [Double?] {
      [record.reward, record.advantage] + record.parts.map(\.value)
    }
    return a.step == b.step && a.question == b.question && a.sample == b.sample
      && a.tokens == b.tokens && numbers(a) == numbers(b)
      && texts(a).elementsEqual(texts(b)) { a, b in
        a.map { Array($0.utf8) } == b.map { Array($0.utf8) }
      }
  }

  /// Writes the answers of a step into `completions/` of a run's folder, the best reward first, those
  /// whose reward failed last, and otherwise by question and sample.
  ///
  /// - Throws: `FileError` if it can't be written; the file is then as it was.
  public static func write(
    _ records: [CompletionRecord], step: Int, inRun folder: String
  ) throws {
    let sorted = records.sorted { a, b in
      let (x, y) = (a.reward ?? -.infinity, b.reward ?? -.infinity)
      if x != y { return x > y }
      return (a.question, a.sample) < (b.question, b.sample)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var data = Data()
    for record in sorted {
      data += try encoder.encode(record)
      data.append(0x0A)
    }
    let completions = folder + "/" + CompletionFile.folder
    try makeFolder(at: completions)
    try AtomicFile.write(data, to: completions + "/" + CompletionFile.name(step: step))
  }
}

/// The answers of a step on the disk, as far as a report needs them.
struct CompletionFile {
  static let folder = "completions"
  /// How many lines are looked at in vain before a file is given up.
  private static let patience = 200

  let step: Int
  /// The best reward first.
  private(set) var best: [CompletionRecord] = []
  /// The worst first; none of them is among the best.
  private(set) var worst: [CompletionRecord] = []

  /// `step-000012.jsonl`.
  static func name(step: Int) -> String {
    let digits = String(max(step, 0))
    return "step-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
      + ".jsonl"
  }

  /// The steps whose answers were kept, in order.
  static func steps(inRun path: String) -> [Int] {
    guard let names = try? names(inFolder: path + "/" + folder) else { return [] }
    return names.compactMap { name -> Int? in
      guard name.hasPrefix("step-"), name.hasSuffix(".jsonl"),
        let step = Int(name.dropFirst(5).dropLast(6)), Self.name(step: step) == name
      else { return nil }
      return step
    }.sorted()
  }

  /// Reads the first and the last lines that can be understood; nil if there is none.
  ///
  /// - Parameter count: The most answers of each end.
  init?(step: Int, inRun path: String, count: Int) {
    self.step = step
    let path = path + "/" + Self.folder + "/" + Self.name(step: step)
    guard let file = try? MappedFile(at: path), (try? file.checkSize()) != nil else { return nil }
    let lines = withExtendedLifetime(file) {
      Array(file.bytes).split(separator: 0x0A)
    }
    let decoder = JSONDecoder()
    func read(_ order: some Sequence<Int>) -> [(line: Int, record: CompletionRecord)] {
      var found: [(line: Int, record: CompletionRecord)] = []
      var misses = 0
      for i in order {
        if found.count == count || misses == Self.patience { break }
        let record = try? decoder.decode(CompletionRecord.self, from: Data(lines[i]))
        if let record, record.reward != nil { found.append((i, record)) } else { misses += 1 }
      }
      return found
    }
    let first = read(lines.indices)
    let last = read(lines.indices.reversed())
    best = first.map(\.record)
    worst = last.filter { line, _ in !first.contains { $0.line == line } }.map(\.record)
    if best.isEmpty { return nil }
  }
}
