import Storage

/// Two models on the same problems: by how much they differ, and whether that is more than chance.
///
/// Everything is computed from the differences problem by problem, in which what makes a problem hard
/// for both drops out. A difference is called real only if two methods with different assumptions
/// agree: the interval of the mean difference, from problems drawn again, doesn't hold 0, and the
/// p-value of flipped signs is at most 1 − confidence.
public struct PairedComparison: Sendable {
  /// What is supported.
  public enum Verdict: String, Codable, Sendable {
    case firstIsBetter, secondIsBetter
    /// Neither can be called better.
    case undecided
    /// No problem has different values: they are the same here.
    case same
  }

  public let first: String
  public let second: String
  public let benchmark: String
  /// Of the score: `pass@1` and so on.
  public let name: String
  public let firstMean: Double
  public let secondMean: Double
  /// First minus second, for each problem in the order of ids.
  public let differences: [Double]
  /// Their mean.
  public let difference: Double
  /// Of the mean difference; nil if all differences are 0.
  public let interval: ConfidenceInterval?
  /// Of the sum of differences being as far from 0 by chance.
  public let pValue: Double
  /// Over how many drawn choices of signs; nil if all 2ᴺ were counted.
  public let drawnFlips: Int?
  /// What these problems would show with a power of 80 %, from the spread of these differences; nil
  /// if they are all equal.
  public let detectable: DetectableDifference?
  public let missingOfFirst: MissingSamples?
  public let missingOfSecond: MissingSamples?
  let confidence: Double

  /// Compares two scores of one kind.
  ///
  /// - Parameter flips: choices of signs to draw where there are too many to count: 100 to 10,000,000.
  /// - Throws: `ScoreError` if the scores are of different benchmarks, kinds or problems, the
  ///   models have one name, or there are fewer than two problems.
  public init(
    _ first: Score, of firstModel: String, with second: Score, of secondModel: String,
    bootstrap: Bootstrap = .standard, flips: Int = 100_000
  ) throws(ScoreError) {
    try Self.check(first, firstModel, second, secondModel)
    guard (100...10_000_000).contains(flips) else {
      throw ScoreError(nil, "\(flips) choices of signs; give 100 to 10000000.")
    }
    (self.first, self.second) = (firstModel, secondModel)
    (benchmark, name) = (first.benchmark, first.name)
    (firstMean, secondMean) = (first.mean, second.mean)
    (missingOfFirst, missingOfSecond) = (first.missing, second.missing)
    confidence = bootstrap.confidence
    differences = zip(first.values, second.values).map { $0 - $1 }
    difference = differences.reduce(0, +) / Double(differences.count)
    interval = Self.interval(of: differences, bootstrap)

    // Of values whose denominator is unknown, whole numbers can still be counted.
    let flipped = SignFlips(
      of: differences,
      denominator: commonDenominator([first.denominator ?? 1, second.denominator ?? 1]),
      flips: flips, seed: bootstrap.seed)
    (pValue, drawnFlips) = (flipped.pValue, flipped.drawn)
    let deviation = standardDeviation(of: differences) ?? 0
    detectable =
      deviation > 0
      ? try DetectableDifference(
        problems: differences.count, standardDeviation: deviation, confidence: confidence) : nil
  }

  /// What is supported at the confidence of the interval.
  public var verdict: Verdict { verdict(pValue: pValue) }

  /// The verdict with a p-value that was corrected for other comparisons.
  func verdict(pValue: Double) -> Verdict {
    guard let interval else { return .same }
    // 1 − 0.9 is a hair less than 0.1 in binary.
    guard !interval.contains(0), pValue <= 1 - confidence + 1e-12 else { return .undecided }
    return difference > 0 ? .firstIsBetter : .secondIsBetter
  }

  /// When all differences are equal, resamples are all alike; then it is Wilson's interval for single
  /// trials, stretched from 0…1 to −1…1, which is the widest there is. Nil if they are all 0.
  private static func interval(
    of differences: [Double], _ bootstrap: Bootstrap
  ) -> ConfidenceInterval? {
    if let interval = bootstrap.interval(ofMeanOf: differences) { return interval }
    guard let each = differences.first, each != 0 else { return nil }
    let half = ConfidenceInterval.wilson(
      share: (1 + each) / 2, count: differences.count, confidence: bootstrap.confidence)
    return ConfidenceInterval(2 * half.low - 1, 2 * half.high - 1, bootstrap.confidence, .wilson)
  }

  private static func check(
    _ first: Score, _ firstModel: String, _ second: Score, _ secondModel: String
  ) throws(ScoreError) {
    guard first.benchmark.utf8.elementsEqual(second.benchmark.utf8) else {
      throw ScoreError(
        nil,
        "\(quoted(first.benchmark)) and \(quoted(second.benchmark)) are different benchmarks. "
          + "Compare two models on the same.")
    }
    guard first.name.utf8.elementsEqual(second.name.utf8) else {
      throw ScoreError(
        first.benchmark,
        "\(first.name) and \(second.name) are different scores. Compare two of one kind.")
    }
    guard !firstModel.utf8.elementsEqual(secondModel.utf8) else {
      throw ScoreError(
        first.benchmark, "both models are named \(quoted(firstModel)). Name them apart.")
    }
    for (one, model, other, otherModel) in [
      (first, firstModel, second, secondModel), (second, secondModel, first, firstModel),
    ] {
      if let problem = firstMissing(from: other.problems, in: one.problems) {
        throw ScoreError(
          first.benchmark,
          "problem \(quoted(problem)) is there for \(quoted(model)) and not for "
            + "\(quoted(otherModel)). Compare them on the problems that both have.")
      }
    }
    guard first.values.count > 1 else {
      throw ScoreError(first.benchmark, "one problem says nothing of others: no comparison.")
    }
  }

  /// The first of some ids that is not among others; both are in the order of their bytes.
  private static func firstMissing(from others: [String], in ids: [String]) -> String? {
    var i = 0
    for id in ids {
      while i < others.count, isBefore(others[i], id) { i += 1 }
      guard i < others.count, others[i].utf8.elementsEqual(id.utf8) else { return id }
    }
    return nil
  }
}
