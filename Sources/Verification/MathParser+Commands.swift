// What commands of LaTeX and functions take.
extension MathParser {
  mutating func command(_ name: String) throws(MathParsingError) -> MathExpression {
    if let function = MathNames.functions[name] { return try apply(function) }
    switch name {
    case "frac", "dfrac", "tfrac", "cfrac":
      let above = try argument()
      return .quotient(above, try argument())
    case "binom", "dbinom", "tbinom":
      let above = try argument()
      return .function(.binomial, [above, try argument()])
    case "sqrt":
      var degree: MathExpression?
      if take("[") {
        degree = try relation()
        try expect("]")
      }
      let radicand = try argument(isWholeNumber: true)
      if let degree { return .power(radicand, .quotient(.number(.one), degree)) }
      return .function(.sqrt, [radicand])
    case "pi": return .constant(.pi)
    case "infty", "infinity", "oo": return .constant(.infinity)
    case "emptyset", "varnothing": return .constant(.emptySet)
    case "{", "lbrace": return try braces()
    case "lbrack": return try bracketed(.square)
    case "lparen": return try bracketed(.round)
    case "langle":
      let items = try list(isBracketed: true)
      guard takeCommand("rangle"), !items.isEmpty else { throw .notUnderstood }
      return .bracketed(open: .angle, close: .angle, items)
    case "lfloor", "lceil":
      let inner = try relation()
      guard takeCommand(name == "lfloor" ? "rfloor" : "rceil") else { throw .notUnderstood }
      return .function(name == "lfloor" ? .floor : .ceil, [inner])
    case "|", "lvert", "vert", "lVert", "Vert": return try absoluteValue()
    case "mathbb", "Bbb":
      switch try flatName() {
      case "R": return .constant(.reals)
      case "Z": return .constant(.integers)
      case "Q": return .constant(.rationals)
      case "N": return .constant(.naturals)
      case "C": return .constant(.complexNumbers)
      default: throw .notUnderstood
      }
    case "overline", "bar", "underline", "widehat": return .symbol(name + " " + (try flatName()))
    case "vec", "hat", "overrightarrow", "tilde", "mathcal", "mathbf", "boldsymbol":
      return .symbol(try flatName())
    case "angle", "triangle": return .symbol(name + " " + (try flatName()))
    default: throw .notUnderstood
    }
  }

  /// After `\{`: the elements of a set, or the condition of a set that is built by one.
  private mutating func braces() throws(MathParsingError) -> MathExpression {
    let bars = openBars
    openBars = 0
    defer { openBars = bars }
    if case .letter = next, let bar = afterNext,
      bar == .mark(UInt8(ascii: "|")) || bar == .mark(UInt8(ascii: ":")) || bar == .command("mid")
    {
      i += 2
      let conditions = try list(isBracketed: true)
      guard takeCommand("}", "rbrace"), conditions.count == 1 else { throw .notUnderstood }
      return conditions[0]
    }
    if takeCommand("}", "rbrace") { return .constant(.emptySet) }
    let items = try list(isBracketed: true)
    guard takeCommand("}", "rbrace") else { throw .notUnderstood }
    return .set(items)
  }

  mutating func apply(_ function: MathFunction) throws(MathParsingError) -> MathExpression {
    var function = function
    var power: MathExpression?
    var base: MathExpression?
    while true {
      if take("^") {
        power = try exponent()
        let inverses: [MathFunction: MathFunction] = [
          .sin: .arcsin, .cos: .arccos, .tan: .arctan,
        ]
        if power == .minusOne, let inverse = inverses[function] {
          function = inverse
          power = nil
        }
      } else if function == .log, take("_") {
        base = try argument()
      } else {
        break
      }
    }
    var arguments: [MathExpression]
    if isMark("(") {
      i += 1
      let bars = openBars
      openBars = 0
      arguments = try list(isBracketed: true)
      openBars = bars
      try expect(")")
    } else {
      arguments = [try functionArgument()]
    }
    guard !arguments.isEmpty else { throw .notUnderstood }
    if function == .log { arguments.insert(base ?? .number(Rational(10)), at: 0) }
    let value = MathExpression.function(function, arguments)
    return power.map { .power(value, $0) } ?? value
  }

  /// What a function without brackets takes: `\sin 2x`, but of `\sin x \cos x` only `x`.
  private mutating func functionArgument() throws(MathParsingError) -> MathExpression {
    var isNegative = false
    while isMark("-") || isMark("+") {
      if isMark("-") { isNegative.toggle() }
      i += 1
    }
    var factors = [try factor()]
    loop: while true {
      switch next {
      case .letter: break
      case .command(let name):
        guard ["pi", "frac", "dfrac", "tfrac", "sqrt"].contains(name) else { break loop }
      default: break loop
      }
      factors.append(try factor())
    }
    if take("/") { factors = [.quotient(.product(factors), try factor())] }
    let value = factors.count == 1 ? factors[0] : MathExpression.product(factors)
    return isNegative ? value.negated : value
  }

  mutating func matrix(_ environment: String) throws(MathParsingError) -> MathExpression {
    guard environment.contains("matrix") || environment == "array" else { throw .notUnderstood }
    if environment == "array", isMark("{") { _ = try flatName() }
    let bars = openBars
    openBars = 0
    defer { openBars = bars }
    var rows: [[MathExpression]] = []
    var row: [MathExpression] = []
    while true {
      if case .end(let name) = next {
        guard name == environment else { throw .notUnderstood }
        i += 1
        break
      }
      row.append(try relation())
      if take("&") { continue }
      let isRow = next == .row
      if isRow { i += 1 }
      rows.append(row)
      row = []
      if !isRow {
        guard case .end = next else { throw .notUnderstood }
      }
    }
    guard row.isEmpty, let width = rows.first?.count, rows.allSatisfy({ $0.count == width }) else {
      throw .notUnderstood
    }
    return environment == "vmatrix"
      ? .function(.determinant, [.matrix(rows)]) : .matrix(rows)
  }
}
