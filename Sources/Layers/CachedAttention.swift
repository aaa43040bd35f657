import CKernels
import Tensors

/// How the blocks of a cache of keys and values are laid out: for each layer and head the keys of a
/// block's tokens, then the values, in the form the attention kernels read.
public struct CacheLayout: Sendable {
  /// Tokens of a block.
  public let blockTokens: Int
  /// 32-bit words of a block.
  public let blockWords: Int
  private let heads: Int
  private let keyWords: Int
  private let valueWords: Int

  /// - Parameter precision: In bfloat16 an element takes 2 bytes, and products lose nothing by it,
  ///   since they round anyway; in float32, 4.
  public init(layers: Int, keyValueHeads: Int, headSize: Int, precision: Precision) {
    let tiles = kernels.products(precision)
    heads = keyValueHeads
    blockTokens = Int(tiles.cache_block_keys)
    keyWords = Int(tiles.cache_key_words(Int64(headSize)))
    valueWords = Int(tiles.cache_value_words(Int64(headSize)))
    blockWords = layers * keyValueHeads * (keyWords + valueWords)
  }

  func keys(layer: Int, head: Int) -> Int { (layer * heads + head) * (keyWords + valueWords) }
  func values(layer: Int, head: Int) -> Int { keys(layer: layer, head: head) + keyWords }
}

/// A stretch of new tokens of one sequence, and the blocks that hold the sequence's keys and values.
public struct CachedSpan {
  public let firstQuery: Int  // its row among the queries
  public let queryCount: Int
  public let firstPosition: Int  // of the first query, counted from the start of the sequence
  /// Enough blocks for all tokens up to the last query.
  public let blocks: [UnsafeMutablePointer<UInt32>]

  public init(
    firstQuery: Int, queryCount: Int, firstPosition: Int, blocks: [UnsafeMutablePointer<UInt32>]
  ) {
    self.firstQuery = firstQuery
    self.queryCount = queryCount
    self.firstPosition = firstPosition
    self.blocks = blocks
  }

  var keyCount: Int { firstPosition + queryCount }
}

extension Attention {
  /// Puts the keys and values of new tokens into their sequences' blocks.
  ///
  /// - Parameter qkv: Query, key and value side by side: (T, (H + 2K) · D).
  public func store(_ qkv: Tensor, _ spans: [CachedSpan], _ layout: CacheLayout, layer: Int) {
    let (pool, tiles, D) = (ThreadPool.shared, tiles, D)
    // Two tokens share a word, so one worker stores all of a span's for a head.
    let jobs = spans.count * keyValueHeads
    let size = max(1, min(16, jobs / (4 * pool.threadsHere)))
    pool.forEachChunk(of: jobs, size: size) { range, _, _ in
      for index in range {
        let (number, head) = index.quotientAndRemainder(dividingBy: keyValueHeads)
        let span = spans[number]
        let (keys, values) = (
          layout.keys(layer: layer, head: head), layout.values(layer: layer, head: head)
        )
        for token in 0..<span.queryCount {
          let position = span.firstPosition + token
          let block = span.blocks[position / layout.blockTokens]
          let row = qkv.pointer + (span.firstQuery + token) * qkv.columns
          tiles.cache_store(
            block + keys, block + values, Int64(position % layout.blockTokens),
            row + (heads + head) * D, row + (heads + keyValueHeads + head) * D, Int64(D))
        }
      }
    }
  }

  /// Attention of new tokens to all of their sequences, whose keys and values are in the blocks.
  ///
  /// The bits are those of `forward(_:spans:)` on whole sequences, however they are cut into steps.
  ///
  /// - Returns: The outputs: (T, H · D).
  public func forward(
    _ qkv: Tensor, cached spans: [CachedSpan], _ layout: CacheLayout, layer: Int
  ) -> Tensor {
    let o = Tensor(uninitialized: [qkv.rows, heads * D])
    let isLong = spans.contains { $0.queryCount >= Self.fewest }
    forwardTokens(
      qkv, isLong ? spans.filter { $0.queryCount < Self.fewest } : spans, layout, layer, o)
    for span in spans where span.queryCount >= Self.fewest {
      forwardStretch(qkv, span, layout, layer, o)
    }
    return o
  }

  /// From so many tokens on it pays to turn a sequence's blocks into tiles.
  private static let fewest = 8
  /// Words of tiles made at a time.
  private static let wordsAtOnce = 16 << 20

  /// Tokens one by one, all heads that share keys together, or fewer where that leaves workers idle.
  private func forwardTokens(
    _ qkv: Tensor, _ spans: [CachedSpan], _ layout: CacheLayout, _ layer: Int, _ o: Tensor
  ) {
    let (pool, tiles, D, scale) = (ThreadPool.shared, tiles, D, scale)
    let perGroup = heads / keyValueHeads
    let tokens = spans.reduce(0) { $0 + $1.queryCount }
    if tokens == 0 { return }
    let workers = pool.threadsHere
    let shares = min(perGroup, (workers + tokens * keyValueHeads - 1) / (tokens * keyValueHeads))
    let headsPerJob = (perGroup + shares - 1) / shares
    let jobsPerGroup = (perGroup + headsPerJob - 1) / headsPerJob
    var order: [(span: Int, token: Int)] = []
    order.reserveCapacity(tokens)
    for span in spans.indices {
      for token in 0..<spans[span].queryCount { order.append((span, token)) }
    }
    // The longest first, so that no worker is left with one at the end.
    if workers > 1 {
      order.sort {
        spans[$0.span].firstPosition + $0.token > spans[$1.span].firstPosition + $1.token
      }
    }
    let scratchWords = Int(
      tiles.cached_attention_scratch_words(Int64(headsPerJob), Int64(D)))
    let scratch = Words(pool.threads * scratchWords)
    pool.run(order.count * keyValueHeads * jobsPerGroup) { index, worker in
      let (number, rest) = index.quotientAndRemainder(dividingBy: keyValueHeads * jobsPerGroup)
      let (group, share) = rest.quotientAndRemainder(dividingBy: jobsPerGroup)
      let (span, token) = (spans[order[number].0], order[number].1)
      let first = group * perGroup + share * headsPerJob
      let count = min(headsPerJob, perGroup - share * headsPerJob)
      let row = span.firstQuery + token
      span.blocks.withUnsafeBufferPointer { blocks in
        blocks.withMemoryRebound(to: UnsafePointer<UInt32>?.self) { blocks in
          var job = ck_cached_attention(
            q: qkv.pointer + row * qkv.columns + first * D, heads: Int64(count),
            position: Int64(span.firstPosition + token), head_size: Int64(D), scale: scale,
            blocks: blocks.baseAddress, key_offset: Int64(layout.keys(layer: layer, head: group)),
            value_offset: Int64(layout.values(layer: layer, head: group)),
            o: o.pointer + row * o.columns + first * D,
            scratch: scratch.pointer + worker * scratchWords)
          tiles.cached_attention(&job)
        }
      }
    }
  }

  /// Many tokens of one sequence: its blocks become the tiles that training uses, for as many heads
  /// at a time as there is room for.
  private func forwardStretch(
    _ qkv: Tensor, _ span: CachedSpan, _ layout: CacheLayout, _ layer: Int, _ o: Tensor
  ) {
    let pool = ThreadPool.shared
    let tileTokens = Int(tiles.keys_per_tile)
    let tileCount = (span.keyCount + tileTokens - 1) / tileTokens
    let blockCount = (span.keyCount + layout.blockTokens - 1) / layout.blockTokens
    let blocksPerTile = tileTokens / layout.blockTokens
    let headWords = tileCount * (rowWords + columnWords)
    let headsAtOnce = max(1, min(keyValueHeads, Self.wordsAtOnce / headWords))
    let memory = Words(headsAtOnce * headWords)
    let scratchWords = Int(tiles.attention_scratch_words(Int64(D)))
    let scratch = Words(pool.threads * scratchWords)
    let lse = Tensor(uninitialized: [pool.threads, Int(tiles.attention_queries)])
    let queries =
      queryBlocks([
        AttentionSpan(
          firstQuery: span.firstQuery, queryCount: span.queryCount,
          firstPosition: span.firstPosition, firstKey: 0)
      ]).reversed() as [QueryBlock]
    for firstHead in stride(from: 0, to: keyValueHeads, by: headsAtOnce) {
      let headCount = min(headsAtOnce, keyValueHeads - firstHead)
      pool.run(headCount * blockCount) { index, _ in
        let (head, block) = index.quotientAndRemainder(dividingBy: blockCount)
        let (tile, place) = block.quotientAndRemainder(dividingBy: blocksPerTile)
        let keyTiles = memory.pointer + head * headWords
        let from = span.blocks[block]
        tiles.cache_expand(
          keyTiles + tile * rowWords, keyTiles + tileCount * rowWords + tile * columnWords,
          Int64(place), from + layout.keys(layer: layer, head: firstHead + head),
          from + layout.values(layer: layer, head: firstHead + head), Int64(D))
      }
      let perGroup = heads / keyValueHeads
      pool.run(queries.count * headCount * perGroup) { index, worker in
        let (number, rest) = index.quotientAndRemainder(dividingBy: headCount * perGroup)
        let (block, head) = (queries[number], firstHead * perGroup + rest)
        let keyTiles = memory.pointer + rest / perGroup * headWords
        var job = ck_attention_forward(
          q: qkv.pointer + block.row * qkv.columns + head * D, q_stride: Int64(qkv.columns),
          queries: Int64(block.count), first_position: Int64(block.position),
          keys: Int64(tileCount * tileTokens), head_size: Int64(D), scale: scale, k: keyTiles,
          v: keyTiles + tileCount * rowWords, o: o.pointer + block.row * o.columns + head * D,
          o_stride: Int64(o.columns), lse: lse.row(worker),
          scratch: scratch.pointer + worker * scratchWords)
        tiles.attention_forward(&job)
      }
    }
  }
}
