/// How far a judge model and the rules agree, on answers that both have judged.
public struct JudgeAgreement: Equatable, Codable, Sendable {
  /// Answers by what the rules say and then what the model says.
  public var bothCorrect = 0
  public var rulesCorrectModelWrong = 0
  public var rulesWrongModelCorrect = 0
  public var bothWrong = 0
  /// Answers of which the model gave no verdict.
  public var unparsed = 0

  public init() {}

  mutating func count(rules: Bool, model: Bool?) {
    switch (rules, model) {
    case (true, true?): bothCorrect += 1
    case (true, false?): rulesCorrectModelWrong += 1
    case (false, true?): rulesWrongModelCorrect += 1
    case (false, false?): bothWrong += 1
    case (_, nil): unparsed += 1
    }
  }

  /// Answers that both have judged.
  public var count: Int {
    bothCorrect + rulesCorrectModelWrong + rulesWrongModelCorrect + bothWrong
  }

  /// The share of answers on which both say the same; nil without any.
  public var share: Double? {
    count == 0 ? nil : Double(bothCorrect + bothWrong) / Double(count)
  }

  /// Cohen's kappa: the agreement beyond what chance would give (Cohen, "A Coefficient of Agreement
  /// for Nominal Scales", 1960); nil where chance alone gives all of it.
  ///
  ///     kappa = (p - e) / (1 - e)
  ///
  /// with p the share of equal verdicts, and e the share expected of two independent judges that
  /// say `correct` as often as these two.
  public var kappa: Double? {
    guard let share else { return nil }
    let n = Double(count)
    let rules = Double(bothCorrect + rulesCorrectModelWrong) / n
    let model = Double(bothCorrect + rulesWrongModelCorrect) / n
    let expected = rules * model + (1 - rules) * (1 - model)
    return expected >= 1 ? nil : (share - expected) / (1 - expected)
  }
}
