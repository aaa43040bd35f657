/// One step through a JSON text.
public enum JSONToken: Equatable, Sendable {
  case beginObject, endObject, beginArray, endArray
  /// The key of a member, whose value comes next.
  case key(JSONText)
  case string(JSONText)
  /// The bytes of a number, which follow the grammar.
  case number(Range<Int>)
  case bool(Bool)
  case null
  /// The text is over, and was whole.
  case end
}

/// A string as it stands in the text, without its quotes: valid UTF-8 and valid escapes.
public struct JSONText: Equatable, Sendable {
  public let range: Range<Int>
  public let hasEscapes: Bool
}

/// Reads a JSON text token by token, by RFC 8259 and nothing more.
///
/// The grammar, UTF-8, escapes and the limits are checked here; keys that come twice are left to
/// whoever collects them. It neither recurses nor copies, so a reader that knows what it wants can
/// refuse a text of any size without building a tree.
///
/// The bytes belong to the caller and must outlive the reader.
public struct JSONTokens {
  private enum State { case value, firstElement, firstKey, afterValue, memberValue }

  /// The text.
  public let bytes: UnsafeRawBufferPointer
  /// The name of the text in errors, usually a file's path.
  public let source: String
  /// Where reading stands.
  public private(set) var position = 0
  /// How many halves of surrogate pairs the tokens so far hold, if the limits let them pass.
  public private(set) var replacedSurrogates = 0
  /// Where the last token began.
  public private(set) var tokenStart = 0

  private let limits: JSONLimits
  /// The containers that are open; true for an object.
  private var open: [Bool] = []
  private var state = State.value

  /// Starts at the beginning of `bytes`.
  ///
  /// - Throws: `JSONError` if the text is longer than the limit or begins with a byte order mark.
  public init(
    _ bytes: UnsafeRawBufferPointer, source: String, limits: JSONLimits = .default
  ) throws(JSONError) {
    self.bytes = bytes
    self.source = source
    self.limits = limits
    guard bytes.count <= limits.bytes else {
      throw JSONError(
        source: source, line: 1, column: 1,
        message: "the text has \(bytes.count) bytes; at most \(limits.bytes) are read.")
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw error(at: 0, "the text begins with a byte order mark. Save it as UTF-8 without one.")
    }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw error(at: 0, "the text is UTF-16. Save it as UTF-8.")
    }
  }

  /// The number of arrays and objects that are open.
  public var depth: Int { open.count }

  /// The next token; `end` once the text is over, and again after it.
  public mutating func next() throws(JSONError) -> JSONToken {
    skipWhitespace()
    switch state {
    case .value, .memberValue:
      return try value()
    case .firstElement:
      if peek == UInt8(ascii: "]") { return close(.endArray) }
      return try value()
    case .firstKey:
      if peek == UInt8(ascii: "}") { return close(.endObject) }
      return try key()
    case .afterValue:
      guard let inObject = open.last else {
        guard position == bytes.count else {
          throw unexpected("after the end of the JSON value")
        }
        tokenStart = position
        return .end
      }
      let closing = UInt8(ascii: inObject ? "}" : "]")
      if peek == closing { return close(inObject ? .endObject : .endArray) }
      guard peek == UInt8(ascii: ",") else {
        throw unexpected(inObject ? "where ',' or '}' must be" : "where ',' or ']' must be")
      }
      let comma = position
      position += 1
      skipWhitespace()
      if peek == closing {
        throw error(at: comma, "a comma before '\(inObject ? "}" : "]")'. Remove the comma.")
      }
      return inObject ? try key() : try value()
    }
  }

  /// The text's bytes at `range`; the part that is inside the text, if it is not all.
  public subscript(range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range.clamped(to: 0..<bytes.count)])
  }

  /// An error at a byte of the text.
  public func error(at offset: Int, _ message: String) -> JSONError {
    var line = 1
    var column = 1
    for byte in bytes.prefix(max(offset, 0)) {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return JSONError(source: source, line: line, column: column, message: message)
  }

  // MARK: Structure

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func close(_ token: JSONToken) -> JSONToken {
    tokenStart = position
    position += 1
    open.removeLast()
    state = .afterValue
    return token
  }

  private mutating func key() throws(JSONError) -> JSONToken {
    guard peek == UInt8(ascii: "\"") else {
      throw unexpected("where a key in double quotes must be")
    }
    tokenStart = position
    let text = try scanString()
    skipWhitespace()
    guard peek == UInt8(ascii: ":") else { throw unexpected("where ':' must be") }
    position += 1
    state = .memberValue
    return .key(text)
  }

  private mutating func value() throws(JSONError) -> JSONToken {
    tokenStart = position
    guard let byte = peek else { throw unexpected("where a value must be") }
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard open.count < limits.depth else {
        throw error(
          at: position, "arrays and objects inside one another deeper than \(limits.depth) levels.")
      }
      let isObject = byte == UInt8(ascii: "{")
      position += 1
      open.append(isObject)
      state = isObject ? .firstKey : .firstElement
      return isObject ? .beginObject : .beginArray
    case UInt8(ascii: "\""):
      let text = try scanString()
      state = .afterValue
      return .string(text)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      let range = try scanNumber()
      state = .afterValue
      return .number(range)
    default:
      let end = endOfWord(from: position)
      let word = self[position..<end]
      let token: JSONToken
      if word.elementsEqual("true".utf8) {
        token = .bool(true)
      } else if word.elementsEqual("false".utf8) {
        token = .bool(false)
      } else if word.elementsEqual("null".utf8) {
        token = .null
      } else {
        throw unexpected("where a value must be")
      }
      position = end
      state = .afterValue
      return token
    }
  }

  // MARK: Strings and numbers

  private mutating func scanString() throws(JSONError) -> JSONText {
    let quote = position
    var i = position + 1
    var hasEscapes = false
    while i < bytes.count {
      let byte = bytes[i]
      if byte == UInt8(ascii: "\"") {
        position = i + 1
        return JSONText(range: (quote + 1)..<i, hasEscapes: hasEscapes)
      } else if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        i = try endOfEscape(at: i)
      } else if byte < 0x20 {
        throw error(at: i, Self.controlCharacter(byte))
      } else if byte < 0x80 {
        i += 1
      } else {
        let length = lengthOfUTF8(at: i)
        guard length > 0 else {
          throw error(at: i, "byte \(hex(byte)) is not valid UTF-8 here. Save the text as UTF-8.")
        }
        i += length
      }
    }
    throw error(at: quote, "a string that is never closed. Add the double quote that is missing.")
  }

  private static func controlCharacter(_ byte: UInt8) -> String {
    switch byte {
    case 0x0A: "a line break inside a string. Write it as '\\n'."
    case 0x09: "a tab inside a string. Write it as '\\t'."
    case 0x0D: "a carriage return inside a string. Write it as '\\r'."
    default:
      "control character \(codePoint(UInt32(byte))) inside a string. "
        + "Write it as '\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))'."
    }
  }

  /// Checks the escape at `start`, with its second half if it is a surrogate pair.
  private mutating func endOfEscape(at start: Int) throws(JSONError) -> Int {
    guard start + 1 < bytes.count else {
      throw error(at: start, "the text ends inside an escape.")
    }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start + 2
    case UInt8(ascii: "u"):
      guard let unit = codeUnit(at: start) else {
        throw error(at: start, "'\\u' needs four hexadecimal digits after it.")
      }
      guard unit & 0xF800 == 0xD800 else { return start + 6 }
      guard unit < 0xDC00, let low = codeUnit(at: start + 6), low & 0xFC00 == 0xDC00 else {
        if limits.replacesLoneSurrogates {
          replacedSurrogates += 1
          return start + 6
        }
        let written = String(decoding: self[start..<(start + 6)], as: UTF8.self)
        throw error(
          at: start,
          "'\(written)' is half of a surrogate pair. Write the whole pair, or U+FFFD in its place.")
      }
      return start + 12
    default:
      throw error(
        at: start,
        "'\\\(excerpt(at: start + 1))' is not an escape of JSON. Write a backslash as '\\\\'.")
    }
  }

  /// The number after `\u` at `start`; nil if that is not there.
  private func codeUnit(at start: Int) -> UInt16? {
    guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"),
      bytes[start + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt16 = 0
    for i in (start + 2)..<(start + 6) {
      guard let digit = hexDigit(bytes[i]) else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  /// The length of the UTF-8 sequence at `i`, by table 3-7 of the Unicode standard; 0 if there is
  /// none.
  private func lengthOfUTF8(at i: Int) -> Int {
    func byte(_ k: Int) -> UInt8 { i + k < bytes.count ? bytes[i + k] : 0 }
    func continues(_ k: Int) -> Bool { byte(k) & 0xC0 == 0x80 }
    switch bytes[i] {
    case 0x00...0x7F: return 1
    case 0xC2...0xDF: return continues(1) ? 2 : 0
    case 0xE0: return (0xA0...0xBF).contains(byte(1)) && continues(2) ? 3 : 0
    case 0xED: return (0x80...0x9F).contains(byte(1)) && continues(2) ? 3 : 0
    case 0xE1...0xEF: return continues(1) && continues(2) ? 3 : 0
    case 0xF0: return (0x90...0xBF).contains(byte(1)) && continues(2) && continues(3) ? 4 : 0
    case 0xF1...0xF3: return continues(1) && continues(2) && continues(3) ? 4 : 0
    case 0xF4: return (0x80...0x8F).contains(byte(1)) && continues(2) && continues(3) ? 4 : 0
    default: return 0
    }
  }

  /// Reads a number: sign, whole part without leading zeros, fraction, exponent.
  private mutating func scanNumber() throws(JSONError) -> Range<Int> {
    let start = position
    let end = endOfWord(from: start)
    guard JSONNumber.isNumber(self[start..<end]) else {
      throw error(
        at: start,
        "'\(excerpt(at: start))' is not a JSON number. Write it like 12, -0.5 or 1e-6.")
    }
    position = end
    return start..<end
  }

  // MARK: Words of errors

  /// Where the run of letters, digits and signs at `start` ends.
  private func endOfWord(from start: Int) -> Int {
    var i = start
    while i < bytes.count {
      switch bytes[i] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
        UInt8(ascii: "-"), UInt8(ascii: "."):
        i += 1
      default: return i
      }
    }
    return i
  }

  /// The word or character at `start`, short enough for a sentence.
  private func excerpt(at start: Int) -> String {
    let end = endOfWord(from: start)
    if end > start {
      let word = String(decoding: self[start..<min(end, start + 32)], as: UTF8.self)
      return end > start + 32 ? word + "…" : word
    }
    guard start < bytes.count else { return "" }
    let length = lengthOfUTF8(at: start)
    guard length > 0 else { return "byte " + hex(bytes[start]) }
    let character = String(decoding: self[start..<(start + length)], as: UTF8.self)
    guard let scalar = character.unicodeScalars.first, isUnprintable(scalar) else {
      return character
    }
    return codePoint(scalar.value)
  }

  /// What stands at `position` instead of what the grammar needs there.
  private func unexpected(_ place: String) -> JSONError {
    guard position < bytes.count else {
      return error(at: position, "the text ends \(place).")
    }
    let found = excerpt(at: position)
    switch found {
    case "NaN", "Infinity":
      return error(at: position, "'\(found)' is not a JSON value. Write null or a finite number.")
    case "True", "False": return instead(found, found.lowercased())
    case "None", "undefined": return instead(found, "null")
    case "/", "#":
      return error(at: position, "'\(found)' \(place). JSON has no comments; remove them.")
    case "'":
      return error(at: position, "a single quote \(place). JSON has double quotes only.")
    default:
      return error(at: position, "'\(found)' \(place).")
    }
  }

  private func instead(_ found: String, _ right: String) -> JSONError {
    error(at: position, "'\(found)' is not a JSON value. Write '\(right)'.")
  }
}

func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

private func hex(_ byte: UInt8) -> String {
  "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}

private func codePoint(_ value: UInt32) -> String {
  let digits = String(value, radix: 16, uppercase: true)
  return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
