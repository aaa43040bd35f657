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
  /// What is wrong, in the order in which it was found first.
  public private(set) var findings: [Finding] = []
  /// The checks of the gate that found something.
  public internal(set) var failedChecks: Set<GateCheck> = []
  /// How many findings there are in all.
  public private(set) var findingCount = 0

  /// Something that is wrong with samples.
  public struct Finding: Equatable, Sendable {
    /// What it is, in a sentence.
    public let message: String
    /// The first sample that has it: `file:line`.
    public let place: String
    /// How many have it.
    public fileprivate(set) var count: Int
  }

  private let contextLength: Int
  private var findingPlaces: [String: Int] = [:]
  /// Findings that differ in a number are different ones; so many are kept apart.
  private static let mostFindings = 1000

  init(_ sources: [(path: String, oddities: RecordFile.Oddities)], _ recipe: DataRecipe) {
    self.sources = sources.map { Source(path: $0.path, oddities: $0.oddities) }
    contextLength = recipe.contextLength
  }

  mutating func add(_ findings: [DatasetError], _ replacedSurrogates: Int, to source: Int) {
    sources[source].samples += 1
    sources[source].replacedSurrogates += replacedSurrogates
    if findings.isEmpty { return }
    sources[source].refused += 1
    findings.forEach { note($0) }
  }

  private mutating func note(_ finding: DatasetError) {
    findingCount += 1
    if let known = findingPlaces[finding.message] {
      findings[known].count += 1
    } else if findings.count < Self.mostFindings {
      findingPlaces[finding.message] = findings.count
      findings.append(Finding(message: finding.message, place: finding.place, count: 1))
    }
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
      note(
        DatasetError(
          place,
          "it is longer than 'contextLength', \(contextLength) tokens. Raise that, or say "
            + "with 'longerDocuments' what to do."))
      return nil
    }
    sources[source].documents += 1
    sources[source].tokens += kept.ids.count
    sources[source].supervisedTokens += kept.supervisedCount
    lengths.append(kept.ids.count)
    return kept
  }
}
