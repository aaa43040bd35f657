import Evaluation
import Scores
import Storage

/// In what measured rows differ besides their models: what a reader must know to compare them.
enum Conditions {
  /// What stands beneath the table, a sentence each.
  static func notes(_ rows: [ComparedRow], _ table: ComparisonTable) -> [String] {
    var notes: [String] = []
    for benchmark in table.benchmarks {
      let here = rows.compactMap { row in
        row.benchmark(benchmark).map { (row.name, $0) }
      }
      notes += differences(here, on: benchmark)
      for (name, measured) in here {
        if let missing = measured.missing {
          notes.append(
            "* \(quoted(name)) on \(quoted(benchmark)): \(missing.sentence) Figures are of those that "
              + "are there.")
        }
        if let cut = cutNote(name, measured) { notes.append(cut) }
      }
      if rows.contains(where: { !$0.isMeasured }) { notes += sizeNotes(here, on: benchmark) }
    }
    return notes + versions(rows)
  }

  /// Models that were asked other problems than those that published figures are of.
  private static func sizeNotes(
    _ rows: [(name: String, measured: MeasuredBenchmark)], on benchmark: String
  ) -> [String] {
    let known = PublishedRow.problems.first { $0.benchmark.utf8.elementsEqual(benchmark.utf8) }
    guard let known else { return [] }
    return rows.compactMap { name, measured in
      let count = measured.counts.problems
      return count == known.count
        ? nil
        : "\(quoted(benchmark)): published figures are of \(known.count) problems; \(quoted(name)) was "
          + "asked \(count)."
    }
  }

  /// Settings in which rows differ on a benchmark.
  private static func differences(
    _ rows: [(name: String, measured: MeasuredBenchmark)], on benchmark: String
  ) -> [String] {
    func grouped(_ value: (EvaluatedBenchmark) -> String) -> [(value: String, rows: [String])] {
      groups(rows.map { ($0.name, value($0.measured.evaluated)) })
    }
    var notes: [String] = []
    let problems = grouped(\.problemsSHA256)
    if problems.count > 1 {
      let words = problems.map { names($0.rows) }.joined(separator: "; others ")
      notes.append(
        "\(quoted(benchmark)): not the same problems were asked: some \(words). Pairs are compared on "
          + "problems with the same ids.")
    }
    let settings: [(String, (EvaluatedBenchmark) -> String)] = [
      ("samples of each problem", { "\($0.samplesPerProblem)" }),
      ("temperature", { "\($0.sampling.temperature)" }), ("top-p", { "\($0.sampling.topP)" }),
      ("the limit of tokens", { "\($0.sampling.maxTokens)" }),
      ("texts that end an answer", { listed($0.sampling.stop) }),
      ("the judge's version", \.judge), ("the prompt's words", { text($0.prompt) }),
    ]
    for (setting, value) in settings {
      let found = grouped(value)
      if found.count < 2 { continue }
      let words = found.map { "\(quoted($0.value, longest: 60)) for \(names($0.rows))" }
      notes.append("\(quoted(benchmark)): \(setting): \(words.joined(separator: ", ")).")
    }
    return notes
  }

  /// Where many answers were cut, tokens and scores say less than they seem to.
  private static func cutNote(_ name: String, _ measured: MeasuredBenchmark) -> String? {
    let counts = measured.counts
    guard counts.there > 0 else { return nil }
    let share = Double(counts.cut) / Double(counts.there)
    guard share >= 0.05 else { return nil }
    return
      "\(quoted(name)) on \(quoted(benchmarkName(measured))): \(Words.points(100 * share)) % of the "
      + "answers were cut at \(Words.count(Double(measured.evaluated.sampling.maxTokens))) tokens, which "
      + "counts as not right; whole ones would be longer."
  }

  private static func benchmarkName(_ measured: MeasuredBenchmark) -> String { measured.name }

  /// Presets and versions of the program.
  private static func versions(_ rows: [ComparedRow]) -> [String] {
    let evaluations = rows.compactMap { row -> (String, ModelEvaluation)? in
      if case .measured(let evaluation) = row.origin { (row.name, evaluation) } else { nil }
    }
    var notes: [String] = []
    for (what, value) in [
      ("Preset", { (evaluation: ModelEvaluation) in evaluation.preset?.name ?? "none" }),
      ("Version of this program", { (evaluation: ModelEvaluation) in evaluation.toolkit }),
    ] {
      let found = groups(evaluations.map { ($0, value($1)) })
      if found.count < 2 { continue }
      let words = found.map { "\(quoted($0.value)) for \(names($0.rows))" }
      notes.append("\(what): \(words.joined(separator: ", ")).")
    }
    for (name, evaluation) in evaluations {
      guard let preset = evaluation.preset, !preset.changes.isEmpty else { continue }
      notes.append(
        "\(quoted(name)): not quite the preset \(quoted(preset.name)): "
          + preset.changes.joined(separator: "; ") + ".")
    }
    return notes
  }

  /// Rows by a value, in the order in which values first appear.
  static func groups(_ rows: [(name: String, value: String)]) -> [(value: String, rows: [String])] {
    var groups: [(value: String, rows: [String])] = []
    for (name, value) in rows {
      if let index = groups.firstIndex(where: { $0.value.utf8.elementsEqual(value.utf8) }) {
        groups[index].rows.append(name)
      } else {
        groups.append((value, [name]))
      }
    }
    return groups
  }

  private static func names(_ names: [String]) -> String {
    Words.list(names.map { quoted($0) })
  }

  private static func listed(_ texts: [String]) -> String {
    text(.array(texts.map { .string($0) }))
  }

  private static func text(_ value: JSONValue) -> String {
    String(decoding: value.serialized(), as: UTF8.self)
  }
}
