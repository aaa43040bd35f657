import CKernels
import Tensors

/// Where a stretch of queries stands in its document, and where that document's keys are.
///
/// A training row has one span for each of its documents; a decoding step one for each sequence.
public struct AttentionSpan: Sendable, Equatable {
  public let firstQuery: Int  // its row among the queries
  public let queryCount: Int
  public let firstPosition: Int  // of the first query, counted from the start of the document
  public let firstKey: Int  // the row of the document's first key
  /// Keys from the start of the document: at least up to the last query.
  public var keyCount: Int { firstPosition + queryCount }

  public init(firstQuery: Int, queryCount: Int, firstPosition: Int, firstKey: Int) {
    self.firstQuery = firstQuery
    self.queryCount = queryCount
    self.firstPosition = firstPosition
    self.firstKey = firstKey
  }

  /// The documents of a row, one after another, each seeing itself alone.
  public static func documents(_ lengths: [Int]) -> [AttentionSpan] {
    var start = 0
    return lengths.map { length in
      defer { start += length }
      return AttentionSpan(
        firstQuery: start, queryCount: length, firstPosition: 0, firstKey: start)
    }
  }
}

/// Heads that lie side by side in the rows of a tensor.
struct Heads {
  let pointer: UnsafeMutablePointer<Float>
  let stride: Int

  init(_ tensor: Tensor, column: Int = 0) {
    pointer = tensor.pointer + column
    stride = tensor.columns
  }

  func callAsFunction(_ row: Int, _ channel: Int) -> UnsafeMutablePointer<Float> {
    pointer + row * stride + channel
  }
}

/// Causal grouped-query attention in tiles, forward and backward; no T×T matrix is ever made.
///
/// `o[t] = Σ_u softmax_u(q[t] · k[u] / √D) v[u]` over the keys `u ≤ t` of the document. Keys are
/// taken in tiles counted from the start of the document, and every query keeps its own running
/// maximum and sum, so its bits are the same in a packed row, alone, or in a decoding step.
/// The derivation of the backward pass is in `README.md`.
public struct Attention: Sendable {
  public let heads: Int  // H
  public let keyValueHeads: Int  // K
  public let headSize: Int  // D
  public let precision: Precision

  public init(heads: Int, keyValueHeads: Int, headSize: Int, precision: Precision) {
    precondition(heads % keyValueHeads == 0, "\(heads) heads over \(keyValueHeads)")
    precondition((1...256).contains(headSize), "heads of \(headSize) channels")
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headSize = headSize
    self.precision = precision
  }

  var D: Int { headSize }
  var scale: Float { 1 / Float(headSize).squareRoot() }
  var tiles: ck_products { kernels.products(precision) }
  /// Which key-value head a query head looks at.
  func group(_ head: Int) -> Int { head / (heads / keyValueHeads) }

  /// Attention within rows of query, key and value side by side: (T, (H + 2K) · D).
  ///
  /// - Returns: The outputs (T, H · D), and log Σ exp of every query's scores (H, T) for `backward`.
  public func forward(_ qkv: Tensor, spans: [AttentionSpan]) -> (o: Tensor, lse: Tensor) {
    precondition(qkv.columns == (heads + 2 * keyValueHeads) * D)
    let rows = qkv.rows
    let queries = Heads(qkv), keys = Heads(qkv, column: heads * D)
    let values = Heads(qkv, column: (heads + keyValueHeads) * D)
    let pool = ThreadPool.shared
    let o = Tensor(uninitialized: [rows, heads * D])
    let lse = Tensor(uninitialized: [heads, rows])
    let packedKeys = PackedTiles(spans, heads: keyValueHeads, words: rowWords, tiles: tiles)
    let packedValues = PackedTiles(spans, heads: keyValueHeads, words: columnWords, tiles: tiles)
    pool.run(packedKeys.tileCount * keyValueHeads) { index, _ in
      let (head, tile) = index.quotientAndRemainder(dividingBy: packedKeys.tileCount)
      let (row, count) = packedKeys.rows(tile)
      tiles.attention_pack_rows(
        packedKeys[head, tile], keys(row, head * D), Int64(keys.stride), Int64(count), Int64(D))
      tiles.attention_pack_columns(
        packedValues[head, tile], values(row, head * D), Int64(values.stride), Int64(count),
        Int64(D))
    }

    // The blocks that see most keys first, so that no worker is left with a long one at the end.
    let blocks = queryBlocks(spans).sorted { $0.position > $1.position }
    let scratchWords = Int(tiles.attention_scratch_words(Int64(D)))
    let scratch = Words(pool.threads * scratchWords)
    pool.run(blocks.count * heads) { index, worker in
      let (at, head) = index.quotientAndRemainder(dividingBy: heads)
      let block = blocks[at]
      var job = ck_attention_forward(
        q: queries(block.row, head * D), q_stride: Int64(queries.stride),
        queries: Int64(block.count), first_position: Int64(block.position),
        keys: Int64(spans[block.span].keyCount), head_size: Int64(D), scale: scale,
        k: packedKeys[group(head), packedKeys.firstTile[block.span]],
        v: packedValues[group(head), packedKeys.firstTile[block.span]],
        o: o.pointer + block.row * o.columns + head * D, o_stride: Int64(o.columns),
        lse: lse.pointer + head * rows + block.row, scratch: scratch.pointer + worker * scratchWords
      )
      tiles.attention_forward(&job)
    }
    return (o, lse)
  }

  /// A block of at most `attention_queries` queries of one span.
  struct QueryBlock {
    let span: Int
    let index: Int  // within its span
    let row: Int
    let count: Int
    let position: Int
  }

  func queryBlocks(_ spans: [AttentionSpan]) -> [QueryBlock] {
    let size = Int(tiles.attention_queries)
    return spans.enumerated().flatMap { number, span in
      stride(from: 0, to: span.queryCount, by: size).map { start in
        QueryBlock(
          span: number, index: start / size, row: span.firstQuery + start,
          count: min(size, span.queryCount - start), position: span.firstPosition + start)
      }
    }
  }

  var rowWords: Int { Int(tiles.attention_row_words(Int64(D))) }
  var columnWords: Int { Int(tiles.attention_column_words(Int64(D))) }
}

/// Memory for packed operands.
struct Words {
  private let storage: Tensor
  let pointer: UnsafeMutablePointer<UInt32>

  init(_ count: Int) {
    storage = Tensor(uninitialized: [count])
    pointer = UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: UInt32.self)
  }
}

/// One packed operand for each key tile of each span and head.
struct PackedTiles {
  /// The number of each span's first tile; tiles of a span follow one another.
  let firstTile: [Int]
  let tileCount: Int
  private let tileRows: [(row: Int, count: Int)]
  private let words: Int
  private let memory: Words

  init(_ spans: [AttentionSpan], heads: Int, words: Int, tiles: ck_products) {
    let size = Int(tiles.keys_per_tile)
    var firstTile: [Int] = []
    var tileRows: [(row: Int, count: Int)] = []
    for span in spans {
      firstTile.append(tileRows.count)
      for start in stride(from: 0, to: span.keyCount, by: size) {
        tileRows.append((span.firstKey + start, min(size, span.keyCount - start)))
      }
    }
    self.firstTile = firstTile
    self.tileRows = tileRows
    self.words = words
    tileCount = tileRows.count
    memory = Words(heads * tileRows.count * words)
  }

  func rows(_ tile: Int) -> (row: Int, count: Int) { tileRows[tile] }

  subscript(head: Int, tile: Int) -> UnsafeMutablePointer<UInt32> {
    memory.pointer + (head * tileCount + tile) * words
  }
}
