import Interface
import Storage

extension ModelComparison {
  /// As many characters as terminals show without breaking lines.
  private static let width = 100

  /// The table and what it supports, for a terminal.
  public var text: String {
    var parts = [printable(title)] + tables
    parts.append(lines([legend] + notes))
    if !sentences.isEmpty { parts += ["What it supports", lines(sentences)] }
    if let differences = differenceTable { parts.append(differences) }
    if let costs = costTable {
      parts += ["What it took to make the models", costs, lines([MakingCost.formula] + costNotes)]
    }
    return parts.joined(separator: "\n\n")
  }

  /// One table, or one for each benchmark where that would be too wide.
  private var tables: [String] {
    let whole = table(of: table.benchmarks, namesBenchmarks: table.benchmarks.count > 1)
    if table.benchmarks.count == 1 || whole.lines.allSatisfy({ $0.count <= Self.width }) {
      let heading = table.benchmarks.count == 1 ? table.benchmarks : []
      return heading.map(headline) + [whole.description]
    }
    return table.benchmarks.flatMap {
      [headline($0), table(of: [$0], namesBenchmarks: false).description]
    }
  }

  private func table(of benchmarks: [String], namesBenchmarks: Bool) -> Table {
    var columns: [Table.Column] = [.left("model")]
    for benchmark in benchmarks {
      let start = namesBenchmarks ? benchmark + " " : ""
      for i in table.columns(of: benchmark) {
        columns.append(.right(start + table.columns[i].score.text))
      }
      if hasTokens(benchmark) { columns.append(.right(start + "tokens")) }
    }
    var result = Table(columns)
    for number in shownRows(benchmarks) {
      result.append(
        [rows[number].name + rows[number].mark] + benchmarks.flatMap { cells(number, $0) })
    }
    return result
  }

  /// The rows that were asked one of some benchmarks, or have a figure of it; others say nothing.
  func shownRows(_ benchmarks: [String]) -> [Int] {
    rows.indices.filter { number in
      benchmarks.contains { benchmark in
        rows[number].benchmark(benchmark) != nil
          || table.columns(of: benchmark).contains { table.cells[number][$0] != nil }
      }
    }
  }

  /// A row's cells of a benchmark, tokens included.
  func cells(_ row: Int, _ benchmark: String) -> [String] {
    var cells = table.columns(of: benchmark).map {
      Words.cell(table.cells[row][$0], table.columns[$0].score)
    }
    if let place = place(benchmark), hasTokens(benchmark) {
      cells.append(Words.tokens(table.tokens[row][place]))
    }
    return cells
  }

  func hasTokens(_ benchmark: String) -> Bool {
    guard let place = place(benchmark) else { return false }
    return table.tokens.contains { $0[place] != nil }
  }

  private func place(_ benchmark: String) -> Int? {
    table.benchmarks.firstIndex { $0.utf8.elementsEqual(benchmark.utf8) }
  }

  /// A benchmark's name, and how it was asked where all rows agree on that.
  func headline(_ benchmark: String) -> String {
    let here = rows.compactMap { $0.benchmark(benchmark)?.evaluated }
    var facts: [String] = []
    func add(_ texts: [String], _ words: (String) -> String) {
      if let first = texts.first, texts.allSatisfy({ $0.utf8.elementsEqual(first.utf8) }) {
        facts.append(words(first))
      }
    }
    add(here.map { "\($0.problems.count)" }) { $0 == "1" ? "1 problem" : "\($0) problems" }
    add(here.map { "\($0.samplesPerProblem)" }) {
      $0 == "1" ? "1 sample of each" : "\($0) samples of each"
    }
    add(here.map { "\($0.sampling.temperature)" }) { "temperature \($0)" }
    add(here.map { "\($0.sampling.topP)" }) { "top-p \($0)" }
    add(here.map { "\($0.sampling.maxTokens)" }) { "at most \($0) tokens" }
    return printable(benchmark) + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))")
  }

  /// How confident intervals are, and what tokens are.
  var legend: String {
    "[low, high]: intervals of \(Words.percent(confidence)) over problems. Tokens: of an answer, the mean."
  }

  private func lines(_ sentences: [String]) -> String {
    sentences.flatMap { wrapped(printable($0), width: Self.width, indent: 2) }
      .joined(separator: "\n")
  }

  // MARK: Differences

  /// The cells of a difference: pair, benchmark, score, difference, p-value, smallest difference.
  static let differenceHeadings = [
    "first", "second", "column", "difference", "p, corrected", "would show",
  ]

  func cells(_ pair: ComparedPair, _ difference: ComparedPair.Difference) -> [String] {
    let column =
      "\(difference.column.benchmark) \(difference.column.score.text)"
      + (difference.sharedProblems.map { " (\($0) shared)" } ?? "")
    switch difference.kind {
    case .paired(let comparison, let corrected, _):
      var words = Words.signed(100 * comparison.difference)
      if let interval = comparison.interval {
        words += " [\(Words.points(100 * interval.low)), \(Words.points(100 * interval.high))]"
      }
      return [
        pair.first, pair.second, column, words, Words.pValue(corrected),
        comparison.detectable.map { Words.points(100 * $0.difference) } ?? Words.unknown,
      ]
    case .stated(let value, _, let smallest):
      return [
        pair.first, pair.second, column, Words.signed(value), Words.unknown,
        Words.points(100 * smallest.difference),
      ]
    }
  }

  private var differenceTable: String? {
    if pairs.allSatisfy(\.differences.isEmpty) { return nil }
    var result = Table(
      zip(Self.differenceHeadings, [false, false, false, true, true, true]).map {
        $1 ? .right($0) : .left($0)
      })
    for pair in pairs {
      for difference in pair.differences { result.append(cells(pair, difference)) }
    }
    return result.description + "\n" + lines([Self.differenceNote(confidence)])
  }

  static func differenceNote(_ confidence: Double) -> String {
    "Points of the first minus the second, problem by problem. What is called better is so with "
      + "\(Words.percent(confidence)) confidence for all benchmarks of a pair together: p-values are "
      + "corrected by Holm's method. 'would show': the smallest difference that so many problems show "
      + "with \(Words.percent(confidence)) confidence and 80 % power."
  }

  // MARK: Cost

  static let costHeadings = [
    "model", "parameters", "tokens sampled", "tokens trained", "FLOPs", "hours",
  ]

  /// The rows of the table of costs; empty if nothing is known of any.
  var costRows: [[String]] {
    let known = rows.filter { $0.cost != nil || $0.parameters != nil }
    return known.map { row in
      [
        row.name + row.mark, Words.count(row.parameters.map { Double($0) }),
        Words.count(row.cost?.sampledTokens), Words.count(row.cost?.trainedTokens),
        Words.operations(row.cost?.operations), Words.hours(seconds: row.cost?.seconds),
      ]
    }
  }

  private var costTable: String? {
    if rows.allSatisfy({ $0.cost == nil }) { return nil }
    var result = Table(
      Self.costHeadings.enumerated().map { $0 == 0 ? .left($1) : .right($1) })
    for row in costRows { result.append(row) }
    return result.description
  }
}

/// A text broken at blanks into lines of at most so many characters, all but the first indented; signs
/// stay with what is before them, as in `95 %` and `p < 0.0001`.
func wrapped(_ text: String, width: Int, indent: Int) -> [String] {
  var words: [String] = []
  for word in text.split(separator: " ", omittingEmptySubsequences: false) {
    if word.hasPrefix("%") || word.hasPrefix("<"), let last = words.popLast() {
      words.append(last + " " + word)
    } else {
      words.append(String(word))
    }
  }
  let start = String(repeating: " ", count: indent)
  var lines: [String] = []
  var line = words.first ?? ""
  for word in words.dropFirst() {
    if line.count + 1 + word.count > width {
      lines.append(line)
      line = start + word
    } else {
      line += " " + word
    }
  }
  return lines + [line]
}
