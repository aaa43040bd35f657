/// The vocabulary and merges of a byte-pair encoding.
final class BytePairModel: Sendable {
  /// What a piece is before anything is merged.
  enum Alphabet: Sendable {
    /// Its bytes, each a token, the unknown token, or nothing (-1): SmolLM2 has no token for some
    /// control characters, and Hugging Face's library leaves them out as well.
    case bytes([Int32])
    /// Its characters, where they are tokens; else their bytes (`byte_fallback`; -1 where there is
    /// no token), else the unknown token, once for neighbours if `fusesUnknown`, else nothing.
    case characters(bytes: [Int32]?, unknown: Int32?, fusesUnknown: Bool)
  }

  let alphabet: Alphabet
  /// The tokens by their text in the file.
  let vocabulary: ByteTable
  /// The tokens by the bytes that they stand for, if a piece that is one is not to be merged
  /// (`ignore_merges`).
  let wholePieces: ByteTable?
  let merges: MergeTable

  init(alphabet: Alphabet, vocabulary: ByteTable, wholePieces: ByteTable?, merges: MergeTable) {
    self.alphabet = alphabet
    self.vocabulary = vocabulary
    self.wholePieces = wholePieces
    self.merges = merges
  }
}

/// GPT-2's way to write bytes as characters: printable ones stand for themselves, the others for
/// the characters from U+0100 on.
enum ByteCharacters {
  /// The scalar for each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0...255).map { (byte: UInt8) in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? "\u{FFFD}"
      }
    }
  }()

  /// The byte for each scalar below 0x200 that stands for one.
  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x200)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = UInt8(byte) }
    return bytes
  }()

  /// The bytes that a token's text stands for; nil if a character in it stands for none.
  static func bytes(of text: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var lead: UInt8?
    for byte in text {
      let value: Int
      if let first = lead {
        value = Int(first & 0x1F) << 6 | Int(byte & 0x3F)
        lead = nil
      } else if byte < 0x80 {
        value = Int(byte)
      } else if byte & 0xE0 == 0xC0 {
        lead = byte
        continue
      } else {
        return nil
      }
      guard value < 0x200, let found = bytes[value] else { return nil }
      result.append(found)
    }
    return lead == nil ? result : nil
  }

  /// A token's text for bytes.
  static func text(of bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(scalars[Int(byte)]) }
    return String(text)
  }
}
