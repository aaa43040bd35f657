import Storage

/// A table in CSV (RFC 4180): cells in quotes may hold commas, line breaks and doubled quotes. The
/// first row has the names.
struct TableFile {
  /// Rows as objects of texts, and the lines they begin at.
  let rows: [(object: JSONObject, line: Int)]

  /// - Throws: `ProblemError` for a row of another number of cells, a quote that is not closed or
  ///   stands within a cell, names that come twice, or what is not UTF-8.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(ProblemError) {
    var cells = Cells(bytes: bytes, position: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    guard let (names, _) = try cells.row(path) else { throw ProblemError(path, "it is empty.") }
    for (index, name) in names.enumerated() {
      if names[..<index].contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
        throw ProblemError("\(path):1", "two columns are called \(quoted(name)). Rename one.")
      }
    }
    var rows: [(object: JSONObject, line: Int)] = []
    while let (row, line) = try cells.row(path) {
      if row.count == 1, row[0].isEmpty { continue }
      guard row.count == names.count else {
        throw ProblemError(
          "\(path):\(line)", "the row has \(row.count) cells; the first row names \(names.count).")
      }
      let members = zip(names, row).map { (key: $0, value: JSONValue.string($1)) }
      rows.append((JSONObject(members: members), line))
    }
    self.rows = rows
  }

  private struct Cells {
    let bytes: UnsafeRawBufferPointer
    var position: Int
    var line = 1

    /// The next row and its first line; nil at the end.
    mutating func row(_ path: String) throws(ProblemError) -> (cells: [String], line: Int)? {
      guard position < bytes.count else { return nil }
      let first = line
      var cells: [String] = []
      while true {
        let cell = try cell(path)
        let text = String(decoding: cell, as: UTF8.self)
        guard text.utf8.elementsEqual(cell) else {
          throw ProblemError("\(path):\(first)", "the row is not UTF-8. Save the file as UTF-8.")
        }
        cells.append(text)
        guard position < bytes.count else { return (cells, first) }
        if bytes[position] == UInt8(ascii: ",") {
          position += 1
          continue
        }
        if bytes[position] == 0x0D { position += 1 }
        if position < bytes.count, bytes[position] == 0x0A { position += 1 }
        line += 1
        return (cells, first)
      }
    }

    private mutating func cell(_ path: String) throws(ProblemError) -> [UInt8] {
      var cell: [UInt8] = []
      let isQuoted = position < bytes.count && bytes[position] == UInt8(ascii: "\"")
      if !isQuoted {
        while position < bytes.count, !Self.endsCell(bytes[position]) {
          cell.append(bytes[position])
          position += 1
        }
        return cell
      }
      let first = line
      position += 1
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        if byte == 0x0A { line += 1 }
        if byte != UInt8(ascii: "\"") {
          cell.append(byte)
        } else if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
          cell.append(byte)
          position += 1
        } else if position == bytes.count || Self.endsCell(bytes[position]) {
          return cell
        } else {
          throw ProblemError(
            "\(path):\(line)",
            "text follows the quote that ends a cell. Double quotes within cells.")
        }
      }
      throw ProblemError("\(path):\(first)", "a cell's quote is not closed.")
    }

    private static func endsCell(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: ",") || byte == 0x0A || byte == 0x0D
    }
  }
}
