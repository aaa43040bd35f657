import Interface

extension CurationReport {
  /// The report for a terminal.
  public var text: String {
    var lines = [headline, ""]
    func add(_ title: String, _ rows: [String]) {
      if rows.isEmpty { return }
      lines += [title, ""] + rows.map { $0.isEmpty ? "" : "  " + $0 } + [""]
    }
    add("From samples to the set", funnelTable.lines)
    add("What was dropped", reasonTable.lines)
    add("Sources", partTable.lines)
    add("The set of the paper, for orientation", paperTable.lines)
    add("Lengths of kept completions, in tokens", lengthRows)
    add("How often problems are solved", passRates.isEmpty ? [] : passRateTable.lines)
    add("Languages of the thinking", languages.map { "\($0.name)  \(Self.grouped($0.samples))" })
    add("Evaluation sets", evaluation.isEmpty ? [] : evaluationTable.lines)
    add("Judge model", judgeSentences)
    add("Cost", costSentences)
    add("Notes", notes)
    add("Examples of what was dropped", exampleRows)
    while lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What came out, in one sentence.
  var headline: String {
    let total = total
    let mixed = samples - total[.kept]
    func count(_ n: Int, _ one: String, _ many: String) -> String {
      "\(Self.grouped(n)) \(n == 1 ? one : many)"
    }
    return "\(Self.grouped(total[.kept])) of \(count(total.read, "sample", "samples")) of "
      + "\(count(prompts.all, "problem", "problems")) are kept"
      + (mixed > 0
        ? "; \(Self.grouped(mixed)) of other sources make it \(Self.grouped(samples))." : ".")
  }

  /// Stages, how many each drops, and how many are left.
  var funnelRows: [[String]] {
    let total = total
    var rows = [
      ["Problems", "", Self.grouped(prompts.all)],
      ["Problems with samples", "", Self.grouped(prompts.sampled)],
      ["Samples", "", Self.grouped(total.read)],
    ]
    for stage in DropReason.Stage.allCases {
      rows.append([
        stage.title, Self.grouped(total[stage]), Self.grouped(total.left(after: stage)),
      ])
    }
    rows.append(["Problems with kept samples", "", Self.grouped(prompts.kept)])
    return rows
  }

  private var funnelTable: Table {
    Self.table([.left("Stage"), .right("dropped"), .right("left")], funnelRows)
  }

  /// Source, stage, reason and count of what was dropped.
  var reasonRows: [[String]] {
    (sources + mixture).flatMap { funnel in
      DropReason.allCases.filter { $0 != .kept && funnel[$0] > 0 }.map { reason in
        [
          Self.short(funnel.source), reason.stage?.title ?? "", reason.words,
          Self.grouped(funnel[reason]),
          Self.percent(funnel[reason], of: funnel.read),
        ]
      }
    }
  }

  private var reasonTable: Table {
    Self.table(
      [
        .left("Source"), .left("Stage"), .left("Reason"), .right("samples"),
        .right("of the source"),
      ],
      reasonRows)
  }

  /// Every source and its part of the set.
  var partRows: [[String]] {
    let all = samples
    let funnels = sources + mixture
    return parts.enumerated().map { i, part in
      [
        Self.short(part.name), part.isMixed ? "mixed in" : "sampled",
        Self.grouped(i < funnels.count ? funnels[i].read : 0), Self.grouped(part.samples),
        Self.percent(part.samples, of: all),
        part.isMixed || part.samples == 0
          ? "" : Self.grouped((part.tokens + part.samples / 2) / part.samples),
      ]
    }
  }

  static let partHeadings = [
    "Source", "Origin", "Read", "In the set", "Share of it", "Tokens on average",
  ]

  private var partTable: Table {
    let headings = Self.partHeadings
    return Self.table(
      headings.enumerated().map { $0 < 2 ? .left($1) : .right($1) }, partRows)
  }

  private var paperTable: Table {
    Self.table(
      [.left("Source"), .right("samples"), .right("tokens on average")],
      Self.paper.map { [$0.name, Self.grouped($0.samples), Self.grouped($0.tokens)] })
  }

  private var lengthRows: [String] {
    if lengths.isEmpty { return [] }
    let most = max(lengths.map(\.count).max() ?? 1, 1)
    var table = Table(.right("up to"), .right("samples"), .left(""))
    for bucket in lengths {
      // Every bucket that holds something is seen.
      let width = bucket.count == 0 ? 0 : max(1, (bucket.count * 40 + most / 2) / most)
      table.append(
        Self.grouped(bucket.tokens.upperBound), Self.grouped(bucket.count),
        String(repeating: "█", count: width))
    }
    return table.lines + ["", lengthSummary]
  }

  /// How often problems of each source and difficulty are solved.
  var passRateRows: [[String]] {
    passRates.map { rate in
      [
        Self.short(rate.source), Self.short(rate.difficulty), Self.grouped(rate.problems),
        Self.grouped(rate.solved), Self.grouped(rate.judged),
        Self.percent(rate.meanRate),
      ]
    }
  }

  static let passRateHeadings = [
    "Source", "Difficulty", "Problems", "Solved", "Judged answers", "Pass rate",
  ]

  private var passRateTable: Table {
    Self.table(
      Self.passRateHeadings.enumerated().map { $0 < 2 ? .left($1) : .right($1) }, passRateRows)
  }

  var evaluationRows: [[String]] {
    evaluation.map {
      [Self.short($0.name), Self.grouped($0.found.questions), Self.grouped($0.found.traces)]
    }
  }

  private var evaluationTable: Table {
    Self.table([.left("Set"), .right("questions"), .right("answers")], evaluationRows)
  }

  /// What the judge model said, and how far it agrees with the rules.
  var judgeSentences: [String] {
    var sentences: [String] = []
    if let judge, !judge.model.isEmpty {
      sentences.append(
        "\(judge.model) judged \(Self.grouped(judge.asked)) answers that no rule can: "
          + "\(Self.grouped(judge.correct)) correct, \(Self.grouped(judge.wrong)) wrong, "
          + "\(Self.grouped(judge.unparsed)) without a verdict, \(Self.grouped(judge.failed)) "
          + "not answered.")
    }
    if let agreement, agreement.count + agreement.unparsed > 0 {
      let share = agreement.share.map(Self.percent) ?? "none"
      let kappa = agreement.kappa.map { Self.decimal($0, 2) } ?? "not defined"
      sentences.append(
        "Of \(Self.grouped(agreement.count)) answers that rules and model have judged, both say the "
          + "same of \(share) (Cohen's kappa \(kappa)): "
          + "\(agreement.bothCorrect) correct, \(agreement.bothWrong) wrong; "
          + "\(agreement.rulesCorrectModelWrong) are correct by the rules only, "
          + "\(agreement.rulesWrongModelCorrect) by the model only, and "
          + "\(agreement.unparsed) got no verdict of the model.")
    }
    return sentences
  }

  var costSentences: [String] {
    var sentences = [
      "\(Self.grouped(cost.promptTokens)) prompt tokens and "
        + "\(Self.grouped(cost.completionTokens)) completion tokens were sampled."
    ]
    if let total = cost.total {
      let currency = cost.currency ?? ""
      sentences.append(
        "That cost \(Self.decimal(total, 2)) \(currency)"
          + (cost.perKeptSample.map { ", \(Self.decimal($0, 4)) \(currency) for each kept sample." }
            ?? "."))
    }
    return sentences
  }

  private var exampleRows: [String] {
    (sources + mixture).flatMap { funnel in
      funnel.examples.flatMap { example in
        [
          "\(Self.short(funnel.source)), \(example.reason.words):", "  \(example.place)",
          "  \(example.sentence)", "  \(example.excerpt)", "",
        ]
      }
    }
  }

  // MARK: Words

  private static func table(_ columns: [Table.Column], _ rows: [[String]]) -> Table {
    var table = Table(columns)
    for row in rows { table.append(row) }
    return table
  }

  /// A name that fits a table, without what a terminal might obey instead of show.
  static func short(_ name: String) -> String { Funnel.inLine(name, longest: 40) }

  /// `1,234,567`.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude).utf8)
    var text: [UInt8] = number < 0 ? [UInt8(ascii: "-")] : []
    for (i, digit) in digits.enumerated() {
      if i > 0, (digits.count - i) % 3 == 0 { text.append(UInt8(ascii: ",")) }
      text.append(digit)
    }
    return String(decoding: text, as: UTF8.self)
  }

  static func percent(_ part: Int, of all: Int) -> String {
    all == 0 ? "" : percent(Double(part) / Double(all))
  }

  static func percent(_ share: Double) -> String { decimal(share * 100, 1) + " %" }

  /// With so many places, at most nine.
  static func decimal(_ value: Double, _ places: Int) -> String {
    let scale = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9][min(max(places, 0), 9)]
    let scaled = (value * scale).rounded()
    guard scaled.magnitude < 1e15 else { return "\(value)" }
    let digits = String(Int(scaled.magnitude))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
    let whole = grouped(Int(padded.dropLast(places)) ?? 0)
    return (scaled < 0 ? "-" : "") + whole + (places == 0 ? "" : "." + padded.suffix(places))
  }
}
