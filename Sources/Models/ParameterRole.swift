/// A tensor of the decoder by what it does, with its name in Hugging Face's layout.
///
/// The cases are in the order in which transformers lists them. All families have the same
/// names; which roles a model has follows from its configuration.
public enum ParameterRole: String, CaseIterable, Sendable {
  /// (V, C)
  case embedding = "model.embed_tokens.weight"

  /// (H·D, C)
  case queryWeight = "self_attn.q_proj.weight"
  case queryBias = "self_attn.q_proj.bias"
  /// (K·D, C)
  case keyWeight = "self_attn.k_proj.weight"
  case keyBias = "self_attn.k_proj.bias"
  /// (K·D, C)
  case valueWeight = "self_attn.v_proj.weight"
  case valueBias = "self_attn.v_proj.bias"
  /// (C, H·D)
  case outputWeight = "self_attn.o_proj.weight"
  case outputBias = "self_attn.o_proj.bias"
  /// (D), one gain for all heads
  case queryNorm = "self_attn.q_norm.weight"
  case keyNorm = "self_attn.k_norm.weight"
  /// (F, C)
  case gateWeight = "mlp.gate_proj.weight"
  case gateBias = "mlp.gate_proj.bias"
  /// (F, C)
  case upWeight = "mlp.up_proj.weight"
  case upBias = "mlp.up_proj.bias"
  /// (C, F)
  case downWeight = "mlp.down_proj.weight"
  case downBias = "mlp.down_proj.bias"
  /// (C), before the attention
  case attentionNorm = "input_layernorm.weight"
  /// (C), before the feed-forward layers
  case feedForwardNorm = "post_attention_layernorm.weight"

  /// (C), after the last layer
  case finalNorm = "model.norm.weight"
  /// (V, C), absent from tied models
  case head = "lm_head.weight"

  /// Whether every layer has one; the others are there once.
  public var isInLayer: Bool {
    switch self {
    case .embedding, .finalNorm, .head: false
    default: true
    }
  }

  /// The tensor's name in a checkpoint; `layer` counts from 0 and is nil outside the layers.
  public func name(layer: Int? = nil) -> String {
    precondition(
      isInLayer == (layer != nil), "'\(rawValue)' with layer \(layer.map { "\($0)" } ?? "nil").")
    return layer.map { "model.layers.\($0).\(rawValue)" } ?? rawValue
  }

  /// Ends of names that older checkpoints hold without need: they are computed from the
  /// configuration.
  public static let computedSuffixes = [".rotary_emb.inv_freq"]
}

extension ModelConfiguration {
  /// Whether the model has such a tensor.
  public func has(_ role: ParameterRole) -> Bool {
    switch role {
    case .queryBias, .keyBias, .valueBias: hasQueryKeyValueBias
    case .outputBias: hasOutputBias
    case .queryNorm, .keyNorm: hasQueryKeyNorm
    case .gateBias, .upBias, .downBias: mlpBias
    case .head: !tieWordEmbeddings
    default: true
    }
  }

  /// The shape of such a tensor, rows before columns; a linear layer maps columns to rows.
  public func shape(of role: ParameterRole) -> [Int] {
    let queries = numAttentionHeads * headDim
    let keys = numKeyValueHeads * headDim
    return switch role {
    case .embedding, .head: [vocabSize, hiddenSize]
    case .queryWeight: [queries, hiddenSize]
    case .queryBias: [queries]
    case .keyWeight, .valueWeight: [keys, hiddenSize]
    case .keyBias, .valueBias: [keys]
    case .outputWeight: [hiddenSize, queries]
    case .outputBias, .downBias, .attentionNorm, .feedForwardNorm, .finalNorm: [hiddenSize]
    case .queryNorm, .keyNorm: [headDim]
    case .gateWeight, .upWeight: [intermediateSize, hiddenSize]
    case .gateBias, .upBias: [intermediateSize]
    case .downWeight: [hiddenSize, intermediateSize]
    }
  }
}
