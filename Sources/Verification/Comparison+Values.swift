// Values of expressions: exactly where algebra decides, else at points.
extension Comparison {
  /// The longest numbers, in bits, of formulas that may be accepted by their values.
  static let evaluatedBits = 72

  mutating func compareValues(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool {
    if case .number(let x) = a, case .number(let y) = b {
      rule = .value
      return x == y
    }
    if let result = compareConstants(a, b) { return result }
    var canonizer = self.canonizer
    var isTooLarge = false
    do throws(CanonicalError) {
      let x = try canonizer.form(of: a)
      let y = try canonizer.form(of: b)
      let areEqual = try canonizer.areEqual(x, y)
      rule = .canonicalForm
      if areEqual || canonizer.isDecisive {
        work = max(0, canonizer.work)
        return areEqual
      }
    } catch {
      rule = .value
      if error == .undefined || error == .unsupported {
        work = max(0, canonizer.work)
        return false
      }
      isTooLarge = true
    }
    work = max(0, canonizer.work)
    rule = .evaluation
    // sqrt(10^100 + 1) and 10^50 agree in more bits than are computed.
    if !isTooLarge, canonizer.widestBits > Self.evaluatedBits { return false }
    if isTooLarge {
      // Sums of many terms may still be evaluated; numbers that are too large are not.
      guard a.hasVariables || b.hasVariables, !a.hasLongNumbers, !b.hasLongNumbers else {
        throw .tooLarge
      }
      work = max(work, limits.work / 4)
    }
    return try compareAtPoints(a, b)
  }

  /// Infinity and sets of numbers, which equal themselves only.
  private mutating func compareConstants(_ a: MathExpression, _ b: MathExpression) -> Bool? {
    func isPlain(_ e: MathExpression) -> Bool {
      switch e {
      case .constant(.infinity), .constant(.emptySet), .constant(.reals), .constant(.integers),
        .constant(.rationals), .constant(.naturals), .constant(.complexNumbers):
        true
      case .sum(let terms): terms.count == 1 && isPlain(terms[0])
      case .product(let factors):
        factors.count == 2 && factors[0] == .minusOne && isPlain(factors[1])
      default: false
      }
    }
    guard isPlain(a) || isPlain(b) else { return nil }
    rule = .value
    return a == b
  }

  private mutating func compareAtPoints(
    _ a: MathExpression, _ b: MathExpression
  ) throws(JudgingLimit) -> Bool {
    var names: Set<String> = []
    a.collectVariables(&names)
    b.collectVariables(&names)
    let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard !sorted.isEmpty else {
      return try compare(a, b, at: [:]) ?? false
    }
    guard sorted.count <= 16 else { return false }
    var agreed = 0
    for point in 0..<12 {
      var values: [String: HighPrecision] = [:]
      for (k, name) in sorted.enumerated() {
        values[name] = HighPrecision(Self.coordinate(point, k))
      }
      guard let result = try compare(a, b, at: values, isReal: true) else { continue }
      guard result else { return false }
      agreed += 1
      if agreed == 6 { break }
    }
    return agreed >= 3
  }

  /// Numbers without a pattern: some points have positive coordinates only, some have both signs,
  /// some are below 1, and the last have whole ones.
  private static func coordinate(_ point: Int, _ k: Int) -> Rational {
    let mixed = (point * 7_919 + k * 1_237 + 411) * 2_654_435 % 9_973
    switch point {
    case 0, 1, 4: return Rational(mixed + 1_000, 2_801)
    case 2, 3, 5: return Rational((mixed + 500) * (mixed % 2 == 0 ? 1 : -1), 3_301)
    case 6, 7, 8: return Rational(mixed + 1, 10_007)
    default: return Rational(mixed % 7 + 2 + k * 7)
    }
  }

  /// Whether two expressions agree at a point; nil if one of them has no value there that counts.
  private mutating func compare(
    _ a: MathExpression, _ b: MathExpression, at point: [String: HighPrecision],
    isReal: Bool = false
  ) throws(JudgingLimit) -> Bool? {
    var evaluation = Evaluation(variables: point, work: work)
    defer { work = max(0, evaluation.work) }
    do throws(Evaluation.Failure) {
      let x = try evaluation.value(of: a)
      let y = try evaluation.value(of: b)
      if isReal, evaluation.leftRealNumbers { return nil }
      return Evaluation.agree(x, y)
    } catch {
      if error == .tooLarge { throw .tooLarge }
      return nil
    }
  }

  // MARK: Matrices

  /// The entries of a matrix, of a product or sum of matrices, or of a point read as a column.
  mutating func matrix(_ expression: MathExpression) throws(JudgingLimit) -> [[MathExpression]]? {
    switch expression {
    case .matrix(let rows): return rows
    case .bracketed(let open, let close, let items) where open == close && open != .square:
      return items.map { [$0] }
    case .sum(let terms):
      var sum: [[MathExpression]]?
      for term in terms {
        guard let next = try matrix(term) else { return nil }
        guard let left = sum else {
          sum = next
          continue
        }
        guard left.count == next.count, left[0].count == next[0].count else { return nil }
        try spend(left.count * left[0].count)
        sum = zip(left, next).map { zip($0, $1).map { .sum([$0, $1]) } }
      }
      return sum
    case .product(let factors):
      var product: [[MathExpression]]?
      var scalars: [MathExpression] = []
      for factor in factors {
        guard factor.isMatrixLike else {
          scalars.append(factor)
          continue
        }
        guard let next = try matrix(factor) else { return nil }
        guard let left = product else {
          product = next
          continue
        }
        guard left[0].count == next.count else { return nil }
        try spend(left.count * next.count * next[0].count)
        product = left.map { row in
          next[0].indices.map { column in
            .sum(row.indices.map { .product([row[$0], next[$0][column]]) })
          }
        }
      }
      guard !scalars.isEmpty else { return product }
      return product?.map { $0.map { .product(scalars + [$0]) } }
    case .quotient(let above, let below) where !below.isMatrixLike:
      return try matrix(above)?.map { $0.map { .quotient($0, below) } }
    default: return nil
    }
  }
}
