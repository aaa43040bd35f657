import CKernels
import Tensors

extension Attention {
  /// The gradient of `qkv`, in its layout.
  ///
  /// A cell is a block of queries against a tile of keys, and adds to the gradients of both. Cells
  /// run in waves, block number plus tile number: within a wave no two cells touch the same rows,
  /// and over the waves each query's sum runs over its tiles in order and each key's over the
  /// blocks in order, on any number of threads. Heads that share keys sum apart, and are added up
  /// in order at the end.
  ///
  /// - Parameters:
  ///   - do: The gradient of the outputs (T, H · D).
  ///   - o, lse: What `forward` returned.
  public func backward(
    _ do: Tensor, qkv: Tensor, o: Tensor, lse: Tensor, spans: [AttentionSpan]
  ) -> Tensor {
    precondition(spans.allSatisfy { $0.firstPosition == 0 }, "a gradient needs whole documents")
    let pool = ThreadPool.shared
    let rows = qkv.rows
    let dqkv = Tensor(zeros: qkv.shape)
    let dk = Tensor(zeros: [rows, heads * D]), dv = Tensor(zeros: [rows, heads * D])
    let delta = Tensor(uninitialized: [heads, rows])
    let keys = packKeys(qkv, spans)
    let blocks = queryBlocks(spans)
    let queries = packQueries(qkv, `do`, blocks)

    pool.forEachChunk(of: rows, size: rowsPerSum) { range, _, _ in
      for t in range {
        for head in 0..<heads {
          let at = t * o.columns + head * D
          delta.pointer[head * rows + t] = kernels.dot(o.pointer + at, `do`.pointer + at, Int64(D))
        }
      }
    }

    let scratchWords = Int(tiles.attention_scratch_words(Int64(D)))
    let scratch = Words(pool.threads * scratchWords)
    for wave in waves(blocks, spans) {
      pool.run(wave.count * heads) { index, worker in
        let (at, head) = index.quotientAndRemainder(dividingBy: heads)
        let (blockNumber, tile) = wave[at]
        let block = blocks[blockNumber]
        let span = spans[block.span]
        let packed = keys.rows.firstTile[block.span] + tile
        let firstKey = span.firstKey + tile * Int(tiles.keys_per_tile)
        let query = (head * blocks.count) + blockNumber
        var job = ck_attention_backward(
          queries: Int64(block.count), first_position: Int64(block.position), tile: Int64(tile),
          keys: Int64(span.keyCount), head_size: Int64(D), scale: scale,
          q_rows: queries.rows.pointer + 2 * query * queries.rowWords,
          do_rows: queries.rows.pointer + (2 * query + 1) * queries.rowWords,
          q_columns: queries.columns.pointer + 2 * query * queries.columnWords,
          do_columns: queries.columns.pointer + (2 * query + 1) * queries.columnWords,
          k_rows: keys.rows[group(head), packed], v_rows: keys.values[group(head), packed],
          k_columns: keys.columns[group(head), packed],
          lse: lse.pointer + head * rows + block.row,
          delta: delta.pointer + head * rows + block.row,
          dq: dqkv.pointer + block.row * dqkv.columns + head * D,
          dk: dk.pointer + firstKey * dk.columns + head * D,
          dv: dv.pointer + firstKey * dv.columns + head * D, dq_stride: Int64(dqkv.columns),
          dkv_stride: Int64(dk.columns), scratch: scratch.pointer + worker * scratchWords)
        tiles.attention_backward(&job)
      }
    }

    pool.forEachChunk(of: rows, size: rowsPerSum) { range, _, _ in
      for t in range {
        for head in 0..<heads {
          let from = t * dk.columns + head * D
          let to = dqkv.pointer + t * dqkv.columns + (heads + group(head)) * D
          kernels.add(to, dk.pointer + from, Int64(D))
          kernels.add(to + keyValueHeads * D, dv.pointer + from, Int64(D))
        }
      }
    }
    return dqkv
  }

  /// The cells that may run beside one another, in the order in which waves must run.
  private func waves(
    _ blocks: [QueryBlock], _ spans: [AttentionSpan]
  ) -> [[(block: Int, tile: Int)]] {
    let size = Int(tiles.keys_per_tile)
    var waves: [[(block: Int, tile: Int)]] = []
    for (number, block) in blocks.enumerated() {
      for tile in 0...((block.position + block.count - 1) / size) {
        let wave = block.index + tile
        while waves.count <= wave { waves.append([]) }
        waves[wave].append((number, tile))
      }
    }
    return waves
  }

  private func packKeys(
    _ qkv: Tensor, _ spans: [AttentionSpan]
  ) -> (rows: PackedTiles, values: PackedTiles, columns: PackedTiles) {
    let rows = PackedTiles(spans, heads: keyValueHeads, words: rowWords, tiles: tiles)
    let values = PackedTiles(spans, heads: keyValueHeads, words: rowWords, tiles: tiles)
    let columns = PackedTiles(spans, heads: keyValueHeads, words: columnWords, tiles: tiles)
    let stride = Int64(qkv.columns)
    ThreadPool.shared.run(rows.tileCount * keyValueHeads) { index, _ in
      let (head, tile) = index.quotientAndRemainder(dividingBy: rows.tileCount)
      let (row, count) = rows.rows(tile)
      let key = qkv.pointer + row * qkv.columns + (heads + head) * D
      let value = key + keyValueHeads * D
      tiles.attention_pack_rows(rows[head, tile], key, stride, Int64(count), Int64(D))
      tiles.attention_pack_rows(values[head, tile], value, stride, Int64(count), Int64(D))
      tiles.attention_pack_columns(columns[head, tile], key, stride, Int64(count), Int64(D))
    }
    return (rows, values, columns)
  }

  /// Queries and output gradients of each head's blocks, in turn, packed both ways.
  private func packQueries(
    _ qkv: Tensor, _ do: Tensor, _ blocks: [QueryBlock]
  ) -> (rows: Words, columns: Words, rowWords: Int, columnWords: Int) {
    let rowWords = Int(tiles.attention_query_words(Int64(D)))
    let columnWords = Int(tiles.attention_query_column_words(Int64(D)))
    let rows = Words(2 * heads * blocks.count * rowWords)
    let columns = Words(2 * heads * blocks.count * columnWords)
    ThreadPool.shared.run(heads * blocks.count) { index, _ in
      let (head, number) = index.quotientAndRemainder(dividingBy: blocks.count)
      let block = blocks[number]
      for (which, source) in [qkv, `do`].enumerated() {
        let from = source.pointer + block.row * source.columns + head * D
        let stride = Int64(source.columns)
        tiles.attention_pack_queries(
          rows.pointer + (2 * index + which) * rowWords, from, stride, Int64(block.count), Int64(D))
        tiles.attention_pack_columns(
          columns.pointer + (2 * index + which) * columnWords, from, stride, Int64(block.count),
          Int64(D))
      }
    }
    return (rows, columns, rowWords, columnWords)
  }
}
