/// Why text can't be generated, or a sequence could not go on.
public struct GenerationError: Error, Equatable, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
