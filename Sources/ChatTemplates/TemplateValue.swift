/// What an expression of a template can be; the kinds are Python's.
enum TemplateValue {
  /// Nothing was found under a name; it prints as nothing, and most operations refuse it.
  case undefined(Missing)
  case none
  case bool(Bool)
  case int(Int)
  /// An integer of the input beyond 64 bits: printed as it was, and not computed with.
  case largeInteger(TemplateText)
  case float(Double)
  case string(TemplateText)
  case list(TemplateList)
  case tuple(TemplateList)
  case dictionary(TemplateDictionary)
  /// What is gone through but is no list: a range, the view of a dictionary, a filter's result.
  case sequence(TemplateSequence)
  case namespace(TemplateNamespace)
  case callable(TemplateCallable)
  case loop(LoopState)

  static func text(_ string: String) -> TemplateValue { .string(TemplateText(string)) }

  /// The kind's name in Python, for errors.
  var kind: String {
    switch self {
    case .undefined: "undefined"
    case .none: "None"
    case .bool: "bool"
    case .int, .largeInteger: "int"
    case .float: "float"
    case .string: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .sequence(let sequence): sequence.kind.name
    case .namespace: "namespace"
    case .callable: "function"
    case .loop: "loop"
    }
  }

  /// How deep lists and dictionaries are in one another; 0 for anything else.
  var depth: Int {
    switch self {
    case .list(let list), .tuple(let list): list.depth
    case .dictionary(let dictionary): dictionary.depth
    case .sequence(let sequence): sequence.depth
    default: 0
    }
  }

  /// What Python's `bool` says.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let list), .tuple(let list): !list.items.isEmpty
    case .dictionary(let dictionary): dictionary.count > 0
    case .sequence(let sequence): sequence.kind == .generator || !sequence.items.isEmpty
    case .largeInteger, .namespace, .callable, .loop: true
    }
  }
}

/// What was looked for and not found.
final class Missing {
  let name: String
  let owner: String?
  init(_ name: String, of owner: String? = nil) {
    self.name = name
    self.owner = owner
  }

  /// The error of an operation that needs the value.
  var fault: TemplateFault {
    .evaluation(owner.map { "a \($0) has no '\(name)'." } ?? "'\(name)' is undefined.")
  }
}

/// The elements of a list or tuple, and how deep they go.
struct TemplateList {
  let items: [TemplateValue]
  let depth: Int

  /// - Throws: `TemplateFault` if the elements are as deep as lists may be.
  init(_ items: [TemplateValue], _ budget: TemplateBudget) throws {
    self.items = items
    depth = 1 + items.reduce(0) { max($0, $1.depth) }
    try budget.check(depth: depth)
  }
}

/// The members of a dictionary, in the order they were first written.
final class TemplateDictionary {
  private(set) var keys: [TemplateValue] = []
  private(set) var values: [TemplateValue] = []
  private(set) var depth = 1
  /// Where each key is, once there are too many to compare one by one.
  private var places: [DictionaryKey: Int] = [:]

  private static let longestScan = 8

  var count: Int { keys.count }
  var members: Zip2Sequence<[TemplateValue], [TemplateValue]> { zip(keys, values) }

  /// Sets a member; the key must be one that `DictionaryKey` takes.
  func set(_ key: TemplateValue, _ value: TemplateValue, _ budget: TemplateBudget) throws {
    let level = 1 + max(key.depth, value.depth)
    try budget.check(depth: level)
    try budget.charge(10)
    depth = max(depth, level)
    if let place = try place(of: key, budget) {
      values[place] = value
      return
    }
    if keys.count >= Self.longestScan {
      if places.isEmpty {
        for (i, key) in keys.enumerated() { places[try DictionaryKey(key, budget)] = i }
      }
      places[try DictionaryKey(key, budget)] = keys.count
    }
    keys.append(key)
    values.append(value)
  }

  /// The value of a key.
  func value(_ key: TemplateValue, _ budget: TemplateBudget) throws -> TemplateValue? {
    try place(of: key, budget).map { values[$0] }
  }

  /// The value of a text key.
  func value(_ key: [UInt8]) -> TemplateValue? {
    if !places.isEmpty { return places[.text(key)].map { values[$0] } }
    for (i, each) in keys.enumerated() {
      if case .string(let text) = each, text.bytes == key { return values[i] }
    }
    return nil
  }

  private func place(of key: TemplateValue, _ budget: TemplateBudget) throws -> Int? {
    let wanted = try DictionaryKey(key, budget)
    if !places.isEmpty { return places[wanted] }
    if case .text(let bytes) = wanted {
      return keys.firstIndex {
        if case .string(let text) = $0 { text.bytes == bytes } else { false }
      }
    }
    for (i, key) in keys.enumerated() where try DictionaryKey(key, budget) == wanted { return i }
    return nil
  }
}

/// A key as Python compares keys: `1`, `1.0` and `True` are one.
enum DictionaryKey: Hashable {
  case undefined
  case none
  case integer(Int)
  case float(Double)
  case text([UInt8])
  case largeInteger([UInt8])
  case tuple([DictionaryKey])

  /// - Throws: `TemplateFault` for a value that cannot be a key.
  init(_ value: TemplateValue, _ budget: TemplateBudget) throws {
    switch value {
    case .none: self = .none
    case .bool(let value): self = .integer(value ? 1 : 0)
    case .int(let value): self = .integer(value)
    case .float(let value):
      if let whole = Int(exactly: value) { self = .integer(whole) } else { self = .float(value) }
    case .largeInteger(let text): self = .largeInteger(text.bytes)
    case .string(let text):
      if text.count > 64 { try budget.chargeText(bytes: text.count) }
      self = .text(text.bytes)
    case .tuple(let list):
      try budget.chargeElements(list.items.count)
      self = .tuple(try list.items.map { try DictionaryKey($0, budget) })
    case .undefined: self = .undefined
    default: throw TemplateFault.evaluation("a \(value.kind) cannot be the key of a dictionary.")
    }
  }
}

/// A sequence that is not a list.
final class TemplateSequence {
  enum Kind: Equatable {
    case range(start: Int, stop: Int, step: Int)
    case keys, values, items
    /// What filters such as `map` give: it can be gone through once.
    case generator

    var name: String {
      switch self {
      case .range: "range"
      case .keys: "dict_keys"
      case .values: "dict_values"
      case .items: "dict_items"
      case .generator: "generator"
      }
    }
  }

  let kind: Kind
  let depth: Int
  private(set) var items: [TemplateValue]

  init(_ kind: Kind, _ items: [TemplateValue], _ budget: TemplateBudget) throws {
    let list = try TemplateList(items, budget)
    self.kind = kind
    self.items = items
    depth = list.depth
  }

  /// The elements, which a generator gives only once.
  func taken() -> [TemplateValue] {
    defer { if kind == .generator { items = [] } }
    return items
  }
}

/// What `namespace()` makes: the only value that a template can change.
///
/// The interpreter keeps all of them and empties them at its end, because they can hold one
/// another in a circle.
final class TemplateNamespace {
  /// By the bytes of their names.
  var attributes: [[UInt8]: TemplateValue] = [:]
}

/// What can be called.
final class TemplateCallable {
  enum Kind {
    case function(TemplateFunction)
    case macro(Macro, Scope)
    case method(TemplateValue, String)
    case cycler([TemplateValue])
    case joiner(TemplateText)
  }

  let kind: Kind
  /// How often a cycler was asked, or whether a joiner was.
  var position = 0
  init(_ kind: Kind) { self.kind = kind }
}

/// The functions there are in every template.
enum TemplateFunction: String, CaseIterable {
  case range, dict, namespace, cycler, joiner
  case raiseException = "raise_exception"
  case strftimeNow = "strftime_now"
}
