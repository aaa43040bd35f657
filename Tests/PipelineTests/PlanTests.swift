import Foundation
import XCTest

@testable import Pipelines

final class PlanTests: XCTestCase {
  // MARK: - Order

  func testNumbersAreOrderedAsNumbers() throws {
    let folder = try Folder()
    for name in [
      "10-a.json5", "2-b.json5", "1-z.json5", "002-a.json5", "README.md", "a-1.json5", "3.json5",
      "3-.json5", "4-x.json", "-1-a.json5", ".5-x.json5", "18446744073709551617-big.json5",
    ] {
      try folder.write("{}", as: name)
    }
    let files = try StageFile.all(in: folder.path)
    XCTAssertEqual(
      files.map(\.name), ["1-z", "002-a", "2-b", "10-a", "18446744073709551617-big"])
    XCTAssertEqual(files.map(\.number), ["1", "2", "2", "10", "18446744073709551617"])
    XCTAssertEqual(files.first?.path, folder.file("1-z.json5"))
  }

  func testFoldersWithoutRecipesAreRefused() throws {
    let folder = try Folder()
    try folder.write("x", as: "f")
    func words(_ path: String) -> String {
      do {
        return "\(try StageFile.all(in: path))"
      } catch {
        return "\(error)".replacingOccurrences(of: folder.path, with: "F")
      }
    }
    XCTAssertEqual(
      words(folder.path),
      "F: no numbered recipe is in it. A folder that can be run holds one recipe for each stage, as "
        + "'1-generate.json5' and '2-curate.json5', run in the order of their numbers.")
    XCTAssertEqual(words(folder.path + "/none"), "F/none: there is no such file or folder.")
    XCTAssertEqual(
      words(folder.path + "/f"),
      "F/f: a file, where a folder of numbered recipes is needed. A single recipe is run by the "
        + "command of its kind, such as 'distill generate'.")
  }

  // MARK: - Kinds

  private func findings(
    _ run: PlayedRun, kinds some: [StageKind] = kinds, _ choice: PipelinePlan.Choice = .init()
  ) -> [String] {
    do {
      _ = try PipelinePlan(
        folder: run.folder.file("r"), base: run.folder.path, kinds: some, choice: choice)
      return []
    } catch {
      return error.findings.map { $0.replacingOccurrences(of: run.folder.path + "/", with: "") }
    }
  }

  func testKindsAreFoundByDecoding() throws {
    let run = try threeStages()
    let plan = try run.plan()
    XCTAssertEqual(plan.stages.map(\.kind.name), ["copy", "copy", "join"])
    XCTAssertEqual(plan.sources(of: 0), [])
    XCTAssertEqual(plan.sources(of: 1), [0])
    XCTAssertEqual(plan.sources(of: 2), [0, 1])
    XCTAssertEqual(plan.record, run.folder.file("runs/r-run"))
    XCTAssertEqual(plan.stages[2].inputs.map(\.key), ["joins[0].path", "joins[1].path"])
  }

  func testAllMistakesAreToldAtOnce() throws {
    let run = try threeStages()
    try run.folder.write("{copies: ['data/a.txt'],\n  outptu: 'x'}", as: "r/1-copy.json5")
    try run.folder.write("{copies: [],\n word: 'bad', output: 'runs/two'}", as: "r/2-copy.json5")
    try run.folder.write("{joins: [}", as: "r/10-join.json5")
    try run.folder.write("{joins: [{path: 1}], output: 'o'}", as: "r/11-other.json5")
    XCTAssertEqual(
      findings(run),
      [
        "r/1-copy.json5:2:3: unknown key 'outptu'. Did you mean 'output'?",
        "r/2-copy.json5: The recipe: 'word' is bad.",
        "r/10-join.json5:1:10: expected a value, but found '}'.",
        "r/11-other.json5:1:17: 'joins.0.path' must be a text; it is 1.",
      ])
  }

  func testRecipesOfSeveralKindsAreRefused() throws {
    let run = try threeStages()
    let like = StageKind(likeKind, command: "like", writes: "output")
    XCTAssertEqual(
      findings(run, kinds: kinds + [like]),
      [
        "r/1-copy.json5: a recipe of several kinds at once, 'copy' and 'like'. Tell them apart by "
          + "another key.",
        "r/2-copy.json5: a recipe of several kinds at once, 'copy' and 'like'. Tell them apart by "
          + "another key.",
      ])
    let none = kinds.dropFirst() + [StageKind(copyKind, command: nil, writes: "output")]
    XCTAssertEqual(
      findings(run, kinds: Array(none)).first,
      "r/1-copy.json5: a recipe of the kind 'copy', which no stage of a whole run is made by.")
  }

  // MARK: - Inputs and outputs

  func testInputsMustBeThereOrBeMadeBefore() throws {
    let run = try threeStages()
    try run.folder.write("{copies: ['data/x.txt'], output: 'gone/one'}", as: "r/1-copy.json5")
    try run.folder.write(
      "{copies: ['runs/three/text', 'runs/two/x'], output: 'runs/two'}", as: "r/2-copy.json5")
    XCTAssertEqual(
      findings(run),
      [
        "r/1-copy.json5: 'copies[0]' is 'data/x.txt', and there is no such file or folder.",
        "r/1-copy.json5: 'output' is 'gone/one', and there is no folder 'gone' that could hold it. "
          + "Make it.",
        "r/2-copy.json5: 'copies[0]' is 'runs/three/text', which '10-join' makes later. Change the "
          + "numbers of the files.",
        "r/2-copy.json5: 'copies[1]' is 'runs/two/x', which this recipe itself makes. Name another "
          + "one.",
        "r/10-join.json5: 'joins[0].path' is 'runs/one', and there is no such file or folder.",
      ])
  }

  func testTwoStagesWithOneOutputAreRefused() throws {
    let run = try threeStages()
    try run.folder.write("{copies: [], output: 'runs/./x/../one/'}", as: "r/2-copy.json5")
    try run.folder.write("{copies: [], output: 'runs/one/in'}", as: "r/3-copy.json5")
    try run.folder.write("{copies: [], output: 'runs/r-run'}", as: "r/4-copy.json5")
    try run.folder.write("{copies: [], output: ''}", as: "r/5-copy.json5")
    XCTAssertEqual(findings(run), ["r/5-copy.json5: 'output' names no folder."])
    try run.folder.remove("r/5-copy.json5")
    XCTAssertEqual(
      Array(findings(run).prefix(4)),
      [
        "r/2-copy.json5: 'output' is 'runs/./x/../one', which '1-copy' makes too. Name another "
          + "folder.",
        "r/3-copy.json5: 'output' is 'runs/one/in', and that of '1-copy' is 'runs/one'. Name folders "
          + "that do not lie in one another.",
        "r/3-copy.json5: 'output' is 'runs/one/in', and that of '2-copy' is 'runs/./x/../one'. Name "
          + "folders that do not lie in one another.",
        "r/4-copy.json5: 'output' is 'runs/r-run', where the whole run keeps its record. Name another "
          + "folder.",
      ])
  }

  func testPathsAreComparedWithoutLinks() throws {
    let folder = try Folder()
    try folder.write("", as: "real/f")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: folder.file("real"))
    func path(_ text: String) -> StagePath { StagePath(key: "", text: text, base: folder.path) }
    XCTAssertEqual(path("link/f").canonical, path("real//./f").canonical)
    XCTAssertEqual(path("link/none/x").canonical, path("real/none/y/../x").canonical)
    XCTAssertTrue(path("link/f").isInside(path("real")))
    XCTAssertFalse(path("real2").isInside(path("real")))
    XCTAssertFalse(path("real").isInside(path("real/f")))
    XCTAssertTrue(path("real").overlaps(path("real/f")))
    XCTAssertTrue(path("real").isInside(path("/")))
  }

  // MARK: - Choices

  func testStagesAreChosenByNumberOrName() throws {
    let run = try threeStages()
    run.choice = .init(from: "2")
    XCTAssertEqual(
      findings(run, run.choice),
      [
        "r/2-copy.json5: 'copies[0]' is 'runs/one/text', which '1-copy' has not made yet. Begin with "
          + "that one.",
        "r/10-join.json5: 'joins[0].path' is 'runs/one', which '1-copy' has not made yet. Begin with "
          + "that one.",
      ])
    run.choice = .init()
    try run.run()
    run.choice = .init(from: "2-copy", again: ["10"])
    XCTAssertEqual(try run.plan().chosen, 1..<3)
    XCTAssertEqual(try run.plan().again, [2])
    XCTAssertEqual(findings(run, .init(only: "10")), [])
    XCTAssertEqual(
      findings(run, .init(only: "3")),
      ["'--only' is '3', which is no stage of r. There are '1-copy', '2-copy', '10-join'."])
    XCTAssertEqual(
      findings(run, .init(from: "2", again: ["1"])),
      ["'--again' names '1-copy', which is not among the chosen."])
    XCTAssertEqual(
      findings(run, .init(from: "2", only: "2")),
      ["'--from' and '--only' are two choices. Give one of them."])
    try run.folder.write("{copies: [], output: 'runs/2b'}", as: "r/2-b.json5")
    XCTAssertEqual(
      findings(run, .init(only: "2")), ["'--only' is '2', which is '2-b', '2-copy'. Give a name."])
  }
}
