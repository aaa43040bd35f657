/// What a polynomial is made of, besides numbers.
indirect enum Atom: Hashable, Sendable {
  case symbol(String)
  case pi, e, i
  /// An integer above 1 under a root: a prime, unless the integer was too large to factor.
  case base(BigInteger)
  /// Anything under a root.
  case form(CanonicalForm)
  case power(CanonicalForm, CanonicalForm)
  case function(MathFunction, [CanonicalForm])
  case application(String, [CanonicalForm])
}

/// A small fraction in lowest terms: what atoms are raised to.
struct Exponent: Hashable, Sendable {
  let numerator: Int
  let denominator: Int

  static let one = Exponent(1)

  init(_ integer: Int) {
    numerator = integer
    denominator = 1
  }

  /// nil where it becomes too large to be sensible.
  init?(_ numerator: Int, _ denominator: Int) {
    var (a, b) = (abs(numerator), denominator)
    while b != 0 { (a, b) = (b, a % b) }
    let divisor = max(a, 1)
    self.numerator = numerator / divisor
    self.denominator = denominator / divisor
    guard abs(self.numerator) < 1 << 20, self.denominator < 1 << 10 else { return nil }
  }

  /// The largest integer that isn't above it.
  var floor: Int {
    numerator >= 0 ? numerator / denominator : -((denominator - 1 - numerator) / denominator)
  }
}

/// A product of powers of atoms, in the order of the atoms' numbers.
struct Monomial: Hashable, Sendable {
  struct Factor: Hashable, Sendable {
    let atom: Int
    let exponent: Exponent
  }

  var factors: [Factor] = []
  static let one = Monomial()
}

/// A sum of monomials with rational coefficients, none of them zero.
struct Polynomial: Hashable, Sendable {
  var terms: [Monomial: Rational] = [:]

  init() {}
  init(_ value: Rational) { if !value.isZero { terms[.one] = value } }
  init(_ monomial: Monomial, _ coefficient: Rational = .one) {
    if !coefficient.isZero { terms[monomial] = coefficient }
  }

  var isZero: Bool { terms.isEmpty }

  /// The value, if it has no atoms.
  var rational: Rational? {
    if terms.isEmpty { return .zero }
    return terms.count == 1 ? terms[.one] : nil
  }

  mutating func add(_ coefficient: Rational, _ monomial: Monomial) {
    guard let old = terms[monomial] else {
      if !coefficient.isZero { terms[monomial] = coefficient }
      return
    }
    let sum = old + coefficient
    terms[monomial] = sum.isZero ? nil : sum
  }

  /// The polynomial times a number that isn't zero.
  func scaled(by factor: Rational) -> Polynomial {
    if factor.isOne { return self }
    var result = self
    result.terms = terms.mapValues { $0 * factor }
    return result
  }
}

/// A quotient of two polynomials in atoms. Equal values of algebra mostly get equal forms, and the
/// difference of two forms is zero if and only if they are equal, as far as the atoms are independent.
struct CanonicalForm: Hashable, Sendable {
  var numerator: Polynomial
  /// nil for one.
  var denominator: Polynomial?

  init(_ value: Rational) { numerator = Polynomial(value) }
  init(_ numerator: Polynomial, over denominator: Polynomial? = nil) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// The value, if it is a number without roots.
  var rational: Rational? { denominator == nil ? numerator.rational : nil }
}

/// Why there is no form of an expression.
enum CanonicalError: Error, Equatable {
  /// Numbers, powers or sums beyond the limits.
  case tooLarge
  /// A division by zero and the like.
  case undefined
  /// Not an expression of algebra.
  case unsupported
}

/// Makes canonical forms; both sides of a comparison are made by one, so that their atoms agree.
struct Canonizer {
  private(set) var atoms: [Atom] = []
  private var numbers: [Atom: Int] = [:]
  /// How much may still be done: one for each product of two terms, more for large numbers.
  var work: Int
  let bitLimit: Int
  /// The most bits that a number had. Values of 256 bits say nothing of much longer numbers.
  private(set) var widestBits = 0
  /// Whether an integer was met under a root that is too large to factor.
  private(set) var hasUnknownFactors = false

  init(limits: JudgeLimits) {
    work = limits.work
    bitLimit = limits.bits
  }

  mutating func spend(_ amount: Int) throws(CanonicalError) {
    work -= amount
    if work < 0 { throw .tooLarge }
  }

  mutating func number(of atom: Atom) -> Int {
    if let number = numbers[atom] { return number }
    numbers[atom] = atoms.count
    atoms.append(atom)
    return atoms.count - 1
  }

  mutating func form(of atom: Atom, _ exponent: Exponent = .one) -> CanonicalForm {
    let factor = Monomial.Factor(atom: number(of: atom), exponent: exponent)
    return CanonicalForm(Polynomial(Monomial(factors: [factor])))
  }

  // MARK: Arithmetic

  mutating func sum(
    _ a: CanonicalForm, _ b: CanonicalForm
  ) throws(CanonicalError) -> CanonicalForm {
    if a.denominator == b.denominator {
      return try divided(sum(a.numerator, b.numerator), a.denominator)
    }
    let left = try b.denominator.map { d throws(CanonicalError) in try product(a.numerator, d) }
    let right = try a.denominator.map { d throws(CanonicalError) in try product(b.numerator, d) }
    let above = try sum(left ?? a.numerator, right ?? b.numerator)
    return try divided(above, product(a.denominator, b.denominator))
  }

  mutating func product(
    _ a: CanonicalForm, _ b: CanonicalForm
  ) throws(CanonicalError) -> CanonicalForm {
    try divided(product(a.numerator, b.numerator), product(a.denominator, b.denominator))
  }

  mutating func negated(_ a: CanonicalForm) -> CanonicalForm {
    CanonicalForm(a.numerator.scaled(by: Rational(-1)), over: a.denominator)
  }

  mutating func reciprocal(_ a: CanonicalForm) throws(CanonicalError) -> CanonicalForm {
    guard !a.numerator.isZero else { throw .undefined }
    return try divided(a.denominator ?? Polynomial(.one), a.numerator)
  }

  /// Whether two forms are equal: their difference, without denominators, is zero.
  mutating func areEqual(_ a: CanonicalForm, _ b: CanonicalForm) throws(CanonicalError) -> Bool {
    if a == b { return true }
    return try sum(a, negated(b)).numerator.isZero
  }

  private mutating func product(
    _ a: Polynomial?, _ b: Polynomial?
  ) throws(CanonicalError) -> Polynomial? {
    guard let a else { return b }
    guard let b else { return a }
    return try product(a, b)
  }

  private mutating func sum(
    _ a: Polynomial, _ b: Polynomial
  ) throws(CanonicalError) -> Polynomial {
    try spend(1 + b.terms.count)
    var sum = a
    for (monomial, coefficient) in b.terms {
      try check(coefficient)
      sum.add(coefficient, monomial)
    }
    return sum
  }

  private mutating func check(_ value: Rational) throws(CanonicalError) {
    let bits = value.bitWidth
    widestBits = max(widestBits, bits)
    guard bits <= bitLimit else { throw .tooLarge }
    if bits > 256 { try spend(bits / 64 * (bits / 64) / 64) }
  }

  mutating func checked(_ value: Rational) throws(CanonicalError) -> Rational {
    try check(value)
    return value
  }

  private mutating func product(
    _ a: Polynomial, _ b: Polynomial
  ) throws(CanonicalError) -> Polynomial {
    if let value = b.rational { return value.isZero ? Polynomial() : try scaled(a, value) }
    if let value = a.rational { return value.isZero ? Polynomial() : try scaled(b, value) }
    var result = Polynomial()
    try spend(a.terms.count * b.terms.count)
    for (m, x) in a.terms {
      for (n, y) in b.terms {
        try check(x)
        try check(y)
        let (monomial, coefficient, rest) = try product(m, n)
        if let rest {
          // A root met itself: what it is the root of comes out.
          let more = try product(Polynomial(monomial, coefficient * x * y), rest)
          result = try sum(result, more)
        } else {
          result.add(coefficient * x * y, monomial)
        }
      }
    }
    return result
  }

  private mutating func scaled(
    _ a: Polynomial, _ value: Rational
  ) throws(CanonicalError) -> Polynomial {
    try spend(1 + a.terms.count)
    try check(value)
    for coefficient in a.terms.values { try check(coefficient) }
    return a.scaled(by: value)
  }

  /// The product of two monomials: a monomial, a number, and what came out of roots.
  private mutating func product(
    _ a: Monomial, _ b: Monomial
  ) throws(CanonicalError) -> (Monomial, Rational, Polynomial?) {
    try spend(1 + a.factors.count + b.factors.count)
    var factors: [Monomial.Factor] = []
    factors.reserveCapacity(a.factors.count + b.factors.count)
    var coefficient = Rational.one
    var rest: Polynomial?
    var (i, j) = (0, 0)
    while i < a.factors.count || j < b.factors.count {
      if j == b.factors.count || (i < a.factors.count && a.factors[i].atom < b.factors[j].atom) {
        factors.append(a.factors[i])
        i += 1
      } else if i == a.factors.count || b.factors[j].atom < a.factors[i].atom {
        factors.append(b.factors[j])
        j += 1
      } else {
        let (x, y) = (a.factors[i].exponent, b.factors[j].exponent)
        let atom = a.factors[i].atom
        guard
          let exponent = Exponent(
            x.numerator * y.denominator + y.numerator * x.denominator, x.denominator * y.denominator)
        else { throw .tooLarge }
        if let kept = try reduced(atom, exponent, &coefficient, &rest) {
          factors.append(Monomial.Factor(atom: atom, exponent: kept))
        }
        i += 1
        j += 1
      }
    }
    return (Monomial(factors: factors), coefficient, rest)
  }

  /// Takes whole powers out of numbers and sums under roots; what exponent is left, if any.
  private mutating func reduced(
    _ atom: Int, _ exponent: Exponent, _ coefficient: inout Rational, _ rest: inout Polynomial?
  ) throws(CanonicalError) -> Exponent? {
    if exponent.numerator == 0 { return nil }
    let whole = exponent.floor
    let left = Exponent(exponent.numerator - whole * exponent.denominator, exponent.denominator)
    switch atoms[atom] {
    case .i:
      let turns = ((whole % 4) + 4) % 4
      if turns >= 2 { coefficient = -coefficient }
      return turns % 2 == 1 ? .one : nil
    case .base(let base) where whole != 0:
      guard abs(whole) * base.bitWidth <= bitLimit else { throw .tooLarge }
      coefficient = coefficient * Rational(base).power(whole)
      return left?.numerator == 0 ? nil : left
    case .form(let form) where whole > 0 && form.denominator == nil:
      for _ in 0..<whole {
        try spend(1)
        rest = try product(rest, form.numerator)
      }
      return left?.numerator == 0 ? nil : left
    default: return exponent
    }
  }

  /// The quotient of two polynomials, of which the second isn't zero.
  private mutating func divided(
    _ above: Polynomial, _ below: Polynomial?
  ) throws(CanonicalError) -> CanonicalForm {
    guard let below else { return CanonicalForm(above) }
    guard !below.isZero else { throw .undefined }
    guard !above.isZero else { return CanonicalForm(.zero) }
    // A single term goes above; its powers change sign.
    guard below.terms.count == 1, let (monomial, coefficient) = below.terms.first else {
      // Proportional polynomials leave a number; otherwise one coefficient below is made 1.
      guard let lead = below.terms.keys.min(by: isBefore), let by = below.terms[lead] else {
        throw .undefined
      }
      let scaledBelow = below.scaled(by: by.reciprocal)
      let scaledAbove = try scaled(above, by.reciprocal)
      if let factor = scaledAbove.terms[lead], above.terms.count == below.terms.count,
        scaledAbove == scaledBelow.scaled(by: factor)
      {
        return CanonicalForm(factor)
      }
      return CanonicalForm(scaledAbove, over: scaledBelow)
    }
    if monomial.factors.isEmpty { return CanonicalForm(try scaled(above, coefficient.reciprocal)) }
    var inverse = Monomial()
    var factor = coefficient.reciprocal
    var rest: Polynomial?
    for each in monomial.factors {
      let exponent = Exponent(-each.exponent.numerator, each.exponent.denominator)
      guard let exponent else { throw .tooLarge }
      if let kept = try reduced(each.atom, exponent, &factor, &rest) {
        inverse.factors.append(Monomial.Factor(atom: each.atom, exponent: kept))
      }
    }
    return CanonicalForm(try product(above, Polynomial(inverse, factor)))
  }

  /// Any order of monomials that is the same for the same polynomials.
  private func isBefore(_ a: Monomial, _ b: Monomial) -> Bool {
    for (x, y) in zip(a.factors, b.factors) where x != y {
      if x.atom != y.atom { return x.atom < y.atom }
      let left = x.exponent.numerator * y.exponent.denominator
      let right = y.exponent.numerator * x.exponent.denominator
      return left > right
    }
    return a.factors.count > b.factors.count
  }

  // MARK: Powers

  mutating func power(
    _ base: CanonicalForm, _ exponent: Int
  ) throws(CanonicalError) -> CanonicalForm {
    if exponent == 0 { return CanonicalForm(.one) }
    if exponent < 0 { return try power(reciprocal(base), -exponent) }
    if let value = base.rational {
      widestBits = max(widestBits, value.bitWidth.multipliedReportingOverflow(by: exponent).0)
      let (bits, over) = value.bitWidth.multipliedReportingOverflow(by: exponent)
      let isUnit = value.isZero || value.magnitude.isOne
      guard isUnit || (!over && bits <= bitLimit * 2) else { throw .tooLarge }
      if isUnit { return CanonicalForm(exponent % 2 == 0 ? value * value : value) }
      try spend(1 + bits / 64 * (bits / 64) / 16)
      return CanonicalForm(value.power(exponent))
    }
    guard exponent < 1 << 16 else { throw .tooLarge }
    if base.denominator == nil, base.numerator.terms.count == 1,
      let (monomial, coefficient) = base.numerator.terms.first
    {
      var result = Monomial()
      guard coefficient.magnitude.isOne || coefficient.bitWidth * exponent <= bitLimit * 2 else {
        throw .tooLarge
      }
      var factor = coefficient.power(exponent)
      var rest: Polynomial?
      for each in monomial.factors {
        let new = Exponent(each.exponent.numerator * exponent, each.exponent.denominator)
        guard let new else { throw .tooLarge }
        if let kept = try reduced(each.atom, new, &factor, &rest) {
          result.factors.append(Monomial.Factor(atom: each.atom, exponent: kept))
        }
      }
      let value = Polynomial(result, factor)
      return CanonicalForm(try rest.map { r throws(CanonicalError) in try product(value, r) } ?? value)
    }
    var result = CanonicalForm(.one)
    var square = base
    var left = exponent
    while left > 0 {
      if left & 1 == 1 { result = try product(result, square) }
      left >>= 1
      if left > 0 { square = try product(square, square) }
    }
    return result
  }

  /// A root or a power with a fraction, as real roots are meant: `(-8)^(1/3)` is -2.
  mutating func power(
    _ base: CanonicalForm, _ exponent: Exponent
  ) throws(CanonicalError) -> CanonicalForm {
    if exponent.denominator == 1 { return try power(base, exponent.numerator) }
    guard !base.numerator.isZero else {
      if exponent.numerator < 0 { throw .undefined }
      return base
    }
    let isEven = exponent.denominator % 2 == 0
    guard base.denominator == nil, base.numerator.terms.count == 1,
      let (monomial, coefficient) = base.numerator.terms.first
    else { return try powerOfSum(base, exponent) }
    if coefficient.isNegative, isEven, exponent.denominator != 2 {
      return form(of: .form(base), exponent)
    }
    var roots: [Monomial.Factor] = []
    for factor in monomial.factors {
      let isPositive =
        switch atoms[factor.atom] {
        case .pi, .e, .base: true
        default: false
        }
      // The square root of x² is |x|: such a power is left alone.
      let isSafe = isPositive || !isEven || factor.exponent.numerator % 2 != 0
      if atoms[factor.atom] == .i || !isSafe { return try powerOfSum(base, exponent) }
      guard
        let new = Exponent(
          factor.exponent.numerator * exponent.numerator,
          factor.exponent.denominator * exponent.denominator)
      else { throw .tooLarge }
      roots.append(Monomial.Factor(atom: factor.atom, exponent: new))
    }
    var result = try power(ofPositive: coefficient.magnitude, exponent)
    if coefficient.isNegative {
      if isEven {
        result = try product(result, power(form(of: .i), exponent.numerator))
      } else if exponent.numerator % 2 != 0 {
        result = negated(result)
      }
    }
    for root in roots {
      let atom = CanonicalForm(
        Polynomial(Monomial(factors: [Monomial.Factor(atom: root.atom, exponent: .one)])))
      guard case .base = atoms[root.atom] else {
        var alone = atom
        alone.numerator = Polynomial(Monomial(factors: [root]))
        result = try product(result, alone)
        continue
      }
      var factor = Rational.one
      var rest: Polynomial?
      var kept = Monomial()
      if let exponent = try reduced(root.atom, root.exponent, &factor, &rest) {
        kept.factors = [Monomial.Factor(atom: root.atom, exponent: exponent)]
      }
      result = try product(result, CanonicalForm(Polynomial(kept, factor)))
    }
    return result
  }

  /// A power of a sum: numbers that all terms share come out, the rest becomes an atom.
  private mutating func powerOfSum(
    _ base: CanonicalForm, _ exponent: Exponent
  ) throws(CanonicalError) -> CanonicalForm {
    var above = BigInteger.zero
    var below = BigInteger.one
    for coefficient in base.numerator.terms.values {
      try check(coefficient)
      above = BigInteger.gcd(above, coefficient.numerator)
      let d = coefficient.denominator
      below = below * d.quotientAndRemainder(dividingBy: BigInteger.gcd(below, d)).0
      guard below.bitWidth <= bitLimit else { throw .tooLarge }
    }
    let content = Rational(above, below)
    var primitive = base
    primitive.numerator = base.numerator.scaled(by: content.reciprocal)
    let outside = try power(ofPositive: content, exponent)
    return try product(outside, form(of: .form(primitive), exponent))
  }

  private mutating func power(
    ofPositive value: Rational, _ exponent: Exponent
  ) throws(CanonicalError) -> CanonicalForm {
    let above = try power(ofPositive: value.numerator, exponent)
    guard !value.denominator.isOne else { return above }
    guard let negative = Exponent(-exponent.numerator, exponent.denominator) else {
      throw .tooLarge
    }
    return try product(above, power(ofPositive: value.denominator, negative))
  }

  private mutating func power(
    ofPositive value: BigInteger, _ exponent: Exponent
  ) throws(CanonicalError) -> CanonicalForm {
    widestBits = max(widestBits, value.bitWidth)
    var result = CanonicalForm(.one)
    for (prime, count) in try factors(of: value) {
      guard let total = Exponent(exponent.numerator * count, exponent.denominator) else {
        throw .tooLarge
      }
      var factor = Rational.one
      var rest: Polynomial?
      var monomial = Monomial()
      let atom = number(of: .base(prime))
      if let kept = try reduced(atom, total, &factor, &rest) {
        monomial.factors = [Monomial.Factor(atom: atom, exponent: kept)]
      }
      result = try product(result, CanonicalForm(Polynomial(monomial, factor)))
    }
    return result
  }

  /// The prime factors, found by trial; a large rest stays whole and is noted.
  private mutating func factors(
    of value: BigInteger
  ) throws(CanonicalError) -> [(BigInteger, Int)] {
    var result: [(BigInteger, Int)] = []
    var rest = value
    var trial = 2
    let last = 1_000
    while trial <= last, !rest.isOne {
      if let small = rest.int, trial * trial > small { break }
      try spend(1 + rest.bitWidth / 256)
      let divisor = BigInteger(trial)
      var count = 0
      while true {
        let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: divisor)
        guard remainder.isZero else { break }
        try spend(1 + rest.bitWidth / 64)
        rest = quotient
        count += 1
      }
      if count > 0 { result.append((divisor, count)) }
      trial += trial == 2 ? 1 : 2
    }
    guard !rest.isOne else { return result }
    if let small = rest.int, small < last * last {
      result.append((rest, 1))
      return result
    }
    let root = rest.squareRoot
    if root * root == rest {
      result.append((root, 2))
    } else {
      result.append((rest, 1))
    }
    hasUnknownFactors = true
    return result
  }
}

extension Rational {
  var magnitude: Rational { isNegative ? -self : self }
}
