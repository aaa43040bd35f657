import Problems

/// Tokens of prompts and answers.
public struct TokenCount: Codable, Equatable, Sendable {
  public var prompt: Int
  public var completion: Int

  public init(prompt: Int = 0, completion: Int = 0) {
    self.prompt = prompt
    self.completion = completion
  }

  public var total: Int { prompt + completion }

  static func += (a: inout TokenCount, b: TokenCount) {
    a.prompt += b.prompt
    a.completion += b.completion
  }
}

/// What is known of a problem after a round: its samples from 0 on, and what became of them.
struct RoundCounts: Equatable, Sendable {
  var samples = 0
  var correct = 0
  /// Those that a rule could judge, the correct ones and the cut ones among them.
  var judged = 0
  var tokens = TokenCount()

  mutating func add(_ outcome: AnswerVerdict.Outcome?, _ tokens: TokenCount) {
    samples += 1
    self.tokens += tokens
    switch outcome {
    case .correct:
      correct += 1
      judged += 1
    case .wrong, .noAnswer: judged += 1
    case .unjudged, .infrastructure, nil: break
    }
  }
}

/// Decides how many samples of a problem are wanted, from its own counts alone: a run that was
/// interrupted decides as one that was not.
struct SamplingRule: Sendable {
  enum Decision: Equatable, Sendable {
    /// Samples up to a number are wanted.
    case ask(upTo: Int)
    case done(Reason)
  }

  enum Reason: String, Equatable, Sendable {
    case allAsked = "all asked"
    case enough = "enough correct"
    case mostSamples = "most samples"
    case mostTokens = "most tokens"
    case mostCost = "most cost"
    case tooEasy = "too easy"
    case tooHard = "too hard"
    /// No rule can judge it, so that more samples would tell nothing.
    case unjudged
  }

  let first: Int
  let adaptive: AdaptiveSampling?
  let prices: TeacherGenerationRecipe.Prices?

  init(_ recipe: TeacherGenerationRecipe) {
    first = recipe.sampling.samplesPerProblem
    adaptive = recipe.adaptive
    prices = recipe.prices
  }

  func decision(after counts: RoundCounts) -> Decision {
    if counts.samples < first { return .ask(upTo: first) }
    guard let adaptive else { return .done(.allAsked) }
    if counts.correct >= adaptive.correct { return .done(.enough) }
    if counts.judged == 0 { return .done(.unjudged) }
    if let rate = adaptive.passRate, counts.judged >= rate.after {
      let share = Double(counts.correct) / Double(counts.judged)
      if share > rate.max { return .done(.tooEasy) }
      if share < rate.min { return .done(.tooHard) }
    }
    if counts.samples >= adaptive.maxSamples { return .done(.mostSamples) }
    if let most = adaptive.maxTokens, counts.tokens.completion >= most { return .done(.mostTokens) }
    if let most = adaptive.maxCost, let prices, prices.cost(of: counts.tokens) >= most {
      return .done(.mostCost)
    }
    return .ask(upTo: min(counts.samples + adaptive.round, adaptive.maxSamples))
  }
}
