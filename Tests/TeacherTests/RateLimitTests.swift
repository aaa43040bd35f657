import XCTest

@testable import Teachers

final class RateLimitTests: XCTestCase {
  /// Asks as fast as it may, and gives the times and costs of what began.
  private func run(
    _ limit: inout RateLimit, until end: Double, cost: () -> Double
  ) -> [(time: Double, cost: Double)] {
    var begun: [(time: Double, cost: Double)] = []
    var now = 0.0
    while now < end {
      let next = cost()
      var rounds = 0
      while case let wait = limit.wait(cost: next, at: now), wait > 0 {
        now += wait
        rounds += 1
        XCTAssertLessThan(rounds, 4, "It waits for ever.")
        if rounds > 10 { return begun }
      }
      limit.begin(number: begun.count, cost: next, at: now)
      begun.append((now, next))
    }
    return begun
  }

  /// The most in any window of 60 seconds.
  private func most(_ begun: [(time: Double, cost: Double)]) -> Double {
    var most = 0.0
    var first = 0
    var sum = 0.0
    for event in begun {
      sum += event.cost
      while begun[first].time + 60 <= event.time + 1e-6 {
        sum -= begun[first].cost
        first += 1
      }
      most = max(most, sum)
    }
    return most
  }

  func testRequests() {
    for perMinute in [1.0, 7, 10, 60, 333, 6000] {
      var limit = RateLimit(perMinute: perMinute)
      let begun = run(&limit, until: 1800) { 1 }
      XCTAssertLessThanOrEqual(most(begun), perMinute, "\(perMinute)")
      // It is not slower than it must be, either: half an hour's worth, but for the last window.
      XCTAssertGreaterThanOrEqual(Double(begun.count), perMinute * 29 * 0.95, "\(perMinute)")
      // Nothing comes in bursts of more than a twentieth.
      let burst = begun.filter { $0.time < 0.01 }.count
      XCTAssertLessThanOrEqual(Double(burst), max(1, perMinute / 20) + 1)
    }
  }

  func testTokens() {
    var random = SplitMix64(seed: 3)
    for perMinute in [10_000.0, 100_000, 2_000_000] {
      var limit = RateLimit(perMinute: perMinute)
      let begun = run(&limit, until: 1800) {
        Double(Int.random(in: 100...9000, using: &random))
      }
      XCTAssertLessThanOrEqual(most(begun), perMinute, "\(perMinute)")
      let sum = begun.reduce(0) { $0 + $1.cost }
      XCTAssertGreaterThan(sum, perMinute * 30 * 0.5, "\(perMinute)")
    }
  }

  func testIdleTimeIsNotSaved() {
    var limit = RateLimit(perMinute: 60)
    limit.begin(number: 0, cost: 1, at: 0)
    var now = 100_000.0
    var times: [Double] = []
    for number in 1...10 {
      now += limit.wait(cost: 1, at: now)
      limit.begin(number: number, cost: 1, at: now)
      times.append(now - 100_000)
    }
    XCTAssertEqual(times.filter { $0 < 0.5 }.count, 3)
    XCTAssertEqual(times.last ?? 0, 7, accuracy: 1e-6)
  }

  func testWhatIsLargerThanTheLimit() {
    var limit = RateLimit(perMinute: 1000)
    XCTAssertEqual(limit.wait(cost: 5000, at: 0), 0)
    limit.begin(number: 0, cost: 5000, at: 0)
    XCTAssertEqual(limit.wait(cost: 5000, at: 0), 300, accuracy: 1e-6)
    XCTAssertEqual(limit.wait(cost: 10, at: 30), 268 + 1.6 + 0.4 + 0.6 - 1.2 + 27.6, accuracy: 30)
    XCTAssertEqual(limit.wait(cost: 5000, at: 301), 0)
  }

  func testCorrections() {
    var limit = RateLimit(perMinute: 6000)
    limit.begin(number: 1, cost: 6000, at: 0)
    // All of the minute is taken; the answer turns out to be short.
    XCTAssertEqual(limit.wait(cost: 100, at: 10), 50, accuracy: 1e-6)
    limit.correct(number: 1, cost: 500, estimate: 6000, at: 10)
    XCTAssertEqual(limit.wait(cost: 100, at: 10), 0)
    // And another one long, so that no more goes for as long as that takes.
    limit.begin(number: 2, cost: 100, at: 10)
    limit.correct(number: 2, cost: 5600, estimate: 100, at: 11)
    XCTAssertGreaterThan(limit.wait(cost: 100, at: 11), 48)
    XCTAssertEqual(limit.wait(cost: 100, at: 70), 0)
    // What is corrected after its minute counts if it was more, not if it was less.
    limit.begin(number: 3, cost: 100, at: 200)
    limit.correct(number: 3, cost: 6050, estimate: 100, at: 290)
    XCTAssertEqual(limit.wait(cost: 100, at: 290), 60, accuracy: 1e-6)
    limit.correct(number: 9, cost: 0, estimate: 100_000, at: 290)
    XCTAssertEqual(limit.wait(cost: 100, at: 290), 60, accuracy: 1e-6)
  }

  func testClocksThatStand() {
    var limit = RateLimit(perMinute: 60)
    for number in 0..<3 {
      XCTAssertEqual(limit.wait(cost: 1, at: 5), 0)
      limit.begin(number: number, cost: 1, at: 5)
    }
    XCTAssertEqual(limit.wait(cost: 1, at: 5), 1, accuracy: 1e-9)
    // A clock that goes back (ours does not) gives nothing away.
    XCTAssertGreaterThanOrEqual(limit.wait(cost: 1, at: 1), 1)
  }
}
