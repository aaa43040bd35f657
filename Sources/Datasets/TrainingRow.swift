/// Documents behind one another, as a decoder is trained on them.
public struct TrainingRow: Equatable, Sendable {
  /// The ids of all documents.
  public private(set) var ids: [Int32] = []
  /// For each token the id that should follow it; -1 where that is not learned, and at the end of
  /// a document, whose next token belongs to another one.
  public private(set) var targets: [Int32] = []
  /// The length of each document: none sees another, and positions begin anew in each.
  public private(set) var documents: [Int] = []

  public init() {}

  /// The tokens that are learned.
  public var supervisedCount: Int { targets.count { $0 >= 0 } }

  /// Appends a document, which holds a token at least.
  public mutating func append(ids: [Int32], supervised: [Bool]) {
    precondition(!ids.isEmpty && ids.count == supervised.count)
    self.ids += ids
    targets += zip(ids, supervised).dropFirst().map { $1 ? $0 : -1 } + [-1]
    documents.append(ids.count)
  }
}
