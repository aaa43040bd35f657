import Storage

/// Reads the samples of one source.
public struct SampleFile: Sendable {
  public let source: SampleSource
  public let records: RecordFile
  public let form: SampleForm

  /// - Throws: `DatasetError` for a file that can't be read, or whose form can't be told.
  public init(_ source: SampleSource) throws(DatasetError) {
    self.source = source
    records = try RecordFile(at: source.path)
    if source.fields != nil, source.form == nil || source.form == .fields {
      form = .fields
    } else if let named = source.form {
      form = named
    } else {
      form = try Self.form(of: records.record(0).object, at: records.place(of: 0))
    }
    try checkFields()
  }

  public var count: Int { records.count }

  /// Reads a sample.
  ///
  /// - Throws: `DatasetError` if the record is broken or has another form.
  public func sample(_ index: Int) throws(DatasetError) -> (Sample, replacedSurrogates: Int) {
    let record = try records.record(index)
    let reader = SampleReader(place: records.place(of: index), system: source.system)
    return (
      Sample(try reader.body(record.object, form, source.fields), place: reader.place),
      record.replacedSurrogates
    )
  }

  private static func form(
    of object: JSONObject, at place: String
  ) throws(DatasetError) -> SampleForm {
    let forms = SampleForm.allCases.filter { form in
      form != .fields && form.keys.allSatisfy { object[$0] != nil }
    }
    if forms.count == 1 { return forms[0] }
    let keys = object.members.map { quoted($0.key) }.joined(separator: ", ")
    if forms.isEmpty {
      throw DatasetError(
        place,
        "its keys (\(keys)) are none of the forms known. Say with 'fields' which key holds "
          + "the text of which role, for example {user: \"question\", assistant: \"answer\"}.")
    }
    throw DatasetError(
      place,
      "it can be read as \(forms.map { "'\($0.rawValue)'" }.joined(separator: " or ")). Name "
        + "one with 'form'.")
  }

  private func checkFields() throws(DatasetError) {
    guard form == .fields else {
      if source.fields == nil { return }
      throw DatasetError(
        source.path, "'fields' goes with the form 'fields', not with '\(form.rawValue)'.")
    }
    let fields = source.fields ?? [:]
    for role in fields.keys.sorted() where !["system", "user", "assistant"].contains(role) {
      throw DatasetError(
        source.path,
        "'fields' names the role \(quoted(role)), not one of 'system', 'user', "
          + "'assistant'.")
    }
    guard fields["user"] != nil, fields["assistant"] != nil else {
      throw DatasetError(source.path, "'fields' must name the keys of 'user' and 'assistant'.")
    }
  }
}

/// Turns a record into a sample.
struct SampleReader {
  let place: String
  let system: String?

  func body(
    _ object: JSONObject, _ form: SampleForm, _ fields: [String: String]?
  ) throws(DatasetError) -> Sample.Body {
    for key in form.keys where object[key] == nil {
      throw error("no '\(key)', which a sample of the form '\(form.rawValue)' has.")
    }
    switch form {
    case .text: return .text(try text(object, "text"))
    case .completion: return try completion(object)
    case .messages: return try conversation(messages(object["messages"], "messages"), object)
    case .conversations: return try conversation(shareGPT(object), object)
    case .alpaca: return try conversation(alpaca(object), object)
    case .fields: return try conversation(turns(object, fields ?? [:]), object)
    }
  }

  // MARK: Forms

  private func conversation(
    _ messages: [Message], _ object: JSONObject
  ) throws(DatasetError) -> Sample.Body {
    var messages = messages
    if let system, messages.first?.role != "system" {
      messages.insert(Message("system", system), at: 0)
    }
    return .conversation(messages, tools: try tools(object))
  }

  private func completion(_ object: JSONObject) throws(DatasetError) -> Sample.Body {
    if case .array = object["prompt"] {
      return try conversation(
        messages(object["prompt"], "prompt") + messages(object["completion"], "completion"), object)
    }
    return .completion(
      prompt: try text(object, "prompt"), completion: try text(object, "completion"))
  }

  private func alpaca(_ object: JSONObject) throws(DatasetError) -> [Message] {
    var messages: [Message] = []
    if let system = try optionalText(object, "system") {
      messages.append(Message("system", system))
    }
    if let history = object["history"], history != .null {
      guard case .array(let turns) = history else { throw error("'history' is not a list.") }
      for turn in turns {
        guard case .array(let pair) = turn, pair.count == 2, case .string(let asked) = pair[0],
          case .string(let answered) = pair[1]
        else { throw error("'history' must hold pairs of texts.") }
        messages += [Message("user", asked), Message("assistant", answered)]
      }
    }
    var instruction = try text(object, "instruction")
    if let input = try optionalText(object, "input") { instruction += "\n" + input }
    return messages + [
      Message("user", instruction), Message("assistant", try text(object, "output")),
    ]
  }

  private func turns(
    _ object: JSONObject, _ fields: [String: String]
  ) throws(DatasetError) -> [Message] {
    var messages: [Message] = []
    for role in ["system", "user", "assistant"] {
      guard let key = fields[role] else { continue }
      if role == "system" {
        if let system = try optionalText(object, key) { messages.append(Message(role, system)) }
      } else {
        messages.append(Message(role, try text(object, key)))
      }
    }
    return messages
  }

  /// The roles that ShareGPT's names stand for.
  private static let roles = [
    "human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant",
    "assistant": "assistant", "model": "assistant", "system": "system", "tool": "tool",
    "observation": "tool", "function_response": "tool",
  ]

  private func shareGPT(_ object: JSONObject) throws(DatasetError) -> [Message] {
    guard case .array(let turns)? = object["conversations"] else {
      throw error("'conversations' is not a list.")
    }
    var messages: [Message] = []
    if let system = try optionalText(object, "system") {
      messages.append(Message("system", system))
    }
    for (i, turn) in turns.enumerated() {
      let path = "conversations[\(i)]"
      guard case .object(let turn) = turn else { throw error("'\(path)' is not an object.") }
      // Some write the keys of 'messages' here.
      if turn["from"] == nil, turn["role"] != nil {
        messages.append(try message(turn, path))
        continue
      }
      let from = try text(turn, "from", path)
      guard let role = Self.roles[from] else {
        throw error(
          "'\(path).from' is \(quoted(from)), not one of "
            + Self.roles.keys.sorted().map { "'\($0)'" }.joined(separator: ", ") + ".")
      }
      messages.append(Message(role, try text(turn, "value", path)))
    }
    return messages
  }

  private func messages(
    _ value: JSONValue?, _ key: String
  ) throws(DatasetError) -> [Message] {
    guard case .array(let turns)? = value else { throw error("'\(key)' is not a list.") }
    var messages: [Message] = []
    for (i, turn) in turns.enumerated() {
      guard case .object(let turn) = turn else { throw error("'\(key)[\(i)]' is not an object.") }
      messages.append(try message(turn, "\(key)[\(i)]"))
    }
    return messages
  }

  private func message(_ turn: JSONObject, _ path: String) throws(DatasetError) -> Message {
    let role = try text(turn, "role", path)
    guard !role.isEmpty else { throw error("'\(path).role' is empty.") }
    let extras = turn.members.filter { $0.key != "role" && $0.key != "content" }
    switch turn["content"] {
    case .string(let content): return Message(role, content, extras: extras)
    case nil, .null?:
      guard extras.contains(where: { $0.key == "tool_calls" || $0.key == "reasoning_content" })
      else { throw error("'\(path)' has no 'content'.") }
      return Message(role, "", extras: extras, hasContent: false)
    case .array(let parts): return Message(role, try joined(parts, path), extras: extras)
    default: throw error("'\(path).content' is not a text.")
    }
  }

  private func joined(_ parts: [JSONValue], _ path: String) throws(DatasetError) -> String {
    var content = ""
    for part in parts {
      guard case .object(let part) = part, case .string(let type)? = part["type"] else {
        throw error("'\(path).content' holds a part without a 'type'.")
      }
      guard type == "text" else {
        throw error("'\(path).content' holds \(quoted(type)); only text can be learned from.")
      }
      content += try text(part, "text", path + ".content")
    }
    return content
  }

  private func tools(_ object: JSONObject) throws(DatasetError) -> [JSONValue] {
    switch object["tools"] {
    case nil, .null?: return []
    case .array(let tools)?: return tools
    case .string(let text)?:
      // ShareGPT's tools are JSON inside a text.
      if text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x0A }) { return [] }
      guard case .array(let tools)? = try? JSONValue(parsing: Array(text.utf8), source: place)
      else { throw error("'tools' is a text that is not a JSON list.") }
      return tools
    default: throw error("'tools' is not a list.")
    }
  }

  // MARK: Values

  private func text(
    _ object: JSONObject, _ key: String, _ path: String? = nil
  ) throws(DatasetError) -> String {
    let name = path.map { "\($0).\(key)" } ?? key
    switch object[key] {
    case .string(let text): return text
    case nil: throw error("'\(name)' is missing.")
    default: throw error("'\(name)' is not a text.")
    }
  }

  /// A text that may be missing, null or empty.
  private func optionalText(_ object: JSONObject, _ key: String) throws(DatasetError) -> String? {
    switch object[key] {
    case nil, .null?, .string("")?: return nil
    case .string(let text)?: return text
    default: throw error("'\(key)' is not a text.")
    }
  }

  private func error(_ message: String) -> DatasetError { DatasetError(place, message) }
}
