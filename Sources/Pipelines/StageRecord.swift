import Foundation
import Storage

/// What is known of a stage that was begun: with what, and what came of it.
struct StageRecord: Equatable, Sendable {
  enum State: String, Sendable {
    /// It runs, or was stopped or killed while it did.
    case begun
    case done
  }

  var state: State
  var kind: String
  /// The recipe as it was meant.
  var recipe: JSONValue
  /// The versions of the program and of the rules.
  var versions: [String]
  /// What it read, with the digest of each.
  var inputs: [Input]
  /// The path of what it makes, without links and dots.
  var output: String
  /// Whether it was begun again because somebody asked for that, and not since something changed.
  var isAsked: Bool
  /// How long it ran, in all its sessions that ended.
  var seconds: Double
  /// The most memory it held, where the system tells.
  var peakBytes: Int?

  struct Input: Equatable, Sendable {
    var path: String
    /// Nil where there was nothing.
    var digest: String?
  }

  /// What is another than in the record of the same stage before, a few words each; empty if it
  /// would make the same again.
  func changes(since old: StageRecord) -> [String] {
    func text(_ value: JSONValue?) -> String {
      value.map { quoted(String(decoding: $0.serialized(), as: UTF8.self), longest: 40) }
        ?? "not there"
    }
    var words = JSONValue.differences(old.recipe, recipe).map {
      "its '\($0.path)' was \(text($0.was)) and is \(text($0.now))"
    }
    if old.kind != kind { words.append("its kind was '\(old.kind)' and is '\(kind)'") }
    for input in inputs {
      guard let before = old.inputs.first(where: { $0.path.utf8.elementsEqual(input.path.utf8) })
      else {
        // Under another key of the recipe, which is told above.
        if old.recipe == recipe { words.append("\(quoted(input.path)) was not there") }
        continue
      }
      if before.digest != input.digest {
        words.append("\(quoted(input.path)) " + (input.digest == nil ? "is gone" : "changed"))
      }
    }
    if old.recipe == recipe {
      for input in old.inputs
      where !inputs.contains(where: { $0.path.utf8.elementsEqual(input.path.utf8) }) {
        words.append("\(quoted(input.path)) is gone")
      }
    }
    if old.versions != versions {
      words.append(
        "it was made by \(old.versions.map { quoted($0) }.joined(separator: ", ")), and this is "
          + versions.map { quoted($0) }.joined(separator: ", "))
    }
    return words
  }
}

/// The record of a whole run: what is known of each of its stages, by their names.
struct RunRecord: Equatable, Sendable {
  var stages: [(name: String, record: StageRecord)] = []

  subscript(name: String) -> StageRecord? {
    get { stages.first { $0.name.utf8.elementsEqual(name.utf8) }?.record }
    set {
      let place = stages.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
      switch (place, newValue) {
      case (let place?, let record?): stages[place].record = record
      case (nil, let record?): stages.append((name, record))
      case (let place?, nil): stages.remove(at: place)
      case (nil, nil): break
      }
    }
  }

  static func == (a: RunRecord, b: RunRecord) -> Bool {
    a.stages.count == b.stages.count
      && zip(a.stages, b.stages).allSatisfy {
        $0.name.utf8.elementsEqual($1.name.utf8) && $0.record == $1.record
      }
  }
}

extension RunRecord {
  /// How the file is written; a file of another number is not read.
  private static let format = 1

  /// Reads a record; one that is not there is empty.
  ///
  /// - Throws: `PipelineError` for one that cannot be understood: with it, nobody knows from what
  ///   the outputs were made.
  init(at path: String) throws(PipelineError) {
    do {
      let file = try MappedFile(at: path)
      let value = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: path)
      }
      try self.init(value, path)
    } catch let error as FileError where error.reason == .missing {
      self.init()
    } catch {
      throw PipelineError(
        "\(error)\n\(path): the record of the run cannot be read. Remove it, and every stage is gone "
          + "through again; what is complete ends at once.")
    }
  }

  private init(_ value: JSONValue, _ path: String) throws {
    let whole = try JSONMembers(value, place: path)
    guard try whole.count("format") == Self.format else {
      throw PipelineError("\(path): it was written by another version of the program.")
    }
    for (name, value) in try whole.members("stages").object.members {
      stages.append((name, try StageRecord(JSONMembers(value, place: "\(path): '\(name)'"))))
    }
  }

  /// Writes the record, whole or not at all.
  func write(to path: String) throws(FileError) {
    let value = JSONValue.object(
      JSONObject(members: [
        ("format", .number(JSONNumber(Self.format))),
        ("stages", .object(JSONObject(members: stages.map { ($0.name, $0.record.json) }))),
      ]))
    try AtomicFile.write(value.serialized(pretty: true), to: path)
  }
}

extension StageRecord {
  fileprivate init(_ members: JSONMembers) throws {
    state = try members.choice("state", as: State.self)
    kind = try members.text("kind")
    recipe = .object(try members.members("recipe").object)
    versions = try members.texts("versions")
    inputs = try members.members("inputs").object.members.map { path, value in
      switch value {
      case .null: Input(path: path, digest: nil)
      case .string(let digest): Input(path: path, digest: digest)
      default: throw PipelineError("\(members.place): the digest of \(quoted(path)) is no text.")
      }
    }
    output = try members.text("output")
    isAsked = try members.has("asked") && members.count("asked") > 0
    seconds = try members.number("seconds")
    peakBytes = try members.optionalCount("peakBytes")
  }

  fileprivate var json: JSONValue {
    var digests: [(key: String, value: JSONValue)] = []
    for input in inputs
    where !digests.contains(where: { $0.key.utf8.elementsEqual(input.path.utf8) }) {
      digests.append((input.path, input.digest.map { .string($0) } ?? .null))
    }
    return .object(
      JSONObject(present: [
        ("state", .string(state.rawValue)), ("kind", .string(kind)), ("recipe", recipe),
        ("versions", .array(versions.map { .string($0) })),
        ("inputs", .object(JSONObject(members: digests))), ("output", .string(output)),
        ("asked", isAsked ? .number(JSONNumber(1)) : nil),
        ("seconds", JSONNumber(seconds).map { .number($0) } ?? .number(JSONNumber(0))),
        ("peakBytes", peakBytes.map { .number(JSONNumber($0)) }),
      ]))
  }
}
