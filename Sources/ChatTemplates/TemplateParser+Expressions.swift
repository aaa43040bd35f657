extension TemplateParser {
  /// Reads an expression, or several with commas between, which make a tuple.
  mutating func tuple(
    withConditional: Bool = true, end: String? = nil, isInBrackets: Bool = false
  ) throws -> Expression {
    var items: [Expression] = []
    var isTuple = false
    while true {
      if isEndOfTuple(end) { break }
      items.append(try withConditional ? expression() : alternatives())
      guard take(symbol: ",") else { break }
      isTuple = true
    }
    if isTuple { return .tuple(items) }
    if let only = items.first { return only }
    guard isInBrackets else { throw unexpected("where an expression must be") }
    return .tuple([])
  }

  private func isEndOfTuple(_ end: String?) -> Bool {
    switch token.kind {
    case .outputEnd, .blockEnd: return true
    default: break
    }
    return isNext(symbol: ")") || end.map { isNext(word: $0) } == true
  }

  /// Reads an expression: `value if test else otherwise`, or what is in it.
  mutating func expression() throws -> Expression {
    try nested { parser in
      var value = try parser.alternatives()
      var level = 0
      while parser.take(word: "if") {
        level += 1
        try parser.check(level: level)
        let test = try parser.alternatives()
        let otherwise = parser.take(word: "else") ? try parser.expression() : nil
        value = .conditional(test: test, value: value, otherwise: otherwise)
      }
      return value
    }
  }

  private mutating func alternatives() throws -> Expression {
    var operands = [try conjunction()]
    while take(word: "or") { operands.append(try conjunction()) }
    return operands.count == 1 ? operands[0] : .or(operands)
  }

  private mutating func conjunction() throws -> Expression {
    var operands = [try negation()]
    while take(word: "and") { operands.append(try negation()) }
    return operands.count == 1 ? operands[0] : .and(operands)
  }

  private mutating func negation() throws -> Expression {
    if take(word: "not") { return .not(try nested { try $0.negation() }) }
    return try comparison()
  }

  private static let relations: [Relation] = [
    .equal, .notEqual, .lessOrEqual, .less, .greaterOrEqual, .greater,
  ]

  private mutating func comparison() throws -> Expression {
    let first = try sum()
    var steps: [Expression.Comparison] = []
    while let relation = relation() {
      steps.append(Expression.Comparison(relation: relation, operand: try sum()))
    }
    return steps.isEmpty ? first : .comparison(first, steps)
  }

  private mutating func relation() -> Relation? {
    if take(word: "in") { return .isIn }
    if isNext(word: "not"), position + 1 < tokens.count, tokens[position + 1].kind == .name,
      bytes(tokens[position + 1]).elementsEqual("in".utf8)
    {
      position += 2
      return .isNotIn
    }
    guard token.kind == .symbol else { return nil }
    return Self.relations.first { take(symbol: $0.rawValue) }
  }

  private mutating func chain(
    _ operations: [Arithmetic], _ operand: (inout Self) throws -> Expression
  ) throws -> Expression {
    let first = try operand(&self)
    var steps: [Expression.Step] = []
    while token.kind == .symbol, let next = operations.first(where: { take(symbol: $0.rawValue) }) {
      steps.append(Expression.Step(operation: next, operand: try operand(&self)))
    }
    return steps.isEmpty ? first : .arithmetic(first, steps)
  }

  private mutating func sum() throws -> Expression {
    try chain([.add, .subtract]) { try $0.concatenation() }
  }

  private mutating func concatenation() throws -> Expression {
    var operands = [try product()]
    while take(symbol: "~") { operands.append(try product()) }
    return operands.count == 1 ? operands[0] : .concatenation(operands)
  }

  private mutating func product() throws -> Expression {
    try chain([.multiply, .divide, .floorDivide, .remainder]) { parser in
      try parser.chain([.power]) { try $0.unary() }
    }
  }

  /// Reads a sign with its operand, or a value with what follows it. Filters bind weaker than a
  /// sign, attributes and calls stronger: `-x.y|abs` is `(-(x.y))|abs`.
  private mutating func unary(withFilters: Bool = true) throws -> Expression {
    var suffixes: [Suffix] = []
    let base: Expression
    if take(symbol: "-") {
      base = .negative(try nested { try $0.unary(withFilters: false) })
    } else if take(symbol: "+") {
      base = .positive(try nested { try $0.unary(withFilters: false) })
    } else {
      base = try primary()
    }
    try addSuffixes(to: &suffixes)
    if withFilters { try addFilters(to: &suffixes) }
    return suffixes.isEmpty ? base : .suffixed(base, suffixes)
  }

  private mutating func primary() throws -> Expression {
    let first = token
    switch first.kind {
    case .name:
      position += 1
      switch string(first) {
      case "true", "True": return .bool(true)
      case "false", "False": return .bool(false)
      case "none", "None": return .none
      case let name: return .name(lookUp(name))
      }
    case .string:
      var text: [UInt8] = []
      while token.kind == .string {
        text += try unescaped(bytes(token).dropFirst().dropLast())
        position += 1
      }
      return .text(TemplateText(text))
    case .integer:
      position += 1
      return .int(try integer(first))
    case .float:
      position += 1
      let digits = string(first).filter { $0 != "_" }
      guard let value = Double(digits) else { throw unexpected("where a number must be") }
      return .float(value)
    case .symbol:
      if take(symbol: "(") {
        let inner = try nested { try $0.tuple(isInBrackets: true) }
        try expect(symbol: ")")
        return inner
      }
      if take(symbol: "[") { return .list(try items(until: "]") { try $0.expression() }) }
      if take(symbol: "{") {
        return .dictionary(
          try items(until: "}") { parser in
            let key = try parser.expression()
            try parser.expect(symbol: ":")
            return Expression.Pair(key: key, value: try parser.expression())
          })
      }
    default: break
    }
    throw unexpected("where a value must be")
  }

  /// Reads items with commas between, and the bracket after them.
  private mutating func items<Item>(
    until end: String, _ read: (inout Self) throws -> Item
  ) throws -> [Item] {
    var items: [Item] = []
    while !isNext(symbol: end) {
      if !items.isEmpty {
        try expect(symbol: ",")
        if isNext(symbol: end) { break }
      }
      items.append(try read(&self))
    }
    try expect(symbol: end)
    return items
  }

  // MARK: Suffixes

  private mutating func addSuffixes(to suffixes: inout [Suffix]) throws {
    while token.kind == .symbol {
      let line = line
      if take(symbol: ".") {
        if token.kind == .integer {
          suffixes.append(.item(.int(try integer(token)), line: line))
          position += 1
        } else {
          suffixes.append(.attribute(try expectName(), line: line))
        }
      } else if take(symbol: "[") {
        suffixes.append(try subscripted(line))
      } else if isNext(symbol: "(") {
        suffixes.append(.call(try arguments(), line: line))
      } else {
        return
      }
    }
  }

  private mutating func addFilters(to suffixes: inout [Suffix]) throws {
    while true {
      if isNext(symbol: "|") {
        suffixes += try filterCalls(isFirst: false).map { .filter($0) }
      } else if isNext(word: "is") {
        suffixes.append(try test())
      } else if isNext(symbol: "(") {
        suffixes.append(.call(try arguments(), line: line))
      } else {
        return
      }
    }
  }

  private mutating func subscripted(_ line: Int) throws -> Suffix {
    guard !isNext(symbol: "]") else { throw unexpected("where an index must be") }
    let start = isNext(symbol: ":") ? nil : try expression()
    guard take(symbol: ":") else {
      if isNext(symbol: ",") {
        throw TemplateFault.unsupported("an index of several values is not known.")
      }
      try expect(symbol: "]")
      return .item(start ?? .none, line: line)
    }
    let stop = isNext(symbol: ":") || isNext(symbol: "]") ? nil : try expression()
    var step: Expression?
    if take(symbol: ":"), !isNext(symbol: "]") { step = try expression() }
    try expect(symbol: "]")
    return .slice(start, stop, step, line: line)
  }

  private mutating func arguments() throws -> Arguments {
    var arguments = Arguments()
    var isFirst = true
    var names: Set<String> = []
    try expect(symbol: "(")
    while !isNext(symbol: ")") {
      if !isFirst {
        try expect(symbol: ",")
        if isNext(symbol: ")") { break }
      }
      isFirst = false
      if take(symbol: "**") {
        guard arguments.namedSpread == nil else { throw misplacedArgument }
        arguments.namedSpread = try expression()
      } else if take(symbol: "*") {
        guard arguments.spread == nil, arguments.namedSpread == nil else { throw misplacedArgument }
        arguments.spread = try expression()
      } else if token.kind == .name, position + 1 < tokens.count,
        tokens[position + 1].kind == .symbol,
        bytes(tokens[position + 1]).elementsEqual("=".utf8)
      {
        guard arguments.namedSpread == nil else { throw misplacedArgument }
        let name = try expectName()
        position += 1
        guard names.insert(name).inserted else {
          throw TemplateFault.syntax("the argument '\(name)' a second time. Keep one of them.")
        }
        arguments.named.append((name, try expression()))
      } else {
        guard arguments.named.isEmpty, arguments.spread == nil, arguments.namedSpread == nil
        else { throw misplacedArgument }
        arguments.positional.append(try expression())
      }
    }
    try expect(symbol: ")")
    return arguments
  }

  private var misplacedArgument: TemplateFault {
    unexpected("where it cannot be among arguments")
  }

  /// Reads filters with a bar between; the first one after a bar too, unless it is the first
  /// thing in its tag.
  mutating func filterCalls(isFirst: Bool) throws -> [FilterCall] {
    var calls: [FilterCall] = []
    var isFirst = isFirst
    while isFirst || take(symbol: "|") {
      isFirst = false
      let line = line
      let name = try expectName()
      guard let filter = TemplateFilter(rawValue: name) else {
        throw TemplateFault.unsupported("the filter '\(name)' is not known.")
      }
      let arguments = isNext(symbol: "(") ? try arguments() : Arguments()
      if filter.isMarkup, !(token.kind == .outputEnd) {
        throw TemplateFault.unsupported(
          "the filter '\(name)' is only known at the end of an output.")
      }
      calls.append(FilterCall(filter: filter, arguments: arguments, line: line))
    }
    return calls
  }

  private mutating func test() throws -> Suffix {
    let line = line
    position += 1
    let isNegated = take(word: "not")
    let name = try expectName()
    guard let test = TemplateTest(name: name) else {
      throw TemplateFault.unsupported("the test '\(name)' is not known.")
    }
    var arguments = Arguments()
    if isNext(symbol: "(") {
      arguments = try self.arguments()
    } else {
      switch token.kind {
      case .name where isNext(word: "else") || isNext(word: "or") || isNext(word: "and"): break
      case .name where isNext(word: "is"):
        throw TemplateFault.syntax("'is' a second time for one value.")
      case .name, .string, .integer, .float: arguments.positional = [try testOperand()]
      case .symbol where isNext(symbol: "[") || isNext(symbol: "{"):
        arguments.positional = [try testOperand()]
      default: break
      }
    }
    return .test(test, arguments, isNegated: isNegated, line: line)
  }

  private mutating func testOperand() throws -> Expression {
    try nested { parser in
      let base = try parser.primary()
      var suffixes: [Suffix] = []
      try parser.addSuffixes(to: &suffixes)
      return suffixes.isEmpty ? base : .suffixed(base, suffixes)
    }
  }
}
