import Storage
import Verification

extension RewardSettings {
  /// What cannot be meant although it can be read, a sentence each.
  ///
  /// - Parameters:
  ///   - key: The recipe's key that holds these settings.
  ///   - functions: Rewards besides these; with one of them there need be none here.
  public func findings(
    at key: String = "rewards", functions: [RewardFunction] = []
  ) -> [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: @autoclosure () -> String) {
      if !holds { found.append("The recipe: \(words())") }
    }
    check(
      !weights.isEmpty || !functions.isEmpty,
      "'\(key)' is empty. Name a reward, such as 'accuracy: { weight: 1 }'.")
    for (name, weight) in weights {
      check(
        weight != 0, "'\(key).\(name).weight' is 0. Give another, or take the reward out.")
      // Products with a value stay finite.
      check(
        abs(weight) <= Self.greatestWeight,
        "'\(key).\(name).weight' is \(weight); it must lie between -10⁶ and 10⁶.")
    }
    if let language {
      check(
        Language(named: language.language) != nil,
        "'\(key).language.language' is \(quoted(language.language)), no language that is known "
          + "here. Write one of \(Language.codes.map(\.code).joined(separator: ", ")).")
    }
    if let length {
      check(length.most >= 1, "'\(key).length.most' is \(length.most); it must be 1 at least.")
      check(
        length.buffer >= 0 && length.buffer <= max(0, length.most),
        "'\(key).length.buffer' is \(length.buffer); it must lie between 0 and 'most', "
          + "\(length.most).")
    }
    if let repetition {
      check(
        (1...RepetitionShare.longestRun).contains(repetition.words),
        "'\(key).repetition.words' is \(repetition.words); it must lie between 1 and "
          + "\(RepetitionShare.longestRun).")
    }
    if let program {
      check(
        !(program.command.first ?? "").isEmpty,
        "'\(key).program.command' is empty. Write the program and its arguments, such as "
          + "'[\"python3\", \"reward.py\"]'.")
      check(
        program.command.allSatisfy { !$0.utf8.contains(0) },
        "'\(key).program.command' holds a zero byte.")
      check(
        program.timeoutSeconds > 0 && program.timeoutSeconds <= Self.longestTimeout,
        "'\(key).program.timeoutSeconds' is \(program.timeoutSeconds); it must be above 0 and at "
          + "most 86400.")
    }
    for (name, judge) in [("helpfulness", helpfulness), ("harmlessness", harmlessness)] {
      guard let judge else { continue }
      found += judge.teacher.findings(at: "\(key).\(name).teacher")
      check(
        judge.maxTokens >= 1,
        "'\(key).\(name).maxTokens' is \(judge.maxTokens); it must be 1 at least.")
      check(
        (1...100).contains(judge.attempts),
        "'\(key).\(name).attempts' is \(judge.attempts); it must lie between 1 and 100.")
    }
    return found + RewardFunction.findings(functions)
  }

  static let greatestWeight = 1e6
  /// A day.
  private static let longestTimeout = 86_400.0
}

extension Language {
  /// The codes of ISO 639-1.
  static let codes: [(code: String, language: Language)] = [
    ("en", .english), ("es", .spanish), ("fr", .french), ("de", .german), ("pt", .portuguese),
    ("it", .italian), ("ru", .russian), ("uk", .ukrainian), ("bg", .bulgarian), ("ar", .arabic),
    ("fa", .persian), ("ur", .urdu), ("zh", .chinese), ("ja", .japanese), ("ko", .korean),
    ("hi", .hindi),
  ]

  /// A language by its code or its English name in lower case.
  init?(named name: String) {
    guard
      let language = Self.codes.first(where: { $0.code == name })?.language
        ?? Language(rawValue: name)
    else { return nil }
    self = language
  }
}
