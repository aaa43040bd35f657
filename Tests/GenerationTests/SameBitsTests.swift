import Generation
import Models
import Tensors
import XCTest

/// A sample is the same whatever runs beside it, and its probabilities are those of training.
final class SameBitsTests: XCTestCase {
  func testLogProbabilitiesAreThoseOfTheTrainingForwardPass() throws {
    for family in [ModelFamily.qwen2, .llama, .qwen3] {
      let model = try TinyModel(family)
      let engine = try GenerationEngine(model.packed)
      var request = GenerationRequest(prompt: model.prompt(45, 1))
      request.samples = 0..<4
      request.maxNewTokens = 300
      request.sampling = SamplingSettings(
        temperature: 0.7, topP: 0.9, topK: 40, minP: 0.001, repetitionPenalty: 1.1)
      for completion in try engine.completions([request])[0] {
        let tokens = request.prompt + completion.tokens
        XCTAssertEqual(completion.tokens.count, 300)
        XCTAssertEqual(completion.finishReason, .length)
        XCTAssertEqual(completion.promptTokens, 45)
        let expected = try model.trained.logProbabilities(
          PackedTokens(tokens), targets: Array(tokens.dropFirst()) + [-1])
        XCTAssertEqual(
          completion.logProbabilities.map(\.bitPattern), expected[44..<344].map(\.bitPattern),
          "\(family), sample \(completion.sample)")
      }
    }
  }

  func testASampleIsTheSameInAnyCompany() throws {
    let model = try TinyModel()
    let requests = model.requests(17)
    let reference = try GenerationEngine(model.packed).completions(requests)
    XCTAssertGreaterThan(Set(reference.flatMap { $0.map(\.tokens) }).count, 40)
    XCTAssertTrue(reference.joined().contains { $0.finishReason == .stopToken(7) })
    XCTAssertTrue(reference.joined().contains { $0.finishReason == .length })

    // Alone, one sample at a time.
    for (number, request) in requests.enumerated() {
      for sample in request.samples where (number + sample) % 5 == 0 {
        var alone = request
        alone.samples = sample..<sample + 1
        XCTAssertEqual(
          try GenerationEngine(model.packed).completions([alone])[0],
          [reference[number][sample]], "request \(number), sample \(sample), alone")
      }
    }
    // In other orders, in small and large steps, with little memory.
    let blockBytes = KeyValueBlocks.blockBytes(model.packed.configuration, precision: .bfloat16)
    for (sequences, chunk, blocks) in [
      (1, 1, 5), (2, 3, 6), (7, 16, 5), (7, 64, 9), (64, 5, 12), (64, 1000, 30), (13, 33, 400),
    ] {
      let engine = try GenerationEngine(
        model.packed,
        EngineSettings(
          maxSequences: sequences, promptChunk: chunk, cacheBytes: blocks * blockBytes))
      let found = try engine.completions(requests.reversed()).reversed()
      XCTAssertEqual(
        Array(found), reference, "\(sequences) sequences, \(chunk) tokens, \(blocks) blocks")
    }
  }

  func testLittleMemorySetsSamplesBackAndChangesNothing() throws {
    let model = try TinyModel()
    var requests = model.requests(9, samples: 5, tokens: 2)
    for index in requests.indices {
      requests[index].maxNewTokens = 120
      requests[index].stopTokens = []
    }
    let reference = try GenerationEngine(model.packed).completions(requests)
    let blockBytes = KeyValueBlocks.blockBytes(model.packed.configuration, precision: .bfloat16)
    for blocks in [8, 11, 17, 40] {
      let engine = try GenerationEngine(
        model.packed, EngineSettings(maxSequences: 16, cacheBytes: blocks * blockBytes))
      XCTAssertEqual(try engine.completions(requests), reference, "\(blocks) blocks")
      XCTAssertGreaterThan(engine.statistics.setBacks, 0, "\(blocks) blocks")
    }
  }

  func testAnyNumberOfThreads() throws {
    let model = try TinyModel(.llama)
    let requests = model.requests(8)
    // In float32 a sequence depends on those beside it, but on nothing else.
    let float32 = Decoder(model.trained.configuration, precision: .float32)
    for (to, from) in zip(float32.parameters, model.trained.parameters) {
      to.value.pointer.update(from: from.value.pointer, count: from.count)
    }
    for decoder in [model.packed, model.trained, float32] {
      var first: [[Completion]]?
      for threads in [1, 2, 3, 8] {
        try withThreads(threads) {
          let found = try requests.flatMap { try GenerationEngine(decoder).completions([$0]) }
          XCTAssertEqual(found, first ?? found, "\(threads) threads")
          first = first ?? found
        }
      }
    }
  }

  /// Enough sequences that a step is divided among threads.
  func testStepsInSharesAreTheSame() throws {
    for (family, format) in [
      (ModelFamily.qwen2, PackedFormat.bfloat16), (.llama, .int8), (.qwen3, .bfloat16),
    ] {
      let decoder = Decoder(packing: try TinyModel(family).trained, format)
      let requests = try TinyModel(family).requests(31, samples: 6)
      var reference: [[Completion]] = []
      try withThreads(1) {
        let few = EngineSettings(maxSequences: 7, promptChunk: 30)
        reference = try GenerationEngine(decoder, few).completions(requests)
      }
      for threads in [2, 3, 8] {
        try withThreads(threads) {
          XCTAssertGreaterThan(
            decoder.shares(of: [Int](repeating: 1, count: 160)).count, 2, "\(threads) threads")
          for sequences in [90, 160] {
            let engine = try GenerationEngine(
              decoder, EngineSettings(maxSequences: sequences, promptChunk: 200))
            XCTAssertEqual(
              try engine.completions(requests), reference,
              "\(family), \(format), \(threads) threads, \(sequences) sequences")
          }
        }
      }
    }
  }

  func testPackedAndTrainedDecodersAgree() throws {
    let model = try TinyModel(.qwen3)
    let requests = model.requests(6)
    XCTAssertEqual(
      try GenerationEngine(model.packed).completions(requests),
      try GenerationEngine(model.trained).completions(requests))
  }

  func testIntegersAreTheSameInAnyCompanyToo() throws {
    let model = try TinyModel(.llama)
    let integers = Decoder(packing: model.trained, .int8)
    let requests = model.requests(7)
    let reference = try GenerationEngine(integers).completions(requests)
    XCTAssertNotEqual(reference, try GenerationEngine(model.packed).completions(requests))
    for (number, request) in requests.enumerated() {
      XCTAssertEqual(try GenerationEngine(integers).completions([request])[0], reference[number])
    }
    try withThreads(3) {
      let engine = try GenerationEngine(
        integers, EngineSettings(maxSequences: 5, promptChunk: 7))
      XCTAssertEqual(try engine.completions(requests), reference)
    }
  }

  func testSeedPromptAndSampleDecide() throws {
    let model = try TinyModel()
    var request = model.requests(3)[2]
    request.maxNewTokens = 30
    request.stopTokens = []
    let engine = try GenerationEngine(model.packed)
    let first = try engine.completions([request, request])
    XCTAssertEqual(first[0], first[1], "the same request")
    XCTAssertEqual(Set(first[0].map(\.tokens)).count, 3, "samples differ")
    request.seed = 43
    XCTAssertNotEqual(try engine.completions([request])[0].map(\.tokens), first[0].map(\.tokens))
    // The tenth sample is the tenth, whether or not others were asked for.
    request.samples = 9..<12
    let later = try engine.completions([request])[0]
    XCTAssertEqual(later.map(\.sample), [9, 10, 11])
    request.samples = 0..<12
    XCTAssertEqual(Array(try engine.completions([request])[0][9...]), later)
  }

  func testFloat32Greedy() throws {
    let model = try TinyModel()
    let float32 = Decoder(model.trained.configuration, precision: .float32)
    for (to, from) in zip(float32.parameters, model.trained.parameters) {
      to.value.pointer.update(from: from.value.pointer, count: from.count)
    }
    var request = GenerationRequest(prompt: model.prompt(30, 2))
    request.sampling = .greedy
    request.maxNewTokens = 60
    let found = try GenerationEngine(float32).completions([request])[0][0].tokens
    // Each token is the most probable after those before it, by the whole forward pass.
    let logits = try float32.logits(PackedTokens(request.prompt + found))
    for (index, token) in found.enumerated() {
      let row = Array(logits.rows(29 + index..<30 + index).elements)
      let best = row.max() ?? 0
      XCTAssertLessThan(best - row[Int(token)], 1e-4, "token \(index)")
    }
  }
}
