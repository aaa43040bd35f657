import Layers
import Models
import Tensors
import XCTest

/// What holds of any decoder, and needs no reference.
final class DecoderPropertyTests: XCTestCase {
  func testLaterTokensDoNotMoveLogits() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      let tokens = model.tokens(300)
      let vocabulary = model.configuration.vocabSize
      for precision in Precision.allCases {
        let decoder = model.decoder(precision)
        let logits = Array(try decoder.logits(PackedTokens(tokens)).elements)
        for position in [0, 1, 95, 112, 191, 192, 223, 224, 298] {
          var changed = tokens
          for t in position + 1..<changed.count {
            changed[t] = (changed[t] + 1) % Int32(vocabulary)
          }
          let found = try decoder.logits(PackedTokens(changed)).elements
          let seen = (position + 1) * vocabulary
          let what = "\(model.name) \(precision), changed after \(position)"
          assertSame(found[..<seen], logits[..<seen], what)
          // The change is seen by those after it, or the test would show nothing.
          XCTAssertNotEqual(
            Array(found[seen..<seen + vocabulary]), Array(logits[seen..<seen + vocabulary]), what)
        }
      }
    }
  }

  func testEarlierTokensMoveLogits() throws {
    for model in try TinyModel.families() {
      let decoder = model.decoder(.float32)
      let tokens = model.tokens(40)
      var changed = tokens
      changed[0] = (tokens[0] + 1) % 97
      let before = try decoder.logits(PackedTokens(tokens)).rows(39..<40)
      let after = try decoder.logits(PackedTokens(changed)).rows(39..<40)
      XCTAssertNotEqual(Array(before.elements), Array(after.elements), model.name)
    }
  }

  /// The end of a row that nobody learns from changes no gradient.
  func testTrailingTokensWithoutTargetsAddNothing() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      let short = model.lesson([300])
      for extra in [1, 37, 300] {
        let tail = model.tokens(extra, seed: 9)
        let none = [Int32](repeating: -1, count: extra)
        for documents in [[300 + extra], [300, extra]] {
          let long = Lesson(
            row: PackedTokens(short.row.tokens + tail, documents: documents),
            targets: short.targets + none, weights: short.weights + tail.map { _ in 5 })
          let decoder = model.decoder(.bfloat16)
          _ = try decoder.accumulateGradients(
            short.row, targets: short.targets, weights: short.weights)
          let expected = try decoder.gradients()
          decoder.clearGradients()
          _ = try decoder.accumulateGradients(
            long.row, targets: long.targets, weights: long.weights)
          for (a, b) in zip(try decoder.gradients(), expected) {
            // Not bits: 0 and -0 may change places.
            XCTAssertTrue(a.values == b.values, "\(model.name), \(documents): d \(a.name)")
          }
        }
      }
    }
  }

  /// No target is like a weight of 0: equal but for the order of sums.
  func testNoTargetIsLikeNoWeight() throws {
    for model in try TinyModel.all() {
      var lesson = model.lesson([31, 12])
      let decoder = model.decoder(.float32)
      let missing = try Outcome(decoder, lesson)
      for t in lesson.targets.indices where lesson.targets[t] < 0 {
        lesson.targets[t] = Int32(t)
        lesson.weights[t] = 0
      }
      let weightless = try Outcome(decoder, lesson)
      for (a, b) in zip(weightless.gradients, missing.gradients) {
        let largest = b.values.reduce(0) { max($0, abs($1)) }
        assertClose(a.values, b.values, within: 1e-5 * largest, "\(model.name) d \(a.name)")
      }
      XCTAssertTrue(weightless.trained.allSatisfy { $0 < 0 })
    }
  }

  /// A gradient is linear in the weights, whatever their sign.
  func testWeightsScaleGradients() throws {
    for model in try TinyModel.families() {
      var lesson = model.lesson([31, 12])
      let decoder = model.decoder(.float32)
      let once = try Outcome(decoder, lesson).gradients
      lesson.weights = lesson.weights.map { -2 * $0 }
      for (a, b) in zip(try Outcome(decoder, lesson).gradients, once) {
        XCTAssertTrue(a.values == b.values.map { -2 * $0 }, "\(model.name) d \(a.name)")
      }
    }
  }

  func testNothingToLearn() throws {
    for model in try TinyModel.families() {
      let decoder = model.decoder(.bfloat16)
      let tokens = model.tokens(6)
      let none = [Int32](repeating: -1, count: 6)
      let ones = [Float](repeating: 1, count: 6)
      let zeros = [Float](repeating: 0, count: 6)
      XCTAssertEqual(
        try decoder.accumulateGradients(PackedTokens(tokens), targets: none, weights: ones), zeros)
      XCTAssertEqual(try decoder.logProbabilities(PackedTokens(tokens), targets: none), zeros)
      XCTAssertTrue(decoder.parameters.allSatisfy { $0.gradient == nil })

      let lesson = model.lesson([19])
      _ = try decoder.accumulateGradients(
        lesson.row, targets: lesson.targets, weights: lesson.weights)
      let before = try decoder.gradients()
      XCTAssertEqual(
        try decoder.accumulateGradients(PackedTokens(tokens), targets: none, weights: ones), zeros)
      assertSameGradients(try decoder.gradients(), before, model.name)
    }
  }

  func testNoTokens() throws {
    for model in try TinyModel.families() {
      for precision in Precision.allCases {
        let decoder = model.decoder(precision)
        XCTAssertEqual(try decoder.logits(PackedTokens([])).shape, [0, 97])
        XCTAssertEqual(try decoder.logProbabilities(PackedTokens([]), targets: []), [])
        XCTAssertEqual(
          try decoder.accumulateGradients(PackedTokens([]), targets: [], weights: []), [])
        XCTAssertTrue(decoder.parameters.allSatisfy { $0.gradient == nil })
      }
    }
  }

  func testAccumulation() throws {
    let documents = [31, 4, 1, 113, 17, 2, 64, 225]
    for model in try TinyModel.all() {
      let lesson = model.lesson(documents)
      for precision in Precision.allCases {
        let decoder = model.decoder(precision)
        let packed = try decoder.accumulateGradients(
          lesson.row, targets: lesson.targets, weights: lesson.weights)
        let together = try decoder.gradients()
        decoder.clearGradients()
        XCTAssertTrue(decoder.parameters.allSatisfy { $0.gradient == nil })
        var apart: [Float] = []
        for number in documents.indices {
          let part = lesson.documents(number..<number + 1)
          apart += try decoder.accumulateGradients(
            part.row, targets: part.targets, weights: part.weights)
        }
        let what = "\(model.name) \(precision)"
        if precision == .bfloat16 {
          assertSame(apart, packed, what)
        } else {
          assertClose(apart, packed, within: 2e-5, what)
        }
        for (a, b) in zip(try decoder.gradients(), together) {
          let largest = b.values.reduce(0) { max($0, abs($1)) }
          assertClose(a.values, b.values, within: 2e-5 * largest, "\(what) d \(a.name)")
        }
      }
    }
  }

  /// An untied model whose head is the embedding is the tied model; its two gradients add up to
  /// that of the tied one.
  func testTiedIsUntiedWithTheSameHead() throws {
    for tied in try TinyModel.all() where tied.configuration.tieWordEmbeddings {
      let untied = Decoder(
        try tied.configuration.replacing(tieWordEmbeddings: false), precision: .bfloat16)
      let decoder = tied.decoder(.bfloat16)
      XCTAssertEqual(
        untied.parameters.map(\.name), decoder.parameters.map(\.name) + ["lm_head.weight"])
      for (index, parameter) in untied.parameters.enumerated() {
        let from = index < decoder.parameters.count ? index : 0
        parameter.value.pointer.update(
          from: decoder.parameters[from].value.pointer, count: parameter.count)
      }
      let lesson = tied.lesson([25, 30])
      let one = try Outcome(decoder, lesson)
      let two = try Outcome(untied, lesson)
      assertSame(one.logits, two.logits, tied.name)
      assertSame(one.trained, two.trained, tied.name)
      assertSameGradients(
        Array(one.gradients.dropFirst()), Array(two.gradients.dropFirst().dropLast()), tied.name)
      let sum = try zip(two.gradients[0].values, XCTUnwrap(two.gradients.last).values)
        .map { $0 + $1 }
      let largest = sum.reduce(0) { max($0, abs($1)) }
      assertClose(one.gradients[0].values, sum, within: 1e-6 * largest, "\(tied.name) embedding")
    }
  }

  // MARK: - Words

  func testTokensOutsideTheVocabulary() throws {
    let model = try TinyModel.all()[0]
    let decoder = model.decoder(.float32)
    func assertError(
      _ words: String, line: UInt = #line, _ body: () throws -> Void
    ) {
      XCTAssertThrowsError(try body(), line: line) { error in
        XCTAssertTrue(error is DecoderError, line: line)
        XCTAssertEqual("\(error)", words, line: line)
      }
    }
    func words(_ what: String, _ position: Int, _ id: Int32) -> String {
      "The \(what) at position \(position) is \(id); the model's vocabulary has ids 0 to 96. "
        + "Is the tokenizer that of the checkpoint?"
    }
    for id: Int32 in [97, -1, .max, .min] {
      let row = PackedTokens([5, 96, id, 0], documents: [1, 3])
      let expected = words("token", 2, id)
      assertError(expected) { _ = try decoder.logits(row) }
      assertError(expected) { _ = try decoder.logProbabilities(row, targets: [1, 2, 3, 4]) }
      assertError(expected) {
        _ = try decoder.accumulateGradients(
          row, targets: [1, 2, 3, 4], weights: [1, 1, 1, 1])
      }
      // Even where nothing is to be learned.
      assertError(expected) {
        _ = try decoder.accumulateGradients(
          row, targets: [-1, -1, -1, -1], weights: [1, 1, 1, 1])
      }
    }
    for id: Int32 in [97, .max] {
      let row = PackedTokens([5, 96, 3])
      let expected = words("target", 1, id)
      assertError(expected) { _ = try decoder.logProbabilities(row, targets: [96, id, -1]) }
      assertError(expected) {
        _ = try decoder.accumulateGradients(row, targets: [.min, id, -1], weights: [1, 1, 1])
      }
    }
    XCTAssertTrue(decoder.parameters.allSatisfy { $0.gradient == nil })
  }
}
