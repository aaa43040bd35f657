import Foundation
import Interface
import Storage

/// What a whole run came to.
public struct PipelineSummary: Sendable {
  /// One stage of it.
  public struct Row: Sendable {
    public let name: String
    public let kind: String
    public let decision: StageDecision
    /// Nil for a stage that was never begun.
    public let seconds: Double?
    public let peakBytes: Int?
    /// The folder it made.
    public let output: String
    /// The page about it; nil where there is none.
    public let page: String?
    /// What it printed at its end.
    public let printed: String
    let isResult: Bool
  }

  public let folder: String
  public let record: String
  public let rows: [Row]

  /// The page of the whole run.
  public var report: String { record + "/report.html" }

  init(
    _ plan: PipelinePlan, _ decisions: [StageDecision], _ record: RunRecord,
    printed: (Stage) -> String
  ) {
    folder = plan.folder
    self.record = plan.record
    rows = zip(plan.stages, decisions).map { stage, decision in
      let known = record[stage.name]
      return Row(
        name: stage.name, kind: stage.kind.name, decision: decision, seconds: known?.seconds,
        peakBytes: known?.peakBytes, output: stage.output.path,
        page: known == nil ? nil : Self.page(in: stage.output.path),
        printed: known?.state == .done ? printed(stage) : "", isResult: stage.kind.isResult)
    }
  }

  /// The page in the folder that a stage made: its report, or the first there is.
  private static func page(in folder: String) -> String? {
    let pages = ((try? names(inFolder: folder)) ?? []).filter {
      $0.hasSuffix(".html") && !$0.hasPrefix(".")
    }
    return (pages.first { $0 == "report.html" } ?? pages.first).map { folder + "/" + $0 }
  }

  /// The stages that ran now.
  var seconds: Double {
    rows.reduce(0) { $0 + ($1.decision.runs ? $1.seconds ?? 0 : 0) }
  }

  /// A table of the stages, what was compared, and where the page is.
  public var text: String {
    var table = Table(
      .left("stage"), .left(""), .right("time"), .right("memory"), .left("made"))
    for row in rows {
      table.append(
        row.name, row.decision.runs ? "done" : row.decision.word,
        row.seconds.map { durationText(seconds: $0) } ?? "",
        row.peakBytes.map { byteText($0) } ?? "",
        row.seconds == nil ? "" : row.output)
    }
    var parts = [table.description]
    parts += rows.filter { $0.isResult && !$0.printed.isEmpty }.map { trimmed($0.printed) }
    parts.append("The report is in \(printable(report)).")
    return parts.joined(separator: "\n\n")
  }

  public var json: String {
    let stages = rows.map { row in
      JSONValue.object(
        JSONObject(present: [
          ("stage", .string(row.name)), ("kind", .string(row.kind)),
          ("state", .string(row.decision.runs ? "done" : row.decision.word)),
          ("why", row.decision.why.isEmpty ? nil : .string(row.decision.why)),
          ("seconds", row.seconds.flatMap { JSONNumber($0) }.map { .number($0) }),
          ("peakBytes", row.peakBytes.map { .number(JSONNumber($0)) }),
          ("output", .string(row.output)), ("page", row.page.map { .string($0) }),
        ]))
    }
    let whole = JSONValue.object(
      JSONObject(members: [
        ("folder", .string(folder)), ("record", .string(record)), ("report", .string(report)),
        ("stages", .array(stages)),
      ]))
    return trimmed(String(decoding: whole.serialized(pretty: true), as: UTF8.self))
  }

  /// A table of what would be done.
  public static func list(_ plan: PipelinePlan, _ decisions: [StageDecision]) -> String {
    var table = Table(.left("stage"), .left("kind"), .left(""), .left("why"))
    for (stage, decision) in zip(plan.stages, decisions) {
      table.append(stage.name, stage.kind.name, decision.word, decision.why)
    }
    return table.description
  }

  /// The same as JSON.
  public static func listJSON(_ plan: PipelinePlan, _ decisions: [StageDecision]) -> String {
    let stages = zip(plan.stages, decisions).map { stage, decision in
      JSONValue.object(
        JSONObject(present: [
          ("stage", .string(stage.name)), ("kind", .string(stage.kind.name)),
          ("state", .string(decision.word)),
          ("why", decision.why.isEmpty ? nil : .string(decision.why)),
          ("output", .string(stage.output.path)),
        ]))
    }
    let whole = JSONValue.object(
      JSONObject(members: [
        ("folder", .string(plan.folder)), ("record", .string(plan.record)),
        ("stages", .array(stages)),
      ]))
    return trimmed(String(decoding: whole.serialized(pretty: true), as: UTF8.self))
  }
}

/// A text without line feeds at its end.
private func trimmed(_ text: String) -> String {
  var bytes = Array(text.utf8)
  while bytes.last == 0x0A { bytes.removeLast() }
  return String(decoding: bytes, as: UTF8.self)
}
