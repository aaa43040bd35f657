import Foundation
import Interface
import Scores
import Storage

/// Models in one table, with what the table supports: "Table 6".
///
///     let comparison = try ModelComparison(recipe)
///     try comparison.write()          // table.txt, table.md, table.csv, table.json, report.html
///     print(comparison.text)
///
/// It reads what evaluations and runs left, and draws nothing but the bootstrap's random numbers,
/// which are always the same: the same folders give the same files to the byte.
public struct ModelComparison: Sendable {
  public let title: String
  /// The folder of the files.
  public let output: String
  public let rows: [ComparedRow]
  public let table: ComparisonTable
  public let pairs: [ComparedPair]
  public let curves: [TrainingCurve]
  /// Of intervals and verdicts.
  public let confidence: Double
  /// What stands beneath the table, a sentence each.
  public let notes: [String]

  /// - Throws: `ComparisonError`, with a line for each thing that can't be meant, or if what the
  ///   recipe names is not there; `EvaluationError`, `SampleError`, `ScoreError`, `FileError` for
  ///   damaged folders.
  public init(_ recipe: ComparisonRecipe) throws {
    let findings = recipe.findings
    if !findings.isEmpty { throw ComparisonError(findings.joined(separator: "\n")) }
    (title, output) = (recipe.title, recipe.output)
    let bootstrap = try Bootstrap(
      resamples: recipe.resamples ?? Bootstrap.standard.resamples,
      confidence: recipe.confidence ?? Bootstrap.standard.confidence)
    confidence = bootstrap.confidence
    rows = try recipe.rows.enumerated().map { try ComparedRow($1, number: $0) }
    table = try ComparisonTable(rows, columns: recipe.columns, bootstrap: bootstrap)
    if table.columns.isEmpty {
      throw ComparisonError("no row has a figure, so that there is no table.")
    }
    var pairs: [ComparedPair] = []
    for (first, second) in ComparedPair.pairs(recipe.compare, rows) {
      pairs.append(try ComparedPair(first, second, rows, table, bootstrap: bootstrap))
    }
    self.pairs = pairs
    curves = try Self.curves(recipe, rows).map { try TrainingCurve($0) }
    var notes = Conditions.notes(rows, table) + table.gaps
    for gap in pairs.flatMap(\.gaps) where !notes.contains(gap) { notes.append(gap) }
    self.notes = notes + Self.sourceNotes(rows, table)
  }

  /// Where figures that were not measured come from.
  private static func sourceNotes(_ rows: [ComparedRow], _ table: ComparisonTable) -> [String] {
    var notes: [String] = []
    let mixesRatings = table.columns.indices.contains { i in
      table.columns[i].score == .rating
        && Set(rows.indices.filter { table.cells[$0][i] != nil }.map { rows[$0].isMeasured }).count
          > 1
    }
    var shown: [ComparedRow] = []
    for (number, row) in rows.enumerated() {
      if row.isMeasured || table.cells[number].contains(where: { $0 != nil }) {
        shown.append(row)
      } else {
        let benchmarks = Words.list(table.benchmarks.map { quoted($0) })
        notes.append("\(quoted(row.name))\(row.mark) has none of these figures of \(benchmarks).")
      }
    }
    let rows = shown
    for source in Conditions.groups(
      rows.compactMap { row in row.source.map { (row.name, row.mark + " " + $0) } })
    {
      let isPublished = source.value.hasPrefix(" †")
      notes.append(
        "\(isPublished ? "†" : "‡") \(Words.list(source.rows.map { quoted($0) })): "
          + (isPublished ? "as published, " : "from ") + source.value.dropFirst(3)
          + "; not measured here, so without an interval.")
    }
    for row in rows {
      for remark in row.remarks { notes.append("† \(quoted(row.name)): \(remark)") }
    }
    if mixesRatings {
      notes.append(
        "A rating measured here is that of the problems' own ratings; published ones come from "
          + "simulated contests. They aren't to be compared.")
    }
    return notes
  }

  /// The recipe's curves, or the runs of reinforcement that made rows.
  private static func curves(
    _ recipe: ComparisonRecipe, _ rows: [ComparedRow]
  ) -> [ComparisonRecipe.Curve] {
    if let curves = recipe.curves { return curves }
    var curves: [ComparisonRecipe.Curve] = []
    for row in rows {
      // What made the model last is what is told by its name.
      guard let run = row.cost?.runs.last(where: { $0.kind == .reinforcement }),
        !curves.contains(where: { $0.run.utf8.elementsEqual(run.path.utf8) })
      else { continue }
      curves.append(.init(name: row.name, run: run.path))
    }
    return curves
  }

  /// What is supported, of all pairs, a sentence each.
  public var sentences: [String] { pairs.flatMap(\.sentences) }

  /// What is to be known about the cost of models, a sentence each.
  var costNotes: [String] {
    var notes: [String] = []
    for remark in rows.flatMap({ $0.cost?.runs ?? [] }).flatMap(\.remarks)
    where !notes.contains(remark) { notes.append(remark) }
    return notes
  }

  // MARK: Files

  /// The files that `write` writes.
  public static let files = ["table.txt", "table.md", "table.csv", "table.json", "report.html"]

  /// Writes all files into the output, each whole or not at all.
  ///
  /// - Throws: `FileError`.
  public func write() throws(FileError) {
    try makeFolder(at: output)
    let contents = [
      Data((text + "\n").utf8), Data(markdown.utf8), Data(csv.utf8),
      json.serialized(pretty: true), Data(page.html.utf8),
    ]
    for (name, content) in zip(Self.files, contents) {
      try AtomicFile.write(content, to: output + "/" + name)
    }
  }

  /// Compares what a recipe names, writes all files, and returns the table as text.
  ///
  /// - Throws: as `init` and `write`.
  public static func run(_ recipe: ComparisonRecipe) throws -> (text: String, report: String) {
    let comparison = try ModelComparison(recipe)
    try comparison.write()
    return (comparison.text, comparison.output + "/report.html")
  }
}
