import Problems
import Storage
import Teachers
import Verification

extension CurationRun {
  /// Asks the judge model about answers that no rule can judge, and about some that rules have
  /// judged, to tell how far both agree.
  func askModel(
    _ inputs: CurationInputs, _ state: inout CurationState,
    _ isStopped: @escaping @Sendable () -> Bool,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws {
    guard let settings = recipe.judge, let model else { return }
    let judge = try ModelJudge(settings, teacher: model, in: workPath)
    let compared = state.agreementItems.map(\.entry).sorted()
    let asked = state.pending + compared
    var items: [(entry: SampleEntry, problem: ProblemEntry)] = []
    for number in asked {
      let entry = state.selection.entries[number]
      items.append((entry, state.selection.problems[Int(entry.problem)]))
    }
    let judgements = try await judgements(of: items, by: judge, inputs, isStopped, progress)
    try judge.synchronize()

    for (i, number) in state.pending.enumerated() {
      let problem = Int(items[i].entry.problem)
      let outcome: AnswerVerdict.Outcome
      let sentence: String
      switch judgements[i] {
      case .correct:
        (outcome, sentence) = (.correct, "The judge model finds it correct.")
        state.modelCounts.correct += 1
      case .wrong:
        (outcome, sentence) = (.wrong, "The judge model finds it wrong.")
        state.modelCounts.wrong += 1
      case .unparsed:
        (outcome, sentence) = (.unjudged, "No reply of the judge model holds one verdict.")
        state.modelCounts.unparsed += 1
      case .failed(let reason):
        (outcome, sentence) = (.infrastructure, reason)
        state.modelCounts.failed += 1
        state.failures.append(reason)
      }
      state.modelCounts.asked += 1
      state.judged += 1
      state.selection.entries[number].outcome = outcome
      if outcome == .correct || outcome == .wrong {
        state.judgedByModel.insert(number)
        state.selection.problems[problem].judged += 1
        if outcome == .correct { state.selection.problems[problem].correct += 1 }
      }
      if let reason = Assessor.dropReason(of: outcome, keep: recipe.keep) {
        try drop(number, reason, sentence, inputs, &state)
      }
    }
    for (judgement, number) in zip(judgements.dropFirst(state.pending.count), compared) {
      if case .failed = judgement { continue }
      state.agreement?.count(
        rules: state.selection.entries[number].outcome == .correct, model: judgement.isCorrect)
    }
    let spent = judge.spent
    state.modelCounts.model = model.name
    state.modelCounts.replies = spent.replies
    state.modelCounts.promptTokens = spent.promptTokens
    state.modelCounts.completionTokens = spent.completionTokens
    try checkJudging(state)
  }

  /// The judgements of items in their order, so many at once as the model likes.
  private func judgements(
    of items: [(entry: SampleEntry, problem: ProblemEntry)], by judge: ModelJudge,
    _ inputs: CurationInputs, _ isStopped: @escaping @Sendable () -> Bool,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws -> [ModelJudge.Judgement] {
    var judgements = [ModelJudge.Judgement](repeating: .unparsed, count: items.count)
    try await withThrowingTaskGroup(of: (Int, ModelJudge.Judgement).self) { group in
      var next = 0
      var done = 0
      func ask() {
        guard next < items.count, !isStopped() else { return }
        let number = next
        let (entry, problem) = items[number]
        next += 1
        group.addTask {
          guard let item = try Self.item(entry, problem, inputs) else { return (number, .unparsed) }
          return (number, try await judge.judgement(of: item))
        }
      }
      for _ in 0..<max(1, judge.teacher.concurrency) { ask() }
      while let (number, judgement) = try await group.next() {
        judgements[number] = judgement
        done += 1
        progress(.asked(done, of: items.count))
        ask()
      }
    }
    if isStopped() {
      try judge.synchronize()
      try checkStop(isStopped)
    }
    return judgements
  }

  /// What the model is given of a sample; nil if it holds no final answer.
  private static func item(
    _ entry: SampleEntry, _ problem: ProblemEntry, _ inputs: CurationInputs
  ) throws -> ModelJudge.Item? {
    let input = inputs.runs[Int(entry.run)]
    let record = try input.record(entry)
    let problem = try input.problem(Int(problem.record))
    let text = Array(record.text.utf8)
    guard let reference = problem.referenceText, let range = ThinkingFormat(text).answer else {
      return nil
    }
    let answer = SampleWriting.trimmed(text[range])
    if answer.isEmpty { return nil }
    return ModelJudge.Item(
      question: problem.question, reference: reference,
      answer: String(decoding: answer, as: UTF8.self),
      place: input.place(record, shard: Int(entry.file)))
  }

  /// Drops a sample that passed the rules for single samples, with an example if one is wanted.
  func drop(
    _ number: Int, _ reason: DropReason, _ sentence: @autoclosure () -> String,
    _ inputs: CurationInputs, _ state: inout CurationState
  ) throws {
    state.selection.entries[number].reason = reason
    try addExample(number, reason, sentence(), inputs, &state)
  }

  func addExample(
    _ number: Int, _ reason: DropReason, _ sentence: @autoclosure () throws -> String,
    _ inputs: CurationInputs, _ state: inout CurationState
  ) throws {
    let source = state.source(of: number)
    guard state.funnels[source].wantsExample(of: reason) else { return }
    let entry = state.selection.entries[number]
    let input = inputs.runs[Int(entry.run)]
    let record = try input.record(entry)
    let text = Array(record.text.utf8)
    state.funnels[source].add(
      Funnel.Example(
        reason: reason, place: input.place(record, shard: Int(entry.file)),
        sentence: try sentence(), excerpt: Funnel.excerpt(text, at: max(0, text.count - 120))))
  }
}
