import Interface
import Reports

extension ReinforcementReport {
  /// What a run was like at one of its times.
  struct Moment {
    let name: String
    /// The steps whose means are given: single steps jump.
    let steps: ArraySlice<ReinforcementMetrics.Step>
    let evaluation: ReinforcementMetrics.Evaluation?

    func mean(_ value: (ReinforcementMetrics.Step) -> Double?) -> Double? {
      let values = steps.compactMap(value)
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    /// `34.5 % ± 2.1`, in percent.
    var accuracy: String? { Self.text(evaluation?["accuracy"], evaluation?["interval"]) }

    /// The same of one of several files of problems.
    func accuracy(of source: String) -> String? {
      guard let evaluation else { return nil }
      return evaluation.sources.first { $0.name.utf8.elementsEqual(source.utf8) }
        .flatMap { Self.text($0.accuracy, $0.interval) }
    }

    private static func text(_ accuracy: Double?, _ interval: Double?) -> String? {
      guard let accuracy else { return nil }
      let interval = interval.map { " ± " + NumberText.fixed(100 * $0, 1) }
      return NumberText.fixed(100 * accuracy, 1) + " %" + (interval ?? "")
    }
  }

  /// The most steps of a moment.
  private static let window = 5

  /// The run at its beginning, at its best and at its end. The best evaluation decides, of equal
  /// ones the first; without any, the best reward. Empty without a step.
  var moments: [Moment] {
    let steps = metrics.steps
    let evaluations = metrics.evaluations.filter { $0["accuracy"] != nil }
    guard let last = steps.last else { return [] }
    /// A window of steps with `i` in its middle.
    func window(_ i: Int) -> ArraySlice<ReinforcementMetrics.Step> {
      let half = Self.window / 2
      return steps[max(0, i - half)..<min(steps.count, i + half + 1)]
    }
    let best: Moment
    if let first = evaluations.max(by: {
      ($0["accuracy"] ?? 0, -$0.step) < ($1["accuracy"] ?? 0, -$1.step)
    }) {
      let i = steps.lastIndex { $0.step <= first.step } ?? 0
      best = Moment(
        name: "best (step \(NumberText.count(first.step)))", steps: window(i), evaluation: first)
    } else {
      let rewards = steps.indices.map { i in
        Moment(name: "", steps: window(i), evaluation: nil).mean { $0.reward.mean } ?? -.infinity
      }
      let i = rewards.indices.max { (rewards[$0], -$0) < (rewards[$1], -$1) } ?? 0
      best = Moment(
        name: "best (step \(NumberText.count(steps[i].step)))", steps: window(i), evaluation: nil)
    }
    return [
      Moment(name: "first", steps: steps.prefix(Self.window), evaluation: evaluations.first), best,
      Moment(
        name: "last (step \(NumberText.count(last.step)))", steps: steps.suffix(Self.window),
        evaluation: evaluations.last),
    ]
  }

  /// Rows of a table: what, and what it was first, at best and last.
  var momentRows: [[String]] {
    let moments = moments
    func row(_ name: String, _ value: (Moment) -> String?) -> [String]? {
      let values = moments.map(value)
      return values.allSatisfy { $0 == nil } ? nil : [name] + values.map { $0 ?? "" }
    }
    func number(
      _ name: String, _ value: @escaping (ReinforcementMetrics.Step) -> Double?
    ) -> [String]? {
      row(name) { $0.mean(value).map { NumberText.significant($0, 3) } }
    }
    func share(_ name: String, _ key: String) -> [String]? {
      row(name) { $0.mean { $0[key] }.map(Self.percent) }
    }
    let sources = sourceNames.map { name in
      row("– " + Self.cut(name, bytes: 40)) { $0.accuracy(of: name) }
    }
    return [
      number("Reward") { $0.reward.mean }, row("Held-out accuracy", \.accuracy),
    ].compactMap { $0 } + sources.compactMap { $0 }
      + [
        row("Length, tokens") { $0.mean { $0.length.mean }.map { NumberText.count($0) } },
        share("Cut at the limit", "shareCut"),
        share("Questions without signal", "shareWithoutSignal"),
        number("Entropy, nats a token") { $0["entropy"] },
        number("KL, nats a token") { $0["kl"] },
      ].compactMap { $0 }
  }

  /// The files of held-out problems, where there are several; a few of them.
  var sourceNames: [String] {
    var names: [String] = []
    for evaluation in metrics.evaluations {
      for source in evaluation.sources
      where !names.contains(where: { $0.utf8.elementsEqual(source.name.utf8) }) {
        names.append(source.name)
      }
    }
    return Array(names.prefix(6))
  }

  /// What a run came to, for a terminal.
  public var text: String {
    var lines = [paragraph]
    let rows = momentRows
    if !rows.isEmpty {
      var table = Table([.left("")] + moments.map { .right($0.name) })
      for row in rows { table.append(row) }
      lines += [""] + table.lines
      lines += ["", "Figures of steps are means over up to \(Self.window) of them."]
    }
    let total = times.reduce(0) { $0 + $1.seconds }
    if total > 0, total.isFinite {
      let parts = times.map { "\($0.name.lowercased()) \(Self.percent($0.seconds / total))" }
      lines.append(
        "Time: \(NumberText.duration(seconds: total)), \(parts.joined(separator: ", ")).")
    }
    if !metrics.findings.isEmpty {
      lines.append("")
      for finding in metrics.findings.suffix(Self.mostFindings) {
        // It holds nothing that a terminal obeys.
        let text = printable(Self.cut(finding.text, bytes: 1000))
        lines.append("Step \(NumberText.count(finding.step)): \(text)")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The last findings are those that still matter.
  private static let mostFindings = 20

  // MARK: - What both begin with

  /// How far the run is, and what it has learned, in a few sentences.
  var paragraph: String {
    guard let last = metrics.steps.last else {
      return metrics.starts.isEmpty
        ? "The run has not begun: there are no metrics yet."
        : "The run has begun, and no step is done yet."
    }
    var text = NumberText.count(last.step)
    if let planned = last["totalSteps"] { text += " of " + NumberText.count(planned) }
    text += last.step == 1 && last["totalSteps"] == nil ? " step is done" : " steps are done"
    let answers = sum("answers")
    if answers > 0 {
      text +=
        "; \(NumberText.count(answers)) answers were sampled, "
        + "\(NumberText.count(sum("sampledTokens"))) tokens"
    }
    text += "."
    let moments = moments
    if let first = moments.first?.mean({ $0.reward.mean }),
      let now = moments.last?.mean({ $0.reward.mean })
    {
      text +=
        " The reward went from \(NumberText.significant(first, 3)) to "
        + "\(NumberText.significant(now, 3))."
    }
    let evaluations = metrics.evaluations.count { $0["accuracy"] != nil }
    if let first = moments.first?.accuracy, let now = moments.last?.accuracy, evaluations > 1 {
      text += " Held-out accuracy went from \(first) to \(now)"
      if let best = moments.dropFirst().first, let step = best.evaluation?.step,
        step != moments.last?.evaluation?.step, let accuracy = best.accuracy
      {
        text += "; the best was \(accuracy) (step \(NumberText.count(step)))"
      }
      text += "."
    } else if let now = moments.last?.accuracy {
      text += " Held-out accuracy is \(now)."
    }
    let failed = sum("failedRewards")
    if failed > 0 {
      text += " \(NumberText.count(failed)) answers were left out, since their reward failed."
    }
    let skipped = metrics.steps.reduce(0) { $0 + $1.skipped.count }
    if skipped > 0 {
      text += " \(NumberText.count(skipped, "update was", "updates were")) skipped."
    }
    return text
  }

  var figures: [HTMLPage.Figure] {
    guard let last = metrics.steps.last, let now = moments.last else { return [] }
    var figures: [HTMLPage.Figure] = []
    func add(_ name: String, _ value: String?) {
      if let value { figures.append(.init(name, value)) }
    }
    func number(_ value: (ReinforcementMetrics.Step) -> Double?) -> String? {
      now.mean(value).map { NumberText.significant($0, 3) }
    }
    add(
      "Steps" + (last["totalSteps"].map { " of " + NumberText.count($0) } ?? ""),
      NumberText.count(last.step))
    add("Reward", number { $0.reward.mean })
    add("Held-out accuracy", now.accuracy)
    add("Tokens of an answer", now.mean { $0.length.mean }.map { NumberText.count($0) })
    add("Entropy", number { $0["entropy"] })
    add("KL", number { $0["kl"] })
    add("No signal", now.mean { $0["shareWithoutSignal"] }.map(Self.percent))
    let total = times.reduce(0) { $0 + $1.seconds }
    add("Time", total > 0 ? NumberText.duration(seconds: total) : nil)
    let sampling = metrics.steps.compactMap { $0["samplingSeconds"] }.reduce(0, +)
    let rate = sum("sampledTokens") / sampling
    add(
      "Sampled tokens a second",
      sampling > 0 && rate.isFinite
        ? NumberText.significant(rate, 3) : nil)
    add("Most memory", metrics.steps.compactMap { $0["memoryBytes"] }.max().map(NumberText.bytes))
    return figures
  }

  private func sum(_ name: String) -> Double {
    metrics.steps.compactMap { $0[name] }.reduce(0, +)
  }

  static func percent(_ share: Double) -> String { NumberText.fixed(100 * share, 1) + " %" }
}
