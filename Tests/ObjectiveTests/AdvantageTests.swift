import Reinforcement
import XCTest

final class AdvantageTests: XCTestCase {
  func testAGroup() throws {
    let rule = AdvantageRule(epsilon: 0)
    let found = Advantages(rewards: [[1, 0, 0, 0]], rule)
    // Mean 1/4, squares 9/16 + 3/16 = 3/4; over 3 a deviation of 1/2.
    XCTAssertEqual(found.values, [[1.5, -0.5, -0.5, -0.5]])
    XCTAssertEqual(found.signals, [.present])

    let population = Advantages(rewards: [[3, 1, 3, 1]], AdvantageRule(deviation: .population))
    XCTAssertEqual(population.values, [[1 / 1.0001, -1 / 1.0001, 1 / 1.0001, -1 / 1.0001]])
  }
}
