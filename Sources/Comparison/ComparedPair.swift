import Evaluation
import Scores
import Storage

/// Two rows set against each other: by how much they differ, and what can be said of that.
public struct ComparedPair: Sendable {
  /// One column of the table.
  public struct Difference: Sendable {
    public let column: ComparisonTable.Column
    public let kind: Kind
    /// Problems that both were asked, where one was asked others too.
    public let sharedProblems: Int?
  }

  public enum Kind: Sendable {
    /// Problem by problem, with the p-value and the verdict corrected for the other benchmarks.
    case paired(PairedComparison, correctedPValue: Double, PairedComparison.Verdict)
    /// Of two means alone, since one of them was not measured: what so many problems could show with
    /// one sample of each.
    case stated(difference: Double, problems: Int, DetectableDifference)
  }

  public let first: String
  public let second: String
  /// In the order of the columns; columns that can't be compared are left out.
  public let differences: [Difference]
  /// What is supported, a sentence each.
  public let sentences: [String]
  /// Why columns can't be compared, a sentence each.
  public let gaps: [String]

  /// - Parameters:
  ///   - rows: Which, by their numbers in the table.
  /// - Throws: `ScoreError` for scores that can't be.
  init(
    _ first: Int, _ second: Int, _ rows: [ComparedRow], _ table: ComparisonTable,
    bootstrap: Bootstrap
  ) throws(ScoreError) {
    let (one, other) = (rows[first], rows[second])
    (self.first, self.second) = (one.name, other.name)
    var found: [(column: Int, comparison: PairedComparison, shared: Int?)] = []
    var stated: [(column: Int, difference: Difference, sentence: String)] = []
    var gaps: [String] = []
    for (i, column) in table.columns.enumerated() where column.score.isShare {
      guard let a = table.cells[first][i], let b = table.cells[second][i] else { continue }
      guard let aScore = a.score, let bScore = b.score else {
        if let words = try Self.stated(one, a, other, b, column, bootstrap) {
          stated.append((i, words.difference, words.sentence))
        }
        continue
      }
      guard let pair = Self.shared(aScore, bScore) else {
        gaps.append(
          "\(quoted(one.name)) and \(quoted(other.name)) share no two problems of "
            + "\(quoted(column.benchmark)), so that they aren't compared there.")
        continue
      }
      let comparison = try PairedComparison(
        pair.0, of: one.name, with: pair.1, of: other.name, bootstrap: bootstrap)
      let count = pair.0.problems.count
      let most = max(aScore.problems.count, bScore.problems.count)
      found.append((i, comparison, count < most ? count : nil))
    }
    let families = try Self.families(found.map { ($0.column, $0.comparison) }, table)
    differences =
      (found.map { column, comparison, shared in
        let corrected = families.corrected[column] ?? (comparison.pValue, comparison.verdict)
        return (
          column,
          Difference(
            column: table.columns[column],
            kind: .paired(comparison, correctedPValue: corrected.0, corrected.1),
            sharedProblems: shared)
        )
      } + stated.map { ($0.column, $0.difference) }).sorted { $0.0 < $1.0 }.map(\.1)
    sentences = families.sentences + stated.map(\.sentence)
    self.gaps = gaps
  }

  /// Both scores on the problems that both have; nil for fewer than two.
  private static func shared(_ a: Score, _ b: Score) -> (Score, Score)? {
    guard let one = try? a.shared(with: b), let other = try? b.shared(with: a),
      one.problems.count > 1
    else { return nil }
    return (one, other)
  }

  /// Columns of one family are corrected together: each answers one question on all benchmarks.
  private static func families(
    _ found: [(column: Int, comparison: PairedComparison)], _ table: ComparisonTable
  ) throws(ScoreError) -> (
    corrected: [Int: (Double, PairedComparison.Verdict)], sentences: [String]
  ) {
    var corrected: [Int: (Double, PairedComparison.Verdict)] = [:]
    var findings: [(value: String, rows: [String])] = []
    var undecided: [String] = []
    let families = Set(found.map { table.columns[$0.column].score.family }).sorted {
      $0.rawValue < $1.rawValue
    }
    for family in families {
      let members = found.filter { table.columns[$0.column].score.family == family }
      let whole = try TableComparison(members.map(\.comparison))
      for (i, member) in members.enumerated() {
        corrected[member.column] = (whole.correctedPValues[i], whole.verdicts[i])
      }
      var names: [String] = []
      for name in members.map({ table.columns[$0.column].score.text })
      where !names.contains(name) { names.append(name) }
      // What several scores agree on is said once.
      if let index = findings.firstIndex(where: { $0.value.utf8.elementsEqual(whole.finding.utf8) })
      {
        findings[index].rows += names
      } else {
        findings.append((whole.finding, names))
      }
      if family != families.first { continue }
      // What was not clear, and what it would take.
      for (member, verdict) in zip(members, whole.verdicts) where verdict == .undecided {
        undecided.append(member.comparison.sentence)
      }
    }
    let sentences = findings.map { "\(Words.list($0.rows)): \($0.value)" } + undecided
    return (corrected, sentences)
  }

  private static func stated(
    _ one: ComparedRow, _ a: ComparedCell, _ other: ComparedRow, _ b: ComparedCell,
    _ column: ComparisonTable.Column, _ bootstrap: Bootstrap
  ) throws(ScoreError) -> (difference: Difference, sentence: String)? {
    let settled = PublishedRow.problems.first {
      $0.benchmark.utf8.elementsEqual(column.benchmark.utf8)
    }?.count
    guard let problems = a.problems ?? b.problems ?? settled else { return nil }
    let (p, q) = (a.value / 100, b.value / 100)
    let smallest = try DetectableDifference.between(
      p, q, problems: problems, confidence: bootstrap.confidence)
    let sentence = try DetectableDifference.sentence(
      telling: p, from: q, problems: problems, confidence: bootstrap.confidence)
    return (
      Difference(
        column: column,
        kind: .stated(difference: a.value - b.value, problems: problems, smallest),
        sharedProblems: nil),
      "\(quoted(one.name))\(one.mark) and \(quoted(other.name))\(other.mark) on "
        + "\(quoted(column.benchmark)), \(column.score.text): \(sentence)"
    )
  }
}

extension ComparedPair {
  /// All pairs of so many measured rows; of more, neighbors.
  private static let mostRowsInPairs = 5

  /// The pairs to compare, by the numbers of their rows: the lower row first, since it is usually the
  /// one that something was done for.
  static func pairs(_ recipe: [[String]]?, _ rows: [ComparedRow]) -> [(Int, Int)] {
    if let recipe {
      return recipe.compactMap { pair in
        let numbers = pair.compactMap { name in
          rows.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
        }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
      }
    }
    let measured = rows.indices.filter { rows[$0].isMeasured }
    var pairs: [(Int, Int)] = []
    for (place, row) in measured.enumerated().dropFirst() {
      let before = measured.count <= mostRowsInPairs ? 0 : place - 1
      for other in measured[before..<place].reversed() { pairs.append((row, other)) }
    }
    if measured.count > mostRowsInPairs, let last = measured.last, let first = measured.first {
      pairs.append((last, first))
    }
    for row in rows.indices.dropFirst() where !rows[row].isMeasured || !rows[row - 1].isMeasured {
      pairs.append((row, row - 1))
    }
    return pairs
  }
}
