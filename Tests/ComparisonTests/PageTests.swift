import Foundation
import Reports
import XCTest

@testable import Comparison

/// The page: what it shows, and that it needs nothing else.
final class PageTests: XCTestCase {
  private func comparison(_ path: String) throws -> ModelComparison {
    try writeEvaluation(
      path + "/base", model: "base", [BenchmarkMaker(problems: problems(9, "RABA", "AAAL", "RRAA"))]
    )
    let step = #""samplingSeconds":1,"judgingSeconds":0.5,"updatingSeconds":2,"length":{"mean":12}"#
    try write([Data(#"{"policy": "base"}"#.utf8)], to: path + "/rl", "recipe.json")
    try write(
      [
        #"{"kind":"start","step":0,"steps":2,"parameters":500}"#,
        #"{"kind":"evaluation","step":0,"accuracy":0.25,"sources":{"b":{"accuracy":0.5},"a":{"accuracy":0}}}"#,
        #"{"kind":"step","step":1,"sampledTokens":100,"trainedTokens":300,\#(step)}"#,
        #"{"kind":"step","step":2,"sampledTokens":100,"trainedTokens":300,\#(step)}"#,
        #"{"kind":"evaluation","step":2,"accuracy":0.5,"sources":{"b":{"accuracy":1},"a":{"accuracy":0}}}"#,
      ].map { Data($0.utf8) }, to: path + "/rl", "metrics.jsonl")
    return try ModelComparison(
      ComparisonRecipe(
        title: "Table <6>",
        rows: [
          .init(name: "<b>ase", evaluation: path + "/base", made: [.init(path + "/rl")]),
          .init(name: "own", source: "s", figures: ["easy": ["pass@1": 30]]),
        ], resamples: 100, output: path + "/table"))
  }

  func testThePage() throws {
    let comparison = try comparison(try temporaryFolder(self))
    XCTAssertEqual(
      comparison.page.sections.map(\.title),
      [
        "Scores", "Bars with intervals", "What the table supports", "Majority votes",
        "Accuracy by training steps", "Length by training steps", "What it took to make the models",
        "Every pair",
      ])
    let html = comparison.page.html
    for forbidden in ["<script", "http://", "https://", "<link", "<img", "<b>ase", "Table <6>"] {
      let found = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
      XCTAssertFalse(found.contains(forbidden), forbidden)
    }
    // A bar with an interval, and one that is published and has none.
    XCTAssertEqual(html.components(separatedBy: "class=\"interval\"").count, 3)
    XCTAssertEqual(html.components(separatedBy: "class=\"hollow\"").count, 2)
    for title in [
      "easy, pass@1", "easy, cons@4", "easy, cons@k", "Accuracy on held-out problems",
      "Accuracy on a", "Accuracy on b", "Length of sampled answers",
    ] { XCTAssertTrue(html.contains("<title>\(title)</title>"), title) }
  }

  func testTheCost() throws {
    let comparison = try comparison(try temporaryFolder(self))
    XCTAssertEqual(
      comparison.costRows, [["<b>ase", "500", "200", "600", "2.00e6", "0.0019"]])
    XCTAssertTrue(
      comparison.text.contains(
        """
        What it took to make the models

        model    parameters   tokens sampled   tokens trained    FLOPs    hours
        ------   ----------   --------------   --------------   ------   ------
        <b>ase          500              200              600   2.00e6   0.0019

        FLOPs: 2 for each parameter and token sampled, 6 for each parameter and token trained;
        """), comparison.text)
    XCTAssertEqual(comparison.curves.map(\.name), ["<b>ase"])
  }

  func testFiguresInWords() {
    XCTAssertEqual(
      [0, 999_999, 1e6, 9.999e9, 1.5e21].map { Words.operations($0) },
      ["0", "999,999", "1.00e6", "1.00e10", "1.50e21"])
    XCTAssertEqual(
      [1, 60, 3_600, 40_000, 400_000].map { Words.hours(seconds: $0) },
      ["0.0003", "0.0167", "1.00", "11.1", "111"])
    XCTAssertEqual(
      [-0.04, 0.04, 5, -5.25].map { Words.signed($0) }, ["0.0", "0.0", "+5.0", "-5.3"])
    XCTAssertEqual(
      [0.5, 0.00999, 0.00005].map { Words.pValue($0) }, ["0.500", "0.0100", "< 0.0001"])
    XCTAssertEqual([12.34, 1_234.5].map { Words.tokens($0) }, ["12.3", "1,235"])
    XCTAssertEqual([nil, 1].map { Words.count($0) }, ["—", "1"])
  }
}
