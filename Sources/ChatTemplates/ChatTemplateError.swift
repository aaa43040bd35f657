/// Why a template could not be read or rendered: `chat_template.jinja:12: what was found.`
public struct ChatTemplateError: Error, Equatable, CustomStringConvertible {
  /// What went wrong, for callers who must tell the cases apart.
  public enum Kind: Equatable, Sendable {
    /// The text is not a template.
    case syntax
    /// The template uses what this interpreter does not know.
    case unsupported
    /// The template called `raise_exception`, with this message.
    case raised(String)
    /// An operation does not fit its values.
    case evaluation
    /// The template wanted more than its limits allow.
    case limit
  }

  public let kind: Kind
  /// The name the template was given.
  public let template: String
  /// The line of the template, from 1.
  public let line: Int
  /// What was found there and what to do, in full sentences.
  public let message: String

  public var description: String { "\(template):\(line): \(message)" }
  /// What the template said through `raise_exception`, if it did.
  public var raised: String? {
    if case .raised(let message) = kind { message } else { nil }
  }
}

/// An error before its place is known: the parser and the interpreter know the line.
struct TemplateFault: Error {
  let kind: ChatTemplateError.Kind
  let message: String

  static func syntax(_ message: String) -> TemplateFault {
    TemplateFault(kind: .syntax, message: message)
  }
  static func unsupported(_ message: String) -> TemplateFault {
    TemplateFault(kind: .unsupported, message: message)
  }
  static func evaluation(_ message: String) -> TemplateFault {
    TemplateFault(kind: .evaluation, message: message)
  }
  static func limit(_ message: String) -> TemplateFault {
    TemplateFault(kind: .limit, message: message)
  }
  /// An integer result that does not fit; Python's integers have no end.
  static let overflow = TemplateFault(
    kind: .evaluation, message: "an integer beyond 64 bits, which is more than is computed here.")
}
