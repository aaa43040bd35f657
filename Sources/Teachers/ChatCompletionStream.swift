import Storage

/// The choices of a reply, put together from its parts.
struct ChatCompletionStream {
  static let endMark = Array("[DONE]".utf8)

  let choices: Int
  let status: ReplyStatus
  /// Whether the reply said that it is whole.
  var isDone = false

  private var parts: [Int: ChoiceParts] = [:]
  private var model: String?
  private var promptTokens: Int?
  private var completionTokens: Int?
  /// The `id` that all chunks of a reply share.
  private var identity: String?
  private var lastEvent: EventStream.Event?
  /// How many events had text, and whether two that follow one another were the same.
  private var textEvents = 0
  private var hasTwins = false

  init(choices: Int, status: ReplyStatus) {
    self.choices = choices
    self.status = status
  }

  private var texts: ServerText { status.texts }

  // MARK: Events

  /// Takes an event in.
  ///
  /// - Throws: `ReplyFault` if the stream is none of an answer.
  mutating func add(_ event: EventStream.Event) throws(ReplyFault) {
    guard !isDone else {
      throw .broken("text after the end", "went on after '[DONE]'.")
    }
    if event.data.elementsEqual(Self.endMark) {
      isDone = true
      return
    }
    if let id = event.id, !id.isEmpty, id == lastEvent?.id {
      let name = texts.quote(String(decoding: id, as: UTF8.self))
      throw .broken("twice the same", "sent the event \(name) twice.")
    }
    let isTwin = event.data == lastEvent?.data
    lastEvent = event
    let value = try ChatCompletionReader.json(event.data, texts)
    try Self.refuseError(value, status)
    guard case .object(let object) = value else {
      throw .broken("broken answer", "sent JSON that is no object.")
    }
    note(object)
    switch object["choices"] {
    case nil, .null?: return
    case .array(let elements)?:
      var hasText = false
      for element in elements {
        guard case .object(let choice) = element else {
          throw .broken("broken answer", "sent an answer with a choice that is no object.")
        }
        if try add(choice) { hasText = true }
      }
      if !elements.isEmpty { try compareIdentity(object) }
      if hasText {
        textEvents += 1
        if isTwin { hasTwins = true }
      }
    default: throw .broken("broken answer", "sent an answer whose 'choices' is no list.")
    }
  }

  /// Takes a choice's delta in.
  ///
  /// - Returns: Whether it had text.
  private mutating func add(_ choice: JSONObject) throws(ReplyFault) -> Bool {
    let index = try index(of: choice)
    var part = parts[index] ?? ChoiceParts()
    let before = part
    switch choice["delta"] {
    case nil, .null?: break
    case .object(let delta)?: try part.add(delta)
    default: throw .broken("broken answer", "sent an answer whose 'delta' is no object.")
    }
    let hasText =
      part.content.utf8.count + part.reasoning.utf8.count + part.otherReasoning.utf8.count
      > before.content.utf8.count + before.reasoning.utf8.count + before.otherReasoning.utf8.count
    let finish = try Self.finish(choice)
    if before.finish != nil, hasText || finish != nil {
      throw .broken("text after the end", "went on with a choice after its end.")
    }
    part.finish = finish ?? before.finish
    parts[index] = part
    return hasText
  }

  /// Takes a whole choice in.
  mutating func addWhole(_ message: JSONObject, of choice: JSONObject) throws(ReplyFault) {
    let index = try index(of: choice)
    guard parts[index] == nil else {
      throw .broken("wrong choices", "sent choice \(index) twice.")
    }
    var part = ChoiceParts()
    try part.add(message)
    part.finish = try Self.finish(choice)
    parts[index] = part
  }

  private func index(of choice: JSONObject) throws(ReplyFault) -> Int {
    switch choice["index"] {
    // Where there is one choice only, some servers leave its number out.
    case nil where choices == 1: return 0
    case .number(let number)?:
      guard let index = number.int, (0..<choices).contains(index) else { fallthrough }
      return index
    default:
      throw .broken(
        "wrong choices",
        "sent a choice with another number than \(choices == 1 ? "0" : "0 to \(choices - 1)").")
    }
  }

  private static func finish(_ choice: JSONObject) throws(ReplyFault) -> String? {
    switch choice["finish_reason"] {
    case nil, .null?: return nil
    case .string(let text)?: return text.isEmpty ? nil : text
    default: throw .broken("broken answer", "sent an answer whose 'finish_reason' is not a text.")
    }
  }

  // MARK: What is told besides

  /// Takes model and usage from a reply or from a chunk of one.
  mutating func note(_ object: JSONObject) {
    if case .string(let text)? = object["model"], !text.isEmpty, model == nil { model = text }
    if case .object(let usage)? = object["usage"] {
      promptTokens = Self.count(usage, "prompt_tokens") ?? promptTokens
      completionTokens = Self.count(usage, "completion_tokens") ?? completionTokens
    }
  }

  private static func count(_ object: JSONObject, _ key: String) -> Int? {
    guard case .number(let number)? = object[key], let count = number.int,
      (0...1_000_000_000).contains(count)
    else { return nil }
    return count
  }

  private mutating func compareIdentity(_ object: JSONObject) throws(ReplyFault) {
    guard case .string(let text)? = object["id"], !text.isEmpty else { return }
    if let identity, !identity.utf8.elementsEqual(text.utf8) {
      throw .broken("two answers", "mixed two answers in one stream.")
    }
    identity = text
  }

  /// Refuses a reply that is an error although its status is 200.
  static func refuseError(_ value: JSONValue, _ status: ReplyStatus) throws(ReplyFault) {
    guard case .object(let object) = value, object["choices"] == nil,
      let error = ErrorObject(value)
    else { return }
    let text = error.message.map(status.texts.quote)
    if let code = error.code.flatMap({ Int($0) }), (400..<600).contains(code) {
      throw status.fault(status: code, text: text, error: error, wait: WaitRequest())
    }
    if error.isAbout(unknownModel: status.model) {
      throw status.fault(status: 404, text: text, error: error, wait: WaitRequest())
    }
    throw .broken(
      "error in the answer",
      "sent an error in place of an answer" + (text.map { ": \($0)." } ?? "."))
  }

  // MARK: The end

  /// The answer, if the reply was whole.
  ///
  /// - Throws: `ReplyFault`.
  func completion() throws(ReplyFault) -> ChatCompletion {
    guard isDone else {
      throw .broken("cut short", "ended the stream without '[DONE]'.")
    }
    guard parts.count == choices else {
      throw .broken(
        "wrong choices",
        "sent \(parts.count) of \(choices) \(choices == 1 ? "choice" : "choices")."
          // Some servers do not know 'n'.
          + (parts.count == 1 ? " If it always does, set 'samplesPerRequest' to 1." : ""))
    }
    // Whether an event came twice cannot be told from a token that was drawn twice, unless there
    // are more events than tokens. A server that cuts tokens into pieces would be taken for one
    // that repeats itself, hence the advice.
    if let completionTokens, completionTokens > 0, hasTwins, textEvents > completionTokens {
      throw .broken(
        "twice the same",
        "sent \(textEvents) pieces of text for \(completionTokens) tokens, two of them the same: "
          + "an event may have come twice. If it always does, set 'stream' to false.")
    }
    var result: [ChatCompletion.Choice] = []
    for index in 0..<choices {
      guard let part = parts[index] else { continue }
      let choice = try part.choice(texts)
      if let secret = texts.secret,
        secret.stands(in: choice.content) || secret.stands(in: choice.reasoning ?? "")
      {
        throw .broken("key in the answer", "sent an answer with the key in it.")
      }
      result.append(choice)
    }
    guard let model else {
      throw .broken("no model", "sent an answer that does not name its model.")
    }
    return ChatCompletion(
      choices: result, model: texts.secret?.redacted(model) ?? model, promptTokens: promptTokens,
      completionTokens: completionTokens)
  }
}
