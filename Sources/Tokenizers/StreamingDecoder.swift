/// Text from tokens that come one after another; no character is given out before it is whole.
///
/// What the calls return, put together, is what `Tokenizer.decode` makes of all tokens at once.
public struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skipsSpecialTokens: Bool
  /// Bytes that may be the beginning of a character.
  private var pending: [UInt8] = []
  /// Bytes from tokens such as `<0x0A>`, which are a text only if all in a row are.
  private var fallback: [UInt8] = []
  private var isFirst = true
  private var toStrip = 0

  init(_ tokenizer: Tokenizer, skipsSpecialTokens: Bool) {
    self.tokenizer = tokenizer
    self.skipsSpecialTokens = skipsSpecialTokens
    if case .text(_, _, let stripped?) = tokenizer.decoder { toStrip = stripped.count }
  }

  /// The text that is certain now; "" while a character is incomplete.
  ///
  /// An id that no token has adds nothing.
  public mutating func append(_ id: Int32) -> String {
    if skipsSpecialTokens, tokenizer.isSpecial(id) { return "" }
    guard let bytes = tokenizer.decodedBytes(of: id) else { return "" }
    switch tokenizer.decoder {
    case .byteLevel:
      pending += bytes
    case .spaced:
      if !isFirst { pending.append(UInt8(ascii: " ")) }
      pending += bytes
    case .metaspace(let dropsFirst):
      let space = isFirst && dropsFirst ? [] : [UInt8(ascii: " ")]
      pending += Normalizer.replacing(PreTokenizer.metaspace, with: space, in: Array(bytes))
    case .text(let replacements, let byteFallback, let stripped):
      if byteFallback, let byte = Self.byte(Array(bytes)) {
        fallback.append(byte)
        return ""
      }
      var text = Array(bytes)
      for replacement in replacements {
        text = Normalizer.replacing(replacement.old, with: replacement.new, in: text)
      }
      flushFallback()
      pending += text
      strip(stripped)
    }
    isFirst = false
    return takeWhole()
  }

  /// The rest, once all tokens were given.
  public mutating func finish() -> String {
    flushFallback()
    if case .text(_, _, let stripped) = tokenizer.decoder { strip(stripped) }
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// The byte that a token such as `<0x0A>` stands for.
  static func byte(_ token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
  }

  private mutating func flushFallback() {
    if fallback.isEmpty { return }
    if TextView.isUTF8(fallback) {
      pending += fallback
    } else {
      for _ in fallback { pending += "\u{FFFD}".utf8 }
    }
    fallback = []
  }

  private mutating func strip(_ stripped: TokenDecoder.Stripped?) {
    guard let stripped else { return }
    while toStrip > 0, pending.starts(with: stripped.content) {
      pending.removeFirst(stripped.content.count)
      toStrip -= 1
    }
    if !pending.isEmpty { toStrip = 0 }
  }

  /// Takes what is whole from `pending`; bytes that can't become a character become U+FFFD.
  private mutating func takeWhole() -> String {
    let whole = pending.count - Self.incompleteCount(pending)
    defer { pending.removeFirst(whole) }
    return String(decoding: pending[..<whole], as: UTF8.self)
  }

  /// How many bytes at the end are the beginning of a character that more bytes may complete.
  static func incompleteCount(_ bytes: [UInt8]) -> Int {
    for count in 1..<4 where count <= bytes.count {
      let lead = bytes[bytes.count - count]
      if lead < 0x80 { return 0 }
      if lead & 0xC0 == 0x80 { continue }
      let length: Int
      switch lead {
      case 0xC2...0xDF: length = 2
      case 0xE0...0xEF: length = 3
      case 0xF0...0xF4: length = 4
      default: return 0
      }
      guard count < length else { return 0 }
      if count > 1 {
        // The second byte decides whether the sequence can still be one.
        let second = bytes[bytes.count - count + 1]
        switch lead {
        case 0xE0 where second < 0xA0, 0xED where second > 0x9F, 0xF0 where second < 0x90,
          0xF4 where second > 0x8F:
          return 0
        default: break
        }
      }
      return count
    }
    return 0
  }
}
