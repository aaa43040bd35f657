import Datasets
import Foundation
import Problems
import Storage
import Teachers
import Verification

/// The files of a curation's folder.
enum CurationOutput {
  static let samples = "samples.jsonl"
  static let manifest = "manifest.json"
  static let reports = ["report.json", "report.txt", "report.html"]

  /// Whether a file of this name may go when the folder is replaced.
  static func isOwn(_ name: String) -> Bool {
    name == samples || name == manifest || reports.contains(name)
  }

  /// A file's size and SHA-256, as a manifest tells them.
  ///
  /// - Throws: `FileError`.
  static func fingerprint(_ path: String) throws(FileError) -> (bytes: Int, hash: String) {
    do throws(FileError) {
      let file = try MappedFile(at: path)
      return withExtendedLifetime(file) {
        var hash = SHA256()
        hash.update(file.bytes)
        return (file.bytes.count, hash.finalizedText())
      }
    } catch {
      guard error.reason == .empty else { throw error }
      return (0, SHA256().finalizedText())
    }
  }
}

extension CurationRun {
  /// Pass 3: reads the kept samples again and writes them, with report and manifest.
  func write(
    _ inputs: CurationInputs, _ state: inout CurationState, _ mixture: [MixturePart],
    _ shares: (records: [[UInt32]], shortages: [String]), to output: inout AtomicFolder,
    _ isStopped: () -> Bool, _ progress: (Progress) -> Void
  ) throws -> CurationReport {
    state.countFunnels()
    var report = self.report(inputs, state, mixture, shares)
    if report.total[.kept] == 0 { throw try nothingLeft(report, inputs, &output) }

    var writer = try SampleFileWriter(at: output.partialPath + "/" + CurationOutput.samples)
    let kept = state.selection.entries.indices.filter {
      state.selection.entries[$0].reason == .kept
    }
    let all = kept.count + shares.records.reduce(0) { $0 + $1.count }
    var languages: [Language?: Int] = [:]
    for start in stride(from: 0, to: kept.count, by: 256) {
      try checkStop(isStopped)
      let numbers = kept[start..<min(start + 256, kept.count)]
      let batch = numbers.map { number in
        let entry = state.selection.entries[number]
        return (
          entry, state.selection.problems[Int(entry.problem)], state.judgedByModel.contains(number)
        )
      }
      let sources = numbers.map { state.funnels[state.source(of: $0)].source }
      let lines = try workers.map(batch.count) { i in
        try line(batch[i].0, batch[i].1, isModels: batch[i].2, source: sources[i], inputs)
      }
      for (line, language) in lines {
        try writer.write(line)
        languages[language, default: 0] += 1
      }
      progress(.written(writer.count, of: all))
    }
    for (i, records) in shares.records.enumerated() {
      let source = recipe.mixture[i]
      for start in stride(from: 0, to: records.count, by: 256) {
        try checkStop(isStopped)
        let batch = Array(records[start..<min(start + 256, records.count)])
        let lines = try workers.map(batch.count) { k in
          SampleWriting.line(
            try Self.conversation(inputs.mixture[i], Int(batch[k]), source),
            source: source.sourceName)
        }
        for line in lines { try writer.write(line) }
        progress(.written(writer.count, of: all))
      }
    }
    try writer.commit()

    report.languages = languages.map { ($0.key?.rawValue ?? "none", $0.value) }
      .sorted { $0.1 == $1.1 ? $0.0 < $1.0 : $0.1 > $1.1 }
    try writeReports(report, inputs, in: output.partialPath, hasSamples: true)
    try output.commit()
    return report
  }

  /// A line of the set, and the language that most of its thinking is in.
  private func line(
    _ entry: SampleEntry, _ problemEntry: ProblemEntry, isModels: Bool, source: String,
    _ inputs: CurationInputs
  ) throws -> (Data, Language?) {
    let input = inputs.runs[Int(entry.run)]
    let record = try input.record(entry)
    let problem = try input.problem(Int(problemEntry.record))
    let text = Array(record.text.utf8)
    let thinking = ThinkingFormat(text).thinking ?? 0..<text.count
    let verdict = JSONValue.members(
      [("outcome", .string(entry.outcome?.rawValue ?? "none"))]
        + (isModels
          ? [
            ("by", .string("model")), ("version", .string(JudgePrompt.version)),
            ("model", .string(model?.name ?? "")),
          ] : [("by", .string("rules")), ("version", .string(judge.version))]))
    let data = SampleWriting.line(
      record, problem, asked: try input.asked(problem, keepInstruction: recipe.keepInstruction),
      source: source, verdict: verdict, tokens: Int(entry.tokens))
    return (data, Language.identify(Array(text[thinking])))
  }

  /// Writes the report where it destroys nothing, and tells which rules took how many.
  private func nothingLeft(
    _ report: CurationReport, _ inputs: CurationInputs, _ output: inout AtomicFolder
  ) throws -> CurationError {
    let total = report.total
    let isFree = try isFree()
    let place = isFree ? outputPath : workPath
    try writeReports(report, inputs, in: isFree ? output.partialPath : workPath, hasSamples: false)
    if isFree { try output.commit() }
    let reasons = DropReason.allCases.filter { $0 != .kept && total[$0] > 0 }
      .sorted { total[$0] == total[$1] ? $0.rawValue < $1.rawValue : total[$0] > total[$1] }
      .map { "\(total[$0]) \($0.words)" }.joined(separator: ", ")
    let what =
      switch total.read {
      case 0: "The runs hold no samples"
      case 1: "The only sample is not left: \(reasons)"
      default: "None of the \(total.read) samples is left: \(reasons)"
      }
    return CurationError(
      .nothingLeft,
      "\(what). See \(place)/report.txt" + (isFree ? "." : "; \(outputPath) is as it was."))
  }

  /// Whether nothing has the output's name yet, or an empty folder.
  private func isFree() throws(FileError) -> Bool {
    do throws(FileError) {
      return try names(inFolder: outputPath).isEmpty
    } catch {
      guard error.reason == .missing else { throw error }
      return true
    }
  }

  private func writeReports(
    _ report: CurationReport, _ inputs: CurationInputs, in folder: String, hasSamples: Bool
  ) throws {
    try AtomicFile.write(report.json.serialized(pretty: true), to: folder + "/report.json")
    try AtomicFile.write(Data(report.text.utf8), to: folder + "/report.txt")
    try AtomicFile.write(Data(report.page.html.utf8), to: folder + "/report.html")
    try AtomicFile.write(
      manifest(report, inputs, in: folder, hasSamples: hasSamples).serialized(pretty: true),
      to: folder + "/" + CurationOutput.manifest)
  }

  /// What the set was made from, and what it is.
  private func manifest(
    _ report: CurationReport, _ inputs: CurationInputs, in folder: String, hasSamples: Bool
  ) throws -> JSONValue {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let resolved = try JSONValue(parsing: encoder.encode(recipe), source: "the recipe")
    func files(_ paths: [String]) throws -> [JSONValue] {
      try paths.compactMap { path in
        do throws(FileError) {
          let (bytes, hash) = try CurationOutput.fingerprint(path)
          return .members([
            ("path", .string(path)), ("bytes", .count(bytes)), ("sha256", .string(hash)),
          ])
        } catch {
          if error.reason == .missing { return nil }
          throw error
        }
      }
    }
    let outputs = (hasSamples ? [CurationOutput.samples] : []) + CurationOutput.reports
    let written: [JSONValue] = try outputs.map { name in
      let (bytes, hash) = try CurationOutput.fingerprint(folder + "/" + name)
      return .members([
        ("name", .string(name)), ("bytes", .count(bytes)), ("sha256", .string(hash)),
      ])
    }
    return .object(
      JSONObject(present: [
        ("toolkit", .string(toolkit)),
        ("recipe", resolved), ("seed", .number(JSONNumber(text: String(recipe.seed)))),
        (
          "shard",
          shard.map { .members([("index", .count($0.index)), ("count", .count($0.count))]) }
        ),
        (
          "rules",
          .members([
            ("verdicts", .string(judge.version)), ("format", .string(ThinkingFormat.version)),
            ("readability", .string(Readability.version)),
            ("language", .string(LanguageConsistency.version)),
            ("judgePrompt", .string(JudgePrompt.version)),
          ])
        ),
        ("judge", model.map { .string($0.name) }),
        ("inputs", .array(try files(inputs.paths(recipe)))),
        ("outputs", .array(written)),
        (
          "counts",
          .members([
            ("problems", .count(report.prompts.all)), ("read", .count(report.total.read)),
            ("kept", .count(report.total[.kept])),
            ("mixed", .count(report.samples - report.total[.kept])),
            ("samples", .count(report.samples)),
          ])
        ),
      ]))
  }
}

/// The set's file, line by line.
private struct SampleFileWriter: ~Copyable {
  private var file: AtomicFile
  private(set) var count = 0

  init(at path: String) throws(FileError) { file = try AtomicFile(at: path) }

  mutating func write(_ line: Data) throws(FileError) {
    try file.write(line)
    count += 1
  }

  mutating func commit() throws(FileError) { try file.commit() }
}
