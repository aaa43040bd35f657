/// The order in which samples are seen: another one in each epoch, known at any position without
/// going through those before it.
///
/// A Feistel network over the smallest power of four that is large enough, whose rounds mix with
/// SplitMix64 (Steele, Lea and Flood, 2014); what falls outside walks on along its cycle until it
/// is inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002). It is no cipher:
/// twelve rounds are plenty for an order nobody attacks.
public struct Permutation: Sendable {
  public let count: Int
  private let halfBits: UInt64
  private let key: UInt64

  /// - Parameters:
  ///   - count: How many there are to order.
  ///   - seed: The run's.
  ///   - epoch: From 0; every one has an order of its own.
  public init(count: Int, seed: UInt64, epoch: Int) {
    precondition(count >= 0)
    self.count = count
    var bits: UInt64 = 1
    while bits < 31, 1 << (2 * bits) < UInt64(count) { bits += 1 }
    halfBits = bits
    key = Self.mixed(seed &+ Self.mixed(UInt64(bitPattern: Int64(epoch)) &+ 0x5851_F42D_4C95_7F2D))
  }

  /// What comes at a position: every number below `count` comes at one.
  public subscript(position: Int) -> Int {
    precondition((0..<count).contains(position))
    var x = UInt64(position)
    repeat { x = round(x) } while x >= UInt64(count)
    return Int(x)
  }

  private func round(_ x: UInt64) -> UInt64 {
    let mask = (1 << halfBits) - 1 as UInt64
    var left = x >> halfBits
    var right = x & mask
    for i: UInt64 in 0..<12 {
      (left, right) = (right, left ^ (Self.mixed(key &+ i &* 0x9E37_79B9_7F4A_7C15 ^ right) & mask))
    }
    return left << halfBits | right
  }

  private static func mixed(_ x: UInt64) -> UInt64 {
    var z = x &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
