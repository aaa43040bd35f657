import Storage

extension ModelComparison {
  /// A line for each row and column that has a figure, after RFC 4180: values in points of 100, ratings
  /// and tokens as they are.
  public var csv: String {
    var lines: [[String]] = [
      [
        "model", "kind", "source", "benchmark", "score", "value", "bound", "low", "high",
        "confidence", "problems", "samples_per_problem", "samples_missing",
      ]
    ]
    for (number, row) in rows.enumerated() {
      let start = [row.name, row.kind, row.source ?? ""]
      for (i, column) in table.columns.enumerated() {
        guard let cell = table.cells[number][i] else { continue }
        lines.append(
          start + [
            column.benchmark, column.score.text, "\(cell.value)", cell.bound?.rawValue ?? "",
            Self.text(cell.low), Self.text(cell.high), cell.low == nil ? "" : "\(confidence)",
            Self.text(cell.problems), Self.text(cell.samples),
            cell.samples == nil ? "" : "\(cell.missing?.count ?? 0)",
          ])
      }
      for (place, benchmark) in table.benchmarks.enumerated() {
        guard let tokens = table.tokens[number][place],
          let measured = row.benchmark(benchmark)
        else { continue }
        lines.append(
          start + [
            benchmark, "tokens", "\(tokens)", "", "", "", "",
            "\(measured.evaluated.problems.count)", "\(measured.evaluated.samplesPerProblem)",
            "\(measured.missing?.count ?? 0)",
          ])
      }
    }
    return lines.map { $0.map(Self.field).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func text(_ value: (some CustomStringConvertible)?) -> String {
    value.map { $0.description } ?? ""
  }

  /// A field, in quotes where it must be.
  private static func field(_ text: String) -> String {
    let special = Set("\",\r\n".utf8)
    guard text.utf8.contains(where: special.contains) else { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }
}

extension ComparedRow {
  /// `measured`, `published` or `stated`.
  var kind: String {
    switch origin {
    case .measured: "measured"
    case .published: "published"
    case .stated: "stated"
    }
  }
}
