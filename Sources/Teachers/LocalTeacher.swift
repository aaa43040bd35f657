import Datasets
import Foundation
import Generation
import Models
import Storage
import Tokenizers

/// A checkpoint run by this package's engine: a sample depends on the seed, its question and its
/// number alone.
public final class LocalTeacher: Teacher {
  public let name: String
  public let identity: JSONValue
  public let concurrency: Int
  private let model: String
  private let engine: GenerationEngine
  private let rendering: Rendering
  private let settings: LocalTeacherSettings
  private let stopTokens: Set<Int32>

  /// Loads the weights.
  ///
  /// - Throws: `CheckpointError`, `DatasetError`, `GenerationError`; `TeacherError` if the checkpoint
  ///   has no chat template.
  public init(_ settings: LocalTeacherSettings) throws {
    let checkpoint = try Checkpoint(at: settings.checkpoint)
    let text = try TextCheckpoint(
      at: settings.checkpoint, template: settings.chatTemplate, endTokens: settings.endTokens)
    guard text.template != nil else {
      throw TeacherError(
        .job, kind: "no chat template",
        "\(settings.checkpoint): it has no chat template, by which questions become prompts. "
          + "Name a file with 'chatTemplate'.")
    }
    if let id = text.endTokens.max(), id >= checkpoint.configuration.vocabSize {
      throw TeacherError(
        .job, kind: "tokenizer",
        "\(settings.checkpoint): the token \(id) ends a text, but the model's vocabulary has ids 0 "
          + "to \(checkpoint.configuration.vocabSize - 1). Is the tokenizer that of the checkpoint?"
      )
    }
    rendering = Rendering(
      tokenizer: text.tokenizer, template: text.template, endTokens: text.endTokens)
    let decoder =
      switch settings.weights {
      case .bfloat16: try checkpoint.packedDecoder()
      case .int8: try checkpoint.packedDecoder(.int8)
      case .float32: try checkpoint.decoder(precision: .float32)
      }
    engine = try GenerationEngine(
      decoder, tokenizer: text.tokenizer, EngineSettings(maxSequences: settings.sequences))
    self.settings = settings
    stopTokens = text.endTokens
    model = settings.checkpoint.split(separator: "/").last.map(String.init) ?? settings.checkpoint
    name = "\(model) in \(settings.checkpoint)"
    concurrency = settings.sequences
    identity = try Self.identity(settings, checkpoint, rendering, stopTokens)
  }

  /// The weights and all that makes a prompt of a question.
  private static func identity(
    _ settings: LocalTeacherSettings, _ checkpoint: Checkpoint, _ rendering: Rendering,
    _ stopTokens: Set<Int32>
  ) throws -> JSONValue {
    // What tokenizer and template make of a question stands for both of them.
    let probe = try rendering.prompt(
      [Message("user", "What is 1 + 1? Ünïcödé, 17\n")], place: settings.checkpoint)
    var hash = SHA256()
    probe.withUnsafeBytes { hash.update($0) }
    return .object(
      JSONObject(members: [
        ("kind", .string("local")), ("weights", .string(checkpoint.fingerprint)),
        ("precision", .string(settings.weights.rawValue)),
        ("prompt", .string(hash.finalizedText())),
        (
          "endTokens",
          .array(stopTokens.sorted().map { .number(JSONNumber(Int($0))) })
        ), ("forcedPrefix", settings.forcedPrefix.map(JSONValue.string) ?? .null),
        (
          "thinkingBudget",
          settings.thinkingBudget.map { .number(JSONNumber($0)) } ?? .null
        ),
      ]))
  }

  /// What the engine has done so far.
  public var statistics: EngineStatistics { engine.statistics }

  public func answers(
    to question: TeacherQuestion
  ) async throws(TeacherError) -> [TeacherAnswer] {
    if question.samples.isEmpty { return [] }
    let request = try request(question)
    let collected = Collector(question.samples)
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        collected.begin(continuation)
        do throws(GenerationError) {
          collected.cancelsBy(
            try engine.submit(request) { event in
              if case .finished(let completion) = event { collected.add(completion) }
            })
        } catch {
          collected.fail(error)
        }
      }
    } onCancel: {
      collected.cancel()
    }
    switch outcome {
    case .failure(let error):
      throw TeacherError(.question, kind: "refused", "\(question.place): \(error)")
    case .success(let found):
      var answers: [TeacherAnswer] = []
      for (completion, seconds) in found {
        answers.append(try answer(completion, seconds, request, question))
      }
      return answers
    }
  }

  private func request(
    _ question: TeacherQuestion
  ) throws(TeacherError) -> GenerationRequest {
    let messages = question.messages.map { Message($0.role, $0.content) }
    var request: GenerationRequest
    do {
      request = GenerationRequest(prompt: try rendering.prompt(messages, place: question.place))
    } catch {
      throw TeacherError(.question, kind: "refused", "\(error)")
    }
    request.samples = question.samples
    request.sampling = SamplingSettings(
      temperature: question.settings.temperature, topP: question.settings.topP)
    request.seed = question.settings.seed
    request.maxNewTokens = question.settings.maxTokens
    request.stopStrings = question.settings.stop
    request.stopTokens = stopTokens
    request.thinkingBudget = settings.thinkingBudget.map { ThinkingBudget(tokens: $0) }
    if let prefix = settings.forcedPrefix {
      request.forcedPrefix = rendering.tokenizer.encode(prefix, special: true)
    }
    return request
  }

  private func answer(
    _ completion: Completion, _ seconds: Double, _ request: GenerationRequest,
    _ question: TeacherQuestion
  ) throws(TeacherError) -> TeacherAnswer {
    let isCut: Bool
    switch completion.finishReason {
    case .stopToken, .stopString: isCut = false
    case .length: isCut = true
    case .cancelled:
      throw TeacherError(.cancelled, kind: "cancelled", "\(question.place): it was cancelled.")
    case .failed(let error):
      throw TeacherError(.question, kind: "failed", "\(question.place): \(error)")
    }
    let (reasoning, content) = ThinkingText.split(
      rendering.openedThinking(by: request.prompt) + completion.text, isCut: isCut)
    // One that ended its turn at once gave an empty answer: a wrong one, but an answer.
    return TeacherAnswer(
      reasoning: reasoning, content: content, finishReason: isCut ? .length : .stop,
      promptTokens: completion.promptTokens, completionTokens: completion.tokens.count,
      model: model, seconds: seconds)
  }
}

/// The completions of one question, as they end on the engine's thread.
private final class Collector: @unchecked Sendable {
  typealias Outcome = Result<[(completion: Completion, seconds: Double)], GenerationError>

  private let lock = NSLock()
  private let samples: Range<Int>
  private let start = ContinuousClock.now
  private var found: [Int: (completion: Completion, seconds: Double)] = [:]
  private var continuation: CheckedContinuation<Outcome, Never>?
  private var cancelRequest: (@Sendable () -> Void)?
  private var isCancelled = false

  init(_ samples: Range<Int>) { self.samples = samples }

  func begin(_ continuation: CheckedContinuation<Outcome, Never>) {
    lock.withLock { self.continuation = continuation }
  }

  func cancelsBy(_ cancel: @escaping @Sendable () -> Void) {
    let isLate = lock.withLock {
      cancelRequest = cancel
      return isCancelled
    }
    if isLate { cancel() }
  }

  func cancel() {
    let cancel = lock.withLock {
      isCancelled = true
      return cancelRequest
    }
    cancel?()
  }

  func add(_ completion: Completion) {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    let whole: Outcome? = lock.withLock {
      found[completion.sample] = (completion, Double(seconds) + Double(attoseconds) * 1e-18)
      if found.count < samples.count { return nil }
      return .success(samples.compactMap { found[$0] })
    }
    if let whole { resume(whole) }
  }

  func fail(_ error: GenerationError) { resume(.failure(error)) }

  private func resume(_ outcome: Outcome) {
    let waiting = lock.withLock {
      defer { continuation = nil }
      return continuation
    }
    waiting?.resume(returning: outcome)
  }
}
