import XCTest

@testable import Overlap

final class DuplicateTests: XCTestCase {
  func testTheSameTextInOtherDress() {
    var texts = ExactDuplicates()
    XCTAssertNil(texts.insert("Find $\\frac12 + x$.", id: 7))
    XCTAssertNil(texts.insert("Find $\\frac12 - x$.", id: 8))
    XCTAssertEqual(texts.insert("find \\(\\dfrac{1}{2}+x\\)", id: 9), 7)
    XCTAssertEqual(texts.insert("FIND 1/2 - x!", id: 10), 8)
    XCTAssertEqual(texts.count, 2)
  }

  func testTextsWithoutWordsAreComparedByTheirBytes() {
    var texts = ExactDuplicates()
    XCTAssertNil(texts.insert("", id: 1))
    XCTAssertNil(texts.insert("...", id: 2))
    XCTAssertNil(texts.insert("???", id: 3))
    XCTAssertEqual(texts.insert("...", id: 4), 2)
    XCTAssertEqual(texts.insert("", id: 5), 1)
  }

  func testThresholdsThatMakeNoSense() {
    for (threshold, found) in [(0.5, "0.5"), (1.1, "1.1"), (.nan, "nan")] {
      XCTAssertThrowsError(try NearDuplicates(threshold: threshold)) {
        XCTAssertEqual(
          "\($0)",
          "The threshold of near duplicates is \(found). Set it above 0.5 and to at most 1.")
      }
    }
  }

  func testTheFirstIsKept() throws {
    let text = EvaluationIndexTests.bakery
    var texts = try NearDuplicates()
    XCTAssertNil(texts.insert(text, id: 5))
    XCTAssertEqual(texts.insert(text + " ", id: 6), .init(of: 5, similarity: 1))
    XCTAssertEqual(texts.insert(text, id: 7)?.of, 5)
    XCTAssertEqual(texts.count, 1)
    XCTAssertNil(texts.insert(EvaluationIndexTests.kite, id: 8))
    XCTAssertEqual(texts.insert(EvaluationIndexTests.kite, id: 9)?.of, 8)
  }

  func testTextsWithFewWordsOrNone() throws {
    var texts = try NearDuplicates()
    XCTAssertNil(texts.insert("", id: 0))
    XCTAssertNil(texts.insert("", id: 1))
    XCTAssertNil(texts.insert("Compute 3 + 5", id: 2))
    XCTAssertNil(texts.insert("Compute 3 - 5", id: 3))
    XCTAssertEqual(texts.insert("compute 3 + 5.", id: 4)?.of, 2)
    XCTAssertNil(texts.insert(String(repeating: "a", count: 1_000_000), id: 5))
    XCTAssertEqual(texts.insert(String(repeating: "A", count: 1_000_000), id: 6)?.of, 5)
  }

  /// Bands share their chains: when links led to texts and not to nodes, a search that met a text of
  /// another band followed that band's chain, and could go round for ever.
  func testManyTextsWithoutDuplicates() throws {
    var random = SeededRandom(seed: 3)
    var texts = try NearDuplicates()
    let written = (0..<6_000).map { _ in
      (0..<12).map { _ in String(UInt32.random(in: 0...40_000, using: &random), radix: 36) }
        .joined(separator: " ")
    }
    for (id, text) in written.enumerated() { XCTAssertNil(texts.insert(text, id: id)) }
    XCTAssertEqual(texts.count, written.count)
    // Through every growth of the table each is found again.
    for (id, text) in written.enumerated() {
      XCTAssertEqual(texts.insert(text, id: -1), .init(of: id, similarity: 1))
    }
  }

  /// With what it takes at most between two growths, a million texts are below 1 GB.
  func testAMillionTextsFitInAGigabyte() throws {
    var random = SeededRandom(seed: 4)
    var texts = try NearDuplicates()
    var most = 0.0
    for id in 0..<9_000 {
      let text = (0..<6).map { _ in String(UInt32.random(in: 0...40_000, using: &random)) }
        .joined(separator: " ")
      _ = texts.insert(text, id: id)
      if id > 4_096 { most = max(most, Double(texts.byteCount) / Double(texts.count)) }
    }
    XCTAssertLessThan(most, 1_000)
    XCTAssertEqual(NearDuplicates.bytesPerText, 648)
  }

  /// Against the exact similarity of every pair of 3,000 problems and edited copies of them.
  ///
  /// Copies get a share of their words replaced, so that similarities of all sizes occur.
  func testPrecisionAndRecallAgainstAllPairs() throws {
    var random = SeededRandom(seed: 5)
    var written: [String] = []
    for row in try Fixture.rows("benchmarks/gsm8k/train.jsonl").prefix(1_500) {
      let text = try row.text("question")
      written.append(text)
      var words = text.split(separator: " ").map(String.init)
      for _ in 0..<Int.random(in: 0...3, using: &random) where !words.isEmpty {
        words[Int.random(in: 0..<words.count, using: &random)] = "changed"
      }
      written.append(words.joined(separator: " "))
    }
    let sets = written.map { NearDuplicates.runs($0) }
    // Runs in one text only can't be shared: the exact search goes through the others.
    var holders: [UInt64: [Int]] = [:]
    for (k, set) in sets.enumerated() { for run in set { holders[run, default: []].append(k) } }
    var shared: [[Int: Int]] = Array(repeating: [:], count: sets.count)
    for some in holders.values {
      for a in some { for b in some where b < a { shared[a][b, default: 0] += 1 } }
    }
    func similarity(_ a: Int, _ b: Int) -> Double {
      let both = shared[a][b] ?? 0
      return Double(both) / Double(sets[a].count + sets[b].count - both)
    }
    var texts = try NearDuplicates()
    var kept: [Int] = []
    var found = 0
    var right = 0
    var clear = 0
    var clearFound = 0
    var error = 0.0
    for (k, text) in written.enumerated() {
      let exact = kept.map { similarity(k, $0) }.max() ?? 0
      let duplicate = texts.insert(text, id: k)
      if exact >= 0.85 {
        clear += 1
        clearFound += duplicate == nil ? 0 : 1
      }
      if let duplicate {
        found += 1
        let truth = similarity(k, duplicate.of)
        right += truth >= 0.8 ? 1 : 0
        error = max(error, abs(truth - duplicate.similarity))
      } else {
        kept.append(k)
      }
    }
    // Precision 0.943: the others are just below the threshold. Recall 0.996, at 0.85 or more.
    XCTAssertEqual([found, right, clear, clearFound], [601, 567, 482, 480])
    XCTAssertLessThan(error, 0.15)
  }
}
