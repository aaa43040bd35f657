import XCTest

@testable import Scores

final class VoteTests: XCTestCase {
  /// Every subset of k voters: nil votes for nothing, the others for their class.
  private func bruteForce(_ voters: [Int?], right: Set<Int>) -> [Double] {
    var values: [Double] = []
    for k in 1...voters.count {
      var (sum, count) = (0.0, 0)
      for subset in 0..<(1 << voters.count) where subset.nonzeroBitCount == k {
        count += 1
        var tally: [Int: Int] = [:]
        for (i, voter) in voters.enumerated() where subset >> i & 1 == 1 {
          if let voter { tally[voter, default: 0] += 1 }
        }
        guard let most = tally.values.max() else { continue }
        let winners = tally.filter { $0.value == most }
        sum += Double(winners.count { right.contains($0.key) }) / Double(winners.count)
      }
      values.append(sum / Double(count))
    }
    return values
  }

  func testAgainstAllSubsets() {
    var scramble = Scramble(state: 1)
    var compared = 0
    for round in 0..<120 {
      let count = Int.random(in: 1...10, using: &scramble)
      let classes = Int.random(in: 1...5, using: &scramble)
      let voters = (0..<count).map { _ -> Int? in
        let vote = Int.random(in: 0...classes, using: &scramble)
        return vote == classes ? nil : vote
      }
      let right: Set<Int> = round % 3 == 0 ? [0, 1] : [0]
      let tally = Dictionary(grouping: voters.compactMap { $0 }, by: { $0 }).mapValues(\.count)
      let counts = VoteCounts(
        right: tally.filter { right.contains($0.key) }.map(\.value),
        others: tally.filter { !right.contains($0.key) }.map(\.value),
        silent: voters.count { $0 == nil })
      let expected = bruteForce(voters, right: right)
      XCTAssertEqual(counts.curve.count, count)
      for (k, value) in counts.curve.enumerated() {
        XCTAssertEqual(value, expected[k], accuracy: 1e-12, "\(voters) \(right) \(k + 1)")
        compared += 1
      }
    }
    XCTAssertGreaterThan(compared, 500)
  }

  func testAgainstFractions() throws {
    let cases = try ScoresFixture.read().votes
    XCTAssertEqual(cases.count, 14)
    for entry in cases {
      let counts = VoteCounts(right: entry.right, others: entry.others, silent: entry.silent)
      for (k, expected) in zip(entry.ks, entry.values) {
        XCTAssertEqual(
          counts.curve[k - 1], expected, accuracy: 1e-12,
          "\(entry.right) \(entry.others) \(entry.silent) \(k)")
      }
    }
  }

  func testClassesInAnyOrder() {
    let voters = [0, 0, 1, 2, 2, 3, 3, 4, nil]
    let expected = bruteForce(voters, right: [0, 1, 2])
    for right in [[2, 1, 2], [1, 2, 2], [2, 2, 1]] {
      let curve = VoteCounts(right: right, others: [2, 1], silent: 1).curve
      for (k, value) in curve.enumerated() {
        XCTAssertEqual(value, expected[k], accuracy: 1e-14, "\(right) \(k + 1)")
      }
    }
  }

  func testNoValueIsAbove1() {
    for count in 2...60 {
      let curve = VoteCounts(right: [count - 1], others: [], silent: 1).curve
      XCTAssertTrue(curve.allSatisfy { (0...1).contains($0) }, "\(curve)")
      XCTAssertEqual(curve[count - 1], 1)
    }
  }

  func testLargeCounts() {
    XCTAssertEqual(binomials(5), [1, 5, 10, 10, 5, 1])
    XCTAssertEqual(binomials(6), [1, 6, 15, 20, 15, 6, 1])
    XCTAssertEqual(binomials(0), [1])
    XCTAssertTrue(binomials(1_000).allSatisfy(\.isFinite))
    let even = VoteCounts(right: [400], others: [400], silent: 200).curve
    // Neither side is preferred; all that is lost is when nobody votes.
    for k in [1, 500, 999, 1_000] {
      let silent = k > 200 ? 0 : 200.0 / 1_000
      XCTAssertEqual(even[k - 1], (1 - silent) / 2, accuracy: 1e-11, "\(k)")
    }
    let many = VoteCounts(
      right: [3], others: [Int](repeating: 1, count: 497), silent: 500
    ).curve
    XCTAssertEqual(many[999], 1)
    XCTAssertEqual(many[0], 0.003, accuracy: 1e-15)
  }

  // MARK: - The rules

  func testRules() throws {
    func full(_ letters: String) throws -> Double {
      let votes = try Votes(benchmark(letters))
      return try votes.consensus(at: votes.most).mean
    }
    XCTAssertEqual(try full("rrw"), 1)
    XCTAssertEqual(try full("rww"), 0)
    XCTAssertEqual(try full("rw"), 0.5)
    XCTAssertEqual(try full("rw1w2"), 1.0 / 3)
    // Different wrong answers don't add up.
    XCTAssertEqual(try full("rrw1w2w3w4"), 1)
    // Samples without an answer don't win.
    XCTAssertEqual(try full("rcnut"), 1)
    XCTAssertEqual(try full("cnut"), 0)
    // An unreadable answer with a class does.
    XCTAssertEqual(try full("ru1u1"), 0)
    // Two ways to be right that the judge didn't find equal.
    XCTAssertEqual(try full("r0r5w"), 2.0 / 3)
    // What was lost isn't there.
    let lost = try Votes(benchmark("rriwii"), missing: .mark)
    XCTAssertEqual(lost.most, 3)
    XCTAssertEqual(lost.curve, try Votes(benchmark("rrw")).curve)
  }

  func testOneVoteIsPassAt1() throws {
    let made = try benchmark("rrwn", "w1w2w3r", "cccc", "rrrr", "ru3w1w1")
    XCTAssertEqual(
      try Votes(made).consensus(at: 1).values, try PassRates(made).passAt1.values)
  }

  func testTheCurve() throws {
    let votes = try Votes(benchmark("rrw", "rw1w2", "nrw"))
    XCTAssertEqual(votes.most, 3)
    let curve = votes.curve
    XCTAssertEqual(curve.count, 3)
    // Pairs: rr, rw, rw: 2/3. rw1, rw2, w1w2: 1/3. nr, nw, rw: 1/2.
    let expected = [(2.0 / 3 + 1.0 / 3 + 1.0 / 3) / 3, 0.5, (1 + 1.0 / 3 + 0.5) / 3]
    for k in 1...3 {
      XCTAssertEqual(curve[k - 1], expected[k - 1], accuracy: 1e-15, "\(k)")
      let score = try votes.consensus(at: k)
      XCTAssertEqual(score.mean.bitPattern, curve[k - 1].bitPattern)
      XCTAssertEqual(score.name, "cons@\(k)")
      XCTAssertEqual(score.problems, ["p1", "p2", "p3"])
    }
  }

  func testNeitherOrderNorNumbersOfClassesChangeABit() throws {
    var scramble = Scramble(state: 9)
    let letters = ["r", "w1", "w2", "w3", "n", "u4"]
    let texts = (0..<12).map { _ in
      (0..<24).map { _ in letters.randomElement(using: &scramble) ?? "r" }
    }
    func votes(_ texts: [[String]], _ change: (String) -> String) throws -> Votes {
      try Votes(
        ScoredBenchmark(
          name: "X", samplesAsked: 24,
          problems: texts.enumerated().map { problem("p\($0)", $1.map(change).joined()) }))
    }
    let one = try votes(texts) { $0 }
    // Other numbers for the same classes: 0 → 7, 1 → 3, 2 → 1, 3 → 2.
    let renamed = ["r": "r7", "w1": "w3", "w2": "w1", "w3": "w2"]
    let other = try votes(texts.map { $0.shuffled(using: &scramble) }) { renamed[$0] ?? $0 }
    XCTAssertEqual(one.curve.map(\.bitPattern), other.curve.map(\.bitPattern))
    XCTAssertGreaterThan(Set(one.curve).count, 12)
  }

  // MARK: - Errors

  func testErrors() throws {
    let right = ScoredSample(.right)
    assertThrows(
      try Votes(
        ScoredBenchmark(
          name: "LCB", samplesAsked: 1, problems: [ScoredProblem(id: "a", samples: [right])])),
      "'LCB': problem 'a', sample 1 is 'right' without a class of answers. "
        + "Only answers that were compared with each other can vote.")
    let wrong = [ScoredSample(.noAnswer), ScoredSample(.wrong)]
    assertThrows(
      try Votes(
        ScoredBenchmark(
          name: "LCB", samplesAsked: 2, problems: [ScoredProblem(id: "a", samples: wrong)])),
      "'LCB': problem 'a', sample 2 is 'wrong' without a class of answers. "
        + "Only answers that were compared with each other can vote.")
    assertThrows(
      try Votes(benchmark("rr", "r")),
      "'AIME': 1 of 4 samples is missing (1 never came), first of problem 'p2'. "
        + "Get them, or ask for a score that is marked.")
    let votes = try Votes(benchmark("rrr", "rw", "i", asked: 3), missing: .mark)
    XCTAssertEqual(votes.most, 2)
    XCTAssertEqual(votes.missing?.count, 4)
    XCTAssertEqual(try votes.consensus(at: 2).missing, votes.missing)
    XCTAssertEqual(try votes.consensus(at: 2).values, [1, 0.5])
    assertThrows(
      try votes.consensus(at: 3),
      "'AIME': cons@3 needs 3 samples of each problem; problem 'p2' has 2. "
        + "Get more, or ask for a k of at most 2.")
    assertThrows(try votes.consensus(at: 0), "'AIME': cons@0: k must be 1 or more.")
    assertThrows(
      try Votes(benchmark(String(repeating: "r", count: 1_001))),
      "'AIME': problem 'p1' has 1001 samples; votes of up to 1000 can be counted.")
  }
}
