import Problems

/// What is kept in memory of a sample: where it is, and what was found. `CurationRun.bytesPerSample`
/// tells its size.
struct SampleEntry: Sendable {
  /// Where the record is in its run's journals.
  var offset: UInt64
  var length: UInt32
  var file: UInt16
  /// The run's number in the recipe.
  var run: UInt16
  /// The problem's number over all runs.
  var problem: UInt32
  /// The sample's number within the problem.
  var sample: UInt32
  var tokens: UInt32
  var promptTokens: UInt32
  /// The longest paragraph of the thinking in bytes; 0 unless the recipe chooses by it.
  var longestParagraph: UInt32
  /// The beginning of the sample's key.
  var key: UInt64
  /// What would be written of it, but for white space.
  var text: Digest
  var reason: DropReason
  var outcome: AnswerVerdict.Outcome?
  var counting: TokenCounting
}

/// How the tokens of a completion were counted.
enum TokenCounting: UInt8, CaseIterable, Sendable {
  /// The teacher told.
  case told
  /// By the recipe's tokenizer.
  case tokenizer
  /// Four bytes each.
  case estimate
}

/// What is kept in memory of a problem.
struct ProblemEntry: Sendable {
  var run: UInt16
  /// Its source's number among the funnels.
  var source: UInt16
  /// Its difficulty's number among those there are.
  var difficulty: UInt16
  /// Its record's number in the run.
  var record: UInt32
  /// The question's words and signs.
  var question: Digest
  /// The first problem with this question: the same unless duplicates are left alone.
  var group: UInt32
  var judged: UInt32 = 0
  var correct: UInt32 = 0
  var samples: UInt32 = 0
  /// Whether the question is an evaluation's; nil before it was asked.
  var isContaminated: Bool?
}
