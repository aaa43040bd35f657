import Interface
import Storage

extension EvaluationDifference {
  /// Both scores, what differs, and the problems that flipped, for a terminal.
  ///
  /// - Parameter problems: The most problems that are listed in each direction.
  public func text(problems: Int = 10) -> String {
    var parts = [
      "first    \(printable(first.path)), \(quoted(first.model))\n"
        + "second   \(printable(second.path)), \(quoted(second.model))"
    ]
    for benchmark in benchmarks {
      parts.append(printable(benchmark.name))
      parts.append(lines(benchmark.comparisons.map(\.sentence) + benchmark.gaps))
      parts.append(lines([finding(on: benchmark)] + dataSentences(benchmark)))
      if let table = settingTable(benchmark) { parts.append(table) }
      parts.append(lines([benchmark.flips.sentence]))
      for (title, flips) in [
        ("right to wrong", benchmark.flips.lost), ("wrong to right", benchmark.flips.won),
      ] where !flips.isEmpty && problems > 0 {
        parts.append(Self.table(flips, title, most: problems))
      }
    }
    for (names, which) in [(onlyFirst, "first"), (onlySecond, "second")] where !names.isEmpty {
      parts.append(
        lines(["Only the \(which) has \(Words.list(names.map { quoted($0) }))."]))
    }
    return parts.joined(separator: "\n\n")
  }

  /// What is to be known where the files of problems differ.
  func dataSentences(_ benchmark: Benchmark) -> [String] {
    var sentences: [String] = []
    for (count, which) in [(benchmark.onlyFirst, "first"), (benchmark.onlySecond, "second")]
    where count > 0 {
      sentences.append(
        "\(count) \(count == 1 ? "problem was" : "problems were") asked in the \(which) alone; scores "
          + "are compared on the \(benchmark.flips.shared) that both have.")
    }
    if let id = benchmark.changedProblems.first {
      let count = benchmark.changedProblems.count
      sentences.append(
        count == 1
          ? "One problem has another question or reference in the second: \(quoted(id))."
          : "\(count) problems have another question or reference in the second, the first of them "
            + "\(quoted(id)).")
    }
    return sentences
  }

  private func settingTable(_ benchmark: Benchmark) -> String? {
    let differing = settings + benchmark.settings
    if differing.isEmpty { return nil }
    var table = Table(.left("setting"), .left("first"), .left("second"))
    for setting in differing {
      table.append(setting.name, Self.cut(setting.first, 32), Self.cut(setting.second, 32))
    }
    return table.description
  }

  private static func table(
    _ flips: [ProblemFlips.Flip], _ title: String, most: Int
  ) -> String {
    var table = Table(
      .left(title), .right("first"), .right("second"), .left("first's answer"),
      .left("second's answer"), .left("reference"))
    for flip in flips.prefix(most) {
      let same = flip.isSameAnswer ? " (judged otherwise)" : ""
      table.append(
        cut(flip.problem, 24), rate(flip.first), rate(flip.second), answer(flip.first),
        answer(flip.second) + same, flip.reference.map { cut($0, 16) } ?? Words.unknown)
    }
    let rest = flips.count - most
    return table.description
      + (rest > 0 ? "\nand \(rest) more; '--problems' lists them." : "")
  }

  private static func rate(_ majority: ProblemFlips.Majority) -> String {
    "\(majority.right)/\(majority.samples)"
  }

  /// The answer; without one, why it is wrong or right.
  private static func answer(_ majority: ProblemFlips.Majority) -> String {
    majority.answer.map { cut($0, 16) } ?? "(\(cut(majority.reason, 24)))"
  }

  /// A text in one line of so many characters.
  private static func cut(_ text: String, _ longest: Int) -> String {
    // Escaped after it is cut, or an escape could be cut in two.
    let scalars = text.unicodeScalars.map { $0 == "\n" ? " " : $0 }
    let kept = String(String.UnicodeScalarView(scalars.prefix(longest)))
    return scalars.count > longest ? kept + "…" : kept
  }

  private func lines(_ sentences: [String]) -> String {
    sentences.flatMap { wrapped(printable($0), width: 100, indent: 2) }.joined(separator: "\n")
  }
}

extension ProblemFlips {
  /// How many problems flipped, in one sentence.
  public var sentence: String {
    let others = "both solve \(bothSolved), neither \(neitherSolved)."
    if lost.isEmpty, won.isEmpty { return "No problem flipped: \(others)" }
    let flipped = lost.count + won.count
    return "\(flipped) of \(shared) problems flipped: \(lost.count) from right to wrong and "
      + "\(won.count) from wrong to right, by the answer that most samples have; \(others)"
  }
}
