import XCTest

@testable import Scores

final class ComparisonTests: XCTestCase {
  private func compare(
    _ first: [Double], _ second: [Double], _ bootstrap: Bootstrap = .standard,
    of kind: String = "pass@1", on name: String = "AIME"
  ) throws -> PairedComparison {
    try PairedComparison(
      score(first, on: name, of: kind), of: "a", with: score(second, on: name, of: kind), of: "b",
      bootstrap: bootstrap)
  }

  // MARK: - Sign flips

  func testFlipsAgainstSciPy() throws {
    let cases = try ScoresFixture.read().flips
    XCTAssertEqual(cases.count, 7)
    for entry in cases {
      let counted = SignFlips(
        of: entry.differences, denominator: entry.denominator, flips: entry.flips, seed: entry.seed)
      XCTAssertEqual(counted.pValue, entry.counted, accuracy: 1e-12, "\(entry)")
      XCTAssertNil(counted.drawn)
      let drawn = SignFlips(
        of: entry.differences, denominator: nil, flips: entry.flips, seed: entry.seed)
      XCTAssertEqual(drawn.pValue, entry.drawn, accuracy: 1e-15, "\(entry)")
      XCTAssertEqual(drawn.drawn, entry.flips)
    }
  }

  /// All choices of signs, one by one.
  func testFlipsAgainstAllSigns() {
    var scramble = Scramble(state: 2)
    for _ in 0..<60 {
      let count = Int.random(in: 1...9, using: &scramble)
      let steps = (0..<count).map { _ in Int.random(in: -6...8, using: &scramble) }
      let found = abs(steps.reduce(0, +))
      var asFar = 0
      for signs in 0..<(1 << count) {
        let sum = steps.enumerated().reduce(0) { $0 + (signs >> $1.0 & 1 == 0 ? $1.1 : -$1.1) }
        if abs(sum) >= found { asFar += 1 }
      }
      let flipped = SignFlips(
        of: steps.map { Double($0) / 12 }, denominator: 12, flips: 100, seed: 1)
      XCTAssertEqual(
        flipped.pValue, Double(asFar) / Double(1 << count), accuracy: 1e-13, "\(steps)")
    }
  }

  func testWhatCantBeCountedIsDrawn() {
    // Not whole steps of the denominator.
    XCTAssertEqual(
      SignFlips(of: [0.5, 0.3], denominator: 2, flips: 100, seed: 1).drawn, 100)
    // Too many sums, though of few steps; with a common divisor few enough.
    let sums = (0..<8).map { Double($0 % 2 + 300_000) / 1_000_000 }
    XCTAssertEqual(SignFlips(of: sums, denominator: 1_000_000, flips: 100, seed: 1).drawn, 100)
    let alike = sums.map { _ in 0.3 }
    XCTAssertEqual(
      SignFlips(of: alike, denominator: 1_000_000, flips: 100, seed: 1),
      SignFlips(of: [1, 1, 1, 1, 1, 1, 1, 1], denominator: 1, flips: 100, seed: 1))
    // Too many additions, though of few sums.
    let additions = (0..<150).map { Double($0 % 2 + 10_000) / 20_000 }
    XCTAssertEqual(SignFlips(of: additions, denominator: 20_000, flips: 100, seed: 1).drawn, 100)
    let few = [Double](repeating: 1_000 / 1_001, count: 3_000)
    let counted = SignFlips(of: few, denominator: 1_001, flips: 100, seed: 1)
    XCTAssertNil(counted.drawn)
    // 2 / 2³⁰⁰⁰ is below all numbers that there are, and isn't 0.
    XCTAssertGreaterThan(counted.pValue, 0)
    XCTAssertLessThan(counted.pValue, 1e-300)
  }

  func testDenominators() throws {
    XCTAssertEqual(commonDenominator([4, 6]), 12)
    XCTAssertEqual(commonDenominator([1, 64, 64]), 64)
    XCTAssertEqual(commonDenominator([61, 64]), 3_904)
    XCTAssertNil(commonDenominator([997, 991, 983]))
    XCTAssertNil(commonDenominator([1_000_000, 999_999]))
    XCTAssertEqual(try PassRates(benchmark("rrw", "wwr")).passAt1.denominator, 3)
    // Where it is known, or values are 0 and 1, the p-value is counted, else drawn.
    XCTAssertNil(try compare([0, 1, 1], [1, 1, 1]).drawnFlips)
    XCTAssertEqual(try compare([0, 1, 0.5], [1, 1, 1]).drawnFlips, 100_000)
    let known = try PassRates(benchmark("rrw", "wwr")).passAt1
    let other = try PassRates(benchmark("rw", "ww")).passAt1
    let comparison = try PairedComparison(known, of: "a", with: other, of: "b")
    XCTAssertNil(comparison.drawnFlips)
    XCTAssertEqual(comparison.pValue, 0.5)
    let unknown = try Score(
      benchmark: "AIME", name: "pass@1", values: [("p1", 0.25), ("p2", 0.5)])
    let drawn = try PairedComparison(known, of: "a", with: unknown, of: "b", flips: 1_000)
    XCTAssertEqual(drawn.drawnFlips, 1_000)
    XCTAssertEqual(drawn.pValue, 1, accuracy: 0.6)
  }

  // MARK: - Figures

  func testFigures() throws {
    let comparison = try compare(
      [1, 0.5, 0.75, 1, 0.5, 1, 0.25, 1], [0.5, 0.5, 0, 1, 0, 0, 0.5, 0.5])
    XCTAssertEqual(comparison.differences, [0.5, 0, 0.75, 0, 0.5, 1, -0.25, 0.5])
    XCTAssertEqual(comparison.difference, 0.375)
    XCTAssertEqual(comparison.firstMean, 0.75)
    XCTAssertEqual(comparison.secondMean, 0.375)
    XCTAssertEqual(
      comparison.interval, Bootstrap.standard.interval(ofMeanOf: comparison.differences))
    let deviation = try XCTUnwrap(standardDeviation(of: comparison.differences))
    XCTAssertEqual(
      comparison.detectable,
      try DetectableDifference(problems: 8, standardDeviation: deviation))
    XCTAssertEqual(deviation * deviation, (2.375 - 8 * 0.140625) / 7, accuracy: 1e-15)

    // The other way round.
    let turned = try compare([0.5, 0.5, 0, 1, 0, 0, 0.5, 0.5], [1, 0.5, 0.75, 1, 0.5, 1, 0.25, 1])
    XCTAssertEqual(turned.difference, -0.375)
    XCTAssertEqual(turned.pValue, comparison.pValue)
  }

  /// What both models find hard drops out: the same scores on other problems tell nothing.
  func testPairsTellMore() throws {
    let hard = (0..<40).map { Double($0 % 2) * 0.8 }
    let better = hard.enumerated().map { $1 + ($0 % 5 == 0 ? 0 : 0.1) }
    XCTAssertEqual(try compare(better, hard).verdict, .firstIsBetter)
    let moved = Array(hard[1...] + hard[..<1])
    XCTAssertEqual(try compare(better, moved).verdict, .undecided)
  }

  func testVerdicts() throws {
    let ones = [Double](repeating: 1, count: 12)
    let zeros = [Double](repeating: 0, count: 12)
    let better = try compare(ones, zeros)
    XCTAssertEqual(better.verdict, .firstIsBetter)
    XCTAssertEqual(better.pValue, 2 / 4_096.0)
    XCTAssertNil(better.detectable)
    // Wilson's of 12 of 12 is 0.7575 to 1, stretched.
    XCTAssertEqual(
      try XCTUnwrap(better.interval).low, 2 * 12 / (12 + 3.841_458_820_694_124) - 1, accuracy: 1e-12
    )
    XCTAssertEqual(better.interval?.high, 1)
    XCTAssertEqual(try compare(zeros, ones).verdict, .secondIsBetter)
    XCTAssertEqual(try XCTUnwrap(compare(zeros, ones).interval).low, -1)
    let same = try compare(ones, ones)
    XCTAssertEqual(same.verdict, .same)
    XCTAssertNil(same.interval)
    XCTAssertEqual(same.pValue, 1)
    // Five pairs can't reach a p-value of 0.05, whatever the interval says; six can.
    let five = try compare([1, 1, 1, 1, 1], [0, 0, 0, 0, 0])
    XCTAssertEqual(five.pValue, 0.0625)
    XCTAssertFalse(try XCTUnwrap(five.interval).contains(0))
    XCTAssertEqual(five.verdict, .undecided)
    XCTAssertEqual(try compare([1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]).verdict, .firstIsBetter)
    // At 90 % five are enough: 0.0625 is below 0.1.
    let five90 = try compare([1, 1, 1, 1, 1], [0, 0, 0, 0, 0], Bootstrap(confidence: 0.9))
    XCTAssertEqual(five90.verdict, .firstIsBetter)
    XCTAssertEqual(better.verdict(pValue: 0.05), .firstIsBetter)
    XCTAssertEqual(better.verdict(pValue: 0.0501), .undecided)
    // A small p-value isn't enough where the interval holds 0.
    let even = try compare([1, 1, 1, 0, 0, 1, 0, 0], [0, 0, 0, 1, 1, 0, 1, 0])
    XCTAssertTrue(try XCTUnwrap(even.interval).contains(0))
    XCTAssertEqual(even.verdict(pValue: 0.001), .undecided)
  }

  /// Models that are equally good are told apart about once in 20 times.
  func testFalseAlarms() throws {
    var scramble = Scramble(state: 8)
    let bootstrap = try Bootstrap(resamples: 400)
    var alarms = 0
    for _ in 0..<400 {
      let rates = (0..<30).map { _ in Double.random(in: 0..<1, using: &scramble) }
      func values() -> [Double] {
        rates.map { Double.random(in: 0..<1, using: &scramble) < $0 ? 1 : 0 }
      }
      let verdict = try compare(values(), values(), bootstrap).verdict
      if verdict != .undecided, verdict != .same { alarms += 1 }
    }
    XCTAssertGreaterThan(alarms, 2)
    XCTAssertLessThan(alarms, 28)
  }

  func testTheOrderOfProblemsChangesNoBit() throws {
    var scramble = Scramble(state: 4)
    func named() -> [(problem: String, value: Double)] {
      (0..<33).map { ("p\($0)", Double.random(in: 0..<1, using: &scramble)) }
    }
    let (first, second) = (named(), named())
    func compare(
      _ one: [(problem: String, value: Double)], _ other: [(problem: String, value: Double)]
    ) throws -> PairedComparison {
      try PairedComparison(
        Score(benchmark: "X", name: "s", values: one), of: "a",
        with: Score(benchmark: "X", name: "s", values: other), of: "b", flips: 2_000)
    }
    let one = try compare(first, second)
    XCTAssertEqual(one.drawnFlips, 2_000)
    let other = try compare(first.shuffled(using: &scramble), second.shuffled(using: &scramble))
    XCTAssertEqual(one.difference.bitPattern, other.difference.bitPattern)
    XCTAssertEqual(one.interval, other.interval)
    XCTAssertEqual(one.pValue, other.pValue)
    XCTAssertEqual(one.detectable, other.detectable)
    XCTAssertEqual(one.sentence, other.sentence)
  }

  // MARK: - What a benchmark can show

  func testDetectableAgainstSciPy() throws {
    let cases = try ScoresFixture.read().detectable
    XCTAssertEqual(cases.count, 4)
    for entry in cases {
      let found = try DetectableDifference(
        problems: entry.problems, standardDeviation: entry.standardDeviation,
        confidence: entry.confidence, power: entry.power)
      XCTAssertEqual(found.difference, entry.difference, accuracy: 1e-14, "\(entry)")
      // The formula's own claim: a t-test has that power but for a hair, with many problems.
      XCTAssertEqual(
        entry.reached, entry.power, accuracy: entry.problems < 100 ? 0.03 : 0.006, "\(entry)")
      XCTAssertEqual(found.problemsNeeded(for: entry.difference * 1.000_001), entry.problems)
      XCTAssertEqual(found.problemsNeeded(for: -entry.difference * 0.999_999), entry.problems + 1)
      XCTAssertNil(found.problemsNeeded(for: 0))
      XCTAssertNil(found.problemsNeeded(for: 1e-9))
    }
    XCTAssertEqual(
      try DetectableDifference(problems: 3, standardDeviation: 0).problemsNeeded(for: 0.5), 1)
    let between = try DetectableDifference.between(0.5, 0.6, problems: 30)
    XCTAssertEqual(between.standardDeviation, 0.7, accuracy: 1e-15)
    XCTAssertEqual(between.power, 0.8)
    XCTAssertEqual(between.confidence, 0.95)
  }

  func testDetectableErrors() {
    assertThrows(
      try DetectableDifference(problems: 0, standardDeviation: 1), "0 problems show nothing.")
    for deviation in [-0.1, .infinity, .nan] {
      assertThrows(
        try DetectableDifference(problems: 3, standardDeviation: deviation),
        "A standard deviation of \(deviation); give 0 or more.")
    }
    assertThrows(
      try DetectableDifference(problems: 3, standardDeviation: 1, confidence: 2),
      "A confidence of 2.0; give 0.5 to 0.9999.")
    assertThrows(
      try DetectableDifference(problems: 3, standardDeviation: 1, power: 0.3),
      "A power of 0.3; give 0.5 to 0.9999.")
    assertThrows(
      try DetectableDifference.between(50, 0.6, problems: 30), "A score of 50.0; give 0 to 1.")
    assertThrows(
      try DetectableDifference.between(0.5, -0.1, problems: 30), "A score of -0.1; give 0 to 1.")
  }

  // MARK: - Errors

  func testErrors() throws {
    func compare(
      _ one: Score, _ other: Score, _ a: String = "a", _ b: String = "b", flips: Int = 100
    ) throws -> PairedComparison {
      try PairedComparison(one, of: a, with: other, of: b, flips: flips)
    }
    let values = try score([1, 0, 1])
    assertThrows(
      try compare(values, score([1, 0, 1], on: "MATH")),
      "'AIME' and 'MATH' are different benchmarks. Compare two models on the same.")
    assertThrows(
      try compare(values, score([1, 0, 1], of: "cons@64")),
      "'AIME': pass@1 and cons@64 are different scores. Compare two of one kind.")
    assertThrows(
      try compare(values, values, "a", "a"),
      "'AIME': both models are named 'a'. Name them apart.")
    assertThrows(
      try compare(values, score([1, 0])),
      "'AIME': problem 'p1002' is there for 'a' and not for 'b'. "
        + "Compare them on the problems that both have.")
    assertThrows(
      try compare(score([1, 0]), values),
      "'AIME': problem 'p1002' is there for 'b' and not for 'a'. "
        + "Compare them on the problems that both have.")
    func named(_ names: String...) throws -> Score {
      try Score(benchmark: "AIME", name: "pass@1", values: names.map { ($0, 0.5) })
    }
    // As many, but others; and the two ways to write é are two problems.
    assertThrows(
      try compare(named("a", "b"), named("b", "c")),
      "'AIME': problem 'a' is there for 'a' and not for 'b'. "
        + "Compare them on the problems that both have.")
    assertThrows(
      try compare(named("z", "é"), named("z", "e\u{301}")),
      "'AIME': problem 'é' is there for 'a' and not for 'b'. "
        + "Compare them on the problems that both have.")
    assertThrows(
      try compare(score([1]), score([0])),
      "'AIME': one problem says nothing of others: no comparison.")
    for flips in [99, 10_000_001, .max] {
      assertThrows(
        try compare(values, values, flips: flips),
        "\(flips) choices of signs; give 100 to 10000000.")
    }
    let shared = try named("a", "b", "c").shared(with: named("d", "b", "c"))
    XCTAssertEqual(shared.problems, ["b", "c"])
    XCTAssertEqual(shared.values, [0.5, 0.5])
    assertThrows(
      try named("a").shared(with: named("b")),
      "'AIME': no problem is in both scores. Compare scores of the same benchmark.")
  }

  func testSharedKeepsWhatIsKnown() throws {
    let rates = try PassRates(benchmark("rrww", "rwww", "rri", asked: 4), missing: .mark)
    let shared = try rates.passAt1.shared(
      with: Score(benchmark: "AIME", name: "pass@1", values: [("p2", 1), ("p3", 1), ("q", 0)]))
    XCTAssertEqual(shared.problems, ["p2", "p3"])
    XCTAssertEqual(shared.values, [0.25, 1])
    XCTAssertEqual(shared.mean, 0.625)
    XCTAssertEqual(shared.missing, rates.missing)
    XCTAssertEqual(shared.denominator, 4)
    XCTAssertEqual(
      try XCTUnwrap(shared.samplingError), (0.1875 / 3).squareRoot() / 2, accuracy: 1e-16)
  }
}
