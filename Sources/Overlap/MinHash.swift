/// Signatures of sets, of which equal parts estimate the sets' Jaccard similarity (Broder, 1997).
///
/// Value k of a signature is the least of `h(x ⊕ seed_k)` over the set, with a mixing function h that
/// is a bijection; two sets have the same value with a probability of their similarity. The upper
/// 32 bits are kept.
struct MinHash {
  static let count = 128
  private let seeds: [UInt64]

  init(seed: UInt64) {
    seeds = (0..<Self.count).map { WordHash.mixed(seed &+ UInt64($0 + 1) &* 0x9e37_79b9_7f4a_7c15) }
  }

  /// The signature of a set that is not empty.
  func signature(_ set: [UInt64]) -> [UInt32] {
    var least = [UInt64](repeating: .max, count: Self.count)
    least.withUnsafeMutableBufferPointer { least in
      seeds.withUnsafeBufferPointer { seeds in
        for element in set {
          for k in 0..<Self.count {
            let hash = WordHash.mixed(element ^ seeds[k])
            if hash < least[k] { least[k] = hash }
          }
        }
      }
    }
    return least.map { UInt32(truncatingIfNeeded: $0 >> 32) }
  }
}
