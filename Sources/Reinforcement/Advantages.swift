import Interface

/// How rewards become advantages: how much better an answer is than the others of its question.
///
/// Part of a recipe, `objective.advantages`; every key may be left out.
public struct AdvantageRule: Codable, Equatable, Sendable {
  /// By what the distance of a reward from its group's mean is divided.
  public enum Scale: String, Choice {
    /// The group's standard deviation (DeepSeekMath, arXiv 2402.03300, section 4.1.2).
    case deviation
    /// Nothing (Dr. GRPO, arXiv 2503.20783, section 3.2): questions that are nearly always or nearly
    /// never solved, whose deviation is small, then weigh no more than others.
    case none
    /// The standard deviation over the answers of all groups (TRL's `scale_rewards="batch"`).
    case batch
  }

  /// What the sum of n squared distances is divided by.
  public enum Deviation: String, Choice {
    /// n − 1, as `torch.std` and so TRL, verl and OpenRLHF do.
    case sample
    /// n.
    case population
  }

  public var scale: Scale
  /// The papers say "std" and no more. `sample` is the default since it is what every open
  /// implementation computes whose settings and curves one would compare with; with 16 answers the
  /// other makes advantages larger by 3 %, with 4 by 15 %.
  public var deviation: Deviation
  /// Added to the deviation, in units of the reward. The papers have none. The default is TRL's: it
  /// changes nothing where rewards differ visibly, and a group whose answers differ by a hair of
  /// a continuous reward is not blown up to the size of right against wrong.
  public var epsilon: Double

  public init(
    scale: Scale = .deviation, deviation: Deviation = .sample, epsilon: Double = 1e-4
  ) {
    (self.scale, self.deviation, self.epsilon) = (scale, deviation, epsilon)
  }

  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      scale: try keys.decodeIfPresent(Scale.self, forKey: .scale) ?? .deviation,
      deviation: try keys.decodeIfPresent(Deviation.self, forKey: .deviation) ?? .sample,
      epsilon: try keys.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-4)
  }
}

/// The advantages of all answers of a step, group by group, a group being the answers to a question.
///
///     A[i] = (r[i] − mean(r)) / (std(r) + epsilon)
///
/// (DeepSeekMath, section 4.1.2; `AdvantageRule` has the variants), over the answers that count. A
/// group with fewer than two of those, or whose rewards are all equal, has nothing to compare: its
/// advantages are exactly 0 and `signals` says so. All sums are in Double, in the order of the
/// answers.
public struct Advantages: Equatable, Sendable {
  /// Whether something is learned from a group.
  public enum Signal: Equatable, Sendable {
    /// Its rewards differ.
    case present
    /// All answers that count have one reward.
    case equalRewards
    /// Fewer than two answers count.
    case tooFew
  }

  /// One for each answer, in the order of the rewards; nil for one that is left out.
  public let values: [[Double?]]
  /// One for each group.
  public let signals: [Signal]

  /// The share of groups from which nothing is learned; 0 without groups.
  public var shareWithoutSignal: Double {
    let without = signals.count { $0 != .present }
    return signals.isEmpty ? 0 : Double(without) / Double(signals.count)
  }

  /// Rewards that differ by less than this share of the largest count as equal: weighted sums of
  /// like parts differ by rounding, and a group that differs in nothing else would be scaled to
  /// full size where `epsilon` is 0.
  static let equality = 1e-9

  /// - Parameter rewards: The rewards of each group's answers; nil, or a number that is not finite,
  ///   for an answer whose reward failed: it is left out and counts in no mean.
  public init(rewards: [[Double?]], _ rule: AdvantageRule = AdvantageRule()) {
    let rewards = rewards.map { $0.map { $0.flatMap { $0.isFinite ? $0 : nil } } }
    let all = rewards.flatMap { $0.compactMap { $0 } }
    let batch = Self.deviation(of: all, mean: Self.mean(of: all), rule.deviation)
    var values: [[Double?]] = []
    var signals: [Signal] = []
    for group in rewards {
      let counted = group.compactMap { $0 }
      let signal = Self.signal(counted)
      let mean = Self.mean(of: counted)
      let scale: Double =
        switch rule.scale {
        case .deviation: Self.deviation(of: counted, mean: mean, rule.deviation) + rule.epsilon
        case .none: 1
        case .batch: batch + rule.epsilon
        }
      values.append(
        group.map { reward in
          reward.map { signal == .present ? ($0 - mean) / scale : 0 }
        })
      signals.append(signal)
    }
    (self.values, self.signals) = (values, signals)
  }

  private static func signal(_ rewards: [Double]) -> Signal {
    guard rewards.count > 1, let least = rewards.min(), let most = rewards.max() else {
      return .tooFew
    }
    // Halves, since the distance of two numbers may be no finite one.
    let distance = most / 2 - least / 2
    return distance <= equality * max(most.magnitude, least.magnitude) / 2
      ? .equalRewards : .present
  }

  private static func mean(of values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }

  /// 0 for fewer than two values.
  private static func deviation(
    of values: [Double], mean: Double, _ kind: AdvantageRule.Deviation
  ) -> Double {
    if values.count < 2 { return 0 }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let count = kind == .sample ? values.count - 1 : values.count
    return (squares / Double(count)).squareRoot()
  }
}
