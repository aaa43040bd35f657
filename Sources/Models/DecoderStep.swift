import CKernels
import Layers
import Tensors

/// Tokens that are appended to one sequence in a step with others.
public struct SequencePart {
  public let sequence: CachedSequence
  /// At least one.
  public let tokens: [Int32]
  /// Whether what follows the last token is asked for.
  public let wantsLogits: Bool

  public init(_ sequence: CachedSequence, _ tokens: [Int32], wantsLogits: Bool = true) {
    self.sequence = sequence
    self.tokens = tokens
    self.wantsLogits = wantsLogits
  }
}

/// What a step made.
public struct StepOutput {
  /// For each part that wants it, in order, the logits of what follows its last token: (·, V).
  public let logits: Tensor
  /// For each part with NaN, infinity or a number whose square is infinite in a layer's output, the
  /// first such layer. Logits are not looked at: who reads them sees it.
  public let brokenLayers: [Int: Int]
}

extension Decoder {
  /// How the parts of a step are best divided into steps that threads make by themselves: one range
  /// of all parts, where they had better make it together.
  ///
  /// With few weights, threads that share every product and every norm wait for one another longer
  /// than they compute. With many, each would read all of them for itself. Only packed weights are
  /// divided so: with them a sequence's bits do not depend on the others.
  ///
  /// - Parameter tokens: Of each part.
  public func shares(of tokens: [Int]) -> [Range<Int>] {
    let threads = ThreadPool.shared.threadsHere
    let total = tokens.reduce(0, +)
    let wished = min(total / Self.leastTokensOfShare, Self.sharesPerThread * threads)
    let size = (total + max(1, wished) - 1) / max(1, wished)
    guard threads > 1, wished > 1, !streamsFrozenWeights, isSmallAndPacked,
      tokens.allSatisfy({ $0 <= size })
    else {
      return [0..<tokens.count]
    }
    var shares: [Range<Int>] = []
    var (start, held) = (0, 0)
    for (part, count) in tokens.enumerated() {
      held += count
      if held >= size || part == tokens.count - 1 {
        shares.append(start..<part + 1)
        (start, held) = (part + 1, 0)
      }
    }
    return shares
  }

  /// Below so many tokens, unpacking the weights costs more than a share of the products.
  private static let leastTokensOfShare = 32
  /// More than one, so that a thread that is kept from its work does not hold up the others.
  private static let sharesPerThread = 2

  /// As many as a core's own cache holds.
  static let mostParametersOfShares = 1 << 20

  /// Appends tokens to many sequences at once, each at its own position.
  ///
  /// With bfloat16 a sequence's logits have the bits of the whole forward pass, whatever else is in
  /// the step and however it was cut into steps. Every sequence must have reserved the room.
  ///
  /// - Throws: `DecoderError` for a token that is not in the vocabulary; nothing was appended then.
  public func step(_ parts: [SequencePart]) throws(DecoderError) -> StepOutput {
    guard let memory = parts.first?.sequence.memory else {
      return StepOutput(
        logits: Tensor(zeros: [0, configuration.vocabSize]), brokenLayers: [:])
    }
    for part in parts {
      precondition(
        part.sequence.memory === memory && part.sequence.missingBlocks(for: part.tokens.count) <= 0)
      try check(part.tokens)
    }
    let tokens = parts.flatMap(\.tokens)
    var row = 0
    let spans = parts.map { part in
      defer { row += part.tokens.count }
      return CachedSpan(
        firstQuery: row, queryCount: part.tokens.count, firstPosition: part.sequence.count,
        blocks: part.sequence.pointers)
    }
    var positions: [Int32] = []
    positions.reserveCapacity(row)
    for span in spans {
      for token in 0..<span.queryCount { positions.append(Int32(span.firstPosition + token)) }
    }

    var broken: [Int: Int] = [:]
    var x = embedded(tokens)
    for (layer, block) in blocks.enumerated() {
      readAhead(next: layer + 1)
      defer { letGo(of: layer) }
      x = block.forward(x, positions: positions, spans, memory.layout, layer: layer)
      note(brokenIn: x, spans, layer: layer, &broken)
    }
    for part in parts { part.sequence.advance(part.tokens.count) }
    let last = parts.indices.filter { parts[$0].wantsLogits }
    let hidden = gather(x, last.map { spans[$0].firstQuery + spans[$0].queryCount - 1 })
    let logits = head.logits(norm.forward(hidden))
    return StepOutput(logits: logits, brokenLayers: broken)
  }

  private func note(
    brokenIn x: Tensor, _ spans: [CachedSpan], layer: Int, _ broken: inout [Int: Int]
  ) {
    var end = 0
    for part in spans.indices {
      let first = end
      end += spans[part].queryCount
      if broken[part] != nil { continue }
      for row in first..<end {
        if !kernels.dot(x.row(row), x.row(row), Int64(x.columns)).isFinite {
          broken[part] = layer
          break
        }
      }
    }
  }
}

extension DecoderBlock {
  /// A step of tokens whose keys and values go into, and come from, the blocks of a cache.
  fileprivate func forward(
    _ x: Tensor, positions: [Int32], _ spans: [CachedSpan], _ layout: CacheLayout, layer: Int
  ) -> Tensor {
    let (qkv, _) = heads(of: x, positions: positions)
    attention.store(qkv, spans, layout, layer: layer)
    let o = attention.forward(qkv, cached: spans, layout, layer: layer)
    let middle = output.forward(o, adding: x)
    return feedForward.forwardOnly(feedForwardNorm.forward(middle), adding: middle)
  }
}
