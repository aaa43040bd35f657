import Foundation
import Sandbox
import Verification
import XCTest

@testable import Problems

/// Answers of every kind, judged by the rules of `Verification`.
final class AnswerJudgeTests: XCTestCase {
  private func problem(_ reference: Problem.Reference) -> Problem {
    Problem(id: "a", question: "q", reference: reference, source: "s", place: "p:1")
  }

  func testOutcomes() {
    let judge = AnswerJudge()
    let rows: [(Problem.Reference, String, AnswerVerdict.Outcome, String?, String)] = [
      (.answer("1/2"), "<think>3</think>It is \\boxed{0.5}.", .correct, "0.5", "mathematics 1"),
      (.answer("1/2"), "<think>0.5</think>It is \\boxed{3}.", .wrong, "3", "mathematics 1"),
      (.answer("1/2"), "<think>\\boxed{0.5}", .noAnswer, nil, "mathematics 1"),
      (.answer("1/2"), "", .noAnswer, nil, "mathematics 1"),
      (.answer(""), "\\boxed{1}", .unjudged, "1", "mathematics 1"),
      (.answer("1/2"), "\\boxed{I do not know it}", .unjudged, "I do not know it", "mathematics 1"),
      (.choices(["x", "y"], correct: 1), "<think>A</think>Answer: B", .correct, "B", "choices 1"),
      (.choices(["x", "y"], correct: 1), "Answer: A", .wrong, "A", "choices 1"),
      (.choices(["x", "y"], correct: 1), "<think>Answer: B", .noAnswer, nil, "choices 1"),
      (.choices(["x"], correct: 0), "Answer: A", .unjudged, nil, "choices 1"),
      (.none("because"), "Because.", .unjudged, nil, "none"),
    ]
    for (reference, text, outcome, answer, version) in rows {
      let verdict = judge.verdict(of: text, on: problem(reference))
      XCTAssertEqual(verdict.outcome, outcome, text)
      XCTAssertEqual(verdict.answer, answer, text)
      XCTAssertEqual(verdict.version, version, text)
      XCTAssertTrue(verdict.reason.hasSuffix("."), verdict.reason)
    }
    XCTAssertEqual(AnswerJudge.version, "mathematics 1, choices 1, programs 1")
  }

  private let task = ProgramTask(tests: .assertions(.init(tests: ["assert add(1, 2) == 3"])))

  func testProgramsWithoutASandbox() {
    let judge = AnswerJudge()
    let reply =
      "<think>\n```python\nno\n```\n</think>\n```python\ndef add(a, b): return a + b\n```\n"
    XCTAssertEqual(
      judge.verdict(of: reply, on: problem(.program(task))),
      AnswerVerdict(
        outcome: .unjudged, answer: "def add(a, b): return a + b\n",
        reason: "Programs are judged in a sandbox, and there is none.", version: "programs 1"))
    XCTAssertEqual(
      judge.verdict(of: "<think>\n```python\nx\n```\n", on: problem(.program(task))),
      AnswerVerdict(
        outcome: .noAnswer, reason: "The reply holds no closed block of code.",
        version: "programs 1"))
  }

  func testProgramsInTheSandbox() throws {
    let isRequired = ProcessInfo.processInfo.environment["DISTILL_REQUIRE_SANDBOX"] == "1"
    if !isRequired, !FileManager.default.isExecutableFile(atPath: ProgramJudge.python) {
      throw XCTSkip("There is no \(ProgramJudge.python), which runs the programs.")
    }
    let made = Result { try Sandbox() }
    if case .failure(let error) = made, !isRequired {
      throw XCTSkip("There is no sandbox: \(error)")
    }
    let sandbox = try made.get()
    let judge = AnswerJudge(sandbox: sandbox)
    for (body, outcome) in [
      ("return a + b", AnswerVerdict.Outcome.correct), ("return a - b", .wrong),
      ("raise ValueError(a)", .wrong), ("return None", .wrong),
    ] {
      let verdict = judge.verdict(
        of: "<think></think>\n```python\ndef add(a, b): \(body)\n```", on: problem(.program(task)))
      XCTAssertEqual(verdict.outcome, outcome, "\(verdict)")
      XCTAssertEqual(verdict.version, "programs 1")
    }
  }
}
