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

  /// Floats of scratch memory for a row.
  static func scratchCount(_ count: Int) -> Int { 3 * count }

  /// - Parameters:
  ///   - logits: A row of them, which is used up.
  ///   - occurred: Tokens the repetition penalty holds for, each once.
  ///   - forced: The token to take instead of one's own choice.
  ///   - uniform: A random number from 0 up to, not including, 1.
  ///   - scratch: Room for `scratchCount` floats.
  /// - Returns: nil if the logits hold NaN, or infinity, or no finite number.
  func choose(
    from logits: UnsafeMutablePointer<Float>, count: Int, occurred: [Int32], forced: Int32? = nil,
    uniform: Double, scratch: UnsafeMutablePointer<Float>
  ) -> Choice? {
    let n = Int64(count)
    let tempered = settings.temperature > 0 && (forced == nil || reported == .tempered)
    // What is reported comes before anything is changed; what needs no change beside it.
    var logSumExp: Float = 0
    var softmax: TemperedSoftmax?
    func temper() -> TemperedSoftmax {
      TemperedSoftmax(logits, count: count, temperature: settings.temperature, into: scratch)
    }
    ThreadPool.shared.run(tempered && settings.repetitionPenalty == 1 ? 2 : 1) { task, _ in
      if task == 0 {
        logSumExp = kernels.log_sum_exp(logits, n)
      } else {
        softmax = temper()
      }
    }
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

    // The most probable token's weight is 1.
    let held = softmax ?? temper()
    func reportedTempered(_ token: Int32) -> Choice {
      Choice(token: token, logProbability: held.logProbability(ofLogit: logits[Int(token)]))
    }
    if let forced { return reportedTempered(forced) }
    let least = threshold(held, count: count, scratch: scratch + count)
    let token = draw(held.weights, count: count, least: least, uniform)
    return reported == .model ? reportedModel(token) : reportedTempered(token)
  }

  /// The least weight that is kept.
  private func threshold(
    _ softmax: TemperedSoftmax, count: Int, scratch: UnsafeMutablePointer<Float>
  ) -> Float {
    let (weights, total) = (softmax.weights, softmax.total)
    var least: Float = 0
    if settings.topK > 0, settings.topK < count {
      least = Self.largestThreshold(weights, count, scratch) { $0.kept >= settings.topK }
    }
    if settings.topP < 1 {
      let held = least > 0 ? Self.sum(weights, from: least, count).sum : total
      // All that lies below this could be left out, were it there as often as there are tokens.
      let start = Float(max(0, 0.99 * (1 - settings.topP) * held / Double(count)))
      least = max(
        least,
        Self.largestThreshold(weights, count, scratch, from: min(start, 1)) {
          $0.sum >= settings.topP * held
        })
    }
    // The most probable token is kept, whatever rounding makes of the share.
    return min(1, max(least, Float(settings.minP)))
  }

  /// The largest float from 0 to 1 such that what is at least as large fulfils a condition, which
  /// holds for `start`, and below any for which it holds.
  ///
  /// `scratch` has room for twice as many floats as there are weights.
  ///
  /// Floats that are not negative are ordered as their bits: these are halved. Elements beyond
  /// either end of the interval that is left are looked at no more.
  private static func largestThreshold(
    _ weights: UnsafeMutablePointer<Float>, _ count: Int,
    _ scratch: UnsafeMutablePointer<Float>, from start: Float = 0,
    _ holds: ((sum: Double, kept: Int)) -> Bool
  ) -> Float {
    var (free, other) = (scratch, scratch + count)
    var (weights, count) = (weights, count)
    var low = start.bitPattern
    var high = Float(1).bitPattern + 1
    var fromLow = count
    var fromHigh = (sum: 0.0, kept: 0)
    var beyond = fromHigh  // what was left out above
    while high - low > 1 {
      let middle = low + (high - low) / 2
      var found = sum(weights, from: Float(bitPattern: middle), count)
      found.sum += beyond.sum
      found.kept += beyond.kept
      if holds(found) {
        (low, fromLow) = (middle, found.kept)
      } else {
        (high, fromHigh) = (middle, found)
      }
      if fromLow - fromHigh.kept < count / 4 {
        count = Int(
          kernels.gather_between(
            free, weights, Float(bitPattern: low), Float(bitPattern: high), Int64(count)))
        weights = free
        (free, other) = (other, free)
        beyond = fromHigh
      }
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
    let size = 2048
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
