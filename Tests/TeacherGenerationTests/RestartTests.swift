import Foundation
import Problems
import Storage
import Teachers
import XCTest

@testable import Storage
@testable import TeacherGeneration

/// A run that was killed anywhere, and gone on with, is one that never was.
final class RestartTests: XCTestCase {
  override func tearDown() { FileSystem.fault = nil }

  private static let adaptive = AdaptiveSampling(
    correct: 2, maxSamples: 9, round: 2, passRate: .init(min: 0.12, max: 0.9, after: 5))

  /// Right for some numbers and samples, always alike; cut for others.
  @Sendable private static func answer(_ question: String, _ sample: Int) -> TeacherAnswer {
    let number = number(in: question)
    var answer = sum(question, sample, isRight: (number * 7 + sample * sample * 3) % 5 < number % 4)
    if (number + sample) % 11 == 0 { answer.finishReason = .length }
    return answer
  }

  /// What a problem of the rule above gets, by a simulation of its own.
  private func expected(_ problems: Int, adaptive: AdaptiveSampling, first: Int) -> [String: Int] {
    var counts: [String: Int] = [:]
    for number in 0..<problems {
      var samples = 0
      var wanted = first
      while samples < wanted {
        samples = wanted
        let correct = (0..<samples).filter { sample in
          (number * 7 + sample * sample * 3) % 5 < number % 4 && (number + sample) % 11 != 0
        }.count
        if correct >= adaptive.correct { break }
        if let rate = adaptive.passRate, samples >= rate.after {
          let share = Double(correct) / Double(samples)
          if share > rate.max || share < rate.min { break }
        }
        wanted = min(samples + adaptive.round, adaptive.maxSamples)
      }
      counts["sums.jsonl#\(number + 1)"] = samples
    }
    return counts
  }

  private func perProblem(_ samples: [String: String]) -> [String: Int] {
    Dictionary(
      samples.keys.map { ($0.split(separator: " ").first.map(String.init) ?? "", 1) },
      uniquingKeysWith: +)
  }

  func testAdaptiveDecisions() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(60)], output: folder.file("out"), samples: 3, adaptive: Self.adaptive)
    let teacher = CountingTeacher(delay: { UInt64.random(in: 0...500_000) }, answering: Self.answer)
    let summary = try await generate(recipe, teacher, isJudging: true)
    let found = try samples(recipe.output)
    let expected = expected(60, adaptive: Self.adaptive, first: 3)
    XCTAssertEqual(perProblem(found), expected)
    // Not all alike, so that something was decided.
    XCTAssertEqual(Set(expected.values), [3, 5, 7, 9])
    XCTAssertEqual(teacher.counts.count, found.count)
    XCTAssertTrue(teacher.counts.values.allSatisfy { $0 == 1 })
    XCTAssertEqual(summary.progress.problemsDone, 60)
    XCTAssertEqual(summary.progress.sources.first?.samples, found.count)
  }

  /// Killed at each write of a line, of whichever journal, and gone on with until it is done.
  func testKilledAtEveryLine() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(8)
    let whole = folder.file("whole")
    try await generate(
      .of([path], output: whole, samples: 3, adaptive: Self.adaptive),
      CountingTeacher(concurrency: 3, answering: Self.answer), isJudging: true)
    let expected = try samples(whole)
    let lines =
      try folder.text("whole/samples.jsonl").split(separator: "\n").count
      + folder.text("whole/rounds.jsonl").split(separator: "\n").count
    for kill in 1...lines {
      let output = folder.file("killed\(kill)")
      let recipe = TeacherGenerationRecipe.of(
        [path], output: output, samples: 3, adaptive: Self.adaptive)
      var sessions = 0
      var asked: [String: Int] = [:]
      var isDone = false
      while !isDone {
        sessions += 1
        guard sessions < 100 else { return XCTFail("it never ends: \(kill)") }
        let hasAnswered = Flag(false)
        let writes = Faults([])
        let teacher = CountingTeacher(concurrency: 3) { question, sample in
          hasAnswered.value = true
          return Self.answer(question, sample)
        }
        FileSystem.fault = { call in
          guard call == .write, hasAnswered.value else { return nil }
          _ = writes.next()
          return writes.count >= kill ? .error(EIO) : nil
        }
        let error = await sentence { try await generate(recipe, teacher, isJudging: true) }
        FileSystem.fault = nil
        asked.merge(teacher.counts) { $0 + $1 }
        isDone = error == nil
        if let error { XCTAssertTrue(error.contains("goes on from there."), error) }
        // Wasted are at most the questions that were under way, of up to three samples each.
        let again = asked.values.reduce(0) { $0 + $1 - 1 }
        XCTAssertLessThanOrEqual(again, 3 * 3 * sessions, "\(kill)")
        // A session that stores a line at least goes on; one that can't would never end.
        if kill == 1, sessions == 3 {
          try await generate(recipe, teacher, isJudging: true)
          isDone = true
        }
      }
      XCTAssertEqual(try samples(output), expected, "\(kill)")
      // Each problem is counted as in a run that was not killed.
      XCTAssertEqual(try counted(output), try counted(whole), "\(kill)")
    }
  }

  /// The last counts of each problem.
  private func counted(_ path: String) throws -> [String: String] {
    var found: [String: String] = [:]
    var new: [String: Int] = [:]
    for line in try String(contentsOfFile: path + "/rounds.jsonl", encoding: .utf8)
      .split(separator: "\n")
    {
      let object = try JournalLine.decoded(Array(line.utf8), place: "rounds")
      let members = JSONMembers(object, place: "rounds")
      let problem = try members.text("problem")
      new[problem, default: 0] += try members.count("newSamples")
      XCTAssertEqual(new[problem], try members.count("samples"))
      found[problem] =
        "\(try members.count("samples")) \(try members.count("correct")) "
        + "\(try members.count("judged")) \(try members.text("decision"))"
    }
    return found
  }

  /// Samples were judged by nobody, and then a judge comes.
  func testAJudgeThatComesLater() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(30)], output: folder.file("out"), samples: 4)
    try await generate(recipe, CountingTeacher(answering: Self.answer))
    let teacher = CountingTeacher(answering: Self.answer)
    let summary = try await generate(recipe, teacher, isJudging: true)
    XCTAssertEqual(teacher.questionCount, 0)
    let right = (0..<30).flatMap { number in
      (0..<4).filter { sample in
        (number * 7 + sample * sample * 3) % 5 < number % 4 && (number + sample) % 11 != 0
      }
    }.count
    XCTAssertEqual(
      summary.progress.sources, [.init(name: "sums.jsonl", samples: 120, correct: right)])
  }

  /// A line that was removed because it was damaged is asked again, and only it.
  func testALineThatWasRemoved() async throws {
    for isJudging in [false, true] {
      for adaptive in isJudging ? [nil, Self.adaptive] : [nil] {
        try await checkALineThatWasRemoved(isJudging: isJudging, adaptive)
      }
    }
  }

  private func checkALineThatWasRemoved(isJudging: Bool, _ adaptive: AdaptiveSampling?) async throws
  {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(10)], output: folder.file("out"), samples: 3, adaptive: adaptive)
    let first = try await generate(
      recipe, CountingTeacher(answering: Self.answer), isJudging: isJudging)
    let before = try samples(recipe.output)
    var lines = try folder.text("out/samples.jsonl").split(separator: "\n").map(String.init)
    let place = try XCTUnwrap(
      lines.firstIndex { $0.contains("\"problem\":\"sums.jsonl#4\",\"sample\":1,") })
    var damaged = lines
    damaged[place] = damaged[place].replacingOccurrences(of: "test-model", with: "best-model")
    try folder.write(damaged.map { $0 + "\n" }.joined(), as: "out/samples.jsonl")
    let teacher = CountingTeacher(answering: Self.answer)
    let error = await sentence { try await generate(recipe, teacher, isJudging: isJudging) }
    XCTAssertEqual(
      error,
      "\(recipe.output)/samples.jsonl:\(place + 1): the line does not fit its checksum: it was damaged "
        + "after it was written. Put a copy of the file in its place, or remove the line: what it held "
        + "is then asked for again.")
    lines.remove(at: place)
    try folder.write(lines.map { $0 + "\n" }.joined(), as: "out/samples.jsonl")
    // Another line stands there twice, which is one sample.
    lines.append(lines[0])
    try folder.write(lines.map { $0 + "\n" }.joined(), as: "out/samples.jsonl")
    let second = try await generate(recipe, teacher, isJudging: isJudging)
    XCTAssertEqual(second.progress.samples, before.count)
    XCTAssertEqual(second.progress.tokens, first.progress.tokens)
    XCTAssertEqual(second.progress.sources, first.progress.sources)
    XCTAssertEqual(second.progress.problemsDone, 10)
    XCTAssertEqual(teacher.counts, ["What is 3 + 1?\n\n\(ProblemPrompt.instruction) #1": 1])
    XCTAssertEqual(try samples(recipe.output), before)
  }

  func testPerProblemLimits() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(4)
    func counts(
      _ adaptive: AdaptiveSampling, right: Bool, prices: TeacherGenerationRecipe.Prices? = nil
    ) async throws -> Set<Int> {
      let output = folder.file(UUID().uuidString)
      var recipe = TeacherGenerationRecipe.of(
        [path], output: output, samples: 2, adaptive: adaptive)
      recipe.prices = prices
      try await generate(
        recipe, CountingTeacher { sum($0, $1, isRight: right) }, isJudging: true)
      return Set(perProblem(try samples(output)).values)
    }
    let some = AdaptiveSampling(correct: 4, maxSamples: 11, round: 3)
    let easy = try await counts(some, right: true)
    XCTAssertEqual(easy, [5])
    let hard = try await counts(some, right: false)
    XCTAssertEqual(hard, [11])
    // Tokens of answers: 10 + 11 after two, 75 after five.
    var limited = some
    limited.maxTokens = 22
    let tokens = try await counts(limited, right: false)
    XCTAssertEqual(tokens, [5])
    limited.maxTokens = 21
    let fewer = try await counts(limited, right: false)
    XCTAssertEqual(fewer, [2])
    var cheap = some
    cheap.maxCost = 36
    let cost = try await counts(
      cheap, right: false, prices: .init(prompt: 1e6, completion: 1e6, currency: "EUR"))
    XCTAssertEqual(cost, [5])
    var rated = some
    rated.passRate = .init(min: 0.1, max: 0.8, after: 2)
    let tooEasy = try await counts(rated, right: true)
    XCTAssertEqual(tooEasy, [2])
    let tooHard = try await counts(rated, right: false)
    XCTAssertEqual(tooHard, [2])
  }

  /// Rounds that count samples nobody has: an error, and not a loop without an end.
  func testRoundsThatDoNotFit() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(2)], output: folder.file("out"), samples: 4)
    try await generate(recipe, CountingTeacher(answering: Self.answer), isJudging: true)
    let lines = try folder.text("out/rounds.jsonl").split(separator: "\n")
    var members = try JournalLine.decoded(Array(lines[0].utf8), place: "r").members
    func count(_ number: Int) throws {
      for name in ["samples", "judged", "newSamples"] {
        let place = try XCTUnwrap(members.firstIndex { $0.key == name })
        members[place].value = .number(JSONNumber(number))
      }
      let line = String(
        decoding: JournalLine.encoded(JSONObject(members: members)), as: UTF8.self)
      try folder.write(line + "\n", as: "out/rounds.jsonl")
    }
    try count(10_001)
    let error = await sentence {
      try await generate(recipe, CountingTeacher(answering: Self.answer), isJudging: true)
    }
    XCTAssertEqual(
      error,
      "\(recipe.output)/rounds.jsonl:1: 10001 samples are counted, which no problem has. Remove the "
        + "line.")
    try count(9)
    let teacher = CountingTeacher(answering: Self.answer)
    let summary = try await generate(recipe, teacher, isJudging: true)
    // The samples that it counts are drawn.
    XCTAssertEqual(teacher.counts.count, 5)
    XCTAssertEqual(summary.ending, .complete)
    XCTAssertEqual(summary.progress.problemsDone, 2)
  }

  /// What no rule can judge is asked once.
  func testWhatCannotBeJudged() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("{\"question\":\"Why?\"}\n", as: "why.jsonl")
    let recipe = TeacherGenerationRecipe.of(
      [path], output: folder.file("out"), samples: 2, adaptive: Self.adaptive)
    try await generate(recipe, CountingTeacher { sum($0, $1) }, isJudging: true)
    XCTAssertEqual(try samples(recipe.output).count, 2)
  }

  /// A judge that fails decides nothing; the samples are judged in the next session.
  func testAJudgeThatFails() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(40)], output: folder.file("out"), samples: 2)
    let fails = Flag(true)
    func run(_ isBad: @escaping @Sendable (String) -> Bool) async throws -> TeacherGenerationSummary
    {
      let run = try TeacherGenerationRun(
        recipe, recipeJSON: .null, teacher: CountingTeacher(concurrency: 1) { sum($0, $1) },
        toolkit: "0",
        judging: { text, problem in
          AnswerVerdict(
            outcome: fails.value && isBad(problem.id) ? .infrastructure : .correct,
            reason: "No box could be made.", version: "test")
        })
      return try await run.run()
    }
    let some = try await run { $0 == "sums.jsonl#3" || $0 == "sums.jsonl#30" }
    XCTAssertEqual(some.ending, .complete)
    XCTAssertEqual(some.failuresToRetry, 2)
    XCTAssertEqual(some.progress.problemsDone, 38)
    XCTAssertEqual(some.progress.samples, 80)
    let all = await sentence { _ = try await run { _ in true } }
    // Two problems of two samples are left: four failures are not five.
    XCTAssertNil(all)
    fails.value = false
    let last = try await run { _ in true }
    XCTAssertEqual(last.progress.problemsDone, 40)
    XCTAssertEqual(last.progress.sources.first?.correct, 80)

    fails.value = true
    let other = TeacherGenerationRecipe.of(
      [try folder.sums(40)], output: folder.file("other"), samples: 1)
    let error = await sentence {
      let run = try TeacherGenerationRun(
        other, recipeJSON: .null, teacher: CountingTeacher(concurrency: 1) { sum($0, $1) },
        toolkit: "0",
        judging: { _, _ in
          AnswerVerdict(
            outcome: .infrastructure, reason: "No box could be made.", version: "test")
        })
      _ = try await run.run()
    }
    let stored = try samples(other.output).count
    XCTAssertEqual(
      error,
      "Judging failed 5 times in a row; the last time: No box could be made. \(stored) samples are "
        + "stored in \(other.output); the same command goes on from there.")
  }
}
