// The parts of a product: powers, and what stands between brackets.
extension MathParser {
  /// An atom with what follows it: exponents, factorials, primes.
  mutating func factor() throws(MathParsingError) -> MathExpression {
    try deeper { p throws(MathParsingError) in
      var base = try p.atom()
      var count = 0
      while true {
        try p.checkWraps(count)
        count += 1
        if p.isMark("!"), !p.isMark("=", ahead: 1) {
          // At the end of a text it may be a mark of joy, but then it isn't in a formula.
          p.i += 1
          base = .function(.factorial, [base])
        } else if p.isMark("^") {
          p.i += 1
          if let degree = p.takeDegreeSign() {
            if degree { base = .quantity(base, .degree) }
            continue
          }
          base = .power(base, try p.exponent())
        } else if p.isMark("_") {
          base = try p.subscripted(base)
        } else if p.isMark("%") {
          p.i += 1
          base = .quantity(base, .percent)
        } else {
          return base
        }
      }
    }
  }

  /// `^\circ` is the sign of degrees (true), `^\prime` says nothing (false); nil for an exponent.
  private mutating func takeDegreeSign() -> Bool? {
    let start = i
    let isGroup = take("{")
    if next == .degree || isCommand("circ") {
      i += 1
      if !isGroup || take("}") { return true }
    } else if isCommand("prime") {
      i += 1
      if !isGroup || take("}") { return false }
    }
    i = start
    return nil
  }

  mutating func exponent() throws(MathParsingError) -> MathExpression {
    let isNegative = take("-")
    let value: MathExpression
    if isMark("{") {
      value = try argument()
    } else {
      // Towers are read from the right: 2^3^4 is 2^(3^4).
      value = try deeper { p throws(MathParsingError) in
        let base = try p.atom()
        if p.take("^") { return .power(base, try p.exponent()) }
        return base
      }
    }
    return isNegative ? value.negated : value
  }

  private mutating func subscripted(_ base: MathExpression) throws(MathParsingError)
    -> MathExpression
  {
    i += 1
    let name = try flatName()
    if case .number(let value) = base, value.isInteger, !value.isNegative,
      let number = Int(name), number >= 2, number <= 36
    {
      return .based(digits: value.numerator.description, base: number)
    }
    if case .symbol(let symbol) = base { return .symbol(symbol + "_" + name) }
    throw .notUnderstood
  }

  /// The text of one token or one group, as part of a name.
  mutating func flatName() throws(MathParsingError) -> String {
    var name = ""
    var depth = 0
    repeat {
      guard let token = next else { throw .notUnderstood }
      i += 1
      switch token {
      case .mark(UInt8(ascii: "{")): depth += 1
      case .mark(UInt8(ascii: "}")): depth -= 1
      case .mark(let c): name += String(decoding: [c], as: UTF8.self)
      case .number(let digits, _): name += String(decoding: digits, as: UTF8.self)
      case .letter(let letter): name += letter
      case .word(let word, _): name += word
      case .command(let command): name += command
      default: throw .notUnderstood
      }
      guard depth >= 0 else { throw .notUnderstood }
    } while depth > 0
    return name
  }

  mutating func number() throws(MathParsingError) -> MathExpression {
    guard case .number(let digits, _) = next, let value = Rational(decimal: digits) else {
      throw .notUnderstood
    }
    i += 1
    return .number(value)
  }

  /// What a command takes without braces is one digit or one letter; with braces, a formula.
  mutating func argument(isWholeNumber: Bool = false) throws(MathParsingError) -> MathExpression {
    if take("{") {
      let bars = openBars
      openBars = 0
      let items = try list(isBracketed: true)
      openBars = bars
      try expect("}")
      guard items.count == 1 else { throw .notUnderstood }
      return items[0]
    }
    if case .number(let digits, _) = next, digits.count > 1, !isWholeNumber,
      MathTokens.isDigit(digits[0])
    {
      tokens[i].token = .number(digits: Array(digits.dropFirst()), isGrouped: false)
      return .number(Rational(Int(digits[0]) - 48))
    }
    return try deeper { p throws(MathParsingError) in try p.atom() }
  }

  mutating func atom() throws(MathParsingError) -> MathExpression {
    guard let token = next else { throw .notUnderstood }
    switch token {
    case .number: return try number()
    case .letter(let letter):
      i += 1
      return try named(letter)
    case .word(let word, let isText):
      i += 1
      return try wordAtom(word, isText: isText)
    case .command(let name):
      i += 1
      return try command(name)
    case .begin(let environment):
      i += 1
      return try matrix(environment)
    case .mark(let c):
      switch c {
      case UInt8(ascii: "("), UInt8(ascii: "["):
        i += 1
        return try bracketed(c == UInt8(ascii: "(") ? .round : .square)
      case UInt8(ascii: "{"):
        i += 1
        let bars = openBars
        openBars = 0
        let items = try list(isBracketed: true)
        openBars = bars
        try expect("}")
        guard !items.isEmpty else { throw .notUnderstood }
        return items.count == 1 ? items[0] : .list(items)
      case UInt8(ascii: "|"):
        i += 1
        return try absoluteValue()
      default: throw .notUnderstood
      }
    default: throw .notUnderstood
    }
  }

  mutating func absoluteValue() throws(MathParsingError) -> MathExpression {
    openBars += 1
    let inner = try relation()
    openBars -= 1
    guard take("|") || takeCommand("|", "rvert", "vert", "rVert", "Vert") else {
      throw .notUnderstood
    }
    return .function(.abs, [inner])
  }

  /// After an opening bracket, up to the one that closes it, which need not be its pair.
  mutating func bracketed(
    _ open: MathExpression.Bracket
  ) throws(MathParsingError) -> MathExpression {
    let bars = openBars
    openBars = 0
    let items = try list(isBracketed: true)
    openBars = bars
    let close: MathExpression.Bracket
    if take(")") {
      close = .round
    } else if take("]") {
      close = .square
    } else {
      throw .notUnderstood
    }
    if items.count == 1, open == close { return items[0] }
    guard items.count > 1 else { throw .notUnderstood }
    return .bracketed(open: open, close: close, items)
  }

  /// A variable, or a function that only has a name.
  private mutating func named(_ letter: String) throws(MathParsingError) -> MathExpression {
    var name = letter
    while isMark("'") {
      i += 1
      name += "'"
    }
    if letter == "i" || letter == "e", !isMark("_"), name == letter {
      if letter == "e", isMark("^") || !isMark("(") { return .constant(.e) }
      if letter == "i" { return .constant(.i) }
    }
    if letter == "ℝ" { return .constant(.reals) }
    if isMark("("), Self.functionLetters.contains(letter) || closesBeforeEqualSign {
      i += 1
      let bars = openBars
      openBars = 0
      let arguments = try list(isBracketed: true)
      openBars = bars
      try expect(")")
      return .application(name, arguments)
    }
    return .symbol(name)
  }

  /// Letters that are functions wherever a bracket follows them.
  private static let functionLetters: Set<String> = ["f", "g", "h", "F", "G"]

  /// Whether the bracket that opens here is closed before an equals sign, as in `P(x) = …`.
  private var closesBeforeEqualSign: Bool {
    guard i == relationStart + 1 else { return false }
    var depth = 0
    var j = i
    while j < tokens.count, j < i + 16 {
      if case .mark(let c) = tokens[j].token {
        if c == UInt8(ascii: "(") { depth += 1 }
        if c == UInt8(ascii: ")") { depth -= 1 }
        if depth == 0 {
          guard j + 1 < tokens.count else { return false }
          return tokens[j + 1].token == .mark(UInt8(ascii: "="))
        }
      }
      j += 1
    }
    return false
  }

  private mutating func wordAtom(
    _ word: String, isText: Bool
  ) throws(MathParsingError) -> MathExpression {
    if let function = MathNames.functions[word] { return try apply(function) }
    if !isText {
      if let name = MathNames.wordCommands[word] { return try command(name) }
      if word == "abs" { return .function(.abs, [try argument()]) }
      if Self.isProductOfLetters(word) {
        let letters = word.utf8.map { byte -> MathExpression in
          switch byte {
          case UInt8(ascii: "i"): .constant(.i)
          case UInt8(ascii: "e"): .constant(.e)
          default: .symbol(String(decoding: [byte], as: UTF8.self))
          }
        }
        // An exponent or a subscript belongs to the last letter only.
        if isMark("^") || isMark("_") {
          i -= 1
          tokens[i].token = .letter(String(word.suffix(1)))
          return letters.count == 2 ? letters[0] : .product(letters.dropLast())
        }
        return .product(letters)
      }
    }
    var words = [word.lowercased()]
    while case .word(let more, _) = next, more != "and", more != "or" {
      words.append(more.lowercased())
      i += 1
    }
    return .words(words.joined(separator: " "))
  }
}
