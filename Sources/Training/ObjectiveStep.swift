import Models
import Tensors

/// What a step minimizes instead of the mean loss of its tokens: a sum of terms, one for each
/// learned token, which depends on the token's log-probability.
public struct TokenObjective {
  /// A token's part of the loss.
  public struct Term: Equatable, Sendable {
    public var loss: Double
    /// −dL/dlog p: what the token's log-probability is weighted with.
    public var weight: Float

    public init(loss: Double, weight: Float) {
      self.loss = loss
      self.weight = weight
    }
  }

  /// By which logits are divided before a token's log-probability is taken.
  public let temperature: Double
  /// The term of a token from the number of its row, its own in the row, and its log-probability in
  /// nats. Called on any thread, and more than once: it must be a function of these.
  public let term: (_ row: Int, _ token: Int, _ logProbability: Float) -> Term

  public init(
    temperature: Double,
    term: @escaping (_ row: Int, _ token: Int, _ logProbability: Float) -> Term
  ) {
    precondition(temperature > 0)
    self.temperature = temperature
    self.term = term
  }
}

/// What a step by an objective did.
public struct ObjectiveStep: Equatable, Sendable {
  /// From 1.
  public let number: Int
  /// The sum of the terms.
  public let loss: Double
  public let learningRate: Double
  /// Before clipping.
  public let gradientNorm: Double
  public let tokens: Int
  /// Why the update was skipped; nil if it was made.
  public let skipped: SpikeGuard.Finding?
  /// Of each row's tokens, in nats, before the update; 0 where nothing is learned.
  public let logProbabilities: [[Float]]
}

extension TrainingLoop {
  /// Makes the next step by an objective; see `step(_:isInterrupted:)`.
  ///
  /// The sum of the terms is not divided by anything: whoever wants a mean gives the terms their
  /// share, over all rows of the step, so that cutting it into parts changes nothing. Gradients must
  /// be kept (`GradientKeeping.kept`).
  ///
  /// - Returns: nil if it was interrupted: nothing has changed.
  /// - Throws: `DecoderError` for a token beyond the vocabulary.
  public func step(
    _ rows: [TrainingSequence], by objective: TokenObjective,
    isInterrupted: () -> Bool = { false }
  ) throws(DecoderError) -> ObjectiveStep? {
    precondition(settings.gradients == .kept, "steps by an objective keep their gradients")
    decoder.clearGradients()
    let tokens = rows.reduce(0) { $0 + $1.tokens.count }
    if rows.allSatisfy({ $0.supervisedCount == 0 }) {
      stepCount += 1
      return ObjectiveStep(
        number: stepCount, loss: 0, learningRate: settings.schedule[stepCount], gradientNorm: 0,
        tokens: tokens, skipped: .nothingToLearn,
        logProbabilities: rows.map { [Float](repeating: 0, count: $0.tokens.count) })
    }
    var loss = 0.0
    var found: [[Float]] = []
    for start in stride(from: 0, to: rows.count, by: settings.microbatchRows) {
      let part = Array(rows[start..<min(start + settings.microbatchRows, rows.count)])
      let joined = part.count == 1 ? part[0] : TrainingSequence(joining: part)
      // Where each token of the joined row was.
      let places = part.enumerated().flatMap { index, row in
        (0..<row.tokens.count).map { (row: start + index, token: $0) }
      }
      makeRoom(for: joined.tokens.count)
      setDropout(part: start)
      let probabilities = try decoder.accumulateGradients(
        joined.tokens, targets: joined.targets, temperature: objective.temperature,
        weight: { objective.term(places[$0].row, places[$0].token, $1).weight },
        isInterrupted: isInterrupted)
      guard let probabilities else {
        decoder.clearGradients()
        return nil
      }
      for (t, place) in places.enumerated() where joined.targets[t] >= 0 {
        loss += objective.term(place.row, place.token, probabilities[t]).loss
      }
      var token = 0
      for row in part {
        found.append(Array(probabilities[token..<token + row.tokens.count]))
        token += row.tokens.count
      }
    }
    // Only whether it is a number counts: the terms of an objective may cancel out, and what is left
    // is then rounding, of which no value is usual.
    let update = update(loss: loss.isFinite ? 0 : loss)
    return ObjectiveStep(
      number: stepCount, loss: loss, learningRate: update.learningRate,
      gradientNorm: update.gradientNorm, tokens: tokens, skipped: update.skipped,
      logProbabilities: found)
  }

  /// The log-probabilities of each row's targets by another decoder of the same shape, with this
  /// loop's memory; nil if interrupted between two rows.
  ///
  /// - Throws: `DecoderError` for a token beyond the vocabulary.
  public func logProbabilities(
    of rows: [TrainingSequence], by other: Decoder, temperature: Double,
    isInterrupted: () -> Bool = { false }
  ) throws(DecoderError) -> [[Float]]? {
    var found: [[Float]] = []
    for row in rows {
      if isInterrupted() { return nil }
      makeRoom(for: row.tokens.count)
      found.append(
        try other.logProbabilities(row.tokens, targets: row.targets, temperature: temperature))
    }
    return found
  }
}
