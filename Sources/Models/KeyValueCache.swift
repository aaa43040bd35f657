import CKernels
import Layers
import Tensors

/// The keys and values of one sequence, kept so that a further token costs only itself.
///
/// The logits of a token are those of the full forward pass; with bfloat16, to the bit. For many
/// sequences at once, with samples and stops, there is the module `Generation`.
public final class KeyValueCache {
  /// The most tokens it can hold.
  public let capacity: Int
  private let decoder: Decoder
  private let sequence: CachedSequence

  /// - Parameter capacity: The most tokens it can hold.
  public init(_ decoder: Decoder, capacity: Int) {
    self.decoder = decoder
    self.capacity = capacity
    let memory = KeyValueBlocks(decoder, capacity: 0)
    sequence = CachedSequence(
      in: KeyValueBlocks(decoder, capacity: memory.blocks(for: max(0, capacity))))
  }

  /// Tokens held so far.
  public var count: Int { sequence.count }

  /// Appends tokens and returns the logits of what follows the last: (1, V).
  ///
  /// - Throws: `DecoderError` for a token that is not in the vocabulary, for none at all, or for
  ///   more than the cache can hold.
  public func append(_ tokens: [Int32]) throws(DecoderError) -> Tensor {
    guard !tokens.isEmpty else {
      throw DecoderError(description: "No token was given; a sequence needs at least one.")
    }
    guard tokens.count <= capacity - count, sequence.reserve(tokens.count) else {
      throw DecoderError(
        description: "\(count) tokens and \(tokens.count) more do not fit into a cache of "
          + "\(capacity).")
    }
    return try decoder.step([SequencePart(sequence, tokens)]).logits
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
