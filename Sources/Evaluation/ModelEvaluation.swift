import Foundation
import Scores
import Storage

/// One model on some benchmarks: a folder with `evaluation.json`, which `EvaluationRun` writes once all
/// is sampled and judged, and a folder for each benchmark.
///
///     evaluation.json            model, preset, benchmarks with their settings and figures
///     <benchmark>/problems.jsonl, samples.jsonl, …   as `SampleFolder` has them
///     <benchmark>/scores.jsonl   a line for each problem: verdicts and tokens of its samples
public struct ModelEvaluation: Sendable {
  public let path: String
  /// What tables call the model.
  public let model: String
  /// What its answers depend on besides questions and settings: `Teacher.identity`.
  public let identity: JSONValue
  /// The published protocol that the settings come from, if they do.
  public let preset: Preset?
  /// The version of the program that wrote it.
  public let toolkit: String
  public let benchmarks: [EvaluatedBenchmark]

  /// A preset as results name it.
  public struct Preset: Equatable, Sendable {
    public let name: String
    public let sha256: String
    /// What the recipe had in place of the preset's; empty if the protocol was followed.
    public let changes: [String]
  }

  static let fileName = "evaluation.json"
  static let format = 1

  init(
    path: String, model: String, identity: JSONValue, preset: Preset?,
    toolkit: String, benchmarks: [EvaluatedBenchmark]
  ) {
    (self.path, self.model, self.identity) = (path, model, identity)
    (self.preset, self.toolkit, self.benchmarks) = (preset, toolkit, benchmarks)
  }

  /// Reads a model's folder.
  ///
  /// - Throws: `EvaluationError` if it is none, or was not finished; `SampleError` for a damaged line.
  public init(at path: String) throws {
    let file = path + "/" + Self.fileName
    let value: JSONValue
    do {
      let mapped = try MappedFile(at: file)
      value = try withExtendedLifetime(mapped) {
        try JSONValue(parsing: mapped.bytes, source: file, limits: JSONLimits(bytes: 64 << 20))
      }
    } catch let error as FileError where error.reason == .missing {
      throw EvaluationError(
        path,
        "there is no finished evaluation of a model. 'distill evaluate' makes one; give the "
          + "model's folder within its output.")
    }
    do {
      let members = try JSONMembers(value, place: file)
      guard try members.count("format") == Self.format else {
        throw EvaluationError(
          file, "it is of another version of this program. Run 'distill evaluate' again.")
      }
      model = try members.text("model")
      identity = members.object["identity"] ?? .null
      toolkit = try members.text("toolkit")
      if members.has("preset") {
        let preset = try members.members("preset")
        self.preset = Preset(
          name: try preset.text("name"), sha256: try preset.text("sha256"),
          changes: try preset.texts("changes"))
      } else {
        preset = nil
      }
      guard case .array(let entries)? = members.object["benchmarks"], !entries.isEmpty else {
        throw EvaluationError(file, "'benchmarks' must be a list that is not empty.")
      }
      benchmarks = try entries.map { try EvaluatedBenchmark($0, in: path, place: file) }
    } catch let error as JSONMemberError {
      throw EvaluationError("\(error)")
    }
    self.path = path
  }

  /// Writes `evaluation.json`, with the figures beside the settings.
  ///
  /// - Throws: `FileError`, `ScoreError`.
  func write(with bootstrap: Bootstrap) throws {
    try AtomicFile.write(
      try json(with: bootstrap).serialized(pretty: true), to: path + "/" + Self.fileName)
  }

  /// What `evaluation.json` holds.
  ///
  /// - Throws: `ScoreError`.
  public func json(with bootstrap: Bootstrap) throws(ScoreError) -> JSONValue {
    var entries: [JSONValue] = []
    for benchmark in benchmarks {
      let figures = try BenchmarkFigures(of: benchmark, bootstrap: bootstrap)
      entries.append(
        .object(JSONObject(members: benchmark.members + [("figures", figures.json)])))
    }
    return .object(
      JSONObject(present: [
        ("format", .number(JSONNumber(Self.format))), ("toolkit", .string(toolkit)),
        ("model", .string(model)), ("identity", identity),
        (
          "preset",
          preset.map {
            .object(
              JSONObject(members: [
                ("name", .string($0.name)), ("sha256", .string($0.sha256)),
                ("changes", .array($0.changes.map { .string($0) })),
              ]))
          }
        ), ("benchmarks", .array(entries)),
      ]))
  }
}
