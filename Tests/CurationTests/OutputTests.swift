import ChatTemplates
import Datasets
import Foundation
import Problems
import Storage
import Tokenizers
import XCTest

@testable import Curation

final class OutputTests: XCTestCase {
  private func prepare(
    _ folder: String, _ body: (inout RunMaker) -> Void
  ) throws -> CurationRecipe {
    var run = RunMaker()
    body(&run)
    try run.write(to: folder + "/run")
    return CurationRecipe(
      samples: [CurationRecipe.SampleRun(run: folder + "/run")], output: folder + "/set")
  }

  func testNothingLeft() async throws {
    let folder = try temporaryFolder(self)
    var recipe = try prepare(folder) { run in
      run.add("a", "What is 1 + 1?", .answer("2"))
      for k in 3..<6 { run.answer("a", "\\boxed{\(k)}") }
      run.answer("a", "", finish: .length)
    }
    let report = folder + "/set/report.txt"
    await assertThrows(
      "None of the 4 samples is left: 3 wrong, 1 cut at the token limit. See \(report)."
    ) { try await CurationRun(recipe, judge: rules, version: "9").run() }
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: folder + "/set").sorted(),
      ["manifest.json", "report.html", "report.json", "report.txt"])
    do {
      try await CurationRun(recipe, judge: rules, version: "9").run()
      XCTFail("nothing is left")
    } catch let error as CurationError {
      XCTAssertEqual(error.reason, .nothingLeft)
    }
    // A set that is there is not lost to a recipe that keeps nothing.
    recipe.keep = [.wrong]
    try FileManager.default.removeItem(atPath: folder + "/set")
    try await CurationRun(recipe, judge: rules, version: "9").run()
    let before = try contents(folder + "/set")
    recipe.keep = [.correct]
    await assertThrows(
      "None of the 4 samples is left: 3 wrong, 1 cut at the token limit. See "
        + "\(folder)/set.work/report.txt; \(folder)/set is as it was."
    ) { try await CurationRun(recipe, judge: rules, version: "9").run() }
    XCTAssertEqual(try contents(folder + "/set"), before)
    XCTAssertNotNil(try contents(folder + "/set.work")["report.html"])

    let one = try prepare(folder) { run in
      run.add("a", "What is 1 + 1?", .answer("2"))
      run.answer("a", "\\boxed{3}")
    }
    try FileManager.default.removeItem(atPath: folder + "/set")
    await assertThrows("The only sample is not left: 1 wrong. See \(report).") {
      try await CurationRun(one, judge: rules, version: "9").run()
    }
    let none = try prepare(folder) { $0.add("a", "What?", .answer("2")) }
    try FileManager.default.removeItem(atPath: folder + "/set")
    await assertThrows("The runs hold no samples. See \(report).") {
      try await CurationRun(none, judge: rules, version: "9").run()
    }
  }

  func testOtherErrors() async throws {
    let folder = try temporaryFolder(self)
    var recipe = try prepare(folder) { run in
      run.add("a", "What is 1 + 1?", .answer("2"))
      run.answer("a", "\\boxed{2}")
      run.answer("b", "\\boxed{2}")
    }
    await assertThrows(
      "\(folder)/run/samples.jsonl, problem 'b', sample 0: 'problems.jsonl' has no such problem. Put "
        + "the file of this run in its place."
    ) { try await CurationRun(recipe, judge: rules, version: "9").run() }
    recipe.samples = [.init(run: folder + "/none")]
    await assertThrows("\(folder)/none: there is no such file or folder.") {
      try await CurationRun(recipe, judge: rules, version: "9").run()
    }
    // A folder with other people's files is not replaced; that is found out first.
    recipe = try prepare(folder) { run in
      run.add("a", "What is 1 + 1?", .answer("2"))
      run.answer("a", "\\boxed{2}")
    }
    try FileManager.default.createDirectory(
      atPath: folder + "/set", withIntermediateDirectories: true)
    try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/set/letters.txt"))
    await assertThrows(
      "\(folder)/set: 'letters.txt' in it would be lost, as the folder is replaced as a whole. Move "
        + "that away, or choose another folder."
    ) { try await CurationRun(recipe, judge: rules, version: "9").run() }
    // Judging that fails is nobody's fault but the machine's.
    try FileManager.default.removeItem(atPath: folder + "/set")
    recipe = try prepare(folder) { run in
      run.add("a", "What is 1 + 1?", .answer("2"))
      for _ in 0..<97 { run.answer("a", "\\boxed{2}") }
      for _ in 0..<2 { run.answer("a", "FAILURE") }
    }
    await assertThrows(
      "Judging failed for 2 of 99 answers, which says nothing about them; more than 1 % is not gone "
        + "on with. The first: The sandbox did not start. Verdicts are kept in \(folder)/set.work: "
        + "the same command judges only what is left."
    ) { try await CurationRun(recipe, judge: rules, version: "9").run() }
    recipe.tokenizer = folder
    await assertThrows(
      "\(folder): no tokenizer. Looked for are 'tokenizer.json', 'vocab.json' with 'merges.txt', and "
        + "'tokenizer.model' in tiktoken's format."
    ) { try await CurationRun(recipe, judge: rules, version: "9").run() }
  }

  /// What training does with the set: every sample passes its gate, and all of the thinking is
  /// learned.
  func testTrainingReadsTheSet() async throws {
    let folder = try temporaryFolder(self)
    let odd = "\n\nLet me think: é, 你好, <b>x</b>.\n\n  Then \"more\".\n\n\n"
    let recipe = try prepare(folder) { run in
      for k in 0..<5 {
        run.add("\(k)", "What is \(k) + 1?", .answer("\(k + 1)"))
        run.answer("\(k)", reasoning: odd + "\(k)", "\n\nIt is \\boxed{\(k + 1)}.\n")
      }
    }
    try await CurationRun(recipe, judge: rules, version: "9").run()
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers/chat").path
    let template = folder + "/chat.jinja"
    try Data(
      ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}").utf8
    ).write(to: URL(fileURLWithPath: template))
    var data = DataRecipe(
      checkpoint: fixtures, sources: [SampleSource(path: folder + "/set/samples.jsonl")],
      contextLength: 4_096, supervision: .assistant, longerDocuments: .drop, packing: .bestFit,
      specialTokensInText: false, seed: 1, cache: folder + "/cache")
    data.chatTemplate = template
    data.endTokens = ["<|im_end|>"]
    let preparation = try Preparation(data)
    XCTAssertEqual(preparation.count, 5)
    var texts: [String] = []
    let report = try preparation.run(write: { document, _, _ in
      let learned = zip(document.ids, document.supervised).filter(\.1).map(\.0)
      texts.append(preparation.checkpoint.tokenizer.decode(learned))
    })
    XCTAssertEqual(texts.count, 5)
    XCTAssertEqual("\(report.findings)", "[]")
    for (k, text) in texts.enumerated() {
      let reasoning = "Let me think: é, 你好, <b>x</b>.\n\n  Then \"more\".\n\n\n\(k)"
      XCTAssertTrue(
        text.hasPrefix("<think>\n\(reasoning)\n</think>\n\nIt is \\boxed{\(k + 1)}."), text)
    }
  }

  func testInstructionsAreKeptOrLeftOut() async throws {
    let folder = try temporaryFolder(self)
    func asked(_ keep: Bool, prompt: String? = nil) async throws -> [[String?]] {
      var recipe = try prepare(folder) { run in
        run.prompt = prompt
        run.add("a", "What is 1 + 1?", .answer("2"))
        run.answer("a", "\\boxed{2}")
        run.add("b", "Which?", .choices(["yes", "no"], correct: 1))
        run.answer("b", "Answer: B")
      }
      recipe.keepInstruction = keep
      try await CurationRun(recipe, judge: rules, version: "9").run()
      return try objects(folder + "/set/samples.jsonl").map { line in
        guard case .array(let turns)? = line["messages"] else { return [] }
        return turns.dropLast().map { $0["content"]?.string }
      }
    }
    let kept = try await asked(true)
    XCTAssertEqual(kept.first, ["What is 1 + 1?\n\n" + ProblemPrompt.instruction])
    XCTAssertTrue(kept.last?.first??.contains("Answer") ?? false)
    let bare = try await asked(false)
    XCTAssertEqual(bare, [["What is 1 + 1?"], ["Which?\n\nA) yes\nB) no"]])
    let own = try await asked(
      true, prompt: #"{"words":"1","system":"Be brief.","mathematics":"Solve: {question}"}"#)
    XCTAssertEqual(own.first, ["Be brief.", "Solve: What is 1 + 1?"])
  }

  /// What data calls itself can't move a terminal's cursor, nor make the report depend on hash
  /// tables.
  func testNamesFromData() async throws {
    let folder = try temporaryFolder(self)
    let levels = ["9", "10", "1a", "nan", "2.5", "", "hard", "-1"]
    let recipe = try prepare(folder) { run in
      for level in levels {
        run.add(
          "\u{1B}[2J\(level)", "What is 1 + 1? \(level)", .answer("2"),
          source: "red\u{1B}[31m\u{202E}", difficulty: level)
        run.answer("\u{1B}[2J\(level)", "\u{7}\\boxed{2}")
        run.answer("\u{1B}[2J\(level)", "\u{9B}\r\\boxed{3}")
      }
    }
    let report = try await CurationRun(recipe, judge: rules, version: "9").run()
    XCTAssertEqual(
      report.passRates.map(\.difficulty), ["-1", "2.5", "9", "10", "", "1a", "hard", "nan"])
    for (name, data) in try contents(folder + "/set") where name != "samples.jsonl" {
      let text = String(decoding: data, as: UTF8.self)
      let bad = text.unicodeScalars.filter {
        ($0.value < 0x20 && $0 != "\n") || (0x7F...0x9F).contains($0.value)
          || (name == "report.txt" && $0.value == 0x202E)
      }
      XCTAssertEqual(bad.count, 0, name)
    }
    for a in levels {
      for b in levels where a != b {
        XCTAssertNotEqual(CurationRun.isBefore(a, b), CurationRun.isBefore(b, a), "\(a) \(b)")
      }
    }
  }

  func testManifest() async throws {
    let folder = try temporaryFolder(self)
    _ = try ReasonTests.prepare(folder)
    try await CurationRun(ReasonTests.recipe(folder), judge: rules, version: "9.8").run()
    let files = try contents(folder + "/set")
    let manifest = try JSONValue(
      parsing: XCTUnwrap(files["manifest.json"]), source: "manifest.json")
    XCTAssertEqual(manifest["toolkit"]?.string, "9.8")
    XCTAssertEqual(manifest["rules"]?["verdicts"]?.string, "test 1")
    XCTAssertEqual(manifest["recipe"]?["perProblem"]?["most"]?.int, 2)
    XCTAssertEqual(manifest["counts"]?["read"]?.int, ReasonTests.synthetic().run.records.count)
    guard case .array(let inputs)? = manifest["inputs"],
      case .array(let outputs)? = manifest["outputs"]
    else { return XCTFail("no files") }
    XCTAssertEqual(
      inputs.map { $0["path"]?.string },
      ["run/problems.jsonl", "run/samples.jsonl", "evaluation.jsonl"].map { folder + "/" + $0 })
    for input in inputs {
      let data = try Data(contentsOf: URL(fileURLWithPath: XCTUnwrap(input["path"]?.string)))
      XCTAssertEqual(input["bytes"]?.int, data.count)
      XCTAssertEqual(input["sha256"]?.string, sum(data))
    }
    XCTAssertEqual(
      outputs.map { $0["name"]?.string },
      ["samples.jsonl", "report.json", "report.txt", "report.html"])
    for output in outputs {
      let data = try XCTUnwrap(files[XCTUnwrap(output["name"]?.string)])
      XCTAssertEqual(output["sha256"]?.string, sum(data))
    }
  }

  private func sum(_ data: Data) -> String {
    var hash = SHA256()
    hash.update(Array(data))
    return hash.finalizedText()
  }
}
