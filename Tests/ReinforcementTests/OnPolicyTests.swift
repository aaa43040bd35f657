import Datasets
import Foundation
import Models
import Problems
import Tensors
import Training
import XCTest

@testable import Reinforcement

/// What the trainer computes of a sampled token has the bits of what the sampler chose it with.
final class OnPolicyTests: XCTestCase {
  private func sampled(
    _ policy: TinyPolicy, temperature: Double, count: Int
  ) throws -> (Decoder, [Rollout]) {
    let decoder = try Checkpoint(at: policy.recipe.policy).decoder(precision: .bfloat16)
    let prepared = try PreparedGRPO(policy.recipe, memory: 1 << 40)
    let sampler = PolicySampler(decoder, prepared.prompts, sequences: 7, context: 48)
    let answers = try sampler.answers(
      to: prepared.questions.questions, count: count,
      .init(temperature: temperature, maxTokens: 23, seed: 9), isStopped: { false })
    return (decoder, try XCTUnwrap(answers).flatMap { $0 })
  }

  func testToTheBitAtEveryTemperature() throws {
    let policy = try TinyPolicy(self) { $0.prefill = "<think>\n" }
    for temperature in [1, 0.6, 1.7] {
      let (decoder, rollouts) = try sampled(policy, temperature: temperature, count: 5)
      XCTAssertEqual(rollouts.count, 50)
      XCTAssertGreaterThan(Set(rollouts.map(\.tokens.count)).count, 5)
      let rows = UpdateRows(
        rollouts.map { LearnedAnswer(rollout: $0, advantage: 1, share: 1) }, rowTokens: 100)
      XCTAssertEqual(
        rows.sequences.reduce(0) { $0 + $1.supervisedCount },
        rollouts.reduce(0) { $0 + $1.tokens.count })
      XCTAssertGreaterThan(rows.sequences.count, 5)
      let found = try rows.sequences.map {
        try decoder.logProbabilities($0.tokens, targets: $0.targets, temperature: temperature)
      }
      let figures = rows.figures(PolicyObjective(), logProbabilities: found, reference: found)
      XCTAssertEqual(figures.tokens, rollouts.reduce(0) { $0 + $1.tokens.count })
      XCTAssertEqual(figures.largestRatioError, 0, "temperature \(temperature)")
      // Another temperature's are others.
      let others = try rows.sequences.map {
        try decoder.logProbabilities($0.tokens, targets: $0.targets, temperature: 1.1)
      }
      XCTAssertGreaterThan(
        rows.figures(PolicyObjective(), logProbabilities: others, reference: nil)
          .largestRatioError, 1e-4)
    }
  }

  /// The log-probability of a token at a temperature, from the logits in Double.
  func testTheProbabilityIsThatOfTheTemperature() throws {
    let policy = try TinyPolicy(self)
    let (decoder, rollouts) = try sampled(policy, temperature: 0.6, count: 2)
    for rollout in rollouts {
      let all = rollout.prompt + rollout.tokens
      let logits = try decoder.logits(PackedTokens(all))
      for (index, token) in rollout.tokens.enumerated() {
        let row = logits.row(rollout.prompt.count + index - 1)
        let z = (0..<logits.columns).map { Double(row[$0]) / 0.6 }
        let most = z.max() ?? 0
        let sum = z.reduce(0) { $0 + exp($1 - most) }
        XCTAssertEqual(
          Double(rollout.logProbabilities[index]), z[Int(token)] - most - log(sum), accuracy: 2e-6)
      }
    }
  }

  /// Prompts and what answers begin with are not learned; a prefilled tag is part of the text.
  func testWhatIsLearnedOfAnAnswer() throws {
    let policy = try TinyPolicy(self) { $0.prefill = "<think>\n" }
    let (_, rollouts) = try sampled(policy, temperature: 1, count: 1)
    let prepared = try PreparedGRPO(policy.recipe, memory: 1 << 40)
    for (rollout, question) in zip(rollouts, prepared.questions.questions) {
      XCTAssertTrue(rollout.answer.text.hasPrefix("<think>\n"), rollout.answer.text)
      XCTAssertEqual(Array(rollout.prompt.prefix(question.tokens.count)), question.tokens)
      XCTAssertEqual(rollout.prompt.count, question.tokens.count + 8)
      let row = UpdateRows(
        [LearnedAnswer(rollout: rollout, advantage: 1, share: 1)], rowTokens: 1
      ).sequences[0]
      XCTAssertEqual(row.tokens.tokens, rollout.prompt + rollout.tokens.dropLast())
      XCTAssertEqual(
        row.targets,
        [Int32](repeating: -1, count: rollout.prompt.count - 1) + rollout.tokens)
      XCTAssertEqual(rollout.answer.tokenCount, rollout.tokens.count)
    }
  }

  /// How answers are packed changes rounding only.
  func testPackingChangesNoGradient() throws {
    let policy = try TinyPolicy(self)
    let (decoder, rollouts) = try sampled(policy, temperature: 1, count: 3)
    var gradients: [[Float]] = []
    for rowTokens in [1, 64, 1000] {
      let rows = UpdateRows(
        rollouts.enumerated().map {
          LearnedAnswer(
            rollout: $1, advantage: Double($0 % 5) - 2, share: 1 / Double(1 + $0 % 3))
        }, rowTokens: rowTokens)
      let objective = rows.objective(PolicyObjective(), reference: nil, temperature: 1)
      decoder.clearGradients()
      for (index, row) in rows.sequences.enumerated() {
        _ = try decoder.accumulateGradients(
          row.tokens, targets: row.targets, temperature: 1,
          weight: { objective.term(index, $0, $1).weight }, isInterrupted: { false })
      }
      gradients.append(
        decoder.parameters.flatMap {
          Array($0.gradient?.elements ?? UnsafeMutableBufferPointer(start: nil, count: 0))
        })
    }
    let scale = gradients[0].reduce(0) { max($0, abs($1)) }
    XCTAssertGreaterThan(scale, 0.1)
    for other in gradients[1...] {
      XCTAssertEqual(other.count, gradients[0].count)
      for (a, b) in zip(gradients[0], other) {
        XCTAssertEqual(a, b, accuracy: 4e-3 * scale)
      }
    }
  }
}
