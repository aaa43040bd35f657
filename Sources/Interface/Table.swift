/// A table as plain text: a title line, a rule, and rows whose columns stand under each other.
///
///     model       AIME 2024   MATH-500
///     ---------   ---------   --------
///     distilled        28.9       83.9
public struct Table: Sendable, CustomStringConvertible {
  /// One column: its title, and the side its cells are aligned to.
  public struct Column: Sendable {
    let title: String
    let alignsRight: Bool

    /// A column of words.
    public static func left(_ title: String) -> Column { Column(title: title, alignsRight: false) }
    /// A column of numbers.
    public static func right(_ title: String) -> Column { Column(title: title, alignsRight: true) }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  /// A table without rows.
  public init(_ columns: Column...) { self.init(columns) }

  /// A table without rows, whose columns are known only when the program runs.
  public init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row of one cell per column.
  public mutating func append(_ cells: String...) { append(cells) }

  /// Adds a row of one cell per column.
  public mutating func append(_ cells: [String]) {
    precondition(
      cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells.map(printable))
  }

  /// The lines of the table, without blanks at their ends.
  public var lines: [String] {
    let titles = columns.map { printable($0.title) }
    let widths = titles.indices.map { index in
      ([titles] + rows).map { $0[index].count }.max() ?? 0
    }
    let rule = widths.map { String(repeating: "-", count: $0) }
    return ([titles, rule] + rows).map { cells in
      let padded = cells.indices.map { index in
        let blanks = String(repeating: " ", count: widths[index] - cells[index].count)
        return columns[index].alignsRight ? blanks + cells[index] : cells[index] + blanks
      }
      return withoutTrailingBlanks(padded.joined(separator: "   "))
    }
  }

  /// The lines, one under the other.
  public var description: String { lines.joined(separator: "\n") }
}

func withoutTrailingBlanks(_ line: String) -> String {
  var line = line
  while line.last == " " { line.removeLast() }
  return line
}
