import Foundation
import Storage
import XCTest

@testable import Commands

/// Evaluation from the command line, with a model whose answers are in a file.
final class EvaluateTests: XCTestCase {
  /// Three problems with two recorded answers each: 3 of 6 are right, and one was cut in thought.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let problems = (1...3).map { #"{"question": "What is \#($0) + 4?", "answer": "\#($0 + 4)"}"# }
    let answers = (1...3).flatMap { i in
      [
        #"{"question": "What is \#(i) + 4?", "answer": "<think>\nHm.\n</think>\n\nIt is \\boxed{\#(i + 4)}."}"#,
        #"{"question": "What is \#(i) + 4?", "answer": "\#(i == 2 ? "I give up on it, it is too much of it" : "It is \\\\boxed{\(i)}.")"}"#,
      ]
    }
    try folder.write(problems.joined(separator: "\n"), as: "problems.jsonl")
    try folder.write(answers.joined(separator: "\n"), as: "answers.jsonl")
    try folder.write(
      """
      {
        models: [{ name: "known", recorded: { path: "\(folder.path)/answers.jsonl" } }],
        benchmarks: [{ name: "sums", problems: [{ path: "\(folder.path)/problems.jsonl" }] }],
        sampling: { samplesPerProblem: 2, maxTokens: 64 },
        output: "\(folder.path)/run",
      }
      """, as: "recipe.json5")
    return folder
  }

  func testARunAndTheSameRunAgain() throws {
    let folder = try folder()
    let run = distill("evaluate", folder.path + "/recipe.json5")
    XCTAssertEqual(run.status, 0, run.errors)
    let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    XCTAssertEqual(
      lines.filter { !$0.hasPrefix("time ") },
      """
      known
      benchmark   problems   k   pass@1   95 %           cons@2   95 %            pass@2   tokens
      ---------   --------   -   ------   ------------   ------   -------------   ------   ------
      sums               3   2     50.0   12.5 to 87.5     66.7   50.0 to 100.0    100.0        6

      'sums': 6 samples of 3 problems: 5 finished (3 right), 1 without an answer.
      'sums': tokens are estimated, at four bytes each, where they were not told.

      samples   6, 6 of them now
      folder    \(folder.path)/run
      All of it is in \(folder.path)/run/report.html. To read answers: distill responses \(folder.path)/run/known/sums

      """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    XCTAssertEqual(run.errors, "Asking the answers in \(folder.path)/answers.jsonl.\n")
    let names = [
      "run/known/evaluation.json", "run/known/sums/scores.jsonl", "run/known/report.html",
    ]
    let files = names.map { folder.bytes($0) }
    XCTAssertTrue(files.allSatisfy { $0 != nil })
    let again = distill("evaluate", folder.path + "/recipe.json5", "--json")
    XCTAssertEqual(names.map { folder.bytes($0) }, files)
    let json = try JSONValue(parsing: Data(again.output.utf8), source: "the output")
    guard case .object(let object) = json, case .array(let models)? = object["models"] else {
      return XCTFail(again.output)
    }
    XCTAssertEqual(object["samplesNow"], .number(JSONNumber(0)))
    XCTAssertEqual(object["ending"], .string("complete"))
    XCTAssertEqual(
      [UInt8](try XCTUnwrap(models.first).serialized(pretty: true)), files[0])
  }

  func testResponsesToRead() throws {
    let folder = try folder()
    XCTAssertEqual(distill("evaluate", folder.path + "/recipe.json5").status, 0)
    let path = folder.path + "/run/known/sums"
    let wrong = distill("responses", path, "--outcome", "wrong", "--most", "1")
    XCTAssertEqual(
      wrong.output,
      """
      problem     problems.jsonl#1
      sample      1
      verdict     wrong: The values differ.
      answer      1
      reference   5

      What is 1 + 4?

      It is \\boxed{1}.


      """)
    XCTAssertEqual(wrong.errors, "1 response more fit; '--most' shows more of them.\n")
    let one = distill(
      "responses", path, "--problem", "problems.jsonl#2", "--sample", "0", "--json")
    XCTAssertEqual(
      one.output,
      """
      [
        {
          "problem": "problems.jsonl#2",
          "question": "What is 2 + 4?",
          "reference": "6",
          "sample": 0,
          "outcome": "right",
          "class": 0,
          "answer": "6",
          "reason": "The texts are the same.",
          "tokens": null,
          "text": "<think>\\nHm.\\n</think>\\n\\nIt is \\\\boxed{6}."
        }
      ]

      """)
    assertFails(
      distill("responses", folder.path + "/run/known"),
      "\(folder.path)/run/known: the evaluation of a model; name the folder of a benchmark in it: "
        + "\(path).")
    assertFails(
      distill("responses", path, "--problem", "9"),
      "\(path): there is no problem '9'. Its 'problems.jsonl' has the ids.")
    assertFails(
      distill("responses", path, "--outcome", "good"),
      "'--outcome' is 'good'; there are 'right', 'wrong', 'cut', 'noAnswer', 'unreadable', 'timeout', "
        + "'infrastructure'.")
    assertPrints(distill("responses", path, "--outcome", "timeout"), "No response fits.")
  }

  func testResponsesShowOptions() throws {
    let folder = try folder()
    try folder.write(
      #"{"question": "Which?", "choices": ["w", "x", "y"], "answer": 1}"#, as: "problems.jsonl")
    try folder.write(
      #"{"question": "Which? A) w\nB) x\nC) y", "answer": "Answer: C"}"#, as: "answers.jsonl")
    XCTAssertEqual(
      distill(
        "evaluate", folder.path + "/recipe.json5", "--set", "sampling.samplesPerProblem=1", "--set",
        "prompt={ choices: '{question} {options}' }"
      ).status, 0)
    XCTAssertEqual(
      distill("responses", folder.path + "/run/known/sums").output,
      """
      problem     problems.jsonl#1
      sample      0
      verdict     wrong: The letter is another option's.
      answer      C
      reference   B) x

      Which?

      A) w
      B) x
      C) y

      Answer: C


      """)
  }

  /// What one process works on, another one leaves alone.
  func testAnotherProcessIsThere() throws {
    let folder = try folder()
    XCTAssertEqual(distill("evaluate", folder.path + "/recipe.json5").status, 0)
    let path = folder.path + "/run/known"
    let other = try Journal(at: path + "/.lock") { _, _ in }
    assertFails(
      distill("evaluate", folder.path + "/recipe.json5"),
      "\(path): another process is evaluating this model there. Wait until it is done.")
    withExtendedLifetime(other) {}
  }

  /// Without figures the status is not 0, and what to do is said.
  func testMissingSamples() throws {
    let folder = try folder()
    let recipe = folder.path + "/recipe.json5"
    let run = distill("evaluate", recipe, "--set", "sampling.samplesPerProblem=3")
    XCTAssertEqual(run.status, 1)
    XCTAssertTrue(
      run.errors.hasSuffix(
        "Error: There are no figures for 1 benchmark, since samples are missing; "
          + "'\(folder.path)/run/known/sums/failures.jsonl' says why. Figures of those that are there "
          + "are given with 'missingSamples: \"mark\"'.\n"), run.errors)
    let marked = distill(
      "evaluate", recipe, "--set", "sampling.samplesPerProblem=3", "--set", "missingSamples=mark")
    XCTAssertEqual(marked.status, 0, marked.errors)
  }

  func testWhatIsSaidOfRecipes() throws {
    let folder = try folder()
    let recipe = folder.path + "/recipe.json5"
    assertFails(
      distill(
        "evaluate", recipe, "--set",
        "benchmarks=[{ name: 'n', problems: [{ path: 'none.jsonl' }] }]"),
      "none.jsonl: there is no such file or folder.")
    assertFails(
      distill("evaluate", recipe, "--set", "preset=papre"),
      "--set 'preset=papre': 'preset' must be 'paper' or 'open-r1'; it is 'papre'.")
    assertFails(
      distill("evaluate", recipe, "--set", "sampling.samplesPerProblem=0"),
      "The recipe: 'benchmarks[0].sampling.samplesPerProblem' is missing, and there is no 'preset' "
        + "that tells it.")
    XCTAssertEqual(folder.names(), ["answers.jsonl", "problems.jsonl", "recipe.json5"])
  }
}
