import Foundation
import Storage
import XCTest

@testable import Verification

/// Agreement with answers that others judged. Every disagreement is in
/// `Fixtures/verification/disagreements.jsonl`, with who is right and why; nothing else may disagree.
final class AgreementTests: XCTestCase {
  private struct Disagreement: Hashable {
    let row: Int
    let sample: Int?
    let label: Bool
    let judge: Bool
  }

  private func listed(_ file: String) throws -> (all: Set<Disagreement>, labelsThatAreRight: Int) {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(
        "Fixtures/verification/disagreements.jsonl")
    var all: Set<Disagreement> = []
    var labels = 0
    for line in try SharedFixture.objects(ofLines: Data(contentsOf: url), "disagreements.jsonl") {
      guard try line.text("file") == file else { continue }
      let right = try line.text("right")
      XCTAssertTrue(["judge", "label"].contains(right))
      XCTAssertGreaterThan(try line.text("why").utf8.count, 20)
      labels += right == "label" ? 1 : 0
      let row = Disagreement(
        row: try XCTUnwrap(line.int("row")), sample: line.int("sample"),
        label: try line.flag("label"),
        judge: try line.flag("judge"))
      XCTAssertTrue(all.insert(row).inserted, "row \(row.row) is listed twice.")
    }
    return (all, labels)
  }

  private func check(
    _ file: String, _ found: Set<Disagreement>, of count: Int, asLabelled: Double,
    adjudicated: Double
  ) throws {
    let (all, labels) = try listed(file)
    for row in found.subtracting(all) { XCTFail("\(file), row \(row.row): not listed: \(row)") }
    for row in all.subtracting(found) {
      XCTFail("\(file), row \(row.row): listed, but agrees: \(row)")
    }
    XCTAssertGreaterThanOrEqual(Double(count - found.count) / Double(count), asLabelled)
    XCTAssertGreaterThanOrEqual(Double(count - labels) / Double(count), adjudicated)
  }

  func testLabelledPairs() throws {
    let rows = try SharedFixture.lines("verification/math_equivalence.jsonl")
    XCTAssertEqual(rows.count, 536)
    let judge = Judge()
    var found: Set<Disagreement> = []
    for (k, row) in rows.enumerated() {
      let label = try row.flag("equivalent")
      let verdict = judge.verdict(reference: try row.text("gold"), answer: try row.text("answer"))
      if verdict.equivalent != label {
        found.insert(Disagreement(row: k, sample: nil, label: label, judge: !label))
      }
    }
    try check("math_equivalence.jsonl", found, of: rows.count, asLabelled: 0.95, adjudicated: 0.99)
  }

  func testHendrycksPairs() throws {
    let rows = try SharedFixture.lines("verification/hendrycks_is_equiv.jsonl")
    XCTAssertEqual(rows.count, 16)
    var found: Set<Disagreement> = []
    for (k, row) in rows.enumerated() {
      let label = try row.flag("expected")
      let verdict = Judge().verdict(
        reference: try row.text("gold"), answer: try row.text("pred"), extracting: false)
      if verdict.equivalent != label {
        found.insert(Disagreement(row: k, sample: nil, label: label, judge: !label))
      }
    }
    try check("hendrycks_is_equiv.jsonl", found, of: rows.count, asLabelled: 0.85, adjudicated: 1)
  }

  /// Whole solutions on both sides: what is extracted counts as well.
  func testSamplesForMATHProblems() throws {
    let rows = try SharedFixture.lines("verification/qwen_math_cot_100.jsonl")
    XCTAssertEqual(rows.count, 100)
    var found: Set<Disagreement> = []
    var count = 0
    for (k, row) in rows.enumerated() {
      let solutions = try XCTUnwrap(row["code"]?.array)
      let scores = try XCTUnwrap(row["score"]?.array)
      for (sample, (solution, score)) in zip(solutions, scores).enumerated() {
        let label = try XCTUnwrap(score.bool)
        let verdict = Judge().verdict(
          reference: try row.text("gt_cot"), answer: try XCTUnwrap(solution.string))
        if verdict.equivalent != label {
          found.insert(Disagreement(row: k, sample: sample, label: label, judge: !label))
        }
        count += 1
      }
    }
    XCTAssertEqual(count, 800)
    try check("qwen_math_cot_100.jsonl", found, of: count, asLabelled: 0.95, adjudicated: 0.99)
  }

  func testSolutionsOfSchoolProblems() throws {
    let rows = try SharedFixture.lines("benchmarks/gsm8k/example_model_solutions.jsonl")
    XCTAssertEqual(rows.count, 1_319)
    for (k, row) in rows.enumerated() {
      for model in ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"] {
        let sample = try XCTUnwrap(row[model]?.object)
        let verdict = Judge().verdict(
          reference: try row.text("ground_truth"), answer: try sample.text("solution"))
        XCTAssertEqual(
          verdict.equivalent, try sample.flag("is_correct"), "row \(k), \(model): \(verdict)")
      }
    }
  }

  /// Every answer of MATH is itself, written in other ways that change nothing.
  func testAnswersOfMATHRewritten() throws {
    let judge = Judge()
    let answers = try MathAnswers.all()
    var refused: [String] = []
    var count = 0
    for answer in answers {
      let rewritten = [
        answer.replacingOccurrences(of: "\\frac", with: "\\dfrac"),
        answer.replacingOccurrences(of: "\\left", with: "").replacingOccurrences(
          of: "\\right", with: ""),
        answer.replacingOccurrences(of: "\\!", with: "").replacingOccurrences(of: "{,}", with: ","),
        answer.replacingOccurrences(of: "^\\circ", with: "").replacingOccurrences(
          of: "\\$", with: ""),
        answer.replacingOccurrences(of: "\\pi", with: "π").replacingOccurrences(
          of: "\\infty", with: "∞"),
        answer.replacingOccurrences(of: "{pmatrix}", with: "{bmatrix}"),
        answer.replacingOccurrences(of: " + ", with: "+").replacingOccurrences(
          of: " - ", with: "-"),
      ]
      for text in rewritten where text != answer {
        count += 1
        if !judge.verdict(reference: answer, answer: "\\boxed{\(text)}").equivalent {
          refused.append("\(answer) as \(text)")
        }
      }
    }
    XCTAssertGreaterThan(count, 2_000)
    XCTAssertLessThanOrEqual(refused.count, count / 200, refused.joined(separator: "\n"))
  }
}

extension JSONObject {
  func int(_ key: String) -> Int? {
    if case .number(let number) = self[key] { number.int } else { nil }
  }
}
