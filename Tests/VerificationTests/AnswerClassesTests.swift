import Storage
import XCTest

@testable import Verification

/// Answers that say the same, grouped for votes.
final class AnswerClassesTests: XCTestCase {
  private let judge = Judge()

  func testEqualAnswersAreOneClass() {
    let rows: [(answers: [String], classes: [Int])] = [
      ([], []),
      (["3"], [0]),
      (["0.5", "3", #"\frac12"#, " 1/2 ", "3.0", "4"], [0, 1, 0, 0, 1, 2]),
      // What takes part in a class needs to be equal to its shortest answer, not to the others.
      ([#"50\%"#, "50", "0.5"], [0, 0, 1]),
      (["0.5", "50", #"50\%"#], [0, 1, 1]),
      // Either may be the reference.
      (["1,2,2", "1,2"], [0, 0]),
      (["1,2", "1,2,2"], [0, 0]),
      (["x=2", "2x=4"], [0, 0]),
      // The other readings of a comma.
      (["1234", "1,234", "1.5", "1,5"], [0, 0, 1, 1]),
      // What is no formula is its text, but for spaces and commands of LaTeX.
      (["", " ", "?!", "? !", "((", "1"], [0, 0, 1, 1, 2, 3]),
      // Equal for `String`, and for nobody else.
      (["\u{E9}?", "e\u{301}?"], [0, 1]),
    ]
    for (answers, classes) in rows {
      XCTAssertEqual(judge.classes(of: answers), classes, "\(answers)")
    }
    // Only the longer of these may be the reference, only the shorter of those.
    for (reference, answer) in [("2x=4", "x=2"), ("1,2", "1,2,2")] {
      XCTAssertTrue(
        judge.verdict(reference: reference, answer: answer, extracting: false).equivalent)
      XCTAssertFalse(
        judge.verdict(reference: answer, answer: reference, extracting: false).equivalent)
    }
  }

  /// The rule, told again by the judge's door.
  private func classesByVerdicts(_ answers: [String]) -> [Int] {
    func isEqual(_ a: String, _ b: String) -> Bool {
      judge.verdict(reference: a, answer: b, extracting: false).equivalent
    }
    let sorted = answers.sorted {
      $0.utf8.count != $1.utf8.count
        ? $0.utf8.count < $1.utf8.count : $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    var founders: [String] = []
    for answer in sorted
    where !founders.contains(where: { isEqual($0, answer) || isEqual(answer, $0) }) {
      founders.append(answer)
    }
    var seen: [Int] = []
    return answers.map { answer in
      let founder =
        founders.firstIndex { isEqual($0, answer) || isEqual(answer, $0) } ?? -1
      if let number = seen.firstIndex(of: founder) { return number }
      seen.append(founder)
      return seen.count - 1
    }
  }

  private func checkAnyOrder(_ answers: [String], _ seed: UInt64) throws {
    let expected = classesByVerdicts(answers)
    XCTAssertEqual(judge.classes(of: answers), expected, "\(answers)")
    var numbers = Numbers(state: seed)
    for _ in 0..<3 {
      let order = answers.indices.shuffled(using: &numbers)
      let classes = judge.classes(of: order.map { answers[$0] })
      var renamed: [Int: Int] = [:]
      for (place, number) in zip(order, classes) {
        XCTAssertEqual(renamed[number, default: expected[place]], expected[place], "\(answers)")
        renamed[number] = expected[place]
      }
      XCTAssertEqual(Set(renamed.values).count, renamed.count)
      // By first appearance.
      var next = 0
      for number in classes where number >= next {
        XCTAssertEqual(number, next)
        next += 1
      }
    }
  }

  private struct Numbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state
    }
  }

  func testLabelledPairsInGroups() throws {
    let rows = try SharedFixture.lines("verification/math_equivalence.jsonl")
    var texts: [String] = []
    for row in rows {
      let pair = try [row.text("gold"), row.text("answer")].map {
        AnswerExtraction.trimmed(Array($0.utf8))
      }.map { String(decoding: $0, as: UTF8.self) }
      // A pair is one class if one of the two is the other's answer.
      let isOne = [(0, 1), (1, 0)].contains {
        judge.verdict(reference: pair[$0], answer: pair[$1], extracting: false).equivalent
      }
      let isSame = pair[0].utf8.elementsEqual(pair[1].utf8)
      XCTAssertEqual(judge.classes(of: pair), isOne || isSame ? [0, 0] : [0, 1], "\(pair)")
      texts += pair.filter { !$0.isEmpty }
    }
    // Groups of many that have to do with each other, since neighbours ask the same.
    for start in stride(from: 0, to: texts.count - 40, by: 40) {
      try checkAnyOrder(Array(texts[start..<start + 40]), UInt64(start))
    }
  }

  func testWorkIsBounded() {
    let halves = (1...40).flatMap { ["\($0)/99", "\(3 * $0)/297"] }
    let all = judge.classes(of: halves)
    XCTAssertEqual(Set(all).count, 40)
    // Without work only texts are compared.
    let texts = halves + halves
    XCTAssertEqual(judge.classes(of: texts, work: 0), Array(0..<80) + Array(0..<80))
    // With some of it, the shorter answers are compared.
    let some = judge.classes(of: halves, work: 60_000)
    XCTAssertGreaterThan(Set(some).count, 40)
    XCTAssertLessThan(Set(some).count, 80)
    XCTAssertEqual(judge.classes(of: halves.reversed(), work: 60_000).count, 80)
    XCTAssertEqual(
      Set(judge.classes(of: halves.reversed(), work: 60_000)).count, Set(some).count)
  }

  func testAThousandAnswersAreCompared() {
    let answers = (1...500).flatMap { ["\($0)/7", "\\frac{\(2 * $0)}{14}"] }
    let expected = (0..<500).flatMap { [$0, $0] }
    XCTAssertEqual(judge.classes(of: answers), expected)
  }

  func testCostlyAnswersEnd() {
    // None is equal to another, and each comparison needs the values.
    let answers = (1...1_000).map { "\\sin(x+\(2 * $0 + 1)) + \\sqrt{x^2+\\sqrt{\($0)+\\pi}}" }
    XCTAssertEqual(judge.classes(of: answers, work: 1_000_000), Array(0..<1_000))
    // The longest is equal to the first, and is compared only while there is work left.
    let late = answers[0] + " + 0 + 0 + 0 + 0"
    XCTAssertEqual(judge.classes(of: [answers[0], answers[1], late]), [0, 1, 0])
    XCTAssertEqual(judge.classes(of: answers + [late], work: 1_000_000).last, 1_000)
  }
}
