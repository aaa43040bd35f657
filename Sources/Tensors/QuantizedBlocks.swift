import CKernels

/// A map of 256 values between −1 and 1, close together around 0 and a few per cent apart from one
/// another elsewhere: dynamic quantization (Dettmers 2016, <https://arxiv.org/abs/1511.04561>), as
/// bitsandbytes' `create_dynamic_map` makes it.
///
/// The values are 0, 1, and the middles of parts that the stretches from 10^(k−1) to 10^k are cut
/// into, k from −6 to 0: 2^(k+6) equal parts and the same below 0 in a signed map, twice as many in
/// an unsigned one. There is no −1.
public final class CodeMap: @unchecked Sendable {
  /// Of numbers of both signs. A number nearer to 0 than to any other value becomes 0.
  public static let signed = CodeMap(isSigned: true)
  /// Of numbers that are not negative. A positive one never becomes 0: a second moment of 0 under a
  /// first one that is not would make a step without bounds.
  public static let unsigned = CodeMap(isSigned: false)

  /// The value of each code, ascending.
  public let values: [Float]
  public let tables: UnsafePointer<ck_code_map>

  private init(isSigned: Bool) {
    let magnitudes: [Float] =
      [0] + (-6...0).flatMap { Self.middles(exponent: $0, isSigned: isSigned) } + [1]
    let negatives: [Float] =
      isSigned ? magnitudes.dropFirst().dropLast().reversed().map { -$0 } : []
    values = negatives + magnitudes
    let kept = UnsafeMutablePointer<Float>.allocate(capacity: values.count)
    kept.initialize(from: values, count: values.count)
    let bins = UnsafeMutablePointer<UInt32>.allocate(capacity: ck_bin_count)
    Self.fill(bins, magnitudes, keepingPositive: !isSigned)
    let tables = UnsafeMutablePointer<ck_code_map>.allocate(capacity: 1)
    tables.initialize(
      to: ck_code_map(
        values: kept, bins: bins, zero: Int32(negatives.count), negatives: Int32(negatives.count)))
    self.tables = UnsafePointer(tables)
  }

  private static func middles(exponent: Int, isSigned: Bool) -> [Float] {
    let divisor = (exponent..<0).reduce(1.0) { power, _ in power * 10 }
    let parts = 1 << (exponent + (isSigned ? 6 : 7))
    return (0..<parts).map { Float((0.1 + 0.9 * (Double($0) + 0.5) / Double(parts)) / divisor) }
  }

  /// - Parameter keepingPositive: Whether what is not 0 is at least the first value above.
  private static func fill(
    _ bins: UnsafeMutablePointer<UInt32>, _ magnitudes: [Float], keepingPositive: Bool
  ) {
    // The first float beyond each middle between two values; a float just in the middle stays below.
    let first = zip(magnitudes, magnitudes.dropFirst()).map { low, high in
      let middle = (Double(low) + Double(high)) / 2
      let nearest = Float(middle)
      return Double(nearest) > middle ? nearest.bitPattern : nearest.nextUp.bitPattern
    }
    var below = keepingPositive ? 1 : 0
    for bin in 0..<ck_bin_count {
      let start = (UInt32(ck_first_bin + bin)) << 16
      let isInside = below < first.count && first[below] >> 16 == start >> 16
      // A carry out of the lower half adds one from `first` on.
      bins[bin] = UInt32(below) << 16 + (isInside ? 0x1_0000 - (first[below] & 0xffff) : 0)
      if isInside { below += 1 }
      precondition(below == first.count || first[below] >> 16 != start >> 16, "two in a bin")
    }
  }
}

/// Numbers in 8 bits each, in blocks that share a scale (Dettmers et al. 2022, "8-bit Optimizers via
/// Block-wise Quantization", <https://arxiv.org/abs/2110.02861>).
///
/// What `quantize` in `CKernels.h` makes of a block: its largest magnitude as the scale, and of every
/// number the code of the nearest value of the map. Reference semantics, like a tensor.
public final class QuantizedBlocks: @unchecked Sendable {
  public static let blockSize = ck_quantized_block

  public let count: Int
  public let map: CodeMap
  private let buffer: Buffer
  /// A code for each number.
  public let codes: UnsafeMutablePointer<UInt8>
  /// A scale for each block.
  public let scales: UnsafeMutablePointer<Float>
  public var scaleCount: Int { Self.blocks(count) }

  /// Zeros.
  public init(zeros count: Int, _ map: CodeMap) {
    precondition(count > 0, "\(count) quantized numbers")
    self.count = count
    self.map = map
    let scaleBytes = Self.blocks(count) * MemoryLayout<Float>.stride
    buffer = Buffer(bytes: scaleBytes + count)
    scales = buffer.pointer.bindMemory(to: Float.self, capacity: Self.blocks(count))
    codes = (buffer.pointer + scaleBytes).bindMemory(to: UInt8.self, capacity: count)
    scales.update(repeating: 0, count: Self.blocks(count))
    codes.update(repeating: UInt8(map.tables.pointee.zero), count: count)
  }

  /// Writes the numbers of a range that begins with a block, and ends with one or with the last.
  public func expand(_ range: Range<Int>, into y: UnsafeMutablePointer<Float>) {
    check(range)
    kernels.dequantize(
      y, codes + range.lowerBound, scales + range.lowerBound / Self.blockSize, Int64(range.count),
      map.tables)
  }

  /// Replaces the numbers of such a range by the nearest there are to `x`.
  public func set(_ range: Range<Int>, from x: UnsafePointer<Float>) {
    check(range)
    kernels.quantize(
      codes + range.lowerBound, scales + range.lowerBound / Self.blockSize, x, Int64(range.count),
      map.tables)
  }

  private static func blocks(_ count: Int) -> Int { (count + blockSize - 1) / blockSize }

  private func check(_ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.lowerBound % Self.blockSize == 0
        && (range.upperBound % Self.blockSize == 0 || range.upperBound == count)
        && range.upperBound <= count,
      "numbers \(range) of \(count) in blocks of \(Self.blockSize)")
  }
}
