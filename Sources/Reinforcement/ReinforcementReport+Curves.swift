import Reports

extension ReinforcementReport {
  private static let axis = PlotAxis("step", isWhole: true)
  /// More curves in one plot can't be told apart.
  private static let mostRewards = 8

  /// The points of a number of each step; none if no step has it.
  private func points(
    _ value: (ReinforcementMetrics.Step) -> Double?
  ) -> [LinePlot.Point] {
    let points = metrics.steps.map { LinePlot.Point(Double($0.step), value($0) ?? .nan) }
    return points.contains { $0.y.isFinite } ? points : []
  }

  /// A plot of the series that have points; nil if none has.
  private func plot(
    _ title: String, _ y: PlotAxis, _ series: [LinePlot.Series], marks: [LinePlot.Mark] = []
  ) -> LinePlot? {
    let series = series.filter { !$0.points.isEmpty }
    if series.isEmpty { return nil }
    return LinePlot(title, x: Self.axis, y: y, series: series, marks: marks)
  }

  private func plot(
    _ title: String, _ y: PlotAxis, marks: [LinePlot.Mark] = [],
    _ value: (ReinforcementMetrics.Step) -> Double?
  ) -> LinePlot? {
    plot(
      title, y, [.init(y.label, points(value), style: .smoothed(showsPoints: true))], marks: marks)
  }

  /// A share as a percentage.
  private static func percent(_ name: String) -> (ReinforcementMetrics.Step) -> Double? {
    { $0[name].map { 100 * $0 } }
  }

  // MARK: - Rewards

  var rewardPlots: [LinePlot] {
    var names: [String] = []
    for step in metrics.steps {
      for (name, _) in step.rewards
      where !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { names.append(name) }
    }
    let shown = names.sorted().prefix(Self.mostRewards)
    func series(
      _ value: @escaping (ReinforcementMetrics.Spread) -> Double?
    ) -> [LinePlot.Series] {
      shown.map { name in
        let points = points { step in
          step.rewards.first { $0.name.utf8.elementsEqual(name.utf8) }.flatMap { value($0.spread) }
        }
        return .init(
          Self.cut(name, bytes: 40), points, style: .smoothed(showsPoints: shown.count == 1))
      }
    }
    let spread = LinePlot.Series(
      "weighted sum", points { $0.reward.deviation }, style: .smoothed(showsPoints: false))
    return [
      plot("Reward: the weighted sum", PlotAxis("mean over answers")) { $0.reward.mean },
      plot("Each reward, before its weight", PlotAxis("mean over answers"), series(\.mean)),
      plot(
        "Spread of rewards", PlotAxis("standard deviation over answers"),
        [spread] + series(\.deviation)),
      accuracyPlot, sourcePlot,
    ].compactMap { $0 }
  }

  private var accuracyPlot: LinePlot? {
    func points(_ sign: Double) -> [LinePlot.Point] {
      metrics.evaluations.compactMap { evaluation in
        guard let accuracy = evaluation["accuracy"] else { return nil }
        guard sign != 0 else { return .init(Double(evaluation.step), 100 * accuracy) }
        return evaluation["interval"].map {
          .init(Double(evaluation.step), 100 * (accuracy + sign * $0))
        }
      }
    }
    return plot(
      "Held-out accuracy", PlotAxis("right answers", unit: "%"),
      [
        .init("accuracy", points(0), style: .dots), .init("95 % upper", points(1)),
        .init("95 % lower", points(-1)),
      ])
  }

  /// The accuracy of each file of problems, where there are several.
  private var sourcePlot: LinePlot? {
    let series = sourceNames.map { name in
      LinePlot.Series(
        Self.cut(name, bytes: 40),
        metrics.evaluations.compactMap { evaluation in
          evaluation.sources.first { $0.name.utf8.elementsEqual(name.utf8) }?.accuracy
            .map { .init(Double(evaluation.step), 100 * $0) }
        }, style: .dots)
    }
    if series.isEmpty { return nil }
    return plot("Held-out accuracy by file", PlotAxis("right answers", unit: "%"), series)
  }

  // MARK: - Answers

  var answerPlots: [LinePlot] {
    let heldOut = metrics.evaluations.compactMap { evaluation in
      evaluation["length"].map { LinePlot.Point(Double(evaluation.step), $0) }
    }
    func series(
      _ name: String, _ value: @escaping (ReinforcementMetrics.Step) -> Double?
    ) -> LinePlot.Series {
      .init(name, points(value), style: .smoothed(showsPoints: false))
    }
    return [
      plot(
        "Length of answers", PlotAxis("tokens on average"),
        [
          .init("training", points { $0.length.mean }, style: .smoothed(showsPoints: true)),
          .init("held out", heldOut, style: .dots),
        ]),
      plot(
        "Answers without an end", PlotAxis("answers", unit: "%"),
        [
          series("cut at the limit", Self.percent("shareCut")),
          series("thinking not closed") { $0["shareClosed"].map { 100 * (1 - $0) } },
        ]),
      plot(
        "Questions without signal", PlotAxis("questions", unit: "%"),
        [
          series("all answers have one reward", Self.percent("shareWithoutSignal")),
          series("all right", Self.percent("shareAllRight")),
          series("all wrong", Self.percent("shareAllWrong")),
        ]),
    ].compactMap { $0 }
  }

  // MARK: - The policy

  var policyPlots: [LinePlot] {
    let skipped = metrics.steps.filter { !$0.skipped.isEmpty }
      .map { LinePlot.Mark(Double($0.step), "update skipped") }
    // A ratio that is right is 0 in every step, and not worth a plot.
    let hasErrors = metrics.steps.contains { ($0["firstRatioError"] ?? .nan) != 0 }
    return [
      plot("Entropy", PlotAxis("nats a token")) { $0["entropy"] },
      plot("Divergence from the reference", PlotAxis("nats a token")) { $0["kl"] },
      plot("Clipped tokens", PlotAxis("tokens", unit: "%"), Self.percent("shareClipped")),
      plot(
        "Gradient norm before clipping", PlotAxis("norm", scale: .logarithmic), marks: skipped
      ) { $0["gradientNorm"] },
      plot(
        "Learning rate", PlotAxis("learning rate"),
        [.init("learning rate", points { $0["learningRate"] })]),
      hasErrors
        ? plot("Largest distance of a first ratio from 1", PlotAxis("distance")) {
          $0["firstRatioError"]
        } : nil,
    ].compactMap { $0 }
  }

  // MARK: - Time

  private static let parts = [
    ("Sampling", "samplingSeconds"), ("Judging", "judgingSeconds"),
    ("Updating", "updatingSeconds"),
  ]

  /// Seconds of each part of the run, those without any left out.
  var times: [(name: String, seconds: Double)] {
    let evaluations = metrics.evaluations.compactMap { $0["seconds"] }.reduce(0, +)
    let parts = Self.parts.map { name, key in
      (name, metrics.steps.compactMap { $0[key] }.reduce(0, +))
    }
    return (parts + [("Evaluating", evaluations)]).filter { $0.1 > 0 && $0.1.isFinite }
  }

  var timeBlocks: [HTMLPage.Block] {
    let times = times
    let total = times.reduce(0) { $0 + $1.seconds }
    guard total > 0, total.isFinite else { return [] }
    let series = Self.parts.map { name, key in
      LinePlot.Series(
        name.lowercased(), points { $0[key] }, style: .smoothed(showsPoints: false))
    }
    let plot = plot("Time of a step", PlotAxis("seconds"), series)
    let rows = (times + [("In all", total)]).map { name, seconds in
      [name, NumberText.duration(seconds: seconds), Self.percent(seconds / total)]
    }
    return (plot.map { [.plots([.lines($0)])] } ?? []) + [
      .table(
        HTMLPage.Table(headings: ["Part", "Time", "Share"], rows: rows, numberColumns: [1, 2]))
    ]
  }
}
