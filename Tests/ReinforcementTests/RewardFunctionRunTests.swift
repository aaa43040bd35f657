import Models
import Training
import XCTest

@testable import Reinforcement

/// Runs with a reward written in Swift.
final class RewardFunctionRunTests: XCTestCase {
  private func sevens(_ version: String) -> RewardFunction {
    RewardFunction("sevens", weight: 1, version: version) {
      $0.text.utf8.elementsEqual("7".utf8) ? 1 : 0
    }
  }

  private func run(
    _ policy: TinyPolicy, _ functions: [RewardFunction]
  ) throws -> [StepFigures] {
    let prepared = try PreparedGRPO(policy.recipe, functions: functions, memory: 1 << 40)
    let directory = try RunDirectory(at: policy.recipe.run, policy.identity(prepared))
    var steps: [StepFigures] = []
    let run = try GRPORun(
      prepared, in: directory, sandbox: nil,
      report: { if case .step(let figures) = $0 { steps.append(figures) } })
    _ = try run.run()
    return steps
  }

  /// Whatever it is asked, the policy is to say 7; the recipe names no reward.
  func testAFunctionIsLearnedFrom() throws {
    let policy = try TinyPolicy(self) {
      $0.rewards = RewardSettings()
      $0.steps = 150
    }
    let steps = try run(policy, [sevens("1")])
    let rewards = steps.map(\.reward.mean)
    XCTAssertEqual(rewards, steps.map { $0.rewards["sevens"]?.mean })
    XCTAssertLessThan(try XCTUnwrap(rewards.first), 0.3)
    XCTAssertGreaterThan(try XCTUnwrap(rewards.last), 0.9)
    XCTAssertEqual(steps.map(\.failedRewards), Array(repeating: 0, count: 150))
  }

  /// A run goes on with the rewards that it began with, and with no others.
  func testARunGoesOnWithTheSameFunction() throws {
    let policy = try TinyPolicy(self) { $0.steps = 1 }
    XCTAssertEqual(try run(policy, [sevens("1")]).count, 1)
    XCTAssertEqual(try run(policy, [sevens("1")]).count, 0, "it is done")
    for (functions, now) in [
      ([], "'rewards 1, "), ([sevens("2")], "''sevens' '2' times 1.0, rewards 1, "),
    ] {
      XCTAssertThrowsError(try run(policy, functions)) {
        let words = "\($0)"
        XCTAssertTrue(
          words.hasPrefix("The rules was ''sevens' '1' times 1.0, rewards 1, "), words)
        XCTAssertTrue(words.contains(" when this run began; it is \(now)"), words)
        XCTAssertTrue(
          words.hasSuffix(
            """

            \(policy.recipe.run): going on would give other results than one run from the beginning. \
            Name another folder, or accept that with '--allow-inexact-resume'.
            """), words)
      }
    }
  }

  func testAFunctionThatCannotBeMeant() throws {
    let policy = try TinyPolicy(self)
    let function = RewardFunction("format", weight: 1, version: "1") { _ in 0 }
    XCTAssertThrowsError(
      try PreparedGRPO(policy.recipe, functions: [function], memory: 1 << 40)
    ) {
      XCTAssertEqual("\($0)", "The reward 'format' has another's name. Give it one of its own.")
    }
  }
}
