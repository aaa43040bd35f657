import Datasets
import Foundation
import Tensors
import Training

/// The answers of a step and what they are worth, question by question.
struct RewardedGroups {
  /// A question's answers.
  struct Group {
    let question: Question
    let rollouts: [Rollout]
    let rewards: [RewardedAnswer]

    /// The share of right answers among those that were judged; nil without any, or without the
    /// reward `accuracy`.
    var passRate: Double? {
      let judged = rewards.compactMap { $0.parts.first { $0.name == "accuracy" }?.value }
      return judged.isEmpty ? nil : judged.reduce(0, +) / Double(judged.count)
    }
  }

  /// All that were asked, in the order in which they were.
  private(set) var groups: [Group] = []
  /// Those that are learned from, as places in `groups`.
  private(set) var chosen: [Int] = []
  /// Of the groups that are learned from.
  private(set) var advantages = Advantages(rewards: [])

  /// Adds a round of questions, and chooses: those with a signal first, then the last of the others.
  mutating func add(_ round: [Group], asked count: Int, _ rule: AdvantageRule) {
    groups += round
    let signals = Advantages(rewards: groups.map { $0.rewards.map(\.total) }, rule).signals
    let with = groups.indices.filter { signals[$0] == .present }
    let without = groups.indices.filter { signals[$0] != .present }
    chosen = (with.prefix(count) + without.suffix(max(0, count - with.count))).sorted()
    advantages = Advantages(
      rewards: chosen.map { groups[$0].rewards.map(\.total) }, rule)
  }

  /// How many questions are still without a signal.
  var missing: Int { advantages.signals.count { $0 != .present } }

  /// The share of all questions that were asked whose answers tell nothing apart.
  func shareWithoutSignal(_ rule: AdvantageRule) -> Double {
    Advantages(rewards: groups.map { $0.rewards.map(\.total) }, rule).shareWithoutSignal
  }

  /// The answers that count, with their advantages, in the order of the groups.
  var counted: [(rollout: Rollout, advantage: Double)] {
    zip(chosen, advantages.values).flatMap { group, values in
      zip(groups[group].rollouts, values).compactMap { rollout, advantage in
        advantage.map { (rollout, $0) }
      }
    }
  }

  /// The advantage of an answer; nil if it is not learned from.
  func advantage(group: Int, answer: Int) -> Double? {
    chosen.firstIndex(of: group).flatMap { advantages.values[$0][answer] }
  }
}

/// The part of the answers that an update learns from.
struct Minibatch {
  let rows: UpdateRows
  let reference: [[Float]]?

  /// Cuts the answers of a step into parts, chosen by the seed and the step's number.
  static func parts(
    of answers: [(rollout: Rollout, advantage: Double)], _ recipe: GRPORecipe, step: Int
  ) -> [[LearnedAnswer]] {
    let count = recipe.updates.minibatches
    let seed = RandomStream(seed: recipe.sampling.seed, "minibatches", step)[0]
    let order = Permutation(count: answers.count, seed: seed, epoch: 0)
    return (0..<count).map { part in
      let range = answers.count * part / count..<answers.count * (part + 1) / count
      // One part keeps the order of sampling: a question's answers stand together.
      let chosen = range.map { answers[count == 1 ? $0 : order[$0]] }
      let shares = recipe.objective.shares(
        of: chosen.map {
          PolicyObjective.AnswerSize(
            tokens: $0.rollout.tokens.count, isCut: $0.rollout.answer.isCut)
        }, maxTokens: recipe.sampling.maxTokens)
      return zip(chosen, shares).compactMap { answer, share in
        // What has no advantage changes nothing, unless it is held to the reference.
        let counts = share != 0 && (answer.advantage != 0 || recipe.objective.needsReference)
        return counts
          ? LearnedAnswer(rollout: answer.rollout, advantage: answer.advantage, share: share) : nil
      }
    }
  }
}

/// Seconds of the parts of a step.
struct StepSeconds {
  var sampling = 0.0
  var judging = 0.0
  var updating = 0.0

  /// Runs something and adds the time it took.
  mutating func measure<Value>(
    _ part: WritableKeyPath<StepSeconds, Double>, _ work: () throws -> Value
  ) rethrows -> Value {
    let start = DispatchTime.now().uptimeNanoseconds
    defer { self[keyPath: part] += Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 }
    return try work()
  }
}

/// What the updates of a step did.
struct UpdateFigures {
  /// Over all updates.
  var all = PolicyFigures()
  /// Of the first that was not empty.
  var first: PolicyFigures?
  var norms: [Double] = []
  var learningRate = 0.0
  var skipped: [SpikeGuard.Finding] = []
  var tokens = 0
  var count = 0

  mutating func add(_ step: ObjectiveStep, _ figures: PolicyFigures) {
    count += 1
    learningRate = step.learningRate
    tokens += step.tokens
    if let skipped = step.skipped { self.skipped.append(skipped) }
    if figures.tokens == 0 { return }
    all.add(figures)
    norms.append(step.gradientNorm)
    if first == nil { first = figures }
  }
}

extension StepFigures {
  /// The figures of a step, from its parts.
  init(
    step: Int, _ recipe: GRPORecipe, _ groups: RewardedGroups, _ updates: UpdateFigures,
    names: [String], _ seconds: StepSeconds
  ) {
    let rollouts = groups.groups.flatMap(\.rollouts)
    let rewards = groups.groups.flatMap(\.rewards)
    let counted = rewards.filter { $0.total != nil }
    self.step = step
    totalSteps = recipe.steps
    questions = groups.groups.count
    answers = rollouts.count
    failedRewards = rewards.count - counted.count
    reward = Spread(of: counted.compactMap(\.total))
    self.rewards = [:]
    for name in names {
      self.rewards[name] = Spread(
        of: counted.compactMap { $0.parts.first { $0.name == name }?.value })
    }
    shareWithoutSignal = groups.shareWithoutSignal(recipe.objective.advantages)
    let rates = groups.groups.compactMap(\.passRate)
    if names.contains("accuracy"), !groups.groups.isEmpty {
      shareAllRight = Double(rates.count { $0 == 1 }) / Double(groups.groups.count)
      shareAllWrong = Double(rates.count { $0 == 0 }) / Double(groups.groups.count)
    }
    length = Spread(of: rollouts.map { Double($0.tokens.count) })
    longest = rollouts.map(\.tokens.count).max() ?? 0
    let total = Double(max(1, rollouts.count))
    shareCut = Double(rollouts.count { $0.answer.isCut }) / total
    let closing = Array("</think>".utf8)
    shareClosed =
      Double(
        rollouts.count { rollout in
          let text = Array(rollout.answer.text.utf8)
          return text.indices.contains { text[$0...].starts(with: closing) }
        }) / total
    sampledTokens = rollouts.reduce(0) { $0 + $1.tokens.count }
    let surprise = rollouts.reduce(0.0) { sum, rollout in
      rollout.logProbabilities.reduce(sum) { $0 - Double($1) }
    }
    entropy = surprise / Double(max(1, sampledTokens))
    kl = recipe.objective.needsReference ? updates.all.kl : nil
    shareClipped = updates.all.shareClipped
    firstRatioError = updates.first?.largestRatioError ?? 0
    loss = updates.first?.loss ?? 0
    gradientNorm =
      updates.norms.isEmpty ? 0 : updates.norms.reduce(0, +) / Double(updates.norms.count)
    learningRate = updates.learningRate
    self.updates = updates.count
    skipped = updates.skipped.map(\.rawValue)
    trainedTokens = updates.tokens
    samplingSeconds = seconds.sampling
    judgingSeconds = seconds.judging
    updatingSeconds = seconds.updating
    memoryBytes = PeakMemory.bytes
  }
}

extension StepFigures.Spread {
  /// Mean and standard deviation over all; 0 without values.
  init(of values: [Double]) {
    let count = Double(max(1, values.count))
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(mean: mean, deviation: (squares / count).squareRoot())
  }
}
