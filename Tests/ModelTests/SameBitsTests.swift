import Layers
import Models
import Tensors
import XCTest

/// Results that must not depend on how they are computed, to the bit: on threads, on the documents
/// beside, on a cache, on what is kept for the backward pass, on what memory held.
final class SameBitsTests: XCTestCase {
  /// Cross the tiles of keys (224 or 192) and the blocks of queries (112 or 96).
  private let lengths = [500, 1, 225, 37]

  func testAnyNumberOfThreads() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      let lesson = model.lesson(lengths)
      for precision in Precision.allCases {
        let decoder = model.decoder(precision)
        var first: Outcome?
        try withThreads { threads in
          let outcome = try Outcome(decoder, lesson)
          outcome.assertSameBits(
            as: first ?? outcome, "\(model.name) \(precision), \(threads) threads")
          first = first ?? outcome
        }
      }
    }
  }

  func testTwiceAndInUsedMemory() throws {
    for model in try TinyModel.all(TinyModel.wide) {
      let lesson = model.lesson(lengths)
      for precision in Precision.allCases {
        let what = "\(model.name) \(precision)"
        let first = try Outcome(model.decoder(precision), lesson)
        try Outcome(model.decoder(precision), lesson).assertSameBits(as: first, "\(what), again")
        poisonStorage()
        try Outcome(model.decoder(precision), lesson)
          .assertSameBits(as: first, "\(what), in memory full of NaN")
      }
    }
  }

  func testDocumentsAloneAndPacked() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      let lesson = model.lesson(lengths)
      let decoder = model.decoder(.bfloat16)
      let packed = try Outcome(decoder, lesson)
      var start = 0
      for (number, length) in lengths.enumerated() {
        let alone = lesson.documents(number..<number + 1)
        let what = "\(model.name), document of \(length)"
        let vocabulary = model.configuration.vocabSize
        assertSame(
          try decoder.logits(alone.row).elements,
          packed.logits[start * vocabulary..<(start + length) * vocabulary], "\(what): logits")
        assertSame(
          try decoder.logProbabilities(alone.row, targets: alone.targets),
          packed.logProbabilities[start..<start + length], "\(what): log-probabilities")
        start += length
      }
      XCTAssertEqual(start, lesson.row.count)
    }
  }

  /// The gradient of every document's own tokens does not depend on the documents beside it.
  func testGradientsOfDocumentsAloneAndPacked() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      let lesson = model.lesson(lengths)
      for (number, length) in lengths.enumerated() {
        // Others are there, but have no targets: they must add nothing but rounding.
        var silent = lesson
        let start = lengths[..<number].reduce(0, +)
        for t in silent.targets.indices where !(start..<start + length).contains(t) {
          silent.targets[t] = -1
        }
        let alone = lesson.documents(number..<number + 1)
        if alone.targets.allSatisfy({ $0 < 0 }) { continue }
        let decoder = model.decoder(.bfloat16)
        let expected = try Outcome(decoder, alone)
        let found = try Outcome(decoder, silent)
        for (a, b) in zip(found.gradients, expected.gradients) {
          let largest = b.values.reduce(0) { max($0, abs($1)) }
          assertClose(
            a.values, b.values, within: 2e-5 * largest,
            "\(model.name), document of \(length): d \(a.name)")
        }
      }
    }
  }

  func testRecomputedBlocks() throws {
    var sizes = TinyModel.wide
    sizes.layers = 3
    for model in try TinyModel.families(sizes) {
      let lesson = model.lesson(lengths)
      for precision in Precision.allCases {
        try assertRecomputingKeepsBits(model, precision, lesson)
      }
    }
  }

  /// Rows longer than what the feed-forward network takes at a time without a cache.
  func testRecomputedBlocksOfLongRows() throws {
    let documents = [Int](repeating: 611, count: 13) + [1, 300, 37]
    XCTAssertGreaterThan(documents.reduce(0, +), 2 * FeedForward.stretch)
    let sizes = TinyModel.Sizes(vocabulary: 61, hidden: 34, intermediate: 133, layers: 2)
    for model in [try TinyModel.all(sizes)[2], try TinyModel.all(sizes)[3]] {
      for precision in Precision.allCases {
        try assertRecomputingKeepsBits(model, precision, model.lesson(documents))
      }
    }
  }

  private func assertRecomputingKeepsBits(
    _ model: TinyModel, _ precision: Precision, _ lesson: Lesson
  ) throws {
    let decoder = model.decoder(precision)
    var first: Outcome?
    for blocks in [0, 1, model.configuration.numHiddenLayers] {
      decoder.recomputedBlocks = blocks
      let outcome = try Outcome(decoder, lesson)
      outcome.assertSameBits(
        as: first ?? outcome, "\(model.name) \(precision), \(blocks) blocks recomputed")
      first = first ?? outcome
    }
  }

  func testLogProbabilitiesAreThoseOfTraining() throws {
    for model in try TinyModel.all(TinyModel.wide) {
      let outcome = try Outcome(model.decoder(.bfloat16), model.lesson(lengths))
      XCTAssertTrue(outcome.trained.contains { $0 < 0 })
      assertSame(outcome.logProbabilities, outcome.trained, model.name)
      let exact = try Outcome(model.decoder(.float32), model.lesson(lengths))
      assertClose(exact.logProbabilities, exact.trained, within: 2e-5, "\(model.name) float32")
    }
  }

  /// The log-probabilities are the log-softmax of the logits.
  func testLogProbabilitiesAreThoseOfTheLogits() throws {
    for model in try TinyModel.families() {
      var lesson = model.lesson([5, 17])
      // The first and the last of the vocabulary are targets like any other.
      lesson.targets.replaceSubrange(0..<2, with: [0, 96])
      for precision in Precision.allCases {
        let outcome = try Outcome(model.decoder(precision), lesson)
        let vocabulary = model.configuration.vocabSize
        for (t, target) in lesson.targets.enumerated() {
          let row = outcome.logits[t * vocabulary..<(t + 1) * vocabulary].map { Double($0) }
          let sum = row.reduce(0) { $0 + exp($1) }
          let expected = target < 0 ? 0 : row[Int(target)] - log(sum)
          XCTAssertEqual(
            Double(outcome.logProbabilities[t]), expected, accuracy: 1e-5,
            "\(model.name) \(precision) [\(t)]")
        }
      }
    }
  }

  func testCachedDecodingTokenByToken() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      try assertCachedIsFull(model, .bfloat16, sizes: Array(repeating: 1, count: 500))
      try assertCachedIsFull(model, .float32, sizes: Array(repeating: 1, count: 300))
    }
  }

  func testCachedDecodingOfPromptsInParts() throws {
    let cuts: [[Int]] = [
      [500], [499, 1], [7, 1, 492], [112, 112, 112, 112, 52], [113, 387], [96, 97, 31, 276],
      [224, 224, 52], [225, 1, 223, 51], [192, 193, 115], [56, 57, 387], [448, 1, 1, 50],
    ]
    for model in try TinyModel.families(TinyModel.wide) {
      for sizes in cuts {
        XCTAssertEqual(sizes.reduce(0, +), 500)
        for precision in Precision.allCases {
          try assertCachedIsFull(model, precision, sizes: sizes)
        }
      }
    }
  }

  private func assertCachedIsFull(
    _ model: TinyModel, _ precision: Precision, sizes: [Int]
  ) throws {
    let tokens = model.tokens(sizes.reduce(0, +))
    let decoder = model.decoder(precision)
    let full = try decoder.logits(PackedTokens(tokens))
    // More room than needed, and not a multiple of anything.
    let cache = KeyValueCache(decoder, capacity: tokens.count + 13)
    for size in sizes {
      let start = cache.count
      let found = try cache.append(Array(tokens[start..<start + size]))
      XCTAssertEqual(found.shape, [1, model.configuration.vocabSize])
      XCTAssertEqual(cache.count, start + size)
      let expected = full.rows(cache.count - 1..<cache.count).elements
      let what = "\(model.name) \(precision), token \(cache.count - 1) of parts like \(size)"
      if precision == .bfloat16 {
        assertSame(found.elements, expected, what)
      } else {
        assertClose(found.elements, Array(expected), within: 1e-4, what)
      }
    }
  }

  func testCachedDecodingOnAnyNumberOfThreads() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      for precision in Precision.allCases {
        var first: [Float]?
        try withThreads { threads in
          let decoder = model.decoder(precision)
          let cache = KeyValueCache(decoder, capacity: 240)
          var logits: [Float] = []
          for part in [230, 1, 1, 5] {
            logits += try cache.append(model.tokens(part)).elements
          }
          assertSame(logits, first ?? logits, "\(model.name) \(precision), \(threads) threads")
          first = first ?? logits
        }
      }
    }
  }

  func testInitialization() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      var first: [[Float]] = []
      withThreads { threads in
        let decoder = Decoder(model.configuration, precision: .float32)
        for parameter in decoder.parameters { parameter.value.elements.update(repeating: .nan) }
        decoder.initialize(seed: 5)
        let values = decoder.parameters.map { Array($0.value.elements) }
        if first.isEmpty { first = values }
        for (index, parameter) in decoder.parameters.enumerated() {
          assertSame(values[index], first[index], "\(parameter.name), \(threads) threads")
        }
      }
      let decoder = Decoder(model.configuration, precision: .float32)
      decoder.initialize(seed: 6)
      for (parameter, other) in zip(decoder.parameters, first) {
        let values = parameter.value.elements
        switch parameter.shape.count {
        case 2:
          XCTAssertNotEqual(Array(values), other, "\(parameter.name) with another seed")
          let variance = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
          // 0.2 is the models' `initializerRange`.
          XCTAssertEqual(variance.squareRoot(), 0.2, accuracy: 0.02, parameter.name)
        default:
          let expected: Float = parameter.name.hasSuffix("bias") ? 0 : 1
          XCTAssertTrue(values.allSatisfy { $0 == expected }, parameter.name)
        }
      }
      // No two matrices are drawn alike.
      let starts = first.filter { $0[0] != $0[1] }.map { Array($0.prefix(3)) }
      XCTAssertGreaterThan(starts.count, 14)
      XCTAssertEqual(Set(starts).count, starts.count)
    }
  }
}
