import Foundation

/// Writes values as Python does, charging what it writes before it writes it.
///
/// Where a text cannot keep which of its bytes are input, all of it becomes input.
struct ValueWriter {
  private(set) var bytes: [UInt8] = []
  private(set) var hasInput = false
  let budget: TemplateBudget

  init(_ budget: TemplateBudget) { self.budget = budget }

  var text: TemplateText { TemplateText(bytes, isInput: hasInput) }

  mutating func write(_ string: String) throws {
    try charge(string.utf8.count)
    bytes.append(contentsOf: string.utf8)
  }

  mutating func write(_ more: ArraySlice<UInt8>) throws {
    try charge(more.count)
    bytes.append(contentsOf: more)
  }

  private func charge(_ count: Int) throws {
    try budget.charge(1 + count / 16)
    try budget.check(length: bytes.count + count)
  }

  mutating func note(_ text: TemplateText) { if text.hasInput { hasInput = true } }

  // MARK: repr

  /// Python's `repr`.
  mutating func represent(_ value: TemplateValue) throws {
    try budget.charge()
    switch value {
    case .undefined: try write("Undefined")
    case .none: try write("None")
    case .bool(let value): try write(value ? "True" : "False")
    case .int(let value): try write(String(value))
    case .largeInteger(let text):
      note(text)
      try write(text.bytes[...])
    case .float(let value): try write(pythonDescription(value))
    case .string(let text): try represent(text)
    case .list(let list): try represent(list.items, "[", "]")
    case .tuple(let list): try represent(list.items, "(", list.items.count == 1 ? ",)" : ")")
    case .dictionary(let dictionary):
      try write("{")
      for (i, (key, value)) in dictionary.members.enumerated() {
        if i > 0 { try write(", ") }
        try represent(key)
        try write(": ")
        try represent(value)
      }
      try write("}")
    case .sequence(let sequence): try represent(sequence)
    case .namespace, .callable, .loop:
      throw TemplateFault.evaluation("a \(value.kind) cannot be printed.")
    }
  }

  private mutating func represent(_ sequence: TemplateSequence) throws {
    switch sequence.kind {
    case .range(let start, let stop, let step):
      try write("range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))")
    case .generator:
      throw TemplateFault.evaluation(
        "the result of a filter is printed before it is a list. Add the filter 'list'.")
    default:
      try write("\(sequence.kind.name)(")
      try represent(sequence.items, "[", "]")
      try write(")")
    }
  }

  private mutating func represent(
    _ items: [TemplateValue], _ opening: String, _ closing: String
  ) throws {
    try write(opening)
    for (i, item) in items.enumerated() {
      if i > 0 { try write(", ") }
      try represent(item)
    }
    try write(closing)
  }

  private mutating func represent(_ text: TemplateText) throws {
    note(text)
    try budget.chargeText(bytes: text.count)
    let hasSingle = text.bytes.contains(UInt8(ascii: "'"))
    let quote =
      hasSingle && !text.bytes.contains(UInt8(ascii: "\"")) ? UInt8(ascii: "\"") : UInt8(ascii: "'")
    try write([quote])
    var i = 0
    while i < text.count {
      let end = text.endOfScalar(at: i)
      let byte = text.bytes[i]
      switch byte {
      case quote, UInt8(ascii: "\\"): try write([UInt8(ascii: "\\"), byte])
      case 0x0A: try write("\\n")
      case 0x0D: try write("\\r")
      case 0x09: try write("\\t")
      case 0x20..<0x7F: try write([byte])
      case ..<0x80: try write("\\x\(hex(UInt32(byte), 2))")
      default:
        let scalar = text.scalar(at: i)
        if isPrintable(scalar) {
          try write(text.bytes[i..<end])
        } else if scalar.value < 0x100 {
          try write("\\x\(hex(scalar.value, 2))")
        } else if scalar.value < 0x10000 {
          try write("\\u\(hex(scalar.value, 4))")
        } else {
          try write("\\U\(hex(scalar.value, 8))")
        }
      }
      i = end
    }
    try write([quote])
  }

  private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator, .spaceSeparator:
      false
    default: true
    }
  }
}

/// A number in lower-case hexadecimal, with zeros before it.
func hex(_ value: UInt32, _ width: Int) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: max(width - digits.count, 0)) + digits
}

/// Python's `repr` of a float: the shortest digits that read back as the same number, with an
/// exponent below 1e-4 and from 1e16.
func pythonDescription(_ value: Double) -> String {
  if value.isNaN { return "nan" }
  if value.isInfinite { return value < 0 ? "-inf" : "inf" }
  if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
  // Swift's description has the same digits; only where the point stands differs.
  let parts = value.magnitude.description.split(separator: "e")
  let number = parts[0].split(separator: ".")
  let whole = String(number[0])
  let fraction = number.count > 1 ? String(number[1]) : ""
  var digits = whole + fraction
  var exponent = whole.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
  let zeros = digits.prefix { $0 == "0" }.count
  digits = String(digits.dropFirst(zeros))
  exponent -= zeros
  while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
  let sign = value < 0 ? "-" : ""
  if exponent <= -4 || exponent > 16 {
    let power = exponent - 1
    let mantissa = digits.count > 1 ? "\(digits.prefix(1)).\(digits.dropFirst())" : digits
    let size = String(abs(power))
    return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(size.count < 2 ? "0" : "")\(size)"
  }
  if exponent <= 0 { return "\(sign)0.\(String(repeating: "0", count: -exponent))\(digits)" }
  if digits.count <= exponent {
    return "\(sign)\(digits)\(String(repeating: "0", count: exponent - digits.count)).0"
  }
  return "\(sign)\(digits.prefix(exponent)).\(digits.dropFirst(exponent))"
}

extension Interpreter {
  /// Python's `str`; nothing for what is undefined.
  func printed(_ value: TemplateValue) throws -> TemplateText {
    switch value {
    case .undefined: return TemplateText()
    case .string(let text): return text
    default: return try represented(value)
    }
  }

  /// Python's `repr`.
  func represented(_ value: TemplateValue) throws -> TemplateText {
    var writer = ValueWriter(budget)
    try writer.represent(value)
    return writer.text
  }
}
