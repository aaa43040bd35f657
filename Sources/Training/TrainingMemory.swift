import Models
import Tensors

/// What training keeps in memory, by part, in bytes.
public struct TrainingMemory: Equatable, Sendable {
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
    _ configuration: ModelConfiguration, tokens: Int, recomputedBlocks: Int, threads: Int
  ) {
    let c = configuration
    let float = 4
    weights = c.parameterCount * float
    gradients = weights
    moments = 2 * weights
    let C = c.hiddenSize, F = c.intermediateSize, D = c.headDim
    let qkv = (c.numAttentionHeads + 2 * c.numKeyValueHeads) * D, o = c.numAttentionHeads * D
    // Of a block that keeps all: its input, the middle of the residual, queries, keys and values,
    // the attention's output, and gate and up of the feed-forward layer.
    let kept = 2 * C + qkv + o + 2 * F
    let recomputed = min(recomputedBlocks, c.numHiddenLayers)
    activations =
      float * tokens * (recomputed * C + (c.numHiddenLayers - recomputed) * kept)
    // One block forward or back: gradients of all that, the recomputed block's own, norms' outputs.
    working =
      float * tokens * (5 * C + 3 * qkv + 2 * o) + (recomputed > 0 ? float * tokens * kept : 0)
      + 4 * float * F * min(tokens, 4096)
    lossChunk = Self.fixed + threads * Self.perThread
  }

  /// How many blocks are recomputed so that training fits: as few as the memory allows; all if it
  /// allows none.
  public static func recomputedBlocks(
    _ configuration: ModelConfiguration, tokens: Int, memory: Int, threads: Int
  ) -> Int {
    (0...configuration.numHiddenLayers).first {
      TrainingMemory(configuration, tokens: tokens, recomputedBlocks: $0, threads: threads).total
        <= memory
    } ?? configuration.numHiddenLayers
  }

  private static let fixed = 300 << 20
  private static let perThread = 24 << 20
}

extension ModelConfiguration {
  /// Floating-point operations that a token costs in training: six for each weight that
  /// multiplies it, two forward and four backward, and causal attention's seven over half of its
  /// document.
  public func trainingOperationsPerToken(contextLength: Int) -> Double {
    let head = vocabSize * hiddenSize
    let weights = Double(parameterCountWithoutEmbeddings + head)
    let attention = 7 * Double(contextLength) * Double(numAttentionHeads * headDim)
    return 6 * weights + Double(numHiddenLayers) * attention
  }
}
