/// The variables of a block, and the block around it.
///
/// Every macro, loop and caught text has its own; `if` has not. A name is looked up when it is
/// used, from the inside out, which gives what Jinja's compiled code gives.
final class Scope {
  var variables: [NameIndex: TemplateValue] = [:]
  let parent: Scope?
  /// Whether a macro holds this scope, so that the interpreter must empty it at its end.
  var isHeld = false

  init(in parent: Scope?) { self.parent = parent }
}

/// What has been written, and where `generation` blocks are in it.
struct TemplateOutput {
  var text = TemplateText()
  var generationRanges: [Range<Int>] = []
}

/// Carries out a template's statements, once.
///
/// It recurses as deep as the template is nested and calls its own macros, so it runs on a stack
/// of its own (`OwnStack`).
final class Interpreter {
  let budget: TemplateBudget
  let names: [String]
  let date: TemplateDate
  /// The line of the template that is carried out, for errors.
  var line = 1
  /// Where output goes: the last takes it.
  var outputs: [TemplateOutput] = [TemplateOutput()]
  /// How many evaluations are inside one another.
  private var depth = 0
  /// How many macros are inside one another.
  private var calls = 0
  /// The names that blocks and macros bind by themselves, if the template has them.
  let loopIndex: NameIndex?
  let callerIndex: NameIndex?
  let varargsIndex: NameIndex?
  let kwargsIndex: NameIndex?
  /// The functions among the names.
  let functions: [TemplateValue?]
  private let root = Scope(in: nil)
  private var heldScopes: [Scope] = []
  private var namespaces: [TemplateNamespace] = []

  /// What the stack of `OwnStack` is made for; the limits of nesting and calls are reached first
  /// unless both are used at once.
  private static let deepestEvaluation = 4_096

  init(names: [String], limits: TemplateLimits, date: TemplateDate) {
    self.names = names
    self.date = date
    budget = TemplateBudget(limits)
    loopIndex = names.firstIndex(of: "loop")
    callerIndex = names.firstIndex(of: "caller")
    varargsIndex = names.firstIndex(of: "varargs")
    kwargsIndex = names.firstIndex(of: "kwargs")
    functions = names.map { name in
      TemplateFunction(rawValue: name).map { .callable(TemplateCallable(.function($0))) }
    }
  }

  /// Runs the statements with the variables of the template.
  func run(_ statements: [Statement], variables: [String: TemplateValue]) throws -> TemplateOutput {
    defer { release() }
    for (index, name) in names.enumerated() {
      if let value = variables[name] { root.variables[index] = value }
    }
    _ = try execute(statements, root)
    return outputs[0]
  }

  /// Breaks the circles that macros and namespaces can make; all of them are held here, so none
  /// is freed through another, however long a chain they make.
  private func release() {
    for scope in heldScopes { scope.variables = [:] }
    for namespace in namespaces { namespace.attributes = [:] }
    root.variables = [:]
  }

  // MARK: What values need of the interpreter

  /// Makes a scope; it costs as much as a short list.
  func scope(in parent: Scope) throws -> Scope {
    try budget.charge(4)
    return Scope(in: parent)
  }

  /// Makes the value of a macro, which holds the scope it is written in.
  func callable(_ macro: Macro, in scope: Scope) throws -> TemplateValue {
    try budget.charge(4)
    if !scope.isHeld {
      scope.isHeld = true
      heldScopes.append(scope)
    }
    return .callable(TemplateCallable(.macro(macro, scope)))
  }

  func namespace() throws -> TemplateNamespace {
    try budget.charge(16)
    let namespace = TemplateNamespace()
    namespaces.append(namespace)
    return namespace
  }

  func list(_ items: [TemplateValue]) throws -> TemplateValue {
    .list(try TemplateList(items, budget))
  }

  func tuple(_ items: [TemplateValue]) throws -> TemplateValue {
    .tuple(try TemplateList(items, budget))
  }

  func generator(_ items: [TemplateValue]) throws -> TemplateValue {
    .sequence(try TemplateSequence(.generator, items, budget))
  }

  /// Counts one evaluation inside others.
  @inline(__always)
  func nested<Result>(_ body: () throws -> Result) throws -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepestEvaluation else {
      throw TemplateFault.limit("expressions and macro calls too deep inside one another.")
    }
    return try body()
  }

  /// Counts one macro inside others.
  func nestedCall<Result>(_ body: () throws -> Result) throws -> Result {
    guard calls < budget.limits.depth else {
      throw TemplateFault.limit("macro calls inside one another deeper than \(calls) levels.")
    }
    calls += 1
    let line = line
    defer { calls -= 1 }
    let result = try body()
    self.line = line
    return result
  }

  // MARK: Output

  /// Writes to where output goes now.
  func write(_ text: TemplateText) throws {
    let last = outputs.count - 1
    try check(length: outputs[last].text.count, and: text.count)
    try budget.charge(text)
    outputs[last].text.append(text)
  }

  private func check(length: Int, and more: Int) throws {
    guard length + more <= budget.limits.output else {
      throw TemplateFault.limit("the output is longer than \(budget.limits.output) bytes.")
    }
  }

  /// What `body` writes, as a text.
  func caught(_ body: () throws -> Void) throws -> TemplateText {
    outputs.append(TemplateOutput())
    defer { outputs.removeLast() }
    try body()
    return outputs[outputs.count - 1].text
  }
}
