import Foundation
import Problems
import Scores
import Storage
import Teachers
import XCTest

@testable import Evaluation

/// Models are asked, judged and counted; nothing twice.
final class RunTests: XCTestCase {
  func testFiguresOfAKnownModel() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(8), folder)
    let teacher = ScriptedTeacher(mixed)
    let summary = try await evaluate(recipe, teacher)
    XCTAssertEqual(summary.ending, .complete)
    XCTAssertEqual(summary.samples, 64)
    XCTAssertEqual(summary.samplesNow, 64)
    XCTAssertTrue(teacher.counts.values.allSatisfy { $0 == 1 })
    let model = try ModelEvaluation(at: folder.file("out/one"))
    XCTAssertEqual(model.model, "one")
    XCTAssertEqual(model.identity, .string("test"))
    XCTAssertNil(model.preset)
    let benchmark = try XCTUnwrap(model.benchmarks.first)
    XCTAssertEqual(benchmark.name, "sums")
    XCTAssertEqual(benchmark.problems.count, 8)
    let figures = try BenchmarkFigures(of: benchmark)
    XCTAssertEqual(figures.counts.right, 24)
    XCTAssertEqual(figures.counts.wrong, 24)
    XCTAssertEqual(figures.counts.cut, 8)
    XCTAssertEqual(figures.counts.noAnswer, 8)
    XCTAssertEqual(figures.counts.asked, 64)
    XCTAssertEqual(figures.counts.tokens, 8 * (11 + 12 + 13 + 14 + 15 + 16 + 96 + 17))
    // Three of eight are right everywhere.
    XCTAssertEqual(try XCTUnwrap(figures.passAt1).score.mean, 3.0 / 8)
    // The three right ones agree, whatever their words; two wrong ones do, and one stands alone.
    XCTAssertEqual(try XCTUnwrap(figures.consensus).score.mean, 1)
    XCTAssertEqual(figures.consensus?.score.name, "cons@8")
    XCTAssertEqual(figures.curve.count, 8)
    XCTAssertEqual(try XCTUnwrap(figures.curve.first), 3.0 / 8, accuracy: 1e-12)
    // 1 − C(5, 2) / C(8, 2)
    XCTAssertEqual(figures.passAt.map(\.k), [2, 4, 8])
    XCTAssertEqual(figures.passAt[0].figure.score.mean, 1 - 10.0 / 28, accuracy: 1e-12)
    XCTAssertEqual(figures.passAt[2].figure.score.mean, 1)
    for (number, problem) in benchmark.problems.enumerated() {
      XCTAssertEqual(problem.samples.map(\.number), Array(0..<8))
      for sample in problem.samples {
        let verdict = problem.verdicts[sample.verdict]
        let turn = (sample.number + number) % 8
        XCTAssertEqual(
          verdict.outcome,
          turn < 3 ? .right : turn < 6 ? .wrong : turn == 6 ? .cut : .noAnswer, "\(number) \(turn)")
        XCTAssertEqual(verdict.answerClass == nil, turn > 5)
      }
    }
  }

  func testTheSecondTimeNothingIsAskedOrJudged() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(5), folder, models: ["one", "two"])
    _ = try await evaluate(recipe, ScriptedTeacher(mixed))
    let files = ["one/sums/scores.jsonl", "one/evaluation.json", "two/sums/samples.jsonl"]
    let before = try files.map {
      try Data(contentsOf: URL(fileURLWithPath: folder.file("out/\($0)")))
    }
    let again = ScriptedTeacher { _, _ in throw TeacherError(.job, kind: "test", "asked") }
    let summary = try await evaluate(recipe, again)
    XCTAssertEqual(summary.samplesNow, 0)
    XCTAssertEqual(summary.samples, 80)
    XCTAssertEqual(summary.models.count, 2)
    let after = try files.map {
      try Data(contentsOf: URL(fileURLWithPath: folder.file("out/\($0)")))
    }
    XCTAssertEqual(before, after)
  }

  func testMoreSamplesAreAddedToThoseThatAreThere() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(5)
    _ = try await evaluate(recipe(path, folder, k: 3), ScriptedTeacher(mixed))
    let teacher = ScriptedTeacher(mixed)
    let summary = try await evaluate(recipe(path, folder, k: 8), teacher)
    XCTAssertEqual(summary.samplesNow, 25)
    XCTAssertEqual(teacher.counts.count, 25)
    let grown = try ModelEvaluation(at: folder.file("out/one")).benchmarks[0]
    let other = try TemporaryFolder()
    _ = try await evaluate(recipe(try other.sums(5), other, k: 8), ScriptedTeacher(mixed))
    let whole = try ModelEvaluation(at: other.file("out/one")).benchmarks[0]
    XCTAssertEqual(grown.problems, whole.problems)
    XCTAssertEqual(grown.problemsSHA256, whole.problemsSHA256)
  }

  /// Stopped after any number of samples, and then again: in the end the same.
  func testStoppedAnywhere() async throws {
    let folder = try TemporaryFolder()
    let whole = try TemporaryFolder()
    _ = try await evaluate(recipe(try whole.sums(7), whole), ScriptedTeacher(mixed))
    let recipe = recipe(try folder.sums(7), folder)
    for limit in [0, 5, 11, 30] {
      let counter = Counter()
      let teacher = ScriptedTeacher { number, sample in
        counter.add()
        // Time for the run to notice.
        if counter.value > limit { usleep(30_000) }
        return mixed(number, sample)
      }
      let summary = try await evaluate(recipe, teacher, isStopped: { counter.value >= limit })
      if summary.ending == .stopped {
        XCTAssertThrowsError(try ModelEvaluation(at: folder.file("out/one")))
      }
    }
    let summary = try await evaluate(recipe, ScriptedTeacher(mixed))
    XCTAssertEqual(summary.ending, .complete)
    XCTAssertEqual(
      try ModelEvaluation(at: folder.file("out/one")).benchmarks[0].problems,
      try ModelEvaluation(at: whole.file("out/one")).benchmarks[0].problems)
    XCTAssertEqual(
      try Data(contentsOf: URL(fileURLWithPath: folder.file("out/one/sums/scores.jsonl"))),
      try Data(contentsOf: URL(fileURLWithPath: whole.file("out/one/sums/scores.jsonl"))))
  }

  func testMissingSamplesAreRefusedOrMarked() async throws {
    let folder = try TemporaryFolder()
    var recipe = recipe(try folder.sums(4), folder)
    let failing = ScriptedTeacher { number, sample in
      if number == 2 { throw TeacherError(.question, kind: "refused", "too long") }
      return mixed(number, sample)
    }
    let summary = try await evaluate(recipe, failing)
    XCTAssertEqual(summary.failuresForGood, 1)
    XCTAssertEqual(summary.samples, 24)
    var figures = try BenchmarkFigures(
      of: ModelEvaluation(at: folder.file("out/one")).benchmarks[0])
    XCTAssertEqual(
      figures.refusal,
      "'sums': 8 of 32 samples are missing (8 never came; 1 problem without any is left out), "
        + "first of problem 'sums.jsonl#3'. Get them, or ask for a score that is marked.")
    XCTAssertNil(figures.passAt1)
    XCTAssertNil(figures.consensus)
    XCTAssertEqual(figures.counts.neverCame, 8)
    recipe.missingSamples = .mark
    _ = try await evaluate(recipe, failing)
    figures = try BenchmarkFigures(of: ModelEvaluation(at: folder.file("out/one")).benchmarks[0])
    XCTAssertNil(figures.refusal)
    // Of those that are there, not of those that were asked for.
    XCTAssertEqual(try XCTUnwrap(figures.passAt1).score.mean, 3.0 / 8)
    XCTAssertNotNil(figures.passAt1?.score.missing)
    recipe.missingSamples = nil
    let retried = try await evaluate(recipe, ScriptedTeacher(mixed), retryingFailures: true)
    XCTAssertEqual(retried.samplesNow, 8)
    XCTAssertNil(
      try BenchmarkFigures(of: ModelEvaluation(at: folder.file("out/one")).benchmarks[0]).refusal)
  }

  func testAnotherModelInTheSameFolderIsRefused() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(2), folder)
    _ = try await evaluate(recipe, ScriptedTeacher(mixed))
    do {
      _ = try await evaluate(recipe, ScriptedTeacher(identity: "other", mixed))
      XCTFail("it was taken")
    } catch {
      XCTAssertEqual(
        "\(error)",
        "'teacher' was '\"test\"' when this run began; it is '\"other\"' now.\n"
          + "\(folder.file("out/one/sums")): going on would mix samples of both. Name another "
          + "'output', or put the recipe back.")
    }
  }

  func testProblemsThatCannotBeJudgedAreRefusedBeforeAnythingIsAsked() async throws {
    let folder = try TemporaryFolder()
    for (text, words) in [
      (
        "{\"question\":\"Why?\"}\n",
        ":1: no rule can judge an answer to it: there is no reference. Name the key that has it in "
          + "'fields: { answer: … }'."
      ),
      (
        "{\"question\":\"Why?\",\"answer\":\"2\"}\n{\"question\":\"How?\",\"answer\":\"it is said that nobody has ever seen any of it, and nobody will\"}\n",
        ":2: its reference holds no answer to judge by. Name the key that has it in "
          + "'fields: { answer: … }'."
      ),
      (
        "{\"question\":\"Add.\",\"function_name\":\"f\",\"test_list\":[\"assert f(1) == 2\"]}\n",
        ":1: programs are judged in a sandbox, which needs Linux with user namespaces. Leave 'sums' "
          + "out, or run it there."
      ),
    ] {
      let path = try folder.write(text, as: "problems.jsonl")
      let teacher = ScriptedTeacher(mixed)
      do {
        _ = try await evaluate(recipe(path, folder), teacher)
        XCTFail("it was taken")
      } catch {
        XCTAssertEqual("\(error)", path + words)
      }
      XCTAssertEqual(teacher.counts, [:])
    }
  }

  /// The same samples, judged again by other rules: what stands in no box is no answer.
  func testAnswersInBoxesOnly() async throws {
    let folder = try TemporaryFolder()
    var recipe = recipe(try folder.sums(3), folder)
    _ = try await evaluate(recipe, ScriptedTeacher(mixed))
    recipe.benchmarks[0].extraction = .boxes
    let again = try await evaluate(recipe, ScriptedTeacher(mixed))
    XCTAssertEqual(again.samplesNow, 0)
    let benchmark = try ModelEvaluation(at: folder.file("out/one")).benchmarks[0]
    XCTAssertEqual(
      benchmark.judge, "mathematics 1, choices 1, programs 1, answers in boxes only")
    let counts = OutcomeCounts(try benchmark.scored)
    XCTAssertEqual([counts.right, counts.wrong, counts.cut, counts.noAnswer], [6, 9, 3, 6])
  }

  func testRatingByMaximumLikelihood() async throws {
    let folder = try TemporaryFolder()
    let recipe = recipe(try folder.sums(9, rated: true), folder, k: 4)
    // The first five are solved, the others are not.
    _ = try await evaluate(
      recipe, ScriptedTeacher { number, _ in said("\\boxed{\(number < 5 ? number + 1 : -1)}") })
    let figures = try BenchmarkFigures(
      of: ModelEvaluation(at: folder.file("out/one")).benchmarks[0])
    let expected = try SolverRating(
      (0..<9).map {
        RatedProblem(
          id: "sums.jsonl#\($0 + 1)", rating: Double(1000 + 100 * $0), solved: $0 < 5 ? 4 : 0,
          attempts: 4)
      })
    XCTAssertEqual(figures.rating?.estimate, expected.estimate)
    XCTAssertNotNil(figures.rating)
  }
}

final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  var value: Int { lock.withLock { count } }
  func add() { lock.withLock { count += 1 } }
}
