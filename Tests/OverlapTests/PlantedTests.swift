import Foundation
import XCTest

@testable import Overlap

/// Every question of MATH-500, changed and planted: how many are found. The README tells the figures.
final class PlantedTests: XCTestCase {
  private func found(
    _ index: EvaluationIndex, _ items: [EvaluationItem], inTrace: Bool,
    _ change: (String) -> String
  ) -> (hits: Int, variants: Int) {
    var hits = 0
    var variants = 0
    for item in items {
      let text = change(item.question)
      let found =
        inTrace ? index.findings(inTrace: text) : index.findings(inPrompt: text)
      if found.hits.contains(where: { $0.id == item.id }) {
        hits += 1
      } else if found.variants.contains(where: { $0.id == item.id }) {
        variants += 1
      }
    }
    return (hits, variants)
  }

  private func halves(_ text: String) -> String {
    let words = text.split(separator: " ")
    return words.prefix(words.count / 2).joined(separator: " ")
  }

  /// Each number one greater.
  private func otherNumbers(_ text: String) -> String {
    var result = ""
    var digits = ""
    for scalar in text.unicodeScalars.map(Character.init) + [" "] {
      if scalar.isASCII, scalar.isNumber {
        digits.append(scalar)
        continue
      }
      if let number = Int(digits) { result += String(number + 1) } else { result += digits }
      digits = ""
      result.append(scalar)
    }
    return result
  }

  func testPlantedQuestions() throws {
    let items = try Fixture.math500()
    let index = try EvaluationIndex(items)
    let padding = String(repeating: "Hmm, let me check that again carefully. ", count: 40)
    let dressed = { (text: String) in
      text.replacingOccurrences(of: "\\frac", with: "\\dfrac")
        .replacingOccurrences(of: "\\left", with: "").replacingOccurrences(of: "\\right", with: "")
        .replacingOccurrences(of: "\\le ", with: "\\leq ").replacingOccurrences(
          of: "$", with: " $ "
        )
        .uppercasedWords
    }
    // Marks between digits stay: without them 2.6 is two numbers, and another question. So does
    // the mark of `\\!`, which is a command.
    let unpunctuated = { (text: String) in
      let bytes = Array(text.utf8)
      return String(
        decoding: bytes.indices.map { k in
          let isMark = Array(",.?;:!".utf8).contains(bytes[k])
          let isInNumber =
            k > 0 && k + 1 < bytes.count && (0x30...0x39).contains(bytes[k - 1])
            && ((0x30...0x39).contains(bytes[k + 1]) || bytes[k + 1] == UInt8(ascii: "\\"))
          let isCommand = k > 0 && bytes[k - 1] == UInt8(ascii: "\\")
          return isMark && !isInNumber && !isCommand ? 0x20 : bytes[k]
        }, as: UTF8.self)
    }
    let cases: [(String, Bool, (String) -> String, Int, Int)] = [
      ("whole", false, { $0 }, 500, 0),
      (
        "whole, in an instruction", false, { "Return your final response within \\boxed{}. " + $0 },
        500, 0
      ),
      ("whole", true, { padding + $0 + " " + padding }, 467, 0),
      ("other LaTeX", false, dressed, 500, 0),
      ("other LaTeX", true, { padding + dressed($0) + " " + padding }, 467, 0),
      ("no punctuation", false, unpunctuated, 499, 1),
      ("first half", false, halves, 118, 18),
      ("first half", true, { padding + self.halves($0) + " " + padding }, 89, 1),
      ("other numbers", false, otherNumbers, 40, 424),
      ("other numbers", true, { padding + self.otherNumbers($0) + " " + padding }, 40, 121),
    ]
    // The 40 questions that are hits with other numbers are those that have none.
    XCTAssertEqual(
      items.filter {
        OverlapText($0.question).words == OverlapText(otherNumbers($0.question)).words
      }
      .count, 40)
    for (name, inTrace, change, hits, variants) in cases {
      let result = found(index, items, inTrace: inTrace, change)
      XCTAssertEqual(
        [result.hits, result.variants], [hits, variants],
        "\(name) in a \(inTrace ? "trace" : "prompt")")
    }
  }
}

extension String {
  /// The first letter of each English word of four letters or more as a capital.
  fileprivate var uppercasedWords: String {
    split(separator: " ", omittingEmptySubsequences: false).map { word in
      word.count > 3 && word.allSatisfy { $0.isASCII && $0.isLetter }
        ? word.prefix(1).uppercased() + word.dropFirst() : String(word)
    }.joined(separator: " ")
  }
}
