import Foundation
import Sandbox
import Verification
import XCTest

@testable import Problems

/// What becomes of many answers to one problem, and which of them are equal.
final class JudgedAnswersTests: XCTestCase {
  private func problem(_ reference: Problem.Reference) -> Problem {
    Problem(id: "a", question: "q", reference: reference, source: "s", place: "p:1")
  }

  private func check(
    _ texts: [String], on problem: Problem, outcomes: [AnswerVerdict.Outcome], classes: [Int?],
    line: UInt = #line
  ) {
    let judge = AnswerJudge()
    let judged = judge.judgedAnswers(of: texts, on: problem)
    XCTAssertEqual(judged.map(\.verdict.outcome), outcomes, line: line)
    XCTAssertEqual(judged.map(\.answerClass), classes, line: line)
    XCTAssertEqual(judged.map(\.isTimeout), texts.map { _ in false }, line: line)
    XCTAssertEqual(
      judged.map(\.verdict), texts.map { judge.verdict(of: $0, on: problem) }, line: line)
    // In another order they are the same classes, numbered as they come.
    let other = judge.judgedAnswers(of: texts.reversed(), on: problem)
    XCTAssertEqual(
      other.map(\.verdict), Array(judged.map(\.verdict).reversed()), line: line)
    var numbers: [Int: Int] = [:]
    let renumbered = classes.reversed().map { number -> Int? in
      guard let number else { return nil }
      let new = numbers[number] ?? numbers.count
      numbers[number] = new
      return new
    }
    XCTAssertEqual(other.map(\.answerClass), renumbered, line: line)
  }

  func testMathematics() {
    check(
      [
        "<think>3</think>\\boxed{2/3}", "\\boxed{0.5}", "<think>\\boxed{0.5}",
        "It is \\boxed{1/2}.",
        "\\boxed{\\frac46}", "", "\\boxed{I do not know it}", "\\boxed{  I do not know it }",
        "\\boxed{I know it not}", "\\boxed{0.25}",
      ], on: problem(.answer("1/2")),
      outcomes: [
        .wrong, .correct, .noAnswer, .correct, .wrong, .noAnswer, .unjudged, .unjudged, .unjudged,
        .wrong,
      ],
      classes: [0, 1, nil, 1, 0, nil, 2, 2, 3, 4])
  }

  func testRightAnswersAreOneClassAndNoOther() {
    // 50 and 0.5 differ; both are 50 %. What is wrong is in no class of theirs, whatever it equals.
    check(
      ["\\boxed{50}", "\\boxed{0.5}", "\\boxed{5000\\%}", "\\boxed{50\\%}"],
      on: problem(.answer("50\\%")), outcomes: [.correct, .correct, .wrong, .correct],
      classes: [0, 0, 1, 0])
    // A reference that is no formula: texts are compared.
    check(
      ["\\boxed{1/2}", "\\boxed{0.5}", "\\boxed{1/2}"],
      on: problem(.answer("I do not know it")), outcomes: [.unjudged, .unjudged, .unjudged],
      classes: [0, 1, 0])
  }

  func testChoices() {
    check(
      ["Answer: B", "Answer: A", "<think>Answer: B", "Answer: C", "(A) it is", "Answer: A"],
      on: problem(.choices(["x", "y", "z"], correct: 1)),
      outcomes: [.correct, .wrong, .noAnswer, .wrong, .wrong, .wrong],
      classes: [0, 1, nil, 2, 1, 1])
    check(
      ["Answer: A and C", "Answer: C, A", "Answer: A", "Answer: D"],
      on: problem(.choices(["x", "y", "z"], correct: 1)),
      outcomes: [.wrong, .wrong, .wrong, .wrong], classes: [0, 0, 1, 2])
    // No rule.
    check(
      ["Answer: A", "Answer: B"], on: problem(.choices(["x"], correct: 0)),
      outcomes: [.unjudged, .unjudged], classes: [nil, nil])
    check(
      ["a", "a"], on: problem(.none("because")), outcomes: [.unjudged, .unjudged],
      classes: [nil, nil])
  }

  func testOptionsAreComparedWhereTheirOrderDiffers() {
    let orders = [["x", "y", "z"], ["z", "x", "y"], ["y", "z", "x"]]
    func ask(_ letter: String, _ order: Int) -> (text: String, problem: Problem) {
      let options = orders[order]
      return (
        "Answer: \(letter)",
        problem(.choices(options, correct: options.firstIndex(of: "y") ?? 0))
      )
    }
    let judged = AnswerJudge().judgedAnswers(of: [
      ask("A", 0), ask("A", 1), ask("A", 2), ask("B", 0), ask("B", 1), ask("B", 2), ask("C", 0),
      ask("A", 0),
    ])
    XCTAssertEqual(
      judged.map(\.verdict.outcome),
      [.wrong, .wrong, .correct, .correct, .wrong, .wrong, .wrong, .wrong])
    XCTAssertEqual(judged.map(\.answerClass), [0, 1, 2, 2, 0, 1, 1, 0])
  }

  func testTextsAreToldApartByBytes() {
    // `String` takes both for equal.
    check(
      ["\\boxed{\u{E9}?}", "\\boxed{e\u{301}?}"], on: problem(.answer("1")),
      outcomes: [.unjudged, .unjudged], classes: [0, 1])
  }

  private let task = ProgramTask(tests: .assertions(.init(tests: ["assert add(1, 2) == 3"])))

  func testProgramsHaveNoClasses() {
    check(
      ["```python\na\n```", "no program", "```python\na\n```"], on: problem(.program(task)),
      outcomes: [.unjudged, .noAnswer, .unjudged], classes: [nil, nil, nil])
  }

  func testStoppedBetweenTexts() {
    let judge = AnswerJudge()
    let samples = (0..<9).map { (text: "\\boxed{\($0)}", problem: problem(.answer("1"))) }
    let asked = Asked()
    XCTAssertEqual(
      judge.judgedAnswers(of: samples, isStopped: { asked.next() < 0 }),
      judge.judgedAnswers(of: samples))
    // Before each text and behind it.
    XCTAssertEqual(asked.count, 18)
    for last in 1...18 {
      let asked = Asked()
      XCTAssertNil(judge.judgedAnswers(of: samples, isStopped: { asked.next() >= last }))
      XCTAssertEqual(asked.count, last)
    }
  }

  func testProgramsOverTheirTime() throws {
    let isRequired = ProcessInfo.processInfo.environment["DISTILL_REQUIRE_SANDBOX"] == "1"
    if !isRequired, !FileManager.default.isExecutableFile(atPath: ProgramJudge.python) {
      throw XCTSkip("There is no \(ProgramJudge.python), which runs the programs.")
    }
    let made = Result { try Sandbox() }
    if case .failure(let error) = made, !isRequired {
      throw XCTSkip("There is no sandbox: \(error)")
    }
    let judge = AnswerJudge(sandbox: try made.get())
    var task = task
    task.secondsPerTest = 1
    let programs = ["return a + b", "return a - b", "while True: pass", "raise ValueError(a)"]
    let judged = judge.judgedAnswers(
      of: programs.map { "```python\ndef add(a, b):\n  \($0)\n```" },
      on: problem(.program(task)))
    XCTAssertEqual(judged.map(\.verdict.outcome), [.correct, .wrong, .wrong, .wrong])
    XCTAssertEqual(judged.map(\.isTimeout), [false, false, true, false])
    XCTAssertEqual(judged.map(\.answerClass), [nil, nil, nil, nil])
  }
}

/// Counts how often somebody asks.
private final class Asked: @unchecked Sendable {
  private let lock = NSLock()
  private var times = 0
  var count: Int { lock.withLock { times } }

  /// - Returns: How often it was asked, this time included.
  func next() -> Int {
    lock.withLock {
      times += 1
      return times
    }
  }
}
