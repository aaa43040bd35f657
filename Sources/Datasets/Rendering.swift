import ChatTemplates
import Interface
import Storage
import Tokenizers

/// Which tokens of a sample are learned.
public enum Supervision: String, Choice {
  /// What the assistant says, in every turn.
  case assistant
  /// What the assistant says in the last turn.
  case last
  /// Everything.
  case everything
}

/// A sample as token ids: one sequence, of which some tokens are learned.
public struct RenderedDocument: Equatable, Sendable {
  public var ids: [Int32] = []
  /// For each token whether predicting it is part of the loss.
  public var supervised: [Bool] = []
  /// Where each learned turn ends, behind its end token: the document may be cut there.
  public var turnEnds: [Int] = []

  public init(ids: [Int32] = [], supervised: [Bool] = [], turnEnds: [Int] = []) {
    self.ids = ids
    self.supervised = supervised
    self.turnEnds = turnEnds
  }

  public var supervisedCount: Int { supervised.count { $0 } }

  mutating func append(_ ids: [Int32], supervised: Bool) {
    self.ids += ids
    self.supervised += [Bool](repeating: supervised, count: ids.count)
  }
}

/// Turns samples into token ids with a loss mask.
///
/// A turn of the assistant is learned as what follows the *generation prompt*: the conversation up
/// to it, rendered exactly as it will be to ask for an answer, and encoded by itself. So the model
/// is trained on the very ids that it is prompted with.
public struct Rendering: Sendable {
  public let tokenizer: Tokenizer
  public let template: ChatTemplate?
  public let supervision: Supervision
  /// Whether special tokens that are written out in samples become those tokens.
  public let specialTokensInText: Bool
  /// What the template is given besides, such as `enable_thinking`.
  public let variables: [String: JSONValue]
  /// Any of these ends a turn, where generation stops.
  public let endTokens: Set<Int32>
  /// The time that templates are told.
  public let date: TemplateDate

  public init(
    tokenizer: Tokenizer, template: ChatTemplate?, endTokens: Set<Int32>,
    supervision: Supervision = .assistant, specialTokensInText: Bool = false,
    variables: [String: JSONValue] = [:], date: TemplateDate = .now
  ) {
    self.tokenizer = tokenizer
    self.template = template
    self.endTokens = endTokens
    self.supervision = supervision
    self.specialTokensInText = specialTokensInText
    self.date = date
    var variables = variables
    for (role, text) in tokenizer.roles where variables[role] == nil {
      variables[role] = .string(text)
    }
    self.variables = variables
  }

  /// A sample's documents: one, or one for each learned turn where the template changes earlier
  /// turns once a conversation goes on, as R1's does, which drops their reasoning.
  ///
  /// - Throws: `DatasetError` if the sample can't be rendered so that nothing is lost.
  public func documents(of sample: Sample) throws(DatasetError) -> [RenderedDocument] {
    switch sample.body {
    case .text(let text):
      return [try raw(prompt: nil, text, sample.place)]
    case .completion(let prompt, let completion):
      return [try raw(prompt: prompt, completion, sample.place)]
    case .conversation(let messages, let tools):
      try checkRoles(messages, sample.place)
      let renderer = try ConversationRenderer(self, messages, tools, place: sample.place)
      return supervision == .everything ? [try renderer.whole()] : try renderer.turns()
    }
  }

  /// The ids that ask for the next turn of a conversation: the same that a learned turn follows.
  ///
  /// - Throws: `DatasetError`.
  public func prompt(
    _ messages: [Message], tools: [JSONValue] = [], place: String
  ) throws(DatasetError) -> [Int32] {
    let renderer = try ConversationRenderer(self, messages, tools, place: place)
    return renderer.encode(try renderer.render(messages[...], prompting: true))
  }

  /// The `<think>` that stands at the end of a prompt, with the space behind it; "" where none does.
  /// It is part of the answer, although the model did not write it.
  public func openedThinking(by prompt: [Int32]) -> String {
    let tail = Array(tokenizer.decode(Array(prompt.suffix(8))).utf8)
    let tag = Array("<think>".utf8)
    guard let end = tail.lastIndex(where: { $0 != 0x20 && !(0x09...0x0D).contains($0) }),
      tail[...end].count >= tag.count, tail[...end].suffix(tag.count).elementsEqual(tag)
    else { return "" }
    return String(decoding: tail[(end + 1 - tag.count)...], as: UTF8.self)
  }

  // MARK: Without a template

  private func raw(
    prompt: String?, _ text: String, _ place: String
  ) throws(DatasetError) -> RenderedDocument {
    guard let end = tokenizer.id(role: "eos_token") else {
      throw DatasetError(
        place,
        "the tokenizer names no 'eos_token', without which the model would not learn to "
          + "stop.")
    }
    var document = RenderedDocument()
    document.append(tokenizer.prefix, supervised: false)
    if let prompt {
      document.append(tokenizer.encode(prompt, special: specialTokensInText), supervised: false)
    }
    document.append(tokenizer.encode(text, special: specialTokensInText), supervised: true)
    document.append([end], supervised: true)
    // Nothing comes before the first token that could predict it.
    document.supervised[0] = false
    document.turnEnds = [document.ids.count]
    return document
  }

  // MARK: Roles

  /// A conversation is an optional system turn, and then turns in an order that can be answered.
  private func checkRoles(_ messages: [Message], _ place: String) throws(DatasetError) {
    var previous = ""
    for (i, message) in messages.enumerated() {
      let role = message.role == "developer" ? "system" : message.role
      let follows: [String]
      switch role {
      case "system": follows = [""]
      case "user": follows = ["", "system", "assistant"]
      case "assistant": follows = ["user", "tool"]
      case "tool": follows = ["assistant", "tool"]
      default:
        throw DatasetError(
          place,
          "turn \(i + 1) has the role \(quoted(message.role)), not one of 'system', 'user', "
            + "'assistant', 'tool'.")
      }
      guard follows.contains(previous) else {
        throw DatasetError(
          place,
          previous.isEmpty
            ? "the conversation begins with '\(role)'; it must begin with 'system' or 'user'."
            : "turn \(i + 1) is '\(role)' behind '\(previous)', which breaks the order of turns.")
      }
      previous = role
    }
    guard previous == "assistant" else {
      throw DatasetError(
        place,
        previous.isEmpty
          ? "the conversation is empty." : "the conversation must end with the assistant.")
    }
  }
}
