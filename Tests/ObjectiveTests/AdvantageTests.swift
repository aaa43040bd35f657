import Foundation
import Reinforcement
import XCTest

final class AdvantageTests: XCTestCase {
  private func found(
    _ rewards: [[Double?]], _ scale: AdvantageRule.Scale = .deviation,
    _ deviation: AdvantageRule.Deviation = .sample, epsilon: Double = 0
  ) -> Advantages {
    Advantages(
      rewards: rewards, AdvantageRule(scale: scale, deviation: deviation, epsilon: epsilon))
  }

  func testAGroup() {
    // Mean 1/4, squares 9/16 + 3/16 = 3/4; over 3 that is a deviation of 1/2.
    XCTAssertEqual(found([[1, 0, 0, 0]]).values, [[1.5, -0.5, -0.5, -0.5]])
    XCTAssertEqual(found([[1, 0, 0, 0]], epsilon: 0.25).values, [[1, -1 / 3, -1 / 3, -1 / 3]])
    XCTAssertEqual(found([[3, 1, 3, 1]], .deviation, .population).values, [[1, -1, 1, -1]])
    XCTAssertEqual(found([[1, 0, 0, 0]], .none).values, [[0.75, -0.25, -0.25, -0.25]])
    // Over both groups: mean 2, squares 4 + 4, over 3.
    let batch = (8.0 / 3).squareRoot()
    XCTAssertEqual(
      found([[0, 4], [2, 2]], .batch).values, [[-2 / batch, 2 / batch], [0, 0]])
  }

  func testTheDefaultsArePeers() {
    let rule = AdvantageRule()
    XCTAssertEqual(rule.scale, .deviation)
    XCTAssertEqual(rule.deviation, .sample)
    XCTAssertEqual(rule.epsilon, 1e-4)
  }

  func testEqualRewardsTeachNothing() {
    for scale in AdvantageRule.Scale.allCases {
      let found = found([[0.3, 0.3, 0.3], [0, 0], [1, 0, 1]], scale)
      XCTAssertEqual(found.values[0], [0, 0, 0])
      XCTAssertEqual(found.values[1], [0, 0])
      XCTAssertEqual(found.signals, [.equalRewards, .equalRewards, .present])
      XCTAssertEqual(found.shareWithoutSignal, 2 / 3)
    }
  }

  /// 0.1 + 0.2 is not 0.3: such a difference would be scaled to advantages of 1.
  func testRoundingIsNoDifference() {
    let rounded = found([[0.1 + 0.2, 0.3, 0.3], [1e6, 1e6 + 1e-4], [1e-12, 2e-12]])
    XCTAssertNotEqual(0.1 + 0.2, 0.3)
    XCTAssertEqual(rounded.signals, [.equalRewards, .equalRewards, .present])
    XCTAssertEqual(rounded.values[0], [0, 0, 0])
    XCTAssertEqual(rounded.values[1], [0, 0])
  }

  func testFailedRewardsAreLeftOut() {
    let found = found([[1, nil, 0, .nan, 0, 0, .infinity], [nil, 1], [nil, nil], []])
    XCTAssertEqual(
      found.values, [[1.5, nil, -0.5, nil, -0.5, -0.5, nil], [nil, 0], [nil, nil], []])
    XCTAssertEqual(found.signals, [.present, .tooFew, .tooFew, .tooFew])
    XCTAssertEqual(found.shareWithoutSignal, 0.75)
    XCTAssertEqual(Advantages(rewards: []).shareWithoutSignal, 0)
  }

  /// Numbers that are far apart are not taken for equal, nor does their distance overflow.
  func testHugeRewards() {
    let huge = Double.greatestFiniteMagnitude
    XCTAssertEqual(found([[huge, -huge]]).signals, [.present])
    XCTAssertEqual(found([[huge, huge]]).values, [[0, 0]])
  }

  func testAgainstTRL() throws {
    let fixture = try ObjectiveFixture.read()
    XCTAssertEqual(fixture.rules.count, 6)
    var compared = 0
    for rule in fixture.rules {
      let found = Advantages(
        rewards: fixture.rewards,
        AdvantageRule(scale: rule.scale, deviation: rule.deviation, epsilon: rule.epsilon))
      XCTAssertEqual(found.values.map(\.count), rule.advantages.map(\.count))
      for (g, group) in rule.advantages.enumerated() {
        for (i, expected) in group.enumerated() {
          let place = "\(rule.scale) \(rule.deviation) [\(g)][\(i)]"
          if fixture.rewards[g][i] == nil {
            XCTAssertNil(found.values[g][i], place)
          } else {
            let value = try XCTUnwrap(found.values[g][i], place)
            // Where TRL divides 0 by 0, nothing is learned here.
            XCTAssertEqual(value, expected ?? 0, accuracy: 1e-13, place)
            compared += 1
          }
        }
      }
      XCTAssertEqual(found.signals, [.present, .present, .present, .equalRewards, .present])
    }
    XCTAssertEqual(compared, 6 * 26)
  }

  func testFromARecipe() throws {
    func read(_ text: String) throws -> AdvantageRule {
      try JSONDecoder().decode(AdvantageRule.self, from: Data(text.utf8))
    }
    XCTAssertEqual(try read("{}"), AdvantageRule())
    XCTAssertEqual(
      try read(#"{"scale":"batch","deviation":"population","epsilon":0}"#),
      AdvantageRule(scale: .batch, deviation: .population, epsilon: 0))
    XCTAssertThrowsError(try read(#"{"scale":"group"}"#))
  }
}
