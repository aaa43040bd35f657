import Storage

/// How often a model is right: pass@1, pass@k, avg@k, G-Pass@k.
///
/// Every figure divides by the samples that are there, never by those asked for, and a problem with
/// too few samples for a k is an error: no score is lowered by what did not run. Samples that were
/// cut, have no answer, can't be read or ran out of time are there, and not right.
public struct PassRates: Sendable {
  /// What is missing; nil unless the rule was to mark it.
  public let missing: MissingSamples?
  private let benchmark: ScoredBenchmark
  /// Those with a sample.
  private let problems: [ScoredProblem]

  /// - Throws: `ScoreError` if samples are missing and the rule is to refuse, or if none is
  ///   there.
  public init(
    _ benchmark: ScoredBenchmark, missing rule: MissingSamplesRule = .refuse
  ) throws(ScoreError) {
    missing = try MissingSamples.found(in: benchmark, rule)
    self.benchmark = benchmark
    problems = benchmark.problems.filter { $0.there > 0 }
  }

  /// pass@1: the mean over problems of the share of their samples that is right.
  ///
  /// The share c / n varies over new samples by p (1 − p) / n, of which
  /// (c / n) (1 − c / n) / (n − 1) is the estimate without bias.
  public var passAt1: Score {
    let shares = problems.map { Double($0.right) / Double($0.there) }
    let variances = zip(problems, shares).map { problem, share in
      problem.there > 1 ? share * (1 - share) / Double(problem.there - 1) : nil
    }
    return score(
      "pass@1", shares, denominator: commonDenominator(problems.map(\.there)),
      samplingVariances: variances.contains { $0 == nil } ? nil : variances.compactMap { $0 })
  }

  /// The lowest and the highest pass@1 that is possible whatever the missing samples would have been.
  public var passAt1Bounds: ClosedRange<Double> {
    let asked = Double(benchmark.samplesAsked)
    let count = Double(benchmark.problems.count)
    let low = benchmark.problems.reduce(0) { $0 + Double($1.right) / asked }
    let high = benchmark.problems.reduce(0) {
      $0 + Double($1.right + benchmark.samplesAsked - $1.there) / asked
    }
    return low / count...max(low, high) / count
  }

  /// pass@k: the probability that of k samples at least one is right, estimated without bias from all
  /// that are there.
  ///
  /// - Throws: `ScoreError` if a problem has fewer than k samples.
  public func pass(at k: Int) throws(ScoreError) -> Score {
    try check(k, "pass@\(k)")
    if k == 1 { return passAt1 }
    return score("pass@\(k)", draws(k).map(\.atLeastOne))
  }

  /// avg@k: pass@1 of the first k samples of each problem that are there.
  ///
  /// The only figure that depends on the order of samples. Over all of them it is pass@1, of which
  /// it is a noisier estimate: for figures of others that were made so.
  ///
  /// - Throws: `ScoreError` if a problem has fewer than k samples.
  public func average(at k: Int) throws(ScoreError) -> Score {
    try check(k, "avg@\(k)")
    return score(
      "avg@\(k)",
      problems.map { problem in
        let first = problem.samples.filter(\.outcome.isThere).prefix(k)
        return Double(first.count { $0.outcome == .right }) / Double(k)
      }, denominator: k)
  }

  /// G-Pass@k: the probability that of k samples at least ⌈threshold · k⌉, and one, are right
  /// (Liu et al., "Are Your LLMs Capable of Stable Reasoning?", 2024, arXiv 2412.13147).
  ///
  /// - Throws: `ScoreError` if a problem has fewer than k samples, or the threshold isn't from 0
  ///   to 1.
  public func stablePass(at k: Int, threshold: Double) throws(ScoreError) -> Score {
    try check(k, "G-Pass@\(k)")
    guard (0...1).contains(threshold) else {
      throw ScoreError(
        benchmark.name, "G-Pass@\(k) with a threshold of \(threshold); give 0 to 1.")
    }
    // 0.55 · 100 is a hair more than 55 in binary, and must not ask for 56.
    let needed = max(1, Int((threshold * Double(k) - 1e-9).rounded(.up)))
    return score("G-Pass@\(k) (\(threshold))", draws(k).map { $0.atLeast[min(needed, k)] })
  }

  /// mG-Pass@k: 2 / k times the sum of the probabilities that at least i of k samples are right, for
  /// i from ⌈k / 2⌉ + 1 to k; the mean over thresholds above one half, from the same paper. An odd k
  /// has (k − 1) / 2 such i, so that it is at most 1 − 1 / k, and 0 for k of 1.
  ///
  /// - Throws: `ScoreError` if a problem has fewer than k samples.
  public func meanStablePass(at k: Int) throws(ScoreError) -> Score {
    try check(k, "mG-Pass@\(k)")
    let first = k / 2 + k % 2 + 1
    return score(
      "mG-Pass@\(k)",
      draws(k).map { draw in
        2 * draw.atLeast.dropFirst(first).reduce(0, +) / Double(k)
      })
  }

  private func draws(_ k: Int) -> [Hypergeometric] {
    problems.map { Hypergeometric(samples: $0.there, right: $0.right, drawn: k) }
  }

  private func check(_ k: Int, _ figure: String) throws(ScoreError) {
    try checkEnough(problems, for: k, figure, in: benchmark)
  }

  private func score(
    _ name: String, _ values: [Double], denominator: Int? = nil,
    samplingVariances: [Double]? = nil
  ) -> Score {
    Score(
      benchmark: benchmark.name, name: name, problems: problems.map(\.id), values: values,
      missing: missing, denominator: denominator, samplingVariances: samplingVariances)
  }
}

/// That every problem has the samples for a figure of k.
func checkEnough(
  _ problems: [ScoredProblem], for k: Int, _ figure: String, in benchmark: ScoredBenchmark
) throws(ScoreError) {
  guard k >= 1 else { throw ScoreError(benchmark.name, "\(figure): k must be 1 or more.") }
  guard let least = problems.min(by: { $0.there < $1.there }), least.there < k else { return }
  throw ScoreError(
    benchmark.name,
    "\(figure) needs \(k) samples of each problem; problem \(quoted(least.id)) has \(least.there). "
      + "Get more, or ask for a k of at most \(least.there).")
}

/// The least common multiple of positive numbers; nil where it is so large that counting with it
/// would take long.
func commonDenominator(_ counts: [Int]) -> Int? {
  var multiple = 1
  for count in counts {
    multiple = multiple / greatestDivisor(multiple, count) * count
    if multiple > 1 << 20 { return nil }
  }
  return multiple
}

/// The greatest common divisor of numbers that aren't negative; the other one if one is 0.
func greatestDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
