/// A text as words that can be compared: without case, punctuation, markup and LaTeX's wording.
///
/// `\dfrac12`, `\frac{1}{2}` and `1/2` are the words `1`, `2`; `$\left(x+1\right)$` is `x`, `1`. A
/// word is a run of letters, a number, the name of a LaTeX command, or one Chinese or Japanese
/// character. The README lists what is folded. The reading is by bytes, in one pass, and takes any
/// bytes at all: what is no UTF-8 separates words.
public struct OverlapText: Sendable {
  /// Whether signs such as `+` and `=` are words too.
  public enum Signs: Sendable {
    /// Dropped, so that two ways of setting a formula meet: for finding questions.
    case dropped
    /// Words of their own, so that `3 + 5` is not `3 - 5`: for finding duplicates.
    case kept
  }

  /// A 64-bit hash of each word, the same on every machine: see `WordHash`.
  public private(set) var words: [UInt64]
  /// Where in the text's bytes each word stands.
  public private(set) var ranges: [Range<Int>]

  public init(_ text: String, signs: Signs = .dropped) {
    var text = text
    self = text.withUTF8 { OverlapText($0, signs: signs) }
  }

  public init(_ bytes: [UInt8], signs: Signs = .dropped) {
    self = bytes.withUnsafeBufferPointer { OverlapText($0, signs: signs) }
  }

  /// See `init(_:signs:)`; the bytes are read during the call only.
  public init(_ bytes: UnsafeBufferPointer<UInt8>, signs: Signs = .dropped) {
    var reader = WordReader(bytes, keepsSigns: signs == .kept)
    reader.read()
    words = reader.words
    ranges = reader.ranges
  }

  /// Whether a word is a number.
  static func isNumber(_ word: UInt64) -> Bool { word & 1 == 1 }
}

/// The hash of a word: FNV-1a over its folded bytes, mixed by MurmurHash3's finalizer.
///
/// The lowest bit tells numbers (1) from other words (0), so that they can be masked.
struct WordHash {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }

  mutating func add(_ bytes: some Sequence<UInt8>) { for byte in bytes { add(byte) } }

  /// A scalar, by four bytes: a folded word need not be UTF-8 again.
  mutating func add(scalar: UInt32) {
    for shift: UInt32 in [0, 8, 16, 24] { add(UInt8(truncatingIfNeeded: scalar >> shift)) }
  }

  func finished(isNumber: Bool) -> UInt64 {
    let mixed = Self.mixed(state)
    return isNumber ? mixed | 1 : mixed & ~1
  }

  /// A bijection in which every bit of `value` changes about half of the bits.
  static func mixed(_ value: UInt64) -> UInt64 {
    var h = value
    h = (h ^ (h >> 33)) &* 0xff51_afd7_ed55_8ccd
    h = (h ^ (h >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    return h ^ (h >> 33)
  }

  /// The hash of a word that is already folded: lower case, ASCII.
  static func of(_ word: String) -> UInt64 {
    var hash = WordHash()
    hash.add(word.utf8)
    return hash.finished(isNumber: word.utf8.first.map { (0x30...0x39).contains($0) } ?? false)
  }
}
