import FaultServer
import Foundation
import XCTest

@testable import Teachers

/// Many questions over a bad network: each is answered rightly, once.
final class ManyQuestionsTests: XCTestCase {
  func testOneInFiveFails() async throws {
    // Deadlines are waited out in real time; of those there are few here, of all others many.
    let faults = Fault.passing.filter { !$0.isSlow } + [.stallBeforeHeaders, .drip]
    try await ask(
      1000, tasks: 16, plan: .share(0.2, seed: 11, of: faults), inFlight: 16, stream: true)
  }

  func testWholeReplies() async throws {
    let faults = Fault.passing.filter { !$0.isSlow && !$0.needsStream }
    try await ask(
      400, tasks: 16, plan: .share(0.2, seed: 12, of: faults), inFlight: 5, stream: false)
  }

  private func ask(
    _ count: Int, tasks: Int, plan: FaultServer.Plan, inFlight: Int, stream: Bool
  ) async throws {
    let server = try FaultServer(plan, style: .tags)
    defer { server.stop() }
    var settings = TestTeacher.settings(server, stream: stream)
    settings.requestsInFlight = inFlight
    settings.firstByteSeconds = 2
    settings.idleSeconds = 2
    settings.totalSeconds = 3
    let events = Gathered<TeacherEvent>()
    let teacher = try TestTeacher.teacher(settings) { events.add($0) }
    // The server shows that it is there, whatever it does wrong first.
    while (try? await teacher.answers(to: TestTeacher.question("first"))) == nil {}
    let before = server.requests.count

    let answers = Gathered<(Int, TeacherAnswer)>()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<tasks {
        group.addTask {
          for i in stride(from: task, to: count, by: tasks) {
            do throws(TeacherError) {
              let some = try await teacher.answers(to: Self.question(i))
              for answer in some { answers.add((i, answer)) }
            } catch {
              XCTFail("Question \(i): \(error)")
            }
          }
        }
      }
    }
    XCTAssertEqual(answers.all.map(\.0).sorted(), Array(0..<count))
    for (i, answer) in answers.all {
      let served = TestTeacher.served(Self.question(i), sample: 0, first: 0, settings: settings)
      XCTAssertEqual(answer.reasoning.map { Array($0.utf8) }, Array(served.reasoning.utf8))
      XCTAssertEqual(Array(answer.content.utf8), Array(served.content.utf8))
    }
    // No question is asked again once it was answered, unless a busy machine let a deadline pass.
    // The server counts an answer when it was sent, which the client may have read by then.
    let patience = Date(timeIntervalSinceNow: 10)
    while server.answered.count < count + 1, Date() < patience {
      try await Task.sleep(nanoseconds: 1_000_000)
    }
    XCTAssertEqual(server.answered.count, count + 1)
    let late = events.all.count {
      if case .retried(let kind) = $0 { kind.hasPrefix("time-out") } else { false }
    }
    let repeated = server.answered.values.reduce(0) { $0 + $1 - 1 }
    XCTAssertLessThanOrEqual(repeated, late, "An answer was asked for again.")
    XCTAssertLessThan(late, count / 20)
    // A fifth, give or take five standard deviations, had a fault.
    let requests = server.requests.count - before
    let retried = requests - count
    let harmless = Fault.passing.filter { $0.isHarmless && (stream || !$0.needsStream) }.count
    let usable = Fault.passing.filter { stream || !$0.needsStream }.count
    let share = 0.2 * Double(usable - harmless) / Double(usable)
    let deviation = (Double(requests) * share * (1 - share)).squareRoot()
    XCTAssertEqual(Double(retried), Double(requests) * share, accuracy: 6 * deviation)
    XCTAssertLessThanOrEqual(server.mostAtOnce, inFlight + 2)
    XCTAssertGreaterThan(server.mostAtOnce, 1)
    XCTAssertEqual(events.all.filter { $0 == .sent }.count, server.requests.count)
  }

  private static func question(_ i: Int) -> TeacherQuestion {
    TestTeacher.question("Question \(i): é 漢 😀?")
  }
}
