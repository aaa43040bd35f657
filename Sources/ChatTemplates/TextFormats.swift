import Foundation

/// Python's two ways to put values into a text: `'%s' % value` and `'{}'.format(value)`.
extension Interpreter {
  /// `format % values`.
  func percent(_ format: TemplateText, _ values: TemplateValue) throws -> TemplateValue {
    try budget.charge(format)
    var items: [TemplateValue] = [values]
    var takesAll = false
    if case .tuple(let list) = values { items = list.items } else { takesAll = true }
    var result = TemplateText()
    var used = 0
    var i = 0
    while i < format.count {
      let start = i
      while i < format.count, format.bytes[i] != UInt8(ascii: "%") { i += 1 }
      result.append(format, start..<i)
      guard i < format.count else { break }
      i += 1
      let conversion = try Conversion(format.bytes, &i)
      if conversion.letter == "%" {
        result.append(format, i - 1..<i)
        continue
      }
      let value: TemplateValue
      if let key = conversion.key {
        guard case .dictionary(let members) = values, let member = members.value(key) else {
          throw TemplateFault.evaluation("a format that names a key which is not there.")
        }
        takesAll = true
        used = items.count
        value = member
      } else {
        guard used < items.count else {
          throw TemplateFault.evaluation("a format with more places than values.")
        }
        value = items[used]
        used += 1
      }
      let piece = try converted(value, conversion)
      try budget.check(length: result.count + piece.count)
      try budget.charge(piece)
      result.append(piece)
    }
    if used < items.count {
      // A dictionary may go unused; any other value may not.
      if takesAll, case .dictionary = values { return .string(result) }
      if takesAll, case .list = values, used == 0 { return .string(result) }
      throw TemplateFault.evaluation("a format with fewer places than values.")
    }
    return .string(result)
  }

  private func converted(_ value: TemplateValue, _ conversion: Conversion) throws -> TemplateText {
    var text: TemplateText
    switch conversion.letter {
    case "s", "r":
      text = try conversion.letter == "s" ? printed(value) : represented(value)
      if let precision = conversion.precision {
        text = text[0..<text.byteOffset(ofScalar: precision)]
      }
    case "d", "i", "u", "x", "X", "o":
      var number: Int
      if case .float(let double) = value {
        guard let whole = Int(exactly: double.rounded(.towardZero)) else {
          throw TemplateFault.overflow
        }
        number = whole
      } else {
        number = try integer(value, for: "%\(conversion.letter)")
      }
      let isNegative = number < 0
      let radix = conversion.letter == "o" ? 8 : "xX".contains(conversion.letter) ? 16 : 10
      var digits = String(number.magnitude, radix: radix, uppercase: conversion.letter == "X")
      number = 0
      if let precision = conversion.precision, precision > digits.count {
        digits = String(repeating: "0", count: precision - digits.count) + digits
      }
      return try padded(digits, isNegative, conversion)
    default:
      let double: Double
      switch value {
      case .float(let value): double = value
      case .int(let value): double = Double(value)
      case .bool(let value): double = value ? 1 : 0
      default:
        throw TemplateFault.evaluation(
          "a \(value.kind) where '%\(conversion.letter)' needs a number.")
      }
      let digits = String(
        format: "%.\(conversion.precision ?? 6)\(conversion.letter)", double.magnitude)
      return try padded(digits, double.sign == .minus, conversion)
    }
    return try padded(
      text, conversion.flags.contains("-") ? "ljust" : "rjust", conversion.width,
      TemplateText(" "))
  }

  private func padded(
    _ digits: String, _ isNegative: Bool, _ conversion: Conversion
  ) throws -> TemplateText {
    let flags = conversion.flags
    let sign = isNegative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : ""
    if flags.contains("0"), !flags.contains("-") {
      let zeros = conversion.width - sign.count - digits.count
      return TemplateText(sign + String(repeating: "0", count: max(zeros, 0)) + digits)
    }
    return try padded(
      TemplateText(sign + digits), flags.contains("-") ? "ljust" : "rjust", conversion.width,
      TemplateText(" "))
  }

  /// `format.format(...)`: places by order, number or name, without further formats.
  func braceFormatted(
    _ format: TemplateText, _ arguments: PassedArguments
  ) throws -> TemplateText {
    var result = TemplateText()
    var next = 0
    var i = 0
    while i < format.count {
      let byte = format.bytes[i]
      guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") else {
        let start = i
        while i < format.count, ![UInt8(ascii: "{"), UInt8(ascii: "}")].contains(format.bytes[i]) {
          i += 1
        }
        result.append(format, start..<i)
        continue
      }
      if i + 1 < format.count, format.bytes[i + 1] == byte {
        result.append(format, i..<i + 1)
        i += 2
        continue
      }
      guard byte == UInt8(ascii: "{"),
        let end = format.bytes[i...].firstIndex(of: UInt8(ascii: "}"))
      else { throw TemplateFault.evaluation("a format with a brace that has no other.") }
      let field = String(decoding: format.bytes[i + 1..<end], as: UTF8.self)
      i = end + 1
      let value: TemplateValue?
      if field.isEmpty {
        value = next < arguments.positional.count ? arguments.positional[next] : nil
        next += 1
      } else if let number = Int(field) {
        value =
          number >= 0 && number < arguments.positional.count
          ? arguments.positional[number] : nil
      } else if field.utf8.contains(where: { ":!.[{".utf8.contains($0) }) {
        throw TemplateFault.unsupported("'{\(field.prefix(40))}' is not known in 'format'.")
      } else {
        try budget.charge(1 + arguments.named.count / 4)
        value = arguments.named.first { $0.name == field }?.value
      }
      guard let value else {
        throw TemplateFault.evaluation("a format with the place '{\(field)}' and no value for it.")
      }
      let text = try printed(value)
      try budget.check(length: result.count + text.count)
      try budget.charge(text)
      result.append(text)
    }
    return result
  }
}

/// One place of a `%` format: `%(key)-8.2f`.
private struct Conversion {
  var key: [UInt8]?
  var flags = ""
  var width = 0
  var precision: Int?
  var letter: Character = "s"

  /// The widest place and the most digits; a text that is to be wider is made by `*`.
  private static let widest = 1_000

  /// Reads what follows a `%`, and goes past it.
  init(_ bytes: [UInt8], _ i: inout Int) throws {
    if i < bytes.count, bytes[i] == UInt8(ascii: "(") {
      guard let end = bytes[i...].firstIndex(of: UInt8(ascii: ")")) else {
        throw TemplateFault.evaluation("a format with a key that has no ')'.")
      }
      key = Array(bytes[i + 1..<end])
      i = end + 1
    }
    while i < bytes.count, "-+ #0".utf8.contains(bytes[i]) {
      flags.unicodeScalars.append(Unicode.Scalar(bytes[i]))
      i += 1
    }
    width = try Self.number(bytes, &i) ?? 0
    if i < bytes.count, bytes[i] == UInt8(ascii: ".") {
      i += 1
      precision = try Self.number(bytes, &i) ?? 0
    }
    guard i < bytes.count else { throw TemplateFault.evaluation("a format that ends after '%'.") }
    letter = Character(Unicode.Scalar(bytes[i]))
    i += 1
    guard "srdiuxXofFeEgG%".contains(letter), !flags.contains("#") else {
      throw TemplateFault.unsupported("'%\(flags)\(letter)' is not known in a format.")
    }
  }

  private static func number(_ bytes: [UInt8], _ i: inout Int) throws -> Int? {
    var number: Int?
    while i < bytes.count, (0x30...0x39).contains(bytes[i]) {
      let value = (number ?? 0) * 10 + Int(bytes[i] - 0x30)
      guard value <= widest else {
        throw TemplateFault.limit("a format wider than \(widest) characters.")
      }
      number = value
      i += 1
    }
    return number
  }
}
