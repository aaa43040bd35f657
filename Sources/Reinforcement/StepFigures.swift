/// The figures of one step of reinforcement: a line of `metrics.jsonl` with `"kind": "step"`.
///
/// Shares are from 0 to 1; means are over the answers that count, in the order in which they were
/// sampled.
public struct StepFigures: Codable, Equatable, Sendable {
  public struct Spread: Codable, Equatable, Sendable {
    public var mean: Double
    /// The standard deviation over the answers.
    public var deviation: Double

    public init(mean: Double, deviation: Double) {
      self.mean = mean
      self.deviation = deviation
    }
  }

  /// From 1.
  public var step: Int
  public var totalSteps: Int
  /// Questions that were asked, those asked in place of others included.
  public var questions: Int
  public var answers: Int
  /// Answers whose reward failed for a reason of its own; they are left out.
  public var failedRewards: Int
  /// The weighted sum.
  public var reward: Spread
  /// Each reward before its weight, by its name in the recipe.
  public var rewards: [String: Spread]
  /// The share of questions whose answers all have one reward.
  public var shareWithoutSignal: Double
  /// The share of questions all of whose answers are right by the accuracy reward: too easy; nil
  /// without that reward.
  public var shareAllRight: Double?
  /// The share of questions none of whose answers is right: too hard.
  public var shareAllWrong: Double?
  /// Tokens of an answer.
  public var length: Spread
  public var longest: Int
  /// The share of answers cut at the token limit.
  public var shareCut: Double
  /// The share of answers that close their thinking.
  public var shareClosed: Double
  /// nats a token, of the policy that sampled, at the temperature of sampling.
  public var entropy: Double
  /// The k3 estimate of the divergence from the reference, nats a token; nil without a reference.
  public var kl: Double?
  /// The share of tokens whose ratio was clipped, over all updates of the step.
  public var shareClipped: Double
  /// The largest distance of a ratio from 1 in the first update: 0 where the trainer has the bits of
  /// the sampler.
  public var firstRatioError: Double
  /// The objective, negated, at the step's first update.
  public var loss: Double
  /// Of each update, before clipping: the mean.
  public var gradientNorm: Double
  public var learningRate: Double
  public var updates: Int
  /// Updates that were skipped, and why.
  public var skipped: [String]
  /// Tokens that were sampled, and tokens of the rows that were learned from.
  public var sampledTokens: Int
  public var trainedTokens: Int
  public var samplingSeconds: Double
  public var judgingSeconds: Double
  /// The reference's log-probabilities and the updates.
  public var updatingSeconds: Double
  public var memoryBytes: Int
}

/// What a held-out set says of the policy: a line with `"kind": "evaluation"`.
public struct EvaluationFigures: Codable, Equatable, Sendable {
  /// The problems of one source.
  public struct Source: Codable, Equatable, Sendable {
    public var problems: Int
    public var accuracy: Double
    public var interval: Double
  }

  public var step: Int
  public var problems: Int
  public var samplesPerProblem: Int
  /// The mean over problems of the share of right answers.
  public var accuracy: Double
  /// Half the width of the 95 % interval over problems: 1.96 standard errors.
  public var interval: Double
  /// The same of each file of problems, by its name; nil where there is one.
  public var sources: [String: Source]?
  /// Mean tokens of an answer.
  public var length: Double
  public var shareCut: Double
  public var seconds: Double
  /// Answers that nothing could judge; they are left out of the accuracy.
  public var failedAnswers = 0
}
