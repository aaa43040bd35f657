import Foundation
import Problems
import Storage
import XCTest

@testable import Curation

/// GSM8K's published solutions of four models, of which the file tells which are right.
final class RecordedSolutionTests: XCTestCase {
  func testKeepsWhatTheFileCallsRight() async throws {
    guard let fixtures = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; GSM8K's solutions are in its folder.")
    }
    let folder = try temporaryFolder(self)
    var run = RunMaker()
    var isRight: [String: Bool] = [:]
    let names = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
    for (k, row) in try objects(fixtures + "/benchmarks/gsm8k/example_model_solutions.jsonl")
      .enumerated()
    {
      let question = try XCTUnwrap(row["question"]?.string)
      let solution = try XCTUnwrap(row["ground_truth"]?.string)
      let answer = try XCTUnwrap(solution.components(separatedBy: "\nA: ").last)
      run.add("\(k)", question, .answer(answer), source: "gsm8k")
      for name in names {
        let given = try XCTUnwrap(row[name])
        let text = try XCTUnwrap(given["solution"]?.string)
        // They end in `A: 18`; the work before it stands for the thinking.
        let parts = text.components(separatedBy: "\nA: ")
        let key = run.answer(
          "\(k)", reasoning: parts.dropLast().joined(separator: "\n"),
          "The answer is \\boxed{\(parts.last ?? "")}.", tokens: nil)
        guard case .bool(let right)? = given["is_correct"] else { return XCTFail("no verdict") }
        isRight[key] = right
      }
    }
    XCTAssertEqual(run.records.count, 4 * 1_319)
    try run.write(to: folder + "/run")
    let recipe = CurationRecipe(
      samples: [CurationRecipe.SampleRun(run: folder + "/run")], format: false,
      readability: CurationRecipe.ReadabilityRules(drops: []),
      duplicates: CurationRecipe.DuplicateRules(exact: false), output: folder + "/set")
    let report = try await CurationRun(
      recipe, judge: RuleJudge(sandbox: nil), version: "9", threads: 2
    ).run()
    let kept = Set(try keys(folder + "/set").compactMap { $0 })
    var differing: [String] = []
    for record in run.records where kept.contains(record.key) != isRight[record.key] {
      differing.append("\(record.problem)/\(record.sample): \(record.answer.content)")
    }
    XCTAssertEqual(differing, [])
    XCTAssertEqual(report.total[.kept], isRight.values.count { $0 })
    XCTAssertEqual(
      report.total[.wrong] + report.total[.noAnswer] + report.total[.unjudged],
      isRight.values.count { !$0 })
    XCTAssertEqual(report.passRates.count, 1)
    XCTAssertEqual(report.passRates[0].problems, 1_319)
    XCTAssertEqual(
      report.notes,
      [
        "No evaluation sets were looked at: the recipe has no 'decontaminate'.",
        "The tokens of 5,276 completions are taken to be a quarter of their bytes, since the teacher "
          + "did not tell and the recipe names no 'tokenizer'.",
      ])
  }
}
