extension JSONValue {
  /// A value that is another in two documents, by its path, as in `data.sources[0].path`; nil where a
  /// document has none.
  public struct Difference: Equatable, Sendable {
    public let path: String
    public let was: JSONValue?
    public let now: JSONValue?
  }

  /// The values in which two documents differ, as deep inside as both have the same shape.
  public static func differences(_ was: JSONValue?, _ now: JSONValue?) -> [Difference] {
    differences(was, now, at: "")
  }

  private static func differences(
    _ a: JSONValue?, _ b: JSONValue?, at path: String
  ) -> [Difference] {
    if a == b { return [] }
    if case .array(let before)? = a, case .array(let after)? = b, before.count == after.count {
      return before.indices.flatMap { differences(before[$0], after[$0], at: "\(path)[\($0)]") }
    }
    guard case .object(let before)? = a, case .object(let after)? = b else {
      return [Difference(path: path, was: a, now: b)]
    }
    var keys = before.members.map(\.key)
    keys += after.members.map(\.key).filter { after[$0] != nil && before[$0] == nil }
    return keys.flatMap { key in
      differences(before[key], after[key], at: path.isEmpty ? key : "\(path).\(key)")
    }
  }
}
