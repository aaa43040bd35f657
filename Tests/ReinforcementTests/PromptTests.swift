import Datasets
import Foundation
import Models
import XCTest

@testable import Reinforcement

/// What the policy is asked, and what is sampled of it.
final class PromptTests: XCTestCase {
  private func prepared(
    _ question: String, _ change: (inout GRPORecipe) -> Void = { _ in }
  ) throws -> PreparedGRPO {
    let policy = try TinyPolicy(self, change)
    try policy.write("{\"question\": \"\(question)\", \"answer\": \"1\"}\n", as: "problems.jsonl")
    return try PreparedGRPO(policy.recipe, memory: 1 << 40)
  }

  /// A problem can't end a turn, or begin one: its texts are texts. The recipe's template may.
  func testSpecialTokensOfAProblemAreText() throws {
    let plain = try prepared("1=").questions.questions[0].tokens
    XCTAssertEqual(plain.count, 2)
    let written = try prepared("1<end>=").questions.questions[0].tokens
    XCTAssertEqual(written.count, 7)
    XCTAssertFalse(written.contains(0))
    let around = try prepared("1<end>=") { $0.template = "<end>{prompt}<end>" }
    XCTAssertEqual(around.questions.questions[0].tokens, [0] + written + [0])
  }

  /// Where a question comes twice in a step, its second answers are no copies of the first.
  func testAQuestionThatComesTwiceHasOtherAnswers() throws {
    let policy = try TinyPolicy(self)
    let decoder = try Checkpoint(at: policy.recipe.policy).decoder(precision: .bfloat16)
    let prepared = try PreparedGRPO(policy.recipe, memory: 1 << 40)
    let sampler = PolicySampler(decoder, prepared.prompts, sequences: 9, context: 48)
    func answers(_ questions: [Question]) throws -> [[Rollout]] {
      try XCTUnwrap(
        sampler.answers(
          to: questions, count: 5, .init(temperature: 1, maxTokens: 12, seed: 4),
          isStopped: { false }))
    }
    let (one, other) = (prepared.questions.questions[0], prepared.questions.questions[1])
    let alone = try answers([one])[0]
    let twice = try answers([one, other, one])
    XCTAssertEqual(twice[0].map(\.tokens), alone.map(\.tokens))
    XCTAssertEqual(twice[0].map(\.answer.sample), [0, 1, 2, 3, 4])
    XCTAssertEqual(twice[1].map(\.answer.sample), [0, 1, 2, 3, 4])
    XCTAssertEqual(twice[2].map(\.answer.sample), [5, 6, 7, 8, 9])
    XCTAssertEqual(Set((twice[0] + twice[2]).map(\.tokens)).count, 10)
  }

  /// However long rows may be: all answers fit into one.
  func testARowOfAnyLength() throws {
    let policy = try TinyPolicy(self)
    let decoder = try Checkpoint(at: policy.recipe.policy).decoder(precision: .bfloat16)
    let prepared = try PreparedGRPO(policy.recipe, memory: 1 << 40)
    let sampler = PolicySampler(decoder, prepared.prompts, sequences: 9, context: 48)
    let rollouts = try XCTUnwrap(
      sampler.answers(
        to: prepared.questions.questions, count: 2, .init(temperature: 1, maxTokens: 7, seed: 4),
        isStopped: { false })
    ).flatMap { $0 }
    let rows = UpdateRows(
      rollouts.map { LearnedAnswer(rollout: $0, advantage: 1, share: 1) }, rowTokens: .max)
    XCTAssertEqual(rows.sequences.count, 1)
    XCTAssertEqual(
      rows.sequences[0].tokens.tokens,
      rollouts.flatMap { $0.prompt + $0.tokens.dropLast() })
    XCTAssertEqual(UpdateRows([], rowTokens: 5).sequences.count, 0)
  }
}
