import Storage

/// The smallest difference between two models that a benchmark shows with a stated power.
///
///     δ = (z(1 − α / 2) + z(power)) · s / √N
///
/// with N problems, s the standard deviation of a problem's difference, and 1 − α the confidence
/// (Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988, chapter 2;
/// for evaluations of models, Miller, "Adding Error Bars to Evals", 2024, arXiv 2411.00640, section
/// 5). It is the normal approximation: with 30 problems a t-test has a power of 77 % there, not 80 %.
public struct DetectableDifference: Equatable, Sendable {
  public let problems: Int
  /// Of the difference between the two models' values of a problem.
  public let standardDeviation: Double
  public let confidence: Double
  public let power: Double

  /// - Throws: `ScoreError` without problems, for a negative standard deviation, a confidence
  ///   that isn't from 0.5 to 0.9999, or a power that isn't from 0.5 to 0.9999.
  public init(
    problems: Int, standardDeviation: Double, confidence: Double = 0.95, power: Double = 0.8
  ) throws(ScoreError) {
    guard problems > 0 else { throw ScoreError(nil, "\(problems) problems show nothing.") }
    guard standardDeviation >= 0, standardDeviation.isFinite else {
      throw ScoreError(nil, "A standard deviation of \(standardDeviation); give 0 or more.")
    }
    try ConfidenceInterval.checkConfidence(confidence)
    guard (0.5...0.9999).contains(power) else {
      throw ScoreError(nil, "A power of \(power); give 0.5 to 0.9999.")
    }
    (self.problems, self.standardDeviation) = (problems, standardDeviation)
    (self.confidence, self.power) = (confidence, power)
  }

  /// For two published scores p and q, of which nothing is known but them: s² = p (1 − p) + q (1 − q),
  /// which is right for one sample of each problem and models that solve problems independently of
  /// each other. Means over many samples, and models that find the same problems hard, make s
  /// smaller.
  ///
  /// - Throws: `ScoreError` for scores that aren't from 0 to 1, and as `init`.
  public static func between(
    _ first: Double, _ second: Double, problems: Int, confidence: Double = 0.95,
    power: Double = 0.8
  ) throws(ScoreError) -> DetectableDifference {
    for score in [first, second] where !(0...1).contains(score) {
      throw ScoreError(nil, "A score of \(score); give 0 to 1.")
    }
    let variance = first * (1 - first) + second * (1 - second)
    return try DetectableDifference(
      problems: problems, standardDeviation: variance.squareRoot(), confidence: confidence,
      power: power)
  }

  /// δ, as a share of 1.
  public var difference: Double { quantiles * standardDeviation / Double(problems).squareRoot() }

  /// How many problems would show such a difference: (z s / δ)², rounded up; nil for a difference of
  /// 0, which none would, and beyond 10¹².
  public func problemsNeeded(for difference: Double) -> Int? {
    let root = quantiles * standardDeviation / difference.magnitude
    let count = (root * root).rounded(.up)
    return count < 1e12 ? max(1, Int(count)) : nil
  }

  /// What can be said of two published scores, in one sentence.
  ///
  ///     30 problems can't tell 50.0 from 60.0: with one sample of each, only a difference of 35.8
  ///     points would show (95 % confidence, 80 % power); 385 problems could.
  ///
  /// - Throws: as `between`.
  public static func sentence(
    telling first: Double, from second: Double, problems: Int, confidence: Double = 0.95,
    power: Double = 0.8
  ) throws(ScoreError) -> String {
    let smallest = try between(
      first, second, problems: problems, confidence: confidence, power: power)
    let can = (first - second).magnitude >= smallest.difference && first != second
    let subject = Wording.count(problems, "problem", "problems")
    let scores = "\(Wording.points(first)) from \(Wording.points(second))"
    let conditions =
      "(\(Wording.percent(confidence)) confidence, \(Wording.percent(power)) power)"
    let points = Wording.points(smallest.difference)
    if can {
      return "\(subject) can tell \(scores): with one sample of each, a difference of "
        + "\(points) points would show \(conditions)."
    }
    let needed = smallest.problemsNeeded(for: first - second)
    return "\(subject) can't tell \(scores): with one sample of each, only a difference of "
      + "\(points) points would show \(conditions)"
      + (needed.map { "; " + Wording.count($0, "problem", "problems") + " could." } ?? ".")
  }

  private var quantiles: Double {
    Elementary.normalQuantile((1 + confidence) / 2) + Elementary.normalQuantile(power)
  }
}
