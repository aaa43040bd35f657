/// Hashes of all runs of words in a text, each in constant time.
///
/// With `h[i + 1] = h[i] · b + w[i]` modulo 2⁶⁴, the run of n words at i has the hash
/// `h[i + n] − h[i] · bⁿ` (Karp and Rabin, 1987), mixed with n so that lengths do not meet. The words
/// are 64-bit hashes of good quality already; two different runs have one hash with a chance of about
/// 2⁻⁶⁴.
struct RollingHash {
  private static let base: UInt64 = 0x9e37_79b9_7f4a_7c15
  private var prefixes: [UInt64]

  init(_ words: some Collection<UInt64>) {
    prefixes = [0]
    prefixes.reserveCapacity(words.count + 1)
    var hash: UInt64 = 0
    for word in words {
      hash = hash &* Self.base &+ word
      prefixes.append(hash)
    }
  }

  var count: Int { prefixes.count - 1 }

  /// Calls with the place and the hash of each run of `n` words, in order.
  @inline(__always)
  func forEachRun(of n: Int, _ body: (Int, UInt64) -> Void) {
    guard n > 0, n <= count else { return }
    var power: UInt64 = 1
    for _ in 0..<n { power = power &* Self.base }
    let salt = WordHash.mixed(UInt64(n))
    prefixes.withUnsafeBufferPointer { prefixes in
      for i in 0...(prefixes.count - 1 - n) {
        body(i, WordHash.mixed((prefixes[i + n] &- prefixes[i] &* power) ^ salt))
      }
    }
  }
}
