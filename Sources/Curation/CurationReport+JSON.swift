import Storage

extension CurationReport {
  /// The report as `report.json` has it.
  public var json: JSONValue {
    .object(
      JSONObject(present: [
        ("samples", .count(samples)),
        (
          "prompts",
          .members([
            ("all", .count(prompts.all)), ("sampled", .count(prompts.sampled)),
            ("solved", .count(prompts.solved)), ("kept", .count(prompts.kept)),
          ])
        ),
        ("funnel", total.json(withExamples: false)),
        ("sources", .array(sources.map { $0.json(withExamples: true) })),
        ("mixture", .array(mixture.map { $0.json(withExamples: true) })),
        ("parts", .array(parts.map(Self.json))),
        ("lengths", .array(lengths.map(Self.json))),
        ("passRates", .array(passRates.map(Self.json))),
        ("languages", .members(languages.map { ($0.name, .count($0.samples)) })),
        (
          "evaluation",
          .members(
            evaluation.map { name, found in
              (
                name,
                .members([
                  ("questions", .count(found.questions)), ("traces", .count(found.traces)),
                ])
              )
            })
        ),
        ("repeatedQuestions", .count(repeatedQuestions)),
        ("judge", judge.map(Self.json)), ("agreement", agreement?.json), ("cost", costJSON),
        ("notes", .array(notes.map { .string($0) })),
      ]))
  }

  private static func json(_ part: Part) -> JSONValue {
    .members([
      ("name", .string(part.name)), ("samples", .count(part.samples)),
      ("tokens", .count(part.tokens)), ("isMixed", .bool(part.isMixed)),
    ])
  }

  private static func json(_ bucket: Bucket) -> JSONValue {
    .members([
      ("from", .count(bucket.tokens.lowerBound)), ("upTo", .count(bucket.tokens.upperBound)),
      ("samples", .count(bucket.count)),
    ])
  }

  private static func json(_ rate: PassRate) -> JSONValue {
    .members([
      ("source", .string(rate.source)), ("difficulty", .string(rate.difficulty)),
      ("problems", .count(rate.problems)), ("solved", .count(rate.solved)),
      ("judged", .count(rate.judged)), ("correct", .count(rate.correct)),
      ("meanRate", .decimal(rate.meanRate)),
    ])
  }

  private static func json(_ judge: ModelJudge) -> JSONValue {
    .members([
      ("model", .string(judge.model)), ("asked", .count(judge.asked)),
      ("correct", .count(judge.correct)), ("wrong", .count(judge.wrong)),
      ("unparsed", .count(judge.unparsed)), ("failed", .count(judge.failed)),
      ("replies", .count(judge.replies)), ("promptTokens", .count(judge.promptTokens)),
      ("completionTokens", .count(judge.completionTokens)),
    ])
  }

  private var costJSON: JSONValue {
    .object(
      JSONObject(present: [
        ("promptTokens", .count(cost.promptTokens)),
        ("completionTokens", .count(cost.completionTokens)),
        ("told", .count(cost.told)), ("counted", .count(cost.counted)),
        ("estimated", .count(cost.estimated)), ("total", cost.total.map { .decimal($0) }),
        ("perKeptSample", cost.perKeptSample.map { .decimal($0) }),
        ("currency", cost.currency.map { .string($0) }),
      ]))
  }
}

extension JudgeAgreement {
  var json: JSONValue {
    .object(
      JSONObject(present: [
        ("bothCorrect", .count(bothCorrect)),
        ("rulesCorrectModelWrong", .count(rulesCorrectModelWrong)),
        ("rulesWrongModelCorrect", .count(rulesWrongModelCorrect)),
        ("bothWrong", .count(bothWrong)), ("unparsed", .count(unparsed)),
        ("share", share.map { .decimal($0) }), ("kappa", kappa.map { .decimal($0) }),
      ]))
  }
}

extension Funnel {
  func json(withExamples: Bool) -> JSONValue {
    let dropped = DropReason.allCases.filter { $0 != .kept && self[$0] > 0 }
    return .object(
      JSONObject(present: [
        ("source", .string(source)), ("read", .count(read)), ("kept", .count(self[.kept])),
        ("dropped", .members(dropped.map { ($0.name, .count(self[$0])) })),
        (
          "examples",
          withExamples
            ? .array(
              examples.map { example in
                .members([
                  ("reason", .string(example.reason.name)), ("place", .string(example.place)),
                  ("sentence", .string(example.sentence)), ("excerpt", .string(example.excerpt)),
                ])
              }) : nil
        ),
      ]))
  }
}

extension JSONValue {
  static func count(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

  /// A number that is not whole; null if it is not finite.
  static func decimal(_ value: Double) -> JSONValue {
    JSONNumber(value).map { .number($0) } ?? .null
  }

  static func members(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
    .object(JSONObject(members: members))
  }
}
