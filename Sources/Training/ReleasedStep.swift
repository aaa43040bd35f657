import Models
import Tensors

/// How long a step keeps its gradients.
public enum GradientKeeping: String, CaseIterable, Sendable {
  /// All of them, until the update.
  case kept
  /// A layer's until its own update, which is made on the way back through the model (Lv et al. 2023,
  /// "Full Parameter Fine-tuning for Large Language Models with Limited Resources"). Each layer's
  /// gradients are clipped by their own norm, and what lies outside of the layers likewise: the
  /// embedding alone, the final norm and the head together.
  ///
  /// A step whose loss is no finite number or a spike changes nothing. The norm of all gradients is
  /// known only when all updates are made, so that it is reported, but never a reason to skip them. A
  /// layer whose own norm is not finite is left as it is, and the step is reported as skipped: the
  /// layers above it have been updated.
  case releasedPerLayer
  /// A layer's until its norm is taken. Then, where the step is to be taken, the way there and back
  /// is gone again, and each layer is updated on it. The results are those of `kept` to the bit.
  case releasedTwoPass
}

/// A step whose gradients are given back layer by layer. All its rows are computed at once.
struct ReleasedStep {
  struct Outcome {
    var losses = LossSums()
    var gradientNorm = Double.nan
    var skipped: SpikeGuard.Finding?
  }

  private let loop: TrainingLoop
  private let row: TrainingSequence
  private let weights: [Float]
  private let rate: Float

  /// - Parameter supervised: The learned tokens of all rows.
  init(_ loop: TrainingLoop, _ rows: [TrainingSequence], supervised: Int) {
    precondition(
      rows.count <= loop.settings.microbatchRows,
      "\(rows.count) rows in parts of \(loop.settings.microbatchRows), whose gradients are released"
    )
    precondition(
      loop.optimizer.parameters.count == loop.decoder.parameters.count,
      "an optimizer of other parameters than the decoder's")
    self.loop = loop
    row = TrainingSequence(joined: rows[...])
    weights = [Float](repeating: 1 / Float(supervised), count: row.tokens.count)
    rate = Float(loop.settings.schedule[loop.stepCount + 1])
  }

  /// Makes it and counts it; nil, with nothing changed, if it was interrupted.
  func make(_ isInterrupted: () -> Bool) throws(DecoderError) -> Outcome? {
    loop.makeRoom(for: row.tokens.count)
    loop.setDropout(part: 0)
    defer { release(loop.decoder.parameters.indices) }
    return loop.settings.gradients == .releasedPerLayer
      ? try perLayer(isInterrupted) : try twoPass(isInterrupted)
  }

  private func perLayer(_ isInterrupted: () -> Bool) throws(DecoderError) -> Outcome? {
    var outcome = Outcome()
    var squares = noSquares
    var hasBegun = false
    let found = try loop.decoder.accumulateGradients(
      row.tokens, targets: row.targets, weights: weights,
      isInterrupted: { !hasBegun && isInterrupted() },
      found: { probabilities in
        outcome.losses.add(probabilities, of: row)
        outcome.skipped = loop.spikes.finding(loss: outcome.losses.all.mean ?? .nan)
        return outcome.skipped == nil
      },
      layerDone: { indices in
        takeSquares(of: indices, into: &squares)
        let norm = indices.reduce(0) { $0 + squares[$1] }.squareRoot()
        if norm.isFinite {
          if !hasBegun { loop.optimizer.beginUpdate() }
          hasBegun = true
          update(indices, norm: norm)
        } else {
          outcome.skipped = .gradientNotFinite
        }
        release(indices)
      })
    guard found != nil else { return nil }
    loop.stepCount += 1
    guard outcome.skipped == nil || outcome.skipped == .gradientNotFinite else {
      loop.spikes.skip()
      return outcome
    }
    outcome.gradientNorm = squares.reduce(0, +).squareRoot()
    if outcome.skipped == nil {
      loop.spikes.take(
        loss: outcome.losses.all.mean ?? .nan, gradientNorm: outcome.gradientNorm)
    } else {
      loop.spikes.skip()
    }
    return outcome
  }

  private func twoPass(_ isInterrupted: () -> Bool) throws(DecoderError) -> Outcome? {
    var outcome = Outcome()
    var squares = noSquares
    let found = try loop.decoder.accumulateGradients(
      row.tokens, targets: row.targets, weights: weights, isInterrupted: isInterrupted,
      layerDone: { indices in
        takeSquares(of: indices, into: &squares)
        release(indices)
      })
    guard let found else { return nil }
    outcome.losses.add(found, of: row)
    outcome.gradientNorm = squares.reduce(0, +).squareRoot()
    // Not the loop's own until the step is one: it may yet be interrupted.
    var spikes = loop.spikes
    outcome.skipped = spikes.judge(
      loss: outcome.losses.all.mean ?? .nan, gradientNorm: outcome.gradientNorm)
    if outcome.skipped == nil {
      var hasBegun = false
      let found = try loop.decoder.accumulateGradients(
        row.tokens, targets: row.targets, weights: weights,
        isInterrupted: { !hasBegun && isInterrupted() },
        layerDone: { indices in
          if !hasBegun { loop.optimizer.beginUpdate() }
          hasBegun = true
          update(indices, norm: outcome.gradientNorm)
          release(indices)
        })
      guard found != nil else { return nil }
    }
    loop.spikes = spikes
    loop.stepCount += 1
    return outcome
  }

  /// For each parameter the sum of its gradient's squares, added up in the order of the parameters,
  /// whatever order they come in.
  private var noSquares: [Double] {
    [Double](repeating: 0, count: loop.decoder.parameters.count)
  }

  private func takeSquares(of indices: [Int], into squares: inout [Double]) {
    for index in indices { squares[index] = loop.optimizer.gradientSquares(index) }
  }

  private func update(_ indices: [Int], norm: Double) {
    loop.optimizer.update(
      indices, learningRate: rate,
      gradientScale: AdamW.clippingScale(norm: norm, limit: loop.settings.clipNorm))
  }

  private func release(_ indices: some Sequence<Int>) {
    for index in indices { loop.decoder.parameters[index].weight.releaseGradient() }
  }
}
