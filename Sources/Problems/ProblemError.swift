/// Why a problem can't be used: `file:line: what was found, and what to do.`
public struct ProblemError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ place: String, _ message: String) { description = "\(place): \(message)" }
  init(_ error: some Error) { description = "\(error)" }
}
