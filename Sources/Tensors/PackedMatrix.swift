import CKernels

/// How weights that only generate text are kept.
public enum PackedFormat: String, CaseIterable, Codable, Sendable {
  /// 2 bytes an element; products have the bits of those with the matrix that was packed.
  case bfloat16
  /// 17 bytes for 16 elements: bytes, with a scale for each 64 of a row. Rows of the left side are
  /// rounded likewise, and their products are sums of whole numbers.
  case int8
}

/// The right side of matrix products, rounded and kept packed: the weights of a model that
/// generates text. Packing is done once instead of every time.
public final class PackedMatrix: @unchecked Sendable {
  public let format: PackedFormat
  /// Outputs: the columns of a product. They were the rows of what was packed.
  public let rows: Int
  /// What sums run over.
  public let columns: Int
  private let buffer: Buffer
  fileprivate let tiles: ck_products
  fileprivate let panelWidth: Int
  fileprivate let panelWords: Int
  /// Panels the kernel takes at once: streams of memory, for each worker.
  private let streams: Int

  /// A matrix that holds anything: `pack` its rows.
  public convenience init(rows: Int, columns: Int, format: PackedFormat = .bfloat16) {
    self.init(rows: rows, columns: columns, format: format, streams: Int(ck_streams()))
  }

  init(rows: Int, columns: Int, format: PackedFormat, streams: Int) {
    self.streams = streams
    self.format = format
    self.rows = rows
    self.columns = columns
    tiles = kernels.bfloat16
    panelWidth = Int(tiles.b_width)
    switch format {
    case .bfloat16:
      let perWord = Int(tiles.kept_per_word)
      panelWords = (columns + perWord - 1) / perWord * panelWidth
    case .int8:
      panelWords = Int(kernels.int8.panel_words(Int64(columns)))
    }
    let panels = (rows + panelWidth - 1) / panelWidth
    buffer = Buffer(bytes: max(1, panels * panelWords) * 4)
  }

  /// A packed copy of a matrix of weights, (O, C).
  public convenience init(_ weights: Tensor, format: PackedFormat = .bfloat16) {
    self.init(rows: weights.rows, columns: weights.columns, format: format)
    pack(weights)
  }

  public var byteCount: Int { (rows + panelWidth - 1) / panelWidth * panelWords * 4 }

  /// Rows are packed by so many: where `pack` may begin.
  public var rowGranule: Int { panelWidth }

  /// Packs rows, the first of which becomes row `first`: a multiple of `rowGranule`.
  public func pack(_ source: Tensor, at first: Int = 0) {
    precondition(
      source.columns == columns && first % panelWidth == 0 && first + source.rows <= rows,
      "\(source.shape) packed at row \(first) of \(rows)×\(columns)")
    let scratchWords = panelWidth * (min(columns, Product.kBlock) + 1)
    let scratch = Tensor(uninitialized: [ThreadPool.shared.threads, scratchWords])
    ThreadPool.shared.forEachChunk(of: source.rows, size: panelWidth) { range, chunk, worker in
      let panel = panel(first / panelWidth + chunk)
      let from = source.pointer + range.lowerBound * columns
      switch format {
      case .int8:
        kernels.int8.keep(panel, from, Int64(columns), Int64(range.count), Int64(columns))
      case .bfloat16:
        let packed = UnsafeMutableRawPointer(scratch.pointer + worker * scratchWords)
          .assumingMemoryBound(to: UInt32.self)
        for start in stride(from: 0, to: columns, by: Product.kBlock) {
          let depth = min(Product.kBlock, columns - start)
          tiles.pack_b(
            packed, from + start, Int64(columns), 1, Int64(range.count), Int64(depth))
          tiles.keep(panel + words(start), packed, Int64(steps(depth)))
        }
      }
    }
  }

  /// Writes row `index`, rounded to bfloat16, to `row`; the format must be that.
  public func copyRow(_ index: Int, to row: UnsafeMutablePointer<Float>) {
    precondition(format == .bfloat16, "rows are not read from \(format.rawValue)")
    let panel = panel(index / panelWidth) + index % panelWidth
    let perWord = Int(tiles.kept_per_word)
    for first in stride(from: 0, to: columns, by: 2) {
      let word = panel[first / perWord * panelWidth]
      row[first] = Float(bitPattern: word << 16)
      if first + 1 < columns { row[first + 1] = Float(bitPattern: word & 0xffff_0000) }
    }
  }

  // MARK: - Products

  fileprivate func panel(_ index: Int) -> UnsafeMutablePointer<UInt32> {
    buffer.pointer.assumingMemoryBound(to: UInt32.self) + index * panelWords
  }

  private func steps(_ k: Int) -> Int {
    (k + Int(tiles.kept_per_word) - 1) / Int(tiles.kept_per_word)
  }

  /// A panel's words before element `k`, a multiple of what a word holds.
  private func words(_ k: Int) -> Int { k / Int(tiles.kept_per_word) * panelWidth }

  /// Whether kept words are what products take, so that `release` would only copy them.
  var keepsOperandWords: Bool { tiles.kept_per_word == tiles.k_per_step }

  /// Kept words of the panel of a product's column, from element `start` along k.
  func kept(column: Int, start: Int) -> UnsafePointer<UInt32> {
    UnsafePointer(panel(column / panelWidth) + words(start))
  }

  /// Writes operand words of panels, as `pack_b` would make them, for `count` columns of a product
  /// from `column`, and for `depth` elements along k from `start`.
  func release(
    to operand: UnsafeMutablePointer<UInt32>, column: Int, count: Int, start: Int, depth: Int,
    operandPanelWords: Int
  ) {
    for index in 0..<(count + panelWidth - 1) / panelWidth {
      tiles.release(
        operand + index * operandPanelWords, panel(column / panelWidth + index) + words(start),
        Int64(steps(depth)))
    }
  }

  /// `c = a · selfᵀ`, or added to c, for a few rows: each worker goes through columns of its own,
  /// and every weight is read from memory once.
  func multiplyNarrow(_ a: Matrix, into c: UnsafeMutablePointer<Float>, accumulating: Bool) {
    let pool = ThreadPool.shared
    let (m, n, k) = (a.rows, rows, columns)
    let strips = (m + Int(tiles.tallest_strip) - 1) / Int(tiles.tallest_strip)
    let height = (m + strips - 1) / strips
    let granule = Int(tiles.k_granule)
    let deepest =
      (min(k, Product.kBlock) + granule - 1) / granule * granule
      / Int(tiles.k_per_step)
    let blockWords = strips * height * deepest
    let starts = Array(stride(from: 0, to: k, by: Product.kBlock))
    let packed = Buffer(bytes: starts.count * blockWords * 4)
    let words = packed.pointer.assumingMemoryBound(to: UInt32.self)
    for (block, start) in starts.enumerated() {
      tiles.pack_strips(
        words + block * blockWords, Int64(height), a.pointer + start, Int64(a.rowStride), Int64(m),
        Int64(min(Product.kBlock, k - start)))
    }
    let shares = shares(threads: pool.threadsHere)
    pool.run(shares.count) { share, _ in
      forEachGroup(of: shares[share]) { group in
        for (block, start) in starts.enumerated() {
          tiles.multiply_kept(
            c + group.columns.lowerBound, Int64(n), words + block * blockWords, Int64(height),
            panel(group.panel) + self.words(start), Int64(group.apart * panelWords),
            Int64(group.apart * panelWidth), Int64(m), Int64(group.columns.count),
            Int64(min(Product.kBlock, k - start)), accumulating || block > 0 ? 1 : 0)
        }
      }
    }
  }

  /// `c = a · selfᵀ`, or added to c, with both sides rounded to integers.
  fileprivate func multiplyIntegers(
    _ a: Matrix, into c: UnsafeMutablePointer<Float>, accumulating: Bool
  ) {
    let (pool, m, n, k) = (ThreadPool.shared, a.rows, rows, Int64(columns))
    let tiles = kernels.int8
    let strips = (m + Int(tiles.tallest_strip) - 1) / Int(tiles.tallest_strip)
    let height = (m + strips - 1) / strips
    let stripWords = Int(tiles.strip_words(Int64(height), k))
    let packed = Buffer(bytes: strips * stripWords * 4)
    let left = packed.pointer.assumingMemoryBound(to: UInt32.self)
    pool.run(strips) { strip, _ in
      let first = strip * height
      tiles.pack(
        left + strip * stripWords, Int64(height), a.pointer + first * a.rowStride,
        Int64(a.rowStride), Int64(max(0, min(height, m - first))), k)
    }
    let shares = shares(threads: pool.threadsHere)
    pool.run(shares.count) { share, _ in
      forEachGroup(of: shares[share]) { group in
        tiles.multiply(
          c + group.columns.lowerBound, Int64(n), left, Int64(height), panel(group.panel),
          Int64(group.apart * panelWords), Int64(group.apart * panelWidth), Int64(m),
          Int64(group.columns.count), k, accumulating ? 1 : 0)
      }
    }
  }

  /// Panels the kernel takes at once: the first, how many panels each lies behind the one before,
  /// and as many columns from the first panel's as all of them have.
  private struct PanelGroup {
    let panel: Int
    let apart: Int
    let columns: Range<Int>
  }

  /// Goes through a share of the panels in as many streams as the kernel takes at once: each is a
  /// stretch of memory, read from its beginning to its end. Were several panels that follow one
  /// another taken at once, each stream would end where the next had begun, and no prefetching would
  /// know where it goes on: that costs 7 % of the time.
  private func forEachGroup(of share: Range<Int>, _ body: (PanelGroup) -> Void) {
    let stretch = share.count / streams
    func group(at panel: Int, of count: Int, apart: Int) -> PanelGroup {
      let lastPanel = panel + (count - 1) * apart
      let width = (count - 1) * panelWidth + min(panelWidth, rows - lastPanel * panelWidth)
      let first = panel * panelWidth
      return PanelGroup(panel: panel, apart: apart, columns: first..<first + width)
    }
    for panel in share.lowerBound..<share.lowerBound + stretch {
      body(group(at: panel, of: streams, apart: stretch))
    }
    let rest = share.lowerBound + stretch * streams
    if rest < share.upperBound { body(group(at: rest, of: share.upperBound - rest, apart: 1)) }
  }

  /// Panels in shares: first a long one for each worker, since every beginning waits for memory,
  /// and then smaller and smaller ones, so that all workers end at about the same time.
  private func shares(threads: Int) -> [Range<Int>] {
    let panels = (rows + panelWidth - 1) / panelWidth
    if threads == 1 { return [0..<panels] }
    var shares: [Range<Int>] = []
    var start = 0
    while start < panels {
      let part =
        shares.count < threads ? 3 * panels / (4 * threads) : (panels - start) / (2 * threads)
      let size = part >= streams ? part / streams * streams : max(1, part)
      shares.append(start..<min(panels, start + size))
      start += size
    }
    return shares
  }
}

extension Tensor {
  /// Writes `a · weightsᵀ`, or adds it where `accumulating`: (T, C) times (O, C) into (T, O).
  ///
  /// An element's bits depend on its own row of each side alone. With weights in bfloat16 they are
  /// those of a bfloat16 product with the matrix that was packed.
  public func setProduct(
    of a: Matrix, transposed weights: PackedMatrix, accumulating: Bool = false
  ) {
    precondition(
      a.columns == weights.columns && rows == a.rows && columns == weights.rows
        && a.columnStride == 1,
      "(\(a.rows)×\(a.columns)) · (\(weights.rows)×\(weights.columns))ᵀ into \(shape)")
    if a.columns == 0 {
      if !accumulating { setZero() }
    } else if weights.format == .int8 {
      if rows > 0 { weights.multiplyIntegers(a, into: pointer, accumulating: accumulating) }
    } else if rows <= 4 * Int(weights.tiles.tallest_strip) {
      if rows > 0 { weights.multiplyNarrow(a, into: pointer, accumulating: accumulating) }
    } else {
      Product(
        c: pointer, cStride: columns, a: a, b: .packed(weights), accumulating: accumulating,
        tiles: weights.tiles
      ).run()
    }
  }
}
