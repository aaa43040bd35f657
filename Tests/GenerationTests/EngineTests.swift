import Foundation
import Generation
import Models
import Tensors
import XCTest

/// Requests that come, are listened to, and are given up, on any thread.
final class EngineTests: XCTestCase {
  func testEvents() async throws {
    let model = try TinyModel()
    let request = model.requests(4)[3]
    let reference = try GenerationEngine(model.packed).completions([request])[0]
    var tokens: [Int: [Int32]] = [:]
    var probabilities: [Int: [Float]] = [:]
    var finished: [Completion] = []
    // Nothing but the stream refers to the engine.
    for await event in try GenerationEngine(model.packed).generate(request) {
      switch event {
      case .token(let sample, let id, let text, let logProbability):
        XCTAssertFalse(finished.contains { $0.sample == sample }, "a token after the end")
        XCTAssertEqual(text, "")
        tokens[sample, default: []].append(id)
        probabilities[sample, default: []].append(logProbability)
      case .finished(let completion): finished.append(completion)
      }
    }
    XCTAssertEqual(finished.sorted { $0.sample < $1.sample }, reference)
    for completion in finished {
      XCTAssertEqual(tokens[completion.sample], completion.tokens)
      XCTAssertEqual(probabilities[completion.sample], completion.logProbabilities)
    }
  }

  func testLeavingTheLoopCancels() async throws {
    let model = try TinyModel(context: 4096)
    let engine = try GenerationEngine(model.packed)
    var endless = GenerationRequest(prompt: [1, 2, 3])
    endless.maxNewTokens = 4000
    endless.samples = 0..<8
    let task = Task {
      var count = 0
      for await _ in try engine.generate(endless) {
        count += 1
        if count == 20 { break }
      }
      return count
    }
    let count = try await task.value
    XCTAssertEqual(count, 20)
    // The engine is free for others, and holds nothing of the request.
    let request = model.requests(2)[1]
    XCTAssertEqual(
      try engine.completions([request]), try GenerationEngine(model.packed).completions([request]))
    try assertEmpty(engine)
    XCTAssertLessThan(engine.statistics.tokens, 8 * 4000)
  }

  func testCancellingATask() async throws {
    let model = try TinyModel(context: 4096)
    let engine = try GenerationEngine(model.packed)
    var endless = GenerationRequest(prompt: [1, 2, 3])
    endless.maxNewTokens = 4000
    let request = endless
    let task = Task {
      for await _ in try engine.generate(request) {}
    }
    while engine.statistics.tokens == 0 { try await Task.sleep(nanoseconds: 1_000_000) }
    task.cancel()
    _ = try await task.value
    try assertEmpty(engine)
    XCTAssertLessThan(engine.statistics.tokens, 4000)
  }

  func testCancellingOneOfSeveral() throws {
    let model = try TinyModel(context: 2048)
    let engine = try GenerationEngine(model.packed)
    var endless = GenerationRequest(prompt: model.prompt(33, 9))
    endless.maxNewTokens = 2000
    endless.samples = 0..<3
    let ended = Ended()
    let cancel = try engine.submit(endless) { event in
      if case .finished(let completion) = event { ended.add(completion) }
    }
    let requests = model.requests(5)
    XCTAssertEqual(
      try engine.completions(requests), try GenerationEngine(model.packed).completions(requests))
    cancel()
    cancel()
    ended.wait(for: 3)
    for completion in ended.completions {
      XCTAssertEqual(completion.finishReason, .cancelled)
      XCTAssertLessThan(completion.tokens.count, 2000)
      XCTAssertEqual(completion.tokens.count, completion.logProbabilities.count)
    }
    try assertEmpty(engine)
  }

  /// With little memory it is the youngest that are set back: requests alike end in their order.
  func testTheOldestGoesOn() throws {
    let model = try TinyModel()
    let block = KeyValueBlocks.blockBytes(model.packed.configuration, precision: .bfloat16)
    let engine = try GenerationEngine(
      model.packed, EngineSettings(maxSequences: 8, cacheBytes: 9 * block))
    let ended = Ended()
    for number in 0..<6 {
      var request = GenerationRequest(prompt: model.prompt(20, number))
      request.maxNewTokens = 100
      request.samples = number..<number + 1
      _ = try engine.submit(request) { event in
        if case .finished(let completion) = event { ended.add(completion) }
      }
    }
    ended.wait(for: 6)
    XCTAssertEqual(ended.completions.map(\.sample), Array(0..<6))
    XCTAssertGreaterThan(engine.statistics.setBacks, 0)
  }

  /// Once its samples have begun, a prompt holds no blocks of its own.
  func testAPromptIsLetGo() throws {
    let model = try TinyModel()
    let engine = try GenerationEngine(model.packed)
    let ended = Ended()
    let used = Numbers()
    // A whole block, and one in which the sample parts from it.
    var request = GenerationRequest(prompt: model.prompt(40, 1))
    request.maxNewTokens = 20
    _ = try engine.submit(request) { event in
      switch event {
      case .token: used.add(engine.statistics.blocksInUse)
      case .finished(let completion): ended.add(completion)
      }
    }
    ended.wait(for: 1)
    XCTAssertEqual(used.list.count, 20)
    XCTAssertEqual(Set(used.list.dropFirst(2)), [2])
  }

  func testManyEnginesInOneProcess() throws {
    let models = try [ModelFamily.qwen2, .llama, .qwen3].map { try TinyModel($0, seed: 8) }
    let references = try models.map {
      try GenerationEngine($0.packed).completions($0.requests(5))
    }
    DispatchQueue.concurrentPerform(iterations: 9) { number in
      let model = models[number % 3]
      do {
        let found = try GenerationEngine(model.packed).completions(model.requests(5))
        XCTAssertEqual(found, references[number % 3], "engine \(number)")
      } catch {
        XCTFail("\(error)")
      }
    }
  }

  /// Requests of many lengths in little memory, some of which are given up at any moment.
  func testSoak() throws {
    let isLong = ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] != nil
    let model = try TinyModel(context: 256)
    let block = KeyValueBlocks.blockBytes(model.packed.configuration, precision: .bfloat16)
    let engine = try GenerationEngine(
      model.packed, EngineSettings(maxSequences: 24, promptChunk: 40, cacheBytes: 40 * block))
    let count = isLong ? 2000 : 300
    let stream = RandomStream(seed: 5, "soak")
    let ended = Ended()
    var expected = 0
    var mostBytes = 0
    var cancels: [@Sendable () -> Void] = []
    for number in 0..<count {
      var request = GenerationRequest(
        prompt: model.prompt(1 + Int(stream[6 * number] % 150), number))
      request.samples = 0..<1 + Int(stream[6 * number + 1] % 4)
      request.maxNewTokens = 1 + Int(stream[6 * number + 2] % 90)
      request.sampling = SamplingSettings(temperature: Double(stream[6 * number + 3] % 3) / 2)
      request.stopTokens = [Int32(stream[6 * number + 4] % 101)]
      expected += request.samples.count
      let cancel = try engine.submit(request) { event in
        if case .finished(let completion) = event { ended.add(completion) }
      }
      if stream[6 * number + 5] % 4 == 0 { cancels.append(cancel) }
      if number % 7 == 0, let cancel = cancels.popLast() { cancel() }
      if number % 50 == 0 { ended.wait(for: min(expected, 20)) }
      mostBytes = max(mostBytes, engine.cacheByteCount)
    }
    for cancel in cancels { cancel() }
    ended.wait(for: expected)
    let completions = ended.completions
    XCTAssertEqual(completions.count, expected)
    let reasons = Dictionary(grouping: completions, by: \.finishReason.name).mapValues(\.count)
    XCTAssertEqual(Set(reasons.keys), ["stop", "length", "cancelled"], "\(reasons)")
    XCTAssertGreaterThan(engine.statistics.setBacks, 0)
    XCTAssertLessThanOrEqual(mostBytes, 40 * block)
    try assertEmpty(engine)
    XCTAssertEqual(engine.cacheByteCount, 0, "memory that nobody needs is given back")
  }

  private func assertEmpty(_ engine: GenerationEngine) throws {
    // What was cancelled is given up at the engine's next step.
    for _ in 0..<2000 {
      let statistics = engine.statistics
      if statistics.running + statistics.waiting + statistics.blocksInUse == 0 { return }
      usleep(5000)
    }
    XCTFail("\(engine.statistics)")
  }
}

private final class Ended: @unchecked Sendable {
  private let lock = NSLock()
  private var list: [Completion] = []

  func add(_ completion: Completion) { lock.withLock { list.append(completion) } }
  var completions: [Completion] { lock.withLock { list } }

  func wait(for count: Int) {
    for _ in 0..<60_000 where completions.count < count { usleep(2000) }
    XCTAssertGreaterThanOrEqual(completions.count, count, "The engine stands still.")
  }
}

private final class Numbers: @unchecked Sendable {
  private let lock = NSLock()
  private var numbers: [Int] = []

  func add(_ number: Int) { lock.withLock { numbers.append(number) } }
  var list: [Int] { lock.withLock { numbers } }
}
