/// An expression of a template, parsed.
///
/// Operators in a row are one node with a list, not nodes in one another, so that only brackets
/// and blocks make a tree deep.
indirect enum Expression: Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(TemplateText)
  case name(NameIndex)
  case list([Expression])
  case tuple([Expression])
  case dictionary([Pair])
  /// `a + b - c`, `a * b / c` or `a ** b ** c`, from the left.
  case arithmetic(Expression, [Step])
  /// `a ~ b ~ c`
  case concatenation([Expression])
  /// `a < b <= c`: each beside the next.
  case comparison(Expression, [Comparison])
  case and([Expression])
  case or([Expression])
  case not(Expression)
  case negative(Expression)
  case positive(Expression)
  /// `value if test else otherwise`
  case conditional(test: Expression, value: Expression, otherwise: Expression?)
  /// A value with what follows it: attributes, brackets, calls, filters and tests.
  case suffixed(Expression, [Suffix])

  struct Pair: Sendable {
    let key: Expression
    let value: Expression
  }
  struct Step: Sendable {
    let operation: Arithmetic
    let operand: Expression
  }
  struct Comparison: Sendable {
    let relation: Relation
    let operand: Expression
  }
}

/// The place of a name in the template's table of names.
typealias NameIndex = Int

enum Arithmetic: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case remainder = "%"
  case power = "**"
}

enum Relation: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case isNotIn = "not in"
}

/// What follows a value.
enum Suffix: Sendable {
  case attribute(String, line: Int)
  case item(Expression, line: Int)
  case slice(Expression?, Expression?, Expression?, line: Int)
  case call(Arguments, line: Int)
  case filter(FilterCall)
  case test(TemplateTest, Arguments, isNegated: Bool, line: Int)
}

struct FilterCall: Sendable {
  let filter: TemplateFilter
  let arguments: Arguments
  let line: Int
}

/// The arguments of a call, as written.
struct Arguments: Sendable {
  var positional: [Expression] = []
  var named: [(name: String, value: Expression)] = []
  var spread: Expression?
  var namedSpread: Expression?

  var isEmpty: Bool {
    positional.isEmpty && named.isEmpty && spread == nil && namedSpread == nil
  }
}

/// What a value is assigned to.
indirect enum Target: Sendable {
  case name(NameIndex)
  case attribute(NameIndex, String)
  case tuple([Target])
}

indirect enum Statement: Sendable {
  case text(TemplateText)
  case output(Expression, line: Int)
  case set(Target, Expression, line: Int)
  case setBlock(Target, [FilterCall], [Statement], line: Int)
  case condition([Branch], otherwise: [Statement])
  case loop(ForLoop)
  case macro(Macro, line: Int)
  case callBlock(Expression, Arguments, Macro, line: Int)
  case filterBlock([FilterCall], [Statement], line: Int)
  case with([(target: Target, value: Expression)], [Statement], line: Int)
  case generation([Statement])
  case breakLoop
  case continueLoop

  struct Branch: Sendable {
    let test: Expression
    let line: Int
    let body: [Statement]
  }
}

final class ForLoop: Sendable {
  let target: Target
  let iterated: Expression
  let condition: Expression?
  let body: [Statement]
  let otherwise: [Statement]
  let line: Int

  init(
    target: Target, iterated: Expression, condition: Expression?, body: [Statement],
    otherwise: [Statement], line: Int
  ) {
    self.target = target
    self.iterated = iterated
    self.condition = condition
    self.body = body
    self.otherwise = otherwise
    self.line = line
  }
}

/// A macro, or the body of a call block.
final class Macro: Sendable {
  struct Parameter: Sendable {
    let name: String
    let index: NameIndex
    let standard: Expression?
  }

  let name: String
  let index: NameIndex
  let parameters: [Parameter]
  let body: [Statement]
  /// Whether the body speaks of `varargs`, `kwargs` and `caller`: only then are they taken.
  let takesVarargs: Bool
  let takesKwargs: Bool
  let takesCaller: Bool

  init(
    name: String, index: NameIndex, parameters: [Parameter], body: [Statement],
    takesVarargs: Bool, takesKwargs: Bool, takesCaller: Bool
  ) {
    self.name = name
    self.index = index
    self.parameters = parameters
    self.body = body
    self.takesVarargs = takesVarargs
    self.takesKwargs = takesKwargs
    self.takesCaller = takesCaller
  }
}
