import Evaluation
import Interface
import Scores
import Storage

/// A figure of a row, as the table has it.
public struct ComparedCell: Sendable {
  /// A rating that is only bounded, since all was solved, or nothing.
  public enum Bound: String, Sendable { case atLeast, atMost }

  /// In points of 100; a rating on its own scale.
  public let value: Double
  public let bound: Bound?
  /// Of a measured figure; one that is published has none, since nothing tells it.
  public let low: Double?
  public let high: Double?
  /// Problems that it is of.
  public let problems: Int?
  /// Samples of each problem that were asked for.
  public let samples: Int?
  /// What is missing, if anything is.
  public let missing: MissingSamples?
  /// Problem by problem; nil for a rating, and where it was not measured.
  let score: Score?

  init(published value: Double) {
    (self.value, bound, low, high, problems) = (value, nil, nil, nil, nil)
    (samples, missing, score) = (nil, nil, nil)
  }

  init(_ score: Score, _ interval: ConfidenceInterval?, samples: Int) {
    (value, bound) = (100 * score.mean, nil)
    (low, high) = (interval.map { 100 * $0.low }, interval.map { 100 * $0.high })
    (problems, self.samples) = (score.values.count, samples)
    (missing, self.score) = (score.missing, score)
  }

  init(_ rating: SolverRating, samples: Int, missing: MissingSamples?) {
    switch rating.estimate {
    case .rating(let rating, _, _): (value, bound) = (rating, nil)
    case .atLeast(let rating): (value, bound) = (rating, .atLeast)
    case .atMost(let rating): (value, bound) = (rating, .atMost)
    }
    (low, high) = (rating.interval?.lowerBound, rating.interval?.upperBound)
    (problems, self.samples) = (rating.problems, samples)
    (self.missing, score) = (missing, nil)
  }
}

/// The figures of all rows, column by column.
public struct ComparisonTable: Sendable {
  public struct Column: Hashable, Sendable {
    public let benchmark: String
    public let score: ScoreName

    public static func == (a: Column, b: Column) -> Bool {
      a.score == b.score && a.benchmark.utf8.elementsEqual(b.benchmark.utf8)
    }
  }

  public let columns: [Column]
  /// Each once, in the order of the columns.
  public let benchmarks: [String]
  /// A list for each row; nil where the row has no such figure.
  public let cells: [[ComparedCell?]]
  /// Mean tokens of an answer, for each row and benchmark; nil where it was not measured.
  public let tokens: [[Double?]]
  /// Why measured rows lack figures, a sentence each.
  public let gaps: [String]

  /// - Parameter wanted: The recipe's columns; nil for the usual ones.
  /// - Throws: `ComparisonError` if a column is of a benchmark that no row has.
  init(
    _ rows: [ComparedRow], columns wanted: [ComparisonRecipe.Column]?, bootstrap: Bootstrap
  ) throws(ComparisonError) {
    let names = Self.names(rows)
    var columns: [Column] = []
    if let wanted {
      for column in wanted {
        guard names.contains(where: { $0.utf8.elementsEqual(column.benchmark.utf8) }) else {
          let near = hint(for: column.benchmark, in: names)
          let all =
            names.isEmpty ? "" : " There are \(names.map { quoted($0) }.joined(separator: ", "))."
          throw ComparisonError(
            "'columns' names the benchmark \(quoted(column.benchmark)), which no row has."
              + (near.isEmpty ? all : near))
        }
        guard let score = ScoreName(column.score) else { continue }
        columns.append(Column(benchmark: column.benchmark, score: score))
      }
    } else {
      columns = Self.usualColumns(rows)
    }
    self.columns = columns
    var benchmarks: [String] = []
    for name in columns.map(\.benchmark)
    where !benchmarks.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
      benchmarks.append(name)
    }
    self.benchmarks = benchmarks
    var (cells, tokens, gaps) = ([[ComparedCell?]](), [[Double?]](), [String]())
    for row in rows {
      var line: [ComparedCell?] = []
      for column in columns {
        do throws(ScoreError) {
          line.append(try Self.cell(row, column, bootstrap))
        } catch {
          line.append(nil)
          gaps.append("\(quoted(row.name)) has no \(column.score.text): \(error)")
        }
      }
      cells.append(line)
      tokens.append(benchmarks.map { row.benchmark($0)?.counts.meanTokens })
    }
    (self.cells, self.tokens, self.gaps) = (cells, tokens, gaps)
  }

  /// The benchmarks of all rows, those that were measured first.
  private static func names(_ rows: [ComparedRow]) -> [String] {
    var names: [String] = []
    for row in rows.filter(\.isMeasured) + rows.filter({ !$0.isMeasured }) {
      for name in row.benchmarkNames
      where !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { names.append(name) }
    }
    return names
  }

  private static func usualColumns(_ rows: [ComparedRow]) -> [Column] {
    var columns: [Column] = []
    func add(_ benchmark: String, _ score: ScoreName) {
      let column = Column(benchmark: benchmark, score: score)
      if !columns.contains(column) { columns.append(column) }
    }
    let measured = rows.filter(\.isMeasured)
    guard !measured.isEmpty else {
      for figure in rows.flatMap(\.figures) {
        if let score = ScoreName(figure.score) { add(figure.benchmark, score) }
      }
      // All scores of a benchmark stand beside each other.
      let order = names(rows)
      return order.flatMap { name in
        columns.filter { $0.benchmark.utf8.elementsEqual(name.utf8) }
      }
    }
    for name in names(measured) {
      let here = measured.compactMap { $0.benchmark(name) }
      add(name, .pass(1))
      if let k = mostCommon(here.compactMap { $0.votes?.most }.filter { $0 > 1 }) {
        add(name, .consensus(k))
      }
      if here.allSatisfy(\.isRated) { add(name, .rating) }
    }
    return columns
  }

  /// The number that is there most often; of several the largest.
  static func mostCommon(_ numbers: [Int]) -> Int? {
    var counts: [Int: Int] = [:]
    for number in numbers { counts[number, default: 0] += 1 }
    return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
  }

  private static func cell(
    _ row: ComparedRow, _ column: Column, _ bootstrap: Bootstrap
  ) throws(ScoreError) -> ComparedCell? {
    guard row.isMeasured else { return row.figure(column).map { ComparedCell(published: $0) } }
    guard let benchmark = row.benchmark(column.benchmark) else { return nil }
    let samples = benchmark.evaluated.samplesPerProblem
    if column.score == .rating {
      return ComparedCell(
        try benchmark.rating(confidence: bootstrap.confidence), samples: samples,
        missing: benchmark.missing)
    }
    let score = try benchmark.score(column.score)
    let interval = score.values.count > 1 ? try bootstrap.interval(of: score) : nil
    return ComparedCell(score, interval, samples: samples)
  }

  /// The columns of a benchmark, by their numbers.
  func columns(of benchmark: String) -> [Int] {
    columns.indices.filter { columns[$0].benchmark.utf8.elementsEqual(benchmark.utf8) }
  }
}
