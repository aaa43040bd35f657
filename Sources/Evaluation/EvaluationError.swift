/// Why an evaluation can't be made or read: where, what was found, what to do.
public struct EvaluationError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }

  init(_ place: String, _ message: String) { description = "\(place): \(message)" }
}
