/// Computes expressions at points, to 256 bits.
struct Evaluation {
  /// The values of variables.
  var variables: [String: HighPrecision]
  /// Whether a root or a logarithm of a negative number was taken, so that rules of real numbers do
  /// not hold.
  private(set) var leftRealNumbers = false
  private(set) var work: Int

  /// Why there is no value.
  enum Failure: Error, Equatable {
    case undefined, unsupported, tooLarge
  }

  init(variables: [String: HighPrecision], work: Int) {
    self.variables = variables
    self.work = work
  }

  mutating func value(of expression: MathExpression) throws(Failure) -> ComplexValue {
    let value = try computed(expression)
    guard value.isSane else { throw .tooLarge }
    return value
  }

  private mutating func spend(_ amount: Int) throws(Failure) {
    work -= amount
    if work < 0 { throw .tooLarge }
  }

  private mutating func computed(_ expression: MathExpression) throws(Failure) -> ComplexValue {
    try spend(2)
    switch expression {
    case .number(let number): return ComplexValue(HighPrecision(number))
    case .symbol(let name):
      guard let value = variables[name] else { throw .unsupported }
      return ComplexValue(value)
    case .constant(.pi): return ComplexValue(.pi)
    case .constant(.e): return ComplexValue(try defined(HighPrecision.one.exponential))
    case .constant(.i): return ComplexValue(.zero, .one)
    case .sum(let terms):
      var sum = ComplexValue(.zero)
      for term in terms { sum = sum + (try value(of: term)) }
      return sum
    case .product(let factors):
      var product = ComplexValue.one
      for factor in factors { product = product * (try value(of: factor)) }
      return product
    case .quotient(let above, let below):
      return try defined(value(of: above) / value(of: below))
    case .ratio(let parts) where parts.count == 2:
      return try defined(value(of: parts[0]) / value(of: parts[1]))
    case .power(let base, let exponent): return try power(base, exponent)
    case .function(let function, let arguments): return try apply(function, arguments)
    case .quantity(let inner, let unit):
      let value = try value(of: inner)
      switch unit {
      case .percent: return try defined(value / ComplexValue(HighPrecision(100)))
      case .degree: return try defined(value * ComplexValue(.pi) / ComplexValue(HighPrecision(180)))
      default: return value * ComplexValue(HighPrecision(Units.multiple(unit) ?? .one))
      }
    case .based(let digits, let base):
      guard let value = BigInteger(digits: digits.utf8, base: base) else { throw .unsupported }
      return ComplexValue(HighPrecision(Rational(value)))
    default: throw .unsupported
    }
  }

  private func defined<T>(_ value: T?) throws(Failure) -> T {
    guard let value else { throw .undefined }
    return value
  }

  private mutating func power(
    _ base: MathExpression, _ exponent: MathExpression
  ) throws(Failure) -> ComplexValue {
    let base = try value(of: base)
    let exponentValue = try value(of: exponent)
    if exponentValue.isReal, let whole = integer(exponentValue.real) {
      guard abs(whole) < 1 << 20 else { throw .tooLarge }
      if base.isZero, whole < 0 { throw .undefined }
      try spend(60)
      guard let value = base.power(whole) else { throw .tooLarge }
      return value
    }
    if base.isZero { return base }
    // Odd roots of negative numbers are real, as schools have it.
    if base.isReal, base.real.isNegative,
      case .quotient(.number(let above), .number(let below)) =
        exponent, let n = below.int, n % 2 != 0, let m = above.int
    {
      let root = try power(ComplexValue(-base.real), ComplexValue(HighPrecision(above / below)))
      return m % 2 == 0 ? root : -root
    }
    return try power(base, exponentValue)
  }

  private mutating func power(
    _ base: ComplexValue, _ exponent: ComplexValue
  ) throws(Failure) -> ComplexValue {
    try spend(200)
    if base.isReal, base.real.isNegative { leftRealNumbers = true }
    return try defined((exponent * defined(base.logarithm)).exponential)
  }

  /// The integer that a number is, up to its last bits.
  private func integer(_ value: HighPrecision) -> Int? {
    guard value.scale < 40, let below = (value + HighPrecision(Rational(1, 2))).floor,
      let whole = below.int
    else { return nil }
    let rest = value - HighPrecision(whole)
    return rest.isZero || rest.scale < -200 ? whole : nil
  }

  private mutating func squareRoot(_ value: ComplexValue) throws(Failure) -> ComplexValue {
    try spend(40)
    if value.isReal {
      if value.real.isNegative {
        leftRealNumbers = true
        return ComplexValue(.zero, (-value.real).squareRoot)
      }
      return ComplexValue(value.real.squareRoot)
    }
    return try power(value, ComplexValue(HighPrecision(Rational(1, 2))))
  }

  private mutating func apply(
    _ function: MathFunction, _ arguments: [MathExpression]
  ) throws(Failure) -> ComplexValue {
    var values: [ComplexValue] = []
    for argument in arguments { values.append(try value(of: argument)) }
    guard let x = values.first else { throw .unsupported }
    try spend(200)
    switch function {
    case .sqrt: return try squareRoot(x)
    case .exp: return try defined(x.exponential)
    case .ln: return try logarithm(x)
    case .log:
      guard values.count == 2 else { throw .unsupported }
      return try defined(logarithm(values[1]) / logarithm(x))
    case .abs: return ComplexValue(x.isReal ? x.real.magnitude : x.squaredMagnitude.squareRoot)
    default: break
    }
    guard x.isReal, values.count == 1 else { throw .unsupported }
    let real = x.real
    switch function {
    case .sin, .cos, .tan, .cot, .sec, .csc:
      let (sine, cosine) = try defined(real.sineAndCosine)
      // What is zero but for the last bits has no reciprocal.
      func over(_ a: HighPrecision, _ b: HighPrecision) throws(Failure) -> ComplexValue {
        guard b.scale > -200 else { throw .undefined }
        return ComplexValue(a / b)
      }
      switch function {
      case .sin: return ComplexValue(sine)
      case .cos: return ComplexValue(cosine)
      case .tan: return try over(sine, cosine)
      case .cot: return try over(cosine, sine)
      case .sec: return try over(.one, cosine)
      default: return try over(.one, sine)
      }
    case .arctan: return ComplexValue(real.inverseTangent)
    case .arcsin, .arccos:
      let rest = .one - real * real
      guard !rest.isNegative else { throw .undefined }
      let right = HighPrecision.pi.scaled(by: -1)
      var angle = real.isNegative ? -right : right
      if !rest.isZero { angle = (real / rest.squareRoot).inverseTangent }
      return ComplexValue(function == .arcsin ? angle : right - angle)
    case .sinh, .cosh, .tanh:
      let up = try defined(real.exponential)
      let down = .one / up
      switch function {
      case .sinh: return ComplexValue((up - down).scaled(by: -1))
      case .cosh: return ComplexValue((up + down).scaled(by: -1))
      default: return ComplexValue((up - down) / (up + down))
      }
    case .floor, .ceil, .factorial:
      let whole = integer(real)
      if function == .factorial {
        guard let n = whole, n >= 0, n <= 1_000 else { throw .unsupported }
        try spend(n)
        var product = HighPrecision.one
        if n > 1 { for factor in 2...n { product = product * HighPrecision(factor) } }
        return ComplexValue(product)
      }
      if let whole { return ComplexValue(HighPrecision(whole)) }
      guard let below = real.floor else { throw .tooLarge }
      let floor = HighPrecision(Rational(below))
      return ComplexValue(function == .floor ? floor : floor + .one)
    default: throw .unsupported
    }
  }

  private mutating func logarithm(_ x: ComplexValue) throws(Failure) -> ComplexValue {
    if x.isReal, x.real.isNegative { leftRealNumbers = true }
    return try defined(x.logarithm)
  }
}

extension Evaluation {
  /// Whether two values agree in all bits but those that rounding may have touched.
  ///
  /// 160 equal bits are no coincidence of two different short formulas.
  static func agree(_ a: ComplexValue, _ b: ComplexValue) -> Bool {
    let difference = a - b
    if difference.isZero { return true }
    let scale = max(a.scale, b.scale)
    // Both are zero but for rounding.
    if scale < -200 { return true }
    return difference.scale < scale - 160
  }
}
