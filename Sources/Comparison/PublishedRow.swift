/// A model with figures from the paper, which are told with their source and without an interval.
public struct PublishedRow: Equatable, Sendable {
  public struct Figure: Equatable, Sendable {
    public let benchmark: String
    public let score: String
    /// In points of 100; ratings as they are.
    public let value: Double
  }

  public let name: String
  /// Where the figures stand.
  public let source: String
  public let figures: [Figure]
  /// What other sources have, in sentences.
  public let remarks: [String]

  /// How many problems a benchmark has, where that is settled.
  public static let problems: [(benchmark: String, count: Int)] = [
    ("AIME 2024", 30), ("MATH-500", 500), ("GPQA Diamond", 198),
  ]

  /// The row of a name.
  public static func named(_ name: String) -> PublishedRow? {
    all.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  /// Tables 5 and 6 of DeepSeek-AI, "DeepSeek-R1: Incentivizing Reasoning Capability in LLMs via
  /// Reinforcement Learning", arXiv 2501.12948, January 2025.
  public static let all: [PublishedRow] = [
    row("GPT-4o-0513", "5", 9.3, 13.4, 74.6, 49.9, 32.9, 759),
    row("Claude-3.5-Sonnet-1022", "5", 16.0, 26.7, 78.3, 65.0, 38.9, 717),
    row("OpenAI-o1-mini", "5", 63.6, 80.0, 90.0, 60.0, 53.8, 1820),
    row(
      "QwQ-32B-Preview", "5 and 6", 50.0, 60.0, 90.6, 54.5, 41.9, 1316,
      "The model's card has 44.0 on 'AIME 2024' (pass@1), where the paper has 50.0."),
    row("DeepSeek-R1-Zero-Qwen-32B", "6", 47.0, 60.0, 91.6, 55.0, 40.2, nil),
    row("DeepSeek-R1-Distill-Qwen-1.5B", "5", 28.9, 52.7, 83.9, 33.8, 16.9, 954),
    row("DeepSeek-R1-Distill-Qwen-7B", "5", 55.5, 83.3, 92.8, 49.1, 37.6, 1189),
    row("DeepSeek-R1-Distill-Qwen-14B", "5", 69.7, 80.0, 93.9, 59.1, 53.1, 1481),
    row("DeepSeek-R1-Distill-Qwen-32B", "5 and 6", 72.6, 83.3, 94.3, 62.1, 57.2, 1691),
    row(
      "DeepSeek-R1-Distill-Llama-8B", "5", 50.4, 80.0, 89.1, 49.0, 39.6, 1205,
      "open-r1 quotes 41.7 on 'AIME 2024' (pass@1), where the paper has 50.4."),
    row("DeepSeek-R1-Distill-Llama-70B", "5", 70.0, 86.7, 94.5, 65.2, 57.5, 1633),
  ]

  private static func row(
    _ name: String, _ table: String, _ aime: Double, _ aimeVotes: Double, _ math: Double,
    _ gpqa: Double, _ liveCodeBench: Double, _ codeforces: Double?, _ remark: String? = nil
  ) -> PublishedRow {
    var figures = [
      Figure(benchmark: "AIME 2024", score: "pass@1", value: aime),
      Figure(benchmark: "AIME 2024", score: "cons@64", value: aimeVotes),
      Figure(benchmark: "MATH-500", score: "pass@1", value: math),
      Figure(benchmark: "GPQA Diamond", score: "pass@1", value: gpqa),
      Figure(benchmark: "LiveCodeBench", score: "pass@1", value: liveCodeBench),
    ]
    if let codeforces {
      figures.append(Figure(benchmark: "Codeforces", score: "rating", value: codeforces))
    }
    let tables = table.utf8.count > 1 ? "Tables" : "Table"
    return PublishedRow(
      name: name, source: "DeepSeek-R1, arXiv 2501.12948, \(tables) \(table)", figures: figures,
      remarks: remark.map { [$0] } ?? [])
  }
}
