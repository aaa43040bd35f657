import Foundation
import Storage
import XCTest

@testable import Scores

final class PassRateTests: XCTestCase {
  private func letters(_ n: Int, _ c: Int) -> String {
    String(repeating: "r", count: c) + String(repeating: "w", count: n - c)
  }

  // MARK: - Values

  func testPassAt1() throws {
    let score = try PassRates(benchmark("rrww", "rwww", "rrrr", "cntu")).passAt1
    XCTAssertEqual(score.values, [0.5, 0.25, 1, 0])
    XCTAssertEqual(score.mean, 0.4375)
    XCTAssertEqual(score.name, "pass@1")
    XCTAssertEqual(score.problems, ["p1", "p2", "p3", "p4"])
    XCTAssertNil(score.missing)
    // Variances 1/4 / 3, 3/16 / 3, 0, 0 of the values; over four problems.
    XCTAssertEqual(
      try XCTUnwrap(score.samplingError), (0.25 / 3 + 0.1875 / 3).squareRoot() / 4,
      accuracy: 1e-16)
    // Squares of distances: 1/256, 9/256, 81/256, 49/256.
    XCTAssertEqual(
      try XCTUnwrap(score.standardError), (140.0 / 256 / 3).squareRoot() / 2, accuracy: 1e-16)
    XCTAssertNil(try PassRates(benchmark("r", "w")).passAt1.samplingError)
    XCTAssertNil(try PassRates(benchmark("rw")).passAt1.standardError)
  }

  func testPassAtKAgainstFractions() throws {
    let cases = try ScoresFixture.read().passes
    XCTAssertEqual(cases.count, 18)
    for entry in cases {
      let found = Hypergeometric(samples: entry.n, right: entry.c, drawn: entry.k).atLeastOne
      XCTAssertEqual(
        found, entry.value, accuracy: max(2e-13 * entry.value, 1e-15), "\(entry)")
      if entry.n <= 1000 {
        let rates = try PassRates(benchmark(letters(entry.n, entry.c)))
        XCTAssertEqual(try rates.pass(at: entry.k).values[0], found, accuracy: 1e-15)
        XCTAssertEqual(try rates.pass(at: entry.k).name, "pass@\(entry.k)")
      }
    }
  }

  func testDrawsAgainstSciPy() throws {
    let cases = try ScoresFixture.read().draws
    XCTAssertEqual(cases.count, 11)
    var compared = 0
    for entry in cases {
      let found = Hypergeometric(samples: entry.n, right: entry.c, drawn: entry.k).atLeast
      XCTAssertEqual(found.count, entry.k + 1)
      for (m, expected) in entry.atLeast.enumerated() {
        XCTAssertEqual(
          found[m], expected, accuracy: max(1e-10 * expected, 1e-300),
          "\(entry.n) \(entry.c) \(entry.k) \(m)")
        compared += 1
      }
    }
    XCTAssertEqual(compared, cases.reduce(0) { $0 + $1.k + 1 })
  }

  /// From one end the weights would grow to 2²⁴⁰⁰, which is infinite.
  func testDrawsOfMany() {
    let found = Hypergeometric(samples: 100_000, right: 50_000, drawn: 2_400).atLeast
    XCTAssertEqual(found[0], 1)
    XCTAssertTrue(found.allSatisfy { (0...1).contains($0) })
    // As many right as wrong: at least 1200 + i is as likely as at most 1200 − i.
    for i in [0, 1, 10, 50, 200] {
      XCTAssertEqual(found[1_200 + i] + found[1_201 - i], 1, accuracy: 1e-11, "\(i)")
    }
    XCTAssertLessThan(found[1_201], 0.4999)
  }

  func testAverageIsOfTheFirstThatAreThere() throws {
    let rates = try PassRates(benchmark("rwrr", "irwrr", "wwwr", asked: 5), missing: .mark)
    XCTAssertEqual(try rates.average(at: 1).values, [1, 1, 0])
    XCTAssertEqual(try rates.average(at: 2).values, [0.5, 0.5, 0])
    XCTAssertEqual(try rates.average(at: 4).values, rates.passAt1.values)
    XCTAssertEqual(try rates.average(at: 2).name, "avg@2")
  }

  func testStablePassNeedsAWholeNumber() throws {
    // ⌈0.55 · 100⌉ is 55, though the product is 55.00000000000001.
    XCTAssertGreaterThan(0.55 * 100, 55)
    let rates = try PassRates(benchmark(letters(100, 55)))
    XCTAssertEqual(try rates.stablePass(at: 100, threshold: 0.55).values, [1])
    XCTAssertEqual(try rates.stablePass(at: 100, threshold: 0.551).values, [0])
    XCTAssertEqual(try rates.stablePass(at: 100, threshold: 0).values, [1])
    XCTAssertEqual(try PassRates(benchmark("ww")).stablePass(at: 1, threshold: 0).values, [0])
    XCTAssertEqual(try rates.stablePass(at: 3, threshold: 0.5).name, "G-Pass@3 (0.5)")
    // All right: two thirds of the sum's weights for an odd k.
    let right = try PassRates(benchmark("rrrr"))
    XCTAssertEqual(try right.meanStablePass(at: 3).mean, 2.0 / 3, accuracy: 1e-15)
    XCTAssertEqual(try right.meanStablePass(at: 4).mean, 1, accuracy: 1e-15)
    XCTAssertEqual(try right.meanStablePass(at: 1).mean, 0)
    XCTAssertEqual(try right.meanStablePass(at: 4).name, "mG-Pass@4")
  }

  // MARK: - Values of others

  /// The figures that another program has for a few problems, whose samples are read as right or
  /// wrong by comparing texts.
  func testAgainstSharedFixtures() throws {
    var compared = 0
    for file in ["pass_at_k_math", "avg_at_k_math", "g_pass_at_k_math"] {
      for entry in try sharedCases(file) {
        let rates = try PassRates(benchmark(entry.letters))
        for (name, expected) in entry.expected {
          let found: Score
          switch (file, name.hasPrefix("mmath")) {
          case ("pass_at_k_math", _): found = try rates.pass(at: entry.k)
          case ("avg_at_k_math", _): found = try rates.average(at: entry.k)
          case (_, true): found = try rates.meanStablePass(at: entry.k)
          default:
            let threshold = try XCTUnwrap(name.split(separator: "_").last.flatMap { Double($0) })
            found = try rates.stablePass(at: entry.k, threshold: threshold)
          }
          XCTAssertEqual(found.mean, expected, accuracy: entry.tolerance, "\(entry.name) \(name)")
          compared += 1
        }
      }
    }
    XCTAssertEqual(compared, 3 + 3 + 11 * 6)
  }

  private struct SharedCase {
    let name: String
    let k: Int
    let letters: String
    let expected: [(String, Double)]
    let tolerance: Double
  }

  private func sharedCases(_ file: String) throws -> [SharedCase] {
    guard let folder = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; figures of another program are in its folder.")
    }
    let path = URL(fileURLWithPath: folder).appendingPathComponent("verification/\(file).json")
    let document = try XCTUnwrap(
      JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
    return try XCTUnwrap(document["test_cases"] as? [[String: Any]]).map { entry in
      let doc = try XCTUnwrap(entry["doc"] as? [String: Any])
      let choices = try XCTUnwrap(doc["choices"] as? [String])
      let gold = choices[try XCTUnwrap(doc["gold_index"] as? Int)]
      let texts = try XCTUnwrap((entry["model_response"] as? [String: Any])?["text"] as? [String])
      // Its reader finds no answer in these two formulas, so that it has no right sample; what is
      // compared is what it makes of that. 3/4 and 0.75 are equal to it.
      let unread = ["x^2/2", "n(n+1)/2"].contains(gold)
      let letters = texts.map { text in
        !unread && (text == gold || (gold == "3/4" && text == "0.75")) ? "r" : "w"
      }
      let expected = try XCTUnwrap(entry["expected_output"] as? [String: Double])
      return SharedCase(
        name: try XCTUnwrap(entry["name"] as? String),
        k: try XCTUnwrap((entry["metric_params"] as? [String: Any])?["k"] as? Int),
        letters: letters.joined(), expected: expected.sorted { $0.key < $1.key },
        tolerance: try XCTUnwrap(entry["tolerance"] as? Double))
    }
  }

  // MARK: - Missing samples

  func testMissingSamplesDontLowerTheScore() throws {
    let full = try PassRates(benchmark("rrww", "rwww")).passAt1
    let made = try benchmark("rrwwi", "irwww", "i", "", asked: 6)
    let rates = try PassRates(made, missing: .mark)
    XCTAssertEqual(rates.passAt1.values, full.values)
    XCTAssertEqual(rates.passAt1.mean, full.mean)
    XCTAssertEqual(rates.passAt1.problems, ["p1", "p2"])
    let missing = try XCTUnwrap(rates.missing)
    XCTAssertEqual(rates.passAt1.missing, missing)
    XCTAssertEqual(try rates.pass(at: 4).missing, missing)
    XCTAssertEqual(missing.asked, 24)
    XCTAssertEqual(missing.infrastructure, 3)
    XCTAssertEqual(missing.neverCame, 13)
    XCTAssertEqual(missing.count, 16)
    XCTAssertEqual(missing.problemsLeftOut, 2)
    XCTAssertEqual(
      missing.sentence,
      "16 of 24 samples are missing (13 never came, 3 lost to failures of the infrastructure; "
        + "2 problems without any are left out).")
    // Of six samples each two, one, none, none are right; two, two, six, six are missing.
    XCTAssertEqual(rates.passAt1Bounds.lowerBound, 3.0 / 24, accuracy: 1e-15)
    XCTAssertEqual(rates.passAt1Bounds.upperBound, 19.0 / 24, accuracy: 1e-15)
    let bounds = try PassRates(benchmark("rw")).passAt1Bounds
    XCTAssertEqual(bounds, 0.5...0.5)
  }

  func testMissingSamplesAreRefused() throws {
    assertThrows(
      try PassRates(benchmark("rrw", "ri", "rrr")),
      "'AIME': 2 of 9 samples are missing (1 never came, 1 lost to failures of the infrastructure), "
        + "first of problem 'p2'. Get them, or ask for a score that is marked.")
    assertThrows(
      try PassRates(benchmark("rrw", "rri")),
      "'AIME': 1 of 6 samples is missing (1 lost to failures of the infrastructure), "
        + "first of problem 'p2'. Get them, or ask for a score that is marked.")
    assertThrows(
      try PassRates(benchmark("rrw", "")),
      "'AIME': 3 of 6 samples are missing (3 never came; 1 problem without any is left out), "
        + "first of problem 'p2'. Get them, or ask for a score that is marked.")
    assertThrows(
      try PassRates(benchmark("ii", "i"), missing: .mark),
      "'AIME': no sample is there, so that there is no score.")
  }

  func testTooFewSamplesForAK() throws {
    let rates = try PassRates(benchmark("rrww", "rwi", asked: 4), missing: .mark)
    XCTAssertEqual(try rates.pass(at: 2).values[0], 5.0 / 6, accuracy: 1e-15)
    XCTAssertEqual(try rates.pass(at: 2).values[1], 1)
    func words(_ figure: String) -> String {
      "'AIME': \(figure) needs 3 samples of each problem; problem 'p2' has 2. "
        + "Get more, or ask for a k of at most 2."
    }
    assertThrows(try rates.pass(at: 3), words("pass@3"))
    assertThrows(try rates.average(at: 3), words("avg@3"))
    assertThrows(try rates.stablePass(at: 3, threshold: 0.5), words("G-Pass@3"))
    assertThrows(try rates.meanStablePass(at: 3), words("mG-Pass@3"))
    assertThrows(try rates.pass(at: 0), "'AIME': pass@0: k must be 1 or more.")
    assertThrows(try rates.average(at: -2), "'AIME': avg@-2: k must be 1 or more.")
    assertThrows(
      try rates.stablePass(at: 1, threshold: 1.5),
      "'AIME': G-Pass@1 with a threshold of 1.5; give 0 to 1.")
    assertThrows(
      try rates.stablePass(at: 1, threshold: .nan),
      "'AIME': G-Pass@1 with a threshold of nan; give 0 to 1.")
  }

  // MARK: - Order

  func testTheOrderOfProblemsAndSamplesChangesNoBit() throws {
    var scramble = Scramble(state: 5)
    let problems = (0..<37).map { number in
      problem("p\(number)", letters(16, Int.random(in: 0...16, using: &scramble)))
    }
    func rates(_ problems: [ScoredProblem]) throws -> PassRates {
      try PassRates(ScoredBenchmark(name: "X", samplesAsked: 16, problems: problems))
    }
    let one = try rates(problems)
    for _ in 0..<5 {
      let other = try rates(
        problems.shuffled(using: &scramble).map {
          ScoredProblem(id: $0.id, samples: $0.samples.shuffled(using: &scramble))
        })
      XCTAssertEqual(other.passAt1.mean.bitPattern, one.passAt1.mean.bitPattern)
      for k in [2, 7, 16] {
        let (mine, its) = (try one.pass(at: k), try other.pass(at: k))
        XCTAssertEqual(its.mean.bitPattern, mine.mean.bitPattern)
        XCTAssertEqual(its.values, mine.values)
        let stable = try one.meanStablePass(at: k).mean
        XCTAssertEqual(try other.meanStablePass(at: k).mean.bitPattern, stable.bitPattern)
      }
    }
  }

  func testScoresFromElsewhere() throws {
    let made = try Score(benchmark: "X", name: "F1", values: [("b", 0.25), ("a", 1)])
    XCTAssertEqual(made.problems, ["a", "b"])
    XCTAssertEqual(made.values, [1, 0.25])
    XCTAssertEqual(made.mean, 0.625)
    assertThrows(try Score(benchmark: "X", name: "F1", values: []), "'X': no values of problems.")
    assertThrows(
      try Score(benchmark: "X", name: "F1", values: [("a", 1.5)]),
      "'X': problem 'a' has the value 1.5; give 0 to 1.")
    assertThrows(
      try Score(benchmark: "X", name: "F1", values: [("a", .nan)]),
      "'X': problem 'a' has the value nan; give 0 to 1.")
    assertThrows(
      try Score(benchmark: "X", name: "F1", values: [("a", 1), ("a", 0)]),
      "'X': problem 'a' is there twice.")
  }
}
