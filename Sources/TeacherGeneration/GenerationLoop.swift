import Foundation
import Problems
import Storage
import Teachers

/// The questions that are under way, and what is done with their answers.
///
/// One task owns all of this; its children only ask, judge and wait. A problem is open from its first
/// question to its last decision. What a decision needs is stored before it is made.
final class GenerationLoop {
  private enum Event: Sendable {
    case answered(Int, Range<Int>, Result<[TeacherAnswer], TeacherError>)
    case judged(Int, [AnswerVerdict])
    case tick
  }

  private enum Ending {
    case stopped
    case budget
    case teacher(TeacherError)
    case judging(String)
  }

  /// What is asked, and the beginning of its samples' keys.
  private struct Asked {
    let messages: [TeacherQuestion.Message]
    let key: SampleKey
  }

  private struct OpenProblem {
    let problem: Problem
    /// What all samples are asked; nil if each is asked in its own words.
    let common: Asked?
    var counts: RoundCounts
    /// Samples up to here are wanted in this round.
    var target: Int
    var questions = 0
    var hasFailed = false
    /// The round only brings back samples that were counted before.
    var isRefilling = false
    /// What no round has counted.
    var answers: [(sample: Int, text: String, isCut: Bool, tokens: TokenCount)] = []

    /// The answers of this round, in their order.
    var roundAnswers: [(sample: Int, text: String, isCut: Bool, tokens: TokenCount)] {
      answers.filter { $0.sample < target }.sorted { $0.sample < $1.sample }
    }
  }

  private let run: TeacherGenerationRun
  private let rule: SamplingRule
  private let prompt: ProblemPrompt
  private let folder: RunFolder
  /// The samples of earlier sessions, to be read again where no round has counted them.
  private let earlier: SampleFolder
  private var state: RunState
  private var progress: TeacherGenerationProgress
  private let start = DispatchTime.now()

  private var cursor = 0
  private var open: [Int: OpenProblem] = [:]
  private var questions: [(problem: Int, samples: Range<Int>)] = []
  private var toJudge: [Int] = []
  private var judging = 0
  private var ending: Ending?
  private var stopped: DispatchTime?
  private var isCancelled = false
  private var failures: [String: Int] = [:]
  private var failuresToRetry = 0
  private var infrastructureInARow = 0
  private var tokensBefore = TokenCount()

  /// Problems that wait to be judged before no more questions are asked.
  private static let mostToJudge = 64
  /// As `ProgramJudge` has it.
  private static let mostInfrastructureInARow = 5
  private static let judges = max(1, ProcessInfo.processInfo.activeProcessorCount)

  init(_ run: TeacherGenerationRun, _ folder: RunFolder) throws {
    self.run = run
    self.folder = folder
    rule = SamplingRule(run.recipe)
    prompt = run.recipe.prompt ?? ProblemPrompt()
    earlier = try SampleFolder(at: folder.path)
    state = folder.state
    progress = folder.progress
    tokensBefore = progress.tokens
  }

  func run() async throws -> TeacherGenerationSummary {
    var failure: (any Error)?
    await withTaskGroup(of: Event.self) { group in
      let tick = run.tickSeconds
      group.addTask { await GenerationLoop.wait(tick) }
      do {
        try fill(&group)
        report()
        while progress.questionsInFlight > 0 || judging > 0 {
          guard let event = await group.next() else { break }
          try handle(event, &group)
          try fill(&group)
          report()
        }
      } catch {
        failure = error
      }
      group.cancelAll()
    }
    do {
      try folder.synchronize()
    } catch {
      failure = failure ?? error
    }
    report()
    if let failure { throw stored(failure) }
    return try summary()
  }

  private static func wait(_ seconds: Double) async -> Event {
    try? await Task.sleep(nanoseconds: UInt64(seconds * 1e9))
    return .tick
  }

  // MARK: Asking

  /// Has as many questions under way as the teacher wants, and as many judgements as there are
  /// processors.
  private func fill(_ group: inout TaskGroup<Event>) throws {
    let most = max(1, run.teacher.concurrency)
    while ending == nil, progress.questionsInFlight < most, toJudge.count < Self.mostToJudge {
      if isSpent {
        ending = .budget
        break
      }
      if let (problem, samples) = questions.popLast() {
        try ask(problem, samples, &group)
      } else if let problem = nextProblem() {
        try openProblem(problem)
      } else {
        break
      }
    }
    while ending == nil, judging < Self.judges, let problem = toJudge.popLast() {
      try judge(problem, &group)
    }
  }

  private var isSpent: Bool {
    guard let budget = run.recipe.budget else { return false }
    if let tokens = budget.tokens, progress.tokens.total >= tokens { return true }
    if let most = budget.cost, let spent = cost(of: progress.tokens), spent >= most { return true }
    return false
  }

  private func cost(of tokens: TokenCount) -> Double? { run.recipe.prices?.cost(of: tokens) }

  private func nextProblem() -> Int? {
    while cursor < folder.problems.count {
      defer { cursor += 1 }
      if state.isFailed(cursor) { continue }
      if !state.isDone(cursor) || state.hasGap(cursor) { return cursor }
    }
    return nil
  }

  private func openProblem(_ index: Int) throws {
    let problem = try folder.problems.problem(index)
    var opened = OpenProblem(
      problem: problem,
      common: prompt.isOrderedBySample(problem) ? nil : try asked(problem, sample: 0),
      counts: state.rounds[index] ?? RoundCounts(), target: 0)
    for place in state.uncounted[index] ?? [] {
      let record = try earlier.record(
        at: SampleFolder.Place(
          shard: 0, offset: place.range.lowerBound, length: place.range.count))
      opened.answers.append(Self.answer(record))
    }
    state.uncounted[index] = nil
    state.rounds[index] = nil
    open[index] = opened
    try askRound(index)
  }

  private func asked(_ problem: Problem, sample: Int) throws(ProblemError) -> Asked {
    let settings = run.recipe.sampling.choices
    let turns = try prompt.messages(for: problem, sample: sample, seed: settings.seed)
    let messages = turns.map { TeacherQuestion.Message(role: $0.role, content: $0.content) }
    return Asked(
      messages: messages,
      key: SampleKey(teacher: run.teacher.identity, messages: messages, settings: settings))
  }

  private static func answer(
    _ record: SampleRecord
  ) -> (sample: Int, text: String, isCut: Bool, tokens: TokenCount) {
    (
      record.sample, record.text, record.answer.finishReason == .length, record.answer.tokens
    )
  }

  /// Decides what is wanted of a problem next.
  private func askRound(_ index: Int) throws {
    guard var opened = open[index] else { return }
    opened.isRefilling = state.hasGap(index)
    if opened.isRefilling {
      // What was counted and is gone comes again first; it is not counted twice.
      opened.target = state.countedCount(index)
    } else if !state.isDone(index), case .ask(let target) = rule.decision(after: opened.counts) {
      opened.target = target
    } else {
      state.setDone(index)
      open[index] = nil
      return
    }
    let target = opened.target
    // A question asks in the same words for all its samples.
    let most = opened.common == nil ? 1 : max(1, run.teacher.samplesPerQuestion)
    let missing = state.missing(index, upTo: target, most: most)
    opened.questions = missing.count
    open[index] = opened
    // The last is taken first.
    for samples in missing.reversed() { questions.append((index, samples)) }
    if missing.isEmpty { try endRound(index) }
  }

  private func ask(
    _ index: Int, _ samples: Range<Int>, _ group: inout TaskGroup<Event>
  ) throws {
    guard let opened = open[index] else { return }
    let asked = try opened.common ?? asked(opened.problem, sample: samples.lowerBound)
    let question = TeacherQuestion(
      asked.messages, samples: samples, settings: run.recipe.sampling.choices,
      place: opened.problem.place)
    let teacher = run.teacher
    progress.questionsInFlight += 1
    group.addTask {
      do throws(TeacherError) {
        // Bound first: Swift 6.3.1 loses the values of a throwing call within the tuple.
        let answers = try await teacher.answers(to: question)
        return .answered(index, samples, .success(answers))
      } catch {
        return .answered(index, samples, .failure(error))
      }
    }
  }

  // MARK: Answers

  private func handle(_ event: Event, _ group: inout TaskGroup<Event>) throws {
    switch event {
    case .tick:
      if stopped == nil, run.isStopped() || Task.isCancelled {
        ending = ending ?? .stopped
        stopped = .now()
      }
      if let stopped, Self.seconds(since: stopped) >= run.graceSeconds, !isCancelled {
        isCancelled = true
        group.cancelAll()
      }
      try folder.synchronizeIfDue()
      let tick = run.tickSeconds
      // In a group that is cancelled, nothing waits.
      if !isCancelled, !Task.isCancelled { group.addTask { await GenerationLoop.wait(tick) } }
    case .answered(let index, let samples, let result):
      progress.questionsInFlight -= 1
      open[index]?.questions -= 1
      switch result {
      case .success(let answers): try store(index, samples, answers)
      case .failure(let error): try fail(index, samples, error)
      }
      if let opened = open[index], opened.questions == 0 { try endRound(index) }
    case .judged(let index, let verdicts):
      judging -= 1
      try count(index, verdicts)
    }
  }

  private func store(_ index: Int, _ samples: Range<Int>, _ answers: [TeacherAnswer]) throws {
    guard let opened = open[index] else { return }
    guard answers.count == samples.count else {
      return try fail(
        index, samples,
        TeacherError(
          .attempt, kind: "wrong number of answers",
          "\(opened.problem.place): \(samples.count) answers were asked for, and \(answers.count) "
            + "came."))
    }
    for (sample, answer) in zip(samples, answers) {
      let asked = try opened.common ?? asked(opened.problem, sample: sample)
      let record = SampleRecord(
        key: asked.key.text(sample: sample), problem: opened.problem.id, sample: sample,
        settings: run.recipe.sampling.choices, answer: answer, time: Self.time())
      try folder.samples.append(record)
      _ = state.store(index, sample)
      progress.samples += 1
      progress.add(answer)
      if run.judging != nil, sample >= state.countedCount(index) {
        open[index]?.answers.append(Self.answer(record))
      }
    }
  }

  private func fail(_ index: Int, _ samples: Range<Int>, _ error: TeacherError) throws {
    guard let opened = open[index] else { return }
    open[index]?.hasFailed = true
    switch error.scope {
    case .cancelled:
      if ending == nil { ending = .stopped }
      return
    case .job:
      if ending == nil { ending = .teacher(error) }
      return
    case .question: state.setFailed(index)
    case .attempt: failuresToRetry += 1
    }
    failures[error.kind, default: 0] += 1
    try folder.failures.append(
      RunFolder.failure(opened.problem.id, samples, error, Self.time()))
  }

  /// All questions of a round were answered, or failed.
  private func endRound(_ index: Int) throws {
    guard let opened = open[index] else { return }
    if opened.hasFailed {
      // What is stored of it is counted once the rest is.
      open[index] = nil
    } else if opened.isRefilling {
      try askRound(index)
    } else if run.judging != nil {
      toJudge.insert(index, at: 0)
    } else {
      open[index]?.counts.samples = opened.target
      try askRound(index)
    }
  }

  // MARK: Verdicts

  private func judge(_ index: Int, _ group: inout TaskGroup<Event>) throws {
    guard let opened = open[index], let judging = run.judging else { return }
    let seed = run.recipe.sampling.seed
    let answers = try opened.roundAnswers.map { answer in
      (
        text: answer.isCut ? nil : answer.text,
        problem: try prompt.shown(opened.problem, to: answer.sample, seed: seed)
      )
    }
    self.judging += 1
    group.addTask {
      // Programs are waited for, which the threads of tasks must not do.
      let verdicts = await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          continuation.resume(
            returning: answers.map { text, problem in
              text.map { judging($0, problem) }
                ?? AnswerVerdict(
                  outcome: .noAnswer, reason: "It was cut at the token limit.", version: "none")
            })
        }
      }
      return .judged(index, verdicts)
    }
  }

  private func count(_ index: Int, _ verdicts: [AnswerVerdict]) throws {
    guard var opened = open[index] else { return }
    for verdict in verdicts {
      infrastructureInARow = verdict.outcome == .infrastructure ? infrastructureInARow + 1 : 0
      if infrastructureInARow >= Self.mostInfrastructureInARow, ending == nil {
        ending = .judging(verdict.reason)
      }
    }
    if verdicts.contains(where: { $0.outcome == .infrastructure }) {
      // No decision may rest on it: the next session judges these samples again.
      failures["judging failed", default: 0] += 1
      failuresToRetry += 1
      open[index] = nil
      return
    }
    var new = RoundCounts()
    for (answer, verdict) in zip(opened.roundAnswers, verdicts) {
      new.add(verdict.outcome, answer.tokens)
      opened.counts.add(verdict.outcome, answer.tokens)
    }
    opened.answers.removeAll { $0.sample < opened.target }
    guard opened.counts.samples == opened.target else {
      throw TeacherGenerationError(
        "\(folder.rounds.path): the counts of problem \(quoted(opened.problem.id)) do not fit its "
          + "samples. Remove the file; the samples are then judged again.")
    }
    state.setCounted(index, opened.counts.samples)
    try folder.rounds.append(
      RunFolder.round(
        opened.problem, opened.counts, new: new, rule.decision(after: opened.counts)))
    progress.add(source: opened.problem.source, samples: new.samples, correct: new.correct)
    open[index] = opened
    try askRound(index)
  }

  // MARK: Reports

  private static func seconds(since time: DispatchTime) -> Double {
    Double(DispatchTime.now().uptimeNanoseconds &- time.uptimeNanoseconds) / 1e9
  }

  private static func time() -> String {
    SampleRecord.timeText(Date().timeIntervalSince1970)
  }

  private func report() {
    progress.problemsDone = state.doneCount
    progress.problemsFailed = state.failedCount
    progress.cost = cost(of: progress.tokens)
    progress.failures = failures.map { .init(kind: $0.key, count: $0.value) }.sorted {
      ($1.count, $0.kind) < ($0.count, $1.kind)
    }
    let seconds = Self.seconds(since: start)
    progress.seconds = seconds
    let drawn = progress.samplesInSession
    progress.samplesPerSecond = seconds > 0 ? Double(drawn) / seconds : 0
    progress.tokensPerSecond =
      seconds > 0 ? Double(progress.tokens.completion - tokensBefore.completion) / seconds : 0
    progress.secondsLeft = drawn > 0 ? samplesLeft / progress.samplesPerSecond : nil
    run.observer(progress)
  }

  /// As many samples of each problem that is left as the problems that are done had on average.
  private var samplesLeft: Double {
    let left = Double(max(0, progress.problems - progress.problemsDone - progress.problemsFailed))
    guard run.recipe.adaptive != nil, progress.problemsDone > 0 else {
      let wanted = progress.problems * run.recipe.sampling.samplesPerProblem
      return Double(max(0, wanted - progress.samples))
    }
    return left * Double(progress.samples) / Double(progress.problemsDone)
  }

  /// An error, with what is safe in spite of it.
  private func stored(_ error: any Error) -> TeacherGenerationError {
    let count = progress.samples == 1 ? "1 sample is" : "\(progress.samples) samples are"
    return TeacherGenerationError(
      "\(error) \(count) stored in \(folder.path); the same command goes on from there.")
  }

  private func summary() throws -> TeacherGenerationSummary {
    let ended: TeacherGenerationSummary.Ending
    switch ending {
    case nil: ended = .complete
    case .stopped?: ended = .stopped
    case .budget?: ended = .budget
    case .teacher(let error)?: throw stored(error)
    case .judging(let reason)?:
      throw stored(
        TeacherGenerationError(
          "Judging failed \(Self.mostInfrastructureInARow) times in a row; the last time: \(reason)"
        ))
    }
    return TeacherGenerationSummary(
      ending: ended, progress: progress, failuresToRetry: failuresToRetry,
      failuresForGood: state.failedCount)
  }
}
