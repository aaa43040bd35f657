/// How positions turn queries and keys: RoPE's base and, for long contexts, how its frequencies
/// are stretched.
///
/// Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021,
/// <https://arxiv.org/abs/2104.09864>. The names are those of `rope_parameters` in `config.json`.
public struct RotaryParameters: Equatable, Sendable {
  /// The base of the frequencies, `rope_theta`.
  public let ropeTheta: Double
  public let scaling: Scaling

  public init(ropeTheta: Double, scaling: Scaling = .default) {
    self.ropeTheta = ropeTheta
    self.scaling = scaling
  }

  /// The value of `rope_type` and what belongs to it.
  public enum Scaling: Equatable, Sendable {
    case `default`
    /// All frequencies divided by the factor.
    case linear(factor: Double)
    case llama3(Llama3)
    case yarn(YaRN)

    /// The value of `rope_type`.
    public var ropeType: String {
      switch self {
      case .default: "default"
      case .linear: "linear"
      case .llama3: "llama3"
      case .yarn: "yarn"
      }
    }
  }

  /// Llama 3's rule: long waves are divided by the factor, short ones kept, those between mixed.
  public struct Llama3: Equatable, Sendable {
    public let factor: Double
    public let lowFreqFactor: Double
    public let highFreqFactor: Double
    /// The positions of the model before it was stretched.
    public let originalMaxPositionEmbeddings: Int

    public init(
      factor: Double, lowFreqFactor: Double, highFreqFactor: Double,
      originalMaxPositionEmbeddings: Int
    ) {
      self.factor = factor
      self.lowFreqFactor = lowFreqFactor
      self.highFreqFactor = highFreqFactor
      self.originalMaxPositionEmbeddings = originalMaxPositionEmbeddings
    }
  }

  /// Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models", 2023,
  /// <https://arxiv.org/abs/2309.00071>.
  public struct YaRN: Equatable, Sendable {
    /// How often the original positions fit into the stretched ones; nil stands for
    /// `max_position_embeddings / original_max_position_embeddings`.
    public let factor: Double?
    /// The positions of the model before it was stretched.
    public let originalMaxPositionEmbeddings: Int
    /// Dimensions that turn at least so often over the original positions are kept.
    public let betaFast: Double
    /// Dimensions that turn at most so often over the original positions are divided by the factor.
    public let betaSlow: Double
    /// What cosines and sines are multiplied by; nil stands for the paper's rule.
    public let attentionFactor: Double?
    /// With `mscaleAllDim`, weights of the logarithm in the rule for the attention factor.
    public let mscale: Double?
    public let mscaleAllDim: Double?
    /// Whether the bounds between the two kinds of dimensions are rounded to whole ones.
    public let truncate: Bool

    public init(
      factor: Double?, originalMaxPositionEmbeddings: Int, betaFast: Double = 32,
      betaSlow: Double = 1, attentionFactor: Double? = nil, mscale: Double? = nil,
      mscaleAllDim: Double? = nil, truncate: Bool = true
    ) {
      self.factor = factor
      self.originalMaxPositionEmbeddings = originalMaxPositionEmbeddings
      self.betaFast = betaFast
      self.betaSlow = betaSlow
      self.attentionFactor = attentionFactor
      self.mscale = mscale
      self.mscaleAllDim = mscaleAllDim
      self.truncate = truncate
    }
  }
}
