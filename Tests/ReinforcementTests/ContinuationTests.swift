import Foundation
import Models
import Problems
import Training
import XCTest

@testable import Reinforcement

/// What a run keeps in its folder so that it can go on, and what it does not.
final class ContinuationTests: XCTestCase {
  /// A reference is as large as the policy: only those stay that somebody goes on with.
  func testReferencesDoNotPileUp() throws {
    let policy = try TinyPolicy(self) {
      $0.objective.klCoefficient = 0.01
      $0.referenceEverySteps = 1
      $0.steps = 8
    }
    let most = Most()
    let folder = policy.recipe.run + "/references"
    try policy.run(isStopped: { _ in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      most.add(names.count { $0.hasPrefix("step-") })
      return false
    })
    XCTAssertEqual(most.value, 1)
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder), ["step-8"])
  }

  /// References of all checkpoints stay, since any may be the one that is gone on with.
  func testReferencesOfOlderCheckpointsStay() throws {
    let policy = try TinyPolicy(self) {
      $0.objective.klCoefficient = 0.01
      $0.referenceEverySteps = 1
      $0.checkpoints = .init(everySteps: 2, keep: 3)
      $0.steps = 7
    }
    _ = try policy.run(stoppingAfter: 7)
    let folder = policy.recipe.run + "/references"
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted(),
      ["step-4", "step-6", "step-7"])
    // The newest checkpoints are damaged: the oldest is gone on with.
    for step in [6, 7] {
      try Data("{}".utf8).write(
        to: URL(fileURLWithPath: policy.recipe.run + "/checkpoints/step-00000\(step)/state.json"))
    }
    try policy.run()
    var whole = policy
    whole.recipe.run = policy.folder + "/whole"
    try whole.run()
    XCTAssertEqual(try policy.weightsHash(), try whole.weightsHash())
    XCTAssertEqual(try policy.figures(), try whole.figures())
  }

  /// An old checkpoint that is damaged is of no use, and no reason to end.
  func testAnOldDamagedCheckpoint() throws {
    let policy = try TinyPolicy(self) {
      $0.objective.klCoefficient = 0.01
      $0.referenceEverySteps = 2
      $0.checkpoints = .init(everySteps: 1, keep: 6)
    }
    _ = try policy.run(stoppingAfter: 3)
    try Data("{}".utf8).write(
      to: URL(fileURLWithPath: policy.recipe.run + "/checkpoints/step-000001/state.json"))
    XCTAssertEqual(
      try policy.run().outcome, .finished(policy: policy.recipe.run + "/student"))
  }

  /// Another number of updates a step, which was accepted: it is still saved when it is stopped.
  func testStoppedWithAnotherRecipe() throws {
    let policy = try TinyPolicy(self)
    _ = try policy.run(stoppingAfter: 2)
    var other = policy
    other.recipe.updates.minibatches = 3
    let prepared = try PreparedGRPO(other.recipe, memory: 1 << 40)
    let made = Counter()
    do {
      let directory = try RunDirectory(
        at: other.recipe.run, other.identity(prepared), allowingOtherIdentity: true)
      let run = try GRPORun(
        prepared, in: directory, sandbox: nil, isStopped: { made.value > 0 },
        report: { if case .step = $0 { _ = made.next() } })
      XCTAssertEqual(try run.run(), .stopped(step: 3))
    }
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: other.recipe.run + "/checkpoints")
        .sorted(), ["step-000002", "step-000003"])
  }

  /// Answers that nothing can judge are not wrong ones: they are counted, and where there are no
  /// others, nothing is said of the accuracy.
  func testHeldOutAnswersThatCanNotBeJudged() throws {
    let policy = try TinyPolicy(self) {
      $0.rewards.accuracy?.unjudged = .leftOut
      let source = ProblemSource(
        path: $0.problems[0].path.replacingOccurrences(of: "problems.", with: "held-out."))
      $0.evaluation = .init(
        problems: [source], everySteps: 9, samplesPerProblem: 3, temperature: 0)
      $0.optimizer.learningRate = 1e-9
      $0.checkpoints.best = true
      $0.steps = 1
    }
    try policy.write("{\"question\": \"0=\", \"answer\": \"0\"}\n", as: "held-out.jsonl")
    // Which of the problems the policy answers with what is no number.
    let prepared = try PreparedGRPO(policy.recipe, memory: 1 << 40)
    let decoder = try Checkpoint(at: policy.recipe.policy).decoder(precision: .bfloat16)
    let sampler = PolicySampler(decoder, prepared.prompts, sequences: 9, context: 48)
    let answers = try XCTUnwrap(
      sampler.answers(
        to: prepared.questions.questions, count: 1, .init(temperature: 0, maxTokens: 1, seed: 0),
        isStopped: { false })
    ).map { $0[0].answer }
    let found = try Rewarder(settings: policy.recipe.rewards, sandbox: nil, folder: policy.folder)
      .accuracies(of: answers)
    let unjudged = try zip(answers, found).filter { $1 == nil }.map { answer, _ in
      String(
        decoding: try JSONEncoder().encode(["question": answer.problem.question, "answer": "1"]),
        as: UTF8.self) + "\n"
    }
    XCTAssertGreaterThan(unjudged.count, 0)
    try policy.write(unjudged.joined(), as: "held-out.jsonl")
    let ended = try policy.run()
    XCTAssertEqual(ended.evaluations, [])
    let count = 3 * unjudged.count
    XCTAssertEqual(
      ended.notes.filter { $0.contains("held-out answers") },
      [0, 1].map {
        "Step \($0): \(count) of \(count) held-out answers can't be judged, and are left out of the "
          + "accuracy."
      })
    XCTAssertFalse(FileManager.default.fileExists(atPath: policy.recipe.run + "/best"))
  }

  private final class Most: @unchecked Sendable {
    private let lock = NSLock()
    private var most = 0
    var value: Int { lock.withLock { most } }
    func add(_ value: Int) { lock.withLock { most = max(most, value) } }
  }
}
