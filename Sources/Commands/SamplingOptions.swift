import Datasets
import Foundation
import Generation
import Interface
import Models
import Storage
import Tokenizers

/// How the weights of a model that generates are kept.
enum GenerationWeights: String, Choice {
  case bfloat16, int8, float32
}

/// The options that say how text is generated, for `sample` and `chat`.
enum SamplingOptions {
  static let temperature = Option(
    "temperature", "number",
    help: "What logits are divided by; 0 takes the most probable token.", .numbers)
  static let topP = Option(
    "top-p", "share", help: "Keep the most probable tokens that have this share.", .numbers)
  static let topK = Option(
    "top-k", "count", help: "Keep this many of the most probable tokens.",
    .wholeNumbers(in: 0...1 << 24))
  static let minP = Option(
    "min-p", "share", help: "Drop tokens below this share of the most probable one's probability.",
    .numbers)
  static let repetitionPenalty = Option(
    "repetition-penalty", "number",
    help: "Makes tokens that occurred less probable; 1 does nothing.",
    .numbers)
  static let seed = Option(
    "seed", "number", help: "What the random numbers begin with; 0 without it.", .wholeNumbers)
  static let maxNewTokens = Option(
    "max-new-tokens", "count", help: "The most tokens of a completion.",
    .wholeNumbers(in: 1...1 << 24))
  static let stop = RepeatedOption(
    "stop", "text", help: "A text before which a completion ends; may be given several times.",
    .texts)
  static let stopToken = RepeatedOption(
    "stop-token", "token", help: "A token that ends a completion, beside those of the checkpoint.",
    .texts)
  static let forcedPrefix = Option(
    "force-prefix", "text",
    help: "What every completion begins with, such as '<think>\\n'; \\n is a line break.", .texts)
  static let thinkingBudget = Option(
    "thinking-budget", "count", help: "The most tokens within <think>, which is then closed.",
    .wholeNumbers(in: 0...1 << 24))
  static let weights = Option<GenerationWeights>(
    "weights", "precision",
    help: "How the weights are kept: bfloat16, which is the default, int8 or float32.", .choices)
  static let cacheMemory = Option(
    "cache-memory", "size", help: "Memory for keys and values, such as 2GiB.", .sizes)

  static let all: [any Declaration] = [
    temperature, topP, topK, minP, repetitionPenalty, seed, maxNewTokens, stop, stopToken,
    forcedPrefix, thinkingBudget, weights, cacheMemory,
  ]
}

/// A checkpoint that generates text, and how it is asked to.
struct TextModel {
  let checkpoint: Checkpoint
  let text: TextCheckpoint
  let weights: GenerationWeights
  /// What every request has in common; its prompt is empty.
  let request: GenerationRequest
  /// Where the settings come from, in a sentence.
  let settings: String

  init(_ arguments: Arguments, at path: String) throws {
    checkpoint = try Checkpoint(at: path)
    text = try TextCheckpoint(at: path)
    weights = arguments[SamplingOptions.weights] ?? .bfloat16
    let tokenizer = text.tokenizer
    if tokenizer.idLimit > checkpoint.configuration.vocabSize, let id = text.endTokens.max(),
      id >= checkpoint.configuration.vocabSize
    {
      throw CommandError(
        "\(path): the token \(id) ends a text, but the model's vocabulary has ids 0 to "
          + "\(checkpoint.configuration.vocabSize - 1). Is the tokenizer that of the checkpoint?")
    }
    var request = GenerationRequest(prompt: [])
    let (sampling, isFromFile) = try Self.sampling(arguments, text)
    request.sampling = sampling
    request.seed = UInt64(bitPattern: Int64(arguments[SamplingOptions.seed] ?? 0))
    request.maxNewTokens = arguments[SamplingOptions.maxNewTokens] ?? 1024
    request.stopStrings = arguments[SamplingOptions.stop].map(Self.unescaped)
    request.stopTokens = text.endTokens
    for name in arguments[SamplingOptions.stopToken] {
      guard let id = tokenizer.id(of: name) else {
        throw CommandError(
          "'--stop-token' is \(quoted(name)), which is no token of \(path). "
            + "A text of several tokens goes with '--stop'.")
      }
      request.stopTokens.insert(id)
    }
    if let prefix = arguments[SamplingOptions.forcedPrefix] {
      request.forcedPrefix = tokenizer.encode(Self.unescaped(prefix), special: true)
    }
    request.thinkingBudget = arguments[SamplingOptions.thinkingBudget].map {
      ThinkingBudget(tokens: $0)
    }
    self.request = request
    settings = Self.sentence(request, isFromFile)
  }

  /// The weights, loaded.
  func engine(_ settings: EngineSettings) throws -> GenerationEngine {
    let decoder =
      switch weights {
      case .bfloat16: try checkpoint.packedDecoder()
      case .int8: try checkpoint.packedDecoder(.int8)
      case .float32: try checkpoint.decoder(precision: .float32)
      }
    return try GenerationEngine(decoder, tokenizer: text.tokenizer, settings)
  }

  var rendering: Rendering {
    Rendering(tokenizer: text.tokenizer, template: text.template, endTokens: text.endTokens)
  }

  /// The tokens that ask for an answer to a prompt, or begin what is continued.
  func tokens(of prompt: Prompt) throws -> [Int32] {
    switch prompt.body {
    case .text(let continued):
      return text.tokenizer.prefix + text.tokenizer.encode(continued, special: true)
    case .conversation(let messages):
      guard text.template != nil else {
        throw CommandError(
          "\(prompt.place): the checkpoint has no chat template, which turns need. Give the prompt "
            + "as a text, with the key 'prompt'.")
      }
      return try rendering.prompt(messages, place: prompt.place)
    }
  }

  // MARK: - Settings

  /// What the command line says, then `generation_config.json`, then transformers' defaults.
  private static func sampling(
    _ arguments: Arguments, _ text: TextCheckpoint
  ) throws -> (SamplingSettings, isFromFile: Bool) {
    var isFromFile = false
    func number(_ given: Double?, _ key: String, _ otherwise: Double) -> Double {
      if let given { return given }
      guard case .number(let number)? = text.generation?[key], let value = number.double else {
        return otherwise
      }
      isFromFile = true
      return value
    }
    let settings = SamplingSettings(
      temperature: number(arguments[SamplingOptions.temperature], "temperature", 1),
      topP: number(arguments[SamplingOptions.topP], "top_p", 1),
      topK: Int(
        min(number(arguments[SamplingOptions.topK].map(Double.init), "top_k", 0), 0x1p24)),
      minP: number(arguments[SamplingOptions.minP], "min_p", 0),
      repetitionPenalty: number(
        arguments[SamplingOptions.repetitionPenalty], "repetition_penalty", 1))
    try settings.check()
    return (settings, isFromFile)
  }

  private static func sentence(_ request: GenerationRequest, _ isFromFile: Bool) -> String {
    let sampling = request.sampling
    if sampling.temperature == 0 { return "The most probable token, always." }
    var parts = ["temperature \(numberText(sampling.temperature))"]
    if sampling.topP < 1 { parts.append("top-p \(numberText(sampling.topP))") }
    if sampling.topK > 0 { parts.append("top-k \(sampling.topK)") }
    if sampling.minP > 0 { parts.append("min-p \(numberText(sampling.minP))") }
    if sampling.repetitionPenalty != 1 {
      parts.append("repetition penalty \(numberText(sampling.repetitionPenalty))")
    }
    let source = isFromFile ? " (what is not given: generation_config.json)" : ""
    return "Sampling at \(listText(parts)), seed \(request.seed)\(source)."
  }

  /// A text in which `\n` and `\t` were written for a line break and a tab.
  static func unescaped(_ text: String) -> String {
    text.replacingOccurrences(of: "\\n", with: "\n").replacingOccurrences(of: "\\t", with: "\t")
  }
}
