extension Interpreter {
  /// Python's `json.dumps`, as the filter `tojson` of transformers calls it.
  func json(_ value: TemplateValue, _ arguments: PassedArguments) throws -> TemplateText {
    let values = try arguments.bound(
      to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
    var style = JSONStyle(budget: budget)
    style.escapesAll = values[0]?.isTrue ?? false
    switch values[1] {
    case nil, .some(.none): break
    case .string(let text):
      try budget.charge(text)
      style.indentation = text.bytes
      style.note(text)
    case .some(let value):
      let width = max(try integer(value, for: "tojson"), 0)
      style.indentation = try repeated(TemplateText(" "), width).bytes
    }
    if style.indentation != nil { style.between = "," }
    switch values[2] {
    case nil, .some(.none): break
    case .list(let list), .tuple(let list):
      guard list.items.count == 2 else {
        throw TemplateFault.evaluation("'separators' are not two texts.")
      }
      let texts = try list.items.map { try text($0, for: "tojson") }
      for text in texts { style.note(text) }
      style.between = texts[0].string
      style.afterKey = texts[1].string
    case .some(let value):
      throw TemplateFault.evaluation("'separators' of 'tojson' are a \(value.kind), not two texts.")
    }
    let sortsKeys = values[3]?.isTrue ?? false
    try style.write(value) { dictionary in
      guard sortsKeys else { return Array(0..<dictionary.count) }
      return try self.sorted(dictionary.keys)
    }
    return style.text
  }
}

/// Writes one value as JSON.
private struct JSONStyle {
  var escapesAll = false
  var indentation: [UInt8]?
  var between = ", "
  var afterKey = ": "
  private var writer: ValueWriter
  private var level = 0

  init(budget: TemplateBudget) { writer = ValueWriter(budget) }

  var text: TemplateText { writer.text }

  mutating func note(_ text: TemplateText) { writer.note(text) }

  mutating func write(
    _ value: TemplateValue, order: (TemplateDictionary) throws -> [Int]
  ) throws {
    try writer.budget.charge()
    switch value {
    case .none: try writer.write("null")
    case .bool(let value): try writer.write(value ? "true" : "false")
    case .int, .largeInteger: try writer.represent(value)
    case .float(let value): try writer.write(number(value))
    case .string(let text): try write(text)
    case .list(let list), .tuple(let list):
      try write(list.items.indices, "[", "]") { style, i in
        try style.write(list.items[i], order: order)
      }
    case .dictionary(let dictionary):
      try write(order(dictionary), "{", "}") { style, i in
        try style.write(key: dictionary.keys[i])
        try style.writer.write(style.afterKey)
        try style.write(dictionary.values[i], order: order)
      }
    default:
      throw TemplateFault.evaluation("a \(value.kind) cannot be written as JSON.")
    }
  }

  private func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return pythonDescription(value)
  }

  private mutating func write(key: TemplateValue) throws {
    switch key {
    case .string(let text): try write(text)
    case .none: try writer.write("\"null\"")
    case .bool(let value): try writer.write(value ? "\"true\"" : "\"false\"")
    case .float(let value): try writer.write("\"\(number(value))\"")
    case .int(let value): try writer.write("\"\(value)\"")
    default: throw TemplateFault.evaluation("a \(key.kind) cannot be a key in JSON.")
    }
  }

  private mutating func write<Items: Collection>(
    _ items: Items, _ opening: String, _ closing: String,
    _ item: (inout Self, Items.Element) throws -> Void
  ) throws {
    try writer.write(opening)
    level += 1
    for (i, each) in items.enumerated() {
      if i > 0 { try writer.write(between) }
      try breakLine()
      try item(&self, each)
    }
    level -= 1
    if !items.isEmpty { try breakLine() }
    try writer.write(closing)
  }

  private mutating func breakLine() throws {
    guard let indentation else { return }
    try writer.write("\n")
    for _ in 0..<level { try writer.write(indentation[...]) }
  }

  private mutating func write(_ text: TemplateText) throws {
    writer.note(text)
    try writer.write("\"")
    var start = 0
    var i = 0
    while i < text.count {
      let byte = text.bytes[i]
      let end = byte < 0x80 ? i + 1 : text.endOfScalar(at: i)
      if let escape = escape(text, i, byte) {
        try writer.budget.charge(4)
        try writer.write(text.bytes[start..<i])
        try writer.write(escape)
        start = end
      }
      i = end
    }
    try writer.write(text.bytes[start..<text.count])
    try writer.write("\"")
  }

  private func escape(_ text: TemplateText, _ i: Int, _ byte: UInt8) -> String? {
    switch byte {
    case UInt8(ascii: "\""): return "\\\""
    case UInt8(ascii: "\\"): return "\\\\"
    case 0x08: return "\\b"
    case 0x09: return "\\t"
    case 0x0A: return "\\n"
    case 0x0C: return "\\f"
    case 0x0D: return "\\r"
    case ..<0x20: return "\\u" + hex(UInt32(byte), 4)
    case 0x7F...:
      guard escapesAll else { return nil }
      return String(text.scalar(at: i)).utf16.map { "\\u" + hex(UInt32($0), 4) }.joined()
    default: return nil
    }
  }
}
