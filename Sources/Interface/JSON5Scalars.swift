extension JSON5Scanner {
  /// A text in double or single quotes.
  mutating func string() throws -> String {
    let start = position
    let quote = peek()
    position += 1
    var string = String.UnicodeScalarView()
    while let scalar = peek(), scalar != "\n", scalar != "\r" {
      position += 1
      if scalar == quote { return String(string) }
      if scalar == "\\" {
        if let escaped = try escape() { string.append(escaped) }
      } else {
        string.append(scalar)
      }
    }
    let mark = quote == "'" ? "'" : "\""
    throw finding("the text that begins here is not closed; add \(mark) in its line", at: start)
  }

  /// What stands after a backslash; nothing if that continues the text in the next line.
  private mutating func escape() throws -> Unicode.Scalar? {
    let start = position - 1
    guard let scalar = peek() else { return nil }
    position += 1
    switch scalar {
    case "b": return "\u{08}"
    case "f": return "\u{0C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "v": return "\u{0B}"
    case "x": return Unicode.Scalar(UInt8(truncatingIfNeeded: try hexadecimal(2, from: start)))
    case "u": return try unicodeEscape()
    case "\r":
      _ = take("\n")
      return nil
    case "\n", "\u{2028}", "\u{2029}": return nil
    case "0":
      guard let next = peek(), ("0"..."9").contains(next) else { return "\0" }
      throw finding("there is no escape '\\0\(next)'", at: start)
    case "1"..."9": throw finding("there is no escape '\\\(scalar)'", at: start)
    default: return scalar
    }
  }

  /// The character of an escape whose 'u' was read: four digits, or eight in two halves.
  mutating func unicodeEscape() throws -> Unicode.Scalar {
    let start = position - 2
    let unit = try hexadecimal(4, from: start)
    if let scalar = Unicode.Scalar(unit) { return scalar }
    if unit < 0xDC00, take("\\"), take("u") {
      let low = try hexadecimal(4, from: position - 2)
      if (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      {
        return scalar
      }
    }
    throw finding("this escape is half of a character; write both halves, or none", at: start)
  }

  private mutating func hexadecimal(_ count: Int, from start: Int) throws -> UInt32 {
    var digits = ""
    while digits.count < count, let scalar = peek(), Character(scalar).isHexDigit, scalar.isASCII {
      digits.unicodeScalars.append(scalar)
      position += 1
    }
    guard digits.count == count, let unit = UInt32(digits, radix: 16) else {
      throw finding("this escape needs \(count) digits from 0 to f", at: start)
    }
    return unit
  }
}

/// A number as JSON5 writes it, brought to one plain form.
enum JSON5Number: Equatable {
  /// Decimal digits: a whole number as such, any other the shortest form of its `Double`.
  case plain(String)
  case tooLarge
  case tooSmall
  case notFinite

  /// Nil if `written` is no number.
  init?(_ written: String) {
    var rest = Substring(written)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    let sign = isNegative ? "-" : ""
    if rest == "Infinity" || rest == "NaN" {
      self = .notFinite
    } else if rest.hasPrefix("0x") || rest.hasPrefix("0X") {
      let digits = rest.dropFirst(2)
      guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
      guard let value = UInt64(digits, radix: 16) else {
        self = .tooLarge
        return
      }
      self = .plain(value == 0 ? "0" : "\(sign)\(value)")
    } else {
      self.init(sign: sign, decimal: rest)
    }
  }

  private init?(sign: String, decimal: Substring) {
    var rest = decimal
    func digits() -> Substring { rest.prefix { $0.isASCII && $0.isNumber } }
    let whole = digits()
    rest.removeFirst(whole.count)
    var fraction: Substring = ""
    if rest.first == "." {
      rest.removeFirst()
      fraction = digits()
      rest.removeFirst(fraction.count)
    }
    guard !(whole.isEmpty && fraction.isEmpty), !(whole.count > 1 && whole.first == "0") else {
      return nil
    }
    var exponent = ""
    if rest.first == "e" || rest.first == "E" {
      rest.removeFirst()
      if rest.first == "-" { exponent = "-" }
      if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
      let written = digits()
      guard !written.isEmpty else { return nil }
      rest.removeFirst(written.count)
      exponent += written
    }
    guard rest.isEmpty else { return nil }

    if fraction.isEmpty, exponent.isEmpty, let value = UInt64(whole) {
      self = .plain(value == 0 ? "0" : "\(sign)\(value)")
      return
    }
    let text = "\(sign)\(whole.isEmpty ? "0" : whole).\(fraction.isEmpty ? "0" : fraction)"
    guard let value = Double(exponent.isEmpty ? text : "\(text)e\(exponent)") else { return nil }
    let isZero = (whole + fraction).allSatisfy { $0 == "0" }
    if !value.isFinite {
      self = .tooLarge
    } else if value == 0, !isZero {
      self = .tooSmall
    } else if let integer = Int64(exactly: value) {
      self = .plain("\(integer)")  // 1e3 is a whole number too
    } else {
      self = .plain("\(value)")
    }
  }
}
