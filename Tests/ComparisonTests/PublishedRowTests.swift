import XCTest

@testable import Comparison

/// The paper's Tables 5 and 6, copied here a second time.
final class PublishedRowTests: XCTestCase {
  private static let table5 = """
    GPT-4o-0513 | 9.3 | 13.4 | 74.6 | 49.9 | 32.9 | 759
    Claude-3.5-Sonnet-1022 | 16.0 | 26.7 | 78.3 | 65.0 | 38.9 | 717
    OpenAI-o1-mini | 63.6 | 80.0 | 90.0 | 60.0 | 53.8 | 1820
    QwQ-32B-Preview | 50.0 | 60.0 | 90.6 | 54.5 | 41.9 | 1316
    DeepSeek-R1-Distill-Qwen-1.5B | 28.9 | 52.7 | 83.9 | 33.8 | 16.9 | 954
    DeepSeek-R1-Distill-Qwen-7B | 55.5 | 83.3 | 92.8 | 49.1 | 37.6 | 1189
    DeepSeek-R1-Distill-Qwen-14B | 69.7 | 80.0 | 93.9 | 59.1 | 53.1 | 1481
    DeepSeek-R1-Distill-Qwen-32B | 72.6 | 83.3 | 94.3 | 62.1 | 57.2 | 1691
    DeepSeek-R1-Distill-Llama-8B | 50.4 | 80.0 | 89.1 | 49.0 | 39.6 | 1205
    DeepSeek-R1-Distill-Llama-70B | 70.0 | 86.7 | 94.5 | 65.2 | 57.5 | 1633
    """
  private static let table6 = """
    QwQ-32B-Preview | 50.0 | 60.0 | 90.6 | 54.5 | 41.9
    DeepSeek-R1-Zero-Qwen-32B | 47.0 | 60.0 | 91.6 | 55.0 | 40.2
    DeepSeek-R1-Distill-Qwen-32B | 72.6 | 83.3 | 94.3 | 62.1 | 57.2
    """
  private static let columns = [
    ("AIME 2024", "pass@1"), ("AIME 2024", "cons@64"), ("MATH-500", "pass@1"),
    ("GPQA Diamond", "pass@1"), ("LiveCodeBench", "pass@1"), ("Codeforces", "rating"),
  ]

  func testAllFiguresAreThoseOfThePaper() throws {
    var names: Set<String> = []
    for (text, table) in [(Self.table5, "5"), (Self.table6, "6")] {
      for line in text.split(separator: "\n") {
        let cells = line.components(separatedBy: " | ")
        let row = try XCTUnwrap(PublishedRow.named(cells[0]), cells[0])
        names.insert(row.name)
        XCTAssertTrue(row.source.contains(table), row.source)
        XCTAssertTrue(row.source.hasPrefix("DeepSeek-R1, arXiv 2501.12948, Table"))
        for (cell, column) in zip(cells.dropFirst(), Self.columns) {
          let figure = try XCTUnwrap(
            row.figures.first { $0.benchmark == column.0 && $0.score == column.1 })
          XCTAssertEqual(figure.value, Double(cell), "\(row.name), \(column)")
          XCTAssertNotNil(ScoreName(figure.score))
        }
        if table == "5" { XCTAssertEqual(row.figures.count, 6) }
      }
    }
    XCTAssertEqual(Set(PublishedRow.all.map(\.name)), names)
    XCTAssertEqual(PublishedRow.all.count, names.count)
    XCTAssertEqual(PublishedRow.named("DeepSeek-R1-Zero-Qwen-32B")?.figures.count, 5)
    XCTAssertEqual(
      PublishedRow.named("QwQ-32B-Preview")?.source,
      "DeepSeek-R1, arXiv 2501.12948, Tables 5 and 6")
    XCTAssertEqual(
      PublishedRow.named("GPT-4o-0513")?.source, "DeepSeek-R1, arXiv 2501.12948, Table 5")
  }

  func testWhereSourcesDisagree() {
    XCTAssertEqual(
      PublishedRow.all.flatMap(\.remarks),
      [
        "The model's card has 44.0 on 'AIME 2024' (pass@1), where the paper has 50.0.",
        "open-r1 quotes 41.7 on 'AIME 2024' (pass@1), where the paper has 50.4.",
      ])
    XCTAssertEqual(PublishedRow.named("QwQ-32B-Preview")?.remarks.count, 1)
    XCTAssertEqual(PublishedRow.named("DeepSeek-R1-Distill-Llama-8B")?.remarks.count, 1)
  }
}
