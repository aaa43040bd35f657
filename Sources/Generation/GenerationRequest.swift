/// What is asked of an engine: samples of what follows a prompt.
public struct GenerationRequest: Sendable {
  /// The tokens that are continued.
  public var prompt: [Int32]
  /// What every completion begins with, such as `<think>` and a line break; part of the text, but
  /// of no sample's tokens.
  public var forcedPrefix: [Int32] = []
  /// Which samples are made, each with random numbers of its own.
  public var samples: Range<Int> = 0..<1
  public var sampling = SamplingSettings()
  public var seed: UInt64 = 0
  /// The most tokens of a completion; less where the model's context ends.
  public var maxNewTokens: Int = 1024
  /// Texts before which a completion ends; they may lie across tokens.
  public var stopStrings: [String] = []
  /// Tokens with which a completion ends.
  public var stopTokens: Set<Int32> = []
  public var thinkingBudget: ThinkingBudget?
  public var reported: ReportedProbabilities = .model

  public init(prompt: [Int32]) { self.prompt = prompt }
}

/// How long a model may think.
public struct ThinkingBudget: Codable, Equatable, Sendable {
  /// The most tokens between `<think>` and `</think>`.
  public var tokens: Int
  /// What is written when they are used up: it closes the block, and asks for the answer.
  public var closing: String

  public init(tokens: Int, closing: String = ThinkingBudget.defaultClosing) {
    self.tokens = tokens
    self.closing = closing
  }

  public static let defaultClosing = "\n</think>\n\n"
}

/// Why a completion ended.
public enum FinishReason: Equatable, Sendable {
  /// With a stop token, the last of its tokens.
  case stopToken(Int32)
  /// Before a stop string, which is not part of the text.
  case stopString(String)
  /// With as many tokens as were asked for, or the context has room for.
  case length
  case cancelled
  case failed(GenerationError)

  /// As OpenAI's interface calls it: stop, length, cancelled or error.
  public var name: String {
    switch self {
    case .stopToken, .stopString: "stop"
    case .length: "length"
    case .cancelled: "cancelled"
    case .failed: "error"
    }
  }
}

/// A sample as it ended.
public struct Completion: Equatable, Sendable {
  public let sample: Int
  /// All tokens that follow prompt and forced prefix, a stop token included.
  public let tokens: [Int32]
  /// Of each token, in nats.
  public let logProbabilities: [Float]
  /// Which of the tokens were not the model's choice: where a thinking budget closed its block.
  public let forced: [Range<Int>]
  /// The forced prefix and what follows, without special tokens; "" without a tokenizer.
  public let text: String
  public let finishReason: FinishReason
  /// Tokens of the prompt, the forced prefix included.
  public let promptTokens: Int
}

/// What an engine reports while it works on a request.
public enum GenerationEvent: Sendable {
  /// A token was chosen; `text` is what became certain with it, often nothing or several characters.
  case token(sample: Int, id: Int32, text: String, logProbability: Float)
  /// A sample ended; nothing more comes of it.
  case finished(Completion)
}
