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
}

/// A JSON number, kept as it was written, so that no digit is lost before its type is known.
public struct JSONNumber: Equatable, Sendable {
  public let text: String

  public init(text: String) { self.text = text }

  /// The value, if it is written as an integer that `Int` can hold; `1.0` and `1e3` are not.
  public var int: Int? { Int(text) }
  /// The nearest `Double`; nil if that is not finite.
  public var double: Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }
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
