import Foundation
import Storage
import Tokenizers
import XCTest

@testable import Datasets

/// Each mistake of the list is found, and none where there is none.
final class GateTests: XCTestCase {
  private func gate(
    _ tokenizer: Tokenizer? = nil, _ template: String = Templates.plain,
    _ supervision: Supervision = .assistant, rows: Int? = 1000, skipping: [GateCheck] = []
  ) throws -> Gate {
    let tokenizer = try tokenizer ?? chatTokenizer()
    return Gate(
      Rendering(
        tokenizer: tokenizer, template: try chatTemplate(template),
        endTokens: try [XCTUnwrap(tokenizer.id(role: "eos_token"))], supervision: supervision),
      vocabularyRows: rows, skipping: skipping)
  }

  private let sample = Sample(
    .conversation(
      [Message("user", "Hi"), Message("assistant", "<think>\nWell, é.\n</think>\nHello.")],
      tools: []), place: "d.jsonl:1")

  private func findings(
    _ gate: Gate, _ change: (inout RenderedDocument) -> Void = { _ in }
  ) throws -> [String] {
    var documents = try gate.rendering.documents(of: sample)
    change(&documents[documents.count - 1])
    return gate.findings(documents, of: sample).map(\.sentence)
  }

  func testNothingIsFoundWhereNothingIsWrong() throws {
    XCTAssertEqual(try findings(gate()), [])
    XCTAssertEqual(try findings(gate(nil, Templates.dropping)), [])
    XCTAssertEqual(try findings(gate(nil, Templates.plain, .everything)), [])
    XCTAssertEqual(try findings(gate(nil, Templates.lastOnly, .last)), [])
  }

  func testNoLearnedToken() throws {
    let found = try findings(gate()) { $0.supervised = $0.supervised.map { _ in false } }
    XCTAssertEqual(found.first, "no token of it is learned.")
  }

  /// Padding that is also the end token, masked together with it.
  func testTheEndIsNotLearned() throws {
    let end = try XCTUnwrap(chatTokenizer().id(role: "eos_token"))
    let found = try findings(gate()) { document in
      for i in document.ids.indices where document.ids[i] == end { document.supervised[i] = false }
    }
    XCTAssertEqual(
      found, ["no token that ends a turn is learned: the model would not learn to stop."])
  }

  func testOneOfSeveralEndsIsNotLearned() throws {
    let gate = try gate()
    let sample = Sample(
      .conversation(
        [
          Message("user", "a"), Message("assistant", "b"), Message("user", "c"),
          Message("assistant", "d"),
        ], tools: []), place: "d.jsonl:1")
    var documents = try gate.rendering.documents(of: sample)
    let end = documents[0].turnEnds[0]
    documents[0].supervised[end - 1] = false
    XCTAssertEqual(
      gate.findings(documents, of: sample).map(\.sentence),
      ["the turn that ends at token \(end) has its end outside the loss."])
  }

  func testReasoningThatIsLost() throws {
    let found = try findings(gate()) { document in
      // The mask begins behind the thought.
      let first = document.supervised.firstIndex(of: true) ?? 0
      for i in first + 1..<first + 6 { document.supervised[i] = false }
    }
    XCTAssertEqual(
      found, ["its reasoning is in the sample, and not among the learned tokens."])
  }

  /// All of the text is learned, but the template has dropped the thought and asks for one.
  func testAPromptThatDiffersFromGeneration() throws {
    XCTAssertEqual(
      try findings(gate(nil, Templates.dropping, .everything)),
      [
        "its prompt differs from the one that generation will give the model.",
        "its reasoning is in the sample, and not among the learned tokens.",
      ])
    let found = try findings(gate()) { $0.ids[0] = $0.ids[1] }
    XCTAssertEqual(
      found, ["its prompt differs from the one that generation will give the model."])
  }

  /// Checks are left out one by one, by their names.
  func testSkippedChecks() throws {
    let prompt = "its prompt differs from the one that generation will give the model."
    let reasoning = "its reasoning is in the sample, and not among the learned tokens."
    func found(_ skipping: [GateCheck]) throws -> [String] {
      try findings(gate(nil, Templates.dropping, .everything, skipping: skipping))
    }
    XCTAssertEqual(try found([.samePrompt]), [reasoning])
    XCTAssertEqual(try found([.learnsReasoning]), [prompt])
    XCTAssertEqual(try found([.learnsReasoning, .samePrompt]), [])
    XCTAssertEqual(
      try found([.learnsSomething, .learnsToStop, .beginsOnce]), [prompt, reasoning])
    let nothing = try findings(gate(skipping: [.learnsToStop, .samePrompt, .learnsReasoning])) {
      $0.supervised = $0.supervised.map { _ in false }
    }
    XCTAssertEqual(nothing, ["no token of it is learned."])
    // What no model can be trained on can't be skipped.
    let id = try XCTUnwrap(chatTokenizer().id(of: "</think>"))
    XCTAssertEqual(
      try findings(gate(rows: Int(id), skipping: GateCheck.allCases)),
      ["it holds the token \(id) ('</think>'), but the embedding has \(id) rows."])
  }

  func testTokensBeyondTheEmbedding() throws {
    let id = try XCTUnwrap(chatTokenizer().id(of: "</think>"))
    let found = try findings(gate(rows: Int(id)))
    XCTAssertEqual(
      found, ["it holds the token \(id) ('</think>'), but the embedding has \(id) rows."])
    XCTAssertEqual(try findings(gate(rows: Int(id) + 1)), [])
    XCTAssertEqual(try findings(gate(rows: nil)), [])
  }

  /// A family whose texts begin with a token: once, neither twice nor never.
  func testBeginningOfSequence() throws {
    let folder = try temporaryFolder(self)
    let source = URL(fileURLWithPath: chatFolder)
    var json = try String(
      contentsOf: source.appendingPathComponent("tokenizer.json"), encoding: .utf8)
    let id = try XCTUnwrap(chatTokenizer().id(of: "<|endoftext|>"))
    json = json.replacingOccurrences(
      of: "\"post_processor\": null",
      with: """
        "post_processor": {"type": "TemplateProcessing", "single": [
          {"SpecialToken": {"id": "b", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
          "special_tokens": {"b": {"id": "b", "ids": [\(id)], "tokens": ["<|endoftext|>"]}}}
        """)
    try Data(json.utf8).write(to: URL(fileURLWithPath: folder + "/tokenizer.json"))
    try Data(#"{"eos_token": "<|im_end|>", "bos_token": "<|endoftext|>"}"#.utf8).write(
      to: URL(fileURLWithPath: folder + "/tokenizer_config.json"))
    let tokenizer = try Tokenizer(at: folder)
    XCTAssertEqual(tokenizer.prefix, [id])
    XCTAssertEqual(
      try findings(gate(tokenizer)),
      ["it does not begin with '<|endoftext|>', as the tokenizer has texts begin."])
    XCTAssertEqual(try findings(gate(tokenizer, "{{ bos_token }}" + Templates.plain)), [])
    XCTAssertEqual(
      try findings(gate(tokenizer, "{{ bos_token }}{{ bos_token }}" + Templates.plain)),
      ["it begins with '<|endoftext|>' twice; the template and the tokenizer both add it."])
  }
}
