/// At most so much in any minute, evenly spread.
///
/// Two rules together. A bucket that fills evenly and holds a twentieth of the limit (one unit at
/// least) keeps starts apart, as servers like it that count by the second. A list of what began
/// within the last minute keeps every window of 60 seconds within the limit, which a bucket alone
/// exceeds by its size.
struct RateLimit: Equatable, Sendable {
  private struct Entry: Equatable {
    let number: Int
    let time: Double
    var cost: Double
  }

  let limit: Double
  /// How much the bucket holds.
  private let size: Double
  /// What is in the bucket; below 0 after something that is larger than the bucket.
  private var level: Double
  private var filledAt: Double?
  /// What began within the last minute, the oldest first.
  private var entries: [Entry] = []
  private var first = 0
  private var sum = 0.0

  static let window = 60.0

  /// - Parameter limit: The most in a minute, above 0.
  init(perMinute limit: Double) {
    self.limit = limit
    size = max(1, limit / 20)
    level = size
  }

  private var rate: Double { limit / Self.window }

  /// Seconds until something of this cost may begin; 0 if it may now.
  ///
  /// What costs more than the whole limit begins when nothing else did for a minute.
  mutating func wait(cost: Double, at now: Double) -> Double {
    advance(to: now)
    // From the bucket: the cost, or all of a full bucket if it holds less.
    var wait = max(0, (min(cost, size) - level) / rate)
    var left = sum
    var i = first
    while i < entries.count, left + cost > limit {
      wait = max(wait, entries[i].time + Self.window - now)
      left -= entries[i].cost
      i += 1
    }
    // Less than a clock can tell is no time: rounding must not make anybody wait for ever.
    return wait < 1e-6 ? 0 : wait
  }

  /// Notes what begins.
  mutating func begin(number: Int, cost: Double, at now: Double) {
    advance(to: now)
    level -= cost
    entries.append(Entry(number: number, time: now, cost: cost))
    sum += cost
  }

  /// Puts the true cost in the place of the estimated one.
  mutating func correct(number: Int, cost: Double, estimate: Double, at now: Double) {
    advance(to: now)
    let difference = cost - estimate
    level = min(size, level - difference)
    if let i = entries[first...].firstIndex(where: { $0.number == number }) {
      entries[i].cost += difference
      sum += difference
    } else if difference > 0 {
      // It began too long ago to be counted there; what was not foreseen counts now.
      entries.append(Entry(number: number, time: now, cost: difference))
      sum += difference
    }
  }

  private mutating func advance(to now: Double) {
    if let filledAt { level = min(size, level + max(0, now - filledAt) * rate) }
    filledAt = max(now, filledAt ?? now)
    while first < entries.count, entries[first].time + Self.window <= now {
      sum -= entries[first].cost
      first += 1
    }
    if first == entries.count {
      sum = 0
      entries.removeAll(keepingCapacity: true)
      first = 0
    } else if first > 1024, first * 2 > entries.count {
      entries.removeFirst(first)
      first = 0
    }
  }
}
