import Foundation
import Reports
import Storage

/// Why a report on a run of reinforcement could not be made: where, what was found, and what to do.
public struct ReinforcementReportError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ path: String, _ message: String) { description = "\(path): \(message)" }
  init(_ error: FileError) { description = error.description }
}

/// What a run of reinforcement came to, from the files in its folder, as a page and as a text for
/// a terminal.
///
/// It can be made at any time, also while the run goes on and before its first step. Whatever is
/// missing is left out, and what can't be understood is left out and told.
///
///     recipe.json, environment.json  any JSON object
///     metrics.jsonl                  a JSON object in each line, by its 'kind': 'start' (step, time),
///                                    'step' (StepFigures), 'evaluation' (EvaluationFigures),
///                                    'finding' (step, text), 'checkpoint' (step, seconds, bytes)
///     completions/step-000012.jsonl  answers of a step, a CompletionRecord in each line
public struct ReinforcementReport: Sendable {
  let name: String
  let metrics: ReinforcementMetrics
  let completions: [CompletionFile]
  private let recipe: Settings
  private let environment: Settings

  /// A file of settings.
  private struct Settings {
    let file: String
    let object: JSONObject?
    /// What is wrong with it.
    let mistake: String?

    var blocks: [HTMLPage.Block] {
      guard let object, !object.members.isEmpty else {
        return [.paragraph(mistake ?? "There is nothing in \(file) of this run.")]
      }
      return [.table(HTMLPage.Table(members: object))]
    }
  }

  /// Answers of each end that are shown of a step.
  private static let shownAnswers = 3

  /// Reads a run's folder.
  ///
  /// - Throws: `ReinforcementReportError` if it is not the folder of a run, or a file that is there
  ///   can't be opened.
  public init(of folder: String) throws(ReinforcementReportError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw ReinforcementReportError(folder, "there is no such folder. Name the folder of a run.")
    }
    guard isFolder.boolValue else {
      throw ReinforcementReportError(folder, "a file, where the folder of a run is needed.")
    }
    let metricsPath = folder + "/metrics.jsonl"
    let file = try Self.file(at: metricsPath)
    recipe = try Self.settings("recipe.json", in: folder)
    environment = try Self.settings("environment.json", in: folder)
    if file == nil, recipe.object == nil, recipe.mistake == nil,
      !FileManager.default.fileExists(atPath: metricsPath)
    {
      throw ReinforcementReportError(
        folder, "no 'metrics.jsonl' and no 'recipe.json'. Name the folder of a run.")
    }
    metrics = withExtendedLifetime(file) {
      file.map { ReinforcementMetrics($0.bytes, source: "metrics.jsonl") } ?? .init()
    }
    name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
    let steps = CompletionFile.steps(inRun: folder)
    let shown = [steps.first, steps.isEmpty ? nil : steps[steps.count / 2], steps.last]
    var completions: [CompletionFile] = []
    for case let step? in shown where completions.last?.step != step {
      if let file = CompletionFile(step: step, inRun: folder, count: Self.shownAnswers) {
        completions.append(file)
      }
    }
    self.completions = completions
  }

  /// Writes the page, whole or not at all.
  ///
  /// - Throws: `ReportError` if the file cannot be written; what was there then stays.
  public func write(to path: String) throws(ReportError) { try page.write(to: path) }

  /// A file's bytes; nil if there is none or it is empty.
  private static func file(at path: String) throws(ReinforcementReportError) -> MappedFile? {
    do throws(FileError) {
      return try MappedFile(at: path)
    } catch {
      if error.reason == .missing || error.reason == .empty { return nil }
      throw ReinforcementReportError(error)
    }
  }

  private static func settings(
    _ name: String, in folder: String
  ) throws(ReinforcementReportError) -> Settings {
    guard let file = try file(at: folder + "/" + name) else {
      return Settings(file: name, object: nil, mistake: nil)
    }
    defer { withExtendedLifetime(file) {} }
    do throws(JSONError) {
      if case .object(let object) = try JSONValue(parsing: file.bytes, source: name) {
        return Settings(file: name, object: object, mistake: nil)
      }
    } catch {
      return Settings(file: name, object: nil, mistake: error.description)
    }
    return Settings(file: name, object: nil, mistake: "\(name): a JSON object is needed here.")
  }

  // MARK: - The page

  /// More rows of a table than anybody reads are cut, and the page says so.
  private static let mostRows = 200

  public var page: HTMLPage {
    var sections: [HTMLPage.Section] = []
    func add(_ title: String, _ blocks: [HTMLPage.Block]) {
      if !blocks.isEmpty { sections.append(HTMLPage.Section(title, blocks)) }
    }
    add("Findings", findingBlocks)
    add("Rewards", Self.plots(rewardPlots))
    add("Answers", Self.plots(answerPlots))
    add("Policy", Self.plots(policyPlots))
    add("Where time goes", timeBlocks)
    for file in completions {
      add("Answers of step \(NumberText.count(file.step))", Self.blocks(file))
    }
    add("Starts and checkpoints", startBlocks)
    add("Environment", environment.blocks)
    add("Recipe", recipe.blocks)
    return HTMLPage(title: "Reinforcement \(name)", introduction: introduction, sections: sections)
  }

  private var introduction: [HTMLPage.Block] {
    var blocks: [HTMLPage.Block] = [.paragraph(paragraph)] + metrics.lines.notes
    blocks += [recipe.mistake, environment.mistake].compactMap { $0 }.map { .note($0) }
    if !figures.isEmpty { blocks.append(.figures(figures)) }
    return blocks
  }

  private var findingBlocks: [HTMLPage.Block] {
    let findings = metrics.findings
    if findings.isEmpty { return [] }
    let cut = findings.count > Self.mostRows
    let intro = "The last \(Self.mostRows) of \(NumberText.count(findings.count)) findings:"
    return (cut ? [.paragraph(intro)] : []) + [
      .table(
        HTMLPage.Table(
          headings: ["What was noticed", "Step"],
          rows: findings.suffix(Self.mostRows).map {
            [Self.cut($0.text, bytes: 1000), NumberText.count($0.step)]
          }, numberColumns: [1]))
    ]
  }

  private static func plots(_ plots: [LinePlot]) -> [HTMLPage.Block] {
    plots.isEmpty ? [] : [.plots(plots.map { .lines($0) })]
  }

  private var startBlocks: [HTMLPage.Block] {
    var blocks: [HTMLPage.Block] = []
    if !metrics.starts.isEmpty {
      blocks.append(
        .table(
          HTMLPage.Table(
            headings: ["Started", "At step"],
            rows: metrics.starts.suffix(Self.mostRows).map {
              [Self.cut($0.time ?? "", bytes: 100), NumberText.count($0.step)]
            }, numberColumns: [1])))
    }
    if !metrics.checkpoints.isEmpty {
      blocks.append(
        .table(
          HTMLPage.Table(
            headings: ["Checkpoint at step", "Size", "Written in"],
            rows: metrics.checkpoints.suffix(Self.mostRows).map {
              [
                NumberText.count($0.step), $0.bytes.map(NumberText.bytes) ?? "",
                $0.seconds.map { NumberText.duration(seconds: $0) } ?? "",
              ]
            }, numberColumns: [0, 1, 2])))
    }
    return blocks
  }

  // MARK: - Answers

  private static let promptBytes = 4_000
  private static let textBytes = 16_000
  private static let reasonBytes = 600

  private static func blocks(_ file: CompletionFile) -> [HTMLPage.Block] {
    func samples(_ records: [CompletionRecord], _ word: String) -> [HTMLPage.Block] {
      records.map { record in
        .sample(
          HTMLPage.Sample(
            title: "\(word): \(title(record))", prompt: prompt(record),
            text: cut(record.text, bytes: textBytes), isOpen: false))
      }
    }
    return samples(file.best, "Best") + samples(file.worst, "Worst")
  }

  /// `reward 1.5 (accuracy 1, format 1), advantage 0.817, 512 tokens, problem 'a#7'`
  private static func title(_ record: CompletionRecord) -> String {
    func number(_ value: Double?) -> String {
      value.map { NumberText.trimmed(NumberText.significant($0, 3)) } ?? "none"
    }
    let parts = record.parts.prefix(20).map {
      "\(cut($0.name, bytes: 40)) \(number($0.value))"
    }
    return "reward \(number(record.reward))"
      + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
      + ", advantage \(number(record.advantage)), "
      + NumberText.count(record.tokens, "token", "tokens")
      + (record.finishReason.utf8.elementsEqual("length".utf8) ? ", cut at the limit" : "")
      + ", problem \(quoted(record.problem))"
  }

  /// The prompt, and below it why each reward is what it is.
  private static func prompt(_ record: CompletionRecord) -> String {
    var lines = [cut(record.prompt, bytes: promptBytes), ""]
    for part in record.parts.prefix(20) {
      if let reason = part.reason {
        lines.append("\(cut(part.name, bytes: 40)): \(cut(reason, bytes: reasonBytes))")
      }
    }
    if lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  /// A text of at most so many bytes, cut between scalars, and what is missing.
  static func cut(_ text: String, bytes: Int) -> String {
    let utf8 = text.utf8
    guard utf8.count > bytes else { return text }
    var end = utf8.index(utf8.startIndex, offsetBy: bytes)
    while end > utf8.startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
    let kept = String(decoding: utf8[..<end], as: UTF8.self)
    return "\(kept)… (\(NumberText.count(utf8[end...].count)) bytes more)"
  }
}
