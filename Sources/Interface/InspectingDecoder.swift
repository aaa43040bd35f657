/// Decodes a type from a recipe for `Inspection`, which is told of every key that is asked for.
struct InspectingDecoder: Decoder {
  let inspection: Inspection
  /// Nil: a stand-in, in which all numbers are 0, all texts and lists empty.
  let value: RecipeValue?
  let path: [String]
  /// The path of the value whose `init(from:)` this decoder was made for.
  let owner: [String]

  var codingPath: [any CodingKey] { path.map(PathKey.init) }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    var object: RecipeObject?
    if let value {
      guard case .object(let content) = value.content else { throw mismatch([String: Int].self) }
      object = content
      inspection.visit(content, value.place, at: path, owner: owner)
    }
    return KeyedDecodingContainer(InspectingKeyedContainer(decoder: self, object: object))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard let value else { return InspectingUnkeyedContainer(decoder: self, elements: []) }
    guard case .list(let elements) = value.content else { throw mismatch([Int].self) }
    return InspectingUnkeyedContainer(decoder: self, elements: elements)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    InspectingSingleValueContainer(decoder: self)
  }

  func child(_ key: String, _ value: RecipeValue?) -> InspectingDecoder {
    InspectingDecoder(inspection: inspection, value: value, path: path + [key], owner: owner)
  }

  func mismatch(_ type: Any.Type) -> DecodingError {
    .typeMismatch(type, .init(codingPath: codingPath, debugDescription: ""))
  }
}

/// A part of a path: a member's name or an element's number.
private struct PathKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

private struct InspectingKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: InspectingDecoder
  /// Nil in a stand-in.
  let object: RecipeObject?

  var codingPath: [any CodingKey] { decoder.codingPath }
  var allKeys: [Key] { object?.members.compactMap { Key(stringValue: $0.key) } ?? [] }

  func contains(_ key: Key) -> Bool { member(key) != nil }

  func decodeNil(forKey key: Key) -> Bool { member(key).map { $0.content == .null } ?? true }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    let value = member(key)
    if value == nil, object != nil {
      decoder.inspection.miss(key.stringValue, at: decoder.path)
    }
    return try decoder.inspection.read(type, value, at: decoder.path + [key.stringValue])
  }

  func nestedContainer<Nested>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try superDecoder(forKey: key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try superDecoder(forKey: key).unkeyedContainer()
  }

  func superDecoder() -> any Decoder {
    decoder.inspection.ask(for: "super", at: decoder.path)
    return decoder.child("super", object?.member("super")?.value)
  }

  func superDecoder(forKey key: Key) -> any Decoder {
    let value = member(key)
    if value == nil, object != nil {
      decoder.inspection.miss(key.stringValue, at: decoder.path)
    }
    return decoder.child(key.stringValue, value)
  }

  private func member(_ key: Key) -> RecipeValue? {
    decoder.inspection.ask(for: key.stringValue, at: decoder.path)
    return object?.member(key.stringValue)?.value
  }
}

private struct InspectingUnkeyedContainer: UnkeyedDecodingContainer {
  let decoder: InspectingDecoder
  let elements: [RecipeValue]
  var currentIndex = 0

  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, elements[currentIndex].content == .null else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let (value, path) = try next()
    return try decoder.inspection.read(type, value, at: path)
  }

  mutating func nestedContainer<Nested>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try superDecoder().container(keyedBy: type)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try superDecoder().unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder {
    let index = currentIndex
    let (value, _) = try next()
    return decoder.child("\(index)", value)
  }

  private mutating func next() throws -> (value: RecipeValue?, path: [String]) {
    let path = decoder.path + ["\(currentIndex)"]
    if decoder.value == nil { return (nil, path) }
    guard !isAtEnd else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "has \(elements.count) elements, which is too few"))
    }
    defer { currentIndex += 1 }
    return (elements[currentIndex], path)
  }
}

private struct InspectingSingleValueContainer: SingleValueDecodingContainer {
  let decoder: InspectingDecoder

  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.value.map { $0.content == .null } ?? true }

  /// Throws where the others carry on: a type may try one after the other.
  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    if let plain = type as? any Plain.Type, let value = decoder.value {
      guard let result = plain.init(written: value) as? T else { throw decoder.mismatch(type) }
      return result
    }
    return try decoder.inspection.read(type, decoder.value, at: decoder.path)
  }
}
