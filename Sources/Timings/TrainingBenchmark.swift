import Models
import Tensors
import Training

/// Full training steps of a random Qwen2.5-0.5B: forward, backward, clipping and AdamW, every token
/// supervised, weights and moments in float32.
public enum TrainingBenchmark {
  public static let lengths = [1024, 4096]

  /// - Parameters:
  ///   - recomputing: Whether blocks are run again in the backward pass instead of kept.
  ///   - report: Called with each measurement as it is made.
  public static func run(
    with stopwatch: Stopwatch, lengths: [Int] = lengths,
    precisions: [Precision] = Precision.allCases, recomputing: Bool = false,
    report: (Timing) throws -> Void
  ) throws {
    let model = try KnownModel.named("Qwen2.5-0.5B")
    for precision in precisions {
      let decoder = Decoder(model.configuration, precision: precision)
      decoder.initialize(seed: 1)
      if recomputing { decoder.recomputedBlocks = model.configuration.numHiddenLayers }
      let optimizer = AdamW(decoder.parameters, .init(weightDecay: 0.1))
      for length in lengths {
        StoragePool.shared.trim()
        let (row, targets, weights) = task(length, vocabulary: model.configuration.vocabSize)
        try report(
          stopwatch.measure(
            "training step, \(model.name)" + (recomputing ? ", blocks recomputed" : ""),
            tokensPerRow: length, precision: precision,
            operations: operations(model.configuration, length: length),
            threads: ThreadPool.shared.threads, warmUp: length <= 16384,
            runs: length > 2048 ? 1 : 3
          ) {
            _ = try decoder.accumulateGradients(row, targets: targets, weights: weights)
            optimizer.update(
              learningRate: 1e-5,
              gradientScale: AdamW.clippingScale(norm: optimizer.gradientNorm(), limit: 1))
          })
      }
    }
    StoragePool.shared.trim()
  }

  /// About the bytes a step needs: weights, gradients and two moments, what blocks keep, one block
  /// at work, and half a gigabyte for logits and packed operands.
  public static func bytes(length: Int, recomputing: Bool) throws -> Int {
    let model = try KnownModel.named("Qwen2.5-0.5B").configuration
    let C = model.hiddenSize, F = model.intermediateSize
    let heads = (2 * model.numAttentionHeads + 2 * model.numKeyValueHeads) * model.headDim
    let kept = recomputing ? C : 2 * C + heads + 2 * F
    let working = 6 * heads + 2 * C + 4 * F * min(length, 4096) / max(length, 1)
    return model.bytesToTrain() + 4 * length * (model.numHiddenLayers * kept + working)
      + (500 << 20)
  }

  /// Operations of a step: six for each weight that multiplies a token (two forward, four
  /// backward), and causal attention's.
  static func operations(_ configuration: ModelConfiguration, length: Int) -> Double {
    let head = configuration.vocabSize * configuration.hiddenSize
    let weights = Double(configuration.parameterCountWithoutEmbeddings + head)
    let attention = AttentionBenchmark.operations(
      length, width: configuration.numAttentionHeads * configuration.headDim)
    return 6 * weights * Double(length)
      + Double(configuration.numHiddenLayers) * (attention.forward + attention.backward)
  }

  private static func task(
    _ length: Int, vocabulary: Int
  ) -> (row: PackedTokens, targets: [Int32], weights: [Float]) {
    let stream = RandomStream(seed: 1, "benchmark tokens")
    let tokens = (0...length).map { Int32(stream[$0] % UInt64(vocabulary)) }
    return (
      PackedTokens(Array(tokens.dropLast())), Array(tokens.dropFirst()),
      [Float](repeating: 1 / Float(length), count: length)
    )
  }
}
