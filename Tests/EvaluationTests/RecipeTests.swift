import Foundation
import Interface
import Problems
import Scores
import Storage
import Teachers
import XCTest

@testable import Evaluation

/// What recipes mean, and what they can't.
final class RecipeTests: XCTestCase {
  private func decoded(_ text: String) throws -> EvaluationRecipe {
    try decodeRecipe(EvaluationRecipe.self, from: Data(text.utf8), file: "r").recipe
  }

  private let models = "models: [{ name: 'm', local: { checkpoint: 'c' } }], output: 'o',"

  func testPresetsAreTheProtocolsFigures() throws {
    let paper = try decoded(
      """
      { \(models) preset: 'paper', benchmarks: [
        { benchmark: 'aime2024', problems: [{ path: 'a' }] },
        { benchmark: 'math500', problems: [{ path: 'b' }] },
        { benchmark: 'gpqaDiamond', problems: [{ path: 'c' }] },
        { benchmark: 'liveCodeBench', problems: [{ path: 'd' }] },
        { benchmark: 'codeforces', problems: [{ path: 'e' }] } ] }
      """)
    XCTAssertEqual(paper.findings, [])
    XCTAssertEqual(paper.plans.map(\.samplesPerProblem), [64, 16, 64, 8, 16])
    XCTAssertEqual(
      paper.plans.map(\.title),
      ["AIME 2024", "MATH-500", "GPQA Diamond", "LiveCodeBench", "Codeforces"])
    XCTAssertEqual(
      paper.plans.map(\.folder),
      ["aime-2024", "math-500", "gpqa-diamond", "livecodebench", "codeforces"])
    for plan in paper.plans {
      XCTAssertEqual(
        plan.sampling,
        SamplingChoices(temperature: 0.6, topP: 0.95, maxTokens: 32_768, seed: 0, stop: []))
      XCTAssertEqual(plan.changes, [])
      XCTAssertNil(plan.prompt.system)
    }
    var open = paper
    open.preset = .openR1
    open.benchmarks.removeLast()
    XCTAssertEqual(open.plans.map(\.samplesPerProblem), [64, 4, 8, 16])
    XCTAssertEqual(open.findings, [])
    // Changing a preset is changing a protocol: its hash must then be another, here too.
    XCTAssertEqual(
      EvaluationPreset.paper.sha256,
      "127a11e6c6e9ac1085bf85214e1b9780064dfaed5eda048d07777a26f733f24c")
    XCTAssertEqual(
      EvaluationPreset.openR1.sha256,
      "46e88b9451f999696db79dde2c79446cf5191c61f252220c9da3822fc5d9d284")
  }

  func testTheMostParticularValueCounts() throws {
    let recipe = try decoded(
      """
      { \(models) preset: 'paper', sampling: { maxTokens: 64, seed: 5 }, missingSamples: 'mark', benchmarks: [
        { benchmark: 'aime2024', missingSamples: 'refuse', problems: [{ path: 'a' }], sampling: { samplesPerProblem: 2, maxTokens: 32 },
          prompt: { mathematics: 'Q {question}' } },
        { benchmark: 'math500', problems: [{ path: 'b' }], sampling: { temperature: 0.6 } } ] }
      """)
    let plans = recipe.plans
    XCTAssertEqual(plans[0].samplesPerProblem, 2)
    XCTAssertEqual(plans[0].sampling.maxTokens, 32)
    XCTAssertEqual(plans[0].sampling.seed, 5)
    XCTAssertEqual(plans[0].prompt.mathematics, "Q {question}")
    XCTAssertEqual(
      plans[0].changes,
      [
        "samplesPerProblem of AIME 2024: 2 in place of 64",
        "maxTokens of AIME 2024: 32 in place of 32768", "the prompt of AIME 2024",
      ])
    XCTAssertEqual(plans.map(\.missingSamples), [.refuse, .mark])
    XCTAssertEqual(plans[1].samplesPerProblem, 16)
    XCTAssertEqual(plans[1].sampling.maxTokens, 64)
    XCTAssertEqual(plans[1].changes, ["maxTokens of MATH-500: 64 in place of 32768"])
  }

  func testTheWordsOfThePresets() throws {
    let problem = Problem(
      id: "1", question: "What is 1 + 1?", reference: .answer("2"), source: "s", place: "s:1")
    XCTAssertEqual(
      try EvaluationPreset.paper.prompt.messages(for: problem).map(\.content),
      ["What is 1 + 1?\n\nPlease reason step by step, and put your final answer within \\boxed{}."])
    XCTAssertEqual(
      try EvaluationPreset.openR1.prompt.messages(for: problem).map(\.content),
      [
        """
        Solve the following math problem efficiently and clearly.  The last line of your response \
        should be of the following format: 'Therefore, the final answer is: $\\boxed{ANSWER}$. I \
        hope it is correct' (without quotes) where ANSWER is just the final number or expression \
        that solves the problem. Think step by step before answering.

        What is 1 + 1?
        """
      ])
    let choice = Problem(
      id: "2", question: "Which?", reference: .choices(["w", "x", "y", "z"], correct: 1),
      source: "s", place: "s:2")
    XCTAssertEqual(
      try EvaluationPreset.openR1.prompt.messages(for: choice).map(\.content),
      [
        """
        Answer the following multiple choice question. The last line of your response should be of \
        the following format: 'Answer: $LETTER' (without quotes) where LETTER is one of ABCD. Think \
        step by step before answering.

        Which?

        A) w
        B) x
        C) y
        D) z
        """
      ])
  }

  func testWhatCannotBeMeant() throws {
    let folder = try TemporaryFolder()
    var made = recipe("x.jsonl", folder)
    made.sampling = nil
    XCTAssertEqual(
      made.findings,
      [
        "The recipe: 'benchmarks[0].sampling.samplesPerProblem' is missing, and there is no "
          + "'preset' that tells it."
      ])
    made.preset = .openR1
    made.benchmarks[0].benchmark = .codeforces
    made.benchmarks[0].name = nil
    XCTAssertEqual(
      made.findings,
      [
        "The recipe: 'benchmarks[0].sampling.samplesPerProblem' is missing: the preset 'open-r1' "
          + "does not tell it for 'Codeforces'."
      ])
    made = recipe("x.jsonl", folder)
    made.models = [
      EvaluatedModel(),
      EvaluatedModel(name: "My Model", local: LocalTeacherSettings(checkpoint: "a")),
      EvaluatedModel(local: LocalTeacherSettings(checkpoint: "b/my-model/")),
    ]
    made.benchmarks[0].problems = []
    made.sampling?.temperature = 0
    made.intervals = EvaluationRecipe.Intervals(confidence: 2)
    XCTAssertEqual(
      made.findings,
      [
        "The recipe: 'models[0]' is empty. Name a server with 'remote: { url, model }', a checkpoint "
          + "with 'local: { checkpoint }', or a file of answers with 'recorded: { path }'.",
        "The recipe: 'models' has 'My Model' and 'my-model', which would share the folder "
          + "'my-model'. Give one of them another 'name'.",
        "The recipe: 'benchmarks[0].problems' must name a file of problems.",
        "The recipe: 'sums': 'sampling.temperature' is 0, so that all samples of a problem are the "
          + "same. Raise it, or draw one sample.",
        "The recipe: 'intervals': A confidence of 2.0; give 0.5 to 0.9999.",
      ])
    made = recipe("x.jsonl", folder, models: ["recipe.json"])
    made.benchmarks[0].name = String(repeating: "long ", count: 50)
    made.benchmarks[0].problems[0].limit = 0
    made.benchmarks.append(made.benchmarks[0])
    made.benchmarks[1].name = "Report.html"
    made.benchmarks[1].problems[0].limit = 1
    let long = String(repeating: "long ", count: 20)
    XCTAssertEqual(
      made.findings,
      [
        "The recipe: 'models[0]': its folder would be 'recipe.json', which is a file of the "
          + "evaluation. Give it another 'name'.",
        "The recipe: 'benchmarks[0]': the name of its folder would have 249 bytes; it may have 200. "
          + "Give it a shorter 'name'.",
        "The recipe: 'benchmarks[1]': its folder would be 'report.html', which is a file of the "
          + "evaluation. Give it another 'name'.",
        "The recipe: '\(long)…': 'problems[0].limit' must be 1 at least.",
      ])
    made = EvaluationRecipe(models: [], benchmarks: [], output: "")
    XCTAssertEqual(
      made.findings,
      [
        "The recipe: 'models' must name a model.",
        "The recipe: 'benchmarks' must name a benchmark.",
        "The recipe: 'output' must name a folder.",
      ])
    XCTAssertThrowsError(try decoded("{ \(models) benchmarks: [], missingSamples: 'ignore' }")) {
      XCTAssertEqual(
        "\($0)",
        "r:1:101: 'missingSamples' must be 'refuse' or 'mark'; it is 'ignore'.")
    }
  }

  func testFolderNames() {
    for (title, name) in [
      ("AIME 2024", "aime-2024"), ("RL from base", "rl-from-base"),
      ("distilled + RL", "distilled-+-rl"),
      ("../..", "unnamed"), (".hidden", "hidden"), ("Größe", "gr-e"), ("", "unnamed"),
      ("a/b", "a-b"),
    ] {
      XCTAssertEqual(folderName(title), name)
    }
  }
}
