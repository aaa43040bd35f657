// What the comparison asks of expressions.
extension MathExpression {
  /// The expression without its unit, and the unit.
  var withoutUnit: (MathExpression, Unit?) {
    if case .quantity(let value, let unit) = self {
      let (inner, innerUnit) = value.withoutUnit
      return (inner, innerUnit ?? unit)
    }
    return (self, nil)
  }

  /// Whether it may stand for a value before an equals sign: `x`, `f(x)`, `AB`, `(x, y)`, 'area'.
  var isName: Bool {
    switch self {
    case .symbol, .words, .application: true
    case .function(.abs, let inner): inner.allSatisfy { $0.isSegment }
    case .product, .quotient: isSegment
    case .ratio(let parts): parts.allSatisfy { $0.isName }
    case .bracketed(.round, .round, let items):
      items.allSatisfy { if case .symbol = $0 { true } else { false } }
    default: false
    }
  }

  /// Capital letters that name points: `AB`, or a quotient of such.
  private var isSegment: Bool {
    switch self {
    case .symbol(let name): name.utf8.first.map { $0 >= 65 && $0 <= 90 } ?? false
    case .product(let factors): factors.allSatisfy { $0.isSegment }
    case .quotient(let a, let b): a.isSegment && b.isSegment
    default: false
    }
  }

  /// The name and the value of `x = 5`, `x = 2 + 3 = 5`, `5 = x`, `x \in S`; nil for anything else.
  var assignment: (name: MathExpression, value: MathExpression)? {
    guard case .relation(var sides, var relations) = self else { return nil }
    if let at = relations.firstIndex(of: .approximately) {
      // What is only near the value before it says nothing more.
      if at > 0 {
        sides.removeLast(sides.count - at - 1)
        relations.removeLast(relations.count - at)
      } else {
        relations[0] = .equal
      }
    }
    if relations == [.element], sides[0].isName, sides[1].isSetLike { return (sides[0], sides[1]) }
    guard relations.allSatisfy({ $0 == .equal }), let last = sides.last else { return nil }
    if sides[0].isName { return last.isName && sides.count > 2 ? nil : (sides[0], last) }
    if last.isName, sides.count == 2 { return (last, sides[0]) }
    return nil
  }

  /// Whether two names may stand for the same: functions may call their variable what they like.
  func names(_ other: MathExpression) -> Bool {
    if self == other { return true }
    if case .application(let f, _) = self, case .application(let g, _) = other { return f == g }
    return false
  }

  /// The values of a list or a set, with `±` written out; nil for a single value.
  var items: [MathExpression]? {
    switch self {
    case .list(let items), .set(let items): return items.flatMap { $0.signs ?? [$0] }
    default: return signs
    }
  }

  /// The two values that `±` stands for.
  private var signs: [MathExpression]? {
    if case .relation(let sides, let relations) = self, let (name, value) = assignment {
      guard relations.count == 1, sides.count == 2, let both = value.signs else { return nil }
      return both.map { .relation([name, $0], [.equal]) }
    }
    if case .quantity(let value, let unit) = self {
      return value.signs.map { $0.map { .quantity($0, unit) } }
    }
    switch self {
    case .relation, .list, .set, .bracketed, .matrix, .setOperation: return nil
    default: break
    }
    guard contains({ if case .plusMinus = $0 { true } else { false } }) else { return nil }
    return [choosing(minus: false), choosing(minus: true)]
  }

  private func choosing(minus: Bool) -> MathExpression {
    let inner = mappingChildren { $0.choosing(minus: minus) }
    guard case .plusMinus(let left, let right, let isMinusFirst) = inner else { return inner }
    let term = minus != isMinusFirst ? right.negated : right
    return left.map { .sum([$0, term]) } ?? term
  }

  var isSetLike: Bool {
    switch self {
    case .setOperation, .relation, .set, .constant(.reals), .constant(.emptySet), .list: true
    case .bracketed(_, _, let items): items.count == 2
    default: false
    }
  }

  var isMatrixLike: Bool {
    switch self {
    case .matrix: true
    case .sum(let parts), .product(let parts): parts.contains { $0.isMatrixLike }
    case .quotient(let above, _): above.isMatrixLike
    default: false
    }
  }

  var isWords: Bool { if case .words = self { true } else { false } }

  /// The words, or the letters of a name or product of names, in lower case.
  var asWords: String? {
    switch self {
    case .words(let words): words
    case .symbol(let name): name.lowercased()
    case .constant(.i): "i"
    case .constant(.e): "e"
    case .product(let factors):
      factors.reduce("") { text, factor in
        guard let text else { return nil }
        switch factor {
        case .symbol, .constant(.i), .constant(.e): return factor.asWords.map { text + $0 }
        default: return nil
        }
      }
    default: nil
    }
  }

  var hasVariables: Bool {
    contains {
      switch $0 {
      case .symbol, .application, .words: true
      default: false
      }
    }
  }

  var isConstant: Bool { !hasVariables }

  /// Whether there are numbers, or powers of numbers, that are too long for `evaluatedBits`.
  var hasLongNumbers: Bool {
    contains {
      switch $0 {
      case .number(let value): value.bitWidth > Comparison.evaluatedBits
      case .power(let base, .number(let exponent)):
        base.isConstant && Rational(16) < exponent.magnitude
      case .power(let base, let exponent): base.isConstant && exponent.isConstant
      case .function(.factorial, _), .function(.binomial, _): true
      default: false
      }
    }
  }

  func collectVariables(_ names: inout Set<String>) {
    if case .symbol(let name) = self { names.insert(name) }
    for child in children { child.collectVariables(&names) }
  }
}
