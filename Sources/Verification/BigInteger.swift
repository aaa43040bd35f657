/// An integer of any size.
///
/// Values that fit in a machine word are kept in one and cost no allocation. The caller bounds the
/// size: nothing here knows a limit.
struct BigInteger: Hashable, Sendable {
  /// The value, if `limbs` is empty; otherwise 0.
  private(set) var word: Int
  /// The magnitude in base 2³², lowest first, if it is above `Int.max`; no zero on top.
  private(set) var limbs: [UInt32]
  /// The sign of a value that is in `limbs`.
  private(set) var isLargeNegative: Bool

  static let zero = BigInteger(0)
  static let one = BigInteger(1)

  init(_ value: Int) {
    if value == Int.min {
      word = 0
      limbs = [0, 1 << 31]
      isLargeNegative = true
    } else {
      word = value
      limbs = []
      isLargeNegative = false
    }
  }

  /// The integer with this magnitude, lowest limb first.
  init(magnitude: [UInt32], isNegative: Bool) {
    var limbs = magnitude
    while limbs.last == 0 { limbs.removeLast() }
    if limbs.count < 2 || (limbs.count == 2 && limbs[1] >> 31 == 0) {
      var value = 0
      for limb in limbs.reversed() { value = value << 32 | Int(limb) }
      word = isNegative ? -value : value
      self.limbs = []
      isLargeNegative = false
    } else {
      word = 0
      self.limbs = limbs
      isLargeNegative = isNegative
    }
  }

  /// The integer that these digits spell in a base from 2 to 36; nil where one is no such digit.
  init?(digits: some Sequence<UInt8>, base: Int = 10) {
    var small = 0
    var limbs: [UInt32] = []
    for byte in digits {
      let digit: Int
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(byte) - 48
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = Int(byte) - 87
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = Int(byte) - 55
      default: return nil
      }
      guard digit < base else { return nil }
      if limbs.isEmpty {
        let (product, over) = small.multipliedReportingOverflow(by: base)
        let (sum, over2) = product.addingReportingOverflow(digit)
        if !over && !over2 {
          small = sum
          continue
        }
        limbs = [UInt32(truncatingIfNeeded: small), UInt32(small >> 32)]
      }
      var carry = UInt64(digit)
      for i in limbs.indices {
        carry += UInt64(limbs[i]) * UInt64(base)
        limbs[i] = UInt32(truncatingIfNeeded: carry)
        carry >>= 32
      }
      if carry > 0 { limbs.append(UInt32(carry)) }
    }
    self = limbs.isEmpty ? BigInteger(small) : BigInteger(magnitude: limbs, isNegative: false)
  }

  /// The value as a machine word, if it fits.
  var int: Int? { limbs.isEmpty ? word : nil }
  var isZero: Bool { limbs.isEmpty && word == 0 }
  var isOne: Bool { limbs.isEmpty && word == 1 }
  var isNegative: Bool { limbs.isEmpty ? word < 0 : isLargeNegative }
  var isOdd: Bool { limbs.isEmpty ? word & 1 != 0 : limbs[0] & 1 != 0 }

  /// How many bits the magnitude has; 0 for zero.
  var bitWidth: Int {
    guard let top = limbs.last else { return Int.bitWidth - word.magnitude.leadingZeroBitCount }
    return limbs.count * 32 - top.leadingZeroBitCount
  }

  var magnitude: BigInteger {
    if limbs.isEmpty { return BigInteger(Swift.abs(word)) }
    return BigInteger(magnitude: limbs, isNegative: false)
  }

  private var magnitudeLimbs: [UInt32] {
    guard limbs.isEmpty else { return limbs }
    let m = word.magnitude
    return m >> 32 == 0
      ? (m == 0 ? [] : [UInt32(m)]) : [UInt32(truncatingIfNeeded: m), UInt32(m >> 32)]
  }

  static prefix func - (a: BigInteger) -> BigInteger {
    if a.limbs.isEmpty { return BigInteger(-a.word) }
    return BigInteger(magnitude: a.limbs, isNegative: !a.isLargeNegative)
  }

  static func + (a: BigInteger, b: BigInteger) -> BigInteger {
    if a.limbs.isEmpty, b.limbs.isEmpty {
      let (sum, over) = a.word.addingReportingOverflow(b.word)
      if !over { return BigInteger(sum) }
    }
    let x = a.magnitudeLimbs
    let y = b.magnitudeLimbs
    if a.isNegative == b.isNegative {
      return BigInteger(magnitude: sum(x, y), isNegative: a.isNegative)
    }
    return isLess(x, y)
      ? BigInteger(magnitude: difference(y, x), isNegative: b.isNegative)
      : BigInteger(magnitude: difference(x, y), isNegative: a.isNegative)
  }

  static func - (a: BigInteger, b: BigInteger) -> BigInteger { a + -b }

  static func * (a: BigInteger, b: BigInteger) -> BigInteger {
    if a.limbs.isEmpty, b.limbs.isEmpty {
      let (product, over) = a.word.multipliedReportingOverflow(by: b.word)
      if !over { return BigInteger(product) }
    }
    let x = a.magnitudeLimbs
    let y = b.magnitudeLimbs
    if x.isEmpty || y.isEmpty { return zero }
    var product = [UInt32](repeating: 0, count: x.count + y.count)
    for i in x.indices {
      var carry: UInt64 = 0
      let factor = UInt64(x[i])
      for j in y.indices {
        carry += factor * UInt64(y[j]) + UInt64(product[i + j])
        product[i + j] = UInt32(truncatingIfNeeded: carry)
        carry >>= 32
      }
      product[i + y.count] = UInt32(carry)
    }
    return BigInteger(magnitude: product, isNegative: a.isNegative != b.isNegative)
  }

  /// Quotient toward zero and the remainder, which has the sign of `self`; the divisor isn't zero.
  func quotientAndRemainder(dividingBy b: BigInteger) -> (BigInteger, BigInteger) {
    precondition(!b.isZero, "A divisor must not be zero.")
    if limbs.isEmpty, b.limbs.isEmpty {
      return (BigInteger(word / b.word), BigInteger(word % b.word))
    }
    let (q, r) = Self.divide(magnitudeLimbs, b.magnitudeLimbs)
    return (
      BigInteger(magnitude: q, isNegative: isNegative != b.isNegative),
      BigInteger(magnitude: r, isNegative: isNegative)
    )
  }

  static func << (a: BigInteger, count: Int) -> BigInteger {
    if count <= 0 { return count == 0 ? a : a >> -count }
    if a.limbs.isEmpty, a.bitWidth + count < 63 { return BigInteger(a.word << count) }
    let x = a.magnitudeLimbs
    var shifted = [UInt32](repeating: 0, count: count / 32 + x.count + 1)
    let bits = UInt64(count % 32)
    for i in x.indices {
      let wide = UInt64(x[i]) << bits
      shifted[count / 32 + i] |= UInt32(truncatingIfNeeded: wide)
      shifted[count / 32 + i + 1] = UInt32(wide >> 32)
    }
    return BigInteger(magnitude: shifted, isNegative: a.isNegative)
  }

  /// Shifts the magnitude, so that negative values are cut toward zero.
  static func >> (a: BigInteger, count: Int) -> BigInteger {
    if count <= 0 { return a << -count }
    let x = a.magnitudeLimbs
    let words = count / 32
    guard words < x.count else { return zero }
    var shifted = [UInt32](repeating: 0, count: x.count - words)
    let bits = UInt64(count % 32)
    for i in shifted.indices {
      let high = words + i + 1 < x.count ? UInt64(x[words + i + 1]) << 32 : 0
      shifted[i] = UInt32(truncatingIfNeeded: (high | UInt64(x[words + i])) >> bits)
    }
    return BigInteger(magnitude: shifted, isNegative: a.isNegative)
  }

  func power(_ exponent: Int) -> BigInteger {
    var result = BigInteger.one
    var base = self
    var rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result = result * base }
      rest >>= 1
      if rest > 0 { base = base * base }
    }
    return result
  }

  /// The greatest common divisor, never negative.
  static func gcd(_ a: BigInteger, _ b: BigInteger) -> BigInteger {
    var (x, y) = (a.magnitude, b.magnitude)
    while !y.isZero {
      if let small = x.int, let other = y.int {
        var (m, n) = (small, other)
        while n != 0 { (m, n) = (n, m % n) }
        return BigInteger(m)
      }
      (x, y) = (y, x.quotientAndRemainder(dividingBy: y).1)
    }
    return x
  }

  /// The largest integer whose square is not above this one, which must not be negative.
  var squareRoot: BigInteger {
    if isZero { return .zero }
    // Newton's steps fall to the root from any start that is not below it.
    var root = BigInteger.one << ((bitWidth + 1) / 2)
    while true {
      let next = (root + quotientAndRemainder(dividingBy: root).0) >> 1
      if next >= root { return root }
      root = next
    }
  }
}

extension BigInteger: Comparable {
  static func < (a: BigInteger, b: BigInteger) -> Bool {
    if a.limbs.isEmpty, b.limbs.isEmpty { return a.word < b.word }
    if a.isNegative != b.isNegative { return a.isNegative }
    let (x, y) = (a.magnitudeLimbs, b.magnitudeLimbs)
    return a.isNegative ? isLess(y, x) : isLess(x, y)
  }
}

extension BigInteger: CustomStringConvertible {
  var description: String {
    if limbs.isEmpty { return String(word) }
    var rest = limbs
    var parts: [UInt64] = []
    while !rest.isEmpty {
      var remainder: UInt64 = 0
      for i in rest.indices.reversed() {
        let wide = remainder << 32 | UInt64(rest[i])
        rest[i] = UInt32(wide / 1_000_000_000)
        remainder = wide % 1_000_000_000
      }
      parts.append(remainder)
      while rest.last == 0 { rest.removeLast() }
    }
    var text = isLargeNegative ? "-" : ""
    for (i, part) in parts.reversed().enumerated() {
      let digits = String(part)
      if i > 0 { text += String(repeating: "0", count: 9 - digits.utf8.count) }
      text += digits
    }
    return text
  }
}

// Arithmetic on magnitudes, lowest limb first.
extension BigInteger {
  private static func isLess(_ a: [UInt32], _ b: [UInt32]) -> Bool {
    if a.count != b.count { return a.count < b.count }
    for i in a.indices.reversed() where a[i] != b[i] { return a[i] < b[i] }
    return false
  }

  private static func sum(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
    var sum: [UInt32] = []
    sum.reserveCapacity(max(a.count, b.count) + 1)
    var carry: UInt64 = 0
    for i in 0..<max(a.count, b.count) {
      carry += UInt64(i < a.count ? a[i] : 0) + UInt64(i < b.count ? b[i] : 0)
      sum.append(UInt32(truncatingIfNeeded: carry))
      carry >>= 32
    }
    sum.append(UInt32(carry))
    return sum
  }

  /// `a - b`, where `a` is not below `b`.
  private static func difference(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
    var difference = a
    var borrow: Int64 = 0
    for i in a.indices {
      var value = Int64(a[i]) - (i < b.count ? Int64(b[i]) : 0) - borrow
      borrow = value < 0 ? 1 : 0
      if value < 0 { value += 1 << 32 }
      difference[i] = UInt32(value)
    }
    return difference
  }

  /// Knuth's algorithm D (The Art of Computer Programming, volume 2, 4.3.1).
  private static func divide(_ a: [UInt32], _ b: [UInt32]) -> ([UInt32], [UInt32]) {
    if isLess(a, b) { return ([], a) }
    if b.count == 1 {
      var quotient = a
      var remainder: UInt64 = 0
      for i in a.indices.reversed() {
        let wide = remainder << 32 | UInt64(a[i])
        quotient[i] = UInt32(wide / UInt64(b[0]))
        remainder = wide % UInt64(b[0])
      }
      return (quotient, [UInt32(remainder)])
    }
    let shift = b[b.count - 1].leadingZeroBitCount
    let divisor = shifted(b, shift, extra: 0)
    var rest = shifted(a, shift, extra: 1)
    let n = divisor.count
    var quotient = [UInt32](repeating: 0, count: rest.count - n)
    let top = UInt64(divisor[n - 1])
    let second = UInt64(divisor[n - 2])
    for j in quotient.indices.reversed() {
      let wide = UInt64(rest[j + n]) << 32 | UInt64(rest[j + n - 1])
      var guess = wide / top
      var left = wide % top
      while guess >> 32 != 0 || guess * second > (left << 32 | UInt64(rest[j + n - 2])) {
        guess -= 1
        left += top
        if left >> 32 != 0 { break }
      }
      var borrow: Int64 = 0
      var carry: UInt64 = 0
      for i in 0..<n {
        carry += guess * UInt64(divisor[i])
        let value = Int64(rest[i + j]) - Int64(carry & 0xFFFF_FFFF) + borrow
        rest[i + j] = UInt32(truncatingIfNeeded: value)
        borrow = value >> 32
        carry >>= 32
      }
      let value = Int64(rest[j + n]) - Int64(carry) + borrow
      rest[j + n] = UInt32(truncatingIfNeeded: value)
      if value < 0 {
        guess -= 1
        var carry: UInt64 = 0
        for i in 0..<n {
          carry += UInt64(rest[i + j]) + UInt64(divisor[i])
          rest[i + j] = UInt32(truncatingIfNeeded: carry)
          carry >>= 32
        }
        rest[j + n] = UInt32(truncatingIfNeeded: UInt64(rest[j + n]) + carry)
      }
      quotient[j] = UInt32(guess)
    }
    var remainder = [UInt32](repeating: 0, count: n)
    for i in 0..<n {
      let high = i + 1 < rest.count ? UInt64(rest[i + 1]) << 32 : 0
      remainder[i] = UInt32(truncatingIfNeeded: (high | UInt64(rest[i])) >> UInt64(shift))
    }
    return (quotient, remainder)
  }

  private static func shifted(_ a: [UInt32], _ bits: Int, extra: Int) -> [UInt32] {
    var result = [UInt32](repeating: 0, count: a.count + extra)
    var carry: UInt64 = 0
    for i in a.indices {
      carry |= UInt64(a[i]) << UInt64(bits)
      result[i] = UInt32(truncatingIfNeeded: carry)
      carry >>= 32
    }
    if extra > 0 { result[a.count] = UInt32(carry) }
    return result
  }
}
