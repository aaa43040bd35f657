import Foundation
import Models
import Storage
import Tensors
import Training
import XCTest

@testable import FineTuning

final class RunTests: XCTestCase {
  func testOneBatchIsLearnedByHeart() throws {
    let run = try TinyRun(self) {
      $0.epochs = 6
      $0.optimizer.learningRate = 1e-2
    }
    let (_, losses) = try run.run(overfitting: true)
    XCTAssertGreaterThan(losses[1] ?? 0, 5)
    XCTAssertLessThan(losses[losses.count] ?? 9, 0.5)
  }

  /// The finished student is a checkpoint with its tokenizer, template and trained stop tokens.
  func testTheStudentIsWhole() throws {
    let run = try TinyRun(self) {
      $0.configuration = .init(ropeTheta: 50_000, maxPositionEmbeddings: 256)
      $0.export = .bfloat16
      $0.checkpoints.best = true
    }
    try run.run()
    let student = try Checkpoint(at: run.recipe.run + "/student")
    XCTAssertEqual(student.configuration.rope.ropeTheta, 50_000)
    XCTAssertEqual(student.configuration.maxPositionEmbeddings, 256)
    XCTAssertEqual(student.dtypes, [.bf16])
    for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] {
      XCTAssertEqual(
        try Data(contentsOf: URL(fileURLWithPath: "\(run.recipe.run)/student/\(name)")),
        try Data(contentsOf: URL(fileURLWithPath: "\(run.recipe.student)/\(name)")), name)
    }
    let generation = try MappedFile(at: run.recipe.run + "/student/generation_config.json")
    let json = try JSONValue(parsing: generation.bytes, source: "generation_config.json")
    guard case .object(let object) = json, case .number(let id)? = object["eos_token_id"] else {
      return XCTFail("\(json)")
    }
    XCTAssertEqual(try run.prepared().text.endTokens, [Int32(id.int ?? -1)])
    XCTAssertNoThrow(try Checkpoint(at: run.recipe.run + "/best"))
    // A run that is done is done: nothing is trained again.
    let (outcome, losses) = try run.run()
    XCTAssertEqual(outcome, .finished(student: run.recipe.run + "/student"))
    XCTAssertEqual(losses, [:])
  }

  func testMetricsTellEveryStep() throws {
    let run = try TinyRun(self) {
      $0.generations = .init(prompts: ["What is 3?"], everySteps: 10, maxNewTokens: 4)
    }
    let (_, losses) = try run.run()
    var kinds: [String: Int] = [:]
    var found: [Int: Double] = [:]
    _ = try Journal(at: run.recipe.run + "/metrics.jsonl") { line, number in
      let json = try line.withUnsafeBytes { try JSONValue(parsing: $0, source: "\(number)") }
      guard case .object(let object) = json, case .string(let kind)? = object["kind"] else {
        return XCTFail("line \(number)")
      }
      kinds[kind, default: 0] += 1
      if kind == "step", case .number(let step)? = object["step"],
        case .number(let loss)? = object["loss"]
      {
        found[step.int ?? 0] = loss.double
      }
    }
    XCTAssertEqual(found, losses)
    let steps = losses.count
    XCTAssertEqual(kinds["start"], 1)
    XCTAssertEqual(kinds["evaluation"], 1 + steps / 7 + (steps % 7 == 0 ? 0 : 1))
    XCTAssertEqual(kinds["sample"], steps / 10)
    XCTAssertEqual(kinds["checkpoint"], 1)
  }

  /// Weights that go bad: every update is refused, and after five the run stops with the samples.
  func testNaNStopsTheRunAndHarmsNothing() throws {
    let run = try TinyRun(self) { $0.checkpoints.everySteps = 4 }
    // A first sample that is too long for a row: documents and samples are numbered differently.
    let source = URL(fileURLWithPath: run.recipe.data.sources[0].path)
    let long = String(repeating: "long ", count: 200)
    try Data((#"{"q": "a", "a": "\#(long)"}"# + "\n").utf8 + Data(contentsOf: source)).write(
      to: source)
    let ready = try run.prepared()
    let directory = try RunDirectory(at: run.recipe.run, run.identity(ready))
    var training: FineTuningRun?
    var notes: [String] = []
    var moments: [Float] = []
    let made = try FineTuningRun(
      ready, in: directory,
      report: { event in
        switch event {
        case .note(let text): notes.append(text)
        case .step(let step, _) where step.number == 6:
          training?.loop.decoder.parameters[1].value.elements[0] = .nan
          moments = training.map { Array($0.loop.optimizer.firstMoments[4].elements) } ?? []
        default: break
        }
      })
    training = made
    XCTAssertThrowsError(try made.run()) { error in
      let text = "\(error)"
      XCTAssertTrue(
        text.hasPrefix(
          "\(run.recipe.run): 5 updates in a row were skipped, the last for this: the loss is nan. "
            + "The weights are those of step 6; the last good checkpoint stands. Look at samples "
        ), text)
      XCTAssertTrue(
        text.hasSuffix(
          " with 'distill show RECIPE --sample NUMBER', or lower 'optimizer.learningRate'."), text)
    }
    XCTAssertEqual(notes.count, 5)
    XCTAssertEqual(ready.order.sample(of: 0), 1)
    var reader = TrainingOrder.Reader(ready.order)
    let samples = Set(reader.documents(ofStep: 6).joined().map { ready.order.sample(of: $0) + 1 })
    XCTAssertEqual(
      notes[0],
      "Step 7: the loss is nan. The update was skipped; it learned from samples "
        + samples.sorted().map(String.init).joined(separator: ", ") + ".")
    XCTAssertEqual(Array(made.loop.optimizer.firstMoments[4].elements), moments)
    XCTAssertEqual(made.loop.optimizer.step, 6)
    XCTAssertEqual(try directory.checkpoints(), [4])
  }

  // MARK: - Refusals

  func testOneProcessAtATime() throws {
    let run = try TinyRun(self)
    let ready = try run.prepared()
    let directory = try RunDirectory(at: run.recipe.run, run.identity(ready))
    XCTAssertThrowsError(try RunDirectory(at: run.recipe.run, run.identity(ready))) {
      XCTAssertEqual(
        "\($0)",
        "\(run.recipe.run): another process is training in this folder. Wait until it is done.")
    }
    withExtendedLifetime(directory) {}
  }

  func testAnotherRecipeIsRefused() throws {
    var run = try TinyRun(self)
    try run.run(stoppingAfter: 2)
    run.recipe.optimizer.learningRate = 1e-3
    run.recipe.recomputedBlocks = nil
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual(
        "\($0)",
        "The recipe's 'optimizer.learningRate' was '0.003' when this run began; it is '0.001' now.\n"
          + "The recipe's 'recomputedBlocks' was '1' when this run began; it is not there now.\n"
          + "\(run.recipe.run): going on would give other results than one run from the beginning. "
          + "Name another folder, or accept that with '--allow-inexact-resume'.")
    }
    let (outcome, _) = try run.run(allowingOtherIdentity: true)
    XCTAssertEqual(outcome, .finished(student: run.recipe.run + "/student"))
  }

  func testAnotherToolkitOrProcessorIsRefused() throws {
    let run = try TinyRun(self)
    try run.run(stoppingAfter: 2)
    let ready = try run.prepared()
    let recipe = try run.identity(ready).recipe
    let own = try ready.identity(version: "test", resolvedRecipe: recipe)
    for (name, was) in own.fingerprint {
      let other = RunDirectory.Identity(
        recipe: recipe,
        fingerprint: own.fingerprint.map { ($0.name, $0.name == name ? "another" : $0.value) },
        remarks: [])
      XCTAssertThrowsError(try RunDirectory(at: run.recipe.run, other)) {
        XCTAssertEqual(
          "\($0)",
          "The \(name) was '\(was)' when this run began; it is 'another' now.\n"
            + "\(run.recipe.run): going on would give other results than one run from the beginning. "
            + "Name another folder, or accept that with '--allow-inexact-resume'.")
      }
    }
    XCTAssertEqual(
      own.fingerprint.map(\.name),
      [
        "toolkit", "instruction set", "OpenBLAS", "data", "student's weights", "choice of rows",
        "form of training",
      ])
  }

  /// A trial on one batch is no beginning of the run itself.
  func testATrialOnOneBatchIsNotGoneOnWith() throws {
    let run = try TinyRun(self)
    try run.run(stoppingAfter: 2, overfitting: true)
    XCTAssertThrowsError(try run.run()) {
      XCTAssertTrue(
        "\($0)".hasPrefix(
          "The choice of rows was 'one batch' when this run began; it is 'all' now.\n"),
        "\($0)")
    }
  }

  /// Other weights under the same name, or one value of them.
  func testAnotherStudentIsRefused() throws {
    let run = try TinyRun(self)
    try run.run(stoppingAfter: 2)
    let path = run.recipe.student + "/model.safetensors"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 64 * 40 + 100] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    XCTAssertThrowsError(try run.run()) {
      XCTAssertTrue("\($0)".hasPrefix("The student's weights was '"), "\($0)")
    }
  }

  /// Stopped between a step and the evaluation that follows it, a run makes up for it.
  func testAnEvaluationThatWasStoppedIsMadeUpFor() throws {
    let run = try TinyRun(self)
    let every = try XCTUnwrap(run.recipe.evaluation?.everySteps)
    let (outcome, _) = try run.run(stoppingAfter: every)
    XCTAssertEqual(outcome, .stopped(step: every))
    var evaluated: [Int] = []
    try run.run(report: { event in
      if case .evaluation(_, let step) = event { evaluated.append(step) }
    })
    XCTAssertEqual(evaluated.first, every)
    let whole = try TinyRun(self)
    var all: [Int] = []
    try whole.run(report: { event in
      if case .evaluation(_, let step) = event { all.append(step) }
    })
    XCTAssertEqual([0] + evaluated, all)
  }

  /// Stopped before its first step, a run leaves no checkpoint, and begins when it is started again.
  func testStoppedBeforeTheFirstStep() throws {
    let run = try TinyRun(self)
    let (outcome, losses) = try run.run(stoppingAfter: 0)
    XCTAssertEqual(outcome, .stopped(step: 0))
    XCTAssertEqual(losses, [:])
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: run.recipe.run + "/checkpoints"), [])
    let (again, _) = try run.run()
    XCTAssertEqual(again, .finished(student: run.recipe.run + "/student"))
  }

  func testOtherDataIsRefused() throws {
    let run = try TinyRun(self)
    try run.run(stoppingAfter: 2)
    let path = run.folder + "/samples.jsonl"
    try ResumeTests.change(path) {
      $0.append(contentsOf: Data("{\"q\": \"a\", \"a\": \"b\"}\n".utf8))
    }
    XCTAssertThrowsError(try run.run()) {
      XCTAssertTrue("\($0)".hasPrefix("The data was '"), "\($0)")
    }
  }

  func testStrangersInTheFolder() throws {
    let run = try TinyRun(self)
    try FileManager.default.createDirectory(
      atPath: run.recipe.run, withIntermediateDirectories: false)
    try Data().write(to: URL(fileURLWithPath: run.recipe.run + "/thesis.txt"))
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual(
        "\($0)",
        "\(run.recipe.run): 'thesis.txt' is in it, which is no part of a run. Name another folder.")
    }
  }

  func testRowsBeyondThePositions() throws {
    let run = try TinyRun(self) { $0.data.contextLength = 129 }
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual(
        "\($0)",
        "The recipe: rows have up to 129 tokens ('data.contextLength'), but \(run.recipe.student) "
          + "has 128 positions. Lower the one, or raise the other with 'configuration: { "
          + "maxPositionEmbeddings: 129 }' and a larger 'ropeTheta'.")
    }
  }

  func testWhatCannotBeMeant() throws {
    let changes: [((inout FineTuningRecipe) -> Void, String)] = [
      ({ $0.epochs = 0 }, "'epochs' is 0; it must be 1 at least."),
      ({ $0.rowsPerStep = 0 }, "'rowsPerStep' is 0; it must be 1 at least."),
      (
        { $0.microbatchRows = 3 },
        "'microbatchRows' is 3; it must lie between 1 and 'rowsPerStep', 2."
      ),
      (
        { $0.optimizer.learningRate = 5 },
        "'optimizer.learningRate' is 5.0; it must be above 0 and below 1."
      ),
      (
        { $0.optimizer.warmupShare = 100 },
        "'optimizer.warmupShare' is 100.0; it is a share, from 0 to 1."
      ),
      ({ $0.optimizer.floor = -1 }, "'optimizer.floor' is -1.0; it is a share, from 0 to 1."),
      (
        { $0.optimizer.betas = [0.9] },
        "'optimizer.betas' must be two numbers from 0 to less than 1."
      ),
      ({ $0.optimizer.epsilon = 0 }, "'optimizer.epsilon' must be above 0."),
      ({ $0.optimizer.weightDecay = -1 }, "'optimizer.weightDecay' must not be negative."),
      ({ $0.optimizer.clipNorm = 0 }, "'optimizer.clipNorm' must be above 0."),
      ({ $0.evaluation?.share = 1 }, "'evaluation.share' is 1.0; it must lie between 0 and 1."),
      ({ $0.evaluation?.everySteps = 0 }, "'evaluation.everySteps' must be 1 at least."),
      (
        {
          $0.evaluation = nil
          $0.checkpoints.best = true
        }, "'checkpoints.best' needs an 'evaluation' to tell which is best."
      ),
      ({ $0.checkpoints.keep = 1 }, "'checkpoints.keep' must be 2 at least."),
      ({ $0.checkpoints.everySteps = 0 }, "'checkpoints.everySteps' must be 1 at least."),
      ({ $0.checkpoints.everyMinutes = 0 }, "'checkpoints.everyMinutes' must be above 0."),
      (
        { $0.spikes = .init(window: 1, threshold: 8, mostSkips: 5) },
        "'spikes.window' must be 4 at least."
      ),
      ({ $0.recomputedBlocks = -1 }, "'recomputedBlocks' must not be negative."),
    ]
    let run = try TinyRun(self)
    for (change, words) in changes {
      var recipe = run.recipe
      change(&recipe)
      XCTAssertEqual(recipe.findings, ["The recipe: " + words])
    }
    XCTAssertEqual(run.recipe.findings, [])
  }
}
