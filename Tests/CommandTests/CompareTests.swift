import Foundation
import XCTest

@testable import Commands

final class CompareTests: XCTestCase {
  private func recipe(_ folder: TemporaryFolder, _ rows: String) throws -> String {
    try folder.write(
      "{ title: \"Published\", rows: [\(rows)], output: \"\(folder.file("table"))\" }",
      as: "table.json5")
    return folder.file("table.json5")
  }

  /// Published rows need no evaluation.
  func testATableOfPublishedRows() throws {
    let folder = try TemporaryFolder()
    let recipe = try recipe(
      folder, "{ published: \"QwQ-32B-Preview\" }, { published: \"DeepSeek-R1-Zero-Qwen-32B\" }")
    let run = distill(
      "compare", recipe, "--set", "columns=[{ benchmark: \"AIME 2024\", score: \"pass@1\" }]")
    let table = folder.file("table")
    assertPrints(
      run,
      """
      Published

      AIME 2024

      model                         pass@1
      ---------------------------   ------
      QwQ-32B-Preview †               50.0
      DeepSeek-R1-Zero-Qwen-32B †     47.0

      [low, high]: intervals of 95 % over problems. Tokens: of an answer, the mean.
      † 'QwQ-32B-Preview': as published, DeepSeek-R1, arXiv 2501.12948, Tables 5 and 6; not measured here,
        so without an interval.
      † 'DeepSeek-R1-Zero-Qwen-32B': as published, DeepSeek-R1, arXiv 2501.12948, Table 6; not measured
        here, so without an interval.
      † 'QwQ-32B-Preview': The model's card has 44.0 on 'AIME 2024' (pass@1), where the paper has 50.0.

      What it supports

      'DeepSeek-R1-Zero-Qwen-32B' † and 'QwQ-32B-Preview' † on 'AIME 2024', pass@1: 30 problems can't tell
        47.0 from 50.0: with one sample of each, only a difference of 36.1 points would show (95 %
        confidence, 80 % power); 4353 problems could.

      first                       second            column             difference   p, corrected   would show
      -------------------------   ---------------   ----------------   ----------   ------------   ----------
      DeepSeek-R1-Zero-Qwen-32B   QwQ-32B-Preview   AIME 2024 pass@1         -3.0              —         36.1
      Points of the first minus the second, problem by problem. What is called better is so with 95 %
        confidence for all benchmarks of a pair together: p-values are corrected by Holm's method. 'would
        show': the smallest difference that so many problems show with 95 % confidence and 80 % power.

      The table is in \(table), the report in \(table)/report.html.
      """)
    for name in ["table.txt", "table.md", "table.csv", "table.json", "report.html"] {
      XCTAssertTrue(FileManager.default.fileExists(atPath: table + "/" + name), name)
    }
    let json = distill("compare", recipe, "--json")
    XCTAssertEqual(
      json.output, String(decoding: folder.bytes("table/table.json") ?? [], as: UTF8.self))
    XCTAssertEqual(json.status, 0)
  }

  func testWhatCantBeCompared() throws {
    let folder = try TemporaryFolder()
    assertFails(
      distill("compare", try recipe(folder, "{ published: \"QwQ-32B\" }")),
      "The recipe: 'rows.0.published' is 'QwQ-32B', of which no figures are kept here. Did you mean "
        + "'QwQ-32B-Preview'?")
    let missing = folder.file("none")
    assertFails(
      distill("compare", try recipe(folder, "{ name: \"base\", evaluation: \"\(missing)\" }")),
      "row 'base': \(missing): there is no such folder.")
    try folder.write(distill("recipe", "evaluate").output, as: "evaluate.json5")
    let other = folder.file("evaluate.json5")
    assertFails(
      distill("compare", other),
      "\(other): a recipe of the kind 'evaluate', where one of the kind 'compare' is needed.")
    assertFails(
      distill("diff", folder.path, folder.path),
      "\(folder.path): it is no evaluation of a model. Name a folder that 'distill evaluate' left.")
    assertMisuse(
      distill("diff", "a", "b", "--problems", "some"),
      "'--problems <count>' must be a whole number from 0 to 1000000, but was given 'some'.")
  }
}
