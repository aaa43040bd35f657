import Foundation
import Models
import Tensors
import XCTest

@testable import Reinforcement

/// A policy of a few thousand parameters learns a task whose best answer is known.
final class LearningTests: XCTestCase {
  func testItLearnsToRepeatADigit() throws {
    for seed: UInt64 in [1, 2, 3] {
      let policy = try TinyPolicy(self) {
        $0.sampling.seed = seed
        $0.steps = 150
      }
      let ended = try policy.run()
      XCTAssertEqual(ended.outcome, .finished(policy: policy.recipe.run + "/student"))
      XCTAssertEqual(ended.steps.count, 150)
      let first = ended.steps[0].reward.mean, last = ended.steps[149].reward.mean
      XCTAssertLessThan(first, 0.2, "seed \(seed)")
      XCTAssertGreaterThan(last, 0.9, "seed \(seed)")
      // What the trainer computes has the bits of what the sampler chose with.
      XCTAssertEqual(ended.steps.map(\.firstRatioError), Array(repeating: 0, count: 150))
    }
  }

  /// Two minibatches, two passes, answers of several tokens: and the second update is off-policy.
  func testItLearnsInSeveralUpdates() throws {
    for seed: UInt64 in [1, 2, 3] {
      let policy = try TinyPolicy(self) {
        $0.sampling.seed = seed
        $0.sampling.maxTokens = 2
        $0.updates = .init(minibatches: 2, passes: 2, rowTokens: 64)
        $0.objective.normalization = .token
        $0.objective.clipHigh = 0.4
        $0.optimizer.learningRate = 0.0025
        $0.steps = 150
      }
      let ended = try policy.run()
      XCTAssertGreaterThan(ended.steps[149].reward.mean, 0.9, "seed \(seed)")
      XCTAssertEqual(ended.steps.map(\.firstRatioError), Array(repeating: 0, count: 150))
      XCTAssertEqual(ended.steps.map(\.updates), Array(repeating: 4, count: 150))
      XCTAssertTrue(ended.steps.contains { $0.shareClipped > 0 })
    }
  }

  /// Held by a large coefficient it stays where it was; free, it does not.
  func testALargeCoefficientHoldsItToTheReference() throws {
    var divergences: [Double] = []
    for coefficient in [1e-6, 100] {
      let policy = try TinyPolicy(self) {
        $0.objective.klCoefficient = coefficient
        $0.steps = 120
      }
      let ended = try policy.run()
      XCTAssertEqual(ended.steps[0].kl, 0)
      divergences.append(try XCTUnwrap(ended.steps[119].kl))
    }
    XCTAssertGreaterThan(divergences[0], 0.5)
    XCTAssertLessThan(divergences[1], 0.01)
  }

  /// A reference that is replaced every step is the policy that samples.
  func testAReferenceThatIsReplacedHoldsNothing() throws {
    let policy = try TinyPolicy(self) {
      $0.objective.klCoefficient = 100
      $0.referenceEverySteps = 1
      $0.steps = 120
    }
    let ended = try policy.run()
    XCTAssertEqual(ended.steps.compactMap(\.kl), Array(repeating: 0, count: 120))
    XCTAssertGreaterThan(ended.steps[119].reward.mean, 0.9)
  }
}
