import Overlap
import Storage

/// The first 128 bits of a SHA-256, which are enough to tell texts apart.
struct Digest: Hashable, Comparable, Sendable {
  var high: UInt64
  var low: UInt64

  static let zero = Digest(high: 0, low: 0)

  init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  init(of bytes: [UInt8]) {
    var hash = SHA256()
    hash.update(bytes)
    self.init(hash.finalized())
  }

  /// Of several texts; each is told with its length, so that no two lists are the same bytes.
  init(of parts: [String]) {
    var hash = SHA256()
    for part in parts {
      hash.update(Array("\(part.utf8.count) ".utf8))
      hash.update(Array(part.utf8))
    }
    self.init(hash.finalized())
  }

  private init(_ sum: [UInt8]) {
    func word(_ start: Int) -> UInt64 { sum[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    (high, low) = (word(0), word(8))
  }

  /// Of a text in which every run of white space is one space, and none at its ends.
  init(ofWords text: some Sequence<UInt8>) {
    var bytes: [UInt8] = []
    var isSpace = false
    for byte in text {
      if byte == 0x20 || (0x09...0x0D).contains(byte) {
        isSpace = !bytes.isEmpty
        continue
      }
      if isSpace { bytes.append(0x20) }
      isSpace = false
      bytes.append(byte)
    }
    self.init(of: bytes)
  }

  /// Of a question, as the package tells questions apart: by its words and signs, whatever their
  /// case, markup and spaces.
  init(ofQuestion text: String) {
    let words = OverlapText(text, signs: .kept).words
    if words.isEmpty {
      self.init(ofWords: text.utf8)
      return
    }
    self.init(
      of: words.flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
      })
  }

  static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }

  /// Another number for each seed, the same everywhere: SplitMix64's finish (Steele, Lea and Flood,
  /// 2014).
  static func mixed(_ value: UInt64, seed: UInt64) -> UInt64 {
    var z = value &+ (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
