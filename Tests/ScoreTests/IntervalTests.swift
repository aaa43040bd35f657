import XCTest

@testable import Scores

final class IntervalTests: XCTestCase {
  // MARK: - Wilson

  func testWilsonAgainstSciPy() throws {
    let cases = try ScoresFixture.read().wilson
    XCTAssertEqual(cases.count, 8)
    for entry in cases {
      let found = try ConfidenceInterval.wilson(
        successes: entry.successes, of: entry.trials, confidence: entry.confidence)
      XCTAssertEqual(found.low, entry.low, accuracy: 1e-14, "\(entry)")
      XCTAssertEqual(found.high, entry.high, accuracy: 1e-14, "\(entry)")
      XCTAssertEqual(found.method, .wilson)
      XCTAssertEqual(found.confidence, entry.confidence)
    }
    for trials in 1...300 {
      XCTAssertEqual(try ConfidenceInterval.wilson(successes: 0, of: trials).low, 0)
      XCTAssertEqual(try ConfidenceInterval.wilson(successes: trials, of: trials).high, 1)
    }
  }

  func testWilsonErrors() {
    for (successes, trials) in [(0, 0), (-1, 4), (5, 4), (1, -1)] {
      assertThrows(
        try ConfidenceInterval.wilson(successes: successes, of: trials),
        "\(successes) successes of \(trials) trials have no proportion.")
    }
    for confidence in [0.4, 1, .nan] {
      assertThrows(
        try ConfidenceInterval.wilson(successes: 1, of: 2, confidence: confidence),
        "A confidence of \(confidence); give 0.5 to 0.9999.")
    }
  }

  // MARK: - Bootstrap

  func testAgainstNumPyAndSciPy() throws {
    let cases = try ScoresFixture.read().bootstraps
    XCTAssertEqual(cases.count, 14)
    var corrected = 0
    for entry in cases {
      for (method, expected) in [
        (ConfidenceInterval.Method.percentile, entry.percentile),
        (.biasCorrected, entry.biasCorrected),
      ] {
        let bootstrap = try Bootstrap(
          resamples: entry.resamples, seed: entry.seed, confidence: entry.confidence,
          method: method)
        let found = try XCTUnwrap(bootstrap.interval(ofMeanOf: entry.values))
        let place = "\(entry.values.count) \(entry.confidence) \(method)"
        XCTAssertEqual(found.low, expected[0], accuracy: 1e-11, place)
        XCTAssertEqual(found.high, expected[1], accuracy: 1e-11, place)
        XCTAssertEqual(found.method, method, place)
        XCTAssertEqual(found.confidence, entry.confidence)
        if entry.percentile != entry.biasCorrected { corrected += 1 }
      }
    }
    XCTAssertGreaterThan(corrected, 10)
  }

  func testQuantiles() {
    XCTAssertEqual(quantile(0.5, of: [1, 2]), 1.5)
    XCTAssertEqual(quantile(0.25, of: [0, 4, 8]), 2)
    XCTAssertEqual(quantile(0, of: [3, 4]), 3)
    XCTAssertEqual(quantile(1, of: [3, 4]), 4)
    XCTAssertEqual(quantile(7, of: [3, 4]), 4)
    XCTAssertEqual(quantile(0.3, of: [3]), 3)
  }

  /// All seeds and orders of the default settings; fixed as text, so that another machine that makes
  /// another last bit of it is found out.
  func testTheFiguresAreTheSameEverywhere() throws {
    // Such that no two means are equal: the interval then has every bit of BCa's levels in it.
    let values = (0..<30).map { Double($0 * $0 * $0) / 24_389 }
    let interval = try Bootstrap.standard.interval(of: score(values))
    XCTAssertEqual(Bootstrap.standard, try Bootstrap())
    XCTAssertEqual(Bootstrap.standard.resamples, 10_000)
    XCTAssertEqual(Bootstrap.standard.seed, 1)
    XCTAssertEqual(Bootstrap.standard.confidence, 0.95)
    XCTAssertEqual(Bootstrap.standard.method, .biasCorrected)
    XCTAssertEqual("\(interval.low) \(interval.high)", "0.16746569948769469 0.37757378241496775")

    var named = values.enumerated().map { (problem: "p\(1000 + $0)", value: $1) }
    var scramble = Scramble(state: 3)
    named.shuffle(using: &scramble)
    let shuffled = try Score(benchmark: "AIME", name: "pass@1", values: named)
    let again = try Bootstrap.standard.interval(of: shuffled)
    XCTAssertEqual(again.low.bitPattern, interval.low.bitPattern)
    XCTAssertEqual(again.high.bitPattern, interval.high.bitPattern)
    let seeded = try Bootstrap(seed: 2).interval(of: shuffled)
    XCTAssertNotEqual(seeded, interval)
    XCTAssertEqual(seeded.low, interval.low, accuracy: 0.01)
  }

  func testEqualValuesHaveAnInterval() throws {
    let solved = try Bootstrap.standard.interval(of: score([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]))
    XCTAssertEqual(solved, try .wilson(successes: 10, of: 10))
    let none = try Bootstrap(confidence: 0.9).interval(of: score([0, 0, 0]))
    XCTAssertEqual(none, try .wilson(successes: 0, of: 3, confidence: 0.9))
    let half = try Bootstrap.standard.interval(of: score([0.5, 0.5]))
    XCTAssertEqual(half, try .wilson(successes: 1, of: 2))
    // Squares of distances that are 0 in binary have no acceleration.
    let tiny = try XCTUnwrap(Bootstrap.standard.interval(ofMeanOf: [0, 1e-200]))
    XCTAssertEqual(tiny, ConfidenceInterval(0, 1e-200, 0.95, .percentile))
    XCTAssertNil(Bootstrap.standard.interval(ofMeanOf: [0.25, 0.25]))
    XCTAssertNil(Bootstrap.standard.interval(ofMeanOf: []))
    assertThrows(
      try Bootstrap.standard.interval(of: score([0.5])),
      "'AIME': one problem says nothing of others: no interval.")
  }

  func testErrors() {
    for resamples in [99, 1_000_001, -1, .max] {
      assertThrows(
        try Bootstrap(resamples: resamples),
        "A bootstrap of \(resamples) resamples; give 100 to 1000000.")
    }
    for confidence in [0.49, 0.99991, .infinity, .nan] {
      assertThrows(
        try Bootstrap(confidence: confidence),
        "A confidence of \(confidence); give 0.5 to 0.9999.")
    }
    assertThrows(
      try Bootstrap(method: .wilson),
      "A bootstrap is 'percentile' or 'biasCorrected', not 'wilson'.")
  }

  func testContains() {
    let interval = ConfidenceInterval(-0.5, 0, 0.95, .percentile)
    XCTAssertTrue(interval.contains(0))
    XCTAssertTrue(interval.contains(-0.5))
    XCTAssertFalse(interval.contains(1e-9))
    XCTAssertFalse(interval.contains(-0.6))
  }

  // MARK: - Two levels

  /// The standard error over problems holds the samples' part: over many benchmarks with problems and
  /// samples of their own, the means spread as it says; over samples of one set of problems, as
  /// `samplingError` says.
  func testBothErrorsAreWhatTheyClaim() throws {
    var scramble = Scramble(state: 17)
    func sample(_ rates: [Double]) throws -> Score {
      let problems = rates.enumerated().map { number, rate in
        problem(
          "p\(number)",
          (0..<6).map { _ in
            Double.random(in: 0..<1, using: &scramble) < rate ? "r" : "w"
          }.joined())
      }
      return try PassRates(ScoredBenchmark(name: "X", samplesAsked: 6, problems: problems)).passAt1
    }
    func rates() -> [Double] { (0..<40).map { _ in Double.random(in: 0..<1, using: &scramble) } }
    func squared(_ errors: [Double?]) -> Double {
      errors.reduce(0) { $0 + ($1 ?? .nan) * ($1 ?? .nan) } / Double(errors.count)
    }
    func variance(_ scores: [Score]) -> Double {
      let deviation = standardDeviation(of: scores.map(\.mean)) ?? .nan
      return deviation * deviation
    }
    let fixed = rates()
    let same = try (0..<600).map { _ in try sample(fixed) }
    XCTAssertEqual(variance(same) / squared(same.map(\.samplingError)), 1, accuracy: 0.15)
    let new = try (0..<600).map { _ in try sample(rates()) }
    XCTAssertEqual(variance(new) / squared(new.map(\.standardError)), 1, accuracy: 0.15)
    // Rates spread by 1/12, samples by 1/6 of 1/6: the second alone would be a quarter of both.
    XCTAssertEqual(
      squared(new.map(\.samplingError)) / squared(new.map(\.standardError)), 0.25, accuracy: 0.03)
  }
}
