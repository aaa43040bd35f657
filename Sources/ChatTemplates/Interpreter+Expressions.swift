extension Interpreter {
  func evaluate(_ expression: Expression, _ scope: Scope) throws -> TemplateValue {
    try budget.charge()
    return try nested { try evaluateInside(expression, scope) }
  }

  private func evaluateInside(_ expression: Expression, _ scope: Scope) throws -> TemplateValue {
    switch expression {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .float(value)
    case .text(let text): return .string(text)
    case .name(let index): return lookUp(index, scope)
    case .list(let items): return try list(evaluate(all: items, scope))
    case .tuple(let items): return try tuple(evaluate(all: items, scope))
    case .dictionary(let pairs): return try dictionary(pairs, scope)
    case .arithmetic(let first, let steps):
      var value = try evaluate(first, scope)
      for step in steps {
        value = try calculate(value, step.operation, try evaluate(step.operand, scope))
      }
      return value
    case .concatenation(let operands): return try concatenation(operands, scope)
    case .comparison(let first, let steps): return try comparison(first, steps, scope)
    case .and(let operands): return try firstOf(operands, thatIs: false, scope)
    case .or(let operands): return try firstOf(operands, thatIs: true, scope)
    case .not(let operand): return .bool(!(try evaluate(operand, scope).isTrue))
    case .negative(let operand): return try negative(try evaluate(operand, scope))
    case .positive(let operand): return try positive(try evaluate(operand, scope))
    case .conditional(let test, let value, let otherwise):
      if try evaluate(test, scope).isTrue { return try evaluate(value, scope) }
      guard let otherwise else {
        return .undefined(Missing("the value of an 'if' without 'else'"))
      }
      return try evaluate(otherwise, scope)
    case .suffixed(let base, let suffixes): return try suffixed(base, suffixes, scope)
    }
  }

  func evaluate(all expressions: [Expression], _ scope: Scope) throws -> [TemplateValue] {
    try budget.chargeElements(expressions.count)
    return try expressions.map { try evaluate($0, scope) }
  }

  /// The value of a name; `undefined` if there is none.
  func lookUp(_ index: NameIndex, _ scope: Scope) -> TemplateValue {
    var next: Scope? = scope
    while let scope = next {
      if let value = scope.variables[index] { return value }
      next = scope.parent
    }
    return functions[index] ?? .undefined(Missing(names[index]))
  }

  private func dictionary(_ pairs: [Expression.Pair], _ scope: Scope) throws -> TemplateValue {
    let dictionary = TemplateDictionary()
    for pair in pairs {
      let key = try evaluate(pair.key, scope)
      try dictionary.set(key, try evaluate(pair.value, scope), budget)
    }
    return .dictionary(dictionary)
  }

  private func concatenation(_ operands: [Expression], _ scope: Scope) throws -> TemplateValue {
    var result = TemplateText()
    for operand in operands {
      let text = try printed(try evaluate(operand, scope))
      try budget.check(length: result.count + text.count)
      try budget.charge(text)
      result.append(text)
    }
    return .string(result)
  }

  private func comparison(
    _ first: Expression, _ steps: [Expression.Comparison], _ scope: Scope
  ) throws -> TemplateValue {
    var left = try evaluate(first, scope)
    for step in steps {
      let right = try evaluate(step.operand, scope)
      guard try holds(left, step.relation, right) else { return .bool(false) }
      left = right
    }
    return .bool(true)
  }

  private func firstOf(
    _ operands: [Expression], thatIs wanted: Bool, _ scope: Scope
  ) throws -> TemplateValue {
    var value = TemplateValue.none
    for operand in operands {
      value = try evaluate(operand, scope)
      if value.isTrue == wanted { return value }
    }
    return value
  }

  // MARK: Suffixes

  private func suffixed(
    _ base: Expression, _ suffixes: [Suffix], _ scope: Scope
  ) throws -> TemplateValue {
    var value = try evaluate(base, scope)
    var i = 0
    while i < suffixes.count {
      try budget.charge()
      switch suffixes[i] {
      case .attribute(let name, let line):
        self.line = line
        // A method that is called at once needs no value of its own.
        if i + 1 < suffixes.count, case .call(let arguments, _) = suffixes[i + 1],
          try hasMethod(value, name)
        {
          value = try callMethod(name, of: value, try self.arguments(arguments, scope))
          i += 1
        } else {
          value = try attribute(name, of: value)
        }
      case .item(let index, let line):
        let index = try evaluate(index, scope)
        self.line = line
        value = try item(index, of: value)
      case .slice(let start, let stop, let step, let line):
        let bounds = try [start, stop, step].map { try $0.map { try evaluate($0, scope) } }
        self.line = line
        value = try slice(value, bounds[0], bounds[1], bounds[2])
      case .call(let arguments, let line):
        let arguments = try self.arguments(arguments, scope)
        self.line = line
        value = try call(value, arguments)
      case .filter(let call):
        let arguments = try self.arguments(call.arguments, scope)
        line = call.line
        value = try apply(call.filter, to: value, arguments)
      case .test(let test, let arguments, let isNegated, let line):
        let arguments = try self.arguments(arguments, scope)
        self.line = line
        value = .bool(try self.test(test, value, arguments) != isNegated)
      }
      i += 1
    }
    return value
  }

  /// `value.name`: a method first, then a member.
  func attribute(_ name: String, of value: TemplateValue) throws -> TemplateValue {
    switch value {
    case .undefined(let missing): throw missing.fault
    case .namespace(let namespace):
      return namespace.attributes[Array(name.utf8)]
        ?? .undefined(Missing(name, of: value.kind))
    case .loop(let loop):
      return try attribute(name, of: loop) ?? .undefined(Missing(name, of: "loop"))
    case .callable(let callable):
      if case .cycler(let items) = callable.kind, name == "current", !items.isEmpty {
        return items[callable.position % items.count]
      }
      if case .macro(let macro, _) = callable.kind, name == "name" { return .text(macro.name) }
    default: break
    }
    if try hasMethod(value, name) {
      return .callable(TemplateCallable(.method(value, name)))
    }
    if case .dictionary(let dictionary) = value, let member = dictionary.value(Array(name.utf8)) {
      return member
    }
    return .undefined(Missing(name, of: value.kind))
  }

  private func attribute(_ name: String, of loop: LoopState) throws -> TemplateValue? {
    switch name {
    case "index": return .int(loop.index0 + 1)
    case "index0": return .int(loop.index0)
    case "first": return .bool(loop.index0 == 0)
    case "last": return .bool(try loop.nextItem() == nil)
    case "length": return .int(try loop.length())
    case "revindex": return .int(try loop.length() - loop.index0)
    case "revindex0": return .int(try loop.length() - loop.index0 - 1)
    case "depth": return .int(1)
    case "depth0": return .int(0)
    case "previtem": return loop.previous ?? .undefined(Missing("there is no previous item"))
    case "nextitem":
      return try loop.nextItem() ?? .undefined(Missing("there is no next item"))
    case "cycle", "changed": return .callable(TemplateCallable(.method(.loop(loop), name)))
    default: return nil
    }
  }

  /// `value[index]`: an element or a member first, then a method.
  func item(_ index: TemplateValue, of value: TemplateValue) throws -> TemplateValue {
    switch value {
    case .undefined(let missing): throw missing.fault
    case .dictionary(let dictionary):
      if let member = try dictionary.value(index, budget) { return member }
    case .list(let list), .tuple(let list):
      if let place = place(index, in: list.items.count) { return list.items[place] }
    case .sequence(let sequence):
      if case .range = sequence.kind, let place = place(index, in: sequence.items.count) {
        return sequence.items[place]
      }
    case .string(let text):
      try budget.chargeText(bytes: text.count)
      if let place = place(index, in: text.scalarCount) {
        let start = text.byteOffset(ofScalar: place)
        return .string(text[start..<text.endOfScalar(at: start)])
      }
    default: break
    }
    if case .string(let name) = index { return try attribute(name.string, of: value) }
    return .undefined(Missing(try represented(index).string, of: value.kind))
  }

  /// The place an index means; negative ones count from the end.
  private func place(_ index: TemplateValue, in count: Int) -> Int? {
    let wanted: Int
    switch index {
    case .int(let value): wanted = value
    case .bool(let value): wanted = value ? 1 : 0
    default: return nil
    }
    let place = wanted < 0 ? wanted + count : wanted
    return place >= 0 && place < count ? place : nil
  }

  // MARK: Elements

  /// What going through a value gives: elements, keys or characters.
  func elements(_ value: TemplateValue) throws -> [TemplateValue] {
    switch value {
    case .undefined: return []
    case .list(let list), .tuple(let list):
      try budget.charge()
      return list.items
    case .sequence(let sequence): return sequence.taken()
    case .dictionary(let dictionary): return dictionary.keys
    case .string(let text):
      try budget.chargeText(bytes: text.count)
      try budget.chargeElements(text.count)
      try budget.chargeElements(text.count)
      var characters: [TemplateValue] = []
      characters.reserveCapacity(text.count)
      var i = 0
      while i < text.count {
        let end = text.endOfScalar(at: i)
        characters.append(.string(text[i..<end]))
        i = end
      }
      return characters
    case .loop:
      throw TemplateFault.unsupported("'loop' cannot be gone through here. Use its attributes.")
    default:
      throw TemplateFault.evaluation("a \(value.kind) cannot be gone through.")
    }
  }

  /// Python's `len`.
  func length(_ value: TemplateValue) throws -> Int {
    switch value {
    case .undefined: return 0
    case .list(let list), .tuple(let list): return list.items.count
    case .dictionary(let dictionary): return dictionary.count
    case .string(let text):
      try budget.chargeText(bytes: text.count)
      return text.scalarCount
    case .sequence(let sequence) where sequence.kind != .generator: return sequence.items.count
    case .loop(let loop): return try loop.length()
    default: throw TemplateFault.evaluation("a \(value.kind) has no length.")
    }
  }

  // MARK: Slices

  private func slice(
    _ value: TemplateValue, _ start: TemplateValue?, _ stop: TemplateValue?, _ step: TemplateValue?
  ) throws -> TemplateValue {
    switch value {
    case .string(let text):
      try budget.chargeText(bytes: text.count)
      let places = try places(start, stop, step, in: text.scalarCount)
      guard let first = places.first else { return .string(TemplateText()) }
      if places.step == 1 {
        let from = text.byteOffset(ofScalar: first)
        let to = text.byteOffset(ofScalar: first + places.count)
        try budget.charge(text)
        return .string(text[from..<to])
      }
      try budget.charge(text)
      try budget.chargeElements(text.count)
      var starts: [Int] = []
      for (i, byte) in text.bytes.enumerated() where byte & 0xC0 != 0x80 { starts.append(i) }
      var result = TemplateText()
      for i in 0..<places.count {
        let place = starts[first + i * places.step]
        result.append(text, place..<text.endOfScalar(at: place))
      }
      return .string(result)
    case .list(let list): return try self.list(slice(list.items, start, stop, step))
    case .tuple(let list): return try self.tuple(slice(list.items, start, stop, step))
    case .sequence(let sequence) where sequence.kind != .generator:
      return try self.list(slice(sequence.items, start, stop, step))
    case .undefined(let missing): throw missing.fault
    default: throw TemplateFault.evaluation("a \(value.kind) has no parts by ':'.")
    }
  }

  private func slice(
    _ items: [TemplateValue], _ start: TemplateValue?, _ stop: TemplateValue?,
    _ step: TemplateValue?
  ) throws -> [TemplateValue] {
    let places = try places(start, stop, step, in: items.count)
    try budget.chargeElements(places.count)
    guard let first = places.first else { return [] }
    return (0..<places.count).map { items[first + $0 * places.step] }
  }

  /// Which elements a slice takes, as Python's `slice.indices` says.
  private func places(
    _ start: TemplateValue?, _ stop: TemplateValue?, _ step: TemplateValue?, in count: Int
  ) throws -> (first: Int?, step: Int, count: Int) {
    func integer(_ value: TemplateValue?) throws -> Int? {
      switch value {
      case nil, .some(.none): return nil
      case .int(let value): return value
      case .bool(let value): return value ? 1 : 0
      case .some(let value):
        throw TemplateFault.evaluation("a \(value.kind) where a slice needs an int.")
      }
    }
    let step = try integer(step) ?? 1
    guard step != 0 else { throw TemplateFault.evaluation("a slice with step 0.") }
    let lowest = step > 0 ? 0 : -1
    let highest = step > 0 ? count : count - 1
    func clamped(_ value: Int?, _ standard: Int) -> Int {
      guard let value else { return standard }
      return value < 0
        ? max(lowest, value.addingReportingOverflow(count).partialValue)
        : min(highest, value)
    }
    let from = clamped(try integer(start), step > 0 ? lowest : highest)
    let to = clamped(try integer(stop), step > 0 ? highest : lowest)
    let distance = step > 0 ? to - from : from - to
    guard distance > 0 else { return (nil, step, 0) }
    let size = step.magnitude
    let number = (UInt(distance) + min(size, UInt(count) + 1) - 1) / min(size, UInt(count) + 1)
    // A step beyond the end takes one element, and is never multiplied by more than 0.
    return (from, step, Int(number))
  }
}
