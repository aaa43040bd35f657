/// The members of a JSON object, asked for by name and type.
///
/// Members that nobody asks for are not looked at. Where a type is wrong or a member is missing,
/// the error says where: `place` is the file and line.
public struct JSONMembers {
  public let object: JSONObject
  public let place: String

  public init(_ object: JSONObject, place: String) {
    self.object = object
    self.place = place
  }

  /// - Throws: `JSONMemberError` if the value is no object.
  public init(_ value: JSONValue, place: String) throws(JSONMemberError) {
    guard case .object(let object) = value else {
      throw JSONMemberError(place, "an object must stand there.")
    }
    self.init(object, place: place)
  }

  private func value(_ name: String) throws(JSONMemberError) -> JSONValue {
    guard let value = object[name] else {
      throw JSONMemberError(place, "there is no \(quoted(name)).")
    }
    return value
  }

  private func mistake(_ name: String, _ type: String) -> JSONMemberError {
    JSONMemberError(place, "\(quoted(name)) must be \(type).")
  }

  /// Whether there is such a member, and it is not null.
  public func has(_ name: String) -> Bool {
    switch object[name] {
    case nil, .null?: false
    default: true
    }
  }

  public func text(_ name: String) throws(JSONMemberError) -> String {
    guard case .string(let text) = try value(name) else { throw mistake(name, "a text") }
    return text
  }

  /// Nil where the member is missing or null.
  public func optionalText(_ name: String) throws(JSONMemberError) -> String? {
    has(name) ? try text(name) : nil
  }

  public func texts(_ name: String) throws(JSONMemberError) -> [String] {
    guard case .array(let values) = try value(name) else { throw mistake(name, "a list of texts") }
    var texts: [String] = []
    for value in values {
      guard case .string(let text) = value else { throw mistake(name, "a list of texts") }
      texts.append(text)
    }
    return texts
  }

  /// A whole number, 0 or above.
  public func count(_ name: String) throws(JSONMemberError) -> Int {
    guard case .number(let number) = try value(name), let count = number.int, count >= 0 else {
      throw mistake(name, "a whole number, 0 or above")
    }
    return count
  }

  /// Nil where the member is missing or null.
  public func optionalCount(_ name: String) throws(JSONMemberError) -> Int? {
    has(name) ? try count(name) : nil
  }

  public func number(_ name: String) throws(JSONMemberError) -> Double {
    guard case .number(let number) = try value(name), let double = number.double else {
      throw mistake(name, "a number")
    }
    return double
  }

  /// A whole number of 64 bits, such as a seed.
  public func bits(_ name: String) throws(JSONMemberError) -> UInt64 {
    guard case .number(let number) = try value(name), let bits = UInt64(number.text) else {
      throw mistake(name, "a whole number below 2^64")
    }
    return bits
  }

  public func choice<T: RawRepresentable<String>>(
    _ name: String, as type: T.Type
  ) throws(JSONMemberError) -> T {
    let word = try text(name)
    guard let choice = T(rawValue: word) else {
      throw JSONMemberError(place, "\(quoted(name)) is \(quoted(word)), which is not known.")
    }
    return choice
  }

  public func members(_ name: String) throws(JSONMemberError) -> JSONMembers {
    guard case .object(let object) = try value(name) else { throw mistake(name, "an object") }
    return JSONMembers(object, place: place)
  }
}

/// Why an object is not what was asked for: `file:line: what was found.`
public struct JSONMemberError: Error, Equatable, CustomStringConvertible {
  public let place: String
  public let message: String

  public var description: String { "\(place): \(message)" }

  init(_ place: String, _ message: String) {
    self.place = place
    self.message = message
  }
}

extension JSONObject {
  /// An object of the members that are not nil.
  public init(present members: [(key: String, value: JSONValue?)]) {
    self.init(members: members.compactMap { key, value in value.map { (key, $0) } })
  }
}
