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
