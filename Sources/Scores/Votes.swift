import Storage

/// Majority votes: cons@k, for every k up to the number of samples.
///
/// k samples of a problem vote for the class of their answer. The class with the most votes wins, and
/// the problem is solved if that class is right. The rules:
///
/// - A sample without an answer, cut, out of time, or unreadable and without a class, is one of the
///   k and votes for nothing. Answers are never set against "no answer".
/// - When nobody votes, the problem isn't solved.
/// - Between classes with equally many votes the lot decides: a tie is worth the share of right
///   classes among those that are tied, so that no order of samples matters.
///
/// cons@k for a k below the number of samples is the mean over all subsets of k of them, counted
/// exactly by `VoteCounts`; nothing is drawn at random. cons@1 is therefore pass@1.
public struct Votes: Sendable {
  /// What is missing; nil unless the rule was to mark it.
  public let missing: MissingSamples?
  /// The largest k: as many samples as every problem has.
  public let most: Int
  private let benchmark: ScoredBenchmark
  private let problems: [ScoredProblem]
  /// For each problem, the values of cons@1, cons@2 and so on.
  private let curves: [[Double]]

  /// More samples than this could give numbers of subsets beyond `Double`.
  static let mostSamples = 1_000

  /// - Throws: `ScoreError` if samples are missing and the rule is to refuse, a right or wrong
  ///   answer has no class, or a problem has more than 1,000 samples.
  public init(
    _ benchmark: ScoredBenchmark, missing rule: MissingSamplesRule = .refuse
  ) throws(ScoreError) {
    missing = try MissingSamples.found(in: benchmark, rule)
    problems = benchmark.problems.filter { $0.there > 0 }
    self.benchmark = benchmark
    most = problems.map(\.there).min() ?? 0
    var curves: [[Double]] = []
    for problem in problems {
      curves.append(try Self.counts(problem, in: benchmark).curve)
    }
    self.curves = curves
  }

  /// cons@k, problem by problem.
  ///
  /// - Throws: `ScoreError` if a problem has fewer than k samples.
  public func consensus(at k: Int) throws(ScoreError) -> Score {
    try checkEnough(problems, for: k, "cons@\(k)", in: benchmark)
    return Score(
      benchmark: benchmark.name, name: "cons@\(k)", problems: problems.map(\.id),
      values: curves.map { $0[k - 1] }, missing: missing)
  }

  /// The means of cons@1 to cons@`most`.
  public var curve: [Double] {
    (0..<most).map { k in curves.reduce(0) { $0 + $1[k] } / Double(curves.count) }
  }

  private static func counts(
    _ problem: ScoredProblem, in benchmark: ScoredBenchmark
  ) throws(ScoreError) -> VoteCounts {
    guard problem.there <= mostSamples else {
      throw ScoreError(
        benchmark.name,
        "problem \(quoted(problem.id)) has \(problem.there) samples; votes of up to \(mostSamples) "
          + "can be counted.")
    }
    var right: [Int: Int] = [:]
    var others: [Int: Int] = [:]
    var silent = 0
    for (i, sample) in problem.samples.enumerated() where sample.outcome.isThere {
      switch (sample.outcome, sample.answerClass) {
      case (.right, let answer?): right[answer, default: 0] += 1
      case (_, let answer?): others[answer, default: 0] += 1
      case (.right, nil), (.wrong, nil):
        throw ScoreError(
          benchmark.name,
          "problem \(quoted(problem.id)), sample \(i + 1) is '\(sample.outcome.rawValue)' without a "
            + "class of answers. Only answers that were compared with each other can vote.")
      default: silent += 1
      }
    }
    return VoteCounts(right: Array(right.values), others: Array(others.values), silent: silent)
  }
}
