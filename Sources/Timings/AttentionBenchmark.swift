import Layers
import Tensors

/// Causal attention of Qwen2.5-0.5B's shape: 14 heads of 64 channels over 2 key-value heads.
public enum AttentionBenchmark {
  public static let lengths = [1024, 8192, 32768]

  /// Operations of causal attention, counting the half that is not masked: two products forward,
  /// and five backward (scores again, and the gradients of probabilities, queries, keys, values).
  static func operations(_ length: Int, width: Int) -> (forward: Double, backward: Double) {
    let product = Double(length) * Double(length) * Double(width)
    return (2 * product, 5 * product)
  }

  /// - Parameter report: Called with each measurement as it is made.
  public static func run(
    with stopwatch: Stopwatch, lengths: [Int] = lengths,
    precisions: [Precision] = Precision.allCases, report: (Timing) throws -> Void
  ) rethrows {
    for length in lengths {
      for precision in precisions {
        let attention = Attention(heads: 14, keyValueHeads: 2, headSize: 64, precision: precision)
        let qkv = ProductBenchmark.random([length, 18 * 64], 1)
        let dO = ProductBenchmark.random([length, 14 * 64], 2)
        let spans = AttentionSpan.documents([length])
        let (forward, backward) = operations(length, width: 14 * 64)
        let isLong = length > 16384
        var kept = attention.forward(qkv, spans: spans)
        try report(
          stopwatch.measure(
            "attention forward", tokensPerRow: length, precision: precision, operations: forward,
            threads: ThreadPool.shared.threads, warmUp: false, runs: isLong ? 1 : 3
          ) { kept = attention.forward(qkv, spans: spans) })
        try report(
          stopwatch.measure(
            "attention backward", tokensPerRow: length, precision: precision, operations: backward,
            threads: ThreadPool.shared.threads, warmUp: !isLong, runs: isLong ? 1 : 3
          ) {
            _ = attention.backward(dO, qkv: qkv, o: kept.o, lse: kept.lse, spans: spans)
          })
      }
      StoragePool.shared.trim()
    }
  }
}
