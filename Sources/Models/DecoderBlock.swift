import Layers
import Tensors

/// One layer of a decoder: attention, then the feed-forward network, each behind a norm and beside
/// a residual connection.
struct DecoderBlock: Sendable {
  let attentionNorm: RMSNorm
  let queryKeyValue: Linear  // ((H + 2K) · D, C): one weight for the three
  let queryNorm: RMSNorm?  // over the channels of a head (Qwen3)
  let keyNorm: RMSNorm?
  let rotary: RotaryEmbedding
  let attention: Attention
  let output: Linear
  let feedForwardNorm: RMSNorm
  let feedForward: FeedForward

  /// What the backward pass reads. Norms are made again from their inputs.
  struct Cache {
    let x: Tensor
    let unnormalized: Tensor?  // queries and keys before their norms, where there are any
    let queryKeyValue: Tensor
    let o: Tensor
    let lse: Tensor
    let middle: Tensor
    let feedForward: FeedForward.Cache?  // nil: gate and up are made again
  }

  /// - Parameter keeping: Whether the cache holds gate and up, its largest part by far.
  func forward(_ x: Tensor, _ row: RowLayout, keeping: Bool) -> (y: Tensor, cache: Cache) {
    let (qkv, unnormalized) = heads(of: x, positions: row.positions)
    let (o, lse) = attention.forward(qkv, spans: row.spans)
    let middle = output.forward(o, adding: x)
    let n = feedForwardNorm.forward(middle)
    let (y, kept): (Tensor, FeedForward.Cache?) =
      keeping
      ? feedForward.forward(n, adding: middle)
      : (feedForward.forwardOnly(n, adding: middle), nil)
    return (
      y,
      Cache(
        x: x, unnormalized: unnormalized, queryKeyValue: qkv, o: o, lse: lse, middle: middle,
        feedForward: kept)
    )
  }

  /// What `backward` reads, made again from the block's input; the block's output is not needed.
  func recompute(_ x: Tensor, _ row: RowLayout) -> Cache {
    let (qkv, unnormalized) = heads(of: x, positions: row.positions)
    let (o, lse) = attention.forward(qkv, spans: row.spans)
    return Cache(
      x: x, unnormalized: unnormalized, queryKeyValue: qkv, o: o, lse: lse,
      middle: output.forward(o, adding: x), feedForward: nil)
  }

  /// Adds to the gradients of the weights, and turns `dy`, in place, into the gradient of `x`.
  func backward(_ dy: Tensor, _ row: RowLayout, _ cache: consuming Cache) {
    let (x, middle, o) = (cache.x, cache.middle, cache.o)
    let (qkv, lse, unnormalized) = (cache.queryKeyValue, cache.lse, cache.unnormalized)
    do {
      let n = feedForwardNorm.forward(middle)
      let dn =
        if let kept = cache.feedForward {
          feedForward.backward(dy, x: n, kept)
        } else {
          feedForward.backwardRecomputing(dy, x: n)
        }
      feedForwardNorm.backward(dn, x: middle, addingTo: dy)
    }
    let dqkv = attention.backward(
      output.backward(dy, x: o), qkv: qkv, o: o, lse: lse, spans: row.spans)
    let (H, K, D) = (attention.heads, attention.keyValueHeads, attention.headSize)
    rotary.rotate(dqkv, column: 0, heads: H + K, positions: row.positions, direction: -1)
    if let unnormalized {
      queryNorm?.backwardHeads(dqkv, x: unnormalized, column: 0, heads: H)
      keyNorm?.backwardHeads(dqkv, x: unnormalized, column: H * D, heads: K)
    }
    let dn = queryKeyValue.backward(dqkv, x: attentionNorm.forward(x))
    attentionNorm.backward(dn, x: x, addingTo: dy)
  }

  func heads(of x: Tensor, positions: [Int32]) -> (qkv: Tensor, unnormalized: Tensor?) {
    let (H, K, D) = (attention.heads, attention.keyValueHeads, attention.headSize)
    let projected = queryKeyValue.forward(attentionNorm.forward(x))
    var qkv = projected
    if let queryNorm, let keyNorm {
      qkv = projected.copy()
      queryNorm.forwardHeads(projected, into: qkv, column: 0, heads: H)
      keyNorm.forwardHeads(projected, into: qkv, column: H * D, heads: K)
    }
    rotary.rotate(qkv, column: 0, heads: H + K, positions: positions)
    return (qkv, queryNorm == nil ? nil : projected)
  }
}

/// Where the tokens of a row stand: their positions, and what each may see.
struct RowLayout {
  let positions: [Int32]
  let spans: [AttentionSpan]

  init(_ row: PackedTokens) {
    positions = row.positions
    spans = row.spans
  }
}
