import Problems
import Teachers
import Tokenizers
import Verification

/// What the rules for single samples say of one.
struct Assessment: Sendable {
  var reason: DropReason
  /// Nil where the answer was not judged because it was cut.
  var verdict: AnswerVerdict?
  /// Whether the verdict was not known before.
  var isNewVerdict = false
  var tokens = 0
  var counting = TokenCounting.told
  var text = Digest.zero
  var longestParagraph = 0
  /// What the text has in common with an evaluation set, if that is why it was dropped.
  var hit: EvaluationFilter.Hit?
  /// Why it was dropped, and a part of its text; nil for what is kept.
  var explanation: (sentence: String, excerpt: String)?
}

/// Asks the rules for single samples, in their order, up to the first that fails.
struct Assessor: Sendable {
  let recipe: CurationRecipe
  let judge: RuleJudge
  let tokenizer: Tokenizer?
  let evaluation: EvaluationFilter?
  private let readability: Readability
  private let drops: Set<String>

  init(
    _ recipe: CurationRecipe, judge: RuleJudge, tokenizer: Tokenizer?,
    evaluation: EvaluationFilter?
  ) {
    self.recipe = recipe
    self.judge = judge
    self.tokenizer = tokenizer
    self.evaluation = evaluation
    // Mixing languages is one fault, being in another one a fault of its own.
    readability = Readability(recipe.readability.thresholds)
    drops = Set(recipe.readability.drops.map(\.rawValue))
  }

  /// - Parameters:
  ///   - known: The verdict that was kept of an earlier run.
  ///   - questionHit: What the problem's question has in common with evaluation sets.
  func assessment(
    of record: SampleRecord, _ problem: Problem, known: AnswerVerdict?,
    questionHit: EvaluationFilter.Hit?
  ) -> Assessment {
    let text = Array(record.text.utf8)
    var found = Assessment(reason: .kept)
    (found.tokens, found.counting) = tokens(record, text, exactly: false)
    func drop(_ reason: DropReason, _ sentence: String, at byte: Int) -> Assessment {
      found.reason = reason
      found.explanation = (sentence, Funnel.excerpt(text, at: byte))
      return found
    }
    let end = max(0, text.count - 120)

    if record.answer.finishReason == .length, !recipe.keepsCutAnswers {
      return drop(.cut, "It was cut at the limit of \(record.settings.maxTokens) tokens.", at: end)
    }

    let verdict = known ?? judge.verdictWithRetries(record.text, problem)
    found.verdict = verdict
    found.isNewVerdict = known == nil
    if let reason = dropReason(of: verdict.outcome, problem) {
      let answer = verdict.answer.map { " The answer taken from it is \(Self.inLine($0))." } ?? ""
      return drop(reason, verdict.reason + answer, at: end)
    }

    let format = ThinkingFormat(text)
    if recipe.format, let failure = format.failure {
      return drop(DropReason(failure), format.reason, at: 0)
    }
    if !drops.isEmpty {
      let finding = readability.findings(in: text).first { drops.contains($0.kind.rawValue) }
      if let finding {
        return drop(DropReason(finding.kind), finding.reason, at: finding.byte)
      }
    }
    if let language = recipe.language {
      let thinking = Array(text[format.thinking ?? 0..<text.count])
      let consistency = LanguageConsistency.share(of: language.name.language, in: thinking)
      if consistency.share < language.share,
        consistency.countedWords >= readability.thresholds.languageWords
      {
        let percent = Int((consistency.share * 100).rounded())
        return drop(
          .otherLanguage,
          "Only \(percent) % of the words of the thinking are \(language.name.language.name).",
          at: format.thinking?.lowerBound ?? 0)
      }
    }

    (found.tokens, found.counting) = tokens(record, text, exactly: true)
    if let least = recipe.length.minTokens, found.tokens < least {
      return drop(.tooShort, "It has \(found.tokens) tokens, fewer than \(least).", at: 0)
    }
    if let most = recipe.length.maxTokens, found.tokens > most {
      return drop(.tooLong, "It has \(found.tokens) tokens, more than \(most).", at: end)
    }

    if let hit = questionHit {
      found.hit = hit
      return drop(.evaluationQuestion, hit.sentence, at: 0)
    }
    if recipe.decontaminate?.traces ?? false, let hit = evaluation?.hit(inTrace: record.text) {
      found.hit = hit
      return drop(.evaluationTrace, hit.sentence, at: hit.byte)
    }

    found.text = Digest(ofWords: SampleWriting.completion(record).utf8)
    if recipe.perProblem.choose == .mostReadable {
      found.longestParagraph = Self.longestParagraph(text[format.thinking ?? 0..<text.count])
    }
    return found
  }

  /// Why a sample with a verdict is dropped; nil if it goes on to the other rules.
  ///
  /// What a judge model is going to be asked goes on too: it is asked last, and of nothing that
  /// another rule drops.
  private func dropReason(
    of outcome: AnswerVerdict.Outcome, _ problem: Problem
  ) -> DropReason? {
    if outcome == .unjudged, recipe.judge != nil, problem.referenceText != nil { return nil }
    return Self.dropReason(of: outcome, keep: recipe.keep)
  }

  /// Why a sample with this verdict is dropped; nil if it is kept.
  static func dropReason(
    of outcome: AnswerVerdict.Outcome, keep: [CurationRecipe.KeptOutcome]
  ) -> DropReason? {
    switch outcome {
    case .correct: keep.contains(.correct) ? nil : .correct
    case .wrong: keep.contains(.wrong) ? nil : .wrong
    case .noAnswer: keep.contains(.noAnswer) ? nil : .noAnswer
    case .unjudged: keep.contains(.unjudged) ? nil : .unjudged
    case .infrastructure: .infrastructure
    }
  }

  private func tokens(
    _ record: SampleRecord, _ text: [UInt8], exactly: Bool
  ) -> (Int, TokenCounting) {
    if let told = record.answer.completionTokens { return (told, .told) }
    if exactly, let tokenizer { return (tokenizer.encode(record.text).count, .tokenizer) }
    return ((text.count + 3) / 4, .estimate)
  }

  /// The longest paragraph in bytes; blank lines end one.
  static func longestParagraph(_ text: ArraySlice<UInt8>) -> Int {
    var longest = 0
    var length = 0
    for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      if line.allSatisfy({ $0 <= 0x20 }) {
        length = 0
      } else {
        length += line.count + 1
        longest = max(longest, length - 1)
      }
    }
    return longest
  }

  private static func inLine(_ text: String) -> String { Funnel.excerpt(Array(text.utf8)) }
}

extension DropReason {
  init(_ failure: ThinkingFormat.Failure) {
    self =
      switch failure {
      case .noOpening: .noOpening
      case .textBefore: .textBefore
      case .nested: .nested
      case .noClosing: .noClosing
      case .several: .severalThoughts
      case .emptyThinking: .emptyThinking
      case .noAnswer: .nothingBehind
      }
  }

  init(_ kind: ReadabilityFinding.Kind) {
    self =
      switch kind {
      case .mixedLanguages: .mixedLanguages
      case .longParagraph: .longParagraph
      case .codeBlock: .codeBlock
      case .loop: .loop
      case .repeatedSentences: .repeatedSentences
      case .recurringPhrases: .recurringPhrases
      case .repeatedText: .repeatedText
      }
  }
}
