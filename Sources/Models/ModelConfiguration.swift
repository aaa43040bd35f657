import Storage

/// The shape of a decoder-only transformer, as its `config.json` states it.
///
/// Every family is this one structure with other numbers in it. The names are those of Hugging
/// Face in camelCase, so that a name read in a paper's code, in a checkpoint or here is one name.
///
/// A value of this type has passed all checks: sizes are positive and small enough that every
/// count and size in bytes derived from them fits into `Int`, heads divide evenly, and nothing in
/// the file asks for a computation that the decoder does not do.
///
/// Two configurations are equal if their files are; the same model can be written in many ways.
public struct ModelConfiguration: Equatable, Sendable {
  /// The family that `model_type` names.
  public let family: ModelFamily
  /// Rows of the embedding, which may be more than the tokenizer has tokens.
  public let vocabSize: Int
  public let hiddenSize: Int
  /// Channels within the feed-forward layers.
  public let intermediateSize: Int
  public let numHiddenLayers: Int
  public let numAttentionHeads: Int
  public let numKeyValueHeads: Int
  /// Channels of one head, even and at most `Limits.headDim`.
  public let headDim: Int
  /// Whether all four projections of the attention have biases; see `hasQueryKeyValueBias`.
  public let attentionBias: Bool
  public let mlpBias: Bool
  public let rmsNormEps: Double
  /// The standard deviation of freshly made weights.
  public let initializerRange: Double
  public let maxPositionEmbeddings: Int
  public let rope: RotaryParameters
  /// Whether the head multiplies by the embedding instead of weights of its own.
  public let tieWordEmbeddings: Bool
  public let bosTokenId: Int?
  /// The tokens that end a text; the file has one number or a list.
  public let eosTokenIds: [Int]
  public let padTokenId: Int?
  /// The type of the weights in the checkpoint, if the file says.
  public let dtype: Dtype?
  /// What the file asks for in training; nothing here drops anything out.
  public let attentionDropout: Double

  /// What was accepted but has no effect here, in sentences, for a log.
  public let notes: [String]
  /// The file, with every key it had: what a checkpoint of this model writes as `config.json`.
  public let json: JSONObject

  /// A type of weights, as `dtype` or `torch_dtype` names it.
  public enum Dtype: String, CaseIterable, Sendable {
    case float32, bfloat16, float16

    public var bytes: Int { self == .float32 ? 4 : 2 }
  }

  /// The largest sizes that are read.
  ///
  /// Far above every model there is, and low enough that no product of them overflows: at most
  /// 2^50 parameters, sixteen bytes each.
  public enum Limits {
    public static let vocabSize = 1 << 24
    public static let hiddenSize = 1 << 17
    public static let intermediateSize = 1 << 20
    public static let numHiddenLayers = 1 << 10
    public static let numAttentionHeads = 1 << 10
    public static let headDim = 256
    /// The whole numbers that `Float`, in which angles are computed, holds exactly.
    public static let maxPositionEmbeddings = 1 << 24
    public static let ropeTheta = 1e15
    /// Of every number in `rope_parameters` but theta and the positions.
    public static let ropeFactor = 1e6
  }

  /// Whether query, key and value projections have biases.
  public var hasQueryKeyValueBias: Bool {
    switch family.attentionBias {
    case .queryKeyValue: true
    case .asConfigured: attentionBias
    }
  }

  /// Whether the attention's output projection has a bias.
  public var hasOutputBias: Bool {
    switch family.attentionBias {
    case .queryKeyValue: false
    case .asConfigured: attentionBias
    }
  }

  /// Whether heads' queries and keys are normalized before RoPE.
  public var hasQueryKeyNorm: Bool { family.hasQueryKeyNorm }
}
