import Storage
import Teachers

/// What tells samples apart, whatever run they are of: SHA-256, in 64 hexadecimal digits, of the text
///
///     {"teacher":…,"messages":[{"role":…,"content":…},…],"settings":{…},"sample":0}
///
/// in UTF-8, in this order and without white space: the teacher's `identity`, the turns that were
/// asked, `SamplingChoices.json`, and the sample's number.
public struct SampleKey: Sendable {
  private let beginning: SHA256

  public init(
    teacher: JSONValue, messages: [TeacherQuestion.Message], settings: SamplingChoices
  ) {
    let turns = messages.map { message in
      JSONValue.object(
        JSONObject(members: [
          ("role", .string(message.role)), ("content", .string(message.content)),
        ]))
    }
    var text = JSONValue.object(
      JSONObject(members: [
        ("teacher", teacher), ("messages", .array(turns)), ("settings", settings.json),
      ])
    ).serialized()
    text.removeLast()
    var hash = SHA256()
    hash.update(Array(text) + Array(",\"sample\":".utf8))
    beginning = hash
  }

  public func text(sample: Int) -> String {
    var hash = beginning
    hash.update(Array("\(sample)}".utf8))
    return hash.finalizedText()
  }
}
