/// Of n samples, c are right, and k are drawn without putting any back.
struct Hypergeometric {
  let samples: Int
  let right: Int
  let drawn: Int

  /// The probability that at least one is right:
  ///
  ///     1 − C(n − c, k) / C(n, k)  =  1 − Π (n − c − i) / (n − i),  i = 0 … k − 1
  ///
  /// (Chen et al., "Evaluating Large Language Models Trained on Code", 2021, arXiv 2107.03374,
  /// equation 1). No factor is above 1, so that nothing overflows; where fewer than k are wrong, one
  /// is 0.
  var atLeastOne: Double {
    var product = 1.0
    for i in 0..<drawn { product *= Double(samples - right - i) / Double(samples - i) }
    return 1 - product
  }

  /// The probability that at least so many are right, for every number from 0 to `drawn`.
  ///
  /// P(x) = C(c, x) C(n − c, k − x) / C(n, k). Only the quotients of neighbours are computed, from
  /// the likeliest x to both sides, and divided by their sum: nothing overflows, and nothing is
  /// subtracted.
  var atLeast: [Double] {
    let lowest = max(0, drawn - (samples - right))
    let highest = min(right, drawn)
    var weights = [Double](repeating: 0, count: drawn + 1)
    // The mode is ⌊(k + 1)(c + 1) / (n + 2)⌋; any start serves, but here no weight exceeds 1.
    let mode = Int(Double(drawn + 1) * Double(right + 1) / Double(samples + 2))
    let start = min(max(mode, lowest), highest)
    weights[start] = 1
    for x in stride(from: start, to: highest, by: 1) {
      weights[x + 1] =
        weights[x] * Double(right - x) * Double(drawn - x) / Double(x + 1)
        / Double(samples - right - drawn + x + 1)
    }
    for x in stride(from: start, to: lowest, by: -1) {
      weights[x - 1] =
        weights[x] * Double(x) * Double(samples - right - drawn + x)
        / Double(right - x + 1) / Double(drawn - x + 1)
    }
    // From the ends to the middle would be more exact by a last bit; one order for all is simpler.
    var sums = weights
    for x in stride(from: drawn - 1, through: 0, by: -1) { sums[x] += sums[x + 1] }
    return sums.map { $0 / sums[0] }
  }
}
