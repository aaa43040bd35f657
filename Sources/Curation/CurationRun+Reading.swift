import Foundation
import Problems
import Storage
import Teachers
import Tokenizers

extension CurationRun {
  /// Records that are looked at together: so many, or so many bytes of answers.
  private static let batch = (records: 256, bytes: 8 << 20)
  /// Batches between two syncs of the verdicts.
  private static let batchesToSync = 32

  /// Pass 1: every sample against the rules for single samples.
  func assess(
    _ inputs: CurationInputs, _ state: inout CurationState, _ isStopped: () -> Bool,
    _ progress: (Progress) -> Void
  ) throws {
    let assessor = Assessor(
      recipe, judge: judge, tokenizer: inputs.tokenizer, evaluation: inputs.evaluation)
    let journal = try VerdictJournal(in: workPath)
    var batches = 0
    for (number, input) in inputs.runs.enumerated() {
      try checkStop(isStopped)
      let problems = try readProblems(input, number, &state)
      var pending: [Pending] = []
      var bytes = 0
      func flush(_ state: inout CurationState) throws {
        if pending.isEmpty { return }
        try add(pending, input, number, assessor, journal, &state)
        pending.removeAll(keepingCapacity: true)
        bytes = 0
        batches += 1
        if batches % Self.batchesToSync == 0 { try journal.synchronize() }
        try checkJudging(state, atLeast: 20)
        progress(
          .read(
            samples: state.selection.entries.count,
            kept: state.selection.entries.count - state.dropped))
        if isStopped() {
          try journal.synchronize()
          try checkStop(isStopped)
        }
      }
      do {
        try input.folder.forEachRecord { record, place in
          guard let problem = problems[Digest(of: [record.problem])] else {
            throw CurationError(
              .input,
              "\(input.place(record, shard: place.shard)): 'problems.jsonl' has no such problem. Put "
                + "the file of this run in its place.")
          }
          guard let problem else {
            state.elsewhere += 1
            return
          }
          pending.append(Pending(record: record, place: place, problem: problem))
          bytes += record.answer.content.utf8.count + (record.answer.reasoning?.utf8.count ?? 0)
          if pending.count >= Self.batch.records || bytes >= Self.batch.bytes {
            try flush(&state)
          }
        }
      } catch let error as SampleError {
        throw CurationError(.input, error.description)
      }
      try flush(&state)
    }
    try journal.synchronize()
  }

  /// A record on its way to the rules.
  private struct Pending: Sendable {
    var record: SampleRecord
    var place: SampleFolder.Place
    /// The problem's number over all runs.
    var problem: UInt32
  }

  /// The problems of a run by a digest of their ids; nil for those of other shards.
  private func readProblems(
    _ input: RunInput, _ run: Int, _ state: inout CurationState
  ) throws(CurationError) -> [Digest: UInt32?] {
    var numbers: [Digest: UInt32?] = [:]
    for record in 0..<input.problemCount {
      let problem = try input.problem(record)
      let id = Digest(of: [problem.id])
      if numbers[id] != nil { continue }
      let question = Digest(ofQuestion: problem.question)
      guard shard?.holds(question) ?? true else {
        numbers[id] = .some(nil)
        continue
      }
      let number = UInt32(clamping: state.selection.problems.count)
      numbers[id] = number
      state.selection.problems.append(
        ProblemEntry(
          run: UInt16(clamping: run),
          source: state.sourceNumber(input.recipe.source ?? problem.source),
          difficulty: state.difficultyNumber(problem.difficulty ?? ""),
          record: UInt32(clamping: record), question: question, group: number))
    }
    return numbers
  }

  /// Judges a batch on all threads, and takes the results in in the order of the records.
  private func add(
    _ pending: [Pending], _ input: RunInput, _ run: Int, _ assessor: Assessor,
    _ journal: VerdictJournal, _ state: inout CurationState
  ) throws {
    let numbers = Array(Set(pending.map(\.problem))).sorted()
    let entries = numbers.map { state.selection.problems[Int($0)] }
    let problems = try workers.map(numbers.count) { i in
      let problem = try input.problem(Int(entries[i].record))
      // Asked once for each problem, unless its samples come far apart.
      let hit = assessor.evaluation?.hit(inPrompt: problem.question)
      return (problem: problem, digest: Digest(of: Array(problem.json.serialized())), hit: hit)
    }
    let places = Dictionary(uniqueKeysWithValues: zip(numbers, problems.indices))
    for (number, problem) in zip(numbers, problems) {
      if state.selection.problems[Int(number)].isContaminated == nil {
        state.selection.problems[Int(number)].isContaminated = problem.hit != nil
        if let hit = problem.hit { state.evaluationHits[hit.set, default: .init()].questions += 1 }
      }
    }
    let keys = pending.map { sample in
      VerdictJournal.key(
        sample.record.key, problems[places[sample.problem] ?? 0].digest, version: judge.version)
    }
    let known = keys.map { journal.verdict($0) }
    let results = try workers.map(pending.count) { i in
      let problem = problems[places[pending[i].problem] ?? 0]
      return assessor.assessment(
        of: pending[i].record, problem.problem, known: known[i], questionHit: problem.hit)
    }
    for (i, result) in results.enumerated() {
      if result.isNewVerdict, let verdict = result.verdict {
        try journal.append(verdict, keys[i])
      }
      let problem = problems[places[pending[i].problem] ?? 0].problem
      add(pending[i], result, problem, input, run, &state)
    }
  }

  private func add(
    _ sample: Pending, _ result: Assessment, _ problem: Problem, _ input: RunInput, _ run: Int,
    _ state: inout CurationState
  ) {
    let record = sample.record
    let number = state.selection.entries.count
    let source = Int(state.selection.problems[Int(sample.problem)].source)
    let key = UInt64(record.key.prefix(16), radix: 16) ?? 0
    state.selection.entries.append(
      SampleEntry(
        offset: UInt64(sample.place.offset), length: UInt32(clamping: sample.place.length),
        file: UInt16(clamping: sample.place.shard), run: UInt16(clamping: run),
        problem: sample.problem, sample: UInt32(clamping: record.sample),
        tokens: UInt32(clamping: result.tokens),
        promptTokens: UInt32(clamping: record.answer.promptTokens ?? 0),
        longestParagraph: UInt32(clamping: result.longestParagraph), key: key, text: result.text,
        reason: result.reason, outcome: result.verdict?.outcome, counting: result.counting))
    state.funnels[source].read += 1
    state.selection.problems[Int(sample.problem)].samples += 1
    state.promptTokens += Int(UInt32(clamping: record.answer.promptTokens ?? 0))
    state.completionTokens += Int(UInt32(clamping: result.tokens))
    state.countings[Int(result.counting.rawValue)] += 1
    if result.reason != .kept { state.dropped += 1 }
    if let verdict = result.verdict { state.judged += verdict.outcome == .unjudged ? 0 : 1 }
    switch result.verdict?.outcome {
    case .correct:
      state.selection.problems[Int(sample.problem)].judged += 1
      state.selection.problems[Int(sample.problem)].correct += 1
    case .wrong, .noAnswer, nil:
      // An answer that was cut is not correct.
      state.selection.problems[Int(sample.problem)].judged += 1
    case .infrastructure: state.failures.append(result.verdict?.reason ?? "")
    case .unjudged:
      if result.reason == .kept, recipe.judge != nil, problem.referenceText != nil {
        state.pending.append(number)
      }
    }
    if result.verdict?.outcome == .correct || result.verdict?.outcome == .wrong,
      problem.referenceText != nil
    {
      state.offerForAgreement(
        number, rank: Digest.mixed(key, seed: recipe.judge?.seed ?? 0),
        most: recipe.judge?.agreement ?? 0)
    }
    if result.reason == .evaluationTrace, let hit = result.hit {
      state.evaluationHits[hit.set, default: .init()].traces += 1
    }
    if let (sentence, excerpt) = result.explanation,
      state.funnels[source].wantsExample(of: result.reason)
    {
      state.funnels[source].add(
        Funnel.Example(
          reason: result.reason, place: input.place(record, shard: sample.place.shard),
          sentence: sentence, excerpt: excerpt))
    }
  }
}

extension CurationState {
  /// Keeps a judged sample among those that the model is asked about too, if its rank is low.
  mutating func offerForAgreement(_ entry: Int, rank: UInt64, most: Int) {
    guard most > 0 else { return }
    if agreementItems.count >= most, let last = agreementItems.last, last.rank <= rank { return }
    let place = agreementItems.firstIndex { $0.rank > rank } ?? agreementItems.count
    agreementItems.insert((rank, entry), at: place)
    if agreementItems.count > most { agreementItems.removeLast() }
  }
}
