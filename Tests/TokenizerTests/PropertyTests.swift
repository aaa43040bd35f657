import Foundation
import XCTest

@testable import Tokenizers

/// What holds for every text, whatever the ids.
final class PropertyTests: XCTestCase {
  private func own(_ name: String) throws -> Tokenizer {
    try TokenizerFixtures.tokenizer("\(TokenizerFixtures.own)/\(name)")
  }

  /// Bytes of all kinds: words, marks, halves of characters, any byte.
  private func randomBytes(_ random: inout some RandomNumberGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes += "word don't 123".utf8.prefix(Int.random(in: 1...14, using: &random))
      case 1: bytes += "é数😀\u{301}ＡΩ".utf8.shuffled(using: &random).prefix(5)
      case 2: bytes += "é数😀ＡΩ한".utf8
      case 3: bytes += [0x20, 0x0A, 0x0D, 0x09].shuffled(using: &random)
      default:
        bytes += (0..<4).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      }
    }
    return bytes
  }

  /// Byte-level ids lose nothing, not even bytes that are no UTF-8.
  func testDecodingGivesTheBytesBack() throws {
    let tokenizer = try own("prefix-space")
    XCTAssertEqual(tokenizer.missingBytes, [])
    var random = SeededRandom(seed: 5)
    for _ in 0..<20_000 {
      let bytes = [0x20] + randomBytes(&random)
      XCTAssertEqual(tokenizer.decodedBytes(tokenizer.encode(bytes)), bytes)
    }
  }

  /// Streams give what decoding at once gives, for any ids, and only whole characters.
  func testStreamsGiveWholeCharacters() throws {
    var random = SeededRandom(seed: 6)
    for name in ["byte-level", "llama2-normalizer", "metaspace-first", "metaspace-never"] {
      let tokenizer = try own(name)
      for _ in 0..<3_000 {
        let ids = (0..<Int.random(in: 0...12, using: &random)).map { _ in
          Int32.random(in: -1...Int32(tokenizer.idLimit) + 1, using: &random)
        }
        var stream = tokenizer.streamingDecoder(skippingSpecialTokens: ids.count % 2 == 0)
        let parts = ids.map { stream.append($0) } + [stream.finish()]
        let whole = tokenizer.decode(ids, skippingSpecialTokens: ids.count % 2 == 0)
        assertSameText(parts.joined(), whole, "\(name) \(ids)")
      }
    }
    let tokenizer = try own("prefix-space")
    var stream = tokenizer.streamingDecoder()
    let parts = tokenizer.encode("😀").map { stream.append($0) }
    XCTAssertEqual(parts.filter { !$0.isEmpty }, [" ", "😀"])
  }

  func testTheEndOfACharacterIsAwaited() {
    for (bytes, count) in [
      ([0x61], 0), ([0xC3], 1), ([0xC3, 0xA9], 0), ([0xE6], 1), ([0xE6, 0x95], 2),
      ([0xF0, 0x9F, 0x98], 3), ([0xF0, 0x9F, 0x98, 0x80], 0), ([0xE0, 0x80], 0), ([0xED, 0xA0], 0),
      ([0xF4, 0x90], 0), ([0xF5], 0), ([0xC0], 0), ([0x80, 0x80, 0x80], 0), ([0xC3, 0xC3], 1),
      ([], 0),
    ] as [([UInt8], Int)] {
      XCTAssertEqual(StreamingDecoder.incompleteCount(bytes), count, "\(bytes)")
    }
  }

  /// A short piece is searched, a long one goes through the heap: both must merge alike.
  func testTheHeapMergesAsTheSearchDoes() throws {
    let merges = MergeTable(capacity: 0)
    // Ids 0..<4 are letters; every merge makes a new token, of which some merge again.
    var next: Int32 = 4
    var random = SeededRandom(seed: 7)
    for rank in 0..<300 {
      let left = Int32.random(in: 0..<next, using: &random)
      let right = Int32.random(in: 0..<next, using: &random)
      merges.insert(left, right, rank: rank, product: next)
      next += 1
    }
    XCTAssertGreaterThan(merges.count, 250)
    var short = BytePairEncoding(merges.index)
    var long = BytePairEncoding(merges.index)
    var shortened = 0
    for _ in 0..<2_000 {
      let symbols = (0..<Int.random(in: 1...64, using: &random)).map { _ in
        Int32.random(in: 0..<4, using: &random)
      }
      var searched = symbols
      let count = searched.withUnsafeMutableBufferPointer { short.merge($0) }
      var heaped = symbols
      let other = heaped.withUnsafeMutableBufferPointer { long.mergeByHeap($0) }
      XCTAssertEqual(searched[..<count], heaped[..<other], "\(symbols)")
      if count < symbols.count { shortened += 1 }
    }
    XCTAssertGreaterThan(shortened, 1_000)
  }

  /// What was merged before, in other texts or on other threads, changes nothing.
  func testTheCacheChangesNothing() throws {
    let path = TokenizerFixtures.own + "/byte-level"
    let used = try TokenizerFixtures.tokenizer(path)
    var random = SeededRandom(seed: 8)
    let texts = (0..<400).map { _ in randomBytes(&random) }
    for text in texts { _ = used.encode(text) }
    for text in texts {
      XCTAssertEqual(used.encode(text), try Tokenizer(at: path).encode(text))
    }
  }

  func testManyTextsAtOnce() throws {
    let tokenizer = try own("byte-level")
    var random = SeededRandom(seed: 9)
    let texts = (0..<300).map { _ in String(decoding: randomBytes(&random), as: UTF8.self) }
    let together = tokenizer.encode(texts, addingSpecialTokens: true)
    XCTAssertEqual(together.count, texts.count)
    for (ids, text) in zip(together, texts) {
      XCTAssertEqual(ids, tokenizer.encode(text, addingSpecialTokens: true))
    }
  }

  /// Special tokens that a user wrote are text; those of the template beside it are tokens.
  func testSpecialTokensInLiteralTextAreText() throws {
    let tokenizer = try own("byte-level")
    let mask = try XCTUnwrap(tokenizer.id(of: "<mask>"))
    let plain = try XCTUnwrap(tokenizer.id(of: "<left>"))
    XCTAssertTrue(tokenizer.isSpecial(mask))
    XCTAssertFalse(tokenizer.isSpecial(plain))
    let text = Array("<mask>Hi <mask><left><mask>".utf8)
    XCTAssertEqual(tokenizer.encode(text).filter { $0 == mask }.count, 3)
    let ids = tokenizer.encode(text, literal: [6..<21])
    XCTAssertEqual(ids.first, mask)
    XCTAssertEqual(ids.last, mask)
    XCTAssertEqual(ids.filter { $0 == mask }.count, 2)
    XCTAssertEqual(ids.filter { $0 == plain }.count, 1)
    // A token that only begins or ends in what the user wrote is none either.
    for range in [0..<1, 5..<6, 3..<4, 0..<27] {
      XCTAssertNotEqual(tokenizer.encode(text, literal: [range]).first, mask, "\(range)")
    }
    XCTAssertEqual(
      tokenizer.encode("<mask>", special: false),
      tokenizer.encode(Array("<mask>".utf8), literal: [0..<6]))
    XCTAssertFalse(tokenizer.encode("<mask>", special: false).contains(mask))
    assertSameText(tokenizer.decode(ids), "<mask>Hi <mask><left><mask>")
  }

  /// Of tokens that begin together the longest is found, wherever it can be.
  func testTheLongestAddedToken() throws {
    let json = #"""
      {"added_tokens": [
         {"id": 2, "content": "<x", "normalized": false},
         {"id": 3, "content": "<xyz", "normalized": false},
         {"id": 4, "content": "yz", "normalized": false}],
       "model": {"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "y": 1}, "merges": []}}
      """#
    let tokenizer = try Tokenizer(parsing: Array(json.utf8), source: "t.json")
    for (text, ids) in [
      ("<xyz", [3]), ("<xy", [2, 1]), ("<x<xyzyz", [2, 3, 4]), ("<", [0]), ("y<x", [1, 2]),
    ] as [(String, [Int32])] {
      XCTAssertEqual(tokenizer.encode(text), ids, text)
    }
  }

  /// The same where tokens are looked for in normalized text, in which everything has moved.
  func testSpecialTokensInLiteralNormalizedText() throws {
    let json = #"""
      {"added_tokens": [
         {"id": 2, "content": "<s>", "special": true, "normalized": true},
         {"id": 3, "content": "<b>", "special": true, "normalized": true}],
       "normalizer": {"type": "Replace", "pattern": {"String": "x"}, "content": "yyyy"},
       "model": {"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "y": 1}, "merges": []}}
      """#
    let tokenizer = try Tokenizer(parsing: Array(json.utf8), source: "t.json")
    XCTAssertEqual(tokenizer.encode("xx<s>"), [1, 1, 1, 1, 1, 1, 1, 1, 2])
    let text = Array("x<s>x<b>x".utf8)
    XCTAssertEqual(tokenizer.encode(text).filter { $0 > 1 }, [2, 3])
    XCTAssertEqual(tokenizer.encode(text, literal: [1..<4]).filter { $0 > 1 }, [3])
    XCTAssertEqual(tokenizer.encode(text, literal: [5..<8]).filter { $0 > 1 }, [2])
    XCTAssertEqual(tokenizer.encode(text, literal: [0..<1, 4..<5]).filter { $0 > 1 }, [2, 3])
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
