import Storage

/// Finds texts that are the same but for case, blanks, punctuation and markup.
///
/// Signs count: `3 + 5` is not `3 - 5`. A text without any word is compared by its bytes. Sixteen
/// bytes of SHA-256 are kept of each text; with the table's slack, 48 bytes for each at most.
public struct ExactDuplicates {
  private struct Digest: Hashable {
    var high: UInt64
    var low: UInt64
  }

  /// What the digests of texts with words begin with, and of texts without.
  private static let withWords: UInt8 = 1
  private static let withoutWords: UInt8 = 0

  private var ids: [Digest: Int] = [:]

  public init() {}

  /// How many different texts there are.
  public var count: Int { ids.count }

  /// Takes a text in, unless it was there before; then returns the id of the first.
  public mutating func insert(_ text: String, id: Int) -> Int? {
    let words = OverlapText(text, signs: .kept).words
    var hash = SHA256()
    if words.isEmpty {
      hash.update([Self.withoutWords] + Array(text.utf8))
    } else {
      hash.update(
        [Self.withWords]
          + words.flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
          })
    }
    let bytes = hash.finalized()
    func number(_ range: Range<Int>) -> UInt64 {
      bytes[range].reduce(0) { $0 << 8 | UInt64($1) }
    }
    let digest = Digest(high: number(0..<8), low: number(8..<16))
    if let first = ids[digest] { return first }
    ids[digest] = id
    return nil
  }
}
