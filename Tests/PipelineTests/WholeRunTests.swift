import Foundation
import XCTest

@testable import Pipelines

/// The program itself: `distill run` of a few small recipes, stopped, killed and gone on with.
final class WholeRunTests: XCTestCase {
  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
  private var package: String { Self.package }

  /// Twelve problems, two samples each; those that are right; a student of three steps or so.
  private func recipes() throws -> Folder {
    let folder = try Folder()
    try folder.write(
      """
      {
        teacher: { local: { checkpoint: "\(package)/Checkpoints/tiny-teacher", weights: "bfloat16", sequences: 8 } },
        prompts: [{ path: "\(package)/Recipes/tiny/problems/easy.jsonl", source: "stories", limit: 12 }],
        prompt: { mathematics: "{question}" },
        sampling: { samplesPerProblem: 2, temperature: 1.0, topP: 1.0, maxTokens: 96, seed: 42 },
        output: "runs/samples",
      }
      """, as: "r/1-generate.json5")
    try folder.write(
      """
      {
        samples: [{ run: "runs/samples" }], keep: ["correct"], keepsCutAnswers: false, format: true,
        duplicates: { exact: true }, perProblem: { most: 4, choose: "first" }, seed: 42,
        output: "runs/set",
      }
      """, as: "r/2-curate.json5")
    try folder.write(
      """
      {
        student: "\(package)/Checkpoints/tiny-base", run: "runs/student",
        data: {
          sources: [{ path: "runs/set/samples.jsonl" }], contextLength: 128,
          supervision: "assistant", longerDocuments: "refuse", packing: "bestFit",
          specialTokensInText: false, seed: 42, cache: "runs/prepared",
        },
        epochs: 8, rowsPerStep: 2, microbatchRows: 2, precision: "bfloat16",
        optimizer: {
          learningRate: 1.2e-3, schedule: "cosine", warmupShare: 0.03, floor: 0.1,
          betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.0, clipNorm: 1.0,
        },
        checkpoints: { everySteps: 4, keep: 2, best: false }, export: "bfloat16",
      }
      """, as: "r/3-fine-tune.json5")
    try folder.write("", as: "runs/.gitkeep")
    return folder
  }

  private func start(_ words: [String], in folder: Folder) throws -> Process {
    try folder.start(words)
  }

  private func run(_ words: String..., in folder: Folder) throws -> Int32 {
    let process = try start(words, in: folder)
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// The processes that work in a folder; empty where the system does not tell.
  private func processes(in folder: Folder) -> [String] {
    #if os(Linux)
      let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return all.filter {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd"))
          == canonicalPath(folder.path)
      }
    #else
      return []
    #endif
  }

  /// The training set, whose order is that in which answers arrived.
  private func set(_ folder: Folder) -> [Substring] {
    (folder.text("runs/set/samples.jsonl") ?? "").split(separator: "\n").sorted()
  }

  private func weights(_ folder: Folder, _ run: String = "student") -> Data? {
    FileManager.default.contents(atPath: folder.file("runs/\(run)/student/model.safetensors"))
  }

  func testAWholeRunKilledAndStoppedGivesTheSame() throws {
    let reference = try recipes()
    XCTAssertEqual(try run("run", "r", in: reference), 0, reference.text("err.txt") ?? "")
    let wanted = set(reference), student = try XCTUnwrap(weights(reference))
    XCTAssertGreaterThan(wanted.count, 10)
    let said = try XCTUnwrap(reference.text("err.txt"))
    for line in [
      "1-generate begins.\n", "\nAsking ", "\n1-generate is done: ", "\n2-curate begins.\n",
      "\nTraining.\n", "\n3-fine-tune is done: ",
    ] { XCTAssertTrue(said.contains(line), "\(line) in \(said)") }
    let printed = try XCTUnwrap(reference.text("out.txt"))
    XCTAssertTrue(printed.hasPrefix("stage "), printed)
    XCTAssertTrue(printed.hasSuffix("\n\nThe report is in runs/r-run/report.html.\n"), printed)
    let page = try XCTUnwrap(reference.text("runs/r-run/report.html"))
    XCTAssertTrue(page.contains("href=\"../student/report.html\""))
    XCTAssertTrue(page.contains("href=\"../set/report.html\""))
    XCTAssertNotNil(reference.text("runs/student/report.html"))

    // Nothing changed, so nothing runs.
    XCTAssertEqual(try run("run", "r", in: reference), 0)
    XCTAssertEqual(
      reference.text("err.txt"),
      "1-generate: nothing changed.\n2-curate: nothing changed.\n3-fine-tune: nothing changed.\n")
    XCTAssertEqual(try run("run", "r", "--list", in: reference), 0)
    XCTAssertEqual(
      reference.text("out.txt"),
      """
      stage         kind                    why
      -----------   ---------   ---------   ---
      1-generate    generate    unchanged
      2-curate      curate      unchanged
      3-fine-tune   fine-tune   unchanged

      """)

    // Without a record, what is complete ends at once.
    try reference.remove("runs/r-run")
    XCTAssertEqual(try run("run", "r", "--json", in: reference), 0, reference.text("err.txt") ?? "")
    XCTAssertEqual(set(reference), wanted)
    XCTAssertEqual(weights(reference), student)

    let folder = try recipes()
    var kills = 0, stops = 0
    for round in 0..<8 {
      let process = try start(["run", "r"], in: folder)
      usleep(UInt32.random(in: 20_000...(round < 4 ? 500_000 : 1_500_000)))
      if round % 2 == 0 {
        kill(process.processIdentifier, SIGKILL)
        kills += 1
      } else {
        kill(process.processIdentifier, round % 4 == 1 ? SIGTERM : SIGINT)
      }
      process.waitUntilExit()
      guard round % 2 == 1 else { continue }
      let status = process.terminationStatus
      // Before it listens, a signal ends it at once.
      if process.terminationReason == .uncaughtSignal { continue }
      let words = folder.text("err.txt") ?? ""
      XCTAssertTrue(status == 75 || status == 0, "status \(status): \(words)")
      if status == 75 {
        stops += 1
        XCTAssertTrue(words.hasSuffix("'. The same command goes on from there.\n"), words)
        XCTAssertTrue(words.contains("\nError: Stopped in '"), words)
      }
    }
    XCTAssertEqual(kills, 4)
    XCTAssertEqual(try run("run", "r", in: folder), 0, folder.text("err.txt") ?? "")
    XCTAssertEqual(set(folder), wanted)
    // A student that was never disturbed, of the same set in the same order.
    XCTAssertEqual(
      try run("fine-tune", "r/3-fine-tune.json5", "--set", "run=runs/other", in: folder), 0)
    XCTAssertEqual(weights(folder), try XCTUnwrap(weights(folder, "other")))
    XCTAssertFalse(
      folder.names("runs").contains { $0.contains("earlier") }, "\(folder.names("runs"))")
  }

  func testNoStageOutlivesTheRun() throws {
    let folder = try recipes()
    let process = try start(["run", "r"], in: folder)
    var seen = 0
    for _ in 0..<200 where seen < 2 {
      usleep(20_000)
      seen = processes(in: folder).count
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #if os(Linux)
      XCTAssertEqual(seen, 2)
      var left = processes(in: folder)
      for _ in 0..<100 where !left.isEmpty {
        usleep(20_000)
        left = processes(in: folder)
      }
      XCTAssertEqual(left, [])
    #endif
  }

  func testAFailingStageEndsTheRun() throws {
    let folder = try recipes()
    try folder.write("", as: "student/README.md")
    let text = try XCTUnwrap(folder.text("r/3-fine-tune.json5"))
    try folder.write(
      text.replacingOccurrences(of: "\(package)/Checkpoints/tiny-base", with: "student"),
      as: "r/3-fine-tune.json5")
    try folder.write(
      text.replacingOccurrences(of: "runs/student", with: "runs/other"), as: "r/4-x.json5")
    XCTAssertEqual(try run("run", "r", in: folder), 1)
    let said = try XCTUnwrap(folder.text("err.txt"))
    XCTAssertTrue(
      said.hasSuffix(
        "Error: '3-fine-tune' failed, and nothing after it was run. The same command goes on with "
          + "it, and with '--again 3-fine-tune' begins it anew.\n"), said)
    XCTAssertTrue(said.contains("\nError: student: no tokenizer."), said)
    XCTAssertFalse(said.contains("4-x"), said)
    XCTAssertEqual(folder.text("out.txt"), "")
  }

  func testMistakesAreToldBeforeAnythingRuns() throws {
    let folder = try recipes()
    try folder.write("{\n  samples: [],\n}", as: "r/2-curate.json5")
    XCTAssertEqual(try run("run", "r", in: folder), 1)
    let said = try XCTUnwrap(folder.text("err.txt"))
    XCTAssertTrue(said.hasPrefix("Error: r/2-curate.json5:1:1: missing key '"), said)
    XCTAssertEqual(folder.names("runs"), [".gitkeep"])
  }
}
