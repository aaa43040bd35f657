import Problems
import Storage
import Teachers
import XCTest

@testable import Curation

/// A run with samples for every reason to drop one: each meets the fate it was made for.
final class ReasonTests: XCTestCase {
  /// The run, and what becomes of each record by the recipe below.
  static func synthetic() -> (run: RunMaker, expected: [DropReason]) {
    var run = RunMaker()
    var expected: [DropReason] = []
    func add(_ reason: DropReason, _ body: () -> Void) {
      let before = run.records.count
      body()
      expected += [DropReason](repeating: reason, count: run.records.count - before)
    }
    // Forty problems with three plain right answers each, of which two may stay.
    for k in 0..<40 {
      let id = run.add(
        "plain-\(k)", "How much is \(k) plus \(k * 7), if you count it twice?",
        .answer("\(16 * k)"), source: k % 2 == 0 ? "even" : "odd", difficulty: "\(k % 3)")
      for sample in 0..<2 {
        add(.kept) {
          run.answer(
            id, reasoning: "Twice \(k), then twice \(k * 7): \(Texts.name(sample)).",
            "It is \\boxed{\(16 * k)}.", tokens: 50 + sample)
        }
      }
      add(.problemLimit) {
        run.answer(id, reasoning: "Third way.", "It is \\boxed{\(16 * k)}.", tokens: 90)
      }
      add(.wrong) { run.answer(id, "It is \\boxed{\(16 * k + 1)}.") }
    }
    let id = run.add("faults", "How much is one and one?", .answer("2"), source: "faults")
    let right = "\\boxed{2}"
    add(.cut) { run.answer(id, reasoning: "Hm", "", finish: .length) }
    add(.noAnswer) { run.answer(id, "I do not know, sorry.") }
    add(.infrastructure) { run.answer(id, "FAILURE \(right)") }
    add(.noOpening) { run.answer(id, reasoning: nil, right) }
    add(.textBefore) { run.answer(id, reasoning: nil, "Well. <think>Hm</think>\(right)") }
    add(.nested) { run.answer(id, reasoning: "Hm <think> hm", right) }
    add(.severalThoughts) { run.answer(id, reasoning: "Hm </think> hm", right) }
    add(.emptyThinking) { run.answer(id, reasoning: " \n", right) }
    add(.mixedLanguages) { run.answer(id, reasoning: Texts.mixed, right) }
    add(.longParagraph) { run.answer(id, reasoning: Texts.longParagraph, right) }
    add(.codeBlock) { run.answer(id, reasoning: Texts.code, right) }
    add(.loop) { run.answer(id, reasoning: Texts.loop, right) }
    add(.repeatedSentences) { run.answer(id, reasoning: Texts.sentences, right) }
    add(.recurringPhrases) { run.answer(id, reasoning: Texts.phrases, right) }
    add(.repeatedText) { run.answer(id, reasoning: Texts.repeated, right) }
    add(.otherLanguage) { run.answer(id, reasoning: Texts.spanish, right) }
    add(.tooShort) { run.answer(id, right, tokens: 9) }
    add(.tooLong) { run.answer(id, right, tokens: 901) }
    let evaluation =
      "A farmer has seventeen purple sheep and buys nineteen yellow goats at the harbour market; "
      + "how many animals does he own in the end?"
    add(.evaluationTrace) {
      run.answer(id, reasoning: "This is like another one. \(evaluation) No, it is not.", right)
    }
    add(.kept) { run.answer(id, reasoning: "One, and one more.", right) }
    add(.sameAnswer) { run.answer(id, reasoning: " One, and one\nmore. ", right + "\n") }
    run.add("known", evaluation, .answer("36"), source: "faults")
    add(.evaluationQuestion) { run.answer("known", "\\boxed{36}") }
    run.add("essay", "Write about the sea.", .none(nil), source: "faults")
    add(.unjudged) { run.answer("essay", "It is wide.") }
    run.add(
      "near",
      "How much is 7 plus 49, if you count it twice and then tell it to the old man who is waiting "
        + "for you at the gate of the garden with his dog?", .answer("112"), source: "faults")
    add(.kept) { run.answer("near", "\\boxed{112}") }
    run.add(
      "nearer",
      "How much is 7 plus 49, if you count it twice and then tell it to the old man who is waiting "
        + "for you at the gate of the garden with his cat?", .answer("112"), source: "faults")
    add(.nearQuestion) { run.answer("nearer", "\\boxed{112}") }
    run.add("easy", "How much is zero?", .answer("0"), source: "faults")
    for k in 0..<5 {
      add(.tooEasy) { run.answer("easy", reasoning: "Way \(Texts.name(k)).", "\\boxed{0}") }
    }
    run.add("hard", "How much is a million?", .answer("1000000"), source: "faults")
    add(.tooHard) { run.answer("hard", "\\boxed{1000000}") }
    for k in 0..<9 { add(.wrong) { run.answer("hard", "\\boxed{\(k)}") } }
    return (run, expected)
  }

  static func recipe(_ folder: String) -> CurationRecipe {
    CurationRecipe(
      samples: [CurationRecipe.SampleRun(run: folder + "/run")],
      language: CurationRecipe.LanguageRule(.english),
      length: CurationRecipe.LengthRule(minTokens: 10, maxTokens: 900),
      duplicates: CurationRecipe.DuplicateRules(near: 0.8),
      perProblem: CurationRecipe.ProblemLimit(most: 2, choose: .shortest),
      passRate: CurationRecipe.PassRateBand(min: 0.2, max: 0.9, fewest: 4),
      decontaminate: CurationRecipe.Decontamination(
        sets: [ProblemSource(path: folder + "/evaluation.jsonl", source: "animals")]),
      prices: CurationRecipe.Prices(prompt: 1, completion: 4, currency: "USD"),
      output: folder + "/set")
  }

  static func prepare(_ folder: String) throws -> [DropReason] {
    let (run, expected) = synthetic()
    try run.write(to: folder + "/run")
    let item = Data(
      ("{\"id\": \"sheep\", \"question\": \"A farmer has seventeen purple sheep and buys nineteen "
        + "yellow goats at the harbour market; how many animals does he own in the end?\", "
        + "\"answer\": \"36\"}\n").utf8)
    try item.write(to: URL(fileURLWithPath: folder + "/evaluation.jsonl"))
    return expected
  }

  func testEverySampleMeetsItsFate() async throws {
    let folder = try temporaryFolder(self)
    let expected = try Self.prepare(folder)
    XCTAssertGreaterThanOrEqual(expected.count, 200)
    let recipe = Self.recipe(folder)
    let run = try CurationRun(recipe, judge: rules, version: "9")

    // Sample by sample.
    try makeFolder(at: run.workPath)
    let inputs = try CurationInputs(recipe)
    var state = CurationState(inputs, recipe)
    try run.assess(inputs, &state, { false }, { _ in })
    try run.select(inputs, &state)
    XCTAssertEqual(state.selection.entries.count, expected.count)
    for (i, (entry, reason)) in zip(state.selection.entries, expected).enumerated() {
      XCTAssertEqual(entry.reason, reason, "sample \(i)")
    }

    let report = try await run.run()
    var sum = 0
    for reason in DropReason.allCases {
      let count = expected.count { $0 == reason }
      XCTAssertEqual(report.total[reason], count, reason.name)
      sum += report.total[reason]
    }
    XCTAssertEqual(sum, expected.count)
    XCTAssertEqual(report.total.read, expected.count)
    // Every reason is covered but those that need a judge model, a surplus or another recipe.
    let covered = Set(expected)
    XCTAssertEqual(
      DropReason.allCases.filter { !covered.contains($0) },
      [.correct, .noClosing, .nothingBehind, .surplus])

    // What is kept, in order, and in the form that training reads.
    let (made, _) = Self.synthetic()
    let wanted = zip(made.records, expected).filter { $0.1 == .kept }.map(\.0)
    let lines = try objects(folder + "/set/samples.jsonl")
    XCTAssertEqual(lines.count, wanted.count)
    for (line, record) in zip(lines, wanted) {
      XCTAssertEqual(line["provenance"]?["key"]?.string, record.key)
      XCTAssertEqual(line["provenance"]?["problem"]?.string, record.problem)
      XCTAssertEqual(line["provenance"]?["sample"]?.int, record.sample)
      XCTAssertEqual(line["provenance"]?["tokens"]?.int, record.answer.completionTokens)
      XCTAssertEqual(line["provenance"]?["teacher"]?.string, "teacher-1")
      XCTAssertEqual(
        line["provenance"]?["verdict"],
        .members([
          ("outcome", .string("correct")), ("by", .string("rules")), ("version", .string("test 1")),
        ]))
      let problem = try XCTUnwrap(made.problems.first { $0.id == record.problem })
      XCTAssertEqual(
        line["messages"],
        .array([
          .members([
            ("role", .string("user")),
            ("content", .string(problem.question + "\n\n" + ProblemPrompt.instruction)),
          ]),
          .members([
            ("role", .string("assistant")),
            (
              "content",
              .string(
                "<think>\n\(record.answer.reasoning ?? "")\n</think>\n\n\(record.answer.content)")
            ),
          ]),
        ]))
    }
  }

  func testExamplesTellWhy() async throws {
    let folder = try temporaryFolder(self)
    _ = try Self.prepare(folder)
    let report = try await CurationRun(Self.recipe(folder), judge: rules, version: "9").run()
    var sentences: [DropReason: String] = [:]
    for funnel in report.sources {
      for reason in DropReason.allCases where reason != .kept {
        XCTAssertEqual(
          funnel.examples.count { $0.reason == reason }, min(3, funnel[reason]),
          "\(funnel.source) \(reason.name)")
      }
      for example in funnel.examples {
        sentences[example.reason] = sentences[example.reason] ?? example.sentence
        XCTAssertLessThanOrEqual(example.excerpt.utf8.count, 500)
        XCTAssertFalse(example.excerpt.utf8.contains { $0 < 0x20 })
      }
    }
    let expected: [DropReason: String] = [
      .cut: "It was cut at the limit of 1000 tokens.",
      .wrong: "The values differ. The answer taken from it is '1'.",
      .noAnswer: "No answer was found.",
      .unjudged: "The problem has no answer that a rule could compare with.",
      .infrastructure: "The sandbox did not start.",
      .noOpening: "There is no '<think>' before the thinking.",
      .textBefore: "There is text before '<think>'.",
      .nested: "There is a second '<think>' within the thinking.",
      .severalThoughts: "There is another '<think>' or '</think>' behind the thinking.",
      .emptyThinking: "There is nothing between '<think>' and '</think>'.",
      .longParagraph: "A paragraph of the thinking has 330 words.",
      .codeBlock: "The thinking has a block of code.",
      .otherLanguage: "Only 0 % of the words of the thinking are English.",
      .tooShort: "It has 9 tokens, fewer than 10.",
      .tooLong: "It has 901 tokens, more than 900.",
      .sameAnswer: "Sample 19 of the same question has the same text.",
      .tooEasy: "5 of 5 judged answers to its question are correct.",
      .tooHard: "1 of 10 judged answers to its question are correct.",
      .problemLimit: "Its question has 2 other answers, as short or shorter.",
    ]
    for (reason, sentence) in expected { XCTAssertEqual(sentences[reason], sentence, reason.name) }
    for reason in [DropReason.evaluationTrace, .evaluationQuestion] {
      XCTAssertTrue(sentences[reason]?.hasPrefix("'sheep' of 'animals': ") ?? false)
    }
    XCTAssertTrue(
      sentences[.nearQuestion]?.hasSuffix(" % like that of problem 'near'.") ?? false,
      sentences[.nearQuestion] ?? "")
  }

  func testCounts() async throws {
    let folder = try temporaryFolder(self)
    _ = try Self.prepare(folder)
    let report = try await CurationRun(Self.recipe(folder), judge: rules, version: "9").run()
    XCTAssertEqual(report.prompts.all, 47)
    XCTAssertEqual(report.prompts.sampled, 47)
    XCTAssertEqual(report.prompts.solved, 46)
    XCTAssertEqual(report.prompts.kept, 42)
    XCTAssertEqual(report.evaluation.map(\.name), ["animals"])
    XCTAssertEqual(
      report.evaluation.first?.found, CurationReport.EvaluationSet(questions: 1, traces: 1))
    // Three of four answers to every plain problem are right.
    let even = try XCTUnwrap(
      report.passRates.first { $0.source == "even" && $0.difficulty == "1" })
    XCTAssertEqual(even.problems, 6)
    XCTAssertEqual(even.solved, 6)
    XCTAssertEqual(even.judged, 24)
    XCTAssertEqual(even.correct, 18)
    XCTAssertEqual(even.meanRate, 0.75)
    // 10 prompt tokens each; completions as they were told.
    let (made, _) = Self.synthetic()
    XCTAssertEqual(report.cost.promptTokens, 10 * made.records.count)
    XCTAssertEqual(
      report.cost.completionTokens,
      made.records.reduce(0) { $0 + ($1.answer.completionTokens ?? 0) })
    let total =
      (Double(report.cost.promptTokens) + 4 * Double(report.cost.completionTokens)) / 1e6
    XCTAssertEqual(report.cost.total, total)
    XCTAssertEqual(report.cost.perKeptSample, total / Double(report.total[.kept]))
    XCTAssertEqual(
      report.notes, ["Judging failed for 1 answer, which says nothing about it; it is dropped."])
    // The stages follow each other.
    let total2 = report.total
    var left = total2.read
    for stage in DropReason.Stage.allCases {
      left -= total2[stage]
      XCTAssertEqual(total2.left(after: stage), left)
    }
    XCTAssertEqual(left, total2[.kept])
  }
}
