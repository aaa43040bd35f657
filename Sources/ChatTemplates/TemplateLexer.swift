/// A piece of a template's text.
struct TemplateToken {
  enum Kind: UInt8 {
    case data, outputBegin, outputEnd, blockBegin, blockEnd
    case name, string, integer, float, symbol, end
  }

  let kind: Kind
  /// Where it is in the lexer's source.
  let range: Range<Int>
  let line: Int
}

/// Cuts a template into tokens as Jinja does, with `trim_blocks` and `lstrip_blocks`.
///
/// Follows `jinja2/lexer.py` of Jinja 3.1: `-` beside a tag takes all white space there, `+`
/// keeps it; otherwise a block takes the white space before it on its line, and one line feed
/// after it. One line feed at the end of the template is dropped.
struct TemplateLexer {
  /// The template with line feeds only.
  private(set) var source: TemplateText
  private(set) var tokens: [TemplateToken] = []
  private(set) var line = 1
  private var position = 0
  /// Whether the last match ended in a line feed, or there was none.
  private var isLineStart = true
  private var brackets: [UInt8] = []

  /// Makes a lexer; `cut` does the work, so that its errors have a line.
  init(_ text: [UInt8]) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      if text[i] == 0x0D {
        bytes.append(0x0A)
        if i + 1 < text.count, text[i + 1] == 0x0A { i += 1 }
      } else {
        bytes.append(text[i])
      }
      i += 1
    }
    if bytes.last == 0x0A { bytes.removeLast() }
    source = TemplateText(bytes)
  }

  private func byte(_ i: Int) -> UInt8 { i < source.bytes.count ? source.bytes[i] : 0 }

  private func starts(_ word: String, at i: Int) -> Bool {
    i + word.utf8.count <= source.count
      && source.bytes[i..<i + word.utf8.count].elementsEqual(word.utf8)
  }

  private func endOfWhitespace(from start: Int) -> Int {
    var i = start
    while i < source.count, source.isWhitespace(at: i) { i = source.endOfScalar(at: i) }
    return i
  }

  private mutating func add(_ kind: TemplateToken.Kind, _ range: Range<Int>) {
    tokens.append(TemplateToken(kind: kind, range: range, line: line))
  }

  /// Goes on to a byte, counting lines.
  private mutating func advance(to end: Int) {
    guard end > position else { return }
    for byte in source.bytes[position..<end] where byte == 0x0A { line += 1 }
    isLineStart = source.bytes[end - 1] == 0x0A
    position = end
  }

  /// Cuts the whole template.
  mutating func cut() throws {
    while position < source.count {
      var i = position
      while i + 1 < source.count,
        source.bytes[i] != 0x7B || ![0x7B, 0x25, 0x23].contains(source.bytes[i + 1])
      {
        i += 1
      }
      guard i + 1 < source.count else {
        add(.data, position..<source.count)
        advance(to: source.count)
        break
      }
      try cutTag(at: i)
    }
    add(.end, source.count..<source.count)
  }

  private mutating func cutTag(at start: Int) throws {
    let opening = byte(start + 1)
    let sign = byte(start + 2)
    let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
    addData(upTo: start, sign: hasSign ? sign : 0, isOutput: opening == 0x7B)
    advance(to: start + (hasSign ? 3 : 2))
    switch opening {
    case UInt8(ascii: "#"): try skipComment()
    case UInt8(ascii: "{"):
      add(.outputBegin, start..<position)
      try cutInside(closing: "}}")
    default:
      if try cutRaw() { return }
      add(.blockBegin, start..<position)
      try cutInside(closing: "%}")
    }
  }

  /// Adds the text before a tag, without the white space that the tag takes.
  private mutating func addData(upTo end: Int, sign: UInt8, isOutput: Bool) {
    var last = end
    if sign == UInt8(ascii: "-") {
      while last > position {
        let start = source.startOfScalar(before: last)
        guard source.isWhitespace(at: start) else { break }
        last = start
      }
    } else if sign == 0, !isOutput {
      var lineStart = end
      while lineStart > position, byte(lineStart - 1) != 0x0A { lineStart -= 1 }
      if lineStart > position || isLineStart, endOfWhitespace(from: lineStart) >= end {
        last = lineStart
      }
    }
    if last > position { add(.data, position..<last) }
    advance(to: end)
  }

  private mutating func skipComment() throws {
    var i = position
    while i < source.count, !(byte(i) == UInt8(ascii: "#") && byte(i + 1) == UInt8(ascii: "}")) {
      i += 1
    }
    guard i < source.count else { throw TemplateFault.syntax("a comment that has no '#}'.") }
    advance(to: endOfClosing(at: i, after: position))
  }

  /// Where a tag ends whose `#}` or `%}` is at `i`, with the white space it takes.
  private func endOfClosing(at i: Int, after start: Int) -> Int {
    let end = i + 2
    guard i > start else { return byte(end) == 0x0A ? end + 1 : end }
    switch byte(i - 1) {
    case UInt8(ascii: "-"): return endOfWhitespace(from: end)
    case UInt8(ascii: "+"): return end
    default: return byte(end) == 0x0A ? end + 1 : end
    }
  }

  /// Takes a whole raw block, if one begins here after `{%`.
  private mutating func cutRaw() throws -> Bool {
    var i = endOfWhitespace(from: position)
    guard starts("raw", at: i) else { return false }
    i = endOfWhitespace(from: i + 3)
    if starts("-%}", at: i) {
      i = endOfWhitespace(from: i + 3)
    } else if starts("%}", at: i) {
      i += 2
    } else {
      return false
    }
    advance(to: i)
    var search = position
    while search + 1 < source.count {
      defer { search += 1 }
      guard byte(search) == 0x7B, byte(search + 1) == 0x25 else { continue }
      var end = search + 2
      let sign = byte(end)
      let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
      if hasSign { end += 1 }
      end = endOfWhitespace(from: end)
      guard starts("endraw", at: end) else { continue }
      end = endOfWhitespace(from: end + 6)
      let closing = byte(end) == UInt8(ascii: "-") || byte(end) == UInt8(ascii: "+") ? end + 1 : end
      guard starts("%}", at: closing) else { continue }
      addData(upTo: search, sign: hasSign ? sign : 0, isOutput: false)
      advance(to: endOfClosing(at: closing, after: end))
      return true
    }
    throw TemplateFault.syntax("a 'raw' block that has no 'endraw'.")
  }

  // MARK: Inside a tag

  private mutating func cutInside(closing: String) throws {
    let isBlock = closing == "%}"
    brackets = []
    while position < source.count {
      if brackets.isEmpty, let end = endOfTag(closing) {
        add(isBlock ? .blockEnd : .outputEnd, position..<end)
        advance(to: end)
        return
      }
      let space = endOfWhitespace(from: position)
      if space > position {
        advance(to: space)
        continue
      }
      let first = byte(position)
      switch first {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let (kind, end) = endOfNumber(from: position)
        add(kind, position..<end)
        advance(to: end)
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"):
        var end = position
        while isNameByte(byte(end)) { end += 1 }
        add(.name, position..<end)
        advance(to: end)
      case UInt8(ascii: "'"), UInt8(ascii: "\""):
        var end = position + 1
        while end < source.count, byte(end) != first {
          end += byte(end) == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < source.count else {
          throw TemplateFault.syntax(
            "a string that is never closed. Add the quote that is missing.")
        }
        add(.string, position..<end + 1)
        advance(to: end + 1)
      default: try cutSymbol()
      }
    }
    throw TemplateFault.syntax("a tag that has no '\(closing)'.")
  }

  private func isNameByte(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
  }

  private func endOfTag(_ closing: String) -> Int? {
    if starts("-" + closing, at: position) { return endOfWhitespace(from: position + 3) }
    if closing == "%}" {
      if starts("+%}", at: position) { return position + 3 }
      if starts("%}", at: position) {
        return byte(position + 2) == 0x0A ? position + 3 : position + 2
      }
      return nil
    }
    return starts(closing, at: position) ? position + 2 : nil
  }

  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
  ]

  private mutating func cutSymbol() throws {
    guard let symbol = Self.symbols.first(where: { starts($0, at: position) }) else {
      throw TemplateFault.syntax(
        "'\(source.scalar(at: position))' where an expression is read. Names are of ASCII letters, "
          + "digits and '_'.")
    }
    switch symbol {
    case "(": brackets.append(UInt8(ascii: ")"))
    case "[": brackets.append(UInt8(ascii: "]"))
    case "{": brackets.append(UInt8(ascii: "}"))
    case ")", "]", "}":
      guard brackets.popLast() == byte(position) else {
        throw TemplateFault.syntax("'\(symbol)' closes no bracket of its kind.")
      }
    default: break
    }
    add(.symbol, position..<position + symbol.utf8.count)
    advance(to: position + symbol.utf8.count)
  }

  /// Where a number ends, which may have `_` between its digits.
  private func endOfNumber(from start: Int) -> (TemplateToken.Kind, Int) {
    func digits(from i: Int, _ isDigit: (UInt8) -> Bool, afterPrefix: Bool = false) -> Int {
      var i = i
      while true {
        if isDigit(byte(i)) {
          i += 1
        } else if byte(i) == UInt8(ascii: "_"), isDigit(byte(i + 1)), afterPrefix || i > start {
          i += 2
        } else {
          return i
        }
      }
    }
    func isDecimal(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let whole = digits(from: start, isDecimal)
    if start == 0 || byte(start - 1) != UInt8(ascii: ".") {
      var end = whole
      if byte(end) == UInt8(ascii: "."), isDecimal(byte(end + 1)) {
        end = digits(from: end + 1, isDecimal)
      }
      var exponent = end
      if byte(exponent) | 0x20 == UInt8(ascii: "e") {
        exponent += 1
        if [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(byte(exponent)) { exponent += 1 }
        if isDecimal(byte(exponent)) { end = digits(from: exponent, isDecimal) }
      }
      if end > whole { return (.float, end) }
    }
    guard byte(start) == 0x30 else { return (.integer, whole) }
    let isDigit: ((UInt8) -> Bool)? =
      switch byte(start + 1) | 0x20 {
      case UInt8(ascii: "b"): { $0 == 0x30 || $0 == 0x31 }
      case UInt8(ascii: "o"): { (0x30...0x37).contains($0) }
      case UInt8(ascii: "x"):
        { isDecimal($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20) }
      default: nil
      }
    if let isDigit {
      let end = digits(from: start + 2, isDigit, afterPrefix: true)
      if end > start + 2 { return (.integer, end) }
    }
    return (.integer, digits(from: start + 1) { $0 == 0x30 })
  }
}
