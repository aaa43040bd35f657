import Foundation
import Problems
import Storage
import Teachers
import XCTest

@testable import Storage
@testable import TeacherGeneration

/// Each sample that is wanted is asked for, and stored, once.
final class RunTests: XCTestCase {
  override func tearDown() { FileSystem.fault = nil }

  func testEverySampleOnceUnderManyTasks() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(300)], output: folder.file("out"), samples: 3)
    let teacher = CountingTeacher(
      samplesPerQuestion: 2, delay: { UInt64.random(in: 0...2_000_000) }
    ) { sum($0, $1) }
    let summary = try await generate(recipe, teacher, isJudging: true)
    XCTAssertEqual(summary.ending, .complete)
    XCTAssertEqual(summary.progress.samples, 900)
    XCTAssertEqual(summary.progress.samplesBefore, 0)
    XCTAssertEqual(summary.progress.problemsDone, 300)
    XCTAssertEqual(
      summary.progress.tokens, TokenCount(prompt: 7 * 900, completion: 300 * (10 + 11 + 12)))
    XCTAssertFalse(summary.progress.tokensAreEstimated)
    XCTAssertEqual(
      summary.progress.sources, [.init(name: "sums.jsonl", samples: 900, correct: 900)])
    XCTAssertEqual(teacher.counts.count, 900)
    XCTAssertTrue(teacher.counts.values.allSatisfy { $0 == 1 })
    XCTAssertEqual(teacher.questionCount, 600)
    XCTAssertLessThanOrEqual(teacher.most, 16)
    XCTAssertGreaterThan(teacher.most, 4)
    let found = try samples(recipe.output)
    XCTAssertEqual(found.count, 900)
    for i in 0..<300 {
      for sample in 0..<3 {
        XCTAssertEqual(
          found["sums.jsonl#\(i + 1) \(sample)"],
          "<think>\nsample \(sample)\n</think>\n\nIt is \\boxed{\(i + 1)}.")
      }
    }
    // Once more, nothing is left to ask.
    let again = CountingTeacher { sum($0, $1) }
    let second = try await generate(recipe, again, isJudging: true)
    XCTAssertEqual(again.questionCount, 0)
    XCTAssertEqual(second.ending, .complete)
    XCTAssertEqual(second.progress.samplesBefore, 900)
    XCTAssertEqual(second.progress.problemsDone, 300)
    XCTAssertEqual(second.progress.sources, summary.progress.sources)
    XCTAssertEqual(second.progress.tokens, summary.progress.tokens)
  }

  func testWhatStandsInTheFolder() async throws {
    let folder = try TemporaryFolder()
    var recipe = TeacherGenerationRecipe.of([try folder.sums(2)], output: folder.file("out"))
    recipe.prompt = ProblemPrompt(system: "Be brief.", mathematics: "Q: {question}")
    let teacher = CountingTeacher(
      identity: .object(JSONObject(members: [("model", .string("m"))]))
    ) { question, sample in
      XCTAssertTrue(question.hasPrefix("Q: What is "))
      return sum(String(question.dropFirst(3)), sample)
    }
    try await generate(recipe, teacher)
    XCTAssertEqual(
      try names(inFolder: recipe.output),
      [
        ".lock", "failures.jsonl", "identity.json", "problems.jsonl", "recipe.json", "rounds.jsonl",
        "samples.jsonl",
      ])
    XCTAssertEqual(try folder.text("out/recipe.json"), "{\n  \"test\": true\n}\n")
    let place = folder.file("sums.jsonl")
    XCTAssertEqual(
      try folder.text("out/problems.jsonl"),
      """
      {"id":"sums.jsonl#1","source":"sums.jsonl","place":"\(place):1","question":"What is 0 + 1?",\
      "reference":{"answer":"1"}}
      {"id":"sums.jsonl#2","source":"sums.jsonl","place":"\(place):2","question":"What is 1 + 1?",\
      "reference":{"answer":"2"}}

      """)
    // The key by its documented layout.
    let layout =
      #"{"teacher":{"model":"m"},"messages":[{"role":"system","content":"Be brief."},"#
      + #"{"role":"user","content":"Q: What is 0 + 1?"}],"settings":{"temperature":0.6,"topP":0.95,"#
      + #""maxTokens":100,"seed":3,"stop":[]},"sample":0}"#
    var hash = SHA256()
    hash.update(Array(layout.utf8))
    var keys: [String: String] = [:]
    try SampleFolder(at: recipe.output).forEachRecord { record, _ in
      keys[record.problem] = record.key
      XCTAssertEqual(record.settings, recipe.sampling.choices)
      XCTAssertEqual(record.answer.model, "test-model")
    }
    XCTAssertEqual(keys["sums.jsonl#1"], hash.finalizedText())
    XCTAssertEqual(Set(keys.values).count, 2)
  }

  /// 100,000 problems: no more than the teacher wants are under way, and none is opened before.
  func testProblemsAreTakenAsTheyAreNeeded() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(100_000)], output: folder.file("out"))
    let teacher = CountingTeacher(concurrency: 8) { question, sample in
      if number(in: question) > 3_000 {
        throw TeacherError(.job, kind: "HTTP 401", "The key is wrong.")
      }
      return sum(question, sample)
    }
    let error = await sentence { try await generate(recipe, teacher) }
    let stored = try samples(recipe.output).count
    XCTAssertEqual(
      error,
      "The key is wrong. \(stored) samples are stored in \(recipe.output); the same command goes on "
        + "from there.")
    XCTAssertLessThanOrEqual(teacher.most, 8)
    XCTAssertLessThanOrEqual(teacher.questionCount, 3_001 + 8)
    XCTAssertEqual(stored, 3_001)
  }

  /// `.job` ends the run once what is under way is stored.
  func testAFailureOfTheJobKeepsWhatIsUnderWay() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(50)], output: folder.file("out"))
    let teacher = CountingTeacher(concurrency: 4, delay: { 30_000_000 }) { question, sample in
      if number(in: question) == 2 {
        throw TeacherError(.job, kind: "no server", "There is no server.")
      }
      return sum(question, sample)
    }
    let error = await sentence { try await generate(recipe, teacher) }
    // All that was asked but the one: up to three came before it, and three were asked instead.
    let stored = try samples(recipe.output).count
    XCTAssertEqual(
      error,
      "There is no server. \(stored) samples are stored in \(recipe.output); the same command goes on "
        + "from there.")
    XCTAssertEqual(stored, teacher.questionCount - 1)
    XCTAssertTrue((3...6).contains(stored), "\(stored)")
    XCTAssertEqual(try folder.text("out/failures.jsonl"), "")
  }

  func testFailuresOfQuestions() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(20)], output: folder.file("out"), samples: 2)
    let isBad = Flag(true)
    let make = { @Sendable (question: String, sample: Int) throws -> TeacherAnswer in
      let number = number(in: question)
      if isBad.value, number % 5 == 0 {
        throw TeacherError(.question, kind: "HTTP 400", "sums.jsonl: it is too long.")
      }
      if isBad.value, number == 7 || number == 8, sample == 1 {
        throw TeacherError(.attempt, kind: "HTTP 500", "sums.jsonl: the server failed.")
      }
      return sum(question, sample)
    }
    let first = CountingTeacher(samplesPerQuestion: 1, answering: make)
    let summary = try await generate(recipe, first, isJudging: true)
    XCTAssertEqual(summary.ending, .complete)
    XCTAssertEqual(summary.failuresForGood, 4)
    XCTAssertEqual(summary.failuresToRetry, 2)
    XCTAssertEqual(
      summary.progress.failures,
      [.init(kind: "HTTP 400", count: 8), .init(kind: "HTTP 500", count: 2)])
    XCTAssertEqual(summary.progress.samples, 40 - 8 - 2)
    let lines = try folder.text("out/failures.jsonl").split(separator: "\n").map {
      try JournalLine.decoded(Array($0.utf8), place: "failures")
    }
    XCTAssertEqual(lines.count, 10)
    let third = lines.filter { $0["problem"] == .string("sums.jsonl#8") }
    XCTAssertEqual(third.count, 1)
    XCTAssertEqual(third.first?["kind"], .string("HTTP 500"))
    XCTAssertEqual(third.first?["scope"], .string("attempt"))
    XCTAssertEqual(third.first?["error"], .string("sums.jsonl: the server failed."))
    XCTAssertEqual(
      third.first?["samples"], .array([.number(JSONNumber(1)), .number(JSONNumber(2))]))

    // The same command asks again what failed this time, and not what failed for good.
    isBad.value = false
    let second = CountingTeacher(samplesPerQuestion: 1, answering: make)
    let next = try await generate(recipe, second, isJudging: true)
    XCTAssertEqual(second.questionCount, 2)
    XCTAssertEqual(next.failuresForGood, 4)
    XCTAssertEqual(next.failuresToRetry, 0)
    XCTAssertEqual(next.progress.problemsDone, 16)
    XCTAssertEqual(next.progress.problemsFailed, 4)
    XCTAssertEqual(
      next.progress.sources, [.init(name: "sums.jsonl", samples: 32, correct: 32)])
    let third2 = CountingTeacher(answering: make)
    let last = try await generate(recipe, third2, isJudging: true, retryingFailures: true)
    XCTAssertEqual(third2.questionCount, 4)
    XCTAssertEqual(last.failuresForGood, 0)
    XCTAssertEqual(try samples(recipe.output).count, 40)
    let fourth = CountingTeacher(answering: make)
    let after = try await generate(recipe, fourth, isJudging: true)
    XCTAssertEqual(fourth.questionCount, 0)
    XCTAssertEqual(after.failuresForGood, 0)
  }

  func testAStop() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(400)], output: folder.file("out"))
    let isStopped = Flag(false)
    let teacher = CountingTeacher(concurrency: 4, delay: { 3_000_000 }) { question, sample in
      if number(in: question) == 20 { isStopped.value = true }
      return sum(question, sample)
    }
    let summary = try await generate(recipe, teacher, isStopped: { isStopped.value })
    XCTAssertEqual(summary.ending, .stopped)
    XCTAssertLessThan(summary.progress.samples, 400)
    // What was under way had the time to end.
    XCTAssertEqual(try samples(recipe.output).count, teacher.questionCount)
    let second = CountingTeacher { sum($0, $1) }
    let next = try await generate(recipe, second)
    XCTAssertEqual(next.ending, .complete)
    XCTAssertEqual(second.questionCount, 400 - teacher.questionCount)
  }

  /// Questions that take longer than the grace are cancelled; they are no failures.
  func testAStopCancelsWhatTakesLong() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(30)], output: folder.file("out"))
    let teacher = CountingTeacher(concurrency: 4, delay: { 600_000_000_000 }) { sum($0, $1) }
    var run = try TeacherGenerationRun(
      recipe, recipeJSON: .null, teacher: teacher, toolkit: "0", judge: nil, isStopped: { true })
    run.graceSeconds = 0.05
    run.tickSeconds = 0.01
    let summary = try await run.run()
    XCTAssertEqual(summary.ending, .stopped)
    XCTAssertEqual(summary.progress.samples, 0)
    XCTAssertEqual(summary.progress.failures, [])
    XCTAssertEqual(teacher.questionCount, 4)
    XCTAssertEqual(try folder.text("out/failures.jsonl"), "")
  }

  func testABudget() async throws {
    let folder = try TemporaryFolder()
    var recipe = TeacherGenerationRecipe.of([try folder.sums(100)], output: folder.file("out"))
    recipe.budget = .init(tokens: 17 * 10)
    let teacher = CountingTeacher(concurrency: 1) { sum($0, $1) }
    let summary = try await generate(recipe, teacher)
    XCTAssertEqual(summary.ending, .budget)
    XCTAssertEqual(summary.progress.samples, 10)
    XCTAssertNil(summary.progress.cost)
    // More of it goes on where that one ended.
    recipe.prices = .init(prompt: 1_000_000, completion: 2_000_000, currency: "USD")
    recipe.budget = .init(cost: 27 * 20)
    let next = try await generate(recipe, teacher)
    XCTAssertEqual(next.ending, .budget)
    XCTAssertEqual(next.progress.samples, 20)
    XCTAssertEqual(next.progress.cost, 27 * 20)
    let spent = try await generate(recipe, teacher)
    XCTAssertEqual(spent.ending, .budget)
    XCTAssertEqual(teacher.questionCount, 20)
  }

  func testMoreSamplesThanBefore() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(10)
    for isJudging in [false, true] {
      let output = folder.file("out\(isJudging)")
      let first = CountingTeacher { sum($0, $1) }
      try await generate(.of([path], output: output, samples: 2), first, isJudging: isJudging)
      let second = CountingTeacher { sum($0, $1) }
      let summary = try await generate(
        .of([path], output: output, samples: 5), second, isJudging: isJudging)
      XCTAssertEqual(second.counts.count, 30)
      XCTAssertTrue(second.counts.keys.allSatisfy { !$0.hasSuffix("#0") && !$0.hasSuffix("#1") })
      XCTAssertEqual(try samples(output).count, 50)
      XCTAssertEqual(summary.progress.problemsDone, 10)
      if isJudging {
        XCTAssertEqual(
          summary.progress.sources, [.init(name: "sums.jsonl", samples: 50, correct: 50)])
      }
      let third = CountingTeacher { sum($0, $1) }
      try await generate(.of([path], output: output, samples: 3), third, isJudging: isJudging)
      XCTAssertEqual(third.questionCount, 0)
    }
  }

  func testADiskThatIsFull() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(60)], output: folder.file("out"))
    let appended = Flag(false)
    let writes = Faults([])
    let teacher = CountingTeacher(concurrency: 4) { question, sample in
      appended.value = true
      return sum(question, sample)
    }
    FileSystem.fault = { call in
      guard call == .write, appended.value else { return nil }
      _ = writes.next()
      return writes.count > 12 ? .error(ENOSPC) : nil
    }
    let error = await sentence { try await generate(recipe, teacher) }
    FileSystem.fault = nil
    XCTAssertEqual(
      error,
      "\(recipe.output)/samples.jsonl: no space is left for it. Free some, or choose another place. "
        + "12 samples are stored in \(recipe.output); the same command goes on from there.")
    XCTAssertEqual(try samples(recipe.output).count, 12)
    XCTAssertLessThanOrEqual(teacher.questionCount, 12 + 4)
    let second = CountingTeacher { sum($0, $1) }
    try await generate(recipe, second)
    XCTAssertEqual(second.questionCount, 48)
    XCTAssertEqual(try samples(recipe.output).count, 60)
  }

  func testATeacherThatGivesTooFewAnswers() async throws {
    struct Mute: Teacher {
      let name = "mute"
      let identity = JSONValue.null
      let concurrency = 1
      func answers(to question: TeacherQuestion) async throws(TeacherError) -> [TeacherAnswer] {
        []
      }
    }
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(1)], output: folder.file("out"), samples: 2)
    let summary = try await generate(recipe, Mute())
    XCTAssertEqual(summary.progress.failures, [.init(kind: "wrong number of answers", count: 1)])
    XCTAssertEqual(summary.failuresToRetry, 1)
    XCTAssertTrue(
      try folder.text("out/failures.jsonl").contains(
        "sums.jsonl:1: 2 answers were asked for, and 0 came."))
  }

  func testProgress() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(40)], output: folder.file("out"), samples: 2)
    let seen = Seen()
    try await generate(
      recipe,
      CountingTeacher(concurrency: 3, delay: { 2_000_000 }) { sum($0, $1, isRight: $1 == 0) },
      isJudging: true, observer: { seen.add($0) })
    let all = seen.values
    XCTAssertEqual(all.first?.samples, 0)
    XCTAssertEqual(all.first?.questionsInFlight, 3)
    XCTAssertNil(all.first?.secondsLeft)
    XCTAssertEqual(all.last?.samples, 80)
    XCTAssertEqual(all.last?.questionsInFlight, 0)
    XCTAssertEqual(all.last?.secondsLeft, 0)
    XCTAssertEqual(
      all.last?.sources, [.init(name: "sums.jsonl", samples: 80, correct: 40)])
    XCTAssertTrue(zip(all, all.dropFirst()).allSatisfy { $0.samples <= $1.samples })
    XCTAssertTrue(all.allSatisfy { $0.questionsInFlight <= 3 && $0.problems == 40 })
    let middle = try XCTUnwrap(all.first { $0.samples == 40 })
    XCTAssertEqual(
      try XCTUnwrap(middle.secondsLeft), 40 / middle.samplesPerSecond, accuracy: 1e-9)
  }
}

final class Flag: @unchecked Sendable {
  private let lock = NSLock()
  private var flag: Bool

  init(_ value: Bool) { flag = value }

  var value: Bool {
    get { lock.withLock { flag } }
    set { lock.withLock { flag = newValue } }
  }
}

final class Seen: @unchecked Sendable {
  private let lock = NSLock()
  private var seen: [TeacherGenerationProgress] = []

  func add(_ progress: TeacherGenerationProgress) { lock.withLock { seen.append(progress) } }
  var values: [TeacherGenerationProgress] { lock.withLock { seen } }
}
