import Interface

/// What is done with a document that is longer than the context.
///
/// Nothing is ever cut without a word: each case is counted, and what is kept is complete.
public enum LengthPolicy: String, Choice {
  /// It is left out.
  case drop
  /// Leading turns of a conversation are kept if they fit, each with its end token, and at least
  /// one of them learned; else it is left out.
  case keepIfComplete
  /// The samples are refused.
  case refuse

  /// What becomes of a document.
  enum Outcome: Equatable {
    case kept, shortened(RenderedDocument), dropped, refused
  }

  func apply(to document: RenderedDocument, contextLength: Int) -> Outcome {
    if document.ids.count <= contextLength { return .kept }
    switch self {
    case .drop: return .dropped
    case .refuse: return .refused
    case .keepIfComplete:
      guard let end = document.turnEnds.last(where: { $0 <= contextLength }) else {
        return .dropped
      }
      var shorter = document
      shorter.ids = Array(document.ids[..<end])
      shorter.supervised = Array(document.supervised[..<end])
      shorter.turnEnds = document.turnEnds.filter { $0 <= end }
      return shorter.supervisedCount > 0 ? .shortened(shorter) : .dropped
    }
  }
}
