import XCTest

@testable import Scores

final class RatingTests: XCTestCase {
  private func rated(_ rating: Double, _ solved: Int, of attempts: Int = 1) -> RatedProblem {
    RatedProblem(id: "p\(rating)", rating: rating, solved: solved, attempts: attempts)
  }

  func testAgainstSciPyAndMpmath() throws {
    let cases = try ScoresFixture.read().ratings
    XCTAssertEqual(cases.count, 7)
    var kinds = [0, 0, 0]
    for entry in cases {
      let problems = entry.problems.map { rated($0.rating, $0.solved, of: $0.attempts) }
      let found = try SolverRating(problems)
      XCTAssertEqual(found.problems, problems.count)
      switch found.estimate {
      case .rating(let rating, let error, let clustered):
        XCTAssertEqual(rating, try XCTUnwrap(entry.rating), accuracy: 1e-7)
        XCTAssertEqual(error, try XCTUnwrap(entry.standardError), accuracy: 1e-7)
        XCTAssertEqual(clustered, try XCTUnwrap(entry.clusteredError), accuracy: 1e-7)
        let width = 1.959_963_984_540_054 * max(error, clustered)
        let interval = try XCTUnwrap(found.interval)
        XCTAssertEqual(interval.lowerBound, rating - width, accuracy: 1e-9)
        XCTAssertEqual(interval.upperBound, rating + width, accuracy: 1e-9)
        kinds[0] += 1
      case .atLeast(let bound):
        XCTAssertEqual(bound, try XCTUnwrap(entry.atLeast), accuracy: 1e-7)
        XCTAssertNil(found.interval)
        kinds[1] += 1
      case .atMost(let bound):
        XCTAssertEqual(bound, try XCTUnwrap(entry.atMost), accuracy: 1e-7)
        XCTAssertNil(found.interval)
        kinds[2] += 1
      }
    }
    XCTAssertEqual(kinds, [5, 1, 1])
  }

  func testProbabilities() {
    XCTAssertEqual(SolverRating.probability(of: 1500, at: 1500), 0.5)
    XCTAssertEqual(SolverRating.probability(of: 1500, at: 1900), 10.0 / 11, accuracy: 1e-15)
    XCTAssertEqual(SolverRating.probability(of: 1900, at: 1500), 1.0 / 11, accuracy: 1e-15)
    // Codeforces' own example: 200 more win about three times in four.
    XCTAssertEqual(SolverRating.probability(of: 1500, at: 1700), 0.76, accuracy: 0.001)
  }

  /// One problem of each result at one rating; and far away, where exponentials are out of range.
  func testKnownRatings() throws {
    let even = try SolverRating([rated(1500, 1), rated(1500, 0)])
    // 400 / ln 10 · √2.
    guard case .rating(let rating, let error, let clustered) = even.estimate else {
      return XCTFail("\(even)")
    }
    XCTAssertEqual(rating, 1500, accuracy: 1e-8)
    XCTAssertEqual(error, 400 / 2.302_585_092_994_046 * 2.0.squareRoot(), accuracy: 1e-9)
    XCTAssertEqual(clustered, error, accuracy: 1e-9)

    let far = try SolverRating([rated(-10_000, 1), rated(10_000, 0)])
    guard case .rating(let middle, _, _) = far.estimate else { return XCTFail("\(far)") }
    XCTAssertEqual(middle, 0, accuracy: 1e-6)
    let few = try SolverRating([rated(1000, 1, of: 1_000_000)])
    guard case .rating(let low, _, _) = few.estimate else { return XCTFail("\(few)") }
    // 10^(x / 400) is 999,999.
    XCTAssertEqual(low, 1000 - 2399.999_826, accuracy: 1e-5)
    let unsolved = try SolverRating([rated(-10_000, 0), rated(10_000, 0)])
    guard case .atMost(let bound) = unsolved.estimate else { return XCTFail("\(unsolved)") }
    // 1 / (1 + 10^(x / 400)) is 0.05: 400 log10 19 above the easier one.
    XCTAssertEqual(bound, -10_000 + 511.501_44, accuracy: 1e-4)
    let solved = try SolverRating([rated(-10_000, 1), rated(10_000, 1)])
    guard case .atLeast(let other) = solved.estimate else { return XCTFail("\(solved)") }
    XCTAssertEqual(other, 10_000 - 511.501_44, accuracy: 1e-4)
  }

  func testSeveralAttemptsGiveNoBetterBound() throws {
    let one = try SolverRating([rated(1500, 1), rated(1700, 1)])
    let many = try SolverRating([rated(1500, 8, of: 8), rated(1700, 8, of: 8)])
    XCTAssertEqual(one.estimate, many.estimate)
    let sure = try SolverRating([rated(1500, 1), rated(1700, 1)], confidence: 0.99)
    XCTAssertNotEqual(one.estimate, sure.estimate)
  }

  func testAttemptsThatFailTogether() throws {
    let apart = (0..<20).map { _ in rated(1500, 4, of: 8) }
    let together = (0..<20).map { rated(1500, $0 % 2 * 8, of: 8) }
    guard case .rating(_, let a, let aClustered) = try SolverRating(apart).estimate,
      case .rating(_, let b, let bClustered) = try SolverRating(together).estimate
    else { return XCTFail("no rating") }
    XCTAssertEqual(a, b, accuracy: 1e-9)
    XCTAssertEqual(aClustered, 0, accuracy: 1e-9)
    // As if there were one attempt at each.
    XCTAssertEqual(bClustered, b * 8.0.squareRoot(), accuracy: 1e-8)
  }

  func testTheOrderChangesNoBit() throws {
    var scramble = Scramble(state: 6)
    let problems = (0..<50).map { _ in
      rated(
        Double(Int.random(in: 8...35, using: &scramble)) * 100.1,
        Int.random(in: 0...4, using: &scramble), of: 4)
    }
    let one = try SolverRating(problems)
    for _ in 0..<4 {
      XCTAssertEqual(try SolverRating(problems.shuffled(using: &scramble)), one)
    }
  }

  func testOfABenchmark() throws {
    let made = try benchmark("rrw", "rww", "www", "rri")
    let ratings = ["p1": 1200.0, "p2": 1500, "p3": 2000, "p4": 1800]
    assertThrows(
      try SolverRating(made) { ratings[$0] },
      "'AIME': 1 of 12 samples is missing (1 lost to failures of the infrastructure), first of problem "
        + "'p4'. Get them, or ask for a score that is marked.")
    XCTAssertEqual(
      try SolverRating(made, missing: .mark) { ratings[$0] },
      try SolverRating([
        rated(1200, 2, of: 3), rated(1500, 1, of: 3), rated(2000, 0, of: 3), rated(1800, 2, of: 2),
      ]))
    assertThrows(
      try SolverRating(made, missing: .mark) { $0 == "p3" ? nil : ratings[$0] },
      "'AIME': problem 'p3' has no rating. Leave it out or rate it.")
  }

  func testWords() throws {
    XCTAssertEqual(
      try SolverRating([rated(1500, 1), rated(1500, 0)]).sentence,
      "A rating of 1500 from 2 rated problems (95 %: 1018 to 1982).")
    XCTAssertEqual(
      try SolverRating([rated(1500, 3, of: 3), rated(1600, 1)]).sentence,
      "A rating of at least 1335 (95 %): all of 2 rated problems were solved every time, so that there "
        + "is no likeliest rating. Harder problems would tell.")
    XCTAssertEqual(
      try SolverRating([rated(1500, 1)], confidence: 0.9).sentence,
      "A rating of at least 1118 (90 %): all of 1 rated problem was solved every time, so that there "
        + "is no likeliest rating. Harder problems would tell.")
    XCTAssertEqual(
      try SolverRating([rated(1500, 0), rated(1600, 0)]).sentence,
      "A rating of at most 1765 (95 %): none of 2 rated problems was ever solved, so that there is no "
        + "likeliest rating. Easier problems would tell.")
  }

  func testErrors() {
    assertThrows(try SolverRating([]), "No rated problems: no rating.")
    for rating in [10_001, -.infinity, .nan] as [Double] {
      assertThrows(
        try SolverRating([RatedProblem(id: "a", rating: rating, solved: 1)]),
        "Problem 'a' is rated \(rating); give a number within ±10000.")
    }
    for (solved, attempts) in [(2, 1), (-1, 1), (0, 0), (0, -1), (1, 1_000_001), (.max, .max)] {
      assertThrows(
        try SolverRating([RatedProblem(id: "a", rating: 1, solved: solved, attempts: attempts)]),
        "Problem 'a': solved in \(solved) of \(attempts) attempts. "
          + "Give 1 attempt or more, and no more solved ones.")
    }
    assertThrows(
      try SolverRating([rated(1, 1)], confidence: 0.2), "A confidence of 0.2; give 0.5 to 0.9999.")
  }
}
