import CKernels
import Foundation

/// The softmax of a row of logits at a temperature: what a sampler draws from, and what a trainer
/// takes the log-probability of.
///
///     p_i = exp((l_i − max l) / T) / Σ_j exp((l_j − max l) / T)
///
/// It is here once so that both have the same bits: the probability ratio of a policy that has not
/// changed is then exactly 1.
public struct TemperedSoftmax {
  /// The numerators, the largest of which is 1: as many as there are logits.
  public let weights: UnsafeMutablePointer<Float>
  public let maximum: Float
  /// Of the weights.
  public let total: Double
  public let temperature: Double

  /// - Parameters:
  ///   - weights: Where the numerators go; other memory than the logits'.
  ///   - temperature: Above 0.
  public init(
    _ logits: UnsafePointer<Float>, count: Int, temperature: Double,
    into weights: UnsafeMutablePointer<Float>
  ) {
    self.weights = weights
    self.temperature = temperature
    maximum = kernels.maximum(logits, Int64(count))
    total = kernels.temper(weights, logits, maximum, Float(1 / temperature), Int64(count))
  }

  /// The log-probability, in nats, of the token with this logit.
  public func logProbability(ofLogit logit: Float) -> Float {
    Float(Double(logit - maximum) / temperature - log(total))
  }
}
