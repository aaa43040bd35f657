/// Why models can't be compared: where, what was found, what to do.
public struct ComparisonError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }

  init(_ place: String, _ message: String) { description = "\(place): \(message)" }
}
