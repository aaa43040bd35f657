/// Evaluation questions, prepared to be looked for in training data.
///
/// ```swift
/// let index = try EvaluationIndex(items, rules: DecontaminationRules())
/// index.hits(inPrompt: problem).isEmpty && index.hits(inTrace: answer).isEmpty  // may be kept
/// ```
///
/// It does not change once it is made, and may be asked by several threads at once. The same texts
/// get the same hits on every machine.
public struct EvaluationIndex: Sendable {
  public let rules: DecontaminationRules
  /// Questions that have no words, such as pictures: nothing can find them.
  public let wordless: [EvaluationItem]
  let names: [(set: String, id: String)]
  let questions: [QuestionShingles]
  /// The words of each question and each solution, the question of item k at 2k.
  let texts: [[UInt64]]
  /// By text, the weight of its words before each place, and of all at the end.
  let weights: [[Float]]
  let exact: SimilarQuestions
  let masked: SimilarQuestions
  var tables: [OverlapHit.Rule: RunTable] = [:]

  /// So that numbers of 32 bits hold every place.
  static let mostWords = 1 << 28

  /// Indexes the items of any number of sets.
  ///
  /// - Parameter background: Texts that are like training data, such as many training problems; what
  ///   several of them share with a question without being that question is boilerplate. A text
  ///   that holds the question itself does not count, nor does one text twice.
  /// - Throws: `OverlapError` if a rule's value makes no sense, or the items are too long.
  public init(
    _ items: [EvaluationItem], rules: DecontaminationRules = DecontaminationRules(),
    background: some Sequence<String> = EmptyCollection<String>()
  ) throws(OverlapError) {
    try rules.check()
    self.rules = rules
    var texts: [[UInt64]] = []
    for item in items {
      texts.append(OverlapText(item.question).words)
      texts.append(item.solution.map { OverlapText($0).words } ?? [])
    }
    try Self.check(wordCount: texts.reduce(0) { $0 + $1.count })
    self.texts = texts
    names = items.map { ($0.set, $0.id) }
    wordless = items.indices.filter { texts[2 * $0].isEmpty }.map { items[$0] }
    weights = texts.map { words in
      var sum: Float = 0
      return [0]
        + words.map { word in
          sum += Float(WordWeights.weight(of: word))
          return sum
        }
    }
    let questions = items.indices.map { QuestionShingles(texts[2 * $0]) }
    self.questions = questions
    let threshold = rules.similarity?.jaccard ?? DecontaminationRules.SimilarityRule().jaccard
    exact = SimilarQuestions(questions.map(\.exact), threshold: threshold)
    masked = SimilarQuestions(questions.map(\.masked), threshold: threshold)

    // The same question in two sets, perhaps set in another way, is one: what only its copies share
    // is no boilerplate.
    var group = Array(items.indices)
    for k in items.indices {
      group[k] =
        exact.candidates(questions[k].exact).first {
          $0 < k
            && QuestionShingles.jaccard(questions[$0].exact, questions[k].exact) >= threshold
        }.map { group[$0] } ?? k
    }
    let groups = texts.indices.map { group[$0 / 2] }
    func table(_ rule: DecontaminationRules.WordRule?, _ part: Int) -> RunTable? {
      rule.map { rule in
        RunTable(
          // A text that weighs too little can't be a hit, and would cost each search a look-up.
          texts.indices.filter {
            $0 % 2 == part && Double(weights[$0].last ?? 0) >= rule.leastWeight
          }.map { ($0, texts[$0]) },
          n: rule.n, groups: groups, wholeIfShorter: part == 0)
      }
    }
    tables[.question] = table(rules.question, 0)
    tables[.prompt] = table(rules.prompt, 0)
    tables[.trace] = table(rules.trace, 0)
    tables[.solution] = table(rules.solution, 1)
    learn(background)
  }

  /// The least part of a question's weight with which a background text holds the question itself.
  ///
  /// Not less: what shares a frame with a question is often a hit until the frame is known to be
  /// one, and would never teach it. Texts that are like a question are found by their similarity,
  /// which asks for no distinctive run.
  private static let wholeShare = 0.9

  static func check(wordCount: Int) throws(OverlapError) {
    guard wordCount <= mostWords else {
      throw OverlapError(
        "The evaluation items have \(wordCount) words; an index holds \(mostWords). Make several.")
    }
  }

  /// Marks the runs that several background texts hold.
  private mutating func learn(_ background: some Sequence<String>) {
    var seen: Set<UInt64> = []
    var counts = tables.mapValues { [Int](repeating: 0, count: $0.entryCount) }
    for text in background {
      let words = OverlapText(text).words
      let hash = RollingHash(words)
      var whole: UInt64 = 0
      hash.forEachRun(of: words.count) { _, key in whole = key }
      guard seen.insert(whole).inserted else { continue }
      let itself = Set(
        candidates(words, place: .prompt).filter {
          $0.rule != .similarity && $0.rule != .solution && $0.share >= Self.wholeShare
        }.map(\.item))
      for rule in OverlapHit.Rule.allCases {
        guard let table = tables[rule] else { continue }
        var entries: Set<Int> = []
        table.forEachMatch(in: hash) { _, _, entry in entries.insert(entry) }
        for entry in entries
        where table.places(of: entry).allSatisfy({ !itself.contains(Int($0.text) / 2) }) {
          counts[rule]?[entry] += 1
        }
      }
    }
    for (rule, counts) in counts {
      for (entry, count) in counts.enumerated() where count >= rules.backgroundTexts {
        tables[rule]?.markAsBoilerplate(entry)
      }
    }
  }

  public var itemCount: Int { names.count }

  /// About how many bytes the index holds.
  public var byteCount: Int {
    tables.values.reduce(0) { $0 + $1.byteCount } + exact.byteCount + masked.byteCount
      + texts.reduce(0) { $0 + $1.count * 12 + 64 }
      + questions.reduce(0) { $0 + $1.words.count * 16 + ($1.runs.count + $1.exact.count) * 16 }
  }
}
