import Interface

/// Where problems are, and how to read them.
public struct ProblemSource: Codable, Equatable, Sendable {
  /// A file in JSONL, of one JSON array, or a table in CSV; it may be packed by gzip.
  public var path: String
  /// The form of its records; without it, the one that the first record has.
  public var form: ProblemForm?
  /// Which keys of a record hold what; the others are found by the names that are usual.
  public var fields: ProblemFields?
  /// The days in which a problem must have been made public; without it, they all are taken.
  public var released: ReleaseWindow?
  /// How many problems are taken, from the first; without it, all.
  public var limit: Int?
  /// What counts and ids call the source; without it, the records' own `source` and the file's name.
  public var source: String?

  public init(
    path: String, form: ProblemForm? = nil, fields: ProblemFields? = nil, limit: Int? = nil,
    source: String? = nil, released: ReleaseWindow? = nil
  ) {
    self.path = path
    self.form = form
    self.fields = fields
    self.released = released
    self.limit = limit
    self.source = source
  }

  /// The file's name without its folders.
  public var fileName: String {
    path.utf8.split(separator: UInt8(ascii: "/")).last
      .map { String(decoding: Array($0), as: UTF8.self) } ?? path
  }
}

/// The keys of a file whose names are not the usual ones.
public struct ProblemFields: Codable, Equatable, Sendable {
  public var question: String?
  public var answer: String?
  public var solution: String?
  /// Tests of a program, as `ProgramTask` reads them from `tests`.
  public var tests: String?
  /// A list of options.
  public var choices: String?
  /// The right option: its number from 0, its letter, or its text.
  public var correct: String?
  public var source: String?
  public var difficulty: String?
  /// The day on which the problem was made public, as `2024-08-03`; a time may follow.
  public var date: String?
  /// A number.
  public var rating: String?
  public var id: String?

  public init(
    question: String? = nil, answer: String? = nil, solution: String? = nil, tests: String? = nil,
    choices: String? = nil, correct: String? = nil, source: String? = nil,
    difficulty: String? = nil, date: String? = nil, rating: String? = nil, id: String? = nil
  ) {
    self.question = question
    self.answer = answer
    self.solution = solution
    self.tests = tests
    self.choices = choices
    self.correct = correct
    self.source = source
    self.difficulty = difficulty
    self.date = date
    self.rating = rating
    self.id = id
  }
}

/// The forms that records of problems come in.
public enum ProblemForm: String, Choice {
  /// A question with its answer, or with a solution that ends in it: GSM8K (behind `####`), MATH (in
  /// `\boxed{}`), MATH-500, AIME, AMC.
  case mathematics
  /// A question, a list of options, and which one is right.
  case choices
  /// GPQA's columns: `Question`, `Correct Answer`, `Incorrect Answer 1` and so on. The options are
  /// shown in an order that the problem's id decides.
  case gpqa
  /// A question and tests: MBPP, MBPP+, HumanEval, LiveCodeBench, CodeContests.
  case program
  /// A question that no rule can judge.
  case question
  /// What `Problem.json` writes.
  case problem
}
