import Scores
import XCTest

final class BenchmarkTests: XCTestCase {
  func testProblemsAreInTheOrderOfTheirBytes() throws {
    let names = ["b", "é", "a", "e\u{301}", "B", "10", "9"]
    let made = try ScoredBenchmark(
      name: "X", samplesAsked: 1, problems: names.map { problem($0, "r") })
    // The two ways to write é are one text to String, and two ids.
    XCTAssertEqual(
      made.problems.map { Array($0.id.utf8) },
      ["10", "9", "B", "a", "b", "e\u{301}", "é"].map { Array($0.utf8) })
  }

  func testErrors() {
    func make(_ problems: [ScoredProblem], asked: Int = 2) throws -> ScoredBenchmark {
      try ScoredBenchmark(name: "AIME", samplesAsked: asked, problems: problems)
    }
    assertThrows(try make([]), "'AIME': no problems. Give those that were to be asked.")
    for asked in [0, -1, 1_000_001, .max] {
      assertThrows(
        try make([problem("a", "r")], asked: asked),
        "'AIME': \(asked) samples of each problem; ask for 1 to 1000000.")
    }
    assertThrows(
      try make([problem("a", "r"), problem("b", "r"), problem("a", "w")]),
      "'AIME': problem 'a' is there twice. Put its samples together.")
    assertThrows(
      try make([problem("a", "rrw")]),
      "'AIME': problem 'a' has 3 samples, where 2 were asked for. "
        + "Leave out what belongs to another run.")
    for tokens in [-1, 1_000_000_001, .max] {
      assertThrows(
        try make([problem("a", "r", tokens: tokens)]),
        "'AIME': problem 'a', sample 1: \(tokens) tokens; give 0 to 1000000000.")
    }
    for (letter, outcome) in [
      ("c", "cut"), ("n", "noAnswer"), ("t", "timeout"), ("i", "infrastructure"),
    ] {
      assertThrows(
        try make([problem("a", "r" + letter + "3")]),
        "'AIME': problem 'a', sample 2: '\(outcome)' with a class of answers. "
          + "Only 'right', 'wrong' and 'unreadable' have an answer to compare.")
    }
    for samples in ["r4w4", "u4r4", "w0r"] {
      assertThrows(
        try make([problem("a\n", samples)]),
        "'AIME': problem 'a\\u000a': class \(samples.contains("4") ? 4 : 0) holds right and other "
          + "answers, which can't be equal. Judge and classes must be made by the same rules.")
    }
    XCTAssertNoThrow(try make([problem("a", "u4w4"), problem("b", "r4r5")]))
  }

  func testCounts() throws {
    let made = try ScoredBenchmark(
      name: "AIME", samplesAsked: 9,
      problems: [
        problem("a", "rrrwcnuti", tokens: 20), problem("b", "rwwwi", tokens: 50),
        problem("c", ""), problem("d", "rc", tokens: 51),
      ])
    let counts = OutcomeCounts(made)
    XCTAssertEqual(counts.problems, 4)
    XCTAssertEqual(counts.asked, 36)
    XCTAssertEqual(counts.right, 5)
    XCTAssertEqual(counts.wrong, 4)
    XCTAssertEqual(counts.finished, 9)
    XCTAssertEqual(counts.cut, 2)
    XCTAssertEqual(counts.noAnswer, 1)
    XCTAssertEqual(counts.unreadable, 1)
    XCTAssertEqual(counts.timeouts, 1)
    XCTAssertEqual(counts.infrastructure, 2)
    XCTAssertEqual(counts.neverCame, 20)
    XCTAssertEqual(counts.there, 14)
    XCTAssertEqual(counts.missing, 22)
    // 8 of 20, 4 of 50 and 2 of 51: what was lost does not count.
    XCTAssertEqual(counts.tokens, 462)
    XCTAssertEqual(counts.meanTokens, 33)
    XCTAssertEqual(counts.medianTokens, 20)
    XCTAssertEqual(
      counts.sentence,
      "'AIME': 36 samples of 4 problems: 9 finished (5 right), 2 cut by length, 1 without an answer, "
        + "1 unreadable, 1 timed out, 2 lost to failures of the infrastructure, 20 that never came."
    )

    let one = OutcomeCounts(try benchmark("r"))
    XCTAssertEqual(one.sentence, "'AIME': 1 sample of 1 problem: 1 finished (1 right).")
    let even = try ScoredBenchmark(
      name: "X", samplesAsked: 1,
      problems: [problem("a", "r", tokens: 1), problem("b", "w", tokens: 4)])
    XCTAssertEqual(OutcomeCounts(even).medianTokens, 2.5)
    let odd = try ScoredBenchmark(
      name: "X", samplesAsked: 1,
      problems: [
        problem("a", "r", tokens: 9), problem("b", "w", tokens: 1), problem("c", "w", tokens: 4),
      ])
    XCTAssertEqual(OutcomeCounts(odd).medianTokens, 4)
    let none = OutcomeCounts(try benchmark("i", "i"))
    XCTAssertNil(none.meanTokens)
    XCTAssertNil(none.medianTokens)
  }
}
