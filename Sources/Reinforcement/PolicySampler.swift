import Datasets
import Foundation
import Generation
import Models
import Tensors

/// An answer as it was sampled, with all that learning from it takes.
struct Rollout: Sendable {
  let question: Question
  let answer: SampledAnswer
  /// The question's tokens and those that every answer begins with.
  let prompt: [Int32]
  /// What the policy chose, the token that ends the answer included.
  let tokens: [Int32]
  /// Of each, in nats, at the temperature of sampling.
  let logProbabilities: [Float]
}

/// Why answers can't be sampled, in a sentence.
public struct SamplingError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

/// Samples answers of a policy while it is trained: with its weights rounded and packed, whose
/// log-probabilities are, to the bit, those that the trainer computes.
final class PolicySampler {
  struct Settings {
    var temperature: Double
    var maxTokens: Int
    var seed: UInt64
  }

  private let prompts: PolicyPrompts
  private let packed: Decoder
  private let settings: EngineSettings
  /// Added to every log-probability: for tests of what happens when sampler and trainer disagree.
  var shift: Float = 0

  /// - Parameters:
  ///   - sequences: Answers that are sampled at a time.
  ///   - context: Tokens of the longest prompt and answer.
  init(_ decoder: Decoder, _ prompts: PolicyPrompts, sequences: Int, context: Int) {
    self.prompts = prompts
    packed = Decoder(packing: decoder)
    settings = EngineSettings(
      maxSequences: sequences,
      cacheBytes: Self.cacheBytes(
        decoder.configuration, sequences: sequences, context: context))
  }

  /// Room for the keys and values of that many answers, or of as many as a quarter of the machine's
  /// memory holds: the others then wait for their turn.
  static func cacheBytes(
    _ configuration: ModelConfiguration, sequences: Int, context: Int
  ) -> Int {
    // An answer copies the block in which it parts from its prompt.
    let one =
      (KeyValueBlocks.blocks(configuration, precision: .bfloat16, for: context) + 2)
      * KeyValueBlocks.blockBytes(configuration, precision: .bfloat16)
    let quarter = Int(ProcessInfo.processInfo.physicalMemory / 4)
    return max(one, min(one * sequences, quarter))
  }

  /// Gives the memory of keys and values back to the system where it is much.
  func makeRoom() {
    if (settings.cacheBytes ?? 0) > Self.largeCache { StoragePool.shared.trim() }
  }

  private static let largeCache = 64 << 20

  /// Takes over the weights of the policy.
  func update(_ decoder: Decoder) { packed.repack(decoder) }

  /// Samples answers to questions, all at once; a question's answers share its prompt. Where a prompt
  /// comes twice, its second answers are others than its first: samples are numbered on.
  ///
  /// - Parameters:
  ///   - isStopped: Asked ten times a second.
  ///   - progress: Told how many answers are done and how many tokens there are.
  /// - Returns: The answers to each question, in order; nil if it was stopped.
  /// - Throws: `GenerationError`, `SamplingError`.
  func answers(
    to questions: [Question], count: Int, _ settings: Settings, isStopped: () -> Bool,
    progress: (_ answers: Int, _ tokens: Int) -> Void = { _, _ in }
  ) throws -> [[Rollout]]? {
    let collected = Collected(questions.count)
    // An engine of its own for each step: its memory is the updates' afterwards.
    let engine = try GenerationEngine(packed, tokenizer: prompts.tokenizer, self.settings)
    var cancels: [@Sendable () -> Void] = []
    defer { for cancel in cancels { cancel() } }
    var sampled: [[Int32]: Int] = [:]
    for (index, question) in questions.enumerated() {
      var request = GenerationRequest(prompt: question.tokens)
      request.forcedPrefix = prompts.prefill
      let first = sampled[question.tokens, default: 0]
      sampled[question.tokens] = first + count
      request.samples = first..<first + count
      request.sampling = SamplingSettings(temperature: settings.temperature)
      request.seed = settings.seed
      request.maxNewTokens = settings.maxTokens
      request.stopTokens = prompts.text.endTokens
      request.reported = .tempered
      cancels.append(
        try engine.submit(request) { event in
          if case .finished(let completion) = event { collected.add(completion, index) }
        })
    }
    while !collected.wait(for: questions.count * count, seconds: 0.1) {
      if isStopped() { return nil }
      progress(collected.count, engine.statistics.tokens)
    }
    if isStopped() { return nil }
    return try zip(questions, collected.completions).map { question, completions in
      try completions.sorted { $0.sample < $1.sample }.map { try rollout(question, $0) }
    }
  }

  private func rollout(
    _ question: Question, _ completion: Completion
  ) throws(SamplingError) -> Rollout {
    switch completion.finishReason {
    case .failed(let error):
      throw SamplingError(description: "\(question.problem.place): \(error)")
    case .cancelled:
      throw SamplingError(description: "\(question.problem.place): its answer was cancelled.")
    case .stopToken, .stopString, .length: break
    }
    return Rollout(
      question: question,
      answer: SampledAnswer(
        problem: question.problem, prompt: question.prompt, sample: completion.sample,
        text: question.opening + completion.text, tokenCount: completion.tokens.count,
        isCut: completion.finishReason == .length),
      prompt: question.tokens + prompts.prefill, tokens: completion.tokens,
      logProbabilities: completion.logProbabilities.map { $0 + shift })
  }

  /// What ended so far, filled on the engine's thread.
  private final class Collected: @unchecked Sendable {
    private let condition = NSCondition()
    private var found: [[Completion]]
    private var total = 0

    init(_ questions: Int) { found = Array(repeating: [], count: questions) }

    func add(_ completion: Completion, _ question: Int) {
      condition.withLock {
        found[question].append(completion)
        total += 1
        condition.signal()
      }
    }

    var count: Int { condition.withLock { total } }
    var completions: [[Completion]] { condition.withLock { found } }

    /// Whether there are as many within some seconds.
    func wait(for all: Int, seconds: Double) -> Bool {
      let limit = Date(timeIntervalSinceNow: seconds)
      return condition.withLock {
        while total < all {
          if !condition.wait(until: limit) { return total >= all }
        }
        return true
      }
    }
  }
}
