import Foundation
import Storage
import XCTest

@testable import Tokenizers

/// The older files give the same ids as `tokenizer.json`.
final class OlderFileTests: XCTestCase {
  private func assertSameIDs(
    _ tokenizer: Tokenizer, as folder: String, file: StaticString = #filePath, line: UInt = #line
  ) throws {
    let lines = try TokenizerFixtures.lines(folder + "/encodings.jsonl")
    XCTAssertGreaterThan(lines.count, 50)
    for fixture in lines {
      let text = try XCTUnwrap(fixture["text"]?.text)
      XCTAssertEqual(
        tokenizer.encode(text), fixture["ids"]?.ids, text.debugDescription, file: file, line: line)
    }
  }

  /// A folder with links to some of another folder's files, and files of its own.
  private func folder(
    _ source: String, _ names: [String], adding files: [String: String] = [:]
  ) throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
    for name in names {
      try FileManager.default.createSymbolicLink(
        atPath: "\(path)/\(name)", withDestinationPath: "\(source)/\(name)")
    }
    for (name, text) in files {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }
    return path
  }

  func testVocabularyAndMerges() throws {
    let shared = try TokenizerFixtures.shared() + "/tokenizers/"
    let qwen = try folder(
      shared + "qwen2.5", ["vocab.json", "merges.txt", "tokenizer_config.json"])
    try assertSameIDs(Tokenizer(at: qwen), as: shared + "qwen2.5")
    let older = try folder(
      shared + "qwen2.5", ["vocab.json", "merges.txt", "added_tokens.json", "config.json"])
    try assertSameIDs(Tokenizer(at: older), as: shared + "qwen2.5")
    let gpt2 = try folder(
      shared + "gpt2", ["vocab.json", "merges.txt"],
      adding: [
        "config.json": #"{"model_type": "gpt2"}"#,
        "added_tokens.json": #"{"<|endoftext|>": 50256}"#,
      ])
    try assertSameIDs(Tokenizer(at: gpt2), as: shared + "gpt2")
  }

  func testTiktoken() throws {
    let shared = try TokenizerFixtures.shared() + "/tokenizers/"
    let path = try folder(shared + "llama3", ["tokenizer.model", "tokenizer_config.json"])
    let tokenizer = try Tokenizer(at: path)
    try assertSameIDs(tokenizer, as: shared + "llama3")
    let whole = try TokenizerFixtures.tokenizer(shared + "llama3")
    XCTAssertEqual(tokenizer.count, whole.count)
    for id in 0..<Int32(whole.idLimit) {
      assertSameText(tokenizer.token(id) ?? "none", whole.token(id) ?? "none")
    }
  }

  func testRoles() throws {
    let shared = try TokenizerFixtures.shared() + "/tokenizers/"
    let qwen = try TokenizerFixtures.tokenizer(shared + "qwen2.5")
    XCTAssertEqual(qwen.roles, ["eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"])
    XCTAssertEqual(qwen.id(role: "eos_token"), 151645)
    XCTAssertNil(qwen.id(role: "bos_token"))
    let r1 = try TokenizerFixtures.tokenizer(shared + "deepseek-r1-distill-qwen")
    XCTAssertEqual(r1.id(role: "bos_token"), 151646)
    XCTAssertEqual(r1.id(role: "eos_token"), 151643)
    XCTAssertEqual(r1.prefix, [151646])
    XCTAssertEqual(r1.isSpecial(151643), true)
    XCTAssertEqual(r1.token(151648), "<think>")
    XCTAssertEqual(r1.isSpecial(151648), false)
  }
}
