import Foundation
import Storage

/// What a reply's head says, as far as it matters.
struct ReplyHead: Equatable, Sendable {
  var status: Int
  /// `Content-Type` without its parameters, in small letters.
  var contentType: String?
  var contentEncoding: String?
  var contentLength: Int?
  var wait: WaitRequest
  /// Where a redirect would lead, without its query.
  var location: String?
}

/// Reads one reply while it comes in, and decides whether it is an answer.
///
/// Nothing is an answer before `end`: a text that stops early is a fault, however well it reads.
struct ChatCompletionReader {
  /// What was asked for.
  struct Expectation: Sendable {
    /// How many choices.
    var choices: Int
    /// Whether a stream was asked for. A whole answer will do then, too.
    var stream: Bool
    var status: ReplyStatus
    /// The longest body that is read, in bytes. A stream may be so long for every choice, because
    /// it has a few hundred bytes for each token.
    var longestBody = 64 << 20
  }

  private let expected: Expectation
  private var head: ReplyHead?
  private var body: [UInt8] = []
  private var byteCount = 0
  private var events = EventStream()
  private var stream: ChatCompletionStream?

  init(_ expected: Expectation) { self.expected = expected }

  private var texts: ServerText { expected.status.texts }

  /// Of a body that is an error, this much is read.
  private static let longestError = 64 << 10

  /// Whether the reply is over for us, so that the rest need not be waited for.
  private(set) var hasSeenEnough = false
  /// Whether the stream said that it is over.
  var isDone: Bool { stream?.isDone ?? false }

  /// Takes the head in.
  ///
  /// - Throws: `ReplyFault` if no answer can follow.
  mutating func begin(_ head: ReplyHead) throws(ReplyFault) {
    self.head = head
    if (300..<400).contains(head.status) {
      let place = head.location.map { " to \(texts.quote($0))" } ?? ""
      throw ReplyFault(
        .againIfServerIsKnown, kind: "redirect",
        "redirects\(place). Redirects are not followed, because they would take the key elsewhere; "
          + "set 'url' to the address itself.")
    }
    guard head.status == 200 else {
      hasSeenEnough = head.contentLength == 0
      return
    }
    if let encoding = head.contentEncoding?.lowercased(), !["", "identity"].contains(encoding) {
      throw .broken(
        "compressed",
        "sent an answer compressed as \(texts.quote(encoding)), which was not asked for.")
    }
    switch head.contentType {
    case "text/event-stream"? where expected.stream:
      stream = ChatCompletionStream(choices: expected.choices, status: expected.status)
    case "application/json"?: break
    default:
      let found = head.contentType.map { "is \(texts.quote($0))" } ?? "is not told"
      throw .broken(
        "wrong content type",
        "sent an answer whose content type \(found), not "
          + (expected.stream ? "'text/event-stream'." : "'application/json'."))
    }
    // URLSession on Linux takes bytes faster than it hands them over; those of a body that says how
    // long it is need not come at all.
    try checkLength(head.contentLength ?? 0)
  }

  private func checkLength(_ count: Int) throws(ReplyFault) {
    let (most, overflow) = expected.longestBody.multipliedReportingOverflow(
      by: stream == nil ? 1 : max(1, expected.choices))
    guard count <= (overflow ? Int.max : most) else {
      throw .broken("too long", "sent an answer of more than \(most) bytes.")
    }
  }

  /// Takes a piece of the body in.
  ///
  /// - Throws: `ReplyFault` as soon as it can be no answer any more.
  mutating func add(_ bytes: UnsafeRawBufferPointer) throws(ReplyFault) {
    guard let head else { return }
    byteCount += bytes.count
    if head.status != 200 {
      body += bytes.prefix(Self.longestError - body.count)
      if body.count >= min(Self.longestError, head.contentLength ?? .max) { hasSeenEnough = true }
      return
    }
    try checkLength(byteCount)
    guard stream != nil else {
      body += bytes
      return
    }
    for event in events.add(bytes) { try stream?.add(event) }
  }

  /// The answer, when the reply is over.
  ///
  /// - Throws: `ReplyFault` if it is none.
  mutating func end() throws(ReplyFault) -> ChatCompletion {
    guard let head else {
      throw .broken("no reply", "ended the connection without a reply.")
    }
    guard head.status == 200 else {
      throw expected.status.fault(status: head.status, body: body, wait: head.wait)
    }
    guard stream != nil else { return try whole() }
    // The last line of some streams has no line feed; of all others, a rest was cut off.
    if let rest = events.rest() {
      guard rest.data.elementsEqual(ChatCompletionStream.endMark) else {
        throw .broken("cut short", "ended the stream in the middle of a line.")
      }
      try stream?.add(rest)
    }
    guard let completion = try stream?.completion() else {
      throw .broken("no reply", "ended the connection without a reply.")
    }
    return completion
  }

  private func whole() throws(ReplyFault) -> ChatCompletion {
    guard !ThinkingText.isBlank(String(decoding: body.prefix(64), as: UTF8.self)) else {
      throw .broken("empty body", "sent an answer without a body.")
    }
    let value = try Self.json(body, texts)
    guard case .object(let object) = value else {
      throw .broken("broken answer", "sent JSON that is no object.")
    }
    try ChatCompletionStream.refuseError(value, expected.status)
    guard case .array(let elements)? = object["choices"] else {
      throw .broken("broken answer", "sent an answer without 'choices'.")
    }
    var reading = ChatCompletionStream(choices: expected.choices, status: expected.status)
    for element in elements {
      guard case .object(let choice) = element, case .object(let message)? = choice["message"]
      else { throw .broken("broken answer", "sent an answer with a choice without a 'message'.") }
      try reading.addWhole(message, of: choice)
    }
    reading.note(object)
    reading.isDone = true
    return try reading.completion()
  }

  /// Reads a text as JSON.
  ///
  /// - Throws: `ReplyFault` with what the reader found.
  static func json(_ bytes: [UInt8], _ texts: ServerText) throws(ReplyFault) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(
        parsing: bytes, source: "answer", limits: JSONLimits(depth: 64, bytes: 1 << 30))
    } catch {
      throw .broken(
        "broken JSON",
        "sent JSON that cannot be read (line \(error.line), column \(error.column)): "
          + texts.plain(error.message))
    }
  }
}
