import Foundation
import Storage

/// A prompt that a model is asked to answer or to go on from.
public struct Prompt: Equatable, Sendable {
  public enum Body: Equatable, Sendable {
    /// Turns, rendered by the chat template.
    case conversation([Message])
    /// Text that is continued as it is.
    case text(String)
  }

  public var body: Body
  /// The record's own `id`, if it has one.
  public var id: JSONValue?
  /// The file and line: `prompts.jsonl:12`.
  public var place: String

  public init(_ body: Body, id: JSONValue? = nil, place: String) {
    self.body = body
    self.id = id
    self.place = place
  }

  /// Reads prompts: records with `messages`, or with `prompt` as a text or as turns; or, of a file
  /// that begins with no bracket, one prompt for each line that is not blank.
  ///
  /// - Parameters:
  ///   - name: What errors call the file, such as "standard input".
  ///   - asksUser: Whether a line of text is a user's turn; otherwise it is continued.
  /// - Throws: `DatasetError`.
  public static func read(
    at path: String, name: String? = nil, asksUser: Bool
  ) throws(DatasetError) -> [Prompt] {
    let name = name ?? path
    let file: MappedFile
    do { file = try MappedFile(at: path) } catch { throw DatasetError(error) }
    let contents = file.contents
    let start = contents.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let first = contents[start...].first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
    guard let first else { throw DatasetError(name, "it holds no prompts.") }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      return try records(at: path, name)
    }
    var prompts: [Prompt] = []
    let lines = contents[start...].split(separator: 0x0A, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let bytes = line.last == 0x0D ? line.dropLast() : line
      let text = String(decoding: bytes, as: UTF8.self)
      guard text.utf8.elementsEqual(bytes) else {
        throw DatasetError("\(name):\(index + 1)", "the line is not UTF-8. Save the file as UTF-8.")
      }
      if text.allSatisfy(\.isWhitespace) { continue }
      prompts.append(
        Prompt(
          asksUser ? .conversation([Message("user", text)]) : .text(text),
          place: "\(name):\(index + 1)"))
    }
    return prompts
  }

  private static func records(
    at path: String, _ name: String
  ) throws(DatasetError) -> [Prompt] {
    let records = try RecordFile(at: path)
    var prompts: [Prompt] = []
    for index in 0..<records.count {
      let record = try records.record(index)
      let place = "\(name):\(record.line)"
      prompts.append(
        Prompt(try body(record.object, place), id: record.object["id"], place: place))
    }
    return prompts
  }

  private static func body(
    _ object: JSONObject, _ place: String
  ) throws(DatasetError) -> Body {
    let turns: JSONValue?
    switch (object["messages"], object["prompt"]) {
    case (_?, _?):
      throw DatasetError(place, "it has both 'messages' and 'prompt'. Leave one.")
    case (let messages?, nil): turns = messages
    case (nil, .string(let text)?): return .text(text)
    case (nil, let prompt): turns = prompt
    }
    guard let turns else {
      let keys = object.members.map { quoted($0.key) }.joined(separator: ", ")
      throw DatasetError(
        place,
        "its keys (\(keys)) are neither 'messages', a list of turns with 'role' and 'content', "
          + "nor 'prompt', a text.")
    }
    let reader = SampleReader(place: place, system: nil)
    let only = JSONObject(members: [("messages", turns)])
    guard case .conversation(let messages, _) = try reader.body(only, .messages, nil) else {
      throw DatasetError(place, "its turns can't be read.")
    }
    guard let last = messages.last, last.role != "assistant" else {
      throw DatasetError(
        place,
        messages.isEmpty
          ? "the conversation is empty."
          : "the conversation ends with the assistant; nothing is asked.")
    }
    return .conversation(messages)
  }
}
