import Foundation
import Interface
import Reports
import Storage

extension PipelineSummary {
  /// The page of the whole run: what took how long, what each stage printed, and the pages of the
  /// stages.
  ///
  /// - Parameter version: The program's version, for the small print.
  public func page(version: String) -> HTMLPage {
    let ran = rows.filter { $0.decision.runs }.count
    let total = rows.reduce(0) { $0 + ($1.seconds ?? 0) }
    var figures = [
      HTMLPage.Figure("stages", "\(rows.count)"),
      HTMLPage.Figure("run now", "\(ran)"),
      HTMLPage.Figure("time of all", durationText(seconds: total)),
    ]
    if let most = rows.compactMap(\.peakBytes).max() {
      figures.append(HTMLPage.Figure("most memory", byteText(most)))
    }
    let table = HTMLPage.Table(
      headings: ["Stage", "Kind", "Now", "Time", "Memory", "Made"],
      rows: rows.map { row in
        [
          row.name, row.kind, row.decision.runs ? "done" : row.decision.word,
          row.seconds.map { durationText(seconds: $0) } ?? "",
          row.peakBytes.map { byteText($0) } ?? "", row.output,
        ]
      }, numberColumns: [3, 4])
    var stages: [HTMLPage.Block] = [.table(table)]
    let links = rows.compactMap { row in
      row.page.map {
        HTMLPage.Link("\(row.name): its own page", address(of: $0, from: record))
      }
    }
    if !links.isEmpty { stages.append(.links(links)) }
    var sections = rows.filter { $0.isResult && !$0.printed.isEmpty }
      .map { HTMLPage.Section("Results: \($0.name)", [.printed($0.printed)]) }
    sections.append(HTMLPage.Section("Stages", stages))
    sections += rows.filter { !$0.isResult && !$0.printed.isEmpty }
      .map { HTMLPage.Section($0.name, [.printed($0.printed)]) }
    return HTMLPage(
      title: "The run of \(folder)", introduction: [.figures(figures)], sections: sections,
      footer: "distill \(version). Times are those of the sessions in which a stage was made.")
  }

  /// Writes the page.
  ///
  /// - Throws: `ReportError`.
  public func writePage(version: String) throws(ReportError) {
    try page(version: version).write(to: report)
  }
}

/// The address of a file for a page in a folder: from there, as long as both are moved together.
func address(of path: String, from folder: String) -> String {
  let target = canonicalPath(path).split(separator: "/")
  let start = canonicalPath(folder).split(separator: "/")
  let common = zip(target, start).prefix { $0.utf8.elementsEqual($1.utf8) }.count
  let parts =
    Array(repeating: "..", count: start.count - common) + target[common...].map(String.init)
  return parts.map { percentEncoded($0) }.joined(separator: "/")
}

private func percentEncoded(_ text: String) -> String {
  var result = ""
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      result.unicodeScalars.append(Unicode.Scalar(byte))
    default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }
  return result
}
