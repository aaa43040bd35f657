import Foundation
import Interface
import XCTest

@testable import Commands
@testable import Pipelines

/// The experiment that the program carries is the one in the package.
final class TinyExperimentTests: XCTestCase {
  private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  private func files(_ folder: String, _ isMeant: (String) -> Bool = { _ in true }) throws
    -> [String]
  {
    try FileManager.default.subpathsOfDirectory(atPath: package + "/" + folder)
      .map { folder + "/" + $0 }
      .filter {
        let attributes = try FileManager.default.attributesOfItem(atPath: package + "/" + $0)
        return attributes[.type] as? FileAttributeType == .typeRegular && isMeant($0)
      }
  }

  func testItIsCarriedWhole() throws {
    let carried = TinyExperiment.files
    try XCTSkipIf(carried.isEmpty, "This compiler has no #embed.")
    // What made the checkpoints and the problems is no part of the experiment.
    let recipes = try files("Recipes/tiny") {
      !$0.hasSuffix(".sh") && !$0.contains("/checkpoints/") && !$0.contains("/.")
    }
    let there = try recipes + files("Checkpoints/tiny-base") + files("Checkpoints/tiny-teacher")
    XCTAssertEqual(carried.map(\.path).sorted(), there.sorted())
    for file in carried {
      XCTAssertEqual(
        file.bytes, FileManager.default.contents(atPath: package + "/" + file.path), file.path)
    }
  }

  func testItIsLaidOutOnceAndFitsTogether() throws {
    try XCTSkipIf(TinyExperiment.files.isEmpty, "This compiler has no #embed.")
    let folder = try Folder()
    let copy = folder.file("a/copy")
    try FileManager.default.createDirectory(
      atPath: folder.file("a"), withIntermediateDirectories: false)
    XCTAssertEqual(try TinyExperiment.layOut(in: copy), TinyExperiment.files.count)
    try folder.write("mine", as: "a/copy/Recipes/tiny/README.md")
    try folder.remove("a/copy/Checkpoints/tiny-base/config.json")
    XCTAssertEqual(try TinyExperiment.layOut(in: copy), 1)
    XCTAssertEqual(folder.text("a/copy/Recipes/tiny/README.md"), "mine")
    let plan = try PipelinePlan(
      folder: copy + "/Recipes/tiny", base: copy, kinds: StageKind.all)
    XCTAssertEqual(
      plan.stages.prefix(3).map(\.name), ["1-generate", "2-curate", "3-fine-tune"])
    XCTAssertEqual(plan.record, copy + "/Checkpoints/runs/tiny-run")
    XCTAssertEqual(plan.sources(of: 1), [0])
    XCTAssertEqual(plan.sources(of: 2), [1])
    XCTAssertTrue(plan.stages.indices.dropFirst(3).contains { plan.sources(of: $0).contains(2) })
  }

  func testEveryKindOfRecipeHasAStage() {
    let transcript = Transcript()
    XCTAssertEqual(Program.distill.run(["--help"], on: transcript.console()), 0)
    let program = transcript.output
    XCTAssertEqual(StageKind.all.map(\.name), Program.recipeKinds.map(\.name))
    for kind in StageKind.all {
      XCTAssertNotNil(kind.command, kind.name)
      XCTAssertTrue(program.contains("\n  \(kind.command ?? "") "), kind.name)
    }
  }

  func testPathsOfItsRecipesAreKnown() throws {
    let plan = try PipelinePlan(
      folder: package + "/Recipes/tiny", base: package, kinds: StageKind.all)
    let known = Dictionary(grouping: plan.stages, by: \.name).mapValues { stages in
      Set(stages.flatMap(\.inputs).map(\.path)).map {
        $0.replacingOccurrences(of: package, with: "")
      }
    }
    XCTAssertEqual(
      known["1-generate"]?.sorted(),
      ["/Checkpoints/tiny-teacher", "/Recipes/tiny/problems/training.jsonl.gz"])
    XCTAssertEqual(known["2-curate"], ["/Checkpoints/runs/tiny-samples"])
    XCTAssertEqual(
      known["3-fine-tune"]?.sorted(),
      ["/Checkpoints/runs/tiny-set/samples.jsonl", "/Checkpoints/tiny-base"])
    XCTAssertEqual(
      known["5-reinforce-student"]?.sorted(),
      [
        "/Checkpoints/runs/tiny-student/student", "/Recipes/tiny/problems/easy.jsonl",
        "/Recipes/tiny/problems/hard.jsonl", "/Recipes/tiny/problems/training.jsonl.gz",
      ])
    XCTAssertEqual(
      known["6-evaluate"]?.sorted(),
      [
        "/Checkpoints/runs/tiny-reinforced-base/student",
        "/Checkpoints/runs/tiny-reinforced-student/student",
        "/Checkpoints/runs/tiny-student/student", "/Checkpoints/tiny-base",
        "/Checkpoints/tiny-teacher", "/Recipes/tiny/problems/easy.jsonl",
        "/Recipes/tiny/problems/hard.jsonl",
      ])
    XCTAssertEqual(
      known["7-compare"]?.sorted(),
      [
        "/Checkpoints/runs/tiny-evaluation/base", "/Checkpoints/runs/tiny-evaluation/distilled",
        "/Checkpoints/runs/tiny-evaluation/distilled-+-rl",
        "/Checkpoints/runs/tiny-evaluation/rl-from-base",
        "/Checkpoints/runs/tiny-evaluation/teacher", "/Checkpoints/runs/tiny-reinforced-base",
        "/Checkpoints/runs/tiny-reinforced-student", "/Checkpoints/runs/tiny-samples",
        "/Checkpoints/runs/tiny-student",
      ])
  }
}
