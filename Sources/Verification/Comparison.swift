/// Why a comparison was given up.
enum JudgingLimit: Error {
  case tooLarge
}

/// Whether an answer says the same as a reference.
///
/// One comparison spends from one budget, so that lists of long formulas end as soon as one does.
struct Comparison {
  let limits: JudgeLimits
  var work: Int
  /// The rule that decided last.
  var rule = Verdict.Rule.value

  init(limits: JudgeLimits) {
    self.limits = limits
    work = limits.work
  }

  mutating func spend(_ amount: Int) throws(JudgingLimit) {
    work -= amount
    if work < 0 { throw .tooLarge }
  }

  /// Decided by the rule if it holds.
  private mutating func decide(_ rule: Verdict.Rule, _ holds: Bool) -> Bool {
    self.rule = rule
    return holds
  }

  // MARK: Everything

  mutating func areEquivalent(
    _ reference: MathExpression, _ answer: MathExpression
  ) throws(JudgingLimit) -> Bool {
    try spend(5)
    if reference == answer { return decide(.sameExpression, true) }
    if let result = try compareUnits(reference, answer) { return result }
    if let result = try compareNamed(reference, answer) { return result }
    if let result = try compareRelations(reference, answer) { return result }
    if let result = try compareLists(reference, answer) { return result }
    if let result = try compareSets(reference, answer) { return result }
    if let result = try compareBracketed(reference, answer) { return result }
    if let result = compareWritten(reference, answer) { return result }
    return try compareValues(reference, answer)
  }

  // MARK: Units

  private mutating func compareUnits(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool? {
    let (x, unit) = a.withoutUnit
    let (y, other) = b.withoutUnit
    guard unit != nil || other != nil else { return nil }
    // A single letter behind a number, as in '5 h', is the unit if the other side has it.
    if other == nil, case .product(let factors) = b, factors.count == 2,
      case .symbol(let letter) = factors[1], unit == .measure(letter, power: 1)
    {
      return try areEquivalent(x, factors[0])
    }
    if unit == nil, case .product(let factors) = a, factors.count == 2,
      case .symbol(let letter) = factors[1], other == .measure(letter, power: 1)
    {
      return try areEquivalent(factors[0], y)
    }
    guard Units.agree(unit, other) else { return decide(.units, false) }
    if let unit, let other, unit == other || Units.multiple(unit) == nil,
      unit == other || Units.multiple(other) == nil
    {
      return try areEquivalent(x, y)
    }
    // A factor such as 'million' belongs to the value.
    if unit.flatMap(Units.multiple) != nil || other.flatMap(Units.multiple) != nil {
      return try compareValues(a, b)
    }
    if try areEquivalent(x, y) { return true }
    guard unit == .percent || other == .percent else { return false }
    if x.isConstant, y.isConstant, unit != other { return try compareValues(a, b) }
    return false
  }

  // MARK: Equations

  /// `x = 5` and the bare 5, and what else has a name on one side.
  private mutating func compareNamed(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool? {
    let (named, other) = (a.assignment, b.assignment)
    switch (named, other) {
    case (nil, nil): return nil
    case (let x?, let y?):
      if x.name.names(y.name), try areEquivalent(x.value, y.value) { return true }
      return nil
    case (let x?, nil):
      if case .relation = b { return nil }
      return try areEquivalent(x.value, b)
    case (nil, let y?):
      if case .relation = a { return nil }
      return try areEquivalent(a, y.value)
    }
  }

  /// Two equations or inequalities with the same solutions, as far as a factor makes them one.
  private mutating func compareRelations(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool? {
    guard case .relation(let x, let r) = a, case .relation(let y, let s) = b else { return nil }
    if let left = try realSet(a), let right = try realSet(b) {
      if left.name == right.name { return decide(.sets, left.set == right.set) }
      return decide(.sets, false)
    }
    guard r.count == 1, s.count == 1 else {
      guard r.count == s.count else { return decide(.relations, false) }
      // Chains: side by side, in one direction or turned round.
      if r == s { return decide(.relations, try allEquivalent(x, y)) }
      if r == s.reversed().map({ $0.turned }) {
        return decide(.relations, try allEquivalent(x, y.reversed()))
      }
      return decide(.relations, false)
    }
    // 2x = 4 is the problem, where x = 2 is the answer.
    if let solved = a.assignment, solved.value.isConstant, b.assignment == nil {
      return decide(.relations, false)
    }
    if r == s, try allEquivalent(x, y) { return decide(.relations, true) }
    if r[0] == s[0].turned, try allEquivalent(x, y.reversed()) { return decide(.relations, true) }
    guard r[0] == s[0] || r[0] == s[0].turned, r[0] != .element, r[0] != .other else {
      return decide(.relations, false)
    }
    var canonizer = self.canonizer
    defer { work = max(0, canonizer.work) }
    do throws(CanonicalError) {
      let left = try canonizer.form(of: .sum([x[0], x[1].negated]))
      let right = try canonizer.form(of: .sum([y[0], y[1].negated]))
      guard !left.numerator.isZero, !right.numerator.isZero else {
        return decide(.relations, false)
      }
      if r[0].isOrder, left.denominator != nil || right.denominator != nil {
        return decide(.relations, false)
      }
      let quotient = try canonizer.product(
        CanonicalForm(left.numerator), canonizer.reciprocal(CanonicalForm(right.numerator)))
      guard let factor = quotient.rational else { return decide(.relations, false) }
      let isTurned = r[0] != s[0]
      if r[0].isOrder { return decide(.relations, factor.isNegative == isTurned) }
      return decide(.relations, true)
    } catch {
      if error == .tooLarge { throw .tooLarge }
      return decide(.relations, false)
    }
  }

  // MARK: Lists and sets

  private mutating func allEquivalent(
    _ a: [MathExpression], _ b: [MathExpression]
  ) throws(JudgingLimit) -> Bool {
    guard a.count == b.count else { return false }
    for (x, y) in zip(a, b) {
      guard try areEquivalent(x, y) else { return false }
    }
    return true
  }

  private mutating func compareLists(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool? {
    guard let x = a.items, var y = b.items else {
      guard a.items != nil || b.items != nil else { return nil }
      return try compareList(a, b)
    }
    // An answer that repeats itself says no more by it.
    if y.count > x.count, y.count <= 64 {
      var seen: Set<MathExpression> = []
      y = y.filter { seen.insert($0).inserted }
    }
    guard x.count == y.count else {
      if let result = try compareSets(a, b) { return result }
      return decide(.lists, false)
    }
    // Conditions on a variable are one set, however they are divided.
    if case .relation = x[0], x[0].assignment == nil, let result = try compareSets(a, b) {
      return result
    }
    // Different names for the values give them an order.
    let (names, others) = (
      x.compactMap { $0.assignment?.name }, y.compactMap { $0.assignment?.name }
    )
    if names.isEmpty != others.isEmpty, Set(names).count > 1 || Set(others).count > 1 {
      return decide(.lists, try allEquivalent(x, y))
    }
    var left = y
    for item in x {
      var found: Int?
      for (k, candidate) in left.enumerated() where try areEquivalent(item, candidate) {
        found = k
        break
      }
      guard let found else { return decide(.lists, false) }
      left.remove(at: found)
    }
    return decide(.lists, true)
  }

  /// A list beside what is none.
  private mutating func compareList(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool? {
    let isFirst = a.items != nil
    guard let items = isFirst ? a.items : b.items else { return nil }
    let other = isFirst ? b : a
    if items.count == 1 {
      // A set of one value is given for the value.
      return isFirst ? try areEquivalent(items[0], other) : try areEquivalent(other, items[0])
    }
    // x = 1, y = 2 for the point (1, 2)
    let names = items.compactMap { $0.assignment }
    if case .bracketed(.round, .round, let parts) = other.assignment?.value ?? other,
      names.count == items.count, Set(names.map(\.name)).count == items.count,
      parts.count == items.count
    {
      let values = names.map(\.value)
      return try isFirst ? allEquivalent(values, parts) : allEquivalent(parts, values)
    }
    if let result = try compareSets(a, b) { return result }
    return decide(.lists, false)
  }

  private mutating func compareSets(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool? {
    if case .bracketed = a, case .bracketed = b { return nil }
    guard a.isSetLike, b.isSetLike, let x = try realSet(a), let y = try realSet(b) else {
      return nil
    }
    if let name = x.name, let other = y.name, name != other { return decide(.sets, false) }
    return decide(.sets, x.set == y.set)
  }

  // MARK: Tuples and matrices

  private mutating func compareBracketed(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool? {
    if case .bracketed(let open, let close, let x) = a,
      case .bracketed(let otherOpen, let otherClose, let y) = b
    {
      let isVector = open == .angle || otherOpen == .angle
      let isSquare =
        open == .square || close == .square
        || otherOpen == .square || otherClose == .square
      guard isVector ? !isSquare : open == otherOpen && close == otherClose else {
        return decide(.tuples, false)
      }
      return decide(.tuples, try allEquivalent(x, y))
    }
    guard a.isMatrixLike || b.isMatrixLike else { return nil }
    // A column may be written as a point.
    guard let x = try matrix(a), let y = try matrix(b) else { return decide(.matrices, false) }
    guard x.count == y.count, x[0].count == y[0].count else { return decide(.matrices, false) }
    for (row, other) in zip(x, y) {
      guard try allEquivalent(row, other) else { return decide(.matrices, false) }
    }
    return decide(.matrices, true)
  }

  // MARK: As it is written

  /// Words, ratios and numbers in other bases, whose writing is part of the answer.
  private mutating func compareWritten(_ a: MathExpression, _ b: MathExpression) -> Bool? {
    if let x = a.asWords, let y = b.asWords, a.isWords || b.isWords {
      return decide(.words, x == y)
    }
    if a.isWords || b.isWords { return decide(.words, false) }
    switch (a, b) {
    case (.based(let x, let base), .based(let y, let other)):
      let same = BigInteger(digits: x.utf8, base: base) == BigInteger(digits: y.utf8, base: other)
      return decide(.bases, base == other && same)
    case (.based(let digits, _), .number(let value)):
      return decide(.bases, BigInteger(digits: digits.utf8).map { Rational($0) } == value)
    case (.number(let value), .based(let digits, let base)):
      let written = BigInteger(digits: digits.utf8).map { Rational($0) } == value
      let meant = BigInteger(digits: digits.utf8, base: base).map { Rational($0) } == value
      return decide(.bases, written || meant)
    case (.ratio(let x), .ratio(let y)):
      if x == y { return decide(.ratios, true) }
      guard x.count == y.count else { return decide(.ratios, false) }
      let numbers = (x + y).compactMap { item -> Rational? in
        if case .number(let value) = item { value } else { nil }
      }
      guard numbers.count == 2 * x.count, let lead = numbers.first, !lead.isZero,
        !numbers[x.count].isZero
      else { return decide(.ratios, false) }
      // 1:30 and 2:60 are ratios as well, but 4:30 may be a time: two digits stay as they are.
      if x.count == 2, Rational(9) < numbers[1] || Rational(9) < numbers[3] {
        return decide(.ratios, numbers[0] == numbers[2] && numbers[1] == numbers[3])
      }
      let factor = numbers[x.count] / lead
      let isSame = (0..<x.count).allSatisfy { numbers[$0] * factor == numbers[$0 + x.count] }
      return decide(.ratios, isSame)
    default: return nil
    }
  }

  var canonizer: Canonizer {
    var canonizer = Canonizer(limits: limits)
    canonizer.work = work
    return canonizer
  }
}
