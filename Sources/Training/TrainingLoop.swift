import Models
import Tensors

/// A row of documents to learn from.
public struct TrainingSequence: Sendable {
  public let tokens: PackedTokens
  /// For each token the id that should follow it; a negative number where that is not learned.
  public let targets: [Int32]
  /// The number of the source of each document.
  public let sources: [Int]

  public init(_ tokens: PackedTokens, targets: [Int32], sources: [Int]) {
    precondition(targets.count == tokens.count && sources.count == tokens.documents.count)
    self.tokens = tokens
    self.targets = targets
    self.sources = sources
  }

  /// The tokens that are learned.
  public var supervisedCount: Int { targets.count { $0 >= 0 } }

  /// Several rows as one, or the only one itself.
  init(joined rows: ArraySlice<TrainingSequence>) {
    if let only = rows.first, rows.count == 1 {
      self = only
    } else {
      self.init(joining: rows)
    }
  }

  /// Several rows as one, whose documents do not see each other.
  public init(joining rows: some Collection<TrainingSequence>) {
    self.init(
      PackedTokens(
        rows.flatMap(\.tokens.tokens), documents: rows.flatMap(\.tokens.documents)),
      targets: rows.flatMap(\.targets), sources: rows.flatMap(\.sources))
  }
}

/// Negative log-probabilities, added up: in all, and for each source.
public struct LossSums: Equatable, Sendable {
  public struct Sum: Equatable, Sendable {
    /// In nats.
    public var loss = 0.0
    public var tokens = 0
    /// nats a token; nil without any.
    public var mean: Double? { tokens == 0 ? nil : loss / Double(tokens) }
  }

  public private(set) var all = Sum()
  public private(set) var sources: [Int: Sum] = [:]

  public init() {}

  /// Adds the log-probabilities of a row's targets, in the order of its tokens.
  public mutating func add(_ logProbabilities: [Float], of row: TrainingSequence) {
    var token = 0
    for (document, length) in row.tokens.documents.enumerated() {
      var sum = Sum()
      for t in token..<token + length where row.targets[t] >= 0 {
        sum.loss -= Double(logProbabilities[t])
        sum.tokens += 1
      }
      token += length
      all.loss += sum.loss
      all.tokens += sum.tokens
      sources[row.sources[document], default: Sum()].loss += sum.loss
      sources[row.sources[document], default: Sum()].tokens += sum.tokens
    }
  }
}

/// What a step of training did.
public struct TrainingStep: Equatable, Sendable {
  /// From 1.
  public let number: Int
  public let losses: LossSums
  public let learningRate: Double
  /// Of all gradients taken together, before clipping; not a number where the loss was none, or
  /// where the step was given up before there were gradients.
  public let gradientNorm: Double
  public let tokens: Int
  /// Why the update was skipped; nil if it was made.
  public let skipped: SpikeGuard.Finding?

  /// nats a learned token.
  public var loss: Double { losses.all.mean ?? .nan }
}

/// Forward, backward, clip, update: one step after the other.
///
/// The loss of a step is the sum over its learned tokens, divided once by their number, so that it
/// does not depend on how the step is cut into parts that fit into memory.
public final class TrainingLoop {
  public struct Settings: Equatable, Sendable {
    public var schedule: LearningRateSchedule
    /// The norm that gradients are clipped to, all taken together.
    public var clipNorm: Double
    /// Rows that are computed at once.
    public var microbatchRows: Int
    /// How long gradients are kept.
    public var gradients: GradientKeeping

    public init(
      schedule: LearningRateSchedule, clipNorm: Double, microbatchRows: Int = 1,
      gradients: GradientKeeping = .kept
    ) {
      precondition(clipNorm > 0 && microbatchRows > 0)
      self.schedule = schedule
      self.clipNorm = clipNorm
      self.microbatchRows = microbatchRows
      self.gradients = gradients
    }
  }

  public let decoder: Decoder
  public let optimizer: AdamW
  public let settings: Settings
  /// Steps that were made, those with a skipped update included.
  public internal(set) var stepCount = 0
  public internal(set) var spikes: SpikeGuard
  /// The length of the row whose buffers are in the pool.
  private var pooledTokens = 0

  public init(
    _ decoder: Decoder, _ optimizer: AdamW, _ settings: Settings, spikes: SpikeGuard = SpikeGuard()
  ) {
    self.decoder = decoder
    self.optimizer = optimizer
    self.settings = settings
    self.spikes = spikes
  }

  /// Makes the next step.
  ///
  /// - Parameters:
  ///   - rows: All rows of the step.
  ///   - isInterrupted: Asked between the blocks of the model, until the first weight changes. Once it
  ///     says so, the step is given up and nothing has changed.
  /// - Returns: nil if it was interrupted.
  /// - Throws: `DecoderError` for a token beyond the vocabulary.
  public func step(
    _ rows: [TrainingSequence], isInterrupted: () -> Bool = { false }
  ) throws(DecoderError) -> TrainingStep? {
    let supervised = rows.reduce(0) { $0 + $1.supervisedCount }
    var losses = LossSums()
    decoder.clearGradients()
    let tokens = rows.reduce(0) { $0 + $1.tokens.count }
    if supervised == 0 {
      stepCount += 1
      return TrainingStep(
        number: stepCount, losses: losses, learningRate: settings.schedule[stepCount],
        gradientNorm: 0, tokens: tokens, skipped: .nothingToLearn)
    }
    if settings.gradients != .kept {
      let made = try ReleasedStep(self, rows, supervised: supervised).make(isInterrupted)
      return made.map {
        TrainingStep(
          number: stepCount, losses: $0.losses, learningRate: settings.schedule[stepCount],
          gradientNorm: $0.gradientNorm, tokens: tokens, skipped: $0.skipped)
      }
    }
    for start in stride(from: 0, to: rows.count, by: settings.microbatchRows) {
      let part = TrainingSequence(
        joined: rows[start..<min(start + settings.microbatchRows, rows.count)])
      makeRoom(for: part.tokens.count)
      setDropout(part: start)
      let found = try decoder.accumulateGradients(
        part.tokens, targets: part.targets,
        weights: [Float](repeating: 1 / Float(supervised), count: part.tokens.count),
        isInterrupted: isInterrupted)
      guard let found else {
        decoder.clearGradients()
        return nil
      }
      losses.add(found, of: part)
    }
    let update = update(loss: losses.all.mean ?? .nan)
    return TrainingStep(
      number: stepCount, losses: losses, learningRate: update.learningRate,
      gradientNorm: update.gradientNorm, tokens: tokens, skipped: update.skipped)
  }

  /// Takes the step that the gradients say, unless something is wrong with it, and counts it.
  func update(
    loss: Double
  ) -> (learningRate: Double, gradientNorm: Double, skipped: SpikeGuard.Finding?) {
    let norm = optimizer.gradientNorm()
    let finding = spikes.judge(loss: loss, gradientNorm: norm)
    stepCount += 1
    let rate = settings.schedule[stepCount]
    if finding == nil {
      optimizer.update(
        learningRate: Float(rate),
        gradientScale: AdamW.clippingScale(norm: norm, limit: settings.clipNorm))
    } else {
      decoder.clearGradients()
    }
    return (rate, norm, finding)
  }

  /// What is left out of adapters' inputs depends on the step and the part alone, so that a step that
  /// is made again leaves out the same.
  ///
  /// - Parameter part: The number of the first of the rows that are computed at once.
  func setDropout(part: Int) {
    decoder.setDropout(seed: optimizer.seed, step: stepCount + 1, part: part)
  }

  /// Gives freed memory back before a row that it does not fit, where it would come on top.
  ///
  /// The pool serves a row from the buffers of another that is longer by an eighth at most.
  func makeRoom(for tokens: Int) {
    if tokens <= pooledTokens, 8 * pooledTokens <= 9 * tokens { return }
    StoragePool.shared.trim()
    pooledTokens = tokens
  }

  /// The losses of rows that are not learned from; nil if interrupted between two rows.
  ///
  /// - Throws: `DecoderError` for a token beyond the vocabulary.
  public func evaluate(
    _ rows: some Sequence<TrainingSequence>, isInterrupted: () -> Bool = { false }
  ) throws(DecoderError) -> LossSums? {
    var losses = LossSums()
    for row in rows {
      if isInterrupted() { return nil }
      makeRoom(for: row.tokens.count)
      losses.add(try decoder.logProbabilities(row.tokens, targets: row.targets), of: row)
    }
    return losses
  }
}
