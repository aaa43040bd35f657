import Layers
import Tensors

/// Makes the layers of a decoder from its configuration, and collects their parameters by name.
///
/// Weights that the same input meets lie in one stretch of memory: query, key and value, and gate
/// and up. A checkpoint has them apart; parameters are rows of the whole.
struct DecoderAssembly {
  private let configuration: ModelConfiguration
  private let precision: Precision
  private let rotary: RotaryEmbedding
  private var byName: [String: Parameter] = [:]

  init(_ configuration: ModelConfiguration, precision: Precision) {
    self.configuration = configuration
    self.precision = precision
    let frequencies = RotaryFrequencies(configuration)
    rotary = RotaryEmbedding(
      frequencies: frequencies.inverseFrequencies, factor: frequencies.attentionFactor)
  }

  /// All parameters made so far, in the order of a Hugging Face checkpoint.
  var parameters: [Parameter] { configuration.parameters.compactMap { byName[$0.name] } }

  mutating func embedding() -> Embedding { Embedding(weight: weight(.embedding)) }

  mutating func finalNorm() -> RMSNorm { norm(.finalNorm) }

  mutating func head(tiedTo embedding: Embedding) -> CrossEntropy {
    CrossEntropy(
      weight: configuration.tieWordEmbeddings ? embedding.weight : weight(.head),
      precision: precision)
  }

  mutating func block(_ layer: Int) -> DecoderBlock {
    DecoderBlock(
      attentionNorm: norm(.attentionNorm, layer: layer),
      queryKeyValue: linear(
        [.queryWeight, .keyWeight, .valueWeight], [.queryBias, .keyBias, .valueBias], layer: layer),
      queryNorm: configuration.has(.queryNorm) ? norm(.queryNorm, layer: layer) : nil,
      keyNorm: configuration.has(.keyNorm) ? norm(.keyNorm, layer: layer) : nil, rotary: rotary,
      attention: Attention(
        heads: configuration.numAttentionHeads, keyValueHeads: configuration.numKeyValueHeads,
        headSize: configuration.headDim, precision: precision),
      output: linear([.outputWeight], [.outputBias], layer: layer),
      feedForwardNorm: norm(.feedForwardNorm, layer: layer),
      feedForward: FeedForward(
        gateUp: linear([.gateWeight, .upWeight], [.gateBias, .upBias], layer: layer),
        down: linear([.downWeight], [.downBias], layer: layer)))
  }

  private mutating func norm(_ role: ParameterRole, layer: Int? = nil) -> RMSNorm {
    RMSNorm(gain: weight(role, layer: layer), epsilon: Float(configuration.rmsNormEps))
  }

  private mutating func linear(
    _ weights: [ParameterRole], _ biases: [ParameterRole], layer: Int
  ) -> Linear {
    Linear(
      weight: stacked(weights, layer: layer),
      bias: biases.allSatisfy(configuration.has) ? stacked(biases, layer: layer) : nil,
      precision: precision)
  }

  private mutating func weight(_ role: ParameterRole, layer: Int? = nil) -> Weight {
    stacked([role], layer: layer)
  }

  /// One weight whose rows are the given parameters', one below the other.
  private mutating func stacked(_ roles: [ParameterRole], layer: Int?) -> Weight {
    let shapes = roles.map { configuration.shape(of: $0) }
    let rows = shapes.map { $0[0] }
    let columns = shapes[0].count == 2 ? shapes[0][1] : 1
    let weight = Weight(Tensor(uninitialized: [rows.reduce(0, +), columns]))
    var start = 0
    for (role, shape) in zip(roles, shapes) {
      let name = role.name(layer: layer)
      byName[name] = Parameter(name, shape: shape, of: weight, rows: start..<start + shape[0])
      start += shape[0]
    }
    return weight
  }
}
