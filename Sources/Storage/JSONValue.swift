/// A JSON document as a tree, with object members in the order of the file.
///
/// Keys and strings are compared by their bytes where it matters: `JSONObject` looks members up
/// by UTF-8, because `String` calls two normal forms of the same text equal.
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Equal with the same bytes: strings in different normal forms are not.
  public static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    default: false
    }
  }
}

/// A JSON number, kept as it was written, so that no digit is lost before its type is known.
public struct JSONNumber: Equatable, Sendable {
  public let text: String

  /// A number from its text, which must follow the grammar of JSON.
  public init(text: String) { self.text = text }
  public init(_ value: Int) { text = String(value) }
  /// The shortest text that reads back as the same `Double`; nil if it is not finite.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    text = "\(value)"
  }

  /// The value, if it is written as an integer that `Int` can hold; `1.0` and `1e3` are not.
  public var int: Int? { Int(text) }
  /// The nearest `Double`; nil if that is not finite.
  public var double: Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }

  /// Whether the bytes are a number by the grammar of RFC 8259.
  static func isNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var i = 0
    func skipDigits() -> Int {
      let start = i
      while i < bytes.count, (0x30...0x39).contains(bytes[i]) { i += 1 }
      return i - start
    }
    func skip(_ choices: String) -> Bool {
      guard i < bytes.count, choices.utf8.contains(bytes[i]) else { return false }
      i += 1
      return true
    }
    _ = skip("-")
    let wholeStart = i
    let wholeCount = skipDigits()
    guard wholeCount == 1 || (wholeCount > 1 && bytes[wholeStart] != 0x30) else { return false }
    if skip("."), skipDigits() == 0 { return false }
    if skip("eE") {
      _ = skip("+-")
      if skipDigits() == 0 { return false }
    }
    return i == bytes.count
  }
}

/// The members of a JSON object, in the order of the file.
public struct JSONObject: Equatable, Sendable {
  public private(set) var members: [(key: String, value: JSONValue)]

  public init(members: [(key: String, value: JSONValue)]) { self.members = members }

  public subscript(key: String) -> JSONValue? {
    members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  public static func == (a: JSONObject, b: JSONObject) -> Bool {
    a.members.count == b.members.count
      && zip(a.members, b.members).allSatisfy {
        $0.key.utf8.elementsEqual($1.key.utf8) && $0.value == $1.value
      }
  }
}
