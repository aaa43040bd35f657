/// What an operation of a pickle makes. Containers know where their contents are.
enum PickleObject {
  case none
  case bool(Bool)
  case integer(String)
  case float(Double)
  case text(String)
  case bytes([UInt8])
  case list(Int)
  case tuple(Int)
  /// Keys, which are texts, and values take turns in its contents.
  case dictionary(Int)
}

/// The objects of a pickle that was read, as a tree: what is in several places is copied to each.
struct PickleTree {
  let objects: [PickleObject]
  /// The numbers of the objects that containers hold.
  let contents: [[Int]]
  let source: String
  let limits: PickleLimits
  private var valueCount = 0
  private var textBytes = 0

  init(objects: [PickleObject], contents: [[Int]], source: String, limits: PickleLimits) {
    self.objects = objects
    self.contents = contents
    self.source = source
    self.limits = limits
  }

  /// An object with what it holds; `depth` containers are around it.
  mutating func value(of object: Int, depth: Int = 0) throws(PickleError) -> PickleValue {
    valueCount += 1
    guard valueCount <= limits.values else { throw .tooManyValues(source, limits) }
    switch objects[object] {
    case .none: return .null
    case .bool(let value): return .bool(value)
    case .integer(let digits):
      try countText(digits.utf8.count)
      return .integer(digits)
    case .float(let value): return .float(value)
    case .text(let text):
      try countText(text.utf8.count)
      return .text(text)
    case .bytes(let bytes):
      try countText(bytes.count)
      return .bytes(bytes)
    case .list(let container): return .list(try values(of: container, depth: depth))
    case .tuple(let container): return .tuple(try values(of: container, depth: depth))
    case .dictionary(let container): return try dictionary(container, depth: depth)
    }
  }

  private mutating func values(
    of container: Int, depth: Int
  ) throws(PickleError) -> [PickleValue] {
    guard depth < limits.depth else {
      throw PickleError(source, "the pickle's values are nested deeper than \(limits.depth).")
    }
    var values: [PickleValue] = []
    for object in contents[container] { values.append(try value(of: object, depth: depth + 1)) }
    return values
  }

  private mutating func dictionary(
    _ container: Int, depth: Int
  ) throws(PickleError) -> PickleValue {
    var pairs: [(key: String, value: PickleValue)] = []
    var keys: Set<[UInt8]> = []
    var key: String?
    for value in try values(of: container, depth: depth) {
      if let text = key {
        pairs.append((text, value))
        key = nil
      } else if case .text(let text) = value {
        guard keys.insert(Array(text.utf8)).inserted else {
          throw PickleError(
            source,
            "the pickle has key \(quoted(text)) a second time in one dictionary. Keep one of them.")
        }
        key = text
      }
    }
    return .dictionary(pairs)
  }

  private mutating func countText(_ count: Int) throws(PickleError) {
    textBytes += count
    guard textBytes <= limits.bytes else {
      throw PickleError(
        source, "the pickle's texts have more than \(limits.bytes) bytes together.")
    }
  }
}
