import Foundation
import Problems
import Training
import XCTest

@testable import Reinforcement

/// What a run asks when, and what it writes down.
final class RunOrderTests: XCTestCase {
  private func records(_ policy: TinyPolicy, _ step: Int) throws -> [CompletionRecord] {
    let text = try String(
      contentsOfFile: policy.recipe.run + "/completions/step-00000\(step).jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(CompletionRecord.self, from: Data($0.utf8))
    }.sorted { ($0.question, $0.sample) < ($1.question, $1.sample) }
  }

  /// Every question comes once before any comes again, in another order each time.
  func testTheOrderOfQuestions() throws {
    let policy = try TinyPolicy(self) {
      $0.sampling.questionsPerStep = 5
      $0.sampling.answersPerQuestion = 2
      $0.steps = 6
      $0.completionsEverySteps = 1
    }
    try policy.run()
    let asked = try (1...6).map { step in
      try records(policy, step).filter { $0.sample == 0 }.map(\.problem)
    }
    var orders: [[String]] = []
    for epoch in 0..<3 {
      orders.append(asked[2 * epoch] + asked[2 * epoch + 1])
      XCTAssertEqual(Set(orders[epoch]).count, 10)
    }
    XCTAssertEqual(Set(orders).count, 3)
  }

  /// The answers to a question are others in every step, in every round of it and for every seed.
  func testEveryRoundHasAnswersOfItsOwn() throws {
    var texts: [[String]] = []
    for seed: UInt64 in [1, 2] {
      let policy = try TinyPolicy(self) {
        $0.sampling = .init(
          questionsPerStep: 1, answersPerQuestion: 4, maxTokens: 12, seed: seed)
        $0.rewards = .init(format: .init(weight: 1))
        $0.filters = .init(resamplings: 1)
        $0.completionsEverySteps = 1
        $0.steps = 2
      }
      try policy.write("{\"question\": \"1=\", \"answer\": \"1\"}\n", as: "problems.jsonl")
      // Nothing is learned, since no answer has the form.
      try policy.run()
      for step in 1...2 {
        let records = try records(policy, step)
        XCTAssertEqual(records.count, 8)
        for round in 0..<2 {
          texts.append(records.filter { $0.question == round }.map(\.text))
        }
      }
    }
    XCTAssertEqual(texts.count, 8)
    XCTAssertEqual(Set(texts).count, 8)
  }

  /// Problems outside of the band are passed over while there are others, on either side of it.
  func testBothEndsOfTheBand() throws {
    for (min, max) in [(0, 0.04), (0.02, 1)] {
      let policy = try TinyPolicy(self) {
        $0.sampling.questionsPerStep = 10
        $0.sampling.answersPerQuestion = 40
        $0.filters = .init(passRate: .init(min: min, max: max))
        $0.optimizer.learningRate = 1e-9
        $0.completionsEverySteps = 1
        $0.steps = 2
      }
      try policy.run()
      let rates = Dictionary(grouping: try records(policy, 1), by: \.problem).mapValues {
        Double($0.count { $0.reward == 1 }) / 40
      }
      let inside = rates.filter { $0.value >= min && $0.value <= max }.map(\.key).sorted()
      XCTAssertGreaterThanOrEqual(inside.count, 5)
      XCTAssertLessThan(inside.count, 10)
      XCTAssertEqual(Set(try records(policy, 2).map(\.problem)).sorted(), inside)
    }
  }

  /// Sampler, trainer and reference take the logarithm at one temperature.
  func testOneTemperature() throws {
    for temperature in [0.6, 1, 1.7] {
      let policy = try TinyPolicy(self) {
        $0.sampling.temperature = temperature
        $0.sampling.maxTokens = 6
        $0.objective.klCoefficient = 0.1
        $0.steps = 1
      }
      let figures = try policy.run().steps[0]
      XCTAssertEqual(figures.firstRatioError, 0, "temperature \(temperature)")
      XCTAssertEqual(figures.kl, 0, "temperature \(temperature)")
      XCTAssertEqual(figures.longest, 6)
      XCTAssertGreaterThan(figures.shareCut, 0)
      XCTAssertGreaterThan(figures.gradientNorm, 0)
    }
  }

  /// Answers are kept of the first step, the last, and every so many; with their own advantages.
  func testWhichAnswersAreKept() throws {
    let policy = try TinyPolicy(self) {
      $0.completionsEverySteps = 3
      $0.steps = 7
    }
    try policy.run()
    let names = try FileManager.default.contentsOfDirectory(
      atPath: policy.recipe.run + "/completions")
    XCTAssertEqual(names.sorted(), [1, 3, 6, 7].map { "step-00000\($0).jsonl" })
    let groups = Dictionary(grouping: try records(policy, 1), by: \.question)
    XCTAssertEqual(groups.count, 10)
    var differing = 0
    for group in groups.values {
      let rewards = group.compactMap(\.reward)
      let mean = rewards.reduce(0, +) / 16
      let deviation = (rewards.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 15).squareRoot()
      if deviation > 0 { differing += 1 }
      for record in group {
        let expected = ((record.reward ?? .nan) - mean) / (deviation + 1e-4)
        XCTAssertEqual(record.advantage ?? .nan, expected, accuracy: 1e-12)
      }
    }
    XCTAssertGreaterThan(differing, 2)
  }

  /// Held-out problems: their own temperature and length, and of equal results the first is best.
  func testEvaluations() throws {
    let policy = try TinyPolicy(self) {
      $0.sampling.maxTokens = 5
      $0.optimizer.learningRate = 1e-12
      $0.evaluation = .init(
        problems: $0.problems, everySteps: 2, samplesPerProblem: 4, temperature: 1, maxTokens: 1)
      $0.checkpoints.best = true
      $0.steps = 5
    }
    let ended = try policy.run()
    XCTAssertEqual(ended.evaluations.map(\.step), [0, 2, 4, 5])
    XCTAssertEqual(ended.evaluations.map(\.length), [1, 1, 1, 1])
    XCTAssertEqual(Set(ended.evaluations.map(\.accuracy)).count, 1)
    // The policy that it began with is there already.
    XCTAssertFalse(FileManager.default.fileExists(atPath: policy.recipe.run + "/best"))
    let generation = try String(
      contentsOfFile: policy.recipe.run + "/student/generation_config.json", encoding: .utf8)
    XCTAssertTrue(generation.contains("\"eos_token_id\": 0"), generation)
  }

  /// An evaluation that is in a checkpoint is not made again.
  func testEvaluationsAreMadeOnce() throws {
    let policy = try TinyPolicy(self) {
      $0.evaluation = .init(
        problems: $0.problems, everySteps: 2, samplesPerProblem: 2, temperature: 1)
      $0.checkpoints.everySteps = 1
      $0.steps = 5
    }
    let prepared = try PreparedGRPO(policy.recipe, memory: 1 << 40)
    let evaluated = Counter()
    do {
      let directory = try RunDirectory(at: policy.recipe.run, policy.identity(prepared))
      let run = try GRPORun(
        prepared, in: directory, sandbox: nil, isStopped: { evaluated.value == 2 },
        report: { if case .evaluation = $0 { _ = evaluated.next() } })
      XCTAssertEqual(try run.run(), .stopped(step: 2))
    }
    XCTAssertEqual(try policy.run().evaluations.map(\.step), [4, 5])
  }

  /// Within the updates of a step a stop is obeyed at once where the step can be made again, and
  /// otherwise when the step is done.
  func testAStopWithinTheUpdates() throws {
    for (everySteps, stopped) in [(1, 1), (nil, 2)] {
      let policy = try TinyPolicy(self) {
        $0.updates.minibatches = 4
        $0.checkpoints.everySteps = everySteps
      }
      let held = Held()
      let ended = try policy.run(
        // In the second step, when the first of its updates is made.
        isStopped: { _ in (held.run?.loop.stepCount ?? 0) >= 5 },
        before: { held.run = $0 })
      held.run = nil
      XCTAssertEqual(ended.outcome, .stopped(step: stopped))
      XCTAssertEqual(
        try FileManager.default.contentsOfDirectory(atPath: policy.recipe.run + "/checkpoints"),
        ["step-00000\(stopped)"])
    }
  }

  /// What was skipped is nothing to go on from: it is saved when the run is stopped, and not before.
  func testNothingIsSavedBehindASkippedUpdate() throws {
    let policy = try TinyPolicy(self) { $0.checkpoints.everySteps = 1 }
    XCTAssertThrowsError(try policy.run(before: { run in run.sampler.shift = -1000 }))
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: policy.recipe.run + "/checkpoints"), [])
  }

  private final class Held: @unchecked Sendable {
    var run: GRPORun?
  }
}
