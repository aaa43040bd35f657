import Storage

/// Intervals of a mean over problems, from problems drawn again.
///
/// A resample has as many problems as the benchmark, drawn with putting back; what its means spread
/// over stands for what other problems would have given (Efron & Tibshirani, "An Introduction to the
/// Bootstrap", 1993, chapters 13 and 14). A problem comes with the mean of its samples: what the
/// interval covers is `Score.coverage`.
///
/// The draws depend on the seed and the number of problems alone, and all arithmetic is that of
/// IEEE 754 in a fixed order: the same figures on any machine, in whatever order problems come.
public struct Bootstrap: Equatable, Sendable {
  public let resamples: Int
  public let seed: UInt64
  public let confidence: Double
  /// `percentile` or `biasCorrected`.
  public let method: ConfidenceInterval.Method

  /// 10,000 resamples, seed 1, 95 %, BCa.
  public static let standard = Bootstrap()

  private init() {
    (resamples, seed, confidence, method) = (10_000, 1, 0.95, .biasCorrected)
  }

  /// - Throws: `ScoreError` for fewer than 100 or more than 1,000,000 resamples, a confidence
  ///   that isn't from 0.5 to 0.9999, or a method that doesn't draw.
  public init(
    resamples: Int = 10_000, seed: UInt64 = 1, confidence: Double = 0.95,
    method: ConfidenceInterval.Method = .biasCorrected
  ) throws(ScoreError) {
    guard (100...1_000_000).contains(resamples) else {
      throw ScoreError(nil, "A bootstrap of \(resamples) resamples; give 100 to 1000000.")
    }
    try ConfidenceInterval.checkConfidence(confidence)
    guard method != .wilson else {
      throw ScoreError(nil, "A bootstrap is 'percentile' or 'biasCorrected', not 'wilson'.")
    }
    (self.resamples, self.seed) = (resamples, seed)
    (self.confidence, self.method) = (confidence, method)
  }

  /// The interval of a score.
  ///
  /// When all problems have one value, as when all are solved, resamples are all alike and would claim
  /// that nothing is uncertain. Then it is Wilson's interval for as many single trials, which is the
  /// widest there is for values from 0 to 1.
  ///
  /// - Throws: `ScoreError` for a single problem, which says nothing of others.
  public func interval(of score: Score) throws(ScoreError) -> ConfidenceInterval {
    guard score.values.count > 1 else {
      throw ScoreError(score.benchmark, "one problem says nothing of others: no interval.")
    }
    return interval(ofMeanOf: score.values)
      ?? .wilson(share: score.values[0], count: score.values.count, confidence: confidence)
  }

  /// The interval of the mean of two values or more; nil if they are all equal.
  func interval(ofMeanOf values: [Double]) -> ConfidenceInterval? {
    guard let first = values.first, values.contains(where: { $0 != first }) else { return nil }
    let means = means(of: values)
    var levels = ((1 - confidence) / 2, (1 + confidence) / 2)
    var method = method
    if method == .biasCorrected {
      if let moved = correctedLevels(values, means) { levels = moved } else { method = .percentile }
    }
    return ConfidenceInterval(
      quantile(levels.0, of: means), quantile(levels.1, of: means), confidence, method)
  }

  /// The means of all resamples, sorted. Draw i of resample b is number b · N + i of the stream.
  func means(of values: [Double]) -> [Double] {
    let draws = RandomDraws(seed: seed, "bootstrap")
    var means = [Double](repeating: 0, count: resamples)
    values.withUnsafeBufferPointer { values in
      for resample in 0..<resamples {
        var sum = 0.0
        for i in 0..<values.count {
          sum += values[draws.number(below: values.count, resample * values.count + i)]
        }
        means[resample] = sum / Double(values.count)
      }
    }
    means.sort()
    return means
  }

  /// BCa's levels (Efron, "Better Bootstrap Confidence Intervals", JASA 82, 1987): each level α with
  /// the quantile z moves to
  ///
  ///     Φ(z0 + (z0 + z) / (1 − a (z0 + z)))
  ///
  /// where z0 is the quantile of the share of resamples below the mean, those equal to it counting
  /// half, and a = Σ d³ / (6 (Σ d²)^1.5) with d the distances of values from their mean, which is the
  /// jackknife's acceleration of a mean. Nil where the formula has no value.
  private func correctedLevels(_ values: [Double], _ means: [Double]) -> (Double, Double)? {
    let mean = values.reduce(0, +) / Double(values.count)
    // Sums of the same values in another order differ in their last bits.
    let rounding = 1e-12 * values.reduce(0) { max($0, $1.magnitude) }
    let below = means.count { $0 < mean - rounding }
    let notAbove = means.count { $0 <= mean + rounding }
    let bias = Elementary.normalQuantile(Double(below + notAbove) / Double(2 * means.count))
    guard bias.isFinite else { return nil }

    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let cubes = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) }
    let acceleration = cubes / (6 * squares * squares.squareRoot())

    func level(_ level: Double) -> Double? {
      let shifted = bias + Elementary.normalQuantile(level)
      // Not a number either, if the squares are too small for binary.
      let scale = 1 - acceleration * shifted
      return scale > 0 ? Elementary.normalProbability(below: bias + shifted / scale) : nil
    }
    guard let low = level((1 - confidence) / 2), let high = level((1 + confidence) / 2) else {
      return nil
    }
    return (low, high)
  }
}

/// The quantile of sorted values: number (n − 1) · level, counted from 0, between neighbours in
/// proportion (type 7 of Hyndman & Fan, "Sample Quantiles in Statistical Packages", 1996; numpy's).
func quantile(_ level: Double, of sorted: [Double]) -> Double {
  let place = min(max(level, 0), 1) * Double(sorted.count - 1)
  let index = min(Int(place), sorted.count - 1)
  let next = min(index + 1, sorted.count - 1)
  return sorted[index] + (sorted[next] - sorted[index]) * (place - Double(index))
}
