import Foundation
import XCTest

@testable import Interface

/// A text with one to four small changes: characters replaced, added, taken away, repeated,
/// or moved.
func mutated(_ text: String, using random: inout SeededRandom) -> String {
  let marks = Array("{}[]():,.'\"\\/*+-_$#=0123456789abeEuxINn \t\n\r\u{0}\u{1B}\u{FEFF}\u{2028}é😀")
  var characters = Array(text)
  for _ in 0...Int.random(in: 0...3, using: &random) {
    let place = Int.random(in: 0...characters.count, using: &random)
    let end = min(characters.count, place + Int.random(in: 0...6, using: &random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: characters.insert(marks[Int.random(in: 0..<marks.count, using: &random)], at: place)
    case 1: characters.removeSubrange(place..<end)
    case 2 where place < characters.count:
      characters[place] = marks[Int.random(in: 0..<marks.count, using: &random)]
    case 3: characters.insert(contentsOf: characters[place..<end], at: place)
    case 4:
      let other = Int.random(in: 0...characters.count, using: &random)
      characters.insert(contentsOf: characters[place..<end], at: other)
    default:
      let piece = ["1e999", "NaN", "null", "true", "{a:", "[[", "-", "'", "0x", "/*"]
      characters.insert(
        contentsOf: piece[Int.random(in: 0..<piece.count, using: &random)], at: place)
    }
  }
  return String(characters)
}

final class RecipeFuzzTests: XCTestCase {
  private let text = """
    // A comment.
    {
      student: "Checkpoints/é", packing: 'bestFit', batchSize: 64, shuffle: true,
      betas: [0.9, 0.95], tags: ['a', "b"], layouts: ["none"], small: -7, seed: 0x2A,
      sources: [{ path: 'a', weight: .5 }, { path: 'b' }], /* two */
      weights: { math: 1, code: 2.5e-3 },
      optimizer: { learningRate: 1e-5, weightDecay: 0, clipNorm: 1.0, },
    }
    """

  /// Decodes, and looks at what comes back. Returns whether it was accepted.
  private func attempt(_ data: Data, _ overrides: [String]) -> Bool {
    do {
      let resolved = try decodeRecipe(
        FineTuning.self, from: data, file: "f", overrides: overrides)
      let again = try decodeRecipe(
        FineTuning.self, from: Data(resolved.resolvedJSON.utf8), file: "f")
      XCTAssertEqual(again.resolvedJSON, resolved.resolvedJSON)
      XCTAssertEqual(again.recipe, resolved.recipe)
      return true
    } catch {
      XCTAssertFalse(error.findings.isEmpty)
      for finding in error.findings {
        XCTAssertTrue(finding.hasPrefix("f:") || finding.hasPrefix("--set '"), finding)
        XCTAssertTrue(finding.hasSuffix(".") || finding.hasSuffix("?"), finding)
        XCTAssertFalse(finding.contains("\n") || finding.contains("\u{1B}"), finding)
      }
      return false
    }
  }

  func testMutatedRecipesAreDecodedOrRefused() {
    var random = SeededRandom(seed: 3)
    var accepted = 0
    for _ in 0..<fuzzCases {
      if attempt(Data(mutated(text, using: &random).utf8), []) { accepted += 1 }
    }
    // Both ways were taken.
    XCTAssertGreaterThan(accepted, fuzzCases / 50)
    XCTAssertLessThan(accepted, fuzzCases)
  }

  func testMutatedBytesAreDecodedOrRefused() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<fuzzCases / 4 {
      var bytes = Array(text.utf8)
      for _ in 0...Int.random(in: 0...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] =
          UInt8.random(in: 0...255, using: &random)
      }
      _ = attempt(Data(bytes), [])
    }
  }

  func testMutatedOverridesAreAppliedOrRefused() {
    var random = SeededRandom(seed: 7)
    let seeds = [
      "optimizer.learningRate=2e-4", "sources.0.path='x'", "betas.1=0.99", "batchSize=0x10",
      "tags=['a', \"b\"]", "weights={math: 1}", "optimizer={learningRate: 1, weightDecay: 2}",
      "student=Checkpoints/q",
    ]
    let data = Data(text.utf8)
    var accepted = 0
    for number in 0..<fuzzCases {
      var overrides = [mutated(seeds[number % seeds.count], using: &random)]
      if number % 3 == 0 { overrides.append(mutated(seeds[0], using: &random)) }
      if attempt(data, overrides) { accepted += 1 }
    }
    XCTAssertGreaterThan(accepted, fuzzCases / 50)
    XCTAssertLessThan(accepted, fuzzCases)
  }
}
