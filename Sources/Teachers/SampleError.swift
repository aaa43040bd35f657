import Storage

/// Why samples can't be read: `file:line: what was found, and what to do.`
public struct SampleError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ place: String, _ message: String) { description = "\(place): \(message)" }
  init(_ error: some Error) { description = "\(error)" }
}
