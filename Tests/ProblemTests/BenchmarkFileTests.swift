import Foundation
import Problems
import Storage
import Verification
import XCTest

/// Benchmarks are read as they are published.
final class BenchmarkFileTests: XCTestCase {
  private struct Expected {
    var file: String
    var count: Int
    var form: ProblemForm
    var ids: [String]
    var reference: (Problem.Reference) -> Bool
    var difficulty: String?
    var hasSolution = false
  }

  private static func answer(_ text: String) -> (Problem.Reference) -> Bool {
    { $0 == .answer(text) }
  }

  private static var files: [Expected] {
    [
      Expected(
        file: "aime24/qwq.jsonl", count: 30, form: .mathematics, ids: ["qwq.jsonl#1"],
        reference: answer("204")),
      Expected(
        file: "aime24/test.jsonl", count: 30, form: .mathematics, ids: ["test.jsonl#60"],
        reference: answer("204"), hasSolution: true),
      Expected(
        file: "aime25/qwq.jsonl", count: 30, form: .mathematics, ids: ["qwq.jsonl#1"],
        reference: answer("70")),
      Expected(
        file: "amc23/test.jsonl", count: 40, form: .mathematics, ids: ["test.jsonl#0"],
        reference: answer("27.0")),
      Expected(
        file: "gsm8k/example_model_solutions.jsonl", count: 1_319, form: .mathematics,
        ids: ["example_model_solutions.jsonl#1"],
        reference: { if case .answer(let text) = $0 { text.hasSuffix("A: 18") } else { false } }),
      Expected(
        file: "gsm8k/test.jsonl", count: 1_319, form: .mathematics,
        ids: ["test.jsonl#1", "test.jsonl#2"], reference: answer("18"), hasSolution: true),
      Expected(
        file: "gsm8k/train.jsonl", count: 7_473, form: .mathematics, ids: ["train.jsonl#1"],
        reference: answer("72"), hasSolution: true),
      Expected(
        file: "humaneval/HumanEval.jsonl.gz", count: 164, form: .program, ids: ["HumanEval/0"],
        reference: { if case .program(let task) = $0 { task.count > 0 } else { false } },
        hasSolution: true),
      Expected(
        file: "livecodebench/few_shot_func.json", count: 2, form: .mathematics,
        ids: ["few_shot_func.json#1"],
        reference: {
          if case .answer(let text) = $0 { text.hasPrefix("class Solution:") } else { false }
        }),
      Expected(
        file: "livecodebench/few_shot_stdin.json", count: 2, form: .mathematics,
        ids: ["few_shot_stdin.json#1"],
        reference: {
          if case .answer(let text) = $0 { text.hasPrefix("def minimum_moves") } else { false }
        }),
      Expected(
        file: "livecodebench/lcb_v5_prompts.jsonl", count: 279, form: .question, ids: ["abc365_b"],
        reference: { $0 == .none(nil) }),
      Expected(
        file: "livecodebench/sandboxfusion_code_contests_sample.jsonl", count: 20, form: .program,
        ids: ["sandboxfusion_code_contests_sample.jsonl#0"],
        reference: { if case .program(let task) = $0 { task.count > 1 } else { false } }),
      Expected(
        file: "livecodebench/sandboxfusion_lcb_v1_sample.decoded.jsonl", count: 3, form: .program,
        ids: ["sandboxfusion_lcb_v1_sample.decoded.jsonl#1"],
        reference: { if case .program(let task) = $0 { task.count == 5 } else { false } },
        hasSolution: true),
      Expected(
        file: "livecodebench/sandboxfusion_lcb_v1_sample.jsonl", count: 3, form: .program,
        ids: ["sandboxfusion_lcb_v1_sample.jsonl#1"],
        reference: { if case .program(let task) = $0 { task.count == 5 } else { false } },
        hasSolution: true),
      Expected(
        file: "livecodebench/sandboxfusion_mbpp_sample.jsonl", count: 20, form: .program,
        ids: ["sandboxfusion_mbpp_sample.jsonl#11"],
        reference: { if case .program(let task) = $0 { task.count == 3 } else { false } },
        hasSolution: true),
      Expected(
        file: "math/test.jsonl", count: 5_000, form: .mathematics, ids: ["test.jsonl#0"],
        reference: {
          if case .answer(let text) = $0 { text.hasPrefix("The denominator") } else { false }
        }, difficulty: "Level 3", hasSolution: true),
      Expected(
        file: "math/train_answers.json", count: 7_474, form: .mathematics,
        ids: ["train_answers.json#1"], reference: answer("0"), difficulty: "5.0"),
      Expected(
        file: "math500/test.jsonl", count: 500, form: .mathematics,
        ids: ["test/precalculus/807.json"],
        reference: answer("\\left( 3, \\frac{\\pi}{2} \\right)"),
        difficulty: "2", hasSolution: true),
      Expected(
        file: "mbpp/MbppPlus-v0.1.0.jsonl", count: 399, form: .program, ids: ["Mbpp/2"],
        reference: { if case .program(let task) = $0 { task.count > 0 } else { false } },
        hasSolution: true),
      Expected(
        file: "mbpp/mbpp.jsonl", count: 974, form: .program, ids: ["mbpp.jsonl#1"],
        reference: { if case .program(let task) = $0 { task.count == 3 } else { false } },
        hasSolution: true),
    ]
  }

  func testEveryFileIsReadToItsEnd() throws {
    for expected in Self.files {
      let path = try SharedFixture.path("benchmarks/" + expected.file)
      let file = try ProblemFile(ProblemSource(path: path))
      XCTAssertEqual(file.count, expected.count, expected.file)
      XCTAssertEqual(file.form, expected.form, expected.file)
      var ids = Set<String>()
      for index in 0..<file.count {
        let problem = try file.problem(index)
        XCTAssertTrue(ids.insert(problem.id).inserted, "\(expected.file): \(problem.id)")
        XCTAssertEqual(problem.solution != nil, expected.hasSolution, problem.place)
        // What `problems.jsonl` has is the same problem.
        let text = problem.json.serialized()
        let again = try Problem(JSONValue(parsing: text, source: "again"), place: "again")
        XCTAssertEqual(again, problem, problem.place)
        XCTAssertEqual(again.json.serialized(), text, problem.place)
        XCTAssertFalse(try ProblemPrompt().messages(for: problem).isEmpty)
        if index < expected.ids.count { XCTAssertEqual(problem.id, expected.ids[index]) }
        if index == 0 {
          XCTAssertTrue(expected.reference(problem.reference), "\(problem.reference)")
          XCTAssertEqual(problem.difficulty, expected.difficulty, expected.file)
          XCTAssertEqual(problem.place, path + (expected.file.hasSuffix("json") ? ":2" : ":1"))
        }
      }
    }
  }

  /// All files of the folder are in the list above.
  func testNoFileIsLeftOut() throws {
    let folder = try SharedFixture.path("benchmarks")
    var found: [String] = []
    for name in try names(inFolder: folder) {
      found += try names(inFolder: folder + "/" + name).map { "\(name)/\($0)" }
    }
    XCTAssertEqual(Set(found), Set(Self.files.map(\.file)))
  }

  /// Each reference is right by the judge that will compare with it.
  func testReferencesAreRightAnswers() throws {
    let judge = AnswerJudge()
    for name in ["gsm8k/test.jsonl", "math500/test.jsonl", "aime24/test.jsonl", "amc23/test.jsonl"]
    {
      let file = try ProblemFile(
        ProblemSource(path: SharedFixture.path("benchmarks/" + name), limit: 200))
      for index in 0..<file.count {
        let problem = try file.problem(index)
        guard case .answer(let answer) = problem.reference else { return XCTFail(problem.place) }
        let right = judge.verdict(
          of: "<think>\nNo, 12345.\n</think>\n\nIt is \\boxed{\(answer)}.", on: problem)
        XCTAssertEqual(right.outcome, .correct, "\(problem.place): \(right)")
        let wrong = judge.verdict(of: "<think></think>\\boxed{-98765.4321}", on: problem)
        XCTAssertNotEqual(wrong.outcome, .correct, problem.place)
        if let solution = problem.solution, name != "aime24/test.jsonl" {
          XCTAssertEqual(judge.verdict(of: solution, on: problem).outcome, .correct, problem.place)
        }
      }
    }
  }

  /// GSM8K's recorded solutions, which the file itself marks as right or wrong.
  func testRecordedSolutionsAreJudgedAsTheFileSays() throws {
    let path = try SharedFixture.path("benchmarks/gsm8k/example_model_solutions.jsonl")
    let file = try ProblemFile(ProblemSource(path: path))
    let judge = AnswerJudge()
    var line = 0
    var differences: [String] = []
    for text in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let problem = try file.problem(line)
      line += 1
      guard case .object(let record) = try JSONValue(parsing: Data(text.utf8), source: path) else {
        return XCTFail("no object")
      }
      for (key, value) in record.members {
        guard case .object(let sample) = value, case .string(let solution)? = sample["solution"],
          case .bool(let isRight)? = sample["is_correct"]
        else { continue }
        let verdict = judge.verdict(of: solution, on: problem)
        if (verdict.outcome == .correct) != isRight {
          differences.append("\(line) \(key): \(verdict.answer ?? "nothing")")
        }
      }
    }
    XCTAssertEqual(differences, [])
  }
}
