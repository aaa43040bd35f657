import Foundation
import Models
import Tensors
import Tokenizers

/// How much an engine does at once.
public struct EngineSettings: Sendable {
  /// The most samples that run at a time.
  public var maxSequences: Int
  /// The most tokens of prompts in a step.
  public var promptChunk: Int
  /// Bytes for keys and values; nil for as much as `maxSequences` contexts, at most a quarter of the
  /// machine's memory, but at least one context.
  public var cacheBytes: Int?

  public init(maxSequences: Int = 32, promptChunk: Int = 512, cacheBytes: Int? = nil) {
    self.maxSequences = maxSequences
    self.promptChunk = promptChunk
    self.cacheBytes = cacheBytes
  }
}

/// What an engine has done so far, and what it is doing.
public struct EngineStatistics: Equatable, Sendable {
  /// Tokens chosen or forced.
  public var tokens = 0
  /// Tokens of prompts computed, those computed again included.
  public var promptTokens = 0
  /// Samples that ended, for whatever reason.
  public var finished = 0
  /// Samples that have a place in the next step.
  public var running = 0
  /// Samples that have none yet.
  public var waiting = 0
  /// How often a sample gave up its memory to an older one.
  public var setBacks = 0
  /// Blocks of the cache that sequences hold.
  public var blocksInUse = 0
}

/// Generates text with a decoder: many requests at once, each as if it were alone.
///
/// With a bfloat16 decoder a sample depends on the seed, its prompt and its number alone, not on
/// what else runs, on the threads or on the memory; in float32, not on the threads. An engine owns
/// one thread, which ends with it; a process may have many engines.
public final class GenerationEngine: Sendable {
  public let tokenizer: Tokenizer?
  public let configuration: ModelConfiguration
  private let memory: KeyValueBlocks
  private let core: EngineCore

  /// - Parameter tokenizer: Without one there is no text, and there are no stop strings.
  /// - Throws: `GenerationError` if the settings make no sense.
  public init(
    _ decoder: Decoder, tokenizer: Tokenizer? = nil, _ settings: EngineSettings = EngineSettings()
  ) throws(GenerationError) {
    for (name, value) in [
      ("maxSequences", settings.maxSequences), ("promptChunk", settings.promptChunk),
    ] where value < 1 {
      throw GenerationError("'\(name)' is \(value); it must be at least 1.")
    }
    self.tokenizer = tokenizer
    configuration = decoder.configuration
    let blockBytes = KeyValueBlocks.blockBytes(configuration, precision: decoder.precision)
    memory = KeyValueBlocks(
      decoder,
      capacity: (settings.cacheBytes
        ?? Self.defaultCacheBytes(decoder, settings.maxSequences)) / blockBytes)
    core = EngineCore(decoder, tokenizer, memory: memory, settings)
  }

  deinit { core.stop() }

  private static func defaultCacheBytes(_ decoder: Decoder, _ sequences: Int) -> Int {
    let tokens = KeyValueBlocks(decoder, capacity: 0)
    let block = KeyValueBlocks.blockBytes(decoder.configuration, precision: decoder.precision)
    let context = (tokens.blocks(for: decoder.configuration.maxPositionEmbeddings) + 2) * block
    let quarter = Int(ProcessInfo.processInfo.physicalMemory / 4)
    return max(context, min(context * sequences, quarter))
  }

  /// As of the beginning of the step that is being made.
  public var statistics: EngineStatistics { core.statisticsNow }
  /// Bytes of keys and values that were taken from the system.
  public var cacheByteCount: Int { memory.byteCount }

  /// The events of a request; leaving the loop over them cancels it.
  ///
  /// - Throws: `GenerationError` for a request that can't be served.
  public func generate(
    _ request: GenerationRequest
  ) throws(GenerationError) -> AsyncStream<GenerationEvent> {
    try check(request)
    let (stream, continuation) = AsyncStream<GenerationEvent>.makeStream()
    let left = Countdown(request.samples.count)
    let ordinal = core.submit(request) { event in
      continuation.yield(event)
      if case .finished = event, left.next() == 0 { continuation.finish() }
    }
    // The engine lives as long as somebody listens.
    continuation.onTermination = { [self] termination in
      if case .cancelled = termination { core.cancel(ordinal) }
    }
    return stream
  }

  /// Starts a request whose events are given to a function, on the engine's thread.
  ///
  /// - Returns: What cancels it.
  /// - Throws: `GenerationError` for a request that can't be served.
  public func submit(
    _ request: GenerationRequest, deliver: @escaping @Sendable (GenerationEvent) -> Void
  ) throws(GenerationError) -> @Sendable () -> Void {
    try check(request)
    let ordinal = core.submit(request) { [self] event in
      // The engine lives until the request has ended.
      withExtendedLifetime(self) { deliver(event) }
    }
    return { [core] in core.cancel(ordinal) }
  }

  /// - Throws: `GenerationError` saying what is wrong with a request.
  public func check(_ request: GenerationRequest) throws(GenerationError) {
    try request.sampling.check()
    let tokens = request.prompt + request.forcedPrefix
    if tokens.isEmpty {
      throw GenerationError(
        "The prompt is empty; a sequence needs at least one token to go on from.")
    }
    if request.samples.isEmpty || request.samples.lowerBound < 0 {
      throw GenerationError("No sample is asked for; ask for at least 1.")
    }
    if request.maxNewTokens < 1 {
      throw GenerationError(
        "'maxNewTokens' is \(request.maxNewTokens); a completion has at least 1.")
    }
    let ids = 0..<Int32(configuration.vocabSize)
    for (what, list) in [("prompt", tokens), ("list of stop tokens", request.stopTokens.sorted())] {
      if let id = list.first(where: { !ids.contains($0) }) {
        throw GenerationError(
          "The \(what) has the token \(id); the model's vocabulary has ids 0 to \(ids.upperBound - 1). "
            + "Is the tokenizer that of the checkpoint?")
      }
    }
    try checkText(request)
    let context = configuration.maxPositionEmbeddings
    if tokens.count >= context {
      throw GenerationError(
        "The prompt has \(tokens.count) tokens, and the model's context is \(context); shorten it "
          + "so that a completion has room.")
    }
    let longest = min(context, tokens.count + request.maxNewTokens)
    // One more, since a sample that parts from its prompt copies the block in which it does.
    let blocks = memory.blocks(for: longest) + 1
    if blocks > memory.capacity {
      let block = KeyValueBlocks.blockBytes(
        configuration, precision: core.decoder.precision)
      throw GenerationError(
        "A sequence of \(longest) tokens needs a cache of \(blocks * memory.blockTokens) "
          + "(\(Self.mebibytes(blocks * block))), and there is one of "
          + "\(memory.capacity * memory.blockTokens) (\(Self.mebibytes(memory.capacity * block))). "
          + "Give it more memory, or ask for fewer tokens.")
    }
  }

  private func checkText(_ request: GenerationRequest) throws(GenerationError) {
    if request.stopStrings.contains("") {
      throw GenerationError("A stop string is empty; it would end every completion at once.")
    }
    if tokenizer == nil, !request.stopStrings.isEmpty {
      throw GenerationError("Stop strings need a tokenizer, and there is none.")
    }
    guard let budget = request.thinkingBudget else { return }
    if tokenizer == nil {
      throw GenerationError("A thinking budget needs a tokenizer, and there is none.")
    }
    if budget.tokens < 0 {
      throw GenerationError("The thinking budget is \(budget.tokens) tokens; it must be 0 or more.")
    }
    if !budget.closing.contains("</think>") {
      throw GenerationError(
        "What closes thinking must contain '</think>'; without it the model would go on thinking.")
    }
  }

  private static func mebibytes(_ bytes: Int) -> String {
    String(format: "%.1f MiB", Double(bytes) / Double(1 << 20))
  }
}

/// Counts down from a number, on any thread.
private final class Countdown: @unchecked Sendable {
  private let lock = NSLock()
  private var left: Int
  init(_ count: Int) { left = count }
  func next() -> Int {
    lock.withLock {
      left -= 1
      return left
    }
  }
}
