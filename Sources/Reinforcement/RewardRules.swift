import Problems
import Storage
import Verification

/// What one reward says of one answer.
enum RewardOutcome: Equatable, Sendable {
  /// Before the weight, and why, where there is something to say.
  case value(Double, String?)
  /// Something other than the answer failed, in one sentence: there is no value.
  case failed(String)
}

/// An answer's text as its thinking and what follows.
struct AnswerParts {
  let bytes: [UInt8]
  let format: ThinkingFormat

  init(_ text: String) {
    bytes = Array(text.utf8)
    format = ThinkingFormat(bytes)
  }

  /// What is thought; nil if no thinking began.
  var thinking: ArraySlice<UInt8>? { format.thinking.map { bytes[$0] } }

  /// What the user gets to read, without the white space around it: nothing of any thinking, and
  /// empty where the text was cut while it thought.
  var content: ArraySlice<UInt8> {
    guard let range = format.answer else { return [] }
    // Thinking that begins again, and is not closed, is no answer either.
    let text = bytes[range]
    return trimmed(text[..<(firstPlace(of: "<think>", in: text) ?? text.endIndex)])
  }
}

/// The rewards that are functions of the answer alone, besides the programs under test.
struct RewardRules: Sendable {
  let verdict: @Sendable (_ text: String, Problem) -> AnswerVerdict

  // MARK: Accuracy

  /// 1 or 0; what no rule can judge, and what failed for the machine's sake, has no value.
  ///
  /// A text without a final answer is wrong: an empty one, one that was cut while thinking, a reply
  /// without a program.
  func accuracy(
    of answer: SampledAnswer, _ settings: RewardSettings.Accuracy
  ) -> RewardOutcome {
    if answer.isCut, !settings.judgesCutAnswers {
      return .value(0, "The answer was cut at the token limit.")
    }
    let verdict = verdict(answer.text, answer.problem)
    let reason = Self.reason(verdict, answer.problem)
    switch verdict.outcome {
    case .correct: return .value(1, reason)
    case .wrong, .noAnswer: return .value(0, reason)
    case .infrastructure: return .failed(verdict.reason)
    case .unjudged:
      if settings.unjudged == .wrong, case .answer = answer.problem.reference,
        verdict.answer != nil
      {
        return .value(0, reason)
      }
      return .failed(reason)
    }
  }

  private static func reason(_ verdict: AnswerVerdict, _ problem: Problem) -> String {
    if case .program = problem.reference { return verdict.reason }
    guard let answer = verdict.answer, verdict.reason.utf8.last == UInt8(ascii: ".") else {
      return verdict.reason
    }
    return "\(verdict.reason.dropLast()): \(quoted(answer))."
  }

  // MARK: Format

  /// 1 if the text is one `<think>…</think>` and then an answer; else 0.
  ///
  /// The text begins with what the prompt began, so that a prefilled `<think>` counts like one that
  /// the policy wrote.
  static func format(
    of parts: AnswerParts, _ settings: RewardSettings.Format
  ) -> RewardOutcome {
    guard parts.format.isRight, let range = parts.format.answer else {
      return .value(0, parts.format.reason)
    }
    if settings.answerTags, let reason = AnswerTags.fault(in: parts.bytes[range]) {
      return .value(0, reason)
    }
    return .value(1, nil)
  }

  // MARK: Language

  /// The share of the words of the chain of thought that are in the language.
  ///
  /// Without a chain of thought it is 0, so that nothing is gained by not thinking; with one that
  /// has no words that count, formulas alone, it is 1.
  static func language(of parts: AnswerParts, _ language: Language) -> RewardOutcome {
    guard let thinking = parts.thinking, !trimmed(thinking).isEmpty else {
      return .value(0, "There is no chain of thought.")
    }
    let found = LanguageConsistency.share(of: language, in: Array(thinking))
    if found.share >= 1 { return .value(found.share, nil) }
    let percent = Int((found.share * 100).rounded(.down))
    return .value(found.share, "\(percent) % of the words of the thinking are \(language.name).")
  }

  // MARK: Length

  /// DAPO's soft overlong punishment (Yu et al., 2025, <https://arxiv.org/abs/2503.14476>, eq. 13),
  /// for an answer of n tokens, L = `most` and b = `buffer`:
  ///
  ///     0                for n ≤ L − b
  ///     (L − b − n) / b  for L − b < n ≤ L
  ///     −1               for n > L
  static func length(of tokens: Int, _ settings: RewardSettings.Length) -> RewardOutcome {
    let start = settings.most - settings.buffer
    guard tokens > start else { return .value(0, nil) }
    // Where the buffer is 0, the second row is empty.
    let value = tokens > settings.most ? -1 : Double(start - tokens) / Double(settings.buffer)
    return .value(
      value, "The answer has \(tokens) tokens; more than \(start) are punished.")
  }

  // MARK: Repetition

  /// The share of the text's runs of words that are there before, negated.
  static func repetition(
    of parts: AnswerParts, _ settings: RewardSettings.Repetition
  ) -> RewardOutcome {
    let found = RepetitionShare(parts.bytes, words: settings.words)
    guard found.repeated > 0 else { return .value(0, nil) }
    return .value(
      -found.share,
      "\(found.repeated) of \(found.runs) runs of \(settings.words) words were written before.")
  }
}

/// The tags that R1-Zero's prompt asks for around the answer.
enum AnswerTags {
  /// Why what follows `</think>` is not one `<answer>…</answer>` with something in it, besides white
  /// space and special tokens behind; nil if it is.
  static func fault(in text: ArraySlice<UInt8>) -> String? {
    var text = trimmed(text)
    guard text.starts(with: "<answer>".utf8) else {
      return "The answer does not begin with '<answer>'."
    }
    text = text.dropFirst(8)
    guard let end = firstPlace(of: "</answer>", in: text) else {
      return "The answer is not closed by '</answer>'."
    }
    if let second = firstPlace(of: "<answer>", in: text), second < end {
      return "There is a second '<answer>' within the answer."
    }
    if trimmed(text[..<end]).isEmpty {
      return "There is nothing between '<answer>' and '</answer>'."
    }
    // Special tokens of chat templates end what was said: `<|im_end|>`, `<｜end▁of▁sentence｜>`.
    let behind = trimmed(text[(end + 9)...])
    let isOver = behind.isEmpty || behind.starts(with: "<|".utf8) || behind.starts(with: "<｜".utf8)
    return isOver ? nil : "There is text behind '</answer>'."
  }
}

/// A text without the white space around it.
func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var text = text.drop { $0 <= 32 }
  while let last = text.last, last <= 32 { text.removeLast() }
  return text
}

/// Where a mark stands first.
func firstPlace(of mark: StaticString, in text: ArraySlice<UInt8>) -> Int? {
  mark.withUTF8Buffer { mark in
    guard let first = mark.first, text.count >= mark.count else { return nil }
    var i = text.startIndex
    while i <= text.endIndex - mark.count {
      if text[i] == first, text[i..<i + mark.count].elementsEqual(mark) { return i }
      i += 1
    }
    return nil
  }
}
