import Models
import Tensors
import Tokenizers

/// A request while it is worked on: a prompt that is computed once, and its samples.
final class PromptGroup {
  let request: GenerationRequest
  /// Requests are served in the order of their numbers.
  let ordinal: Int
  let tokenizer: Tokenizer?
  /// Prompt and forced prefix.
  let tokens: [Int32]
  /// What of the prompt random numbers depend on: its tokens, and nothing of where it stands.
  let key: Int
  /// The most tokens of a completion.
  let mostTokens: Int
  /// The end of the prompt's text, which tells whether a completion begins with thinking.
  let context: String
  /// What closes a thinking block.
  let closing: [Int32]
  let sampler: Sampler
  private let deliver: @Sendable (GenerationEvent) -> Void

  /// Samples that have no keys and values, in order: not yet begun, or set back.
  var waiting: [Sample] = []
  /// Samples that are not finished.
  var unfinished = 0
  /// The prompt's keys and values, as far as they are computed; kept until no sample waits.
  var sequence: CachedSequence?
  /// The logits of what follows the prompt, once it is computed.
  var logits: Tensor?

  init(
    _ request: GenerationRequest, ordinal: Int, contextLength: Int, tokenizer: Tokenizer?,
    deliver: @escaping @Sendable (GenerationEvent) -> Void
  ) {
    self.request = request
    self.ordinal = ordinal
    self.tokenizer = tokenizer
    self.deliver = deliver
    tokens = request.prompt + request.forcedPrefix
    key = Self.key(of: tokens)
    mostTokens = min(request.maxNewTokens, contextLength - tokens.count)
    let budget = request.thinkingBudget
    context = budget == nil ? "" : tokenizer?.decode(Array(tokens.suffix(Self.contextTokens))) ?? ""
    closing = budget.flatMap { tokenizer?.encode($0.closing, special: true) } ?? []
    sampler = Sampler(settings: request.sampling, reported: request.reported)
    unfinished = request.samples.count
    waiting = request.samples.map { Sample(self, index: $0) }
  }

  private static let contextTokens = 64

  /// Whether samples can begin: keys and values of the whole prompt are there, and what follows.
  var isReady: Bool { logits != nil && sequence != nil }

  func send(_ event: GenerationEvent) { deliver(event) }

  /// 64 bits of FNV-1a (Fowler, Noll & Vo) over the tokens.
  private static func key(of tokens: [Int32]) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for token in tokens {
      for shift in stride(from: 0, to: 32, by: 8) {
        hash = (hash ^ UInt64(UInt32(bitPattern: token) >> UInt32(shift) & 0xff)) &* 0x100_0000_01b3
      }
    }
    return Int(bitPattern: UInt(hash))
  }
}
