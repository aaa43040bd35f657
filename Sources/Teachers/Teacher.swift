import Storage

/// Something that answers questions: a server, a model run here, or a file of earlier answers.
///
/// A teacher may be asked many questions at once. It does its own waiting and trying again; what it
/// throws is final for the question, and `TeacherError.Scope` says whether for the others too.
public protocol Teacher: Sendable {
  /// Whom reports and errors name: `DeepSeek-R1 at http://localhost:8000/v1`. Never holds a secret.
  var name: String { get }

  /// What answers depend on besides the question and its settings, such as the model. It becomes
  /// part of every sample's key, so that samples of another teacher are not taken for this one's.
  var identity: JSONValue { get }

  /// How many questions it is worth having under way at once.
  var concurrency: Int { get }

  /// How many samples of a problem it is worth asking for in one question. What a question's failure
  /// or a killed process loses is one question.
  var samplesPerQuestion: Int { get }

  /// One answer for each of the question's samples, in their order.
  ///
  /// - Throws: `TeacherError`; a `CancellationError` never: cancelling the task throws a
  ///   `TeacherError` of kind `cancelled`.
  func answers(to question: TeacherQuestion) async throws(TeacherError) -> [TeacherAnswer]
}

extension Teacher {
  /// As many as are wanted: one that reads the prompt once for all of them gains by it.
  public var samplesPerQuestion: Int { .max }
}

/// What a teacher is asked.
public struct TeacherQuestion: Equatable, Sendable {
  public struct Message: Equatable, Sendable {
    /// `system`, `user` or `assistant`.
    public var role: String
    public var content: String

    public init(role: String, content: String) {
      self.role = role
      self.content = content
    }
  }

  public var messages: [Message]
  /// The numbers of the samples that are wanted, from 0. A sample's number and the seed decide
  /// together what is drawn, where the teacher lets them.
  public var samples: Range<Int>
  public var settings: SamplingChoices
  /// What errors call the question: the problem's place, `train.jsonl:12`.
  public var place: String

  public init(
    _ messages: [Message], samples: Range<Int> = 0..<1, settings: SamplingChoices = .init(),
    place: String
  ) {
    self.messages = messages
    self.samples = samples
    self.settings = settings
    self.place = place
  }
}

/// How answers are drawn. Defaults are the paper's for its evaluation: temperature 0.6, top-p 0.95,
/// at most 32,768 tokens.
public struct SamplingChoices: Codable, Equatable, Sendable {
  public var temperature: Double
  public var topP: Double
  /// The most tokens of an answer, its reasoning included.
  public var maxTokens: Int
  public var seed: UInt64
  public var stop: [String]

  public init(
    temperature: Double = 0.6, topP: Double = 0.95, maxTokens: Int = 32_768, seed: UInt64 = 0,
    stop: [String] = []
  ) {
    self.temperature = temperature
    self.topP = topP
    self.maxTokens = maxTokens
    self.seed = seed
    self.stop = stop
  }
}

/// What a teacher said.
public struct TeacherAnswer: Equatable, Sendable {
  /// Why an answer ended. Only a whole answer has one; a broken one is no answer.
  public enum FinishReason: String, Codable, Equatable, Sendable {
    case stop
    /// It was cut at the token limit; it is kept, marked, and not trained on unless asked for.
    case length
  }

  /// The chain of thought, without its `<think>` tags, byte for byte; nil if there was none.
  public var reasoning: String?
  /// What follows the reasoning, byte for byte. Of an answer cut while it thought, empty.
  public var content: String
  public var finishReason: FinishReason
  /// Tokens as the teacher counts them; nil where it does not tell.
  public var promptTokens: Int?
  public var completionTokens: Int?
  /// The model's name, as the teacher gives it.
  public var model: String
  /// How often the question was sent, this time included.
  public var attempts: Int
  /// Seconds from sending the question (the last time) to the answer's end.
  public var seconds: Double

  public init(
    reasoning: String? = nil, content: String, finishReason: FinishReason,
    promptTokens: Int? = nil, completionTokens: Int? = nil, model: String, attempts: Int = 1,
    seconds: Double = 0
  ) {
    self.reasoning = reasoning
    self.content = content
    self.finishReason = finishReason
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
    self.model = model
    self.attempts = attempts
    self.seconds = seconds
  }

  /// What a judge reads: the reasoning between `<think>` and `</think>`, and what follows it.
  ///
  /// An answer without reasoning is its content; one that was cut while thinking has no `</think>`.
  public var text: String {
    guard let reasoning else { return content }
    if content.isEmpty && finishReason == .length { return "<think>" + reasoning }
    return "<think>" + reasoning + "</think>" + content
  }
}

/// Why there is no answer.
public struct TeacherError: Error, Equatable, CustomStringConvertible {
  /// Whom the failure concerns.
  public enum Scope: Equatable, Sendable {
    /// This question alone: it is too long, or the teacher refuses it. Asking again is in vain.
    case question
    /// This question, this time: it was tried again as often as the budget allows.
    case attempt
    /// Every question: a wrong key, an unknown model, no server. The job stops.
    case job
    /// The task was cancelled.
    case cancelled
  }

  public var scope: Scope
  /// A short name for counts: `HTTP 500`, `cut short`, `time-out: idle`, `connection refused`.
  public var kind: String
  /// One sentence: where, what was found, what to do. Never holds a secret.
  public var description: String

  public init(_ scope: Scope, kind: String, _ description: String) {
    self.scope = scope
    self.kind = kind
    self.description = description
  }
}
