/// How tokens become text again: what `decoder` of a file says.
enum TokenDecoder: Equatable, Sendable {
  /// Each token stands for bytes.
  case byteLevel
  /// Each token is text, in which some bytes are replaced; `<0x0A>` and the like stand for bytes if
  /// `byteFallback`; of the whole, up to so many of a character are taken off the front.
  case text(replacements: [Replacement], byteFallback: Bool, stripped: Stripped?)
  /// Each token is text, in which "▁" is a space, but none in the first token if `dropsFirst`.
  case metaspace(dropsFirst: Bool)
  /// Each token is text, with spaces between them.
  case spaced

  struct Replacement: Equatable, Sendable {
    var old: [UInt8]
    var new: [UInt8]
  }

  struct Stripped: Equatable, Sendable {
    var content: [UInt8]
    var count: Int
  }
}
