import Foundation
import Storage
import XCTest

@testable import Commands

/// Sampling from the command line, with a teacher whose answers are in a file.
final class GenerateTests: XCTestCase {
  /// Three problems with two recorded answers each: 3 of 6 are right.
  private func folder(_ change: (String) -> String = { $0 }) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let problems = (1...3).map { #"{"question": "What is \#($0) + 4?", "answer": "\#($0 + 4)"}"# }
    let answers = (1...3).flatMap { i in
      [
        #"{"question": "What is \#(i) + 4?", "answer": "<think>\nHm.\n</think>\n\nIt is \\boxed{\#(i + 4)}."}"#,
        #"{"question": "What is \#(i) + 4?", "answer": "It is \\boxed{\#(i)}."}"#,
      ]
    }
    let recipe = """
      {
        teacher: { recorded: { path: "\(folder.path)/answers.jsonl" } },
        prompts: [{ path: "\(folder.path)/problems.jsonl", source: "sums" }],
        sampling: { samplesPerProblem: 2, temperature: 0.6, topP: 0.95, maxTokens: 64, seed: 1 },
        output: "\(folder.path)/run",
      }
      """
    for (name, text) in [
      ("problems.jsonl", problems.joined(separator: "\n")),
      ("answers.jsonl", answers.joined(separator: "\n")), ("recipe.json5", change(recipe)),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
    }
    return folder
  }

  func testARunAndTheSameRunAgain() throws {
    let folder = try folder()
    let run = distill("generate", folder.path + "/recipe.json5")
    XCTAssertEqual(run.status, 0, run.errors)
    XCTAssertEqual(
      run.output,
      """
      problems   3 of 3 done
      samples    6, 6 of them now
      tokens     0 of prompts, 30 of answers, partly estimated
      folder     \(folder.path)/run

      source   samples   correct    share
      ------   -------   -------   ------
      sums           6         3   50.0 %

      """)
    XCTAssertEqual(
      run.errors, "Asking the answers in \(folder.path)/answers.jsonl.\n")
    let journal = URL(fileURLWithPath: folder.file("run/samples.jsonl"))
    let stored = try Data(contentsOf: journal)
    let again = distill("generate", folder.path + "/recipe.json5")
    XCTAssertTrue(again.output.contains("samples    6, 0 of them now\n"), again.output)
    XCTAssertEqual(try Data(contentsOf: journal), stored)
    let json = distill("generate", folder.path + "/recipe.json5", "--json")
    XCTAssertTrue(json.output.contains("\"ending\" : \"complete\""), json.output)
  }

  /// A key that is given by mistake is in no error.
  func testAKeyOnTheCommandLineIsNotRepeated() throws {
    let folder = try folder {
      $0.replacingOccurrences(
        of: #"recorded: \{[^}]*\}"#, with: #"remote: { url: "https://x.invalid/v1", model: "m" }"#,
        options: .regularExpression)
    }
    let run = distill(
      "generate", folder.path + "/recipe.json5", "--set", "teacher.remote.key=sk-canary")
    XCTAssertEqual(
      run.errors,
      "Error: --set 'teacher.remote.key=…': 'teacher.remote.key' must be { environment: \"NAME\" } or "
        + "{ file: \"path\" }: where the key is. The key itself does not belong in a recipe.\n")
  }

  /// Every problem is in one shard, and every shard has a folder of its own.
  func testShards() throws {
    let folder = try folder()
    var problems = 0
    for part in 0..<2 {
      let run = distill("generate", folder.path + "/recipe.json5", "--shard", "\(part)/2", "--json")
      XCTAssertEqual(run.status, 0, run.errors)
      guard
        case .object(let summary) = try JSONValue(
          parsing: Array(run.output.utf8), source: "summary"),
        case .object(let progress)? = summary["progress"],
        case .number(let count)? = progress["problems"]
      else { return XCTFail(run.output) }
      problems += count.int ?? 0
      XCTAssertTrue(
        FileManager.default.fileExists(atPath: "\(folder.path)/run/shard-\(part)-of-2"))
    }
    XCTAssertEqual(problems, 3)
    let wrong = distill("generate", folder.path + "/recipe.json5", "--shard", "2/2")
    XCTAssertEqual(
      wrong.errors,
      "Error: '--shard' is '2/2'; it must be the number of a part and how many there are, from 0/4 "
        + "to 3/4 for four parts.\n")
  }

  /// The mistakes of a first run, a line each.
  func testMistakes() throws {
    func errors(_ change: @escaping (String) -> String) throws -> String {
      let folder = try folder(change)
      let run = distill("generate", folder.path + "/recipe.json5")
      XCTAssertEqual(run.status, 1)
      return run.errors.replacingOccurrences(of: folder.path, with: "F")
    }
    func remote(_ settings: String) -> (String) -> String {
      { recipe in
        let lines = recipe.split(separator: "\n").map(String.init)
        return lines.map { $0.contains("teacher:") ? "teacher: { remote: { \(settings) } }," : $0 }
          .joined(separator: "\n")
      }
    }
    let asking = "Asking the answers in F/answers.jsonl.\n"
    XCTAssertEqual(
      try errors { $0.replacingOccurrences(of: "teacher: {", with: "// teacher: {") },
      "Error: The recipe: it has no 'teacher'. Name a server with 'teacher: { remote: { url, model } "
        + "}', or a checkpoint with 'teacher: { local: { checkpoint } }'.\n")
    XCTAssertEqual(
      try errors {
        $0.replacingOccurrences(
          of: "teacher: { ", with: "teacher: { local: { checkpoint: \"x\" }, ")
      },
      "Error: The recipe: 'teacher' has 'local' and 'recorded'; there can be one teacher.\n")
    XCTAssertEqual(
      try errors {
        $0.replacingOccurrences(of: "recorded: { path: ", with: "// ").replacingOccurrences(
          of: "answers.jsonl\" } },", with: "\n},")
      },
      "Error: The recipe: 'teacher' is empty. Name a server with 'remote: { url, model }', a "
        + "checkpoint with 'local: { checkpoint }', or a file of answers with 'recorded: { path }'.\n"
    )
    XCTAssertEqual(
      try errors { $0.replacingOccurrences(of: "/problems.jsonl\"", with: "/problem.jsonl\"") },
      asking + "Error: F/problem.jsonl: there is no such file or folder.\n")
    XCTAssertEqual(
      try errors(remote("url: \"http://127.0.0.1:9/v1\", model: \"m\"")),
      """
      Asking m at http://127.0.0.1:9/v1.
      Error: m at http://127.0.0.1:9/v1 refuses connections. Is the server running, and is 'url' \
      right? 0 samples are stored in F/run; the same command goes on from there.

      """)
    XCTAssertEqual(
      try errors(remote("url: \"https://127.0.0.1:9/v1\", model: \"m\", key: \"sk-1234\"")),
      "Error: F/recipe.json5:2:70: 'teacher.remote.key' must be { environment: \"NAME\" } or { file: "
        + "\"path\" }: where the key is. The key itself does not belong in a recipe.\n")
  }
}
