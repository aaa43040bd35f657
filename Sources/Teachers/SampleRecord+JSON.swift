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

  fileprivate init(_ members: JSONMembers) throws(JSONMemberError) {
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
