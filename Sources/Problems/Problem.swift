import Storage
import Verification

/// A question, and what is known about the right answer.
public struct Problem: Equatable, Sendable {
  /// By what an answer is judged.
  public enum Reference: Equatable, Sendable {
    /// A formula, or a solution that ends in one: mathematics.
    case answer(String)
    /// The options in the order in which the question shows them, and the right one's place.
    case choices([String], correct: Int)
    /// Tests that a program must pass.
    case program(ProgramTask)
    /// No rule can judge it. A judge model may be given the text, if there is one.
    case none(String?)
  }

  /// The record's own id; where that is a plain number or missing, the source's name and the number
  /// or the record's: `train.jsonl#12`. Within a run no two problems share one.
  public var id: String
  /// What is asked, as the record has it; options and instructions are added where it is asked.
  public var question: String
  public var reference: Reference
  /// A worked solution, if the record has one: decontamination looks at it too.
  public var solution: String?
  /// Where it comes from, for counts: the record's field, or the file's name.
  public var source: String
  /// As the record has it: `Level 5`, `3`.
  public var difficulty: String?
  /// How hard it is as a number, as Codeforces counts.
  public var rating: Double?
  /// The day on which it was made public: `2024-08-03`.
  public var date: String?
  /// The file and line: `train.jsonl:12`.
  public var place: String

  public init(
    id: String, question: String, reference: Reference, solution: String? = nil, source: String,
    difficulty: String? = nil, rating: Double? = nil, date: String? = nil, place: String
  ) {
    self.id = id
    self.question = question
    self.reference = reference
    self.solution = solution
    self.source = source
    self.difficulty = difficulty
    self.rating = rating
    self.date = date
    self.place = place
  }
}
