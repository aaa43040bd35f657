import Storage

/// One answer of a teacher to one problem, as it stands in a journal of samples.
///
/// Journals have one such object in each line; `JournalLine` adds the checksum.
public struct SampleRecord: Equatable, Sendable {
  /// SHA-256, as 64 hexadecimal digits, of the teacher, the messages, the settings and the sample's
  /// number: two records with one key are the same sample.
  public var key: String
  /// The problem's id, as `problems.jsonl` beside the journal has it.
  public var problem: String
  /// The sample's number within the problem, from 0.
  public var sample: Int
  /// What was asked for.
  public var settings: SamplingChoices
  public var answer: TeacherAnswer
  /// When the answer was complete: RFC 3339, UTC, with milliseconds.
  public var time: String

  public init(
    key: String, problem: String, sample: Int, settings: SamplingChoices, answer: TeacherAnswer,
    time: String
  ) {
    self.key = key
    self.problem = problem
    self.sample = sample
    self.settings = settings
    self.answer = answer
    self.time = time
  }

  /// What a judge reads; see `TeacherAnswer.text`.
  public var text: String { answer.text }
}
