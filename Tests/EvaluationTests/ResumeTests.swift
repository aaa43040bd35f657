import Foundation
import Problems
import Scores
import Storage
import Teachers
import XCTest

@testable import Evaluation

/// Evaluations that go on after something changed: the number of samples, the judge, the process.
final class ResumeTests: XCTestCase {
  private func benchmark(_ folder: TemporaryFolder) throws -> EvaluatedBenchmark {
    try ModelEvaluation(at: folder.file("out/one")).benchmarks[0]
  }

  private func whole(_ count: Int, k: Int) async throws -> EvaluatedBenchmark {
    let folder = try TemporaryFolder()
    _ = try await evaluate(recipe(try folder.sums(count), folder, k: k), ScriptedTeacher(mixed))
    return try benchmark(folder)
  }

  private func lines(_ folder: TemporaryFolder) throws -> [String] {
    try String(contentsOfFile: folder.file("out/one/sums/scores.jsonl"), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  func testSamplesBeyondKDoNotCount() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(5)
    _ = try await evaluate(recipe(path, folder, k: 8), ScriptedTeacher(mixed))
    let fewer = try await evaluate(recipe(path, folder, k: 3), ScriptedTeacher(mixed))
    XCTAssertEqual(fewer.ending, .complete)
    XCTAssertEqual(fewer.samplesNow, 0)
    let expected = try await whole(5, k: 3)
    XCTAssertEqual(try benchmark(folder).problems, expected.problems)
    let figures = try BenchmarkFigures(of: try benchmark(folder))
    XCTAssertEqual(figures.counts.asked, 15)
    XCTAssertEqual(
      figures.passAt1?.score.values, try BenchmarkFigures(of: expected).passAt1?.score.values)
    let again = try await evaluate(recipe(path, folder, k: 8), ScriptedTeacher(mixed))
    XCTAssertEqual(again.samplesNow, 0)
    let all = try await whole(5, k: 8)
    XCTAssertEqual(try benchmark(folder).problems, all.problems)
  }

  func testASampleUnderTwoKeysIsOne() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(2), folder, k: 3)
    _ = try await evaluate(recipe, ScriptedTeacher(mixed))
    let before = try benchmark(folder).problems
    let file = folder.file("out/one/sums/samples.jsonl")
    var records: [SampleRecord] = []
    try SampleLines(at: file).forEach { line, _, number in
      records.append(try SampleRecord(JournalLine.decoded(line, place: "p"), place: "p"))
    }
    var second = try XCTUnwrap(records.first)
    second.key = String(repeating: "a", count: 64)
    second.answer.content = "\\boxed{77}"
    do {
      let journal = try SampleJournal(at: file) { _, _, _ in }
      try journal.append(second)
    }
    try FileManager.default.removeItem(atPath: folder.file("out/one/sums/scores.jsonl"))
    try await evaluateAgain(recipe)
    XCTAssertEqual(try benchmark(folder).problems, before)
  }

  @discardableResult
  private func evaluateAgain(_ recipe: EvaluationRecipe) async throws -> EvaluationSummary {
    let teacher = ScriptedTeacher { _, _ in throw TeacherError(.job, kind: "test", "asked") }
    let summary = try await evaluate(recipe, teacher)
    XCTAssertEqual(summary.ending, .complete)
    return summary
  }

  /// Figures that stand there are of the verdicts that stand there, also while these change.
  func testFiguresGoBeforeVerdictsChange() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(150)
    _ = try await evaluate(recipe(path, folder, k: 2), ScriptedTeacher(mixed))
    // More samples change no verdict yet.
    let drawn = Counter()
    let asking = try await evaluate(
      recipe(path, folder, k: 3),
      ScriptedTeacher { number, sample in
        drawn.add()
        if drawn.value > 5 { usleep(20_000) }
        return mixed(number, sample)
      }, isStopped: { drawn.value > 5 })
    XCTAssertEqual(asking.ending, .stopped)
    XCTAssertEqual(try benchmark(folder).samplesPerProblem, 2)
    XCTAssertEqual(try lines(folder).count, 150)
    let file = folder.file("out/one/sums/scores.jsonl")
    let size = try Data(contentsOf: URL(fileURLWithPath: file)).count
    let judging = try await evaluate(
      recipe(path, folder, k: 3), ScriptedTeacher(mixed),
      isStopped: {
        let bytes = try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
        return bytes ?? 0 > size
      })
    XCTAssertEqual(judging.ending, .stopped)
    XCTAssertGreaterThan(try lines(folder).count, 150)
    XCTAssertLessThan(try lines(folder).count, 300)
    XCTAssertThrowsError(try benchmark(folder))
    try await evaluateAgain(recipe(path, folder, k: 3))
    XCTAssertEqual(try benchmark(folder).samplesPerProblem, 3)
    XCTAssertEqual(try lines(folder).count, 300)
    let expected = try await whole(150, k: 3)
    XCTAssertEqual(try benchmark(folder).problems, expected.problems)
  }

  /// A line is there as soon as its problem and those before it are judged.
  func testLinesAreWrittenAsTheyCome() async throws {
    let folder = try TemporaryFolder()
    // The first problem has no sample, so that nobody waits for it.
    _ = try await evaluate(
      recipe(try folder.sums(64), folder, k: 8),
      ScriptedTeacher { number, sample in
        if number == 0 { throw TeacherError(.question, kind: "test", "No.") }
        return mixed(number, sample)
      })
    try FileManager.default.removeItem(atPath: folder.file("out/one/sums/scores.jsonl"))
    let written = Counter()
    let asked = Counter()
    let judging = BenchmarkJudging(
      path: folder.file("out/one/sums"), judge: AnswerJudge(), samplesPerProblem: 8,
      prompt: ProblemPrompt(), seed: 3,
      isStopped: {
        // Once for each record that is read; then the others ask more often than the first, and take
        // longer.
        asked.add()
        if asked.value > 63 * 8, written.value == 0 { usleep(10_000) }
        return written.value > 0
      }, willWrite: { written.add() }, observer: { _, _ in })
    XCTAssertNil(try judging.run())
    XCTAssertEqual(try lines(folder).count, written.value)
    XCTAssertLessThan(written.value, 64)
    XCTAssertGreaterThan(written.value, 0)
  }

  func testWhatCannotBeWrittenIsTold() async throws {
    struct Full: Error {}
    let folder = try TemporaryFolder()
    _ = try await evaluate(recipe(try folder.sums(9), folder, k: 2), ScriptedTeacher(mixed))
    try FileManager.default.removeItem(atPath: folder.file("out/one/sums/scores.jsonl"))
    let written = Counter()
    let judging = BenchmarkJudging(
      path: folder.file("out/one/sums"), judge: AnswerJudge(), samplesPerProblem: 2,
      prompt: ProblemPrompt(), seed: 3, isStopped: { false },
      willWrite: {
        written.add()
        if written.value == 4 { throw Full() }
      }, observer: { _, _ in })
    XCTAssertThrowsError(try judging.run()) { XCTAssert($0 is Full) }
    XCTAssertEqual(try lines(folder).count, 3)
    XCTAssertEqual(written.value, 4)
  }

  /// Verdicts of another version, and what the sandbox failed at, are made again; others are not.
  func testWhatIsJudgedAgain() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(4), folder, k: 3)
    _ = try await evaluate(recipe, ScriptedTeacher(mixed))
    let good = try benchmark(folder).problems
    let file = folder.file("out/one/sums/scores.jsonl")
    func replace(_ number: Int, judge: String, _ outcome: SampleOutcome) throws -> JudgedProblem {
      let was = good[number]
      return JudgedProblem(
        id: was.id, judge: judge,
        verdicts: [.init(outcome, answerClass: nil, answer: nil, reason: "Another rule.")],
        samples: was.samples.map { .init(number: $0.number, verdict: 0, tokens: $0.tokens) })
    }
    let kept = try replace(2, judge: AnswerJudge.version, .noAnswer)
    do {
      try FileManager.default.removeItem(atPath: file)
      let journal = try SampleJournal(at: file) { _, _, _ in }
      try journal.append(replace(0, judge: "an older one", .noAnswer).json)
      try journal.append(replace(1, judge: AnswerJudge.version, .infrastructure).json)
      try journal.append(kept.json)
      try journal.append(good[3].json)
    }
    let summary = try await evaluateAgain(recipe)
    XCTAssertEqual(try benchmark(folder).problems, [good[0], good[1], kept, good[3]])
    XCTAssertEqual(
      summary.models[0].benchmarks[0].problems, [good[0], good[1], kept, good[3]])
    XCTAssertEqual(try lines(folder).count, 6)
  }

  func testOneProcessInAModelsFolder() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(2), folder)
    let path = folder.file("out/one")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let teacher = ScriptedTeacher(mixed)
    do {
      let other = try Journal(at: path + "/.lock") { _, _ in }
      _ = try await evaluate(recipe, teacher)
      XCTFail("it was taken")
      withExtendedLifetime(other) {}
    } catch {
      XCTAssertEqual(
        "\(error)",
        "\(path): another process is evaluating this model there. Wait until it is done.")
    }
    XCTAssertEqual(teacher.counts, [:])
    let summary = try await evaluate(recipe, teacher)
    XCTAssertEqual(summary.ending, .complete)
  }

  func testSecondsOfSessionsThatDidNotEndWell() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(9), folder, k: 2)
    let file = folder.file("out/one/seconds.json")
    func seconds() throws -> Double {
      let value = try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: file)), source: "s")
      return try JSONMembers(value, place: "s").number("sums")
    }
    // One that is killed: the file is there while it works.
    let asked = Counter()
    let seen = Counter()
    _ = try await evaluate(
      recipe,
      ScriptedTeacher { number, sample in
        asked.add()
        usleep(5_000)
        if asked.value > 12, FileManager.default.fileExists(atPath: file) { seen.add() }
        return mixed(number, sample)
      }, secondsBetweenNotes: 0)
    XCTAssertGreaterThan(seen.value, 0)
    XCTAssertEqual(try benchmark(folder).seconds, try seconds())
    // One whose teacher fails.
    let before = try seconds()
    var more = recipe
    more.sampling?.samplesPerProblem = 3
    do {
      _ = try await evaluate(
        more, ScriptedTeacher { _, _ in throw TeacherError(.job, kind: "test", "No server.") })
      XCTFail("it went on")
    } catch {}
    XCTAssertGreaterThan(try seconds(), before)
    // What is no number of seconds is none.
    for text in ["{\"sums\":-5}", "{\"sums\":1e300}", "{\"sums\":\"x\"}", "[", ""] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
      try FileManager.default.removeItem(atPath: folder.file("out/one/sums/scores.jsonl"))
      _ = try await evaluate(recipe, ScriptedTeacher(mixed))
      XCTAssertTrue((0..<1_000).contains(try benchmark(folder).seconds), text)
    }
  }
}
