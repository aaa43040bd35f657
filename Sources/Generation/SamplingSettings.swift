/// How the next token is chosen from the model's logits.
///
/// The names, the defaults and the order are those of transformers: the repetition penalty first,
/// then temperature, then top-k, top-p and min-p each on what is left.
public struct SamplingSettings: Codable, Equatable, Sendable {
  /// What logits are divided by; 0 takes the most probable token, the first of equals.
  public var temperature: Double
  /// The least share of probability that is kept, most probable tokens first; 1 keeps all.
  public var topP: Double
  /// How many of the most probable tokens are kept; 0 keeps all.
  public var topK: Int
  /// Tokens less probable than this share of the most probable one are dropped.
  public var minP: Double
  /// What logits of tokens that occurred are divided by where positive, multiplied by where negative
  /// (Keskar et al. 2019); 1 does nothing.
  public var repetitionPenalty: Double

  public init(
    temperature: Double = 1, topP: Double = 1, topK: Int = 0, minP: Double = 0,
    repetitionPenalty: Double = 1
  ) {
    self.temperature = temperature
    self.topP = topP
    self.topK = topK
    self.minP = minP
    self.repetitionPenalty = repetitionPenalty
  }

  /// The most probable token, always.
  public static let greedy = SamplingSettings(temperature: 0)

  /// - Throws: `GenerationError` for the first value that makes no sense.
  public func check() throws(GenerationError) {
    func require(_ holds: Bool, _ name: String, _ value: String, _ rule: String)
      throws(GenerationError)
    {
      if !holds { throw GenerationError("'\(name)' is \(value); it must be \(rule).") }
    }
    try require(
      temperature.isFinite && (temperature == 0 || temperature >= 1e-3), "temperature",
      "\(temperature)", "0, for the most probable token, or from 0.001")
    try require(temperature <= 1000, "temperature", "\(temperature)", "at most 1000")
    try require(topP > 0 && topP <= 1, "topP", "\(topP)", "above 0 and at most 1")
    try require(topK >= 0, "topK", "\(topK)", "0, for all tokens, or more")
    try require(minP >= 0 && minP <= 1, "minP", "\(minP)", "from 0 to 1")
    try require(
      repetitionPenalty >= 0.01 && repetitionPenalty <= 100, "repetitionPenalty",
      "\(repetitionPenalty)", "from 0.01 to 100, and 1 does nothing")
  }
}

/// Which log-probabilities are reported.
public enum ReportedProbabilities: String, Codable, CaseIterable, Sendable {
  /// Of the model's own distribution: those of a training forward pass, to the bit in bfloat16.
  case model
  /// Of that distribution at the temperature, before any token is dropped.
  case tempered
}
