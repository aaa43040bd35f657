import CKernels
import Layers
import Tensors

/// The keys and values of one sequence, kept so that a further token costs only itself.
///
/// The logits of a token are those of the full forward pass; with bfloat16, to the bit.
public final class KeyValueCache {
  let keys: [Tensor]  // for each layer: (capacity, K · D)
  let values: [Tensor]
  /// Tokens held so far.
  public private(set) var count = 0
  public let capacity: Int
  private let decoder: Decoder

  /// - Parameter capacity: The most tokens it can hold.
  public init(_ decoder: Decoder, capacity: Int) {
    let configuration = decoder.configuration
    let shape = [capacity, configuration.numKeyValueHeads * configuration.headDim]
    self.decoder = decoder
    self.capacity = capacity
    keys = (0..<configuration.numHiddenLayers).map { _ in Tensor(uninitialized: shape) }
    values = (0..<configuration.numHiddenLayers).map { _ in Tensor(uninitialized: shape) }
  }

  /// Appends tokens and returns the logits of what follows the last: (1, V).
  ///
  /// - Throws: `DecoderError` for a token that is not in the vocabulary, for none at all, or for
  ///   more than the cache can hold.
  public func append(_ tokens: [Int32]) throws(DecoderError) -> Tensor {
    guard !tokens.isEmpty else {
      throw DecoderError(description: "No token was given; a sequence needs at least one.")
    }
    guard tokens.count <= capacity - count else {
      throw DecoderError(
        description: "\(count) tokens and \(tokens.count) more do not fit into a cache of "
          + "\(capacity).")
    }
    let span = AttentionSpan(
      firstQuery: 0, queryCount: tokens.count, firstPosition: count, firstKey: 0)
    let logits = try decoder.step(tokens, spans: [span], cache: self)
    count += tokens.count
    return logits
  }

  /// Appends a prompt and then, one at a time, the most probable tokens; the first of equals.
  public func greedy(_ prompt: [Int32], count: Int) throws(DecoderError) -> [Int32] {
    var completion: [Int32] = []
    var next = prompt
    while completion.count < count {
      let logits = try append(next)
      let best = Int32(kernels.argmax(logits.pointer, Int64(logits.count)))
      completion.append(best)
      next = [best]
    }
    return completion
  }
}
