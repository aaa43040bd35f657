import Foundation
import Reports
import XCTest

@testable import Reinforcement

final class ReinforcementReportTests: XCTestCase {
  private let recipe =
    #"{"policy":"students/base","objective":{"clipLow":0.2,"normalization":"answer"},"seed":7}"#

  /// A run of 150 steps of 200, that goes on.
  private func madeRun() throws -> MadeFolder {
    let folder = try MadeFolder()
    try folder.write(recipe, as: "recipe.json")
    try folder.write(#"{"instructionSet":"AVX-512","distill":"0.9"}"#, as: "environment.json")
    folder.add(line: #"{"kind":"start","time":"2026-11-21T10:00:00Z","step":0}"#)
    var run = MadeRun()
    var findings = Findings(PolicyObjective(), maxTokens: 1024)
    try folder.add("evaluation", run.evaluation(0))
    for step in 1...150 {
      var figures = run.step(step)
      if step == 97 { figures.skipped = ["gradientSpike"] }
      if step > 120 { figures.shareCut += 0.3 }
      if step == 40 { figures.failedRewards = 3 }
      try folder.add("step", figures)
      for text in findings.add(figures) {
        try folder.add("finding", MadeFolder.Finding(step: step, text: text))
      }
      if step % 20 == 0 {
        try folder.add("evaluation", run.evaluation(step))
        folder.add(
          line: #"{"kind":"checkpoint","step":\#(step),"seconds":12.5,"bytes":5368709120}"#)
      }
      if step == 1 || step % 50 == 0 {
        try CompletionRecord.write(
          madeCompletions(step: step) { question, sample in
            "<think>\nI add 1 to \(question) at step \(step).\n</think>\nIt is "
              + "\\boxed{\(question + sample)}."
          }, step: step, inRun: folder.path)
      }
    }
    try folder.writeMetrics()
    return folder
  }

  private func report(_ folder: MadeFolder) throws -> ReinforcementReport {
    try ReinforcementReport(of: folder.path)
  }

  private func section(_ title: String, _ page: HTMLPage) throws -> HTMLPage.Section {
    try XCTUnwrap(page.sections.first { $0.title == title }, title)
  }

  private func plots(_ title: String, _ page: HTMLPage) throws -> [LinePlot] {
    try section(title, page).blocks.flatMap { block -> [HTMLPage.Plot] in
      if case .plots(let plots) = block { plots } else { [] }
    }.compactMap { if case .lines(let plot) = $0 { plot } else { nil } }
  }

  private func tables(_ title: String, _ page: HTMLPage) throws -> [HTMLPage.Table] {
    try section(title, page).blocks.compactMap {
      if case .table(let table) = $0 { table } else { nil }
    }
  }

  private func samples(_ title: String, _ page: HTMLPage) throws -> [HTMLPage.Sample] {
    try section(title, page).blocks.compactMap {
      if case .sample(let sample) = $0 { sample } else { nil }
    }
  }

  // MARK: - A whole run

  func testTheBeginning() throws {
    let page = try report(try madeRun()).page
    guard case .paragraph(let text)? = page.introduction.first else { return XCTFail() }
    XCTAssertEqual(
      text,
      "150 of 200 steps are done; 76,800 answers were sampled, 39,883,597 tokens. The reward went "
        + "from 0.727 to 1.15. Held-out accuracy went from 30.0 % ± 5.5 to 53.6 % ± 5.5; the best "
        + "was 54.3 % ± 5.5 (step 120). 3 answers were left out, since their reward failed. 1 "
        + "update was skipped.")
    XCTAssertEqual(page.introduction.count, 2)
    guard case .figures(let figures)? = page.introduction.last else { return XCTFail() }
    XCTAssertEqual(
      figures,
      [
        .init("Steps of 200", "150"), .init("Reward", "1.15"),
        .init("Held-out accuracy", "53.6 % ± 5.5"), .init("Tokens of an answer", "630"),
        .init("Entropy", "0.262"), .init("KL", "0.0417"), .init("No signal", "45.1 %"),
        .init("Time", "17 h 19 min"), .init("Sampled tokens a second", "1,067"),
        .init("Most memory", "8.4 GiB"),
      ])
    XCTAssertEqual(
      page.sections.map(\.title),
      [
        "Findings", "Rewards", "Answers", "Policy", "Where time goes", "Answers of step 1",
        "Answers of step 100", "Answers of step 150", "Starts and checkpoints", "Environment",
        "Recipe",
      ])
    XCTAssertTrue(page.title.hasPrefix("Reinforcement distill-objective-"))
  }

  func testFindingsInOrder() throws {
    let table = try XCTUnwrap(tables("Findings", try report(try madeRun()).page).first)
    XCTAssertEqual(
      table.rows,
      [
        [
          "The loss is 0 at the first update: that is expected, since the advantages of a group "
            + "add up to 0.", "1",
        ],
        ["1 update was skipped, since the gradient was far above the last updates'.", "97"],
        [
          "21 % of the answers of the last 5 steps were cut at the token limit, and what they would "
            + "have come to is not rewarded. Raise the limit, or add the reward 'length'.", "123",
        ],
      ])
  }

  func testPlots() throws {
    let page = try report(try madeRun()).page
    let rewards = try plots("Rewards", page)
    XCTAssertEqual(
      rewards.map(\.title),
      [
        "Reward: the weighted sum", "Each reward, before its weight", "Spread of rewards",
        "Held-out accuracy",
      ])
    XCTAssertEqual(rewards[1].series.map(\.name), ["accuracy", "format"])
    XCTAssertEqual(rewards[2].series.map(\.name), ["weighted sum", "accuracy", "format"])
    var run = MadeRun()
    let first = run.evaluation(0)
    let figures = (1...20).map { run.step($0) }
    for (i, figures) in figures.enumerated() {
      XCTAssertEqual(rewards[0].series[0].points[i], .init(Double(i + 1), figures.reward.mean))
      XCTAssertEqual(
        rewards[1].series[1].points[i].y, figures.rewards["format"]?.mean)
      XCTAssertEqual(
        rewards[2].series[2].points[i].y, figures.rewards["format"]?.deviation)
    }
    // 0, 20, … 140.
    XCTAssertEqual(rewards[3].series.map(\.points.count), [8, 8, 8])
    XCTAssertEqual(rewards[3].series[0].points[0], .init(0, 100 * first.accuracy))
    XCTAssertEqual(rewards[3].series[1].points[0].y, 100 * (first.accuracy + 0.055))
    XCTAssertEqual(rewards[3].series[2].points[0].y, 100 * (first.accuracy - 0.055))

    let answers = try plots("Answers", page)
    XCTAssertEqual(
      answers.map(\.title),
      ["Length of answers", "Answers without an end", "Questions without signal"])
    XCTAssertEqual(answers[0].series[0].points[7].y, figures[7].length.mean)
    XCTAssertEqual(answers[0].series[1].points.count, 8)
    XCTAssertEqual(answers[1].series[0].points[7].y, 100 * figures[7].shareCut)
    XCTAssertEqual(answers[1].series[1].points[7].y, 100 * (1 - figures[7].shareClosed))
    XCTAssertEqual(
      answers[2].series.map { $0.points[7].y },
      [figures[7].shareWithoutSignal, figures[7].shareAllRight ?? 0, figures[7].shareAllWrong ?? 0]
        .map { 100 * $0 })

    let policy = try plots("Policy", page)
    XCTAssertEqual(
      policy.map(\.title),
      [
        "Entropy", "Divergence from the reference", "Clipped tokens",
        "Gradient norm before clipping", "Learning rate",
      ])
    XCTAssertEqual(
      policy.map { $0.series[0].points[7].y },
      [
        figures[7].entropy, figures[7].kl ?? 0, 100 * figures[7].shareClipped,
        figures[7].gradientNorm, figures[7].learningRate,
      ])
    XCTAssertEqual(policy[3].marks, [.init(97, "update skipped")])
    let time = try plots("Where time goes", page)
    XCTAssertEqual(time[0].series.map(\.name), ["sampling", "judging", "updating"])
    XCTAssertEqual(
      time[0].series.map { $0.points[7].y },
      [figures[7].samplingSeconds, figures[7].judgingSeconds, figures[7].updatingSeconds])
    XCTAssertEqual(
      try tables("Where time goes", page).first?.rows,
      [
        ["Sampling", "10 h 23 min", "59.9 %"], ["Judging", "16 min 16 s", "1.6 %"],
        ["Updating", "6 h 28 min", "37.3 %"], ["Evaluating", "12 min 0 s", "1.2 %"],
        ["In all", "17 h 19 min", "100.0 %"],
      ])
  }

  func testRatiosThatAreOffAreDrawn() throws {
    let folder = try MadeFolder()
    var run = MadeRun()
    for step in 1...3 {
      var figures = run.step(step)
      figures.firstRatioError = step == 2 ? 0.25 : 0
      figures.kl = nil
      try folder.add("step", figures)
    }
    try folder.writeMetrics()
    let policy = try plots("Policy", try report(folder).page)
    XCTAssertEqual(policy.last?.title, "Largest distance of a first ratio from 1")
    XCTAssertEqual(policy.last?.series[0].points.map(\.y), [0, 0.25, 0])
    XCTAssertFalse(policy.contains { $0.title == "Divergence from the reference" })
  }

  func testTheText() throws {
    XCTAssertEqual(
      try report(try madeRun()).text.split(separator: "\n", omittingEmptySubsequences: false)
        .dropFirst(1).joined(separator: "\n"),
      """

                                        first   best (step 120)   last (step 150)
      ------------------------   ------------   ---------------   ---------------
      Reward                            0.727              1.09              1.15
      Held-out accuracy          30.0 % ± 5.5      54.3 % ± 5.5      53.6 % ± 5.5
      Length, tokens                      403               568               630
      Cut at the limit                  2.3 %            15.9 %            34.3 %
      Questions without signal         48.0 %            49.5 %            45.1 %
      Entropy, nats a token             0.440             0.296             0.262
      KL, nats a token                8.89e-4            0.0374            0.0417

      Figures of steps are means over up to 5 of them.
      Time: 17 h 19 min, sampling 59.9 %, judging 1.6 %, updating 37.3 %, evaluating 1.2 %.

      Step 1: The loss is 0 at the first update: that is expected, since the advantages of a group \
      add up to 0.
      Step 97: 1 update was skipped, since the gradient was far above the last updates'.
      Step 123: 21 % of the answers of the last 5 steps were cut at the token limit, and what they \
      would have come to is not rewarded. Raise the limit, or add the reward 'length'.
      """)
  }

  /// Of several files of held-out problems each has its curve and its row.
  func testFilesOfHeldOutProblems() throws {
    let folder = try MadeFolder()
    var run = MadeRun()
    for step in 1...20 {
      try folder.add("step", run.step(step))
      if step % 10 == 0 {
        var figures = run.evaluation(step)
        figures.sources = [
          "hard.jsonl": .init(problems: 100, accuracy: 0.125, interval: 0.05),
          "easy.jsonl": .init(problems: 100, accuracy: Double(step) / 40, interval: 0.0625),
        ]
        try folder.add("evaluation", figures)
      }
    }
    try folder.writeMetrics()
    let report = try report(folder)
    let plot = try XCTUnwrap(
      try plots("Rewards", report.page).first { $0.title == "Held-out accuracy by file" })
    XCTAssertEqual(plot.series.map(\.name), ["easy.jsonl", "hard.jsonl"])
    XCTAssertEqual(plot.series[0].points.map(\.y), [25, 50])
    XCTAssertEqual(plot.series[1].points.map(\.y), [12.5, 12.5])
    let lines = report.text.split(separator: "\n").filter { $0.hasPrefix("– ") }
    XCTAssertEqual(
      lines.map {
        $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
      },
      [
        "– easy.jsonl 25.0 % ± 6.3 50.0 % ± 6.3 50.0 % ± 6.3",
        "– hard.jsonl 12.5 % ± 5.0 12.5 % ± 5.0 12.5 % ± 5.0",
      ])
  }

  /// Without evaluations the best reward counts.
  func testTheBestWithoutEvaluations() throws {
    let folder = try MadeFolder()
    var run = MadeRun()
    for step in 1...30 {
      var figures = run.step(step)
      figures.reward.mean = step == 25 ? 0.9 : (13...17).contains(step) ? 0.5 : 0.25
      try folder.add("step", figures)
    }
    try folder.writeMetrics()
    let report = try report(folder)
    XCTAssertEqual(report.moments.map(\.name), ["first", "best (step 15)", "last (step 30)"])
    XCTAssertEqual(report.moments[1].steps.map(\.step), [13, 14, 15, 16, 17])
    XCTAssertEqual(report.momentRows.first, ["Reward", "0.250", "0.500", "0.250"])
    XCTAssertFalse(report.momentRows.contains { $0[0] == "Held-out accuracy" })
    XCTAssertFalse(report.paragraph.contains("Held-out"))
  }

  // MARK: - Answers

  func testAnswersOfThreeSteps() throws {
    let page = try report(try madeRun()).page
    for step in [1, 100, 150] {
      let samples = try samples("Answers of step \(step)", page)
      XCTAssertEqual(samples.count, 6)
      XCTAssertTrue(samples.allSatisfy { !$0.isOpen })
      XCTAssertTrue(samples.allSatisfy { $0.text.contains("at step \(step).") })
      XCTAssertEqual(
        samples.map(\.title),
        [
          "Best: reward 1.5 (accuracy 1, format 1), advantage 1.25, 0 tokens, problem "
            + "'train.jsonl#0'",
          "Best: reward 1.5 (accuracy 1, format 1), advantage 1.25, 3 tokens, problem "
            + "'train.jsonl#0'",
          "Best: reward 1.5 (accuracy 1, format 1), advantage 1.25, 201 tokens, problem "
            + "'train.jsonl#2'",
          "Worst: reward 0 (accuracy 0, format 0), advantage -0.75, 302 tokens, cut at the limit, "
            + "problem 'train.jsonl#3'",
          "Worst: reward 0 (accuracy 0, format 0), advantage -0.75, 202 tokens, cut at the limit, "
            + "problem 'train.jsonl#2'",
          "Worst: reward 0 (accuracy 0, format 0), advantage -0.75, 2 tokens, cut at the limit, "
            + "problem 'train.jsonl#0'",
        ])
      XCTAssertEqual(samples[0].prompt, "What is 0 + 1? Think first.")
      XCTAssertEqual(
        samples[3].prompt,
        "What is 3 + 1? Think first.\n\naccuracy: The answer '7' is not '4'.")
    }
  }

  func testCompletionRecords() throws {
    let folder = try MadeFolder()
    let records = madeCompletions(step: 12) { _, _ in "line\n\u{0}\u{2028}\"\\ é e\u{301} 🙂" }
    try CompletionRecord.write(records.shuffled(), step: 12, inRun: folder.path)
    let text = try String(
      contentsOfFile: folder.path + "/completions/step-000012.jsonl", encoding: .utf8)
    let lines = text.unicodeScalars.split(separator: "\n").map { String($0) }
    XCTAssertEqual(lines.count, 16)
    let read = try lines.map {
      try JSONDecoder().decode(CompletionRecord.self, from: Data($0.utf8))
    }
    let key = { (record: CompletionRecord) in
      (-(record.reward ?? -100), record.question, record.sample)
    }
    XCTAssertEqual(read, records.sorted { key($0) < key($1) })
    XCTAssertEqual(read.last?.failure, "The sandbox did not start.")
    XCTAssertNil(read.last?.reward)
    XCTAssertNil(read.last?.advantage)
    XCTAssertEqual(read.first?.finishReason, "stop")
    XCTAssertEqual(read.first?.step, 12)
    XCTAssertTrue(read[0].text.utf8.elementsEqual("line\n\u{0}\u{2028}\"\\ é e\u{301} 🙂".utf8))
    // Written again, it is replaced.
    try CompletionRecord.write([], step: 12, inRun: folder.path)
    XCTAssertNil(CompletionFile(step: 12, inRun: folder.path, count: 3))
  }

  /// JSON has no such numbers; the rest of the answer is kept all the same.
  func testNumbersThatAreNone() throws {
    let answer = madeCompletions(step: 1) { _, _ in "" }[0]
    let record = CompletionRecord(
      step: 1, question: 0,
      answer: SampledAnswer(
        problem: .init(
          id: answer.problem, question: "", reference: .none(nil), source: "", place: ""),
        prompt: "", sample: 0, text: "", tokenCount: 1, isCut: false),
      rewarded: RewardedAnswer(
        parts: [.init(name: "program", value: .nan)], total: .infinity), advantage: -.infinity,
      finishReason: "stop")
    XCTAssertNil(record.reward)
    XCTAssertNil(record.advantage)
    XCTAssertNil(record.parts[0].value)
    XCTAssertNoThrow(try JSONEncoder().encode(record))
  }

  func testNamesOfCompletionFiles() throws {
    let folder = try MadeFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path + "/completions", withIntermediateDirectories: true)
    for name in [
      "step-000020.jsonl", "step-000003.jsonl", "step-1000000.jsonl", "step-3.jsonl",
      "step--00001.jsonl", "step-.jsonl", "step-000004.json", ".step-000005.jsonl.partial",
      "step-99999999999999999999.jsonl",
    ] { try folder.write("", as: "completions/" + name) }
    XCTAssertEqual(CompletionFile.steps(inRun: folder.path), [3, 20, 1_000_000])
    XCTAssertEqual(CompletionFile.name(step: 12), "step-000012.jsonl")
    XCTAssertEqual(CompletionFile.steps(inRun: folder.path + "/nowhere"), [])
  }

  func testDamagedCompletions() throws {
    let folder = try madeRun()
    let good = try String(
      contentsOfFile: folder.path + "/completions/step-000001.jsonl", encoding: .utf8)
    let lines = good.split(separator: "\n").map(String.init)
    // Rubbish at both ends, and a line that was cut.
    let damaged =
      "rubbish\n\u{0}\n{\"step\":1}\n" + lines[0] + "\n" + lines[15] + "\n[[[[\n"
      + lines[1].dropLast(40)
    try folder.write(damaged, as: "completions/step-000001.jsonl")
    try folder.write("\n\n", as: "completions/step-000100.jsonl")
    let page = try report(folder).page
    XCTAssertEqual(try samples("Answers of step 1", page).count, 1)
    XCTAssertFalse(page.sections.contains { $0.title == "Answers of step 100" })
    XCTAssertEqual(try samples("Answers of step 150", page).count, 6)
  }

  // MARK: - Hostile texts

  func testHostileTextsAreEscaped() throws {
    let evil = "</pre></details><script>alert(1)</script><img src=x onerror=alert(2)>\u{1B}[2J"
    let folder = try MadeFolder()
    var run = MadeRun()
    var figures = run.step(1)
    figures.rewards[evil] = .init(mean: 1, deviation: 0)
    figures.skipped = [evil]
    try folder.add("step", figures)
    try folder.add("finding", MadeFolder.Finding(step: 1, text: evil))
    try folder.add("start", ["time": evil])
    try folder.writeMetrics(behind: "{\"\(evil)")
    try folder.write("{\"\(evil.dropLast(4))\":\"<b>\"}", as: "recipe.json")
    try folder.write("{\"a\":\"\(evil.dropLast(4))\",", as: "environment.json")
    let record = CompletionRecord(
      step: 1, question: 9,
      answer: SampledAnswer(
        problem: .init(
          id: evil, question: evil, reference: .none(nil), source: evil, place: evil),
        prompt: evil, sample: 0, text: evil, tokenCount: 1, isCut: false),
      rewarded: RewardedAnswer(
        parts: [.init(name: evil, value: 9, reason: evil)], total: 9, failure: evil),
      advantage: 1, finishReason: evil)
    try CompletionRecord.write(
      madeCompletions(step: 1) { _, _ in evil } + [record], step: 1, inRun: folder.path)
    let report = try report(folder)
    XCTAssertTrue(try samples("Answers of step 1", report.page)[0].title.contains("<script>"))
    let html = report.page.html
    for part in ["<script", "<img", "onerror=alert(2)>", "\u{1B}"] {
      XCTAssertFalse(html.contains(part), part)
    }
    XCTAssertTrue(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    XCTAssertEqual(html.components(separatedBy: "<details").count, 7)
    XCTAssertEqual(html.components(separatedBy: "</details>").count, 7)
    XCTAssertFalse(report.text.contains("\u{1B}"))
    XCTAssertTrue(report.text.contains("\\u{1b}[2J"))
  }

  func testLongTextsAreCut() throws {
    let folder = try madeRun()
    let long = String(repeating: "é🙂", count: 500_000)
    try CompletionRecord.write(
      madeCompletions(step: 200) { _, _ in long }, step: 200, inRun: folder.path)
    let page = try report(folder).page
    let text = try XCTUnwrap(samples("Answers of step 200", page).first?.text)
    XCTAssertLessThan(text.utf8.count, 16_050)
    XCTAssertTrue(text.hasSuffix("… (2,984,002 bytes more)"), String(text.suffix(40)))
    XCTAssertLessThan(page.html.utf8.count, 300_000)
    XCTAssertEqual(ReinforcementReport.cut("abc", bytes: 3), "abc")
    XCTAssertEqual(ReinforcementReport.cut("aé", bytes: 2), "a… (2 bytes more)")
    XCTAssertEqual(ReinforcementReport.cut("é", bytes: 0), "… (2 bytes more)")
  }

  // MARK: - Metrics

  private func metrics(_ text: String) -> ReinforcementMetrics {
    Array(text.utf8).withUnsafeBytes { ReinforcementMetrics($0, source: "metrics.jsonl") }
  }

  func testATornLine() throws {
    let folder = try MadeFolder()
    var run = MadeRun()
    for step in 1...3 { try folder.add("step", run.step(step)) }
    try folder.writeMetrics(behind: #"{"kind":"step","step":4,"rew"#)
    let report = try report(folder)
    XCTAssertEqual(report.metrics.steps.map(\.step), [1, 2, 3])
    XCTAssertEqual(
      report.page.introduction.dropFirst().first,
      .note(
        "The last line of metrics.jsonl is unfinished and left out; the run goes on or was stopped."
      ))
  }

  func testLinesThatCannotBeUnderstood() throws {
    let folder = try MadeFolder()
    var run = MadeRun()
    try folder.add("step", run.step(1))
    for line in [
      "nonsense", "[]", #"{"kind":"step"}"#, #"{"kind":"step","step":-1}"#,
      #"{"kind":"step","step":1e300}"#, #"{"kind":"finding","step":3}"#, "",
      #"{"kind":"weather"}"#, #"{"kind":7}"#,
    ] { folder.add(line: line) }
    try folder.writeMetrics()
    let report = try report(folder)
    XCTAssertEqual(report.metrics.steps.map(\.step), [1])
    guard case .note(let note)? = report.page.introduction.dropFirst().first else {
      return XCTFail("There is no note.")
    }
    XCTAssertTrue(
      note.hasPrefix(
        "7 lines of metrics.jsonl could not be understood and left out. The first: "
          + "metrics.jsonl:2: column 1: "), note)
  }

  /// Killed after step 29, gone on from step 25.
  func testRepeatedSteps() {
    let text = """
      {"kind":"start","step":0,"time":"a"}
      {"kind":"step","step":25,"reward":{"mean":0.5,"deviation":0}}
      {"kind":"finding","step":25,"text":"kept"}
      {"kind":"checkpoint","step":25,"seconds":1,"bytes":2}
      {"kind":"step","step":26,"reward":{"mean":0.1,"deviation":0}}
      {"kind":"step","step":29,"reward":{"mean":0.1,"deviation":0}}
      {"kind":"evaluation","step":28,"accuracy":0.1}
      {"kind":"finding","step":27,"text":"said again"}
      {"kind":"start","step":25,"time":"b"}
      {"kind":"step","step":26,"reward":{"mean":0.7,"deviation":0}}
      {"kind":"finding","step":27,"text":"said again"}
      {"kind":"step","step":26,"reward":{"mean":0.8,"deviation":0}}
      {"kind":"step","step":27,"reward":{"mean":null,"deviation":0},"loss":null}

      """
    let metrics = metrics(text)
    XCTAssertEqual(metrics.steps.map(\.step), [25, 26, 27])
    XCTAssertEqual(metrics.steps.map(\.reward.mean), [0.5, 0.8, nil])
    XCTAssertEqual(metrics.findings.map(\.text), ["kept", "said again"])
    XCTAssertEqual(metrics.evaluations.count, 0)
    XCTAssertEqual(metrics.checkpoints.map(\.step), [25])
    XCTAssertEqual(metrics.starts.map(\.step), [0, 25])
    XCTAssertEqual(metrics.lines, MetricLines())
  }

  /// Numbers of any size and type in any place: a page, and no trap.
  func testNumbersOfAnySize() throws {
    var noise = Noise(3)
    let values = [
      "1e308", "-1e308", "1e-320", "9223372036854775807", "-9223372036854775808", "null", "true",
      "\"x\"", "[]", "{}", "{\"mean\":1e308,\"deviation\":-1e308}", "[1,2]", "0", "1e999",
    ]
    var run = MadeRun()
    for _ in 0..<60 {
      let folder = try MadeFolder()
      for step in [1, 2, Int.max] {
        var figures = run.step(1)
        figures.step = step
        for line in [
          try encoded("step", figures), try encoded("evaluation", run.evaluation(1)),
        ] {
          var members = line
          for key in members.keys.sorted() where key != "kind" && noise.uniform() < 0.4 {
            members[key] = values[Int(noise.next() % UInt64(values.count))]
          }
          let text = members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
          folder.add(line: "{\(text.joined(separator: ","))}")
        }
      }
      try folder.writeMetrics()
      let report = try report(folder)
      XCTAssertFalse(report.page.html.isEmpty)
      XCTAssertFalse(report.text.isEmpty)
    }
  }

  private func encoded(_ kind: String, _ value: some Encodable) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(value))
    var members = ["kind": "\"\(kind)\""]
    for (key, value) in try XCTUnwrap(object as? [String: Any]) {
      let data = try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed)
      members[key] = String(decoding: data, as: UTF8.self)
    }
    return members
  }

  // MARK: - Folders

  func testARunWithoutSteps() throws {
    let folder = try MadeFolder()
    try folder.write(recipe, as: "recipe.json")
    var report = try report(folder)
    XCTAssertEqual(
      report.page.introduction, [.paragraph("The run has not begun: there are no metrics yet.")])
    XCTAssertEqual(report.page.sections.map(\.title), ["Environment", "Recipe"])
    XCTAssertEqual(report.text, "The run has not begun: there are no metrics yet.")
    XCTAssertEqual(
      try section("Environment", report.page).blocks,
      [.paragraph("There is nothing in environment.json of this run.")])
    XCTAssertEqual(
      try tables("Recipe", report.page).first?.rows,
      [
        ["policy", "students/base"], ["objective.clipLow", "0.2"],
        ["objective.normalization", "answer"], ["seed", "7"],
      ])
    folder.add(line: #"{"kind":"start","step":0,"time":"now"}"#)
    try folder.writeMetrics()
    report = try self.report(folder)
    XCTAssertEqual(report.text, "The run has begun, and no step is done yet.")
    // The first evaluation comes before the first step.
    var run = MadeRun()
    try folder.add("evaluation", run.evaluation(0))
    try folder.writeMetrics()
    report = try self.report(folder)
    XCTAssertEqual(try plots("Rewards", report.page).map(\.title), ["Held-out accuracy"])
    try folder.add("step", run.step(1))
    try folder.writeMetrics()
    report = try self.report(folder)
    XCTAssertTrue(
      report.text.hasPrefix("1 of 200 steps are done; 512 answers were sampled, "), report.text)
    XCTAssertTrue(report.text.contains(" Held-out accuracy is 30.0 % ± 5.5."), report.text)
  }

  func testAnEmptyMetricsFile() throws {
    let folder = try MadeFolder()
    try folder.write("", as: "metrics.jsonl")
    XCTAssertEqual(
      try report(folder).text, "The run has not begun: there are no metrics yet.")
  }

  func testDamagedSettings() throws {
    let folder = try MadeFolder()
    try folder.write("", as: "metrics.jsonl")
    try folder.write("{", as: "recipe.json")
    try folder.write("[1]", as: "environment.json")
    let page = try report(folder).page
    XCTAssertEqual(page.introduction.count, 3)
    XCTAssertEqual(
      page.introduction.last, .note("environment.json: a JSON object is needed here."))
    guard case .note(let recipe) = page.introduction[1] else { return XCTFail() }
    XCTAssertTrue(recipe.hasPrefix("recipe.json:1:"), recipe)
    XCTAssertEqual(try section("Recipe", page).blocks, [.paragraph(recipe)])
  }

  func testNoRun() throws {
    func error(_ path: String) -> String {
      do {
        _ = try ReinforcementReport(of: path)
        return "none"
      } catch { return error.description }
    }
    let folder = try MadeFolder()
    XCTAssertEqual(
      error(folder.path + "/x"),
      "\(folder.path)/x: there is no such folder. Name the folder of a run.")
    XCTAssertEqual(
      error(folder.path),
      "\(folder.path): no 'metrics.jsonl' and no 'recipe.json'. Name the folder of a run.")
    try folder.write("", as: "file")
    XCTAssertEqual(
      error(folder.path + "/file"),
      "\(folder.path)/file: a file, where the folder of a run is needed.")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/metrics.jsonl", withIntermediateDirectories: true)
    XCTAssertEqual(
      error(folder.path), "\(folder.path)/metrics.jsonl: a folder, where a file is needed.")
  }

  func testWriting() throws {
    let folder = try madeRun()
    let report = try report(folder)
    try report.write(to: folder.path + "/report.html")
    let written = try String(contentsOfFile: folder.path + "/report.html", encoding: .utf8)
    XCTAssertEqual(written, report.page.html)
    XCTAssertFalse(
      written.contains("<script") || written.contains("http://\"")
        || written.contains("src=") || written.contains("@import"))
  }
}
