import XCTest

/// Every example runs, and does what it says.
final class ExampleTests: XCTestCase {
  func testMemorize() throws {
    let (output, _, status) = try run("memorize")
    XCTAssertEqual(
      output.split(separator: "\n").last,
      "She sells sea shells by the sea shore, and the shells she sells are sea shells.")
    XCTAssertEqual(status, 0)
  }

  func testArithmeticStories() throws {
    let (output, _, status) = try run(
      "arithmetic-stories", "problems", "--count", "3", "--steps", "2")
    XCTAssertEqual(status, 0)
    XCTAssertEqual(output.split(separator: "\n").count, 3)
    for line in output.split(separator: "\n") {
      XCTAssertTrue(line.hasSuffix(",\"difficulty\":\"2 steps\"}"), "\(line)")
    }
    XCTAssertEqual(try run("arithmetic-stories", "poems").status, 64)
    XCTAssertEqual(
      try run("arithmetic-stories", "problems", "--split", "test", "--steps", "1").status, 1)
  }

  func testEveryExampleIsTested() throws {
    let folders = Package.files(in: "Examples").filter { $0.hasSuffix("main.swift") }
    let names = [
      "arithmetic-stories", "custom-benchmark", "custom-reward", "memorize",
      "sample-from-checkpoint",
    ]
    XCTAssertEqual(
      folders, names.map { "Examples/\($0)/main.swift" }, "an example needs a test here")
    let readme = try Package.text("Examples/README.md")
    for name in names { XCTAssertTrue(readme.contains("\n| `\(name)` | "), name) }
  }

  // MARK: - sample-from-checkpoint

  /// What the example shows of an answer.
  private struct Shown: Equatable {
    var tokens = 0
    var sum = 0.0
    var text = ""
    var probabilities: [Double] = []
    var pieces: [String] = []
  }

  private func shown(_ output: String) throws -> [Shown] {
    let parts = output.components(separatedBy: "\n\nAnswer ")
    XCTAssertEqual(parts.first, "Checkpoints/tiny-base: 335616 parameters.")
    return try parts.dropFirst().enumerated().map { i, part in
      var lines = part.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      // 1 of 3: 6 tokens, log-probability -2.248, ended by stop.
      let words = lines.removeFirst().split(separator: " ")
      XCTAssertEqual(words.prefix(3), ["\(i + 1)", "of", "\(parts.count - 1):"])
      XCTAssertEqual(words.suffix(3), ["ended", "by", "stop."])
      var shown = Shown()
      shown.tokens = try XCTUnwrap(Int(words[3]))
      shown.sum = try XCTUnwrap(Double(words[6].dropLast()))
      lines = Array(lines.reversed().drop(while: \.isEmpty).reversed())
      for line in lines.suffix(shown.tokens) {
        let columns = line.split(separator: " ", maxSplits: 1)
        shown.probabilities.append(try XCTUnwrap(columns.first.flatMap { Double($0) }))
        shown.pieces.append(String(columns[1]))
      }
      shown.text = lines.dropLast(shown.tokens).joined(separator: "\n")
      return shown
    }
  }

  func testSampleFromCheckpoint() throws {
    let question = "Ann has 12 pens. She finds 3 more. How many pens does Ann have now?"
    func output(_ numbers: String...) throws -> String {
      let (output, errors, status) = try run(
        "sample-from-checkpoint", ["Checkpoints/tiny-base", question] + numbers)
      XCTAssertEqual(errors, "")
      XCTAssertEqual(status, 0)
      return output
    }
    let sampled = try output("4", "1", "7")
    let answers = try shown(sampled)
    XCTAssertEqual(answers.count, 4)
    for answer in answers {
      XCTAssertEqual(answer.probabilities.count, answer.tokens)
      XCTAssertTrue(answer.probabilities.allSatisfy { $0 <= 0 }, "\(answer)")
      // Each figure is rounded to three places.
      XCTAssertEqual(
        answer.probabilities.reduce(0, +), answer.sum, accuracy: 0.0006 * Double(answer.tokens + 1))
      // The tokens are the text, and one that ends it.
      let written = answer.pieces.dropLast().map { $0.dropFirst().dropLast() }.joined()
        .replacingOccurrences(of: "\\n", with: "\n")
        .replacingOccurrences(of: "\\\\", with: "\\")
      XCTAssertEqual(written, answer.text)
      XCTAssertEqual(answer.pieces.last, "\"<|end|>\"")
    }
    XCTAssertEqual(try output("4", "1", "7"), sampled)
    XCTAssertNotEqual(try output("4", "1", "8"), sampled)
    let greedy = try shown(output("2", "0"))
    XCTAssertEqual(greedy.first, greedy.last)
    XCTAssertEqual(try shown(run("sample-from-checkpoint").output).count, 3)
  }

  func testMistakesOfSampleFromCheckpoint() throws {
    for (arguments, words) in [
      (
        ["/nowhere"],
        "/nowhere: no tokenizer. Looked for are 'tokenizer.json', 'vocab.json' with 'merges.txt', "
          + "and 'tokenizer.model' in tiktoken's format."
      ),
      (["Checkpoints/tiny-base", "a", "many"], "'many' is no number of answers."),
      (
        ["Checkpoints/tiny-base", "a", "-1"],
        "No sample is asked for; ask for at least 1."
      ),
      (["Checkpoints/tiny-base", "a", "1", "warm"], "'warm' is no temperature."),
      (["Checkpoints/tiny-base", "a", "1", "1", "-1"], "'-1' is no seed."),
    ] {
      let (output, errors, status) = try run("sample-from-checkpoint", arguments)
      XCTAssertEqual(errors, "Error: \(words)\n")
      XCTAssertTrue(output.isEmpty || output == "Checkpoints/tiny-base: 335616 parameters.\n")
      XCTAssertEqual(status, 1)
    }
  }

  // MARK: - custom-reward

  /// The recipe that the example takes by itself, with less of everything.
  private func smallRecipe() throws -> (recipe: String, folder: String) {
    let folder = FileManager.default.temporaryDirectory.path + "/example-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    addTeardownBlock { try? FileManager.default.removeItem(atPath: folder) }
    var text = try Package.text("Recipes/tiny/4-reinforce-base.json5")
    for (key, other) in [
      ("questionsPerStep: 32", "questionsPerStep: 3"),
      ("answersPerQuestion: 8", "answersPerQuestion: 4"), ("resamplings: 2", "resamplings: 0"),
      ("easy.jsonl\" }", "easy.jsonl\", limit: 5 }"),
      ("hard.jsonl\" }", "hard.jsonl\", limit: 5 }"),
      ("source: \"stories\" }", "source: \"stories\", limit: 50 }"),
    ] {
      XCTAssertEqual(text.components(separatedBy: key).count, 2, key)
      text = text.replacingOccurrences(of: key, with: other)
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/small.json5"))
    return (folder + "/small.json5", folder)
  }

  func testCustomReward() throws {
    let (recipe, folder) = try smallRecipe()
    let (output, errors, status) = try run("custom-reward", [recipe, folder + "/run", "2"])
    XCTAssertEqual(errors, "")
    XCTAssertEqual(status, 0)
    let lines = output.split(separator: "\n")
    XCTAssertEqual(lines.first, "336 k parameters; 50 problems, 10 held out.")
    // Figures are those of a processor; the words around them are not.
    let words = lines.map { line in
      String(
        String.UnicodeScalarView(line.unicodeScalars.map { ("0"..."9").contains($0) ? "0" : $0 })
      )
      .replacingOccurrences(of: "0+(\\.0+)?", with: "0", options: .regularExpression)
      .replacingOccurrences(of: "reward -0", with: "reward 0")
    }
    XCTAssertEqual(
      words.suffix(5),
      [
        "held out, after step 0: right 0 ± 0 %, 0 tokens an answer",
        "step 0: reward 0, right 0 %, 0 tokens an answer",
        "step 0: reward 0, right 0 %, 0 tokens an answer",
        "held out, after step 0: right 0 ± 0 %, 0 tokens an answer",
        "The policy is in \(folder)/run/student.".replacingOccurrences(
          of: "[0-9]+", with: "0", options: .regularExpression),
      ])
    // Every step tells of the reward that the recipe does not have.
    let metrics = try String(contentsOfFile: folder + "/run/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").filter { $0.contains("\"kind\":\"step\"") }
    XCTAssertEqual(metrics.count, 2)
    for line in metrics { XCTAssertTrue(line.contains("\"thrift\":{"), "\(line)") }
    XCTAssertTrue(
      FileManager.default.fileExists(atPath: folder + "/run/student/model.safetensors"))
    let again = try run("custom-reward", [recipe, folder + "/run", "2"])
    XCTAssertEqual(again.status, 0)
    XCTAssertTrue(again.output.contains("\nAll 2 steps are done."), again.output)
  }

  func testMistakesOfCustomReward() throws {
    for (arguments, words) in [
      (["/nowhere.json5"], "/nowhere.json5: there is no such file."),
      (
        ["Recipes/tiny/4-reinforce-base.json5", "/nowhere", "0"],
        "The recipe: 'steps' is 0; it must be 1 at least.\n"
          + "The recipe: 'evaluation.everySteps' is 0; it must be 1 at least."
      ),
    ] {
      let (output, errors, status) = try run("custom-reward", arguments)
      XCTAssertEqual(errors, "Error: \(words)\n")
      XCTAssertEqual(output, "")
      XCTAssertEqual(status, 1)
    }
  }

  // MARK: - custom-benchmark

  func testCustomBenchmark() throws {
    func lines(_ checkpoint: String) throws -> [String] {
      let (output, errors, status) = try run("custom-benchmark", [checkpoint, "4"])
      XCTAssertEqual(errors, "")
      XCTAssertEqual(status, 0)
      XCTAssertEqual(try run("custom-benchmark", [checkpoint, "4"]).output, output)
      return output.split(separator: "\n").map(String.init)
    }
    func points(_ line: String, _ score: String, _ checkpoint: String) throws -> Double {
      let words = line.split(separator: " ").map(String.init)
      XCTAssertEqual(
        Array(words.prefix(2) + words.dropFirst(3).prefix(10)),
        "'\(checkpoint)' has points on 'sums of three' (\(score), 20 problems; 95 %:"
          .split(separator: " ").map(String.init))
      return try XCTUnwrap(Double(words[2]))
    }
    var found: [Double] = []
    for checkpoint in ["Checkpoints/tiny-base", "Checkpoints/tiny-teacher"] {
      let lines = try lines(checkpoint)
      XCTAssertEqual(lines.count, 4)
      XCTAssertTrue(
        lines[0].hasPrefix("'sums of three': 80 samples of 20 problems: "), lines[0])
      found.append(try points(lines[1], "pass@1", checkpoint))
      _ = try points(lines[2], "cons@4", checkpoint)
      XCTAssertTrue(
        lines[3].hasPrefix("The interval is for other problems like these 20, "), lines[3])
    }
    XCTAssertLessThan(found[0], 70)
    XCTAssertGreaterThan(found[1], 90)
  }

  func testMistakesOfCustomBenchmark() throws {
    for (arguments, words) in [
      (
        ["/nowhere"],
        "/nowhere: no 'config.json'. A checkpoint is a folder with config.json and safetensors "
          + "files, as transformers saves it."
      ),
      (["Checkpoints/tiny-base", "0"], "'0' is no number of answers."),
      (["Checkpoints/tiny-base", "many"], "'many' is no number of answers."),
    ] {
      let (output, errors, status) = try run("custom-benchmark", arguments)
      XCTAssertEqual(errors, "Error: \(words)\n")
      XCTAssertEqual(output, "")
      XCTAssertEqual(status, 1)
    }
  }

  // MARK: -

  private func run(
    _ name: String, _ arguments: String...
  ) throws -> (output: String, errors: String, status: Int32) { try run(name, arguments) }

  /// Runs an executable that was built beside this test, in the package's folder.
  private func run(
    _ name: String, _ arguments: [String]
  ) throws -> (output: String, errors: String, status: Int32) {
    #if os(macOS)
      let bundle = try XCTUnwrap(Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") })
      let folder = bundle.bundleURL.deletingLastPathComponent()
    #else
      let folder = Bundle.main.bundleURL
    #endif
    let process = Process()
    process.executableURL = folder.appendingPathComponent(name)
    process.arguments = arguments
    process.currentDirectoryURL = Package.root
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    // Errors are a few lines, for which a pipe has room.
    let texts = [output, errors].map {
      String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    process.waitUntilExit()
    return (texts[0], texts[1], process.terminationStatus)
  }
}
