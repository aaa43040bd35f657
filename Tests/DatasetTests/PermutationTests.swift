import XCTest

@testable import Datasets

final class PermutationTests: XCTestCase {
  private func order(_ count: Int, seed: UInt64 = 1, epoch: Int = 0) -> [Int] {
    let permutation = Permutation(count: count, seed: seed, epoch: epoch)
    return (0..<count).map { permutation[$0] }
  }

  func testEveryNumberOnce() {
    for count in [0, 1, 2, 3, 4, 5, 7, 16, 17, 100, 1009, 65_537] {
      for epoch in 0..<3 {
        XCTAssertEqual(order(count, epoch: epoch).sorted(), Array(0..<count), "\(count)")
      }
    }
  }

  /// The order is part of what a run is: it must stay the same on every machine and for ever. The
  /// numbers are those of the same construction written in Python.
  func testPinnedOrders() {
    XCTAssertEqual(order(10, seed: 42), [0, 9, 8, 5, 2, 3, 4, 1, 6, 7])
    XCTAssertEqual(order(10, seed: 42, epoch: 1), [0, 5, 8, 2, 3, 7, 6, 4, 9, 1])
    XCTAssertEqual(Permutation(count: 1_000_003, seed: 7, epoch: 3)[999_999], 714_331)
  }

  func testSeedsAndEpochsDiffer() {
    let orders = [
      order(100), order(100, seed: 2), order(100, epoch: 1), order(100, seed: 2, epoch: 1),
    ]
    for (i, a) in orders.enumerated() {
      for b in orders[(i + 1)...] {
        // Two random orders of 100 agree at about one place.
        XCTAssertLessThan(zip(a, b).count { $0 == $1 }, 12)
      }
    }
  }

  /// Every number comes at every place about as often: chi square over many seeds, and the same for
  /// what follows what.
  func testUniform() {
    let n = 7
    let runs = 7_000
    var places = [Int](repeating: 0, count: n * n)
    var followers = [Int](repeating: 0, count: n * n)
    for seed in 0..<runs {
      let order = order(n, seed: UInt64(seed))
      for (i, x) in order.enumerated() {
        places[i * n + x] += 1
        if i > 0 { followers[order[i - 1] * n + x] += 1 }
      }
    }
    let expected = Double(runs) / Double(n)
    let chi = places.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    // 36 degrees of freedom: mean 36, deviation 8.5.
    XCTAssertLessThan(chi, 36 + 5 * 8.5)
    let pairs = Double(runs * (n - 1)) / Double(n * (n - 1))
    let chiPairs = (0..<n * n).filter { $0 / n != $0 % n }.reduce(0) {
      $0 + (Double(followers[$1]) - pairs) * (Double(followers[$1]) - pairs) / pairs
    }
    XCTAssertLessThan(chiPairs, 41 + 5 * 9.1)
  }
}
