/// Random numbers that depend on a key and a position alone, so that any of them can be had first.
///
/// SplitMix64 (Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", 2014) run as a
/// counter, with the keys of the package's `RandomStream`.
struct RandomDraws {
  private let key: UInt64

  init(seed: UInt64, _ purpose: String) {
    var key = Self.mix(seed &+ Self.gamma)
    for byte in purpose.utf8 { key = Self.mix(key ^ UInt64(byte) &+ Self.gamma) }
    self.key = key
  }

  /// 64 random bits.
  subscript(index: Int) -> UInt64 {
    Self.mix(key &+ (UInt64(truncatingIfNeeded: index) &+ 1) &* Self.gamma)
  }

  /// A number from 0 up to, not including, `count`: the upper half of a product, which prefers no
  /// number by more than `count` / 2⁶⁴.
  func number(below count: Int, _ index: Int) -> Int {
    Int(truncatingIfNeeded: self[index].multipliedFullWidth(by: UInt64(count)).high)
  }

  private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
