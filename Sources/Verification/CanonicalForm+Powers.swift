// Powers and roots of forms.
extension Canonizer {
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
      return CanonicalForm(
        try rest.map { r throws(CanonicalError) in try product(value, r) } ?? value)
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
