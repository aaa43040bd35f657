import Datasets

extension CurationRun {
  /// What is known once all is selected; languages are told where the samples are written.
  func report(
    _ inputs: CurationInputs, _ state: CurationState, _ mixture: [MixturePart],
    _ shares: (records: [[UInt32]], shortages: [String])
  ) -> CurationReport {
    var report = CurationReport()
    let mixed = Set(mixture.map(\.funnel))
    for (i, funnel) in state.funnels.enumerated() {
      var funnel = funnel
      funnel.sortExamples()
      if mixed.contains(i) { report.mixture.append(funnel) } else { report.sources.append(funnel) }
    }
    report.prompts = prompts(state)
    report.passRates = passRates(state)
    addParts(to: &report, state, mixture, shares.records)
    report.repeatedQuestions = state.repeatedQuestions
    report.judge = recipe.judge == nil ? nil : state.modelCounts
    report.agreement = state.agreement
    report.evaluation = (inputs.evaluation?.names ?? []).map {
      ($0, state.evaluationHits[$0] ?? .init())
    }
    report.cost = cost(state, kept: report.total[.kept])
    report.notes = notes(inputs, state) + shares.shortages
    return report
  }

  private func prompts(_ state: CurationState) -> CurationReport.Prompts {
    var prompts = CurationReport.Prompts()
    prompts.all = state.selection.problems.count
    var isKept = [Bool](repeating: false, count: prompts.all)
    for entry in state.selection.entries where entry.reason == .kept {
      isKept[Int(entry.problem)] = true
    }
    for (problem, isKept) in zip(state.selection.problems, isKept) {
      prompts.sampled += problem.samples > 0 ? 1 : 0
      prompts.solved += problem.correct > 0 ? 1 : 0
      prompts.kept += isKept ? 1 : 0
    }
    return prompts
  }

  private func passRates(_ state: CurationState) -> [CurationReport.PassRate] {
    var rates: [Int: CurationReport.PassRate] = [:]
    for problem in state.selection.problems where problem.judged > 0 {
      let key = Int(problem.source) << 16 | Int(problem.difficulty)
      var rate =
        rates[key]
        ?? CurationReport.PassRate(
          source: state.funnels[Int(problem.source)].source,
          difficulty: state.difficulties[Int(problem.difficulty)])
      rate.problems += 1
      rate.judged += Int(problem.judged)
      rate.correct += Int(problem.correct)
      rate.solved += problem.correct > 0 ? 1 : 0
      rate.meanRate += Double(problem.correct) / Double(problem.judged)
      rates[key] = rate
    }
    return rates.sorted { a, b in
      let (x, y) = (a.key >> 16, b.key >> 16)
      return x == y ? Self.isBefore(a.value.difficulty, b.value.difficulty) : x < y
    }.map { _, rate in
      var rate = rate
      rate.meanRate /= Double(rate.problems)
      return rate
    }
  }

  /// Names that are numbers by their value, then the others by their bytes.
  static func isBefore(_ a: String, _ b: String) -> Bool {
    func number(_ name: String) -> Double? { Double(name).flatMap { $0.isFinite ? $0 : nil } }
    switch (number(a), number(b)) {
    case (let x?, let y?) where x != y: return x < y
    case (_?, nil): return true
    case (nil, _?): return false
    default: return a.utf8.lexicographicallyPrecedes(b.utf8)
    }
  }

  private func addParts(
    to report: inout CurationReport, _ state: CurationState, _ mixture: [MixturePart],
    _ records: [[UInt32]]
  ) {
    var tokens = [Int](repeating: 0, count: state.funnels.count)
    var lengths: [Int] = []
    for entry in state.selection.entries where entry.reason == .kept {
      tokens[Int(state.selection.problems[Int(entry.problem)].source)] += Int(entry.tokens)
      lengths.append(Int(entry.tokens))
    }
    let mixed = Set(mixture.map(\.funnel))
    for (i, funnel) in state.funnels.enumerated() {
      report.parts.append(
        CurationReport.Part(
          name: funnel.source, samples: funnel[.kept], tokens: tokens[i],
          isMixed: mixed.contains(i)))
    }
    if lengths.isEmpty { return }
    let histogram = LengthHistogram(lengths)
    report.lengths = histogram.buckets.map {
      CurationReport.Bucket(tokens: $0.lengths, count: $0.count)
    }
    report.lengthSummary = histogram.lines.last ?? ""
  }

  private func cost(_ state: CurationState, kept: Int) -> CurationReport.Cost {
    var cost = CurationReport.Cost()
    cost.promptTokens = state.promptTokens
    cost.completionTokens = state.completionTokens
    cost.told = state.countings[Int(TokenCounting.told.rawValue)]
    cost.counted = state.countings[Int(TokenCounting.tokenizer.rawValue)]
    cost.estimated = state.countings[Int(TokenCounting.estimate.rawValue)]
    if let prices = recipe.prices {
      let total =
        (Double(cost.promptTokens) * prices.prompt
          + Double(cost.completionTokens) * prices.completion) / 1e6
      cost.total = total
      cost.perKeptSample = kept > 0 ? total / Double(kept) : nil
      cost.currency = prices.currency
    }
    return cost
  }

  private func notes(_ inputs: CurationInputs, _ state: CurationState) -> [String] {
    var notes = state.missingShards
    if inputs.evaluation == nil {
      notes.append(
        "No evaluation sets were looked at: the recipe has no 'decontaminate'.")
    }
    for input in inputs.runs where input.hasOtherWords && recipe.keepInstruction {
      notes.append(
        "\(input.folder.path): its problems were asked in the words of another version; users' turns "
          + "are in those of this one.")
    }
    let estimated = state.countings[Int(TokenCounting.estimate.rawValue)]
    if estimated > 0 {
      notes.append(
        "The tokens of \(CurationReport.grouped(estimated)) completion\(estimated == 1 ? " are" : "s are") taken to be a "
          + "quarter of \(estimated == 1 ? "its" : "their") bytes, since the teacher did not tell"
          + (recipe.tokenizer == nil ? " and the recipe names no 'tokenizer'." : "."))
    }
    if let shard {
      notes.append(
        "This is shard \(shard.index) of \(shard.count); \(state.elsewhere) samples belong to others."
          + (recipe.duplicates.near == nil
            ? "" : " Near duplicates are not seen across shards."))
    }
    if !state.failures.isEmpty {
      let count = state.failures.count
      notes.append(
        "Judging failed for \(count) answer\(count == 1 ? "" : "s"), which says nothing about "
          + "\(count == 1 ? "it; it is" : "them; they are") dropped.")
    }
    for (source, funnel) in zip(recipe.mixture, state.funnels.suffix(recipe.mixture.count))
    where funnel.read == 0 {
      notes.append("\(source.sourceName) gives nothing to the mixture.")
    }
    return notes
  }
}
