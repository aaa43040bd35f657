import Foundation
import Generation
import Models
import Tensors
import XCTest

/// A small random model, and what it is asked.
struct TinyModel {
  let trained: Decoder
  /// The same, packed.
  let packed: Decoder

  /// - Parameter context: Positions the model has.
  init(
    _ family: ModelFamily = .qwen2, context: Int = 512, vocabulary: Int = 101, seed: UInt64 = 3
  ) throws {
    let configuration = try ModelConfiguration(
      family: family, vocabSize: vocabulary, hiddenSize: 40, intermediateSize: 72,
      numHiddenLayers: 3, numAttentionHeads: 4, numKeyValueHeads: 2, headDim: 12,
      maxPositionEmbeddings: context)
    trained = Decoder(configuration, precision: .bfloat16)
    trained.initialize(seed: seed)
    // Larger weights than fresh ones, so that probabilities are far from equal.
    for parameter in trained.parameters where parameter.shape.count == 2 {
      parameter.value.scale(by: 6)
    }
    packed = Decoder(packing: trained)
  }

  func prompt(_ count: Int, _ number: Int) -> [Int32] {
    let stream = RandomStream(seed: 11, "prompt", number)
    return (0..<count).map { Int32(stream[$0] % UInt64(trained.configuration.vocabSize)) }
  }

  /// Prompts of many lengths, with several samples each.
  func requests(_ count: Int, samples: Int = 3, tokens: Int = 40) -> [GenerationRequest] {
    (0..<count).map { number in
      var request = GenerationRequest(prompt: prompt(1 + number * 37 % 90, number))
      request.samples = 0..<samples
      request.maxNewTokens = 1 + number * 13 % tokens
      request.sampling = SamplingSettings(temperature: 0.8, topP: 0.95)
      request.seed = 42
      request.stopTokens = [7]
      return request
    }
  }
}

extension GenerationEngine {
  /// All completions of some requests, in their order; sent at once.
  func completions(_ requests: [GenerationRequest]) throws -> [[Completion]] {
    let results = Results(requests.count)
    for (number, request) in requests.enumerated() {
      _ = try submit(request) { event in
        if case .finished(let completion) = event { results.add(completion, number) }
      }
    }
    return results.wait(for: requests.reduce(0) { $0 + $1.samples.count })
  }
}

private final class Results: @unchecked Sendable {
  private let lock = NSLock()
  private let semaphore = DispatchSemaphore(value: 0)
  private var lists: [[Completion]]

  init(_ count: Int) { lists = Array(repeating: [], count: count) }

  func add(_ completion: Completion, _ number: Int) {
    lock.withLock { lists[number].append(completion) }
    semaphore.signal()
  }

  func wait(for count: Int) -> [[Completion]] {
    for _ in 0..<count {
      if semaphore.wait(timeout: .now() + 120) == .timedOut {
        XCTFail("The engine stands still.")
        break
      }
    }
    return lock.withLock { lists.map { $0.sorted { $0.sample < $1.sample } } }
  }
}

func withThreads(_ threads: Int, _ body: () throws -> Void) rethrows {
  let before = ThreadPool.shared.threads
  ThreadPool.shared.threads = threads
  defer { ThreadPool.shared.threads = before }
  try body()
}
