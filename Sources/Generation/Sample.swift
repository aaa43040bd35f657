import Models
import Tensors
import Tokenizers

/// One completion while it is made.
final class Sample {
  let group: PromptGroup
  let index: Int
  private(set) var tokens: [Int32] = []
  private(set) var logProbabilities: [Float] = []
  private(set) var finishReason: FinishReason?
  /// Its keys and values; nil while it waits.
  var sequence: CachedSequence?

  private var forced: [Range<Int>] = []
  private var forcedNext: [Int32] = []
  private var decoder: StreamingDecoder?
  private var matcher: StopMatcher
  private var thinking: ThinkingTracker?
  /// Tokens that occurred, each once, where a repetition penalty asks.
  private(set) var occurred: [Int32]
  private var hasOccurred: Set<Int32>
  private let random: RandomStream

  init(_ group: PromptGroup, index: Int) {
    self.group = group
    self.index = index
    let request = group.request
    random = RandomStream(seed: request.seed, "sampling", group.key, index)
    decoder = group.tokenizer?.streamingDecoder(skippingSpecialTokens: true)
    // The completion's text is what the prompt's is continued with: some decoders drop a space at
    // the beginning of a text, and a prompt may end within a character.
    for token in request.prompt.suffix(Self.contextTokens) { _ = decoder?.append(token) }
    var prefix = ""
    for token in request.forcedPrefix { prefix += decoder?.append(token) ?? "" }
    matcher = StopMatcher(request.stopStrings, beginning: prefix)
    thinking = request.thinkingBudget.map {
      ThinkingTracker(budget: $0.tokens, context: group.context)
    }
    hasOccurred = request.sampling.repetitionPenalty == 1 ? [] : Set(group.tokens)
    occurred = hasOccurred.sorted()
  }

  /// Tokens of the prompt that the text is decoded behind.
  private static let contextTokens = 16

  /// How many tokens, the last ones, have no keys and values stored yet.
  var pendingCount: Int {
    tokens.count - max(0, (sequence?.count ?? 0) - group.tokens.count)
  }

  /// The random number of the next token: it depends on the seed, the prompt, the sample and the
  /// position alone.
  var uniform: Double { random.uniform(tokens.count) }

  /// The next token, if it is not for the model to choose.
  var forcedToken: Int32? { forcedNext.first }

  /// Adds a token, and finds out whether it is the last.
  ///
  /// - Returns: The text that became certain.
  func accept(_ choice: Sampler.Choice) -> String {
    let token = choice.token
    if !forcedNext.isEmpty {
      forcedNext.removeFirst()
      if let last = forced.last, last.upperBound == tokens.count {
        forced[forced.count - 1] = last.lowerBound..<tokens.count + 1
      } else {
        forced.append(tokens.count..<tokens.count + 1)
      }
    }
    tokens.append(token)
    logProbabilities.append(choice.logProbability)
    if group.request.sampling.repetitionPenalty != 1, hasOccurred.insert(token).inserted {
      occurred.append(token)
    }
    if group.request.stopTokens.contains(token) {
      finishReason = .stopToken(token)
      return rest()
    }
    let new = decoder?.append(token) ?? ""
    var text = matcher.append(new)
    if let found = matcher.found {
      finishReason = .stopString(found)
      return text
    }
    if thinking?.append(new) == true, forcedNext.isEmpty { forcedNext = group.closing }
    if tokens.count >= group.mostTokens {
      finishReason = .length
      text += rest()
    }
    return text
  }

  /// Ends the sample for a reason of the engine's.
  func finish(_ reason: FinishReason) {
    finishReason = reason
    sequence = nil
    _ = rest()
  }

  var completion: Completion {
    Completion(
      sample: index, tokens: tokens, logProbabilities: logProbabilities, forced: forced,
      text: String(decoding: matcher.bytes, as: UTF8.self),
      finishReason: finishReason ?? .cancelled,
      promptTokens: group.tokens.count)
  }

  private func rest() -> String {
    matcher.append(decoder?.finish() ?? "") + matcher.finish()
  }
}
