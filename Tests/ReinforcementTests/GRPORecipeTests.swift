import Foundation
import Problems
import TrainingRecipes
import XCTest

@testable import Reinforcement

/// What is wrong with a recipe, word for word.
final class GRPORecipeTests: XCTestCase {
  func testFindings() throws {
    let rows: [(change: (inout GRPORecipe) -> Void, words: [String])] = [
      ({ _ in }, []),
      ({ $0.problems = [] }, ["'problems' must name a file of problems."]),
      ({ $0.problems[0].limit = 0 }, ["'problems[0].limit' must be 1 at least."]),
      (
        { $0.template = "chatt" },
        ["'template' must be 'chat', 'r1-zero', or a text that holds '{prompt}' once."]
      ),
      (
        { $0.template = "{prompt}{prompt}" },
        ["'template' must be 'chat', 'r1-zero', or a text that holds '{prompt}' once."]
      ),
      (
        { $0.prefill = "" },
        ["'prefill' is empty. Leave it out where answers begin with nothing."]
      ),
      (
        { $0.sampling.questionsPerStep = 0 },
        ["'sampling.questionsPerStep' is 0; it must be 1 at least."]
      ),
      (
        { $0.sampling.answersPerQuestion = 1 },
        [
          "'sampling.answersPerQuestion' is 1; it must lie between 2, since answers are compared "
            + "with one another, and 10000."
        ]
      ),
      (
        { $0.sampling.temperature = 0 },
        [
          "'sampling.temperature' is 0.0; it must be 0.001 at least, since at 0 all answers would be "
            + "the same, and 10 at most."
        ]
      ),
      (
        {
          $0.sampling.temperature = 0.0009
          $0.evaluation = .init(
            problems: $0.problems, everySteps: 1, samplesPerProblem: 1, temperature: 0.0009)
        },
        [
          "'sampling.temperature' is 0.0009; it must be 0.001 at least, since at 0 all answers would "
            + "be the same, and 10 at most.",
          "'evaluation.temperature' is 0.0009; it must be 0, or lie between 0.001 and 10.",
        ]
      ),
      (
        {
          $0.sampling.questionsPerStep = .max
          $0.sampling.sequences = .max
          $0.steps = .max
          $0.updates.rowTokens = .max
        },
        [
          "'sampling.questionsPerStep' is 9223372036854775807; it must be 100000 at most.",
          "'sampling.sequences' is 9223372036854775807; it must be 1000000 at most.",
          "'steps' is 9223372036854775807; it must be 1000000000 at most.",
          "'updates.rowTokens' is 9223372036854775807; it must be 10000000 at most.",
        ]
      ),
      (
        {
          $0.optimizer.betas = [0.9, 0.99999999]
          $0.optimizer.epsilon = 1e-50
        },
        [
          "'optimizer.betas' must be two numbers from 0 to less than 1.",
          "'optimizer.epsilon' must be above 0.",
        ]
      ),
      (
        {
          $0.sampling.maxTokens = 0
          $0.sampling.sequences = -1
        },
        [
          "'sampling.maxTokens' is 0; it must be 1 at least.",
          "'sampling.sequences' is -1; it must be 1 at least.",
        ]
      ),
      ({ $0.steps = 0 }, ["'steps' is 0; it must be 1 at least."]),
      (
        { $0.updates = .init(minibatches: 0, passes: 0, rowTokens: 0) },
        [
          "'updates.minibatches' is 0; it must lie between 1 and 10000.",
          "'updates.passes' is 0; it must lie between 1 and 100.",
          "'updates.rowTokens' is 0; it must be 1 at least.",
        ]
      ),
      (
        { $0.updates.minibatches = 161 },
        ["'updates.minibatches' is 161, and a step has only 160 answers."]
      ),
      (
        { $0.rewards.length = .init(weight: 1, most: 40, buffer: 8) },
        [
          "'rewards.length' begins to act at 32 tokens, and no answer has more than "
            + "'sampling.maxTokens', 1."
        ]
      ),
      (
        { $0.rewards.accuracy = nil },
        ["'rewards' is empty. Name a reward, such as 'accuracy: { weight: 1 }'."]
      ),
      (
        { $0.objective.clipLow = 1.2 },
        ["'objective.clipLow' is 1.2; it must lie between 0 and 1."]
      ),
      (
        { $0.referenceEverySteps = 0 },
        [
          "'referenceEverySteps' is 0; it must be 1 at least.",
          "'referenceEverySteps' needs a reference, and 'objective.klCoefficient' is 0.",
        ]
      ),
      (
        {
          $0.filters = .init(resamplings: 101, passRate: .init(min: 0.5, max: 0.4))
          $0.rewards = .init(format: .init(weight: 1))
        },
        [
          "'filters.resamplings' is 101; it must lie between 0 and 100.",
          "'filters.passRate' must go from a 'min' of 0 or more to a 'max' of 1 or less.",
          "'filters.passRate' needs the reward 'accuracy', which tells right answers.",
        ]
      ),
      (
        {
          $0.evaluation = .init(
            problems: [], everySteps: 0, samplesPerProblem: 0, temperature: -1, maxTokens: 0)
        },
        [
          "'evaluation.problems' must name a file of problems.",
          "'evaluation.everySteps' is 0; it must be 1 at least.",
          "'evaluation.samplesPerProblem' is 0; it must lie between 1 and 10000.",
          "'evaluation.temperature' is -1.0; it must be 0, or lie between 0.001 and 10.",
          "'evaluation.maxTokens' is 0; it must be 1 at least.",
        ]
      ),
      (
        { $0.checkpoints.best = true },
        ["'checkpoints.best' needs an 'evaluation' to tell which is best."]
      ),
      (
        { $0.optimizer.learningRate = 1 },
        ["'optimizer.learningRate' is 1.0; it must be above 0 and below 1."]
      ),
      (
        { $0.spikes = .init(window: 3, threshold: 0, mostSkips: 0) },
        [
          "'spikes.window' must be 4 at least.", "'spikes.threshold' must be above 0.",
          "'spikes.mostSkips' must be 1 at least.",
        ]
      ),
      (
        {
          $0.completionsEverySteps = 0
          $0.recomputedBlocks = -1
        },
        [
          "'completionsEverySteps' is 0; it must be 1 at least.",
          "'recomputedBlocks' must not be negative.",
        ]
      ),
    ]
    for (index, row) in rows.enumerated() {
      let policy = try TinyPolicy(self, row.change)
      XCTAssertEqual(policy.recipe.findings, row.words.map { "The recipe: " + $0 }, "row \(index)")
    }
  }

  /// With the largest numbers that a recipe may have, what a run needs is still a number.
  func testTheLargestNumbers() throws {
    let policy = try TinyPolicy(self) {
      $0.sampling.questionsPerStep = 100_000
      $0.sampling.answersPerQuestion = 10_000
      $0.sampling.sequences = 1_000_000
      $0.steps = 1_000_000_000
      $0.updates = .init(minibatches: 10_000, passes: 100, rowTokens: 10_000_000)
    }
    let prepared = try PreparedGRPO(policy.recipe, memory: 1 << 30)
    XCTAssertThrowsError(try prepared.checkFits())
    XCTAssertTrue(
      prepared.summary.contains("1000000000 steps of 100000 questions with 10000 answers each: "),
      prepared.summary)
  }

  func testTemplates() throws {
    XCTAssertEqual(PolicyTemplate("chat"), .chat)
    XCTAssertEqual(PolicyTemplate("Q: {prompt}\nA:"), .text(before: "Q: ", after: "\nA:"))
    XCTAssertNil(PolicyTemplate("prompt"))
    guard case .text(let before, let after)? = PolicyTemplate("r1-zero") else {
      return XCTFail("there is no template 'r1-zero'")
    }
    XCTAssertTrue(before.hasPrefix("A conversation between User and Assistant. The user asks"))
    XCTAssertTrue(before.hasSuffix("<answer> answer here </answer>. User: "), before)
    XCTAssertEqual(after, ". Assistant:")
  }

  func testWhatCanNotBegin() throws {
    let policy = try TinyPolicy(self) { $0.template = "chat" }
    XCTAssertThrowsError(try PreparedGRPO(policy.recipe, memory: 1 << 40)) {
      XCTAssertEqual(
        "\($0)",
        "\(policy.folder)/policy: it has no chat template. Name a file with 'chatTemplate', or ask "
          + "as DeepSeek-R1-Zero is asked, with 'template: \"r1-zero\"'.")
    }
    let free = try TinyPolicy(self)
    try free.write("{\"question\": \"1=\"}\n", as: "problems.jsonl")
    XCTAssertThrowsError(try PreparedGRPO(free.recipe, memory: 1 << 40)) {
      XCTAssertEqual(
        "\($0)",
        "\(free.folder)/problems.jsonl:1: the problem has no answer that a rule could compare with, "
          + "as 1 of 1 have none, and 'rewards.accuracy' needs one. Name its key with 'fields', or "
          + "take other problems.")
    }
    let heldOut = try TinyPolicy(self) {
      var source = $0.problems[0]
      source.path = source.path.replacingOccurrences(of: "problems", with: "held-out")
      $0.evaluation = .init(problems: [source], everySteps: 1, samplesPerProblem: 1)
    }
    try heldOut.write("{\"question\": \"1=\"}\n", as: "held-out.jsonl")
    XCTAssertThrowsError(try PreparedGRPO(heldOut.recipe, memory: 1 << 40)) {
      XCTAssertEqual(
        "\($0)",
        "\(heldOut.folder)/held-out.jsonl:1: the problem has no answer that a rule could compare "
          + "with, as 1 of 1 have none, and 'evaluation' needs one. Name its key with 'fields', or "
          + "take other problems.")
    }
    let small = try TinyPolicy(self)
    XCTAssertThrowsError(try PreparedGRPO(small.recipe, memory: 1 << 20).checkFits()) {
      XCTAssertTrue("\($0)".hasPrefix("The run needs "), "\($0)")
      XCTAssertTrue(
        "\($0)".hasSuffix(
          " of memory; there are 1.0 MiB. To need less: 'weights: \"bfloat16\"' saves 10.9 KiB; "
            + "'moments: \"8bit\"' saves 32.5 KiB."), "\($0)")
    }
  }
}
