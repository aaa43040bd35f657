/// How far a run is, for a display and for what is said at the end.
public struct TeacherGenerationProgress: Codable, Equatable, Sendable {
  /// What was kept of a source's problems, as far as they are judged.
  public struct Source: Codable, Equatable, Sendable {
    public var name: String
    public var samples: Int
    public var correct: Int
  }

  public struct Failure: Codable, Equatable, Sendable {
    public var kind: String
    public var count: Int
  }

  /// The problems of this process, and those that want no more samples.
  public var problems = 0
  public var problemsDone = 0
  /// Problems whose question failed for good, in this session or an earlier one.
  public var problemsFailed = 0
  /// Problems of the recipe's files, in all shards, that are left out because they ask word for word
  /// what an earlier one asks.
  public var problemsRepeated = 0
  /// Samples that are stored, in this session and before.
  public var samples = 0
  public var samplesBefore = 0
  public var tokens = TokenCount()
  /// Some tokens were not told by the teacher and are taken to be four bytes each; those of such
  /// prompts count as none.
  public var tokensAreEstimated = false
  /// In the prices' currency; nil without prices.
  public var cost: Double?
  /// Questions that the teacher has.
  public var questionsInFlight = 0
  /// By name.
  public var sources: [Source] = []
  /// Questions without an answer in this session, the most frequent first.
  public var failures: [Failure] = []
  /// Seconds of this session, samples and tokens of answers a second in it, and seconds that are left
  /// if it goes on like that.
  public var seconds = 0.0
  public var samplesPerSecond = 0.0
  public var tokensPerSecond = 0.0
  public var secondsLeft: Double?

  public init() {}

  public var samplesInSession: Int { samples - samplesBefore }
}

/// What became of a run.
public struct TeacherGenerationSummary: Codable, Equatable, Sendable {
  public enum Ending: String, Codable, Sendable {
    /// Every sample that is wanted is there, but those of questions that failed.
    case complete
    /// It was asked to stop; the same command goes on.
    case stopped
    /// The job's budget is spent.
    case budget
  }

  public var ending: Ending
  public var progress: TeacherGenerationProgress
  /// Questions of this session that failed and are asked again by the same command.
  public var failuresToRetry: Int
  /// Problems whose questions failed for good. The same command does not ask them again;
  /// `retryingFailures` does.
  public var failuresForGood: Int
}
