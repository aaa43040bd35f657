import XCTest

@testable import Datasets

final class PackingTests: XCTestCase {
  func testKnownCases() {
    for (lengths, rows) in [
      ([Int](), [[Int]]()),
      ([10], [[0]]),
      ([5, 5, 5], [[0, 1], [2]]),
      // The longest first: 9, then 6 and 4 together, then 3 with the 6 if it has room.
      ([3, 6, 4, 9, 1], [[0], [1, 2], [3, 4]]),
      // Of two rows with room for it, the document takes the fuller one.
      ([7, 8, 2, 3], [[0, 3], [1, 2]]),
      ([8, 7, 1, 1, 1], [[0, 2, 3], [1, 4]]),
      ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10]]),
    ] {
      let packing = Packing(lengths, contextLength: 10, method: .bestFit)
      XCTAssertEqual(packing.rows, rows, "\(lengths)")
      XCTAssertEqual(packing.tokens, lengths.reduce(0, +))
      XCTAssertEqual(packing.capacity, 10 * rows.count)
    }
    XCTAssertEqual(Packing([3, 6], contextLength: 10, method: .none).rows, [[0], [1]])
    XCTAssertEqual(
      Packing([5, 3], contextLength: 10, method: .bestFit).waste, 0.2, accuracy: 1e-12)
    XCTAssertEqual(Packing([], contextLength: 10, method: .bestFit).waste, 0)
  }

  private func lengths(_ count: Int, to limit: Int, _ random: inout SeededRandom) -> [Int] {
    (0..<count).map { _ in
      let u = Double.random(in: 0..<1, using: &random)
      return 1 + Int(u * u * u * Double(limit - 1))
    }
  }

  func testEveryDocumentOnceAndNoRowTooLong() {
    var random = SeededRandom(seed: 1)
    for (count, limit, window) in [
      (1000, 64, 1000), (1000, 100, 64), (503, 4096, 128), (97, 7, 10),
    ] {
      let lengths = lengths(count, to: limit, &random)
      let packing = Packing(lengths, contextLength: limit, method: .bestFit, window: window)
      XCTAssertEqual(packing.rows.flatMap { $0 }.sorted(), Array(0..<count))
      for row in packing.rows {
        XCTAssertLessThanOrEqual(row.reduce(0) { $0 + lengths[$1] }, limit)
        XCTAssertEqual(row, row.sorted())
        XCTAssertEqual(Set(row.map { $0 / window }).count, 1, "a row stays within its window")
      }
      XCTAssertEqual(
        packing, Packing(lengths, contextLength: limit, method: .bestFit, window: window))
      XCTAssertLessThanOrEqual(packing.rows.count, firstFit(lengths, limit, window))
    }
  }

  /// Rows when each document, in its order, takes the first row that has room.
  private func firstFit(_ lengths: [Int], _ limit: Int, _ window: Int) -> Int {
    stride(from: 0, to: lengths.count, by: window).reduce(0) { sum, start in
      var rooms: [Int] = []
      for length in lengths[start..<min(start + window, lengths.count)] {
        if let row = rooms.firstIndex(where: { $0 >= length }) {
          rooms[row] -= length
        } else {
          rooms.append(limit - length)
        }
      }
      return sum + rooms.count
    }
  }

  /// Against the same rule, searched through plainly.
  func testBestFitDecreasing() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<200 {
      let limit = Int.random(in: 1...130, using: &random)
      let lengths = lengths(Int.random(in: 0...40, using: &random), to: limit, &random)
      var rows: [(documents: [Int], room: Int, since: Int)] = []
      for (step, i) in lengths.indices.sorted(by: { (-lengths[$0], $0) < (-lengths[$1], $1) })
        .enumerated()
      {
        let fitting = rows.indices.filter { rows[$0].room >= lengths[i] }
        if let best = fitting.min(by: {
          (rows[$0].room, -rows[$0].since) < (rows[$1].room, -rows[$1].since)
        }) {
          rows[best].documents.append(i)
          rows[best].room -= lengths[i]
          rows[best].since = step
        } else {
          rows.append(([i], limit - lengths[i], step))
        }
      }
      XCTAssertEqual(
        Packing(lengths, contextLength: limit, method: .bestFit).rows,
        rows.map { $0.documents.sorted() }.sorted { $0[0] < $1[0] })
    }
  }
}
