import CKernels
import Tensors

/// A learned row for each token of the vocabulary.
public struct Embedding: Sendable {
  public let weight: Weight  // (V, C)

  public init(weight: Weight) { self.weight = weight }

  /// - Parameter tokens: Ids below the number of rows.
  public func forward(_ tokens: [Int32]) -> Tensor {
    let C = weight.columns
    let y = Tensor(uninitialized: [tokens.count, C])
    for (t, token) in tokens.enumerated() {
      weight.copyRow(Int(token), to: y.row(t))
    }
    return y
  }

  /// Adds `dy[t]` to the gradient of token `t`'s row, in the order of the tokens.
  public func backward(_ dy: Tensor, tokens: [Int32]) {
    weight.accumulateGradient { gradient, accumulating in
      if !accumulating { gradient.setZero() }
      // Workers share the channels, not the tokens: a token may occur twice.
      ThreadPool.shared.forEachChunk(of: dy.columns, size: 128) { channels, _, _ in
        for (t, token) in tokens.enumerated() {
          kernels.add(
            gradient.pointer + Int(token) * dy.columns + channels.lowerBound,
            dy.pointer + t * dy.columns + channels.lowerBound, Int64(channels.count))
        }
      }
    }
  }
}
