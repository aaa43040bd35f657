/// What a teacher is doing, for whoever counts or shows it. Events come from any thread.
public enum TeacherEvent: Equatable, Sendable {
  /// Why a request is not sent yet.
  public enum Delay: Equatable, Sendable {
    /// A limit of the settings.
    case limit
    /// The server asked for it, or is overloaded.
    case server
    /// The request failed and will be sent again.
    case retry
  }

  /// A request goes out.
  case sent
  /// A request failed, in the way that `TeacherError.kind` names, and will be sent again.
  case retried(kind: String)
  case waiting(seconds: Double, why: Delay)
  /// An answer is there, with all the tokens of its request, the prompt's not counted, if the
  /// server told them.
  case answered(tokens: Int?, seconds: Double)
}
