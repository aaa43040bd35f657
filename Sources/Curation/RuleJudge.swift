import Problems
import Sandbox

/// The rules that say whether an answer is right, and their version.
public struct RuleJudge: Sendable {
  /// Names and versions of all rules: verdicts of another version are not taken for these.
  public let version: String
  /// The verdict on all that a teacher wrote; called from many threads at once.
  public let verdict: @Sendable (_ text: String, Problem) -> AnswerVerdict

  public init(
    version: String, verdict: @escaping @Sendable (_ text: String, Problem) -> AnswerVerdict
  ) {
    self.version = version
    self.verdict = verdict
  }

  /// The package's one judge.
  ///
  /// - Parameter sandbox: Where programs run; without one they are not judged, and once there is
  ///   one they are judged anew.
  public init(sandbox: Sandbox?) {
    let judge = AnswerJudge(sandbox: sandbox)
    let place =
      switch sandbox?.isolation {
      case nil: ", programs not judged"
      case Isolation.none?: ", programs without a sandbox"
      default: ""
      }
    self.init(version: AnswerJudge.version + place) { judge.verdict(of: $0, on: $1) }
  }

  /// How often a verdict that failed for the machine's sake is asked for again.
  static let retries = 2

  func verdictWithRetries(_ text: String, _ problem: Problem) -> AnswerVerdict {
    var found = verdict(text, problem)
    for _ in 0..<Self.retries where found.outcome == .infrastructure {
      found = verdict(text, problem)
    }
    return found
  }
}
