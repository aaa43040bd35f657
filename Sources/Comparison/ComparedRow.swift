import Evaluation
import Scores
import Storage

/// A row of the table: a model with the figures that are known of it.
public struct ComparedRow: Sendable {
  public enum Origin: Sendable {
    /// On this machine, by its samples.
    case measured(ModelEvaluation)
    /// In the paper.
    case published
    /// By the recipe, with a source.
    case stated
  }

  public let name: String
  public let origin: Origin
  /// Where figures that were not measured come from.
  public let source: String?
  /// What other sources have, in sentences.
  public let remarks: [String]
  /// Of the model; nil if nothing tells.
  public let parameters: Int?
  /// What it took to make it; nil if its runs aren't told.
  public let cost: MakingCost?
  /// Of a row that was not measured.
  let figures: [PublishedRow.Figure]
  /// Of a row that was measured.
  let benchmarks: [MeasuredBenchmark]

  public var isMeasured: Bool { if case .measured = origin { true } else { false } }

  /// What follows its name in tables: `†` for published figures, `‡` for those that a recipe has.
  public var mark: String {
    switch origin {
    case .measured: ""
    case .published: " †"
    case .stated: " ‡"
    }
  }

  /// Reads what a recipe's row names.
  ///
  /// - Parameter number: Of the row, from 0, for errors.
  /// - Throws: `ComparisonError` if a folder is not what it must be; `EvaluationError`, `SampleError`,
  ///   `ScoreError`, `FileError` for a damaged one.
  init(_ row: ComparisonRecipe.Row, number: Int) throws {
    name = row.title
    let made = try row.made.map { try MakingCost($0, place: "rows.\(number).made") }
    cost = made
    if let published = row.published.flatMap(PublishedRow.named) {
      (origin, source, remarks) = (.published, published.source, published.remarks)
      (figures, benchmarks, parameters) = (published.figures, [], nil)
      return
    }
    remarks = []
    parameters = row.parameters ?? made?.runs.last { $0.kind != .generation }?.parameters
    guard let path = row.evaluation else {
      (origin, source, benchmarks) = (.stated, row.source, [])
      figures = (row.figures ?? [:]).sortedByKey.flatMap { benchmark, scores in
        scores.sortedByKey.map {
          PublishedRow.Figure(benchmark: benchmark, score: $0.key, value: $0.value)
        }
      }
      return
    }
    let evaluation = try EvaluationFolder.evaluation(
      at: path, place: "row \(quoted(row.title))")
    (origin, source, figures) = (.measured(evaluation), nil, [])
    var benchmarks: [MeasuredBenchmark] = []
    for benchmark in evaluation.benchmarks { benchmarks.append(try MeasuredBenchmark(benchmark)) }
    self.benchmarks = benchmarks
  }

  func benchmark(_ name: String) -> MeasuredBenchmark? {
    benchmarks.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  func figure(_ column: ComparisonTable.Column) -> Double? {
    figures.first {
      $0.benchmark.utf8.elementsEqual(column.benchmark.utf8)
        && $0.score.utf8.elementsEqual(column.score.text.utf8)
    }?.value
  }

  /// The benchmarks of which it has a figure, in their order.
  var benchmarkNames: [String] {
    var names: [String] = []
    for name in benchmarks.map(\.name) + figures.map(\.benchmark)
    where !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { names.append(name) }
    return names
  }
}
