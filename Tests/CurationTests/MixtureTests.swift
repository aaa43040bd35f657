import Datasets
import Foundation
import Problems
import Storage
import XCTest

@testable import Curation

final class MixtureTests: XCTestCase {
  private func file(_ folder: String, _ name: String, _ lines: [String]) throws -> String {
    let path = folder + "/" + name
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func prepare(_ folder: String, _ count: Int = 12) throws -> CurationRecipe {
    var run = RunMaker()
    for k in 0..<count {
      run.add("p\(k)", "What is \(k) + 1?", .answer("\(k + 1)"))
      run.answer("p\(k)", "\\boxed{\(k + 1)}")
    }
    try run.write(to: folder + "/run")
    return CurationRecipe(
      samples: [CurationRecipe.SampleRun(run: folder + "/run")], output: folder + "/set")
  }

  private func answers(_ output: String) throws -> [String?] {
    try objects(output + "/samples.jsonl").map { line in
      guard case .array(let turns)? = line["messages"] else { return nil }
      return turns.last?["content"]?.string
    }
  }

  func testFormsAndReasoning() async throws {
    let folder = try temporaryFolder(self)
    let lines = [
      #"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"<think>\nA\n</think>\n\nOne"}]}"#,
      #"{"messages":[{"role":"user","content":"Ho"},{"role":"assistant","content":" Two ","reasoning_content":"B\n"}]}"#,
      #"{"messages":[{"role":"user","content":"He"},{"role":"assistant","content":"Three"}]}"#,
    ]
    let path = try file(folder, "talk.jsonl", lines)
    let alpaca = try file(
      folder, "alpaca.jsonl",
      [#"{"instruction":"Translate.","input":"Haus","output":"House"}"#])
    let share = try file(
      folder, "share.jsonl",
      [#"{"conversations":[{"from":"human","value":"Q"},{"from":"gpt","value":"A"}]}"#])
    let plain = try file(folder, "plain.jsonl", [#"{"prompt":"Say:","completion":" yes"}"#])
    for (reasoning, expected) in [
      (
        CurationRecipe.MixtureSource.Reasoning.keep,
        ["<think>\nA\n</think>\n\nOne", "<think>\nB\n</think>\n\nTwo", "Three"]
      ), (.drop, ["One", " Two ", "Three"]),
      (.asIs, ["<think>\nA\n</think>\n\nOne", " Two ", "Three"]),
    ] {
      var recipe = try prepare(folder, 1)
      recipe.mixture = [
        CurationRecipe.MixtureSource(path: path, reasoning: reasoning),
        CurationRecipe.MixtureSource(path: alpaca, name: "translation"),
        CurationRecipe.MixtureSource(path: share), CurationRecipe.MixtureSource(path: plain),
      ]
      let report = try await CurationRun(recipe, judge: rules, version: "9").run()
      XCTAssertEqual(
        try answers(folder + "/set").dropFirst(), expected + ["House", "A", " yes"])
      XCTAssertEqual(report.samples, 7)
      let all = try objects(folder + "/set/samples.jsonl")
      XCTAssertEqual(
        all.dropFirst().map { $0["provenance"]?["source"]?.string },
        ["talk.jsonl", "talk.jsonl", "talk.jsonl", "translation", "share.jsonl", "plain.jsonl"])
      XCTAssertEqual(all[2]["provenance"]?["place"]?.string, path + ":2")
      let reasons = all.map { line -> String? in
        guard case .array(let turns)? = line["messages"] else { return nil }
        return turns.last?["reasoning_content"]?.string
      }
      XCTAssertEqual(reasons.compactMap { $0 }, reasoning == .asIs ? ["B\n"] : [])
    }
  }

  func testCountsSharesAndSeeds() async throws {
    let folder = try temporaryFolder(self)
    let many = try file(
      folder, "many.jsonl",
      (0..<100).map {
        #"{"messages":[{"role":"user","content":"Q\#($0)"},{"role":"assistant","content":"A\#($0)"}]}"#
      })
    var recipe = try prepare(folder)
    recipe.mixture = [CurationRecipe.MixtureSource(path: many, share: 0.25)]
    func mixed() async throws -> [String?] {
      try await CurationRun(recipe, judge: rules, version: "9").run()
      return try Array(answers(folder + "/set").dropFirst(12))
    }
    let first = try await mixed()
    XCTAssertEqual(first.count, 4)
    // In the order of the file, which ones by the seed.
    let numbers = first.compactMap { $0.flatMap { Int($0.dropFirst()) } }
    XCTAssertEqual(numbers, numbers.sorted())
    recipe.mixture[0].seed = 1
    let second = try await mixed()
    XCTAssertNotEqual(first, second)
    recipe.mixture[0].share = nil
    recipe.mixture[0].count = 200
    let report = try await CurationRun(recipe, judge: rules, version: "9").run()
    XCTAssertEqual(report.samples, 112)
    XCTAssertEqual(
      report.notes.last, "many.jsonl was to give 200 samples; it has 100.")
    recipe.total = 50
    recipe.mixture[0].count = nil
    let total = try await CurationRun(recipe, judge: rules, version: "9").run()
    XCTAssertEqual(total.samples, 50)
    XCTAssertEqual(total.parts.map(\.samples), [5, 45])
    XCTAssertEqual(total.total[.surplus], 7)
    XCTAssertEqual(total.mixture[0][.surplus], 55)
  }

  func testTheMixtureIsFreeOfEvaluationQuestionsAndDuplicates() async throws {
    let folder = try temporaryFolder(self)
    let question =
      "A farmer has seventeen purple sheep and buys nineteen yellow goats at the harbour market; "
      + "how many animals does he own in the end?"
    let talk = try file(
      folder, "talk.jsonl",
      [
        #"{"messages":[{"role":"user","content":"\#(question)"},{"role":"assistant","content":"36"}]}"#,
        #"{"messages":[{"role":"user","content":"Tell me a sum."},{"role":"assistant","content":"\#(question)"}]}"#,
        #"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#,
        #"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello "}]}"#,
        #"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hey"}]}"#,
      ])
    let evaluation = try file(
      folder, "evaluation.jsonl", [#"{"id":"sheep","question":"\#(question)","answer":"36"}"#])
    var recipe = try prepare(folder, 2)
    recipe.mixture = [CurationRecipe.MixtureSource(path: talk)]
    recipe.decontaminate = CurationRecipe.Decontamination(
      sets: [ProblemSource(path: evaluation)])
    let report = try await CurationRun(recipe, judge: rules, version: "9").run()
    let funnel = report.mixture[0]
    XCTAssertEqual(funnel.read, 5)
    XCTAssertEqual(funnel[.evaluationQuestion], 1)
    XCTAssertEqual(funnel[.evaluationTrace], 1)
    XCTAssertEqual(funnel[.sameAnswer], 1)
    XCTAssertEqual(funnel[.kept], 2)
    XCTAssertEqual(
      funnel.examples.map(\.place), [talk + ":1", talk + ":2", talk + ":4"])
    XCTAssertEqual(report.evaluation.map(\.name), ["evaluation.jsonl"])
    XCTAssertEqual(try answers(folder + "/set").suffix(2), ["Hello", "Hey"])
    recipe.decontaminate?.traces = false
    let without = try await CurationRun(recipe, judge: rules, version: "9").run()
    XCTAssertEqual(without.mixture[0][.evaluationTrace], 0)
    XCTAssertEqual(without.mixture[0][.kept], 3)
  }

  func testWhatCannotBeMixed() async throws {
    let folder = try temporaryFolder(self)
    var recipe = try prepare(folder, 1)
    func check(_ lines: [String], _ message: String) async throws {
      let path = try file(folder, "mixed.jsonl", lines)
      recipe.mixture = [CurationRecipe.MixtureSource(path: path)]
      await assertThrows(message.replacingOccurrences(of: "@", with: path)) {
        try await CurationRun(recipe, judge: rules, version: "9").run()
      }
    }
    try await check(
      [#"{"text":"Once."}"#],
      "@:1: plain text has no turns, and can't stand among conversations. Train on it from a source "
        + "of its own.")
    try await check(
      [#"{"messages":[{"role":"user","content":"Hi"}]}"#],
      "@:1: no turn is the assistant's, so that nothing would be learned.")
    try await check(
      [#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"x"}]}"#, "{"],
      "@:2: column 2: the text ends where a key in double quotes must be. Each line must hold a "
        + "whole sample; a file that spreads samples over lines must be one array.")
    recipe.mixture = [CurationRecipe.MixtureSource(path: folder + "/none.jsonl")]
    await assertThrows("\(folder)/none.jsonl: there is no such file or folder.") {
      try await CurationRun(recipe, judge: rules, version: "9").run()
    }
  }
}
