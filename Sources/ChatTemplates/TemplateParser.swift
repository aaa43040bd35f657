/// Reads a template's tokens into statements; the grammar is that of `jinja2/parser.py`.
struct TemplateParser {
  let source: TemplateText
  let tokens: [TemplateToken]
  let limits: TemplateLimits
  var position = 0
  /// The names that are assigned or looked up, each once.
  private(set) var names: [String] = []
  private var indexes: [String: NameIndex] = [:]
  /// How many blocks and brackets are open.
  private var depth = 0
  /// How many loops are open in the macro that is read.
  private var loops = 0
  /// Which of `varargs`, `kwargs` and `caller` the macro that is read speaks of.
  private var spoken: Set<String> = []

  init(_ lexer: TemplateLexer, limits: TemplateLimits) {
    source = lexer.source
    tokens = lexer.tokens
    self.limits = limits
  }

  /// Reads the whole template.
  mutating func parse() throws -> [Statement] { try statements(until: []) }

  // MARK: Tokens

  var token: TemplateToken { tokens[min(position, tokens.count - 1)] }
  var line: Int { token.line }

  func bytes(_ token: TemplateToken) -> ArraySlice<UInt8> { source.bytes[token.range] }
  func string(_ token: TemplateToken) -> String { String(decoding: bytes(token), as: UTF8.self) }

  func isNext(_ kind: TemplateToken.Kind, _ word: String) -> Bool {
    token.kind == kind && bytes(token).elementsEqual(word.utf8)
  }

  func isNext(symbol: String) -> Bool { isNext(.symbol, symbol) }
  func isNext(word: String) -> Bool { isNext(.name, word) }

  mutating func take(symbol: String) -> Bool {
    guard isNext(symbol: symbol) else { return false }
    position += 1
    return true
  }

  mutating func take(word: String) -> Bool {
    guard isNext(word: word) else { return false }
    position += 1
    return true
  }

  mutating func expect(symbol: String) throws {
    guard take(symbol: symbol) else { throw unexpected("where '\(symbol)' must be") }
  }

  mutating func expectName() throws -> String {
    guard token.kind == .name else { throw unexpected("where a name must be") }
    defer { position += 1 }
    return string(token)
  }

  func unexpected(_ place: String) -> TemplateFault {
    let found =
      switch token.kind {
      case .end: "the end of the template"
      case .data: "text"
      case .outputBegin, .blockBegin: "the beginning of a tag"
      case .outputEnd, .blockEnd: "the end of the tag"
      default: "'\(string(token).prefix(40))'"
      }
    return .syntax("\(found) \(place).")
  }

  mutating func index(of name: String) -> NameIndex {
    if let index = indexes[name] { return index }
    indexes[name] = names.count
    names.append(name)
    return names.count - 1
  }

  /// The index of a name that is looked up.
  mutating func lookUp(_ name: String) -> NameIndex {
    if name == "varargs" || name == "kwargs" || name == "caller" { spoken.insert(name) }
    return index(of: name)
  }

  /// Counts one level of nesting while `read` reads it.
  mutating func nested<Result>(_ read: (inout Self) throws -> Result) throws -> Result {
    depth += 1
    try check(depth: depth)
    let result = try read(&self)
    depth -= 1
    return result
  }

  /// Checks a depth that is reached at once, without nesting the calls.
  func check(depth: Int) throws {
    guard depth <= limits.depth else {
      throw TemplateFault.limit(
        "blocks and brackets inside one another deeper than \(limits.depth) levels.")
    }
  }

  func check(level: Int) throws { try check(depth: depth + level) }

  // MARK: Statements

  /// Reads up to a tag that begins with one of the words, and stands before that word.
  private mutating func statements(until ends: [String]) throws -> [Statement] {
    var result: [Statement] = []
    while true {
      switch token.kind {
      case .data:
        result.append(.text(TemplateText(Array(bytes(token)))))
        position += 1
      case .outputBegin:
        let line = line
        position += 1
        let value = try tuple()
        guard token.kind == .outputEnd else { throw unexpected("where '}}' must be") }
        position += 1
        result.append(.output(value, line: line))
      case .blockBegin:
        position += 1
        if token.kind == .name, ends.contains(where: { isNext(word: $0) }) { return result }
        try result.append(contentsOf: nested { try $0.statement() })
        guard token.kind == .blockEnd else { throw unexpected("where '%}' must be") }
        position += 1
      default:
        if let last = ends.last {
          throw TemplateFault.syntax("the end of the template where '\(last)' must be.")
        }
        return result
      }
    }
  }

  /// Reads a block's body after its first tag; the word that ends it is taken, its tag is not.
  private mutating func body(until ends: String...) throws -> (body: [Statement], end: String) {
    _ = take(symbol: ":")
    guard token.kind == .blockEnd else { throw unexpected("where '%}' must be") }
    position += 1
    let body = try statements(until: ends)
    return (body, try expectName())
  }

  private mutating func statement() throws -> [Statement] {
    guard token.kind == .name else { throw unexpected("where the name of a tag must be") }
    let line = line
    let tag = string(token)
    position += 1
    switch tag {
    case "set": return [try set(line)]
    case "if": return [try condition(line)]
    case "for": return [try loop(line)]
    case "macro": return [try macro(line)]
    case "call": return [try callBlock(line)]
    case "filter":
      let filters = try filterCalls(isFirst: true)
      return [.filterBlock(filters, try body(until: "endfilter").body, line: line)]
    case "with": return [try with(line)]
    case "print":
      var outputs: [Statement] = []
      while token.kind != .blockEnd {
        if !outputs.isEmpty { try expect(symbol: ",") }
        outputs.append(.output(try expression(), line: line))
      }
      return outputs
    case "generation":
      let outer = loops
      loops = 0
      defer { loops = outer }
      return [.generation(try body(until: "endgeneration").body)]
    case "break", "continue":
      guard loops > 0 else { throw TemplateFault.syntax("'\(tag)' outside of a loop.") }
      return [tag == "break" ? .breakLoop : .continueLoop]
    case "autoescape", "block", "do", "extends", "from", "import", "include", "trans":
      throw TemplateFault.unsupported("the tag '\(tag)' is not known in chat templates.")
    default:
      throw TemplateFault.syntax("the tag '\(tag)' is not known.")
    }
  }

  private mutating func set(_ line: Int) throws -> Statement {
    let target = try target(withAttributes: true)
    if take(symbol: "=") { return .set(target, try tuple(), line: line) }
    let filters = try filterCalls(isFirst: false)
    return .setBlock(target, filters, try body(until: "endset").body, line: line)
  }

  private mutating func condition(_ first: Int) throws -> Statement {
    var branches: [Statement.Branch] = []
    var line = first
    while true {
      let test = try tuple(withConditional: false)
      let (body, end) = try body(until: "elif", "else", "endif")
      branches.append(Statement.Branch(test: test, line: line, body: body))
      line = self.line
      if end == "elif" { continue }
      let otherwise = end == "else" ? try self.body(until: "endif").body : []
      return .condition(branches, otherwise: otherwise)
    }
  }

  private mutating func loop(_ line: Int) throws -> Statement {
    let target = try target(withAttributes: false)
    guard take(word: "in") else { throw unexpected("where 'in' must be") }
    let iterated = try tuple(withConditional: false, end: "recursive")
    let condition = take(word: "if") ? try expression() : nil
    if isNext(word: "recursive") {
      throw TemplateFault.unsupported("'recursive' loops are not known. Use a macro.")
    }
    loops += 1
    let (body, end) = try body(until: "endfor", "else")
    loops -= 1
    let otherwise = end == "else" ? try self.body(until: "endfor").body : []
    return .loop(
      ForLoop(
        target: target, iterated: iterated, condition: condition, body: body,
        otherwise: otherwise, line: line))
  }

  private mutating func with(_ line: Int) throws -> Statement {
    var assignments: [(target: Target, value: Expression)] = []
    while token.kind != .blockEnd {
      if !assignments.isEmpty { try expect(symbol: ",") }
      let target = try target(withAttributes: false)
      try expect(symbol: "=")
      assignments.append((target, try expression()))
    }
    return .with(assignments, try body(until: "endwith").body, line: line)
  }

  // MARK: Macros

  private mutating func macro(_ line: Int) throws -> Statement {
    let name = try expectName()
    let index = index(of: name)
    return .macro(try macroRest(name, index, until: "endmacro"), line: line)
  }

  private mutating func callBlock(_ line: Int) throws -> Statement {
    let callerIndex = index(of: "caller")
    let parameters = isNext(symbol: "(") ? try signature() : []
    guard case .suffixed(let base, var suffixes) = try expression(),
      case .call(let arguments, _)? = suffixes.popLast()
    else { throw TemplateFault.syntax("'call' is not followed by the call of a macro.") }
    let macro = try macroRest("caller", callerIndex, parameters, until: "endcall")
    return .callBlock(
      suffixes.isEmpty ? base : .suffixed(base, suffixes), arguments, macro, line: line)
  }

  /// Reads a macro after its name, with what it speaks of told apart from what is around it.
  private mutating func macroRest(
    _ name: String, _ index: NameIndex, _ known: [Macro.Parameter]? = nil, until end: String
  ) throws -> Macro {
    let outer = (loops, spoken)
    loops = 0
    spoken = []
    let parameters = try known ?? signature()
    let body = try body(until: end).body
    let declared = Set(parameters.map { $0.name })
    let taken = spoken.subtracting(declared)
    (loops, spoken) = (outer.0, outer.1.union(taken.intersection(["caller"])))
    return Macro(
      name: name, index: index, parameters: parameters, body: body,
      takesVarargs: taken.contains("varargs"), takesKwargs: taken.contains("kwargs"),
      takesCaller: spoken.contains("caller") || declared.contains("caller"))
  }

  private mutating func signature() throws -> [Macro.Parameter] {
    var parameters: [Macro.Parameter] = []
    var names: Set<String> = []
    try expect(symbol: "(")
    while !isNext(symbol: ")") {
      if !parameters.isEmpty { try expect(symbol: ",") }
      let name = try expectName()
      guard names.insert(name).inserted else {
        throw TemplateFault.syntax("the parameter '\(name)' a second time. Keep one of them.")
      }
      let standard = take(symbol: "=") ? try expression() : nil
      if standard == nil, let last = parameters.last, last.standard != nil {
        throw TemplateFault.syntax(
          "the parameter '\(name)' needs a default, as the one before has.")
      }
      parameters.append(Macro.Parameter(name: name, index: index(of: name), standard: standard))
    }
    try expect(symbol: ")")
    return parameters
  }

  // MARK: Targets

  /// Reads what a value is assigned to: names with commas between, perhaps in brackets.
  private mutating func target(withAttributes: Bool) throws -> Target {
    var targets: [Target] = []
    var isTuple = false
    while true {
      let ends =
        token.kind == .blockEnd || isNext(symbol: ")") || isNext(word: "in") || isNext(symbol: "=")
      if ends, isTuple { break }
      targets.append(try oneTarget(withAttributes))
      guard take(symbol: ",") else { break }
      isTuple = true
    }
    return isTuple ? .tuple(targets) : targets[0]
  }

  private mutating func oneTarget(_ withAttributes: Bool) throws -> Target {
    if take(symbol: "(") {
      let inner = try nested { try $0.target(withAttributes: withAttributes) }
      try expect(symbol: ")")
      return inner
    }
    let name = try expectName()
    guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
      throw TemplateFault.syntax("'\(name)' cannot be assigned to.")
    }
    if withAttributes, take(symbol: ".") {
      return .attribute(index(of: name), try expectName())
    }
    return .name(index(of: name))
  }
}
