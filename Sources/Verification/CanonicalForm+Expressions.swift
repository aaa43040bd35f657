// Forms of expressions.
extension Canonizer {
  /// The form of an expression of algebra.
  ///
  /// - Throws: `CanonicalError` for what is no number and no expression of algebra, for divisions by
  ///   zero, and for what is beyond the limits.
  mutating func form(of expression: MathExpression) throws(CanonicalError) -> CanonicalForm {
    try spend(1)
    switch expression {
    case .number(let value):
      return CanonicalForm(try checked(value))
    case .symbol(let name): return form(of: Atom.symbol(name))
    case .constant(.pi): return form(of: Atom.pi)
    case .constant(.e): return form(of: Atom.e)
    case .constant(.i): return form(of: Atom.i)
    case .sum(let terms):
      var sum = CanonicalForm(.zero)
      for term in terms { sum = try self.sum(sum, form(of: term)) }
      return sum
    case .product(let factors):
      var product = CanonicalForm(.one)
      for factor in factors { product = try self.product(product, form(of: factor)) }
      return product
    case .quotient(let above, let below):
      return try product(form(of: above), reciprocal(form(of: below)))
    case .power(let base, let exponent):
      return try power(form(of: base), form(of: exponent))
    case .function(let function, let arguments):
      var forms: [CanonicalForm] = []
      for argument in arguments { forms.append(try form(of: argument)) }
      return try apply(function, forms)
    case .application(let name, let arguments):
      var forms: [CanonicalForm] = []
      for argument in arguments { forms.append(try form(of: argument)) }
      return form(of: Atom.application(name, forms))
    case .quantity(let value, let unit):
      let inner = try form(of: value)
      switch unit {
      case .percent: return try product(inner, CanonicalForm(Rational(1, 100)))
      case .degree:
        return try product(inner, product(form(of: Atom.pi), CanonicalForm(Rational(1, 180))))
      default:
        guard let factor = Units.multiple(unit) else { return inner }
        return try product(inner, CanonicalForm(factor))
      }
    case .based(let digits, let base):
      guard let value = BigInteger(digits: digits.utf8, base: base) else { throw .unsupported }
      return CanonicalForm(Rational(value))
    case .ratio(let parts) where parts.count == 2:
      return try product(form(of: parts[0]), reciprocal(form(of: parts[1])))
    default: throw .unsupported
    }
  }

  mutating func power(
    _ base: CanonicalForm, _ exponent: CanonicalForm
  ) throws(CanonicalError) -> CanonicalForm {
    guard let value = exponent.rational else {
      return form(of: Atom.power(base, exponent))
    }
    if let whole = value.int { return try power(base, whole) }
    if value.isInteger {
      if let base = base.rational, base.isOne || base.isZero, !value.isNegative {
        return CanonicalForm(base)
      }
      throw .tooLarge
    }
    guard let above = value.numerator.int, let below = value.denominator.int,
      abs(above) < 1 << 20, below < 1 << 10, let exponent = Exponent(above, below)
    else {
      return form(of: Atom.power(base, exponent))
    }
    return try power(base, exponent)
  }

  private mutating func apply(
    _ function: MathFunction, _ forms: [CanonicalForm]
  ) throws(CanonicalError) -> CanonicalForm {
    switch function {
    case .sqrt where forms.count == 1:
      guard let half = Exponent(1, 2) else { throw .unsupported }
      return try power(forms[0], half)
    case .exp where forms.count == 1:
      return try power(form(of: Atom.e), forms[0])
    case .abs where forms.count == 1:
      if let value = forms[0].rational { return CanonicalForm(value.magnitude) }
    case .floor where forms.count == 1:
      if let value = forms[0].rational { return CanonicalForm(Rational(value.floor)) }
    case .ceil where forms.count == 1:
      if let value = forms[0].rational { return CanonicalForm(-Rational((-value).floor)) }
    case .factorial where forms.count == 1:
      guard let value = forms[0].rational else { break }
      guard let n = value.int else { throw value.isInteger ? .tooLarge : .unsupported }
      guard n >= 0 else { throw .undefined }
      guard n <= 4_000, n * 12 <= bitLimit else { throw .tooLarge }
      var product = BigInteger.one
      if n > 1 {
        for factor in 2...n {
          try spend(1 + product.bitWidth / 64)
          product = product * BigInteger(factor)
        }
      }
      return CanonicalForm(Rational(product))
    case .binomial where forms.count == 2:
      guard let n = forms[0].rational?.int, let k = forms[1].rational?.int else { break }
      guard n >= 0, k >= 0 else { throw .unsupported }
      if k > n { return CanonicalForm(.zero) }
      let count = min(k, n - k)
      guard n <= 10_000, count * 14 <= bitLimit else { throw .tooLarge }
      var value = BigInteger.one
      if count > 0 {
        for step in 1...count {
          try spend(2 + value.bitWidth / 32)
          value = value * BigInteger(n - count + step)
          value = value.quotientAndRemainder(dividingBy: BigInteger(step)).0
        }
      }
      return CanonicalForm(Rational(value))
    case .gcd, .lcm, .min, .max:
      var values: [Rational] = []
      for form in forms {
        guard let value = form.rational else { throw .unsupported }
        values.append(value)
      }
      guard var result = values.first else { throw .unsupported }
      for value in values.dropFirst() {
        try spend(1 + (value.bitWidth + result.bitWidth) / 16)
        switch function {
        case .min: result = min(result, value)
        case .max: result = max(result, value)
        default:
          guard value.isInteger, result.isInteger, !value.isZero, !result.isZero else {
            throw .unsupported
          }
          let divisor = BigInteger.gcd(value.numerator, result.numerator)
          result =
            function == .gcd
            ? Rational(divisor) : (value * result / Rational(divisor)).magnitude
        }
      }
      return CanonicalForm(result)
    case .log where forms.count == 2:
      // Logarithms are quotients of natural ones, whatever their base.
      let above = form(of: Atom.function(.ln, [forms[1]]))
      return try product(above, reciprocal(form(of: Atom.function(.ln, [forms[0]]))))
    case .determinant: throw .unsupported
    default: break
    }
    guard forms.count == 1 || function == .binomial else { throw .unsupported }
    return form(of: Atom.function(function, forms))
  }

  /// Whether forms that differ are different values for certain: all atoms are independent.
  var isDecisive: Bool {
    if hasUnknownFactors { return false }
    return atoms.allSatisfy { atom in
      switch atom {
      case .symbol, .pi, .e, .i, .base, .application: true
      default: false
      }
    }
  }
}
