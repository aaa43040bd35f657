import Foundation
import Storage
import Verification
import XCTest

@testable import Problems

/// Records of problems: what is found in them, and what is said where it isn't.
final class ProblemFileTests: XCTestCase {
  private func read(_ path: String, _ change: (inout ProblemSource) -> Void = { _ in }) throws
    -> [Problem]
  {
    var source = ProblemSource(path: path)
    change(&source)
    let file = try ProblemFile(source)
    return try (0..<file.count).map { try file.problem($0) }
  }

  private func error(
    _ folder: TemporaryFolder, _ text: String, _ name: String = "p.jsonl",
    _ change: (inout ProblemSource) -> Void = { _ in }
  ) throws -> String? {
    let path = try folder.write(text, as: name)
    do {
      _ = try read(path, change)
      return nil
    } catch { return "\(error)" }
  }

  func testNamedFields() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"""
      {"nr":7,"Q":"q1","A":"a1","S":"s1","from":"x","hard":3,"answer":"no"}
      {"nr":"own","Q":"q2","A":12.50,"S":null,"from":null,"hard":null,"answer":"no"}
      """#, as: "p.jsonl")
    let fields = ProblemFields(
      question: "Q", answer: "A", solution: "S", source: "from", difficulty: "hard", id: "nr")
    XCTAssertEqual(
      try read(path) { $0.fields = fields },
      [
        Problem(
          id: "p.jsonl#7", question: "q1", reference: .answer("a1"), solution: "s1", source: "x",
          difficulty: "3", place: "\(path):1"),
        Problem(
          id: "own", question: "q2", reference: .answer("12.50"), solution: nil, source: "p.jsonl",
          difficulty: nil, place: "\(path):2"),
      ])
    XCTAssertEqual(
      try read(path) {
        $0.fields = fields
        $0.limit = 1
        $0.source = "mine"
        $0.fields?.source = nil
      },
      [
        Problem(
          id: "mine#7", question: "q1", reference: .answer("a1"), solution: "s1", source: "mine",
          difficulty: "3", place: "\(path):1")
      ])
    let tests = try folder.write(
      #"{"q":"Add.","checks":["assert add(1, 2) == 3","assert add(0, 0) == 0"],"test":1}"#,
      as: "t.jsonl")
    let problem = try XCTUnwrap(
      read(tests) { $0.fields = ProblemFields(question: "q", tests: "checks") }.first)
    guard case .program(let task) = problem.reference else { return XCTFail() }
    XCTAssertEqual(
      task.tests, .assertions(.init(tests: ["assert add(1, 2) == 3", "assert add(0, 0) == 0"])))
  }

  func testAnswersOfGSM8K() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"""
      {"question":"a","answer":"One #### two\n#### 1,200 "}
      {"question":"b","answer":"#### 7","solution":"own"}
      {"question":"c","answer":"###"}
      {"question":"d","answer":" "}
      {"question":"e","answer":null}
      """#, as: "p.jsonl")
    let found = try read(path)
    XCTAssertEqual(
      found.map(\.reference),
      [.answer("1,200 "), .answer("7"), .answer("###"), .none(nil), .none(nil)])
    XCTAssertEqual(
      found.map(\.solution), ["One #### two\n#### 1,200 ", "own", nil, nil, nil])
  }

  func testChoices() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"""
      {"question":"a","choices":["x","y","z"],"answer":2}
      {"question":"b","choices":["x","y","z"],"answer":"B"}
      {"question":"c","choices":["C","A","B"],"answer":"B"}
      {"question":"d","choices":["x","1","0"],"answer":"1"}
      {"question":"e","choices":[5,6],"answer":"0"}
      """#, as: "p.jsonl")
    XCTAssertEqual(
      try read(path).map(\.reference),
      [
        .choices(["x", "y", "z"], correct: 2), .choices(["x", "y", "z"], correct: 1),
        .choices(["C", "A", "B"], correct: 2), .choices(["x", "1", "0"], correct: 1),
        .choices(["5", "6"], correct: 0),
      ])
    let which =
      "'answer' must say which of the 2 choices is right: by its number from 0, its letter, or its text."
    for answer in ["2", "-1", "\"C\"", "\"z\"", "null", "[]", "1.5"] {
      let found = try error(
        folder, "{\"question\":\"a\",\"choices\":[\"x\",\"y\"],\"answer\":\(answer)}")
      let expected =
        answer == "null"
        ? "there is nothing that says which choice is right; its keys are 'question', 'choices', "
          + "'answer'."
        : which
      XCTAssertEqual(found, "\(folder.file("p.jsonl")):1: \(expected)")
    }
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\",\"options\":[\"x\"],\"answer\":0}"),
      "\(folder.file("p.jsonl")):1: 'options' has 1 choices; there may be 2 to 10.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\",\"options\":[{}],\"answer\":0}"),
      "\(folder.file("p.jsonl")):1: 'options', the choices, must be a list of texts.")
  }

  /// Columns as GPQA publishes them; the rows are made up.
  func testGPQA() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "\u{FEFF}Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,"
        + "Explanation,Record ID,Writer's Difficulty Estimate\r\n"
        + "\"Which, of \"\"these\"\",\nis a?\",a,b,c,d,\"Because.\n\",rec1,Hard\r\n"
        + "Second,\"1, 2\",2,3,4,,rec2,\n", as: "gpqa.csv")
    let found = try read(path)
    XCTAssertEqual(found.map(\.id), ["rec1", "rec2"])
    XCTAssertEqual(found.map(\.question), ["Which, of \"these\",\nis a?", "Second"])
    XCTAssertEqual(found.map(\.place), ["\(path):2", "\(path):5"])
    XCTAssertEqual(found.map(\.difficulty), ["Hard", ""])
    XCTAssertEqual(found[0].solution, "Because.\n")
    for (problem, right) in zip(found, ["a", "1, 2"]) {
      guard case .choices(let options, let correct) = problem.reference else { return XCTFail() }
      XCTAssertEqual(options.count, 4)
      XCTAssertEqual(options[correct], right)
      let order = try ChoiceOrder(of: 4, correct: 0, item: problem.id, sample: 0, seed: 0)
      XCTAssertEqual(order.correct, correct)
    }
    for (text, message) in [
      ("a,a\n1,2\n", ":1: two columns are called 'a'. Rename one."),
      ("a,b\n\n1,2,3\n", ":3: the row has 3 cells; the first row names 2."),
      ("a,b\n1,\"2\n", ":2: a cell's quote is not closed."),
      (
        "a,b\n1,\"2\"x\n",
        ":2: text follows the quote that ends a cell. Double quotes within cells."
      ), ("a,b\n", ": it holds no problems."),
    ] {
      XCTAssertEqual(
        try error(folder, text, "x.csv"), folder.file("x.csv") + message)
    }
    try Data([0x61, 0x0A, 0xFF, 0x0A]).write(to: URL(fileURLWithPath: folder.file("x.csv")))
    XCTAssertThrowsError(try read(folder.file("x.csv"))) {
      XCTAssertEqual(
        "\($0)", "\(folder.file("x.csv")):2: the row is not UTF-8. Save the file as UTF-8.")
    }
  }

  /// All columns of `gpqa_diamond.csv`, in their order; the row is made up.
  func testGPQADiamondWithAllItsColumns() throws {
    var columns = ["Question", "Correct Answer"] + (1...3).map { "Incorrect Answer \($0)" }
    columns += ["Explanation"]
    var names = columns.map { "Pre-Revision \($0)" }
    names += ["Self-reported question-writing time (minutes)"] + columns
    names += [
      "Revision Comments (from Question Writer)", "Subdomain", "Writer's Difficulty Estimate",
      "Extra Revised Question", "Extra Revised Explanation", "Extra Revised Correct Answer",
    ]
    names += (1...3).map { "Extra Revised Incorrect Answer \($0)" }
    names += [
      "Non-Expert Validator Accuracy", "Majority Non-Expert Vals Incorrect",
      "Expert Validator Accuracy", "Record ID", "High-level domain", "Question Writer",
    ]
    for validator in ["EV_1", "EV_2", "NEV_1", "NEV_2", "NEV_3"] {
      let columns =
        validator.hasPrefix("EV")
        ? [
          "Feedback", "Validator Revision Suggestion", "Is First Validation", "Post hoc agreement",
          "Sufficient Expertise?", "Understand the question?", "Question Difficulty",
          "Validator Answered Correctly", "Self-reported time (minutes)", "Probability Correct",
          "Manual Correctness Adjustment", "Expert Validator",
        ]
        : [
          "Feedback", "Validator Answered Correctly", "Explanation", "Self-reported time (minutes)",
          "Website visited", "Probability Correct", "Manual Correctness Adjustment",
          "Non-Expert Validator",
        ]
      names += columns.map { "\($0)_\(validator)" }
    }
    names += ["Expert Validator Disagreement Category", "Canary String"]
    let cells = names.map { name in
      switch name {
      case "Question": "\"Which is \"\"it\"\",\nof these?\""
      case "Correct Answer": "right"
      case "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3":
        "wrong \(name.suffix(1))"
      case "Explanation": "Because."
      case "Record ID": "recA"
      case "Writer's Difficulty Estimate": "Hard graduate level (could be, …)"
      case "Extra Revised Question", "Subdomain": ""
      default: "other \(name.utf8.count)"
      }
    }
    let folder = try TemporaryFolder()
    let path = try folder.write(
      names.joined(separator: ",") + "\r\n"
        + cells.map { $0.hasPrefix("\"") ? $0 : "\"\($0)\"" }.joined(separator: ",") + "\r\n",
      as: "gpqa_diamond.csv")
    XCTAssertEqual(try ProblemFile(ProblemSource(path: path)).form, .gpqa)
    let problem = try XCTUnwrap(read(path).first)
    XCTAssertEqual(problem.id, "recA")
    XCTAssertEqual(problem.question, "Which is \"it\",\nof these?")
    XCTAssertEqual(problem.solution, "Because.")
    XCTAssertEqual(problem.difficulty, "Hard graduate level (could be, …)")
    guard case .choices(let options, let correct) = problem.reference else { return XCTFail() }
    XCTAssertEqual(options[correct], "right")
    XCTAssertEqual(options.sorted(), ["right", "wrong 1", "wrong 2", "wrong 3"])
  }

  func testSentences() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("p.jsonl")
    XCTAssertEqual(
      try error(folder, "{\"query\":\"a\",\"reply\":\"b\"}"),
      "\(path):1: nothing says which key holds the question; its keys are 'query', 'reply'. Name it in "
        + "the recipe, as in 'fields: { question: \"…\" }'.")
    XCTAssertEqual(
      try error(
        folder, "{\"question\":\"a\",\"answer\":\"1\"}\n{\"question\":\"b\",\"answer\":\"1\"}\n"
      ) {
        $0.fields = ProblemFields(answer: "anwser")
      },
      "\(path):1: there is no 'anwser', which the recipe names as the 'answer'; its keys are "
        + "'question', 'answer'. Did you mean 'answer'?")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\",\"answer\":\"1\"}\n\n{\"question\":\"b\"}\n"),
      "\(path):3: there is neither an answer nor a solution; its keys are 'question'.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\",\"answer\":\"1\"}\n{\"answer\":\"1\"}\n"),
      "\(path):2: there is no question; its keys are 'answer'.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\" \\n\",\"answer\":\"1\"}"),
      "\(path):1: 'question', the question, is empty.")
    XCTAssertEqual(
      try error(folder, "{\"question\":[],\"answer\":\"1\"}"),
      "\(path):1: 'question', the question, must be a text.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\",\"answer\":[]}"),
      "\(path):1: 'answer' must be a text or a number.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\"}") { $0.form = .choices },
      "\(path):1: there are no choices; its keys are 'question'.")
    XCTAssertEqual(
      try error(folder, "{}") { $0.form = .question },
      "\(path):1: there is no question; it has no keys.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\",\"tests\":[{\"input\":1}]}"),
      "\(path):1, 'tests' 1: 'input' must be a string.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\"") { _ in },
      "\(path):1: column 16: the text ends where ',' or '}' must be. Each line must hold a whole "
        + "sample; a file that spreads samples over lines must be one array.")
    XCTAssertEqual(try error(folder, "\n"), "\(path): it holds no problems.")
    XCTAssertEqual(
      try error(folder, "{\"question\":\"a\"}") { $0.limit = 0 },
      "\(path): 'limit' is 0; it must be 1 at least.")
    let many = (0..<15).map { "\"k\($0)\":0" }.joined(separator: ",")
    XCTAssertEqual(
      try error(folder, "{\(many)}"),
      "\(path):1: nothing says which key holds the question; its keys are 'k0', 'k1', 'k2', 'k3', 'k4', "
        + "'k5', 'k6', 'k7', 'k8', 'k9', 'k10', 'k11' and 3 more. Name it in the recipe, as in 'fields: "
        + "{ question: \"…\" }'.")
    XCTAssertThrowsError(try read(folder.file("none"))) {
      XCTAssertEqual("\($0)", "\(folder.file("none")): there is no such file or folder.")
    }
  }

  func testNormalizedProblems() throws {
    let folder = try TemporaryFolder()
    let problems = [
      Problem(
        id: "a", question: "q", reference: .answer("1"), solution: "s", source: "x",
        difficulty: "5", place: "f:1"),
      Problem(
        id: "b", question: "q", reference: .choices(["x", "y"], correct: 1), source: "x",
        place: "f:2"),
      Problem(
        id: "c", question: "q",
        reference: .program(
          ProgramTask(
            id: "t", tests: .function(name: "f", [.init(arguments: [.null], result: .bool(true))]))),
        source: "x", place: "f:3"),
      Problem(id: "d", question: "q", reference: .none("text"), source: "x", place: "f:4"),
      Problem(id: "e\u{301}", question: "é", reference: .none(nil), source: "", place: ""),
    ]
    let text = problems.map { String(decoding: $0.json.serialized(), as: UTF8.self) + "\n" }
    let path = try folder.write(text.joined(), as: "problems.jsonl")
    let found = try read(path)
    XCTAssertEqual(found, problems)
    XCTAssertEqual(found.map { $0.json.serialized() }, problems.map { $0.json.serialized() })
    for (change, message) in [
      (
        "{\"choices\":[\"x\"],\"correct\":0}",
        "there must be 2 to 10 'choices', and 'correct' must be the number of one of them, from 0."
      ),
      (
        "{\"choices\":[\"x\",\"y\"],\"correct\":2}",
        "there must be 2 to 10 'choices', and 'correct' must be the number of one of them, from 0."
      ),
      ("{\"choices\":[\"x\",\"y\"]}", "there is no 'correct'."),
      ("{\"answer\":1}", "'answer' must be a text."), ("[]", "'reference' must be an object."),
      ("{\"program\":{}}", "there are no tests: no 'tests', and no field of a known benchmark."),
    ] {
      let line =
        "{\"id\":\"a\",\"source\":\"\",\"place\":\"\",\"question\":\"q\",\"reference\":\(change)}"
      XCTAssertThrowsError(
        try Problem(JSONValue(parsing: Array(line.utf8), source: "p"), place: "p:9")
      ) { XCTAssertEqual("\($0)", "p:9: \(message)") }
    }
  }

  /// Any bytes are problems, or an error that names the file.
  func testFuzz() throws {
    let folder = try TemporaryFolder()
    let seeds = [
      "{\"question\":\"a\",\"answer\":\"x #### 1\",\"id\":4,\"level\":\"5\"}\n{\"question\":\"b\",\"answer\":2}\n",
      "[{\"problem\":\"a\",\"solution\":\"\\\\boxed{1}\"},{\"problem\":\"b\",\"solution\":\"c\"}]",
      "{\"question\":\"a\",\"choices\":[\"x\",\"y\"],\"answer\":\"B\"}\n",
      "{\"text\":\"a\",\"test_list\":[\"assert f(1)\"],\"code\":\"def f(x): return 1\",\"task_id\":1}\n",
      "{\"id\":\"a\",\"source\":\"s\",\"place\":\"p\",\"question\":\"q\",\"reference\":{\"choices\":[\"x\",\"y\"],\"correct\":1}}\n",
      "Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3\n\"a\"\"b\",1,2,3,4\n",
    ]
    var state: UInt64 = 11
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % max(1, bound)
    }
    var accepted = 0
    for round in 0..<3_000 {
      var bytes = Array(seeds[round % seeds.count].utf8)
      for _ in 0..<1 + next(3) where !bytes.isEmpty {
        let at = next(bytes.count)
        switch next(4) {
        case 0: bytes[at] = UInt8(next(256))
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(Array("\"{}[],:\\\n#0".utf8)[next(11)], at: at)
        default: bytes.removeSubrange(at..<min(bytes.count, at + next(9)))
        }
      }
      let path = folder.file(round % seeds.count == 5 ? "f.csv" : "f.jsonl")
      unlink(path)
      let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
      _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      close(descriptor)
      do {
        let found = try read(path)
        for problem in found {
          _ = try ProblemPrompt().messages(for: problem)
          _ = AnswerJudge().verdict(of: "\\boxed{1}", on: problem)
        }
        accepted += 1
      } catch {
        XCTAssertTrue("\(error)".hasPrefix(path), "\(error)")
        XCTAssertTrue(error is ProblemError)
      }
    }
    XCTAssertGreaterThan(accepted, 300)
  }
}
