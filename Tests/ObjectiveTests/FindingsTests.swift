import Foundation
import XCTest

@testable import Reinforcement

final class FindingsTests: XCTestCase {
  private let firstIsZero =
    "The loss is 0 at the first update: that is expected, since the advantages of a group add up to "
    + "0."

  /// What is said in a run of so many steps, with the step; the expected word on the first loss is
  /// taken away.
  private func said(
    _ steps: Int, objective: PolicyObjective = PolicyObjective(), maxTokens: Int = 1024,
    seed: UInt64 = 1, _ change: (inout StepFigures) -> Void
  ) -> [String] {
    var findings = Findings(objective, maxTokens: maxTokens)
    var run = MadeRun(seed: seed)
    var all: [String] = []
    for step in 1...steps {
      var figures = run.step(step)
      change(&figures)
      all += findings.add(figures).filter { $0 != firstIsZero }.map { "\(step): \($0)" }
    }
    return all
  }

  // MARK: - A healthy run

  func testAHealthyRunIsLeftAlone() {
    for seed in 1...60 as ClosedRange<UInt64> {
      var findings = Findings(PolicyObjective(), maxTokens: 1024)
      // Every third is of few questions a step.
      var run = MadeRun(seed: seed, roughness: seed % 3 == 0 ? 2.5 : 1)
      var all: [String] = findings.add(run.evaluation(0))
      for step in 1...200 {
        all += findings.add(run.step(step))
        if step % 20 == 0 { all += findings.add(run.evaluation(step)) }
      }
      XCTAssertEqual(all, [firstIsZero], "seed \(seed)")
    }
  }

  // MARK: - The first update

  private func first(
    _ objective: PolicyObjective = PolicyObjective(klCoefficient: 0.01),
    _ change: (inout StepFigures) -> Void
  ) -> [String] {
    var findings = Findings(objective, maxTokens: 1024)
    var run = MadeRun()
    var figures = run.step(1)
    (figures.updates, figures.kl) = (1, 0)
    change(&figures)
    let all = findings.add(figures)
    // Only the first step's loss says something.
    var second = run.step(2)
    second.loss = 1
    XCTAssertEqual(findings.add(second), [])
    return all
  }

  func testTheFirstLoss() {
    XCTAssertEqual(first { $0.loss = 0 }, [firstIsZero])
    XCTAssertEqual(first { $0.loss = -9e-7 }, [firstIsZero])
    XCTAssertEqual(
      first { ($0.loss, $0.shareWithoutSignal) = (0, 1) },
      [
        "The loss is 0 at the first update because no question has answers with different rewards: "
          + "nothing is learned from this step."
      ])
    XCTAssertEqual(
      first(PolicyObjective(normalization: .token)) { $0.loss = 0.03125 },
      [
        "The loss is 0.0313 at the first update, and that is no mistake: with "
          + "'objective.normalization' 'token' a long answer weighs more than a short one, so that "
          + "the advantages of a group don't cancel out."
      ])
    XCTAssertEqual(
      first(PolicyObjective(normalization: .constant)) { $0.loss = -0.5 }.first?.prefix(22),
      "The loss is -0.5 at th")
    XCTAssertEqual(
      first(PolicyObjective(leavesOutCutAnswers: true)) { ($0.loss, $0.shareCut) = (-0.02, 0.1) },
      [
        "The loss is -0.02 at the first update, and that is no mistake: cut answers are left out "
          + "of the loss but not of their group's mean, so that the advantages of a group don't "
          + "cancel out."
      ])
    XCTAssertEqual(
      first { ($0.loss, $0.updates) = (0.02, 4) },
      [
        "The loss is 0.02 at the first update, and that is no mistake: the first of 4 updates has "
          + "only a part of the answers."
      ])
    XCTAssertEqual(
      first { ($0.loss, $0.kl) = (0.002, 0.2) },
      [
        "The loss is 0.002 at the first update, and that is no mistake: it is the divergence from "
          + "the reference, which is not the policy that the run began with."
      ])
    XCTAssertEqual(
      first { $0.loss = 0.25 },
      [
        "The loss is 0.25 at the first update, where it should be 0: the ratios are 1 and the "
          + "advantages of a group add up to 0. Compare the advantages in completions/."
      ])
    XCTAssertEqual(first { $0.loss = .nan }, [])
  }

  // MARK: - Mistakes

  func testTheRatio() {
    XCTAssertEqual(
      said(10) { $0.firstRatioError = $0.step > 4 ? 0.0003125 : 0 },
      [
        "5: At the first update ratios are up to 3.13e-4 away from 1: trainer and sampler round "
          + "differently, which does no harm at this size. In bfloat16 they have the same bits."
      ])
    let advice =
      "the sampler may have other weights (not those after the last update, or in int8), another "
      + "temperature, precision or template."
    XCTAssertEqual(
      said(10) { $0.firstRatioError = $0.step == 3 || $0.step == 7 ? 0.35 : 0 },
      [
        "3: At the first update the ratio of a token is 0.35 away from 1, where trainer and sampler "
          + "should agree: " + advice,
        "7: At the first update the ratio of a token is 0.35 away from 1, where trainer and sampler "
          + "should agree: " + advice,
      ])
    XCTAssertEqual(
      said(3) { $0.firstRatioError = .nan },
      ["1: At the first update the ratio of a token is no number, where it should be 1: " + advice])
  }

  func testSkippedUpdates() {
    XCTAssertEqual(
      said(60) { if [7, 8, 20, 50].contains($0.step) { $0.skipped = ["gradientSpike"] } },
      [
        "7: 1 update was skipped, since the gradient was far above the last updates'.",
        "50: 1 update was skipped, since the gradient was far above the last updates'.",
      ])
    XCTAssertEqual(
      said(3) { $0.skipped = ["lossNotFinite", "gradientSpike", "other", "gradientSpike"] },
      [
        "1: 4 updates were skipped, since the loss was no finite number and the gradient was far "
          + "above the last updates' and other."
      ])
    XCTAssertEqual(said(40) { $0.skipped = ["nothingToLearn"] }, said(40) { _ in })
  }

  func testFailedRewards() {
    XCTAssertEqual(said(20) { $0.failedRewards = $0.step % 5 == 0 ? 25 : 0 }, [])
    XCTAssertEqual(
      said(30) { $0.failedRewards = $0.step > 10 && $0.step < 15 ? 20 : 0 },
      [
        "12: 40 of 2,560 answers (1.6 %) of the last 5 steps are left out, since their reward "
          + "failed: a sandbox, a judge model or a program of rewards does not do its work. The "
          + "reasons are in completions/."
      ])
  }

  // MARK: - Rewards

  func testNoSignal() {
    func set(_ right: Double, _ wrong: Double) -> (inout StepFigures) -> Void {
      {
        ($0.shareAllRight, $0.shareAllWrong) = (right, wrong)
        $0.shareWithoutSignal = right + wrong
      }
    }
    XCTAssertEqual(
      said(20, set(0.75, 0.125)),
      [
        "3: 88 % of the questions of the last 3 steps taught nothing, since all answers to each have "
          + "one reward: 75 % are all right (too easy) and 13 % all wrong (too hard). Ask harder "
          + "questions: leave out those that the policy nearly always solves, by a band of pass "
          + "rates."
      ])
    XCTAssertEqual(
      said(20) { if $0.step > 9 { set(0.0625, 0.9)(&$0) } },
      [
        "13: 87 % of the questions of the last 5 steps taught nothing, since all answers to each "
          + "have one reward: 7 % are all right (too easy) and 80 % all wrong (too hard). Ask "
          + "easier questions, by a band of pass rates, sample more answers to each, or fine-tune "
          + "the policy first."
      ])
    XCTAssertEqual(
      said(20) {
        ($0.shareAllRight, $0.shareAllWrong, $0.shareWithoutSignal) = (nil, nil, 1)
      },
      [
        "1: The loss is 0 at the first update because no question has answers with different "
          + "rewards: nothing is learned from this step.",
        "3: 100 % of the questions of the last 3 steps taught nothing, since all answers to each "
          + "have one reward. Ask questions that the policy answers well sometimes, not always.",
      ])
    // Just below the bound, and going up and down over it.
    XCTAssertEqual(said(20, set(0.6, 0.199)), [])
    XCTAssertEqual(said(40) { set(0.8 + ($0.step % 12 < 6 ? 0.03 : -0.03), 0)(&$0) }.count, 1)
    // Gone and back.
    XCTAssertEqual(said(40) { set($0.step % 20 < 10 ? 0.9 : 0.3, 0)(&$0) }.count, 2)
  }

  func testNothingIsClosed() {
    let advice =
      ". Fine-tune the policy on such answers first, raise the token limit if answers are cut, and "
      + "see that the prompt ends as the policy was taught."
    XCTAssertEqual(
      said(30) {
        $0.shareClosed = 0
        $0.rewards["format"] = .init(mean: 0, deviation: 0)
      },
      [
        "5: No answer of the last 5 steps closes its thinking with '</think>', and what never "
          + "happens can't be learned from the reward 'format'" + advice
      ])
    XCTAssertEqual(
      said(30) {
        ($0.shareClosed, $0.shareCut) = (0, $0.step == 11 ? 0.3 : 0)
        $0.rewards["format"] = nil
      },
      ["11: No answer of the last 5 steps closes its thinking with '</think>'" + advice])
    XCTAssertEqual(said(30) { if $0.step % 5 > 0 { $0.shareClosed = 0 } }, [])
  }

  func testConstantRewards() {
    XCTAssertEqual(
      said(30) { $0.rewards["format"] = .init(mean: 1, deviation: 0) },
      [
        "10: The reward 'format' was 1 for every answer of the last 10 steps: there is nothing "
          + "left to learn from it."
      ])
    XCTAssertEqual(
      said(30) { if $0.step > 5 { $0.rewards["program"] = .init(mean: 0, deviation: 0) } },
      [
        "15: The reward 'program' was 0 for every answer of the last 10 steps: nothing can be "
          + "learned from it. See in completions/ whether it judges rightly, or ask easier "
          + "questions."
      ])
    // A punishment that is never needed, and a reward that differs once in a while.
    XCTAssertEqual(said(30) { $0.rewards["length"] = .init(mean: 0, deviation: 0) }, [])
    XCTAssertEqual(
      said(30) {
        $0.rewards["format"] = .init(mean: 1, deviation: $0.step % 9 == 0 ? 0.01 : 0)
      }, [])
    // The same for all answers of a step, and another in the next.
    XCTAssertEqual(
      said(30) { $0.rewards["program"] = .init(mean: Double($0.step), deviation: 0) }, [])
  }

  // MARK: - Entropy and length

  func testEntropy() {
    XCTAssertEqual(
      said(40) { $0.entropy = $0.step < 20 ? 0.5 : 0.5 - 0.015 * Double($0.step - 19) },
      [
        "37: The entropy fell from 0.5 to 0.245 nats a token within 18 steps: soon nothing new is "
          + "tried. Lower the learning rate, or raise 'objective.clipHigh' or the temperature."
      ])
    // The same, but slowly.
    XCTAssertEqual(said(100) { $0.entropy = 0.5 * exp(-0.03 * Double($0.step)) }, [])
    XCTAssertEqual(
      said(40) { $0.entropy = $0.step < 20 ? 0.25 : 0.25 + 0.03 * Double($0.step - 19) },
      [
        "29: The entropy rose from 0.25 to 0.52 nats a token within 10 steps: the policy forgets "
          + "what it knew, and its answers come to be noise. Lower the learning rate, or raise "
          + "'objective.klCoefficient'."
      ])
    XCTAssertEqual(said(40) { $0.entropy = $0.step < 20 ? 0.03 : 0.08 }, [])
    XCTAssertEqual(
      said(40) { $0.entropy = 0.015625 },
      [
        "3: The entropy is 0.0156 nats a token: the policy leaves nearly nothing to chance, the "
          + "answers to a question hardly differ, and little is learned any more. Begin again from "
          + "an earlier checkpoint with a lower learning rate or a larger 'objective.clipHigh'."
      ])
  }

  func testLength() {
    XCTAssertEqual(
      said(40) { $0.shareCut = $0.step < 20 ? 0.15 : 0.275 },
      [
        "22: 23 % of the answers of the last 5 steps were cut at the token limit, and what they "
          + "would have come to is not rewarded. Raise the limit, or add the reward 'length'."
      ])
    XCTAssertEqual(
      said(40, maxTokens: 1000) {
        $0.length.mean = $0.step < 20 ? 400 : 400 + 25 * Double($0.step - 19)
      },
      [
        "33: Answers grew from 400 to 700 tokens within 24 steps, and the limit is 1,000: many will "
          + "be cut soon. Raise the limit if they get better by it."
      ])
    XCTAssertEqual(said(40, maxTokens: 1000) { $0.length.mean = 800 }, [])
  }

  // MARK: - Updates

  func testDivergence() {
    let advice =
      ": the policy is far from where it began. Raise 'objective.klCoefficient', lower the learning "
      + "rate, or replace the reference more often."
    XCTAssertEqual(
      said(60) { $0.kl = 0.02 * Double($0.step) },
      [
        "16: The divergence from the reference grew from 0.06 to 0.3 nats a token within 15 "
          + "steps. Lower the learning rate, or raise 'objective.klCoefficient'.",
        "28: The divergence from the reference is 0.52 nats a token" + advice,
      ])
    XCTAssertEqual(
      said(60) { $0.kl = $0.step < 30 ? 0.02 : 0.02 + 0.01 * Double($0.step - 29) },
      [
        "39: The divergence from the reference grew from 0.02 to 0.11 nats a token within 24 "
          + "steps. Lower the learning rate, or raise 'objective.klCoefficient'."
      ])
    XCTAssertEqual(said(60) { $0.kl = nil }, [])
  }

  func testClipping() {
    XCTAssertEqual(
      said(30) { if $0.step > 20 { $0.shareClipped = 0.45 } },
      [
        "23: 27 % of the tokens of the last 5 steps were clipped: updates go too far. Lower the "
          + "learning rate, or make fewer updates of one sampling."
      ])
  }

  func testGradientNorm() {
    XCTAssertEqual(
      said(30) { $0.gradientNorm = $0.step < 20 ? 0.25 : 4 },
      [
        "21: The gradient's norm rose from 0.25 to 4: the policy may be falling apart. Look at "
          + "the answers of these steps, and lower the learning rate."
      ])
    // One step is no trend, and steps without signal are none at all.
    XCTAssertEqual(said(30) { $0.gradientNorm = $0.step == 20 ? 40 : 0.25 }, [])
    XCTAssertEqual(said(30) { $0.gradientNorm = $0.step < 15 ? 0 : 0.25 }, [])
  }

  // MARK: - Evaluations

  private func evaluated(
    _ accuracy: (Int) -> Double, reward: @escaping (Int) -> Double, interval: Double = 0.03
  ) -> [String] {
    var findings = Findings(PolicyObjective(), maxTokens: 1024)
    var run = MadeRun()
    var all: [String] = []
    for step in 0...120 {
      if step > 0 {
        var figures = run.step(step)
        figures.reward = .init(mean: reward(step), deviation: 0.4)
        all += findings.add(figures).filter { $0 != firstIsZero }
      }
      if step % 20 == 0 {
        var evaluation = run.evaluation(step)
        (evaluation.accuracy, evaluation.interval) = (accuracy(step), interval)
        all += findings.add(evaluation).map { "\(step): \($0)" }
      }
    }
    return all
  }

  func testRewardHacking() {
    let sentence =
      "80: Since step 40 the reward rose from 0.5 to 0.8, while held-out accuracy fell from 41 % "
      + "to 33 %: the policy may please the rewards without being right. Read the best answers of "
      + "the last steps."
    let reward = { $0 <= 40 ? 0.5 : 0.8 }
    XCTAssertEqual(
      evaluated({ $0 < 40 ? 0.35 : $0 < 80 ? 0.41 : 0.33 }, reward: reward), [sentence])
    // Within the intervals, without a rise of the reward, and with a rise of both.
    XCTAssertEqual(
      evaluated({ $0 < 40 ? 0.35 : $0 < 80 ? 0.41 : 0.33 }, reward: reward, interval: 0.06), [])
    XCTAssertEqual(
      evaluated({ $0 < 40 ? 0.35 : $0 < 80 ? 0.41 : 0.33 }, reward: { $0 <= 40 ? 0.5 : 0.59 }), [])
    XCTAssertEqual(evaluated({ 0.3 + 0.001 * Double($0) }, reward: reward), [])
    // An accuracy that never was as good as before the first step.
    XCTAssertEqual(
      evaluated({ $0 == 0 ? 0.5 : 0.4 }, reward: { $0 <= 40 ? 0.5 : 0.8 }).map { $0.prefix(37) },
      ["60: Since step 0 the reward rose from"])
    XCTAssertEqual(evaluated({ _ in .nan }, reward: reward), [])
  }

  // MARK: - Once, and after a resume

  /// A run that is stopped after any step and goes on from its state says the same.
  func testTheSameAfterAResume() throws {
    func figures() -> [StepFigures] {
      var run = MadeRun(seed: 5)
      return (1...60).map { step in
        var figures = run.step(step)
        if step > 20, step % 25 < 12 { figures.shareCut = 0.4 }
        if step > 30 { figures.entropy /= 3 }
        if step > 45 { figures.rewards["format"] = .init(mean: 1, deviation: 0) }
        if step % 29 == 0 { figures.skipped = ["lossSpike"] }
        return figures
      }
    }
    func run(stopping: Bool) throws -> [String] {
      var findings = Findings(PolicyObjective(), maxTokens: 1024)
      var evaluations = MadeRun(seed: 6)
      var said: [String] = []
      for figures in figures() {
        said += findings.add(figures).map { "\(figures.step): \($0)" }
        if figures.step % 10 == 0 { said += findings.add(evaluations.evaluation(figures.step)) }
        if stopping {
          let state = try JSONEncoder().encode(findings)
          let read = try JSONDecoder().decode(Findings.self, from: state)
          XCTAssertEqual(read, findings)
          findings = read
        }
      }
      return said
    }
    let whole = try run(stopping: false)
    XCTAssertEqual(whole, try run(stopping: true))
    XCTAssertGreaterThanOrEqual(whole.count, 6)
  }

  /// Steps that are made again, from a state before them, count once.
  func testRepeatedSteps() {
    var findings = Findings(PolicyObjective(), maxTokens: 1024)
    var run = MadeRun()
    for step in 1...9 { _ = findings.add(run.step(step)) }
    for step in 6...12 { _ = findings.add(run.step(step)) }
    XCTAssertEqual(findings.recent.map(\.step), Array(1...12))
  }

  /// Numbers that are none are no reason to stop, and can be kept.
  func testNumbersThatAreNone() throws {
    var findings = Findings(PolicyObjective(), maxTokens: 0)
    var run = MadeRun()
    for step in 1...30 {
      var figures = run.step(step)
      let bad = [Double.nan, .infinity, -.infinity][step % 3]
      figures.reward = .init(mean: bad, deviation: bad)
      figures.rewards = ["accuracy": .init(mean: bad, deviation: 0)]
      (figures.shareWithoutSignal, figures.shareAllRight, figures.shareAllWrong) = (bad, bad, bad)
      (figures.length, figures.shareCut) = (.init(mean: bad, deviation: bad), bad)
      (figures.shareClosed, figures.entropy, figures.kl) = (bad, bad, bad)
      (figures.shareClipped, figures.loss, figures.gradientNorm) = (bad, bad, bad)
      (figures.answers, figures.failedRewards) = (.max, step % 2 == 0 ? .max : .min)
      _ = findings.add(figures)
      _ = findings.add(
        EvaluationFigures(
          step: step, problems: 1, samplesPerProblem: 1, accuracy: bad, interval: bad,
          length: bad, shareCut: bad, seconds: bad))
    }
    XCTAssertNoThrow(try JSONEncoder().encode(findings))
    XCTAssertLessThanOrEqual(findings.recent.count, Findings.kept)
  }
}
