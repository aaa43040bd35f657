import Foundation
import XCTest

@testable import Interface

/// A clock that moves when it is told to.
private final class Clock: @unchecked Sendable {
  private let lock = NSLock()
  private var time = 1000.0

  var now: Double { lock.withLock { time } }
  func pass(_ seconds: Double) { lock.withLock { time += seconds } }
}

final class ProgressLineTests: XCTestCase {
  private let clock = Clock()
  private let transcript = Transcript()

  private func line(
    total: Int?, unit: String = "steps", isTerminal: Bool = true, startingAt: Int = 0
  ) -> ProgressLine {
    ProgressLine(
      total: total, unit: unit, console: transcript.console(isTerminal: isTerminal),
      startingAt: startingAt, now: { [clock] in clock.now })
  }

  func testRateAndTimeLeft() {
    let line = line(total: 800)
    clock.pass(100)
    line.advance(by: 200)
    XCTAssertEqual(
      transcript.errors, "\r200 of 800 steps   25 %   2.00 steps/s   5 min 00 s left")
    line.finish()
  }

  func testARemarkStandsAtTheEnd() {
    let line = line(total: 2)
    clock.pass(4)
    line.advance(remark: "loss 0.82\u{1B}")
    XCTAssertEqual(
      transcript.errors, "\r1 of 2 steps   50 %   0.25 steps/s   4.0 s left   loss 0.82\\u{1b}")
    line.finish()
  }

  func testWithoutATotal() {
    let line = line(total: nil, unit: "tokens")
    clock.pass(10)
    line.advance(by: 15_400)
    XCTAssertEqual(transcript.errors, "\r15400 tokens   1.54 k tokens/s")
    line.finish()
  }

  func testWhatWasDoneBeforeCountsForTheShareButNotForTheRate() {
    let line = line(total: 100, startingAt: 90)
    clock.pass(5)
    line.advance(by: 5)
    XCTAssertEqual(
      transcript.errors, "\r95 of 100 steps   95 %   1.00 steps/s   5.0 s left")
    line.finish()
  }

  func testShortWorkIsLeftAlone() {
    let line = line(total: 10)
    for _ in 0..<16 {
      clock.pass(0.125)
      line.advance()
    }
    line.finish()
    XCTAssertEqual(transcript.errors, "")
  }

  func testTheLineIsNotRewrittenMoreThanFiveTimesASecond() {
    let line = line(total: 1000)
    clock.pass(2.5)
    for _ in 0..<64 {
      clock.pass(1.0 / 64)
      line.advance(by: 0)
    }
    XCTAssertEqual(transcript.errors.filter { $0 == "\r" }.count, 5)
    line.finish()
  }

  func testNothingWithoutATerminal() {
    let line = line(total: 10, isTerminal: false)
    clock.pass(60)
    line.advance(by: 5)
    line.finish()
    XCTAssertEqual(transcript.errors + transcript.output, "")
  }

  func testMoreThanTheTotal() {
    let line = line(total: 10)
    clock.pass(10)
    line.advance(by: 20)
    XCTAssertEqual(transcript.errors, "\r20 of 10 steps   100 %   2.00 steps/s")
    line.finish()
  }

  func testNothingDoneAndNothingToDo() {
    let line = line(total: 0)
    clock.pass(10)
    line.advance(by: 0)
    XCTAssertEqual(transcript.errors, "\r0 of 0 steps   0 steps/s")
    line.finish()
  }

  func testHugeCountsDoNotTrap() {
    let line = line(total: .max)
    clock.pass(10)
    line.advance(by: .max)
    clock.pass(10)
    line.advance(by: .max)
    XCTAssertTrue(
      transcript.errors.hasSuffix(
        "\r9223372036854775807 of 9223372036854775807 steps   100 %   461169 T steps/s"),
      transcript.errors)
    line.finish()
  }

  func testTheLineGoesWithItsWork() {
    do {
      let line = line(total: 4)
      clock.pass(4)
      line.advance()
      withExtendedLifetime(line) {}
    }
    XCTAssertTrue(transcript.errors.hasSuffix(" \r"), transcript.errors)
  }
}
