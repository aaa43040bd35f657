import Reports
import Training

/// The bounds, and why they are what they are.
extension Findings {
  /// Half a batch without signal is common; with four fifths, five times the answers are sampled
  /// for the same gradient.
  static let mostWithoutSignal = 0.8
  /// In double precision advantages cancel out to 1e-15; in single precision to about 1e-7.
  static let zeroLoss = 1e-6
  /// Steps after which a reward that never differs is no accident.
  static let constantSteps = 10
  /// Between 0.1 and 1 nats a token are usual while a policy still explores; halving within `span`
  /// steps leads near 0 within a few times as many.
  static let entropyFall = 0.5
  static let entropyRise = 2.0
  /// A rise of less than this is noise of a policy that is certain.
  static let leastRise = 0.1
  /// Then two answers to a question are still the same after 35 tokens in half of all cases:
  /// exp(−0.02 · 35) = 0.5.
  static let leastEntropy = 0.02
  /// With more, the reward says more of the limit than of the answers.
  static let mostCut = 0.2
  /// The share of the limit at which long answers begin to be cut, since lengths spread.
  static let nearLimit = 0.7
  static let lengthRise = 1.3
  /// The policy gives its tokens e^0.5 = 1.6 times the probability that the reference gives them.
  static let mostKL = 0.5
  static let klRise = 5.0
  /// Below this, growth is what learning looks like.
  static let leastKL = 0.1
  /// A few per cent are usual; where a fifth is clipped, updates go farther than the method means.
  static let mostClipped = 0.2
  /// Rounding makes 1e-3 or so; clipping begins at 0.2.
  static let mostRatioError = 0.01
  /// As in verification: more than one failure in a hundred is no accident.
  static let mostFailed = 0.01
  static let normRise = 10.0
  /// The rise of the training reward, in standard deviations of an answer's reward, that is no noise
  /// of `rewardSteps` steps.
  static let rewardRise = 0.25
}

extension Findings {
  /// All that is asked after a step, in the order in which it is said.
  static func outcomes(
    _ seen: [Seen], _ objective: PolicyObjective, maxTokens: Int
  ) -> [(topic: String, outcome: Outcome)] {
    let recent = Recent(seen)
    return [
      ("ratio", ratio(recent)), ("rounding", rounding(recent)), ("skipped", skipped(recent)),
      ("failed", failed(recent)), ("signal", withoutSignal(recent)),
      ("closed", nothingClosed(recent)),
    ] + constants(recent) + [
      ("certain", certain(recent)), ("entropy falls", entropyFalls(recent)),
      ("entropy rises", entropyRises(recent)), ("cut", cut(recent)),
      ("longer", longer(recent, maxTokens)), ("kl", kl(recent)), ("kl rises", klRises(recent)),
      ("clipped", clipped(recent)), ("norm", norm(recent)),
    ]
  }

  // MARK: - The first update

  /// At the first update the ratio is 1, so that the loss is −Σ share · A.
  static func firstLoss(_ figures: StepFigures, _ objective: PolicyObjective) -> String? {
    let loss = figures.loss
    guard loss.isFinite else { return nil }
    if figures.shareWithoutSignal >= 1 {
      return loss.magnitude > zeroLoss
        ? nil
        : "The loss is 0 at the first update because no question has answers with different "
          + "rewards: nothing is learned from this step."
    }
    if loss.magnitude <= zeroLoss {
      return "The loss is 0 at the first update: that is expected, since the advantages of a group "
        + "add up to 0."
    }
    // What then differs is told of the ratio.
    guard figures.firstRatioError == 0 else { return nil }
    let start = "The loss is \(number(loss)) at the first update, and that is no mistake: "
    if objective.normalization != .answer {
      return start + "with 'objective.normalization' '\(objective.normalization.rawValue)' a long "
        + "answer weighs more than a short one, so that the advantages of a group don't cancel out."
    }
    if objective.leavesOutCutAnswers, figures.shareCut > 0 {
      return start + "cut answers are left out of the loss but not of their group's mean, so that "
        + "the advantages of a group don't cancel out."
    }
    if figures.updates > 1 {
      return start + "the first of \(figures.updates) updates has only a part of the answers."
    }
    let divergence = objective.klCoefficient * (figures.kl ?? 0)
    if (loss - divergence).magnitude <= 0.1 * divergence {
      return start
        + "it is the divergence from the reference, which is not the policy that the run "
        + "began with."
    }
    return
      "The loss is \(number(loss)) at the first update, where it should be 0: the ratios are 1 "
      + "and the advantages of a group add up to 0. Compare the advantages in completions/."
  }

  // MARK: - Mistakes

  private static func ratio(_ recent: Recent) -> Outcome {
    let advice =
      "the sampler may have other weights (not those after the last update, or in int8), another "
      + "temperature, precision or template."
    guard let error = recent.last?.ratioError else {
      return .holds(
        "At the first update the ratio of a token is no number, where it should be 1: \(advice)")
    }
    if error > mostRatioError {
      return .holds(
        "At the first update the ratio of a token is \(number(error)) away from 1, where trainer "
          + "and sampler should agree: \(advice)")
    }
    return .gone
  }

  private static func rounding(_ recent: Recent) -> Outcome {
    guard let error = recent.last?.ratioError, error <= mostRatioError else { return .between }
    if error > 0 {
      return .holds(
        "At the first update ratios are up to \(number(error)) away from 1: trainer and sampler "
          + "round differently, which does no harm at this size. In bfloat16 they have the same bits."
      )
    }
    return recent.steps.contains { $0.ratioError != 0 } ? .between : .gone
  }

  private static func skipped(_ recent: Recent) -> Outcome {
    // Of steps without a signal more is said elsewhere.
    func wrong(_ step: Findings.Seen) -> [String] {
      step.skipped.filter { $0 != SpikeGuard.Finding.nothingToLearn.rawValue }
    }
    guard let last = recent.last.map(wrong), !last.isEmpty else {
      return recent.steps.suffix(span).contains { !wrong($0).isEmpty } ? .between : .gone
    }
    var reasons: [String] = []
    for reason in last {
      let words = SpikeGuard.Finding(rawValue: reason)?.words ?? reason
      if !reasons.contains(words) { reasons.append(words) }
    }
    return .holds(
      "\(NumberText.count(last.count, "update was", "updates were")) skipped, since "
        + "\(reasons.joined(separator: " and ")).")
  }

  private static func failed(_ recent: Recent) -> Outcome {
    let steps = recent.steps.suffix(short)
    let failed = steps.reduce(0) { $0 + Double($1.failed) }
    let answers = steps.reduce(0) { $0 + Double($1.answers) }
    if failed > 0, failed > mostFailed * answers {
      return .holds(
        "\(NumberText.count(failed)) of \(NumberText.count(answers)) answers "
          + "(\(percent(failed / max(answers, 1)))) of the last \(stepText(steps.count)) are left out, "
          + "since their reward failed: a sandbox, a judge model or a program of rewards does not "
          + "do its work. The reasons are in completions/.")
    }
    return failed > mostFailed / 2 * answers ? .between : .gone
  }

  // MARK: - Rewards

  private static func withoutSignal(_ recent: Recent) -> Outcome {
    let count = min(short, recent.steps.count)
    guard let share = recent.mean(atLeast: 3, \.withoutSignal) else { return .gone }
    guard share >= mostWithoutSignal else {
      return share < mostWithoutSignal - 0.1 ? .gone : .between
    }
    let start =
      "\(percent(share)) of the questions of the last \(stepText(count)) taught nothing, since all "
      + "answers to each have one reward"
    guard let right = recent.mean(atLeast: 3, \.allRight),
      let wrong = recent.mean(atLeast: 3, \.allWrong), right + wrong > 0
    else {
      return .holds(start + ". Ask questions that the policy answers well sometimes, not always.")
    }
    let advice =
      right > wrong
      ? "Ask harder questions: leave out those that the policy nearly always solves, by a band of "
        + "pass rates."
      : "Ask easier questions, by a band of pass rates, sample more answers to each, or fine-tune "
        + "the policy first."
    return .holds(
      "\(start): \(percent(right)) are all right (too easy) and \(percent(wrong)) all wrong (too "
        + "hard). \(advice)")
  }

  private static func nothingClosed(_ recent: Recent) -> Outcome {
    let steps = recent.steps.suffix(short)
    guard let last = steps.last, last.closed == 0 else { return .gone }
    let isTold =
      last.rewards.contains("format") || steps.contains { ($0.cut ?? 0) > mostCut }
    guard steps.count == short, isTold, steps.allSatisfy({ $0.closed == 0 }) else {
      return .between
    }
    return .holds(
      "No answer of the last \(stepText(short)) closes its thinking with '</think>'"
        + (last.rewards.contains("format")
          ? ", and what never happens can't be learned from the reward 'format'" : "")
        + ". Fine-tune the policy on such answers first, raise the token limit if answers are cut, "
        + "and see that the prompt ends as the policy was taught.")
  }

  private static func constants(_ recent: Recent) -> [(topic: String, outcome: Outcome)] {
    guard let last = recent.last else { return [] }
    return last.rewards.map { name in ("constant \(name)", constant(name, recent)) }
  }

  private static func constant(_ name: String, _ recent: Recent) -> Outcome {
    let steps = recent.steps.suffix(constantSteps)
    let values = steps.map { $0.constants[name] }
    guard steps.count == constantSteps, let last = values.last, let value = last,
      values.allSatisfy({ $0 == value })
    else { return values.count { $0 == nil } >= 3 ? .gone : .between }
    // Punishments are 0 where there is nothing to punish; of 'format' more is said elsewhere.
    if value == 0, ["length", "repetition"].contains(name) { return .gone }
    if name == "format", value == 0, steps.allSatisfy({ $0.closed == 0 }) { return .between }
    let start = "The reward '\(name)' was \(number(value)) for every answer of the last "
    return .holds(
      start + "\(stepText(constantSteps)): "
        + (value == 0
          ? "nothing can be learned from it. See in completions/ whether it judges rightly, or ask "
            + "easier questions." : "there is nothing left to learn from it."))
  }

  // MARK: - Entropy

  private static func certain(_ recent: Recent) -> Outcome {
    guard let entropy = recent.mean(over: 3, atLeast: 3, \.entropy) else { return .between }
    if entropy < leastEntropy {
      return .holds(
        "The entropy is \(number(entropy)) nats a token: the policy leaves nearly nothing to chance, "
          + "the answers to a question hardly differ, and little is learned any more. Begin again "
          + "from an earlier checkpoint with a lower learning rate or a larger 'objective.clipHigh'."
      )
    }
    return entropy > 2 * leastEntropy ? .gone : .between
  }

  private static func entropyFalls(_ recent: Recent) -> Outcome {
    guard let (before, now) = recent.threes(\.entropy), let last = recent.last,
      let high = before.max(by: { ($0.mean, $0.step) < ($1.mean, $1.step) })
    else { return .between }
    if high.mean < 2 * leastEntropy { return .gone }
    if now <= entropyFall * high.mean {
      return .holds(
        "The entropy fell from \(number(high.mean)) to \(number(now)) nats a token within "
          + "\(stepText(last.step - high.step)): soon nothing new is tried. Lower the learning rate, "
          + "or raise 'objective.clipHigh' or the temperature.")
    }
    return now > (entropyFall + 0.1) * high.mean ? .gone : .between
  }

  private static func entropyRises(_ recent: Recent) -> Outcome {
    guard let (before, now) = recent.threes(\.entropy), let last = recent.last,
      let low = before.min(by: { ($0.mean, -$0.step) < ($1.mean, -$1.step) })
    else { return .between }
    if now >= entropyRise * low.mean, now - low.mean >= leastRise {
      return .holds(
        "The entropy rose from \(number(low.mean)) to \(number(now)) nats a token within "
          + "\(stepText(last.step - low.step)): the policy forgets what it knew, and its answers come "
          + "to be noise. Lower the learning rate, or raise 'objective.klCoefficient'.")
    }
    return now < 0.8 * entropyRise * low.mean || now - low.mean < leastRise / 2 ? .gone : .between
  }

  // MARK: - Length

  private static func cut(_ recent: Recent) -> Outcome {
    guard let share = recent.mean(atLeast: 3, \.cut) else { return .between }
    if share > mostCut {
      return .holds(
        "\(percent(share)) of the answers of the last \(stepText(min(short, recent.steps.count))) were "
          + "cut at the token limit, and what they would have come to is not rewarded. Raise the "
          + "limit, or add the reward 'length'.")
    }
    return share < mostCut - 0.05 ? .gone : .between
  }

  private static func longer(_ recent: Recent, _ maxTokens: Int) -> Outcome {
    guard let now = recent.mean(\.length), let before = recent.earlier(\.length),
      let last = recent.last, let cut = recent.mean(\.cut)
    else { return .between }
    let limit = Double(maxTokens)
    if now >= nearLimit * limit, now >= lengthRise * before.mean, cut <= mostCut {
      return .holds(
        "Answers grew from \(NumberText.count(before.mean)) to \(NumberText.count(now)) tokens "
          + "within \(stepText(last.step - before.step)), and the limit is "
          + "\(NumberText.count(maxTokens)): many will be cut soon. Raise the limit if they get "
          + "better by it.")
    }
    return now < (nearLimit - 0.1) * limit ? .gone : .between
  }

  // MARK: - Updates

  private static func kl(_ recent: Recent) -> Outcome {
    guard let kl = recent.mean(atLeast: 3, \.kl) else { return .between }
    if kl > mostKL {
      return .holds(
        "The divergence from the reference is \(number(kl)) nats a token: the policy is far from "
          + "where it began. Raise 'objective.klCoefficient', lower the learning rate, or replace "
          + "the reference more often.")
    }
    return kl < 0.8 * mostKL ? .gone : .between
  }

  private static func klRises(_ recent: Recent) -> Outcome {
    guard let now = recent.mean(over: 3, atLeast: 3, \.kl), let before = recent.earlier(\.kl),
      let last = recent.last
    else { return .between }
    if now >= leastKL, now <= mostKL, now >= klRise * before.mean {
      return .holds(
        "The divergence from the reference grew from \(number(before.mean)) to \(number(now)) nats "
          + "a token within \(stepText(last.step - before.step)). Lower the learning rate, or raise "
          + "'objective.klCoefficient'.")
    }
    return now < leastKL / 2 || now < 0.5 * klRise * before.mean ? .gone : .between
  }

  private static func clipped(_ recent: Recent) -> Outcome {
    guard let share = recent.mean(atLeast: 3, \.clipped) else { return .between }
    if share > mostClipped {
      return .holds(
        "\(percent(share)) of the tokens of the last \(stepText(min(short, recent.steps.count))) were "
          + "clipped: updates go too far. Lower the learning rate, or make fewer updates of one "
          + "sampling.")
    }
    return share < mostClipped - 0.05 ? .gone : .between
  }

  private static func norm(_ recent: Recent) -> Outcome {
    // Steps without any signal have a norm of 0, which says nothing of the others.
    let norms = recent.steps.compactMap { $0.norm.flatMap { $0 > 0 ? $0 : nil } }
    guard norms.count >= 3 + short else { return .between }
    let (before, now) = (median(norms.dropLast(3)), median(norms.suffix(3)))
    if now >= normRise * before {
      return .holds(
        "The gradient's norm rose from \(number(before)) to \(number(now)): the policy may be "
          + "falling apart. Look at the answers of these steps, and lower the learning rate.")
    }
    return now < 0.5 * normRise * before ? .gone : .between
  }

  // MARK: - Evaluations

  /// The training reward rose, and held-out accuracy fell by more than both intervals allow.
  static func hacking(
    _ best: BestEvaluation, _ now: EvaluationFigures, _ reward: Double?, _ recent: Recent
  ) -> Outcome {
    guard let reward, let before = best.reward,
      let deviation = recent.mean(over: rewardSteps, atLeast: 3, \.deviation)
    else { return .between }
    let fall = best.accuracy - now.accuracy
    let noise = (best.interval * best.interval + now.interval * now.interval).squareRoot()
    if fall > 0, fall > noise, reward - before > rewardRise * deviation {
      return .holds(
        "Since step \(NumberText.count(best.step)) the reward rose from \(number(before)) to "
          + "\(number(reward)), while held-out accuracy fell from \(percent(best.accuracy)) to "
          + "\(percent(now.accuracy)): the policy may please the rewards without being right. Read "
          + "the best answers of the last steps.")
    }
    return fall < noise / 2 ? .gone : .between
  }

  // MARK: - Words

  private static func number(_ value: Double) -> String {
    NumberText.trimmed(NumberText.significant(value, 3))
  }

  private static func stepText(_ count: Int) -> String { NumberText.count(count, "step", "steps") }

  /// `86 %`, and `1.9 %` where it is little.
  private static func percent(_ share: Double) -> String {
    NumberText.trimmed(NumberText.fixed(share * 100, share < 0.0995 ? 1 : 0)) + " %"
  }

  private static func median(_ values: ArraySlice<Double>) -> Double {
    let sorted = values.sorted()
    if sorted.isEmpty { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
