import Storage

/// What became of one sample of a problem.
public enum SampleOutcome: String, Codable, CaseIterable, Sendable {
  /// There is an answer, and the judge says so.
  case right, wrong
  /// The text reached the limit of tokens before it was finished.
  case cut
  /// A finished text without an answer.
  case noAnswer
  /// An answer that the judge could not read, or that is beyond its limits.
  case unreadable
  /// A program of the model that ran past its time.
  case timeout
  /// A failure that says nothing of the model: a sandbox that did not start, a lost connection.
  case infrastructure

  /// Whether the sample says something of the model; one that doesn't is missing.
  var isThere: Bool { self != .infrastructure }
  /// Whether it may belong to a class of equal answers.
  var mayHaveClass: Bool { self == .right || self == .wrong || self == .unreadable }
}

/// One sample of a problem, judged.
public struct ScoredSample: Codable, Equatable, Sendable {
  public let outcome: SampleOutcome
  /// Answers of the problem that are equal have one number; nil without an answer, and for programs.
  public let answerClass: Int?
  /// Tokens that were generated.
  public let tokens: Int

  public init(_ outcome: SampleOutcome, answerClass: Int? = nil, tokens: Int = 0) {
    (self.outcome, self.answerClass, self.tokens) = (outcome, answerClass, tokens)
  }
}

/// A problem and its samples, in the order in which they were asked for.
public struct ScoredProblem: Sendable {
  public let id: String
  public let samples: [ScoredSample]

  public init(id: String, samples: [ScoredSample]) {
    (self.id, self.samples) = (id, samples)
  }

  /// Samples that say something of the model.
  var there: Int { samples.count { $0.outcome.isThere } }
  var right: Int { samples.count { $0.outcome == .right } }
}

/// All problems of a benchmark with one model's samples: what every figure is computed from.
///
/// A problem that was to be asked belongs in it even if no sample came: what isn't told here can't be
/// missed. Problems are kept in the order of the bytes of their ids, so that every sum, and with it
/// every figure, is the same to the bit in whatever order they come.
public struct ScoredBenchmark: Sendable {
  public let name: String
  /// How many samples of each problem were asked for.
  public let samplesAsked: Int
  /// In the order of the bytes of their ids.
  public let problems: [ScoredProblem]

  static let mostSamples = 1_000_000
  static let mostTokens = 1_000_000_000

  /// - Throws: `ScoreError` if there is no problem, an id is there twice, a problem has more
  ///   samples than were asked for, a sample that can't have an answer has a class, or one class
  ///   holds right and other answers.
  public init(
    name: String, samplesAsked: Int, problems: [ScoredProblem]
  ) throws(ScoreError) {
    guard (1...Self.mostSamples).contains(samplesAsked) else {
      throw ScoreError(
        name, "\(samplesAsked) samples of each problem; ask for 1 to \(Self.mostSamples).")
    }
    guard !problems.isEmpty else {
      throw ScoreError(name, "no problems. Give those that were to be asked.")
    }
    (self.name, self.samplesAsked) = (name, samplesAsked)
    self.problems = problems.sorted { isBefore($0.id, $1.id) }
    for (problem, next) in zip(self.problems, self.problems.dropFirst())
    where problem.id.utf8.elementsEqual(next.id.utf8) {
      throw ScoreError(
        name, "problem \(quoted(problem.id)) is there twice. Put its samples together.")
    }
    for problem in self.problems { try check(problem) }
  }

  private func check(_ problem: ScoredProblem) throws(ScoreError) {
    let place = "problem \(quoted(problem.id))"
    guard problem.samples.count <= samplesAsked else {
      throw ScoreError(
        name,
        "\(place) has \(problem.samples.count) samples, where \(samplesAsked) were asked for. "
          + "Leave out what belongs to another run.")
    }
    var isRight: [Int: Bool] = [:]
    for (i, sample) in problem.samples.enumerated() {
      guard (0...Self.mostTokens).contains(sample.tokens) else {
        throw ScoreError(
          name, "\(place), sample \(i + 1): \(sample.tokens) tokens; give 0 to \(Self.mostTokens).")
      }
      guard let answerClass = sample.answerClass else { continue }
      guard sample.outcome.mayHaveClass else {
        throw ScoreError(
          name,
          "\(place), sample \(i + 1): '\(sample.outcome.rawValue)' with a class of answers. "
            + "Only 'right', 'wrong' and 'unreadable' have an answer to compare.")
      }
      let right = sample.outcome == .right
      guard isRight.updateValue(right, forKey: answerClass) ?? right == right else {
        throw ScoreError(
          name,
          "\(place): class \(answerClass) holds right and other answers, which can't be equal. "
            + "Judge and classes must be made by the same rules.")
      }
    }
  }
}

/// Whether a text comes before another by their bytes.
func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
