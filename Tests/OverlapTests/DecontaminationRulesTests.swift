import Foundation
import XCTest

@testable import Overlap

final class DecontaminationRulesTests: XCTestCase {
  func testDefaultsAreThoseOfThePapers() {
    let rules = DecontaminationRules()
    XCTAssertEqual(rules.question?.n, 10)
    XCTAssertEqual(rules.solution?.n, 10)
    XCTAssertEqual(rules.prompt?.n, 8)
    XCTAssertEqual(rules.trace?.n, 13)
    XCTAssertEqual(rules.similarity?.jaccard, 0.6)
    XCTAssertFalse(rules.variantsAreHits)
  }

  func testRulesComeBackFromJSONAndAnAbsentRuleIsOff() throws {
    var rules = DecontaminationRules(prompt: nil, similarity: nil, variantsAreHits: true)
    rules.trace = .any(12)
    let data = try JSONEncoder().encode(rules)
    XCTAssertEqual(try JSONDecoder().decode(DecontaminationRules.self, from: data), rules)
    XCTAssertFalse(String(decoding: data, as: UTF8.self).contains("prompt"))
  }

  func testValuesThatMakeNoSense() {
    typealias Rule = DecontaminationRules.WordRule
    for (rules, sentence) in [
      (
        DecontaminationRules(question: Rule(n: 2)),
        "'question.n' is 2. Set it to 3 to 64 words."
      ),
      (DecontaminationRules(trace: Rule(n: 65)), "'trace.n' is 65. Set it to 3 to 64 words."),
      (
        DecontaminationRules(prompt: Rule(n: 8, share: 1.5)),
        "'prompt.share' is 1.5. Set it to a part between 0 and 1."
      ),
      (
        DecontaminationRules(solution: Rule(n: 10, share: .nan)),
        "'solution.share' is nan. Set it to a part between 0 and 1."
      ),
      (
        DecontaminationRules(solution: Rule(n: 10, weight: -1)),
        "'solution' has a weight of -1.0. Set it to 0 or more."
      ),
      (
        DecontaminationRules(similarity: .init(jaccard: 0)),
        "'similarity.jaccard' is 0.0. Set it above 0 and to at most 1."
      ),
      (
        DecontaminationRules(backgroundTexts: 0),
        "'backgroundTexts' is 0. Set it to 1 or more."
      ),
    ] {
      XCTAssertThrowsError(try EvaluationIndex([], rules: rules)) {
        XCTAssertEqual("\($0)", sentence)
      }
    }
  }

  func testMoreWordsThanAnIndexHolds() throws {
    XCTAssertNoThrow(try EvaluationIndex.check(wordCount: 268_435_456))
    XCTAssertThrowsError(try EvaluationIndex.check(wordCount: 268_435_457)) {
      XCTAssertEqual(
        "\($0)",
        "The evaluation items have 268435457 words; an index holds 268435456. Make several.")
    }
  }
}
