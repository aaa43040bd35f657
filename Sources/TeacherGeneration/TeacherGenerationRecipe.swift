import Problems
import Teachers

/// Everything about the sampling of a teacher's answers.
public struct TeacherGenerationRecipe: Codable, Equatable, Sendable {
  /// Whom a command asks; a run is given its teacher.
  public var teacher: TeacherSettings?
  /// The files of problems, asked in this order.
  public var prompts: [ProblemSource]
  /// How problems are worded; without it, in the usual words.
  public var prompt: ProblemPrompt?
  public var sampling: Sampling
  /// Draws more samples of problems that need them, and fewer of the others.
  public var adaptive: AdaptiveSampling?
  public var prices: Prices?
  public var budget: Budget?
  /// When samples are brought to the disk; without it, after 64 of them or 5 seconds.
  public var durability: SampleJournal.Durability?
  /// The folder of the run, which is made. What holds it must exist.
  public var output: String

  public init(
    teacher: TeacherSettings? = nil, prompts: [ProblemSource], prompt: ProblemPrompt? = nil,
    sampling: Sampling,
    adaptive: AdaptiveSampling? = nil, prices: Prices? = nil, budget: Budget? = nil,
    durability: SampleJournal.Durability? = nil, output: String
  ) {
    self.teacher = teacher
    self.prompts = prompts
    self.prompt = prompt
    self.sampling = sampling
    self.adaptive = adaptive
    self.prices = prices
    self.budget = budget
    self.durability = durability
    self.output = output
  }

  public struct Sampling: Codable, Equatable, Sendable {
    /// Of an adaptive run, the samples before the first decision.
    public var samplesPerProblem: Int
    public var temperature: Double
    public var topP: Double
    /// The most tokens of an answer, its reasoning included.
    public var maxTokens: Int
    public var seed: UInt64
    /// Texts that end an answer; without it, none.
    public var stop: [String]?

    public init(
      samplesPerProblem: Int, temperature: Double = 0.6, topP: Double = 0.95,
      maxTokens: Int = 32_768, seed: UInt64 = 0, stop: [String]? = nil
    ) {
      self.samplesPerProblem = samplesPerProblem
      self.temperature = temperature
      self.topP = topP
      self.maxTokens = maxTokens
      self.seed = seed
      self.stop = stop
    }

    public var choices: SamplingChoices {
      SamplingChoices(
        temperature: temperature, topP: topP, maxTokens: maxTokens, seed: seed, stop: stop ?? [])
    }
  }

  /// What a million tokens cost.
  public struct Prices: Codable, Equatable, Sendable {
    public var prompt: Double
    public var completion: Double
    /// `USD`
    public var currency: String

    public init(prompt: Double, completion: Double, currency: String) {
      self.prompt = prompt
      self.completion = completion
      self.currency = currency
    }

    func cost(of tokens: TokenCount) -> Double {
      (prompt * Double(tokens.prompt) + completion * Double(tokens.completion)) / 1e6
    }
  }

  /// What the whole job may use. Questions that are under way are still finished, so that up to as
  /// many answers as the teacher has questions at once go beyond it.
  public struct Budget: Codable, Equatable, Sendable {
    /// Of prompts and answers together.
    public var tokens: Int?
    /// In the currency of the prices.
    public var cost: Double?

    public init(tokens: Int? = nil, cost: Double? = nil) {
      self.tokens = tokens
      self.cost = cost
    }
  }

  /// The most samples of a problem.
  public static let mostSamples = 10_000

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: String) {
      if !holds { found.append("The recipe: \(words)") }
    }
    check(!prompts.isEmpty, "'prompts' must name a file of problems.")
    for (number, source) in prompts.enumerated() {
      check(source.limit ?? 1 >= 1, "'prompts[\(number)].limit' must be 1 at least.")
      if let finding = source.released?.finding {
        check(false, "'prompts[\(number)].released\(finding)")
      }
    }
    found += prompt?.findings ?? []
    check(
      (1...Self.mostSamples).contains(sampling.samplesPerProblem),
      "'sampling.samplesPerProblem' is \(sampling.samplesPerProblem); it must lie between 1 and "
        + "\(Self.mostSamples).")
    check(
      sampling.temperature >= 0 && sampling.temperature <= 10,
      "'sampling.temperature' is \(sampling.temperature); it must lie between 0 and 10.")
    check(
      sampling.topP > 0 && sampling.topP <= 1,
      "'sampling.topP' is \(sampling.topP); it must be above 0, and 1 at most.")
    check(sampling.maxTokens >= 1, "'sampling.maxTokens' must be 1 at least.")
    check(
      sampling.stop?.allSatisfy { !$0.isEmpty } ?? true, "'sampling.stop' has an empty text.")
    check(
      sampling.temperature != 0 || sampling.samplesPerProblem == 1 && adaptive == nil,
      "'sampling.temperature' is 0, so that all samples of a problem are the same. Raise it, or draw "
        + "one sample.")
    if let adaptive { adaptiveFindings(adaptive, check) }
    if let prices {
      check(
        prices.prompt >= 0 && prices.prompt.isFinite && prices.completion >= 0
          && prices.completion.isFinite, "'prices' must not be negative.")
    }
    check(budget?.tokens ?? 1 >= 1, "'budget.tokens' must be 1 at least.")
    check(budget?.cost ?? 1 > 0, "'budget.cost' must be above 0.")
    check(budget?.cost == nil || prices != nil, "'budget.cost' needs 'prices'.")
    if let durability {
      check(durability.records >= 1, "'durability.records' must be 1 at least.")
      check(
        durability.seconds > 0 && durability.seconds <= 3_600,
        "'durability.seconds' must be above 0, and 3600 at most.")
    }
    check(!output.isEmpty, "'output' must name a folder.")
    return found
  }

  private func adaptiveFindings(_ adaptive: AdaptiveSampling, _ check: (Bool, String) -> Void) {
    check(adaptive.correct >= 1, "'adaptive.correct' must be 1 at least.")
    check(adaptive.round >= 1, "'adaptive.round' must be 1 at least.")
    check(
      adaptive.maxSamples >= sampling.samplesPerProblem && adaptive.maxSamples <= Self.mostSamples,
      "'adaptive.maxSamples' is \(adaptive.maxSamples); it must lie between "
        + "'sampling.samplesPerProblem', \(sampling.samplesPerProblem), and \(Self.mostSamples).")
    check(adaptive.maxTokens ?? 1 >= 1, "'adaptive.maxTokens' must be 1 at least.")
    check(adaptive.maxCost ?? 1 > 0, "'adaptive.maxCost' must be above 0.")
    check(adaptive.maxCost == nil || prices != nil, "'adaptive.maxCost' needs 'prices'.")
    if let rate = adaptive.passRate {
      check(
        rate.min >= 0 && rate.max <= 1 && rate.min < rate.max,
        "'adaptive.passRate' must have a 'min' from 0 and a 'max' above it, up to 1.")
      check(rate.after >= 1, "'adaptive.passRate.after' must be 1 at least.")
    }
  }
}

/// How many samples a problem gets, decided round by round from what is stored of it.
public struct AdaptiveSampling: Codable, Equatable, Sendable {
  /// Correct answers after which a problem has enough.
  public var correct: Int
  /// Samples after which it is given up.
  public var maxSamples: Int
  /// Tokens of answers to one problem after which it is given up.
  public var maxTokens: Int?
  /// What one problem may cost, in the currency of the prices.
  public var maxCost: Double?
  /// Samples that are asked for at a time, once there are `samplesPerProblem`.
  public var round: Int
  /// The share of correct answers outside of which a problem is too hard or too easy.
  public var passRate: PassRate?

  public struct PassRate: Codable, Equatable, Sendable {
    public var min: Double
    public var max: Double
    /// Judged samples before which the rate says nothing.
    public var after: Int

    public init(min: Double, max: Double, after: Int) {
      self.min = min
      self.max = max
      self.after = after
    }
  }

  public init(
    correct: Int, maxSamples: Int, maxTokens: Int? = nil, maxCost: Double? = nil, round: Int,
    passRate: PassRate? = nil
  ) {
    self.correct = correct
    self.maxSamples = maxSamples
    self.maxTokens = maxTokens
    self.maxCost = maxCost
    self.round = round
    self.passRate = passRate
  }
}
