import Storage

/// What a data set holds once it is rendered, and what is wrong with it.
public struct PreparationReport: Sendable {
  /// Counts of one source.
  public struct Source: Equatable, Sendable {
    public var path: String
    public var samples = 0
    public var documents = 0
    public var tokens = 0
    public var supervisedTokens = 0
    /// Documents that were too long and left out, or shortened to whole turns.
    public var dropped = 0
    public var shortened = 0
    /// Samples with a finding.
    public var refused = 0
    public var replacedSurrogates = 0
    public var oddities: RecordFile.Oddities
  }

  public private(set) var sources: [Source]
  /// The lengths of the documents that are kept, in order.
  public private(set) var lengths: [Int] = []
  /// The lengths of those that are not.
  public private(set) var droppedLengths: [Int] = []
  /// What is wrong, as `file:line: what`: the first of them.
  public private(set) var findings: [String] = []
  /// How many findings there are in all.
  public private(set) var findingCount = 0

  private let contextLength: Int
  private static let mostFindings = 1000

  init(_ sources: [(path: String, oddities: RecordFile.Oddities)], _ recipe: DataRecipe) {
    self.sources = sources.map { Source(path: $0.path, oddities: $0.oddities) }
    contextLength = recipe.contextLength
  }

  mutating func add(_ findings: [String], _ replacedSurrogates: Int, to source: Int) {
    sources[source].samples += 1
    sources[source].replacedSurrogates += replacedSurrogates
    if findings.isEmpty { return }
    sources[source].refused += 1
    note(findings)
  }

  private mutating func note(_ findings: [String]) {
    findingCount += findings.count
    self.findings += findings.prefix(max(0, Self.mostFindings - self.findings.count))
  }

  /// Counts a document; returns what is kept of it.
  mutating func add(
    _ document: RenderedDocument, _ outcome: LengthPolicy.Outcome, at place: String, to source: Int
  ) -> RenderedDocument? {
    var kept = document
    switch outcome {
    case .kept: break
    case .shortened(let shorter):
      kept = shorter
      sources[source].shortened += 1
    case .dropped:
      sources[source].dropped += 1
      droppedLengths.append(document.ids.count)
      return nil
    case .refused:
      sources[source].refused += 1
      droppedLengths.append(document.ids.count)
      note([
        "\(place): it has \(document.ids.count) tokens; 'contextLength' is \(contextLength). Raise "
          + "it, or say with 'longerDocuments' what to do."
      ])
      return nil
    }
    sources[source].documents += 1
    sources[source].tokens += kept.ids.count
    sources[source].supervisedTokens += kept.supervisedCount
    lengths.append(kept.ids.count)
    return kept
  }
}
