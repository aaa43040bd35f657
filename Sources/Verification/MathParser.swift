/// Reads a formula: LaTeX as data sets of mathematics use it, and formulas as one types them.
///
/// Depth and length are bounded, so that any text is read in bounded time on a small stack.
struct MathParser {
  var tokens: [PlacedToken]
  var i = 0
  private var depth = 0
  private let depthLimit: Int
  /// How many absolute values are open at this level of brackets: a `|` closes the innermost.
  var openBars = 0
  /// Where the relation starts that is being read.
  var relationStart = 0

  /// What a text says.
  ///
  /// - Parameter groupsDigits: Read `1,234` outside brackets as one number, not as two.
  /// - Returns: The expression, and whether some number was put together from groups by commas.
  static func parse(
    _ text: [UInt8], limits: JudgeLimits, groupsDigits: Bool = true
  ) throws(MathParsingError) -> (expression: MathExpression, isGrouped: Bool) {
    guard text.count <= limits.formulaBytes else { throw .tooLarge }
    if let based = basedNumber(text) { return (based, false) }
    let tokens = try MathTokens.tokens(
      of: text, limit: limits.tokens, groupsDigits: groupsDigits)
    let isGrouped = tokens.contains {
      if case .number(_, isGrouped: true) = $0.token { true } else { false }
    }
    var parser = MathParser(tokens: tokens, depthLimit: limits.depth)
    // Semicolons divide what commas divide further: p = 1, q = 2; p = 3, q = 4.
    var groups = [try parser.list(isBracketed: false, hasGroups: true)]
    while parser.take(";"), parser.i < parser.tokens.count {
      groups.append(try parser.list(isBracketed: false, hasGroups: true))
    }
    let isFlat = groups.count == 1 || groups.contains { $0.count == 1 }
    let items = isFlat ? groups.flatMap { $0 } : groups.map { .list($0) }
    parser.skipFinalMarks()
    guard parser.i == parser.tokens.count, !items.isEmpty else { throw .notUnderstood }
    return (items.count == 1 ? items[0] : .list(items), isGrouped)
  }

  private init(tokens: [PlacedToken], depthLimit: Int) {
    self.tokens = tokens
    self.depthLimit = depthLimit
  }

  /// `1A2_{16}`, whose digits may be letters.
  private static func basedNumber(_ text: [UInt8]) -> MathExpression? {
    guard let bar = text.firstIndex(of: UInt8(ascii: "_")), bar > 0, text.count - bar < 8 else {
      return nil
    }
    var digits = text[..<bar]
    if digits.starts(with: "\\text{".utf8), digits.last == UInt8(ascii: "}") {
      digits = digits.dropFirst(6).dropLast()
    }
    let base = text[(bar + 1)...].filter { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "}") }
    guard digits.contains(where: MathTokens.isDigit), base.count <= 2,
      digits.allSatisfy({
        MathTokens.isDigit($0) || (MathTokens.isLetter($0) && $0 < UInt8(ascii: "a"))
      }),
      let number = Int(String(decoding: base, as: UTF8.self)), number >= 2, number <= 36
    else { return nil }
    return .based(digits: String(decoding: digits, as: UTF8.self), base: number)
  }

  // MARK: Tokens

  var next: MathToken? { i < tokens.count ? tokens[i].token : nil }
  var afterNext: MathToken? { i + 1 < tokens.count ? tokens[i + 1].token : nil }

  func isMark(_ mark: Unicode.Scalar, ahead: Int = 0) -> Bool {
    guard i + ahead < tokens.count, case .mark(let c) = tokens[i + ahead].token else { return false }
    return UInt32(c) == mark.value
  }

  func isCommand(_ name: String) -> Bool { next == .command(name) }

  mutating func take(_ mark: Unicode.Scalar) -> Bool {
    guard isMark(mark) else { return false }
    i += 1
    return true
  }

  mutating func takeCommand(_ names: String...) -> Bool {
    guard case .command(let name) = next, names.contains(name) else { return false }
    i += 1
    return true
  }

  mutating func expect(_ mark: Unicode.Scalar) throws(MathParsingError) {
    guard take(mark) else { throw .notUnderstood }
  }

  /// Whether one thing may be wrapped around another that often, as in `1!!!` or `1/2/3`: the
  /// expression grows as deep as brackets make it.
  func checkWraps(_ count: Int) throws(MathParsingError) {
    guard count <= depthLimit / 2 else { throw .tooLarge }
  }

  mutating func deeper<T>(
    _ body: (inout MathParser) throws(MathParsingError) -> T
  ) throws(MathParsingError) -> T {
    guard depth < depthLimit else { throw .tooLarge }
    depth += 1
    let result = try body(&self)
    depth -= 1
    return result
  }

  private mutating func skipFinalMarks() {
    while i < tokens.count, isMark(",") || isMark(";") || isMark("!") || isMark(":") || isMark("*") {
      i += 1
    }
  }

  /// Whether the token starts what separates one answer from the next; skips it if so.
  private mutating func takeSeparator(hasGroups: Bool = false) -> Bool {
    var found = false
    while i < tokens.count {
      switch tokens[i].token {
      case .mark(UInt8(ascii: ",")):
        i += 1
      case .mark(UInt8(ascii: ";")) where !hasGroups:
        i += 1
      case .word(let word, _) where word == "and" || word == "or" || word == "und" || word == "&":
        i += 1
      case .command("land"), .command("lor"), .command("wedge"), .command("vee"):
        i += 1
      default: return found
      }
      found = true
    }
    return found
  }

  // MARK: Lists and relations

  /// Everything up to what closes it, cut at commas, "and" and "or".
  ///
  /// - Parameter hasGroups: A semicolon ends the list as well.
  mutating func list(
    isBracketed: Bool, hasGroups: Bool = false
  ) throws(MathParsingError) -> [MathExpression] {
    var items: [MathExpression] = []
    _ = isBracketed ? false : takeSeparator(hasGroups: hasGroups)
    while i < tokens.count {
      items.append(try relation())
      guard takeSeparator(hasGroups: hasGroups) else { break }
      if i >= tokens.count || isMark(";") { break }
    }
    return items
  }

  /// One side, or several with relations between them.
  mutating func relation() throws(MathParsingError) -> MathExpression {
    // `= 5` and `\approx 5`, as the end of a computation.
    if isMark("=") || isCommand("approx") { i += 1 }
    relationStart = i
    var sides = [try deeper { p throws(MathParsingError) in try p.setExpression() }]
    var relations: [MathExpression.Relation] = []
    while let relation = takeRelation() {
      relations.append(relation)
      sides.append(try deeper { p throws(MathParsingError) in try p.setExpression() })
    }
    return relations.isEmpty ? sides[0] : .relation(sides, relations)
  }

  private mutating func takeRelation() -> MathExpression.Relation? {
    switch next {
    case .mark(UInt8(ascii: "=")):
      i += 1
      if take("=") || take(">") {}
      return .equal
    case .mark(UInt8(ascii: "<")):
      i += 1
      return take("=") ? .lessOrEqual : .less
    case .mark(UInt8(ascii: ">")):
      i += 1
      return take("=") ? .greaterOrEqual : .greater
    case .mark(UInt8(ascii: "!")) where isMark("=", ahead: 1):
      i += 2
      return .notEqual
    case .command(let name):
      guard let relation = MathNames.relations[name] else { return nil }
      i += 1
      return relation
    case .word(let word, _) where word == "in":
      i += 1
      return .element
    default: return nil
    }
  }

  private mutating func setExpression() throws(MathParsingError) -> MathExpression {
    var left = try ratio()
    var count = 0
    while true {
      count += 1
      try checkWraps(count)
      let operation: MathExpression.SetOperation
      if takeCommand("cup", "bigcup") {
        operation = .union
      } else if takeCommand("cap", "bigcap") {
        operation = .intersection
      } else if takeCommand("setminus", "backslash") {
        operation = .difference
      } else if case .letter("U") = next, case .bracketed = left {
        // A union as one types it: (1,2) U (3,4).
        i += 1
        operation = .union
      } else {
        return left
      }
      let right = try ratio()
      if case .setOperation(operation, let parts) = left, operation != .difference {
        left = .setOperation(operation, parts + [right])
      } else {
        left = .setOperation(operation, [left, right])
      }
    }
  }

  private mutating func ratio() throws(MathParsingError) -> MathExpression {
    let first = try sum()
    guard isMark(":") || isCommand("colon"), i + 1 < tokens.count else { return first }
    var parts = [first]
    while take(":") || takeCommand("colon") {
      // The zero of 1:03 is part of a time of day.
      if case .number(let digits, _) = next, digits.count == 2, digits[0] == UInt8(ascii: "0") {
        i += 1
        parts.append(.based(digits: String(decoding: digits, as: UTF8.self), base: 10))
        if let unit = try takeUnit(after: parts) { return .quantity(.ratio(parts), unit) }
      } else {
        parts.append(try sum())
      }
    }
    // 4:30 p.m.
    if case .quantity(let value, let unit) = parts[parts.count - 1] {
      return .quantity(.ratio(parts.dropLast() + [value]), unit)
    }
    return .ratio(parts)
  }

  // MARK: Sums and products

  private mutating func sum() throws(MathParsingError) -> MathExpression {
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
    word.utf8.count <= 3 && !["and", "or", "in", "no", "yes", "of", "the", "is", "if", "for", "pm",
      "am", "all", "odd", "not", "und"].contains(word) && !Units.isUnit(word)
  }

  /// The unit that follows a quantity, with its power.
  private mutating func takeUnit(
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
