/// Reads a formula: LaTeX as data sets of mathematics use it, and formulas as one types them.
///
/// Depth and length are bounded, so that any text is read in bounded time on a small stack.
struct MathParser {
  var tokens: [PlacedToken]
  var i = 0
  var depth = 0
  let depthLimit: Int
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
    guard i + ahead < tokens.count, case .mark(let c) = tokens[i + ahead].token else {
      return false
    }
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
    while i < tokens.count, isMark(",") || isMark(";") || isMark("!") || isMark(":") || isMark("*")
    {
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
}
