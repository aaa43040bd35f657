extension Interpreter {
  /// How a row of statements ended.
  enum Ending { case normal, breakLoop, continueLoop }

  func execute(_ statements: [Statement], _ scope: Scope) throws -> Ending {
    for statement in statements {
      try budget.charge()
      let ending = try nested { try execute(statement, scope) }
      if ending != .normal { return ending }
    }
    return .normal
  }

  private func execute(_ statement: Statement, _ scope: Scope) throws -> Ending {
    switch statement {
    case .text(let text): try write(text)
    case .output(let expression, let line):
      self.line = line
      try write(printed(try evaluate(expression, scope)))
    case .set(let target, let expression, let line):
      self.line = line
      try assign(try evaluate(expression, scope), to: target, scope)
    case .setBlock(let target, let filters, let body, let line):
      let text = try filtered(body, filters, scope, line)
      try assign(text, to: target, scope)
    case .condition(let branches, let otherwise):
      for branch in branches {
        line = branch.line
        if try evaluate(branch.test, scope).isTrue { return try execute(branch.body, scope) }
      }
      return try execute(otherwise, scope)
    case .loop(let loop): try execute(loop, scope)
    case .macro(let macro, let line):
      self.line = line
      scope.variables[macro.index] = try callable(macro, in: scope)
    case .callBlock(let callee, let arguments, let body, let line):
      self.line = line
      let callee = try evaluate(callee, scope)
      var passed = try self.arguments(arguments, scope)
      passed.caller = try callable(body, in: scope)
      try write(printed(try call(callee, passed)))
    case .filterBlock(let filters, let body, let line):
      try write(printed(try filtered(body, filters, scope, line)))
    case .with(let assignments, let body, let line):
      self.line = line
      let inner = try self.scope(in: scope)
      for (target, value) in assignments {
        try assign(try evaluate(value, scope), to: target, inner)
      }
      return try execute(body, inner)
    case .generation(let body): try generation(body, scope)
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .normal
  }

  private func filtered(
    _ body: [Statement], _ filters: [FilterCall], _ scope: Scope, _ line: Int
  ) throws -> TemplateValue {
    let inner = try self.scope(in: scope)
    var value = TemplateValue.string(try caught { _ = try execute(body, inner) })
    self.line = line
    for call in filters {
      value = try apply(call.filter, to: value, try arguments(call.arguments, scope))
    }
    return value
  }

  /// Writes the body and notes where it is; in a caught text that is not known yet, and lost.
  private func generation(_ body: [Statement], _ scope: Scope) throws {
    let output = outputs.count - 1
    let start = outputs[output].text.count
    _ = try execute(body, try self.scope(in: scope))
    try budget.charge()
    outputs[output].generationRanges.append(start..<outputs[output].text.count)
  }

  // MARK: Assignment

  func assign(_ value: TemplateValue, to target: Target, _ scope: Scope) throws {
    try budget.charge()
    switch target {
    case .name(let index): scope.variables[index] = value
    case .attribute(let index, let attribute):
      guard case .namespace(let namespace) = lookUp(index, scope) else {
        throw TemplateFault.evaluation(
          "'\(names[index]).\(attribute)' is set, and '\(names[index])' is no namespace.")
      }
      try set(attribute, of: namespace, value)
    case .tuple(let targets):
      let items = try elements(value)
      guard items.count == targets.count else {
        throw TemplateFault.evaluation(
          "\(items.count) values for \(targets.count) names. Give each name one.")
      }
      for (target, item) in zip(targets, items) { try assign(item, to: target, scope) }
    }
  }

  func set(_ attribute: String, of namespace: TemplateNamespace, _ value: TemplateValue) throws {
    guard !attribute.utf8.starts(with: "_".utf8) else {
      throw TemplateFault.evaluation(
        "the attribute '\(attribute)' of a namespace begins with '_'. Rename it.")
    }
    try budget.charge(10)
    namespace.attributes[Array(attribute.utf8)] = value
  }

  // MARK: Loops

  private func execute(_ loop: ForLoop, _ scope: Scope) throws {
    line = loop.line
    let state = LoopState(loop, try elements(try evaluate(loop.iterated, scope)), scope, self)
    defer { state.finish() }
    while let item = try state.next() {
      try budget.charge()
      let inner = try self.scope(in: scope)
      if let loopIndex { inner.variables[loopIndex] = .loop(state) }
      try assign(item, to: loop.target, inner)
      if try execute(loop.body, inner) == .breakLoop { break }
    }
    if state.index0 < 0 { _ = try execute(loop.otherwise, try self.scope(in: scope)) }
  }

  /// Whether a loop's condition takes an element.
  func takes(_ item: TemplateValue, _ loop: ForLoop, _ scope: Scope) throws -> Bool {
    guard let condition = loop.condition else { return true }
    let inner = try self.scope(in: scope)
    try assign(item, to: loop.target, inner)
    return try evaluate(condition, inner).isTrue
  }
}

/// A loop as its body sees it, under the name `loop`.
final class LoopState {
  let loop: ForLoop
  /// The number of the element before this one, from 0; -1 before the first.
  private(set) var index0 = -1
  private(set) var current: TemplateValue?
  private(set) var previous: TemplateValue?
  /// What `changed` was asked with.
  var lastChecked: [TemplateValue]?
  private let source: [TemplateValue]
  /// How many elements were taken from the source.
  private var taken = 0
  /// Elements that the condition let through before their turn.
  private var ahead: [TemplateValue] = []
  private var aheadStart = 0
  private var scope: Scope?
  private unowned let interpreter: Interpreter

  init(
    _ loop: ForLoop, _ source: [TemplateValue], _ scope: Scope, _ interpreter: Interpreter
  ) {
    self.loop = loop
    self.source = source
    self.scope = scope
    self.interpreter = interpreter
  }

  /// Forgets what the loop is in, which may hold the loop.
  func finish() {
    scope = nil
    taken = source.count
  }

  /// Goes on to the next element; the condition is asked as late as Jinja asks it.
  func next() throws -> TemplateValue? {
    let item: TemplateValue?
    if aheadStart < ahead.count {
      item = ahead[aheadStart]
      aheadStart += 1
    } else {
      item = try fetch()
    }
    guard let item else { return nil }
    index0 += 1
    previous = current
    current = item
    return item
  }

  private func fetch() throws -> TemplateValue? {
    while taken < source.count {
      let item = source[taken]
      taken += 1
      guard let scope, loop.condition != nil else { return item }
      try interpreter.budget.charge()
      if try interpreter.takes(item, loop, scope) { return item }
    }
    return nil
  }

  /// The element after this one.
  func nextItem() throws -> TemplateValue? {
    if aheadStart < ahead.count { return ahead[aheadStart] }
    guard let item = try fetch() else { return nil }
    ahead = [item]
    aheadStart = 0
    return item
  }

  /// The number of all elements.
  func length() throws -> Int {
    if loop.condition == nil {
      return source.count
    }
    while let item = try fetch() { ahead.append(item) }
    return index0 + 1 + ahead.count - aheadStart
  }
}
