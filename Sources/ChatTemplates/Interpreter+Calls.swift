/// The arguments of a call, evaluated.
struct PassedArguments {
  var positional: [TemplateValue] = []
  var named: [(name: String, value: TemplateValue)] = []
  /// Names that the input wrote, through `**`.
  var inputNames: Set<String> = []
  /// The body of a call block.
  var caller: TemplateValue?

  /// A name as a text, with where it came from.
  func text(_ name: String) -> TemplateValue {
    .string(TemplateText(name, isInput: inputNames.contains(name)))
  }

  /// Puts the arguments to a function's parameters; nil for those not given.
  ///
  /// - Throws: `TemplateFault` for more arguments than parameters, or names that are none.
  func bound(to parameters: [String], of function: String) throws -> [TemplateValue?] {
    guard positional.count <= parameters.count else {
      throw TemplateFault.evaluation(
        "\(positional.count) arguments for '\(function)', which takes \(parameters.count).")
    }
    var values = positional.map { TemplateValue?.some($0) }
    values += repeatElement(nil, count: parameters.count - positional.count)
    for (name, value) in named {
      guard let place = parameters.firstIndex(of: name), values[place] == nil else {
        throw TemplateFault.evaluation("'\(function)' takes no argument '\(name)' here.")
      }
      values[place] = value
    }
    return values
  }
}

extension Interpreter {
  func arguments(_ arguments: Arguments, _ scope: Scope) throws -> PassedArguments {
    var passed = PassedArguments()
    guard !arguments.isEmpty else { return passed }
    passed.positional = try evaluate(all: arguments.positional, scope)
    passed.named = try arguments.named.map { ($0.name, try evaluate($0.value, scope)) }
    if let spread = arguments.spread {
      let items = try elements(try evaluate(spread, scope))
      try budget.chargeElements(items.count)
      passed.positional += items
    }
    if let spread = arguments.namedSpread {
      guard case .dictionary(let members) = try evaluate(spread, scope) else {
        throw TemplateFault.evaluation("'**' before an argument that is no dict.")
      }
      try budget.chargeElements(members.count)
      for (key, value) in members.members {
        guard case .string(let name) = key else {
          throw TemplateFault.evaluation("'**' before a dict with a key that is no str.")
        }
        passed.named.append((name.string, value))
        if name.hasInput { passed.inputNames.insert(name.string) }
      }
    }
    return passed
  }

  func call(_ value: TemplateValue, _ arguments: PassedArguments) throws -> TemplateValue {
    switch value {
    case .undefined(let missing): throw missing.fault
    case .callable(let callable):
      switch callable.kind {
      case .function(let function): return try call(function, arguments)
      case .macro(let macro, let scope): return try call(macro, arguments, scope)
      case .method(let value, let name): return try callMethod(name, of: value, arguments)
      case .cycler(let items):
        guard !items.isEmpty else { return .none }
        defer { callable.position = (callable.position + 1) % items.count }
        return items[callable.position]
      case .joiner(let separator):
        defer { callable.position = 1 }
        return .string(callable.position == 0 ? TemplateText() : separator)
      }
    case .loop:
      throw TemplateFault.unsupported("'loop' is called, and 'recursive' loops are not known.")
    default: throw TemplateFault.evaluation("a \(value.kind) cannot be called.")
    }
  }

  // MARK: Macros

  private func call(
    _ macro: Macro, _ arguments: PassedArguments, _ outer: Scope
  ) throws -> TemplateValue {
    let scope = try scope(in: outer)
    let parameters = macro.parameters
    var given = Set<NameIndex>()
    for (parameter, value) in zip(parameters, arguments.positional) {
      scope.variables[parameter.index] = value
      given.insert(parameter.index)
    }
    let extra = Array(arguments.positional.dropFirst(parameters.count))
    let others = TemplateDictionary()
    for (name, value) in arguments.named {
      try budget.charge(1 + parameters.count / 4)
      if let parameter = parameters.first(where: { $0.name == name }) {
        guard given.insert(parameter.index).inserted else {
          throw TemplateFault.evaluation("the macro '\(macro.name)' is given '\(name)' twice.")
        }
        scope.variables[parameter.index] = value
      } else if name == "caller", macro.takesCaller {
        if let callerIndex { scope.variables[callerIndex] = value }
      } else if macro.takesKwargs {
        try others.set(arguments.text(name), value, budget)
      } else {
        throw TemplateFault.evaluation("the macro '\(macro.name)' takes no argument '\(name)'.")
      }
    }
    if !extra.isEmpty, !macro.takesVarargs {
      throw TemplateFault.evaluation(
        "the macro '\(macro.name)' takes \(parameters.count) arguments, and is given "
          + "\(arguments.positional.count).")
    }
    if macro.takesVarargs, let varargsIndex {
      scope.variables[varargsIndex] = try tuple(extra)
    }
    if macro.takesKwargs, let kwargsIndex { scope.variables[kwargsIndex] = .dictionary(others) }
    if let caller = arguments.caller {
      guard macro.takesCaller else {
        throw TemplateFault.evaluation("the macro '\(macro.name)' does not use 'caller'.")
      }
      if let callerIndex { scope.variables[callerIndex] = caller }
    } else if macro.takesCaller, !arguments.named.contains(where: { $0.name == "caller" }) {
      if let callerIndex { scope.variables[callerIndex] = .undefined(Missing("caller")) }
    }
    let text = try nested {
      try nestedCall {
        for parameter in parameters where !given.contains(parameter.index) {
          // A default sees the parameters before it, and none after.
          scope.variables[parameter.index] = .undefined(Missing(parameter.name))
        }
        for parameter in parameters where !given.contains(parameter.index) {
          guard let standard = parameter.standard else { continue }
          scope.variables[parameter.index] = try evaluate(standard, scope)
        }
        return try caught { _ = try execute(macro.body, scope) }
      }
    }
    return .string(text)
  }

  // MARK: Functions

  private func call(
    _ function: TemplateFunction, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    switch function {
    case .range: return try range(arguments)
    case .dict, .namespace:
      let members = TemplateDictionary()
      if let first = arguments.positional.first {
        guard arguments.positional.count == 1 else {
          throw TemplateFault.evaluation("'\(function.rawValue)' takes one dict, and names.")
        }
        try add(first, to: members)
      }
      for (name, value) in arguments.named {
        try members.set(arguments.text(name), value, budget)
      }
      guard function == .namespace else { return .dictionary(members) }
      let namespace = try namespace()
      for (key, value) in members.members {
        guard case .string(let name) = key else {
          throw TemplateFault.evaluation("a namespace with an attribute that is no str.")
        }
        try set(name.string, of: namespace, value)
      }
      return .namespace(namespace)
    case .cycler:
      guard !arguments.positional.isEmpty else {
        throw TemplateFault.evaluation("'cycler' needs at least one value.")
      }
      return .callable(TemplateCallable(.cycler(arguments.positional)))
    case .joiner:
      let separator = try arguments.bound(to: ["sep"], of: "joiner")[0]
      return .callable(
        TemplateCallable(.joiner(try separator.map { try printed($0) } ?? TemplateText(", "))))
    case .raiseException:
      guard let value = try arguments.bound(to: ["message"], of: "raise_exception")[0] else {
        throw TemplateFault.evaluation("'raise_exception' needs a message.")
      }
      let message = try printed(value).string
      throw TemplateFault(kind: .raised(message), message: "the template says: \(message)")
    case .strftimeNow:
      guard case .string(let format)? = try arguments.bound(to: ["format"], of: "strftime_now")[0]
      else { throw TemplateFault.evaluation("'strftime_now' needs a format, which is a str.") }
      guard format.count <= 1_000 else {
        throw TemplateFault.limit("a format of time with more than 1000 bytes.")
      }
      let text = try date.formatted(format.string)
      try budget.chargeText(bytes: text.utf8.count)
      return .string(TemplateText(text, isInput: format.hasInput))
    }
  }

  /// Adds what `dict(value)` takes: a dictionary, or pairs.
  private func add(_ value: TemplateValue, to members: TemplateDictionary) throws {
    if case .undefined(let missing) = value { throw missing.fault }
    if case .dictionary(let other) = value {
      for (key, value) in other.members { try members.set(key, value, budget) }
      return
    }
    for item in try elements(value) {
      let pair = try elements(item)
      guard pair.count == 2 else {
        throw TemplateFault.evaluation("a dict is made of pairs, and one has \(pair.count) values.")
      }
      try members.set(pair[0], pair[1], budget)
    }
  }

  private func range(_ arguments: PassedArguments) throws -> TemplateValue {
    let bounds = try arguments.bound(to: ["start", "stop", "step"], of: "range").compactMap {
      try $0.map { try integer($0, for: "range") }
    }
    guard let first = bounds.first else {
      throw TemplateFault.evaluation("'range' needs at least one number.")
    }
    let (start, stop) = bounds.count > 1 ? (first, bounds[1]) : (0, first)
    let step = bounds.count > 2 ? bounds[2] : 1
    guard step != 0 else { throw TemplateFault.evaluation("a range with step 0.") }
    let (distance, overflow) =
      step > 0 ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
    let isEmpty = step > 0 ? stop <= start : stop >= start
    let size = step.magnitude
    let count = isEmpty || overflow ? 0 : (UInt(distance) - 1) / size + 1
    guard isEmpty || !overflow, count <= UInt(max(budget.limits.range, 0)) else {
      throw TemplateFault.limit("a range of more than \(budget.limits.range) numbers.")
    }
    try budget.chargeElements(Int(count))
    var items: [TemplateValue] = []
    items.reserveCapacity(Int(count))
    var value = start
    for _ in 0..<count {
      items.append(.int(value))
      value = value.addingReportingOverflow(step).partialValue
    }
    let kind = TemplateSequence.Kind.range(start: start, stop: stop, step: step)
    return .sequence(try TemplateSequence(kind, items, budget))
  }

  /// An argument that must be an integer.
  func integer(_ value: TemplateValue, for function: String) throws -> Int {
    switch value {
    case .int(let value): return value
    case .bool(let value): return value ? 1 : 0
    case .largeInteger: throw TemplateFault.overflow
    case .undefined(let missing): throw missing.fault
    default:
      throw TemplateFault.evaluation("a \(value.kind) where '\(function)' needs an int.")
    }
  }

  /// An argument that must be a text.
  func text(_ value: TemplateValue, for function: String) throws -> TemplateText {
    switch value {
    case .string(let text): return text
    case .undefined(let missing): throw missing.fault
    default:
      throw TemplateFault.evaluation("a \(value.kind) where '\(function)' needs a str.")
    }
  }
}
