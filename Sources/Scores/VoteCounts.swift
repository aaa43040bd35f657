/// How many votes each class of answers to a problem has.
struct VoteCounts {
  /// Votes of the classes that are right, and of the others; in order, so that sums are too.
  let right: [Int]
  let others: [Int]
  /// Samples that vote for nothing.
  let silent: Int

  init(right: [Int], others: [Int], silent: Int) {
    (self.right, self.others, self.silent) = (right.sorted(), others.sorted(), silent)
  }

  /// The probability that a right class wins among k samples drawn without putting any back, ties
  /// decided by lot, for k from 1 to all.
  ///
  /// Say that a right class R of r samples gets a votes, and t others get as many and none more. The
  /// number of such subsets of k is C(r, a) times the coefficient of z^(k − a) yᵗ in
  ///
  ///     (1 + z)^u · Π ( Σ C(m, x) zˣ [x < a]  +  y C(m, a) zᵃ )
  ///
  /// with one factor for each other class of m ≥ a samples; u counts all samples that can't reach a,
  /// or vote for nothing. R then wins with probability 1 / (t + 1). Summed over R, a and t, and
  /// divided by C(n, k), that is the value. All terms are positive: nothing cancels out. Only n / a
  /// classes can reach a, so that the work is about n³ for all k at once.
  var curve: [Double] {
    let count = right.reduce(0, +) + others.reduce(0, +) + silent
    var won = [Double](repeating: 0, count: count + 1)  // subsets of each size, ties in parts
    for (i, size) in right.enumerated() {
      // Right classes of one size win equally often.
      if i > 0, right[i - 1] == size { continue }
      let alike = right.count { $0 == size }
      var rivals = others + right
      if let same = rivals.lastIndex(of: size) { rivals.remove(at: same) }
      let own = binomials(size)
      for votes in 1...size {
        let ways = Self.subsets(rivals, silent: silent, reaching: votes)
        for (tied, polynomial) in ways.enumerated() {
          let share = Double(alike) * own[votes] / Double(tied + 1)
          for (drawn, number) in polynomial.enumerated() {
            won[votes + drawn] += share * number
          }
        }
      }
    }
    let all = binomials(count)
    return (1..<count + 1).map { min(1, won[$0] / all[$0]) }
  }

  /// Subsets of the rivals' and the silent samples in which no class has more than so many votes: by
  /// the number of classes that have exactly so many, and by size.
  private static func subsets(_ rivals: [Int], silent: Int, reaching votes: Int) -> [[Double]] {
    var ways = [binomials(silent + rivals.reduce(0) { $1 < votes ? $0 + $1 : $0 })]
    for rival in rivals where rival >= votes {
      let own = binomials(rival)
      var next = [[Double]](
        repeating: [Double](repeating: 0, count: ways[0].count + votes), count: ways.count + 1)
      for (tied, polynomial) in ways.enumerated() {
        for (drawn, number) in polynomial.enumerated() where number > 0 {
          for x in 0..<votes { next[tied][drawn + x] += number * own[x] }
          next[tied + 1][drawn + votes] += number * own[votes]
        }
      }
      ways = next
    }
    return ways
  }
}

/// C(n, 0) to C(n, n), with an error that grows with n to some 1e-13; finite for n up to 1,000.
func binomials(_ n: Int) -> [Double] {
  var row = [Double](repeating: 1, count: n + 1)
  for k in stride(from: 1, through: n / 2, by: 1) {
    row[k] = row[k - 1] * Double(n - k + 1) / Double(k)
    row[n - k] = row[k]
  }
  return row
}
