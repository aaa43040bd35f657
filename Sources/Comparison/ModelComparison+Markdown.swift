extension ModelComparison {
  /// The table and what it supports, as GitHub shows Markdown.
  public var markdown: String {
    var parts = ["# " + Markdown.escaped(title)]
    for benchmark in table.benchmarks {
      parts.append("## " + Markdown.escaped(headline(benchmark)))
      var headings = ["model"] + table.columns(of: benchmark).map { table.columns[$0].score.text }
      if hasTokens(benchmark) { headings.append("tokens") }
      let lines = shownRows([benchmark]).map {
        [rows[$0].name + rows[$0].mark] + cells($0, benchmark)
      }
      parts.append(Markdown.table(headings, lines, left: 1))
    }
    parts.append(Markdown.list([legend] + notes))
    if !sentences.isEmpty {
      parts += ["## What it supports", Markdown.list(sentences)]
    }
    let differences = pairs.flatMap { pair in pair.differences.map { cells(pair, $0) } }
    if !differences.isEmpty {
      parts += [
        Markdown.table(Self.differenceHeadings, differences, left: 3),
        Markdown.escaped(Self.differenceNote(confidence)),
      ]
    }
    if rows.contains(where: { $0.cost != nil }) {
      parts += [
        "## What it took to make the models",
        Markdown.table(Self.costHeadings, costRows, left: 1),
        Markdown.list([MakingCost.formula] + costNotes),
      ]
    }
    return parts.joined(separator: "\n\n") + "\n"
  }
}

/// Text as Markdown must have it.
enum Markdown {
  /// A text that is shown as it is: what Markdown or HTML would take for a sign is escaped, and what
  /// would break the line becomes a blank.
  static func escaped(_ text: String) -> String {
    var result = ""
    var last: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      switch scalar {
      // Within a word, as in pass@1, it names nobody.
      case "@" where last.properties.isAlphabetic: result += "@"
      case "\\", "`", "*", "_", "[", "|", "#", "~", "$", "@":
        result += "\\"
        result.unicodeScalars.append(scalar)
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      default:
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: result += " "
        default: result.unicodeScalars.append(scalar)
        }
      }
      last = scalar
    }
    return result
  }

  /// - Parameter left: How many columns hold words; the others hold numbers.
  static func table(_ headings: [String], _ rows: [[String]], left: Int) -> String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map(escaped).joined(separator: " | ") + " |"
    }
    let rule = headings.indices.map { $0 < left ? "---" : "---:" }
    return ([line(headings), "|" + rule.joined(separator: "|") + "|"] + rows.map(line))
      .joined(separator: "\n")
  }

  static func list(_ items: [String]) -> String {
    items.map { "- " + escaped($0) }.joined(separator: "\n")
  }
}
