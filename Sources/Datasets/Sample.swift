import Interface
import Storage

/// One thing to learn from, and where it came from.
public struct Sample: Equatable, Sendable {
  public enum Body: Equatable, Sendable {
    /// Turns that a chat template renders, and the tools they may name.
    case conversation([Message], tools: [JSONValue])
    /// Text to go on from, and how it goes on; no template is applied.
    case completion(prompt: String, completion: String)
    /// Text, all of it to be learned; no template is applied.
    case text(String)
  }

  public var body: Body
  /// The file and line: `samples.jsonl:12`.
  public var place: String

  public init(_ body: Body, place: String) {
    self.body = body
    self.place = place
  }
}

/// A turn of a conversation.
public struct Message: Equatable, Sendable {
  public var role: String
  /// What is said; "" for a turn that only calls tools.
  public var content: String
  /// What the sample says besides, such as `tool_calls` and `reasoning_content`, for the template.
  public var extras: [(key: String, value: JSONValue)]
  /// Whether the sample gives null as the content, which templates tell from "".
  public var hasContent: Bool

  public init(
    _ role: String, _ content: String, extras: [(key: String, value: JSONValue)] = [],
    hasContent: Bool = true
  ) {
    self.role = role
    self.content = content
    self.extras = extras
    self.hasContent = hasContent
  }

  /// The turn as a chat template sees it.
  public var json: JSONValue {
    .object(
      JSONObject(
        members: [
          ("role", .string(role)), ("content", hasContent ? .string(content) : .null),
        ] + extras))
  }

  public static func == (a: Self, b: Self) -> Bool { a.json == b.json }

  static let think = Array("<think>".utf8)
  static let thinkEnd = Array("</think>".utf8)

  /// The turn's reasoning, without white space around it: what its content has before the first
  /// `</think>`, or a key of its own that templates know; nil if there is none.
  var reasoning: [UInt8]? {
    let content = Array(content.utf8)
    if let end = content.firstRange(of: Self.thinkEnd)?.lowerBound {
      let start = content.firstRange(of: Self.think)?.upperBound ?? 0
      let text = content[min(start, end)..<end].trimmed
      return text.isEmpty ? nil : Array(text)
    }
    for name in ["reasoning_content", "thinking", "reasoning"] {
      if case .string(let text)? = extras.first(where: { $0.key == name })?.value {
        return text.trimmedBytes
      }
    }
    return nil
  }
}

extension String {
  fileprivate var trimmedBytes: [UInt8]? {
    let text = Array(utf8)[...].trimmed
    return text.isEmpty ? nil : Array(text)
  }
}

extension ArraySlice where Element == UInt8 {
  /// Without the white space of ASCII at both ends.
  var trimmed: ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    var text = drop(while: isSpace)
    while let last = text.last, isSpace(last) { text.removeLast() }
    return text
  }
}

/// Where the samples of a data set are, and how to read them.
public struct SampleSource: Codable, Equatable, Sendable {
  /// A file in JSONL, or of one JSON array.
  public var path: String
  /// The form of its samples; without it, the one that the first sample has.
  public var form: SampleForm?
  /// For `form: "fields"`: which key holds the text of which role, such as
  /// `{"user": "question", "assistant": "answer"}`.
  public var fields: [String: String]?
  /// A system turn for conversations that have none.
  public var system: String?

  public init(
    path: String, form: SampleForm? = nil, fields: [String: String]? = nil, system: String? = nil
  ) {
    self.path = path
    self.form = form
    self.fields = fields
    self.system = system
  }
}

/// The forms that samples come in.
public enum SampleForm: String, Choice {
  /// `messages`: a list of turns with `role` and `content`.
  case messages
  /// ShareGPT's `conversations`: a list of turns with `from` and `value`.
  case conversations
  /// `prompt` and `completion`: two texts, or two lists of turns.
  case completion
  /// Alpaca's `instruction`, `input` and `output`, with `system` and `history` if there are any.
  case alpaca
  /// `text`.
  case text
  /// Keys named by the recipe's `fields`.
  case fields

  /// The keys that a sample of this form has; any of the others may be there as well.
  var keys: [String] {
    switch self {
    case .messages: ["messages"]
    case .conversations: ["conversations"]
    case .completion: ["prompt", "completion"]
    case .alpaca: ["instruction", "output"]
    case .text: ["text"]
    case .fields: []
    }
  }
}
