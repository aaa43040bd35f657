import Foundation
import XCTest

@testable import Teachers

/// The order of requests, by a clock that only the test moves.
final class RemoteTrafficTests: XCTestCase {
  /// A clock whose sleepers are woken by `advance`.
  private final class TestClock: @unchecked Sendable {
    private let lock = NSLock()
    private var time = 0.0
    private var sleepers: [(until: Double, continuation: CheckedContinuation<Void, Never>)] = []

    var now: Double {
      lock.lock()
      defer { lock.unlock() }
      return time
    }

    var clock: RemoteClock {
      RemoteClock(
        now: { self.now }, date: { Date(timeIntervalSince1970: 0) },
        sleep: { seconds in
          await withCheckedContinuation { self.add($0, seconds) }
          try Task.checkCancellation()
        }, random: { 0.5 })
    }

    private func add(_ continuation: CheckedContinuation<Void, Never>, _ seconds: Double) {
      lock.lock()
      sleepers.append((time + seconds, continuation))
      lock.unlock()
    }

    func advance(_ seconds: Double) {
      lock.lock()
      time += seconds
      let due = sleepers.filter { $0.until <= time + 1e-9 }
      sleepers.removeAll { $0.until <= time + 1e-9 }
      lock.unlock()
      for sleeper in due { sleeper.continuation.resume() }
    }
  }

  private func traffic(
    _ clock: TestClock, inFlight: Int, perMinute: Int? = nil,
    events: Gathered<TeacherEvent> = Gathered()
  ) -> RemoteTraffic {
    RemoteTraffic(
      settings: RemoteTeacherSettings(
        url: "http://h", model: "m", requestsInFlight: inFlight, requestsPerMinute: perMinute),
      clock: clock.clock, observe: { events.add($0) })
  }

  /// Lets all tasks go on until nothing changes.
  private func settle() async throws {
    for _ in 0..<20 {
      await Task.yield()
      try await Task.sleep(nanoseconds: 500_000)
    }
  }

  func testNoMoreThanAllowedAndInOrder() async throws {
    let clock = TestClock()
    let traffic = traffic(clock, inFlight: 3)
    let entered = Gathered<(Int, RemoteTraffic.Pass)>()
    var tasks: [Task<Void, Never>] = []
    for i in 0..<8 {
      tasks.append(
        Task { if let pass = await traffic.enter(estimate: 1) { entered.add((i, pass)) } })
      try await settle()
    }
    XCTAssertEqual(entered.all.map(\.0), [0, 1, 2])
    for count in 4...8 {
      traffic.leave(entered.all[count - 4].1, tokens: nil, isAnswered: true)
      try await settle()
      XCTAssertEqual(entered.all.map(\.0), Array(0..<count))
    }
    for task in tasks { await task.value }
  }

  func testAComplaintSlowsEverybody() async throws {
    let clock = TestClock()
    let events = Gathered<TeacherEvent>()
    let traffic = traffic(clock, inFlight: 8, events: events)
    var passes: [RemoteTraffic.Pass] = []
    for _ in 0..<8 {
      let pass = await traffic.enter(estimate: 1)
      passes.append(try XCTUnwrap(pass))
    }
    clock.advance(1)
    // All eight are told "too many": that is one complaint, not eight.
    for pass in passes {
      traffic.slow(pass, seconds: 10)
      traffic.leave(pass, tokens: nil, isAnswered: false)
    }
    let entered = Gathered<RemoteTraffic.Pass>()
    let tasks = (0..<8).map { _ in
      Task { if let pass = await traffic.enter(estimate: 1) { entered.add(pass) } }
    }
    try await settle()
    XCTAssertEqual(entered.all.count, 0)
    XCTAssertEqual(events.all, [.waiting(seconds: 10, why: .server)])
    clock.advance(9.5)
    try await settle()
    XCTAssertEqual(entered.all.count, 0)
    clock.advance(0.5)
    try await settle()
    XCTAssertEqual(entered.all.count, 4)
    XCTAssertEqual(entered.all.map(\.time), [11, 11, 11, 11])
    // Four answers make room for one more.
    for i in 0..<4 { traffic.leave(entered.all[i], tokens: nil, isAnswered: true) }
    try await settle()
    XCTAssertEqual(entered.all.count, 8)
    for task in tasks { await task.value }
    // A later complaint halves again, down to one.
    for round in 0..<5 {
      clock.advance(20)
      if let pass = entered.all.last {
        traffic.slow(
          .init(number: pass.number, time: clock.now, estimate: 1), seconds: 0.001)
      }
      _ = round
    }
    for pass in entered.all.suffix(4) {
      traffic.leave(pass, tokens: nil, isAnswered: false)
    }
    clock.advance(1)
    let last = Gathered<RemoteTraffic.Pass>()
    let more = (0..<3).map { _ in
      Task { if let pass = await traffic.enter(estimate: 1) { last.add(pass) } }
    }
    try await settle()
    XCTAssertEqual(last.all.count, 1)
    for i in 0..<3 {
      try await settle()
      if i < last.all.count {
        traffic.leave(last.all[i], tokens: nil, isAnswered: false)
      }
    }
    for task in more { await task.value }
    XCTAssertEqual(last.all.count, 3)
  }

  func testLimit() async throws {
    let clock = TestClock()
    let events = Gathered<TeacherEvent>()
    let traffic = traffic(clock, inFlight: 100, perMinute: 60, events: events)
    let entered = Gathered<Double>()
    let tasks = (0..<6).map { _ in
      Task { if let pass = await traffic.enter(estimate: 1) { entered.add(pass.time) } }
    }
    for _ in 0..<5 {
      try await settle()
      clock.advance(1)
    }
    for task in tasks { await task.value }
    XCTAssertEqual(entered.all, [0, 0, 0, 1, 2, 3])
    XCTAssertEqual(
      events.all, Array(repeating: .waiting(seconds: 1, why: .limit), count: 3))
  }

  func testCancelling() async throws {
    let clock = TestClock()
    let traffic = traffic(clock, inFlight: 1)
    let first = await traffic.enter(estimate: 1)
    let pass = try XCTUnwrap(first)
    let outcomes = Gathered<String>()
    var tasks: [Task<Void, Never>] = []
    for i in 0..<4 {
      tasks.append(
        Task {
          let pass = await traffic.enter(estimate: 1)
          outcomes.add("\(i) \(pass == nil ? "cancelled" : "entered")")
          if let pass { traffic.leave(pass, tokens: nil, isAnswered: true) }
        })
      try await settle()
    }
    // One in the middle of the line, the one at its head, and one that is cancelled already.
    tasks[2].cancel()
    try await settle()
    tasks[0].cancel()
    try await settle()
    XCTAssertEqual(outcomes.all, ["2 cancelled", "0 cancelled"])
    traffic.leave(pass, tokens: nil, isAnswered: true)
    try await settle()
    XCTAssertEqual(outcomes.all, ["2 cancelled", "0 cancelled", "1 entered", "3 entered"])
    let late = Task {
      while !Task.isCancelled { await Task.yield() }
      return await traffic.enter(estimate: 1) == nil
    }
    late.cancel()
    let isRefused = await late.value
    XCTAssertTrue(isRefused)
    // Nobody holds anything any more.
    let again = await traffic.enter(estimate: 1)
    if let again { traffic.leave(again, tokens: nil, isAnswered: true) }
    let last = await traffic.enter(estimate: 1)
    XCTAssertNotNil(last)
  }

  /// Many tasks on many threads, some of which are cancelled: nobody is let in twice, nobody waits
  /// for ever, and no more are in than may be.
  func testCrowd() async throws {
    let clock = RemoteClock(
      now: { 0 }, date: { Date(timeIntervalSince1970: 0) }, sleep: { _ in }, random: { 0 })
    for inFlight in [1, 3, 16] {
      let traffic = RemoteTraffic(
        settings: RemoteTeacherSettings(url: "http://h", model: "m", requestsInFlight: inFlight),
        clock: clock, observe: { _ in })
      let inside = Crowd()
      let counts = await withTaskGroup(of: Int.self, returning: [Int].self) { group in
        for i in 0..<64 {
          group.addTask {
            var entered = 0
            for j in 0..<100 {
              let visit = Task {
                guard let pass = await traffic.enter(estimate: 1) else { return false }
                inside.enter(pass.number)
                await Task.yield()
                inside.leave()
                traffic.leave(pass, tokens: nil, isAnswered: true)
                return true
              }
              if (i + j) % 5 == 0 { visit.cancel() }
              if await visit.value { entered += 1 }
            }
            return entered
          }
        }
        var counts: [Int] = []
        for await count in group { counts.append(count) }
        return counts
      }
      XCTAssertLessThanOrEqual(inside.most, inFlight)
      XCTAssertEqual(inside.now, 0)
      XCTAssertEqual(counts.count, 64)
      XCTAssertTrue(counts.allSatisfy { (80...100).contains($0) }, "\(counts)")
      XCTAssertEqual(inside.numbers.count, Set(inside.numbers).count)
      XCTAssertEqual(inside.numbers.count, counts.reduce(0, +))
    }
  }

  /// Who is inside.
  private final class Crowd: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var now = 0
    private(set) var most = 0
    private(set) var numbers: [Int] = []

    func enter(_ number: Int) {
      lock.lock()
      now += 1
      most = max(most, now)
      numbers.append(number)
      lock.unlock()
    }

    func leave() {
      lock.lock()
      now -= 1
      lock.unlock()
    }
  }
}
