import CKernels
import Foundation
import Models
import Tensors
import Tokenizers

/// The engine's thread: takes requests, makes steps, delivers what comes of them.
final class EngineCore: @unchecked Sendable {
  let decoder: Decoder
  private let tokenizer: Tokenizer?
  private var scheduler: Scheduler
  private let memory: KeyValueBlocks

  private struct Submission {
    let request: GenerationRequest
    let ordinal: Int
    let deliver: @Sendable (GenerationEvent) -> Void
  }

  // What other threads hand over or look at, under the condition's lock.
  private let condition = NSCondition()
  private var submitted: [Submission] = []
  private var cancelled: Set<Int> = []
  private var isStopping = false
  private var hasThread = false
  private var nextOrdinal = 0
  private var statistics = EngineStatistics()

  // The engine's thread's own.
  private var groups: [Int: PromptGroup] = [:]
  private var counts = EngineStatistics()

  init(
    _ decoder: Decoder, _ tokenizer: Tokenizer?, memory: KeyValueBlocks, _ settings: EngineSettings
  ) {
    self.decoder = decoder
    self.tokenizer = tokenizer
    self.memory = memory
    scheduler = Scheduler(
      memory: memory, mostSequences: settings.maxSequences, promptChunk: settings.promptChunk)
  }

  // MARK: - From other threads

  func submit(
    _ request: GenerationRequest, deliver: @escaping @Sendable (GenerationEvent) -> Void
  ) -> Int {
    condition.withLock {
      let ordinal = nextOrdinal
      nextOrdinal += 1
      submitted.append(Submission(request: request, ordinal: ordinal, deliver: deliver))
      if !hasThread {
        hasThread = true
        let thread = Thread { [self] in run() }
        thread.name = "distill-generation"
        thread.stackSize = 8 << 20
        thread.start()
      }
      condition.signal()
      return ordinal
    }
  }

  func cancel(_ ordinal: Int) {
    condition.withLock {
      cancelled.insert(ordinal)
      condition.signal()
    }
  }

  func stop() {
    condition.withLock {
      isStopping = true
      condition.signal()
    }
  }

  var statisticsNow: EngineStatistics { condition.withLock { statistics } }

  // MARK: - The loop

  private func run() {
    while takeOrders() { step() }
    for group in groups.values.sorted(by: { $0.ordinal < $1.ordinal }) {
      for sample in scheduler.remove(group) { end(sample, .cancelled) }
    }
    groups = [:]
  }

  /// Waits until there is something to do; returns false when the engine is gone.
  private func takeOrders() -> Bool {
    condition.lock()
    statistics = counts
    statistics.running = scheduler.active.count
    statistics.waiting =
      scheduler.waitingCount + submitted.reduce(0) { $0 + $1.request.samples.count }
    statistics.setBacks = scheduler.setBacks
    statistics.blocksInUse = memory.usedCount
    while scheduler.isIdle, submitted.isEmpty, cancelled.isEmpty, !isStopping { condition.wait() }
    let (new, ended, stops) = (submitted, cancelled, isStopping)
    (submitted, cancelled) = ([], [])
    condition.unlock()
    if stops { return false }
    for submission in new {
      let group = PromptGroup(
        submission.request, ordinal: submission.ordinal,
        contextLength: decoder.configuration.maxPositionEmbeddings, tokenizer: tokenizer,
        deliver: submission.deliver)
      groups[group.ordinal] = group
      scheduler.add(group)
    }
    for ordinal in ended.sorted() {
      guard let group = groups[ordinal] else { continue }
      for sample in scheduler.remove(group) { end(sample, .cancelled) }
    }
    return true
  }

  /// What a step made of a piece of its work.
  private enum Outcome {
    /// A prompt of which more is to come.
    case nothing
    case failed(GenerationError)
    /// The logits of what follows a whole prompt.
    case prompt(Tensor)
    /// The sample has taken the token; `text` is what became certain with it.
    case token(Sampler.Choice, text: String)
  }

  private func step() {
    let plan = scheduler.plan()
    begin(plan.beginning)
    scheduler.releasePrompts(of: plan.beginning)
    if !plan.work.isEmpty {
      let outcomes = compute(plan)
      for (index, work) in plan.work.enumerated() {
        if case .prompt = work { counts.promptTokens += plan.parts[index].tokens.count }
        take(outcomes[index], of: work)
      }
    }
    scheduler.removeFinished()
  }

  /// Gives samples the first token behind their prompt.
  private func begin(_ samples: [Sample]) {
    let beginning = samples.compactMap { sample in sample.group.logits.map { (sample, $0) } }
    if beginning.isEmpty { return }
    let logits = Tensor(uninitialized: [beginning.count, decoder.configuration.vocabSize])
    var rows: [(sample: Sample, logits: UnsafeMutablePointer<Float>)] = []
    for (row, (sample, following)) in beginning.enumerated() {
      logits.row(row).update(from: following.pointer, count: logits.columns)
      rows.append((sample, logits.row(row)))
    }
    var outcomes = [Outcome](repeating: .nothing, count: rows.count)
    outcomes.withUnsafeMutableBufferPointer { outcomes in
      nonisolated(unsafe) let outcomes = outcomes
      choose(rows) { outcomes[$0] = $1 }
    }
    withExtendedLifetime(logits) {}
    for (outcome, (sample, _)) in zip(outcomes, beginning) { take(outcome, of: .sample(sample)) }
  }

  /// Computes a step, and chooses the samples' next tokens.
  private func compute(_ plan: Scheduler.Plan) -> [Outcome] {
    let shares = decoder.shares(of: plan.parts.map(\.tokens.count))
    var outcomes = [Outcome](repeating: .nothing, count: plan.work.count)
    outcomes.withUnsafeMutableBufferPointer { outcomes in
      nonisolated(unsafe) let outcomes = outcomes
      nonisolated(unsafe) let plan = plan
      if shares.count == 1 {
        compute(plan, shares[0], outcomes)
      } else {
        ThreadPool.shared.run(shares.count) { index, _ in compute(plan, shares[index], outcomes) }
      }
    }
    return outcomes
  }

  private func compute(
    _ plan: Scheduler.Plan, _ share: Range<Int>, _ outcomes: UnsafeMutableBufferPointer<Outcome>
  ) {
    let output: StepOutput
    do {
      output = try decoder.step(Array(plan.parts[share]))
    } catch {
      // Tokens were checked when they were asked for; whatever it is, it concerns these alone.
      for index in share { outcomes[index] = .failed(GenerationError(error.description)) }
      return
    }
    var row = 0
    var places: [Int] = []
    var rows: [(sample: Sample, logits: UnsafeMutablePointer<Float>)] = []
    for index in share {
      let wantsLogits = plan.parts[index].wantsLogits
      defer { if wantsLogits { row += 1 } }
      if let layer = output.brokenLayers[index - share.lowerBound] {
        outcomes[index] = .failed(Self.brokenError("layer \(layer)"))
      } else if wantsLogits {
        switch plan.work[index] {
        case .sample(let sample):
          places.append(index)
          rows.append((sample, output.logits.row(row)))
        case .prompt: outcomes[index] = .prompt(output.logits.rows(row..<row + 1).copy())
        }
      }
    }
    choose(rows) { outcomes[places[$0]] = $1 }
    withExtendedLifetime(output) {}
  }

  private static func brokenError(_ what: String) -> GenerationError {
    GenerationError(
      "The output of \(what) holds NaN or infinity for this sequence. The weights are damaged, or "
        + "their training diverged; take an earlier checkpoint.")
  }

  /// Chooses the next token of each sample, all at once, and gives it to the sample; the logits are
  /// used up.
  private func choose(
    _ rows: [(sample: Sample, logits: UnsafeMutablePointer<Float>)],
    outcome: (_ row: Int, _ outcome: Outcome) -> Void
  ) {
    let count = decoder.configuration.vocabSize
    func choose(_ row: Int, _ scratch: UnsafeMutablePointer<Float>) {
      let (sample, logits) = rows[row]
      let choice = sample.group.sampler.choose(
        from: logits, count: count, occurred: sample.occurred, forced: sample.forcedToken,
        uniform: sample.uniform, scratch: scratch)
      outcome(
        row,
        choice.map { .token($0, text: sample.accept($0)) } ?? .failed(Self.brokenError("the head")))
    }
    let pool = ThreadPool.shared
    let scratch = Tensor(uninitialized: [pool.threads, Sampler.scratchCount(count)])
    if rows.count == 1 {
      // The sampler itself shares its work among threads where it is not in a loop already.
      choose(0, scratch.pointer)
    } else {
      pool.run(rows.count) { row, worker in choose(row, scratch.row(worker)) }
    }
    withExtendedLifetime(scratch) {}
  }

  /// Reports what became of a piece of work.
  private func take(_ outcome: Outcome, of work: Scheduler.Work) {
    switch (outcome, work) {
    case (.failed(let error), _): fail(work, error)
    case (.prompt(let logits), .prompt(let group)): group.logits = logits
    // Without keys and values it has ended already, with all of its group.
    case (.token(let choice, let text), .sample(let sample)) where sample.sequence != nil:
      counts.tokens += 1
      sample.group.send(
        .token(
          sample: sample.index, id: choice.token, text: text,
          logProbability: choice.logProbability))
      if let reason = sample.finishReason { end(sample, reason) }
    default: break
    }
  }

  private func fail(_ work: Scheduler.Work, _ error: GenerationError) {
    switch work {
    case .sample(let sample): end(sample, .failed(error))
    case .prompt(let group):
      for sample in scheduler.remove(group) { end(sample, .failed(error)) }
    }
  }

  private func end(_ sample: Sample, _ reason: FinishReason) {
    let group = sample.group
    sample.finish(reason)
    counts.finished += 1
    group.send(.finished(sample.completion))
    group.unfinished -= 1
    if group.unfinished == 0 { groups[group.ordinal] = nil }
  }
}
