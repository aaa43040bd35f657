/// Says whether an answer to a problem of mathematics is the reference's.
///
/// It is the one judge of the package: it filters what teachers wrote, rewards, and scores. It is
/// pure: the same texts get the same verdict on every machine and any thread, in bounded work.
public struct Judge: Sendable {
  /// The rules of this judge: a verdict that may differ is another version's.
  public static let version = "1"

  public let limits: JudgeLimits
  /// Where answers are looked for; references are searched by all rules.
  public let rules: AnswerExtraction.Rules

  public init(limits: JudgeLimits = .default, rules: AnswerExtraction.Rules = .all) {
    (self.limits, self.rules) = (limits, rules)
  }

  /// Compares an answer with the reference.
  ///
  /// - Parameters:
  ///   - reference: The right answer: a formula, or a solution that ends in one.
  ///   - answer: A formula, or all that a model wrote.
  ///   - extracting: Look for the answer in both texts as `AnswerExtraction` does; otherwise the
  ///     texts are the formulas.
  ///   - thinkingStarted: The prompt ended with `<think>`: an answer without `</think>` was cut.
  public func verdict(
    reference: String, answer: String, extracting: Bool = true, thinkingStarted: Bool = false
  ) -> Verdict {
    verdict(
      reference: Array(reference.utf8), answer: Array(answer.utf8), extracting: extracting,
      thinkingStarted: thinkingStarted)
  }

  /// Compares texts in UTF-8; see `verdict(reference:answer:extracting:thinkingStarted:)`.
  public func verdict(
    reference: [UInt8], answer: [UInt8], extracting: Bool = true, thinkingStarted: Bool = false
  ) -> Verdict {
    let expected: [UInt8]?
    let given: [UInt8]?
    if extracting {
      expected =
        AnswerExtraction(limits: limits).answer(in: reference, isReference: true)?.text
      given =
        AnswerExtraction(limits: limits, rules: rules)
        .answer(in: answer, thinkingStarted: thinkingStarted)?.text
    } else {
      expected = AnswerExtraction.trimmed(reference)
      given = AnswerExtraction.trimmed(answer)
    }
    guard let expected, !expected.isEmpty else {
      return Verdict(
        outcome: .notUnderstood, rule: .none, reference: nil,
        answer: given.map { String(decoding: $0, as: UTF8.self) },
        reason: "The reference has no answer.", version: Self.version)
    }
    guard let given, !given.isEmpty else {
      return Verdict(
        outcome: .noAnswer, rule: .none, reference: String(decoding: expected, as: UTF8.self),
        answer: nil, reason: "No answer was found.", version: Self.version)
    }
    let finding = compare(expected, given)
    return Verdict(
      outcome: finding.outcome, rule: finding.rule,
      reference: String(decoding: expected, as: UTF8.self),
      answer: String(decoding: given, as: UTF8.self),
      reason: finding.reason, version: Self.version)
  }

  struct Finding {
    var outcome: Verdict.Outcome
    var rule: Verdict.Rule
    var reason: String
    /// Operations that it took.
    var work = 0
  }

  typealias Formula = (expression: MathExpression, isGrouped: Bool)

  /// A trimmed text, and the formula that it is.
  struct Reading {
    let text: [UInt8]
    let formula: Result<Formula, MathParsingError>

    /// Whether it is a formula that can be read in one way only.
    var isPlain: Bool {
      if case .success(let (_, isGrouped)) = formula { !isGrouped } else { false }
    }
  }

  func reading(of text: [UInt8]) -> Reading { Reading(text: text, formula: read(text)) }

  private func compare(_ expected: [UInt8], _ given: [UInt8]) -> Finding {
    if expected == given {
      return Finding(outcome: .correct, rule: .sameText, reason: "The texts are the same.")
    }
    return compare(reading(of: expected), reading(of: given))
  }

  /// Compares two different texts.
  func compare(_ expected: Reading, _ given: Reading) -> Finding {
    guard case .success(let x) = expected.formula, case .success(let y) = given.formula else {
      return compareTexts(expected.text, given.text, expected.formula, given.formula)
    }
    var first = compare(x.expression, y.expression)
    if first.outcome == .correct { return first }
    // Other readings of commas: `1,234` may be two numbers, and `1,5` may be one.
    if x.isGrouped || y.isGrouped,
      case .success(let u) = x.isGrouped
        ? read(expected.text, groupsDigits: false) : expected.formula,
      case .success(let v) = y.isGrouped ? read(given.text, groupsDigits: false) : given.formula
    {
      var second = compare(u.expression, v.expression)
      second.work += first.work
      if second.outcome == .correct { return second }
      first.work = second.work
    }
    if Self.isDecimalComma(expected.text, y.expression, given.text)
      || Self.isDecimalComma(given.text, x.expression, expected.text)
    {
      return Finding(
        outcome: .correct, rule: .decimalComma,
        reason: "The numbers are equal, with the comma read as a decimal point.", work: first.work)
    }
    return first
  }

  private func read(
    _ text: [UInt8], groupsDigits: Bool = true
  ) -> Result<Formula, MathParsingError> {
    do throws(MathParsingError) {
      return .success(
        try MathParser.parse(text, limits: limits, groupsDigits: groupsDigits))
    } catch {
      return .failure(error)
    }
  }

  private func compare(_ reference: MathExpression, _ answer: MathExpression) -> Finding {
    var comparison = Comparison(limits: limits)
    do throws(JudgingLimit) {
      let areEquivalent = try comparison.areEquivalent(reference, answer)
      return Finding(
        outcome: areEquivalent ? .correct : .wrong, rule: comparison.rule,
        reason: Self.reason(comparison.rule, areEquivalent), work: limits.work - comparison.work)
    } catch {
      return Finding(
        outcome: .tooLarge, rule: comparison.rule,
        reason: "The comparison needs more work than the limits allow.", work: limits.work)
    }
  }

  /// Texts of which one is no formula: they are the same or they are not.
  private func compareTexts(
    _ expected: [UInt8], _ given: [UInt8],
    _ reference: Result<Formula, MathParsingError>, _ answer: Result<Formula, MathParsingError>
  ) -> Finding {
    let words = PlainText.normalized(expected)
    if !words.isEmpty, words == PlainText.normalized(given) {
      return Finding(
        outcome: .correct, rule: .sameText,
        reason: "The texts are the same, but for spaces and commands of LaTeX.")
    }
    switch (reference, answer) {
    case (.failure(.tooLarge), _), (_, .failure(.tooLarge)):
      return Finding(
        outcome: .tooLarge, rule: .none, reason: "A formula is longer or deeper than the limits.")
    case (.failure, .failure):
      return Finding(
        outcome: .notUnderstood, rule: .sameText,
        reason: "Neither text is a formula that the judge reads, and they differ.")
    case (.failure, _):
      return Finding(
        outcome: .notUnderstood, rule: .sameText,
        reason: "The reference is no formula that the judge reads, and the texts differ.")
    default:
      return Finding(
        outcome: .notUnderstood, rule: .sameText,
        reason: "The answer is no formula that the judge reads, and the texts differ.")
    }
  }

  /// Whether a text is `1,5`, without a space, and the other is the number 1.5.
  private static func isDecimalComma(
    _ text: [UInt8], _ other: MathExpression, _ otherText: [UInt8]
  ) -> Bool {
    guard case .number(let value) = other, !value.isInteger,
      otherText.contains(UInt8(ascii: ".")), let comma = text.firstIndex(of: UInt8(ascii: ","))
    else { return false }
    var digits = text
    digits[comma] = UInt8(ascii: ".")
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits.removeFirst() }
    guard digits.count < 64,
      digits.allSatisfy({ MathTokens.isDigit($0) || $0 == UInt8(ascii: ".") }),
      digits.last != UInt8(ascii: "."), let number = Rational(decimal: digits)
    else { return false }
    return (isNegative ? -number : number) == value
  }

  private static func reason(_ rule: Verdict.Rule, _ isRight: Bool) -> String {
    switch rule {
    case .sameText, .sameExpression: "The formulas are the same."
    case .value: isRight ? "The values are equal." : "The values differ."
    case .canonicalForm:
      isRight ? "Algebra makes them equal." : "Algebra makes them different."
    case .evaluation:
      isRight
        ? "Their values agree to 160 bits wherever both were evaluated."
        : "Their values differ, or could not be shown to agree."
    case .words: isRight ? "The words are the same." : "The words differ."
    case .lists:
      isRight ? "Each has the other's values." : "The numbers of values, or some values, differ."
    case .tuples:
      isRight ? "The entries are equal, in order." : "The brackets, or some entries, differ."
    case .sets:
      isRight ? "They are the same set of numbers." : "They are different sets of numbers."
    case .matrices: isRight ? "The entries are equal." : "The sizes, or some entries, differ."
    case .relations:
      isRight ? "They have the same solutions." : "They were not shown to have the same solutions."
    case .bases: isRight ? "The digits are the same." : "The digits or the bases differ."
    case .ratios: isRight ? "The ratios are equal." : "The ratios differ."
    case .units: isRight ? "The units agree." : "The units differ."
    case .decimalComma: isRight ? "The numbers are equal." : "The numbers differ."
    case .option: isRight ? "The letters are the same." : "The letters differ."
    case .none: "Nothing was compared."
    }
  }
}

/// Texts that are compared as texts.
enum PlainText {
  /// The text without what says nothing: spaces, dollar signs, and commands that only say how to
  /// print, with the braces of what they print.
  static func normalized(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var i = 0
    var isDropped = false  // a command that says how to print came just before
    var openTexts = 0
    while i < text.count {
      let c = text[i]
      if c == UInt8(ascii: "\\"), i + 1 < text.count, MathTokens.isLetter(text[i + 1]) {
        var stop = i + 1
        while stop < text.count, MathTokens.isLetter(text[stop]) { stop += 1 }
        let name = String(decoding: text[i + 1..<stop], as: UTF8.self)
        isDropped = false
        switch name {
        case "text", "mbox", "textbf", "mathrm", "textrm", "left", "right", "displaystyle", "quad",
          "boxed", "mathbf", "operatorname":
          isDropped = true
        case "dfrac", "tfrac": result += Array("\\frac".utf8)
        default: result += text[i..<stop]
        }
        i = stop
        continue
      }
      i += 1
      switch c {
      case UInt8(ascii: "\\"):
        if i < text.count, ",;:! ".utf8.contains(text[i]) { i += 1 }
      case UInt8(ascii: " "), 9, 10, 13, UInt8(ascii: "$"), UInt8(ascii: "*"), UInt8(ascii: "~"):
        break
      case UInt8(ascii: "{") where isDropped:
        // The braces of `\text{…}` go with it, up to the first that closes.
        openTexts += 1
      case UInt8(ascii: "}") where openTexts > 0:
        openTexts -= 1
      default: result.append(c >= 65 && c <= 90 ? c | 32 : c)
      }
      isDropped = isDropped && c == UInt8(ascii: " ")
    }
    while result.last == UInt8(ascii: ".") { result.removeLast() }
    return result
  }
}
