import Foundation
import XCTest

@testable import Verification

final class GradingTests: XCTestCase {
  private func grade(_ text: String) throws -> (lines: [String], flipped: [FlippedVerdict]) {
    var lines: [String] = []
    let flipped = try Judge().grade(Data(text.utf8), source: "pairs.jsonl") {
      lines.append(String(decoding: $0, as: UTF8.self))
    }
    return (lines, flipped)
  }

  func testWritesALineForEachPairInOrder() throws {
    let (lines, flipped) = try grade(
      """
      {"id": 7, "gold": "\\\\frac12", "answer": "0.5"}

      {"reference": 5, "answer": "So \\\\boxed{6}", "equivalent": false, "rule": "old"}
      {"gold": "5", "answer": "<think>5"}
      """)
    XCTAssertEqual(
      lines,
      [
        #"{"id":7,"gold":"\\frac12","answer":"0.5","equivalent":true,"outcome":"correct","#
          + #""rule":"canonicalForm","reason":"Algebra makes them equal.","#
          + #""extracted_reference":"\\frac12","extracted_answer":"0.5","judge":"1"}"#,
        #"{"reference":5,"answer":"So \\boxed{6}","equivalent":false,"outcome":"wrong","#
          + #""rule":"value","reason":"The values differ.","extracted_reference":"5","#
          + #""extracted_answer":"6","judge":"1"}"#,
        #"{"gold":"5","answer":"<think>5","equivalent":false,"outcome":"noAnswer","rule":"none","#
          + #""reason":"No answer was found.","extracted_reference":"5","extracted_answer":null,"#
          + #""judge":"1"}"#,
      ])
    XCTAssertEqual(flipped, [])
  }

  func testListsWhatFlipped() throws {
    let (first, _) = try grade(
      #"{"gold": "1,2", "answer": "2,1"}"# + "\n" + #"{"gold": "1", "answer": "2"}"#)
    let changed = first.joined(separator: "\n").replacingOccurrences(
      of: #""equivalent":true"#, with: #""equivalent":false"#)
    let (again, flipped) = try grade(changed)
    XCTAssertEqual(again, first)
    XCTAssertEqual(flipped.map(\.line), [1])
    XCTAssertEqual(flipped.map(\.earlier), [false])
    XCTAssertEqual(flipped.map(\.verdict.rule), [.lists])
  }

  func testSaysWhatIsWrongWithALine() {
    for (text, message) in [
      ("[1]", "pairs.jsonl:1: the line is no object. Write one pair on each line."),
      ("\n{\"answer\": \"5\"}", "pairs.jsonl:2: there is no 'gold' and no 'reference'."),
      ("{\"gold\": \"5\"}", "pairs.jsonl:1: there is no 'answer'."),
      ("{\"gold\": [], \"answer\": \"5\"}", "pairs.jsonl:1: 'gold' must be a string or a number."),
    ] {
      XCTAssertThrowsError(try grade(text)) { XCTAssertEqual("\($0)", message) }
    }
  }
}
