import Foundation
import Storage

/// Why a reply is no answer, and what follows from it.
struct ReplyFault: Error, Equatable, Sendable {
  /// What is done next.
  enum Remedy: Equatable, Sendable {
    /// The question is asked again, within the budget.
    case again
    /// The same, but a first question stops the job: nothing says that there is such a server.
    case againIfServerIsKnown
    /// The question is given up.
    case giveUpQuestion
    /// The question is given up this time; the server said that it should not be tried again.
    case giveUpAttempt
    /// The job stops.
    case stopJob
    case cancelled
  }

  var remedy: Remedy
  /// For counts, as `TeacherError.kind`.
  var kind: String
  /// The rest of a sentence that begins with the teacher's name, with its full stop.
  var words: String
  /// Seconds that the server asked to wait for.
  var retryAfter: Double?
  /// Whether all questions should wait, not this one alone.
  var slowsAll = false
  /// Whether the network failed, rather than the server: nothing that came was a reply.
  var isTransport = false

  init(_ remedy: Remedy, kind: String, _ words: String) {
    self.remedy = remedy
    self.kind = kind
    self.words = words
  }

  /// A reply that breaks its own rules; it is worth asking again.
  static func broken(_ kind: String, _ words: String) -> ReplyFault {
    ReplyFault(.again, kind: kind, words)
  }
}

/// What a server wrote, fit for an error: one line, short, without the key.
struct ServerText {
  let secret: Secret?
  static let longest = 200

  /// The text in quotes.
  func quote(_ text: String) -> String { quoted(plain(text), longest: Self.longest) }

  /// The text without control characters and without the key; not shortened.
  func plain(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    var isBlank = true
    // Longer texts are cut below anyway, but the key must not be cut in two before it is found.
    for scalar in text.unicodeScalars.prefix(16_384) {
      if scalar.value <= 0x20 || scalar.value == 0x7F || (0x80...0x9F).contains(scalar.value) {
        if !isBlank { scalars.append(" ") }
        isBlank = true
      } else {
        scalars.append(scalar)
        isBlank = false
      }
    }
    if scalars.last == " " { scalars.removeLast() }
    let result = String(scalars)
    return secret?.redacted(result) ?? result
  }

  /// What the body of an error says: the message of OpenAI's form and of its relatives, or the body
  /// itself; nil if there is nothing to say, as of pages of HTML.
  func message(ofBody body: [UInt8]) -> (text: String?, error: ErrorObject?) {
    if let value = try? JSONValue(
      parsing: body, source: "body", limits: JSONLimits(depth: 32, replacesLoneSurrogates: true)),
      let error = ErrorObject(value)
    {
      return (error.message.map(quote), error)
    }
    let text = String(decoding: body.prefix(4096), as: UTF8.self)
    guard let first = text.unicodeScalars.first(where: { $0.value > 0x20 }), first != "<" else {
      return (nil, nil)
    }
    return (quote(text), nil)
  }
}

/// The error that a server tells as JSON.
struct ErrorObject: Equatable {
  var message: String?
  /// OpenAI's word for it, `model_not_found`; or a number.
  var code: String?
  var type: String?
  var parameter: String?

  /// Reads `{"error": {…}}`, `{"error": "…"}`, `{"object": "error", …}` and `{"detail": …}`; nil
  /// for everything else.
  init?(_ value: JSONValue) {
    guard case .object(let object) = value else { return nil }
    switch object["error"] {
    case .object(let error)?: read(error)
    case .string(let text)?: message = text
    default:
      if case .string("error")? = object["object"] {
        read(object)
      } else if let detail = object["detail"] {
        if case .string(let text) = detail {
          message = text
        } else {
          message = String(decoding: detail.serialized(), as: UTF8.self)
        }
      } else {
        return nil
      }
    }
  }

  private mutating func read(_ object: JSONObject) {
    func text(_ key: String) -> String? {
      switch object[key] {
      case .string(let text)?: text
      case .number(let number)?: number.text
      default: nil
      }
    }
    message = text("message")
    code = text("code")
    type = text("type")
    parameter = text("param")
  }

  /// Whether it says that there is no such model.
  func isAbout(unknownModel model: String) -> Bool {
    if code == "model_not_found" || parameter == "model" { return true }
    guard let message = message?.lowercased(), message.contains(model.lowercased()) else {
      return false
    }
    return ["does not exist", "not found", "unknown model", "invalid model", "no such model"]
      .contains { message.contains($0) }
  }
}
