import Foundation
import Interface
import XCTest

@testable import Comparison

/// What a recipe says, and what it can't mean.
final class RecipeTests: XCTestCase {
  private func decoded(_ text: String) throws -> ComparisonRecipe {
    try decodeRecipe(ComparisonRecipe.self, from: Data(text.utf8), file: "table.json5").recipe
  }

  func testAWholeRecipe() throws {
    let recipe = try decoded(
      """
      {
        title: "Table 6 in miniature",
        rows: [
          { name: "base", evaluation: "e/base", parameters: 335616 },
          { name: "distilled", evaluation: "e/student",
            made: ["runs/samples", { run: "runs/student", parameters: 37e9 }] },
          { published: "DeepSeek-R1-Zero-Qwen-32B" },
          { name: "own", source: "a card", figures: { "AIME 2024": { "pass@1": 47, "cons@64": 60.5 } } },
        ],
        columns: [{ benchmark: "AIME 2024", score: "cons@64" }],
        compare: [["distilled", "base"]],
        curves: [{ name: "RL", run: "runs/rl" }],
        confidence: 0.9, resamples: 500, output: "out",
      }
      """)
    XCTAssertEqual(recipe.findings, [])
    XCTAssertEqual(
      recipe,
      ComparisonRecipe(
        title: "Table 6 in miniature",
        rows: [
          .init(name: "base", evaluation: "e/base", parameters: 335_616),
          .init(
            name: "distilled", evaluation: "e/student",
            made: [.init("runs/samples"), .init("runs/student", parameters: 37_000_000_000)]),
          .init(published: "DeepSeek-R1-Zero-Qwen-32B"),
          .init(
            name: "own", source: "a card",
            figures: ["AIME 2024": ["pass@1": 47, "cons@64": 60.5]]),
        ], columns: [.init(benchmark: "AIME 2024", score: "cons@64")],
        compare: [["distilled", "base"]], curves: [.init(name: "RL", run: "runs/rl")],
        confidence: 0.9, resamples: 500, output: "out"))
  }

  func testUnknownKeysAreRefused() {
    XCTAssertEqual(
      sentence {
        _ = try decoded(
          """
          { title: "T", output: "o", rows: [
            { name: "a", evaluation: "e", made: [{ run: "r", parameter: 1 }] }] }
          """)
      },
      "table.json5:2:52: unknown key 'parameter' in 'rows.0.made.0'. Did you mean 'parameters'?")
    XCTAssertEqual(
      sentence {
        _ = try decoded("{ title: \"T\", output: \"o\", rows: [{ nam: \"a\" }] }")
      }, "table.json5:1:37: unknown key 'nam' in 'rows.0'. Did you mean 'name'?")
  }

  private func findings(
    _ rows: [ComparisonRecipe.Row] = [.init(name: "a", evaluation: "e")],
    _ change: (inout ComparisonRecipe) -> Void = { _ in }
  ) -> [String] {
    var recipe = ComparisonRecipe(title: "T", rows: rows, output: "o")
    change(&recipe)
    return recipe.findings
  }

  func testWhatRowsCantBe() {
    XCTAssertEqual(findings(), [])
    XCTAssertEqual(findings([]), ["The recipe: it has no 'rows', the models to compare."])
    let neither = "The recipe: 'rows.0' must have one of 'evaluation', 'published' and 'figures'."
    XCTAssertEqual(findings([.init(name: "a")]), [neither])
    XCTAssertEqual(
      findings([.init(evaluation: "e", published: "QwQ-32B-Preview")]), [neither])
    XCTAssertEqual(findings([.init(evaluation: "e")]), ["The recipe: 'rows.0' has no 'name'."])
    XCTAssertEqual(
      findings([.init(name: "a", evaluation: "")]), ["The recipe: 'rows.0.evaluation' is empty."])
    XCTAssertEqual(
      findings([.init(name: "a", evaluation: "e", source: "s")]),
      ["The recipe: 'rows.0.source' belongs to 'figures'."])
    XCTAssertEqual(
      findings([
        .init(name: "a", evaluation: "e", parameters: 0, made: [.init("", parameters: -1)])
      ]),
      [
        "The recipe: 'rows.0.parameters' must lie between 1 and 10¹⁵.",
        "The recipe: 'rows.0.made.0.parameters' must lie between 1 and 10¹⁵.",
        "The recipe: 'rows.0.made.0' is empty.",
      ])
    XCTAssertEqual(
      findings([.init(name: "a", evaluation: "e"), .init(name: "a", evaluation: "f")]),
      ["The recipe: two rows are named 'a'. Name them apart."])
    XCTAssertEqual(
      findings([
        .init(name: "QwQ-32B-Preview", evaluation: "e"), .init(published: "QwQ-32B-Preview"),
      ]), ["The recipe: two rows are named 'QwQ-32B-Preview'. Name them apart."])
  }

  func testPublishedRowsAreNamedExactly() {
    XCTAssertEqual(
      findings([.init(published: "DeepSeek-R1-Zero-Qwen-32")]),
      [
        "The recipe: 'rows.0.published' is 'DeepSeek-R1-Zero-Qwen-32', of which no figures are kept "
          + "here. Did you mean 'DeepSeek-R1-Zero-Qwen-32B'?"
      ])
    XCTAssertEqual(
      findings([.init(published: "Grok")]),
      [
        "The recipe: 'rows.0.published' is 'Grok', of which no figures are kept here. There are "
          + "'GPT-4o-0513', 'Claude-3.5-Sonnet-1022', 'OpenAI-o1-mini', 'QwQ-32B-Preview', "
          + "'DeepSeek-R1-Zero-Qwen-32B', 'DeepSeek-R1-Distill-Qwen-1.5B', "
          + "'DeepSeek-R1-Distill-Qwen-7B', 'DeepSeek-R1-Distill-Qwen-14B', "
          + "'DeepSeek-R1-Distill-Qwen-32B', 'DeepSeek-R1-Distill-Llama-8B', "
          + "'DeepSeek-R1-Distill-Llama-70B'."
      ])
    XCTAssertEqual(
      findings([.init(name: "mine", published: "QwQ-32B-Preview")]),
      ["The recipe: 'rows.0' is a published row, which takes nothing beside 'published'."])
  }

  func testFiguresHaveASourceAndARange() {
    XCTAssertEqual(
      findings([.init(name: "a", figures: ["AIME 2024": ["pass@1": 1]])]),
      ["The recipe: 'rows.0' has no 'source', which says where its figures are from."])
    XCTAssertEqual(
      findings([.init(name: "a", source: "s", figures: ["AIME 2024": [:]])]),
      ["The recipe: 'rows.0.figures' has no figure."])
    XCTAssertEqual(
      findings([
        .init(
          name: "a", source: "s",
          figures: ["AIME 2024": ["pass@1": 100.5, "pass@01": 3], "C": ["rating": 20_000]])
      ]),
      [
        "The recipe: 'rows.0.figures' has 3.0 for 'pass@01' of 'AIME 2024'; the score must be "
          + "'pass@1', 'pass@k', 'cons@k', 'avg@k', 'mG-Pass@k' or 'rating'.",
        "The recipe: 'rows.0.figures' has 100.5 for 'pass@1' of 'AIME 2024'; give points from 0 to "
          + "100.",
        "The recipe: 'rows.0.figures' has 20000.0 for 'rating' of 'C'; give a number within ±10000.",
      ])
  }

  func testWhatElseCantBeMeant() {
    let rows: [ComparisonRecipe.Row] = [
      .init(name: "base", evaluation: "e"), .init(name: "RL from base", evaluation: "f"),
    ]
    XCTAssertEqual(
      findings(rows) { $0.compare = [["base", "RL from bas"], ["base"], ["base", "base"]] },
      [
        "The recipe: 'compare.0' names 'RL from bas', which no row is. Did you mean 'RL from base'?",
        "The recipe: 'compare.1' must be the names of two rows.",
        "The recipe: 'compare.2' compares 'base' with itself.",
      ])
    XCTAssertEqual(
      findings(rows) {
        $0.columns = [
          .init(benchmark: "easy", score: "pass"), .init(benchmark: "easy", score: "pass@1"),
          .init(benchmark: "easy", score: "pass@1"),
        ]
      },
      [
        "The recipe: 'columns.0.score' is 'pass'; it must be 'pass@1', 'pass@k', 'cons@k', 'avg@k', "
          + "'mG-Pass@k' or 'rating'.",
        "The recipe: 'columns.2', pass@1 of 'easy', is there twice.",
      ])
    XCTAssertEqual(
      findings(rows) { $0.columns = [] },
      ["The recipe: 'columns' is empty. Leave it out for the usual ones."])
    XCTAssertEqual(
      findings(rows) {
        ($0.title, $0.output) = ("", "")
        $0.curves = [
          .init(name: "", run: ""), .init(name: "c", run: "r"), .init(name: "c", run: "s"),
        ]
        ($0.confidence, $0.resamples) = (1, 10)
      },
      [
        "The recipe: 'title' is empty.", "The recipe: 'output' is empty.",
        "The recipe: 'curves.0.name' is empty.", "The recipe: 'curves.0.run' is empty.",
        "The recipe: two curves are named 'c'. Name them apart.",
        "The recipe: 'confidence' is 1.0; it must lie between 0.5 and 0.9999.",
        "The recipe: 'resamples' is 10; it must lie between 100 and 1000000.",
      ])
  }

  func testNamesOfScores() {
    let names: [(String, ScoreName?)] = [
      ("pass@1", .pass(1)), ("pass@8", .pass(8)), ("cons@64", .consensus(64)),
      ("avg@16", .average(16)), ("mG-Pass@16", .meanStablePass(16)), ("rating", .rating),
      ("pass@0", nil), ("pass@+1", nil), ("pass@1@2", nil), ("Pass@1", nil), ("pass", nil),
      ("pass@1000001", nil), ("@1", nil), ("", nil),
    ]
    for (text, name) in names {
      XCTAssertEqual(ScoreName(text), name, text)
      if let name { XCTAssertEqual(name.text, text) }
    }
  }
}
