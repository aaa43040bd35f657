import ChatTemplates
import Storage
import Tokenizers

/// Renders one conversation through the chat template.
struct ConversationRenderer {
  private let rendering: Rendering
  private let template: ChatTemplate
  private let messages: [Message]
  private let tools: [JSONValue]
  private let place: String

  init(
    _ rendering: Rendering, _ messages: [Message], _ tools: [JSONValue], place: String
  ) throws(DatasetError) {
    guard let template = rendering.template else {
      throw DatasetError(
        place, "the checkpoint has no chat template, which a conversation needs.")
    }
    self.rendering = rendering
    self.template = template
    self.messages = messages
    self.tools = tools
    self.place = place
  }

  /// Text with the parts of it that were written by users.
  struct Rendered {
    var text: [UInt8]
    var literal: [Range<Int>]

    /// What is behind the first `count` bytes.
    func dropFirst(_ count: Int) -> Rendered {
      Rendered(
        text: Array(text[count...]),
        literal: literal.compactMap { range in
          let part = max(range.lowerBound, count) - count..<max(range.upperBound, count) - count
          return part.isEmpty ? nil : part
        })
    }
  }

  // MARK: Documents

  /// The conversation as it is, all of it to be learned.
  func whole() throws(DatasetError) -> RenderedDocument {
    var document = RenderedDocument()
    document.append(encode(try render(messages[...], prompting: false)), supervised: true)
    if !document.supervised.isEmpty { document.supervised[0] = false }
    document.turnEnds = [document.ids.count]
    return document
  }

  func turns() throws(DatasetError) -> [RenderedDocument] {
    let turns = messages.indices.filter { messages[$0].role == "assistant" }
    let learned = rendering.supervision == .last ? Array(turns.suffix(1)) : turns
    var documents: [RenderedDocument] = []
    var document = RenderedDocument()
    var text: [UInt8] = []
    for turn in learned {
      let prompt = try render(messages[..<turn], prompting: true)
      // The document goes on if the template and the tokenizer leave what is there as it was.
      var goesOn = false
      if !document.ids.isEmpty, prompt.text.starts(with: text) {
        var longer = document
        longer.append(encode(prompt.dropFirst(text.count)), supervised: false)
        if longer.ids == encode(prompt) {
          document = longer
          goesOn = true
        }
      }
      if !goesOn {
        if !document.ids.isEmpty { documents.append(document) }
        document = RenderedDocument()
        document.append(encode(prompt), supervised: false)
      }
      let answer = try answer(turn, after: prompt)
      try append(answer, of: turn, to: &document)
      text = prompt.text + answer.text
    }
    documents.append(document)
    return documents
  }

  /// Appends an answer, learned up to its end token; what the template puts behind that is not.
  private func append(
    _ answer: Rendered, of turn: Int, to document: inout RenderedDocument
  ) throws(DatasetError) {
    let ids = encode(answer)
    guard let end = ids.lastIndex(where: { rendering.endTokens.contains($0) }) else {
      let names = rendering.endTokens.sorted().compactMap { rendering.tokenizer.token($0) }
      throw DatasetError(
        place,
        "turn \(turn + 1) ends without a token that ends generation ("
          + names.map { "'\($0)'" }.joined(separator: ", ")
          + "): the model would not learn to stop.")
    }
    document.append(Array(ids[...end]), supervised: true)
    document.turnEnds.append(document.ids.count)
    document.append(Array(ids[(end + 1)...]), supervised: false)
  }

  // MARK: Answers

  /// What follows the generation prompt when the assistant says what the turn says.
  ///
  /// What the template itself makes of the turn, if that begins with the prompt and holds all of
  /// the reasoning. R1's template does neither: it drops the reasoning of a turn and asks for
  /// one with `<think>`. Then the answer is the turn's text, less what the prompt has of it, and
  /// whatever the template puts behind an answer.
  private func answer(_ turn: Int, after prompt: Rendered) throws(DatasetError) -> Rendered {
    let message = messages[turn]
    if prompt.text[...].trimmed.suffix(Message.thinkEnd.count).elementsEqual(Message.thinkEnd),
      message.reasoning != nil
    {
      throw DatasetError(
        place,
        "the prompt ends its thought before turn \(turn + 1), which then thinks. Templates "
          + "have a variable for that: 'templateVariables: {enable_thinking: true}', or one of another name."
      )
    }
    let whole = try render(messages[...turn], prompting: false)
    if whole.text.starts(with: prompt.text) {
      let answer = whole.dropFirst(prompt.text.count)
      if holdsReasoning(answer.text, of: message) { return answer }
    }
    guard message.extras.isEmpty else {
      throw DatasetError(
        place,
        "turn \(turn + 1) has reasoning that the template drops, and keys besides 'content', "
          + "which only the template can write. Put the reasoning into 'content', between '<think>' "
          + "and '</think>', and leave the others out.")
    }
    var content = Array(message.content.utf8)
    if let opening = Self.openThought(prompt.text) {
      guard let rest = Self.behindThink(content, opening: opening) else {
        throw DatasetError(
          place,
          "the prompt opens '<think>', but turn \(turn + 1) has no reasoning. Put "
            + "'<think>\\n\\n</think>\\n\\n' before an answer that needs none.")
      }
      content = rest
    }
    let ending = try ending(turn)
    var literal = ending.literal.map {
      $0.lowerBound + content.count..<$0.upperBound + content.count
    }
    if !content.isEmpty { literal.insert(0..<content.count, at: 0) }
    return Rendered(text: content + ending.text, literal: literal)
  }

  /// Whether the reasoning of a turn is in what was rendered of it.
  private func holdsReasoning(_ text: [UInt8], of message: Message) -> Bool {
    message.reasoning.map { text.firstRange(of: $0) != nil } ?? true
  }

  /// What is behind the last `<think>` of a prompt; nil if no thought is open at its end.
  private static func openThought(_ prompt: [UInt8]) -> ArraySlice<UInt8>? {
    guard let open = prompt.lastRange(of: Message.think) else { return nil }
    let rest = prompt[open.upperBound...]
    return rest.trimmed.isEmpty ? rest : nil
  }

  /// What follows `<think>` and the white space that the prompt has behind it; nil if the text
  /// does not think.
  private static func behindThink(_ content: [UInt8], opening: ArraySlice<UInt8>) -> [UInt8]? {
    guard content.firstRange(of: Message.thinkEnd) != nil else { return nil }
    var rest = content[...]
    let begin = rest.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
    if begin.starts(with: Message.think) { rest = begin.dropFirst(Message.think.count) }
    if rest.starts(with: opening) { rest = rest.dropFirst(opening.count) }
    return Array(rest)
  }

  /// What the template puts behind an answer: found with an answer that nothing else can be.
  private func ending(_ turn: Int) throws(DatasetError) -> Rendered {
    let probe = "\u{E000}answer\u{E001}"
    var probing = Array(messages[...turn])
    probing[turn] = Message("assistant", probe)
    let rendered = try render(probing[...], prompting: false)
    guard let found = rendered.text.lastRange(of: Array(probe.utf8)) else {
      throw DatasetError(place, "the chat template leaves out what the assistant says.")
    }
    return rendered.dropFirst(found.upperBound)
  }

  // MARK: Template and tokenizer

  func render(_ messages: ArraySlice<Message>, prompting: Bool) throws(DatasetError) -> Rendered {
    do {
      let chat = try template.render(
        messages.map(\.json), tools: tools.isEmpty ? nil : tools, addGenerationPrompt: prompting,
        variables: rendering.variables, now: rendering.date)
      return Rendered(
        text: chat.text, literal: rendering.specialTokensInText ? [] : chat.inputRanges)
    } catch {
      throw DatasetError(place, "\(error)")
    }
  }

  func encode(_ rendered: Rendered) -> [Int32] {
    rendering.tokenizer.encode(rendered.text, literal: rendered.literal)
  }
}

extension Array where Element == UInt8 {
  /// Where bytes stand first.
  func firstRange(of other: [UInt8]) -> Range<Int>? {
    guard let first = other.first, count >= other.count else { return nil }
    for i in 0...count - other.count
    where self[i] == first && self[i..<i + other.count].elementsEqual(other) {
      return i..<i + other.count
    }
    return nil
  }

  /// Where bytes stand last.
  func lastRange(of other: [UInt8]) -> Range<Int>? {
    guard let first = other.first, count >= other.count else { return nil }
    for i in stride(from: count - other.count, through: 0, by: -1)
    where self[i] == first && self[i..<i + other.count].elementsEqual(other) {
      return i..<i + other.count
    }
    return nil
  }
}
