/// Byte strings and their ids, looked up both ways.
///
/// Keys are bytes: "é" in two normal forms are two keys. Ids may leave gaps.
final class ByteTable: @unchecked Sendable {
  private(set) var arena: [UInt8] = []
  /// For each id where its bytes begin in `arena` and how many there are; -1 for a gap.
  private var places: [(start: Int, count: Int)] = []
  /// Open addressing with linear steps: id + 1, or 0 for a free slot.
  private var slots: [Int32] = []
  private(set) var count = 0

  /// Makes room for about so many keys.
  init(capacity: Int = 0) {
    slots = [Int32](repeating: 0, count: Self.slotCount(capacity))
    places.reserveCapacity(capacity)
    arena.reserveCapacity(capacity * 7)
  }

  /// A table of its own with the same keys.
  func copy() -> ByteTable {
    let copy = ByteTable()
    (copy.arena, copy.places, copy.slots, copy.count) = (arena, places, slots, count)
    return copy
  }

  /// One more than the largest id.
  var idLimit: Int { places.count }

  /// Adds a key; nil if it went in, else the id that has this key, or the key that has this id.
  func insert(_ bytes: UnsafeRawBufferPointer, id: Int) -> Conflict? {
    if let found = self.id(of: bytes) { return .key(id: found) }
    if id < places.count, places[id].count >= 0 { return .id }
    while places.count <= id { places.append((0, -1)) }
    places[id] = (arena.count, bytes.count)
    arena.append(contentsOf: bytes)
    count += 1
    if 2 * count > slots.count { rehash() } else { place(id) }
    return nil
  }

  enum Conflict { case key(id: Int), id }

  /// The id of a key; nil if it is not there.
  func id(of key: UnsafeRawBufferPointer) -> Int? {
    let mask = slots.count - 1
    var slot = Self.hash(key) & mask
    return slots.withUnsafeBufferPointer { slots in
      while true {
        let id = Int(slots[slot]) - 1
        if id < 0 { return nil }
        let place = places[id]
        if place.count == key.count,
          arena.withUnsafeBytes({
            Self.equal($0.baseAddress.map { $0 + place.start }, key.baseAddress, key.count)
          })
        {
          return id
        }
        slot = (slot + 1) & mask
      }
    }
  }

  func id(of key: some Collection<UInt8>) -> Int? {
    Array(key).withUnsafeBytes { id(of: $0) }
  }

  /// The bytes of an id; nil for a gap or an id past the end.
  func bytes(of id: Int) -> ArraySlice<UInt8>? {
    guard places.indices.contains(id), places[id].count >= 0 else { return nil }
    return arena[places[id].start..<places[id].start + places[id].count]
  }

  private func rehash() {
    slots = [Int32](repeating: 0, count: Self.slotCount(2 * count))
    for id in places.indices where places[id].count >= 0 { place(id) }
  }

  private func place(_ id: Int) {
    let key = places[id]
    let mask = slots.count - 1
    var slot =
      arena.withUnsafeBytes {
        Self.hash(UnsafeRawBufferPointer(rebasing: $0[key.start..<key.start + key.count]))
      } & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = Int32(id + 1)
  }

  private static func slotCount(_ capacity: Int) -> Int {
    var count = 16
    while count < 2 * capacity { count *= 2 }
    return count
  }

  /// The standard library's hash, whose secret differs from run to run: a file cannot be made so
  /// that all its keys meet in one slot. No result depends on it.
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: bytes)
    return hasher.finalize()
  }

  private static func equal(
    _ a: UnsafeRawPointer?, _ b: UnsafeRawPointer?, _ count: Int
  ) -> Bool {
    guard let a, let b else { return count == 0 }
    for i in 0..<count
    where a.load(fromByteOffset: i, as: UInt8.self) != b.load(fromByteOffset: i, as: UInt8.self) {
      return false
    }
    return true
  }
}
