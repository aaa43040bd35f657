import Foundation
import Storage
import XCTest

@testable import Tokenizers

/// The vectors of llama.cpp and swift-transformers, for the tokenizers that are there.
final class VectorTests: XCTestCase {
  private func folder(_ name: String) throws -> String {
    "\(try TokenizerFixtures.shared())/tokenizers/\(name)"
  }

  func testLlamaCppVectors() throws {
    for (name, vectors) in [
      ("qwen2.5", "qwen2"), ("deepseek-r1-distill-qwen", "deepseek-r1-qwen"), ("gpt2", "gpt-2"),
      ("llama3", "llama-bpe"),
    ] {
      let tokenizer = try TokenizerFixtures.tokenizer(folder(name))
      let base = try folder("vectors/llamacpp/ggml-vocab-\(vectors).gguf")
      let texts = try String(contentsOfFile: base + ".inp", encoding: .utf8)
        .components(separatedBy: "\n__ggml_vocab_test__\n")
      let ids = try String(contentsOfFile: base + ".out", encoding: .utf8).split(
        separator: "\n", omittingEmptySubsequences: false
      ).map { $0.split(separator: " ").compactMap { Int32($0) } }
      XCTAssertGreaterThan(texts.count, 40)
      XCTAssertGreaterThanOrEqual(ids.count, texts.count)
      for (text, ids) in zip(texts, ids) {
        XCTAssertEqual(tokenizer.encode(text), ids, "\(name): \(text.debugDescription)")
      }
    }
  }

  func testMultilingualVectors() throws {
    for (name, file) in [("qwen2.5", "Qwen__Qwen2.5-0.5B"), ("gpt2", "openai-community__gpt2")] {
      let tokenizer = try TokenizerFixtures.tokenizer(folder(name))
      let inputs = try XCTUnwrap(
        TokenizerFixtures.json(folder("vectors/swift/inputs.json")).object?["inputs"])
      let entries = try XCTUnwrap(
        TokenizerFixtures.json(folder("vectors/swift/baselines/\(file).json")).object?["entries"]?
          .object)
      XCTAssertGreaterThan(entries.members.count, 20)
      for (key, entry) in entries.members {
        let text = try XCTUnwrap(
          inputs.object?[key]?.text ?? inputs.object?[key]?.object?["text"]?.text
            ?? inputs.list?.first { $0.object?["id"]?.text == key }?.object?["text"]?.text)
        let ids = try XCTUnwrap(entry.object?["input_ids"]?.ids)
        XCTAssertEqual(tokenizer.encode(text), ids, "\(name): \(key)")
        let decoded = try XCTUnwrap(entry.object?["decoded_skip_special"]?.text)
        assertSameText(tokenizer.decode(ids, skippingSpecialTokens: true), decoded, key)
      }
    }
  }

  func testLargeMultilingualVectors() throws {
    for (name, file) in [("qwen2.5", "qwen2_5_multilingual"), ("gpt2", "gpt2_multilingual")] {
      let tokenizer = try TokenizerFixtures.tokenizer(folder(name))
      let inputs = try XCTUnwrap(
        TokenizerFixtures.json(folder("vectors/swift/large/inputs.json")).list)
      let entries = try XCTUnwrap(
        TokenizerFixtures.json(folder("vectors/swift/large/\(file).json")).object?["entries"]?.list)
      XCTAssertEqual(entries.count, inputs.count)
      for (input, entry) in zip(inputs, entries) {
        XCTAssertEqual(input.object?["id"]?.text, entry.object?["id"]?.text)
        let text = try XCTUnwrap(input.object?["text"]?.text)
        let ids = try XCTUnwrap(entry.object?["input_ids"]?.ids)
        XCTAssertEqual(tokenizer.encode(text), ids, "\(name): \(text)")
        let pieces = try XCTUnwrap(entry.object?["tokens"]?.list).compactMap(\.text)
        XCTAssertEqual(ids.compactMap { tokenizer.token($0) }.count, pieces.count)
        for (id, piece) in zip(ids, pieces) { assertSameText(tokenizer.token(id) ?? "", piece) }
      }
    }
  }

  func testLongTexts() throws {
    for (name, file) in [("gpt2", "gpt2_encoded_tokens"), ("llama3", "llama_3.2_encoded")] {
      let tokenizer = try TokenizerFixtures.tokenizer(folder(name))
      let vector = try XCTUnwrap(
        TokenizerFixtures.json(folder("vectors/swift/\(file).json")).object)
      let text = try XCTUnwrap(vector["text"]?.text)
      let ids = try XCTUnwrap(vector["token_ids"]?.ids)
      XCTAssertGreaterThan(ids.count, 150)
      let hasPrefix = ids.first == tokenizer.prefix.first && !tokenizer.prefix.isEmpty
      XCTAssertEqual(tokenizer.encode(text, addingSpecialTokens: hasPrefix), ids, name)
      assertSameText(tokenizer.decode(ids), try XCTUnwrap(vector["decoded_text"]?.text))
    }
  }

  func testShortTexts() throws {
    let tests = try XCTUnwrap(
      TokenizerFixtures.json(folder("vectors/swift/tokenizer_tests.json")).object)
    for (key, name) in [
      ("distilgpt2", "gpt2"), ("pcuenq/Llama-3.2-1B-Instruct-tokenizer", "llama3"),
    ] {
      let tokenizer = try TokenizerFixtures.tokenizer(folder(name))
      let entries = try XCTUnwrap(tests[key]?.list)
      XCTAssertGreaterThan(entries.count, 5)
      for entry in entries {
        let text = try XCTUnwrap(entry.object?["input"]?.text)
        let ids = try XCTUnwrap(entry.object?["encoded"]?.object?["input_ids"]?.ids)
        XCTAssertEqual(tokenizer.encode(text, addingSpecialTokens: true), ids, "\(name): \(text)")
        assertSameText(
          tokenizer.decode(ids, cleaningUpSpaces: true),
          try XCTUnwrap(entry.object?["decoded_with_special"]?.text))
        assertSameText(
          tokenizer.decode(ids, skippingSpecialTokens: true, cleaningUpSpaces: true),
          try XCTUnwrap(entry.object?["decoded_without_special"]?.text))
      }
    }
  }
}
