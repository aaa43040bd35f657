import Foundation

extension JSONValue {
  /// Reads a whole JSON text, by RFC 8259 and nothing more, in UTF-8.
  ///
  /// Refused are, besides what the grammar refuses: two equal keys in an object (compared by their
  /// bytes), byte order marks, invalid UTF-8, halves of surrogate pairs, and more than the limits.
  /// The stack it needs does not depend on the text.
  ///
  /// - Parameters:
  ///   - bytes: The text.
  ///   - source: The name of the text in errors, usually a file's path.
  /// - Throws: `JSONError`, which says where the text is wrong.
  public init(
    parsing bytes: UnsafeRawBufferPointer, source: String, limits: JSONLimits = .default
  ) throws(JSONError) {
    var tokens = try JSONTokens(bytes, source: source, limits: limits)
    try self.init(reading: &tokens)
    _ = try tokens.next()
  }

  /// Reads the value that comes next in a text, and leaves the reader behind it.
  ///
  /// - Throws: `JSONError`, also where the text is over or an array or object ends instead.
  public init(reading tokens: inout JSONTokens) throws(JSONError) {
    var open: [Container] = []
    while true {
      var value: JSONValue
      switch try tokens.next() {
      case .beginObject:
        open.append(Container(isObject: true))
        continue
      case .beginArray:
        open.append(Container(isObject: false))
        continue
      case .endObject where open.isEmpty, .endArray where open.isEmpty, .key where open.isEmpty:
        throw tokens.error(at: tokens.tokenStart, "no value where one must be.")
      case .key(let text):
        let key = tokens.string(text)
        guard open[open.count - 1].addKey(key) else {
          throw tokens.error(
            at: tokens.tokenStart,
            "key \(quoted(key)) a second time in one object. Keep one of them.")
        }
        continue
      case .endObject: value = .object(JSONObject(members: open.removeLast().members))
      case .endArray: value = .array(open.removeLast().elements)
      case .string(let text): value = .string(tokens.string(text))
      case .number(let range):
        value = .number(JSONNumber(text: String(decoding: tokens[range], as: UTF8.self)))
      case .bool(let bool): value = .bool(bool)
      case .null: value = .null
      case .end:
        // The reader reports the end only after a value, which was returned by then.
        throw tokens.error(at: tokens.position, "the text ends where a value must be.")
      }
      if open.isEmpty {
        self = value
        return
      }
      open[open.count - 1].add(value)
    }
  }

  /// Reads a whole JSON text; see `init(parsing:source:limits:)` of a raw buffer.
  public init(
    parsing data: Data, source: String, limits: JSONLimits = .default
  ) throws(JSONError) {
    let result: Result<JSONValue, JSONError> = data.withUnsafeBytes {
      bytes in JSONValue.result(parsing: bytes, source: source, limits: limits)
    }
    self = try result.get()
  }

  /// Reads a whole JSON text; see `init(parsing:source:limits:)` of a raw buffer.
  public init(
    parsing bytes: [UInt8], source: String, limits: JSONLimits = .default
  ) throws(JSONError) {
    let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes {
      bytes in JSONValue.result(parsing: bytes, source: source, limits: limits)
    }
    self = try result.get()
  }

  private static func result(
    parsing bytes: UnsafeRawBufferPointer, source: String, limits: JSONLimits
  ) -> Result<JSONValue, JSONError> {
    do throws(JSONError) {
      return .success(try JSONValue(parsing: bytes, source: source, limits: limits))
    } catch {
      return .failure(error)
    }
  }
}

/// An array or object whose end has not been read.
private struct Container {
  let isObject: Bool
  var elements: [JSONValue] = []
  var members: [(key: String, value: JSONValue)] = []
  private var key = ""
  /// The keys so far, once there are too many to compare one by one.
  private var keys: Set<KeyBytes> = []

  private static let longestScan = 16

  init(isObject: Bool) { self.isObject = isObject }

  /// Takes the key of the next value; false if the object has it already.
  mutating func addKey(_ key: String) -> Bool {
    self.key = key
    if members.count < Self.longestScan {
      return !members.contains { $0.key.utf8.elementsEqual(key.utf8) }
    }
    if keys.isEmpty { keys = Set(members.map { KeyBytes(key: $0.key) }) }
    return keys.insert(KeyBytes(key: key)).inserted
  }

  mutating func add(_ value: JSONValue) {
    if isObject { members.append((key, value)) } else { elements.append(value) }
  }
}

/// A key that equals another only if it has the same bytes, whatever Unicode calls equal.
private struct KeyBytes: Hashable {
  let key: String

  static func == (a: KeyBytes, b: KeyBytes) -> Bool { a.key.utf8.elementsEqual(b.key.utf8) }

  func hash(into hasher: inout Hasher) {
    var key = key
    key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension JSONTokens {
  /// The string that a token stands for, with its escapes replaced.
  public func string(_ text: JSONText) -> String {
    let raw = self[text.range]
    guard text.hasEscapes else { return String(decoding: raw, as: UTF8.self) }
    var units: [UInt8] = []
    units.reserveCapacity(raw.count)
    var i = 0
    func codeUnit(_ start: Int) -> UInt32 {
      var unit: UInt32 = 0
      for k in start..<min(start + 4, raw.count) {
        unit = unit << 4 | UInt32(hexDigit(raw[k]) ?? 0)
      }
      return unit
    }
    while i < raw.count {
      guard raw[i] == UInt8(ascii: "\\"), i + 1 < raw.count else {
        units.append(raw[i])
        i += 1
        continue
      }
      let letter = raw[i + 1]
      i += 2
      switch letter {
      case UInt8(ascii: "b"): units.append(0x08)
      case UInt8(ascii: "f"): units.append(0x0C)
      case UInt8(ascii: "n"): units.append(0x0A)
      case UInt8(ascii: "r"): units.append(0x0D)
      case UInt8(ascii: "t"): units.append(0x09)
      case UInt8(ascii: "u"):
        var value = codeUnit(i)
        i += 4
        if value & 0xFC00 == 0xD800, i + 6 <= raw.count, raw[i] == UInt8(ascii: "\\"),
          raw[i + 1] == UInt8(ascii: "u"), codeUnit(i + 2) & 0xFC00 == 0xDC00
        {
          value = 0x10000 + ((value & 0x3FF) << 10 | codeUnit(i + 2) & 0x3FF)
          i += 6
        }
        units.append(contentsOf: String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
      default: units.append(letter)
      }
    }
    return String(decoding: units, as: UTF8.self)
  }
}
