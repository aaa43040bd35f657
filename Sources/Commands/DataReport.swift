import Datasets
import Interface
import Storage

/// What a data set holds, as text and as JSON.
struct DataReport {
  let recipe: DataRecipe
  let report: PreparationReport
  let packing: Packing

  init(_ recipe: DataRecipe, _ report: PreparationReport) {
    self.recipe = recipe
    self.report = report
    let order = Permutation(count: report.lengths.count, seed: recipe.seed, epoch: 0)
    packing = Packing(
      report.lengths.indices.map { report.lengths[order[$0]] },
      contextLength: recipe.contextLength, method: recipe.packing)
  }

  var text: String {
    var table = Table(
      .left("source"), .right("samples"), .right("documents"), .right("tokens"), .right("learned"),
      .right("too long"), .right("shortened"), .right("refused"))
    for source in report.sources {
      table.append(
        Self.name(source.path), "\(source.samples)", "\(source.documents)",
        countText(source.tokens), countText(source.supervisedTokens), "\(source.dropped)",
        "\(source.shortened)", "\(source.refused)")
    }
    var lines = table.lines
    lines += report.sources.compactMap(Self.oddities)
    if !report.lengths.isEmpty {
      lines += ["", "Documents by their length in tokens:", ""]
      lines += LengthHistogram(report.lengths).lines
      lines += ["", rows]
    }
    if !report.droppedLengths.isEmpty {
      let longest = report.droppedLengths.max() ?? 0
      lines += [
        "\(plural(report.droppedLengths.count, "document")) longer than \(recipe.contextLength) "
          + "tokens; the longest has \(longest)."
      ]
    }
    return lines.joined(separator: "\n")
  }

  private var rows: String {
    let empty = Int((packing.waste * 1000).rounded())
    return "\(plural(packing.rows.count, "row")) of \(recipe.contextLength) tokens, "
      + "\(empty / 10).\(empty % 10) % of them empty"
      + (recipe.packing == .bestFit
        ? ", \(plural(report.lengths.count, "document")) packed." : "; documents are not packed.")
  }

  /// What was put up with in a source; nil if nothing was.
  private static func oddities(_ source: PreparationReport.Source) -> String? {
    var parts: [String] = []
    if source.oddities.hasByteOrderMark { parts.append("a byte order mark") }
    if source.oddities.carriageReturns > 0 {
      parts.append(plural(source.oddities.carriageReturns, "line") + " with a carriage return")
    }
    if source.oddities.blankLines > 0 {
      parts.append(plural(source.oddities.blankLines, "blank line"))
    }
    if source.replacedSurrogates > 0 {
      parts.append(
        plural(source.replacedSurrogates, "half surrogate", "half surrogates")
          + " read as U+FFFD")
    }
    return parts.isEmpty
      ? nil : "\(name(source.path)): \(parts.joined(separator: ", "))."
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  static func plural(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
  }

  private func plural(_ count: Int, _ one: String) -> String { Self.plural(count, one) }

  /// The counts, without the documents.
  var json: JSONValue {
    .members([
      (
        "sources",
        .array(
          report.sources.map { source in
            .members([
              ("path", .text(source.path)), ("samples", .count(source.samples)),
              ("documents", .count(source.documents)), ("tokens", .count(source.tokens)),
              ("supervisedTokens", .count(source.supervisedTokens)),
              ("tooLong", .count(source.dropped)), ("shortened", .count(source.shortened)),
              ("refused", .count(source.refused)),
              ("replacedSurrogates", .count(source.replacedSurrogates)),
              ("carriageReturns", .count(source.oddities.carriageReturns)),
              ("blankLines", .count(source.oddities.blankLines)),
            ])
          })
      ), ("contextLength", .count(recipe.contextLength)), ("rows", .count(packing.rows.count)),
      ("waste", .measure(packing.waste)), ("findings", .count(report.findingCount)),
    ])
  }
}
