import XCTest

@testable import Scores

final class WordTests: XCTestCase {
  private let many = (0..<40).map { Double($0 % 8) / 8 }

  private func comparison(
    _ first: [Double], _ second: [Double], on name: String = "AIME", of kind: String = "pass@1",
    _ models: (String, String) = ("distilled", "RL"), confidence: Double = 0.95
  ) throws -> PairedComparison {
    try PairedComparison(
      score(first, on: name, of: kind), of: models.0, with: score(second, on: name, of: kind),
      of: models.1, bootstrap: Bootstrap(confidence: confidence))
  }

  /// 40 problems, of which the first is better on so many and worse on so many.
  private func made(
    _ better: Int, _ worse: Int, on name: String = "AIME", of kind: String = "pass@1",
    confidence: Double = 0.95
  ) throws -> PairedComparison {
    let first = (0..<40).map { $0 < better ? 1.0 : 0 }
    let second = (0..<40).map { $0 >= better && $0 < better + worse ? 1.0 : 0 }
    return try comparison(first, second, on: name, of: kind, confidence: confidence)
  }

  func testFigures() {
    XCTAssertEqual(Wording.fixed(0.04999, 1), "0.0")
    XCTAssertEqual(Wording.fixed(-0.04, 1), "0.0")
    XCTAssertEqual(Wording.fixed(-0.05, 1), "-0.1")
    XCTAssertEqual(Wording.fixed(12.345, 2), "12.35")
    XCTAssertEqual(Wording.fixed(1234.5, 0), "1235")
    XCTAssertEqual(Wording.fixed(-3.25, 1), "-3.3")
    XCTAssertEqual(Wording.fixed(1e20, 1), "1e+20")
    XCTAssertEqual(Wording.fixed(.nan, 1), "nan")
    XCTAssertEqual(Wording.points(1), "100.0")
    XCTAssertEqual(Wording.percent(0.95), "95 %")
    XCTAssertEqual(Wording.percent(0.995), "99.5 %")
    XCTAssertEqual(Wording.percent(0.9999), "99.99 %")
    XCTAssertEqual(Wording.pValue(0.00009), "p < 0.0001")
    XCTAssertEqual(Wording.pValue(0.0001), "p 0.0001")
    XCTAssertEqual(Wording.pValue(0.0096), "p 0.0096")
    XCTAssertEqual(Wording.pValue(0.049), "p 0.049")
    XCTAssertEqual(Wording.pValue(1), "p 1.000")
    XCTAssertEqual(Wording.list([]), "")
    XCTAssertEqual(Wording.list(["a"]), "a")
    XCTAssertEqual(Wording.list(["a", "b"]), "a and b")
    XCTAssertEqual(Wording.list(["a", "b", "c"]), "a, b and c")
    XCTAssertEqual(Wording.count(1, "problem", "problems"), "1 problem")
    XCTAssertEqual(Wording.count(0, "problem", "problems"), "0 problems")
  }

  // MARK: - One score

  func testAScore() throws {
    let rates = try PassRates(benchmark("rrww", "rwww", "rrrr", "cntu"))
    let score = rates.passAt1
    XCTAssertEqual(
      score.sentence(for: "R1", ConfidenceInterval(0.08, 0.8125, 0.95, .biasCorrected)),
      "'R1' has 43.8 points on 'AIME' (pass@1, 4 problems; 95 %: 8.0 to 81.3).")
    XCTAssertEqual(
      score.sentence(for: "R1", nil), "'R1' has 43.8 points on 'AIME' (pass@1, 4 problems).")
    // √(7/48) / 4 is 0.0955 of which 1.96 are 18.7 points, and 1.64 are 15.7.
    XCTAssertEqual(
      score.coverage(),
      "The interval is for other problems like these 4, with other samples; on these problems, other "
        + "samples alone would move the score by up to 18.7 points (95 %).")
    XCTAssertEqual(
      score.coverage(confidence: 0.9),
      "The interval is for other problems like these 4, with other samples; on these problems, other "
        + "samples alone would move the score by up to 15.7 points (90 %).")
    XCTAssertEqual(
      try Votes(benchmark("rr", "rr")).consensus(at: 2).coverage(),
      "The interval is for other problems like these 2, with other samples; how much of it is due to "
        + "the samples alone isn't known for this score.")
    let marked = try PassRates(benchmark("rw", "r"), missing: .mark).passAt1
    XCTAssertEqual(
      marked.sentence(for: "R1", nil),
      "'R1' has 75.0 points on 'AIME' (pass@1, 2 problems). 1 of 4 samples is missing (1 never came)."
    )
  }

  // MARK: - Two models

  func testBetterAndWorse() throws {
    XCTAssertEqual(
      try made(12, 1).sentence,
      "'distilled' is 27.5 points better than 'RL' on 'AIME' (pass@1, 40 problems; 95 %: 12.5 to 45.0; "
        + "p 0.0034).")
    XCTAssertEqual(
      try made(1, 12).sentence,
      "'RL' is 27.5 points better than 'distilled' on 'AIME' (pass@1, 40 problems; 95 %: 12.5 to 45.0; "
        + "p 0.0034).")
  }

  func testUndecided() throws {
    XCTAssertEqual(
      try made(6, 3).sentence,
      "40 problems can't tell 'distilled' (15.0) from 'RL' (7.5) on 'AIME' (pass@1): the difference is "
        + "7.5 points (95 %: -7.5 to 22.5; p 0.508), and only one of 21.0 would show with a power of "
        + "80 %.")
    XCTAssertEqual(
      try comparison([1, 1, 1, 1, 1], [0, 0, 0, 0, 0]).sentence,
      "5 problems can't tell 'distilled' (100.0) from 'RL' (0.0) on 'AIME' (pass@1): the difference "
        + "is 100.0 points (95 %: 13.1 to 100.0; p 0.063), and so few show none with a confidence of "
        + "95 %.")
  }

  /// The formula holds for many problems; of few it may claim that less than what was found would
  /// show, and then isn't cited.
  func testALimitBelowTheDifferenceIsNotSaid() throws {
    let first: [Double] = [1, 1, 1, 1, 1, 1, 1, 0]
    let second: [Double] = [0, 0, 0, 0, 0, 0, 0, 0.25]
    for (one, other) in [(first, second), (second, first)] {
      let comparison = try comparison(one, other, confidence: 0.99)
      XCTAssertEqual(comparison.pValue, 4 / 256.0, accuracy: 0.001)
      XCTAssertEqual(comparison.verdict, .undecided)
      XCTAssertFalse(comparison.sentence.contains("would show"), comparison.sentence)
      XCTAssertTrue(comparison.sentence.hasSuffix("; p 0.016)."), comparison.sentence)
    }
  }

  func testSame() throws {
    XCTAssertEqual(
      try comparison(many, many).sentence,
      "'distilled' and 'RL' have 43.8 points on 'AIME' (pass@1), the same on each of the 40 problems."
    )
  }

  func testMissingIsSaid() throws {
    let one = try PassRates(benchmark("rrr", "rrr"), missing: .mark).passAt1
    let other = try PassRates(benchmark("wwi", "ww", asked: 3), missing: .mark).passAt1
    XCTAssertEqual(
      try PairedComparison(other, of: "x", with: one, of: "y").sentence,
      "2 problems can't tell 'x' (0.0) from 'y' (100.0) on 'AIME' (pass@1): the difference is -100.0 "
        + "points (95 %: -100.0 to 31.5; p 0.500), and so few show none with a confidence of 95 %. Of "
        + "'x', 2 of 6 samples are missing (1 never came, 1 lost to failures of the infrastructure)."
    )
  }

  func testPublishedScores() throws {
    XCTAssertEqual(
      try DetectableDifference.sentence(telling: 0.5, from: 0.6, problems: 30),
      "30 problems can't tell 50.0 from 60.0: with one sample of each, only a difference of 35.8 "
        + "points would show (95 % confidence, 80 % power); 385 problems could.")
    XCTAssertEqual(
      try DetectableDifference.sentence(telling: 0.5, from: 0.6, problems: 385),
      "385 problems can tell 50.0 from 60.0: with one sample of each, a difference of 10.0 points "
        + "would show (95 % confidence, 80 % power).")
    XCTAssertEqual(
      try DetectableDifference.sentence(telling: 0.6, from: 0.5, problems: 384),
      "384 problems can't tell 60.0 from 50.0: with one sample of each, only a difference of 10.0 "
        + "points would show (95 % confidence, 80 % power); 385 problems could.")
    XCTAssertEqual(
      try DetectableDifference.sentence(telling: 0.5, from: 0.5, problems: 1),
      "1 problem can't tell 50.0 from 50.0: with one sample of each, only a difference of 198.1 "
        + "points would show (95 % confidence, 80 % power).")
    XCTAssertEqual(
      try DetectableDifference.sentence(telling: 0, from: 0, problems: 9),
      "9 problems can't tell 0.0 from 0.0: with one sample of each, only a difference of 0.0 "
        + "points would show (95 % confidence, 80 % power).")
  }

  // MARK: - Several benchmarks

  func testHolm() {
    // 0.01 · 4, 0.02 · 3, 0.03 · 2 which isn't below 0.06, 0.5.
    let found = TableComparison.corrected([0.03, 0.01, 0.5, 0.02])
    for (found, expected) in zip(found, [0.06, 0.04, 0.5, 0.06]) {
      XCTAssertEqual(found, expected, accuracy: 1e-15)
    }
    XCTAssertEqual(TableComparison.corrected([0.4, 0.9]), [0.8, 0.9])
    XCTAssertEqual(TableComparison.corrected([0.6, 0.7]), [1, 1])
    XCTAssertEqual(TableComparison.corrected([0.05]), [0.05])
    XCTAssertEqual(TableComparison.corrected([0.02, 0.02]), [0.04, 0.04])
  }

  func testATable() throws {
    let table = try TableComparison([
      made(14, 0, on: "AIME 2024"), made(16, 2, on: "MATH-500"), made(12, 0, on: "GPQA"),
      made(5, 3, on: "LiveCodeBench"),
    ])
    XCTAssertEqual(
      table.verdicts, [.firstIsBetter, .firstIsBetter, .firstIsBetter, .undecided])
    XCTAssertEqual(
      table.sentence,
      "'distilled' beats 'RL' on 3 of 4 benchmarks ('AIME 2024', 'MATH-500' and 'GPQA'); on "
        + "'LiveCodeBench' the difference isn't clear. Counted with a confidence of 95 % for all 4 "
        + "together.")
    XCTAssertEqual(
      try TableComparison([made(0, 14, on: "A"), made(12, 0, on: "B"), made(1, 13, on: "C")])
        .sentence,
      "'RL' beats 'distilled' on 2 of 3 benchmarks ('A' and 'C'); 'distilled' is better on 'B'. "
        + "Counted with a confidence of 95 % for all 3 together.")
    XCTAssertEqual(
      try TableComparison([made(0, 14, on: "A"), made(12, 0, on: "B"), made(0, 0, on: "C")])
        .sentence,
      "'distilled' beats 'RL' on 1 of 3 benchmarks ('B'); 'RL' is better on 'A'; on 'C' they are the "
        + "same problem by problem. Counted with a confidence of 95 % for all 3 together.")
    XCTAssertEqual(
      try TableComparison([made(3, 2, on: "A"), made(2, 3, on: "B")]).sentence,
      "Neither 'distilled' nor 'RL' is clearly better on any of 2 benchmarks. Counted with a "
        + "confidence of 95 % for all 2 together.")
    XCTAssertEqual(
      try TableComparison([made(3, 2)]).sentence,
      "Neither 'distilled' nor 'RL' is clearly better on the one benchmark. Counted with a confidence "
        + "of 95 %.")
    XCTAssertEqual(
      try TableComparison([made(20, 2, confidence: 0.99)]).sentence,
      "'distilled' beats 'RL' on the one benchmark ('AIME'). Counted with a confidence of 99 %.")
    XCTAssertEqual(
      try TableComparison([made(20, 2), made(3, 2, of: "cons@64")]).sentence,
      "'distilled' beats 'RL' on 1 of 2 benchmarks ('AIME' pass@1); on 'AIME' cons@64 the difference "
        + "isn't clear. Counted with a confidence of 95 % for all 2 together.")
  }

  /// One of several that differs by p = 0.03 alone may be chance.
  func testTheCorrectionCounts() throws {
    let alone = try made(9, 1)
    XCTAssertEqual(alone.pValue, 22 / 1024.0, accuracy: 1e-12)
    XCTAssertEqual(alone.verdict, .firstIsBetter)
    let table = try TableComparison([
      made(9, 1, on: "A"), made(3, 2, on: "B"), made(2, 2, on: "C"),
    ])
    XCTAssertEqual(table.correctedPValues[0], 66 / 1024.0, accuracy: 1e-12)
    XCTAssertEqual(table.verdicts[0], .undecided)
  }

  func testATableSaysWhatIsMissing() throws {
    let one = try PassRates(benchmark("rr", "r"), missing: .mark).passAt1
    let other = try PassRates(benchmark("rr", "rw")).passAt1
    let table = try TableComparison([
      PairedComparison(one, of: "distilled", with: other, of: "RL"), made(12, 0, on: "B"),
    ])
    XCTAssertEqual(
      table.sentence,
      "'distilled' beats 'RL' on 1 of 2 benchmarks ('B'); on 'AIME' the difference isn't clear. "
        + "Counted with a confidence of 95 % for all 2 together. Samples are missing on 'AIME'.")
    // Named once, however many of its scores there are.
    let twice = try TableComparison([
      PairedComparison(one, of: "distilled", with: other, of: "RL"),
      PairedComparison(
        Votes(benchmark("rr", "r"), missing: .mark).consensus(at: 1), of: "distilled",
        with: Votes(benchmark("rr", "rw")).consensus(at: 1), of: "RL"),
    ])
    XCTAssertTrue(
      twice.sentence.hasSuffix("together. Samples are missing on 'AIME'."), twice.sentence)
  }

  func testTableErrors() throws {
    assertThrows(try TableComparison([]), "No comparisons.")
    assertThrows(
      try TableComparison([made(3, 2, on: "A"), comparison(many, many, on: "B", ("x", "RL"))]),
      "'B': this compares 'x' with 'RL', the others 'distilled' with 'RL'. "
        + "Make a table for each pair.")
    assertThrows(
      try TableComparison([
        made(3, 2, on: "A"), comparison(many, many, on: "B", ("distilled", "y")),
      ]),
      "'B': this compares 'distilled' with 'y', the others 'distilled' with 'RL'. "
        + "Make a table for each pair.")
    assertThrows(
      try TableComparison([made(3, 2, on: "A"), made(3, 2, on: "B", confidence: 0.99)]),
      "'B': a confidence of 99 %, where the others have 95 %. Use one for a table.")
    assertThrows(
      try TableComparison([made(3, 2), made(4, 2)]), "'AIME': pass@1 is there twice. Leave one out."
    )
  }
}
