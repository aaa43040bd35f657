import XCTest

@testable import Verification

/// Accepting a wrong answer is worse than refusing a right one: students learn from it.
final class WrongAnswerTests: XCTestCase {
  func testAcceptsAtMostTwoOfTwoThousand() throws {
    let isLong = ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] == "1"
    for seed in 0..<UInt64(isLong ? 20 : 1) { try check(seed: seed) }
  }

  private func check(seed: UInt64) throws {
    let answers = try MathAnswers.all()
    XCTAssertGreaterThan(answers.count, 1_500)
    let judge = Judge()
    let kinds = WrongAnswers.Kind.allCases
    var maker = WrongAnswers(seed: seed)
    var counts: [WrongAnswers.Kind: Int] = [:]
    var accepted: [String] = []
    var total = 0
    // Answers in turn, each with all kinds of mistakes in turn, until there are enough.
    var k = Int(seed) * 31
    while total < 2_000, k < 60 * answers.count {
      let answer = answers[(k * 7_919) % answers.count]
      let kind = kinds[(k / answers.count * 4 + k) % kinds.count]
      k += 1
      guard let wrong = maker.wrong(kind, from: answer), wrong != answer else { continue }
      counts[kind, default: 0] += 1
      total += 1
      let verdict = judge.verdict(reference: answer, answer: "So it is \\boxed{\(wrong)}.")
      if verdict.equivalent {
        accepted.append("\(kind): '\(answer)' as '\(wrong)' by \(verdict.rule)")
      }
    }
    XCTAssertEqual(total, 2_000)
    for kind in kinds { XCTAssertGreaterThan(counts[kind, default: 0], 3, kind.rawValue) }
    XCTAssertLessThanOrEqual(accepted.count, 2, accepted.joined(separator: "\n"))
  }
}
