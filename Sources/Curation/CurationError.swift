/// Why there is no training set: `place: what was found, and what to do.`
public struct CurationError: Error, Equatable, CustomStringConvertible {
  /// The cases that callers tell apart.
  public enum Reason: Equatable, Sendable {
    /// The recipe can't be meant as it is; a sentence a line.
    case recipe
    /// A run, a file or a record can't be used.
    case input
    /// Too many answers couldn't be judged, whatever they were.
    case judging
    /// No sample is left. The report tells why and was written.
    case nothingLeft
    /// Somebody asked to stop; the same command goes on.
    case stopped
  }

  public let reason: Reason
  /// Full sentences.
  public let description: String

  public init(_ reason: Reason, _ description: String) {
    self.reason = reason
    self.description = description
  }
}
