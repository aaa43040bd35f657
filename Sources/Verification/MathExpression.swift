/// What an answer says, as it was written: nothing is computed yet.
indirect enum MathExpression: Hashable, Sendable {
  case number(Rational)
  /// A variable or any other name, with its subscript: `x`, `\alpha`, `x_1`.
  case symbol(String)
  case constant(MathConstant)
  case sum([MathExpression])
  case product([MathExpression])
  case quotient(MathExpression, MathExpression)
  case power(MathExpression, MathExpression)
  case function(MathFunction, [MathExpression])
  /// A function that only has a name: `f(x)`.
  case application(String, [MathExpression])
  /// `a ± b`, or `± b` where `a` is nil; `isMinusFirst` for `∓`.
  case plusMinus(MathExpression?, MathExpression, isMinusFirst: Bool)
  /// What stands beside one another without brackets; the order says nothing.
  case list([MathExpression])
  /// `(1, 2)`, `[1, 2)`: a point, a vector or an interval.
  case bracketed(open: Bracket, close: Bracket, [MathExpression])
  case set([MathExpression])
  case matrix([[MathExpression]])
  /// `a < b <= c`: one relation fewer than there are sides.
  case relation([MathExpression], [Relation])
  case setOperation(SetOperation, [MathExpression])
  case quantity(MathExpression, Unit)
  /// Digits and the base they are written in.
  case based(digits: String, base: Int)
  /// `1 : 2`, also a time of day.
  case ratio([MathExpression])
  /// Words, in lower case, with one space between two.
  case words(String)

  enum Bracket: Hashable, Sendable {
    case round, square, angle
  }

  enum Relation: Hashable, Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, element, approximately, other

    /// The relation with its sides exchanged.
    var turned: Relation {
      switch self {
      case .less: .greater
      case .lessOrEqual: .greaterOrEqual
      case .greater: .less
      case .greaterOrEqual: .lessOrEqual
      default: self
      }
    }

    var isOrder: Bool {
      switch self {
      case .less, .lessOrEqual, .greater, .greaterOrEqual: true
      default: false
      }
    }
  }

  enum SetOperation: Hashable, Sendable {
    case union, intersection, difference
  }
}

enum MathConstant: Hashable, Sendable {
  case pi, e, i, infinity, emptySet, reals, integers, rationals, naturals, complexNumbers
}

enum MathFunction: String, Hashable, Sendable {
  case sin, cos, tan, cot, sec, csc, arcsin, arccos, arctan, sinh, cosh, tanh
  case ln, exp, abs, floor, ceil, factorial, binomial, sqrt
  /// `log(base, x)`
  case log
  case gcd, lcm, min, max, determinant
}

extension MathExpression {
  static let minusOne = MathExpression.number(Rational(-1))

  /// The expression with its sign changed.
  var negated: MathExpression {
    switch self {
    case .number(let value): .number(-value)
    case .product(let factors): .product([.minusOne] + factors)
    default: .product([.minusOne, self])
    }
  }

  /// The parts of the expression, for walks over it.
  var children: [MathExpression] {
    switch self {
    case .number, .symbol, .constant, .based, .words: []
    case .sum(let parts), .product(let parts), .list(let parts), .set(let parts),
      .ratio(let parts), .function(_, let parts), .application(_, let parts),
      .bracketed(_, _, let parts), .relation(let parts, _), .setOperation(_, let parts):
      parts
    case .quotient(let a, let b), .power(let a, let b): [a, b]
    case .plusMinus(let a, let b, _): a.map { [$0, b] } ?? [b]
    case .matrix(let rows): rows.flatMap { $0 }
    case .quantity(let value, _): [value]
    }
  }

  /// Whether something holds for the expression or any part of it.
  func contains(_ isWanted: (MathExpression) -> Bool) -> Bool {
    isWanted(self) || children.contains { $0.contains(isWanted) }
  }

  /// The expression with each part replaced by what `change` makes of it.
  func mappingChildren(_ change: (MathExpression) -> MathExpression) -> MathExpression {
    switch self {
    case .number, .symbol, .constant, .based, .words: self
    case .sum(let parts): .sum(parts.map(change))
    case .product(let parts): .product(parts.map(change))
    case .quotient(let a, let b): .quotient(change(a), change(b))
    case .power(let a, let b): .power(change(a), change(b))
    case .function(let function, let parts): .function(function, parts.map(change))
    case .application(let name, let parts): .application(name, parts.map(change))
    case .plusMinus(let a, let b, let isMinusFirst):
      .plusMinus(a.map(change), change(b), isMinusFirst: isMinusFirst)
    case .list(let parts): .list(parts.map(change))
    case .bracketed(let open, let close, let parts):
      .bracketed(open: open, close: close, parts.map(change))
    case .set(let parts): .set(parts.map(change))
    case .matrix(let rows): .matrix(rows.map { $0.map(change) })
    case .relation(let parts, let relations): .relation(parts.map(change), relations)
    case .setOperation(let operation, let parts): .setOperation(operation, parts.map(change))
    case .quantity(let value, let unit): .quantity(change(value), unit)
    case .ratio(let parts): .ratio(parts.map(change))
    }
  }
}
