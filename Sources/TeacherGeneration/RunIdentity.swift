import Foundation
import Problems
import Storage
import Teachers

/// `identity.json`: what the samples of a run depend on, which must not change while it goes on.
///
/// How many samples are drawn, prices, budgets and the output's name are not part of it: they decide
/// which samples there are, not what stands in one.
struct RunIdentity {
  let json: JSONObject

  static let format = 1

  init(
    _ recipe: TeacherGenerationRecipe, teacher: any Teacher, toolkit: String,
    sources: [JSONValue], written: ProblemLines.Written, shard: ProblemShard?
  ) {
    json = JSONObject(members: [
      ("format", .number(JSONNumber(Self.format))), ("toolkit", .string(toolkit)),
      ("teacher", teacher.identity), ("settings", recipe.sampling.choices.json),
      ("prompt", (recipe.prompt ?? ProblemPrompt()).json), ("prompts", .array(sources)),

      ("problems", Self.problems(written.count, written.all, repeated: written.repeated)),
      (
        "shard",
        .object(
          JSONObject(members: [
            ("index", .number(JSONNumber(shard?.index ?? 0))),
            ("count", .number(JSONNumber(shard?.count ?? 1))),
            ("problems", Self.problems(written.ownCount, written.own)),
          ]))
      ),
    ])
  }

  private static func problems(_ count: Int, _ hash: SHA256, repeated: Int? = nil) -> JSONValue {
    .object(
      JSONObject(present: [
        ("count", .number(JSONNumber(count))),
        ("repeated", repeated.map { .number(JSONNumber($0)) }),
        ("sha256", .string(hash.finalizedText())),
      ]))
  }

  /// The files of problems: their names, how they are read, and what stands in them.
  ///
  /// - Throws: `FileError`.
  static func sources(_ sources: [ProblemSource]) throws -> [JSONValue] {
    try sources.map { source in
      let file = try MappedFile(at: source.path)
      var hash = SHA256()
      withExtendedLifetime(file) { hash.update(file.bytes) }
      let fields = source.fields.map { fields in
        JSONObject(
          present: [
            ("question", fields.question), ("answer", fields.answer),
            ("solution", fields.solution), ("tests", fields.tests), ("choices", fields.choices),
            ("correct", fields.correct), ("source", fields.source),
            ("difficulty", fields.difficulty), ("date", fields.date), ("rating", fields.rating),
            ("id", fields.id),
          ].map { ($0, $1.map { .string($0) }) })
      }
      return .object(
        JSONObject(present: [
          ("file", .string(source.fileName)), ("form", source.form.map { .string($0.rawValue) }),
          ("fields", fields.map { .object($0) }),
          ("released", source.released.map(window)),
          ("limit", source.limit.map { .number(JSONNumber($0)) }),
          ("source", source.source.map { .string($0) }), ("sha256", .string(hash.finalizedText())),
        ]))
    }
  }

  private static func window(_ window: ReleaseWindow) -> JSONValue {
    .object(
      JSONObject(present: [
        ("from", window.from.map { .string($0) }), ("until", window.until.map { .string($0) }),
      ]))
  }

  // MARK: A run that goes on

  /// Compares what a run began with to what is asked for now, before any problem is read.
  ///
  /// - Throws: `TeacherGenerationError`, with a sentence for each change.
  static func check(
    _ was: JSONObject, _ recipe: TeacherGenerationRecipe, teacher: any Teacher,
    sources: [JSONValue], shard: ProblemShard?, path: String
  ) throws(TeacherGenerationError) {
    guard was["format"] == .number(JSONNumber(format)) else {
      throw TeacherGenerationError(
        "\(path)/identity.json: it is of another version of this program. Name another 'output'.")
    }
    var found: [String] = []
    func compare(_ name: String, _ now: JSONValue) {
      for change in JSONValue.differences(was[name], now) {
        let path = change.path.isEmpty || change.path.hasPrefix("[") ? "" : "."
        found.append(
          "'\(name)\(path)\(change.path)' was \(text(change.was)) when this run began; it is "
            + "\(text(change.now)) now.")
      }
    }
    compare("teacher", teacher.identity)
    compare("settings", recipe.sampling.choices.json)
    compare("prompt", (recipe.prompt ?? ProblemPrompt()).json)
    compare("prompts", .array(sources))
    let began = shardNumber(was)
    let number = (index: shard?.index ?? 0, count: shard?.count ?? 1)
    if began?.index != number.index || began?.count != number.count {
      found.append(
        "The shard was \(began.map { "\($0.index) of \($0.count)" } ?? "not told") when this run began; "
          + "it is \(number.index) of \(number.count) now.")
    }
    if found.isEmpty { return }
    found.append(
      "\(path): going on would mix samples of both. Name another 'output', or put the recipe back.")
    throw TeacherGenerationError(found.joined(separator: "\n"))
  }

  private static func shardNumber(_ identity: JSONObject) -> (index: Int, count: Int)? {
    guard case .object(let shard)? = identity["shard"], case .number(let index)? = shard["index"],
      case .number(let count)? = shard["count"], let index = index.int, let count = count.int
    else { return nil }
    return (index, count)
  }

  private static func text(_ value: JSONValue?) -> String {
    value.map { quoted(String(decoding: $0.serialized(), as: UTF8.self), longest: 60) }
      ?? "not there"
  }

  /// The problems that were left out because they ask what others ask.
  static func repeatedProblems(_ identity: JSONObject) -> Int {
    guard case .object(let problems)? = identity["problems"],
      case .number(let count)? = problems["repeated"]
    else { return 0 }
    return count.int ?? 0
  }

  /// The SHA-256 of the run's own `problems.jsonl`.
  static func ownProblems(_ identity: JSONObject) -> String? {
    guard case .object(let shard)? = identity["shard"],
      case .object(let problems)? = shard["problems"],
      case .string(let text)? = problems["sha256"]
    else { return nil }
    return text
  }
}
