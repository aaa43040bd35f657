import Models
import Tensors

/// What training keeps in memory, by part, in bytes.
public struct TrainingMemory: Equatable, Sendable {
  /// Those of adapters included.
  public let weights: Int
  public let gradients: Int
  /// AdamW's two moments.
  public let moments: Int
  /// What blocks keep for the way back, for the longest row that is computed at once.
  public let activations: Int
  /// One block at work.
  public let working: Int
  /// Logits of a chunk of tokens, and packed operands.
  public let lossChunk: Int

  public var total: Int {
    weights + gradients + moments + activations + working + lossChunk
  }

  /// - Parameters:
  ///   - tokens: Of the longest row, times the rows that are computed at once.
  ///   - recomputedBlocks: Blocks that keep only their input.
  ///   - threads: Workers, each of which has scratch memory.
  public init(
    _ configuration: ModelConfiguration, form: TrainingForm = TrainingForm(), tokens: Int,
    recomputedBlocks: Int, threads: Int
  ) {
    let c = configuration
    let float = 4
    weights = Self.weights(c, form)
    gradients = Self.gradients(c, form)
    moments = Self.moments(c, form)
    let C = c.hiddenSize, F = c.intermediateSize, D = c.headDim
    let qkv = (c.numAttentionHeads + 2 * c.numKeyValueHeads) * D, o = c.numAttentionHeads * D
    // Of a block that keeps all: its input, the middle of the residual, queries, keys and values,
    // the attention's output, and gate and up of the feed-forward layer.
    let kept = 2 * C + qkv + o + 2 * F
    let recomputed = min(recomputedBlocks, c.numHiddenLayers)
    activations =
      float * tokens * (recomputed * C + (c.numHiddenLayers - recomputed) * kept)
    // One block forward or back: gradients of all that, the recomputed block's own, norms' outputs.
    // Where inputs of adapters are left out, copies of the widest; blocks that keep all do not cut
    // their rows.
    let copies = form.lowRank.map { $0.dropout > 0 ? 2 * F : 0 } ?? 0
    let copied = recomputed < c.numHiddenLayers ? tokens : min(tokens, 4096)
    working =
      float * tokens * (5 * C + 3 * qkv + 2 * o)
      + (recomputed > 0 ? float * tokens * kept : 0) + 4 * float * F * min(tokens, 4096)
      + float * copies * copied
    lossChunk = Self.fixed + threads * Self.perThread
  }

  /// How many blocks are recomputed so that training fits: as few as the memory allows; all if it
  /// allows none.
  public static func recomputedBlocks(
    _ configuration: ModelConfiguration, form: TrainingForm = TrainingForm(), tokens: Int,
    memory: Int, threads: Int
  ) -> Int {
    (0...configuration.numHiddenLayers).first {
      TrainingMemory(
        configuration, form: form, tokens: tokens, recomputedBlocks: $0, threads: threads
      ).total <= memory
    } ?? configuration.numHiddenLayers
  }

  private static let fixed = 300 << 20
  private static let perThread = 24 << 20

  // MARK: - What does not depend on the rows

  private static func weights(_ c: ModelConfiguration, _ form: TrainingForm) -> Int {
    if let lowRank = form.lowRank {
      let adapters = 4 * c.parameterCount(of: lowRank), vectors = 4 * c.vectorCount
      if form.streamsFrozen {
        // The layer at work, or the head; what is read ahead is the system's until it is touched.
        return adapters + vectors
          + form.frozenBytes * max(c.matrixCountOfLayer, c.vocabSize * c.hiddenSize)
      }
      return adapters + vectors + form.frozenBytes * c.matrixCount
    }
    return (form.weights == .bfloat16 ? 2 : 4) * c.matrixCount + 4 * c.vectorCount
  }

  private static func gradients(_ c: ModelConfiguration, _ form: TrainingForm) -> Int {
    if let lowRank = form.lowRank { return 4 * c.parameterCount(of: lowRank) }
    if form.gradients == .kept { return 4 * c.parameterCount }
    // The embedding's, which the head's becomes or gives way to, and a layer's.
    return 4 * (c.vocabSize * c.hiddenSize + c.matrixCountOfLayer) + 4 * c.vectorCount
  }

  private static func moments(_ c: ModelConfiguration, _ form: TrainingForm) -> Int {
    if let lowRank = form.lowRank {
      return momentBytes(form.moments, matrices: c.parameterCount(of: lowRank), vectors: 0)
    }
    return momentBytes(form.moments, matrices: c.matrixCount, vectors: c.vectorCount)
  }

  private static func momentBytes(
    _ form: TrainingForm.Moments, matrices: Int, vectors: Int
  ) -> Int {
    switch form {
    case .float32: 8 * (matrices + vectors)
    case .eightBit: 2 * (matrices + matrices / 64) + 8 * vectors
    case .disk: diskWindow
    }
  }

  /// Moments on the disk that are in memory at a time.
  private static let diskWindow = 256 << 20
}

extension ModelConfiguration {
  /// How many numbers the matrices of one layer have.
  var matrixCountOfLayer: Int {
    ParameterRole.allCases.filter { has($0) && $0.isInLayer && shape(of: $0).count == 2 }
      .reduce(0) { $0 + shape(of: $1).reduce(1, *) }
  }

  /// How many numbers all matrices have.
  public var matrixCount: Int { parameterCount - vectorCount }

  /// How many numbers are in gains and biases.
  public var vectorCount: Int {
    ParameterRole.allCases.filter { has($0) && shape(of: $0).count == 1 }
      .reduce(0) { $0 + shape(of: $1)[0] * ($1.isInLayer ? numHiddenLayers : 1) }
  }

  /// Floating-point operations that a token costs in training.
  ///
  /// Two for each weight that multiplies it on the way there and two on the way back, and two more for
  /// the gradient of a weight that is not frozen; causal attention's seven over half of its document.
  ///
  /// - Parameters:
  ///   - isFrozen: Whether only adapters learn, whose own operations are not counted.
  ///   - recomputed: The share of the blocks that run again.
  public func trainingOperationsPerToken(
    contextLength: Int, isFrozen: Bool = false, recomputed: Double = 0
  ) -> Double {
    let inLayers = Double(parameterCountWithoutEmbeddings)
    let head = Double(vocabSize * hiddenSize)
    let context = Double(contextLength) * Double(numAttentionHeads * headDim * numHiddenLayers)
    return (isFrozen ? 4 : 6) * (inLayers + head) + 7 * context
      + recomputed * (2 * inLayers + 2 * context)
  }
}
