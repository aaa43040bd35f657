import Storage

/// Two bounds between which a figure lies with a stated confidence.
public struct ConfidenceInterval: Equatable, Sendable {
  /// How the bounds were found.
  public enum Method: String, Codable, CaseIterable, Sendable {
    /// Quantiles of the bootstrap's means.
    case percentile
    /// Such quantiles, moved for bias and skewness (BCa).
    case biasCorrected
    /// Wilson's interval of a proportion.
    case wilson
  }

  public let low: Double
  public let high: Double
  public let confidence: Double
  public let method: Method

  init(_ low: Double, _ high: Double, _ confidence: Double, _ method: Method) {
    (self.low, self.high, self.confidence, self.method) = (low, high, confidence, method)
  }

  /// Whether a figure lies in it, the bounds included.
  public func contains(_ value: Double) -> Bool { low <= value && value <= high }

  /// Wilson's interval of a proportion: with p = successes / n and z the normal quantile,
  ///
  ///     (p + z² / 2n  ±  z √(p (1 − p) / n + z² / 4n²)) / (1 + z² / n)
  ///
  /// (Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927).
  /// It is for trials that don't depend on each other: one sample of each problem. Of several samples
  /// a problem, those of one problem do; see `Bootstrap`.
  ///
  /// - Throws: `ScoreError` if there are no trials, more successes than trials, or the
  ///   confidence isn't between 0.5 and 0.9999.
  public static func wilson(
    successes: Int, of trials: Int, confidence: Double = 0.95
  ) throws(ScoreError) -> ConfidenceInterval {
    try checkConfidence(confidence)
    guard trials > 0, (0...trials).contains(successes) else {
      throw ScoreError(nil, "\(successes) successes of \(trials) trials have no proportion.")
    }
    return wilson(
      share: Double(successes) / Double(trials), count: trials, confidence: confidence)
  }

  static func wilson(share: Double, count: Int, confidence: Double) -> ConfidenceInterval {
    let z = Elementary.normalQuantile((1 + confidence) / 2)
    let n = Double(count)
    let middle = share + z * z / (2 * n)
    let width = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    // At the ends the bound is exactly the share, which rounding would miss.
    return ConfidenceInterval(
      share == 0 ? 0 : max(0, (middle - width) / scale),
      share == 1 ? 1 : min(1, (middle + width) / scale), confidence, .wilson)
  }

  static func checkConfidence(_ confidence: Double) throws(ScoreError) {
    guard (0.5...0.9999).contains(confidence) else {
      throw ScoreError(nil, "A confidence of \(confidence); give 0.5 to 0.9999.")
    }
  }
}
