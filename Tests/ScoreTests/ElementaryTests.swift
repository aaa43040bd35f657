import XCTest

@testable import Scores

final class ElementaryTests: XCTestCase {
  private func assertNear(
    _ found: Double, _ expected: Double, _ relative: Double, _ place: String
  ) {
    XCTAssertEqual(
      found, expected, accuracy: max(relative * expected.magnitude, .leastNonzeroMagnitude), place)
  }

  func testAgainstMpmath() throws {
    let fixture = try ScoresFixture.read().elementary
    for pair in fixture.exp { assertNear(Elementary.exp(pair[0]), pair[1], 4e-16, "exp \(pair)") }
    for pair in fixture.log { assertNear(Elementary.log(pair[0]), pair[1], 4e-16, "log \(pair)") }
    for pair in fixture.normal {
      XCTAssertEqual(
        Elementary.normalProbability(below: pair[0]), pair[1], accuracy: 6e-16, "\(pair)")
    }
    for pair in fixture.quantile {
      let found = Elementary.normalQuantile(pair[0])
      // An error of the probability is so much of the quantile.
      let density = Elementary.exp(-found * found / 2) / (2 * Double.pi).squareRoot()
      XCTAssertEqual(found, pair[1], accuracy: 6e-16 / density, "\(pair)")
    }
    XCTAssertEqual(
      fixture.exp.count + fixture.log.count + fixture.normal.count + fixture.quantile.count, 48)
  }

  func testEnds() {
    XCTAssertEqual(Elementary.exp(0), 1)
    XCTAssertEqual(Elementary.exp(711), .infinity)
    XCTAssertEqual(Elementary.exp(.infinity), .infinity)
    XCTAssertEqual(Elementary.exp(-747), 0)
    XCTAssertEqual(Elementary.exp(-.infinity), 0)
    XCTAssertTrue(Elementary.exp(.nan).isNaN)
    XCTAssertEqual(Elementary.log(1), 0)
    XCTAssertEqual(Elementary.log(0), -.infinity)
    XCTAssertEqual(Elementary.log(.infinity), .infinity)
    XCTAssertTrue(Elementary.log(-1).isNaN)
    XCTAssertTrue(Elementary.log(.nan).isNaN)
    XCTAssertEqual(Elementary.normalProbability(below: 0), 0.5)
    XCTAssertEqual(Elementary.normalProbability(below: -.infinity), 0)
    XCTAssertEqual(Elementary.normalProbability(below: .infinity), 1)
    XCTAssertTrue(Elementary.normalProbability(below: .nan).isNaN)
    XCTAssertEqual(Elementary.normalQuantile(0), -.infinity)
    XCTAssertEqual(Elementary.normalQuantile(1), .infinity)
    XCTAssertTrue(Elementary.normalQuantile(-0.1).isNaN)
    XCTAssertTrue(Elementary.normalQuantile(1.1).isNaN)
    XCTAssertTrue(Elementary.normalQuantile(.nan).isNaN)
  }

  func testDraws() throws {
    let fixture = try ScoresFixture.read().random
    let draws = RandomDraws(seed: fixture.seed, fixture.purpose)
    XCTAssertEqual(fixture.bits.count, 8)
    for (i, bits) in fixture.bits.enumerated() { XCTAssertEqual(String(draws[i]), bits) }
    XCTAssertEqual(fixture.below.count, 30)
    for row in fixture.below {
      XCTAssertEqual(draws.number(below: row[0], row[1]), row[2], "\(row)")
    }
    XCTAssertNotEqual(RandomDraws(seed: 42, "sign flips")[0], draws[0])
    XCTAssertNotEqual(RandomDraws(seed: 43, fixture.purpose)[0], draws[0])
  }
}
