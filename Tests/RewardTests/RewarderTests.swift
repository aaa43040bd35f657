import Foundation
import Problems
import Sandbox
import Storage
import Teachers
import Verification
import XCTest

@testable import Reinforcement

/// The rewards together.
final class RewarderTests: XCTestCase {
  private let script = """
    while IFS= read -r line; do id=${line#'{"id":'}; id=${id%%,*}
    echo "{\\"id\\":$id,\\"reward\\":$((id % 3))}"; done
    """

  private func settings() -> RewardSettings {
    RewardSettings(
      accuracy: .init(weight: 1, unjudged: .leftOut), format: .init(weight: 0.5),
      language: .init(weight: 0.1, language: "en"),
      length: .init(weight: 0.2, most: 30, buffer: 20),
      repetition: .init(weight: 0.3, words: 2),
      program: .init(weight: 2, command: ["/bin/sh", "-c", script]),
      helpfulness: .init(weight: 0.7, teacher: .init(recorded: .init(path: "x"))),
      harmlessness: .init(weight: 0.9, teacher: .init(recorded: .init(path: "x"))))
  }

  private func answers(_ count: Int) -> [SampledAnswer] {
    (0..<count).map { i in
      let thinking = ["two and two is four", "zwei und zwei sind vier", "so so so", ""][i % 4]
      let answer = ["\\boxed{4}", "\\boxed{5}", "so it is"][i % 3]
      return sampled(
        "<think>\(thinking)</think>\(answer)", tokens: i % 41, isCut: i % 5 == 4, sample: i)
    }
  }

  private func teacher() -> ReplyingTeacher {
    ReplyingTeacher(concurrency: 3) { question in
      let sum = question.messages[0].content.utf8.reduce(0) { $0 + Int($1) }
      if sum % 3 == 0 { await Task.yield() }
      return reply("<score>\(sum % 11)</score>")
    }
  }

  func testRewardsAreTheSameOnAnyNumberOfThreads() throws {
    let answers = answers(97)
    var first: [RewardedAnswer]?
    for threads in [1, 2, 5, 200] {
      let rewarder = try Rewarder(
        settings: settings(), sandbox: nil, folder: try temporaryFolder(self), threads: threads
      ) { _ in self.teacher() }
      XCTAssertEqual(rewarder.names, settings().weights.map(\.name))
      XCTAssertEqual(rewarder.weights, [1, 0.5, 0.1, 0.2, 0.3, 2, 0.7, 0.9])
      let given = try rewarder.rewards(for: answers)
      XCTAssertEqual(given.count, 97)
      if let first { XCTAssertEqual(given, first, "\(threads)") } else { first = given }
      XCTAssertEqual(try rewarder.rewards(for: []), [])
    }
    // Each answer has its own, in its place.
    let weights = [1, 0.5, 0.1, 0.2, 0.3, 2, 0.7, 0.9]
    for (i, given) in try XCTUnwrap(first).enumerated() {
      let isLeftOut = i % 3 == 2 && i % 5 != 4
      XCTAssertEqual(given.total == nil, isLeftOut, "\(i)")
      XCTAssertEqual(given.failure == nil, !isLeftOut, "\(i)")
      XCTAssertEqual(
        given.parts.map(\.name), settings().weights.map(\.name).suffix(isLeftOut ? 7 : 8))
      if let total = given.total {
        // In this order, to the bit.
        XCTAssertEqual(total, zip(weights, given.parts).reduce(0) { $0 + $1.0 * $1.1.value })
        XCTAssertEqual(given.parts[0].value, i % 3 == 0 && i % 5 != 4 ? 1 : 0, "\(i)")
        XCTAssertEqual(given.parts[1].value, i % 4 == 3 ? 0 : 1, "\(i)")
        XCTAssertEqual(given.parts[3].value, -Double(min(20, max(0, i % 41 - 10))) / 20, "\(i)")
        XCTAssertEqual(given.parts[5].value, Double(i % 3), "\(i)")
      }
    }
  }

  func testAnInfiniteSumIsNoReward() throws {
    let rewarder = try Rewarder(
      settings: .init(
        program: .init(
          weight: 1e6,
          command: ["/bin/sh", "-c", "read -r x; echo '{\"id\":0,\"reward\":1e308}'; read -r x"])),
      sandbox: nil, folder: "/nowhere")
    XCTAssertEqual(
      try rewarder.rewards(for: answers(1)),
      [
        RewardedAnswer(
          parts: [.init(name: "program", value: 1e308)], total: nil,
          failure: "The weighted sum of the rewards is not a finite number.")
      ])
  }

  /// The first of several failures, in the order of the rewards, is told.
  func testSeveralFailures() throws {
    let rewarder = try Rewarder(
      settings: .init(
        accuracy: .init(weight: 1), format: .init(weight: 1),
        program: .init(weight: 1, command: ["/bin/sh", "-c", "read -r x; exit 1"])),
      verdict: { _, _ in
        AnswerVerdict(outcome: .infrastructure, reason: "No memory.", version: "1")
      }, folder: "/nowhere")
    let given = try rewarder.rewards(for: answers(1))
    XCTAssertEqual(
      given, [.init(parts: [.init(name: "format", value: 1)], total: nil, failure: "No memory.")])
  }

  /// A program under test that takes hours is not waited for.
  func testStoppingDoesNotWaitForRules() throws {
    let (began, begun) = (Flag(), Count())
    let end = Flag()
    defer { end.raise() }
    let rewarder = try Rewarder(
      settings: .init(accuracy: .init(weight: 1)),
      verdict: { _, _ in
        began.raise()
        begun.add()
        for _ in 0..<3_000 where !end.isRaised { usleep(10_000) }
        return AnswerVerdict(outcome: .wrong, reason: "Slow.", version: "1")
      }, folder: "/nowhere", threads: 2)
    for _ in 0..<2 {
      XCTAssertThrowsError(
        try rewarder.rewards(for: answers(9), isStopped: { began.isRaised })
      ) { XCTAssertEqual($0 as? RewardError, .stopped) }
      XCTAssertThrowsError(
        try rewarder.accuracies(of: answers(9), isStopped: { began.isRaised })
      ) { XCTAssertEqual("\($0)", "Stopped while answers were judged.") }
    }
    XCTAssertFalse(end.isRaised)
    // What was under way ends by itself, and nothing more is begun.
    end.raise()
    usleep(200_000)
    XCTAssertLessThanOrEqual(begun.value, 8)
  }

  /// Programs of models, judged on several threads in the sandbox there is.
  func testProgramsInTheSandbox() throws {
    let isRequired = ProcessInfo.processInfo.environment["DISTILL_REQUIRE_SANDBOX"] == "1"
    if !isRequired, !FileManager.default.isExecutableFile(atPath: ProgramJudge.python) {
      throw XCTSkip("There is no \(ProgramJudge.python), which runs the programs.")
    }
    let made = Result { try Sandbox() }
    if case .failure(let error) = made, !isRequired {
      throw XCTSkip("There is no sandbox: \(error)")
    }
    let task = ProgramTask(tests: .assertions(.init(tests: ["assert add(1, 2) == 3"])))
    let bodies = ["return a + b", "return a - b", "raise ValueError(a)", "return b + a"]
    let answers = (0..<8).map { i in
      sampled(
        "<think>a</think>\n```python\ndef add(a, b): \(bodies[i % 4])\n```\n", .program(task),
        sample: i)
    }
    let rewarder = try Rewarder(
      settings: .init(accuracy: .init(weight: 1)), sandbox: try made.get(), folder: "/nowhere",
      threads: 3)
    let given = try rewarder.rewards(for: answers)
    XCTAssertEqual(given.map(\.total), [1, 0, 0, 1, 1, 0, 0, 1])
    XCTAssertEqual(try rewarder.accuracies(of: answers), [1, 0, 0, 1, 1, 0, 0, 1])
  }

  func testTheVersionNamesEveryRule() {
    XCTAssertEqual(
      Rewarder.version,
      "rewards 1, mathematics 1, choices 1, programs 1, format 1, language 1, judge prompt 1")
  }

  /// Nothing is left of children that were ended.
  func testNoZombiesStay() throws {
    #if os(Linux)
      for script in ["read -r x; exit 1", "exec >&-; sleep 100", "echo x; sleep 100"] {
        let program = RewardProgram(
          .init(weight: 1, command: ["/bin/sh", "-c", script], timeoutSeconds: 20))
        for _ in 0..<3 { _ = try program.outcomes(of: answers(1), isStopped: { false }) }
      }
      let own = getpid()
      var children: [String] = []
      for name in try FileManager.default.contentsOfDirectory(atPath: "/proc")
      where name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        guard let stat = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
          let end = stat.range(of: ") ", options: .backwards)
        else { continue }
        let fields = stat[end.upperBound...].split(separator: " ")
        if fields.count > 1, fields[1] == "\(own)" { children.append(stat) }
      }
      XCTAssertEqual(children, [])
    #endif
  }
}

final class Count: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  func add() { lock.withLock { count += 1 } }
  var value: Int { lock.withLock { count } }
}

/// Something that happened on another thread.
final class Flag: @unchecked Sendable {
  private let lock = NSLock()
  private var value = false

  func raise() { lock.withLock { value = true } }
  var isRaised: Bool { lock.withLock { value } }
}
