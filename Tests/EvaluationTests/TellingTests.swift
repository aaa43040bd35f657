import Foundation
import Problems
import Sandbox
import Scores
import Storage
import Teachers
import XCTest

@testable import Evaluation

/// What figures leave out, or rest on, is said beside them.
final class TellingTests: XCTestCase {
  private func remarks(_ folder: TemporaryFolder) throws -> [String] {
    let benchmark = try ModelEvaluation(at: folder.file("out/one")).benchmarks[0]
    return try BenchmarkFigures(of: benchmark).remarks(on: benchmark)
  }

  private func page(_ folder: TemporaryFolder) throws -> String {
    try String(contentsOfFile: folder.file("out/one/report.html"), encoding: .utf8)
  }

  func testProblemsThatAskTheSame() async throws {
    for (count, words) in [
      (1, "'sums': 1 problem asks word for word what an earlier one asks, and is left out."),
      (2, "'sums': 2 problems ask word for word what an earlier one asks, and are left out."),
    ] {
      let folder = try TemporaryFolder()
      var path = try folder.sums(3)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let again = text.split(separator: "\n").prefix(count).joined(separator: "\n")
      path = try folder.write(text + again + "\n", as: "sums.jsonl")
      _ = try await evaluate(recipe(path, folder), ScriptedTeacher(mixed))
      XCTAssertEqual(try remarks(folder), [words])
      XCTAssertTrue(try page(folder).contains(String(words.dropFirst(8))))
      let benchmark = try ModelEvaluation(at: folder.file("out/one")).benchmarks[0]
      XCTAssertEqual(benchmark.problemsRepeated, count)
      XCTAssertEqual(benchmark.problems.count, 3)
      // The second time it is known from the folder.
      _ = try await evaluate(recipe(path, folder), ScriptedTeacher(mixed))
      XCTAssertEqual(try remarks(folder), [words])
    }
  }

  func testTokensThatWereNotTold() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(2)
    _ = try await evaluate(
      recipe(path, folder, k: 4),
      ScriptedTeacher { number, sample in
        var answer = mixed(number, sample)
        if number == 1, sample == 3 { answer.completionTokens = nil }
        return answer
      })
    let words = ["'sums': tokens are estimated, at four bytes each, where they were not told."]
    XCTAssertEqual(try remarks(folder), words)
    XCTAssertTrue(try page(folder).contains("tokens are estimated, at four bytes each"))
    // Only of samples that count.
    _ = try await evaluate(recipe(path, folder, k: 3), ScriptedTeacher(mixed))
    XCTAssertEqual(try remarks(folder), [])
  }

  func testAnswersThatTheContextCut() async throws {
    for (tokens, words) in [
      (96, []),
      (
        95,
        [
          "'sums': 2 of the answers that were cut are shorter than 'maxTokens', 96: the context of the "
            + "model, or a limit of its server, ended them."
        ]
      ),
    ] as [(Int, [String])] {
      let folder = try TemporaryFolder()
      _ = try await evaluate(
        recipe(try folder.sums(2), folder, k: 2),
        ScriptedTeacher { number, sample in
          sample == 1 ? said("", tokens: tokens, isCut: true) : mixed(number, sample)
        })
      XCTAssertEqual(try remarks(folder), words)
    }
  }

  /// Programs that don't end are not wrong ones; there is no vote on programs.
  func testPrograms() async throws {
    #if os(Linux)
      guard FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"),
        let sandbox = try? Sandbox(isolation: .none)
      else { throw XCTSkip("There is no /usr/bin/python3, which runs the programs.") }
      let folder = try TemporaryFolder()
      let path = try folder.write(
        "{\"question\":\"Write it, 0 please.\",\"assertions\":[\"assert f(1) == 2\"],"
          + "\"entry_point\":\"f\",\"seconds\":1}\n", as: "programs.jsonl")
      let run = try EvaluationRun(
        recipe(path, folder, k: 4), recipeJSON: .null, toolkit: "test",
        judge: AnswerJudge(sandbox: sandbox),
        teacher: { _ in
          ScriptedTeacher { _, sample in
            switch sample {
            case 0: said("```python\ndef f(x): return 2 * x\n```")
            case 1: said("```python\ndef f(x): return 3 * x\n```")
            case 2: said("```python\ndef f(x):\n  while True: pass\n```")
            default: said("I would rather not.")
            }
          }
        })
      let benchmark = try await run.run().models[0].benchmarks[0]
      let outcomes = benchmark.problems[0].samples.map {
        benchmark.problems[0].verdicts[$0.verdict].outcome
      }
      XCTAssertEqual(outcomes, [.right, .wrong, .timeout, .noAnswer])
      let figures = try BenchmarkFigures(of: benchmark)
      XCTAssertEqual(figures.counts.timeouts, 1)
      XCTAssertNil(figures.consensus)
      XCTAssertEqual(figures.curve, [])
      XCTAssertEqual(figures.passAt1?.score.mean, 0.25)
    #endif
  }

  func testSamplesThatTheSandboxLostAndProblemsWithoutARating() throws {
    func problem(_ id: String, _ outcomes: [SampleOutcome], rating: Double?) -> JudgedProblem {
      JudgedProblem(
        id: id, judge: "j",
        verdicts: outcomes.map { outcome in
          .init(
            outcome, answerClass: outcome == .right ? 0 : outcome == .wrong ? 1 : nil, answer: nil,
            reason: "r")
        }, samples: outcomes.indices.map { .init(number: $0, verdict: $0, tokens: 5) },
        rating: rating)
    }
    func figures(_ rule: MissingSamplesRule, rating: Double?) throws -> BenchmarkFigures {
      try BenchmarkFigures(
        of: EvaluatedBenchmark(
          name: "b", folder: "b", problemsSHA256: "", samplesPerProblem: 4,
          sampling: SamplingChoices(), prompt: .null, judge: "j", missingSamples: rule, seconds: 1,
          problems: [
            problem("1", [.right, .infrastructure, .wrong, .right], rating: 1000),
            problem("2", [.wrong, .right, .right, .cut], rating: rating),
          ]))
    }
    let marked = try figures(.mark, rating: 1200)
    XCTAssertEqual(marked.passAt.map(\.k), [2, 3])
    XCTAssertEqual(marked.consensus?.score.name, "cons@3")
    XCTAssertEqual(
      try XCTUnwrap(marked.passAt1).score.mean, (2.0 / 3 + 2.0 / 4) / 2, accuracy: 1e-12)
    XCTAssertEqual(
      marked.rating?.estimate,
      try SolverRating([
        RatedProblem(id: "1", rating: 1000, solved: 2, attempts: 3),
        RatedProblem(id: "2", rating: 1200, solved: 2, attempts: 4),
      ]).estimate)
    XCTAssertNil(try figures(.mark, rating: nil).rating)
    XCTAssertNotNil(try figures(.refuse, rating: 1200).refusal)
  }

  func testLongAnswersAreKeptInTheirBeginning() async throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: "x + ", count: 300) + "1"
    _ = try await evaluate(
      recipe(try folder.sums(1), folder, k: 1), ScriptedTeacher { _, _ in said("\\boxed{\(long)}") }
    )
    let benchmark = try ModelEvaluation(at: folder.file("out/one")).benchmarks[0]
    let answer = try XCTUnwrap(benchmark.problems[0].verdict(ofSample: 0)?.answer)
    XCTAssertEqual(answer.unicodeScalars.count, 400)
    XCTAssertTrue(long.hasPrefix(answer))
  }

  func testVotesOfFewerSamplesThanAskedFor() async throws {
    let folder = try TemporaryFolder()
    var recipe = recipe(try folder.sums(3), folder, k: 8)
    recipe.missingSamples = .mark
    _ = try await evaluate(
      recipe,
      ScriptedTeacher(samplesPerQuestion: 1) { number, sample in
        if number == 1, sample == 7 { throw TeacherError(.question, kind: "test", "Too long.") }
        return mixed(number, sample)
      })
    XCTAssertEqual(
      try remarks(folder), ["'sums': the vote is cons@7, of as many samples as every problem has."])
    let figures = try BenchmarkFigures(
      of: ModelEvaluation(at: folder.file("out/one")).benchmarks[0])
    XCTAssertEqual(figures.passAt.map(\.k), [2, 4, 7])
  }

  func testPassAtAllSamples() async throws {
    for (k, numbers) in [(1, []), (2, [2]), (3, [2, 3]), (5, [2, 4, 5])] as [(Int, [Int])] {
      let folder = try TemporaryFolder()
      _ = try await evaluate(recipe(try folder.sums(2), folder, k: k), ScriptedTeacher(mixed))
      let figures = try BenchmarkFigures(
        of: ModelEvaluation(at: folder.file("out/one")).benchmarks[0])
      XCTAssertEqual(figures.passAt.map(\.k), numbers)
      XCTAssertEqual(figures.passAt.map(\.figure.score.name), numbers.map { "pass@\($0)" })
    }
  }

  func testWhatIsNotThePresets() throws {
    let folder = try TemporaryFolder()
    var recipe = recipe("aime.jsonl", folder)
    recipe.sampling = BenchmarkSampling(stop: ["\n\n", "END"])
    recipe.preset = .paper
    recipe.benchmarks[0].benchmark = .aime2024
    recipe.benchmarks[0].name = nil
    recipe.benchmarks[0].problems = [
      ProblemSource(path: "data/aime.jsonl", limit: 10), ProblemSource(path: "b.jsonl"),
    ]
    XCTAssertEqual(
      recipe.plans[0].changes,
      [
        "stop of AIME 2024: '\\u000a\\u000a', 'END' in place of none",
        "problems of AIME 2024: at most 10 of 'aime.jsonl' in place of all",
      ])
    recipe.preset = nil
    XCTAssertEqual(recipe.plans[0].changes, [])
  }

  func testRatingsThatNoneCanHave() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "{\"question\":\"What is 0 + 1?\",\"answer\":\"1\",\"rating\":-10000}\n"
        + "{\"question\":\"What is 1 + 1?\",\"answer\":\"2\",\"rating\":10001}\n", as: "rated.jsonl"
    )
    let teacher = ScriptedTeacher(mixed)
    do {
      _ = try await evaluate(recipe(path, folder), teacher)
      XCTFail("it was taken")
    } catch {
      XCTAssertEqual(
        "\(error)",
        "\(path):2: its rating is 10001.0; ratings lie within ±10000. Correct it, or take it out.")
    }
    XCTAssertEqual(teacher.counts, [:])
  }

  /// Options stand in an order of each sample's own, by which its letter is judged and shown.
  func testOptionsInTheOrderOfTheSample() async throws {
    let folder = try TemporaryFolder()
    var text = ""
    for i in 0..<12 {
      text +=
        "{\"question\":\"Which of them, \(i) ?\",\"choices\":[\"w\",\"x\",\"right\",\"z\"],\"answer\":2}\n"
    }
    var recipe = recipe(try folder.write(text, as: "choices.jsonl"), folder, k: 4)
    recipe.preset = .paper
    let teacher = ChoosingTeacher()
    _ = try await evaluate(recipe, teacher)
    XCTAssertGreaterThan(teacher.letters.count, 2)
    let benchmark = try ModelEvaluation(at: folder.file("out/one")).benchmarks[0]
    XCTAssertEqual(try BenchmarkFigures(of: benchmark).counts.right, 48)
    var seen: Set<String> = []
    try SampleFolder(at: folder.file("out/one/sums")).forEachProblem { json, place in
      let problem = try Problem(json, place: place)
      for sample in 0..<4 {
        let shown = try ShownProblem(
          problem, to: sample, prompt: benchmark.prompt, seed: benchmark.sampling.seed)
        let answer = benchmark.problems.first { $0.id == problem.id }?.verdict(ofSample: sample)
        XCTAssertEqual(shown.reference, "\(answer?.answer ?? "none")) right")
        XCTAssertTrue(shown.text.hasPrefix(problem.question + "\n\nA) "), shown.text)
        XCTAssertTrue(shown.text.contains("\n\(shown.reference ?? "none")"), shown.text)
        XCTAssertEqual(shown.options.count, 4)
        seen.insert(shown.text)
      }
    }
    XCTAssertGreaterThan(seen.count, 36)
    let first = try XCTUnwrap(benchmark.problems.first)
    var shown = ""
    try SampleFolder(at: folder.file("out/one/sums")).forEachProblem { json, place in
      let problem = try Problem(json, place: place)
      guard problem.id == first.id else { return }
      shown = try ShownProblem(
        problem, to: 0, prompt: benchmark.prompt, seed: benchmark.sampling.seed
      ).text
    }
    XCTAssertTrue(try page(folder).contains(shown))
  }

  func testShownProblemsWithoutOptions() throws {
    func shown(_ reference: Problem.Reference) throws -> ShownProblem {
      try ShownProblem(
        Problem(id: "1", question: "Q", reference: reference, source: "s", place: "s:1"), to: 3,
        prompt: .object(JSONObject(members: [("optionOrder", .string("sample"))])), seed: 1)
    }
    XCTAssertEqual(try shown(.answer("2")).text, "Q")
    XCTAssertEqual(try shown(.answer("2")).reference, "2")
    XCTAssertNil(try shown(.none(nil)).reference)
    let choices = Problem(
      id: "1", question: "Q", reference: .choices(["a", "b"], correct: 1), source: "s", place: "s:1"
    )
    let plain = try ShownProblem(choices, to: 3, prompt: nil, seed: 1)
    XCTAssertEqual(plain.text, "Q\n\nA) a\nB) b")
    XCTAssertEqual(plain.reference, "B) b")
  }
}

/// Answers with the letter before the option `right`, as it is shown it.
private final class ChoosingTeacher: Teacher, @unchecked Sendable {
  let name = "a test"
  let identity = JSONValue.string("choosing")
  let concurrency = 2
  private let lock = NSLock()
  private(set) var letters: Set<String> = []

  func answers(to question: TeacherQuestion) async throws(TeacherError) -> [TeacherAnswer] {
    let text = question.messages.last?.content ?? ""
    let line = text.split(separator: "\n").first { $0.hasSuffix(") right") } ?? ""
    let letter = String(line.prefix(1))
    _ = lock.withLock { letters.insert(letter) }
    return question.samples.map { _ in said("Answer: \(letter)") }
  }
}
