import Interface
import Verification

/// How sampled answers become a training set: which are kept, and what they are mixed with.
///
/// The samples stay as they are: the same runs can be curated again by other rules. Every key but
/// `samples` and `output` may be left out.
public struct CurationRecipe: Codable, Equatable, Sendable {
  /// The runs whose samples are curated.
  public var samples: [SampleRun]
  /// Verdicts that are kept. Of an answer that no rule can judge, `judge` may ask a model.
  public var keep: [KeptOutcome]
  /// Whether answers that were cut at the token limit are judged like the others; otherwise they
  /// are dropped, and count as not correct.
  public var keepsCutAnswers: Bool
  /// Whether a sample must be one `<think>…</think>` and an answer behind it.
  public var format: Bool
  public var readability: ReadabilityRules
  /// The language that the thinking must be in; without it, any, as long as it is one.
  public var language: LanguageRule?
  /// The lengths of completions that are kept, in tokens.
  public var length: LengthRule
  /// A folder whose tokenizer counts the tokens that a teacher did not tell; without it, they are
  /// taken to be four bytes each.
  public var tokenizer: String?
  public var duplicates: DuplicateRules
  public var perProblem: ProblemLimit
  /// Drops all samples of problems that are too easy or too hard.
  public var passRate: PassRateBand?
  /// Drops what overlaps with evaluation sets. Without it nothing is looked at, and reports say so.
  public var decontaminate: Decontamination?
  /// A model that judges what no rule can.
  public var judge: ModelJudging?
  /// What the kept samples are mixed with.
  public var mixture: [MixtureSource]
  /// The most samples of the whole set. Shares and weights are parts of it.
  public var total: Int?
  /// Prices of the teacher, for the cost of a kept sample.
  public var prices: Prices?
  /// Whether users' turns are what the teacher was asked, instructions included; otherwise they are
  /// the problems' questions alone.
  public var keepInstruction: Bool
  /// What decides whatever is left to chance.
  public var seed: UInt64
  /// The folder of the training set, which is replaced as a whole.
  public var output: String

  public init(
    samples: [SampleRun], keep: [KeptOutcome] = [.correct], keepsCutAnswers: Bool = false,
    format: Bool = true, readability: ReadabilityRules = .init(), language: LanguageRule? = nil,
    length: LengthRule = .init(), tokenizer: String? = nil, duplicates: DuplicateRules = .init(),
    perProblem: ProblemLimit = .init(), passRate: PassRateBand? = nil,
    decontaminate: Decontamination? = nil, judge: ModelJudging? = nil,
    mixture: [MixtureSource] = [], total: Int? = nil, prices: Prices? = nil,
    keepInstruction: Bool = true, seed: UInt64 = 0, output: String
  ) {
    (self.samples, self.keep, self.keepsCutAnswers) = (samples, keep, keepsCutAnswers)
    (self.format, self.readability, self.language) = (format, readability, language)
    (self.length, self.tokenizer, self.duplicates) = (length, tokenizer, duplicates)
    (self.perProblem, self.passRate, self.decontaminate) = (perProblem, passRate, decontaminate)
    (self.judge, self.mixture, self.total, self.prices) = (judge, mixture, total, prices)
    (self.keepInstruction, self.seed, self.output) = (keepInstruction, seed, output)
  }

  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      samples: try keys.decode([SampleRun].self, forKey: .samples),
      keep: try keys.value(.keep, or: [.correct]),
      keepsCutAnswers: try keys.value(.keepsCutAnswers, or: false),
      format: try keys.value(.format, or: true),
      readability: try keys.value(.readability, or: .init()),
      language: try keys.decodeIfPresent(LanguageRule.self, forKey: .language),
      length: try keys.value(.length, or: .init()),
      tokenizer: try keys.decodeIfPresent(String.self, forKey: .tokenizer),
      duplicates: try keys.value(.duplicates, or: .init()),
      perProblem: try keys.value(.perProblem, or: .init()),
      passRate: try keys.decodeIfPresent(PassRateBand.self, forKey: .passRate),
      decontaminate: try keys.decodeIfPresent(Decontamination.self, forKey: .decontaminate),
      judge: try keys.decodeIfPresent(ModelJudging.self, forKey: .judge),
      mixture: try keys.value(.mixture, or: []),
      total: try keys.decodeIfPresent(Int.self, forKey: .total),
      prices: try keys.decodeIfPresent(Prices.self, forKey: .prices),
      keepInstruction: try keys.value(.keepInstruction, or: true),
      seed: try keys.value(.seed, or: 0),
      output: try keys.decode(String.self, forKey: .output))
  }
}

extension KeyedDecodingContainer {
  /// A key's value, or the default where the key is absent.
  func value<T: Decodable>(_ key: Key, or standard: @autoclosure () -> T) throws -> T {
    try decodeIfPresent(T.self, forKey: key) ?? standard()
  }
}
