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
    XCTAssertThrowsError(try one.shown(to: 0, seed: 0)) {
      XCTAssertEqual("\($0)", "p:1: The question has 1 option; it may have 2 to 10.")
    }
  }

  // MARK: Orders of options

  private func choices(_ id: String) -> Problem {
    Problem(
      id: id, question: "q", reference: .choices(["w", "x", "y", "z"], correct: 2), source: "s",
      difficulty: "d", place: "p:1")
  }

  /// The same for ever: another order would be another sample.
  func testOrdersOfSamplesAreFixed() throws {
    func options(_ id: String, _ sample: Int, _ seed: UInt64) throws -> String {
      let shown = try choices(id).shown(to: sample, seed: seed)
      guard case .choices(let options, let correct) = shown.reference else { return "" }
      XCTAssertEqual(options.count, 4)
      XCTAssertEqual(options[correct], "y")
      var other = shown
      other.reference = choices(id).reference
      XCTAssertEqual(other, choices(id))
      return options.joined()
    }
    XCTAssertEqual(
      try (0..<6).map { try options("rec1", $0, 7) },
      ["wyxz", "wxzy", "wzyx", "wzxy", "zywx", "zxwy"])
    for (id, sample, seed) in [("rec1", 3, UInt64(7)), ("é", 0, 0), ("", 63, .max)] {
      let order = try ChoiceOrder(of: 4, correct: 2, item: id, sample: sample + 1, seed: seed)
      XCTAssertEqual(
        try options(id, sample, seed), try order.arranged(["w", "x", "y", "z"]).joined())
    }
    let sum = Problem(id: "a", question: "q", reference: .answer("1"), source: "s", place: "p:1")
    XCTAssertEqual(try sum.shown(to: 5, seed: 1), sum)
  }

  /// Each option stands at each place a quarter of the time, also behind GPQA's order of items.
  func testOrdersOfSamplesFavourNoOption() throws {
    for seed in [UInt64(0), 9] {
      var places = Array(repeating: Array(repeating: 0, count: 4), count: 4)
      var orders: [String: Int] = [:]
      for item in 0..<1_200 {
        var problem = choices("rec\(item)")
        let first = try ChoiceOrder(of: 4, item: problem.id, sample: 0, seed: 0)
        problem.reference = .choices(
          try first.arranged(["w", "x", "y", "z"]), correct: first.correct)
        for sample in 0..<2 {
          guard case .choices(let options, _) = try problem.shown(to: sample, seed: seed).reference
          else { return XCTFail() }
          orders[options.joined(), default: 0] += 1
          for (place, option) in options.enumerated() {
            places[place][["w", "x", "y", "z"].firstIndex(of: option) ?? 0] += 1
          }
        }
      }
      // 600 and 100 are expected; these are more than five standard deviations.
      for count in places.joined() { XCTAssertTrue((490...710).contains(count), "\(places)") }
      XCTAssertEqual(orders.count, 24)
      for count in orders.values { XCTAssertTrue((50...150).contains(count), "\(orders)") }
    }
  }

  func testWhichOrderIsAsked() throws {
    let item = ProblemPrompt(choices: "{question} {options}")
    var sample = item
    sample.optionOrder = .sample
    var named = item
    named.optionOrder = .item
    let problem = choices("rec1")
    let usual = [Message("user", "q A) w\nB) x\nC) y\nD) z")]
    for prompt in [item, named] {
      XCTAssertEqual(try prompt.messages(for: problem), usual)
      XCTAssertEqual(try prompt.messages(for: problem, sample: 3, seed: 7), usual)
      XCTAssertEqual(try prompt.shown(problem, to: 3, seed: 7), problem)
      XCTAssertFalse(prompt.isOrderedBySample(problem))
    }
    let shown = try problem.shown(to: 3, seed: 7)
    XCTAssertNotEqual(shown, problem)
    XCTAssertEqual(try sample.shown(problem, to: 3, seed: 7), shown)
    XCTAssertEqual(
      try sample.messages(for: problem, sample: 3, seed: 7), try item.messages(for: shown))
    XCTAssertTrue(sample.isOrderedBySample(problem))
    XCTAssertThrowsError(try sample.messages(for: problem)) {
      XCTAssertEqual(
        "\($0)",
        "p:1: 'prompt.optionOrder' is 'sample', which only what counts samples can ask. Leave it out."
      )
    }
    let sum = Problem(id: "a", question: "q", reference: .answer("1"), source: "s", place: "p:1")
    XCTAssertEqual(try sample.messages(for: sum), try item.messages(for: sum))
    XCTAssertFalse(sample.isOrderedBySample(sum))
  }
}
