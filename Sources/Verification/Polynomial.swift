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
