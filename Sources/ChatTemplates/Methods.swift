extension Interpreter {
  private static let dictionaryMethods: Set<String> = ["items", "keys", "values", "get", "copy"]
  private static let listMethods: Set<String> = ["count", "index", "copy"]
  /// Methods that change their value, which a template may not.
  private static let changes: [String: Set<String>] = [
    "dict": ["clear", "pop", "popitem", "setdefault", "update"],
    "list": [
      "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort",
    ],
  ]
  /// Methods that Python has and this interpreter has not.
  private static let unknown: [String: Set<String>] = [
    "dict": ["fromkeys"],
    "str": [
      "casefold", "encode", "expandtabs", "format_map", "isascii", "isdecimal", "isidentifier",
      "isnumeric", "isprintable", "istitle", "maketrans", "translate",
    ],
    "int": [
      "as_integer_ratio", "bit_count", "bit_length", "denominator", "from_bytes", "imag",
      "numerator", "real", "to_bytes",
    ],
    "float": ["as_integer_ratio", "fromhex", "hex", "imag", "is_integer", "real"],
  ]

  /// Whether a kind of value has a method.
  ///
  /// - Throws: `TemplateFault` for methods that templates may not use, or that are not known.
  func hasMethod(_ value: TemplateValue, _ name: String) throws -> Bool {
    switch value {
    case .string where Self.stringMethods.contains(name): return true
    case .dictionary where Self.dictionaryMethods.contains(name): return true
    case .list where Self.listMethods.contains(name): return true
    case .tuple where name == "count" || name == "index": return true
    case .undefined, .namespace, .loop, .callable: return false
    default: break
    }
    let kind = value.kind
    if Self.changes[kind]?.contains(name) == true {
      throw TemplateFault.evaluation("'\(name)' would change a \(kind), which templates may not.")
    }
    if Self.unknown[kind]?.contains(name) == true {
      throw TemplateFault.unsupported("the method '\(name)' of \(kind) is not known.")
    }
    if name.utf8.starts(with: "__".utf8), name.utf8.suffix(2).elementsEqual("__".utf8) {
      throw TemplateFault.evaluation("'\(name)' is Python's own, which templates may not use.")
    }
    return false
  }

  func callMethod(
    _ name: String, of value: TemplateValue, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    try budget.charge()
    switch value {
    case .string(let text): return try callStringMethod(name, of: text, arguments)
    case .dictionary(let dictionary):
      return try callDictionaryMethod(name, of: dictionary, arguments)
    case .list(let list), .tuple(let list):
      guard name != "copy" else { return value }
      let wanted = try arguments.bound(to: ["value"], of: name)[0] ?? .none
      if name == "count" {
        return .int(try list.items.reduce(0) { try $0 + (equals($1, wanted) ? 1 : 0) })
      }
      guard let place = try list.items.firstIndex(where: { try equals($0, wanted) }) else {
        throw TemplateFault.evaluation("'index' does not find the value.")
      }
      return .int(place)
    case .loop(let loop): return try callLoopMethod(name, of: loop, arguments)
    default: throw TemplateFault.evaluation("a \(value.kind) has no method '\(name)'.")
    }
  }

  private func callDictionaryMethod(
    _ name: String, of dictionary: TemplateDictionary, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    if name == "get" {
      let values = try arguments.bound(to: ["key", "default"], of: name)
      guard let key = values[0], arguments.named.isEmpty else {
        throw TemplateFault.evaluation("'get' needs a key, and takes no names.")
      }
      return try dictionary.value(key, budget) ?? values[1] ?? .none
    }
    _ = try arguments.bound(to: [], of: name)
    try budget.chargeElements(dictionary.count)
    switch name {
    case "keys": return .sequence(try TemplateSequence(.keys, dictionary.keys, budget))
    case "values": return .sequence(try TemplateSequence(.values, dictionary.values, budget))
    case "items": return .sequence(try TemplateSequence(.items, pairs(of: dictionary), budget))
    default: return .dictionary(dictionary)
    }
  }

  /// The members as tuples.
  func pairs(of dictionary: TemplateDictionary) throws -> [TemplateValue] {
    try budget.chargeElements(3 * dictionary.count)
    return try dictionary.members.map { try tuple([$0, $1]) }
  }

  private func callLoopMethod(
    _ name: String, of loop: LoopState, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    let values = arguments.positional
    guard arguments.named.isEmpty else {
      throw TemplateFault.evaluation("'loop.\(name)' takes no names.")
    }
    if name == "cycle" {
      guard !values.isEmpty else {
        throw TemplateFault.evaluation("'loop.cycle' needs at least one value.")
      }
      return values[max(loop.index0, 0) % values.count]
    }
    defer { loop.lastChecked = values }
    guard let last = loop.lastChecked, last.count == values.count else { return .bool(true) }
    return .bool(try !zip(last, values).allSatisfy { try equals($0, $1) })
  }
}
