/// Which two neighbouring tokens become which third, and how early.
final class MergeTable: @unchecked Sendable {
  /// A merge packed for one comparison: the rank above, the id of the product below.
  typealias Merge = UInt64
  /// Larger than every merge.
  static let none = Merge.max

  /// What looks merges up; valid as long as the table, and until the next `insert`.
  private(set) var index: Index
  private(set) var count = 0

  init(capacity: Int) { index = Index(slots: Self.slotCount(capacity)) }

  deinit { index.slots.deallocate() }

  /// Adds a merge; a pair that comes twice keeps the later rank, as in Hugging Face's library.
  func insert(_ left: Int32, _ right: Int32, rank: Int, product: Int32) {
    if 2 * (count + 1) > index.mask + 1 { grow() }
    let slot = index.slot(Index.pair(left, right))
    if index.slots[slot].merge == Self.none { count += 1 }
    index.slots[slot] = (
      Index.pair(left, right), Merge(rank) << 32 | Merge(UInt32(bitPattern: product))
    )
  }

  @inline(__always)
  static func product(_ merge: Merge) -> Int32 { Int32(truncatingIfNeeded: merge) }

  /// Open addressing with linear steps.
  struct Index {
    let slots: UnsafeMutablePointer<(pair: UInt64, merge: Merge)>
    let mask: Int
    /// Odd, and another one in every run: a file cannot be made so that all its pairs meet in one
    /// slot. No result depends on it.
    private let factor = UInt64.random(in: .min ... .max) | 1

    init(slots count: Int) {
      slots = .allocate(capacity: count)
      slots.initialize(repeating: (0, MergeTable.none), count: count)
      mask = count - 1
    }

    /// The merge of two neighbours, or `none`.
    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> Merge { slots[slot(Self.pair(left, right))].merge }

    /// Where a pair is, or would be.
    @inline(__always)
    func slot(_ pair: UInt64) -> Int {
      // The high half of a product depends on all bits of the pair.
      var slot = Int(truncatingIfNeeded: pair.multipliedFullWidth(by: factor).high) & mask
      while slots[slot].merge != MergeTable.none, slots[slot].pair != pair {
        slot = (slot + 1) & mask
      }
      return slot
    }

    @inline(__always)
    static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
      UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
  }

  private func grow() {
    let old = index
    index = Index(slots: 2 * (old.mask + 1))
    for i in 0...old.mask where old.slots[i].merge != Self.none {
      index.slots[index.slot(old.slots[i].pair)] = old.slots[i]
    }
    old.slots.deallocate()
  }

  private static func slotCount(_ capacity: Int) -> Int {
    var count = 16
    while count < 2 * capacity { count *= 2 }
    return count
  }
}
