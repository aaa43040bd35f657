import CKernels
import Foundation

/// Rows of bfloat16 numbers, (O, C), in one or several stretches of memory: weights that take half
/// the space of float32, or that stay where a checkpoint is mapped.
///
/// They become float32 a block at a time, where a product packs them: a product with them has the
/// bits of one with the same numbers in float32.
public final class BFloat16Rows: @unchecked Sendable {
  /// Rows that lie one behind the other, in memory that somebody else owns.
  public struct Stretch {
    public let rows: Int
    /// The first of rows · columns numbers; they are not written.
    public let words: UnsafePointer<UInt16>
    /// What keeps the memory.
    public let owner: AnyObject?
    /// Whether the memory is a file's, mapped to be read.
    public let isMapped: Bool

    public init(
      rows: Int, words: UnsafePointer<UInt16>, owner: AnyObject?, isMapped: Bool = false
    ) {
      self.rows = rows
      self.words = words
      self.owner = owner
      self.isMapped = isMapped
    }
  }

  public let rows: Int
  public let columns: Int
  /// All numbers, where they are this object's own, and may be written; nil where they are not.
  public let own: UnsafeMutablePointer<UInt16>?
  private let stretches: [(first: Int, stretch: Stretch)]

  /// Rows that hold anything: they must be written first.
  public init(rows: Int, columns: Int) {
    let buffer = Buffer(bytes: max(1, rows * columns) * MemoryLayout<UInt16>.stride)
    let words = buffer.pointer.bindMemory(to: UInt16.self, capacity: max(1, rows * columns))
    self.rows = rows
    self.columns = columns
    own = words
    stretches = [(0, Stretch(rows: rows, words: words, owner: buffer))]
  }

  /// Rows of somebody else's, one stretch below the other.
  public init(_ stretches: [Stretch], columns: Int) {
    var first = 0
    self.stretches = stretches.map { stretch in
      defer { first += stretch.rows }
      return (first, stretch)
    }
    rows = first
    self.columns = columns
    own = nil
  }

  public var count: Int { rows * columns }

  /// Writes a block, as float32, to rows that lie `stride` numbers apart.
  public func read(
    rows range: Range<Int>, columns part: Range<Int>, to: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows && part.lowerBound >= 0
        && part.upperBound <= columns,
      "rows \(range), columns \(part) of \(rows)×\(columns)")
    for (first, stretch) in stretches {
      let found = range.clamped(to: first..<first + stretch.rows)
      for row in found {
        kernels.float_from_bfloat16(
          to + (row - range.lowerBound) * stride,
          stretch.words + (row - first) * columns + part.lowerBound, Int64(part.count))
      }
    }
  }

  /// Asks the system to read rows of a mapped file from the disk before they are needed. It returns
  /// when that is under way.
  public func prefetch() { advise(MADV_WILLNEED, inwards: false) }

  /// Gives the memory of a mapped file's rows back: whoever needs them again finds them in what the
  /// system keeps of the file, or on the disk.
  public func release() { advise(MADV_DONTNEED, inwards: true) }

  /// - Parameter inwards: Whether a page that holds something else too is left out.
  private func advise(_ advice: Int32, inwards: Bool) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    for (_, stretch) in stretches where stretch.isMapped {
      let first = Int(bitPattern: stretch.words), end = first + 2 * stretch.rows * columns
      let start = (inwards ? first + page - 1 : first) / page * page
      let stop = (inwards ? end : end + page - 1) / page * page
      // Linux reads no more ahead than a device takes at once, however much it is asked for.
      for part in stride(from: start, to: stop, by: Self.adviceSize) {
        madvise(
          UnsafeMutableRawPointer(bitPattern: part), min(Self.adviceSize, stop - part), advice)
      }
    }
  }

  private static let adviceSize = 1 << 20

  /// Rounds rows to nearest, ties to even, and keeps them; the memory must be this object's own.
  ///
  /// - Parameter first: Where the first of the given rows goes.
  public func round(_ source: Tensor, at first: Int) {
    guard let own else { preconditionFailure("rows of somebody else's are not written") }
    precondition(source.columns == columns && first >= 0 && first + source.rows <= rows)
    ThreadPool.shared.forEachChunk(of: source.count, size: 1 << 16) { range, _, _ in
      kernels.bfloat16_from_float(
        own + first * columns + range.lowerBound, source.pointer + range.lowerBound,
        Int64(range.count))
    }
  }
}

extension Tensor {
  /// Writes `a · weightsᵀ`, or adds it where `accumulating`: (T, C) times (O, C) into (T, O).
  func setProduct(
    of a: Matrix, transposed weights: BFloat16Rows, _ precision: Precision, accumulating: Bool
  ) {
    product(
      of: a, .bfloat16(weights, transposed: true), precision, accumulating: accumulating,
      kernels: kernels)
  }

  /// Writes `a · weights`, or adds it where `accumulating`: (T, O) times (O, C) into (T, C).
  func setProduct(
    of a: Matrix, _ weights: BFloat16Rows, _ precision: Precision, accumulating: Bool
  ) {
    product(
      of: a, .bfloat16(weights, transposed: false), precision, accumulating: accumulating,
      kernels: kernels)
  }
}
