import Datasets
import Foundation
import Problems
import Storage
import Teachers
import Verification

/// Lines of `samples.jsonl`: conversations in the form `messages`, with where they came from.
enum SampleWriting {
  /// A sample of a teacher.
  ///
  /// - Parameters:
  ///   - asked: The turns that the teacher answered.
  ///   - verdict: The outcome, whose verdict it is and the version, if it was judged.
  static func line(
    _ record: SampleRecord, _ problem: Problem, asked: [Message], source: String,
    verdict: JSONValue, tokens: Int
  ) -> Data {
    let turns = asked + [Message("assistant", completion(record))]
    let provenance = JSONObject(members: [
      ("source", .string(source)), ("problem", .string(problem.id)),
      ("sample", .number(JSONNumber(record.sample))), ("key", .string(record.key)),
      ("teacher", .string(record.answer.model)), ("verdict", verdict),
      ("tokens", .number(JSONNumber(tokens))),
    ])
    return line([("messages", .array(turns.map(\.json)))], provenance)
  }

  /// A sample of the mixture.
  static func line(_ conversation: MixtureConversation, source: String) -> Data {
    var members: [(key: String, value: JSONValue)] = [
      ("messages", .array(conversation.messages.map(\.json)))
    ]
    if !conversation.tools.isEmpty { members.append(("tools", .array(conversation.tools))) }
    return line(
      members,
      JSONObject(members: [
        ("source", .string(source)), ("place", .string(conversation.place)),
      ]))
  }

  private static func line(
    _ members: [(key: String, value: JSONValue)], _ provenance: JSONObject
  ) -> Data {
    var data = JSONValue.object(
      JSONObject(members: members + [("provenance", .object(provenance))])
    ).serialized()
    data.append(0x0A)
    return data
  }

  /// What the student is to say: `<think>`, the reasoning and `</think>` on lines of their own, a
  /// blank line and the answer. White space around the parts is all that changes.
  static func completion(_ record: SampleRecord) -> String {
    let text = Array(record.text.utf8)
    let format = ThinkingFormat(text)
    guard let thinking = format.thinking, let answer = format.answer,
      text[..<thinking.lowerBound].filter({ $0 > 0x20 }).elementsEqual("<think>".utf8)
    else { return record.text }
    return completion(reasoning: text[thinking], answer: text[answer])
  }

  static func completion(reasoning: ArraySlice<UInt8>, answer: ArraySlice<UInt8>) -> String {
    "<think>\n" + String(decoding: trimmed(reasoning), as: UTF8.self) + "\n</think>\n\n"
      + String(decoding: trimmed(answer), as: UTF8.self)
  }

  static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    var text = text.drop(while: isSpace)
    while let last = text.last, isSpace(last) { text.removeLast() }
    return text
  }
}
