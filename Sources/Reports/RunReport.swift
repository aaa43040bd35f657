import Foundation
import Storage

/// The page of a fine-tuning run, from the files in its folder.
///
/// `metrics.jsonl` and `recipe.json` make a folder that of a run; either may be missing, as may
/// `environment.json` and `data.json`. Lines of `metrics.jsonl` that cannot be understood are left
/// out, and the page says so. README.md beside this file lists what the files hold.
public struct RunReport: Sendable {
  /// The page, to which sections may be added.
  public var page: HTMLPage

  /// Reads a run's folder.
  ///
  /// - Throws: `ReportError` if it is not the folder of a run, a file in it cannot be read, or
  ///   `recipe.json`, `environment.json` or `data.json` is not the JSON it must be.
  public init(of folder: String) throws(ReportError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw ReportError(folder, "there is no such folder. Name the folder of a run.")
    }
    guard isFolder.boolValue else {
      throw ReportError(folder, "a file, where the folder of a run is needed.")
    }
    let metricsPath = folder + "/metrics.jsonl"
    let recipe = try Self.object(at: folder + "/recipe.json")
    let file = try Self.file(at: metricsPath)
    if recipe == nil, file == nil, !FileManager.default.fileExists(atPath: metricsPath) {
      throw ReportError(
        folder, "no 'metrics.jsonl' and no 'recipe.json'. Name the folder of a run.")
    }
    let metrics = withExtendedLifetime(file) {
      file.map { RunMetrics($0.bytes, source: "metrics.jsonl") } ?? RunMetrics()
    }
    let name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
    page = Self.page(
      name: name, metrics: metrics, recipe: recipe,
      environment: try Self.object(at: folder + "/environment.json"),
      data: try RunData(at: folder + "/data.json"))
  }

  /// Writes the page, whole or not at all.
  ///
  /// - Throws: `ReportError` if the file cannot be written; what was there then stays.
  public func write(to path: String) throws(ReportError) { try page.write(to: path) }

  /// A file's bytes; nil if there is none or it is empty.
  private static func file(at path: String) throws(ReportError) -> MappedFile? {
    do throws(FileError) {
      return try MappedFile(at: path)
    } catch {
      if error.reason == .missing || error.reason == .empty { return nil }
      throw ReportError(error)
    }
  }

  /// The JSON object in a file; nil if there is no such file.
  static func object(at path: String) throws(ReportError) -> JSONObject? {
    guard let file = try file(at: path) else { return nil }
    defer { withExtendedLifetime(file) {} }
    do throws(JSONError) {
      if case .object(let object) = try JSONValue(parsing: file.bytes, source: path) {
        return object
      }
    } catch {
      throw ReportError(error)
    }
    throw ReportError(path, "a JSON object is needed here.")
  }

  private static func page(
    name: String, metrics: RunMetrics, recipe: JSONObject?, environment: JSONObject?, data: RunData?
  ) -> HTMLPage {
    let summary = RunSummary(metrics)
    var introduction: [HTMLPage.Block] = [.paragraph(summary.paragraph)] + metrics.lines.notes
    let figures = summary.figures
    if !figures.isEmpty { introduction.append(.figures(figures)) }
    var sections: [HTMLPage.Section] = []
    func add(_ title: String, _ blocks: [HTMLPage.Block]) {
      if !blocks.isEmpty { sections.append(.init(title, blocks)) }
    }
    add("Curves", RunCurves(metrics).blocks)
    add("Evaluations", RunTables.evaluations(metrics))
    add("Data", data?.blocks ?? [])
    add("What the student wrote", RunTables.samples(metrics))
    add("Skipped updates", RunTables.skipped(metrics))
    add("Starts and checkpoints", RunTables.starts(metrics) + RunTables.checkpoints(metrics))
    for (title, file, object) in [
      ("Environment", "environment.json", environment), ("Recipe", "recipe.json", recipe),
    ] {
      let table = HTMLPage.Table(members: object ?? JSONObject(members: []))
      let missing =
        object == nil ? "There is no \(file) in this run's folder." : "\(file) is empty."
      add(
        title,
        table.rows.isEmpty ? [.paragraph(missing)] : [.table(table)])
    }
    return HTMLPage(title: "Run \(name)", introduction: introduction, sections: sections)
  }
}

extension HTMLPage.Table {
  /// The members of an object, such as a recipe, a row each with its path as the key.
  public init(members object: JSONObject) {
    self.init(headings: ["Key", "Value"], rows: flattened(object))
  }
}

/// The members of an object as rows of a table, with the path of each as its key.
///
/// Arrays stand in one row, as JSON; what is longer than a screen is cut.
func flattened(_ object: JSONObject, _ prefix: String = "") -> [[String]] {
  object.members.flatMap { key, value -> [[String]] in
    let path = prefix + key
    switch value {
    case .object(let inner) where !inner.members.isEmpty: return flattened(inner, path + ".")
    case .string(let text): return [[path, shortened(text, longest: 2000)]]
    default:
      let text = String(decoding: value.serialized(), as: UTF8.self)
      return [[path, shortened(text, longest: 2000)]]
    }
  }
}
