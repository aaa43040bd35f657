/// Exponential, logarithm and the normal distribution from sums, products and quotients alone.
///
/// Those of the C library differ in the last bits from system to system; these are the same
/// everywhere, so that an interval or a rating is too. They are right to a few units in the last
/// place.
enum Elementary {
  /// ln 2 in two parts, the first short enough for its product with an exponent to be exact.
  private static let ln2High = 0x1.62E42FEE00000p-1
  private static let ln2Low = 0x1.A39EF35793C76p-33

  /// eˣ, by Taylor's series of what is left of x beside a multiple of ln 2.
  static func exp(_ x: Double) -> Double {
    guard x < 710 else { return x.isNaN ? x : .infinity }
    guard x > -746 else { return x.isNaN ? x : 0 }
    let power = (x * 0x1.71547652B82FEp0).rounded()
    let rest = (x - power * ln2High) - power * ln2Low
    var sum = 1.0
    for term in stride(from: 16.0, to: 0, by: -1) { sum = 1 + rest * sum / term }
    // In two steps: 2¹⁰²⁴ alone would be infinite, and the smallest powers of two subnormal.
    let half = (power / 2).rounded(.down)
    return sum * powerOfTwo(half) * powerOfTwo(power - half)
  }

  private static func powerOfTwo(_ exponent: Double) -> Double {
    Double(sign: .plus, exponent: Int(exponent), significand: 1)
  }

  /// ln x, by the series of the inverse hyperbolic tangent; of 0 minus infinity, below it NaN.
  static func log(_ x: Double) -> Double {
    guard x > 0, x < .infinity else { return x == 0 ? -.infinity : x < 0 ? .nan : x }
    var (significand, exponent) = (x.significand, Double(x.exponent))
    if significand > 0x1.6A09E667F3BCDp0 {  // √2
      significand /= 2
      exponent += 1
    }
    let s = (significand - 1) / (significand + 1)
    var sum = 0.0
    for odd in stride(from: 21.0, to: 0, by: -2) { sum = sum * s * s + 2 / odd }
    return exponent * ln2High + (s * sum + exponent * ln2Low)
  }

  /// The probability of a normal variable to be below x, to an absolute error of a few 1e-16
  /// (Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11(4), 2004).
  static func normalProbability(below x: Double) -> Double {
    guard x.magnitude < 8.3 else { return x.isNaN ? x : x < 0 ? 0 : 1 }
    var (term, sum, odd) = (x, x, 1.0)
    while sum + term != sum {
      odd += 2
      term *= x * x / odd
      sum += term
    }
    // 1 / √(2π)
    return min(max(0.5 + sum * (0x1.9884533D43651p-2 * exp(-x * x / 2)), 0), 1)
  }

  /// The x below which a normal variable is with this probability: infinite for 0 and 1. Its error
  /// is a few 1e-16 over the density there.
  static func normalQuantile(_ probability: Double) -> Double {
    guard probability > 0 else { return probability == 0 ? -.infinity : .nan }
    guard probability < 1 else { return probability == 1 ? .infinity : .nan }
    if probability > 0.5 { return -normalQuantile(1 - probability) }
    var (low, high) = (-8.3, 0.0)
    while true {
      let middle = low + (high - low) / 2
      guard low < middle, middle < high else { return high }
      if normalProbability(below: middle) < probability { low = middle } else { high = middle }
    }
  }
}
