import Foundation
import TestSupport
import XCTest

@testable import Tensors

/// Random numbers that depend on key and position alone.
final class RandomTests: XCTestCase {
  /// Computed apart, by another program from the published SplitMix64.
  func testKnownValues() {
    let stream = RandomStream(seed: 42, "initialization", 3)
    XCTAssertEqual(
      (0..<4).map { stream[$0] },
      [
        0x7a74_cf04_45ce_a996, 0xf082_133a_0a11_5831,
        0x1cc6_8881_c832_ece9, 0x6ed7_07a2_37eb_b3ea,
      ])
    XCTAssertEqual(
      (0..<3).map { stream.uniform($0) },
      [0.4783448586875304, 0.9394847885797096, 0.11240437668329728])
    let normal = [1.0593534863370495, -0.4456663683945975, 1.5181887061883]
    for (index, expected) in normal.enumerated() {
      XCTAssertEqual(stream.normal(index), expected, accuracy: 1e-14)
    }
    XCTAssertEqual(RandomStream(seed: 0, "")[0], 0xa706_dd2f_4d19_7e6f)
  }

  func testEachIndexByItself() {
    let stream = RandomStream(seed: 7, "a")
    let forward = (0..<100).map { stream[$0] }
    XCTAssertEqual((0..<100).reversed().map { stream[$0] }, forward.reversed())
    XCTAssertEqual(Set(forward).count, 100)
    // Indices from which numbers are computed may lie anywhere.
    XCTAssertNotEqual(stream[Int.max], stream[Int.min])
    XCTAssertTrue(stream.normal(Int.max).isFinite)
  }

  func testStreamsDiffer() {
    let streams = [
      RandomStream(seed: 1, "a"), RandomStream(seed: 2, "a"), RandomStream(seed: 1, "b"),
      RandomStream(seed: 1, "ab"), RandomStream(seed: 1, "ba"), RandomStream(seed: 1, "a", 0),
      RandomStream(seed: 1, "a", 1), RandomStream(seed: 1, "a", 0, 1),
      RandomStream(seed: 1, "a", 1, 0), RandomStream(seed: 1, "a", -1), RandomStream(seed: 1, ""),
    ]
    let numbers = streams.flatMap { stream in (0..<1000).map { stream[$0] } }
    XCTAssertEqual(Set(numbers).count, numbers.count)
  }

  func testUniform() {
    let stream = RandomStream(seed: 3, "uniform")
    let count = 200_000
    let x = (0..<count).map { stream.uniform($0) }
    XCTAssertTrue(x.allSatisfy { $0 >= 0 && $0 < 1 })
    assertMoments(x, mean: 0.5, variance: 1 / 12.0, fourth: 1 / 80.0)
    // Ten equal bins, and pairs of neighbours in a hundred squares.
    let bins = x.reduce(into: [Int](repeating: 0, count: 10)) { $0[Int($1 * 10)] += 1 }
    for bin in bins { XCTAssertEqual(Double(bin), 20_000, accuracy: 5 * 134) }
    var squares = [Int](repeating: 0, count: 100)
    for i in stride(from: 0, to: count, by: 2) {
      squares[Int(x[i] * 10) * 10 + Int(x[i + 1] * 10)] += 1
    }
    for square in squares { XCTAssertEqual(Double(square), 1000, accuracy: 5 * 32) }
  }

  func testNormal() {
    let stream = RandomStream(seed: 3, "normal")
    let x = (0..<200_000).map { stream.normal($0) }
    XCTAssertTrue(x.allSatisfy(\.isFinite))
    assertMoments(x, mean: 0, variance: 1, fourth: 3)
    // What lies within 1, 2 and 3 standard deviations.
    for (width, share) in [(1.0, 0.682689), (2, 0.954500), (3, 0.997300)] {
      let found = Double(x.filter { abs($0) < width }.count) / Double(x.count)
      let deviation = (share * (1 - share) / Double(x.count)).squareRoot()
      XCTAssertEqual(found, share, accuracy: 5 * deviation)
    }
  }

  func testFillNormal() {
    let stream = RandomStream(seed: 5, "weights")
    let count = (1 << 14) + 5
    assertSameBitsOnAnyThreads("fillNormal") {
      let x = Tensor(uninitialized: [count])
      x.fillNormal(standardDeviation: 0.02, from: stream)
      return [("x", x)]
    }
    let x = Tensor(uninitialized: [count])
    x.fillNormal(standardDeviation: 0.02, from: stream)
    assertSameBits(x.values, (0..<count).map { Float(stream.normal($0) * 0.02) })
  }

  /// Mean, variance and fourth central moment, each within five of its own standard deviations.
  private func assertMoments(
    _ x: [Double], mean: Double, variance: Double, fourth: Double, line: UInt = #line
  ) {
    let n = Double(x.count)
    let powers = (1...4).map { power in
      x.map { pow($0 - mean, Double(power)) }.reduce(0, +) / n
    }
    XCTAssertEqual(powers[0], 0, accuracy: 5 * (variance / n).squareRoot(), line: line)
    XCTAssertEqual(
      powers[1], variance, accuracy: 5 * ((fourth - variance * variance) / n).squareRoot(),
      line: line)
    XCTAssertEqual(powers[2], 0, accuracy: 5 * (15 * pow(variance, 3) / n).squareRoot(), line: line)
    XCTAssertEqual(powers[3], fourth, accuracy: 0.05 * fourth, line: line)
  }
}
