import Comparison
import Curation
import Evaluation
import FineTuning
import Foundation
import Interface
import Models
import TeacherGeneration
import XCTest

@testable import Commands

/// The recipes that come with the package.
final class RecipeTests: XCTestCase {
  private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Recipes")

  private func paths(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().compactMap {
      let path = "\(folder.path)/\($0)/\(name)"
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }
  }

  /// Six students of the paper, two smaller ones, and two tiny ones; each says whether it was run.
  func testFineTuningRecipesDecodeAndPlan() throws {
    let rates = [
      "qwen2.5-math-1.5b": 1e-4, "qwen2.5-math-7b": 8e-5, "qwen2.5-14b": 7e-5,
      "qwen2.5-32b": 6e-5, "llama-3.1-8b": 5e-5, "llama-3.3-70b": 2e-5, "qwen2.5-0.5b": 1e-4,
      "llama-3.2-1b": 5e-5, "gsm8k-solutions": 1e-3, "tiny": 1.2e-3,
    ]
    let paths = try paths("3-fine-tune.json5").filter { !$0.contains("-24gib/") }
    XCTAssertEqual(paths.count, 10)
    for path in paths {
      let name = URL(fileURLWithPath: path).deletingLastPathComponent().lastPathComponent
      let recipe = try readRecipe(FineTuningRecipe.self, at: path).recipe
      XCTAssertEqual(recipe.findings, [], name)
      XCTAssertEqual(recipe.optimizer.learningRate, rates[name], name)
      XCTAssertEqual(recipe.epochs, 2, name)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      XCTAssertTrue(
        text.hasPrefix("// Planned, not run: ") || text.hasPrefix("// Run: "), name)
      if ["gsm8k-solutions", "tiny"].contains(name) { continue }
      let base = URL(fileURLWithPath: recipe.student).lastPathComponent
      let configuration = try recipe.changed(KnownModel.named(base).configuration)
      XCTAssertGreaterThanOrEqual(
        configuration.maxPositionEmbeddings, recipe.data.contextLength, name)
      let plan = try FineTuningPlan(
        expecting: recipe, configuration, memory: 4 << 40, threads: 128)
      XCTAssertNoThrow(try plan.checkFits(4 << 40), name)
      XCTAssertGreaterThan(plan.steps, 900, name)
    }
  }

  /// Students that a machine of 24 GiB trains: nine tenths of it are enough for each, and without what
  /// they do about it none would fit.
  func testRecipesForSmallMachines() throws {
    let paths = try paths("3-fine-tune.json5").filter { $0.contains("-24gib/") }
    XCTAssertEqual(paths.count, 3)
    let memory = (24 << 30) / 10 * 9
    for path in paths {
      let name = URL(fileURLWithPath: path).deletingLastPathComponent().lastPathComponent
      var recipe = try readRecipe(FineTuningRecipe.self, at: path).recipe
      XCTAssertEqual(recipe.findings, [], name)
      XCTAssertTrue(
        try String(contentsOfFile: path, encoding: .utf8).hasPrefix("// Planned, not run: "), name)
      let base = URL(fileURLWithPath: recipe.student).lastPathComponent
      let configuration = try recipe.changed(KnownModel.named(base).configuration)
      XCTAssertGreaterThanOrEqual(
        configuration.maxPositionEmbeddings, recipe.data.contextLength, name)
      let plan = try FineTuningPlan(expecting: recipe, configuration, memory: memory, threads: 2)
      XCTAssertNoThrow(try plan.checkFits(memory), name)
      recipe.memory = nil
      recipe.lora = nil
      let usual = try FineTuningPlan(expecting: recipe, configuration, memory: memory, threads: 2)
      XCTAssertThrowsError(try usual.checkFits(memory), name)
    }
  }

  /// The teacher's samples and the set made of them: the paper's, and two tiny ones. Where one stage
  /// writes, the next one reads.
  func testRecipesOfTheFirstTwoStages() throws {
    let stages = ["1-generate.json5", "2-curate.json5"]
    // The paper's students, and those on small machines, share what stands in 'deepseek-r1'.
    XCTAssertEqual(try stages.map { try paths($0).count }, [12, 12])
    for path in try stages.flatMap({ try paths($0) }) {
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
      let isOwn = ["/deepseek-r1/", "/gsm8k-solutions/", "/tiny/"].contains { path.contains($0) }
      let name = URL(fileURLWithPath: path).lastPathComponent
      XCTAssertEqual(link, isOwn ? nil : "../deepseek-r1/\(name)", path)
    }
    for folder in ["deepseek-r1", "gsm8k-solutions", "tiny"] {
      let paths = try stages.map { name in
        try XCTUnwrap(try self.paths(name).first { $0.contains("/\(folder)/") })
      }
      for path in paths {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        XCTAssertTrue(text.hasPrefix("// Planned, not run: ") || text.hasPrefix("// Run: "), path)
      }
      let generation = try readRecipe(TeacherGenerationRecipe.self, at: paths[0]).recipe
      XCTAssertEqual(generation.findings + generation.teacherFindings, [], folder)
      let curation = try readRecipe(CurationRecipe.self, at: paths[1]).recipe
      XCTAssertEqual(curation.findings + curation.judgeFindings, [], folder)
      XCTAssertEqual(curation.samples.map(\.run), [generation.output])
      if folder == "gsm8k-solutions" { continue }
      for path in try self.paths("3-fine-tune.json5")
      where path.contains("/tiny/") == (folder == "tiny") && !path.contains("/gsm8k-solutions/") {
        let recipe = try readRecipe(FineTuningRecipe.self, at: path).recipe
        XCTAssertEqual(
          recipe.data.sources.map(\.path), [curation.output + "/samples.jsonl"], path)
      }
    }
  }

  /// Each of the paper's students is measured by the paper's protocol, and set beside its row.
  func testRecipesOfEvaluation() throws {
    let students = [
      "qwen2.5-math-1.5b", "qwen2.5-math-7b", "qwen2.5-14b", "qwen2.5-32b", "llama-3.1-8b",
      "llama-3.3-70b",
    ]
    for student in students {
      let number = student == "qwen2.5-32b" ? 5 : 4
      let path = "\(folder.path)/\(student)/\(number)-evaluate.json5"
      XCTAssertTrue(
        try String(contentsOfFile: path, encoding: .utf8).hasPrefix("// Planned, not run: "))
      let evaluation = try readRecipe(EvaluationRecipe.self, at: path).recipe
      XCTAssertEqual(evaluation.findings, [], student)
      XCTAssertEqual(evaluation.preset, .paper)
      XCTAssertEqual(evaluation.plans.map(\.samplesPerProblem), [64, 16, 64, 8])
      XCTAssertEqual(evaluation.plans.flatMap(\.changes), [])
      let training = try readRecipe(
        FineTuningRecipe.self, at: "\(folder.path)/\(student)/3-fine-tune.json5"
      ).recipe
      let checkpoints = evaluation.models.compactMap { $0.local?.checkpoint }
      XCTAssertEqual(checkpoints.first, training.student)
      XCTAssertEqual(checkpoints.last, training.run + "/student")
      let comparison = try readRecipe(
        ComparisonRecipe.self,
        at: "\(folder.path)/\(student)/\(number + 1)-compare.json5"
      ).recipe
      XCTAssertEqual(comparison.findings, [], student)
      XCTAssertEqual(
        comparison.rows.compactMap(\.evaluation),
        evaluation.models.map { "\(evaluation.output)/\($0.folder)" })
    }
  }

  /// The checkpoints of the tiny recipes come with the package, and so does what made them.
  func testRecipesOfTheTinyCheckpoints() throws {
    let root = folder.deletingLastPathComponent().path
    for (name, most) in [("base", 3_000_000), ("teacher", 8_000_000)] {
      let parts = "\(folder.path)/tiny/checkpoints/\(name)"
      let start = try readRecipe(InitializeRecipe.self, at: parts + "-initialize.json5").recipe
      let training = try readRecipe(FineTuningRecipe.self, at: parts + "-train.json5").recipe
      XCTAssertEqual(training.findings, [])
      XCTAssertEqual(training.student, start.output)
      let configuration = try ModelName("\(root)/\(start.configuration)").configuration
      let checkpoint = try Checkpoint(at: "\(root)/Checkpoints/tiny-\(name)")
      XCTAssertEqual(checkpoint.configuration.parameterCount, configuration.parameterCount)
      let files = try FileManager.default.contentsOfDirectory(atPath: checkpoint.path)
      let bytes = try files.reduce(0) { sum, file in
        sum + (try Data(contentsOf: URL(fileURLWithPath: "\(checkpoint.path)/\(file)")).count)
      }
      XCTAssertLessThan(bytes, most)
    }
  }

  /// A whole recipe of another kind is not told key by key what it is not.
  func testRecipesOfOtherKinds() {
    for (command, file, kind, other) in [
      ("plan", "tiny/4-reinforce-base", "fine-tune", "reinforce"),
      ("fine-tune", "tiny/1-generate", "fine-tune", "generate"),
      ("reinforce", "tiny/3-fine-tune", "reinforce", "fine-tune"),
      ("generate", "tiny/2-curate", "generate", "curate"),
    ] {
      let path = "\(folder.path)/\(file).json5"
      assertFails(
        distill(command, path),
        "\(path): a recipe of the kind '\(other)', where one of the kind '\(kind)' is needed.")
    }
  }
}
