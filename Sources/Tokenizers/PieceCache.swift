/// The tokens of short pieces that were seen before.
///
/// Most pieces of a text are words that came already. Each piece has one slot, which the last
/// piece that belongs there keeps; what is found is what would be computed, so no result depends
/// on what is in it.
struct PieceCache {
  /// The longest piece in bytes, and the most tokens, that a slot has room for.
  static let longestPiece = 15
  static let mostTokens = 4

  /// A piece's bytes, followed by zeros, and its length in the last byte.
  struct Key: Equatable {
    var low: UInt64
    var high: UInt64
  }

  struct Slot {
    var key: Key
    /// Filled up with -1.
    var tokens: SIMD4<Int32>
  }

  let slots: UnsafeMutablePointer<Slot>
  private static let bits: UInt64 = 15

  init() {
    slots = .allocate(capacity: 1 << Self.bits)
    // No piece has this length.
    slots.initialize(
      repeating: Slot(key: Key(low: 0, high: .max), tokens: SIMD4(repeating: -1)),
      count: 1 << Self.bits)
  }

  func deallocate() { slots.deallocate() }

  /// The key of the piece from `start`, of 1 to `longestPiece` bytes.
  @inline(__always)
  static func key(_ text: TextView, _ start: Int, count: Int) -> Key {
    var low: UInt64 = 0
    var high: UInt64 = 0
    if start + 16 <= text.end {
      let raw = UnsafeRawPointer(text.bytes + start)
      low = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
      high = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      if count < 8 {
        low &= (1 << UInt64(8 * count)) &- 1
        high = 0
      } else {
        high &= (1 << UInt64(8 * (count - 8))) &- 1
      }
    } else {
      for i in 0..<count {
        let byte = UInt64(text.bytes[start + i])
        if i < 8 { low |= byte << UInt64(8 * i) } else { high |= byte << UInt64(8 * (i - 8)) }
      }
    }
    return Key(low: low, high: high | UInt64(count) << 56)
  }

  @inline(__always)
  func slot(of key: Key) -> UnsafeMutablePointer<Slot> {
    let mixed = (key.low ^ key.high &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
    return slots + Int(truncatingIfNeeded: mixed >> (64 - Self.bits))
  }
}
