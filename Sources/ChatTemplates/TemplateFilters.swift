import Foundation

/// What can stand after `|`: the filters of Jinja that real templates use.
enum TemplateFilter: String, Sendable {
  case abs, batch, capitalize, center, count, d, `default`, dictsort, e, escape, first, float
  case format, indent, int, items, join, last, length, list, lower, map, max, min, reject
  case rejectattr, replace, reverse, round, safe, select, selectattr, slice, sort, string, sum
  case title, tojson, trim, unique, upper, wordcount

  /// Whether the result is markup for Jinja, which escapes what is later added to it.
  ///
  /// At the end of an output nothing is added, and there they are what they seem.
  var isMarkup: Bool { self == .safe || self == .escape || self == .e }
}

extension Interpreter {
  func apply(
    _ filter: TemplateFilter, to value: TemplateValue, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    try budget.charge()
    func bound(_ parameters: String...) throws -> [TemplateValue?] {
      try arguments.bound(to: parameters, of: filter.rawValue)
    }
    switch filter {
    case .default, .d:
      let values = try bound("default_value", "boolean")
      let isMissing = if case .undefined = value { true } else { false }
      guard isMissing || values[1]?.isTrue == true && !value.isTrue else { return value }
      return values[0] ?? .text("")
    case .tojson: return .string(try json(value, arguments))
    case .items:
      _ = try bound()
      switch value {
      case .undefined: return try generator([])
      case .dictionary(let dictionary): return try generator(pairs(of: dictionary))
      default: throw TemplateFault.evaluation("a \(value.kind) where 'items' needs a dict.")
      }
    case .length, .count:
      _ = try bound()
      return .int(try length(value))
    case .abs, .float, .int, .round: return try applyToNumber(filter, value, arguments)
    case .batch, .dictsort, .first, .join, .last, .list, .map, .max, .min, .reject, .rejectattr,
      .reverse, .select, .selectattr, .slice, .sort, .sum, .unique:
      return try applyToSequence(filter, value, arguments)
    default: return try applyToText(filter, value, arguments)
    }
  }

  // MARK: Numbers

  private func applyToNumber(
    _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    switch filter {
    case .abs:
      _ = try arguments.bound(to: [], of: "abs")
      let positive = try positive(value)
      switch positive {
      case .int(let number): return number < 0 ? try negative(positive) : positive
      case .float(let number): return .float(number.magnitude)
      default: return positive
      }
    case .float:
      let standard = try arguments.bound(to: ["default"], of: "float")[0] ?? .float(0)
      return try float(value).map { .float($0) } ?? standard
    case .int:
      let values = try arguments.bound(to: ["default", "base"], of: "int")
      let base = try values[1].map { try integer($0, for: "int") } ?? 10
      return try int(value, base: base) ?? values[0] ?? .int(0)
    default: return try round(value, arguments)
    }
  }

  /// What Python's `float` reads; nil if it refuses.
  private func float(_ value: TemplateValue) throws -> Double? {
    switch value {
    case .undefined(let missing): throw missing.fault
    case .float(let number): return number
    case .int(let number): return Double(number)
    case .bool(let value): return value ? 1 : 0
    case .largeInteger(let text): return Double(text.string)
    case .string(let text):
      let digits = try stripped(text, nil, left: true, right: true).string.lowercased()
      let unsigned = digits.drop { $0 == "+" || $0 == "-" }
      let allowed = Set("0123456789.e+-_")
      guard digits.count - unsigned.count <= 1 else { return nil }
      if ["inf", "infinity", "nan"].contains(unsigned) { return Double(digits) }
      guard digits.allSatisfy({ allowed.contains($0) }), !digits.hasPrefix("_"),
        !digits.hasSuffix("_"), !digits.contains("__"), !digits.contains("_."),
        !digits.contains("._")
      else { return nil }
      let plain = digits.filter { $0 != "_" }
      // Swift wants digits on both sides of the point; Python on one.
      if plain.hasSuffix(".") { return Double(plain + "0") }
      return Double(plain) ?? Double(plain.replacingOccurrences(of: ".e", with: ".0e"))
    default: return nil
    }
  }

  /// What Jinja's `int` reads: an integer's digits, or a float cut to one.
  private func int(_ value: TemplateValue, base: Int) throws -> TemplateValue? {
    switch value {
    case .int, .largeInteger: return value
    case .bool(let value): return .int(value ? 1 : 0)
    case .string(let text):
      var digits = try stripped(text, nil, left: true, right: true).string.lowercased()
      let prefix = [16: "0x", 8: "0o", 2: "0b"][base] ?? ""
      if !prefix.isEmpty, digits.hasPrefix(prefix) { digits.removeFirst(2) }
      guard (2...36).contains(base) else {
        throw TemplateFault.unsupported("the base \(base) is not known in 'int'.")
      }
      if !digits.hasPrefix("_"), !digits.hasSuffix("_"), !digits.contains("__") {
        let plain = digits.filter { $0 != "_" }
        if let number = Int(plain, radix: base) { return .int(number) }
        let isInteger = plain.drop { $0 == "-" || $0 == "+" }.utf8.allSatisfy {
          (0x30...0x39).contains($0)
        }
        if isInteger, plain.utf8.count > 18 { throw TemplateFault.overflow }
      }
    default: break
    }
    guard let number = try float(value), number.isFinite else { return nil }
    guard let whole = Int(exactly: number.rounded(.towardZero)) else {
      throw TemplateFault.overflow
    }
    return .int(whole)
  }

  private func round(
    _ value: TemplateValue, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    let values = try arguments.bound(to: ["precision", "method"], of: "round")
    let precision = try values[0].map { try integer($0, for: "round") } ?? 0
    let method = try values[1].map { try text($0, for: "round").string } ?? "common"
    guard (-300...300).contains(precision) else {
      throw TemplateFault.limit("'round' to more than 300 digits.")
    }
    if method == "common" {
      if case .int(let number) = value, precision >= 0 { return .int(number) }
      if case .bool(let value) = value, precision >= 0 { return .int(value ? 1 : 0) }
    }
    guard case .float(let number) = try calculate(value, .multiply, .float(1)) else {
      throw TemplateFault.evaluation("'round' does not take a \(value.kind).")
    }
    switch method {
    case "common":
      guard precision >= 0 else {
        throw TemplateFault.unsupported("'round' to tens is not known.")
      }
      guard precision > 0, number.isFinite else {
        return .float(number.rounded(.toNearestOrEven))
      }
      return .float(Double(String(format: "%.\(precision)f", number)) ?? number)
    case "ceil", "floor":
      let scale = pow(10, Double(precision))
      let scaled = (number * scale).rounded(method == "ceil" ? .up : .down)
      guard scaled.isFinite else {
        throw TemplateFault.evaluation("a number too large to round.")
      }
      return .float((scaled == 0 ? 0 : scaled) / scale)
    default:
      throw TemplateFault.evaluation("the method of 'round' is not 'common', 'ceil' or 'floor'.")
    }
  }

  // MARK: Texts

  private func applyToText(
    _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    let text = try printed(value)
    try budget.charge(text)
    func bound(_ parameters: String...) throws -> [TemplateValue?] {
      try arguments.bound(to: parameters, of: filter.rawValue)
    }
    switch filter {
    case .upper, .lower, .capitalize:
      _ = try bound()
      return .string(try cased(text, filter.rawValue))
    case .title:
      _ = try bound()
      return .string(try titled(text))
    case .trim:
      return .string(try stripped(text, try bound("chars")[0], left: true, right: true))
    case .center:
      let width = try bound("width")[0].map { try integer($0, for: "center") } ?? 80
      return .string(try padded(text, "center", width, TemplateText(" ")))
    case .replace:
      let values = try bound("old", "new", "count")
      let count: Int
      switch values[2] {
      case nil, .some(.none): count = -1
      case .some(let value): count = try integer(value, for: "replace")
      }
      guard let old = values[0], let new = values[1] else {
        throw TemplateFault.evaluation("'replace' needs what to replace, and by what.")
      }
      return .string(try replaced(text, try printed(old), by: try printed(new), most: count))
    case .indent:
      _ = try self.text(value, for: "indent")
      return .string(try indented(text, try bound("width", "first", "blank")))
    case .wordcount:
      _ = try bound()
      var count = 0
      var isInWord = false
      for scalar in text.string.unicodeScalars {
        let isWord = isWordScalar(scalar)
        if isWord, !isInWord { count += 1 }
        isInWord = isWord
      }
      return .int(count)
    case .format:
      if !arguments.named.isEmpty {
        guard arguments.positional.isEmpty else {
          throw TemplateFault.evaluation("'format' takes values or names, not both.")
        }
        let members = TemplateDictionary()
        for (name, value) in arguments.named { try members.set(.text(name), value, budget) }
        return try percent(text, .dictionary(members))
      }
      return try percent(text, try tuple(arguments.positional))
    case .escape, .e:
      _ = try bound()
      var result = text
      for (old, new) in [
        ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ("\"", "&#34;"),
      ] {
        result = try replaced(result, TemplateText(old), by: TemplateText(new), most: -1)
      }
      return .string(result)
    default:
      _ = try bound()
      return .string(text)
    }
  }

  /// Jinja's `title`: a letter is upper-case after white space, `-` and opening brackets.
  private func titled(_ text: TemplateText) throws -> TemplateText {
    try budget.charge(text.count / 4)
    var result = ""
    var isStart = true
    for scalar in text.string.unicodeScalars {
      let separates =
        "-({[<".unicodeScalars.contains(scalar) || scalar.properties.isWhitespace
        || (0x1C...0x1F).contains(scalar.value)
      result += isStart ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
      isStart = separates
    }
    return TemplateText(result, isInput: text.hasInput)
  }

  private func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar.properties.numericType != nil
      || [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]
        .contains(scalar.properties.generalCategory)
  }

  private func indented(_ text: TemplateText, _ values: [TemplateValue?]) throws -> TemplateText {
    let indentation: TemplateText
    switch values[0] {
    case nil: indentation = TemplateText("    ")
    case .string(let text)?: indentation = text
    case .some(let value):
      indentation = try repeated(TemplateText(" "), try integer(value, for: "indent"))
    }
    let isFirst = values[1]?.isTrue ?? false
    let isBlank = values[2]?.isTrue ?? false
    var input = text
    input.append(own: [0x0A])
    let lines = try lines(of: input)
    try budget.chargeRepeated(indentation, lines.count)
    try budget.charge(text)
    var result = TemplateText()
    for (i, line) in lines.enumerated() {
      try budget.check(length: result.count + line.count + indentation.count + 1)
      if i > 0 { result.append(own: [0x0A]) }
      if i == 0 ? isFirst : isBlank || !line.isEmpty { result.append(indentation) }
      result.append(line)
    }
    return result
  }
}
