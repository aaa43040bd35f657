// Sums, products and the units behind them.
extension MathParser {
  mutating func sum() throws(MathParsingError) -> MathExpression {
    var terms: [MathExpression] = []
    var signs = 0
    while true {
      var isNegative = false
      var sign: Bool?  // of a ±: whether minus comes first
      var isFirst = true
      while true {
        if take("-") {
          isNegative.toggle()
        } else if takeCommand("pm") {
          sign = false
        } else if takeCommand("mp") {
          sign = true
        } else if !take("+") {
          break
        }
        isFirst = false
      }
      if isFirst && !terms.isEmpty { break }
      // `1+`, as a limit from above, is no sum.
      var term = try product()
      if isNegative { term = Self.negate(term) }
      if let sign {
        signs += 1
        try checkWraps(signs)
        let left = terms.isEmpty ? nil : terms.count == 1 ? terms[0] : MathExpression.sum(terms)
        terms = [.plusMinus(left, term, isMinusFirst: sign)]
      } else {
        terms.append(term)
      }
      guard isMark("+") || isMark("-") || isCommand("pm") || isCommand("mp") else { break }
    }
    return terms.count == 1 ? terms[0] : .sum(terms)
  }

  /// The sign goes inside a unit: -5 cm is (-5) cm.
  private static func negate(_ term: MathExpression) -> MathExpression {
    if case .quantity(let value, let unit) = term { return .quantity(value.negated, unit) }
    return term.negated
  }

  private mutating func product() throws(MathParsingError) -> MathExpression {
    var factors: [MathExpression] = []
    if next == .currency {
      i += 1
      let value = try deeper { p throws(MathParsingError) in try p.product() }
      if case .quantity = value { return value }
      return .quantity(value, .currency)
    }
    var divisions = 0
    var canBeMixed = false  // the last factor is a bare integer that a fraction may follow
    while true {
      var isDivision = false
      var isExplicit = false
      if !factors.isEmpty {
        if take("*") || takeCommand("cdot", "times", "ast", "star") {
          isExplicit = true
        } else if take("/") || takeCommand("div") {
          isExplicit = true
          isDivision = true
        } else if let unit = try takeUnit(after: factors) {
          let value = factors.count == 1 ? factors[0] : MathExpression.product(factors)
          return .quantity(value, unit)
        } else if !startsFactor {
          break
        }
      }
      let isNumberNext = if case .number = next { true } else { false }
      let isFractionNext = isCommand("frac") || isCommand("dfrac") || isCommand("tfrac")
      let wasInteger = canBeMixed
      if isNumberNext, !factors.isEmpty, !isExplicit {
        // Two numbers side by side are a mixed number, `3 1/2`, or nothing known.
        guard wasInteger, tokens[i].isSpaced, isMark("/", ahead: 1), i + 2 < tokens.count,
          case .number = tokens[i + 2].token
        else { throw .notUnderstood }
        let above = try number()
        i += 1
        let below = try number()
        factors[factors.count - 1] = try Self.mixed(
          factors[factors.count - 1], .quotient(above, below))
        canBeMixed = false
        continue
      }
      let start = i
      let factor = try isExplicit ? signedFactor() : factor()
      canBeMixed = isNumberNext && i == start + 1 && !isDivision && Self.isInteger(factor)
      if isDivision {
        divisions += 1
        try checkWraps(divisions)
        let last = factors.removeLast()
        factors.append(.quotient(last, factor))
      } else if wasInteger, isFractionNext, !isExplicit,
        let mixed = try? Self.mixed(factors[factors.count - 1], factor)
      {
        factors[factors.count - 1] = mixed
      } else {
        factors.append(factor)
      }
      if case .words = factor { break }
    }
    return factors.count == 1 ? factors[0] : .product(factors)
  }

  private mutating func signedFactor() throws(MathParsingError) -> MathExpression {
    var isNegative = false
    while isMark("-") || isMark("+") {
      if isMark("-") { isNegative.toggle() }
      i += 1
    }
    let factor = try factor()
    return isNegative ? factor.negated : factor
  }

  private static func isInteger(_ factor: MathExpression) -> Bool {
    if case .number(let value) = factor { value.isInteger } else { false }
  }

  /// An integer and a proper fraction beside it, as a mixed number.
  private static func mixed(
    _ whole: MathExpression, _ fraction: MathExpression
  ) throws(MathParsingError) -> MathExpression {
    guard case .number(let n) = whole, case .quotient(.number(let a), .number(let b)) = fraction,
      a.isInteger, b.isInteger, !a.isNegative, a < b
    else { throw .notUnderstood }
    return .number(n + a / b)
  }

  /// Whether the next token can be multiplied to what stands before it without a sign.
  private var startsFactor: Bool {
    switch next {
    case .number, .letter, .begin: true
    case .mark(let c):
      c == UInt8(ascii: "(") || c == UInt8(ascii: "{") || c == UInt8(ascii: "[")
        || (c == UInt8(ascii: "|") && openBars == 0)
    case .command(let name):
      MathNames.relations[name] == nil && !Self.nonFactors.contains(name)
    case .word(let word, let isText):
      !isText
        && (MathNames.functions[word] != nil || MathNames.wordCommands[word] != nil
          || Self.isProductOfLetters(word))
    default: false
    }
  }

  private static let nonFactors: Set<String> = [
    "}", "|", "rfloor", "rceil", "rvert", "rVert", "rangle", "rbrace", "rbrack", "rparen", "cup",
    "cap", "setminus", "bigcup", "bigcap", "pm", "mp", "colon", "cdot", "times", "div", "over",
    "land", "lor", "wedge", "vee", "backslash", "mod", "bmod", "pmod", "Vert", "vert", "prime",
  ]

  /// Whether letters that stand together are variables: `xy`, but not `no`, `and` or `miles`.
  static func isProductOfLetters(_ word: String) -> Bool {
    word.utf8.count <= 3
      && ![
        "and", "or", "in", "no", "yes", "of", "the", "is", "if", "for", "pm",
        "am", "all", "odd", "not", "und",
      ].contains(word) && !Units.isUnit(word)
  }

  /// The unit that follows a quantity, with its power.
  mutating func takeUnit(
    after factors: [MathExpression]
  ) throws(MathParsingError) -> Unit? {
    if take("%") { return .percent }
    if next == .degree {
      i += 1
      if case .letter(let letter) = next, letter == "C" || letter == "F" { i += 1 }
      return .degree
    }
    if next == .currency {
      i += 1
      return .currency
    }
    var words: [String] = []
    var power = 1
    while case .word(let word, let isText) = next, word != "and", word != "or" {
      if !isText {
        if MathNames.functions[word] != nil || MathNames.wordCommands[word] != nil { break }
        // What follows letters only is a sentence.
        guard Units.isUnit(word) || !Self.isProductOfLetters(word) || !words.isEmpty,
          factors.contains(where: { $0.contains { if case .number = $0 { true } else { false } } })
        else { break }
        guard words.count < 6 else { throw .notUnderstood }
      }
      i += 1
      words.append(word)
      if isMark("^"), let exponent = takeUnitExponent() { power *= exponent }
      // km/h, feet per second
      if isMark("/"), case .word(let below, _) = afterNext {
        i += 2
        words.append("per " + below)
        if isMark("^") { _ = takeUnitExponent() }
      }
    }
    guard !words.isEmpty else { return nil }
    if take("(") {
      // minute(s)
      while i < tokens.count, !take(")") { i += 1 }
    }
    return Units.unit(of: words, power: power)
  }

  private mutating func takeUnitExponent() -> Int? {
    let start = i
    i += 1
    let isGroup = take("{")
    if case .number(let digits, _) = next, digits.count == 1 {
      i += 1
      if !isGroup || take("}") { return Int(digits[0]) - 48 }
    }
    i = start
    return nil
  }
}
