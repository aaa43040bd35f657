import Generation
import Models
import Storage
import Tensors
import Tokenizers
import XCTest

/// What an engine does not do, and how it says so; and that others are unharmed.
final class RefusalTests: XCTestCase {
  private func assertError(
    _ words: String, line: UInt = #line, _ body: () throws -> Void
  ) {
    XCTAssertThrowsError(try body(), line: line) { error in
      XCTAssertTrue(error is GenerationError, line: line)
      XCTAssertEqual("\(error)", words, line: line)
    }
  }

  func testWords() throws {
    let model = try TinyModel(context: 64)
    let engine = try GenerationEngine(model.packed)
    func assertRefused(
      _ words: String, line: UInt = #line, _ change: (inout GenerationRequest) -> Void
    ) {
      var request = GenerationRequest(prompt: [1, 2, 3])
      change(&request)
      assertError(words, line: line) { _ = try engine.generate(request) }
    }
    assertRefused("The prompt is empty; a sequence needs at least one token to go on from.") {
      $0.prompt = []
    }
    assertRefused("No sample is asked for; ask for at least 1.") { $0.samples = 3..<3 }
    assertRefused("No sample is asked for; ask for at least 1.") { $0.samples = -1..<2 }
    assertRefused("'maxNewTokens' is 0; a completion has at least 1.") { $0.maxNewTokens = 0 }
    assertRefused(
      "The prompt has the token 101; the model's vocabulary has ids 0 to 100. Is the tokenizer that "
        + "of the checkpoint?"
    ) { $0.prompt = [5, 101] }
    assertRefused(
      "The prompt has the token -1; the model's vocabulary has ids 0 to 100. Is the tokenizer that "
        + "of the checkpoint?"
    ) { $0.forcedPrefix = [-1] }
    assertRefused(
      "The list of stop tokens has the token 500; the model's vocabulary has ids 0 to 100. Is the "
        + "tokenizer that of the checkpoint?"
    ) { $0.stopTokens = [4, 500] }
    assertRefused(
      "The prompt has 64 tokens, and the model's context is 64; shorten it so that a completion has "
        + "room."
    ) { $0.prompt = model.prompt(64, 1) }
    assertRefused("Stop strings need a tokenizer, and there is none.") { $0.stopStrings = ["x"] }
    assertRefused("A stop string is empty; it would end every completion at once.") {
      $0.stopStrings = ["x", ""]
    }
    assertRefused("A thinking budget needs a tokenizer, and there is none.") {
      $0.thinkingBudget = ThinkingBudget(tokens: 5)
    }
    assertRefused(
      "'temperature' is -1.0; it must be 0, for the most probable token, or from 0.001."
    ) { $0.sampling.temperature = -1 }

    for (settings, name) in [
      (EngineSettings(maxSequences: 0), "maxSequences"),
      (EngineSettings(promptChunk: 0), "promptChunk"),
    ] {
      assertError("'\(name)' is 0; it must be at least 1.") {
        _ = try GenerationEngine(model.packed, settings)
      }
    }
  }

  func testACacheTooSmallForOneSequence() throws {
    let model = try TinyModel(context: 512)
    let block = KeyValueBlocks.blockBytes(model.packed.configuration, precision: .bfloat16)
    let engine = try GenerationEngine(model.packed, EngineSettings(cacheBytes: 5 * block + 7))
    var request = GenerationRequest(prompt: model.prompt(100, 1))
    // 128 tokens are four blocks, and one is copied.
    request.maxNewTokens = 28
    XCTAssertEqual(try engine.completions([request])[0][0].tokens.count, 28)
    request.maxNewTokens = 29
    assertError(
      "A sequence of 129 tokens needs a cache of 192 (0.1 MiB), and there is one of 160 (0.1 MiB). "
        + "Give it more memory, or ask for fewer tokens."
    ) { _ = try engine.generate(request) }
    assertError(
      "A sequence of 101 tokens needs a cache of 160 (0.1 MiB), and there is one of 0 (0.0 MiB). "
        + "Give it more memory, or ask for fewer tokens."
    ) {
      request.maxNewTokens = 1
      _ = try GenerationEngine(model.packed, EngineSettings(cacheBytes: 0)).generate(request)
    }
  }

  func testTheContextEndsACompletion() throws {
    let model = try TinyModel(context: 64)
    var request = GenerationRequest(prompt: model.prompt(50, 1))
    request.maxNewTokens = 1000
    let completion = try GenerationEngine(model.packed).completions([request])[0][0]
    XCTAssertEqual(completion.tokens.count, 14)
    XCTAssertEqual(completion.finishReason, .length)
  }

  func testNaNHarmsOnlyTheSequenceThatHasIt() throws {
    let model = try TinyModel(.llama)
    // A token whose embedding is so large that its square is infinite.
    let embedding = try XCTUnwrap(model.trained.parameters.first { $0.name.contains("embed") })
    embedding.value.row(99).update(repeating: 3e38, count: embedding.value.columns)
    let broken = Decoder(packing: model.trained)
    var requests = model.requests(6)
    for index in requests.indices {
      requests[index].prompt.removeAll { $0 == 99 }
      requests[index].prompt.append(3)
      requests[index].samples = 0..<2
      requests[index].maxNewTokens = 12
      // It may be chosen, but is not gone on from.
      requests[index].stopTokens = [99]
    }
    let reference = try GenerationEngine(model.packed).completions(requests)
    requests[2].prompt.append(99)
    let found = try GenerationEngine(broken).completions(requests)
    for index in requests.indices where index != 2 {
      XCTAssertEqual(found[index].map(\.tokens), reference[index].map(\.tokens), "request \(index)")
    }
    for completion in found[2] {
      XCTAssertEqual(
        completion.finishReason,
        .failed(
          GenerationError(
            "The output of layer 0 holds NaN or infinity for this sequence. The weights are damaged, "
              + "or their training diverged; take an earlier checkpoint.")))
      XCTAssertEqual(completion.finishReason.name, "error")
      XCTAssertEqual(completion.tokens, [])
    }

    // The head's, in a model whose head is its own.
    let head = try XCTUnwrap(model.trained.parameters.first { $0.name.contains("lm_head") })
    embedding.value.row(99).update(repeating: 1, count: embedding.value.columns)
    head.value.row(50).update(repeating: 3e38, count: head.value.columns)
    let noHead = try GenerationEngine(Decoder(packing: model.trained)).completions([requests[0]])
    guard case .failed(let error)? = noHead.first?.first?.finishReason else {
      return XCTFail("\(noHead)")
    }
    XCTAssertTrue(error.description.hasPrefix("The output of the head holds NaN or infinity"))
  }

  /// The same where threads make a step's shares, and sequences break off while others go on.
  func testNaNInAShareHarmsOnlyTheSequenceThatHasIt() throws {
    let model = try TinyModel(.llama)
    let embedding = try XCTUnwrap(model.trained.parameters.first { $0.name.contains("embed") })
    embedding.value.row(99).update(repeating: 3e38, count: embedding.value.columns)
    let broken = Decoder(packing: model.trained)
    var requests = model.requests(20, samples: 7)
    for index in requests.indices {
      requests[index].prompt.removeAll { $0 == 99 }
      requests[index].prompt.append(3)
      requests[index].maxNewTokens = 30
      requests[index].stopTokens = []
    }
    let reference = try GenerationEngine(broken, EngineSettings(maxSequences: 5)).completions(
      requests)
    for completion in reference.joined() {
      // Nothing follows the token, unless it was the last.
      let place = completion.tokens.firstIndex(of: 99) ?? 29
      XCTAssertEqual(completion.tokens.count, place + 1)
      XCTAssertEqual(completion.finishReason.name, place < 29 ? "error" : "length")
    }
    XCTAssertTrue(reference.joined().contains { $0.finishReason == .length })
    XCTAssertTrue(reference.joined().contains { $0.finishReason.name == "error" })
    try withThreads(3) {
      let engine = try GenerationEngine(broken, EngineSettings(maxSequences: 140))
      XCTAssertEqual(try engine.completions(requests), reference)
    }
  }
}
