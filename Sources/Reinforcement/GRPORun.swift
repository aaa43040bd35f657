import Datasets
import Foundation
import Models
import Reports
import Sandbox
import Storage
import Tensors
import Training
import TrainingRecipes

/// What happens while a policy is reinforced, for whoever shows it.
public enum GRPOEvent: Sendable {
  /// Something worth a line.
  case note(String)
  case began(step: Int, of: Int)
  /// Answers of a step are sampled: how many are done, and their tokens.
  case sampling(step: Int, answers: Int, of: Int, tokens: Int, seconds: Double)
  case step(StepFigures)
  case evaluation(EvaluationFigures)
  case finding(String, step: Int)
  case saved(step: Int, seconds: Double, bytes: Int)
}

/// How a run ended.
public enum GRPOOutcome: Equatable, Sendable {
  /// The policy is in its folder.
  case finished(policy: String)
  /// It was stopped, and goes on with the same command.
  case stopped(step: Int)
}

/// Reinforces a policy as a recipe says: answers are sampled, rewarded, compared with one another,
/// and learned from (GRPO; DeepSeekMath, arXiv 2402.03300, algorithm 1).
public final class GRPORun {
  public let recipe: GRPORecipe
  public let directory: RunDirectory
  public let loop: TrainingLoop
  let prepared: PreparedGRPO
  let rewarder: Rewarder
  let report: (GRPOEvent) -> Void
  let isStopped: @Sendable () -> Bool
  let sampler: PolicySampler
  /// What the policy is held to; nil if it is free.
  let reference: Decoder?
  let events: EventFile

  // Where the run stands.
  var state: GRPOState
  /// The loop's updates when it was last saved; -1 before.
  var savedUpdates = -1
  /// The loop's updates when the last whole step was done.
  private var wholeUpdates = 0
  private var lastSave = 0.0
  private var hasToldOfFailure = false
  private var hasToldOfBand = false
  private let clock = DispatchTime.now().uptimeNanoseconds

  /// Loads the policy, and what was saved of this run before.
  ///
  /// - Parameters:
  ///   - sandbox: Where programs under test run.
  ///   - isStopped: Asked all the time; once it says so, the run is saved and ends.
  /// - Throws: `CheckpointError`, `RunError`, `TrainingCheckpointError`, `FileError`, `RewardError`.
  public init(
    _ prepared: PreparedGRPO, in directory: RunDirectory, sandbox: Sandbox?,
    isStopped: @escaping @Sendable () -> Bool = { false },
    report: @escaping (GRPOEvent) -> Void = { _ in }
  ) throws {
    recipe = prepared.recipe
    self.prepared = prepared
    self.directory = directory
    self.report = report
    self.isStopped = isStopped
    events = try EventFile(in: directory.path)
    rewarder = try Rewarder(
      settings: recipe.rewards, functions: prepared.functions, sandbox: sandbox,
      folder: directory.path)
    let decoder = try Checkpoint(at: recipe.policy).decoder(
      precision: .bfloat16, storage: recipe.form.weights)
    decoder.recomputedBlocks = prepared.recomputedBlocks
    reference = recipe.objective.needsReference ? Decoder(packing: decoder) : nil
    loop = TrainingLoop(
      decoder,
      try AdamW(
        decoder.parameters, recipe.optimizer.adamW,
        moments: recipe.form.momentStorage(in: directory.path), seed: recipe.sampling.seed),
      TrainingLoop.Settings(
        schedule: recipe.optimizer.schedule(totalSteps: recipe.steps * recipe.updatesPerStep),
        clipNorm: recipe.optimizer.clipNorm),
      spikes: SpikeGuard(recipe.spikes?.spikeGuard ?? .finiteOnly))
    state = GRPOState(Findings(recipe.objective, maxTokens: recipe.sampling.maxTokens))
    if let saved = try directory.restore(loop, note: { report(.note($0)) }) {
      state = try GRPOState(saved, place: directory.path)
      savedUpdates = loop.stepCount
      wholeUpdates = loop.stepCount
      if let reference, state.referenceStep > 0 {
        let kept = Self.referencePath(directory, step: state.referenceStep)
        reference.repack(try Checkpoint(at: kept).decoder(precision: .bfloat16))
      }
      report(
        .note(
          state.step < recipe.steps
            ? "Going on after step \(state.step) of \(recipe.steps)."
            : "All \(state.step) steps are done. With more 'steps' and a constant rate the same "
              + "command goes on."))
    }
    try directory.recordIdentity()
    sampler = PolicySampler(
      decoder, prepared.prompts, sequences: recipe.sampling.sequences,
      context: prepared.contextLength)
  }

  /// Reinforces to the end, or until it is stopped.
  ///
  /// - Throws: `RunError` where it goes wrong; `GenerationError` and `SamplingError` where nothing can be
  ///   sampled; `RewardError` where nothing can be judged: what was done before that step is saved;
  ///   `TrainingCheckpointError` where it can't be.
  public func run() throws -> GRPOOutcome {
    lastSave = now
    try log(
      "start",
      [
        ("steps", .int(recipe.steps)), ("step", .int(state.step)),
        ("parameters", .int(loop.decoder.configuration.parameterCount)),
      ])
    if directory.isContinued { try events.appendRestart(atStep: state.step + 1) }
    for remark in prepared.remarks { report(.note(remark)) }
    report(.began(step: state.step, of: recipe.steps))
    if isEvaluationDue, try !evaluate() { return try stop() }
    while state.step < recipe.steps {
      if isStopped() { return try stop() }
      do {
        guard try makeStep() else { return try stop() }
      } catch let error as RewardError {
        // A judge that is gone, or a program that fails, costs this step and no other.
        try saveWholeSteps()
        throw error
      }
      if isEvaluationDue, try !evaluate() { return try stop() }
      if isSaveDue, state.step < recipe.steps {
        try save()
        lastSave = now
      }
    }
    try save()
    try exportPolicy(to: directory.studentPath)
    try directory.metrics.synchronize()
    try events.synchronize()
    if recipe.checkpoints.best, let best = state.best { report(.note(words(best))) }
    return .finished(policy: directory.studentPath)
  }

  private func words(_ best: GRPOState.Best) -> String {
    let accuracy = String(format: "%.1f %%", 100 * best.accuracy)
    return best.step == 0
      ? "No evaluation was better than the one before the first step, \(accuracy) right: the policy "
        + "that was given is the best."
      : "The policy of the best evaluation, \(accuracy) right after step \(best.step), is in "
        + "\(directory.bestPath)."
  }

  /// Seconds since the run was made.
  var now: Double { Double(DispatchTime.now().uptimeNanoseconds - clock) / 1e9 }

  private var isEvaluationDue: Bool {
    guard let evaluation = recipe.evaluation, state.evaluatedStep != state.step else {
      return false
    }
    return state.step % evaluation.everySteps == 0 || state.step == recipe.steps
  }

  private var isSaveDue: Bool {
    // What looks wrong is not what a run should go on from.
    if loop.spikes.skipsInARow > 0 { return false }
    return recipe.checkpoints.isDue(step: state.step, minutes: (now - lastSave) / 60)
  }

  private func stop() throws -> GRPOOutcome {
    try saveWholeSteps()
    return .stopped(step: state.step)
  }

  /// Saves what is done, where it is worth it: before the first step there is nothing that the recipe
  /// does not say; within the updates of a step the last checkpoint is where the same command goes
  /// on.
  private func saveWholeSteps() throws {
    loop.decoder.clearGradients()
    if state.step > 0, loop.stepCount == wholeUpdates { try save() }
  }

  // MARK: - A step

  /// Samples, judges and learns; false if it was stopped, with the step to be made again.
  private func makeStep() throws -> Bool {
    let step = state.step + 1
    var seconds = StepSeconds()
    guard let (groups, position) = try sample(step, &seconds) else { return false }
    guard let updates = try seconds.measure(\.updating, { try learn(groups, step) }) else {
      return false
    }
    state.step = step
    state.position = position
    wholeUpdates = loop.stepCount
    for group in groups.groups {
      if recipe.filters?.passRate != nil, let rate = group.passRate {
        state.passRates[group.question.number] = rate
      }
    }
    if let every = recipe.referenceEverySteps, step % every == 0 { try replaceReference() }
    sampler.update(loop.decoder)
    let figures = StepFigures(
      step: step, recipe, groups, updates, names: rewarder.names, seconds)
    try tell(figures)
    let wrong = updates.skipped.filter { $0 != .nothingToLearn }
    if step == 1 || step == recipe.steps || step % recipe.completionsEverySteps == 0
      || !wrong.isEmpty
    {
      try keepCompletions(groups, step: step)
    }
    if let last = wrong.last, loop.spikes.isExhausted { try give(up: last) }
    return true
  }

  /// The answers of a step with their rewards, and the position after its questions.
  private func sample(
    _ step: Int, _ seconds: inout StepSeconds
  ) throws -> (RewardedGroups, position: Int)? {
    var groups = RewardedGroups()
    var position = state.position
    let count = recipe.sampling.questionsPerStep
    for round in 0...(recipe.filters?.resamplings ?? 0) {
      let needed = round == 0 ? count : groups.missing
      if needed == 0 { break }
      let asked = nextQuestions(needed, &position)
      let settings = PolicySampler.Settings(
        temperature: recipe.sampling.temperature, maxTokens: recipe.sampling.maxTokens,
        seed: RandomStream(seed: recipe.sampling.seed, "rollouts", step)[round])
      let start = now
      let sampled = try seconds.measure(\.sampling) {
        try sampler.answers(
          to: asked, count: recipe.sampling.answersPerQuestion, settings, isStopped: isStopped
        ) { answers, tokens in
          report(
            .sampling(
              step: step, answers: answers, of: asked.count * recipe.sampling.answersPerQuestion,
              tokens: tokens, seconds: now - start))
        }
      }
      guard let sampled else { return nil }
      let all = sampled.flatMap { $0.map(\.answer) }
      guard let rewards = try seconds.measure(\.judging, { try judge(all) }) else { return nil }
      // Where a few questions are asked in place of others, the step has rewards all the same.
      try checkFailures(groups.groups.flatMap(\.rewards) + rewards, step)
      var first = 0
      let round = zip(asked, sampled).map { question, rollouts in
        defer { first += rollouts.count }
        return RewardedGroups.Group(
          question: question, rollouts: rollouts,
          rewards: Array(rewards[first..<first + rollouts.count]))
      }
      groups.add(round, asked: count, recipe.objective.advantages)
    }
    sampler.makeRoom()
    return (groups, position)
  }

  /// Says aloud why a reward failed; a step without any reward is not made at all.
  private func checkFailures(_ rewards: [RewardedAnswer], _ step: Int) throws {
    guard let first = rewards.first(where: { $0.total == nil })?.failure else { return }
    let failed = rewards.count { $0.total == nil }
    if failed == rewards.count {
      try saveWholeSteps()
      throw RunError(
        "\(directory.path): none of the \(failed) answers of step \(step) has a reward. Of the first "
          + "this was said: \(first)\nMend that; the same command goes on with this step.")
    }
    if hasToldOfFailure { return }
    hasToldOfFailure = true
    report(
      .note(
        "Step \(step): \(failed) of \(rewards.count) answers have no reward and are left out. Of the "
          + "first this was said: \(first)"))
  }

  /// The rewards of answers; nil if it was stopped.
  private func judge(_ answers: [SampledAnswer]) throws -> [RewardedAnswer]? {
    do {
      return try rewarder.rewards(for: answers, isStopped: isStopped)
    } catch let error as RewardError where error.reason == .stopped {
      return nil
    }
  }

  /// The next questions in the order of the run, without those whose pass rate was outside the band.
  private func nextQuestions(_ count: Int, _ position: inout Int) -> [Question] {
    var asked: [Question] = []
    // Once round: if all are outside, they are asked all the same.
    var patience = prepared.questions.questions.count
    while asked.count < count {
      let question = prepared.questions.question(at: position, seed: recipe.sampling.seed)
      position += 1
      if patience > 0, let band = recipe.filters?.passRate,
        let rate = state.passRates[question.number], rate < band.min || rate > band.max
      {
        patience -= 1
        if patience == 0, !hasToldOfBand {
          hasToldOfBand = true
          report(
            .note(
              "Step \(state.step + 1): too few problems are left inside 'filters.passRate', so that "
                + "others are asked too. Widen the band, or take more problems."))
        }
        continue
      }
      asked.append(question)
    }
    return asked
  }

  /// All updates of a step; nil if it was stopped and must be made again.
  private func learn(_ groups: RewardedGroups, _ step: Int) throws -> UpdateFigures? {
    let parts = Minibatch.parts(of: groups.counted, recipe, step: step)
    // Once weights have changed, the step can only be given up where it can be made again.
    let beginning = loop.stepCount
    let canGoBack = savedUpdates == beginning
    func isInterrupted() -> Bool { (canGoBack || loop.stepCount == beginning) && isStopped() }
    var minibatches: [Minibatch] = []
    for part in parts {
      let rows = UpdateRows(part, rowTokens: recipe.updates.rowTokens)
      var found: [[Float]]?
      if let reference {
        found = try loop.logProbabilities(
          of: rows.sequences, by: reference, temperature: recipe.sampling.temperature,
          isInterrupted: isInterrupted)
        if found == nil { return nil }
      }
      minibatches.append(Minibatch(rows: rows, reference: found))
    }
    var figures = UpdateFigures()
    for _ in 0..<recipe.updates.passes {
      for minibatch in minibatches {
        let objective = minibatch.rows.objective(
          recipe.objective, reference: minibatch.reference,
          temperature: recipe.sampling.temperature)
        guard
          let done = try loop.step(
            minibatch.rows.sequences, by: objective, isInterrupted: isInterrupted)
        else { return nil }
        figures.add(
          done,
          minibatch.rows.figures(
            recipe.objective, logProbabilities: done.logProbabilities,
            reference: minibatch.reference))
      }
    }
    return figures
  }

  private func give(up finding: SpikeGuard.Finding) throws {
    try directory.metrics.synchronize()
    throw RunError(
      "\(directory.path): \(loop.spikes.skipsInARow) updates in a row were skipped, the last since "
        + "\(finding.words). The last good checkpoint stands. Read the answers of step "
        + "\(state.step) in 'completions', or lower 'optimizer.learningRate'.")
  }
}
