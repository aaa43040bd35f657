import Foundation
import Reports

extension ModelComparison {
  /// The page: tables, bars with intervals, votes by their number, training by its steps.
  public var page: HTMLPage {
    var sections: [HTMLPage.Section] = []
    func add(_ title: String, _ blocks: [HTMLPage.Block]) {
      if !blocks.isEmpty { sections.append(HTMLPage.Section(title, blocks)) }
    }
    add("Scores", table.benchmarks.flatMap(scoreBlocks) + paragraphs([legend] + notes))
    add("Bars with intervals", plots(barPlots.map { .intervals($0) }))
    add("What the table supports", paragraphs(sentences))
    add("Majority votes", plots(votePlots.map { .lines($0) }))
    add("Accuracy by training steps", plots(accuracyPlots.map { .lines($0) }))
    add("Length by training steps", plots(lengthPlots.map { .lines($0) }))
    add("What it took to make the models", costBlocks)
    add("Every pair", pairBlocks)
    return HTMLPage(title: title, sections: sections)
  }

  private func paragraphs(_ texts: [String]) -> [HTMLPage.Block] { texts.map { .paragraph($0) } }

  private func plots(_ plots: [HTMLPage.Plot]) -> [HTMLPage.Block] {
    plots.isEmpty ? [] : [.plots(plots)]
  }

  private func scoreBlocks(_ benchmark: String) -> [HTMLPage.Block] {
    var headings = ["Model"] + table.columns(of: benchmark).map { table.columns[$0].score.text }
    if hasTokens(benchmark) { headings.append("tokens") }
    return [
      .paragraph(headline(benchmark)),
      .table(
        HTMLPage.Table(
          headings: headings,
          rows: shownRows([benchmark]).map {
            [rows[$0].name + rows[$0].mark] + cells($0, benchmark)
          },
          numberColumns: Set(1..<max(2, headings.count)))),
    ]
  }

  private var pairBlocks: [HTMLPage.Block] {
    let lines = pairs.flatMap { pair in pair.differences.map { cells(pair, $0) } }
    if lines.isEmpty { return [] }
    return [
      .table(
        HTMLPage.Table(headings: Self.differenceHeadings, rows: lines, numberColumns: [3, 4, 5])),
      .paragraph(Self.differenceNote(confidence)),
    ]
  }

  private var costBlocks: [HTMLPage.Block] {
    if rows.allSatisfy({ $0.cost == nil }) { return [] }
    return [
      .table(
        HTMLPage.Table(headings: Self.costHeadings, rows: costRows, numberColumns: [1, 2, 3, 4, 5]))
    ] + paragraphs([MakingCost.formula] + costNotes)
  }

  // MARK: Plots

  private var barPlots: [IntervalBars] {
    table.columns.indices.map { i in
      let column = table.columns[i]
      return IntervalBars(
        "\(column.benchmark), \(column.score.text)",
        axis: column.score.isShare ? PlotAxis("points") : PlotAxis("rating"),
        most: column.score.isShare ? 100 : nil,
        bars: rows.enumerated().compactMap { number, row in
          table.cells[number][i].map { cell in
            IntervalBars.Bar(
              row.name + row.mark, cell.value, low: cell.low, high: cell.high,
              text: Words.cell(cell, column.score), isMeasured: row.isMeasured)
          }
        })
    }
  }

  private var votePlots: [LinePlot] {
    table.benchmarks.compactMap { benchmark in
      let series = rows.compactMap { row -> LinePlot.Series? in
        guard let curve = row.benchmark(benchmark)?.votes?.curve, curve.count > 1 else {
          return nil
        }
        return LinePlot.Series(
          row.name, curve.enumerated().map { .init(Double($0 + 1), 100 * $1) },
          style: curve.count <= 16 ? .dots : .line)
      }
      if series.isEmpty { return nil }
      return LinePlot(
        "\(benchmark), cons@k", x: PlotAxis("k, samples that vote", isWhole: true),
        y: PlotAxis("points"), series: series)
    }
  }

  private static let steps = PlotAxis("step", isWhole: true)

  /// A plot for each file of held-out problems, or one of all where there are no several.
  private var accuracyPlots: [LinePlot] {
    var sources: [String] = []
    for source in curves.flatMap({ $0.accuracies.compactMap(\.source) })
    where !sources.contains(where: { $0.utf8.elementsEqual(source.utf8) }) {
      sources.append(source)
    }
    func plot(_ title: String, _ source: String?) -> LinePlot? {
      let series = curves.compactMap { curve -> LinePlot.Series? in
        let found = curve.accuracies.first {
          $0.source.map { Array($0.utf8) } == source.map { Array($0.utf8) }
        }
        return found.map { accuracy in
          LinePlot.Series(
            curve.name, accuracy.points.map { .init(Double($0.step), 100 * $0.value) },
            style: .dots)
        }
      }
      if series.isEmpty { return nil }
      return LinePlot(
        title, x: Self.steps, y: PlotAxis("right answers", unit: "%"), series: series)
    }
    let whole = plot("Accuracy on held-out problems", nil)
    return [whole].compactMap { $0 }
      + sources.compactMap { plot("Accuracy on \($0)", $0) }
  }

  private var lengthPlots: [LinePlot] {
    let series = curves.filter { !$0.lengths.isEmpty }.map { curve in
      LinePlot.Series(
        curve.name, curve.lengths.map { .init(Double($0.step), $0.value) },
        style: .smoothed(showsPoints: true))
    }
    if series.isEmpty { return [] }
    return [
      LinePlot(
        "Length of sampled answers", x: Self.steps, y: PlotAxis("tokens on average"),
        series: series)
    ]
  }
}
