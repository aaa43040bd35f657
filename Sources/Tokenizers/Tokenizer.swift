import Foundation

/// A byte-pair encoding as a checkpoint brings it: text to the ids its model expects, and back.
///
/// Ids are those of Hugging Face's tokenizers for the same files. What the files name and this
/// package does not know is refused when they are read. A tokenizer may be used by many threads at
/// once.
public struct Tokenizer: Sendable {
  /// The tokens that are found in the text before it is split, by id.
  public let addedTokens: [AddedToken]
  /// What `addingSpecialTokens` puts before a text, for example the beginning-of-sequence token.
  public let prefix: [Int32]
  /// What `addingSpecialTokens` puts behind a text.
  public let suffix: [Int32]
  /// The texts of special tokens by role: `bos_token`, `eos_token`, `pad_token` and so on, as the
  /// checkpoint's configuration names them and its chat template expects them.
  public let roles: [String: String]

  let decoder: TokenDecoder
  private let model: BytePairModel
  private let encoders: TextEncoders
  private let addedByID: [Int32: AddedToken]
  private let decodedTokens: DecodedTokens

  init(_ definition: TokenizerDefinition) {
    addedTokens = definition.addedTokens.sorted { $0.id < $1.id }
    prefix = definition.prefix
    suffix = definition.suffix
    roles = definition.roles
    decoder = definition.decoder
    model = definition.model
    addedByID = Dictionary(addedTokens.map { ($0.id, $0) }) { first, _ in first }
    // Those that are looked for in normalized text have their normalized form in decoded text too,
    // as in Hugging Face's library.
    let texts = addedByID.mapValues {
      $0.normalized
        ? definition.normalizer.normalized($0.content.utf8) : Array($0.content.utf8)
    }
    decodedTokens = DecodedTokens(model.vocabulary, texts, areBytes: decoder == .byteLevel)
    let raw = addedTokens.filter { !$0.normalized }
    let normalized = addedTokens.filter(\.normalized)
    let rawMatcher = AddedTokenMatcher(raw, contents: raw.map { Array($0.content.utf8) })
    let normalizedMatcher = AddedTokenMatcher(
      normalized, contents: normalized.map { texts[$0.id] ?? [] })
    encoders = TextEncoders {
      TextEncoder(
        definition.model, definition.normalizer, definition.preTokenizer, rawTokens: rawMatcher,
        normalizedTokens: normalizedMatcher)
    }
  }

  // MARK: Tokens

  /// One more than the largest id; ids below it may be unused.
  public var idLimit: Int {
    max(model.vocabulary.idLimit, addedTokens.last.map { Int($0.id) + 1 } ?? 0)
  }

  /// The number of different tokens.
  public var count: Int {
    model.vocabulary.count
      + addedTokens.count { model.vocabulary.bytes(of: Int($0.id)) == nil }
  }

  /// The id of a token as the tokenizer's file spells it; nil if there is none.
  public func id(of token: String) -> Int32? {
    let bytes = Array(token.utf8)
    if let added = addedTokens.first(where: { $0.content.utf8.elementsEqual(bytes) }) {
      return added.id
    }
    return model.vocabulary.id(of: bytes).map { Int32($0) }
  }

  /// A token as the tokenizer's file spells it; nil for an id that no token has.
  public func token(_ id: Int32) -> String? {
    addedByID[id]?.content
      ?? model.vocabulary.bytes(of: Int(id)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The token of a role, such as `eos_token`; nil if the checkpoint names none.
  public func id(role: String) -> Int32? { roles[role].flatMap { id(of: $0) } }

  /// Whether a token controls the model and is no text.
  public func isSpecial(_ id: Int32) -> Bool { addedByID[id]?.special ?? false }

  /// The bytes that no token stands for: text that holds them loses them.
  public var missingBytes: [UInt8] {
    switch model.alphabet {
    case .bytes(let ids): return (UInt8.min ... .max).filter { ids[Int($0)] < 0 }
    case .characters(_, _?, _): return []
    case .characters(let ids, nil, _):
      return (UInt8.min ... .max).filter { ids?[Int($0)] ?? -1 < 0 }
    }
  }

  // MARK: Text to ids

  /// The ids of a text.
  ///
  /// - Parameters:
  ///   - addingSpecialTokens: Whether `prefix` and `suffix` go around it.
  ///   - special: Whether special tokens that are written out in the text become those tokens.
  public func encode(
    _ text: String, addingSpecialTokens: Bool = false, special: Bool = true
  ) -> [Int32] {
    var text = text
    return text.withUTF8 {
      encode(
        $0, literal: special ? [] : [0..<$0.count], addingSpecialTokens: addingSpecialTokens)
    }
  }

  /// The ids of a text in UTF-8; bytes that are no UTF-8 count as characters of one byte.
  ///
  /// - Parameter literal: Ranges of the text, ascending, in which special tokens are text like any
  ///   other: what users wrote. Added tokens that are not special, such as `<think>` where it is
  ///   one, are found everywhere.
  public func encode(
    _ text: UnsafeBufferPointer<UInt8>, literal: [Range<Int>] = [],
    addingSpecialTokens: Bool = false
  ) -> [Int32] {
    var ids: [Int32] = []
    ids.reserveCapacity(text.count / 3 + 8)
    if addingSpecialTokens { ids += prefix }
    encoders.withEncoder { $0.append(text, literal: literal, to: &ids) }
    if addingSpecialTokens { ids += suffix }
    return ids
  }

  /// The ids of a text in UTF-8; see `encode` of a buffer.
  public func encode(
    _ text: [UInt8], literal: [Range<Int>] = [], addingSpecialTokens: Bool = false
  ) -> [Int32] {
    text.withUnsafeBufferPointer {
      encode($0, literal: literal, addingSpecialTokens: addingSpecialTokens)
    }
  }

  /// The ids of many texts, on all processors.
  public func encode(_ texts: [String], addingSpecialTokens: Bool = false) -> [[Int32]] {
    let results = Results(count: texts.count)
    DispatchQueue.concurrentPerform(iterations: texts.count) { i in
      results.set(i, encode(texts[i], addingSpecialTokens: addingSpecialTokens))
    }
    return results.values
  }

  // MARK: Ids to text

  /// The text of tokens; what is no UTF-8 becomes U+FFFD, and ids without a token nothing.
  ///
  /// - Parameter cleaningUpSpaces: Whether to take out spaces before punctuation and contractions,
  ///   as transformers does where `clean_up_tokenization_spaces` is set. It changes text that had
  ///   such spaces, programs for example, so it is not what a checkpoint's configuration decides.
  public func decode(
    _ ids: [Int32], skippingSpecialTokens: Bool = false, cleaningUpSpaces: Bool = false
  ) -> String {
    let text: String
    if decoder == .byteLevel {
      let bytes = decodedBytes(ids, skippingSpecialTokens: skippingSpecialTokens)
      text = String(decoding: bytes, as: UTF8.self)
    } else {
      var stream = streamingDecoder(skippingSpecialTokens: skippingSpecialTokens)
      text = ids.reduce(into: "") { $0 += stream.append($1) } + stream.finish()
    }
    guard cleaningUpSpaces else { return text }
    return [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
      (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1, options: .literal) }
  }

  /// The text of tokens one after another.
  public func streamingDecoder(skippingSpecialTokens: Bool = false) -> StreamingDecoder {
    StreamingDecoder(self, skipsSpecialTokens: skippingSpecialTokens)
  }

  /// The bytes that tokens stand for, where the tokenizer works on bytes; else those of their text
  /// in the file, one behind the other.
  public func decodedBytes(_ ids: [Int32], skippingSpecialTokens: Bool = false) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(5 * ids.count)
    for id in ids where !(skippingSpecialTokens && isSpecial(id)) {
      if let bytes = decodedTokens[id] { result += bytes }
    }
    return result
  }

  /// What one token adds to a text, before the rules for the text as a whole; nil for an id that
  /// no token has.
  func decodedBytes(of id: Int32) -> ArraySlice<UInt8>? { decodedTokens[id] }
}

/// What each token adds to a text, one behind the other.
private struct DecodedTokens: Sendable {
  private var bytes: [UInt8] = []
  /// Where each id's bytes begin and how many there are; -1 for an id without a token.
  private var starts: [Int32] = []
  private var counts: [Int32] = []

  /// - Parameters:
  ///   - added: Texts that take the place of the vocabulary's.
  ///   - areBytes: Whether texts spell bytes.
  init(_ vocabulary: ByteTable, _ added: [Int32: [UInt8]], areBytes: Bool) {
    let limit = max(vocabulary.idLimit, added.keys.max().map { Int($0) + 1 } ?? 0)
    starts.reserveCapacity(limit)
    bytes.reserveCapacity(vocabulary.arena.count)
    for id in 0..<limit {
      starts.append(Int32(bytes.count))
      guard let text = added[Int32(id)] ?? vocabulary.bytes(of: id).map({ Array($0) }) else {
        counts.append(-1)
        continue
      }
      bytes += areBytes ? ByteCharacters.bytes(of: text) ?? text : text
      counts.append(Int32(bytes.count) - starts[id])
    }
  }

  subscript(id: Int32) -> ArraySlice<UInt8>? {
    guard id >= 0, Int(id) < counts.count, counts[Int(id)] >= 0 else { return nil }
    let start = Int(starts[Int(id)])
    return bytes[start..<start + Int(counts[Int(id)])]
  }
}

/// Encoders that wait for the next thread that needs one.
private final class TextEncoders: @unchecked Sendable {
  private let lock = NSLock()
  private var idle: [TextEncoder] = []
  private let make: @Sendable () -> TextEncoder

  init(_ make: @escaping @Sendable () -> TextEncoder) { self.make = make }

  func withEncoder(_ body: (TextEncoder) -> Void) {
    let encoder = lock.withLock { idle.popLast() } ?? make()
    body(encoder)
    lock.withLock { idle.append(encoder) }
  }
}

/// Results that threads put in, each at a place of its own.
private final class Results: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var values: [[Int32]]

  init(count: Int) { values = [[Int32]](repeating: [], count: count) }

  func set(_ i: Int, _ value: [Int32]) { lock.withLock { values[i] = value } }
}
