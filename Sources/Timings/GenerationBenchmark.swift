import CKernels
import Foundation
import Generation
import Models
import Tensors
import Training

/// How fast text is generated, and how near that comes to what the memory delivers.
public struct GenerationTiming: Codable, Sendable {
  /// What was timed, such as "decode, 8 sequences".
  public let name: String
  /// How the weights are kept.
  public let weights: String
  public let tokensPerSecond: Double
  /// Bytes of weights read per second: once for every step.
  public let bytesPerSecond: Double
  /// Of what all threads together read from memory at best, just before and just after: where a
  /// machine is shared that may change by half from one second to the next.
  public let fractionOfRead: Double
  /// Operations per second, over what all threads reach at best in bfloat16; products of integers
  /// may be beyond it.
  public let fractionOfPeak: Double
  /// The share of a step that goes into choosing tokens.
  public let samplingShare: Double
  public let peakMemoryBytes: Int
  public let threads: Int
}

/// Generation with a random Qwen2.5-0.5B, as an engine does it: prompts of 128 tokens, and tokens
/// drawn at the temperature and top-p of DeepSeek-R1's evaluations.
public enum GenerationBenchmark {
  public static let sequences = [1, 8, 32]
  public static let promptLength = 1024
  private static let chunk = EngineSettings().promptChunk
  static let sampling = SamplingSettings(temperature: 0.6, topP: 0.95)

  /// - Parameter report: Called with each measurement as it is made.
  public static func run(
    with ceilings: Ceilings, formats: [PackedFormat] = PackedFormat.allCases,
    sequences: [Int] = sequences, tokens: Int = 48,
    report: (GenerationTiming) throws -> Void
  ) throws {
    let model = try KnownModel.named("Qwen2.5-0.5B")
    let trained = Decoder(model.configuration, precision: .bfloat16)
    trained.initialize(seed: 1)
    for format in formats {
      PeakMemory.reset()
      let decoder = Decoder(packing: trained, format)
      for count in sequences {
        try report(try decode(decoder, format, count, tokens, ceilings))
      }
      try report(try prompt(decoder, format, ceilings))
    }
    StoragePool.shared.trim()
  }

  /// The median of several rounds where memory is the limit; more sequences take one, since it is
  /// their prompts that take time.
  private static func decode(
    _ decoder: Decoder, _ format: PackedFormat, _ count: Int, _ tokens: Int, _ ceilings: Ceilings
  ) throws -> GenerationTiming {
    var rounds: [(rate: Double, perRead: Double)] = []
    for _ in 0..<(count == 1 ? 5 : 1) {
      let before = Ceilings.readNow()
      let rate = try decodingRate(decoder, count, tokens)
      rounds.append((rate, rate / max(before, Ceilings.readNow())))
    }
    let rate = rounds.map(\.rate).sorted()[rounds.count / 2]
    return timing(
      "decode, \(count) \(count == 1 ? "sequence" : "sequences")", decoder, format, rate,
      stepsPerSecond: rate / Double(count),
      read: rate / rounds.map(\.perRead).sorted()[rounds.count / 2], ceilings,
      samplingShare: samplingSeconds(decoder, rows: count) * rate / Double(count))
  }

  /// Tokens per second, counted from when all sequences run until the first ends.
  private static func decodingRate(
    _ decoder: Decoder, _ count: Int, _ tokens: Int
  ) throws -> Double {
    let engine = try GenerationEngine(
      decoder, EngineSettings(maxSequences: count, promptChunk: chunk, cacheBytes: 1 << 30))
    let window = Window(sequences: count)
    let done = DispatchSemaphore(value: 0)
    for sequence in 0..<count {
      var request = GenerationRequest(prompt: randomTokens(128, sequence, decoder))
      request.sampling = sampling
      // Those that begin first wait for the last, and then there is something to count.
      request.maxNewTokens = tokens + (count - sequence)
      request.seed = UInt64(sequence)
      _ = try engine.submit(request) { event in
        switch event {
        case .token: window.note(sequence)
        case .finished:
          window.close()
          done.signal()
        }
      }
    }
    for _ in 0..<count { done.wait() }
    return window.tokensPerSecond
  }

  private static func prompt(
    _ decoder: Decoder, _ format: PackedFormat, _ ceilings: Ceilings
  ) throws -> GenerationTiming {
    var best = Double.infinity
    for attempt in 0..<3 {
      let memory = KeyValueBlocks(decoder, capacity: 64)
      let sequence = CachedSequence(in: memory)
      let tokens = randomTokens(promptLength, attempt, decoder)
      let start = Stopwatch.now
      for first in stride(from: 0, to: tokens.count, by: chunk) {
        _ = sequence.reserve(chunk)
        let part = Array(tokens[first..<min(tokens.count, first + chunk)])
        _ = try decoder.step([
          SequencePart(sequence, part, wantsLogits: first + chunk >= tokens.count)
        ])
      }
      best = min(best, Stopwatch.now - start)
    }
    return timing(
      "prompt of \(promptLength)", decoder, format, Double(promptLength) / best,
      stepsPerSecond: Double((promptLength + chunk - 1) / chunk) / best, read: ceilings.read,
      ceilings, samplingShare: 0)
  }

  private static func timing(
    _ name: String, _ decoder: Decoder, _ format: PackedFormat, _ rate: Double,
    stepsPerSecond: Double, read: Double, _ ceilings: Ceilings, samplingShare: Double
  ) -> GenerationTiming {
    let weights = Double(
      decoder.configuration.parameterCountWithoutEmbeddings
        + (name.hasPrefix("prompt")
          ? 0 : decoder.configuration.vocabSize * decoder.configuration.hiddenSize))
    let bytes = weights * (format == .int8 ? 17.0 / 16 : 2) * stepsPerSecond
    return GenerationTiming(
      name: name, weights: format.rawValue, tokensPerSecond: rate, bytesPerSecond: bytes,
      fractionOfRead: bytes / read, fractionOfPeak: 2 * weights * rate / ceilings.bfloat16,
      samplingShare: samplingShare, peakMemoryBytes: PeakMemory.bytes,
      threads: ThreadPool.shared.threads)
  }

  /// Seconds to choose a token for each of some rows, as a step does.
  private static func samplingSeconds(_ decoder: Decoder, rows: Int) -> Double {
    SamplerBenchmark.seconds(
      sampling, rows: rows, vocabulary: decoder.configuration.vocabSize, clock: { Stopwatch.now })
  }

  private static func randomTokens(_ count: Int, _ number: Int, _ decoder: Decoder) -> [Int32] {
    let stream = RandomStream(seed: 1, "benchmark prompt", number)
    return (0..<count).map { Int32(stream[$0] % UInt64(decoder.configuration.vocabSize)) }
  }
}

/// Tokens counted between two moments, on the engine's thread.
private final class Window: @unchecked Sendable {
  private let lock = NSLock()
  private var begun: Set<Int> = []
  private let sequences: Int
  private var start = 0.0
  private var end = 0.0
  private var last = 0.0
  private var tokens = 0

  init(sequences: Int) { self.sequences = sequences }

  func note(_ sequence: Int) {
    lock.withLock {
      last = Stopwatch.now
      if start > 0 {
        if end == 0 { tokens += 1 }
      } else {
        begun.insert(sequence)
        if begun.count == sequences { start = last }
      }
    }
  }

  func close() { lock.withLock { if end == 0 { end = last } } }

  var tokensPerSecond: Double { lock.withLock { Double(tokens) / max(end - start, 1e-9) } }
}
