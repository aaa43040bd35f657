import Datasets
import Foundation
import Overlap
import Storage

extension CurationRun {
  /// Pass 2: samples against each other.
  func select(_ inputs: CurationInputs, _ state: inout CurationState) throws {
    if recipe.duplicates.exact {
      state.repeatedQuestions = state.selection.groupQuestions()
      for (entry, earlier) in state.selection.dropSameAnswers() {
        let sample = state.selection.entries[earlier].sample
        try addExample(
          entry, .sameAnswer, "Sample \(sample) of the same question has the same text.", inputs,
          &state)
      }
    }
    if let near = recipe.duplicates.near {
      var duplicates: NearDuplicates
      do throws(OverlapError) { duplicates = try NearDuplicates(threshold: near) } catch {
        throw CurationError(.recipe, "The recipe: 'duplicates.near': \(error)")
      }
      let problems = state.selection.problems
      let dropped = try state.selection.dropNearQuestions { number in
        let entry = problems[number]
        let problem = try inputs.runs[Int(entry.run)].problem(Int(entry.record))
        return duplicates.insert(problem.question, id: number).map { ($0.of, $0.similarity) }
      }
      for (entry, earlier, likeness) in dropped {
        let problem = state.selection.problems[earlier]
        let id = try inputs.runs[Int(problem.run)].problem(Int(problem.record)).id
        let percent = Int((likeness * 100).rounded(.down))
        try addExample(
          entry, .nearQuestion,
          "Its question is to \(percent) % like that of problem \(quoted(id)).", inputs, &state)
      }
    }
    if let band = recipe.passRate {
      for (entry, correct, judged) in state.selection.drop(outside: band) {
        try addExample(
          entry, state.selection.entries[entry].reason,
          "\(correct) of \(judged) judged answers to its question are correct.", inputs, &state)
      }
    }
    for entry in state.selection.drop(beyond: recipe.perProblem, seed: recipe.seed) {
      try addExample(entry, .problemLimit, limitSentence, inputs, &state)
    }
  }

  private var limitSentence: String {
    let choice =
      switch recipe.perProblem.choose {
      case .first: "sampled earlier"
      case .shortest: "as short or shorter"
      case .random: "drawn by the seed"
      case .mostReadable: "as readable or more so"
      }
    let most = recipe.perProblem.most ?? 0
    return most == 1
      ? "Its question has another answer, \(choice)."
      : "Its question has \(most) other answers, \(choice)."
  }

  /// Samples of the mixture's sources that pass: a digest and the record's number each.
  struct MixturePart {
    var records: [UInt32] = []
    /// The source's number among the funnels.
    var funnel: Int
  }

  /// Reads the mixture once, past evaluation sets and duplicates.
  func readMixture(
    _ inputs: CurationInputs, _ state: inout CurationState, _ isStopped: () -> Bool,
    _ progress: (Progress) -> Void
  ) throws -> [MixturePart] {
    if inputs.mixture.isEmpty { return [] }
    let filter = inputs.evaluation
    var seen: Set<Digest> = []
    var parts: [MixturePart] = []
    var count = 0
    for (file, source) in zip(inputs.mixture, recipe.mixture) {
      state.funnels.append(Funnel(source.sourceName))
      var part = MixturePart(funnel: state.funnels.count - 1)
      for start in stride(from: 0, to: file.count, by: 512) {
        try checkStop(isStopped)
        let results = try workers.map(min(512, file.count - start)) { i in
          try mixtureResult(file, start + i, source, filter)
        }
        for (i, result) in results.enumerated() {
          guard shard?.holds(result.question) ?? true else { continue }
          state.funnels[part.funnel].read += 1
          var reason = result.reason
          var sentence = result.sentence
          if reason == .kept, recipe.duplicates.exact, !seen.insert(result.text).inserted {
            (reason, sentence) = (
              .sameAnswer, "An earlier sample of the mixture has the same turns."
            )
          }
          if let hit = result.hit {
            if reason == .evaluationQuestion {
              state.evaluationHits[hit.set, default: .init()].questions += 1
            } else {
              state.evaluationHits[hit.set, default: .init()].traces += 1
            }
          }
          if reason == .kept {
            part.records.append(UInt32(clamping: start + i))
          } else {
            state.funnels[part.funnel].count(reason)
            if state.funnels[part.funnel].wantsExample(of: reason) {
              state.funnels[part.funnel].add(
                Funnel.Example(
                  reason: reason, place: file.records.place(of: start + i), sentence: sentence,
                  excerpt: result.excerpt))
            }
          }
        }
        count += results.count
        progress(.mixed(count))
      }
      parts.append(part)
    }
    return parts
  }

  private struct MixtureResult: Sendable {
    var reason = DropReason.kept
    var sentence = ""
    var excerpt = ""
    var hit: EvaluationFilter.Hit?
    var text: Digest
    var question: Digest
  }

  private func mixtureResult(
    _ file: SampleFile, _ index: Int, _ source: CurationRecipe.MixtureSource,
    _ filter: EvaluationFilter?
  ) throws -> MixtureResult {
    let conversation = try Self.conversation(file, index, source)
    let (asked, answered) = conversation.texts
    var result = MixtureResult(
      text: Digest(
        of: conversation.messages.flatMap { message in
          [message.role, Digest(ofWords: message.content.utf8).hex]
        }), question: Digest(ofQuestion: asked))
    result.excerpt = Funnel.excerpt(Array(asked.utf8))
    if let hit = filter?.hit(inPrompt: asked) {
      (result.reason, result.hit, result.sentence) = (.evaluationQuestion, hit, hit.sentence)
    } else if recipe.decontaminate?.traces ?? false,
      let hit = filter?.hit(inTrace: answered)
    {
      (result.reason, result.hit, result.sentence) = (.evaluationTrace, hit, hit.sentence)
      result.excerpt = Funnel.excerpt(Array(answered.utf8), at: hit.byte)
    }
    return result
  }

  static func conversation(
    _ file: SampleFile, _ index: Int, _ source: CurationRecipe.MixtureSource
  ) throws(CurationError) -> MixtureConversation {
    let sample: Sample
    do throws(DatasetError) { sample = try file.sample(index).0 } catch {
      throw CurationError(.input, error.description)
    }
    return try MixtureConversation(sample, reasoning: source.reasoning)
  }

  /// Takes what the mixture takes of every source; the rest is surplus.
  ///
  /// - Returns: The records that are taken of each source of the mixture, and the sentences on what
  ///   there was too little of.
  func takeShares(
    _ inputs: CurationInputs, _ mixture: [MixturePart], _ state: inout CurationState
  ) -> (records: [[UInt32]], shortages: [String]) {
    var left = [Int](repeating: 0, count: inputs.runs.count)
    for entry in state.selection.entries where entry.reason == .kept { left[Int(entry.run)] += 1 }
    func part(_ count: Int?) -> Int? { count.map { shard?.part(of: $0) ?? $0 } }
    var demands = zip(recipe.samples, left).map { run, left in
      MixtureShares.Demand(
        run.source ?? run.run, available: left, count: part(run.count), weight: run.weight)
    }
    demands += zip(recipe.mixture, mixture).map { source, found in
      MixtureShares.Demand(
        source.sourceName, available: found.records.count, count: part(source.count),
        weight: source.weight, share: source.share)
    }
    let shares = MixtureShares(demands, total: part(recipe.total))
    for run in inputs.runs.indices {
      state.selection.drop(ofRun: run, beyond: shares.taken[run], seed: recipe.seed)
    }
    var taken: [[UInt32]] = []
    for (i, found) in mixture.enumerated() {
      let number = inputs.runs.count + i
      let surplus = Set(
        Selection.surplus(
          of: found.records.count, beyond: shares.taken[number],
          seed: recipe.mixture[i].seed ?? recipe.seed, source: number))
      taken.append(
        found.records.indices.filter { !surplus.contains($0) }.map { found.records[$0] })
      state.funnels[found.funnel].count(.surplus, times: surplus.count)
      state.funnels[found.funnel].count(.kept, times: found.records.count - surplus.count)
    }
    return (taken, shares.shortages)
  }
}
