/// How many samples of each source become part of the set.
///
/// A source asks for a `count`, a `share` of the whole set, or a `weight` among the weighted; one
/// that asks for nothing gives all it has, or, where there is a total, its part by its size.
struct MixtureShares: Equatable {
  struct Demand: Equatable {
    var name: String
    var available: Int
    var count: Int?
    var weight: Double?
    var share: Double?

    init(
      _ name: String, available: Int, count: Int? = nil, weight: Double? = nil,
      share: Double? = nil
    ) {
      (self.name, self.available) = (name, available)
      (self.count, self.weight, self.share) = (count, weight, share)
    }
  }

  /// For each source, how many of it.
  private(set) var taken: [Int]
  /// Where there was less than was asked for, a sentence each.
  private(set) var shortages: [String] = []

  /// - Parameter total: The size of the set. Without it, sources that ask for nothing or a count
  ///   are taken whole, weighted ones as far as the scarcest allows, and shares come on top.
  init(_ demands: [Demand], total: Int?) {
    taken = demands.map { _ in 0 }
    for (i, demand) in demands.enumerated() {
      if let count = demand.count { take(count, i, demand) }
    }
    if let total {
      divide(total, demands)
    } else {
      let rest = demands.indices.filter { demands[$0].isPlain }
      for i in rest { taken[i] = demands[i].available }
      let weighted = demands.indices.filter { demands[$0].weight != nil }
      // So many for each unit of weight, that no source has too few.
      let scale =
        weighted.map { Double(demands[$0].available) / (demands[$0].weight ?? 1) }.min() ?? 0
      for i in weighted {
        taken[i] = min(
          demands[i].available, Int((scale * (demands[i].weight ?? 0)).rounded(.down)))
      }
      let shares = demands.reduce(0) { $0 + ($1.share ?? 0) }
      let whole = Double(taken.reduce(0, +)) / max(1 - shares, 1e-9)
      for (i, demand) in demands.enumerated() {
        if let share = demand.share { take(Int((whole * share).rounded()), i, demand) }
      }
    }
  }

  private mutating func divide(_ total: Int, _ demands: [Demand]) {
    for (i, demand) in demands.enumerated() {
      if let share = demand.share { take(Int((Double(total) * share).rounded()), i, demand) }
    }
    let rest = max(0, total - taken.reduce(0, +))
    let weighted = demands.indices.filter { demands[$0].weight != nil }
    if !weighted.isEmpty {
      let parts = Self.apportioned(rest, by: weighted.map { demands[$0].weight ?? 0 })
      for (i, part) in zip(weighted, parts) { take(part, i, demands[i]) }
    } else {
      let plain = demands.indices.filter { demands[$0].isPlain }
      let sizes = plain.map { Double(demands[$0].available) }
      let available = plain.reduce(0) { $0 + demands[$1].available }
      let parts = Self.apportioned(min(rest, available), by: sizes)
      for (i, part) in zip(plain, parts) { taken[i] = min(part, demands[i].available) }
    }
    let sum = taken.reduce(0, +)
    if sum < total, shortages.isEmpty {
      shortages.append("The set was to have \(total) samples; there are \(sum).")
    }
  }

  private mutating func take(_ wanted: Int, _ i: Int, _ demand: Demand) {
    taken[i] = min(wanted, demand.available)
    if wanted > demand.available {
      shortages.append(
        "\(demand.name) was to give \(wanted) sample\(wanted == 1 ? "" : "s"); it has "
          + "\(demand.available).")
    }
  }

  /// A whole number in parts, by the largest remainder; of equal ones the first.
  static func apportioned(_ total: Int, by weights: [Double]) -> [Int] {
    let sum = weights.reduce(0, +)
    guard sum > 0 else { return weights.map { _ in 0 } }
    let exact = weights.map { Double(total) * $0 / sum }
    var parts = exact.map { Int($0.rounded(.down)) }
    let order = weights.indices.sorted {
      let (a, b) = (exact[$0] - Double(parts[$0]), exact[$1] - Double(parts[$1]))
      return a == b ? $0 < $1 : a > b
    }
    for i in order.prefix(max(0, total - parts.reduce(0, +))) { parts[i] += 1 }
    return parts
  }
}

extension MixtureShares.Demand {
  fileprivate var isPlain: Bool { count == nil && weight == nil && share == nil }
}
