import Foundation
import Interface

/// The objective of GRPO: what is asked of a token's probability. Part of a recipe, `objective`;
/// every key may be left out. The normalization is then DeepSeekMath's, β the DeepSeek-R1 paper's, and
/// ε the 0.2 of PPO that TRL and verl have too.
///
/// For a token of an answer with the advantage A, with the log-probabilities l now, l_old of the
/// policy that sampled it and l_ref of the reference:
///
///     ρ  = exp(l − l_old)
///     KL = exp(l_ref − l) − (l_ref − l) − 1
///     J  = min(ρ A, clip(ρ, 1 − ε_low, 1 + ε_high) A) − β KL
///     loss = −Σ_tokens share · J
///
/// (DeepSeekMath, arXiv 2402.03300, equations 3 and 4; the two ε are DAPO's, arXiv 2503.14476,
/// equation 10; KL is the estimator k3 of Schulman's note "Approximating KL divergence".) The
/// derivative stands at `term`, the shares at `shares`.
public struct PolicyObjective: Codable, Equatable, Sendable {
  /// What a token's J is divided by.
  public enum Normalization: String, Choice {
    /// The mean over an answer's tokens, then over answers (DeepSeekMath, equation 3): a token of
    /// a long answer weighs less than one of a short answer.
    case answer
    /// The mean over all tokens of the update (DAPO, equation 12).
    case token
    /// The number of answers times the token limit (Dr. GRPO, arXiv 2503.20783, figure 1 and its
    /// listing): every token weighs the same, whatever is sampled along with it.
    case constant
  }

  public var normalization: Normalization
  /// ε_low: how far the ratio of a token of a bad answer may fall below 1.
  public var clipLow: Double
  /// ε_high: how far the ratio of a token of a good answer may rise above 1.
  public var clipHigh: Double
  /// β, the weight of the divergence from the reference. With 0 no reference is needed.
  public var klCoefficient: Double
  /// Whether nothing is learned from answers cut at the token limit (DAPO, section 3.4, overlong
  /// filtering). They count in their group's mean and deviation all the same.
  public var leavesOutCutAnswers: Bool
  public var advantages: AdvantageRule

  public init(
    normalization: Normalization = .answer, clipLow: Double = 0.2, clipHigh: Double = 0.2,
    klCoefficient: Double = 0.001, leavesOutCutAnswers: Bool = false,
    advantages: AdvantageRule = AdvantageRule()
  ) {
    (self.normalization, self.clipLow, self.clipHigh) = (normalization, clipLow, clipHigh)
    (self.klCoefficient, self.leavesOutCutAnswers) = (klCoefficient, leavesOutCutAnswers)
    self.advantages = advantages
  }

  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    let standard = PolicyObjective()
    self.init(
      normalization: try keys.decodeIfPresent(Normalization.self, forKey: .normalization)
        ?? standard.normalization,
      clipLow: try keys.decodeIfPresent(Double.self, forKey: .clipLow) ?? standard.clipLow,
      clipHigh: try keys.decodeIfPresent(Double.self, forKey: .clipHigh) ?? standard.clipHigh,
      klCoefficient: try keys.decodeIfPresent(Double.self, forKey: .klCoefficient)
        ?? standard.klCoefficient,
      leavesOutCutAnswers: try keys.decodeIfPresent(Bool.self, forKey: .leavesOutCutAnswers)
        ?? standard.leavesOutCutAnswers,
      advantages: try keys.decodeIfPresent(AdvantageRule.self, forKey: .advantages)
        ?? standard.advantages)
  }

  /// Whether log-probabilities of the reference are needed.
  public var needsReference: Bool { klCoefficient != 0 }

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: String) {
      if !holds { found.append("The recipe: \(words)") }
    }
    check(
      clipLow > 0 && clipLow < 1,
      "'objective.clipLow' is \(clipLow); it must lie between 0 and 1.")
    check(
      clipHigh > 0 && clipHigh.isFinite,
      "'objective.clipHigh' is \(clipHigh); it must be above 0.")
    check(
      klCoefficient >= 0 && klCoefficient.isFinite,
      "'objective.klCoefficient' is \(klCoefficient); it must be 0 or above.")
    check(
      advantages.epsilon >= 0 && advantages.epsilon.isFinite,
      "'objective.advantages.epsilon' is \(advantages.epsilon); it must be 0 or above.")
    return found
  }
}

// MARK: - Shares

extension PolicyObjective {
  /// What the share of an answer's tokens depends on.
  public struct AnswerSize: Equatable, Sendable {
    /// Tokens the policy chose, the one that ends the answer included.
    public var tokens: Int
    public var isCut: Bool

    public init(tokens: Int, isCut: Bool) { (self.tokens, self.isCut) = (tokens, isCut) }
  }

  /// The factor of J for each token of each answer.
  ///
  /// With N answers, of which answer i has n[i] tokens:
  ///
  ///     answer:    1 / (N n[i])
  ///     token:     1 / Σ_i n[i]
  ///     constant:  1 / (N maxTokens)
  ///
  /// An answer that is left out because it was cut is one of no tokens: it counts in N and not in
  /// Σ n, as in TRL, and its share is 0.
  ///
  /// - Parameter answers: *All* answers of one update, also those whose advantage is 0, and not
  ///   those whose reward failed. Denominators over a part of an update would make gradients depend
  ///   on how it is cut to fit into memory.
  public func shares(of answers: [AnswerSize], maxTokens: Int) -> [Double] {
    let tokens = answers.map { answer in
      answer.tokens < 1 || (leavesOutCutAnswers && answer.isCut) ? 0 : Double(answer.tokens)
    }
    let count = Double(answers.count)
    let sum = tokens.reduce(0, +)
    return tokens.map { tokens in
      if tokens == 0 { return 0 }
      switch normalization {
      case .answer: return 1 / (count * tokens)
      case .token: return 1 / sum
      case .constant: return 1 / (count * Double(max(maxTokens, 1)))
      }
    }
  }
}

// MARK: - Terms

/// What one token adds to the objective, and how that changes with its log-probability.
public struct PolicyTerm: Equatable, Sendable {
  /// ρ, exactly 1 where l is l_old.
  public let ratio: Double
  /// The estimate k3, in nats: 0 or above, exactly 0 where l is l_ref, and 0 without a reference.
  public let kl: Double
  /// Whether the clipped term was the smaller one, so that A has no part in the derivative.
  public let isClipped: Bool
  /// −share · J.
  public let loss: Double
  /// d loss / d l. A step against it raises the probability of a token whose advantage is positive.
  public let derivative: Double

  /// What `Decoder.accumulateGradients` takes as the token's weight.
  ///
  /// The decoder's loss is −Σ weight · l, whose derivative by l is −weight.
  public var weight: Float { Float(-derivative) }

  fileprivate static let notANumber = PolicyTerm(
    ratio: .nan, kl: .nan, isClipped: false, loss: .nan, derivative: .nan)
}

extension PolicyObjective {
  /// A token's part of the loss and its derivative.
  ///
  /// With dρ/dl = ρ, since l_old is a constant,
  ///
  ///     dJ/dl = [not clipped] ρ A − β (1 − exp(l_ref − l))
  ///
  /// (DeepSeekMath, equation 21, whose ρ is 1). The token is clipped if A > 0 and ρ > 1 + ε_high, or
  /// A < 0 and ρ < 1 − ε_low: the minimum then takes the constant.
  ///
  /// Nothing is bounded beyond that: for l − l_old = 200 and A < 0 the loss is about 10⁸⁷ and the
  /// weight infinite, and where an argument is not finite everything is not a number. That is meant:
  /// such numbers come of a mistake, and the gradient's norm must show it, so that the update is
  /// skipped and not made with what a bound would have left. For A > 0 the same ratio is clipped,
  /// as the method has it, and `shareClipped` shows it.
  ///
  /// - Parameters:
  ///   - logProbability: l, in nats, at the temperature of sampling.
  ///   - sampled: l_old.
  ///   - reference: l_ref; nil leaves the divergence out.
  ///   - share: From `shares`.
  public func term(
    logProbability: Double, sampled: Double, reference: Double? = nil, advantage: Double,
    share: Double
  ) -> PolicyTerm {
    guard logProbability.isFinite, sampled.isFinite, reference?.isFinite ?? true,
      advantage.isFinite, share.isFinite
    else { return .notANumber }
    let ratio = exp(logProbability - sampled)
    let isClipped =
      advantage > 0 ? ratio > 1 + clipHigh : advantage < 0 && ratio < 1 - clipLow
    let clipped = advantage > 0 ? 1 + clipHigh : 1 - clipLow
    var value = (isClipped ? clipped : ratio) * advantage
    var derivative = isClipped ? 0 : ratio * advantage
    var kl = 0.0
    if let reference {
      let distance = reference - logProbability
      // exp(x) − 1 without the loss of digits near 0, where training begins.
      let excess = expm1(distance)
      kl = max(0, excess - distance)
      value -= klCoefficient * kl
      derivative += klCoefficient * excess
    }
    return PolicyTerm(
      ratio: ratio, kl: kl, isClipped: isClipped, loss: -share * value,
      derivative: -share * derivative)
  }
}
