import Dispatch
import Foundation

/// Learns a byte-level byte-pair encoding from text (Sennrich et al., 2016).
///
/// The merges are those of Hugging Face's `BpeTrainer` with the same settings: the most frequent
/// pair first, among equal ones the pair with the smaller ids. What is learned depends on the text
/// and the settings alone, not on threads or the order of texts.
public struct TokenizerTraining {
  /// How text is split before pairs are counted; merges never cross a border.
  public enum Splitting: String, CaseIterable, Sendable {
    /// GPT-2's pattern.
    case gpt2
    /// Llama 3's pattern, numbers in groups of three digits.
    case llama3
    /// Qwen's: normal form C, and each digit by itself.
    case qwen2

    var pattern: SplitPattern {
      switch self {
      case .gpt2: .gpt2
      case .llama3: .cl100k(digits: 3)
      case .qwen2: .cl100k(digits: 1)
      }
    }

    var normalizer: Normalizer { Normalizer(steps: self == .qwen2 ? [.nfc] : []) }
  }

  public struct Settings: Sendable {
    public var splitting: Splitting
    /// All tokens together: special ones, the 256 bytes, and merges.
    public var vocabularySize: Int
    /// Pairs that come less often are not merged.
    public var minimumFrequency: Int
    /// Take the first ids, in this order.
    public var specialTokens: [String]
    /// Those of them that are text nevertheless, such as `<think>`: decoding keeps them, and they are
    /// found in what users write.
    public var visibleTokens: [String]

    public init(
      splitting: Splitting, vocabularySize: Int, minimumFrequency: Int = 0,
      specialTokens: [String] = [], visibleTokens: [String] = []
    ) {
      self.splitting = splitting
      self.vocabularySize = vocabularySize
      self.minimumFrequency = minimumFrequency
      self.specialTokens = specialTokens
      self.visibleTokens = visibleTokens
    }
  }

  public let settings: Settings
  private var pieces = PieceCounts()
  /// Bytes of text so far.
  public private(set) var byteCount = 0

  /// - Throws: `TokenizerError` if the settings can't be met.
  public init(_ settings: Settings) throws(TokenizerError) {
    let fixed = 256 + settings.specialTokens.count
    guard (fixed...TokenizerLimits.ids).contains(settings.vocabularySize) else {
      throw TokenizerError(
        "The tokenizer",
        "a vocabulary of \(settings.vocabularySize) is not from \(fixed), the bytes "
          + "and special tokens, to \(TokenizerLimits.ids).")
    }
    guard settings.minimumFrequency >= 0 else {
      throw TokenizerError("The tokenizer", "the least frequency is below 0.")
    }
    var seen: Set<[UInt8]> = []
    for token in settings.specialTokens {
      let bytes = Array(token.utf8)
      guard !bytes.isEmpty, seen.insert(bytes).inserted else {
        throw TokenizerError(
          "The tokenizer", "the special token '\(token)' is empty, or there twice.")
      }
      if token.unicodeScalars.count == 1, let first = token.unicodeScalars.first,
        ByteCharacters.scalars.contains(first)
      {
        throw TokenizerError("The tokenizer", "the special token '\(token)' is that of a byte.")
      }
    }
    for token in settings.visibleTokens where !seen.contains(Array(token.utf8)) {
      throw TokenizerError(
        "The tokenizer", "the visible token '\(token)' is not among the special tokens.")
    }
    self.settings = settings
  }

  /// Counts the pieces of texts, on all processors.
  public mutating func add(_ texts: [[UInt8]]) { add(texts, partSize: 1 << 20) }

  mutating func add(_ texts: [[UInt8]], partSize: Int) {
    let settings = settings
    let parts = TextParts(texts, size: partSize)
    let results = PartialCounts(count: parts.ranges.count)
    DispatchQueue.concurrentPerform(iterations: parts.ranges.count) { i in
      var counts = PieceCounts()
      let (text, range) = parts.ranges[i]
      parts.texts[text].withUnsafeBufferPointer {
        Self.count(UnsafeBufferPointer(rebasing: $0[range]), settings, &counts)
      }
      results.set(i, counts)
    }
    for counts in results.values { pieces.add(counts) }
    byteCount += texts.reduce(0) { $0 + $1.count }
  }

  private static func count(
    _ text: UnsafeBufferPointer<UInt8>, _ settings: Settings, _ counts: inout PieceCounts
  ) {
    let normalizer = settings.splitting.normalizer
    if !normalizer.leavesUnchanged(text) {
      normalizer.normalized(text).withUnsafeBufferPointer {
        countPieces($0, settings.splitting.pattern, &counts)
      }
    } else {
      countPieces(text, settings.splitting.pattern, &counts)
    }
  }

  private static func countPieces(
    _ text: UnsafeBufferPointer<UInt8>, _ pattern: SplitPattern, _ counts: inout PieceCounts
  ) {
    guard let start = text.baseAddress else { return }
    let view = TextView(start, end: text.count)
    var i = 0
    while i < text.count {
      let end = pattern.endOfPiece(in: view, from: i)
      counts.add(UnsafeRawBufferPointer(start: start + i, count: end - i), 1)
      i = end
    }
  }

  /// Learns the merges.
  ///
  /// - Parameter progress: Called with the number of tokens now and then.
  public func train(progress: (Int) -> Void = { _ in }) -> TrainedTokenizer {
    // Bytes in the order of the characters that stand for them, as Hugging Face's library has it.
    let bytes = (UInt8.min ... .max).sorted {
      ByteCharacters.scalars[Int($0)] < ByteCharacters.scalars[Int($1)]
    }
    var tokens: [[UInt8]] = settings.specialTokens.map { Array($0.utf8) }
    let first = Int32(tokens.count)
    var idOfByte = [Int32](repeating: 0, count: 256)
    for (i, byte) in bytes.enumerated() { idOfByte[Int(byte)] = first + Int32(i) }
    tokens += bytes.map { Array(ByteCharacters.text(of: [$0]).utf8) }

    var learner = MergeLearner(pieces, idOfByte)
    var ids = Dictionary(tokens.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    var merges: [(Int32, Int32)] = []
    while tokens.count < settings.vocabularySize,
      let (pair, count) = learner.mostFrequent(), count >= max(settings.minimumFrequency, 1)
    {
      let text = tokens[Int(pair.0)] + tokens[Int(pair.1)]
      // Two ways to make the same bytes are two merges and one token.
      let id = ids[text] ?? Int32(tokens.count)
      if ids[text] == nil {
        ids[text] = id
        tokens.append(text)
      }
      merges.append(pair)
      learner.merge(pair, into: id)
      if merges.count % 64 == 0 { progress(tokens.count) }
    }
    progress(tokens.count)
    return TrainedTokenizer(
      settings: settings, tokens: tokens.map { String(decoding: $0, as: UTF8.self) },
      merges: merges)
  }

  /// Counts that threads put in, each at a place of its own.
  private final class PartialCounts: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var values: [PieceCounts]

    init(count: Int) { values = [PieceCounts](repeating: PieceCounts(), count: count) }

    func set(_ i: Int, _ value: PieceCounts) { lock.withLock { values[i] = value } }
  }
}

/// Texts in parts of about a megabyte, cut where every pattern cuts, whether the text goes on or not:
/// behind a line feed that stands alone between visible characters.
private struct TextParts: @unchecked Sendable {
  let texts: [[UInt8]]
  private(set) var ranges: [(text: Int, range: Range<Int>)] = []

  init(_ texts: [[UInt8]], size: Int) {
    self.texts = texts
    for (i, text) in texts.enumerated() {
      var start = 0
      while start < text.count {
        var end = min(start + size, text.count)
        while end < text.count, !Self.isBorder(text, end) { end += 1 }
        ranges.append((i, start..<end))
        start = end
      }
    }
  }

  private static func isBorder(_ text: [UInt8], _ i: Int) -> Bool {
    i > 1 && text[i - 1] == 0x0A && isVisible(text[i - 2]) && isVisible(text[i])
  }

  /// Bytes of ASCII that are neither white space nor control characters.
  private static func isVisible(_ byte: UInt8) -> Bool { (0x21..<0x7F).contains(byte) }
}

/// How often each piece comes.
struct PieceCounts: @unchecked Sendable {
  private var table = ByteTable()
  private(set) var counts: [Int] = []

  mutating func add(_ piece: UnsafeRawBufferPointer, _ count: Int) {
    if let known = table.id(of: piece) {
      counts[known] += count
    } else {
      if !isKnownUniquelyReferenced(&table) { table = table.copy() }
      _ = table.insert(piece, id: counts.count)
      counts.append(count)
    }
  }

  mutating func add(_ other: PieceCounts) {
    for i in other.counts.indices {
      other.piece(i).withUnsafeBytes { add($0, other.counts[i]) }
    }
  }

  func piece(_ i: Int) -> ArraySlice<UInt8> { table.bytes(of: i) ?? [] }
}
