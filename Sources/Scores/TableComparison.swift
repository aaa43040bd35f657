import Storage

/// Two models on several benchmarks: the sentence of a table.
///
/// Of many comparisons some differ by chance. So the p-values are corrected by Holm's method ("A
/// Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6,
/// 1979): the smallest times their number, the next times one less and so on, none smaller than the
/// one before it. The chance to call any difference real that isn't is then at most 1 − confidence
/// for the whole table.
public struct TableComparison: Sendable {
  /// In the order given.
  public let comparisons: [PairedComparison]
  /// Corrected p-values, in the same order.
  public let correctedPValues: [Double]
  /// What is supported of each after the correction.
  public let verdicts: [PairedComparison.Verdict]

  /// - Throws: `ScoreError` if there is no comparison, one is of other models, at another
  ///   confidence or of the same score as one before it.
  public init(_ comparisons: [PairedComparison]) throws(ScoreError) {
    guard let one = comparisons.first else { throw ScoreError(nil, "No comparisons.") }
    for (i, other) in comparisons.enumerated() {
      guard other.first.utf8.elementsEqual(one.first.utf8),
        other.second.utf8.elementsEqual(one.second.utf8)
      else {
        throw ScoreError(
          other.benchmark,
          "this compares \(quoted(other.first)) with \(quoted(other.second)), the others "
            + "\(quoted(one.first)) with \(quoted(one.second)). Make a table for each pair.")
      }
      guard other.confidence == one.confidence else {
        throw ScoreError(
          other.benchmark,
          "a confidence of \(Wording.percent(other.confidence)), where the others have "
            + "\(Wording.percent(one.confidence)). Use one for a table.")
      }
      for earlier in comparisons[..<i]
      where earlier.benchmark.utf8.elementsEqual(other.benchmark.utf8)
        && earlier.name.utf8.elementsEqual(other.name.utf8)
      {
        throw ScoreError(other.benchmark, "\(other.name) is there twice. Leave one out.")
      }
    }
    self.comparisons = comparisons
    let corrected = Self.corrected(comparisons.map(\.pValue))
    correctedPValues = corrected
    verdicts = zip(comparisons, corrected).map { $0.verdict(pValue: $1) }
  }

  /// Holm's correction, in the order given.
  static func corrected(_ pValues: [Double]) -> [Double] {
    var corrected = pValues
    var largest = 0.0
    let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
    for (rank, i) in order.enumerated() {
      largest = max(largest, min(1, pValues[i] * Double(pValues.count - rank)))
      corrected[i] = largest
    }
    return corrected
  }

  /// What is supported, in one sentence and another on how it was counted; the model with more
  /// benchmarks to its name comes first.
  ///
  ///     'distilled' beats 'RL' on 3 of 4 benchmarks ('AIME 2024', 'MATH-500' and 'GPQA Diamond'); on
  ///     'LiveCodeBench' the difference isn't clear. Counted with a confidence of 95 % for all 4
  ///     together.
  public var sentence: String { clauses + " " + conditions + missing }

  /// The sentence without how it was counted, for tables of many pairs that tell it once.
  public var finding: String { clauses + missing }

  private var clauses: String {
    let wins = names(of: .firstIsBetter)
    let losses = names(of: .secondIsBetter)
    let (model, other) = (quoted(comparisons[0].first), quoted(comparisons[0].second))
    var clauses: [String]
    if wins.isEmpty, losses.isEmpty {
      clauses = ["neither \(model) nor \(other) is clearly better on \(ofAll(0))"]
    } else if wins.count >= losses.count {
      clauses = [
        "\(model) beats \(other) on \(ofAll(wins.count)) (\(Wording.list(wins)))"
      ]
      if !losses.isEmpty { clauses.append("\(other) is better on \(Wording.list(losses))") }
    } else {
      clauses = [
        "\(other) beats \(model) on \(ofAll(losses.count)) (\(Wording.list(losses)))"
      ]
      if !wins.isEmpty { clauses.append("\(model) is better on \(Wording.list(wins))") }
    }
    let unclear = names(of: .undecided)
    if !unclear.isEmpty, !wins.isEmpty || !losses.isEmpty {
      clauses.append("on \(Wording.list(unclear)) the difference isn't clear")
    }
    let same = names(of: .same)
    if !same.isEmpty {
      clauses.append("on \(Wording.list(same)) they are the same problem by problem")
    }
    let text = clauses.joined(separator: "; ")
    return text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  private func ofAll(_ count: Int) -> String {
    let all = comparisons.count
    if count == 0 { return all == 1 ? "the one benchmark" : "any of \(all) benchmarks" }
    return all == 1 ? "the one benchmark" : "\(count) of \(all) benchmarks"
  }

  /// With the score's name where a benchmark has several.
  private func names(of verdict: PairedComparison.Verdict) -> [String] {
    zip(comparisons, verdicts).filter { $1 == verdict }.map { comparison, _ in
      let alike = comparisons.count {
        $0.benchmark.utf8.elementsEqual(comparison.benchmark.utf8)
      }
      return quoted(comparison.benchmark) + (alike > 1 ? " \(comparison.name)" : "")
    }
  }

  private var conditions: String {
    "Counted with a confidence of \(Wording.percent(comparisons[0].confidence))"
      + (comparisons.count == 1 ? "." : " for all \(comparisons.count) together.")
  }

  private var missing: String {
    let marked = comparisons.filter { $0.missingOfFirst != nil || $0.missingOfSecond != nil }
    if marked.isEmpty { return "" }
    var names: [String] = []
    for comparison in marked where !names.contains(quoted(comparison.benchmark)) {
      names.append(quoted(comparison.benchmark))
    }
    return " Samples are missing on \(Wording.list(names))."
  }
}
