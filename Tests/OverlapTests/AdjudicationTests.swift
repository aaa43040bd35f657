import Foundation
import Storage
import XCTest

@testable import Overlap

/// What is found of pairs of training problems and MATH-500 rows that were read one by one; the
/// verdicts are in `Fixtures/overlap/adjudicated.jsonl`.
final class AdjudicationTests: XCTestCase {
  private static let files = ["openthoughts_c_lex.jsonl", "s1_c_lex.jsonl"]

  private func check(
    background: [String], _ expected: [String: [String: Int]], line: UInt = #line
  ) throws {
    let index = try EvaluationIndex(Fixture.math500(), background: background)
    var rows: [String: [JSONValue]] = [:]
    for file in Self.files { rows[file] = try Fixture.rows("decontamination/" + file) }
    var tally: [String: [String: Int]] = [:]
    var seen = 0
    for pair in try Fixture.own("adjudicated.jsonl") {
      let row = try XCTUnwrap(rows[pair.text("file")])[pair.int("row")]
      let id = try pair.text("math500")
      XCTAssertEqual(try row.text("math500_id"), id)
      XCTAssertEqual(try row.text("train_id"), try pair.text("train"))
      let found = index.findings(inPrompt: try row.text("train_problem"))
      let kind =
        found.hits.contains { $0.id == id }
        ? "hit" : found.variants.contains { $0.id == id } ? "variant" : "nothing"
      tally[try pair.text("verdict"), default: [:]][kind, default: 0] += 1
      seen += 1
    }
    XCTAssertEqual(seen, rows.values.reduce(0) { $0 + $1.count })
    XCTAssertEqual(tally, expected, line: line)
  }

  func testPairs() throws {
    try check(
      background: [],
      [
        "same": ["hit": 5], "variant": ["hit": 7, "variant": 13, "nothing": 7],
        "boilerplate": ["hit": 1, "variant": 3, "nothing": 93],
      ])
  }

  func testPairsWithABackground() throws {
    let background = try Fixture.mathTest().map(\.problem) + Fixture.mathTrain().map(\.problem)
    try check(
      background: background,
      [
        "same": ["hit": 5], "variant": ["hit": 7, "variant": 13, "nothing": 7],
        "boilerplate": ["variant": 3, "nothing": 94],
      ])
  }

  /// No training problem hits a row of `clean_baseline`, but for one that is not clean.
  ///
  /// Twelve of its 100 rows stand in `openthoughts_c_lex` too, as overlaps. Of eleven nothing is a
  /// hit; with the twelfth a training problem shares a stem of 80 words and its table, and asks
  /// another question about them.
  func testRowsThatAreCalledClean() throws {
    let index = try EvaluationIndex(Fixture.math500())
    let clean = Set(
      try Fixture.rows("decontamination/clean_baseline.jsonl").map { try $0.text("math500_id") })
    var listed: Set<String> = []
    var hits: [String] = []
    for file in Self.files + ["openthoughts_c_sem.jsonl"] {
      for row in try Fixture.rows("decontamination/" + file) {
        let id = try row.text("math500_id")
        if clean.contains(id) { listed.insert(id) }
        for hit in index.hits(inPrompt: try row.text("train_problem")) where clean.contains(hit.id)
        {
          hits.append("\(try row.text("train_id")) \(hit.id)")
        }
      }
    }
    XCTAssertEqual(clean.count, 100)
    XCTAssertEqual(listed.count, 12)
    XCTAssertEqual(hits, ["ot_091219 math500_0301"])
  }

  /// Overlaps of meaning only are not looked for; of 55 one is the same in words as well.
  func testOverlapsOfMeaning() throws {
    let index = try EvaluationIndex(Fixture.math500())
    var hits: [String] = []
    var variants = 0
    for row in try Fixture.rows("decontamination/openthoughts_c_sem.jsonl") {
      let id = try row.text("math500_id")
      let found = index.findings(inPrompt: try row.text("train_problem"))
      XCTAssertTrue(index.hits(inTrace: try row.text("train_solution")).isEmpty)
      hits += found.hits.map { "\($0.id == id) \($0.id)" }
      variants += found.variants.contains { $0.id == id } ? 1 : 0
    }
    XCTAssertEqual(hits, ["true math500_0386"])
    XCTAssertEqual(variants, 2)
  }

  // MARK: Other data

  /// Exactly these hits, whose verdicts are in `Fixtures/overlap/heldout.jsonl`.
  func testTheRestOfMATH() throws {
    let test = try Fixture.mathTest()
    let train = try Fixture.mathTrain()
    XCTAssertEqual([test.count, train.count], [4_500, 7_474])
    let listed = try Fixture.own("heldout.jsonl")
    for background in [[], test.map(\.problem) + train.map(\.problem)] {
      let index = try EvaluationIndex(Fixture.math500(), background: background)
      let expected = try listed.filter { try background.isEmpty || $0.flag("withBackground") }.map {
        "\(try $0.text("file")) \(try $0.int("row")) \(try $0.text("math500"))"
      }
      let problems =
        test.map { ("math/test.jsonl", $0.row, $0.problem) }
        + train.map { ("math/train_answers.json", $0.row, $0.problem) }
      var found: [String] = []
      for (file, row, problem) in problems {
        found += index.hits(inPrompt: problem).map { "\(file) \(row) \($0.id)" }
      }
      XCTAssertEqual(found.sorted(), expected.sorted())
    }
    var verdicts: [String: Int] = [:]
    for row in listed { verdicts[try row.text("verdict"), default: 0] += 1 }
    XCTAssertEqual(verdicts, ["same": 1, "variant": 45, "boilerplate": 31])
  }

  /// Solutions to the other problems of MATH use paragraphs of MATH-500's: 11 of 4,500.
  func testOtherSolutionsAsTraces() throws {
    let index = try EvaluationIndex(Fixture.math500())
    let hits = try Fixture.mathTest().flatMap { index.hits(inTrace: $0.solution) }
    XCTAssertEqual(hits.count, 11)
    XCTAssertTrue(hits.allSatisfy { $0.rule == .solution })
  }

  func testUnrelatedDataHasNoHit() throws {
    let index = try EvaluationIndex(Fixture.math500())
    let problems = try Fixture.rows("benchmarks/gsm8k/train.jsonl")
    let traces = try Fixture.array("traces/STAR-1.json")
    XCTAssertEqual([problems.count, traces.count], [7_473, 1_000])
    for row in problems {
      XCTAssertEqual(index.findings(inPrompt: try row.text("question")), OverlapFindings())
      XCTAssertEqual(index.findings(inTrace: try row.text("answer")), OverlapFindings())
    }
    for row in traces {
      XCTAssertEqual(index.findings(inPrompt: try row.text("question")), OverlapFindings())
      XCTAssertEqual(index.findings(inTrace: try row.text("response")), OverlapFindings())
    }
  }
}
