import Reports

/// What the figures of a run give reason to say, in plain sentences.
///
/// It is fed the figures one step after the other. A sentence is said once, and again only after
/// its reason has gone away and come back; between the bound where it is said and the one where it
/// is gone, nothing happens. The state is part of a checkpoint, so that a run that goes on says
/// what one that was never stopped says.
///
/// What is worth saying, and the bounds, stand in `Findings+Rules.swift`.
public struct Findings: Codable, Equatable, Sendable {
  private let objective: PolicyObjective
  /// The most tokens of an answer.
  private let maxTokens: Int
  private(set) var hasBegun = false
  /// The last steps, the newest last.
  private(set) var recent: [Seen] = []
  private(set) var best: BestEvaluation?
  /// What has been said and has not gone away, in the order in which it was said.
  private(set) var active: [String] = []

  /// - Parameter maxTokens: The most tokens of an answer.
  public init(_ objective: PolicyObjective, maxTokens: Int) {
    (self.objective, self.maxTokens) = (objective, maxTokens)
  }

  /// What there is to say after a step, in a fixed order; mostly nothing.
  public mutating func add(_ figures: StepFigures) -> [String] {
    // A step that is made again takes the place of what it was.
    recent.removeAll { $0.step >= figures.step }
    recent.append(Seen(figures))
    if recent.count > Self.kept { recent.removeFirst(recent.count - Self.kept) }
    var said: [String] = []
    if !hasBegun, let sentence = Self.firstLoss(figures, objective) { said.append(sentence) }
    hasBegun = true
    for (topic, outcome) in Self.outcomes(recent, objective, maxTokens: maxTokens) {
      if let sentence = judge(topic, outcome) { said.append(sentence) }
    }
    return said
  }

  /// What there is to say after an evaluation, which comes behind its step.
  public mutating func add(_ evaluation: EvaluationFigures) -> [String] {
    guard evaluation.accuracy.isFinite, evaluation.interval.isFinite else { return [] }
    let reward = Recent(recent).mean(over: Self.rewardSteps, atLeast: 3, \.reward)
    if let best,
      let sentence = judge(
        "hacking", Self.hacking(best, evaluation, reward, Recent(recent)))
    {
      return [sentence]
    }
    // Of equal ones the first: since then the reward had most time to rise.
    if evaluation.accuracy > best?.accuracy ?? -1 {
      best = BestEvaluation(
        step: evaluation.step, accuracy: evaluation.accuracy, interval: evaluation.interval,
        reward: reward)
    } else if best?.reward == nil {
      // The first evaluation may come before any step.
      best?.reward = reward
    }
    return []
  }

  /// Whether a condition holds, has gone, or lies between, where what was said stays said.
  enum Outcome {
    case holds(String)
    case between
    case gone
  }

  private mutating func judge(_ topic: String, _ outcome: Outcome) -> String? {
    switch outcome {
    case .holds(let sentence):
      if active.contains(topic) { return nil }
      active.append(topic)
      return sentence
    case .between: return nil
    case .gone:
      active.removeAll { $0 == topic }
      return nil
    }
  }
}

// MARK: - What is remembered

extension Findings {
  /// How far back a change is looked for.
  static let span = 20
  /// Steps whose mean stands for "now": single steps of few questions jump.
  static let short = 5
  static let kept = span + short
  /// Steps over which the training reward is averaged beside an evaluation.
  static let rewardSteps = 10

  /// A step as far as it is remembered; numbers that are not finite, which JSON does not have, are
  /// nil.
  struct Seen: Codable, Equatable, Sendable {
    let step: Int
    let answers: Int
    let failed: Int
    let reward: Double?
    let deviation: Double?
    /// The value of rewards that were the same for all answers.
    let constants: [String: Double]
    let rewards: [String]
    let withoutSignal: Double?
    let allRight: Double?
    let allWrong: Double?
    let length: Double?
    let cut: Double?
    let closed: Double?
    let entropy: Double?
    let kl: Double?
    let clipped: Double?
    let ratioError: Double?
    let norm: Double?
    let skipped: [String]

    init(_ figures: StepFigures) {
      func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
      step = figures.step
      (answers, failed) = (figures.answers, figures.failedRewards)
      (reward, deviation) = (finite(figures.reward.mean), finite(figures.reward.deviation))
      constants = figures.rewards.filter { $0.value.deviation == 0 && $0.value.mean.isFinite }
        .mapValues(\.mean)
      rewards = figures.rewards.keys.sorted()
      withoutSignal = finite(figures.shareWithoutSignal)
      (allRight, allWrong) = (finite(figures.shareAllRight), finite(figures.shareAllWrong))
      (length, cut) = (finite(figures.length.mean), finite(figures.shareCut))
      closed = finite(figures.shareClosed)
      (entropy, kl) = (finite(figures.entropy), finite(figures.kl))
      (clipped, ratioError) = (finite(figures.shareClipped), finite(figures.firstRatioError))
      norm = finite(figures.gradientNorm)
      skipped = figures.skipped
    }
  }

  struct BestEvaluation: Codable, Equatable, Sendable {
    let step: Int
    let accuracy: Double
    let interval: Double
    /// The mean training reward at that time; nil before the first steps.
    var reward: Double?
  }
}

/// The last steps, to be asked for means.
struct Recent {
  let steps: [Findings.Seen]

  init(_ steps: [Findings.Seen]) { self.steps = steps }

  var last: Findings.Seen? { steps.last }

  /// The mean over the last steps that have the value; nil with fewer than `atLeast` of them.
  func mean(
    over count: Int = Findings.short, atLeast: Int = Findings.short,
    _ value: (Findings.Seen) -> Double?
  ) -> Double? { Self.mean(steps.suffix(count).compactMap(value), atLeast) }

  /// The mean over the first of the steps that are remembered, which are not among the last.
  func earlier(_ value: (Findings.Seen) -> Double?) -> (mean: Double, step: Int)? {
    guard steps.count >= 2 * Findings.short, let step = steps.first?.step,
      let mean = Self.mean(steps.prefix(Findings.short).compactMap(value), Findings.short)
    else { return nil }
    return (mean, step)
  }

  /// Means of three steps in a row, and the last of each: all but the newest, and the newest.
  func threes(
    _ value: (Findings.Seen) -> Double?
  ) -> (before: [(step: Int, mean: Double)], now: Double)? {
    let points = steps.compactMap { step in value(step).map { (step: step.step, value: $0) } }
    guard points.count >= 6, points.last?.step == steps.last?.step else { return nil }
    var means: [(step: Int, mean: Double)] = []
    for i in 2..<points.count {
      means.append(
        (points[i].step, (points[i - 2].value + points[i - 1].value + points[i].value) / 3))
    }
    guard let now = means.last else { return nil }
    return (means.dropLast(3).filter { $0.step >= now.step - Findings.span }, now.mean)
  }

  private static func mean(_ values: [Double], _ atLeast: Int) -> Double? {
    values.count < max(atLeast, 1) ? nil : values.reduce(0, +) / Double(values.count)
  }
}
