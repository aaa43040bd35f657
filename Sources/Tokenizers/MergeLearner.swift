/// The pieces of a text while their pairs are merged, and how often each pair comes.
struct MergeLearner {
  typealias Pair = (Int32, Int32)

  /// The symbols of all pieces one behind the other; merging shortens a piece in place.
  private var symbols: [Int32] = []
  private var starts: [Int] = []
  private var lengths: [Int32] = []
  private let counts: [Int]
  private var pairs: [UInt64: PairState] = [:]
  private var queue = PairQueue()
  /// Pairs that came up while merging, for the queue.
  private var touched: [UInt64] = []

  private struct PairState {
    var count = 0
    /// Pieces that may hold it; a piece may stand there more than once, or hold it no more.
    var pieces: [Int32] = []
  }

  init(_ pieces: PieceCounts, _ idOfByte: [Int32]) {
    counts = pieces.counts
    for i in counts.indices {
      let piece = pieces.piece(i)
      starts.append(symbols.count)
      lengths.append(Int32(piece.count))
      symbols += piece.map { idOfByte[Int($0)] }
    }
    for i in counts.indices {
      for k in starts[i]..<max(starts[i] + Int(lengths[i]) - 1, starts[i]) {
        add(Self.key(symbols[k], symbols[k + 1]), counts[i], piece: Int32(i))
      }
    }
    touched = []
    for (key, state) in pairs { queue.insert(count: state.count, key: key) }
  }

  /// The pair that comes most often, the smaller one among equals; it is taken out.
  mutating func mostFrequent() -> (Pair, count: Int)? {
    while let top = queue.popFirst() {
      let count = pairs[top.key]?.count ?? 0
      if count == top.count {
        return count > 0 ? ((Int32(top.key >> 32), Int32(top.key & 0xFFFF_FFFF)), count) : nil
      }
      // It changed since it was put in.
      if count > 0 { queue.insert(count: count, key: top.key) }
    }
    return nil
  }

  /// Puts `id` wherever the pair stands, and counts the pairs anew that this changes.
  mutating func merge(_ pair: Pair, into id: Int32) {
    guard let state = pairs.removeValue(forKey: Self.key(pair.0, pair.1)) else { return }
    touched.removeAll(keepingCapacity: true)
    var last: Int32 = -1
    for piece in state.pieces where piece != last {
      merge(pair, into: id, piece: Int(piece))
      last = piece
    }
    for key in Set(touched) {
      if let count = pairs[key]?.count, count > 0 { queue.insert(count: count, key: key) }
    }
  }

  private mutating func merge(_ pair: Pair, into id: Int32, piece: Int) {
    let start = starts[piece]
    let end = start + Int(lengths[piece])
    let count = counts[piece]
    // Read and written in one pass: a piece may be a file without a space.
    var (i, write) = (start, start)
    while i < end {
      if i + 1 < end, symbols[i] == pair.0, symbols[i + 1] == pair.1 {
        if write > start {
          let before = symbols[write - 1]
          pairs[Self.key(before, pair.0)]?.count -= count
          add(Self.key(before, id), count, piece: Int32(piece))
        }
        if i + 2 < end {
          let after = symbols[i + 2]
          pairs[Self.key(pair.1, after)]?.count -= count
          add(Self.key(id, after), count, piece: Int32(piece))
        }
        symbols[write] = id
        i += 2
      } else {
        symbols[write] = symbols[i]
        i += 1
      }
      write += 1
    }
    lengths[piece] = Int32(write - start)
  }

  private mutating func add(_ key: UInt64, _ count: Int, piece: Int32) {
    pairs[key, default: PairState()].count += count
    if pairs[key]?.pieces.last != piece { pairs[key]?.pieces.append(piece) }
    touched.append(key)
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}

/// Pairs waiting for their turn: the most frequent first, the smaller one among equals.
private struct PairQueue {
  private var entries: [(count: Int, key: UInt64)] = []

  private static func isBefore(
    _ a: (count: Int, key: UInt64), _ b: (count: Int, key: UInt64)
  ) -> Bool {
    a.count != b.count ? a.count > b.count : a.key < b.key
  }

  mutating func insert(count: Int, key: UInt64) {
    entries.append((count, key))
    var i = entries.count - 1
    while i > 0, Self.isBefore(entries[i], entries[(i - 1) / 2]) {
      entries.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  mutating func popFirst() -> (count: Int, key: UInt64)? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    if entries.isEmpty { return first }
    entries[0] = last
    var i = 0
    while true {
      var best = i
      for child in [2 * i + 1, 2 * i + 2] where child < entries.count {
        if Self.isBefore(entries[child], entries[best]) { best = child }
      }
      if best == i { return first }
      entries.swapAt(i, best)
      i = best
    }
  }
}
