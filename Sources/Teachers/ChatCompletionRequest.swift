import Foundation
import Storage

/// What is sent to a server: the body of `/chat/completions`.
struct ChatCompletionRequest {
  let settings: RemoteTeacherSettings
  let question: TeacherQuestion
  /// The samples that this request is for, some of the question's.
  let samples: Range<Int>

  /// The body, or what is wrong with the question.
  ///
  /// - Throws: `ReplyFault`, whose words follow the question's place.
  func body() throws(ReplyFault) -> Data {
    let choices = question.settings
    guard let temperature = JSONNumber(choices.temperature), let topP = JSONNumber(choices.topP)
    else {
      throw ReplyFault(
        .giveUpQuestion, kind: "settings", "cannot be asked with a temperature or top-p of NaN.")
    }
    var members: [(key: String, value: JSONValue)] = [
      ("model", .string(settings.model)), ("messages", messages),
      ("temperature", .number(temperature)), ("top_p", .number(topP)),
      ("max_tokens", .number(JSONNumber(choices.maxTokens))),
    ]
    // Some servers refuse members that they do not know; one sample is what they give anyway.
    if samples.count > 1 { members.append(("n", .number(JSONNumber(samples.count)))) }
    members.append(("seed", .number(JSONNumber(seed))))
    if !choices.stop.isEmpty {
      members.append(("stop", .array(choices.stop.map { .string($0) })))
    }
    members.append(("stream", .bool(settings.stream)))
    if settings.stream {
      let options = JSONObject(members: [("include_usage", .bool(true))])
      members.append(("stream_options", .object(options)))
    }
    members += settings.extra?.members.members ?? []
    return JSONValue.object(JSONObject(members: members)).serialized()
  }

  private var messages: JSONValue {
    .array(
      question.messages.map {
        .object(
          JSONObject(members: [("role", .string($0.role)), ("content", .string($0.content))]))
      })
  }

  /// What the server is to draw with, from 0 to 2³¹ - 1: the first four bytes, the highest first,
  /// without the highest bit, of the SHA-256 of these lines:
  ///
  ///     distill seed
  ///     the settings' seed, in decimal
  ///     the number of the request's first sample, in decimal
  ///     the messages, as they stand in the request, without a line feed
  var seed: Int {
    var hash = SHA256()
    hash.update(
      Array("distill seed\n\(question.settings.seed)\n\(samples.lowerBound)\n".utf8))
    hash.update(Array(messages.serialized()))
    let digest = hash.finalized()
    return digest.prefix(4).reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
  }

  /// A rough count of the prompt's tokens: a quarter of its bytes.
  var estimatedPromptTokens: Int {
    question.messages.reduce(0) { $0 + $1.content.utf8.count / 4 + 4 }
  }
}
