/// Where runs of words stand in the evaluation's texts, found by their hashes.
///
/// Open addressing with linear probing, at most half full; a bitmap before it answers most look-ups
/// of a text that shares nothing.
struct RunTable {
  /// A run of words in one of the texts.
  struct Place {
    var text: UInt32
    var position: UInt32
  }

  /// Runs in more places than this are no evidence of anything, and are left out.
  static let mostPlaces = 16

  /// The lengths of runs there are, descending: the rule's, and those of questions that are shorter.
  private(set) var lengths: [Int] = []
  private var filter: [UInt64]
  private var filterShift: UInt64
  private var keys: [UInt64]
  private var slots: [UInt32]
  private var mask: Int
  /// By entry: where its places begin, one more at the end.
  private var starts: [UInt32] = [0]
  private var places: [Place] = []
  /// By entry: whether the run is in texts of one question only, and no boilerplate.
  private(set) var isDistinctive: [Bool] = []

  /// - Parameters:
  ///   - texts: The words of each text.
  ///   - groups: For each text a number that texts of one question share.
  ///   - wholeIfShorter: Whether a text with fewer words than `n` counts as one run.
  init(_ texts: [(text: Int, words: [UInt64])], n: Int, groups: [Int], wholeIfShorter: Bool) {
    var found: [(key: UInt64, place: Place)] = []
    var shorter: Set<Int> = []
    for (text, words) in texts where !words.isEmpty {
      let length = min(n, words.count)
      if length < n && !wholeIfShorter { continue }
      if length < n { shorter.insert(length) }
      RollingHash(words).forEachRun(of: length) { i, key in
        found.append((key, Place(text: UInt32(truncatingIfNeeded: text), position: UInt32(i))))
      }
    }
    lengths = [n] + shorter.sorted(by: >)
    found.sort {
      ($0.key, $0.place.text, $0.place.position) < ($1.key, $1.place.text, $1.place.position)
    }
    var entryKeys: [UInt64] = []
    var i = 0
    while i < found.count {
      var end = i + 1
      while end < found.count, found[end].key == found[i].key { end += 1 }
      if end - i <= Self.mostPlaces {
        entryKeys.append(found[i].key)
        places += found[i..<end].map(\.place)
        starts.append(UInt32(places.count))
        let group = groups[Int(found[i].place.text)]
        isDistinctive.append(found[i..<end].allSatisfy { groups[Int($0.place.text)] == group })
      }
      i = end
    }
    var capacity = 16
    while capacity < entryKeys.count * 2 { capacity *= 2 }
    mask = capacity - 1
    keys = [UInt64](repeating: 0, count: capacity)
    slots = [UInt32](repeating: 0, count: capacity)
    // Eight bits of the bitmap for each slot.
    filter = [UInt64](repeating: 0, count: capacity / 8)
    filterShift = UInt64(64 - (capacity * 8).trailingZeroBitCount)
    for (entry, key) in entryKeys.enumerated() {
      var slot = Int(truncatingIfNeeded: key) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      keys[slot] = key
      slots[slot] = UInt32(entry + 1)
      let bit = key >> filterShift
      filter[Int(bit >> 6)] |= 1 << (bit & 63)
    }
  }

  /// Calls with the length, the place in the text and the entry of each run that is in the table.
  func forEachMatch(in text: RollingHash, _ body: (Int, Int, Int) -> Void) {
    guard !places.isEmpty else { return }
    filter.withUnsafeBufferPointer { filter in
      keys.withUnsafeBufferPointer { keys in
        slots.withUnsafeBufferPointer { slots in
          for length in lengths {
            text.forEachRun(of: length) { i, key in
              let bit = key >> filterShift
              guard filter[Int(bit >> 6)] >> (bit & 63) & 1 == 1 else { return }
              var slot = Int(truncatingIfNeeded: key) & mask
              while slots[slot] != 0 {
                if keys[slot] == key {
                  body(length, i, Int(slots[slot]) - 1)
                  return
                }
                slot = (slot + 1) & mask
              }
            }
          }
        }
      }
    }
  }

  func places(of entry: Int) -> ArraySlice<Place> {
    places[Int(starts[entry])..<Int(starts[entry + 1])]
  }

  var entryCount: Int { isDistinctive.count }

  mutating func markAsBoilerplate(_ entry: Int) { isDistinctive[entry] = false }

  /// The bytes it holds.
  var byteCount: Int {
    filter.count * 8 + keys.count * 12 + starts.count * 4 + places.count * 8 + isDistinctive.count
  }
}
