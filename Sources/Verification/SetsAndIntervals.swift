/// A set of real numbers: intervals and points, in order, none touching another.
struct RealSet {
  /// An end of an interval; infinite ones have no value.
  struct End {
    var value: HighPrecision
    /// The exact value, where it is a fraction.
    var exact: Rational?
    /// -1 or 1 for an infinite end.
    var infinity: Int
    var isClosed: Bool

    static func infinite(_ sign: Int) -> End {
      End(value: .zero, exact: nil, infinity: sign, isClosed: false)
    }

    /// -1, 0 or 1 as the place is below, at or above another's, whatever is closed.
    func order(to other: End) -> Int {
      if infinity != other.infinity { return infinity < other.infinity ? -1 : 1 }
      if infinity != 0 { return 0 }
      if let exact, let other = other.exact { return exact < other ? -1 : exact == other ? 0 : 1 }
      if Evaluation.agree(ComplexValue(value), ComplexValue(other.value)) { return 0 }
      return value < other.value ? -1 : 1
    }
  }

  struct Interval {
    var low: End
    var high: End

    var isEmpty: Bool {
      let order = low.order(to: high)
      return order > 0 || (order == 0 && !(low.isClosed && high.isClosed))
    }
  }

  private(set) var parts: [Interval]

  static let empty = RealSet([])
  static let all = RealSet([Interval(low: .infinite(-1), high: .infinite(1))])

  init(_ intervals: [Interval]) {
    parts = []
    let sorted = intervals.filter { !$0.isEmpty }.sorted { a, b in
      let order = a.low.order(to: b.low)
      return order < 0 || (order == 0 && a.low.isClosed && !b.low.isClosed)
    }
    for next in sorted {
      guard let last = parts.last else {
        parts.append(next)
        continue
      }
      // Two intervals are one where they overlap, or meet at a point that one of them has.
      let order = next.low.order(to: last.high)
      if order < 0 || (order == 0 && (next.low.isClosed || last.high.isClosed)) {
        let ends = next.high.order(to: last.high)
        if ends > 0 {
          parts[parts.count - 1].high = next.high
        } else if ends == 0, next.high.isClosed {
          parts[parts.count - 1].high.isClosed = true
        }
      } else {
        parts.append(next)
      }
    }
  }

  var isAll: Bool {
    parts.count == 1 && parts[0].low.infinity == -1 && parts[0].high.infinity == 1
  }

  /// How many pairs of parts an operation on two sets looks at.
  static func cost(_ a: RealSet, _ b: RealSet) -> Int {
    20 * (1 + a.parts.count) * (1 + b.parts.count)
  }

  func union(_ other: RealSet) -> RealSet { RealSet(parts + other.parts) }

  func intersection(_ other: RealSet) -> RealSet {
    var result: [Interval] = []
    for a in parts {
      for b in other.parts {
        let lowOrder = a.low.order(to: b.low)
        var low = lowOrder >= 0 ? a.low : b.low
        if lowOrder == 0 { low.isClosed = a.low.isClosed && b.low.isClosed }
        let highOrder = a.high.order(to: b.high)
        var high = highOrder <= 0 ? a.high : b.high
        if highOrder == 0 { high.isClosed = a.high.isClosed && b.high.isClosed }
        result.append(Interval(low: low, high: high))
      }
    }
    return RealSet(result)
  }

  var complement: RealSet {
    var result: [Interval] = []
    var low = End.infinite(-1)
    for part in parts {
      if part.low.infinity == 0 {
        var high = part.low
        high.isClosed.toggle()
        result.append(Interval(low: low, high: high))
      }
      low = part.high
      low.isClosed.toggle()
    }
    if low.infinity <= 0 { result.append(Interval(low: low, high: .infinite(1))) }
    return RealSet(result)
  }

  static func == (a: RealSet, b: RealSet) -> Bool {
    guard a.parts.count == b.parts.count else { return false }
    return zip(a.parts, b.parts).allSatisfy { x, y in
      x.low.order(to: y.low) == 0 && x.high.order(to: y.high) == 0
        && x.low.isClosed == y.low.isClosed && x.high.isClosed == y.high.isClosed
    }
  }
}

/// A set of real numbers, and the variable that was said to be in it.
struct NamedSet {
  var set: RealSet
  var name: MathExpression?
}

extension Comparison {
  /// The set of real numbers that an expression describes; nil if it describes none.
  mutating func realSet(_ expression: MathExpression) throws(JudgingLimit) -> NamedSet? {
    switch expression {
    case .constant(.reals): return NamedSet(set: .all)
    case .constant(.emptySet): return NamedSet(set: .empty)
    case .bracketed(let open, let close, let items)
    where items.count == 2 && open != .angle && close != .angle:
      guard var low = try end(items[0]), var high = try end(items[1]) else { return nil }
      low.isClosed = open == .square
      high.isClosed = close == .square
      // Infinity is in no interval.
      guard low.order(to: high) <= 0, low.infinity == 0 || !low.isClosed,
        high.infinity == 0 || !high.isClosed
      else { return nil }
      return NamedSet(set: RealSet([RealSet.Interval(low: low, high: high)]))
    case .set(let items):
      var points: [RealSet.Interval] = []
      for item in items {
        guard let point = try end(item), point.infinity == 0 else { return nil }
        points.append(RealSet.Interval(low: point, high: point))
      }
      return NamedSet(set: RealSet(points))
    case .setOperation(let operation, let items):
      var result: RealSet?
      for item in items {
        guard let next = try realSet(item)?.set else { return nil }
        guard let left = result else {
          result = next
          continue
        }
        try spend(RealSet.cost(left, next))
        switch operation {
        case .union: result = left.union(next)
        case .intersection: result = left.intersection(next)
        case .difference: result = left.intersection(next.complement)
        }
      }
      return result.map { NamedSet(set: $0) }
    case .relation(let sides, let relations): return try realSet(sides, relations)
    case .list(let items): return try realSet(conditions: items)
    default: return nil
    }
  }

  /// Several conditions on one variable: any of them, unless that says nothing; then all of them.
  private mutating func realSet(
    conditions: [MathExpression]
  ) throws(JudgingLimit) -> NamedSet? {
    var any: NamedSet?
    var all = RealSet.all
    for item in conditions {
      guard case .relation = item, let next = try realSet(item), next.name != nil else {
        return nil
      }
      if let old = any {
        guard old.name == next.name else { return nil }
        try spend(RealSet.cost(old.set, next.set))
        any = NamedSet(set: old.set.union(next.set), name: old.name)
      } else {
        any = next
      }
      all = all.intersection(next.set)
    }
    guard let any else { return nil }
    return any.set.isAll ? NamedSet(set: all, name: any.name) : any
  }

  private mutating func realSet(
    _ sides: [MathExpression], _ relations: [MathExpression.Relation]
  ) throws(JudgingLimit) -> NamedSet? {
    if relations == [.element] {
      guard sides[0].isName, let set = try realSet(sides[1]) else { return nil }
      return NamedSet(set: set.set, name: sides[0])
    }
    guard let at = sides.firstIndex(where: { $0.isName }) else { return nil }
    var result = RealSet.all
    for (k, relation) in relations.enumerated() {
      guard k == at || k + 1 == at else { return nil }
      let isTurned = k + 1 == at
      guard var end = try end(sides[isTurned ? k : k + 1]) else { return nil }
      let direction = isTurned ? relation.turned : relation
      end.isClosed = direction == .lessOrEqual || direction == .greaterOrEqual
      if end.infinity != 0 { end.isClosed = false }
      let piece: RealSet
      switch direction {
      case .less, .lessOrEqual:
        piece = RealSet([RealSet.Interval(low: .infinite(-1), high: end)])
      case .greater, .greaterOrEqual:
        piece = RealSet([RealSet.Interval(low: end, high: .infinite(1))])
      case .notEqual:
        end.isClosed = true
        piece = RealSet([RealSet.Interval(low: end, high: end)]).complement
      default: return nil
      }
      result = result.intersection(piece)
    }
    return NamedSet(set: result, name: sides[at])
  }

  /// The real number, or infinity, that an expression is.
  private mutating func end(_ expression: MathExpression) throws(JudgingLimit) -> RealSet.End? {
    switch expression {
    case .constant(.infinity): return .infinite(1)
    case .sum(let terms) where terms == [.constant(.infinity)]: return .infinite(1)
    case .product([.number(Rational(-1)), .constant(.infinity)]): return .infinite(-1)
    case .number(let value):
      return RealSet.End(value: HighPrecision(value), exact: value, infinity: 0, isClosed: true)
    default: break
    }
    if expression.hasVariables { return nil }
    var evaluation = Evaluation(variables: [:], work: work)
    defer { work = max(0, evaluation.work) }
    do throws(Evaluation.Failure) {
      let value = try evaluation.value(of: expression)
      guard value.isReal else { return nil }
      var canonizer = Canonizer(limits: limits)
      canonizer.work = min(work, 10_000)
      let exact = try? canonizer.form(of: expression).rational
      return RealSet.End(
        value: value.real, exact: exact, infinity: 0, isClosed: true)
    } catch {
      if error == .tooLarge { throw .tooLarge }
      return nil
    }
  }
}
