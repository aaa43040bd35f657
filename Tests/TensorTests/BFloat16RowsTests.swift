import Foundation
import Tensors
import TestSupport
import XCTest

final class BFloat16RowsTests: XCTestCase {
  /// Sizes of one strip and of many, of one block of the sum and of several, none a multiple.
  private let sizes = [
    (1, 1, 1), (3, 5, 7), (2, 33, 513), (5, 131, 1027), (61, 17, 1537), (203, 131, 1027),
    (257, 1601, 67),
  ]

  /// A product with rows in bfloat16 has the bits of one with the same numbers in float32.
  func testProducts() {
    for (m, n, k) in sizes {
      for precision in Precision.allCases {
        let what = "\(m)×\(n) over \(k), \(precision)"
        let (half, whole) = rows(n, k, seed: 1)
        let x = Tensor(seeded: [m, k], seed: 2), y = Tensor(seeded: [m, n], seed: 3)
        for accumulating in [false, true] {
          let found = Tensor(seeded: [m, n], seed: 4), expected = found.copy()
          found.setProduct(
            of: x, transposed: Weight(half, isTrained: false), precision,
            accumulating: accumulating)
          expected.setProduct(
            of: x.matrix, whole.transposed, precision, accumulating: accumulating)
          assertSameBits(found, expected, "x · Wᵀ, \(what), \(accumulating)")
          let back = Tensor(seeded: [m, k], seed: 5), expectedBack = back.copy()
          back.setProduct(
            of: y, Weight(half, isTrained: false), precision, accumulating: accumulating)
          expectedBack.setProduct(of: y.matrix, whole.matrix, precision, accumulating: accumulating)
          assertSameBits(back, expectedBack, "y · W, \(what), \(accumulating)")
        }
      }
    }
  }

  /// Rows that lie in several stretches of memory, one of them empty, are one matrix.
  func testStretches() {
    let (n, k) = (131, 517)
    let (half, whole) = rows(n, k, seed: 1)
    guard let words = half.own else { return XCTFail("no words") }
    var first = 0
    let stretches = [1, 64, 0, 35, 31].map { count in
      defer { first += count }
      return BFloat16Rows.Stretch(rows: count, words: words + first * k, owner: half)
    }
    let parts = BFloat16Rows(stretches, columns: k)
    XCTAssertEqual(parts.rows, n)
    XCTAssertNil(parts.own)
    for precision in Precision.allCases {
      for m in [2, 211] {
        let x = Tensor(seeded: [m, k], seed: 2), y = Tensor(seeded: [m, n], seed: 3)
        let found = Tensor(uninitialized: [m, n]), back = Tensor(uninitialized: [m, k])
        found.setProduct(of: x, transposed: Weight(parts, isTrained: false), precision)
        back.setProduct(of: y, Weight(parts, isTrained: false), precision)
        let expected = Tensor(uninitialized: [m, n]), expectedBack = Tensor(uninitialized: [m, k])
        expected.setProduct(of: x.matrix, whole.transposed, precision)
        expectedBack.setProduct(of: y.matrix, whole.matrix, precision)
        assertSameBits(found, expected, "x · Wᵀ, \(m), \(precision)")
        assertSameBits(back, expectedBack, "y · W, \(m), \(precision)")
      }
    }
    let row = Tensor(uninitialized: [k])
    Weight(parts, isTrained: false).copyRow(100, to: row.pointer)
    assertSameBits(row.values, whole.rows(100..<101).values)
  }

  /// Rounding is to nearest, ties to even, wherever the rows go.
  func testRounding() {
    let source = Tensor(seeded: [37, 129], seed: 7)
    let rows = BFloat16Rows(rows: 40, columns: 129)
    rows.round(source, at: 3)
    let read = Tensor(uninitialized: [37, 129])
    rows.read(rows: 3..<40, columns: 0..<129, to: read.pointer, stride: 129)
    assertSameBits(read.values, source.values.map { Float(BFloat16($0)) })
    let part = Tensor(zeros: [2, 5])
    rows.read(rows: 5..<7, columns: 100..<104, to: part.pointer, stride: 5)
    assertSameBits(
      part.values,
      [2, 3].flatMap { row in (100..<104).map { Float(BFloat16(source.row(row)[$0])) } + [0] })
  }

  #if os(Linux)
    /// Pages of a mapped file that hold nothing but rows are given back, and read again when they are
    /// needed; memory that is nobody's file keeps what it holds.
    func testRelease() throws {
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let bytes = 9 * page
      let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      defer { try? FileManager.default.removeItem(at: url) }
      let words = (0..<bytes / 2).map { UInt16($0 % 0x3f00) }
      try words.withUnsafeBytes { Data($0) }.write(to: url)
      let descriptor = open(url.path, O_RDONLY)
      defer { close(descriptor) }
      let address = mmap(nil, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0)
      let memory = try XCTUnwrap(address == MAP_FAILED ? nil : address)
      defer { munmap(memory, bytes) }
      let columns = page / 2
      // From the middle of page 1 to the middle of page 4, and from there to the end of page 7.
      let first = (memory + page + page / 2).assumingMemoryBound(to: UInt16.self)
      func stretches(isMapped: Bool) -> [BFloat16Rows.Stretch] {
        [
          .init(rows: 3, words: first, owner: nil, isMapped: isMapped),
          .init(rows: 3, words: first + 3 * columns, owner: nil, isMapped: isMapped),
        ]
      }
      let mapped = BFloat16Rows(stretches(isMapped: true), columns: columns)
      let before = read(mapped)
      let inside = words[3 * columns / 2..<15 * columns / 2]
      assertSameBits(before, inside.map { Float(bitPattern: UInt32($0) << 16) })
      BFloat16Rows(stretches(isMapped: false), columns: columns).release()
      let touched = try present(memory, pages: 9)
      XCTAssertTrue(touched[1...7].allSatisfy { $0 }, "\(touched)")
      mapped.release()
      let left = try present(memory, pages: 9)
      XCTAssertEqual(
        Array(left[1...7]), [true, false, false, true, false, false, true], "\(left)")
      mapped.prefetch()
      assertSameBits(read(mapped), before, "read again")

      let own = BFloat16Rows(rows: 3 * columns, columns: 4)
      own.round(Tensor(seeded: [3 * columns, 4], seed: 1), at: 0)
      let kept = read(own)
      own.release()
      own.prefetch()
      assertSameBits(read(own), kept, "own")
    }

    /// Whether pages are in this process's memory: bit 63 of an entry of the kernel's page map.
    private func present(_ memory: UnsafeMutableRawPointer, pages: Int) throws -> [Bool] {
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let map = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/pagemap"))
      try map.seek(toOffset: UInt64(UInt(bitPattern: memory) / UInt(page) * 8))
      let entries = try XCTUnwrap(map.read(upToCount: 8 * pages))
      return (0..<pages).map { entries[entries.startIndex + 8 * $0 + 7] & 0x80 != 0 }
    }
  #endif

  private func read(_ rows: BFloat16Rows) -> [Float] {
    let all = Tensor(uninitialized: [rows.rows, rows.columns])
    rows.read(
      rows: 0..<rows.rows, columns: 0..<rows.columns, to: all.pointer, stride: rows.columns)
    return all.values
  }

  /// A product goes into some columns of a tensor and leaves the others alone.
  func testColumns() {
    for (m, n, k) in [(3, 5, 7), (101, 37, 61), (67, 33, 0)] {
      for precision in Precision.allCases {
        for accumulating in [false, true] {
          let a = Tensor(seeded: [m, k], seed: 1), b = Tensor(seeded: [k, n], seed: 2)
          let whole = Tensor(seeded: [m, n + 13], seed: 3), before = whole.copy()
          let expected = Tensor(uninitialized: [m, n])
          for t in 0..<m { expected.row(t).update(from: before.row(t) + 11, count: n) }
          expected.setProduct(of: a.matrix, b.matrix, precision, accumulating: accumulating)
          whole.setProduct(
            of: a.matrix, b.matrix, precision, accumulating: accumulating, column: 11)
          for t in 0..<m {
            for j in 0..<n + 13 {
              let isInside = (11..<11 + n).contains(j)
              XCTAssertEqual(
                whole.row(t)[j], isInside ? expected.row(t)[j - 11] : before.row(t)[j],
                "\(m)×\(n) over \(k), \(precision), row \(t), column \(j)")
            }
          }
        }
      }
    }
  }

  /// Random rows in bfloat16, and the same numbers in float32.
  private func rows(_ n: Int, _ k: Int, seed: Int) -> (half: BFloat16Rows, whole: Tensor) {
    let half = BFloat16Rows(rows: n, columns: k)
    half.round(Tensor(seeded: [n, k], seed: seed), at: 0)
    let whole = Tensor(uninitialized: [n, k])
    half.read(rows: 0..<n, columns: 0..<k, to: whole.pointer, stride: k)
    return (half, whole)
  }
}
