/// What becomes of a sample: kept, or dropped by the first rule that it fails.
///
/// Cases are in the order in which rules are asked.
public enum DropReason: UInt8, CaseIterable, Codable, Sendable {
  case kept
  case cut
  case wrong, noAnswer, unjudged, infrastructure, correct
  case noOpening, textBefore, nested, noClosing, severalThoughts, emptyThinking, nothingBehind
  case mixedLanguages, longParagraph, codeBlock, loop, repeatedSentences, recurringPhrases
  case repeatedText
  case otherLanguage
  case tooShort, tooLong
  case evaluationQuestion, evaluationTrace
  case sameAnswer, nearQuestion
  case tooEasy, tooHard
  case problemLimit
  case surplus

  /// Rules that belong together, in the order in which they are asked.
  public enum Stage: String, CaseIterable, Codable, Sendable {
    case finish, verdict, format, readability, language, length, decontamination, duplicates
    case passRate, perProblem, mixture

    /// What a reader calls it.
    public var title: String {
      switch self {
      case .finish: "Finished"
      case .verdict: "Verdict"
      case .format: "Format"
      case .readability: "Readability"
      case .language: "Language"
      case .length: "Length"
      case .decontamination: "Decontamination"
      case .duplicates: "Duplicates"
      case .passRate: "Pass rate"
      case .perProblem: "Per problem"
      case .mixture: "Mixture"
      }
    }
  }

  /// The stage that it belongs to; nil for what is kept.
  public var stage: Stage? {
    switch self {
    case .kept: nil
    case .cut: .finish
    case .wrong, .noAnswer, .unjudged, .infrastructure, .correct: .verdict
    case .noOpening, .textBefore, .nested, .noClosing, .severalThoughts, .emptyThinking,
      .nothingBehind:
      .format
    case .mixedLanguages, .longParagraph, .codeBlock, .loop, .repeatedSentences,
      .recurringPhrases, .repeatedText:
      .readability
    case .otherLanguage: .language
    case .tooShort, .tooLong: .length
    case .evaluationQuestion, .evaluationTrace: .decontamination
    case .sameAnswer, .nearQuestion: .duplicates
    case .tooEasy, .tooHard: .passRate
    case .problemLimit: .perProblem
    case .surplus: .mixture
    }
  }

  /// The name in reports for programs: that of the case.
  public var name: String { "\(self)" }

  /// What a reader is told of such a sample; it goes on a sentence that begins with a count.
  public var words: String {
    switch self {
    case .kept: "kept"
    case .cut: "cut at the token limit"
    case .wrong: "wrong"
    case .noAnswer: "without an answer"
    case .unjudged: "judged by no rule"
    case .infrastructure: "not judged, because judging failed"
    case .correct: "correct, which the recipe does not keep"
    case .noOpening: "without '<think>' before the thinking"
    case .textBefore: "with text before '<think>'"
    case .nested: "with a second '<think>' within the thinking"
    case .noClosing: "without '</think>'"
    case .severalThoughts: "with another tag of thinking behind it"
    case .emptyThinking: "with nothing thought"
    case .nothingBehind: "with nothing behind '</think>'"
    case .mixedLanguages: "mixing languages"
    case .longParagraph: "with long paragraphs"
    case .codeBlock: "with code blocks in the thinking"
    case .loop: "with a loop"
    case .repeatedSentences: "repeating sentences"
    case .recurringPhrases: "repeating phrases"
    case .repeatedText: "repeating long stretches"
    case .otherLanguage: "in another language"
    case .tooShort: "too short"
    case .tooLong: "too long"
    case .evaluationQuestion: "asking an evaluation question"
    case .evaluationTrace: "with an evaluation question in the answer"
    case .sameAnswer: "the same as an earlier answer"
    case .nearQuestion: "asking nearly an earlier problem's question"
    case .tooEasy: "of problems that are too easy"
    case .tooHard: "of problems that are too hard"
    case .problemLimit: "more than a problem may have"
    case .surplus: "more than the mixture takes"
    }
  }
}
