import Foundation
import Storage
import XCTest

@testable import Reinforcement

/// The program itself, killed and started again until it is done: 10 kills, or 50 in the long tests.
final class KillTests: XCTestCase {
  private var kills: Int {
    ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] == "1" ? 50 : 10
  }

  private func executable() throws -> URL {
    let folder = Bundle(for: Self.self).bundleURL
    let places = [folder, folder.deletingLastPathComponent()].map {
      $0.appendingPathComponent("distill")
    }
    return try XCTUnwrap(
      places.first { FileManager.default.isExecutableFile(atPath: $0.path) }, "\(places)")
  }

  private func start(_ policy: TinyPolicy) throws -> (Process, errors: String) {
    let path = policy.folder + "/recipe.json5"
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    try encoder.encode(policy.recipe).write(to: URL(fileURLWithPath: path))
    // A file, so that nobody has to empty a pipe.
    let errors = policy.folder + "/errors.txt"
    FileManager.default.createFile(atPath: errors, contents: nil)
    let process = Process()
    process.executableURL = try executable()
    process.arguments = ["reinforce", path, "--threads", "1"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    return (process, errors)
  }

  private func policy() throws -> TinyPolicy {
    try TinyPolicy(self) {
      $0.sampling.questionsPerStep = 4
      $0.sampling.answersPerQuestion = 6
      $0.sampling.maxTokens = 9
      $0.steps = 40
      $0.updates = .init(minibatches: 2, passes: 2, rowTokens: 32)
      $0.objective.klCoefficient = 0.01
      $0.referenceEverySteps = 7
      $0.filters = .init(resamplings: 1, passRate: .init(min: 0.01, max: 0.9))
      $0.evaluation = .init(problems: $0.problems, everySteps: 10, samplesPerProblem: 2)
      $0.checkpoints = .init(everySteps: 1, keep: 2, best: true)
    }
  }

  func testKilledAnywhereItGoesOnToTheBit() throws {
    let whole = try policy()
    let (process, errors) = try start(whole)
    process.waitUntilExit()
    let said = try String(contentsOfFile: errors, encoding: .utf8)
    XCTAssertEqual(process.terminationStatus, 0, said)
    let expected = try whole.weightsHash()
    let figures = try whole.figures()
    XCTAssertEqual(figures.count, 40)
    var random: UInt64 = 11
    var killed = 0, runs = 0
    while killed < kills {
      runs += 1
      var other = whole
      other.recipe.run = whole.folder + "/run-\(runs)"
      var done = 0
      while true {
        let (process, errors) = try start(other)
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let patience = Double(random >> 40) / Double(1 << 24) * 0.5
        let deadline = Date(timeIntervalSinceNow: killed < kills ? patience : 600)
        while process.isRunning, Date() < deadline { usleep(500) }
        if process.isRunning {
          kill(process.processIdentifier, SIGKILL)
          killed += 1
        }
        process.waitUntilExit()
        // What was done stays done.
        let steps = (try? other.figures().keys.max()) ?? 0
        XCTAssertGreaterThanOrEqual(steps, done)
        done = steps
        if process.terminationReason == .exit {
          let said = try String(contentsOfFile: errors, encoding: .utf8)
          XCTAssertEqual(process.terminationStatus, 0, said)
          break
        }
      }
      XCTAssertEqual(try other.weightsHash(), expected, "run \(runs), after \(killed) kills")
      XCTAssertEqual(try other.figures(), figures, "run \(runs)")
      let names = try FileManager.default.contentsOfDirectory(
        atPath: other.recipe.run + "/checkpoints")
      XCTAssertEqual(names.filter { $0.hasSuffix(".partial") }, [])
      let references = try FileManager.default.contentsOfDirectory(
        atPath: other.recipe.run + "/references")
      XCTAssertEqual(references.filter { !$0.hasPrefix(".") }, ["step-35"])
    }
  }

  /// A kill costs the step that was under way, and no other.
  func testAKillCostsOneStepAtMost() throws {
    let policy = try policy()
    let (process, _) = try start(policy)
    while process.isRunning, ((try? policy.figures().count) ?? 0) < 3 { usleep(200) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let told = try policy.figures().keys.max() ?? 0
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: policy.recipe.run + "/checkpoints"
    ).compactMap { Int($0.dropFirst(5)) }
    XCTAssertGreaterThanOrEqual(checkpoints.max() ?? 0, told - 1)
  }

  /// SIGINT and SIGTERM: saved, and the documented status.
  func testSignalsSaveFirst() throws {
    for (number, signal) in [SIGINT, SIGTERM].enumerated() {
      var policy = try policy()
      policy.recipe.run = policy.folder + "/signalled-\(number)"
      policy.recipe.steps = 4000
      policy.recipe.checkpoints.everySteps = nil
      let (process, errors) = try start(policy)
      while process.isRunning, ((try? policy.figures().count) ?? 0) < 2 { usleep(1000) }
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      let text = try String(contentsOfFile: errors, encoding: .utf8)
      XCTAssertEqual(process.terminationStatus, 75, text)
      XCTAssertTrue(
        text.contains("Stopping: the run is being saved. Once more ends it at once.\n"), text)
      XCTAssertTrue(text.contains("Error: Stopped after step "), text)
      XCTAssertTrue(text.hasSuffix(". The same command goes on from there.\n"), text)
      let names = try FileManager.default.contentsOfDirectory(
        atPath: policy.recipe.run + "/checkpoints")
      XCTAssertEqual(names.count, 1, "\(names)")
    }
  }
}
