import Foundation
import XCTest

/// The tiny experiment from its teacher to its table: cut short, and, among the long tests, whole.
final class TinyTableTests: XCTestCase {
  private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  private let models = ["base", "RL from base", "distilled", "distilled + RL", "teacher"]

  /// A folder in which the recipes find what they name, with some of their values changed.
  private func experiment(
    _ changes: [(file: String, was: String, now: String)] = []
  ) throws -> Folder {
    let folder = try Folder()
    let files = FileManager.default
    try folder.write("", as: "Checkpoints/runs/.gitkeep")
    for name in ["tiny-base", "tiny-teacher"] {
      try files.createSymbolicLink(
        atPath: folder.file("Checkpoints/" + name),
        withDestinationPath: package + "/Checkpoints/" + name)
    }
    try folder.write("", as: "Recipes/tiny/.gitkeep")
    try files.createSymbolicLink(
      atPath: folder.file("Recipes/tiny/problems"),
      withDestinationPath: package + "/Recipes/tiny/problems")
    var left = changes
    for name in try files.contentsOfDirectory(atPath: package + "/Recipes/tiny").sorted()
    where name.hasSuffix(".json5") {
      var text = try String(contentsOfFile: package + "/Recipes/tiny/" + name, encoding: .utf8)
      for change in changes where change.file == name {
        let parts = text.components(separatedBy: change.was)
        XCTAssertGreaterThan(parts.count, 1, "\(name) has no '\(change.was)'")
        text = parts.joined(separator: change.now)
        left.removeAll { $0.file == name && $0.was == change.was }
      }
      try folder.write(text, as: "Recipes/tiny/" + name)
    }
    XCTAssertEqual(left.map(\.file), [])
    return folder
  }

  /// The scores of `table.json` by model and column, such as `easy pass@1`.
  private func table(_ folder: Folder) throws -> [String: [String: Double]] {
    let file = folder.file("Checkpoints/runs/tiny-table/table.csv")
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isNewline)
    let names = try XCTUnwrap(lines.first).split(separator: ",", omittingEmptySubsequences: false)
    var table: [String: [String: Double]] = [:]
    for line in lines.dropFirst() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      let row = Dictionary(uniqueKeysWithValues: zip(names, cells))
      guard let model = row["model"], let benchmark = row["benchmark"], let score = row["score"],
        let points = row["value"].flatMap({ Double($0) })
      else { continue }
      table[String(model), default: [:]]["\(benchmark) \(score)"] = points
    }
    return table
  }

  private func run(_ folder: Folder) throws {
    let process = try folder.start(["run", "Recipes/tiny"])
    process.waitUntilExit()
    XCTAssertEqual(process.terminationStatus, 0, folder.text("err.txt") ?? "")
  }

  /// All seven stages, with a share of their problems, steps and samples.
  func testCutShort() throws {
    let folder = try experiment([
      ("1-generate.json5", "limit: 2500", "limit: 120"),
      ("3-fine-tune.json5", "everySteps: 200", "everySteps: 20"),
      ("4-reinforce-base.json5", "steps: 150", "steps: 3"),
      (
        "4-reinforce-base.json5", "everySteps: 25,\n    samplesPerProblem: 4",
        "everySteps: 3,\n    samplesPerProblem: 1"
      ),
      ("5-reinforce-student.json5", "steps: 80", "steps: 3"),
      (
        "5-reinforce-student.json5", "everySteps: 20,\n    samplesPerProblem: 4",
        "everySteps: 3,\n    samplesPerProblem: 1"
      ),
      ("6-evaluate.json5", "samplesPerProblem: 64", "samplesPerProblem: 3"),
    ])
    try run(folder)
    let table = try table(folder)
    XCTAssertEqual(Set(table.keys), Set(models))
    for model in models {
      XCTAssertEqual(
        Set(try XCTUnwrap(table[model]).keys).intersection([
          "easy pass@1", "easy cons@3", "hard pass@1", "hard cons@3",
        ]).count, 4, model)
    }
    XCTAssertGreaterThan(try XCTUnwrap(table["teacher"]?["easy pass@1"]), 90)
    XCTAssertLessThan(try XCTUnwrap(table["base"]?["hard pass@1"]), 20)
    let printed = try XCTUnwrap(folder.text("out.txt"))
    XCTAssertTrue(printed.contains("Table 6 in miniature"), printed)
    let page = folder.file("Checkpoints/runs/tiny-run/report.html")
    XCTAssertTrue(FileManager.default.fileExists(atPath: page))
    // Nothing changed, nothing runs.
    try run(folder)
    XCTAssertEqual(try self.table(folder), table)
    let said = try XCTUnwrap(folder.text("err.txt"))
    XCTAssertFalse(said.contains(" begins."), said)
  }

  /// What the experiment is to show, with the figures that it has.
  func testWhole() throws {
    try XCTSkipUnless(
      ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] == "1",
      "the whole experiment takes five minutes; DISTILL_LONG_TESTS=1 runs it")
    let folder = try experiment()
    try run(folder)
    let table = try table(folder)
    XCTAssertGreaterThan(try XCTUnwrap(table["teacher"]?["easy pass@1"]), 90)
    XCTAssertLessThan(try XCTUnwrap(table["base"]?["hard pass@1"]), 20)
    let base = try XCTUnwrap(table["base"]?["hard pass@1"])
    let distilled = try XCTUnwrap(table["distilled"]?["hard pass@1"])
    XCTAssertGreaterThan(distilled, base)
    XCTAssertLessThan(distilled, 98)
    for model in models { XCTAssertNotNil(table[model]?["hard cons@64"], model) }
  }
}
