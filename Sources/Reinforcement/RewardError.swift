/// Why there are no rewards at all: `what was found, and what to do.`
///
/// What concerns one answer is no error but its `RewardedAnswer.failure`.
public struct RewardError: Error, Equatable, CustomStringConvertible {
  /// The cases that callers tell apart.
  public enum Reason: Equatable, Sendable {
    /// The recipe can't be meant as it is; a sentence a line.
    case recipe
    /// The user's program can't be started, or fails again and again.
    case program
    /// No judge model can be asked.
    case judge
    /// Somebody asked to stop.
    case stopped
  }

  public let reason: Reason
  /// Full sentences.
  public let description: String

  public init(_ reason: Reason, _ description: String) {
    self.reason = reason
    self.description = description
  }

  static let stopped = RewardError(.stopped, "Stopped while answers were judged.")
}
