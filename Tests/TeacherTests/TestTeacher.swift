import FaultServer
import Foundation
import Storage
import XCTest

@testable import Teachers

/// What the tests of this module share.
enum TestTeacher {
  /// A key that must be found nowhere.
  static let canary = "sk-canary-7Hq2Zt9LwXv4"

  /// The machine's clock, but nobody sleeps longer than a few milliseconds.
  static let hasty: RemoteClock = {
    var clock = RemoteClock.system
    clock.sleep = { seconds in
      try await Task.sleep(nanoseconds: UInt64(min(seconds, 0.004) * 1e9))
    }
    return clock
  }()

  /// Settings whose deadlines suit a server on this machine.
  static func settings(
    _ server: FaultServer, stream: Bool = true, samplesPerRequest: Int = 1
  ) -> RemoteTeacherSettings {
    RemoteTeacherSettings(
      url: server.url, model: "tiny", key: .environment("KEY"), stream: stream,
      samplesPerRequest: samplesPerRequest, connectSeconds: 5, firstByteSeconds: 0.3,
      idleSeconds: 0.3, totalSeconds: 0.6)
  }

  static func teacher(
    _ settings: RemoteTeacherSettings, clock: RemoteClock = hasty, longestBody: Int = 64 << 20,
    observer: @escaping @Sendable (TeacherEvent) -> Void = { _ in }
  ) throws -> RemoteTeacher {
    try RemoteTeacher(
      settings, environment: ["KEY": canary], clock: clock, longestBody: longestBody,
      observer: observer)
  }

  static func question(
    _ text: String = "How many?", samples: Range<Int> = 0..<1,
    settings: SamplingChoices = SamplingChoices(seed: 7)
  ) -> TeacherQuestion {
    TeacherQuestion(
      [.init(role: "user", content: text)], samples: samples, settings: settings,
      place: "problems.jsonl:3")
  }

  /// What the server answers to a question's sample, if `first` is the first of its request.
  static func served(
    _ question: TeacherQuestion, sample: Int, first: Int, settings: RemoteTeacherSettings
  ) -> ServedAnswer {
    let request = ChatCompletionRequest(
      settings: settings, question: question,
      samples: first..<(first + settings.samplesPerRequest))
    return ServedAnswer(
      question: question.messages.last?.content ?? "", seed: request.seed, choice: sample - first)
  }
}

/// Gathers what comes from several threads.
final class Gathered<Element: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var elements: [Element] = []

  func add(_ element: Element) {
    lock.lock()
    elements.append(element)
    lock.unlock()
  }

  var all: [Element] {
    lock.lock()
    defer { lock.unlock() }
    return elements
  }
}

extension RemoteTeacher {
  /// The error of asking; a failure of the test if there is none.
  func error(
    _ question: TeacherQuestion = TestTeacher.question(), file: StaticString = #filePath,
    line: UInt = #line
  ) async -> TeacherError? {
    do throws(TeacherError) {
      let answers = try await answers(to: question)
      XCTFail("There are \(answers.count) answers.", file: file, line: line)
      return nil
    } catch {
      return error
    }
  }
}

/// A generator whose numbers depend on its seed alone.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
