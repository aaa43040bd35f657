import Interface
import Teachers

/// What an answer of the policy is rewarded for, as a recipe says under `rewards`: each reward has a
/// weight, and one that is absent says nothing.
///
/// An answer's reward is the sum of weight times value, taken in the order of the properties here.
public struct RewardSettings: Codable, Equatable, Sendable {
  public var accuracy: Accuracy?
  public var format: Format?
  public var language: LanguageShare?
  public var length: Length?
  public var repetition: Repetition?
  public var program: UserProgram?
  public var helpfulness: JudgeModel?
  public var harmlessness: JudgeModel?

  public init(
    accuracy: Accuracy? = nil, format: Format? = nil, language: LanguageShare? = nil,
    length: Length? = nil, repetition: Repetition? = nil, program: UserProgram? = nil,
    helpfulness: JudgeModel? = nil, harmlessness: JudgeModel? = nil
  ) {
    (self.accuracy, self.format, self.language) = (accuracy, format, language)
    (self.length, self.repetition, self.program) = (length, repetition, program)
    (self.helpfulness, self.harmlessness) = (helpfulness, harmlessness)
  }

  /// The rewards there are and their weights, in the order of the sum.
  public var weights: [(name: String, weight: Double)] {
    all.compactMap { name, weight in weight.map { (name, $0) } }
  }

  /// The rewards that a recipe may name.
  static let names = RewardSettings().all.map(\.name)

  private var all: [(name: String, weight: Double?)] {
    [
      ("accuracy", accuracy?.weight), ("format", format?.weight), ("language", language?.weight),
      ("length", length?.weight), ("repetition", repetition?.weight),
      ("program", program?.weight), ("helpfulness", helpfulness?.weight),
      ("harmlessness", harmlessness?.weight),
    ]
  }
}

extension RewardSettings {
  /// Whether the final answer is right: 1 or 0, by the rules that filter samples and score models.
  public struct Accuracy: Codable, Equatable, Sendable {
    /// What becomes of an answer that was found but that the rule does not understand, where the
    /// reference is a formula. What is left out is never discouraged, so that `wrong` is the default:
    /// the form in which the answer is asked for is part of what is learned.
    public enum Unjudged: String, Choice {
      /// It has no reward and is counted as failed: it may be right.
      case leftOut
      /// It is wrong: where references are plain numbers, words are no answer.
      case wrong
    }

    public var weight: Double
    /// Whether an answer that was cut at the token limit is judged like the others; otherwise it is
    /// wrong, since its last number may be half of one and it never came to an end.
    public var judgesCutAnswers: Bool
    public var unjudged: Unjudged

    public init(weight: Double, judgesCutAnswers: Bool = false, unjudged: Unjudged = .wrong) {
      (self.weight, self.judgesCutAnswers, self.unjudged) = (weight, judgesCutAnswers, unjudged)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        weight: try keys.decode(Double.self, forKey: .weight),
        judgesCutAnswers: try keys.decodeIfPresent(Bool.self, forKey: .judgesCutAnswers) ?? false,
        unjudged: try keys.decodeIfPresent(Unjudged.self, forKey: .unjudged) ?? .wrong)
    }
  }

  /// Whether the text is one `<think>…</think>` and an answer behind it: 1 or 0.
  public struct Format: Codable, Equatable, Sendable {
    public var weight: Double
    /// Whether the answer must stand in `<answer>…</answer>`, as R1-Zero's prompt asks.
    public var answerTags: Bool

    public init(weight: Double, answerTags: Bool = false) {
      (self.weight, self.answerTags) = (weight, answerTags)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        weight: try keys.decode(Double.self, forKey: .weight),
        answerTags: try keys.decodeIfPresent(Bool.self, forKey: .answerTags) ?? false)
    }
  }

  /// The share of the words of the chain of thought that are in a language: 0 to 1.
  public struct LanguageShare: Codable, Equatable, Sendable {
    public var weight: Double
    /// A name or its code of ISO 639-1: `english`, `en`.
    public var language: String

    public init(weight: Double, language: String) {
      (self.weight, self.language) = (weight, language)
    }
  }

  /// The soft punishment of long answers: 0, falling to -1.
  public struct Length: Codable, Equatable, Sendable {
    public var weight: Double
    /// Tokens from which on the value is -1.
    public var most: Int
    /// Tokens before `most` over which it falls.
    public var buffer: Int

    public init(weight: Double, most: Int, buffer: Int) {
      (self.weight, self.most, self.buffer) = (weight, most, buffer)
    }
  }

  /// The share of runs of words that were written before, negated: 0 down to -1.
  public struct Repetition: Codable, Equatable, Sendable {
    public var weight: Double
    /// Words of a run.
    public var words: Int

    public init(weight: Double, words: Int = 20) {
      (self.weight, self.words) = (weight, words)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        weight: try keys.decode(Double.self, forKey: .weight),
        words: try keys.decodeIfPresent(Int.self, forKey: .words) ?? 20)
    }
  }

  /// A program of the user's that is given answers and gives numbers.
  ///
  /// It is started at the first batch, in the folder and with the environment of this process, and is
  /// not sandboxed: it is no model's program but the user's. It reads a line of JSON for each answer,
  /// and must write a line of JSON for each, in any order, and flush it:
  ///
  ///     {"id": 7, "question": …, "prompt": …, "answer": …, "reasoning": … or null, "content": …,
  ///      "reference": … or null, "problem": …, "tokens": 812, "cut": false}
  ///     {"id": 7, "reward": 0.5}
  ///
  /// A reward that is `null`, or an `"error": "…"` in its place, leaves the answer out. What is not
  /// such a line, or is about an id that was not asked or was answered, ends the program, as its being
  /// silent for too long does: the answers it owes are left out, and it is started again with the
  /// next batch. Four such ends in a row end the run. When the run is over, its input ends, and it
  /// has two seconds.
  public struct UserProgram: Codable, Equatable, Sendable {
    public var weight: Double
    /// The program, looked up as shells do, and its arguments.
    public var command: [String]
    /// The longest that it may give no reply while one is due.
    public var timeoutSeconds: Double

    public init(weight: Double, command: [String], timeoutSeconds: Double = 60) {
      (self.weight, self.command, self.timeoutSeconds) = (weight, command, timeoutSeconds)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        weight: try keys.decode(Double.self, forKey: .weight),
        command: try keys.decode([String].self, forKey: .command),
        timeoutSeconds: try keys.decodeIfPresent(Double.self, forKey: .timeoutSeconds) ?? 60)
    }
  }

  /// A model that gives a score: 0 to 1.
  public struct JudgeModel: Codable, Equatable, Sendable {
    public var weight: Double
    public var teacher: TeacherSettings
    /// The most tokens of a reply, its reasoning included.
    public var maxTokens: Int
    /// How often it is asked, until a reply holds one score.
    public var attempts: Int

    public init(
      weight: Double, teacher: TeacherSettings, maxTokens: Int = 4_096, attempts: Int = 3
    ) {
      (self.weight, self.teacher) = (weight, teacher)
      (self.maxTokens, self.attempts) = (maxTokens, attempts)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        weight: try keys.decode(Double.self, forKey: .weight),
        teacher: try keys.decode(TeacherSettings.self, forKey: .teacher),
        maxTokens: try keys.decodeIfPresent(Int.self, forKey: .maxTokens) ?? 4_096,
        attempts: try keys.decodeIfPresent(Int.self, forKey: .attempts) ?? 3)
    }
  }
}
