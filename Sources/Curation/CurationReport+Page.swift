import Reports

extension CurationReport {
  /// The report as one page.
  public var page: HTMLPage {
    var sections = [
      HTMLPage.Section(
        "From samples to the set",
        [
          .table(
            HTMLPage.Table(
              headings: ["Stage", "Dropped", "Left"], rows: numberedFunnelRows,
              numberColumns: [1, 2])),
          .plots([.bars(leftPlot)]),
        ])
    ]
    func add(_ title: String, _ blocks: [HTMLPage.Block]) {
      if !blocks.isEmpty { sections.append(HTMLPage.Section(title, blocks)) }
    }
    add("What was dropped", droppedBlocks)
    add(
      "Sources",
      [
        .table(
          HTMLPage.Table(
            headings: Self.joined(Self.partHeadings, by: "Source"),
            rows: partRows.map { Self.joined($0, by: "\($0[0]), \($0[1])") },
            numberColumns: [1, 2, 3, 4])),
        .paragraph(
          "The set of the paper, for orientation, with its tokens as its authors count them:"),
        .table(
          HTMLPage.Table(
            headings: ["Paper's source", "Samples", "Tokens on average"],
            rows: Self.paper.map {
              [$0.name, Self.grouped($0.samples), Self.grouped($0.tokens)]
            }, numberColumns: [1, 2])),
      ])
    if !lengths.isEmpty {
      add("Lengths", [.plots([.bars(lengthPlot)]), .paragraph("In tokens: \(lengthSummary).")])
    }
    if !passRates.isEmpty {
      add(
        "Pass rates",
        [
          .table(
            HTMLPage.Table(
              headings: Self.joined(Self.passRateHeadings, by: "Problems of"),
              rows: passRateRows.map {
                Self.joined($0, by: $0[1].isEmpty ? $0[0] : "\($0[0]), \($0[1])")
              }, numberColumns: [1, 2, 3, 4]))
        ])
    }
    if !languages.isEmpty {
      add(
        "Languages",
        [
          .table(
            HTMLPage.Table(
              headings: ["Most of the thinking", "Samples"],
              rows: languages.map { [$0.name, Self.grouped($0.samples)] }, numberColumns: [1]))
        ])
    }
    add("Evaluation sets", evaluationBlocks)
    add("Judge model", judgeSentences.map { .paragraph($0) })
    add("Cost", costSentences.map { .paragraph($0) })
    return HTMLPage(
      title: "Curation", introduction: introduction, sections: sections,
      footer: "Numbers for programs are in report.json; what it was made from is in manifest.json.")
  }

  private var introduction: [HTMLPage.Block] {
    let total = total
    let tokens = parts.reduce(0) { $0 + $1.tokens }
    var figures = [
      HTMLPage.Figure("Samples read", Self.grouped(total.read)),
      HTMLPage.Figure("Kept", Self.grouped(total[.kept])),
      HTMLPage.Figure("Share kept", Self.percent(total[.kept], of: total.read)),
      HTMLPage.Figure("In the set", Self.grouped(samples)),
    ]
    if total[.kept] > 0 {
      figures.append(
        HTMLPage.Figure(
          "Tokens on average", Self.grouped((tokens + total[.kept] / 2) / total[.kept])))
    }
    if let each = cost.perKeptSample {
      figures.append(
        HTMLPage.Figure("Cost of a kept one", "\(Self.decimal(each, 4)) \(cost.currency ?? "")"))
    }
    return [.paragraph(headline), .figures(figures)] + notes.map { .note($0) }
  }

  /// What is left after each stage.
  private var leftPlot: Histogram {
    let total = total
    let stages = DropReason.Stage.allCases.enumerated().map { i, stage in
      Histogram.Bar("\(i + 1)", Double(total.left(after: stage)))
    }
    return Histogram(
      "Samples left after each stage", x: PlotAxis("stage, as numbered above; 0 is all"),
      y: PlotAxis("samples", isWhole: true),
      bars: [Histogram.Bar("0", Double(total.read))] + stages)
  }

  private var lengthPlot: Histogram {
    Histogram(
      "Lengths of kept completions", x: PlotAxis("up to so many tokens"),
      y: PlotAxis("samples", isWhole: true),
      bars: lengths.map { Histogram.Bar(Self.grouped($0.tokens.upperBound), Double($0.count)) })
  }

  /// The funnel, its stages numbered as the plot numbers them.
  private var numberedFunnelRows: [[String]] {
    let titles = DropReason.Stage.allCases.map(\.title)
    return funnelRows.map { row in
      guard let number = titles.firstIndex(of: row[0]) else { return row }
      return ["\(number + 1). \(row[0])"] + row.dropFirst()
    }
  }

  /// A row whose first two cells are one, since two columns of words don't fit a narrow page.
  private static func joined(_ row: [String], by first: String) -> [String] {
    [first] + row.dropFirst(2)
  }

  /// More sources than anybody looks through are in the other reports only.
  private static let mostSources = 50

  private var droppedBlocks: [HTMLPage.Block] {
    let dropping = (sources + mixture).filter { $0.read > $0[.kept] }
    var blocks: [HTMLPage.Block] = []
    if dropping.count > Self.mostSources {
      blocks.append(
        .paragraph("The first \(Self.mostSources) of \(Self.grouped(dropping.count)) sources:"))
    }
    for funnel in dropping.prefix(Self.mostSources) {
      let reasons = DropReason.allCases.filter { $0 != .kept && funnel[$0] > 0 }
      blocks.append(
        .table(
          HTMLPage.Table(
            headings: ["\(Self.short(funnel.source)): samples…", "Samples", "Share"],
            rows: reasons.map {
              [$0.words, Self.grouped(funnel[$0]), Self.percent(funnel[$0], of: funnel.read)]
            }, numberColumns: [1, 2])))
      for reason in reasons {
        let examples = funnel.examples.filter { $0.reason == reason }
        if examples.isEmpty { continue }
        blocks.append(
          .sample(
            HTMLPage.Sample(
              title: "\(Self.short(funnel.source)): \(reason.words)",
              prompt: "\(examples.count) of \(Self.grouped(funnel[reason])), in parts",
              text: examples.map { "\($0.place)\n\($0.sentence)\n\($0.excerpt)" }
                .joined(separator: "\n\n"),
              isOpen: false)))
      }
    }
    return blocks
  }

  private var evaluationBlocks: [HTMLPage.Block] {
    var blocks: [HTMLPage.Block] = []
    if !evaluation.isEmpty {
      blocks.append(
        .table(
          HTMLPage.Table(
            headings: ["Set", "Questions found", "Answers that hold one"], rows: evaluationRows,
            numberColumns: [1, 2])))
    }
    if repeatedQuestions > 0 {
      blocks.append(
        .paragraph(
          "\(Self.grouped(repeatedQuestions)) problems ask what an earlier one does, and count as "
            + "that problem."))
    }
    return blocks
  }
}
