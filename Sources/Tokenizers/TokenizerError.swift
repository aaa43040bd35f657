/// Why a tokenizer can't be read: `file: what was found, and what to do.`
public struct TokenizerError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ source: String, _ message: String) { description = "\(source): \(message)" }
  init(_ error: some Error) { description = "\(error)" }
}
