import Foundation
import Models
import Problems
import Storage
import Training
import XCTest

@testable import Reinforcement

/// What a run does with what may be wrong.
final class RunTests: XCTestCase {
  /// A program of the user's that gives no reward to any answer.
  func testARewardThatAlwaysFails() throws {
    let policy = try TinyPolicy(self) {
      $0.rewards.program = .init(
        weight: 1,
        command: [
          "/bin/sh", "-c",
          #"while read -r line; do id=${line#*\"id\":}; echo "{\"id\": ${id%%,*}, \"reward\": null}"; done"#,
        ])
      $0.steps = 3
    }
    XCTAssertThrowsError(try policy.run()) {
      XCTAssertEqual(
        "\($0)",
        "\(policy.recipe.run): none of the 160 answers of step 1 has a reward. Of the first this was "
          + "said: The reward 'program' has none for this answer.\nMend that; the same command goes on "
          + "with this step.")
    }
    XCTAssertEqual(try policy.figures().count, 0)
  }

  /// Where only some rewards fail, the others are learned from, and it is said once.
  func testARewardThatFailsAtTimes() throws {
    let policy = try TinyPolicy(self) {
      $0.rewards.program = .init(
        weight: 1,
        command: [
          "/bin/sh", "-c",
          #"while read -r line; do id=${line#*\"id\":}; id=${id%%,*}; if [ $((id % 5)) = 3 ]; then r=null; else r=$((id % 2)); fi; echo "{\"id\": $id, \"reward\": $r}"; done"#,
        ])
      $0.steps = 3
    }
    let ended = try policy.run()
    XCTAssertEqual(ended.steps.map(\.failedRewards), [32, 32, 32])
    XCTAssertEqual(ended.steps.map(\.answers), [160, 160, 160])
    XCTAssertTrue(ended.steps.allSatisfy { $0.gradientNorm > 0 })
    XCTAssertEqual(
      ended.notes,
      [
        "Step 1: 32 of 160 answers have no reward and are left out. Of the first this was said: The "
          + "reward 'program' has none for this answer."
      ])
    XCTAssertTrue(ended.findings.contains { $0.contains("32 of 160") }, "\(ended.findings)")
  }

  /// A round of replaced questions whose rewards all fail ends no step that has others.
  func testARoundWhoseRewardsAllFail() throws {
    let policy = try TinyPolicy(self) {
      $0.sampling.questionsPerStep = 3
      $0.sampling.answersPerQuestion = 4
      $0.filters = .init(resamplings: 1)
      $0.steps = 1
      // All of the first round have one reward, so that all questions are replaced; none of the
      // second has any.
      $0.rewards = .init(
        program: .init(
          weight: 1,
          command: [
            "/bin/sh", "-c",
            #"while read -r line; do id=${line#*\"id\":}; id=${id%%,*}; r=1; if [ $id -ge 12 ]; then r=null; fi; echo "{\"id\": $id, \"reward\": $r}"; done"#,
          ]))
    }
    let ended = try policy.run()
    XCTAssertEqual(ended.steps.map(\.questions), [6])
    XCTAssertEqual(ended.steps.map(\.failedRewards), [12])
    XCTAssertEqual(
      ended.notes.filter { $0.contains("no reward") },
      [
        "Step 1: 12 of 24 answers have no reward and are left out. Of the first this was said: The "
          + "reward 'program' has none for this answer."
      ])
  }

  /// It ends the run at once, and the steps before are not lost.
  func testAProgramThatDiesEndsTheRun() throws {
    let policy = try TinyPolicy(self) {
      $0.run = $0.run + "-dying"
      $0.steps = 4
    }
    var dying = policy
    let script =
      #"n=0; while read -r line; do if [ -e FILE ]; then echo no rule >&2; exit 3; fi; "#
      + #"id=${line#*\"id\":}; echo "{\"id\": ${id%%,*}, \"reward\": $((n % 3))}"; n=$((n + 1)); "#
      + "if [ $n = 320 ]; then touch FILE; fi; done"
    dying.recipe.rewards.program = .init(
      weight: 1,
      command: [
        "/bin/sh", "-c",
        script.replacingOccurrences(of: "FILE", with: policy.folder + "/dead"),
      ])
    XCTAssertThrowsError(try dying.run()) {
      let words = "\($0)"
      XCTAssertTrue(
        words.hasPrefix(
          "\(policy.recipe.run): none of the 160 answers of step 3 has a reward. Of the first this "
            + "was said: The reward 'program': '/bin/sh -c n=0; "), words)
      XCTAssertTrue(
        words.hasSuffix(
          " ended with exit status 3. It wrote to standard error:\nno rule\nMend that; the same "
            + "command goes on with this step."), words)
    }
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: policy.recipe.run + "/checkpoints"),
      ["step-000002"])
    XCTAssertEqual(try dying.figures().count, 2)
    try FileManager.default.removeItem(atPath: policy.folder + "/dead")
    let ended = try dying.run()
    XCTAssertEqual(ended.steps.first?.step, 3)
  }

  /// Weights that are no numbers: the step can't be sampled, and what was saved stands.
  func testPlantedNaN() throws {
    let policy = try TinyPolicy(self)
    _ = try policy.run(stoppingAfter: 2)
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: policy.recipe.run + "/checkpoints")
    XCTAssertEqual(checkpoints, ["step-000002"])
    XCTAssertThrowsError(
      try policy.run(before: { run in
        run.loop.decoder.parameters[1].value.elements[5] = .nan
        run.sampler.update(run.loop.decoder)
      })
    ) {
      XCTAssertTrue("\($0)".contains("problems.jsonl:"), "\($0)")
      XCTAssertTrue(
        "\($0)".hasSuffix(
          "holds NaN or infinity for this sequence. The weights are damaged, or their training "
            + "diverged; take an earlier checkpoint."), "\($0)")
    }
    let whole = try TinyPolicy(self)
    try whole.run()
    try policy.run()
    XCTAssertEqual(try policy.weightsHash(), try whole.weightsHash())
  }

  /// Gradients that are no numbers are not taken; after several in a row the run ends.
  func testGradientsThatAreNotFinite() throws {
    let policy = try TinyPolicy(self)
    // So that exp(l − l_old) is infinite: what was sampled is said to have been impossible.
    XCTAssertThrowsError(
      try policy.run(before: { run in run.sampler.shift = -1000 })
    ) {
      XCTAssertEqual(
        "\($0)",
        "\(policy.recipe.run): 5 updates in a row were skipped, the last since the loss was no "
          + "finite number. The last good checkpoint stands. Read the answers of step 5 in "
          + "'completions', or lower 'optimizer.learningRate'.")
    }
    let kept = try FileManager.default.contentsOfDirectory(
      atPath: policy.recipe.run + "/completions")
    XCTAssertEqual(kept.sorted(), (1...5).map { "step-00000\($0).jsonl" })
  }

  func testPromptsThatAreTooLong() throws {
    let policy = try TinyPolicy(self)
    let long = String(repeating: "a", count: 40)
    try policy.write(
      "{\"question\": \"1=\", \"answer\": \"1\"}\n{\"question\": \"\(long)\", \"answer\": \"1\"}\n",
      as: "problems.jsonl")
    var longer = policy
    longer.recipe.sampling.maxTokens = 10
    longer.recipe.steps = 1
    let ended = try longer.run()
    XCTAssertEqual(
      ended.notes,
      [
        "1 of 2 problems are left out, the first at \(policy.folder)/problems.jsonl:2: their prompts "
          + "have more than 38 tokens, which is what the model's positions leave beside "
          + "'sampling.maxTokens'.",
        "A step asks 10 questions, and there are only 1: some are asked twice.",
      ])
    longer.recipe.sampling.maxTokens = 47
    XCTAssertThrowsError(try PreparedGRPO(longer.recipe, memory: 1 << 40)) {
      XCTAssertEqual(
        "\($0)",
        "The recipe: all 2 prompts of 'problems' have more than 1 tokens, which is what the model's "
          + "positions leave beside 'sampling.maxTokens'. Lower that.")
    }
    longer.recipe.sampling.maxTokens = 48
    XCTAssertThrowsError(try PreparedGRPO(longer.recipe, memory: 1 << 40)) {
      XCTAssertEqual(
        "\($0)",
        "The recipe: 'sampling.maxTokens' is 48, and \(policy.recipe.policy) has 48 positions, for "
          + "prompt and answer. Lower the one.")
    }
  }

  /// A template that opens the thinking: it is part of the answer, and the format reward knows.
  func testATemplateThatOpensTheThinking() throws {
    let policy = try TinyPolicy(self) {
      $0.template = "chat"
      $0.rewards = .init(format: .init(weight: 1))
      $0.sampling.maxTokens = 12
      $0.sampling.answersPerQuestion = 40
      $0.completionsEverySteps = 1
      $0.steps = 1
    }
    var opening = policy
    opening.recipe.chatTemplate = policy.folder + "/template.jinja"
    try policy.write(
      "{% for m in messages %}{{ m.content }}{% endfor %}<think>{{ '\\n' }}",
      as: "template.jinja")
    try opening.run()
    let text = try String(
      contentsOfFile: policy.recipe.run + "/completions/step-000001.jsonl", encoding: .utf8)
    let records = try text.split(separator: "\n").map {
      try JSONDecoder().decode(CompletionRecord.self, from: Data($0.utf8))
    }
    XCTAssertEqual(records.count, 400)
    for record in records {
      XCTAssertTrue(record.text.hasPrefix("<think>\n"), record.text)
      XCTAssertFalse(record.parts[0].reason?.contains("no '<think>'") ?? false, record.text)
      XCTAssertTrue(record.prompt.hasSuffix("=<think>\n"), record.prompt)
      XCTAssertEqual(record.reference, String(record.prompt.prefix(1)))
    }
    XCTAssertEqual(
      try Data(
        contentsOf: URL(fileURLWithPath: policy.recipe.run + "/student/chat_template.jinja")),
      try Data(contentsOf: URL(fileURLWithPath: policy.folder + "/template.jinja")))
  }

  /// An answer that ends at once is a wrong one, and is learned from.
  func testEmptyAnswers() throws {
    let policy = try TinyPolicy(self) {
      $0.sampling.maxTokens = 2
      $0.sampling.answersPerQuestion = 40
      $0.completionsEverySteps = 1
      $0.steps = 1
    }
    try policy.run()
    let text = try String(
      contentsOfFile: policy.recipe.run + "/completions/step-000001.jsonl", encoding: .utf8)
    let records = try text.split(separator: "\n").map {
      try JSONDecoder().decode(CompletionRecord.self, from: Data($0.utf8))
    }
    XCTAssertEqual(records.count, 400)
    let empty = records.filter(\.text.isEmpty)
    XCTAssertGreaterThan(empty.count, 3)
    for record in empty {
      XCTAssertEqual(record.reward, 0)
      XCTAssertEqual(record.tokens, 1)
      XCTAssertEqual(record.finishReason, "stop")
      XCTAssertLessThanOrEqual(record.advantage ?? 1, 0)
    }
    // The best are first.
    let rewards = records.compactMap(\.reward)
    XCTAssertEqual(rewards, rewards.sorted(by: >))
    XCTAssertEqual(rewards.first, 1)
    for group in Dictionary(grouping: records, by: \.question).values {
      XCTAssertEqual(group.compactMap(\.advantage).reduce(0, +), 0, accuracy: 1e-9)
    }
  }

  /// The policy of the best accuracy is kept, and the last is as it was asked for.
  func testThePolicysFolder() throws {
    let policy = try TinyPolicy(self) {
      $0.steps = 60
      $0.evaluation = .init(
        problems: $0.problems, everySteps: 20, samplesPerProblem: 9, temperature: 1)
      $0.checkpoints = .init(everySteps: nil, keep: 2, best: true)
    }
    let ended = try policy.run()
    XCTAssertEqual(ended.evaluations.map(\.step), [0, 20, 40, 60])
    let accuracies = ended.evaluations.map(\.accuracy)
    XCTAssertGreaterThan(accuracies[3], accuracies[0] + 0.2)
    XCTAssertEqual(ended.evaluations[0].problems, 10)
    XCTAssertTrue(
      ended.notes.contains {
        $0 == "10 of 10 held-out problems are also learned from: the accuracy on them says little."
      }, "\(ended.notes)")
    XCTAssertEqual(
      accuracies[3] == accuracies.max(),
      try policy.weightsHash() == policy.weightsHash(policy.recipe.run + "/best"))
    let best = accuracies.max() ?? 0
    let step = 20 * (accuracies.firstIndex(of: best) ?? 0)
    XCTAssertEqual(
      ended.notes.last,
      String(
        format: "The policy of the best evaluation, %.1f %% right after step %d, is in %@/best.",
        100 * best, step, policy.recipe.run))
    let decoder = try Checkpoint(at: policy.recipe.run + "/student").decoder(precision: .float32)
    XCTAssertEqual(decoder.configuration.vocabSize, 30)
    let readme = try String(
      contentsOfFile: policy.recipe.run + "/student/README.md", encoding: .utf8)
    XCTAssertTrue(readme.contains("| rewards | accuracy (1.0) |"), readme)
    XCTAssertTrue(
      FileManager.default.fileExists(atPath: policy.recipe.run + "/student/tokenizer.json"))
  }

  /// Questions without a signal are replaced, up to the budget, and then kept.
  func testQuestionsAreReplaced() throws {
    for resamplings in [0, 1, 4] {
      let policy = try TinyPolicy(self) {
        $0.sampling.questionsPerStep = 3
        $0.sampling.answersPerQuestion = 4
        $0.filters = .init(resamplings: resamplings)
        $0.steps = 8
      }
      let ended = try policy.run()
      let asked = ended.steps.map(\.questions)
      if resamplings == 0 {
        XCTAssertEqual(asked, Array(repeating: 3, count: 8))
      } else {
        XCTAssertGreaterThan(asked.max() ?? 0, 3)
        XCTAssertLessThanOrEqual(asked.max() ?? 99, 3 * (1 + resamplings))
      }
      for figures in ended.steps {
        XCTAssertEqual(figures.answers, 4 * figures.questions)
        // Where fewer than asked for have a signal, all rounds were made.
        let signals = Double(figures.questions) * (1 - figures.shareWithoutSignal)
        if figures.questions < 3 * (1 + resamplings), resamplings == 1 {
          XCTAssertGreaterThanOrEqual(signals.rounded(), 1)
        }
      }
    }
  }

  /// A problem that was always answered rightly or wrongly is passed over the next time.
  func testProblemsOutsideTheBandArePassedOver() throws {
    let policy = try TinyPolicy(self) {
      $0.sampling.questionsPerStep = 10
      $0.sampling.answersPerQuestion = 20
      $0.filters = .init(passRate: .init(min: 0.04, max: 0.99))
      $0.completionsEverySteps = 1
      $0.steps = 2
    }
    try policy.run()
    func records(_ step: Int) throws -> [CompletionRecord] {
      let text = try String(
        contentsOfFile: policy.recipe.run + "/completions/step-00000\(step).jsonl",
        encoding: .utf8)
      return try text.split(separator: "\n").map {
        try JSONDecoder().decode(CompletionRecord.self, from: Data($0.utf8))
      }
    }
    let first = try Dictionary(grouping: records(1), by: \.problem)
    XCTAssertEqual(first.count, 10)
    let inside = Set(
      first.filter { (1..<20).contains($0.value.count { $0.reward == 1 }) }.map(\.key))
    XCTAssertFalse(inside.isEmpty)
    XCTAssertLessThan(inside.count, 8)
    let second = Set(try records(2).map(\.problem))
    // There are fewer than are asked: those inside all come.
    XCTAssertTrue(second.isSuperset(of: inside))
  }
}
