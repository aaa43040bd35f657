import Models
import Tensors
import XCTest

/// What a cache refuses, and that it goes on after a refusal; its numbers are in `SameBitsTests`.
final class KeyValueCacheTests: XCTestCase {
  private func assertError(
    _ words: String, line: UInt = #line, _ body: () throws -> Void
  ) {
    XCTAssertThrowsError(try body(), line: line) { error in
      XCTAssertTrue(error is DecoderError, line: line)
      XCTAssertEqual("\(error)", words, line: line)
    }
  }

  func testWords() throws {
    let decoder = try TinyModel.all()[4].decoder(.bfloat16)
    let cache = KeyValueCache(decoder, capacity: 5)
    XCTAssertEqual(cache.capacity, 5)
    let full = try decoder.logits(PackedTokens([4, 8, 15, 16, 23]))
    func assertAsIfNothingHappened(count: Int, line: UInt = #line) {
      XCTAssertEqual(cache.count, count, line: line)
    }

    assertError("No token was given; a sequence needs at least one.") {
      _ = try cache.append([])
    }
    assertError("0 tokens and 6 more do not fit into a cache of 5.") {
      _ = try cache.append([1, 2, 3, 4, 5, 6])
    }
    assertAsIfNothingHappened(count: 0)
    assertSame(try cache.append([4, 8, 15]).elements, full.rows(2..<3).elements, "prompt")
    assertError("3 tokens and 3 more do not fit into a cache of 5.") {
      _ = try cache.append([16, 23, 42])
    }
    for id: Int32 in [97, -1] {
      assertError(
        "The token at position 1 is \(id); the model's vocabulary has ids 0 to 96. "
          + "Is the tokenizer that of the checkpoint?"
      ) {
        _ = try cache.append([16, id])
      }
    }
    assertAsIfNothingHappened(count: 3)
    assertSame(try cache.append([16, 23]).elements, full.rows(4..<5).elements, "filled")
    assertError("5 tokens and 1 more do not fit into a cache of 5.") { _ = try cache.append([1]) }
    assertAsIfNothingHappened(count: 5)

    assertError("0 tokens and 1 more do not fit into a cache of 0.") {
      _ = try KeyValueCache(decoder, capacity: 0).append([1])
    }
    assertError("No token was given; a sequence needs at least one.") {
      _ = try KeyValueCache(decoder, capacity: 9).greedy([], count: 2)
    }
    // The prompt fits, but not what should follow: two tokens and three of the four.
    assertError("4 tokens and 1 more do not fit into a cache of 4.") {
      _ = try KeyValueCache(decoder, capacity: 4).greedy([1, 2], count: 4)
    }
  }

  /// Greedy decoding is the full forward pass and the highest logit, over and over.
  func testGreedy() throws {
    for model in try TinyModel.all() {
      let decoder = model.decoder(.bfloat16)
      let prompt = model.tokens(5)
      var tokens = prompt
      for _ in 0..<20 {
        let logits = try decoder.logits(PackedTokens(tokens))
        let last = Array(logits.rows(logits.rows - 1..<logits.rows).elements)
        tokens.append(Int32(try XCTUnwrap(last.firstIndex(of: XCTUnwrap(last.max())))))
      }
      let cache = KeyValueCache(decoder, capacity: 24)
      XCTAssertEqual(try cache.greedy(prompt, count: 20), Array(tokens[5...]), model.name)
      XCTAssertEqual(cache.count, 24)
      XCTAssertEqual(try KeyValueCache(decoder, capacity: 24).greedy(prompt, count: 0), [])
    }
  }

  func testGreedyTakesTheFirstOfEquals() throws {
    let decoder = try TinyModel.all()[4].decoder(.float32)
    let head = try XCTUnwrap(decoder.parameters.last)
    XCTAssertEqual(head.name, "lm_head.weight")
    // Tokens 11 and 95 have one and the same row, of the highest logit or of the lowest.
    let columns = head.shape[1]
    for sign: Float in [1, -1] {
      head.value.setZero()
      for token in [11, 95] {
        for column in 0..<columns { head.value.elements[token * columns + column] = sign }
      }
      let logits = try decoder.logits(PackedTokens([1, 2, 3]))
      let last = logits.rows(2..<3).elements
      let expected: Int32 = last[11] > 0 ? 11 : 0
      XCTAssertEqual(last[11], last[95])
      XCTAssertEqual(
        try KeyValueCache(decoder, capacity: 3).greedy([1, 2, 3], count: 1), [expected])
    }
  }

  /// Two sequences of one decoder do not meet.
  func testCachesAreApart() throws {
    let model = try TinyModel.all()[0]
    let decoder = model.decoder(.bfloat16)
    let (a, b) = (model.tokens(9, seed: 20), model.tokens(9, seed: 21))
    let (fullA, fullB) = (
      try decoder.logits(PackedTokens(a)), try decoder.logits(PackedTokens(b))
    )
    let first = KeyValueCache(decoder, capacity: 9), second = KeyValueCache(decoder, capacity: 9)
    for t in 0..<9 {
      assertSame(try first.append([a[t]]).elements, fullA.rows(t..<t + 1).elements, "a[\(t)]")
      assertSame(try second.append([b[t]]).elements, fullB.rows(t..<t + 1).elements, "b[\(t)]")
    }
  }
}
