import Storage

/// A whole reply of a server: as many choices as were asked for.
struct ChatCompletion: Equatable, Sendable {
  struct Choice: Equatable, Sendable {
    var reasoning: String?
    var content: String
    var finish: TeacherAnswer.FinishReason
  }

  /// In the order of their indices.
  var choices: [Choice]
  /// The model's name, as the server gives it. Servers add dates and paths to names, so that
  /// another name than the one asked for is no fault; it is kept with the answer.
  var model: String
  var promptTokens: Int?
  /// Of all choices together.
  var completionTokens: Int?
}

/// A choice while its parts come in.
struct ChoiceParts: Equatable {
  /// The text of `content`; nil while there was none, not even an empty one.
  var content = ""
  var reasoning = ""
  /// The same under the other of the two names.
  var otherReasoning = ""
  var finish: String?

  /// Adds what a `message` or a `delta` holds.
  ///
  /// - Throws: `ReplyFault` if a part is no text.
  mutating func add(_ object: JSONObject) throws(ReplyFault) {
    content += try Self.text(object, "content")
    reasoning += try Self.text(object, "reasoning_content")
    otherReasoning += try Self.text(object, "reasoning")
  }

  private static func text(_ object: JSONObject, _ key: String) throws(ReplyFault) -> String {
    switch object[key] {
    case nil, .null?: return ""
    case .string(let text)?: return text
    default:
      throw .broken("broken answer", "sent an answer whose '\(key)' is not a text.")
    }
  }

  /// The choice, if it is whole and is an answer.
  ///
  /// - Parameter texts: For the words of the fault.
  /// - Throws: `ReplyFault`.
  func choice(_ texts: ServerText) throws(ReplyFault) -> ChatCompletion.Choice {
    guard let finish, !finish.isEmpty else {
      throw .broken("no finish reason", "sent an answer that does not say why it ended.")
    }
    guard let finish = TeacherAnswer.FinishReason(rawValue: finish) else {
      // The server would say the same again.
      let known = ["content_filter", "tool_calls", "function_call"].contains(finish)
      throw ReplyFault(
        .giveUpQuestion, kind: "finish: " + (known ? finish : "unknown"),
        "ended the answer with \(texts.quote(finish)), which makes it no sample.")
    }
    guard
      reasoning.isEmpty || otherReasoning.isEmpty
        || reasoning.utf8.elementsEqual(otherReasoning.utf8)
    else {
      throw .broken(
        "broken answer",
        "sent an answer with one text in 'reasoning_content' and another in "
          + "'reasoning'.")
    }
    let told = reasoning.isEmpty ? otherReasoning : reasoning
    let choice: ChatCompletion.Choice
    if told.isEmpty {
      let parts = ThinkingText.split(content, isCut: finish == .length)
      choice = .init(reasoning: parts.reasoning, content: parts.content, finish: finish)
    } else {
      choice = .init(reasoning: told, content: content, finish: finish)
    }
    let isThinking =
      finish == .length && choice.content.isEmpty && !(choice.reasoning?.isEmpty ?? true)
    guard isThinking || !ThinkingText.isBlank(choice.content) else {
      throw .broken("empty answer", "sent an answer without any text.")
    }
    return choice
  }
}

/// Reasoning that is written into the answer between `<think>` and `</think>`.
enum ThinkingText {
  /// Cuts a text into reasoning and answer, byte for byte; only the tags go, and white space before
  /// a `<think>`.
  ///
  /// - `<think>` at the beginning: the reasoning goes to the first `</think>`. Without one, the
  ///   text was cut while the model thought, if it was cut at all; otherwise it is left as it is.
  /// - No `<think>` before the first `</think>`: the prompt ended in `<think>`, and the reasoning
  ///   is what stands before the tag.
  /// - Everything else is an answer without reasoning.
  static func split(_ text: String, isCut: Bool) -> (reasoning: String?, content: String) {
    let bytes = Array(text.utf8)
    let start = bytes.firstIndex { !isBlank($0) } ?? bytes.count
    let opening = Array("<think>".utf8)
    let closing = Array("</think>".utf8)
    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    let end = find(closing, in: bytes)
    if bytes[start...].starts(with: opening) {
      let inner = start + opening.count
      if let end { return (string(inner..<end), string((end + closing.count)..<bytes.count)) }
      return isCut ? (string(inner..<bytes.count), "") : (nil, text)
    }
    if let end, find(opening, in: bytes, before: end) == nil {
      return (string(0..<end), string((end + closing.count)..<bytes.count))
    }
    return (nil, text)
  }

  static func isBlank(_ text: String) -> Bool { text.utf8.allSatisfy(isBlank) }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private static func find(_ word: [UInt8], in bytes: [UInt8], before limit: Int? = nil) -> Int? {
    let last = (limit ?? bytes.count) - word.count
    guard last >= 0 else { return nil }
    return (0...last).first { start in
      bytes[start] == word[0] && bytes[start..<(start + word.count)].elementsEqual(word)
    }
  }
}
