import Evaluation
import Scores

/// A figure that a column can hold, by the name that papers give it.
public enum ScoreName: Hashable, Sendable {
  case pass(Int)
  /// cons@k: the majority of k votes.
  case consensus(Int)
  case average(Int)
  case meanStablePass(Int)
  /// From problems that are rated, on their scale.
  case rating

  private static let mostSamples = 1_000_000
  static let known = "'pass@1', 'pass@k', 'cons@k', 'avg@k', 'mG-Pass@k' or 'rating'"

  /// Nil for a name that is not known, or a number that is not written plainly.
  public init?(_ text: String) {
    if text.utf8.elementsEqual("rating".utf8) {
      self = .rating
      return
    }
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard parts.count == 2, let k = Int(String(decoding: Array(parts[1]), as: UTF8.self)),
      (1...Self.mostSamples).contains(k), parts[1].elementsEqual(String(k).utf8)
    else { return nil }
    switch String(decoding: Array(parts[0]), as: UTF8.self) {
    case "pass": self = .pass(k)
    case "cons": self = .consensus(k)
    case "avg": self = .average(k)
    case "mG-Pass": self = .meanStablePass(k)
    default: return nil
    }
  }

  public var text: String {
    switch self {
    case .pass(let k): "pass@\(k)"
    case .consensus(let k): "cons@\(k)"
    case .average(let k): "avg@\(k)"
    case .meanStablePass(let k): "mG-Pass@\(k)"
    case .rating: "rating"
    }
  }

  /// Scores of one family answer one question on all benchmarks, whatever their k.
  enum Family: Int { case passAt1, pass, consensus, average, stable, rating }

  var family: Family {
    switch self {
    case .pass(1): .passAt1
    case .pass: .pass
    case .consensus: .consensus
    case .average: .average
    case .meanStablePass: .stable
    case .rating: .rating
    }
  }

  /// Whether its values are shares of 1, told in points of 100.
  var isShare: Bool { self != .rating }
}

/// One model's samples of one benchmark, with the figures that can be made of them.
struct MeasuredBenchmark: Sendable {
  let evaluated: EvaluatedBenchmark
  let scored: ScoredBenchmark
  let counts: OutcomeCounts
  /// What is missing.
  let missing: MissingSamples?
  /// Votes for every k; nil where answers have no classes, as programs, or figures are refused.
  let votes: Votes?

  var name: String { evaluated.name }

  /// - Throws: `ScoreError` for counts that can't be.
  init(_ benchmark: EvaluatedBenchmark) throws(ScoreError) {
    evaluated = benchmark
    scored = try benchmark.scored
    counts = OutcomeCounts(scored)
    missing = (try? PassRates(scored, missing: .mark))?.missing
    votes = try? Votes(scored, missing: benchmark.missingSamples)
  }

  /// A score, which a rating is not.
  ///
  /// - Throws: `ScoreError` where there are too few samples for it, some are missing and the
  ///   evaluation's rule is to refuse, or answers have no classes.
  func score(_ name: ScoreName) throws(ScoreError) -> Score {
    let rule = evaluated.missingSamples
    switch name {
    case .pass(let k): return try PassRates(scored, missing: rule).pass(at: k)
    case .average(let k): return try PassRates(scored, missing: rule).average(at: k)
    case .meanStablePass(let k): return try PassRates(scored, missing: rule).meanStablePass(at: k)
    case .consensus(let k):
      if let votes { return try votes.consensus(at: k) }
      return try Votes(scored, missing: rule).consensus(at: k)
    case .rating: preconditionFailure("a rating has no value for each problem")
    }
  }

  /// Whether all problems are rated.
  var isRated: Bool {
    !evaluated.problems.isEmpty && evaluated.problems.allSatisfy { $0.rating != nil }
  }

  /// - Throws: `ScoreError` where a problem has no rating, or as `score`.
  func rating(confidence: Double) throws(ScoreError) -> SolverRating {
    var ratings: [[UInt8]: Double] = [:]
    for problem in evaluated.problems { ratings[Array(problem.id.utf8)] = problem.rating }
    return try SolverRating(
      scored, confidence: confidence, missing: evaluated.missingSamples,
      rating: { ratings[Array($0.utf8)] })
  }
}
