import Interface
import Teachers
import Verification

extension CurationRecipe {
  /// A run of sampling, and how much of it is taken.
  public struct SampleRun: Codable, Equatable, Sendable {
    /// The run's folder, or a folder of its shards.
    public var run: String
    /// What reports call all of it; without it, each problem's own source.
    public var source: String?
    /// Its part among the sources that have a weight.
    public var weight: Double?
    /// The most samples of it.
    public var count: Int?

    public init(
      run: String, source: String? = nil, weight: Double? = nil, count: Int? = nil
    ) {
      (self.run, self.source, self.weight, self.count) = (run, source, weight, count)
    }
  }

  public enum KeptOutcome: String, Choice {
    case correct, wrong, noAnswer, unjudged
  }

  /// What makes a chain of thought too hard to read; see `Readability.Thresholds` for each.
  public struct ReadabilityRules: Codable, Equatable, Sendable {
    /// The findings that drop a sample; none of them drops any.
    public var drops: [ReadabilityRule]
    public var languageShare: Double
    public var paragraphWords: Double
    public var paragraphBytes: Int
    public var loopRepeats: Int
    public var sentenceTimes: Int
    public var sentenceShare: Double
    public var phraseShare: Double
    public var repeatedShare: Double

    public init(
      drops: [ReadabilityRule] = ReadabilityRule.allCases,
      _ thresholds: Readability.Thresholds = .default
    ) {
      self.drops = drops
      languageShare = thresholds.languageShare
      paragraphWords = thresholds.paragraphWords
      paragraphBytes = thresholds.paragraphBytes
      loopRepeats = thresholds.loopRepeats
      sentenceTimes = thresholds.sentenceTimes
      sentenceShare = thresholds.sentenceShare
      phraseShare = thresholds.phraseShare
      repeatedShare = thresholds.repeatedShare
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(drops: try keys.value(.drops, or: ReadabilityRule.allCases))
      languageShare = try keys.value(.languageShare, or: languageShare)
      paragraphWords = try keys.value(.paragraphWords, or: paragraphWords)
      paragraphBytes = try keys.value(.paragraphBytes, or: paragraphBytes)
      loopRepeats = try keys.value(.loopRepeats, or: loopRepeats)
      sentenceTimes = try keys.value(.sentenceTimes, or: sentenceTimes)
      sentenceShare = try keys.value(.sentenceShare, or: sentenceShare)
      phraseShare = try keys.value(.phraseShare, or: phraseShare)
      repeatedShare = try keys.value(.repeatedShare, or: repeatedShare)
    }

    var thresholds: Readability.Thresholds {
      Readability.Thresholds(
        languageShare: languageShare, paragraphWords: paragraphWords,
        paragraphBytes: paragraphBytes, loopRepeats: loopRepeats, sentenceTimes: sentenceTimes,
        sentenceShare: sentenceShare, phraseShare: phraseShare, repeatedShare: repeatedShare)
    }
  }

  /// `ReadabilityFinding.Kind`, as a recipe writes it.
  public enum ReadabilityRule: String, Choice {
    case mixedLanguages, longParagraph, codeBlock, loop, repeatedSentences, recurringPhrases
    case repeatedText
  }

  public enum LanguageName: String, Choice {
    case english, spanish, french, german, portuguese, italian
    case russian, ukrainian, bulgarian
    case arabic, persian, urdu
    case chinese, japanese, korean, hindi

    var language: Language { Language(rawValue: rawValue) ?? .english }
  }

  /// The language of the thinking.
  public struct LanguageRule: Codable, Equatable, Sendable {
    /// The language that is kept.
    public var name: LanguageName
    /// The least share of its words among those of the thinking.
    public var share: Double

    public init(_ name: LanguageName, share: Double = 0.9) {
      (self.name, self.share) = (name, share)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      name = try keys.decode(LanguageName.self, forKey: .name)
      share = try keys.value(.share, or: 0.9)
    }
  }

  /// Lengths of completions, the reasoning included.
  public struct LengthRule: Codable, Equatable, Sendable {
    public var minTokens: Int?
    public var maxTokens: Int?

    public init(minTokens: Int? = nil, maxTokens: Int? = nil) {
      (self.minTokens, self.maxTokens) = (minTokens, maxTokens)
    }
  }

  /// Which samples are the same as an earlier one; the first is kept.
  public struct DuplicateRules: Codable, Equatable, Sendable {
    /// Whether a second answer with the same text to the same question is dropped, and problems with
    /// the same question, of one run or several, are taken for one. Answers may differ in spaces and
    /// line breaks, questions in case and markup too.
    public var exact: Bool
    /// The likeness (Jaccard's, of runs of five words) from which on a question is too near to an
    /// earlier one, above 0.5; without it, questions may be alike.
    public var near: Double?

    public init(exact: Bool = true, near: Double? = nil) {
      (self.exact, self.near) = (exact, near)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      exact = try keys.value(.exact, or: true)
      near = try keys.decodeIfPresent(Double.self, forKey: .near)
    }
  }

  /// How many samples of a problem are kept, and which.
  public struct ProblemLimit: Codable, Equatable, Sendable {
    public enum Choosing: String, Choice {
      /// Those with the fewest tokens.
      case shortest
      /// Any, by the seed.
      case random
      /// Those whose longest paragraph is shortest.
      case mostReadable
      /// Those that were sampled first.
      case first
    }

    /// The most; without it, all.
    public var most: Int?
    public var choose: Choosing
    /// For `random`; without it, the recipe's.
    public var seed: UInt64?

    public init(most: Int? = nil, choose: Choosing = .first, seed: UInt64? = nil) {
      (self.most, self.choose, self.seed) = (most, choose, seed)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      most = try keys.decodeIfPresent(Int.self, forKey: .most)
      choose = try keys.value(.choose, or: .first)
      seed = try keys.decodeIfPresent(UInt64.self, forKey: .seed)
    }
  }

  /// Problems that are neither too easy nor too hard, by the share of correct answers among a
  /// problem's judged samples. Cut answers count as judged and not correct; unjudged ones and
  /// failures of judging do not count.
  public struct PassRateBand: Codable, Equatable, Sendable {
    public var min: Double
    public var max: Double
    /// Problems with fewer judged samples are kept whatever their rate.
    public var fewest: Int

    public init(min: Double = 0, max: Double = 1, fewest: Int = 1) {
      (self.min, self.max, self.fewest) = (min, max, fewest)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      min = try keys.value(.min, or: 0)
      max = try keys.value(.max, or: 1)
      fewest = try keys.value(.fewest, or: 1)
    }
  }

  /// A model that is given question, reference and final answer.
  public struct ModelJudging: Codable, Equatable, Sendable {
    /// Whom a command asks; a run is given its judge.
    public var teacher: TeacherSettings?
    public var temperature: Double
    public var topP: Double
    public var maxTokens: Int
    public var seed: UInt64
    /// How often a model whose reply holds no verdict is asked again.
    public var retries: Int
    /// How many answers that a rule has judged are given to the model too, to tell how far both
    /// agree.
    public var agreement: Int

    public init(
      teacher: TeacherSettings? = nil, temperature: Double = 0, topP: Double = 1,
      maxTokens: Int = 4_096, seed: UInt64 = 0, retries: Int = 2, agreement: Int = 100
    ) {
      self.teacher = teacher
      (self.temperature, self.topP, self.maxTokens) = (temperature, topP, maxTokens)
      (self.seed, self.retries, self.agreement) = (seed, retries, agreement)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        teacher: try keys.decodeIfPresent(TeacherSettings.self, forKey: .teacher),
        temperature: try keys.value(.temperature, or: 0), topP: try keys.value(.topP, or: 1),
        maxTokens: try keys.value(.maxTokens, or: 4_096), seed: try keys.value(.seed, or: 0),
        retries: try keys.value(.retries, or: 2), agreement: try keys.value(.agreement, or: 100))
    }
  }

  /// What a million tokens cost.
  public struct Prices: Codable, Equatable, Sendable {
    public var prompt: Double
    public var completion: Double
    /// Such as `USD`.
    public var currency: String

    public init(prompt: Double, completion: Double, currency: String) {
      (self.prompt, self.completion, self.currency) = (prompt, completion, currency)
    }
  }
}
