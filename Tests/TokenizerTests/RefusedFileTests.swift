import Foundation
import Storage
import XCTest

@testable import Tokenizers

/// Files that are wrong, or say what this package does not know, are refused when they are read.
final class RefusedFileTests: XCTestCase {
  private let letters = #""a": 0, "b": 1, "ab": 2, "<unk>": 3"#

  private func file(
    model: String? = nil, normalizer: String = "null", preTokenizer: String = "null",
    postProcessor: String = "null", decoder: String = "null", added: String = "[]"
  ) -> String {
    let model =
      model
      ?? #"{"type": "BPE", "unk_token": "<unk>", "vocab": {\#(letters)}, "merges": [["a", "b"]]}"#
    return """
      {"version": "1.0", "added_tokens": \(added), "normalizer": \(normalizer),
       "pre_tokenizer": \(preTokenizer), "post_processor": \(postProcessor), "decoder": \(decoder),
       "model": \(model)}
      """
  }

  private func assertRefused(
    _ text: String, _ message: String, file: StaticString = #filePath, line: UInt = #line
  ) {
    XCTAssertThrowsError(
      try Tokenizer(parsing: Array(text.utf8), source: "t.json"), text, file: file, line: line
    ) {
      XCTAssertEqual("\($0)", "t.json\(message)", file: file, line: line)
    }
  }

  func testTheFileItself() throws {
    let tokenizer = try Tokenizer(parsing: Array(file().utf8), source: "t.json")
    XCTAssertEqual(tokenizer.encode("abac"), [2, 0, 3])
    XCTAssertEqual(tokenizer.count, 4)
  }

  func testComponents() {
    for (text, message) in [
      (
        file(normalizer: #"{"type": "NFKC"}"#),
        "the normalizer 'NFKC' is not supported; supported are NFC, Prepend, Replace and Sequence."
      ),
      (
        file(normalizer: #"{"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}"#),
        "the normalizer 'Lowercase' is not supported; supported are NFC, Prepend, Replace and "
          + "Sequence."
      ),
      (
        file(normalizer: #"{"type": "Replace", "pattern": {"Regex": " +"}, "content": "_"}"#),
        "'normalizer' has a Replace whose pattern is not a String, or empty, which is not "
          + "supported."
      ),
      (
        file(normalizer: #"{"type": "Replace", "pattern": {"String": ""}, "content": "_"}"#),
        "'normalizer' has a Replace whose pattern is not a String, or empty, which is not "
          + "supported."
      ),
      (file(normalizer: #"{"type": "Prepend"}"#), "'normalizer.prepend' is missing or not a text."),
      (file(normalizer: "7"), "'normalizer' is not an object."),
      (
        file(preTokenizer: #"{"type": "BertPreTokenizer"}"#),
        "the pre_tokenizer 'BertPreTokenizer' is not supported; supported are ByteLevel, Digits, "
          + "Metaspace, Split and Sequence."
      ),
      (
        file(
          preTokenizer: #"{"type": "Split", "pattern": {"Regex": "\\w+"}, "behavior": "Isolated"}"#
        ),
        "the pattern '\\w+' of 'pre_tokenizer' is not one this package has a scanner for."
      ),
      (
        file(
          preTokenizer: #"{"type": "Split", "pattern": {"String": "x"}, "behavior": "Isolated"}"#),
        "'pre_tokenizer' has a Split without 'pattern.Regex', which is not supported."
      ),
      (
        file(
          preTokenizer: #"{"type": "Split", "pattern": {"Regex": "\#(escaped)"}, "#
            + #""behavior": "MergedWithNext", "invert": true}"#),
        "'pre_tokenizer' has a Split with the behavior 'MergedWithNext', inverted, which is not "
          + "supported; 'Isolated' is."
      ),
      (
        file(
          preTokenizer: #"{"type": "Sequence", "pretokenizers": ["#
            + #"{"type": "ByteLevel"}, {"type": "Digits"}]}"#),
        "'pre_tokenizer' has 'Digits' behind ByteLevel, which must be the last."
      ),
      (
        file(
          preTokenizer: #"{"type": "Sequence", "pretokenizers": ["#
            + #"{"type": "Digits"}, {"type": "ByteLevel", "add_prefix_space": true}]}"#),
        "'pre_tokenizer' has a ByteLevel that adds spaces behind another part, which is not "
          + "supported."
      ),
      (
        file(preTokenizer: #"{"type": "Metaspace", "replacement": "_"}"#),
        "'pre_tokenizer.replacement' of Metaspace is not '▁', the only one supported."
      ),
      (
        file(
          preTokenizer: #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "last"}"#),
        "'pre_tokenizer.prepend_scheme' is not one of 'always', 'never', 'first'."
      ),
      (
        file(preTokenizer: #"{"type": "Digits", "individual_digits": 1}"#),
        "'pre_tokenizer.individual_digits' is neither true nor false."
      ),
      (
        file(decoder: #"{"type": "WordPiece"}"#),
        "the decoder 'WordPiece' is not supported; supported are ByteLevel, ByteFallback, Fuse, "
          + "Metaspace, Replace, Strip and Sequence."
      ),
      (
        file(decoder: #"{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "CTC"}]}"#),
        "the decoder 'CTC' is not supported; supported are Replace, ByteFallback, Fuse and Strip "
          + "in a row."
      ),
      (
        file(
          decoder:
            #"{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}"#
        ),
        "'decoder' has ByteFallback at an unknown place; known is the order Replace, ByteFallback, "
          + "Fuse, Strip."
      ),
      (
        file(decoder: #"{"type": "Strip", "content": " ", "start": 1, "stop": 0}"#),
        "'decoder' has Strip at an unknown place; known is the order Replace, ByteFallback, Fuse, "
          + "Strip."
      ),
      (
        file(
          decoder: #"{"type": "Sequence", "decoders": [{"type": "Fuse"}, "#
            + #"{"type": "Strip", "content": " ", "start": 1, "stop": 2}]}"#),
        "'decoder' has a Strip whose 'stop' is not 0, which is not supported."
      ),
      (
        file(
          decoder: #"{"type": "Sequence", "decoders": [{"type": "Fuse"}, "#
            + #"{"type": "Strip", "content": " ", "start": 1e3, "stop": 0}]}"#),
        "'decoder.start' is not a whole number from 0 to 1000."
      ),
      (
        file(postProcessor: #"{"type": "BertProcessing"}"#),
        "the post_processor 'BertProcessing' is not supported; supported are ByteLevel, "
          + "TemplateProcessing and Sequence."
      ),
      (
        file(
          postProcessor: #"{"type": "TemplateProcessing", "single": ["#
            + #"{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], "special_tokens": {}}"#
        ),
        "'post_processor.single' names the token '<s>', which 'special_tokens' beside it does not "
          + "have."
      ),
      (
        file(
          postProcessor: #"{"type": "TemplateProcessing", "single": [], "special_tokens": {}}"#),
        "'post_processor.single' must hold the sequence 'A' once."
      ),
      (
        file(
          postProcessor: #"{"type": "TemplateProcessing", "single": ["#
            + #"{"Sequence": {"id": "A"}}, {"Sequence": {"id": "B"}}], "special_tokens": {}}"#),
        "'post_processor.single' must hold the sequence 'A' once."
      ),
      (
        file(
          postProcessor: #"{"type": "TemplateProcessing", "single": ["#
            + #"{"SpecialToken": {"id": "x"}}, {"Sequence": {"id": "A"}}], "#
            + #""special_tokens": {"x": {"ids": [99999999999]}}}"#),
        "'post_processor' gives the token 'x' an id that is none."
      ),
      (
        file(
          postProcessor: #"{"type": "TemplateProcessing", "single": ["#
            + #"{"SpecialToken": {"id": "x"}}, {"Sequence": {"id": "A"}}], "#
            + #""special_tokens": {"x": {"ids": [77]}}}"#),
        "'post_processor' puts the id 77 around texts, which no token has."
      ),
    ] { assertRefused(text, ": " + message) }
  }

  private let escaped = SplitPattern.gpt2Text.replacingOccurrences(of: #"\"#, with: #"\\"#)

  func testModels() {
    func model(_ settings: String) -> String { file(model: "{\(settings)}") }
    let vocabulary = #""vocab": {\#(letters)}, "merges": []"#
    for (text, message) in [
      (
        model(#""type": "Unigram", "vocab": [["a", 0.5]]"#),
        "'model.vocab' is not an object of tokens and ids."
      ),
      (
        model(#""type": "WordLevel", "vocab": {"a": 0}"#),
        "the model 'WordLevel' is not supported; BPE is."
      ),
      (model(#""type": "BPE""#), "'model.vocab' is missing."),
      (
        model(#""dropout": 0.1, \#(vocabulary)"#),
        "'model.dropout' is set; ids that are drawn by lot are not supported."
      ),
      (
        model(#""continuing_subword_prefix": "+", \#(vocabulary)"#),
        "'model.continuing_subword_prefix' is set, which is not supported."
      ),
      (
        model(#""end_of_word_suffix": "</w>", \#(vocabulary)"#),
        "'model.end_of_word_suffix' is set, which is not supported."
      ),
      (
        model(#""unk_token": "<none>", \#(vocabulary)"#),
        "'model.unk_token' is '<none>', which the vocabulary does not have."
      ),
      (
        model(#""ignore_merges": 1, \#(vocabulary)"#),
        "'model.ignore_merges' is neither true nor false."
      ),
      (
        model(#""vocab": {"a": -1}"#),
        "the token 'a' has an id that is not a whole number from 0 to 2097151."
      ),
      (
        model(#""vocab": {"a": 2097152}"#),
        "the token 'a' has an id that is not a whole number from 0 to 2097151."
      ),
      (
        model(#""vocab": {"a": 1.5}"#),
        "the token 'a' has an id that is not a whole number from 0 to 2097151."
      ),
      (
        model(#""vocab": {"a": "0"}"#),
        "the token 'a' has an id that is not a whole number from 0 to 2097151."
      ),
      (model(#""vocab": {"a": 0, "a": 1}"#), "the token 'a' stands there twice."),
      (model(#""vocab": {"a": 0, "b": 0}"#), "two tokens have the id 0."),
      (
        model(#""vocab": {"a": 0}, "vocab": {"a": 0}"#),
        "the key 'model.vocab' stands there twice. Keep one of them."
      ),
      (
        model(#""vocab": {\#(letters)}, "merges": ["a b c"]"#),
        "merge 0, 'a b c', is not two tokens of the vocabulary that make a third."
      ),
      (
        model(#""vocab": {\#(letters)}, "merges": [["a", "b"], ["b", "a"]]"#),
        "merge 1, 'b a', is not two tokens of the vocabulary that make a third."
      ),
      (
        model(#""vocab": {\#(letters)}, "merges": ["ab"]"#),
        "merge 0, 'ab', is not two tokens of the vocabulary that make a third."
      ),
      (
        model(#""vocab": {\#(letters)}, "merges": [["a", "b", "c"]]"#),
        "merge 0 is not a pair of tokens."
      ),
      (model(#""vocab": {\#(letters)}, "merges": [["a"]]"#), "merge 0 is not a pair of tokens."),
      (model(#""vocab": {\#(letters)}, "merges": [1]"#), "merge 0 is neither a text nor a pair."),
      (model(#""vocab": {\#(letters)}, "merges": {}"#), "'model.merges' is not a list."),
      (file(model: "[]"), "'model' is not an object."),
      ("[]", "not a JSON object."),
    ] { assertRefused(text, ": " + message) }
    assertRefused(
      #"{"model": {"vocab": {"a": 0"#, ":1:28: the text ends where ',' or '}' must be.")
    assertRefused("{} x", ":1:4: 'x' after the end of the JSON value.")
  }

  func testAddedTokens() {
    func added(_ tokens: String) -> String { file(added: "[\(tokens)]") }
    for (text, message) in [
      (
        added(#"{"id": 9, "content": ""}"#),
        "the added token '' is empty, or its id is no whole number from 0 to 2097151."
      ),
      (
        added(#"{"content": "x"}"#),
        "the added token 'x' is empty, or its id is no whole number from 0 to 2097151."
      ),
      (
        added(#"{"id": 99999999, "content": "x"}"#),
        "the added token 'x' is empty, or its id is no whole number from 0 to 2097151."
      ),
      (added(#"{"id": 4}"#), "'added_tokens.content' is missing or not a text."),
      (added("4"), "'added_tokens' is not an object."),
      (file(added: "{}"), "'added_tokens' is not a list."),
      (
        added(#"{"id": 5, "content": "ab"}"#),
        "the added token 'ab' has the id 5, but also 2."
      ),
      (
        added(#"{"id": 5, "content": "x"}, {"id": 6, "content": "x"}"#),
        "the added token 'x' has the id 6, but also 5."
      ),
      (
        added(#"{"id": 5, "content": "x"}, {"id": 5, "content": "y"}"#),
        "two added tokens have the id 5."
      ),
      (
        added(#"{"id": 2, "content": "x"}"#),
        "the added token 'x' has the id 2 of the token 'ab'."
      ),
      (
        added(#"{"id": 5, "content": "x", "special": "yes"}"#),
        "'added_tokens.special' is neither true nor false."
      ),
      (
        added(#"{"id": 5, "content": "\#(String(repeating: "x", count: 1 << 20))y"}"#),
        "the added tokens are longer than 1048576 bytes in all."
      ),
    ] { assertRefused(text, ": " + message) }
  }

  /// Keys that Unicode calls equal are two tokens.
  func testVocabulariesAreBytes() throws {
    let json =
      "{\"model\": {\"unk_token\": \"?\", \"vocab\": {\"?\": 0, \"\u{E9}\": 1, \"e\u{301}\": 2, "
      + "\"e\": 3, \"\u{301}\": 4}, \"merges\": [[\"e\", \"\u{301}\"]]}}"
    let tokenizer = try Tokenizer(parsing: Array(json.utf8), source: "t.json")
    XCTAssertEqual(tokenizer.encode("\u{E9}"), [1])
    XCTAssertEqual(tokenizer.encode("e\u{301}"), [2])
    XCTAssertEqual(tokenizer.id(of: "\u{E9}"), 1)
    XCTAssertEqual(tokenizer.id(of: "e\u{301}"), 2)
  }

  /// Whatever is done to a file, reading it ends in a tokenizer that works or in an error.
  func testMutatedFiles() throws {
    let count = ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] == nil ? 1_500 : 60_000
    var random = SeededRandom(seed: 11)
    var read = 0
    for name in ["byte-level", "llama2-normalizer", "metaspace-always"] {
      let url = URL(fileURLWithPath: "\(TokenizerFixtures.own)/\(name)/tokenizer.json")
      let original = Array(try Data(contentsOf: url))
      let words = [
        "null", "-1", "1e9", "9223372036854775807", "{}", "[]", "\"\"", "\"▁\"", "true", "0",
        "[[]]",
        "\"\\u0000\"", "{\"type\":\"NFC\"}", "{\"type\":\"Sequence\"}", "\"a\"",
      ].map { Array($0.utf8) }
      for _ in 0..<count {
        var bytes = original
        for _ in 0...Int.random(in: 0...2, using: &random) {
          let i = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<5, using: &random) {
          case 0: bytes[i] = UInt8.random(in: .min ... .max, using: &random)
          case 1: bytes.remove(at: i)
          case 2:
            bytes.removeSubrange(i..<min(i + Int.random(in: 1...300, using: &random), bytes.count))
          case 3: bytes[i] = "{}[],:\"0".utf8.randomElement(using: &random) ?? 0
          default:
            // Another value in the place of one.
            guard let colon = bytes[i...].firstIndex(of: UInt8(ascii: ":")),
              let end = bytes[colon...].firstIndex(where: { ",}".utf8.contains($0) })
            else { continue }
            bytes.replaceSubrange(
              colon + 1..<end, with: words.randomElement(using: &random) ?? [])
          }
          if bytes.isEmpty { bytes = [0] }
        }
        do {
          let tokenizer = try Tokenizer(parsing: bytes, source: "t.json")
          let ids = tokenizer.encode("A word, and <mask> é 数 12\n", addingSpecialTokens: true)
          _ = tokenizer.decode(ids)
          read += 1
        } catch {
          XCTAssertTrue("\(error)".hasPrefix("t.json:"))
        }
      }
    }
    XCTAssertGreaterThan(read, 50)
    XCTAssertLessThan(read, 3 * count)
  }
}
