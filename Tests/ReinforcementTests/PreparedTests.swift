import Foundation
import Models
import Problems
import Storage
import Training
import TrainingRecipes
import XCTest

@testable import Reinforcement

/// What is known of a run before it begins.
final class PreparedTests: XCTestCase {
  private func prepared(
    _ policy: TinyPolicy, _ change: (inout GRPORecipe) -> Void = { _ in }, memory: Int = 1 << 40
  ) throws -> PreparedGRPO {
    var recipe = policy.recipe
    change(&recipe)
    return try PreparedGRPO(recipe, memory: memory, threads: 2)
  }

  /// What the policy can be asked with what it begins its answers with, to the token.
  func testTheLengthOfPrompts() throws {
    let policy = try TinyPolicy(self) { $0.prefill = "<think>\n" }
    let prepared = try prepared(policy) { $0.sampling.maxTokens = 38 }
    XCTAssertEqual(prepared.questions.longest, 10)
    XCTAssertEqual(prepared.questions.questions.count, 10)
    XCTAssertEqual(prepared.contextLength, 48)
    // What the run gives is not what the template opens.
    XCTAssertEqual(prepared.questions.questions.map(\.opening), Array(repeating: "", count: 10))
    XCTAssertThrowsError(try self.prepared(policy) { $0.sampling.maxTokens = 39 })
  }

  func testThePrefixOfTheTokenizer() throws {
    let policy = try TinyPolicy(self)
    let path = policy.recipe.policy + "/tokenizer.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let processor = """
      {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<end>", "type_id": 0}}, \
      {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], \
      "special_tokens": {"<end>": {"id": "<end>", "ids": [0], "tokens": ["<end>"]}}}
      """
    let plain = try prepared(policy).questions.questions[3].tokens
    try Data(
      text.replacingOccurrences(
        of: "\"post_processor\": null", with: "\"post_processor\": \(processor)"
      ).utf8
    ).write(to: URL(fileURLWithPath: path))
    XCTAssertEqual(try prepared(policy).questions.questions[3].tokens, [0] + plain)
  }

  /// A tokenizer of another model.
  func testIdsBeyondTheVocabulary() throws {
    let policy = try TinyPolicy(self)
    let path = policy.recipe.policy + "/tokenizer.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try Data(text.replacingOccurrences(of: "\"<\": 22", with: "\"<\": 30").utf8)
      .write(to: URL(fileURLWithPath: path))
    XCTAssertThrowsError(try prepared(policy)) {
      XCTAssertEqual(
        "\($0)",
        "\(policy.recipe.policy): the tokenizer has ids up to 30, the model's embedding 30 rows. Is "
          + "the tokenizer that of the checkpoint?")
    }
  }

  /// All that results depend on is part of what a run is known by.
  func testTheIdentity() throws {
    let policy = try TinyPolicy(self) {
      $0.evaluation = .init(
        problems: [ProblemSource(path: $0.problems[0].path + ".held")], everySteps: 1,
        samplesPerProblem: 1)
    }
    func identity() throws -> [String: String] {
      let identity = try prepared(policy).identity(
        version: "test", resolvedRecipe: .object(JSONObject(members: [])))
      return Dictionary(uniqueKeysWithValues: identity.fingerprint)
    }
    func hold(_ text: String) throws { try policy.write(text, as: "problems.jsonl.held") }
    try hold("{\"question\": \"1=\", \"answer\": \"1\"}\n")
    let before = try identity()
    try hold("{\"question\": \"2=\", \"answer\": \"1\"}\n")
    let otherQuestion = try identity()
    XCTAssertNotEqual(otherQuestion["problems"], before["problems"])
    try hold("{\"question\": \"2=\", \"answer\": \"2\"}\n")
    let otherAnswer = try identity()
    XCTAssertNotEqual(otherAnswer["problems"], otherQuestion["problems"])
    try hold("{\"question\": \"1=\", \"answer\": \"1\"}\n")
    XCTAssertEqual(try identity(), before)
    try TinyPolicy.makePolicy(at: policy.folder + "/other", seed: 4)
    try FileManager.default.removeItem(atPath: policy.recipe.policy)
    try FileManager.default.moveItem(
      atPath: policy.folder + "/other", toPath: policy.recipe.policy)
    let otherWeights = try identity()
    XCTAssertEqual(otherWeights["problems"], before["problems"])
    XCTAssertNotEqual(otherWeights["policy's weights"], before["policy's weights"])
  }

  func testTheMemory() throws {
    let policy = try TinyPolicy(self)
    let packed = 2 * (try prepared(policy).configuration.parameterCount)
    func parts(_ change: (inout GRPORecipe) -> Void) throws -> [String: Int] {
      Dictionary(uniqueKeysWithValues: try prepared(policy, change).memoryParts)
    }
    let free = try parts { _ in }
    XCTAssertNil(free["reference"])
    XCTAssertEqual(free["packed weights"], packed)
    let held = try parts { $0.objective.klCoefficient = 0.1 }
    XCTAssertEqual(held["reference"], packed)
    // The longest row is the one that was asked for, or the longest answer.
    for (rowTokens, maxTokens, longest) in [(64, 1, 64), (1, 40, 42), (43, 41, 43), (41, 41, 43)] {
      let configuration = try prepared(policy).configuration
      let memory = TrainingMemory(
        configuration, tokens: longest, recomputedBlocks: 0, threads: 2)
      let found = try parts {
        $0.updates.rowTokens = rowTokens
        $0.sampling.maxTokens = maxTokens
      }
      XCTAssertEqual(
        found["a step at work"], memory.activations + memory.working + memory.lossChunk)
    }
    // As much as is needed without a reference, and with one.
    let needed =
      TrainingMemory(
        try prepared(policy).configuration, tokens: 64, recomputedBlocks: 0, threads: 2
      ).total + packed
    XCTAssertEqual(try prepared(policy, memory: needed).recomputedBlocks, 0)
    XCTAssertGreaterThan(try prepared(policy, memory: needed - 1).recomputedBlocks, 0)
    let hold: (inout GRPORecipe) -> Void = { $0.objective.klCoefficient = 0.1 }
    XCTAssertEqual(try prepared(policy, hold, memory: needed + packed).recomputedBlocks, 0)
    XCTAssertGreaterThan(
      try prepared(policy, hold, memory: needed + packed - 1).recomputedBlocks, 0)
  }

  func testTheCache() throws {
    let policy = try TinyPolicy(self)
    let prepared = try prepared(policy) {
      $0.evaluation = .init(
        problems: $0.problems, everySteps: 1, samplesPerProblem: 1, maxTokens: 30)
    }
    XCTAssertEqual(prepared.contextLength, 32)
    func bytes(_ sequences: Int) -> Int {
      PolicySampler.cacheBytes(prepared.configuration, sequences: sequences, context: 32)
    }
    XCTAssertEqual(bytes(7), 7 * bytes(1))
    XCTAssertLessThanOrEqual(
      bytes(1_000_000_000), Int(ProcessInfo.processInfo.physicalMemory / 4))
  }

  func testWhetherProgramsRun() throws {
    let policy = try TinyPolicy(self) {
      $0.evaluation = .init(
        problems: [ProblemSource(path: $0.problems[0].path + ".held")], everySteps: 1,
        samplesPerProblem: 1)
      $0.prompt?.program = "{question}"
    }
    try policy.write("{\"question\": \"1=\", \"answer\": \"1\"}\n", as: "problems.jsonl.held")
    XCTAssertFalse(try prepared(policy).needsSandbox)
    try policy.write(
      "{\"task_id\": 1, \"text\": \"a\", \"code\": \"\", \"test_list\": [\"assert a(1) == 1\"]}\n",
      as: "problems.jsonl.held")
    XCTAssertTrue(try prepared(policy).needsSandbox)
  }
}
