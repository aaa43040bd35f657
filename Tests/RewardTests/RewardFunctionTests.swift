import Foundation
import XCTest

@testable import Reinforcement

/// Rewards written in Swift.
final class RewardFunctionTests: XCTestCase {
  private struct Trouble: Error, CustomStringConvertible { let description = "The file is gone." }

  private let brevity = RewardFunction("brevity", weight: 0.01, version: "1") {
    -Double($0.tokenCount)
  }

  private func rewards(
    _ functions: RewardFunction..., with settings: RewardSettings = .init(),
    of answers: SampledAnswer...
  ) throws -> [RewardedAnswer] {
    try Rewarder(settings: settings, functions: functions, sandbox: nil, folder: "/nowhere")
      .rewards(for: answers)
  }

  func testAFunctionStandsBesideTheRewardsOfARecipe() throws {
    let bonus = RewardFunction("bonus", weight: 2, version: "1") { Double($0.sample) }
    let given = try rewards(
      brevity, bonus, with: RewardSettings(accuracy: .init(weight: 1)),
      of: sampled("\\boxed{4}", tokens: 20), sampled("\\boxed{5}", tokens: 50, sample: 3))
    XCTAssertEqual(given.map(\.failure), [nil, nil])
    for answer in given {
      XCTAssertEqual(answer.parts.map(\.name), ["accuracy", "brevity", "bonus"])
    }
    XCTAssertEqual(given.map { $0.parts.map(\.value) }, [[1, -20, 0], [0, -50, 3]])
    // In this order, to the bit.
    let totals: [Double] = [1 + 0.01 * -20 + 2 * 0, 0 + 0.01 * -50 + 2 * 3]
    XCTAssertEqual(given.map(\.total), totals)
  }

  func testAFunctionMayStandAlone() throws {
    let part = RewardedAnswer.Part(name: "brevity", value: -7)
    XCTAssertEqual(
      try rewards(brevity, of: sampled("a", tokens: 7)),
      [RewardedAnswer(parts: [part], total: 0.01 * -7)])
  }

  /// An answer that a function can't reward is left out, and the others are not.
  func testAFunctionThatFails() throws {
    let odd = RewardFunction("odd", weight: 1, version: "1") { answer in
      switch answer.sample {
      case 0: throw Trouble()
      case 1: .infinity
      case 2: .nan
      default: 1
      }
    }
    let given = try rewards(
      odd, brevity, of: sampled("a"), sampled("a", sample: 1), sampled("a", sample: 2),
      sampled("a", sample: 3))
    XCTAssertEqual(
      given.map(\.failure),
      [
        "The reward 'odd' failed: The file is gone.",
        "The reward 'odd' gave inf, which is no finite number.",
        "The reward 'odd' gave nan, which is no finite number.", nil,
      ])
    let totals: [Double?] = [nil, nil, nil, 1 + 0.01 * -10]
    XCTAssertEqual(given.map(\.total), totals)
    XCTAssertEqual(given[0].parts, [RewardedAnswer.Part(name: "brevity", value: -10)])
  }

  func testWhatCannotBeMeant() throws {
    func function(_ name: String, _ weight: Double = 1) -> RewardFunction {
      RewardFunction(name, weight: weight, version: "1") { _ in 0 }
    }
    let cases: [(functions: [RewardFunction], words: [String])] = [
      (
        [function("accuracy")],
        ["The reward 'accuracy' has another's name. Give it one of its own."]
      ),
      (
        [function("harmlessness")],
        ["The reward 'harmlessness' has another's name. Give it one of its own."]
      ),
      // One name in two normal forms.
      (
        [function("\u{E9}"), function("e\u{301}")],
        ["The reward 'e\u{301}' has another's name. Give it one of its own."]
      ),
      ([function("")], ["A reward written in Swift has no name. Give it one."]),
      (
        [function("a", 0), function("b", .nan), function("c", -2e6)],
        [("a", "0.0"), ("b", "nan"), ("c", "-2000000.0")].map {
          "The reward '\($0)' has the weight \($1); it must lie between -10⁶ and 10⁶, and not be 0."
        }
      ),
      ([], ["The recipe: 'rewards' is empty. Name a reward, such as 'accuracy: { weight: 1 }'."]),
    ]
    for (functions, words) in cases {
      XCTAssertEqual(RewardSettings().findings(functions: functions), words)
      XCTAssertThrowsError(
        try Rewarder(settings: .init(), functions: functions, sandbox: nil, folder: "/nowhere")
      ) { XCTAssertEqual("\($0)", words.joined(separator: "\n")) }
    }
    XCTAssertEqual(RewardSettings().findings(functions: [brevity, function("e", -1e6)]), [])
  }
}
