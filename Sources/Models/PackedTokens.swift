import Layers

/// Tokens of several documents, one after another, that do not see each other.
///
/// A batch of rows is given as one such sequence: its rows are documents, or hold some.
public struct PackedTokens: Sendable, Equatable {
  public let tokens: [Int32]
  /// The lengths of the documents, in order; they add up to the number of tokens.
  public let documents: [Int]

  /// - Parameter documents: Lengths of at least 1; one document if not given.
  public init(_ tokens: [Int32], documents: [Int]? = nil) {
    let documents = documents ?? (tokens.isEmpty ? [] : [tokens.count])
    precondition(
      documents.allSatisfy { $0 > 0 } && documents.reduce(0, +) == tokens.count,
      "documents of \(documents) tokens do not make \(tokens.count)")
    self.tokens = tokens
    self.documents = documents
  }

  public var count: Int { tokens.count }

  /// Each token's place in its document, from 0.
  var positions: [Int32] { documents.flatMap { (0..<$0).map(Int32.init) } }
  var spans: [AttentionSpan] { AttentionSpan.documents(documents) }
}
