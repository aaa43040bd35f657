import Foundation
import Storage
import Tokenizers
import XCTest

@testable import Commands

/// The folder of a tokenizer among the package's fixtures.
func tokenizerFixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/tokenizers/\(name)").path
}

final class TokenizeTests: XCTestCase {
  private let chat = tokenizerFixture("chat")

  func testText() {
    assertPrints(
      distill("tokenize", chat, "The\ndog \u{E9}<|im_end|>"),
      """
       id   text
      ---   --------
      266   |The|
      201   |↵|
      267   |do|
       73   |g|
      223   | |
      130   |<0xC3>|
      105   |<0xA9>|
       30   |<|
       94   |||
       75   |i|
       79   |m|
       65   |_|
       71   |e|
       80   |n|
       70   |d|
       94   |||
       32   |>|

      17 tokens, 19 characters, 20 bytes, 1.18 bytes a token.
      """)
  }

  func testSpecialTokens() {
    assertPrints(
      distill("tokenize", chat, "dog<|im_end|><think>", "--special"),
      """
       id   text
      ---   ------------   -------
      267   |do|
       73   |g|
        2   |<|im_end|>|   special
      360   |<think>|

      4 tokens, 20 characters, 20 bytes, 5.00 bytes a token.
      """)
  }

  func testIDs() {
    assertPrints(
      distill("tokenize", chat, "--ids", "343, 2"),
      """
       id   text
      ---   ------------   -------
      343   |ps|
        2   |<|im_end|>|   special

      ps<|im_end|>

      2 tokens, 12 characters, 12 bytes, 6.00 bytes a token.
      """)
    assertFails(distill("tokenize", chat, "--ids", "1,x"), "'x' is not the id of a token.")
    assertFails(distill("tokenize", chat, "--ids", "1,99999"), "'99999' is not the id of a token.")
    assertFails(distill("tokenize", chat, "--ids", "1,,2"), "'' is not the id of a token.")
    assertFails(
      distill("tokenize", chat, "--ids", "3 4,2"), "'3 4' is not the id of a token.")
    assertFails(distill("tokenize", chat, "--ids", "+2"), "'+2' is not the id of a token.")
  }

  func testLongTextsAreCounted() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/long.txt"
    try Data(String(repeating: "dog\n", count: 600).utf8).write(to: URL(fileURLWithPath: path))
    assertPrints(
      distill("tokenize", chat, "--file", path),
      """
      1,800 tokens, 2,400 characters, 2,400 bytes, 1.33 bytes a token.
      '--all' prints the tokens as well.
      """)
    let all = distill("tokenize", chat, "--file", path, "--all")
    XCTAssertEqual(all.output.split(separator: "\n").count, 1803)
  }

  func testJSON() throws {
    let run = distill("tokenize", chat, "dog!", "--json")
    let json = try JSONValue(parsing: Array(run.output.utf8), source: "output")
    XCTAssertEqual(
      String(decoding: json.serialized(), as: UTF8.self),
      #"{"ids":[267,73,3],"pieces":["do","g","!"],"text":"dog!","tokens":3,"characters":4,"bytes":4}"#
    )
  }

  func testMistakes() throws {
    assertMisuse(distill("tokenize", chat), "Give a text, '--file' or '--ids', one of them.")
    assertMisuse(
      distill("tokenize", chat, "x", "--ids", "1"), "Give a text, '--file' or '--ids', one of them."
    )
    let folder = try TemporaryFolder()
    assertFails(
      distill("tokenize", folder.path, "x"),
      "\(folder.path): no tokenizer. Looked for are 'tokenizer.json', 'vocab.json' with "
        + "'merges.txt', and 'tokenizer.model' in tiktoken's format.")
    assertFails(
      distill("tokenize", chat, "--file", folder.path + "/none"),
      "\(folder.path)/none: there is no such file or folder.")
  }
}

final class TrainTokenizerTests: XCTestCase {
  func testAFolderThatIsRead() throws {
    let folder = try TemporaryFolder()
    let output = folder.path + "/tokenizer"
    let corpus = tokenizerFixture("trained") + "/corpus.txt"
    let run = distill(
      "train-tokenizer", output, "--corpus", corpus, "--size", "400", "--special", "<|end|>",
      "--special", "<think>", "--visible", "<think>", "--eos", "<|end|>")
    let size = try Data(contentsOf: URL(fileURLWithPath: corpus)).count
    assertPrints(
      run, "\(output): 400 tokens, learned from \(String(format: "%.1f", Double(size) / 1024)) KiB."
    )
    let tokenizer = try Tokenizer(at: output)
    XCTAssertEqual(tokenizer.count, 400)
    XCTAssertEqual(tokenizer.id(role: "eos_token"), 0)
    XCTAssertEqual([0, 1].map { tokenizer.isSpecial($0) }, [true, false])
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: output).sorted(),
      ["tokenizer.json", "tokenizer_config.json"])
    assertFails(
      distill("train-tokenizer", output, "--corpus", corpus),
      "\(output): the folder is not empty. Choose another name, or remove its files.")
  }

  func testSamples() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/s.jsonl"
    try Data("{\"t\": \"ab ab\"}\n{\"t\": \"ab\"}\n{\"u\": 1}\n".utf8).write(
      to: URL(fileURLWithPath: path))
    assertFails(
      distill("train-tokenizer", folder.path + "/x", "--corpus", path, "--field", "t"),
      "\(path):3: 't' is missing or no text.")
    try Data("{\"t\": \"ab ab\"}\n{\"t\": \"ab\"}\n".utf8).write(to: URL(fileURLWithPath: path))
    let run = distill(
      "train-tokenizer", folder.path + "/x", "--corpus", path, "--field", "t", "--size", "300")
    XCTAssertEqual(
      run.errors,
      "Note: the corpus has pairs for 257 tokens only, with at least 2 of each.\n")
    XCTAssertEqual(run.output, "\(folder.path)/x: 257 tokens, learned from 7 B.\n")
  }

  func testMistakes() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/c.txt"
    try Data([0x61, 0xC3, 0x28]).write(to: URL(fileURLWithPath: path))
    assertFails(
      distill("train-tokenizer", folder.path + "/x", "--corpus", path),
      "\(path): byte 1 is not UTF-8. Convert the file first.")
    XCTAssertFalse(FileManager.default.fileExists(atPath: folder.path + "/x"))
    assertMisuse(distill("train-tokenizer", "x"), "'--corpus <file>' is missing.")
    assertMisuse(
      distill("train-tokenizer", "x", "--corpus", path, "--eos", "<e>"),
      "'--eos' is '<e>', which is not among the special tokens.")
    assertMisuse(
      distill("train-tokenizer", "x", "--corpus", path, "--visible", "<t>"),
      "'--visible' is '<t>', which is not among the special tokens.")
    assertFails(
      distill("train-tokenizer", "x", "--corpus", path, "--size", "7"),
      "The tokenizer: a vocabulary of 7 is not from 256, the bytes and special tokens, to 2097152.")
  }
}
