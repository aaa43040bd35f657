import Foundation
import Storage
import XCTest

@testable import Tokenizers

/// Ids and text equal those of Hugging Face's tokenizers, for every folder with `encodings.jsonl`.
final class EncodingTests: XCTestCase {
  private func folders() throws -> [String] {
    var roots = [TokenizerFixtures.own]
    if let shared = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] {
      roots.append(shared + "/tokenizers")
    }
    return try roots.flatMap { root in
      try FileManager.default.contentsOfDirectory(atPath: root).sorted().map { "\(root)/\($0)" }
        .filter { FileManager.default.fileExists(atPath: $0 + "/encodings.jsonl") }
    }
  }

  func testEncodings() throws {
    let folders = try folders()
    XCTAssertGreaterThan(folders.count, 0)
    for folder in folders {
      let tokenizer = try TokenizerFixtures.tokenizer(folder)
      let lines = try TokenizerFixtures.lines(folder + "/encodings.jsonl")
      XCTAssertGreaterThan(lines.count, 50, folder)
      for line in lines {
        let text = try XCTUnwrap(line["text"]?.text)
        let ids = try XCTUnwrap(line["ids"]?.ids)
        let name = "\(folder): \(text.debugDescription.prefix(150))"
        XCTAssertEqual(tokenizer.encode(text), ids, name)
        if let special = line["ids_with_special"]?.ids {
          XCTAssertEqual(tokenizer.encode(text, addingSpecialTokens: true), special, name)
        }
        let decoded = try XCTUnwrap(line["decoded"]?.text)
        assertSameText(tokenizer.decode(ids), decoded, name)
        var stream = tokenizer.streamingDecoder()
        assertSameText(ids.map { stream.append($0) }.joined() + stream.finish(), decoded, name)
      }
    }
  }
}
