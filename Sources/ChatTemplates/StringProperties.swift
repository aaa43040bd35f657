/// What Python's `str` answers about a text, and how it changes case and width.
extension Interpreter {
  // MARK: Searching

  func search(
    _ name: String, in text: TemplateText, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    let values = try arguments.bound(to: ["sub", "start", "end"], of: name)
    guard values[2] == nil else {
      throw TemplateFault.unsupported("'\(name)' with an end is not known. Use a slice.")
    }
    let part = try self.text(values[0] ?? .none, for: name)
    var from = try values[1].map { try integer($0, for: name) } ?? 0
    let count = text.scalarCount
    if from < 0 { from = max(0, from + count) }
    let start = text.byteOffset(ofScalar: from)
    var place: Int?
    if from <= count {
      if name.hasPrefix("r") {
        place = try findLast(part, in: text, before: text.count).flatMap { $0 >= start ? $0 : nil }
      } else {
        place = try find(part, in: text, from: start)
      }
    }
    guard let place else {
      if name.hasSuffix("find") { return .int(-1) }
      throw TemplateFault.evaluation("'\(name)' does not find the text.")
    }
    return .int(text[0..<place].scalarCount)
  }

  func has(_ text: TemplateText, _ name: String) -> Bool {
    let scalars = text.string.unicodeScalars
    func all(_ test: (Unicode.Scalar) -> Bool) -> Bool {
      !scalars.isEmpty && scalars.allSatisfy(test)
    }
    func isAlphabetic(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
      default: false
      }
    }
    func isDigit(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
    }
    switch name {
    case "isdigit": return all(isDigit)
    case "isalpha": return all(isAlphabetic)
    case "isalnum": return all { isAlphabetic($0) || $0.properties.numericType != nil }
    case "isspace":
      var i = 0
      while i < text.count {
        guard text.isWhitespace(at: i) else { return false }
        i = text.endOfScalar(at: i)
      }
      return !text.isEmpty
    default:
      let wantsUpper = name == "isupper"
      var hasCased = false
      for scalar in scalars where scalar.properties.isCased {
        guard wantsUpper ? scalar.properties.isUppercase : scalar.properties.isLowercase
        else { return false }
        hasCased = true
      }
      return hasCased
    }
  }

  // MARK: Case and width

  /// Changes the case; where the input's bytes are is lost, so all is input if any was.
  func cased(_ text: TemplateText, _ name: String) throws -> TemplateText {
    let string = text.string
    // A letter in another case has at most three scalars.
    try budget.chargeText(bytes: text.count)
    try budget.charge(text.count / 4)
    let result: String
    switch name {
    case "upper": result = string.uppercased()
    case "lower": result = string.lowercased()
    case "capitalize":
      let scalars = string.unicodeScalars
      let first = scalars.first.map { $0.properties.titlecaseMapping } ?? ""
      result = first + String(scalars.dropFirst()).lowercased()
    default:
      var built = ""
      var isInWord = false
      for scalar in string.unicodeScalars {
        let properties = scalar.properties
        if name == "title" {
          built += isInWord ? properties.lowercaseMapping : properties.titlecaseMapping
        } else {
          built +=
            properties.isUppercase ? properties.lowercaseMapping : properties.uppercaseMapping
        }
        isInWord = properties.isCased
      }
      result = built
    }
    return TemplateText(result, isInput: text.hasInput)
  }

  /// Adds characters at the ends until the text is as wide.
  func padded(
    _ text: TemplateText, _ name: String, _ width: Int, _ fill: TemplateText
  ) throws -> TemplateText {
    guard fill.scalarCount == 1 else {
      throw TemplateFault.evaluation("'\(name)' fills with one character.")
    }
    let (missing, overflow) = width.subtractingReportingOverflow(text.scalarCount)
    guard width > 0, !overflow, missing > 0 else { return text }
    let isZeros = name == "zfill"
    let left: Int
    switch name {
    case "ljust": left = 0
    case "center": left = missing / 2 + (missing & width & 1)
    default: left = missing
    }
    let filler = isZeros ? TemplateText("0") : fill
    try budget.chargeText(bytes: text.count)
    var result = TemplateText()
    var rest = 0
    if isZeros, let sign = text.bytes.first, sign == 0x2B || sign == 0x2D {
      result.append(text, 0..<1)
      rest = 1
    }
    result.append(try repeated(filler, left))
    result.append(text, rest..<text.count)
    result.append(try repeated(filler, missing - left))
    return result
  }
}
