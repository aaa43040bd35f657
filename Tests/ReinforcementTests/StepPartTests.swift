import Foundation
import Problems
import Tensors
import XCTest

@testable import Reinforcement
@testable import Training

/// The parts of a step, from answers that are made by hand.
final class StepPartTests: XCTestCase {
  /// Answers to a question, each of so many tokens, with −0.5 nats a token.
  private func group(
    _ number: Int, rewards: [Double?], tokens: [Int], cut: Set<Int> = [], closed: Set<Int> = []
  ) -> RewardedGroups.Group {
    let problem = Problem(
      id: "\(number)", question: "\(number)=", reference: .answer("1"), source: "made",
      place: "made:\(number + 1)")
    let question = Question(
      number: number, problem: problem, prompt: problem.question, tokens: [1, 2, 3], opening: "")
    let rollouts = tokens.enumerated().map { sample, count in
      Rollout(
        question: question,
        answer: SampledAnswer(
          problem: problem, prompt: problem.question, sample: sample,
          text: closed.contains(sample) ? "a</think>b" : "a", tokenCount: count,
          isCut: cut.contains(sample)),
        prompt: [1, 2, 3], tokens: (0..<count).map { Int32($0 % 7) },
        logProbabilities: [Float](repeating: -0.5, count: count))
    }
    return RewardedGroups.Group(
      question: question, rollouts: rollouts,
      rewards: rewards.map { reward in
        RewardedAnswer(
          parts: reward.map { [.init(name: "accuracy", value: $0)] } ?? [], total: reward,
          failure: reward == nil ? "It failed." : nil)
      })
  }

  private func recipe(_ change: (inout GRPORecipe) -> Void = { _ in }) throws -> GRPORecipe {
    try TinyPolicy(self, change).recipe
  }

  private let rule = AdvantageRule()

  /// Those with a signal come first, and never more than were asked; of the others the last.
  func testWhichQuestionsAreLearnedFrom() {
    var groups = RewardedGroups()
    groups.add(
      [
        group(0, rewards: [1, 1], tokens: [1, 1]), group(1, rewards: [0, 1], tokens: [1, 1]),
        group(2, rewards: [nil, 1], tokens: [1, 1]),
      ], asked: 3, rule)
    XCTAssertEqual(groups.chosen, [0, 1, 2])
    XCTAssertEqual(groups.missing, 2)
    XCTAssertEqual(groups.shareWithoutSignal(rule), 2.0 / 3)
    groups.add(
      [group(3, rewards: [0, 0], tokens: [1, 1]), group(4, rewards: [1, 0], tokens: [1, 1])],
      asked: 3, rule)
    XCTAssertEqual(groups.chosen, [1, 3, 4])
    XCTAssertEqual(groups.missing, 1)
    XCTAssertNil(groups.advantage(group: 0, answer: 0))
    XCTAssertEqual(groups.advantage(group: 3, answer: 1), 0)
    XCTAssertGreaterThan(groups.advantage(group: 4, answer: 0) ?? 0, 0.7)
    XCTAssertLessThan(groups.advantage(group: 1, answer: 0) ?? 0, -0.7)
    XCTAssertEqual(groups.counted.map(\.rollout.question.number), [1, 1, 3, 3, 4, 4])
    groups.add(
      [group(5, rewards: [0, 1], tokens: [1, 1]), group(6, rewards: [1, 0], tokens: [1, 1])],
      asked: 3, rule)
    XCTAssertEqual(groups.chosen, [1, 4, 5])
    XCTAssertEqual(groups.missing, 0)
  }

  /// Every answer that counts is in one part; its share is that of the whole part, of which those
  /// with an advantage of 0 are members.
  func testPartsAndShares() throws {
    var groups = RewardedGroups()
    groups.add(
      [
        group(0, rewards: [1, 1, 1, 1], tokens: [3, 4, 5, 6]),
        group(1, rewards: [0, nil, 1, 1], tokens: [2, 9, 7, 5], cut: [0]),
      ], asked: 2, rule)
    XCTAssertEqual(groups.counted.count, 7)
    for (minibatches, klCoefficient) in [(1, 0.0), (1, 0.1), (3, 0), (3, 0.1), (9, 0.1)] {
      for normalization in PolicyObjective.Normalization.allCases {
        let recipe = try recipe {
          $0.updates.minibatches = minibatches
          $0.objective.klCoefficient = klCoefficient
          $0.objective.normalization = normalization
          $0.sampling.maxTokens = 10
        }
        let parts = Minibatch.parts(of: groups.counted, recipe, step: 3)
        XCTAssertEqual(parts.count, minibatches)
        let learned = parts.flatMap { $0 }
        let expected = groups.counted.filter { klCoefficient > 0 || $0.advantage != 0 }
        XCTAssertEqual(
          learned.map { [$0.rollout.question.number, $0.rollout.answer.sample] }
            .sorted { $0.lexicographicallyPrecedes($1) },
          expected.map { [$0.rollout.question.number, $0.rollout.answer.sample] })
        if minibatches > 1 { continue }
        for answer in learned {
          let count = Double(answer.rollout.tokens.count)
          let share =
            switch normalization {
            case .answer: 1 / (7 * count)
            case .token: 1.0 / 32
            case .constant: 1.0 / 70
            }
          XCTAssertEqual(answer.share, share, accuracy: 1e-15, "\(normalization)")
        }
      }
    }
    // Other parts in every step, and with every seed.
    var firsts: [[[Int]]] = [[], []]
    for seed: UInt64 in [0, 1] {
      let recipe = try recipe {
        $0.updates.minibatches = 2
        $0.objective.klCoefficient = 0.1
        $0.sampling.seed = seed
      }
      for step in 1...9 {
        let part = Minibatch.parts(of: groups.counted, recipe, step: step)[0]
        firsts[Int(seed)].append(part.map(\.rollout.tokens.count))
      }
    }
    XCTAssertGreaterThan(Set(firsts[0]).count, 5)
    XCTAssertNotEqual(firsts[0], firsts[1])
  }

  func testTheFiguresOfAStep() throws {
    var groups = RewardedGroups()
    groups.add(
      [
        group(0, rewards: [1, 1], tokens: [3, 5], closed: [0]),
        group(1, rewards: [0, 1], tokens: [2, 8], cut: [1]),
        group(2, rewards: [0, 0], tokens: [4, 4], closed: [1]),
        group(3, rewards: [nil, 0], tokens: [1, 6], cut: [0]),
      ], asked: 4, rule)
    let recipe = try recipe { $0.objective.klCoefficient = 0.5 }
    let objective = recipe.objective
    var updates = UpdateFigures()
    func add(_ advantage: Double, norm: Double, reference: Double, ratio: Double) {
      var figures = PolicyFigures()
      figures.add(
        objective.term(
          logProbability: -0.5 + log(ratio), sampled: -0.5, reference: reference,
          advantage: advantage, share: 1))
      updates.add(
        ObjectiveStep(
          number: 1, loss: figures.loss, learningRate: 0.25, gradientNorm: norm, tokens: 20,
          skipped: norm > 5 ? .gradientSpike : nil, logProbabilities: []), figures)
    }
    // An empty part says nothing.
    updates.add(
      ObjectiveStep(
        number: 1, loss: 0, learningRate: 0.25, gradientNorm: 0, tokens: 0,
        skipped: .nothingToLearn, logProbabilities: []), PolicyFigures())
    add(1, norm: 2, reference: -0.5, ratio: 1.125)
    add(1, norm: 6, reference: -0.5, ratio: 1.5)
    let figures = StepFigures(
      step: 7, recipe, groups, updates, names: ["accuracy"],
      StepSeconds(sampling: 1, judging: 2, updating: 3))
    XCTAssertEqual(figures.step, 7)
    XCTAssertEqual(figures.totalSteps, 6)
    XCTAssertEqual(figures.questions, 4)
    XCTAssertEqual(figures.answers, 8)
    XCTAssertEqual(figures.failedRewards, 1)
    XCTAssertEqual(figures.reward.mean, 3.0 / 7, accuracy: 1e-15)
    XCTAssertEqual(figures.reward.deviation, (12.0 / 49).squareRoot(), accuracy: 1e-15)
    XCTAssertEqual(figures.rewards["accuracy"], figures.reward)
    XCTAssertEqual(figures.shareWithoutSignal, 0.75)
    XCTAssertEqual(figures.shareAllRight, 0.25)
    XCTAssertEqual(figures.shareAllWrong, 0.5)
    XCTAssertEqual(figures.length.mean, 33.0 / 8)
    XCTAssertEqual(figures.longest, 8)
    XCTAssertEqual(figures.shareCut, 0.25)
    XCTAssertEqual(figures.shareClosed, 0.25)
    XCTAssertEqual(figures.entropy, 0.5)
    XCTAssertEqual(figures.sampledTokens, 33)
    XCTAssertEqual(figures.trainedTokens, 40)
    XCTAssertEqual(figures.updates, 3)
    XCTAssertEqual(figures.skipped, ["nothingToLearn", "gradientSpike"])
    XCTAssertEqual(figures.gradientNorm, 4)
    XCTAssertEqual(figures.learningRate, 0.25)
    XCTAssertEqual(figures.firstRatioError, 0.125, accuracy: 1e-12)
    XCTAssertEqual(figures.shareClipped, 0.5)
    func k3(_ ratio: Double) -> Double { 1 / ratio - log(1 / ratio) - 1 }
    XCTAssertEqual(figures.loss, -1.125 + 0.5 * k3(1.125), accuracy: 1e-12)
    XCTAssertEqual(figures.kl ?? 0, (k3(1.125) + k3(1.5)) / 2, accuracy: 1e-12)
    XCTAssertEqual(
      [figures.samplingSeconds, figures.judgingSeconds, figures.updatingSeconds], [1, 2, 3])
  }

  /// Terms take the reference of their own place, and prompts have none.
  func testRowsTakeTheReferenceOfTheirPlace() throws {
    let answers = [
      group(0, rewards: [1], tokens: [3]), group(1, rewards: [0], tokens: [2]),
    ].flatMap(\.rollouts)
    let objective = PolicyObjective(klCoefficient: 1)
    for rowTokens in [1, 20] {
      let rows = UpdateRows(
        answers.map { LearnedAnswer(rollout: $0, advantage: 0, share: 1) }, rowTokens: rowTokens)
      XCTAssertEqual(rows.sequences.count, rowTokens == 1 ? 2 : 1)
      let now = rows.sequences.map { [Float](repeating: -0.5, count: $0.tokens.count) }
      // Only the last token of the first answer has another reference.
      var reference = now
      reference[0][4] = -2
      let figures = rows.figures(objective, logProbabilities: now, reference: reference)
      XCTAssertEqual(figures.tokens, 5)
      XCTAssertEqual(figures.kl * 5, exp(-1.5) + 1.5 - 1, accuracy: 1e-12)
      XCTAssertEqual(figures.loss, figures.kl * 5, accuracy: 1e-12)
      let terms = rows.objective(objective, reference: reference, temperature: 1).term
      XCTAssertEqual(terms(0, 0, -0.5), .init(loss: 0, weight: 0))
      XCTAssertEqual(terms(0, 3, -0.5).weight, 0)
      XCTAssertEqual(terms(0, 4, -0.5).weight, Float(exp(-1.5) - 1), accuracy: 1e-6)
    }
  }

  /// Of each problem the share of its answers that were judged, then the mean of those.
  func testTheFiguresOfAnEvaluation() {
    let answers = (0..<4).flatMap {
      group($0, rewards: [], tokens: [2, 4], cut: [1]).rollouts.map(\.answer)
    }
    let figures = EvaluationFigures(
      step: 3, samplesPerProblem: 2, answers: answers,
      accuracies: [1, 1, nil, 1, 0, 1, nil, nil], seconds: 5)
    XCTAssertEqual(figures.problems, 3)
    XCTAssertEqual(figures.accuracy, 2.5 / 3, accuracy: 1e-15)
    // The standard deviation with n − 1 is √(1/12).
    XCTAssertEqual(
      figures.interval, 1.96 * (1.0 / 12).squareRoot() / 3.0.squareRoot(), accuracy: 1e-12)
    XCTAssertNil(figures.sources)
    XCTAssertEqual(figures.length, 3)
    XCTAssertEqual(figures.shareCut, 0.5)
  }
}
