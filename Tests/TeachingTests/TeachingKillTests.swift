import FaultServer
import Foundation
import Storage
import XCTest

@testable import Teachers

/// The program itself, sampling from a server that misbehaves, killed and started again until it is
/// done: 1,000 problems and 6 kills, or 10,000 and 20 in the long tests.
final class TeachingKillTests: XCTestCase {
  private let isLong = ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] == "1"
  private let canary = "canary-\(UUID().uuidString)"
  private let inFlight = 32
  private var folder = ""

  override func setUpWithError() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("teaching-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    folder = url.path
    addTeardownBlock { try? FileManager.default.removeItem(at: url) }
  }

  private func executable() throws -> URL {
    let folder = Bundle(for: Self.self).bundleURL
    let places = [folder, folder.deletingLastPathComponent()].map {
      $0.appendingPathComponent("distill")
    }
    return try XCTUnwrap(
      places.first { FileManager.default.isExecutableFile(atPath: $0.path) }, "\(places)")
  }

  /// Output and errors go to a file, so that nobody has to read along.
  private func start(_ log: String) throws -> Process {
    let process = Process()
    process.executableURL = try executable()
    process.arguments = ["generate", folder + "/recipe.json5"]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["TEACHER_KEY": canary]) { $1 }
    FileManager.default.createFile(atPath: log, contents: nil)
    let handle = try XCTUnwrap(FileHandle(forWritingAtPath: log))
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    return process
  }

  private static func question(_ i: Int) -> String { "Question \(i): é 漢 😀?" }

  private func write(problems: Int, _ server: FaultServer) throws -> RemoteTeacherSettings {
    let lines = (0..<problems).map {
      #"{"question": "\#(Self.question($0))", "answer": "\#($0)"}"# + "\n"
    }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: folder + "/problems.jsonl"))
    let recipe = """
      {
        teacher: { remote: {
          url: "\(server.url)", model: "tiny", key: { environment: "TEACHER_KEY" },
          requestsInFlight: \(inFlight), firstByteSeconds: 1, idleSeconds: 1, totalSeconds: 2,
          retriesPerQuestion: 50, retriesPerJob: 1000000, longestWaitSeconds: 5,
        } },
        prompts: [{ path: "\(folder)/problems.jsonl" }], prompt: { mathematics: "{question}" },
        sampling: { samplesPerProblem: 1, maxTokens: 256, temperature: 0.6, topP: 0.95, seed: 7 },
        output: "\(folder)/run",
      }
      """
    try Data(recipe.utf8).write(to: URL(fileURLWithPath: folder + "/recipe.json5"))
    return RemoteTeacherSettings(url: server.url, model: "tiny")
  }

  func testEverySampleIsThereOnceWhateverIsKilled() throws {
    let problems = isLong ? 10_000 : 1000, kills = isLong ? 20 : 6
    // Deadlines are waited out in real time; of those there are few here, of all others many.
    let faults = Fault.passing.filter { !$0.isSlow } + [.stallBeforeHeaders, .drip]
    let server = try FaultServer(.share(0.2, seed: 3, of: faults))
    defer { server.stop() }
    let settings = try write(problems: problems, server)
    var random: UInt64 = 11
    var killed = 0, processes = 0
    var log = ""
    while true {
      processes += 1
      log = folder + "/log-\(processes)"
      let process = try start(log)
      if killed < kills {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let patience = 0.1 + Double(random >> 40) / Double(1 << 24) * (isLong ? 1 : 0.25)
        let deadline = Date(timeIntervalSinceNow: patience)
        while process.isRunning, Date() < deadline { usleep(500) }
        if process.isRunning {
          kill(process.processIdentifier, SIGKILL)
          killed += 1
        }
      }
      process.waitUntilExit()
      if process.terminationReason == .exit {
        let text = try String(contentsOfFile: log, encoding: .utf8)
        // A fault in the very first reply: nothing says yet that the address is a server's.
        if process.terminationStatus == 1, text.contains("the same command goes on from there."),
          processes < 200
        {
          continue
        }
        XCTAssertEqual(process.terminationStatus, 0, text)
        break
      }
    }
    XCTAssertEqual(killed, kills, "It was done before it could be killed.")

    var found: [String: TeacherAnswer] = [:]
    try SampleFolder(at: folder + "/run").forEachRecord { record, _ in
      XCTAssertEqual(record.sample, 0)
      XCTAssertNil(found.updateValue(record.answer, forKey: record.problem), record.problem)
    }
    XCTAssertEqual(found.count, problems)
    for i in 0..<problems {
      let question = TeacherQuestion(
        [.init(role: "user", content: Self.question(i))], samples: 0..<1,
        settings: SamplingChoices(
          temperature: 0.6, topP: 0.95, maxTokens: 256, seed: 7), place: "")
      let served = ServedAnswer(
        question: Self.question(i),
        seed: ChatCompletionRequest(settings: settings, question: question, samples: 0..<1).seed,
        choice: 0)
      let answer = try XCTUnwrap(found["problems.jsonl#\(i + 1)"], "\(i)")
      XCTAssertEqual(answer.reasoning.map { Array($0.utf8) }, Array(served.reasoning.utf8), "\(i)")
      XCTAssertEqual(Array(answer.content.utf8), Array(served.content.utf8), "\(i)")
    }
    // What was answered and not stored: at most what was under way at each kill.
    let answered = server.answered.values.reduce(0, +)
    XCTAssertGreaterThanOrEqual(answered, problems)
    XCTAssertLessThanOrEqual(answered - problems, kills * inFlight)
    try expectNoKey()
  }

  /// The key stands in nothing that was written.
  private func expectNoKey() throws {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    XCTAssertTrue(names.contains("run/samples.jsonl") && names.contains("log-1"))
    for name in names {
      guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
      XCTAssertNil(data.range(of: Data(canary.utf8)), name)
    }
  }
}
