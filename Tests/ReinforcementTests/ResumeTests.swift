import Foundation
import Models
import Tensors
import Training
import XCTest

@testable import Reinforcement

/// A run that is stopped and started again gives what a run gives that never was.
final class ResumeTests: XCTestCase {
  /// All that a step can depend on: parts of the answers, passes, a reference that is replaced,
  /// questions that are replaced or passed over, held-out problems.
  private func policy(_ change: (inout GRPORecipe) -> Void = { _ in }) throws -> TinyPolicy {
    try TinyPolicy(self) {
      $0.sampling.questionsPerStep = 4
      $0.sampling.answersPerQuestion = 6
      $0.sampling.maxTokens = 5
      $0.steps = 7
      $0.updates = .init(minibatches: 3, passes: 2, rowTokens: 32)
      $0.rewards.format = .init(weight: 0.5)
      $0.rewards.length = .init(weight: 0.3, most: 6, buffer: 6)
      $0.objective.klCoefficient = 0.01
      $0.referenceEverySteps = 3
      $0.filters = .init(resamplings: 1, passRate: .init(min: 0.01, max: 0.9))
      $0.evaluation = .init(
        problems: $0.problems, everySteps: 2, samplesPerProblem: 9, temperature: 1, maxTokens: 1)
      $0.optimizer.learningRate = 0.01
      $0.checkpoints = .init(everySteps: 2, keep: 2, best: true)
      change(&$0)
    }
  }

  /// Everything in the folders but times.
  private func check(_ found: TinyPolicy, _ whole: TinyPolicy, _ what: String) throws {
    XCTAssertEqual(try found.weightsHash(), try whole.weightsHash(), what)
    XCTAssertEqual(
      try? found.weightsHash(found.recipe.run + "/best"),
      try? whole.weightsHash(whole.recipe.run + "/best"), what)
    func readme(_ policy: TinyPolicy) throws -> String {
      try String(contentsOfFile: policy.recipe.run + "/student/README.md", encoding: .utf8)
        .replacingOccurrences(of: policy.recipe.run, with: "run")
    }
    XCTAssertEqual(try readme(found), try readme(whole), what)
    let (steps, expected) = (try found.figures(), try whole.figures())
    XCTAssertEqual(steps.keys.sorted(), expected.keys.sorted(), what)
    for (step, figures) in expected {
      XCTAssertEqual(steps[step], figures, "\(what), step \(step)")
    }
  }

  func testStoppedAfterEveryStep() throws {
    let whole = try policy()
    let ended = try whole.run()
    XCTAssertEqual(ended.steps.map(\.firstRatioError), Array(repeating: 0, count: 7))
    XCTAssertTrue(ended.steps.contains { $0.questions > 4 }, "questions are replaced")
    var parts = whole
    parts.recipe.run = whole.folder + "/parts"
    for step in 1...7 {
      let ended = try parts.run(stoppingAfter: 1)
      XCTAssertEqual(ended.steps.map(\.step), [step])
    }
    try parts.run()
    try check(parts, whole, "parts")
  }

  /// Stopped at any time that it asks whether it should.
  func testStoppedAnywhere() throws {
    let whole = try policy()
    let all = Counter()
    try whole.run(isStopped: { _ in
      _ = all.next()
      return false
    })
    XCTAssertGreaterThan(all.value, 100)
    var stopped = 0
    for asked in stride(from: 2, to: all.value, by: max(1, all.value / 29)) {
      var other = whole
      other.recipe.run = whole.folder + "/other-\(asked)"
      if case .stopped = try other.run(isStopped: { $0 >= asked }).outcome { stopped += 1 }
      try other.run()
      try check(other, whole, "stopped at question \(asked)")
    }
    XCTAssertGreaterThan(stopped, 20)
  }

  /// Smaller forms of training are as exact: sampler and trainer agree, and nothing depends on where
  /// it was stopped.
  func testSmallerForms() throws {
    let forms: [(TrainedStorage, TrainingForm.Moments)] = [
      (.bfloat16, .eightBit), (.bfloat16, .float32), (.float32, .disk),
    ]
    for (weights, moments) in forms {
      let what = "\(weights), \(moments)"
      let whole = try policy {
        $0.weights = weights
        $0.moments = moments
      }
      let ended = try whole.run()
      XCTAssertEqual(ended.steps.map(\.firstRatioError), Array(repeating: 0, count: 7), what)
      var parts = whole
      parts.recipe.run = whole.folder + "/parts"
      for _ in 1...7 { try parts.run(stoppingAfter: 1) }
      try parts.run()
      try check(parts, whole, what)
      guard moments == .disk else { continue }
      let usual = try policy()
      try usual.run()
      XCTAssertEqual(try whole.weightsHash(), try usual.weightsHash(), what)
    }
  }

  /// Threads, and how many answers are sampled at a time, change no bit.
  func testNothingDependsOnThreadsOrSequences() throws {
    let threads = ThreadPool.shared.threads
    defer { ThreadPool.shared.threads = threads }
    let whole = try policy()
    ThreadPool.shared.threads = 1
    try whole.run()
    for (number, sequences) in [(3, 1), (2, 7), (2, 1000)] {
      var other = whole
      other.recipe.run = whole.folder + "/with-\(sequences)"
      other.recipe.sampling.sequences = sequences
      other.recipe.recomputedBlocks = number == 3 ? 2 : 0
      ThreadPool.shared.threads = number
      try other.run()
      try check(other, whole, "\(number) threads, \(sequences) sequences")
    }
  }

  /// What nothing that is learned depends on may be another, and a run may be made longer.
  func testWhatMayChange() throws {
    let whole = try policy()
    try whole.run()
    var other = whole
    other.recipe.run = whole.folder + "/longer"
    other.recipe.steps = 3
    try other.run()
    other.recipe.steps = 7
    other.recipe.checkpoints.everySteps = 1
    other.recipe.sampling.sequences = 3
    other.recipe.completionsEverySteps = 2
    let ended = try other.run()
    XCTAssertEqual(ended.steps.map(\.step), [4, 5, 6, 7])
    XCTAssertEqual(try other.weightsHash(), try whole.weightsHash())
    let again = try other.run()
    XCTAssertEqual(
      again.notes.first,
      "All 7 steps are done. With more 'steps' and a constant rate the same command goes on.")
    other.recipe.optimizer.schedule = .cosine
    XCTAssertThrowsError(try other.run())
  }

  func testAnotherRecipeIsRefused() throws {
    let policy = try policy()
    _ = try policy.run(stoppingAfter: 2)
    var other = policy
    other.recipe.objective.clipHigh = 0.28
    XCTAssertThrowsError(try other.run()) {
      XCTAssertEqual(
        "\($0)",
        "The recipe's 'objective.clipHigh' was '0.2' when this run began; it is '0.28' now.\n"
          + "\(policy.recipe.run): going on would give other results than one run from the "
          + "beginning. Name another folder, or accept that with '--allow-inexact-resume'.")
    }
    try policy.write("{\"question\": \"1=\", \"answer\": \"2\"}\n", as: "problems.jsonl")
    XCTAssertThrowsError(try policy.run()) {
      XCTAssertTrue("\($0)".hasPrefix("The problems was "), "\($0)")
    }
  }
}
