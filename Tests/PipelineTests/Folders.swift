import Foundation
import Interface
import XCTest

@testable import Pipelines

/// A folder for one test, removed with this object.
final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("pipeline-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ text: String, as name: String) throws {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func text(_ name: String) -> String? {
    FileManager.default.contents(atPath: file(name)).map { String(decoding: $0, as: UTF8.self) }
  }

  func names(_ folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: file(folder))) ?? []).sorted()
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }
}

/// A recipe that reads files and writes one, as the stages of these tests do.
struct CopyRecipe: Codable, Sendable {
  var copies: [String]
  var word: String?
  var output: String
}

/// One that has the keys of another kind.
struct JoinRecipe: Codable, Sendable {
  var joins: [Part]
  var output: String
  struct Part: Codable, Sendable { var path: String }
}

/// One whose keys are those of `CopyRecipe` and more.
struct LikeRecipe: Codable, Sendable {
  var copies: [String]
  var output: String
}

struct Mistake: Error, CustomStringConvertible {
  let description: String
}

let copyKind = RecipeKind(
  "copy", as: CopyRecipe.self, summary: "S.", template: "",
  check: { if $0.word == "bad" { throw Mistake(description: "The recipe: 'word' is bad.") } })
let joinKind = RecipeKind("join", as: JoinRecipe.self, summary: "S.", template: "")
let likeKind = RecipeKind("like", as: LikeRecipe.self, summary: "S.", template: "")

let kinds = [
  StageKind(copyKind, command: "copy", reads: ["copies[]"], writes: "output"),
  StageKind(
    joinKind, command: "join", reads: ["joins[].path"], writes: "output", rules: ["rule 1"],
    isResult: true),
]

/// A whole run whose stages are played: each writes what it reads into its output.
final class PlayedRun {
  let folder: Folder
  var transcript = Transcript()
  /// The names of the stages that ran.
  var ran: [String] = []
  /// What a stage does instead of its work.
  var instead: [String: () -> StageEnding] = [:]
  var version = "1"
  var isStopped = false
  var isTerminal = false
  var choice = PipelinePlan.Choice()
  var kinds = PipelineTests.kinds

  init(_ folder: Folder) { self.folder = folder }

  func plan() throws -> PipelinePlan {
    try PipelinePlan(folder: folder.file("r"), base: folder.path, kinds: kinds, choice: choice)
  }

  @discardableResult
  func run() throws -> PipelineSummary {
    ran = []
    transcript = Transcript()
    let plan = try plan()
    let display = PipelineDisplay(
      plan, on: transcript.console(isTerminal: isTerminal), now: { 0 })
    return try Pipeline(plan, version: version).run(
      display: display, isStopped: { [unowned self] in isStopped }
    ) { [unowned self] stage, observer in
      ran.append(stage.name)
      observer.note("\(stage.name) says so")
      observer.status(["half of \(stage.name)"])
      observer.tick()
      if let ending = instead[stage.name]?() { return ending }
      var text = ""
      for input in stage.inputs {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: input.path, isDirectory: &isFolder)
        let path = isFolder.boolValue ? input.path + "/text" : input.path
        text += String(
          decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
      }
      try? FileManager.default.createDirectory(
        atPath: stage.output.path, withIntermediateDirectories: false)
      try Data(text.utf8).write(to: URL(fileURLWithPath: stage.output.path + "/text"))
      return StageEnding(.done, seconds: 2, peakBytes: 3 << 20, printed: "made \(stage.name)\n")
    }
  }

  func decisions() throws -> [StageDecision] {
    try Pipeline(plan(), version: version).decisions()
  }

  /// Errors with the test's folder left out.
  func plain(_ error: any Error) -> String {
    "\(error)".replacingOccurrences(of: folder.path + "/", with: "")
  }

  var errors: String { transcript.errors.replacingOccurrences(of: folder.path + "/", with: "") }
}

/// Three stages: the second reads what the first makes, the third what both make.
func threeStages() throws -> PlayedRun {
  let folder = try Folder()
  try folder.write("hello ", as: "data/a.txt")
  try folder.write("world ", as: "data/b.txt")
  try folder.write("{copies: ['data/a.txt'], output: 'runs/one'}", as: "r/1-copy.json5")
  try folder.write(
    "{copies: ['runs/one/text', 'data/b.txt'], output: 'runs/two'}", as: "r/2-copy.json5")
  try folder.write(
    "{joins: [{path: 'runs/one'}, {path: 'runs/two'}], output: 'runs/three'}",
    as: "r/10-join.json5")
  try folder.write("", as: "runs/.gitkeep")
  return PlayedRun(folder)
}
