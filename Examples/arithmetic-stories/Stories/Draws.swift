/// Random numbers that depend on a seed, a purpose and a number: SplitMix64 (Steele, Lea & Flood
/// 2014) run as a counter, so that a document is the same whichever others are written.
struct Draws {
  private let key: UInt64
  private var count: UInt64 = 0

  init(seed: UInt64, _ purpose: String, _ number: Int) {
    var key = Self.mix(seed &+ Self.gamma)
    for byte in purpose.utf8 { key = Self.mix(key ^ UInt64(byte) &+ Self.gamma) }
    self.key = Self.mix(key ^ UInt64(bitPattern: Int64(number)) &+ Self.gamma)
  }

  private mutating func next() -> UInt64 {
    count &+= 1
    return Self.mix(key &+ count &* Self.gamma)
  }

  /// The remainder of 64 bits favors small numbers by less than 1 in 10¹⁷ here.
  mutating func number(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.count))
  }

  mutating func element<Element>(of list: [Element]) -> Element {
    list[number(in: 0...list.count - 1)]
  }

  mutating func isTrue() -> Bool { next() & 1 == 1 }

  private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
