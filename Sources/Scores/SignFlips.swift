/// How often differences as large as these come about when the sign of each is a matter of chance.
///
/// If two models are equally good, each problem's difference could as well have had the other sign.
/// The p-value is the share of all 2ᴺ choices of signs whose sum is at least as far from 0 as the
/// one found, to both sides (Fisher, "The Design of Experiments", 1935, section 21). With one sample
/// of each problem it is McNemar's exact test.
struct SignFlips: Equatable {
  let pValue: Double
  /// Over how many drawn choices of signs; nil if all were counted.
  let drawn: Int?

  /// Above this number of additions, or of different sums, choices are drawn.
  private static let mostWork = 100_000_000
  private static let mostSums = 1 << 21

  /// - Parameter denominator: choices are counted if all differences are multiples of 1 over it, else
  ///   drawn.
  init(of differences: [Double], denominator: Int?, flips: Int, seed: UInt64) {
    if let steps = Self.steps(differences, denominator) {
      (pValue, drawn) = (Self.counted(steps), nil)
    } else {
      (pValue, drawn) = (Self.drawn(differences, flips: flips, seed: seed), flips)
    }
  }

  /// The differences as whole numbers without a common divisor, those of 0 left out, if they are
  /// such and few enough.
  private static func steps(_ differences: [Double], _ denominator: Int?) -> [Int]? {
    guard let denominator else { return nil }
    var steps: [Int] = []
    for difference in differences {
      let scaled = difference * Double(denominator)
      guard (scaled - scaled.rounded()).magnitude < 1e-6, scaled.magnitude < 1e9 else { return nil }
      if scaled.rounded() != 0 { steps.append(Int(scaled.rounded())) }
    }
    let divisor = steps.reduce(0) { greatestDivisor($0, abs($1)) }
    if divisor > 1 { steps = steps.map { $0 / divisor } }
    let all = steps.reduce(0) { $0 + abs($1) }
    let (work, tooMuch) = all.multipliedReportingOverflow(by: steps.count)
    return tooMuch || work > mostWork || all > mostSums ? nil : steps
  }

  /// The distribution of the sum of those steps that come out positive, one step after the other:
  /// with T that sum and M the sum of all sizes, the signed sum is 2T − M.
  private static func counted(_ steps: [Int]) -> Double {
    let sizes = steps.map { abs($0) }
    let all = sizes.reduce(0, +)
    let found = abs(steps.reduce(0, +))
    var chances = [Double](repeating: 0, count: all + 1)
    chances[0] = 1
    var highest = 0
    for size in sizes {
      for sum in stride(from: highest, through: 0, by: -1) {
        chances[sum] /= 2
        chances[sum + size] += chances[sum]
      }
      highest += size
    }
    var tail = 0.0
    for (sum, chance) in chances.enumerated() where abs(2 * sum - all) >= found { tail += chance }
    return min(1, max(tail, .leastNormalMagnitude))
  }

  /// (1 + those at least as far) / (1 + all), the choice that was found being one of them (Phipson &
  /// Smyth, "Permutation P-values Should Never Be Zero", 2010). Flip f takes 64 signs from each of its
  /// numbers of the stream.
  private static func drawn(_ differences: [Double], flips: Int, seed: UInt64) -> Double {
    let draws = RandomDraws(seed: seed, "sign flips")
    let sizes = differences.filter { $0 != 0 }
    let words = (sizes.count + 63) / 64
    // Sums of the same numbers in another order differ in their last bits.
    let rounding = 1e-12 * sizes.reduce(0) { $0 + $1.magnitude }
    let found = sizes.reduce(0, +).magnitude - rounding
    var asFar = 0
    for flip in 0..<flips {
      var (sum, bits) = (0.0, UInt64(0))
      for (i, size) in sizes.enumerated() {
        if i % 64 == 0 { bits = draws[flip * words + i / 64] }
        sum += bits & 1 == 0 ? size : -size
        bits >>= 1
      }
      if sum.magnitude >= found { asFar += 1 }
    }
    return Double(1 + asFar) / Double(1 + flips)
  }
}
