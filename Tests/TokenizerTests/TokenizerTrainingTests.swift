import Foundation
import Storage
import XCTest

@testable import Tokenizers

/// Hugging Face's trainer learns the same from the same text.
final class TokenizerTrainingTests: XCTestCase {
  private var folder: String { TokenizerFixtures.own + "/trained" }

  private func corpus() throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/corpus.txt")))
  }

  private func training(
    _ splitting: TokenizerTraining.Splitting, size: Int = 640, minimum: Int = 2,
    special: [String] = ["<|endoftext|>", "<|im_start|>"]
  ) throws -> TokenizerTraining {
    try TokenizerTraining(
      .init(
        splitting: splitting, vocabularySize: size, minimumFrequency: minimum,
        specialTokens: special))
  }

  func testHuggingFacesFiles() throws {
    for splitting in TokenizerTraining.Splitting.allCases {
      var training = try training(splitting)
      training.add([try corpus()])
      let name = "\(folder)/\(splitting.rawValue).json"
      let expected = try TokenizerFixtures.json(name)
      let actual = try JSONValue(parsing: training.train().tokenizerJSON, source: "trained")
      guard case .object(let a) = actual, case .object(let b) = expected else { return XCTFail() }
      XCTAssertEqual(a.members.map(\.key), b.members.map(\.key))
      for (key, value) in b.members where key != "model" {
        XCTAssertEqual(a[key], value, "\(name): \(key)")
      }
      guard case .object(let model)? = a["model"], case .object(let reference)? = b["model"] else {
        return XCTFail()
      }
      for (key, value) in reference.members where key != "vocab" {
        XCTAssertEqual(model[key], value, "\(name): \(key)")
      }
      // The order of a vocabulary's members means nothing.
      guard case .object(let tokens)? = model["vocab"],
        case .object(let wanted)? = reference["vocab"]
      else { return XCTFail() }
      XCTAssertEqual(tokens.members.count, wanted.members.count)
      for (token, id) in wanted.members { XCTAssertEqual(tokens[token], id, token) }
    }
  }

  /// What is learned can be read and gives every text back.
  func testTheFileIsATokenizer() throws {
    var training = try training(.llama3)
    let corpus = try corpus()
    training.add([corpus])
    let json = Array(training.train().tokenizerJSON)
    let tokenizer = try Tokenizer(parsing: json, source: "t.json")
    XCTAssertEqual(tokenizer.missingBytes, [])
    XCTAssertGreaterThan(tokenizer.count, 500)
    XCTAssertEqual(tokenizer.id(of: "<|im_start|>"), 1)
    let ids = tokenizer.encode(corpus)
    XCTAssertEqual(tokenizer.decodedBytes(ids), corpus)
    XCTAssertLessThan(2 * ids.count, corpus.count)
  }

  /// In whatever parts and in whatever order text comes, the same is learned.
  func testPartsAndOrderDoNotMatter() throws {
    let corpus = try corpus()
    for splitting in TokenizerTraining.Splitting.allCases {
      var whole = try training(splitting)
      whole.add([corpus])
      let expected = whole.train().tokenizerJSON
      for size in [1, 7, 100, 1000] {
        var parts = try training(splitting)
        parts.add([corpus], partSize: size)
        XCTAssertEqual(parts.train().tokenizerJSON, expected, "\(splitting) \(size)")
      }
      var (once, again) = (try training(splitting), try training(splitting))
      once.add([corpus, Array("abc abc abd".utf8)])
      again.add([Array("abc abc abd".utf8)])
      again.add([corpus])
      XCTAssertEqual(once.train().tokenizerJSON, again.train().tokenizerJSON)
    }
  }

  func testTheLeastFrequency() throws {
    var training = try training(.llama3, size: 1000, minimum: 3, special: [])
    training.add([Array("ab ab ab cd cd".utf8)])
    // " ab" comes twice and "ab" three times.
    XCTAssertEqual(training.train().tokens.dropFirst(256), ["ab"])
    var all = try self.training(.llama3, size: 1000, minimum: 0, special: [])
    all.add([Array("ab ab ab cd cd".utf8)])
    XCTAssertEqual(all.train().tokens.dropFirst(256), ["ab", "cd", "Ġab", "Ġcd"])
    let none = try self.training(.llama3, size: 1000)
    XCTAssertEqual(none.train().tokens.count, 258)
  }

  /// `<think>` is a token of its own that readers see; `<|end|>` is one that they do not.
  func testVisibleTokens() throws {
    var training = try TokenizerTraining(
      .init(
        splitting: .qwen2, vocabularySize: 300, specialTokens: ["<|end|>", "<think>"],
        visibleTokens: ["<think>"]))
    training.add([Array("a b".utf8)])
    let tokenizer = try Tokenizer(
      parsing: Array(training.train().tokenizerJSON), source: "t.json")
    XCTAssertTrue(tokenizer.isSpecial(0))
    XCTAssertFalse(tokenizer.isSpecial(1))
    XCTAssertEqual(tokenizer.encode("<think><|end|>", special: false).first, 1)
    XCTAssertEqual(
      tokenizer.decode(
        tokenizer.encode("<think>a<|end|>", special: true), skippingSpecialTokens: true),
      "<think>a")
    XCTAssertThrowsError(
      try TokenizerTraining(
        .init(
          splitting: .qwen2, vocabularySize: 300, specialTokens: ["<a>"], visibleTokens: ["<b>"]))
    ) {
      XCTAssertEqual(
        "\($0)", "The tokenizer: the visible token '<b>' is not among the special tokens.")
    }
  }

  func testMistakes() {
    for (size, minimum, special, message) in [
      (
        257, 0, ["a1", "b1"],
        "a vocabulary of 257 is not from 258, the bytes and special tokens, to 2097152."
      ),
      (
        2_097_153, 0, [],
        "a vocabulary of 2097153 is not from 256, the bytes and special tokens, to 2097152."
      ),
      (300, -1, [], "the least frequency is below 0."),
      (300, 0, ["<s>", "<s>"], "the special token '<s>' is empty, or there twice."),
      (300, 0, [""], "the special token '' is empty, or there twice."),
      (300, 0, ["Ġ"], "the special token 'Ġ' is that of a byte."),
    ] {
      XCTAssertThrowsError(
        try training(.gpt2, size: size, minimum: minimum, special: special), message
      ) { XCTAssertEqual("\($0)", "The tokenizer: " + message) }
    }
  }
}
