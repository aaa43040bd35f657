import Datasets
import Storage
import Verification
import XCTest

@testable import Problems

/// What a model is asked, word for word.
final class ProblemPromptTests: XCTestCase {
  private func text(
    _ prompt: ProblemPrompt, _ question: String, _ reference: Problem.Reference
  ) throws -> String {
    let problem = Problem(
      id: "a", question: question, reference: reference, source: "s", place: "p:1")
    let messages = try prompt.messages(for: problem)
    XCTAssertEqual(messages.last?.role, "user")
    XCTAssertEqual(messages.count, prompt.system == nil ? 1 : 2)
    return messages.last?.content ?? ""
  }

  private func text(_ question: String, _ reference: Problem.Reference) throws -> String {
    try text(ProblemPrompt(), question, reference)
  }

  private func task(_ tests: ProgramTask.Tests) -> Problem.Reference {
    .program(ProgramTask(tests: tests))
  }

  private let fence =
    "Put the whole program into one block of code at the end of your answer:\n\n"
    + "```python\n# your program\n```"

  func testUsualWords() throws {
    XCTAssertEqual(
      try text("1 + 1?", .answer("2")),
      "1 + 1?\n\nPlease reason step by step, and put your final answer within \\boxed{}.")
    XCTAssertEqual(try text("In \\boxed{}: 1?", .answer("2")), "In \\boxed{}: 1?")
    XCTAssertEqual(
      try text("Which?", .choices(["x", "y"], correct: 1)),
      "Answer the following multiple choice question. The last line of your response should be of the "
        + "following format: 'Answer: $LETTER' (without quotes) where LETTER is one of AB. Think step by "
        + "step before answering.\n\nWhich?\n\nA) x\nB) y")
    XCTAssertEqual(try text("Why?", .none("Because.")), "Why?")
    XCTAssertEqual(
      try text(
        "Add.",
        task(.assertions(.init(tests: ["assert a(1)", "assert a(2)\nassert a(3)", "assert a(4)"])))),
      "Add.\n\nYour program should pass these tests:\n\nassert a(1)\nassert a(2)\nassert a(3)\n\nWrite it "
        + "in Python. " + fence)
    XCTAssertEqual(
      try text(
        "\"\"\"\nAdd.\nassert a(1)\n\"\"\"", task(.assertions(.init(tests: ["assert a(9)"])))),
      "\"\"\"\nAdd.\nassert a(1)\n\"\"\"\n\nWrite it in Python. " + fence)
    // HumanEval's tests are the judge's.
    XCTAssertEqual(
      try text("def f():\n", task(.assertions(.init(prelude: "def f():\n", tests: ["check(f)"])))),
      "Complete this program in Python, so that it does what its text says:\n\n```python\ndef f():\n"
        + "```\n\n" + fence)
    XCTAssertEqual(
      try text("Add.", task(.standardInput([.init(input: "1", output: "2")]))),
      "Add.\n\nWrite a program in Python that reads its input from standard input and prints its answer "
        + "to standard output. " + fence)
    XCTAssertEqual(
      try text("Add.", task(.function(name: "add", []))),
      "Add.\n\nWrite the function `add` in Python. " + fence)
  }

  func testTemplates() throws {
    let prompt = ProblemPrompt(
      system: "S", mathematics: "<{question}|{options}|{question}>",
      choices: "{options}\n{question}",
      program: "{question}~{tests}", other: "{question}{}")
    XCTAssertEqual(
      try text(prompt, "{question}{tests}", .answer("1")),
      "<{question}{tests}|{options}|{question}{tests}>")
    XCTAssertEqual(
      try text(prompt, "{options}", .choices(["{question}", "y"], correct: 0)),
      "A) {question}\nB) y\n{options}")
    XCTAssertEqual(
      try text(prompt, "q", task(.assertions(.init(tests: ["assert a(1)"])))), "q~assert a(1)")
    XCTAssertEqual(
      try text(prompt, "q", task(.standardInput([.init(input: "", output: "")]))), "q~")
    XCTAssertEqual(try text(prompt, "q", .none(nil)), "q{}")
    XCTAssertEqual(prompt.findings, [])
    let problem = Problem(id: "a", question: "q", reference: .none(nil), source: "s", place: "p:1")
    XCTAssertEqual(try prompt.messages(for: problem).first, Message("system", "S"))
    let one = Problem(
      id: "a", question: "q", reference: .choices(["x"], correct: 0), source: "s", place: "p:1")
    XCTAssertThrowsError(try prompt.messages(for: one)) {
      XCTAssertEqual("\($0)", "p:1: The question has 1 option; it may have 2 to 10.")
    }
  }
}
