import XCTest

@testable import Datasets

final class LengthTests: XCTestCase {
  /// Turns of so many tokens, each learned but for its first.
  private func document(_ turns: Int...) -> RenderedDocument {
    var document = RenderedDocument()
    for turn in turns {
      document.append([1], supervised: false)
      document.append([Int32](repeating: 2, count: turn - 1), supervised: true)
      document.turnEnds.append(document.ids.count)
    }
    return document
  }

  func testPolicies() {
    for policy in LengthPolicy.allCases {
      XCTAssertEqual(policy.apply(to: document(4, 6), contextLength: 10), .kept)
    }
    let long = document(4, 7)
    XCTAssertEqual(LengthPolicy.drop.apply(to: long, contextLength: 10), .dropped)
    XCTAssertEqual(LengthPolicy.refuse.apply(to: long, contextLength: 10), .refused)
    XCTAssertEqual(
      LengthPolicy.keepIfComplete.apply(to: long, contextLength: 10), .shortened(document(4)))
    XCTAssertEqual(
      LengthPolicy.keepIfComplete.apply(to: document(4, 3, 9), contextLength: 7),
      .shortened(document(4, 3)))
    XCTAssertEqual(LengthPolicy.keepIfComplete.apply(to: document(11), contextLength: 10), .dropped)
    var unlearned = document(4, 7)
    unlearned.supervised.replaceSubrange(0..<4, with: [false, false, false, false])
    XCTAssertEqual(
      LengthPolicy.keepIfComplete.apply(to: unlearned, contextLength: 10), .dropped)
  }

  func testHistogram() {
    let lengths = (1...100).map { 10 * $0 } + [5000]
    let histogram = LengthHistogram(lengths)
    XCTAssertEqual(histogram.buckets.reduce(0) { $0 + $1.count }, 101)
    let bar = String(repeating: "█", count: 51)
    XCTAssertEqual(histogram.lines.first, "   1 –  100     10    9.9 %  \(bar)")
    XCTAssertEqual(histogram.lines.dropLast().last, "1001 – 5000      1    1.0 %  █████▏")
    for line in histogram.lines { XCTAssertLessThanOrEqual(line.count, 80, line) }
    XCTAssertEqual(
      histogram.lines.last,
      "mean 550, median 510, 90 % up to 910, 99 % up to 1000, longest 5000")
    XCTAssertEqual(histogram.buckets.first?.lengths, 1...100)
    XCTAssertEqual(histogram.buckets.last, .init(lengths: 1001...5000, count: 1))
    XCTAssertEqual(LengthHistogram([7]).lines.count, 2)
    XCTAssertEqual(
      LengthHistogram([]).lines,
      ["mean 0, median 0, 90 % up to 0, 99 % up to 0, longest 0"])
  }

  /// Every document is in the bucket whose range has its length.
  func testBuckets() {
    var random = SeededRandom(seed: 8)
    for limit in [1, 2, 9, 100, 32_768] {
      let lengths = (0..<500).map { _ in Int.random(in: 1...limit, using: &random) }
      for bucket in LengthHistogram(lengths).buckets {
        XCTAssertEqual(bucket.count, lengths.count { bucket.lengths.contains($0) }, "\(bucket)")
      }
    }
  }
}
