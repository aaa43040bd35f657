import Storage

/// An object of `config.json` and the path of its keys in errors.
struct ConfigurationSection {
  let object: JSONObject
  /// The keys that lead here, each with a dot behind it; empty for the file itself.
  let prefix: String

  init(_ object: JSONObject, prefix: String = "") {
    self.object = object
    self.prefix = prefix
  }

  subscript(key: String) -> JSONValue? { object[key] }

  func path(_ key: String) -> String { prefix + key }
}

/// Takes values out of `config.json`, and collects what is wrong instead of stopping at it.
///
/// Each method returns nil once it has added a finding.
struct ConfigurationReader {
  let source: String
  private(set) var findings: [String] = []
  private(set) var notes: [String] = []

  init(source: String) { self.source = source }

  var error: ModelConfigurationError { ModelConfigurationError(findings: findings) }

  mutating func add(_ finding: String) { findings.append("\(source): \(finding)") }
  mutating func note(_ note: String) { notes.append("\(source): \(note)") }

  /// A count or size from 1 to a limit; without a default the key must be there.
  mutating func size(
    _ key: String, in section: ConfigurationSection, to limit: Int, default: Int? = nil
  ) -> Int? {
    guard let value = value(key, in: section, hasDefault: `default` != nil) else {
      return `default`
    }
    if case .number(let number) = value, let int = number.int, (1...limit).contains(int) {
      return int
    }
    add("'\(section.path(key))' is \(value.shown), not a whole number from 1 to \(limit).")
    return nil
  }

  /// A number of a range, which `above` or `from` begins.
  mutating func number(
    _ key: String, in section: ConfigurationSection, above: Double? = nil, from: Double? = nil,
    to limit: Double, default: Double? = nil
  ) -> Double? {
    guard let value = value(key, in: section, hasDefault: `default` != nil) else {
      return `default`
    }
    if case .number(let number) = value, let double = number.double, double <= limit,
      above.map({ double > $0 }) ?? true, from.map({ double >= $0 }) ?? true
    {
      return double
    }
    let lower =
      above.map { "above \(shortest($0)) and at most" } ?? "from \(shortest(from ?? 0)) to"
    add("'\(section.path(key))' is \(value.shown), not a number \(lower) \(shortest(limit)).")
    return nil
  }

  mutating func bool(
    _ key: String, in section: ConfigurationSection, default: Bool
  ) -> Bool? {
    switch section[key] {
    case nil: return `default`
    case .bool(let bool): return bool
    case let value?:
      add("'\(section.path(key))' is \(value.shown), not true or false.")
      return nil
    }
  }

  private mutating func value(
    _ key: String, in section: ConfigurationSection, hasDefault: Bool
  ) -> JSONValue? {
    let value = section[key]
    if value == nil, !hasDefault { add("missing key '\(section.path(key))'.") }
    return value
  }

  private func shortest(_ number: Double) -> String {
    Int(exactly: number).map { "\($0)" } ?? "\(number)"
  }
}

extension JSONValue {
  /// The value as an error names it.
  var shown: String {
    switch self {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .number(let number): number.text.count > 30 ? "\(number.text.prefix(30))…" : number.text
    case .string(let text): quoted(text)
    case .array: "a list"
    case .object: "an object"
    }
  }
}
