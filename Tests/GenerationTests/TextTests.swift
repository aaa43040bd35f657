import Foundation
import Generation
import Models
import Tensors
import Tokenizers
import XCTest

/// What is promised of text: stop strings, forced beginnings, budgets for thinking.
final class TextTests: XCTestCase {
  private struct Setup {
    let model: TinyModel
    let tokenizer: Tokenizer
    var engine: GenerationEngine {
      get throws { try GenerationEngine(model.packed, tokenizer: tokenizer) }
    }
  }

  /// A tokenizer whose tags for thinking are several tokens.
  private func setup() throws -> Setup {
    var training = try TokenizerTraining(
      .init(splitting: .gpt2, vocabularySize: 290, minimumFrequency: 1, specialTokens: ["<end>"]))
    training.add([Array("the thinking of the think tank is thick; then the answer. é€😀".utf8)])
    let trained = training.train()
    let tokenizer = try Tokenizer(
      parsing: Array(trained.tokenizerJSON), source: "tokenizer.json")
    XCTAssertGreaterThan(tokenizer.encode("</think>").count, 2)
    return Setup(
      model: try TinyModel(context: 1024, vocabulary: tokenizer.idLimit), tokenizer: tokenizer)
  }

  private func request(_ setup: Setup, _ prompt: String) -> GenerationRequest {
    var request = GenerationRequest(prompt: setup.tokenizer.encode(prompt))
    request.maxNewTokens = 60
    request.samples = 0..<5
    return request
  }

  func testStreamedTextIsTheText() async throws {
    let setup = try setup()
    var request = request(setup, "then the answer")
    request.forcedPrefix = setup.tokenizer.encode("é<think>")
    request.stopStrings = ["the", "\n", "er"]
    var texts: [Int: String] = [:]
    var ends = Set<String>()
    for await event in try setup.engine.generate(request) {
      switch event {
      case .token(let sample, _, let text, _): texts[sample, default: "é<think>"] += text
      case .finished(let completion):
        XCTAssertEqual(texts[completion.sample], completion.text)
        ends.insert(completion.finishReason.name)
        let whole = setup.tokenizer.decode(
          request.forcedPrefix + completion.tokens, skippingSpecialTokens: true)
        if case .stopString(let stop) = completion.finishReason {
          XCTAssertTrue(whole.hasPrefix(completion.text + stop), "\(whole) \(completion.text)")
          XCTAssertFalse(
            request.stopStrings.contains { completion.text.contains($0) && $0 != "th" })
        } else {
          XCTAssertEqual(completion.text, whole)
        }
        XCTAssertEqual(
          completion.promptTokens, request.prompt.count + request.forcedPrefix.count)
      }
    }
    XCTAssertEqual(texts.count, 5)
    XCTAssertFalse(ends.isEmpty)
  }

  func testStopTokensAreNotText() throws {
    let setup = try setup()
    let end = try XCTUnwrap(setup.tokenizer.id(of: "<end>"))
    var request = request(setup, "the")
    request.maxNewTokens = 900
    request.samples = 0..<12
    request.stopTokens = [end]
    let completions = try setup.engine.completions([request])[0]
    let stopped = completions.filter { $0.finishReason == .stopToken(end) }
    XCTAssertGreaterThan(stopped.count, 3)
    for completion in stopped {
      XCTAssertEqual(completion.tokens.last, end)
      XCTAssertFalse(completion.text.contains("<end>"))
      XCTAssertEqual(completion.text, setup.tokenizer.decode(Array(completion.tokens.dropLast())))
    }
  }

  func testAThinkingBudgetClosesTheBlock() throws {
    let setup = try setup()
    let closing = "\n\nTime is up.\n</think>\n\n"
    let ids = setup.tokenizer.encode(closing)
    for (prompt, prefix) in [("the answer<think>", ""), ("the answer", "<think>\n")] {
      for budget in [0, 1, 17] {
        var request = request(setup, prompt)
        request.forcedPrefix = setup.tokenizer.encode(prefix)
        request.thinkingBudget = ThinkingBudget(tokens: budget, closing: closing)
        var free = request
        free.thinkingBudget = nil
        let unlimited = try setup.engine.completions([free])[0]
        for completion in try setup.engine.completions([request])[0] {
          // A budget of nothing ends with the first token, which is the model's.
          let first = max(budget, 1)
          XCTAssertEqual(completion.forced, [first..<first + ids.count], "budget \(budget)")
          XCTAssertEqual(Array(completion.tokens[first..<first + ids.count]), ids)
          XCTAssertEqual(
            completion.tokens.prefix(first),
            unlimited[completion.sample].tokens.prefix(first), "up to there nothing changes")
          XCTAssertEqual(completion.tokens.count, 60)
          XCTAssertTrue(completion.text.contains(closing))
          let tokens = request.prompt + request.forcedPrefix + completion.tokens
          let expected = try setup.model.trained.logProbabilities(
            PackedTokens(tokens), targets: Array(tokens.dropFirst()) + [-1])
          XCTAssertEqual(
            completion.logProbabilities.map(\.bitPattern),
            expected.dropLast().suffix(60).map(\.bitPattern), "forced tokens have theirs too")
        }
      }
    }
    // Nothing is open: nothing is closed.
    var request = request(setup, "<think>a</think>the answer")
    request.thinkingBudget = ThinkingBudget(tokens: 3)
    for completion in try setup.engine.completions([request])[0] {
      if !completion.text.contains("<think>") { XCTAssertEqual(completion.forced, []) }
    }
  }

  func testRefusals() throws {
    let setup = try setup()
    var request = request(setup, "the")
    request.thinkingBudget = ThinkingBudget(tokens: -1)
    XCTAssertThrowsError(try setup.engine.generate(request)) {
      XCTAssertEqual("\($0)", "The thinking budget is -1 tokens; it must be 0 or more.")
    }
    request.thinkingBudget = ThinkingBudget(tokens: 5, closing: "stop")
    XCTAssertThrowsError(try setup.engine.generate(request)) {
      XCTAssertEqual(
        "\($0)",
        "What closes thinking must contain '</think>'; without it the model would go on thinking.")
    }
  }
}
