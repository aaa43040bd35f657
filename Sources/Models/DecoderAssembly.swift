import Layers
import Tensors

/// How the weights of a decoder are kept.
enum WeightForm {
  /// In float32, to be trained.
  case float32
  /// Matrices in bfloat16, vectors in float32, to be trained.
  case bfloat16
  /// For adapters to be trained beside them: matrices as `frozen` says.
  case frozen(FrozenMatrices)
  /// Matrices of products packed, to generate. The embedding, whose rows are looked up and not
  /// multiplied, stays in float32, unless its values are bfloat16 anyway.
  case packed(PackedFormat, embeddingIsBFloat16: Bool)

  /// Whether gradients can be made for weights, those that are packed left aside.
  var isTrained: Bool {
    if case .frozen = self { false } else { true }
  }
}

/// Matrices that are not trained.
struct FrozenMatrices {
  /// Where a checkpoint has the matrix of this name in bfloat16; nil if it has not.
  let mapped: (_ name: String) -> BFloat16Rows.Stretch?
  /// Whether those that are not there in bfloat16 are rounded to it; if not, they are in float32.
  let rounds: Bool
}

/// A tensor of a checkpoint, and the rows of a weight it fills.
struct WeightPart {
  let name: String
  let shape: [Int]
  /// nil outside the layers.
  let layer: Int?
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
  private let form: WeightForm
  private let lowRank: LowRankSettings?
  private let rotary: RotaryEmbedding
  private var made: [WeightPart] = []
  /// The adapters' parts, in the order of the layers.
  private(set) var adapterParts: [WeightPart] = []
  /// What all adapters draw their dropout from.
  let dropout: Dropout

  init(
    _ configuration: ModelConfiguration, precision: Precision, form: WeightForm,
    lowRank: LowRankSettings?
  ) {
    self.form = form
    self.lowRank = lowRank
    dropout = Dropout(probability: lowRank?.dropout ?? 0)
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
    Embedding(weight: stacked([.embedding], layer: nil, .lookup))
  }

  mutating func finalNorm() -> RMSNorm { norm(.finalNorm) }

  mutating func head(tiedTo embedding: Embedding) -> CrossEntropy {
    let weight: Weight
    if !configuration.tieWordEmbeddings {
      weight = stacked([.head], layer: nil, .product)
    } else if case .packed(let format, _) = form, embedding.weight.packed?.format != format {
      weight = stacked([.embedding], layer: nil, .product)
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
      gain: stacked([role], layer: layer, .vector), epsilon: Float(configuration.rmsNormEps))
  }

  private mutating func linear(
    _ weights: [ParameterRole], _ biases: [ParameterRole], layer: Int
  ) -> Linear {
    Linear(
      weight: stacked(weights, layer: layer, .product),
      bias: biases.allSatisfy(configuration.has) ? stacked(biases, layer: layer, .vector) : nil,
      adapters: adapters(of: weights, layer: layer), precision: precision)
  }

  /// What a weight is for.
  private enum Use {
    case product
    case lookup
    case vector
  }

  /// One weight whose rows are the given parameters', one below the other.
  private mutating func stacked(_ roles: [ParameterRole], layer: Int?, _ use: Use) -> Weight {
    let shapes = roles.map { configuration.shape(of: $0) }
    let rows = shapes.reduce(0) { $0 + $1[0] }
    let columns = shapes[0].count == 2 ? shapes[0][1] : 1
    let weight = weight(
      rows: rows, columns: columns, use, names: roles.map { $0.name(layer: layer) })
    var start = 0
    for (role, shape) in zip(roles, shapes) {
      let rows = start..<start + shape[0]
      made.append(
        WeightPart(
          name: role.name(layer: layer), shape: shape, layer: layer, weight: weight, rows: rows))
      start += shape[0]
    }
    return weight
  }

  private func weight(rows: Int, columns: Int, _ use: Use, names: [String]) -> Weight {
    switch (form, use) {
    case (.packed(let format, _), .product):
      return Weight(PackedMatrix(rows: rows, columns: columns, format: format))
    case (.packed(_, embeddingIsBFloat16: true), .lookup):
      return Weight(PackedMatrix(rows: rows, columns: columns, format: .bfloat16))
    case (.bfloat16, .product), (.bfloat16, .lookup):
      return Weight(BFloat16Rows(rows: rows, columns: columns), isTrained: true)
    case (.frozen(let matrices), .product), (.frozen(let matrices), .lookup):
      let mapped = names.compactMap(matrices.mapped)
      if mapped.count == names.count {
        return Weight(BFloat16Rows(mapped, columns: columns), isTrained: false)
      }
      if matrices.rounds {
        return Weight(BFloat16Rows(rows: rows, columns: columns), isTrained: false)
      }
      return Weight(Tensor(uninitialized: [rows, columns]), isTrained: false)
    default:
      return Weight(Tensor(uninitialized: [rows, columns]), isTrained: form.isTrained)
    }
  }

  // MARK: - Adapters

  private mutating func adapters(of roles: [ParameterRole], layer: Int) -> [LowRankAdapter] {
    guard let lowRank else { return [] }
    var adapters: [LowRankAdapter] = []
    var start = 0
    for role in roles {
      let shape = configuration.shape(of: role)
      let rows = start..<start + shape[0]
      start += shape[0]
      guard lowRank.roles.contains(role) else { continue }
      let a = Weight(Tensor(uninitialized: [lowRank.rank, shape[1]]))
      let b = Weight(Tensor(uninitialized: [shape[0], lowRank.rank]))
      for (weight, factor) in [(a, LowRankSettings.Factor.a), (b, .b)] {
        adapterParts.append(
          WeightPart(
            name: role.name(of: factor, layer: layer), shape: [weight.rows, weight.columns],
            layer: layer, weight: weight, rows: 0..<weight.rows))
      }
      adapters.append(
        LowRankAdapter(
          rows: rows, a: a, b: b, scale: Float(lowRank.scale), dropout: dropout,
          number: adapterParts.count / 2))
    }
    return adapters
  }
}
