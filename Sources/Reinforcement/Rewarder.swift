import Foundation
import Problems
import Sandbox
import Teachers
import Verification

/// Says what answers of the policy are worth, by the rewards of a recipe and those written in Swift.
///
///     let rewarder = try Rewarder(settings: recipe.rewards, sandbox: sandbox, folder: run)
///     let rewarded = try rewarder.rewards(for: answers, isStopped: { stop.isRaised })
///
/// Rules judge on several threads; then the user's program is asked, and then judge models. An answer
/// for which anything but the answer itself failed has no total. Rewards are the same on any number
/// of threads.
///
/// A value may be used from several threads, one at a time. Calls block: a task must not make them.
public final class Rewarder: @unchecked Sendable {
  /// All rules and prompts by which answers are rewarded: rewards of another version may differ.
  public static let version =
    "rewards 1, \(AnswerJudge.version), format \(ThinkingFormat.version), "
    + "language \(LanguageConsistency.version), judge prompt \(RewardJudgePrompt.version)"

  public let settings: RewardSettings
  /// The rewards there are, in the order in which they are summed and in which parts come.
  public let names: [String]
  /// Of each name.
  public let weights: [Double]

  private let functions: [RewardFunction]
  private let rules: RewardRules
  private let threads: RewardThreads
  private let program: RewardProgram?
  private let judges: [RewardJudge]
  private let lock = NSLock()

  /// - Parameters:
  ///   - functions: Rewards besides those of the settings.
  ///   - sandbox: Where programs under test run; without one they are not judged.
  ///   - folder: Where replies of judge models are kept, in `reward-judgements.jsonl`, so that a step
  ///     that is made again asks nothing twice and gets the same rewards. It must be there.
  ///   - threads: How many answers are judged at once; without it, one for each processor.
  ///   - teacher: Prepares a judge model; two rewards with the same settings share one.
  /// - Throws: `RewardError` for settings that can't be meant, `FileError`, and what `teacher` throws.
  public convenience init(
    settings: RewardSettings, functions: [RewardFunction] = [], sandbox: Sandbox?,
    folder: String, threads: Int? = nil,
    teacher: (TeacherSettings) throws -> any Teacher = { try $0.teacher() }
  ) throws {
    let judge = AnswerJudge(sandbox: sandbox)
    try self.init(
      settings: settings, functions: functions, verdict: { judge.verdict(of: $0, on: $1) },
      folder: folder, threads: threads, teacher: teacher)
  }

  /// - Parameter verdict: Says whether an answer is right; called from many threads at once.
  init(
    settings: RewardSettings, functions: [RewardFunction] = [],
    verdict: @escaping @Sendable (_ text: String, Problem) -> AnswerVerdict, folder: String,
    threads: Int? = nil, teacher: (TeacherSettings) throws -> any Teacher = { try $0.teacher() }
  ) throws {
    let findings = settings.findings(functions: functions)
    guard findings.isEmpty else {
      throw RewardError(.recipe, findings.joined(separator: "\n"))
    }
    self.settings = settings
    self.functions = functions
    names = settings.weights.map(\.name) + functions.map(\.name)
    weights = settings.weights.map(\.weight) + functions.map(\.weight)
    rules = RewardRules(verdict: verdict)
    self.threads = RewardThreads(threads)
    program = settings.program.map { RewardProgram($0) }
    let judged: [(RewardJudgePrompt.Kind, RewardSettings.JudgeModel)] = [
      (.helpfulness, settings.helpfulness), (.harmlessness, settings.harmlessness),
    ].compactMap { kind, settings in settings.map { (kind, $0) } }
    guard !judged.isEmpty else {
      judges = []
      return
    }
    let journal = try RewardJournal(in: folder)
    var prepared: [(settings: TeacherSettings, teacher: any Teacher)] = []
    judges = try judged.map { kind, settings in
      let known = prepared.first { $0.settings == settings.teacher }?.teacher
      let teacher = try known ?? teacher(settings.teacher)
      if known == nil { prepared.append((settings.teacher, teacher)) }
      return RewardJudge(kind, settings, teacher: teacher, journal: journal)
    }
  }

  /// The rewards of answers, in their order.
  ///
  /// - Parameter isStopped: Asked about ten times a second. Once it is true, the call ends within a
  ///   second; programs under test end by their own limits.
  /// - Throws: `RewardError` where no answer can be rewarded, and when it is stopped; `FileError`.
  public func rewards(
    for answers: [SampledAnswer], isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws -> [RewardedAnswer] {
    lock.lock()
    defer { lock.unlock() }
    let (rules, settings, functions) = (rules, settings, functions)
    var outcomes = try threads.map(answers.count, isStopped: isStopped) { i in
      var outcomes = Self.outcomes(of: answers[i], by: rules, settings)
      for function in functions { outcomes[function.name] = function.outcome(of: answers[i]) }
      return outcomes
    }
    if let program {
      let given = try program.outcomes(of: answers, isStopped: isStopped)
      for i in answers.indices { outcomes[i]["program"] = given[i] }
    }
    for judge in judges {
      let given = try judge.outcomes(of: answers, isStopped: isStopped)
      for i in answers.indices { outcomes[i][judge.kind.rawValue] = given[i] }
    }
    return outcomes.map { rewarded($0) }
  }

  /// Whether answers are right, whatever else they are rewarded for: 1 or 0, and nil where no rule can
  /// judge one or something other than the answer failed. For held-out problems; in their order, on
  /// several threads.
  ///
  /// Cut answers and those the rule does not understand are as `accuracy` of the recipe has it.
  ///
  /// - Throws: `RewardError` when it is stopped.
  public func accuracies(
    of answers: [SampledAnswer], isStopped: () -> Bool = { false }
  ) throws(RewardError) -> [Double?] {
    let (rules, settings) = (rules, settings)
    return try threads.map(answers.count, isStopped: isStopped) { i in
      Self.accuracy(of: answers[i], by: rules, settings)
    }
  }

  private static func accuracy(
    of answer: SampledAnswer, by rules: RewardRules, _ settings: RewardSettings
  ) -> Double? {
    let rule = settings.accuracy ?? RewardSettings.Accuracy(weight: 1)
    guard case .value(let value, _) = rules.accuracy(of: answer, rule) else { return nil }
    return value
  }

  /// What the rules say, by the names of the rewards.
  private static func outcomes(
    of answer: SampledAnswer, by rules: RewardRules, _ settings: RewardSettings
  ) -> [String: RewardOutcome] {
    let parts = AnswerParts(answer.text)
    var outcomes: [String: RewardOutcome] = [:]
    outcomes["accuracy"] = settings.accuracy.map { rules.accuracy(of: answer, $0) }
    outcomes["format"] = settings.format.map { RewardRules.format(of: parts, $0) }
    outcomes["language"] = settings.language.flatMap { Language(named: $0.language) }.map {
      RewardRules.language(of: parts, $0)
    }
    outcomes["length"] = settings.length.map { RewardRules.length(of: answer.tokenCount, $0) }
    outcomes["repetition"] = settings.repetition.map { RewardRules.repetition(of: parts, $0) }
    return outcomes
  }

  private func rewarded(_ outcomes: [String: RewardOutcome]) -> RewardedAnswer {
    var parts: [RewardedAnswer.Part] = []
    var failure: String?
    var total = 0.0
    for (name, weight) in zip(names, weights) {
      switch outcomes[name] {
      case .value(let value, let reason)?:
        parts.append(RewardedAnswer.Part(name: name, value: value, reason: reason))
        total += weight * value
      case .failed(let reason)?: failure = failure ?? reason
      case nil: failure = failure ?? "The reward '\(name)' was not asked for."
      }
    }
    if failure == nil, !total.isFinite {
      failure = "The weighted sum of the rewards is not a finite number."
    }
    return RewardedAnswer(parts: parts, total: failure == nil ? total : nil, failure: failure)
  }
}
