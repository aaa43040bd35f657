import CKernels
import Tensors

/// Chooses tokens from rows of logits.
///
/// No row is sorted: what top-k and top-p keep is all that is at least as probable as a threshold,
/// which is found by halving the interval it lies in. Tokens as probable as the last one kept are
/// kept too, so that the choice does not depend on any order.
struct Sampler {
  let settings: SamplingSettings
  let reported: ReportedProbabilities

  /// A token and its log-probability, in nats.
  struct Choice: Equatable {
    let token: Int32
    let logProbability: Float
  }

  /// - Parameters:
  ///   - logits: A row of them, which is used up.
  ///   - occurred: Tokens the repetition penalty holds for, each once.
  ///   - forced: The token to take instead of one's own choice.
  ///   - uniform: A random number from 0 up to, not including, 1.
  /// - Returns: nil if the logits hold NaN, or infinity, or no finite number.
  func choose(
    from logits: UnsafeMutablePointer<Float>, count: Int, occurred: [Int32], forced: Int32? = nil,
    uniform: Double
  ) -> Choice? {
    let n = Int64(count)
    // What is reported comes before anything is changed.
    let logSumExp = kernels.log_sum_exp(logits, n)
    if !logSumExp.isFinite { return nil }
    var penalized: [Int32: Float] = [:]
    if settings.repetitionPenalty != 1 {
      let penalty = Float(settings.repetitionPenalty)
      for token in occurred {
        let logit = logits[Int(token)]
        penalized[token] = logit
        logits[Int(token)] = logit < 0 ? logit * penalty : logit / penalty
      }
    }
    func reportedModel(_ token: Int32) -> Choice {
      Choice(
        token: token, logProbability: (penalized[token] ?? logits[Int(token)]) - logSumExp)
    }

    if settings.temperature == 0 {
      let token = forced ?? Int32(kernels.argmax(logits, n))
      if reported == .model { return reportedModel(token) }
      // At temperature 0 all probability is the most probable token's.
      let best = logits[Int(kernels.argmax(logits, n))]
      return Choice(token: token, logProbability: logits[Int(token)] == best ? 0 : -.infinity)
    }
    if let forced, reported == .model { return reportedModel(forced) }

    let weights = Tensor(uninitialized: [count])
    let p = weights.pointer
    p.update(from: logits, count: count)
    if settings.temperature != 1 { kernels.scale(p, Float(1 / settings.temperature), n) }
    let temperedSum = reported == .tempered ? kernels.log_sum_exp(p, n) : 0
    if let forced {
      return Choice(token: forced, logProbability: p[Int(forced)] - temperedSum)
    }
    let tempered = reported == .tempered ? weights.copy() : nil
    kernels.softmax(p, p, n)
    let token = draw(p, count: count, least: threshold(p, count: count), uniform)
    if let tempered {
      return Choice(token: token, logProbability: tempered.pointer[Int(token)] - temperedSum)
    }
    return reportedModel(token)
  }

  /// The least probability that is kept.
  private func threshold(_ p: UnsafeMutablePointer<Float>, count: Int) -> Float {
    let highest = p[Int(kernels.argmax(p, Int64(count)))]
    var least: Float = 0
    if settings.topK > 0, settings.topK < count {
      least = Self.largestThreshold(upTo: highest) { threshold in
        Self.sum(p, from: threshold, count).kept >= settings.topK
      }
    }
    if settings.topP < 1 {
      let wanted = settings.topP * Self.sum(p, from: least, count).sum
      let found = Self.largestThreshold(upTo: highest) { threshold in
        Self.sum(p, from: threshold, count).sum >= wanted
      }
      least = max(least, found)
    }
    // The most probable token is kept, whatever rounding makes of the share.
    return min(highest, max(least, Float(settings.minP) * highest))
  }

  /// The largest float from 0 to `highest` for which `holds` is true; it holds for 0, and below any
  /// for which it holds. Floats that are not negative are ordered as their bits.
  private static func largestThreshold(upTo highest: Float, _ holds: (Float) -> Bool) -> Float {
    var low: UInt32 = 0
    var high = highest.bitPattern &+ 1
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if holds(Float(bitPattern: middle)) { low = middle } else { high = middle }
    }
    return Float(bitPattern: low)
  }

  private static func sum(
    _ p: UnsafeMutablePointer<Float>, from least: Float, _ count: Int
  ) -> (sum: Double, kept: Int) {
    var kept: Int64 = 0
    let sum = kernels.sum_from(p, least, Int64(count), &kept)
    return (sum, Int(kept))
  }

  /// The first token, in the order of ids, at which the sum of what is kept exceeds its share.
  private func draw(
    _ p: UnsafeMutablePointer<Float>, count: Int, least: Float, _ uniform: Double
  ) -> Int32 {
    let size = 4096
    var sums: [Double] = []
    for start in stride(from: 0, to: count, by: size) {
      sums.append(Self.sum(p + start, from: least, min(size, count - start)).sum)
    }
    let target = uniform * sums.reduce(0, +)
    var before = 0.0
    var last = Int32(0)
    for (block, sum) in sums.enumerated() where sum > 0 {
      if before + sum <= target, block < sums.count - 1 {
        before += sum
        continue
      }
      var reached = before
      for token in block * size..<min(count, (block + 1) * size) where p[token] >= least {
        last = Int32(token)
        reached += Double(p[token])
        if reached > target { return last }
      }
      // A block's sum and its elements' differ in the last bits: what is missing is in the next.
      before = reached
    }
    return last
  }
}
