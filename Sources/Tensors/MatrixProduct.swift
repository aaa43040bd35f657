import CKernels

/// A matrix in memory: rows or columns are contiguous.
public struct Matrix {
  let pointer: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int
  let rowStride: Int
  let columnStride: Int

  public var transposed: Matrix {
    Matrix(
      pointer: pointer, rows: columns, columns: rows, rowStride: columnStride,
      columnStride: rowStride)
  }
}

extension Tensor {
  /// This tensor's rows as the rows of a matrix.
  public var matrix: Matrix {
    Matrix(pointer: pointer, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
  }
  /// Some columns of all rows.
  public func matrix(columns range: Range<Int>) -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns,
      "columns \(range) of a tensor of shape \(shape)")
    return Matrix(
      pointer: pointer + range.lowerBound, rows: rows, columns: range.count, rowStride: columns,
      columnStride: 1)
  }
  public var transposed: Matrix { matrix.transposed }

  /// Writes `a · b`, or adds it where `accumulating`.
  ///
  /// Every sum runs over k in order, cut at multiples of a constant, so that in bfloat16 an
  /// element's bits depend on its own row and column alone, and in float32 not on the threads.
  ///
  /// - Parameter column: Where the product's first column goes; those beside it are left alone.
  public func setProduct(
    of a: Matrix, _ b: Matrix, _ precision: Precision, accumulating: Bool = false,
    column: Int? = nil
  ) {
    product(
      of: a, .matrix(b), precision, accumulating: accumulating, column: column, kernels: kernels)
  }

  func product(
    of a: Matrix, _ b: Product.RightSide, _ precision: Precision, accumulating: Bool,
    column: Int? = nil, kernels: ck_kernels
  ) {
    let first = column ?? 0
    precondition(
      a.columns == b.rows && rows == a.rows && first >= 0
        && (column == nil ? columns == b.columns : first + b.columns <= columns),
      "(\(a.rows)×\(a.columns)) · (\(b.rows)×\(b.columns)) into \(shape) from column \(first)")
    if a.columns == 0 {
      if !accumulating { setZero(columns: first..<first + b.columns) }
      return
    }
    if rows == 0 || b.columns == 0 { return }
    let job = Product(
      c: pointer + first, cStride: columns, a: a, b: b, accumulating: accumulating,
      tiles: kernels.products(precision))
    if precision == .float32, case .success(let library) = OpenBLAS.shared {
      job.run(on: library)
    } else if rows <= 4 * job.tiles.a_width {
      job.runNarrow()
    } else {
      job.run()
    }
  }

  private func setZero(columns range: Range<Int>) {
    for row in 0..<rows {
      (pointer + row * columns + range.lowerBound).update(repeating: 0, count: range.count)
    }
  }
}

/// One product, cut into tiles.
struct Product {
  /// Where panels of the right side come from.
  enum RightSide {
    case matrix(Matrix)
    case packed(PackedMatrix)
    case bfloat16(BFloat16Rows, transposed: Bool)

    var rows: Int {
      switch self {
      case .matrix(let matrix): matrix.rows
      case .packed(let matrix): matrix.columns
      case .bfloat16(let matrix, let transposed): transposed ? matrix.columns : matrix.rows
      }
    }

    var columns: Int {
      switch self {
      case .matrix(let matrix): matrix.columns
      case .packed(let matrix): matrix.rows
      case .bfloat16(let matrix, let transposed): transposed ? matrix.rows : matrix.columns
      }
    }

    /// Rows `start..<start + depth` and columns `first..<first + count` as a matrix in float32,
    /// which lies in `scratch` unless it is there already.
    func block(
      start: Int, depth: Int, first: Int, count: Int, in scratch: UnsafeMutablePointer<Float>
    ) -> Matrix {
      switch self {
      case .matrix(let matrix):
        return Matrix(
          pointer: matrix(start, first), rows: depth, columns: count, rowStride: matrix.rowStride,
          columnStride: matrix.columnStride)
      case .bfloat16(let matrix, transposed: true):
        matrix.read(
          rows: first..<first + count, columns: start..<start + depth, to: scratch, stride: depth)
        return Matrix(
          pointer: scratch, rows: depth, columns: count, rowStride: 1, columnStride: depth)
      case .bfloat16(let matrix, transposed: false):
        matrix.read(
          rows: start..<start + depth, columns: first..<first + count, to: scratch, stride: count)
        return Matrix(
          pointer: scratch, rows: depth, columns: count, rowStride: count, columnStride: 1)
      case .packed: preconditionFailure("packed words are released, not read")
      }
    }

    /// Floats of scratch memory for a block.
    func scratchCount(depth: Int, count: Int) -> Int {
      if case .bfloat16 = self { depth * count } else { 0 }
    }
  }

  let c: UnsafeMutablePointer<Float>
  let cStride: Int
  let a: Matrix
  let b: RightSide
  let accumulating: Bool
  let tiles: ck_products

  private var m: Int { a.rows }
  private var n: Int { b.columns }
  private var k: Int { a.columns }

  /// Where sums over k are cut, in every precision but OpenBLAS's own: part of what results mean,
  /// and the size at which a panel of the right side stays in the first-level cache.
  static let kBlock = 512
  /// Columns packed at a time: a block of the right side stays in the last-level cache.
  private static let columnBlock = 1536
  /// Blocks of k packed at a time.
  private static let kBlocksAtOnce = 4

  /// A panel block's words along k.
  private func words(_ k: Int) -> Int {
    let granule = Int(tiles.k_granule)
    return (k + granule - 1) / granule * granule / Int(tiles.k_per_step)
  }

  /// The left side is cut into as many chunks as keep all workers busy; the right side is packed
  /// once, by all of them, and shared. A chunk runs through several blocks of k while its part of c
  /// is in the cache.
  func run() {
    let pool = ThreadPool.shared
    let (mr, nr) = (Int(tiles.a_width), Int(tiles.b_width))
    let strips = (m + mr - 1) / mr
    let readsKeptWords =
      if case .packed(let b) = b { b.keepsOperandWords } else { false }
    let perWorker = (m + pool.threads * 168 - 1) / (pool.threads * 168)
    let chunks = min(strips, pool.threads * perWorker)
    let deepest = words(min(k, Self.kBlock))
    let longest = (strips + chunks - 1) / chunks * mr
    let widest = (min(n, Self.columnBlock) + nr - 1) / nr * nr
    let packedB = Buffer(
      bytes: min(Self.kBlocksAtOnce, (k + Self.kBlock - 1) / Self.kBlock) * widest * deepest * 4)
    let packedA = Buffer(bytes: pool.threads * longest * deepest * 4)
    let right = packedB.pointer.assumingMemoryBound(to: UInt32.self)
    let lefts = packedA.pointer.assumingMemoryBound(to: UInt32.self)
    let scratch = Tensor(
      uninitialized: [
        pool.threads, b.scratchCount(depth: min(k, Self.kBlock), count: min(n, 4 * nr)),
      ])

    for column in stride(from: 0, to: n, by: Self.columnBlock) {
      let width = min(Self.columnBlock, n - column)
      for group in stride(from: 0, to: k, by: Self.kBlock * Self.kBlocksAtOnce) {
        let starts = Array(
          stride(from: group, to: min(k, group + Self.kBlock * Self.kBlocksAtOnce), by: Self.kBlock)
        )
        let parts = readsKeptWords ? 0 : (width + 4 * nr - 1) / (4 * nr)
        pool.run(parts * starts.count) { index, worker in
          let (block, part) = index.quotientAndRemainder(dividingBy: parts)
          let (start, first) = (starts[block], part * 4 * nr)
          let depth = min(Self.kBlock, k - start)
          let to = right + block * widest * deepest + first * words(depth)
          let count = min(4 * nr, width - first)
          if case .packed(let b) = b {
            b.release(
              to: to, column: column + first, count: count, start: start, depth: depth,
              operandPanelWords: nr * words(depth))
          } else {
            let block = b.block(
              start: start, depth: depth, first: column + first, count: count,
              in: scratch.pointer + worker * scratch.columns)
            tiles.pack_b(
              to, block.pointer, Int64(block.columnStride), Int64(block.rowStride), Int64(count),
              Int64(depth))
          }
        }
        pool.run(chunks) { chunk, worker in
          let first = strips * chunk / chunks * mr
          let rows = min(m, strips * (chunk + 1) / chunks * mr) - first
          let left = lefts + worker * longest * deepest
          for (block, start) in starts.enumerated() {
            let depth = min(Self.kBlock, k - start)
            tiles.pack_a(
              left, a(first, start), Int64(a.rowStride), Int64(a.columnStride), Int64(rows),
              Int64(depth))
            let to = c + first * cStride + column
            let adds: Int32 = accumulating || start > 0 ? 1 : 0
            if readsKeptWords, case .packed(let b) = b {
              for next in stride(from: 0, to: width, by: nr) {
                tiles.multiply(
                  to + next, Int64(cStride), left, b.kept(column: column + next, start: start),
                  Int64(rows), Int64(min(nr, width - next)), Int64(depth), adds)
              }
            } else {
              tiles.multiply(
                to, Int64(cStride), left, right + block * widest * deepest, Int64(rows),
                Int64(width), Int64(depth), adds)
            }
          }
        }
      }
    }
  }

  /// A few rows, as in decoding: the left side is packed once, workers share the columns.
  func runNarrow() {
    let pool = ThreadPool.shared
    let (mr, nr) = (Int(tiles.a_width), Int(tiles.b_width))
    let height = (m + mr - 1) / mr * mr
    let blocks = (k + Self.kBlock - 1) / Self.kBlock
    let deepest = words(min(k, Self.kBlock))
    let columns = 4 * nr
    let packedA = Buffer(bytes: blocks * height * deepest * 4)
    let packedB = Buffer(bytes: pool.threads * columns * deepest * 4)
    let left = packedA.pointer.assumingMemoryBound(to: UInt32.self)
    let rights = packedB.pointer.assumingMemoryBound(to: UInt32.self)
    let scratch = Tensor(
      uninitialized: [
        pool.threads, b.scratchCount(depth: min(k, Self.kBlock), count: min(n, columns)),
      ])
    for block in 0..<blocks {
      let start = block * Self.kBlock
      tiles.pack_a(
        left + block * height * deepest, a(0, start), Int64(a.rowStride), Int64(a.columnStride),
        Int64(m), Int64(min(Self.kBlock, k - start)))
    }
    pool.forEachChunk(of: n, size: columns) { range, _, worker in
      let right = rights + worker * columns * deepest
      for block in 0..<blocks {
        let start = block * Self.kBlock
        let depth = Int64(min(Self.kBlock, k - start))
        let part = b.block(
          start: start, depth: Int(depth), first: range.lowerBound, count: range.count,
          in: scratch.pointer + worker * scratch.columns)
        tiles.pack_b(
          right, part.pointer, Int64(part.columnStride), Int64(part.rowStride),
          Int64(range.count), depth)
        tiles.multiply(
          c + range.lowerBound, Int64(cStride), left + block * height * deepest, right, Int64(m),
          Int64(range.count), depth, accumulating || start > 0 ? 1 : 0)
      }
    }
  }

  /// float32 on OpenBLAS, one call per tile of c and per stretch of k.
  ///
  /// The cuts depend on the shape alone. Rows of c and sums are cut at multiples of `stretch`
  /// first, so that tokens trained in stretches of that length are cut like all at once: OpenBLAS
  /// sums a row by the tile it stands in, and a sum over tokens has one order.
  func run(on library: OpenBLAS) {
    let rowTiles = stride(from: 0, to: m, by: Self.stretch).flatMap { start in
      let end = min(m, start + Self.stretch), size = Self.tileSize(end - start)
      return stride(from: start, to: end, by: size).map { $0..<min(end, $0 + size) }
    }
    let tileColumns = Self.tileSize(n)
    let across = (n + tileColumns - 1) / tileColumns
    let pool = ThreadPool.shared
    let scratch = Tensor(
      uninitialized: [
        pool.threads, b.scratchCount(depth: min(k, Self.stretch), count: min(n, tileColumns)),
      ])
    pool.run(rowTiles.count * across) { tile, worker in
      let (rows, column) = (rowTiles[tile % rowTiles.count], tile / rowTiles.count * tileColumns)
      let (row, width) = (rows.lowerBound, min(tileColumns, n - column))
      for start in stride(from: 0, to: k, by: Self.stretch) {
        let depth = min(Self.stretch, k - start)
        let part = b.block(
          start: start, depth: depth, first: column, count: width,
          in: scratch.pointer + worker * scratch.columns)
        library.sgemm(
          101, a.columnStride == 1 ? 111 : 112, part.columnStride == 1 ? 111 : 112,
          Int32(rows.count), Int32(width), Int32(depth), 1, a(row, start), a.leadingDimension,
          part.pointer, part.leadingDimension, accumulating || start > 0 ? 1 : 0,
          c + row * cStride + column, Int32(cStride))
      }
    }
  }

  private static let stretch = 4096

  /// A side is cut into pieces of at most 512, as even as multiples of 16 allow.
  private static func tileSize(_ side: Int) -> Int {
    let pieces = max(1, (side + 511) / 512)
    return ((side + pieces - 1) / pieces + 15) / 16 * 16
  }
}

extension Matrix {
  /// The distance between lines as BLAS wants it: at least the length of one, even where there is
  /// only one and both strides are 1.
  fileprivate var leadingDimension: Int32 {
    Int32(columnStride == 1 ? max(rowStride, columns) : columnStride)
  }

  fileprivate func callAsFunction(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    pointer + row * rowStride + column * columnStride
  }
}
