import Datasets
import Models
import Storage
import Training

/// Which documents are learned from in which step: known for any step without going through those
/// before it.
public struct TrainingOrder: Sendable {
  private let data: PreparedData
  private let contextLength: Int
  private let packing: PackingMethod
  private let seed: UInt64
  private let rowsPerStep: Int
  /// The documents that are learned from, and those that are held out.
  public let documents: [Int]
  public let heldOut: [Int]
  /// The first step of each epoch, from 0, and behind them the number of all steps.
  public let epochStarts: [Int]
  /// Tokens of all rows of an epoch, and room in them.
  public let tokensPerEpoch: Int
  public let rowsInFirstEpoch: Int
  public let longestRow: Int
  /// The length of the document that a token stands in, on average over all tokens.
  public let meanContext: Int

  public var totalSteps: Int { epochStarts.last ?? 0 }

  /// - Parameter heldOutShare: The share of the documents that is held out: one at least, unless
  ///   it is 0.
  public init(
    _ data: PreparedData, contextLength: Int, packing: PackingMethod, seed: UInt64, epochs: Int,
    rowsPerStep: Int, heldOutShare: Double
  ) {
    self.data = data
    self.contextLength = contextLength
    self.packing = packing
    self.seed = seed
    self.rowsPerStep = rowsPerStep
    let count = data.count
    let wished = heldOutShare > 0 ? max(1, Int((heldOutShare * Double(count)).rounded())) : 0
    let held = max(0, min(wished, count - 1))
    // An order of its own, which no epoch has.
    let order = Permutation(count: count, seed: seed, epoch: -1)
    let heldOut = (0..<held).map { order[$0] }.sorted()
    let isHeldOut = Set(heldOut)
    self.heldOut = heldOut
    let documents = (0..<count).filter { !isHeldOut.contains($0) }
    self.documents = documents
    let tokens = documents.reduce(0) { $0 + data.length(of: $1) }
    let squares = documents.reduce(0.0) {
      $0 + Double(data.length(of: $1)) * Double(data.length(of: $1))
    }
    tokensPerEpoch = tokens
    meanContext = tokens == 0 ? 0 : Int(squares / Double(tokens))
    var starts = [0]
    var firstRows = 0
    var longest = 0
    for epoch in 0..<epochs {
      let rows = Self.rows(data, documents, contextLength, packing, seed, epoch)
      if epoch == 0 { firstRows = rows.count }
      longest = rows.reduce(longest) { max($0, $1.reduce(0) { $0 + data.length(of: $1) }) }
      starts.append(starts[epoch] + (rows.count + rowsPerStep - 1) / rowsPerStep)
    }
    epochStarts = starts
    rowsInFirstEpoch = firstRows
    longestRow = longest
  }

  /// The documents of each row of an epoch.
  private static func rows(
    _ data: PreparedData, _ documents: [Int], _ contextLength: Int, _ packing: PackingMethod,
    _ seed: UInt64, _ epoch: Int
  ) -> [[Int]] {
    let order = Permutation(count: documents.count, seed: seed, epoch: epoch)
    let epochDocuments = documents.indices.map { documents[order[$0]] }
    let rows = Packing(
      epochDocuments.map { data.length(of: $0) }, contextLength: contextLength, method: packing
    ).rows
    return rows.map { row in row.map { epochDocuments[$0] } }
  }

  /// The epoch that a step, counted from 0, belongs to.
  public func epoch(of step: Int) -> Int {
    max(0, (epochStarts.lastIndex { $0 <= step } ?? 0))
  }

  /// How many epochs are behind once a number of steps is done.
  public func epochs(after steps: Int) -> Double {
    if steps >= totalSteps { return Double(epochStarts.count - 1) }
    let epoch = epoch(of: steps)
    let length = epochStarts[epoch + 1] - epochStarts[epoch]
    return Double(epoch) + Double(steps - epochStarts[epoch]) / Double(max(1, length))
  }

  /// Hands out the rows of steps; the rows of one epoch are kept at a time.
  public struct Reader {
    private let order: TrainingOrder
    private var epoch = -1
    private var rows: [[Int]] = []

    public init(_ order: TrainingOrder) { self.order = order }

    /// The numbers of the documents in each row of a step, counted from 0.
    public mutating func documents(ofStep step: Int) -> [[Int]] {
      let epoch = order.epoch(of: step)
      if epoch != self.epoch {
        rows = TrainingOrder.rows(
          order.data, order.documents, order.contextLength, order.packing, order.seed, epoch)
        self.epoch = epoch
      }
      let first = (step - order.epochStarts[epoch]) * order.rowsPerStep
      return Array(rows[first..<min(first + order.rowsPerStep, rows.count)])
    }

    /// The rows of a step, counted from 0.
    ///
    /// - Throws: `PreparedDataError` if the data is not what was written.
    public mutating func rows(
      ofStep step: Int
    ) throws(PreparedDataError) -> [TrainingSequence] {
      var sequences: [TrainingSequence] = []
      for documents in documents(ofStep: step) {
        sequences.append(try order.sequence(documents))
      }
      return sequences
    }
  }

  /// How long the documents are and where they come from, for the run's report.
  func description(_ sourceNames: [String]) -> JSONObject {
    let histogram = LengthHistogram(documents.map { data.length(of: $0) })
    let sources = sourceNames.enumerated().map { index, name in
      let own = documents.filter { data.source(of: $0) == index }
      return JSONValue.object(
        JSONObject(members: [
          ("name", .string(name)), ("documents", .int(own.count)),
          ("tokens", .int(own.reduce(0) { $0 + data.length(of: $1) })),
          ("supervisedTokens", .int(own.reduce(0) { $0 + data.supervisedCount(of: $1) })),
        ]))
    }
    let lengths = histogram.buckets.map { bucket in
      JSONValue.object(
        JSONObject(members: [
          ("upTo", .int(bucket.lengths.upperBound)), ("documents", .int(bucket.count)),
        ]))
    }
    return JSONObject(members: [("lengths", .array(lengths)), ("sources", .array(sources))])
  }

  /// The number of the sample that a document was made from, over all sources, from 0.
  public func sample(of document: Int) -> Int { data.sample(of: document) }

  /// A row of documents.
  ///
  /// - Throws: `PreparedDataError` if the data is not what was written.
  public func sequence(_ documents: [Int]) throws(PreparedDataError) -> TrainingSequence {
    var row = TrainingRow()
    for document in documents {
      let (ids, supervised) = try data.document(document)
      row.append(ids: ids, supervised: supervised)
    }
    return TrainingSequence(
      PackedTokens(row.ids, documents: row.documents), targets: row.targets,
      sources: documents.map { data.source(of: $0) })
  }
}
