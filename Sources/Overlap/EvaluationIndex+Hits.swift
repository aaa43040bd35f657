/// Looking for the questions in a text.
extension EvaluationIndex {
  enum Place { case prompt, trace }

  /// The hits in a training problem as it is put to a model, the greatest share first.
  public func hits(inPrompt text: String) -> [OverlapHit] { findings(inPrompt: text).hits }

  /// The hits in a chain of thought or an answer, the greatest share first.
  public func hits(inTrace text: String) -> [OverlapHit] { findings(inTrace: text).hits }

  /// Hits, and apart from them questions with other numbers.
  public func findings(inPrompt text: String) -> OverlapFindings { findings(text, .prompt) }

  /// See `findings(inPrompt:)`; a trace is not compared with questions as a whole.
  public func findings(inTrace text: String) -> OverlapFindings { findings(text, .trace) }

  private func findings(_ text: String, _ place: Place) -> OverlapFindings {
    var text = text
    return text.withUTF8 { bytes in
      let read = OverlapText(bytes)
      var best: [Int: Candidate] = [:]
      for candidate in candidates(read.words, place: place) {
        if let other = best[candidate.item], !candidate.isBetter(than: other) { continue }
        best[candidate.item] = candidate
      }
      var findings = OverlapFindings()
      for candidate in best.values.sorted(by: {
        ($1.share, $0.item) < ($0.share, $1.item)
      }) {
        let range =
          read.ranges[candidate.words.lowerBound]
          .lowerBound..<read.ranges[candidate.words.upperBound - 1].upperBound
        let hit = OverlapHit(
          rule: candidate.rule, set: names[candidate.item].set, id: names[candidate.item].id,
          words: String(decoding: bytes[range], as: UTF8.self), bytes: range,
          share: candidate.share, numbersDiffer: candidate.numbersDiffer, reason: reason(candidate))
        if candidate.numbersDiffer && !rules.variantsAreHits {
          findings.variants.append(hit)
        } else {
          findings.hits.append(hit)
        }
      }
      return findings
    }
  }

  /// A question that a rule found in a text.
  struct Candidate {
    var item: Int
    var rule: OverlapHit.Rule
    /// The longest stretch of shared words, by their places; never empty.
    var words: Range<Int>
    var share: Double
    var distinctiveWords: Int
    var numbersDiffer: Bool

    /// The greater share; of equal ones the rule that comes first.
    func isBetter(than other: Candidate) -> Bool {
      let order = OverlapHit.Rule.allCases
      return share > other.share
        || (share == other.share
          && (order.firstIndex(of: rule) ?? 0) < (order.firstIndex(of: other.rule) ?? 0))
    }
  }

  /// Every rule's findings in a text.
  func candidates(_ words: [UInt64], place: Place) -> [Candidate] {
    guard !words.isEmpty else { return [] }
    let hash = RollingHash(words)
    var found: [Candidate] = []
    let wordRules: [(OverlapHit.Rule, DecontaminationRules.WordRule?)] =
      place == .prompt
      ? [(.question, rules.question), (.prompt, rules.prompt), (.solution, rules.solution)]
      : [(.trace, rules.trace), (.solution, rules.solution)]
    for (name, rule) in wordRules {
      if let rule { found += sharedRuns(words, hash, name, rule) }
    }
    if place == .prompt, let rule = rules.similarity { found += similar(words, rule) }
    return found
  }

  // MARK: Runs of words

  private struct Match {
    var text: Int
    var position: Int
    var place: Int
    var length: Int
    var isDistinctive: Bool
  }

  private func sharedRuns(
    _ words: [UInt64], _ hash: RollingHash, _ name: OverlapHit.Rule,
    _ rule: DecontaminationRules.WordRule
  ) -> [Candidate] {
    guard let table = tables[name] else { return [] }
    var matches: [Match] = []
    table.forEachMatch(in: hash) { length, place, entry in
      for run in table.places(of: entry) {
        matches.append(
          Match(
            text: Int(run.text), position: Int(run.position), place: place, length: length,
            isDistinctive: table.isDistinctive[entry]))
      }
    }
    matches.sort { ($0.text, $0.place, $0.position) < ($1.text, $1.place, $1.position) }
    var found: [Candidate] = []
    var start = 0
    while start < matches.count {
      // What stands far apart in a long text was not taken from the question as one.
      let reach = 2 * texts[matches[start].text].count + 64
      var end = start + 1
      while end < matches.count, matches[end].text == matches[start].text,
        matches[end].place - matches[end - 1].place <= reach
      {
        end += 1
      }
      if let candidate = candidate(matches[start..<end], words, name, rule) {
        found.append(candidate)
      }
      start = end
    }
    return found
  }

  private func candidate(
    _ matches: ArraySlice<Match>, _ words: [UInt64], _ name: OverlapHit.Rule,
    _ rule: DecontaminationRules.WordRule
  ) -> Candidate? {
    guard let first = matches.first, let last = matches.last else { return nil }
    let weight = weights[first.text]
    let count = texts[first.text].count
    var isShared = [Bool](repeating: false, count: count)
    var isDistinctive = isShared
    var longest = first.place..<first.place
    var current = longest
    for match in matches {
      for k in match.position..<match.position + match.length {
        isShared[k] = true
        if match.isDistinctive { isDistinctive[k] = true }
      }
      current =
        match.place <= current.upperBound
        ? current.lowerBound..<max(current.upperBound, match.place + match.length)
        : match.place..<match.place + match.length
      if current.count > longest.count { longest = current }
    }
    func sum(_ places: [Bool]) -> Double {
      Double(
        places.indices.reduce(0 as Float) { $0 + (places[$1] ? weight[$1 + 1] - weight[$1] : 0) })
    }
    let distinctive = sum(isDistinctive)
    let share = sum(isShared) / Double(weight[count])
    guard isDistinctive.contains(true), distinctive >= rule.leastWeight,
      distinctive >= rule.weight || (name != .solution && share >= rule.share)
    else { return nil }
    let item = first.text / 2
    // The part of the text that the question would cover if it stood there as a whole.
    let from = max(0, first.place - first.position)
    let to = min(words.count, last.place + count - last.position)
    return Candidate(
      item: item, rule: name, words: longest, share: share,
      distinctiveWords: isDistinctive.count { $0 },
      numbersDiffer: name != .solution && from < to
        && isVariant(item, QuestionShingles(Array(words[from..<to]))))
  }

  /// The least part of a question's runs, without its numbers, that makes a stretch of text a variant.
  private static let variantShare = 0.75

  /// The least weight of a question's words without its numbers, for it to be like a text numbers
  /// aside: of `What is the value of 513² − 487²` little else is left than in any calculation.
  private static let leastVariantWeight = 2.5

  private func isVariant(_ item: Int, _ text: QuestionShingles) -> Bool {
    let question = questions[item]
    let shared = QuestionShingles.shared(question.masked, text.masked)
    return Double(shared) >= Self.variantShare * Double(question.masked.count)
      && question.numbersDiffer(in: text)
  }

  // MARK: Whole questions

  private func similar(
    _ words: [UInt64], _ rule: DecontaminationRules.SimilarityRule
  ) -> [Candidate] {
    let text = QuestionShingles(words)
    let items = Set(exact.candidates(text.exact)).union(masked.candidates(text.masked))
    return items.sorted().compactMap { item in
      let question = questions[item]
      let exactly = QuestionShingles.jaccard(question.exact, text.exact)
      let withoutNumbers = QuestionShingles.jaccard(question.masked, text.masked)
      let differ = withoutNumbers >= rule.jaccard && question.numbersDiffer(in: text)
      guard
        exactly >= rule.jaccard
          || (differ && question.weightWithoutNumbers >= Self.leastVariantWeight)
      else { return nil }
      return Candidate(
        item: item, rule: .similarity, words: longestShared(question, text),
        share: differ ? withoutNumbers : exactly, distinctiveWords: 0, numbersDiffer: differ)
    }
  }

  /// The longest stretch of a text made of runs of the question; with other numbers if there is none.
  private func longestShared(_ question: QuestionShingles, _ text: QuestionShingles) -> Range<Int> {
    for (of, runs) in [
      (Set(question.runs), text.runs), (Set(question.maskedRuns), text.maskedRuns),
    ] {
      var longest = 0..<0
      var i = 0
      while i < runs.count {
        var end = i
        while end < runs.count, of.contains(runs[end]) { end += 1 }
        if end > i, end - i > longest.count { longest = i..<end }
        i = end + 1
      }
      if !longest.isEmpty {
        let last = longest.upperBound - 1 + text.runLength - 1
        return text.indices[longest.lowerBound]..<text.indices[last] + 1
      }
    }
    return 0..<1
  }

  // MARK: Words

  private func reason(_ candidate: Candidate) -> String {
    let percent = "\(Int((candidate.share * 100).rounded(.down))) %"
    let sentence: String
    switch candidate.rule {
    case .similarity:
      let without = candidate.numbersDiffer ? ", numbers aside" : ""
      sentence = "Prompt and question share \(percent) of their runs of three words\(without)"
    case .solution:
      sentence =
        "The text shares \(candidate.distinctiveWords) words with the reference solution that no "
        + "other item has in a row"
    case .question, .prompt, .trace:
      let rule =
        candidate.rule == .question
        ? rules.question : candidate.rule == .prompt ? rules.prompt : rules.trace
      sentence =
        "\(percent) of the question's weight is shared in runs of \(rule?.n ?? 0) words"
    }
    return sentence + (candidate.numbersDiffer ? "; some numbers differ." : ".")
  }
}
