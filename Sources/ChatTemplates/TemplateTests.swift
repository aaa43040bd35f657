/// What can stand after `is`.
enum TemplateTest: String, Sendable {
  case boolean, callable, defined, divisibleby, eq, escaped, even, `false`, filter, float, ge, gt,
    `in`
  case integer, iterable, le, lower, lt, mapping, ne, none, number, odd, sameas, sequence, string
  case test, `true`, undefined, upper

  private static let otherNames: [String: TemplateTest] = [
    "equalto": .eq, "==": .eq, "!=": .ne, "greaterthan": .gt, ">": .gt, ">=": .ge,
    "lessthan": .lt, "<": .lt, "<=": .le,
  ]

  init?(name: String) {
    guard let test = Self.otherNames[name] ?? TemplateTest(rawValue: name) else { return nil }
    self = test
  }

  fileprivate var takesArgument: Bool {
    switch self {
    case .divisibleby, .eq, .ge, .gt, .in, .le, .lt, .ne, .sameas: true
    default: false
    }
  }
}

extension Interpreter {
  func test(
    _ test: TemplateTest, _ value: TemplateValue, _ arguments: PassedArguments
  ) throws -> Bool {
    let bound = try arguments.bound(
      to: test.takesArgument ? ["other"] : [], of: test.rawValue)
    if test.takesArgument {
      guard let other = bound[0] else {
        throw TemplateFault.evaluation("the test '\(test.rawValue)' needs a value.")
      }
      return try self.test(test, value, other)
    }
    switch (test, value) {
    case (.defined, .undefined): return false
    case (.defined, _): return true
    case (.undefined, .undefined): return true
    case (.none, .none), (.string, .string), (.mapping, .dictionary), (.boolean, .bool): return true
    case (.true, .bool(let value)): return value
    case (.false, .bool(let value)): return !value
    case (.integer, .int), (.integer, .largeInteger), (.float, .float): return true
    case (.number, .int), (.number, .largeInteger), (.number, .float), (.number, .bool): return true
    case (.callable, .callable), (.callable, .loop), (.callable, .undefined): return true
    case (.iterable, .undefined), (.iterable, .string), (.iterable, .list), (.iterable, .tuple),
      (.iterable, .dictionary), (.iterable, .sequence), (.iterable, .loop):
      return true
    case (.sequence, .undefined), (.sequence, .string), (.sequence, .list), (.sequence, .tuple),
      (.sequence, .dictionary):
      return true
    case (.sequence, .sequence(let sequence)):
      if case .range = sequence.kind { return true }
      return false
    case (.even, _), (.odd, _):
      let rest = try calculate(value, .remainder, .int(2))
      return try equals(rest, .int(test == .odd ? 1 : 0))
    case (.lower, _), (.upper, _):
      let text = try printed(value)
      let result = try callStringMethod(
        test == .lower ? "islower" : "isupper", of: text, PassedArguments())
      return result.isTrue
    case (.filter, .string(let name)): return TemplateFilter(rawValue: name.string) != nil
    case (.test, .string(let name)): return TemplateTest(name: name.string) != nil
    default: return false
    }
  }

  private func test(
    _ test: TemplateTest, _ value: TemplateValue, _ other: TemplateValue
  ) throws -> Bool {
    switch test {
    case .eq: try holds(value, .equal, other)
    case .ne: try holds(value, .notEqual, other)
    case .lt: try holds(value, .less, other)
    case .le: try holds(value, .lessOrEqual, other)
    case .gt: try holds(value, .greater, other)
    case .ge: try holds(value, .greaterOrEqual, other)
    case .in: try holds(value, .isIn, other)
    case .divisibleby: try equals(try calculate(value, .remainder, other), .int(0))
    default: try value.kind == other.kind && equals(value, other)
    }
  }
}
