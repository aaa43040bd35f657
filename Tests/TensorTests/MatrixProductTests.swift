import CKernels
import Foundation
import TestSupport
import XCTest

@testable import Tensors

/// `setProduct` against the plain product, and what is promised about its bits.
final class MatrixProductTests: XCTestCase {
  /// Rows, columns and depths that share no factor: narrow and wide, and across every cut.
  private let sizes = [
    (1, 1, 1), (1, 7, 3), (7, 1, 5), (3, 5, 1), (5, 3, 2), (1, 1, 9), (2, 9, 511), (13, 31, 29),
    (17, 33, 512), (63, 65, 64), (57, 129, 97), (113, 32, 513), (171, 64, 1025), (511, 67, 19),
    (513, 37, 35), (29, 1537, 31), (361, 1543, 16), (19, 23, 4099),
  ]

  func testAllSizesOrientationsAndPrecisions() {
    for (m, n, k) in sizes {
      let a = Tensor(seeded: [m, k], seed: 1), b = Tensor(seeded: [k, n], seed: 2)
      let before = Tensor(seeded: [m, n], seed: 3)
      for precision in Precision.allCases {
        let reference = Reference(a, b, rounded: precision == .bfloat16)
        let sums = zip(reference.values, before.values).map { $0 + Double($1) }
        forEachOrientation(a, b) { number, left, right in
          for accumulating in [false, true] {
            let c = before.copy()
            c.setProduct(of: left, right, precision, accumulating: accumulating)
            assertClose(
              c.values, accumulating ? sums : reference.values, within: reference.tolerances,
              "\(m)×\(n) over \(k), \(precision), orientation \(number), \(accumulating)")
          }
        }
      }
    }
  }

  func testNothingToSum() {
    for precision in Precision.allCases {
      let c = Tensor(seeded: [3, 5], seed: 1), before = c.copy()
      let a = Tensor(zeros: [3, 0]), b = Tensor(zeros: [0, 5])
      c.setProduct(of: a.matrix, b.matrix, precision, accumulating: true)
      assertSameBits(c, before, "\(precision)")
      c.setProduct(of: a.matrix, b.matrix, precision)
      assertSameBits(c, Tensor(zeros: [3, 5]), "\(precision)")
      Tensor(zeros: [0, 5]).setProduct(
        of: Tensor(zeros: [0, 3]).matrix, Tensor(zeros: [3, 5]).matrix, precision)
    }
  }

  func testTheSameBitsOnAnyThreads() {
    for (m, n, k) in [(7, 203, 1031), (349, 203, 1031), (1033, 517, 129), (70, 3100, 61)] {
      let a = Tensor(seeded: [m, k], seed: 1), b = Tensor(seeded: [k, n], seed: 2)
      let aT = transposedCopy(a)
      for precision in Precision.allCases {
        assertSameBitsOnAnyThreads("\(m)×\(n) over \(k), \(precision)") {
          let c = Tensor(seeded: [m, n], seed: 3), d = c.copy()
          c.setProduct(of: a.matrix, b.matrix, precision)
          d.setProduct(of: aT.transposed, b.matrix, precision, accumulating: true)
          return [("c", c), ("accumulated", d)]
        }
      }
    }
  }

  /// A row's bits do not depend on the rows beside it: on narrow products (up to four strips of
  /// rows) and on wide ones.
  func testBFloat16RowsAloneAndAmongOthers() {
    let (n, k) = (67, 601)
    let a = Tensor(seeded: [200, k], seed: 1), b = Tensor(seeded: [n, k], seed: 2)
    let alone = Tensor(uninitialized: [200, n])
    for row in 0..<200 {
      alone.rows(row..<row + 1).setProduct(
        of: a.rows(row..<row + 1).matrix, b.transposed, .bfloat16)
    }
    for m in 1...200 {
      let c = Tensor(uninitialized: [m, n])
      // From the end, so that a row has another place in its tile each time.
      c.setProduct(of: a.rows(200 - m..<200).matrix, b.transposed, .bfloat16)
      assertSameBits(c.values, alone.rows(200 - m..<200).values, "among \(m)")
    }
  }

  /// Nor a column's bits on the columns beside it.
  func testBFloat16ColumnsAloneAndAmongOthers() {
    let (m, k) = (93, 1030)
    let a = Tensor(seeded: [m, k], seed: 1), b = Tensor(seeded: [1600, k], seed: 2)
    let whole = Tensor(uninitialized: [m, 1600])
    whole.setProduct(of: a.matrix, b.transposed, .bfloat16)
    for range in [0..<1, 17..<18, 31..<64, 500..<601, 1535..<1537, 1590..<1600] {
      let part = Tensor(uninitialized: [m, range.count])
      part.setProduct(of: a.matrix, b.rows(range).transposed, .bfloat16)
      let expected = (0..<m).flatMap { row in range.map { whole.row(row)[$0] } }
      assertSameBits(part.values, expected, "columns \(range)")
    }
  }

  /// A sum over rows in stretches of a multiple of where sums are cut, as over all rows at once.
  func testSumsInStretches() {
    let (m, n) = (45, 37)
    for (precision, stretch) in [(Precision.bfloat16, 512), (.float32, 4096)] {
      let k = 2 * stretch + 77
      let a = Tensor(seeded: [k, m], seed: 1), b = Tensor(seeded: [k, n], seed: 2)
      let whole = Tensor(uninitialized: [m, n]), parts = Tensor(uninitialized: [m, n])
      whole.setProduct(of: a.transposed, b.matrix, precision)
      for start in stride(from: 0, to: k, by: stretch) {
        let rows = start..<min(k, start + stretch)
        parts.setProduct(
          of: a.rows(rows).transposed, b.rows(rows).matrix, precision, accumulating: start > 0)
      }
      assertSameBits(parts, whole, "\(precision)")
    }
  }

  /// Rows in stretches of a multiple of where they are cut, as all at once. (OpenBLAS once had other
  /// bits for the last few rows, whose tile had another height.)
  func testRowsInStretches() {
    let (n, k, stretch) = (129, 67, 4096)
    for m in [stretch + 1, stretch + 905] {
      let a = Tensor(seeded: [m, k], seed: 1), b = Tensor(seeded: [n, k], seed: 2)
      for precision in Precision.allCases {
        let whole = Tensor(uninitialized: [m, n]), parts = Tensor(uninitialized: [m, n])
        whole.setProduct(of: a.matrix, b.transposed, precision)
        for rows in [0..<stretch, stretch..<m] {
          parts.rows(rows).setProduct(of: a.rows(rows).matrix, b.transposed, precision)
        }
        assertSameBits(parts, whole, "\(m) rows, \(precision)")
      }
    }
  }

  /// Every instruction set's products are cut alike, so in bfloat16 all agree to the bit.
  func testBFloat16OnAllInstructionSets() {
    for (m, n, k) in [(5, 131, 1027), (203, 131, 1027)] {
      let a = Tensor(seeded: [m, k], seed: 1), b = Tensor(seeded: [k, n], seed: 2)
      let made = InstructionSet.available.map { set in
        let c = Tensor(uninitialized: [m, n])
        c.product(
          of: a.matrix, .matrix(b.matrix), .bfloat16, accumulating: false,
          kernels: set.kernels?.pointee ?? kernels)
        return c
      }
      for (set, c) in zip(InstructionSet.available, made) {
        assertSameBits(c, made[0], "\(set.name), \(m)×\(n) over \(k)")
      }
    }
  }

  // MARK: -

  private func transposedCopy(_ x: Tensor) -> Tensor {
    let (rows, columns) = (x.rows, x.columns)
    let values = (0..<rows * columns).map { x.row($0 % rows)[$0 / rows] }
    return Tensor(values, shape: [columns, rows])
  }

  /// The same factors, as rows and as columns of memory. (A matrix does not keep its memory.)
  private func forEachOrientation(
    _ a: Tensor, _ b: Tensor, _ body: (_ number: Int, _ a: Matrix, _ b: Matrix) -> Void
  ) {
    let (aT, bT) = (transposedCopy(a), transposedCopy(b))
    withExtendedLifetime((aT, bT)) {
      body(0, a.matrix, b.matrix)
      body(1, a.matrix, bT.transposed)
      body(2, aT.transposed, b.matrix)
      body(3, aT.transposed, bT.transposed)
    }
  }

  /// a · b in Double, and how far off a float32 sum may be.
  private struct Reference {
    let values: [Double]
    let tolerances: [Double]

    init(_ a: Tensor, _ b: Tensor, rounded: Bool) {
      func operand(_ x: Tensor) -> [Double] {
        x.values.map { Double(rounded ? $0.roundedToBFloat16 : $0) }
      }
      let (left, right) = (operand(a), operand(b))
      let (m, n, k) = (a.rows, b.columns, a.columns)
      var values = [Double](repeating: 0, count: m * n)
      var sizes = [Double](repeating: 1, count: m * n)
      for i in 0..<m {
        for p in 0..<k {
          let factor = left[i * k + p]
          for j in 0..<n {
            let term = factor * right[p * n + j]
            values[i * n + j] += term
            sizes[i * n + j] += abs(term)
          }
        }
      }
      self.values = values
      // Each of k additions rounds its sum to half an ulp; such errors add up like √k.
      let unit = 0x1p-24 * (8 + 4 * Double(k).squareRoot())
      tolerances = sizes.map { $0 * unit }
    }
  }
}
