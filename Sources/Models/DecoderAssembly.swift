import Layers
import Tensors

/// Which weights are packed for generation, and can't be trained.
enum Packing {
  case nothing
  /// All matrices of products. The embedding, whose rows are looked up and not multiplied, stays in
  /// float32, unless its values are bfloat16 anyway.
  case products(PackedFormat, embeddingIsBFloat16: Bool)
}

/// A tensor of a checkpoint, and the rows of a weight it fills.
struct WeightPart {
  let name: String
  let shape: [Int]
  let weight: Weight
  let rows: Range<Int>
}

/// Makes the layers of a decoder from its configuration, and collects their parameters by name.
///
/// Weights that the same input meets lie in one stretch of memory: query, key and value, and gate
/// and up. A checkpoint has them apart; parameters are rows of the whole.
struct DecoderAssembly {
  private let configuration: ModelConfiguration
  private let precision: Precision
  private let packing: Packing
  private let rotary: RotaryEmbedding
  private var made: [WeightPart] = []

  init(_ configuration: ModelConfiguration, precision: Precision, packing: Packing) {
    self.packing = packing
    self.configuration = configuration
    self.precision = precision
    let frequencies = RotaryFrequencies(configuration)
    rotary = RotaryEmbedding(
      frequencies: frequencies.inverseFrequencies, factor: frequencies.attentionFactor)
  }

  /// All parts made so far, in the order of a Hugging Face checkpoint.
  var parts: [WeightPart] {
    let byName = Dictionary(grouping: made, by: \.name)
    return configuration.parameters.flatMap { byName[$0.name] ?? [] }
  }

  mutating func embedding() -> Embedding {
    if case .products(_, embeddingIsBFloat16: true) = packing {
      return Embedding(weight: weight(.embedding, packed: .bfloat16))
    }
    return Embedding(weight: weight(.embedding, packed: nil))
  }

  mutating func finalNorm() -> RMSNorm { norm(.finalNorm) }

  mutating func head(tiedTo embedding: Embedding) -> CrossEntropy {
    let weight: Weight
    if !configuration.tieWordEmbeddings {
      weight = self.weight(.head, packed: format)
    } else if let format, embedding.weight.packed?.format != format {
      weight = self.weight(.embedding, packed: format)
    } else {
      weight = embedding.weight
    }
    return CrossEntropy(weight: weight, precision: precision)
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
    RMSNorm(
      gain: weight(role, layer: layer, packed: nil), epsilon: Float(configuration.rmsNormEps))
  }

  private mutating func linear(
    _ weights: [ParameterRole], _ biases: [ParameterRole], layer: Int
  ) -> Linear {
    Linear(
      weight: stacked(weights, layer: layer, packed: format),
      bias: biases.allSatisfy(configuration.has)
        ? stacked(biases, layer: layer, packed: nil) : nil,
      precision: precision)
  }

  /// How the right sides of products are packed; nil if they are not.
  private var format: PackedFormat? {
    if case .products(let format, _) = packing { format } else { nil }
  }

  private mutating func weight(_ role: ParameterRole, layer: Int? = nil, packed: PackedFormat?)
    -> Weight
  {
    stacked([role], layer: layer, packed: packed)
  }

  /// One weight whose rows are the given parameters', one below the other.
  private mutating func stacked(_ roles: [ParameterRole], layer: Int?, packed: PackedFormat?)
    -> Weight
  {
    let shapes = roles.map { configuration.shape(of: $0) }
    let rows = shapes.reduce(0) { $0 + $1[0] }
    let columns = shapes[0].count == 2 ? shapes[0][1] : 1
    let weight =
      packed.map { Weight(PackedMatrix(rows: rows, columns: columns, format: $0)) }
      ?? Weight(Tensor(uninitialized: [rows, columns]))
    var start = 0
    for (role, shape) in zip(roles, shapes) {
      let rows = start..<start + shape[0]
      made.append(
        WeightPart(name: role.name(layer: layer), shape: shape, weight: weight, rows: rows))
      start += shape[0]
    }
    return weight
  }
}
