import Sandbox
import Verification

/// What the rules say of an answer to a problem.
public struct AnswerVerdict: Codable, Equatable, Sendable {
  public enum Outcome: String, Codable, CaseIterable, Sendable {
    case correct, wrong
    /// Nothing that could be judged was found in the text: it is empty, or was cut while thinking.
    case noAnswer
    /// There is no rule for this problem, or the rule does not understand one of the texts.
    case unjudged
    /// The sandbox failed, not the program; never to be counted as wrong.
    case infrastructure
  }

  public var outcome: Outcome
  /// What was taken from the text, if anything was.
  public var answer: String?
  /// Why, in one sentence.
  public var reason: String
  /// The rules' names and versions: a verdict of another version may differ.
  public var version: String

  public init(outcome: Outcome, answer: String? = nil, reason: String, version: String) {
    self.outcome = outcome
    self.answer = answer
    self.reason = reason
    self.version = version
  }
}

/// Says whether an answer to a problem is right, by the rules of `Verification`: the ones by which
/// samples are filtered are the ones by which models are scored.
///
/// A value may be used from many threads at once. Programs are waited for, so that a call may take as
/// long as their tests do.
public struct AnswerJudge: Sendable {
  /// All the rules, with their versions.
  public static let version =
    "\(mathematicsVersion), \(MultipleChoice.version), \(programVersion)"

  private static let mathematicsVersion = "mathematics \(Judge.version)"
  private static let programVersion = "programs \(Judge.version)"

  let judge: Judge
  private let programs: ProgramJudge?
  private let isUnsafe: Bool

  private init(judge: Judge, programs: ProgramJudge?, isUnsafe: Bool) {
    (self.judge, self.programs, self.isUnsafe) = (judge, programs, isUnsafe)
  }

  /// - Parameter sandbox: Where programs run; without one they are not judged.
  public init(sandbox: Sandbox? = nil, limits: JudgeLimits = .default) {
    judge = Judge(limits: limits)
    programs = sandbox.map { ProgramJudge(sandbox: $0) }
    isUnsafe = sandbox?.isolation == Isolation.none
  }

  /// The same judge, which looks for answers to mathematics by these rules.
  public func taking(_ rules: AnswerExtraction.Rules) -> AnswerJudge {
    AnswerJudge(
      judge: Judge(limits: judge.limits, rules: rules), programs: programs, isUnsafe: isUnsafe)
  }

  /// The rules with their versions, and where answers are looked for if that is not everywhere.
  public var version: String {
    judge.rules == .all ? Self.version : "\(Self.version), answers in boxes only"
  }

  /// Whether there is a sandbox, without which programs are not judged.
  public var runsPrograms: Bool { programs != nil }

  /// - Parameter text: All that the model said, its thinking in `<think>…</think>`, as
  ///   `SampleRecord.text` has it. Of thinking that is not closed there is no answer.
  public func verdict(of text: String, on problem: Problem) -> AnswerVerdict {
    timedVerdict(of: text, on: problem).verdict
  }

  /// The verdict, and whether it is that of a program which ran past its time.
  func timedVerdict(
    of text: String, on problem: Problem, isStopped: @escaping @Sendable () -> Bool = { false }
  ) -> (verdict: AnswerVerdict, isTimeout: Bool) {
    if case .program(let task) = problem.reference {
      return verdict(of: text, on: task, isStopped: isStopped)
    }
    return (ruleVerdict(of: text, on: problem), false)
  }

  private func ruleVerdict(of text: String, on problem: Problem) -> AnswerVerdict {
    switch problem.reference {
    case .answer(let reference):
      return Self.verdict(
        judge.verdict(reference: reference, answer: text), Self.mathematicsVersion)
    case .choices(let options, let correct):
      do throws(MultipleChoiceError) {
        return Self.verdict(
          try MultipleChoice.verdict(correct: correct, of: options.count, answer: text),
          MultipleChoice.version)
      } catch {
        return AnswerVerdict(
          outcome: .unjudged, reason: "\(error)", version: MultipleChoice.version)
      }
    case .program, .none:
      return AnswerVerdict(
        outcome: .unjudged, reason: "The problem has no answer that a rule could compare with.",
        version: "none")
    }
  }

  private static func verdict(_ verdict: Verdict, _ version: String) -> AnswerVerdict {
    let outcome: AnswerVerdict.Outcome =
      switch verdict.outcome {
      case .correct: .correct
      case .wrong: .wrong
      case .noAnswer: .noAnswer
      case .tooLarge, .notUnderstood: .unjudged
      }
    return AnswerVerdict(
      outcome: outcome, answer: verdict.answer, reason: verdict.reason, version: version)
  }

  private func verdict(
    of text: String, on task: ProgramTask, isStopped: @escaping @Sendable () -> Bool
  ) -> (verdict: AnswerVerdict, isTimeout: Bool) {
    let version = isUnsafe ? Self.programVersion + " without a sandbox" : Self.programVersion
    guard let program = ProgramExtraction.program(in: text) else {
      let reason = "The reply holds no closed block of code."
      return (AnswerVerdict(outcome: .noAnswer, reason: reason, version: version), false)
    }
    guard let programs else {
      let reason = "Programs are judged in a sandbox, and there is none."
      return (
        AnswerVerdict(outcome: .unjudged, answer: program, reason: reason, version: version), false
      )
    }
    let verdict = programs.verdict(of: program, on: task, isStopped: isStopped)
    let outcome: AnswerVerdict.Outcome =
      switch verdict.outcome {
      case .pass: .correct
      case .infrastructure: .infrastructure
      case .wrong, .runtimeError, .timeLimit, .memoryLimit, .outputLimit: .wrong
      }
    return (
      AnswerVerdict(
        outcome: outcome, answer: program, reason: verdict.reason, version: version),
      verdict.outcome == .timeLimit
    )
  }
}
