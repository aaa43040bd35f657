import CKernels
import EmulatedKernels
import Tensors
import TestSupport
import XCTest

/// Packing and multiplying in every instruction set, against the plain product.
final class ProductTileTests: XCTestCase {
  /// Small integers, of which every product and sum is exact in both precisions: a single operand
  /// in the wrong place shows.
  func testIntegersAtAllSmallSizes() {
    for size in smallSizes {
      let product = TestProduct(size, values: integers)
      let expected = product.expected(rounded: false).map { Float($0.value) }
      forEachVariantAndPrecision { variant, precision in
        for (transposedA, transposedB) in orientations {
          let c = product.run(
            variant.kernels.products(precision), transposedA, transposedB, in: memory)
          assertSameBits(
            c, expected, "\(variant), \(precision), \(size), \(transposedA) \(transposedB)")
        }
      }
    }
  }

  func testFloatsAtLargerSizes() {
    for size in [Size(97, 101, 1021), Size(41, 67, 128), Size(15, 127, 7), Size(113, 4, 257)] {
      let product = TestProduct(size, values: { seededFloats($0, seed: $1) })
      for precision in Precision.allCases {
        let expected = product.expected(rounded: precision == .bfloat16)
        // Each of k additions rounds its sum to half an ulp; such errors add up like √k.
        let unit = 0x1p-24 * (8 + 4 * Double(size.k).squareRoot())
        let tolerances = expected.map { $0.size * unit }
        for variant in Variant.all {
          for (transposedA, transposedB) in orientations {
            let c = product.run(
              variant.kernels.products(precision), transposedA, transposedB, in: memory)
            assertClose(
              c, expected.map(\.value), within: tolerances,
              "\(variant), \(precision), \(size), \(transposedA) \(transposedB)")
          }
        }
      }
    }
  }

  /// What `ProductTiles.inc` promises: a product of two bfloat16 is exact in a float and sums have
  /// one order, so instruction sets agree to the bit. The emulated bfloat16 instructions, which
  /// take two steps at once, are among them.
  func testBFloat16AgreesToTheBit() {
    let sizes = smallSizes + [Size(97, 101, 1021), Size(29, 64, 512), Size(200, 33, 77)]
    for (number, size) in sizes.enumerated() {
      let product = TestProduct(size, values: { seededFloats($0, seed: $1 + number) })
      for accumulating in [false, true] {
        let expected = product.run(
          Variant.portable.kernels.bfloat16, false, false, accumulating: accumulating, in: memory)
        for variant in Variant.others {
          let (transposedA, transposedB) = orientations[number % 4]
          let c = product.run(
            variant.kernels.bfloat16, transposedA, transposedB, accumulating: accumulating,
            in: memory)
          assertAgreement(
            variant, c, expected, of: product, "\(size), accumulating: \(accumulating)")
        }
      }
    }
  }

  /// The magnitudes of a long sum: large terms that cancel, so that the order of additions shows.
  func testBFloat16AgreesToTheBitWhereOrderMatters() {
    let size = Size(31, 37, 255)
    let product = TestProduct(size) { count, seed in
      let powers = seededFloats(count, seed: seed + 50, scale: 12)
      return zip(seededFloats(count, seed: seed), powers).map {
        $0 * Float(sign: .plus, exponent: Int($1), significand: 1)
      }
    }
    let expected = product.run(Variant.portable.kernels.bfloat16, false, false, in: memory)
    let reversed = product.reversedAlongK.run(
      Variant.portable.kernels.bfloat16, false, false, in: memory)
    XCTAssertNotEqual(expected, reversed, "these operands do not show the order")
    for variant in Variant.others {
      let c = product.run(variant.kernels.bfloat16, false, false, in: memory)
      assertAgreement(variant, c, expected, of: product, "large terms that cancel")
    }
  }

  /// The same bits, or what a processor's own bfloat16 instructions may differ by: manuals differ
  /// in how exactly they describe the rounding between the two additions of a step.
  private func assertAgreement(
    _ variant: Variant, _ c: [Float], _ expected: [Float], of product: TestProduct,
    _ what: @autoclosure () -> String, file: StaticString = #filePath, line: UInt = #line
  ) {
    guard variant.hasBFloat16Instructions else {
      assertSameBits(c, expected, "\(variant), \(what())", file: file, line: line)
      return
    }
    let unit = 0x1p-24 * (8 + 4 * Double(product.size.k).squareRoot())
    assertClose(
      c, expected.map { Double($0) },
      within: zip(product.expected(rounded: true), product.before).map {
        ($0.size + Double(abs($1))) * unit
      }, "\(variant), \(what())", file: file, line: line)
  }

  func testAccumulating() {
    for size in [Size(1, 1, 1), Size(13, 31, 9), Size(14, 32, 2), Size(29, 65, 33)] {
      let product = TestProduct(size, values: integers)
      let expected = product.expected(rounded: false)
      forEachVariantAndPrecision { variant, precision in
        let c = product.run(
          variant.kernels.products(precision), false, true, accumulating: true, in: memory)
        let sums = zip(expected, product.before).map { Float($0.value) + $1 }
        assertSameBits(c, sums, "\(variant), \(precision), \(size)")
      }
    }
  }

  /// NaN and infinity stay in their row, or their column.
  func testWhatIsNotFiniteStaysInItsLine() {
    let size = Size(31, 67, 9)
    for (value, isThere) in [(Float.nan, \Float.isNaN), (.infinity, \.isInfinite)] {
      let product = TestProduct(size) { count, seed in
        // No zeros, which would make NaN of infinity.
        var values = seededFloats(count, seed: seed).map { abs($0) + 0.5 }
        if seed == 0 { values[13 * size.k + 8] = value }
        if seed == 1 { values[40 * size.k + 3] = value }
        return values
      }
      forEachVariantAndPrecision { variant, precision in
        for (transposedA, transposedB) in orientations {
          let c = product.run(
            variant.kernels.products(precision), transposedA, transposedB, in: memory)
          for i in 0..<size.m {
            for j in 0..<size.n {
              let found = c[i * size.n + j][keyPath: isThere]
              XCTAssertEqual(
                found, i == 13 || j == 40, "\(variant), \(precision), \(value) at [\(i), \(j)]")
            }
          }
        }
      }
    }
  }

  func testPackingRoundsToNearestEven() {
    // In one column and one row: the product with 1 shows the rounded operand.
    let ties: [Float] = [0x80, 0x81, 0x180, 0x17f, 0x181, 0x100].map {
      Float(bitPattern: 0x3f80_0000 + UInt32($0) << 8)
    }
    let x = ties + ties.map { -$0 } + [.greatestFiniteMagnitude]
    for count in [x.count, 5] {
      let product = TestProduct(Size(count, 3, 1)) { n, seed in
        seed == 0 ? Array(x.suffix(count)) : [Float](repeating: 1, count: n)
      }
      let expected = x.suffix(count).flatMap { x in
        [Float](repeating: x.roundedToBFloat16, count: 3)
      }
      for variant in Variant.all {
        for (transposedA, transposedB) in orientations {
          let c = product.run(variant.kernels.bfloat16, transposedA, transposedB, in: memory)
          assertSameBits(c, expected, "\(variant)")
        }
      }
    }
  }

  func testTheEmulationTakesTwoBFloat16PerWord() throws {
    guard let kernels = emulated_avx512_bf16_kernels() else {
      throw XCTSkip("no AVX-512 to emulate its bfloat16 instructions with")
    }
    XCTAssertEqual(kernels.pointee.bfloat16.k_per_step, 2)
    XCTAssertEqual(Variant.all.last?.description, "AVX-512 BF16 emulated")
  }

  // MARK: -

  private let memory = (0..<4).map { _ in Fenced(bytes: 1 << 21) }
  private let orientations = [(false, false), (false, true), (true, false), (true, true)]

  /// Every height and width up to 40, with a depth that shares no factor with either.
  private let smallSizes: [Size] = (1...40).flatMap { m in
    (1...40).map { n in
      let from = (7 * m + 3 * n) % 40
      let k = (0..<40).map { 1 + (from + $0) % 40 }.first { gcd($0, m) == 1 && gcd($0, n) == 1 }
      return Size(m, n, k ?? 1)
    }
  }

  private let integers = { (count: Int, seed: Int) in
    seededFloats(count, seed: seed, scale: 8).map { $0.rounded() }
  }

  private func forEachVariantAndPrecision(_ body: (Variant, Precision) -> Void) {
    for variant in Variant.all {
      for precision in Precision.allCases { body(variant, precision) }
    }
  }
}

private func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }

private struct Size: CustomStringConvertible {
  let m, n, k: Int
  init(_ m: Int, _ n: Int, _ k: Int) { (self.m, self.n, self.k) = (m, n, k) }
  var description: String { "\(m)×\(n) over \(k)" }
}

/// a (m × k) times b (n × k), transposed, and what c holds before.
private struct TestProduct {
  let size: Size
  private(set) var a: [Float]
  private(set) var b: [Float]
  let before: [Float]

  init(_ size: Size, values: (_ count: Int, _ seed: Int) -> [Float]) {
    self.size = size
    a = values(size.m * size.k, 0)
    b = values(size.n * size.k, 1)
    before = values(size.m * size.n, 2)
  }

  var reversedAlongK: TestProduct {
    var other = self
    func reversed(_ x: [Float]) -> [Float] {
      stride(from: 0, to: x.count, by: size.k).flatMap { x[$0..<$0 + size.k].reversed() }
    }
    (other.a, other.b) = (reversed(a), reversed(b))
    return other
  }

  /// Each element of c and Σ |a| |b|, in Double.
  func expected(rounded: Bool) -> [(value: Double, size: Double)] {
    let a = self.a.map { Double(rounded ? $0.roundedToBFloat16 : $0) }
    let b = self.b.map { Double(rounded ? $0.roundedToBFloat16 : $0) }
    return (0..<size.m * size.n).map { index in
      let (i, j) = index.quotientAndRemainder(dividingBy: size.n)
      var (value, absolute) = (0.0, 0.0)
      for p in 0..<size.k {
        let term = a[i * size.k + p] * b[j * size.k + p]
        value += term
        absolute += abs(term)
      }
      return (value, absolute)
    }
  }

  /// c, from operands in fenced memory: in rows, or transposed with rows `gap` elements apart.
  func run(
    _ tiles: ck_products, _ transposedA: Bool, _ transposedB: Bool, accumulating: Bool = false,
    in memory: [Fenced], file: StaticString = #filePath, line: UInt = #line
  ) -> [Float] {
    let packedA = pack(a, size.m, transposedA, tiles.a_width, tiles, tiles.pack_a, memory[0], 2)
    let packedB = pack(b, size.n, transposedB, tiles.b_width, tiles, tiles.pack_b, memory[1], 3)
    packedA.checkZones("pack_a", file: file, line: line)
    packedB.checkZones("pack_b", file: file, line: line)

    // Rows of c are farther apart than they are wide; what lies between must stay.
    let stride = size.n + 5, mark: Float = 12345.5
    var c = [Float](repeating: mark, count: (size.m - 1) * stride + size.n)
    for i in 0..<size.m {
      for j in 0..<size.n { c[i * stride + j] = before[i * size.n + j] }
    }
    let guarded = Guarded(c)
    tiles.multiply(
      guarded.floats, Int64(stride), memory[2].place(packedA.elements),
      memory[3].place(packedB.elements), Int64(size.m), Int64(size.n), Int64(size.k),
      accumulating ? 1 : 0)
    guarded.checkZones("multiply", file: file, line: line)
    let values = guarded.values
    var result: [Float] = []
    result.reserveCapacity(size.m * size.n)
    for i in 0..<size.m {
      result += values[i * stride..<i * stride + size.n]
      let end = min((i + 1) * stride, values.count)
      if values[i * stride + size.n..<end].contains(where: { $0 != mark }) {
        XCTFail("multiply wrote beside row \(i) of \(size)", file: file, line: line)
      }
    }
    return result
  }

  private func pack(
    _ values: [Float], _ rows: Int, _ transposed: Bool, _ width: Int32, _ tiles: ck_products,
    _ function: (
      UnsafeMutablePointer<UInt32>?, UnsafePointer<Float>?, Int64, Int64, Int64, Int64
    ) -> Void, _ memory: Fenced, _ gap: Int
  ) -> Guarded<UInt32> {
    let (outer, inner) = transposed ? (size.k, rows) : (rows, size.k)
    let stride = inner + gap
    var source = [Float](repeating: .nan, count: (outer - 1) * stride + inner)
    for row in 0..<rows {
      for p in 0..<size.k {
        source[transposed ? p * stride + row : row * stride + p] = values[row * size.k + p]
      }
    }
    let granule = Int(tiles.k_granule), panel = Int(width)
    let steps = (size.k + granule - 1) / granule * granule / Int(tiles.k_per_step)
    let packed = Guarded<UInt32>(count: (rows + panel - 1) / panel * panel * steps)
    function(
      packed.pointer, memory.place(source), Int64(transposed ? 1 : stride),
      Int64(transposed ? stride : 1), Int64(rows), Int64(size.k))
    return packed
  }
}
