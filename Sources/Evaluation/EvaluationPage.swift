import Foundation
import Problems
import Reports
import Scores
import Storage
import Teachers

/// The page of one model's evaluation: figures with intervals, votes, lengths, and answers to read.
public struct EvaluationPage: Sendable {
  public let page: HTMLPage

  /// Answers of each kind that a benchmark's section shows.
  private static let samplesOfAKind = 3
  /// Bars of lengths.
  private static let bars = 24

  /// - Throws: `ScoreError`, `SampleError`, `ProblemError`.
  public init(_ evaluation: ModelEvaluation, bootstrap: Bootstrap = .standard) throws {
    var sections: [HTMLPage.Section] = []
    var rows: [[String]] = []
    for benchmark in evaluation.benchmarks {
      let figures = try BenchmarkFigures(of: benchmark, bootstrap: bootstrap)
      rows.append(Self.row(benchmark, figures))
      sections.append(
        HTMLPage.Section(
          benchmark.name,
          try Self.blocks(benchmark, figures, confidence: bootstrap.confidence)
            + Self.samples(of: benchmark, at: evaluation.path + "/" + benchmark.folder)))
    }
    let confidence = String(format: "%g %%", 100 * bootstrap.confidence)
    var introduction: [HTMLPage.Block] = [
      .table(
        HTMLPage.Table(
          headings: [
            "benchmark", "problems", "k", "pass@1", confidence, "vote", confidence, "pass@k",
            "tokens",
          ], rows: rows, numberColumns: [1, 2, 3, 5, 7, 8])),
      .paragraph(
        "In points of 100. The vote is cons@k, over answers that are equal as mathematics; intervals "
          + "are for other problems of the kind, with other samples."),
    ]
    if let preset = evaluation.preset {
      introduction.append(
        .paragraph(
          "By the preset '\(preset.name)', SHA-256 \(preset.sha256)"
            + (preset.changes.isEmpty
              ? "." : ", but for: " + preset.changes.joined(separator: "; ") + ".")
        ))
    }
    sections.append(HTMLPage.Section("Settings", [.table(Self.settings(evaluation))]))
    page = HTMLPage(
      title: "Evaluation of \(evaluation.model)", introduction: introduction, sections: sections,
      footer: "distill \(evaluation.toolkit)")
  }

  /// The page of all models of an evaluation, beside their folders: figures, and where their own
  /// pages are.
  ///
  /// - Throws: `ScoreError`.
  static func overview(
    of models: [ModelEvaluation], bootstrap: Bootstrap
  ) throws(ScoreError) -> HTMLPage {
    var rows: [[String]] = []
    for model in models {
      for benchmark in model.benchmarks {
        rows.append(
          [model.model] + row(benchmark, try BenchmarkFigures(of: benchmark, bootstrap: bootstrap)))
      }
    }
    let confidence = String(format: "%g %%", 100 * bootstrap.confidence)
    return HTMLPage(
      title: "Evaluation",
      introduction: [
        .table(
          HTMLPage.Table(
            headings: [
              "model", "benchmark", "problems", "k", "pass@1", confidence, "vote", confidence,
              "pass@k", "tokens",
            ], rows: rows, numberColumns: [2, 3, 4, 6, 8, 9])),
        .links(
          models.map { model in
            let folder = folderName(model.model)
            return HTMLPage.Link(
              "\(model.model): answers, lengths, settings", folder + "/report.html")
          }),
      ], footer: models.first.map { "distill \($0.toolkit)" })
  }

  /// - Throws: `ReportError`.
  public func write(to path: String) throws { try page.write(to: path) }

  // MARK: Figures

  private static func points(_ figure: BenchmarkFigures.Figure?) -> String {
    figure.map { NumberText.fixed(100 * $0.score.mean, 1) } ?? "—"
  }

  private static func interval(_ figure: BenchmarkFigures.Figure?) -> String {
    figure?.interval.map {
      "\(NumberText.fixed(100 * $0.low, 1)) to \(NumberText.fixed(100 * $0.high, 1))"
    } ?? ""
  }

  private static func row(
    _ benchmark: EvaluatedBenchmark, _ figures: BenchmarkFigures
  ) -> [String] {
    let most = figures.passAt.last.flatMap { $0.k == benchmark.samplesPerProblem ? $0.figure : nil }
    return [
      benchmark.name, "\(figures.counts.problems)", "\(benchmark.samplesPerProblem)",
      points(figures.passAt1), interval(figures.passAt1), points(figures.consensus),
      interval(figures.consensus), points(most),
      figures.counts.meanTokens.map { String(format: "%.0f", $0) } ?? "—",
    ]
  }

  private static func blocks(
    _ benchmark: EvaluatedBenchmark, _ figures: BenchmarkFigures, confidence: Double
  ) -> [HTMLPage.Block] {
    var blocks: [HTMLPage.Block] = [.paragraph(figures.counts.sentence)]
    blocks += figures.remarks(on: benchmark).map { .note($0) }
    if let refusal = figures.refusal { blocks.append(.note("No figures: \(refusal)")) }
    if let missing = figures.passAt1?.score.missing { blocks.append(.note(missing.sentence)) }
    if let coverage = figures.passAt1?.score.coverage(confidence: confidence) {
      blocks.append(.paragraph(coverage))
    }
    if let rating = figures.rating { blocks.append(.paragraph(rating.sentence)) }
    var plots: [HTMLPage.Plot] = []
    if figures.curve.count > 1, let passAt1 = figures.passAt1 {
      let votes = figures.curve.enumerated().map {
        LinePlot.Point(Double($0.offset + 1), 100 * $0.element)
      }
      let several =
        [LinePlot.Point(1, 100 * passAt1.score.mean)]
        + figures.passAt.map { LinePlot.Point(Double($0.k), 100 * $0.figure.score.mean) }
      plots.append(
        .lines(
          LinePlot(
            "Votes and chances by the number of samples",
            x: PlotAxis("k", scale: .logarithmic, isWhole: true), y: PlotAxis("solved", unit: "%"),
            series: [LinePlot.Series("cons@k", votes), LinePlot.Series("pass@k", several)])))
    }
    if let lengths = lengths(of: benchmark) { plots.append(.bars(lengths)) }
    if !plots.isEmpty { blocks.append(.plots(plots)) }
    return blocks
  }

  private static func lengths(of benchmark: EvaluatedBenchmark) -> Histogram? {
    let tokens = benchmark.problems.flatMap { $0.samples.map(\.tokens) }
    guard let longest = tokens.max(), longest > 0 else { return nil }
    let width = max(1, (longest + bars) / bars)
    var counts = [Double](repeating: 0, count: longest / width + 1)
    for count in tokens { counts[count / width] += 1 }
    return Histogram(
      "Lengths of answers", x: PlotAxis("tokens", unit: "from", isWhole: true),
      y: PlotAxis("answers", isWhole: true),
      bars: counts.enumerated().map { Histogram.Bar("\($0.offset * width)", $0.element) })
  }

  private static func settings(_ evaluation: ModelEvaluation) -> HTMLPage.Table {
    func text(_ value: JSONValue) -> String { String(decoding: value.serialized(), as: UTF8.self) }
    var rows = [["model", text(evaluation.identity)]]
    for benchmark in evaluation.benchmarks {
      rows += [
        ["\(benchmark.name): sampling", text(benchmark.sampling.json)],
        ["\(benchmark.name): words", text(benchmark.prompt)],
        ["\(benchmark.name): judge", benchmark.judge],
        ["\(benchmark.name): problems", "SHA-256 \(benchmark.problemsSHA256)"],
        ["\(benchmark.name): seconds", String(format: "%.1f", benchmark.seconds)],
      ]
    }
    return HTMLPage.Table(headings: ["setting", "value"], rows: rows)
  }

  // MARK: Answers

  /// A few answers of each outcome that there is, one of a problem at most.
  private static func samples(
    of benchmark: EvaluatedBenchmark, at path: String
  ) throws -> [HTMLPage.Block] {
    var wanted: [[UInt8]: (outcome: SampleOutcome, sample: Int, reason: String)] = [:]
    for outcome in SampleOutcome.allCases {
      var count = 0
      for problem in benchmark.problems where count < samplesOfAKind {
        let id = Array(problem.id.utf8)
        guard wanted[id] == nil,
          let sample = problem.samples.first(where: {
            problem.verdicts[$0.verdict].outcome == outcome
          })
        else { continue }
        wanted[id] = (outcome, sample.number, problem.verdicts[sample.verdict].reason)
        count += 1
      }
    }
    let folder = try SampleFolder(at: path)
    var questions: [[UInt8]: String] = [:]
    try folder.forEachProblem { json, place in
      let problem = try Problem(json, place: place)
      if let wish = wanted[Array(problem.id.utf8)] {
        questions[Array(problem.id.utf8)] =
          try ShownProblem(
            problem, to: wish.sample, prompt: benchmark.prompt, seed: benchmark.sampling.seed
          ).text
      }
    }
    var found: [(outcome: SampleOutcome, sample: HTMLPage.Sample)] = []
    try folder.forEachRecord { record, _ in
      let id = Array(record.problem.utf8)
      guard let wish = wanted[id], wish.sample == record.sample else { return }
      found.append(
        (
          wish.outcome,
          HTMLPage.Sample(
            title: "\(wish.outcome.rawValue): \(record.problem), sample \(record.sample). "
              + wish.reason, prompt: questions[id] ?? "", text: record.text, isOpen: false)
        ))
    }
    return SampleOutcome.allCases.flatMap { outcome in
      found.filter { $0.outcome == outcome }.map(\.sample).sorted { $0.title < $1.title }
        .map { HTMLPage.Block.sample($0) }
    }
  }
}
