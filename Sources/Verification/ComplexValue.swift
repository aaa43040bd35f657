/// A complex number of high precision.
struct ComplexValue: Sendable {
  var real: HighPrecision
  var imaginary: HighPrecision

  static let one = ComplexValue(.one)

  init(_ real: HighPrecision, _ imaginary: HighPrecision = .zero) {
    self.real = real
    self.imaginary = imaginary
  }

  var isZero: Bool { real.isZero && imaginary.isZero }
  var isReal: Bool { imaginary.isZero }
  var isSane: Bool { real.isSane && imaginary.isSane }
  /// The power of two of the larger part.
  var scale: Int { max(real.scale, imaginary.scale) }

  var squaredMagnitude: HighPrecision {
    imaginary.isZero ? real * real : real * real + imaginary * imaginary
  }

  static prefix func - (a: ComplexValue) -> ComplexValue {
    ComplexValue(-a.real, -a.imaginary)
  }

  static func + (a: ComplexValue, b: ComplexValue) -> ComplexValue {
    ComplexValue(a.real + b.real, a.imaginary + b.imaginary)
  }

  static func - (a: ComplexValue, b: ComplexValue) -> ComplexValue { a + -b }

  static func * (a: ComplexValue, b: ComplexValue) -> ComplexValue {
    if a.isReal, b.isReal { return ComplexValue(a.real * b.real) }
    return ComplexValue(
      a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real)
  }

  /// The quotient; nil for a divisor of zero.
  static func / (a: ComplexValue, b: ComplexValue) -> ComplexValue? {
    if b.isZero { return nil }
    if a.isReal, b.isReal { return ComplexValue(a.real / b.real) }
    let square = b.squaredMagnitude
    let product = a * ComplexValue(b.real, -b.imaginary)
    return ComplexValue(product.real / square, product.imaginary / square)
  }

  var exponential: ComplexValue? {
    guard let length = real.exponential else { return nil }
    if isReal { return ComplexValue(length) }
    guard let (sine, cosine) = imaginary.sineAndCosine else { return nil }
    return ComplexValue(length * cosine, length * sine)
  }

  /// The principal logarithm; nil of zero.
  var logarithm: ComplexValue? {
    if isZero { return nil }
    if isReal, !real.isNegative { return ComplexValue(real.logarithm) }
    return ComplexValue(squaredMagnitude.logarithm.scaled(by: -1), angle)
  }

  /// The angle from -π, not included, to π.
  private var angle: HighPrecision {
    if imaginary.isZero { return real.isNegative ? .pi : .zero }
    let right = HighPrecision.pi.scaled(by: -1)
    if real.isZero { return imaginary.isNegative ? -right : right }
    if real.magnitude < imaginary.magnitude {
      let rest = (real / imaginary).inverseTangent
      return (imaginary.isNegative ? -right : right) - rest
    }
    let base = (imaginary / real).inverseTangent
    guard real.isNegative else { return base }
    return imaginary.isNegative ? base - .pi : base + .pi
  }

  func power(_ exponent: Int) -> ComplexValue? {
    var result = ComplexValue.one
    var square = self
    var left = exponent.magnitude
    while left > 0 {
      if left & 1 == 1 { result = result * square }
      left >>= 1
      if left > 0 { square = square * square }
      guard square.isSane, result.isSane else { return nil }
    }
    return exponent < 0 ? .one / result : result
  }
}
