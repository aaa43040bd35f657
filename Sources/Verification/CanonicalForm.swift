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
  var widestBits = 0
  /// Whether an integer was met under a root that is too large to factor.
  var hasUnknownFactors = false

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

  mutating func product(
    _ a: Polynomial?, _ b: Polynomial?
  ) throws(CanonicalError) -> Polynomial? {
    guard let a else { return b }
    guard let b else { return a }
    return try product(a, b)
  }

  mutating func sum(
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

  mutating func check(_ value: Rational) throws(CanonicalError) {
    let bits = value.bitWidth
    widestBits = max(widestBits, bits)
    guard bits <= bitLimit else { throw .tooLarge }
    if bits > 256 { try spend(bits / 64 * (bits / 64) / 64) }
  }

  mutating func checked(_ value: Rational) throws(CanonicalError) -> Rational {
    try check(value)
    return value
  }

  mutating func product(
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

  mutating func scaled(
    _ a: Polynomial, _ value: Rational
  ) throws(CanonicalError) -> Polynomial {
    try spend(1 + a.terms.count)
    try check(value)
    for coefficient in a.terms.values { try check(coefficient) }
    return a.scaled(by: value)
  }

  /// The product of two monomials: a monomial, a number, and what came out of roots.
  mutating func product(
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
            x.numerator * y.denominator + y.numerator * x.denominator, x.denominator * y.denominator
          )
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
  mutating func reduced(
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
  mutating func divided(
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
}
