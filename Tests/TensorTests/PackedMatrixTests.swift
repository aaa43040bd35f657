import Foundation
import TestSupport
import XCTest

@testable import Tensors

/// Products with a matrix that is kept packed, against those with the matrix itself, to the bit.
final class PackedMatrixTests: XCTestCase {
  /// Narrow and wide: the way of a product changes behind four strips of the left side.
  private let rows = [1, 2, 3, 4, 5, 13, 14, 15, 55, 56, 57, 113, 257]
  /// Outputs, and what is summed over: within and across the cuts of sums and of columns.
  private let weights = [(1, 1), (31, 29), (67, 513), (131, 1027), (33, 2), (1543, 37), (257, 512)]

  func testTheBitsOfProductsWithTheMatrix() {
    for ((n, k), streams) in weights.flatMap({ weight in [1, 4].map { (weight, $0) } }) {
      let matrix = Tensor(seeded: [n, k], seed: 1)
      let packed = PackedMatrix(rows: n, columns: k, format: .bfloat16, streams: streams)
      packed.pack(matrix)
      XCTAssertEqual(packed.rows, n)
      XCTAssertEqual(packed.columns, k)
      for m in rows {
        let a = Tensor(seeded: [m, k], seed: 2), before = Tensor(seeded: [m, n], seed: 3)
        for accumulating in [false, true] {
          let expected = before.copy()
          expected.setProduct(
            of: a.matrix, matrix.transposed, .bfloat16, accumulating: accumulating)
          for threads in [1, 2, 3, 8] {
            let (found, beside) = guarded(before)
            withThreads(threads) {
              found.setProduct(of: a.matrix, transposed: packed, accumulating: accumulating)
            }
            let what =
              "\(m)×\(n) over \(k), \(accumulating), \(threads) threads, \(streams) streams"
            assertSameBits(found, expected, what)
            XCTAssertTrue(beside.allSatisfy { $0.elements.allSatisfy { $0 == 12345.5 } }, what)
          }
        }
      }
    }
  }

  /// A copy with rows before and behind it that must stay.
  private func guarded(_ x: Tensor) -> (copy: Tensor, beside: [Tensor]) {
    let count = x.rows
    let whole = Tensor(uninitialized: [count + 4, x.columns])
    whole.elements.update(repeating: 12345.5)
    let copy = whole.rows(2..<count + 2)
    copy.pointer.update(from: x.pointer, count: x.count)
    return (copy, [whole.rows(0..<2), whole.rows(count + 2..<count + 4)])
  }

  /// The left side may be some columns of wider rows, in the middle of them.
  func testALeftSideOfRowsFartherApart() {
    let (n, k, stride) = (67, 513, 601)
    let matrix = Tensor(seeded: [n, k], seed: 1), wide = Tensor(seeded: [120, stride], seed: 2)
    let packed = PackedMatrix(matrix)
    for m in [3, 113] {
      let a = Matrix(
        pointer: wide.pointer + 40, rows: m, columns: k, rowStride: stride, columnStride: 1)
      let expected = Tensor(uninitialized: [m, n]), found = Tensor(uninitialized: [m, n])
      expected.setProduct(of: a, matrix.transposed, .bfloat16)
      found.setProduct(of: a, transposed: packed)
      assertSameBits(found, expected, "\(m) rows")
    }
  }

  func testPackingInStretches() {
    for (n, k) in weights {
      let matrix = Tensor(seeded: [n, k], seed: 4)
      let whole = PackedMatrix(matrix)
      let granule = whole.rowGranule
      for panels in [1, 3] {
        for threads in [1, 3] {
          let parts = PackedMatrix(rows: n, columns: k)
          // What was there before is replaced, and the order is free.
          parts.pack(Tensor(seeded: [n, k], seed: 5))
          let starts = Array(stride(from: 0, to: n, by: panels * granule)).reversed()
          withThreads(threads) {
            for start in starts {
              parts.pack(matrix.rows(start..<min(n, start + panels * granule)), at: start)
            }
          }
          let what = "\(n)×\(k), \(panels) panels at a time, \(threads) threads"
          XCTAssertEqual(parts.byteCount, whole.byteCount, what)
          assertSameBits(copied(parts), copied(whole), what)
          for m in [3, 70] {
            let a = Tensor(seeded: [m, k], seed: 6)
            let expected = Tensor(uninitialized: [m, n]), found = Tensor(uninitialized: [m, n])
            expected.setProduct(of: a.matrix, transposed: whole)
            found.setProduct(of: a.matrix, transposed: parts)
            assertSameBits(found, expected, "\(what), \(m) rows")
          }
        }
      }
    }
  }

  func testRowsComeBackRounded() {
    for (n, k) in weights {
      let matrix = Tensor(seeded: [n, k], seed: 7)
      let packed = PackedMatrix(matrix)
      assertSameBits(copied(packed), matrix.values.map(\.roundedToBFloat16), "\(n)×\(k)")
    }
    // Ties, what rounds to infinity, zeros of both signs, and what is not finite.
    let values: [Float] = [
      Float(bitPattern: 0x3f80_8000), Float(bitPattern: 0x3f81_8000), .greatestFiniteMagnitude,
      -.greatestFiniteMagnitude, 0, -0.0, .infinity, -.infinity, .nan,
    ]
    let packed = PackedMatrix(Tensor(values, shape: [1, values.count]))
    assertSameBits(copied(packed), values.map(\.roundedToBFloat16), "extremes")
  }

  private func copied(_ packed: PackedMatrix) -> [Float] {
    let (n, k) = (packed.rows, packed.columns)
    // One more than a row holds, which must stay.
    let row = Tensor(zeros: [k + 1])
    return (0..<n).flatMap { index in
      row.elements.update(repeating: 12345.5)
      packed.copyRow(index, to: row.pointer)
      XCTAssertEqual(row.elements[k], 12345.5, "beside row \(index)")
      return Array(row.elements[..<k])
    }
  }

  /// An element takes two bytes; rows are filled up to whole panels, sums to whole words.
  func testMemory() {
    let granule = PackedMatrix(rows: 1, columns: 1).rowGranule
    XCTAssertEqual(PackedMatrix(rows: granule, columns: 64).byteCount, granule * 64 * 2)
    XCTAssertEqual(PackedMatrix(rows: granule + 1, columns: 63).byteCount, 2 * granule * 64 * 2)
    XCTAssertEqual(PackedMatrix(rows: 0, columns: 5).byteCount, 0)
  }

  func testNothingToSum() {
    for m in [1, 5, 113] {
      let c = Tensor(seeded: [m, 5], seed: 1), before = c.copy()
      let nothing = PackedMatrix(Tensor(zeros: [5, 0]))
      let a = Tensor(zeros: [m, 0])
      c.setProduct(of: a.matrix, transposed: nothing, accumulating: true)
      assertSameBits(c, before, "\(m) rows")
      c.setProduct(of: a.matrix, transposed: nothing)
      assertSameBits(c, Tensor(zeros: [m, 5]), "\(m) rows")
      // No outputs, and no rows.
      Tensor(zeros: [m, 0]).setProduct(
        of: Tensor(zeros: [m, 3]).matrix, transposed: PackedMatrix(Tensor(zeros: [0, 3])))
    }
    Tensor(zeros: [0, 5]).setProduct(
      of: Tensor(zeros: [0, 3]).matrix, transposed: PackedMatrix(Tensor(zeros: [5, 3])))
  }
}

/// Weights in integers: near the products of what was packed, and the same bits in any company.
final class IntegerMatrixTests: XCTestCase {
  func testNearTheProduct() {
    for (m, n, k) in [(1, 67, 129), (5, 131, 64), (33, 45, 700), (150, 37, 65)] {
      let x = Tensor(seeded: [m, k], seed: 1), w = Tensor(seeded: [n, k], seed: 2)
      let packed = PackedMatrix(w, format: .int8)
      XCTAssertEqual(packed.byteCount % 4, 0)
      let before = Tensor(seeded: [m, n], seed: 3)
      for accumulating in [false, true] {
        let c = before.copy(), exact = before.copy()
        c.setProduct(of: x.matrix, transposed: packed, accumulating: accumulating)
        exact.setProduct(of: x.matrix, w.transposed, .float32, accumulating: accumulating)
        // Rounding moves each factor by at most a 254th of the largest of its group.
        let tolerance = Float(k).squareRoot() * 0.02
        for index in 0..<c.count {
          XCTAssertEqual(
            c.pointer[index], exact.pointer[index], accuracy: tolerance, "\(m)×\(n) over \(k)")
        }
      }
    }
  }

  func testTheSameBitsInAnyCompany() {
    let (m, n, k) = (61, 811, 331)
    let x = Tensor(seeded: [m, k], seed: 1), w = Tensor(seeded: [n, k], seed: 2)
    let packed = PackedMatrix(rows: n, columns: k, format: .int8)
    // In stretches, as a checkpoint is loaded.
    let granule = packed.rowGranule
    for first in stride(from: 0, to: n, by: 2 * granule) {
      packed.pack(w.rows(first..<min(n, first + 2 * granule)), at: first)
    }
    let whole = Tensor(uninitialized: [m, n])
    whole.setProduct(of: x.matrix, transposed: PackedMatrix(w, format: .int8))
    assertSameBitsOnAnyThreads("int8") {
      let c = Tensor(uninitialized: [m, n])
      c.setProduct(of: x.matrix, transposed: packed)
      return [("c", c)]
    }
    for streams in [1, 4] {
      let packed = PackedMatrix(rows: n, columns: k, format: .int8, streams: streams)
      packed.pack(w)
      for rows in [0..<1, 2..<5, 5..<7, 10..<23, 30..<61] {
        let part = Tensor(uninitialized: [rows.count, n])
        part.setProduct(of: x.rows(rows).matrix, transposed: packed)
        assertSameBits(part, whole.rows(rows), "rows \(rows), \(streams) streams")
      }
    }
    let none = Tensor(zeros: [0, n])
    none.setProduct(of: Tensor(zeros: [0, k]).matrix, transposed: packed)
  }
}
