import Storage

extension SampleRecord {
  /// The record as a journal has it, without the checksum of `JournalLine`.
  ///
  ///     {"key": …, "problem": …, "sample": 0, "time": …,
  ///      "settings": {"temperature", "topP", "maxTokens", "seed", "stop"},
  ///      "answer": {"model", "finishReason", "promptTokens", "completionTokens", "attempts",
  ///                 "seconds", "reasoning", "content"}}
  ///
  /// What is nil is left out. Long texts come last, so that a line's beginning tells what it is.
  public var json: JSONObject {
    JSONObject(members: [
      ("key", .string(key)), ("problem", .string(problem)), ("sample", .number(JSONNumber(sample))),
      ("time", .string(time)), ("settings", settings.json), ("answer", answer.json),
    ])
  }

  /// Reads what `json` wrote. Members that are not known are passed over.
  ///
  /// - Parameter place: The file and line, for errors.
  /// - Throws: `SampleError`.
  public init(_ json: JSONObject, place: String) throws(SampleError) {
    do throws(JSONMemberError) {
      let members = JSONMembers(json, place: place)
      self.init(
        key: try members.text("key"), problem: try members.text("problem"),
        sample: try members.count("sample"),
        settings: try SamplingChoices(members.members("settings")),
        answer: try TeacherAnswer(members.members("answer")), time: try members.text("time"))
    } catch {
      throw SampleError(error)
    }
    guard Self.isKey(key) else {
      throw SampleError(place, "'key' must be 64 hexadecimal digits in small letters.")
    }
    // Sums of them must not overflow.
    for (name, count) in [
      ("promptTokens", answer.promptTokens ?? 0),
      ("completionTokens", answer.completionTokens ?? 0),
    ] where count > 1_000_000_000 {
      throw SampleError(place, "'\(name)' is \(count), which no answer has. Remove the line.")
    }
  }

  private static func isKey(_ key: String) -> Bool {
    key.utf8.count == 64
      && key.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}

extension SamplingChoices {
  /// The choices in one order and wording, as records and keys have them.
  public var json: JSONValue {
    .object(
      JSONObject(members: [
        ("temperature", .number(JSONNumber(temperature) ?? JSONNumber(0))),
        ("topP", .number(JSONNumber(topP) ?? JSONNumber(0))),
        ("maxTokens", .number(JSONNumber(maxTokens))),
        ("seed", .number(JSONNumber(text: String(seed)))),
        ("stop", .array(stop.map { .string($0) })),
      ]))
  }

  /// Reads what `json` wrote.
  ///
  /// - Throws: `JSONMemberError`.
  public init(_ members: JSONMembers) throws(JSONMemberError) {
    self.init(
      temperature: try members.number("temperature"), topP: try members.number("topP"),
      maxTokens: try members.count("maxTokens"), seed: try members.bits("seed"),
      stop: try members.texts("stop"))
  }
}

extension TeacherAnswer {
  fileprivate var json: JSONValue {
    .object(
      JSONObject(present: [
        ("model", .string(model)), ("finishReason", .string(finishReason.rawValue)),
        ("promptTokens", promptTokens.map { .number(JSONNumber($0)) }),
        ("completionTokens", completionTokens.map { .number(JSONNumber($0)) }),
        ("attempts", .number(JSONNumber(attempts))),
        ("seconds", .number(JSONNumber(seconds) ?? JSONNumber(0))),
        ("reasoning", reasoning.map { .string($0) }), ("content", .string(content)),
      ]))
  }

  fileprivate init(_ members: JSONMembers) throws(JSONMemberError) {
    self.init(
      reasoning: try members.optionalText("reasoning"), content: try members.text("content"),
      finishReason: try members.choice("finishReason", as: FinishReason.self),
      promptTokens: try members.optionalCount("promptTokens"),
      completionTokens: try members.optionalCount("completionTokens"),
      model: try members.text("model"), attempts: try members.count("attempts"),
      seconds: try members.number("seconds"))
  }
}

extension SampleRecord {
  /// A time as records have it: RFC 3339, UTC, with milliseconds, such as
  /// `2025-01-20T08:05:09.123Z`.
  ///
  /// Days are counted as in Hinnant, "chrono-Compatible Low-Level Date Algorithms".
  ///
  /// - Parameter seconds: Since 1970.
  public static func timeText(_ seconds: Double) -> String {
    let milliseconds = Int((min(max(seconds, 0), 2.5e11) * 1_000).rounded(.down))
    let days = milliseconds / 86_400_000 + 719_468
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    let rest = milliseconds % 86_400_000
    return
      "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))T\(digits(rest / 3_600_000, 2)):"
      + "\(digits(rest / 60_000 % 60, 2)):\(digits(rest / 1_000 % 60, 2)).\(digits(rest % 1_000, 3))Z"
  }
}
