/// How text becomes pieces: what `pre_tokenizer` of a file says.
struct PreTokenizer: Equatable, Sendable {
  /// What is done to a stretch of text before it is cut.
  enum Preparation: Equatable, Sendable {
    case none
    /// A space goes before text that has none there (`add_prefix_space`).
    case prefixSpace
    /// Spaces become "▁", and one more goes before the text (`Metaspace`).
    case metaspace(PrependScheme)
  }

  enum PrependScheme: String, CaseIterable, Sendable {
    case always, never, first
  }

  var preparation = Preparation.none
  /// Each cuts what the one before it left; without any the text is one piece.
  var patterns: [SplitPattern] = []

  static let metaspace = Array("▁".utf8)

  /// The text as it is cut; nil if that is as it came.
  ///
  /// - Parameter isFirst: Whether it is the beginning of the whole text.
  func prepared(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool) -> [UInt8]? {
    switch preparation {
    case .none: return nil
    case .prefixSpace:
      return text.first == UInt8(ascii: " ") ? nil : [UInt8(ascii: " ")] + text
    case .metaspace(let scheme):
      let marked = Normalizer.replacing([UInt8(ascii: " ")], with: Self.metaspace, in: Array(text))
      let prepends = scheme == .always || scheme == .first && isFirst
      return prepends && !marked.starts(with: Self.metaspace) ? Self.metaspace + marked : marked
    }
  }
}
