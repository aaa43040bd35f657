import Foundation
import Storage

/// The questions and answers of one record in a file of earlier answers.
struct RecordedAnswers {
  let question: String
  let answers: [TeacherAnswer]

  private static let questionNames = [
    "question", "problem", "prompt", "instruction", "messages", "conversations",
  ]
  private static let reasoningNames = [
    "message_thinking", "reasoning_content", "thinking", "reasoning",
  ]
  private static let answerNames = [
    "message_content", "response", "completion", "generation", "output", "generations", "answer",
  ]

  /// - Parameter model: Who is taken to have answered where the record names no model.
  /// - Throws: `SampleError` for a record without a question or without an answer.
  init(_ object: JSONObject, place: String, model: String) throws(SampleError) {
    let members = JSONMembers(object, place: place)
    func keys() -> String {
      object.members.prefix(12).map { quoted($0.key) }.joined(separator: ", ")
    }
    guard let name = Self.questionNames.first(where: { members.has($0) }) else {
      throw SampleError(
        place, "there is no 'question', 'prompt' or 'messages' among its keys (\(keys())).")
    }
    var said: String?
    switch object[name] {
    case .string(let text)?: question = text
    case .array(let turns)?:
      guard let asked = Self.lastTurn(of: turns, by: ["user", "human"], before: nil) else {
        throw SampleError(place, "\(quoted(name)) has no turn of a user.")
      }
      question = asked.text
      said = Self.lastTurn(of: turns, by: ["assistant", "gpt"], before: nil)?.text
    default: throw SampleError(place, "\(quoted(name)) must be a text or a list of turns.")
    }
    var model = model
    if case .string(let name)? = object["model"] { model = name }
    var isCut = false
    if case .string("length")? = object["finish_reason"] { isCut = true }
    let reasoning = Self.reasoningNames.lazy.compactMap { name -> String? in
      if case .string(let text)? = object[name] { text } else { nil }
    }.first
    let texts = Self.texts(object) ?? said.map { [$0] } ?? []
    guard !texts.isEmpty else {
      throw SampleError(
        place,
        "there is no 'answer', 'response', 'completion' or 'generation' among its keys (\(keys()))."
      )
    }
    answers = texts.map { text in
      if let reasoning {
        return TeacherAnswer(
          reasoning: reasoning, content: text, finishReason: isCut ? .length : .stop, model: model)
      }
      return Self.answer(text, isCut: isCut, model: model)
    }
  }

  /// What was answered, in the order of the record; nil if there is nothing.
  private static func texts(_ object: JSONObject) -> [String]? {
    for name in answerNames {
      switch object[name] {
      case .string(let text)?: return [text]
      case .array(let values)?:
        let texts = values.compactMap { value in
          if case .string(let text) = value { text } else { nil as String? }
        }
        if !texts.isEmpty { return texts }
      default: break
      }
    }
    // GSM8K's examples: `"6b_finetuning": {"is_correct": …, "solution": …}`, one for each model.
    let solutions = object.members.compactMap { member -> String? in
      guard case .object(let sample) = member.value, case .string(let text)? = sample["solution"]
      else { return nil }
      return text
    }
    return solutions.isEmpty ? nil : solutions
  }

  private static func lastTurn(
    of turns: [JSONValue], by roles: [String], before end: Int?
  ) -> (text: String, index: Int)? {
    for index in turns.indices.reversed() where index < end ?? .max {
      guard case .object(let turn) = turns[index],
        case .string(let role)? = turn["role"] ?? turn["from"], roles.contains(role),
        case .string(let text)? = turn["content"] ?? turn["value"]
      else { continue }
      return (text, index)
    }
    return nil
  }

  /// Takes a text with `<think>` apart, byte for byte.
  ///
  /// One that ends within its thinking was cut. A text that begins within its thinking, because the
  /// prompt ended with `<think>`, is taken apart at `</think>`.
  static func answer(_ text: String, isCut: Bool, model: String) -> TeacherAnswer {
    let open = Array("<think>".utf8)
    let close = Array("</think>".utf8)
    let bytes = Array(text.utf8)
    let first = bytes.firstIndex { $0 > 32 } ?? 0
    let opens = bytes[first...].starts(with: open)
    let start = opens ? first + open.count : 0
    func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    if let end = bytes[start...].firstRange(of: close) {
      return TeacherAnswer(
        reasoning: part(start..<end.lowerBound), content: part(end.upperBound..<bytes.count),
        finishReason: isCut ? .length : .stop, model: model)
    }
    if opens {
      return TeacherAnswer(
        reasoning: part(start..<bytes.count), content: "", finishReason: .length, model: model)
    }
    return TeacherAnswer(content: text, finishReason: isCut ? .length : .stop, model: model)
  }
}
