/// A fraction in lowest terms, of any size; the denominator is positive.
struct Rational: Hashable, Sendable {
  let numerator: BigInteger
  let denominator: BigInteger

  static let zero = Rational(0)
  static let one = Rational(1)

  init(_ value: Int) { self.init(BigInteger(value)) }

  init(_ integer: BigInteger) {
    numerator = integer
    denominator = .one
  }

  /// The quotient of two integers, of which the second is not zero.
  init(_ numerator: BigInteger, _ denominator: BigInteger) {
    precondition(!denominator.isZero, "A denominator must not be zero.")
    if denominator.isOne {
      self.numerator = numerator
      self.denominator = denominator
      return
    }
    let divisor = BigInteger.gcd(numerator, denominator)
    let sign = denominator.isNegative ? -divisor : divisor
    if sign.isOne {
      self.numerator = numerator
      self.denominator = denominator
    } else {
      self.numerator = numerator.quotientAndRemainder(dividingBy: sign).0
      self.denominator = denominator.quotientAndRemainder(dividingBy: sign).0
    }
  }

  init(_ numerator: Int, _ denominator: Int) {
    self.init(BigInteger(numerator), BigInteger(denominator))
  }

  var isZero: Bool { numerator.isZero }
  var isOne: Bool { numerator.isOne && denominator.isOne }
  var isInteger: Bool { denominator.isOne }
  var isNegative: Bool { numerator.isNegative }
  /// The value as a machine word, if it is an integer and fits.
  var int: Int? { denominator.isOne ? numerator.int : nil }
  /// The bits of numerator and denominator, which the work on it grows with.
  var bitWidth: Int { numerator.bitWidth + denominator.bitWidth }

  /// The largest integer that is not above it.
  var floor: BigInteger {
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
    return remainder.isNegative ? quotient - .one : quotient
  }

  var magnitude: Rational { isNegative ? -self : self }

  /// One over it; it must not be zero.
  var reciprocal: Rational { Rational(denominator, numerator) }

  static prefix func - (a: Rational) -> Rational {
    Rational(reduced: -a.numerator, a.denominator)
  }

  static func + (a: Rational, b: Rational) -> Rational {
    if a.denominator.isOne, b.denominator.isOne { return Rational(a.numerator + b.numerator) }
    return Rational(
      a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)
  }

  static func - (a: Rational, b: Rational) -> Rational { a + -b }

  static func * (a: Rational, b: Rational) -> Rational {
    if a.denominator.isOne, b.denominator.isOne { return Rational(a.numerator * b.numerator) }
    return Rational(a.numerator * b.numerator, a.denominator * b.denominator)
  }

  /// The quotient; `b` must not be zero.
  static func / (a: Rational, b: Rational) -> Rational {
    Rational(a.numerator * b.denominator, a.denominator * b.numerator)
  }

  /// An integer power; a negative one only of what is not zero.
  func power(_ exponent: Int) -> Rational {
    let n = Int(exponent.magnitude)
    let result = Rational(reduced: numerator.power(n), denominator.power(n))
    return exponent < 0 ? result.reciprocal : result
  }

  private init(reduced numerator: BigInteger, _ denominator: BigInteger) {
    self.numerator = numerator
    self.denominator = denominator
  }
}

extension Rational: Comparable {
  static func < (a: Rational, b: Rational) -> Bool {
    a.numerator * b.denominator < b.numerator * a.denominator
  }
}

extension Rational: CustomStringConvertible {
  var description: String { isInteger ? "\(numerator)" : "\(numerator)/\(denominator)" }
}

extension Rational {
  /// A decimal: digits, perhaps a point, a period in brackets and a power of ten.
  ///
  /// nil if it is none, or has an exponent of more than four digits.
  init?(decimal text: [UInt8]) {
    var digits: [UInt8] = []
    var period: [UInt8] = []
    var scale = 0
    var hasPoint = false
    var isPeriod = false
    var j = 0
    scan: while j < text.count {
      switch text[j] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if isPeriod {
          period.append(text[j])
        } else {
          digits.append(text[j])
          if hasPoint { scale += 1 }
        }
      case UInt8(ascii: "."): hasPoint = true
      case UInt8(ascii: "("): isPeriod = true
      case UInt8(ascii: ")"): break
      default: break scan
      }
      j += 1
    }
    guard !digits.isEmpty || !period.isEmpty,
      let whole = BigInteger(digits: digits), let repeated = BigInteger(digits: period)
    else { return nil }
    var value = Rational(whole, BigInteger(10).power(scale))
    if !period.isEmpty {
      let nines = BigInteger(10).power(period.count) - .one
      value = value + Rational(repeated, nines * BigInteger(10).power(scale))
    }
    if j < text.count {
      let exponent = String(decoding: text[(j + 1)...], as: UTF8.self)
      guard exponent.utf8.count <= 4, let power = Int(exponent) else { return nil }
      value = value * Rational(10).power(power)
    }
    self = value
  }
}
