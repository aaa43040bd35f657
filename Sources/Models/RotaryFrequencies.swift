import Foundation

/// The angles per position of RoPE, one per pair of channels of a head.
///
/// Channel pair `i` of a head of `D` channels turns by `inverseFrequencies[i]` radians per
/// position, `theta^(-2i/D)` before stretching; cosines and sines are multiplied by
/// `attentionFactor`.
///
/// Rounded to `Float` where transformers' `ROPE_INIT_FUNCTIONS` round, in their order. The power
/// itself is correctly rounded here; torch's vectorized one is, for about one value in 200, off by
/// its last bit.
public struct RotaryFrequencies: Equatable, Sendable {
  /// Radians per position, (D/2).
  public let inverseFrequencies: [Float]
  /// What cosines and sines are multiplied by; 1 except for YaRN.
  public let attentionFactor: Float

  /// The frequencies that a configuration asks for.
  public init(_ configuration: ModelConfiguration) {
    self.init(
      configuration.rope, headDim: configuration.headDim,
      maxPositionEmbeddings: configuration.maxPositionEmbeddings)
  }

  /// The frequencies for heads of `headDim` channels, an even number.
  ///
  /// `maxPositionEmbeddings` matters only to a YaRN without a factor.
  public init(_ rope: RotaryParameters, headDim: Int, maxPositionEmbeddings: Int) {
    precondition(
      headDim > 0 && headDim % 2 == 0, "RoPE over \(headDim) channels; they must be even.")
    let periods = Self.periods(theta: rope.ropeTheta, headDim: headDim)
    switch rope.scaling {
    case .default:
      inverseFrequencies = periods.map { 1 / $0 }
      attentionFactor = 1
    case .linear(let factor):
      inverseFrequencies = periods.map { 1 / $0 / Float(factor) }
      attentionFactor = 1
    case .llama3(let llama3):
      inverseFrequencies = periods.map { llama3.stretched(1 / $0) }
      attentionFactor = 1
    case .yarn(let yarn):
      let factor = yarn.factor(maxPositionEmbeddings: maxPositionEmbeddings)
      inverseFrequencies = yarn.stretched(periods, theta: rope.ropeTheta, factor: factor)
      attentionFactor = Float(yarn.attentionFactor(factor: factor))
    }
  }

  /// `theta^(2i/D)` for each pair `i`, (D/2).
  private static func periods(theta: Double, headDim: Int) -> [Float] {
    (0..<headDim / 2).map { i in
      let exponent = Float(2 * i) / Float(headDim)
      return Float(pow(Double(Float(theta)), Double(exponent)))
    }
  }
}

extension RotaryParameters.Llama3 {
  fileprivate func stretched(_ frequency: Float) -> Float {
    let original = Double(originalMaxPositionEmbeddings)
    // Torch divides a number by a tensor as a product with the reciprocals, which rounds twice.
    let wavelength = (1 / frequency) * Float(2 * Double.pi)
    if wavelength > Float(original / lowFreqFactor) { return frequency / Float(factor) }
    if wavelength < Float(original / highFreqFactor) { return frequency }
    let smooth =
      ((1 / wavelength) * Float(original) - Float(lowFreqFactor))
      / Float(highFreqFactor - lowFreqFactor)
    let divided = (1 - smooth) * frequency / Float(factor)
    return divided + smooth * frequency
  }
}

extension RotaryParameters.YaRN {
  /// The factor, or the ratio it stands for.
  func factor(maxPositionEmbeddings: Int) -> Double {
    factor ?? Double(maxPositionEmbeddings) / Double(originalMaxPositionEmbeddings)
  }

  /// `0.1 ln(factor) + 1`, or with both weights the ratio of two such values.
  fileprivate func attentionFactor(factor: Double) -> Double {
    func scale(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1 }
    if let attentionFactor { return attentionFactor }
    if let mscale, let mscaleAllDim, mscale != 0, mscaleAllDim != 0 {
      return scale(mscale) / scale(mscaleAllDim)
    }
    return scale(1)
  }

  fileprivate func stretched(_ periods: [Float], theta: Double, factor: Double) -> [Float] {
    let headDim = Double(2 * periods.count)
    // The dimension that turns so often over the original positions.
    func dimension(rotations: Double) -> Double {
      let positions = Double(originalMaxPositionEmbeddings)
      return headDim * log(positions / (rotations * 2 * Double.pi)) / (2 * log(theta))
    }
    var low = dimension(rotations: betaFast)
    var high = dimension(rotations: betaSlow)
    if truncate {
      low = low.rounded(.down)
      high = high.rounded(.up)
    }
    low = max(low, 0)
    high = min(high, headDim - 1)
    if low == high { high += 0.001 }  // as transformers does, against a division by 0

    return periods.enumerated().map { i, period in
      let ramp = min(max((Float(i) - Float(low)) / Float(high - low), 0), 1)
      let kept = 1 - ramp
      return 1 / (Float(factor) * period) * (1 - kept) + 1 / period * kept
    }
  }
}
