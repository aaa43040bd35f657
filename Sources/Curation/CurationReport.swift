/// What a curation found: every number that its files `report.json`, `report.txt` and `report.html`
/// tell.
public struct CurationReport: Equatable, Sendable {
  /// Problems on their way to samples.
  public struct Prompts: Equatable, Sendable {
    public var all = 0
    /// With a sample.
    public var sampled = 0
    /// With a correct answer among the judged.
    public var solved = 0
    /// With a sample in the set.
    public var kept = 0
  }

  /// How often a source's problems of one difficulty are solved.
  public struct PassRate: Equatable, Sendable {
    public var source: String
    /// "" where problems have none.
    public var difficulty: String
    public var problems = 0
    public var judged = 0
    public var correct = 0
    /// The mean over problems of the share of correct answers, 0 to 1.
    public var meanRate = 0.0
    /// Problems with a correct answer.
    public var solved = 0
  }

  /// An evaluation set, and what was dropped because of it.
  public struct EvaluationSet: Equatable, Sendable {
    /// Problems, and samples of the mixture, that ask one of its questions.
    public var questions = 0
    /// Answers that hold one.
    public var traces = 0

    public init(questions: Int = 0, traces: Int = 0) {
      (self.questions, self.traces) = (questions, traces)
    }
  }

  /// What a judge model said of answers that no rule could judge.
  public struct ModelJudge: Equatable, Sendable {
    public var model = ""
    public var asked = 0
    public var correct = 0
    public var wrong = 0
    public var unparsed = 0
    /// Answers that the model could not be asked about.
    public var failed = 0
    /// Replies, those of earlier runs of the same curation included.
    public var replies = 0
    public var promptTokens = 0
    public var completionTokens = 0
  }

  /// Lengths of kept completions: a range of tokens, and how many have one in it.
  public struct Bucket: Equatable, Sendable {
    public var tokens: ClosedRange<Int>
    public var count: Int
  }

  /// A source's part of the set.
  public struct Part: Equatable, Sendable {
    public var name: String
    public var samples: Int
    /// Of completions, the reasoning included; 0 for sources of the mixture, whose tokens nobody
    /// told.
    public var tokens: Int
    /// Whether it was mixed in.
    public var isMixed: Bool
  }

  /// What sampling cost, by the recipe's prices.
  public struct Cost: Equatable, Sendable {
    public var promptTokens = 0
    public var completionTokens = 0
    /// Completions whose tokens the teacher told, a tokenizer counted, or four bytes stand for.
    public var told = 0
    public var counted = 0
    public var estimated = 0
    /// Of all samples; nil without prices.
    public var total: Double?
    /// Of a kept one: all that was paid, shared by those that are left.
    public var perKeptSample: Double?
    public var currency: String?
  }

  /// The funnels of the samples' sources.
  public internal(set) var sources: [Funnel] = []
  /// The funnels of the mixture's sources.
  public internal(set) var mixture: [Funnel] = []
  public internal(set) var prompts = Prompts()
  public internal(set) var passRates: [PassRate] = []
  public internal(set) var parts: [Part] = []
  public internal(set) var lengths: [Bucket] = []
  public internal(set) var lengthSummary = ""
  /// Kept samples by the language most of their thinking is in, the most frequent first.
  public internal(set) var languages: [(name: String, samples: Int)] = []
  /// Evaluation sets by name; empty if none was looked at.
  public internal(set) var evaluation: [(name: String, found: EvaluationSet)] = []
  /// Problems that ask what an earlier one does, and were taken for it.
  public internal(set) var repeatedQuestions = 0
  public internal(set) var judge: ModelJudge?
  public internal(set) var agreement: JudgeAgreement?
  public internal(set) var cost = Cost()
  /// What a reader should know: what was not looked at, what there was too little of.
  public internal(set) var notes: [String] = []

  /// All samples of the runs.
  public var total: Funnel { Funnel.sum(sources, as: "all") }

  /// The samples of the set, the mixture included.
  public var samples: Int { parts.reduce(0) { $0 + $1.samples } }

  public static func == (a: Self, b: Self) -> Bool { a.json == b.json }

  /// The set of the paper, for orientation: its second version's counts and average lengths in
  /// tokens. DeepSeek-AI, "DeepSeek-R1", <https://arxiv.org/abs/2501.12948>.
  static let paper: [(name: String, samples: Int, tokens: Int)] = [
    ("math", 395_285, 6_094), ("code", 211_129, 7_436), ("STEM", 10_124, 4_929),
    ("logic", 10_395, 2_739), ("general", 177_812, 1_420), ("all", 804_745, 5_355),
  ]
}
