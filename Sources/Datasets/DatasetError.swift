/// Why samples can't be used: `file:line: what was found, and what to do.`
public struct DatasetError: Error, Equatable, CustomStringConvertible {
  /// A file and line, a file, or the recipe; "" where the message names the place.
  public let place: String
  /// What was found and what to do, in full sentences.
  public let message: String

  public var description: String { place.isEmpty ? message : "\(place): \(message)" }

  init(_ place: String, _ message: String) {
    self.place = place
    self.message = message
  }

  init(_ error: some Error) { self.init("", "\(error)") }
}
