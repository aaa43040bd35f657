import Foundation
import Storage

extension ModelConfiguration {
  /// Makes a configuration that no file states.
  ///
  /// Its `json` is what transformers 4 and 5 both load, with the older spelling of RoPE.
  ///
  /// - Parameters:
  ///   - headDim: Channels of one head; nil stands for what the family has where the key is missing.
  ///   - source: What errors call the configuration.
  /// - Throws: `ModelConfigurationError`, as for a file.
  public init(
    family: ModelFamily, vocabSize: Int, hiddenSize: Int, intermediateSize: Int,
    numHiddenLayers: Int, numAttentionHeads: Int, numKeyValueHeads: Int, headDim: Int? = nil,
    attentionBias: Bool = ModelFamily.Defaults.attentionBias,
    mlpBias: Bool = ModelFamily.Defaults.mlpBias,
    rmsNormEps: Double = ModelFamily.Defaults.rmsNormEps,
    initializerRange: Double = ModelFamily.Defaults.initializerRange, maxPositionEmbeddings: Int,
    rope: RotaryParameters = RotaryParameters(ropeTheta: ModelFamily.Defaults.ropeTheta),
    tieWordEmbeddings: Bool = ModelFamily.Defaults.tieWordEmbeddings, bosTokenId: Int? = nil,
    eosTokenIds: [Int] = [], padTokenId: Int? = nil, dtype: Dtype? = nil,
    source: String = "configuration"
  ) throws(ModelConfigurationError) {
    let made = ModelConfiguration.unchecked(
      family: family, vocabSize: vocabSize, hiddenSize: hiddenSize,
      intermediateSize: intermediateSize, numHiddenLayers: numHiddenLayers,
      numAttentionHeads: numAttentionHeads, numKeyValueHeads: numKeyValueHeads, headDim: headDim,
      attentionBias: attentionBias, mlpBias: mlpBias, rmsNormEps: rmsNormEps,
      initializerRange: initializerRange, maxPositionEmbeddings: maxPositionEmbeddings, rope: rope,
      tieWordEmbeddings: tieWordEmbeddings, bosTokenId: bosTokenId, eosTokenIds: eosTokenIds,
      padTokenId: padTokenId, dtype: dtype)
    try self.init(made.json, source: source)
  }

  /// The configuration without the checks, for values that tests have checked.
  static func unchecked(
    family: ModelFamily, vocabSize: Int, hiddenSize: Int, intermediateSize: Int,
    numHiddenLayers: Int, numAttentionHeads: Int, numKeyValueHeads: Int, headDim: Int? = nil,
    attentionBias: Bool = false, mlpBias: Bool = false, rmsNormEps: Double,
    initializerRange: Double = ModelFamily.Defaults.initializerRange, maxPositionEmbeddings: Int,
    rope: RotaryParameters, tieWordEmbeddings: Bool, bosTokenId: Int?, eosTokenIds: [Int],
    padTokenId: Int? = nil, dtype: Dtype?
  ) -> ModelConfiguration {
    var quotient: Int?
    if numAttentionHeads > 0, hiddenSize % numAttentionHeads == 0 {
      quotient = hiddenSize / numAttentionHeads
    }
    let headDim = headDim ?? family.defaultHeadDim ?? quotient
    func configuration(_ json: JSONObject) -> ModelConfiguration {
      ModelConfiguration(
        family: family, vocabSize: vocabSize, hiddenSize: hiddenSize,
        intermediateSize: intermediateSize, numHiddenLayers: numHiddenLayers,
        numAttentionHeads: numAttentionHeads, numKeyValueHeads: numKeyValueHeads,
        headDim: headDim ?? 0, attentionBias: attentionBias, mlpBias: mlpBias,
        rmsNormEps: rmsNormEps, initializerRange: initializerRange,
        maxPositionEmbeddings: maxPositionEmbeddings, rope: rope,
        tieWordEmbeddings: tieWordEmbeddings, bosTokenId: bosTokenId, eosTokenIds: eosTokenIds,
        padTokenId: padTokenId, dtype: dtype,
        attentionDropout: ModelFamily.Defaults.attentionDropout, notes: [], json: json)
    }
    // Qwen2 has no such key, so that it is written only where it says something.
    let isImplied = headDim == nil || (family == .qwen2 && headDim == quotient)
    return configuration(configuration(.empty).canonicalJSON(withHeadDim: !isImplied))
  }

  /// The file that transformers would write, with the keys in order, in the spelling that its
  /// versions 4 and 5 both read.
  private func canonicalJSON(withHeadDim: Bool) -> JSONObject {
    var members: [(key: String, value: JSONValue)] = [
      ("architectures", .array([.string(family.architecture)])),
      ("attention_dropout", .double(attentionDropout)),
      ("bos_token_id", .optional(bosTokenId)),
      ("eos_token_id", eosTokenIds.count == 1 ? .int(eosTokenIds[0]) : .ints(eosTokenIds)),
      ("hidden_act", .string("silu")),
      ("hidden_size", .int(hiddenSize)),
      ("initializer_range", .double(initializerRange)),
      ("intermediate_size", .int(intermediateSize)),
      ("max_position_embeddings", .int(maxPositionEmbeddings)),
      ("model_type", .string(family.modelType)),
      ("num_attention_heads", .int(numAttentionHeads)),
      ("num_hidden_layers", .int(numHiddenLayers)),
      ("num_key_value_heads", .int(numKeyValueHeads)),
      ("pad_token_id", .optional(padTokenId)),
      ("rms_norm_eps", .double(rmsNormEps)),
      ("rope_scaling", rope.scaling.json),
      ("rope_theta", .double(rope.ropeTheta)),
      ("tie_word_embeddings", .bool(tieWordEmbeddings)),
      ("use_cache", .bool(true)),
      ("vocab_size", .int(vocabSize)),
    ]
    if family.attentionBias == .asConfigured || attentionBias {
      members.append(("attention_bias", .bool(attentionBias)))
    }
    if family.readsMLPBias || mlpBias { members.append(("mlp_bias", .bool(mlpBias))) }
    if withHeadDim { members.append(("head_dim", .int(headDim))) }
    if let dtype { members.append(("torch_dtype", .string(dtype.rawValue))) }
    return JSONObject(members: members.sorted { $0.key < $1.key })
  }
}

extension RotaryParameters.Scaling {
  /// The value of `rope_scaling`; null where there is nothing to stretch.
  fileprivate var json: JSONValue {
    var members: [(key: String, value: JSONValue)] = [("rope_type", .string(ropeType))]
    switch self {
    case .default: return .null
    case .linear(let factor): members.append(("factor", .double(factor)))
    case .llama3(let llama3):
      members += [
        ("factor", .double(llama3.factor)),
        ("high_freq_factor", .double(llama3.highFreqFactor)),
        ("low_freq_factor", .double(llama3.lowFreqFactor)),
        ("original_max_position_embeddings", .int(llama3.originalMaxPositionEmbeddings)),
      ]
    case .yarn(let yarn):
      members += [
        ("beta_fast", .double(yarn.betaFast)),
        ("beta_slow", .double(yarn.betaSlow)),
        ("factor", yarn.factor.map { .double($0) } ?? .null),
        ("original_max_position_embeddings", .int(yarn.originalMaxPositionEmbeddings)),
        ("truncate", .bool(yarn.truncate)),
      ]
      let optional = [
        ("attention_factor", yarn.attentionFactor), ("mscale", yarn.mscale),
        ("mscale_all_dim", yarn.mscaleAllDim),
      ]
      for case (let key, let value?) in optional { members.append((key, .double(value))) }
    }
    return .object(JSONObject(members: members.sorted { $0.key < $1.key }))
  }
}

extension JSONValue {
  static func int(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

  static func ints(_ values: [Int]) -> JSONValue {
    values.isEmpty ? .null : .array(values.map { .int($0) })
  }

  static func optional(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }

  /// The number; JSON has none that are not finite, which stand as text for the checks to refuse.
  static func double(_ value: Double) -> JSONValue {
    JSONNumber(value).map { .number($0) } ?? .string("\(value)")
  }
}
