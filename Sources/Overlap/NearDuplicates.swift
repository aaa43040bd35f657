/// Finds texts that are almost the same as one that came before, in one pass over any number of them.
///
/// Two texts are alike by the Jaccard similarity of their runs of five words, as `OverlapText` reads
/// them with signs. It is estimated from 128 MinHash values, cut into 16 bands of 8: only texts with
/// an equal band are compared (Leskovec, Rajaraman and Ullman, chapter 3). At a similarity s that
/// happens with a probability of `1 − (1 − s⁸)¹⁶`: 0.95 at 0.8, 0.995 at 0.86. The estimate has a
/// standard deviation of `√(s (1 − s) / 128)`, 0.035 at 0.8.
///
/// Of texts that are alike the first is kept; later ones are not compared with each other. A text
/// that is kept takes `bytesPerText` and its share of the tables' slack, whatever its length. A text
/// without words is never a duplicate.
public struct NearDuplicates {
  /// A text that is like an earlier one.
  public struct Duplicate: Equatable, Sendable {
    /// The earlier text.
    public var of: Int
    /// The estimated Jaccard similarity, 0 to 1.
    public var similarity: Double
  }

  /// Words in a run; a shorter text is one run.
  public static let runLength = 5
  /// What a kept text takes without slack: signature, links and heads of 16 bands, id.
  public static let bytesPerText = MinHash.count * 4 + bands * 8 + 8

  private static let bands = 16
  private static let rows = MinHash.count / bands
  private static let none = UInt32.max
  /// What nodes of 32 bits can number; beyond it texts are still looked up, and none is kept.
  private static let mostTexts = Int(UInt32.max) / bands

  public let threshold: Double
  private let minHash: MinHash
  private var ids: [Int] = []
  /// Of `chunk` texts each, so that growing copies none of them and leaves little slack.
  private var signatures: [[UInt32]] = []
  private static let chunk = 1024
  /// By node, which is a text's band (`text · bands + band`): the node before it in the same chain.
  /// Bands share the chains, so a link must lead to a node, not to a text.
  private var links: [UInt32] = []
  /// By hash of a band: the last node of its chain.
  private var heads: [UInt32]

  /// - Parameter threshold: The least similarity, above 0.5 and at most 1: the bands miss most pairs
  ///   below 0.5.
  /// - Throws: `OverlapError` if the threshold is none of these.
  public init(threshold: Double = 0.8, seed: UInt64 = 0) throws(OverlapError) {
    guard threshold > 0.5, threshold <= 1 else {
      throw OverlapError(
        "The threshold of near duplicates is \(threshold). Set it above 0.5 and to at most 1.")
    }
    self.threshold = threshold
    minHash = MinHash(seed: seed)
    heads = [UInt32](repeating: Self.none, count: 1 << 12)
  }

  /// How many texts are kept.
  public var count: Int { ids.count }

  /// Takes a text in, unless it is like one that is kept; then returns the most similar of those.
  public mutating func insert(_ text: String, id: Int) -> Duplicate? {
    let set = Self.runs(text)
    guard !set.isEmpty else { return nil }
    let signature = minHash.signature(set)
    if let duplicate = mostSimilar(signature) { return duplicate }
    guard ids.count < Self.mostTexts else { return nil }
    if (ids.count + 1) * Self.bands > heads.count { grow() }
    if ids.count % Self.chunk == 0 {
      signatures.append([])
      signatures[signatures.count - 1].reserveCapacity(Self.chunk * MinHash.count)
    }
    ids.append(id)
    signatures[signatures.count - 1] += signature
    link(ids.count - 1)
    return nil
  }

  /// The runs of a text, each once, ascending.
  static func runs(_ text: String) -> [UInt64] {
    let words = OverlapText(text, signs: .kept).words
    var runs: [UInt64] = []
    RollingHash(words).forEachRun(of: min(runLength, words.count)) { _, hash in runs.append(hash) }
    runs.sort()
    var distinct: [UInt64] = []
    for run in runs where run != distinct.last { distinct.append(run) }
    return distinct
  }

  private func mostSimilar(_ signature: [UInt32]) -> Duplicate? {
    var best: (text: Int, equal: Int)?
    var compared: Set<Int> = []
    for band in 0..<Self.bands {
      var node = heads[slot(of: signature[...], band)]
      while node != Self.none {
        let text = Int(node) / Self.bands
        if Int(node) % Self.bands == band, compared.insert(text).inserted {
          let equal = zip(self.signature(of: text), signature).reduce(0) {
            $0 + ($1.0 == $1.1 ? 1 : 0)
          }
          // Of equally similar ones the first.
          if equal > best?.equal ?? -1 || (equal == best?.equal && text < best?.text ?? 0) {
            best = (text, equal)
          }
        }
        node = links[Int(node)]
      }
    }
    guard let best, Double(best.equal) >= threshold * Double(MinHash.count) else { return nil }
    return Duplicate(
      of: ids[best.text], similarity: Double(best.equal) / Double(MinHash.count))
  }

  private func signature(of text: Int) -> ArraySlice<UInt32> {
    let start = text % Self.chunk * MinHash.count
    return signatures[text / Self.chunk][start..<start + MinHash.count]
  }

  private func slot(of signature: ArraySlice<UInt32>, _ band: Int) -> Int {
    var hash = WordHash.mixed(UInt64(band + 1))
    for k in 0..<Self.rows {
      hash = WordHash.mixed(hash ^ UInt64(signature[signature.startIndex + band * Self.rows + k]))
    }
    return Int(truncatingIfNeeded: hash) & (heads.count - 1)
  }

  private mutating func link(_ text: Int) {
    let signature = signature(of: text)
    for band in 0..<Self.bands {
      let slot = slot(of: signature, band)
      links.append(heads[slot])
      heads[slot] = UInt32(truncatingIfNeeded: text * Self.bands + band)
    }
  }

  /// Doubles the heads, and links every text again.
  private mutating func grow() {
    heads = [UInt32](repeating: Self.none, count: heads.count * 2)
    links.removeAll(keepingCapacity: true)
    for text in ids.indices { link(text) }
  }

  /// The bytes of its arrays, slack included.
  var byteCount: Int {
    signatures.reduce(0) { $0 + $1.capacity * 4 } + links.capacity * 4 + heads.capacity * 4 + ids
      .capacity * 8
  }
}
