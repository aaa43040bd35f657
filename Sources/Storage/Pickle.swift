/// What a Python pickle holds, where that is plain data.
///
/// A pickle is a program for a small machine of Python, and loading one there can run anything. Here
/// the operations that make numbers, texts, bytes, lists, tuples and dictionaries are followed, those
/// of protocols 0 to 5; every other one is refused by its name, and nothing is ever run.
public enum PickleValue: Sendable {
  /// Python's `None`.
  case null
  case bool(Bool)
  /// In decimal digits, with a sign if it is negative.
  case integer(String)
  case float(Double)
  case text(String)
  case bytes([UInt8])
  case list([PickleValue])
  case tuple([PickleValue])
  /// In the order of the pickle. No two keys have the same bytes; other keys than texts are refused.
  case dictionary([(key: String, value: PickleValue)])

  /// Reads a whole pickle.
  ///
  /// Refused are, besides what makes more than plain data: two equal keys in a dictionary, halves of
  /// surrogate pairs, texts of Python 2 that are not ASCII, bytes or values that are left over, and
  /// more than the limits. What a pickle holds in several places is copied to each, so that a list
  /// that holds itself has no end and is refused for its depth.
  ///
  /// - Parameters:
  ///   - bytes: The pickle.
  ///   - source: Where it is from, for errors.
  /// - Throws: `PickleError`, which says at which byte: from 0, as Python's `pickletools` counts.
  public init(
    parsing bytes: UnsafeRawBufferPointer, source: String, limits: PickleLimits = .default
  ) throws(PickleError) {
    var reader = PickleReader(bytes, source: source, limits: limits)
    self = try reader.value()
  }

  /// The same value in JSON, where tuples are arrays.
  ///
  /// - Parameter source: Where the pickle is from, for errors.
  /// - Throws: `PickleError` for bytes, and for numbers that are not finite.
  public func json(source: String) throws(PickleError) -> JSONValue {
    switch self {
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .integer(let digits): return .number(JSONNumber(text: digits))
    case .float(let value):
      guard let number = JSONNumber(value) else {
        throw PickleError(source, "the pickle holds \(value), which JSON has no number for.")
      }
      return .number(number)
    case .text(let text): return .string(text)
    case .bytes:
      throw PickleError(source, "the pickle holds bytes, which JSON has no form for.")
    case .list(let values), .tuple(let values):
      var elements: [JSONValue] = []
      elements.reserveCapacity(values.count)
      for value in values { elements.append(try value.json(source: source)) }
      return .array(elements)
    case .dictionary(let pairs):
      var members: [(key: String, value: JSONValue)] = []
      members.reserveCapacity(pairs.count)
      for pair in pairs { members.append((pair.key, try pair.value.json(source: source))) }
      return .object(JSONObject(members: members))
    }
  }
}

/// What a pickle may hold at most, so that a hostile one is refused instead of exhausting memory.
public struct PickleLimits: Equatable, Sendable {
  /// The deepest nesting of lists, tuples and dictionaries.
  public var depth: Int
  /// The longest pickle, and the most bytes that its texts have together, each counted wherever it
  /// stands: a pickle may name one text many times.
  public var bytes: Int
  /// The most values that are put on the stack, and the most in the result.
  public var values: Int
  /// The longest integer, in decimal digits.
  public var digits: Int

  /// The depth and the bytes are those of `JSONLimits`, the digits those that Python itself turns
  /// into an `int`.
  public init(
    depth: Int = JSONLimits.default.depth, bytes: Int = JSONLimits.default.bytes,
    values: Int = 1 << 22, digits: Int = 4_300
  ) {
    self.depth = depth
    self.bytes = bytes
    self.values = values
    self.digits = digits
  }

  public static let `default` = PickleLimits()
}

/// Why a pickle can't be read: `source: what was found, and where.`
public struct PickleError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ source: String, _ message: String) { description = "\(source): \(message)" }

  static func tooManyValues(_ source: String, _ limits: PickleLimits) -> PickleError {
    PickleError(source, "the pickle makes more than \(limits.values) values.")
  }
}
