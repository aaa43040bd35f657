/// What the terms of an update, or of all updates of a step, come to. Sums are in the order in which
/// terms are added.
public struct PolicyFigures: Equatable, Sendable {
  /// −Σ share · J: over all terms of an update, its loss.
  public private(set) var loss = 0.0
  public private(set) var tokens = 0
  public private(set) var clippedTokens = 0
  /// The largest |ρ − 1|; not a number once a ratio is none.
  public private(set) var largestRatioError = 0.0
  private var klSum = 0.0

  public init() {}

  public mutating func add(_ term: PolicyTerm) {
    loss += term.loss
    tokens += 1
    if term.isClipped { clippedTokens += 1 }
    klSum += term.kl
    let distance = (term.ratio - 1).magnitude
    if distance > largestRatioError || distance.isNaN { largestRatioError = distance }
  }

  public mutating func add(_ other: PolicyFigures) {
    loss += other.loss
    tokens += other.tokens
    clippedTokens += other.clippedTokens
    klSum += other.klSum
    if other.largestRatioError > largestRatioError || other.largestRatioError.isNaN {
      largestRatioError = other.largestRatioError
    }
  }

  /// nats a token; 0 without tokens, and where no reference was given.
  public var kl: Double { tokens == 0 ? 0 : klSum / Double(tokens) }
  public var shareClipped: Double { tokens == 0 ? 0 : Double(clippedTokens) / Double(tokens) }
}

extension PolicyObjective {
  /// The weights of an answer's tokens for `Decoder.accumulateGradients`, in their order.
  ///
  /// - Parameters:
  ///   - logProbabilities: l of each token; see `term`, also for the others.
  ///   - sampled: l_old, as many; as l itself where the policy has not changed since.
  ///   - reference: l_ref, as many; nil leaves the divergence out.
  ///   - figures: What the terms are added to.
  public func weights(
    logProbabilities: [Float], sampled: [Float], reference: [Float]? = nil, advantage: Double,
    share: Double, addingTo figures: inout PolicyFigures
  ) -> [Float] {
    precondition(logProbabilities.count == sampled.count)
    precondition(reference.map { $0.count == sampled.count } ?? true)
    return logProbabilities.indices.map { t in
      let term = term(
        logProbability: Double(logProbabilities[t]), sampled: Double(sampled[t]),
        reference: reference.map { Double($0[t]) }, advantage: advantage, share: share)
      figures.add(term)
      return term.weight
    }
  }
}
