/// The merge loop of byte-pair encoding: of all neighbouring pairs the one with the lowest rank is
/// merged, the leftmost among equals, until none is left (Sennrich et al., "Neural Machine
/// Translation of Rare Words with Subword Units", 2016).
///
/// Short pieces are searched from end to end for the next merge. Long ones keep their pairs in a
/// heap, which takes n log n steps for n symbols, whatever they are.
struct BytePairEncoding {
  private let merges: MergeTable.Index
  private var pairs: [MergeTable.Merge] = []
  private var previous: [Int32] = []
  private var next: [Int32] = []
  private var heap = MergeHeap()

  /// About where the search from end to end and the heap take the same time.
  static let longestSearched = 64

  /// - Parameter merges: The table it belongs to must outlive the encoding.
  init(_ merges: MergeTable.Index) { self.merges = merges }

  /// Merges the symbols in place; returns how many are left, at the front.
  mutating func merge(_ symbols: UnsafeMutableBufferPointer<Int32>) -> Int {
    symbols.count <= Self.longestSearched ? search(symbols) : mergeByHeap(symbols)
  }

  /// `pairs[i]` is the merge of symbols i and i + 1.
  private mutating func search(_ ids: UnsafeMutableBufferPointer<Int32>) -> Int {
    var count = ids.count
    guard count > 1 else { return count }
    if pairs.count < count {
      pairs = [MergeTable.Merge](repeating: 0, count: max(count, Self.longestSearched))
    }
    let merges = merges
    pairs.withUnsafeMutableBufferPointer { pairs in
      for i in 0..<count - 1 { pairs[i] = merges.merge(ids[i], ids[i + 1]) }
      while count > 1 {
        var best = MergeTable.none
        var place = 0
        for i in 0..<count - 1 where pairs[i] < best {
          best = pairs[i]
          place = i
        }
        if best == MergeTable.none { break }
        ids[place] = MergeTable.product(best)
        count -= 1
        var i = place + 1
        while i < count {
          ids[i] = ids[i + 1]
          if i < count - 1 { pairs[i] = pairs[i + 1] }
          i += 1
        }
        if place > 0 { pairs[place - 1] = merges.merge(ids[place - 1], ids[place]) }
        if place < count - 1 { pairs[place] = merges.merge(ids[place], ids[place + 1]) }
      }
    }
    return count
  }

  /// The symbols are a linked list; a merge takes the place of its left half.
  mutating func mergeByHeap(_ ids: UnsafeMutableBufferPointer<Int32>) -> Int {
    let count = ids.count
    if pairs.count < count { pairs = [MergeTable.Merge](repeating: 0, count: count) }
    if next.count < count {
      previous = [Int32](repeating: 0, count: count)
      next = [Int32](repeating: 0, count: count)
    }
    defer { forgetLargeBuffers() }
    let merges = merges
    heap.removeAll()
    pairs.withUnsafeMutableBufferPointer { pairs in
      previous.withUnsafeMutableBufferPointer { previous in
        next.withUnsafeMutableBufferPointer { next in
          for i in 0..<count {
            previous[i] = Int32(i - 1)
            next[i] = i + 1 < count ? Int32(i + 1) : -1
            pairs[i] = i + 1 < count ? merges.merge(ids[i], ids[i + 1]) : MergeTable.none
            if pairs[i] != MergeTable.none { heap.append(pairs[i], at: i) }
          }
          heap.order()
          while let (rank, place) = heap.popFirst() {
            // The pair may have changed since it was put in.
            guard pairs[place] != MergeTable.none, pairs[place] >> 32 == rank else { continue }
            let right = Int(next[place])
            ids[place] = MergeTable.product(pairs[place])
            pairs[right] = MergeTable.none
            let after = Int(next[right])
            next[place] = Int32(after)
            pairs[place] = MergeTable.none
            if after >= 0 {
              previous[after] = Int32(place)
              pairs[place] = merges.merge(ids[place], ids[after])
              if pairs[place] != MergeTable.none { heap.insert(pairs[place], at: place) }
            }
            let before = Int(previous[place])
            if before >= 0 {
              pairs[before] = merges.merge(ids[before], ids[place])
              if pairs[before] != MergeTable.none { heap.insert(pairs[before], at: before) }
            }
          }
        }
      }
    }
    var left = 0
    var i = 0
    while i >= 0 {
      ids[left] = ids[i]
      left += 1
      i = Int(next[i])
    }
    return left
  }

  /// One long piece shall not hold its memory for ever.
  private mutating func forgetLargeBuffers() {
    guard next.count > 1 << 16 else { return }
    (pairs, previous, next, heap) = ([], [], [], MergeHeap())
  }
}

/// Merges waiting for their turn: the lowest rank first, the leftmost among equals.
private struct MergeHeap {
  /// Rank above, place below; each parent's four children stand behind one another.
  private var entries: [UInt64] = []

  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

  /// Adds without keeping the order.
  mutating func append(_ merge: MergeTable.Merge, at place: Int) {
    entries.append((merge >> 32) << 32 | UInt64(place))
  }

  /// Makes the order, once all are in.
  mutating func order() {
    guard entries.count > 1 else { return }
    for i in stride(from: (entries.count - 2) / 4, through: 0, by: -1) { sink(from: i) }
  }

  mutating func insert(_ merge: MergeTable.Merge, at place: Int) {
    entries.append(0)
    let entry = (merge >> 32) << 32 | UInt64(place)
    entries.withUnsafeMutableBufferPointer { entries in
      var i = entries.count - 1
      while i > 0, entries[(i - 1) / 4] > entry {
        entries[i] = entries[(i - 1) / 4]
        i = (i - 1) / 4
      }
      entries[i] = entry
    }
  }

  mutating func popFirst() -> (rank: UInt64, place: Int)? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    if !entries.isEmpty {
      entries[0] = last
      sink(from: 0)
    }
    return (first >> 32, Int(first & 0xFFFF_FFFF))
  }

  private mutating func sink(from start: Int) {
    entries.withUnsafeMutableBufferPointer { entries in
      let entry = entries[start]
      var i = start
      while true {
        let first = 4 * i + 1
        guard first < entries.count else { break }
        var least = first
        for child in first + 1..<max(min(first + 4, entries.count), first + 1)
        where entries[child] < entries[least] {
          least = child
        }
        guard entries[least] < entry else { break }
        entries[i] = entries[least]
        i = least
      }
      entries[i] = entry
    }
  }
}
