/// What a model family decides that `config.json` leaves open: a table of facts, no code.
///
/// Every family here is the same decoder with other numbers in it. The facts are those of the
/// classes `Qwen2Config`, `LlamaConfig` and `Qwen3Config` of Hugging Face's transformers (5.23)
/// and of the models beside them. Defaults that the three share stand in `Defaults`.
public struct ModelFamily: Equatable, Sendable, CustomStringConvertible {
  /// The value of `model_type` in `config.json`.
  public let modelType: String
  /// The class that `architectures` names.
  public let architecture: String
  /// Which of the attention's projections have a bias.
  public let attentionBias: AttentionBias
  /// Whether each head's queries and keys pass an RMSNorm of their own before RoPE.
  public let hasQueryKeyNorm: Bool
  /// Whether `mlp_bias` is read; without it the feed-forward layers have no biases.
  public let readsMLPBias: Bool
  /// `head_dim` where the file has none; nil stands for `hidden_size / num_attention_heads`.
  public let defaultHeadDim: Int?
  /// `num_key_value_heads` where the file has none; nil stands for `num_attention_heads`.
  public let defaultNumKeyValueHeads: Int?
  /// `max_position_embeddings` where the file has none.
  public let defaultMaxPositionEmbeddings: Int
  /// `bos_token_id` where the file has none.
  public let defaultBosTokenId: Int?
  /// `eos_token_id` where the file has none.
  public let defaultEosTokenId: Int?

  /// Which of the attention's projections have a bias.
  public enum AttentionBias: Equatable, Sendable {
    /// Query, key and value always have one, the output projection never, whatever the file says.
    case queryKeyValue
    /// All four have one if the file's `attention_bias` is true.
    case asConfigured
  }

  /// What absent keys stand for in all families.
  public enum Defaults {
    public static let rmsNormEps = 1e-6
    public static let initializerRange = 0.02
    public static let ropeTheta = 10_000.0
    public static let tieWordEmbeddings = false
    public static let attentionBias = false
    public static let mlpBias = false
    public static let attentionDropout = 0.0
    /// Only read where `use_sliding_window` is true.
    public static let slidingWindow = 4096
    /// The layers below this one never use a window.
    public static let maxWindowLayers = 28
  }

  public static let llama = ModelFamily(
    modelType: "llama", architecture: "LlamaForCausalLM", attentionBias: .asConfigured,
    hasQueryKeyNorm: false, readsMLPBias: true, defaultHeadDim: nil, defaultNumKeyValueHeads: nil,
    defaultMaxPositionEmbeddings: 2048, defaultBosTokenId: 1, defaultEosTokenId: 2)

  public static let qwen2 = ModelFamily(
    modelType: "qwen2", architecture: "Qwen2ForCausalLM", attentionBias: .queryKeyValue,
    hasQueryKeyNorm: false, readsMLPBias: false, defaultHeadDim: nil, defaultNumKeyValueHeads: 32,
    defaultMaxPositionEmbeddings: 32768, defaultBosTokenId: nil, defaultEosTokenId: nil)

  public static let qwen3 = ModelFamily(
    modelType: "qwen3", architecture: "Qwen3ForCausalLM", attentionBias: .asConfigured,
    hasQueryKeyNorm: true, readsMLPBias: false, defaultHeadDim: 128, defaultNumKeyValueHeads: 32,
    defaultMaxPositionEmbeddings: 32768, defaultBosTokenId: nil, defaultEosTokenId: nil)

  /// All families, by name.
  public static let all = [llama, qwen2, qwen3]

  public var description: String { modelType }
}
