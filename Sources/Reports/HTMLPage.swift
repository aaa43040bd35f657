import Foundation
import Storage

/// A page in one file: style and drawings inside, no script, nothing from the network.
public struct HTMLPage: Equatable, Sendable {
  /// A number that matters, such as the last loss.
  public struct Figure: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  public struct Table: Equatable, Sendable {
    public var headings: [String]
    /// Rows of as many texts as there are headings; those that are missing stay empty.
    public var rows: [[String]]
    /// The columns that hold numbers, which stand at the right.
    public var numberColumns: Set<Int>

    public init(headings: [String], rows: [[String]], numberColumns: Set<Int> = []) {
      (self.headings, self.rows, self.numberColumns) = (headings, rows, numberColumns)
    }
  }

  /// A link to another page, from where this one is.
  public struct Link: Equatable, Sendable {
    public var title: String
    public var address: String

    public init(_ title: String, _ address: String) {
      (self.title, self.address) = (title, address)
    }
  }

  /// A text that a model wrote; what it thought before its answer is dimmed.
  public struct Sample: Equatable, Sendable {
    public var title: String
    public var prompt: String
    public var text: String
    /// Whether it is shown before somebody asks for it.
    public var isOpen: Bool

    public init(title: String, prompt: String, text: String, isOpen: Bool) {
      (self.title, self.prompt, self.text, self.isOpen) = (title, prompt, text, isOpen)
    }
  }

  public enum Plot: Equatable, Sendable {
    case lines(LinePlot)
    case bars(Histogram)
    case intervals(IntervalBars)
  }

  /// What a section holds, one below the other.
  public enum Block: Equatable, Sendable {
    case paragraph(String)
    /// A paragraph that is not to be overlooked.
    case note(String)
    case figures([Figure])
    case table(Table)
    /// Links to other pages, one below the other.
    case links([Link])
    /// A text as a program printed it, with its line feeds and blanks.
    case printed(String)
    /// Plots side by side where there is room.
    case plots([Plot])
    case sample(Sample)
  }

  public struct Section: Equatable, Sendable {
    public var title: String
    public var blocks: [Block]

    public init(_ title: String, _ blocks: [Block]) { (self.title, self.blocks) = (title, blocks) }
  }

  public var title: String
  /// What stands before the table of contents.
  public var introduction: [Block]
  public var sections: [Section]
  /// Small print at the end.
  public var footer: String?

  public init(
    title: String, introduction: [Block] = [], sections: [Section] = [], footer: String? = nil
  ) {
    (self.title, self.introduction) = (title, introduction)
    (self.sections, self.footer) = (sections, footer)
  }

  /// The page as HTML; every text is escaped.
  public var html: String {
    var html = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(escaped(title))</title>
      <style>
      \(PageStyle.text)</style>
      </head>
      <body>
      <main>
      <h1>\(escaped(title))</h1>

      """
    for block in introduction { html += block.html }
    if sections.count > 1 {
      html += "<nav aria-label=\"Contents\"><ul>\n"
      for (i, section) in sections.enumerated() {
        html += "<li><a href=\"#section-\(i + 1)\">\(escaped(section.title))</a></li>\n"
      }
      html += "</ul></nav>\n"
    }
    for (i, section) in sections.enumerated() {
      html += "<section id=\"section-\(i + 1)\">\n<h2>\(escaped(section.title))</h2>\n"
      for block in section.blocks { html += block.html }
      html += "</section>\n"
    }
    if let footer { html += "<footer>\(escaped(footer))</footer>\n" }
    return html + "</main>\n</body>\n</html>\n"
  }

  /// Writes the page, whole or not at all.
  ///
  /// - Throws: `ReportError` if the file cannot be written; what was there then stays.
  public func write(to path: String) throws(ReportError) {
    do throws(FileError) {
      try AtomicFile.write(Data(html.utf8), to: path)
    } catch {
      throw ReportError(error)
    }
  }
}

extension HTMLPage.Block {
  var html: String {
    switch self {
    case .paragraph(let text): "<p>\(escaped(text))</p>\n"
    case .note(let text): "<p class=\"note\">\(escaped(text))</p>\n"
    case .figures(let figures):
      "<dl class=\"figures\">\n"
        + figures.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>\n" }
        .joined() + "</dl>\n"
    case .table(let table): table.html
    case .links(let links):
      "<ul>\n"
        + links.map { "<li><a href=\"\(escaped($0.address))\">\(escaped($0.title))</a></li>\n" }
        .joined() + "</ul>\n"
    case .printed(let text): "<pre class=\"printed\">\(escaped(text))</pre>\n"
    case .plots(let plots):
      "<div class=\"plots\">\n"
        + plots.map { plot in
          switch plot {
          case .lines(let plot): "<div>\(plot.svg(isStandalone: false))</div>\n"
          case .bars(let plot): "<div>\(plot.svg(isStandalone: false))</div>\n"
          case .intervals(let plot): "<div>\(plot.svg(isStandalone: false))</div>\n"
          }
        }.joined() + "</div>\n"
    case .sample(let sample): sample.html
    }
  }
}

extension HTMLPage.Table {
  var html: String {
    func cells(_ texts: [String], _ tag: String) -> String {
      headings.indices.map { column in
        let text = column < texts.count ? texts[column] : ""
        let style = numberColumns.contains(column) ? " class=\"number\"" : ""
        return "<\(tag)\(style)>\(escaped(text))</\(tag)>"
      }.joined()
    }
    return
      "<div class=\"table\"><table>\n<thead><tr>\(cells(headings, "th"))</tr></thead>\n<tbody>\n"
      + rows.map { "<tr>\(cells($0, "td"))</tr>\n" }.joined() + "</tbody>\n</table></div>\n"
  }
}

extension HTMLPage.Sample {
  var html: String {
    var text = ""
    for part in thoughtsApart(self.text) {
      text +=
        part.isThinking
        ? "<span class=\"thinking\">\(escaped(part.text))</span>" : escaped(part.text)
    }
    return "<details\(isOpen ? " open" : "")><summary>\(escaped(title))</summary>\n"
      + "<pre class=\"prompt\">\(escaped(prompt))</pre>\n<pre>\(text)</pre></details>\n"
  }
}

/// The parts of a text a model wrote, told apart by `<think>` and `</think>`, which stay in them.
///
/// The first mark may be missing, since templates put it into the prompt, and so may the last where
/// the text was cut.
func thoughtsApart(_ text: String) -> [(text: String, isThinking: Bool)] {
  let bytes = Array(text.utf8)
  let open = Array("<think>".utf8)
  let close = Array("</think>".utf8)
  func find(_ mark: [UInt8], from start: Int) -> Int? {
    guard bytes.count >= mark.count, start <= bytes.count - mark.count else { return nil }
    return (start...bytes.count - mark.count).first { i in
      bytes[i] == mark[0] && bytes[i..<i + mark.count].elementsEqual(mark)
    }
  }
  var parts: [(text: String, isThinking: Bool)] = []
  func add(_ range: Range<Int>, _ isThinking: Bool) {
    if range.isEmpty { return }
    parts.append((String(decoding: bytes[range], as: UTF8.self), isThinking))
  }
  var position = 0
  if let end = find(close, from: 0), find(open, from: 0).map({ $0 > end }) ?? true {
    position = end + close.count
    add(0..<position, true)
  }
  while let start = find(open, from: position) {
    add(position..<start, false)
    let end = find(close, from: start).map { $0 + close.count } ?? bytes.count
    add(start..<end, true)
    position = end
  }
  add(position..<bytes.count, false)
  return parts
}
