/// A real number of 256 bits: `mantissa · 2^exponent`.
///
/// It is made of integers only, so that every machine computes the same bits; functions are summed
/// here and not asked of the system's library for the same reason.
struct HighPrecision: Sendable {
  var mantissa: BigInteger
  var exponent: Int

  /// The bits that are kept.
  static let bits = 256
  /// Exponents beyond this are refused by `isSane`.
  static let exponentLimit = 1 << 24

  static let zero = HighPrecision(mantissa: .zero, exponent: 0)
  static let one = HighPrecision(mantissa: .one, exponent: 0)

  init(mantissa: BigInteger, exponent: Int) {
    let extra = mantissa.bitWidth - Self.bits
    if extra > 0 {
      self.mantissa = mantissa >> extra
      self.exponent = exponent + extra
    } else {
      self.mantissa = mantissa
      self.exponent = mantissa.isZero ? 0 : exponent
    }
  }

  init(_ value: Int) { self.init(mantissa: BigInteger(value), exponent: 0) }

  init(_ value: Rational) {
    self = HighPrecision(mantissa: value.numerator, exponent: 0)
    if !value.isInteger { self = self / HighPrecision(mantissa: value.denominator, exponent: 0) }
  }

  var isZero: Bool { mantissa.isZero }
  var isNegative: Bool { mantissa.isNegative }
  var magnitude: HighPrecision { isNegative ? -self : self }
  /// The power of two that is just above the magnitude; the least there is for zero.
  var scale: Int { isZero ? Int.min / 2 : exponent + mantissa.bitWidth }
  var isSane: Bool { isZero || abs(scale) < Self.exponentLimit }

  static prefix func - (a: HighPrecision) -> HighPrecision {
    HighPrecision(mantissa: -a.mantissa, exponent: a.exponent)
  }

  static func + (a: HighPrecision, b: HighPrecision) -> HighPrecision {
    if a.isZero { return b }
    if b.isZero { return a }
    let (high, low) = a.exponent >= b.exponent ? (a, b) : (b, a)
    // What is too small to be seen is left out, instead of being shifted a long way.
    if high.scale - low.scale > bits + 8 { return high }
    if low.scale - high.scale > bits + 8 { return low }
    let shift = high.exponent - low.exponent
    return HighPrecision(
      mantissa: (high.mantissa << shift) + low.mantissa, exponent: low.exponent)
  }

  static func - (a: HighPrecision, b: HighPrecision) -> HighPrecision { a + -b }

  static func * (a: HighPrecision, b: HighPrecision) -> HighPrecision {
    HighPrecision(mantissa: a.mantissa * b.mantissa, exponent: a.exponent + b.exponent)
  }

  /// The quotient; `b` must not be zero.
  static func / (a: HighPrecision, b: HighPrecision) -> HighPrecision {
    let shift = max(0, bits + 2 + b.mantissa.bitWidth - a.mantissa.bitWidth)
    let quotient = (a.mantissa << shift).quotientAndRemainder(dividingBy: b.mantissa).0
    return HighPrecision(mantissa: quotient, exponent: a.exponent - b.exponent - shift)
  }

  static func < (a: HighPrecision, b: HighPrecision) -> Bool { (a - b).isNegative }

  /// The number divided or multiplied by a power of two.
  func scaled(by power: Int) -> HighPrecision {
    HighPrecision(mantissa: mantissa, exponent: exponent + power)
  }

  /// The square root of a number that isn't negative.
  var squareRoot: HighPrecision {
    guard !isZero else { return self }
    var shift = max(0, 2 * Self.bits - mantissa.bitWidth)
    if (exponent - shift) % 2 != 0 { shift += 1 }
    return HighPrecision(
      mantissa: (mantissa << shift).squareRoot, exponent: (exponent - shift) / 2)
  }

  /// The largest integer that isn't above it; nil if it is very large.
  var floor: BigInteger? {
    guard exponent < 0 else {
      return exponent < 4 * Self.bits ? mantissa << exponent : nil
    }
    let cut = mantissa >> -exponent
    if isNegative, (cut << -exponent) != mantissa { return cut - .one }
    return cut
  }

  // MARK: Constants and functions

  /// π, by Machin's formula: 16 atan(1/5) − 4 atan(1/239).
  static let pi: HighPrecision = {
    func inverseTangent(of n: Int) -> HighPrecision {
      let square = HighPrecision(n * n)
      var power = one / HighPrecision(n)
      var sum = zero
      var k = 1
      while power.scale > -bits - 16 {
        let term = power / HighPrecision(k)
        sum = k % 4 == 1 ? sum + term : sum - term
        power = power / square
        k += 2
      }
      return sum
    }
    return HighPrecision(16) * inverseTangent(of: 5) - HighPrecision(4) * inverseTangent(of: 239)
  }()

  /// The natural logarithm of 2: 2 atanh(1/3).
  static let logarithmOf2 = inverseHyperbolicTangent(one / HighPrecision(3)).scaled(by: 1)

  private static func inverseHyperbolicTangent(_ z: HighPrecision) -> HighPrecision {
    let square = z * z
    var power = z
    var sum = z
    var k = 3
    while true {
      power = power * square
      let term = power / HighPrecision(k)
      if term.scale < sum.scale - bits - 4 || term.isZero { return sum }
      sum = sum + term
      k += 2
    }
  }

  /// e to this power; nil beyond what exponents hold.
  var exponential: HighPrecision? {
    guard !isZero else { return .one }
    guard scale < 24, let steps = (self / Self.logarithmOf2).floor?.int else { return nil }
    let rest = self - HighPrecision(steps) * Self.logarithmOf2
    // The series of a small part, squared eight times.
    let small = rest.scaled(by: -8)
    var term = Self.one
    var sum = Self.one
    var k = 1
    while true {
      term = term * small / HighPrecision(k)
      if term.isZero || term.scale < -Self.bits - 8 { break }
      sum = sum + term
      k += 1
    }
    for _ in 0..<8 { sum = sum * sum }
    return sum.scaled(by: steps)
  }

  /// The natural logarithm of a positive number.
  var logarithm: HighPrecision {
    // m · 2^k with m from 1/2 to 1, and roots of m that are close to 1.
    let k = scale
    let m = HighPrecision(mantissa: mantissa, exponent: exponent - k)
    let root = m.squareRoot.squareRoot.squareRoot
    let z = (root - .one) / (root + .one)
    let value = z.isZero ? z : Self.inverseHyperbolicTangent(z).scaled(by: 4)
    return value + HighPrecision(k) * Self.logarithmOf2
  }

  /// Sine and cosine; nil for numbers so large that nothing of the angle is left.
  var sineAndCosine: (sine: HighPrecision, cosine: HighPrecision)? {
    guard scale < 60 else { return nil }
    let halfPi = Self.pi.scaled(by: -1)
    guard let turns = (self / halfPi).floor?.int else { return nil }
    let rest = self - HighPrecision(turns) * halfPi
    var sine = Self.zero
    var cosine = Self.zero
    var term = Self.one
    var k = 0
    while !term.isZero, term.scale > -Self.bits - 8 || k < 2 {
      switch k % 4 {
      case 0: cosine = cosine + term
      case 1: sine = sine + term
      case 2: cosine = cosine - term
      default: sine = sine - term
      }
      k += 1
      term = term * rest / HighPrecision(k)
    }
    switch ((turns % 4) + 4) % 4 {
    case 0: return (sine, cosine)
    case 1: return (cosine, -sine)
    case 2: return (-sine, -cosine)
    default: return (-cosine, sine)
    }
  }

  /// The angle between -π/2 and π/2 with this tangent.
  var inverseTangent: HighPrecision {
    guard !isZero else { return self }
    // Half the angle three times, then the series.
    var x = self
    for _ in 0..<4 { x = x / (.one + (.one + x * x).squareRoot) }
    let square = x * x
    var power = x
    var sum = x
    var k = 3
    while true {
      power = power * square
      let term = power / HighPrecision(k)
      if term.isZero || term.scale < sum.scale - Self.bits - 4 { break }
      sum = k % 4 == 1 ? sum + term : sum - term
      k += 2
    }
    return sum.scaled(by: 4)
  }
}
