import Foundation
import Models
import Storage
import Tensors
import XCTest

/// Pretrained models of other projects, which are not part of this one: they continue a text as
/// transformers does.
final class RealModelTests: XCTestCase {
  private func models() throws -> [String] {
    guard let fixtures = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; the pretrained models are in its folder.")
    }
    return ["stories260K-hf", "tinystories-656k"].map { "\(fixtures)/models/\($0)" }
  }

  private func numbers(_ object: JSONObject, _ key: String) throws -> [Double] {
    guard case .array(let items)? = object[key] else {
      XCTFail("no list '\(key)'")
      return []
    }
    return try items.map { item in
      guard case .number(let number) = item else { throw XCTSkip("'\(key)' holds \(item)") }
      return try XCTUnwrap(number.double)
    }
  }

  func testGreedyCompletions() throws {
    for path in try models() {
      let file = try MappedFile(at: path + "/greedy.json")
      let json = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: file.path)
      }
      guard case .object(let greedy) = json else { return XCTFail("\(file.path) is no object") }
      let prompt = try numbers(greedy, "prompt").map { Int32($0) }
      let expected = try numbers(greedy, "greedy_completion").map { Int32($0) }
      XCTAssertGreaterThan(expected.count, 40)

      let checkpoint = try Checkpoint(at: path)
      let decoder = try checkpoint.decoder(precision: .float32)
      // The last token of a completion is not yet in the cache.
      let cache = KeyValueCache(decoder, capacity: prompt.count + expected.count)
      XCTAssertEqual(try cache.greedy(prompt, count: expected.count), expected, path)

      let start = try numbers(greedy, "last_logits_first_8").map { Float($0) }
      XCTAssertEqual(start.count, 8)
      let logits = try cache.append(Array(expected.suffix(1)))
      assertClose(logits.elements.prefix(8), start, within: 1e-4, "\(path) logits")
    }
  }

  func testWhatTheyAre() throws {
    let notes = try models().map { try Checkpoint(at: $0).notes }
    let paths = try models()
    // The second stores its tied embedding as the head only.
    XCTAssertEqual(notes[0], [])
    XCTAssertEqual(
      notes[1],
      [
        "\(paths[1]): the embedding is stored as 'lm_head.weight', which it is tied to."
      ])
  }
}
