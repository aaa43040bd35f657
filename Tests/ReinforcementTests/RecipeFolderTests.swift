import Foundation
import Interface
import Models
import XCTest

@testable import Reinforcement

/// The recipes of this kind that come with the package.
final class RecipeFolderTests: XCTestCase {
  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  private func recipe(_ path: String) throws -> GRPORecipe {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)"))
    return try decodeRecipe(GRPORecipe.self, from: data, file: path, overrides: []).recipe
  }

  func testEachSaysWhetherItWasRun() throws {
    let files = try XCTUnwrap(FileManager.default.enumerator(atPath: root + "/Recipes"))
      .compactMap { $0 as? String }.filter { $0.contains("-reinforce") }.sorted()
    XCTAssertEqual(
      files,
      [
        "deepseek-r1-distill-qwen-1.5b/4-reinforce.json5", "qwen2.5-32b/4-reinforce.json5",
        "tiny/4-reinforce-base.json5", "tiny/5-reinforce-student.json5",
      ])
    for file in files {
      XCTAssertEqual(try recipe("Recipes/" + file).findings, [], file)
      let text = try String(contentsOfFile: "\(root)/Recipes/\(file)", encoding: .utf8)
      XCTAssertTrue(
        text.hasPrefix(file.contains("tiny") ? "// Run: " : "// Planned, not run: "), file)
    }
  }

  /// The paper's figures.
  func testZero() throws {
    let recipe = try recipe("Recipes/qwen2.5-32b/4-reinforce.json5")
    XCTAssertEqual(recipe.optimizer.learningRate, 2e-6)
    XCTAssertEqual(recipe.objective.klCoefficient, 0.001)
    XCTAssertEqual(recipe.sampling.temperature, 1)
    XCTAssertEqual(recipe.sampling.answersPerQuestion, 16)
    XCTAssertEqual(recipe.sampling.questionsPerStep, 32 * recipe.updates.minibatches)
    XCTAssertEqual(
      recipe.sampling.questionsPerStep * recipe.sampling.answersPerQuestion, 8192)
    XCTAssertEqual(recipe.updates.passes, 1)
    XCTAssertEqual(recipe.sampling.maxTokens, 32_768)
    XCTAssertEqual((recipe.referenceEverySteps ?? 0) * recipe.updatesPerStep, 400)
    XCTAssertEqual(recipe.objective.normalization, .answer)
    XCTAssertEqual(recipe.template, "r1-zero")
    XCTAssertEqual(recipe.rewards.format?.answerTags, true)
    let positions = try KnownModel.named("Qwen2.5-32B").configuration.maxPositionEmbeddings
    XCTAssertLessThan(recipe.sampling.maxTokens, positions)
  }

  /// Both arms have the same settings; the student is the one that stage 3 makes.
  func testTheTinyArmsAreAlike() throws {
    var base = try recipe("Recipes/tiny/4-reinforce-base.json5")
    let student = try recipe("Recipes/tiny/5-reinforce-student.json5")
    XCTAssertEqual(base.policy, "Checkpoints/tiny-base")
    XCTAssertEqual(student.policy, "Checkpoints/runs/tiny-student/student")
    base.policy = student.policy
    base.run = student.run
    base.steps = student.steps
    base.evaluation?.everySteps = student.evaluation?.everySteps ?? 0
    XCTAssertEqual(base, student)
    for source in base.problems + (base.evaluation?.problems ?? []) {
      XCTAssertTrue(FileManager.default.fileExists(atPath: "\(root)/\(source.path)"), source.path)
    }
  }
}
