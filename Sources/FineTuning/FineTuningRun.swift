import Datasets
import Foundation
import Models
import Reports
import Storage
import Tensors
import Training
import TrainingRecipes

/// What happens while a student is trained, for whoever shows it.
public enum FineTuningEvent: Sendable {
  /// Something worth a line.
  case note(String)
  case began(FineTuningProgress)
  case step(TrainingStep, FineTuningProgress)
  case evaluation(loss: Double, step: Int)
  case generation(prompt: String, text: String, step: Int)
  case saved(step: Int, seconds: Double, bytes: Int)
}

/// Where a run stands.
public struct FineTuningProgress: Sendable {
  public var step = 0
  public var totalSteps = 0
  public var epoch = 0.0
  public var epochs = 0
  /// An average of the last losses, nats a token.
  public var smoothedLoss: Double?
  /// Of this process, saving and evaluating included.
  public var tokensPerSecond = 0.0
  public var stepsPerSecond = 0.0
  /// Operations a second, from the model's size.
  public var operationsPerSecond = 0.0
  public var memoryBytes = 0
}

/// How a run ended.
public enum FineTuningOutcome: Equatable, Sendable {
  /// The student is in its folder.
  case finished(student: String)
  /// It was stopped, and goes on with the same command.
  case stopped(step: Int)
}

/// Fine-tunes a student on prepared samples, as a recipe says.
public final class FineTuningRun {
  public let recipe: FineTuningRecipe
  public let directory: RunDirectory
  public let order: TrainingOrder
  public let loop: TrainingLoop
  /// In what form the student is trained.
  public let form: TrainingForm
  let text: TextCheckpoint
  let sourceNames: [String]
  private let overfitsOneBatch: Bool
  private let report: (FineTuningEvent) -> Void
  private let isStopped: () -> Bool
  private var reader: TrainingOrder.Reader
  private var progress = FineTuningProgress()
  private var best: (loss: Double, step: Int)?
  private var evaluatedStep = -1
  private var savedStep = -1
  private var lastSave = 0.0
  private var generator: StudentGenerator?
  private let events: EventFile

  /// Loads the student, and what was saved of this run before.
  ///
  /// - Parameters:
  ///   - preparation: The data, prepared.
  ///   - overfitsOneBatch: Learns from the rows of the first step again and again: a model that can
  ///     learn knows them by heart soon.
  ///   - isStopped: Asked all the time; once it says so, the run is saved and ends.
  /// - Throws: `CheckpointError`, `RunError`, `TrainingCheckpointError`, `FileError`.
  public init(
    _ preparation: PreparedFineTuning, in directory: RunDirectory, overfitsOneBatch: Bool = false,
    isStopped: @escaping () -> Bool = { false },
    report: @escaping (FineTuningEvent) -> Void = { _ in }
  ) throws {
    let recipe = preparation.recipe
    self.recipe = recipe
    self.directory = directory
    self.overfitsOneBatch = overfitsOneBatch
    self.report = report
    self.isStopped = isStopped
    text = preparation.text
    order = preparation.order
    sourceNames = preparation.sourceNames
    reader = TrainingOrder.Reader(order)
    events = try EventFile(in: directory.path)
    form = preparation.chosen.form
    let decoder = try Self.decoder(preparation, isBegun: !directory.checkpoints().isEmpty)
    loop = TrainingLoop(
      decoder,
      try AdamW(
        decoder.parameters, recipe.optimizer.adamW,
        moments: form.momentStorage(in: directory.path), seed: recipe.data.seed),
      recipe.loopSettings(totalSteps: order.totalSteps, form),
      spikes: SpikeGuard(recipe.spikes?.spikeGuard ?? SpikeGuard.Settings()))
    if let state = try directory.restore(loop, note: { report(.note($0)) }) {
      restore(state)
      savedStep = loop.stepCount
      report(.note("Going on after step \(loop.stepCount) of \(order.totalSteps)."))
    }
    try directory.recordIdentity()
  }

  /// The student, in the form in which it is trained.
  ///
  /// - Parameter isBegun: Whether adapters come from a checkpoint of this run.
  private static func decoder(
    _ preparation: PreparedFineTuning, isBegun: Bool
  ) throws -> Decoder {
    let (recipe, form) = (preparation.recipe, preparation.chosen.form)
    let checkpoint = try Checkpoint(at: recipe.student)
    let decoder: Decoder
    if let lowRank = form.lowRank {
      decoder = try checkpoint.decoder(
        precision: recipe.arithmetic, configuration: preparation.configuration, lowRank: lowRank,
        rounds: form.frozenBytes == 2)
      decoder.streamsFrozenWeights = form.streamsFrozen
      decoder.initializeAdapters(seed: recipe.data.seed)
      if !isBegun, let path = recipe.lora?.adapter {
        try StudentAdapters(recipe, decoder)?.load(from: path)
      }
    } else {
      decoder = try checkpoint.decoder(
        precision: recipe.arithmetic, configuration: preparation.configuration,
        storage: form.weights)
    }
    decoder.recomputedBlocks = preparation.chosen.recomputedBlocks
    return decoder
  }

  /// Trains to the end, or until it is stopped.
  ///
  /// - Throws: `RunError` where training goes wrong, or its data; `TrainingCheckpointError` where it
  ///   can't be saved.
  public func run() throws -> FineTuningOutcome {
    let clock = StepClock()
    lastSave = clock.now
    try log(
      "start",
      [
        ("steps", .int(order.totalSteps)), ("step", .int(loop.stepCount)),
        ("parameters", .int(loop.decoder.configuration.parameterCount)),
      ])
    if directory.isContinued { try events.appendRestart(atStep: loop.stepCount + 1) }
    try AtomicFile.write(
      JSONValue.object(order.description(sourceNames)).serialized(pretty: true),
      to: directory.path + "/data.json")
    update(clock)
    report(.began(progress))
    if loop.stepCount == 0, recipe.evaluation != nil, try !evaluate() { return try stop() }
    // What was due after the step at which it was stopped.
    if loop.stepCount > 0, isDue(recipe.evaluation?.everySteps), evaluatedStep != loop.stepCount,
      try !evaluate()
    {
      return try stop()
    }
    while loop.stepCount < order.totalSteps {
      if isStopped() { return try stop() }
      let number = overfitsOneBatch ? 0 : loop.stepCount
      let rows = try reader.rows(ofStep: number)
      let start = clock.now
      guard let step = try loop.step(rows, isInterrupted: isStopped) else { return try stop() }
      clock.add(tokens: step.tokens)
      update(clock)
      smooth(step)
      try log(step, seconds: clock.now - start)
      report(.step(step, progress))
      if step.skipped != nil { try noteSkip(step, rowsOf: number) }
      if isDue(recipe.evaluation?.everySteps), try !evaluate() { return try stop() }
      if isDue(recipe.generations?.everySteps) { try generate() }
      if isSaveDue(clock.now), loop.stepCount < order.totalSteps {
        try save()
        lastSave = clock.now
      }
    }
    if recipe.evaluation != nil, evaluatedStep != loop.stepCount, try !evaluate() {
      return try stop()
    }
    return try finish()
  }

  private func isDue(_ everySteps: Int?) -> Bool {
    guard let everySteps else { return false }
    return loop.stepCount % everySteps == 0
  }

  private func isSaveDue(_ now: Double) -> Bool {
    // What looks wrong is not what a run should go on from.
    if loop.spikes.skipsInARow > 0 { return false }
    return recipe.checkpoints.isDue(step: loop.stepCount, minutes: (now - lastSave) / 60)
  }

  private func stop() throws -> FineTuningOutcome {
    loop.decoder.clearGradients()
    // Before the first step there is nothing that the recipe does not say.
    if loop.stepCount > 0 { try save() }
    return .stopped(step: loop.stepCount)
  }

  private func finish() throws -> FineTuningOutcome {
    try save()
    try exportStudent(to: directory.studentPath)
    try directory.metrics.synchronize()
    try events.synchronize()
    return .finished(student: directory.studentPath)
  }

  // MARK: - Parts of a step

  private func noteSkip(_ step: TrainingStep, rowsOf number: Int) throws {
    var reader = TrainingOrder.Reader(order)
    // As `distill show --sample` counts them.
    let samples = Set(
      reader.documents(ofStep: number).joined().map { order.sample(of: $0) + 1 }
    ).sorted()
    let shown = samples.prefix(12).map(String.init).joined(separator: ", ")
    let more = samples.count > 12 ? " and \(samples.count - 12) more" : ""
    let places = "\(samples.count == 1 ? "sample" : "samples") \(shown)\(more)"
    report(
      .note(
        "Step \(step.number): \(Self.words(step)). The update was skipped; it learned from "
          + "\(places)."))
    if loop.spikes.isExhausted {
      try directory.metrics.synchronize()
      throw RunError(
        "\(directory.path): \(loop.spikes.skipsInARow) updates in a row were skipped, the last for "
          + "this: \(Self.words(step)). The weights are those of step "
          + "\(step.number - loop.spikes.skipsInARow); the last good checkpoint stands. Look at "
          + "\(places) with 'distill show RECIPE --sample NUMBER', or lower 'optimizer.learningRate'."
      )
    }
  }

  private static func words(_ step: TrainingStep) -> String {
    func figure(_ value: Double) -> String { String(format: "%.4g", value) }
    return switch step.skipped {
    case .lossNotFinite: "the loss is \(figure(step.loss))"
    case .gradientNotFinite: "the gradient's norm is \(figure(step.gradientNorm))"
    case .lossSpike: "the loss, \(figure(step.loss)), is far above the last steps'"
    case .gradientSpike:
      "the gradient's norm, \(figure(step.gradientNorm)), is far above the last steps'"
    case .nothingToLearn: "none of its tokens is learned"
    case nil: "nothing is wrong"
    }
  }

  /// The loss of what is held out; false if it was stopped meanwhile.
  private func evaluate() throws -> Bool {
    let rows = try order.heldOut.map { try order.sequence([$0]) }
    guard let losses = try loop.evaluate(rows, isInterrupted: isStopped) else { return false }
    evaluatedStep = loop.stepCount
    let loss = losses.all.mean ?? .nan
    try log(
      "evaluation",
      [
        ("step", .int(loop.stepCount)), ("loss", .double(loss)),
        ("tokens", .int(losses.all.tokens)), ("sources", means(losses)),
      ])
    try events.append(scalars: [("loss/held out", loss)], step: loop.stepCount)
    report(.evaluation(loss: loss, step: loop.stepCount))
    if loss.isFinite, loss < best?.loss ?? .infinity {
      best = (loss, loop.stepCount)
      if recipe.checkpoints.best, loop.stepCount > 0 { try exportStudent(to: directory.bestPath) }
    }
    return true
  }

  private func generate() throws {
    guard let settings = recipe.generations else { return }
    let generator = try self.generator ?? StudentGenerator(loop.decoder, text, settings)
    self.generator = generator
    for (prompt, text) in try generator.texts(of: loop.decoder, isStopped: isStopped) {
      try log(
        "sample",
        [("step", .int(loop.stepCount)), ("prompt", .string(prompt)), ("text", .string(text))])
      try events.append(text: text, tag: "sample/\(prompt)", step: loop.stepCount)
      report(.generation(prompt: prompt, text: text, step: loop.stepCount))
    }
  }

  // MARK: - Saving

  private func save() throws {
    if savedStep == loop.stepCount { return }
    let clock = StepClock()
    let bytes = try directory.save(
      loop, state: state, keeping: recipe.checkpoints.keep, isStopped: isStopped,
      note: { report(.note($0)) })
    savedStep = loop.stepCount
    try directory.metrics.synchronize()
    try log(
      "checkpoint",
      [
        ("step", .int(loop.stepCount)), ("seconds", .double(clock.now)),
        ("bytes", .int(bytes)),
      ])
    report(.saved(step: loop.stepCount, seconds: clock.now, bytes: bytes))
  }

  private var state: JSONObject {
    var members: [(key: String, value: JSONValue)] = []
    if let best {
      members.append(
        (
          "best",
          .object(JSONObject(members: [("loss", .double(best.loss)), ("step", .int(best.step))]))
        ))
    }
    if let loss = progress.smoothedLoss { members.append(("smoothedLoss", .double(loss))) }
    members.append(("evaluatedStep", .int(evaluatedStep)))
    return JSONObject(members: members)
  }

  private func restore(_ state: JSONObject) {
    if case .object(let kept)? = state["best"], case .number(let loss)? = kept["loss"],
      case .number(let step)? = kept["step"], let loss = loss.double, let step = step.int
    {
      best = (loss, step)
    }
    if case .number(let loss)? = state["smoothedLoss"] { progress.smoothedLoss = loss.double }
    if case .number(let step)? = state["evaluatedStep"] { evaluatedStep = step.int ?? -1 }
  }

  private func exportStudent(to path: String) throws {
    let additions = try StudentFiles(
      recipe, text, order, sourceNames, loop, form, evaluation: best?.loss
    ).contents()
    if let adapters = StudentAdapters(recipe, loop.decoder) {
      return try adapters.save(to: path, additions: additions)
    }
    try Checkpoint.save(
      loop.decoder, to: path, carryingFrom: recipe.student, additions: additions,
      options: .init(
        dtype: recipe.export == .float32 ? .float32 : .bfloat16, replacing: true))
  }

  // MARK: - Figures

  private func update(_ clock: StepClock) {
    progress.step = loop.stepCount
    progress.totalSteps = order.totalSteps
    progress.epoch = order.epochs(after: loop.stepCount)
    progress.epochs = recipe.epochs
    progress.tokensPerSecond = clock.tokensPerSecond
    progress.stepsPerSecond = clock.stepsPerSecond
    progress.operationsPerSecond =
      clock.tokensPerSecond
      * loop.decoder.configuration.trainingOperationsPerToken(
        contextLength: order.meanContext, isFrozen: form.lowRank != nil)
    progress.memoryBytes = PeakMemory.bytes
  }

  private func smooth(_ step: TrainingStep) {
    guard step.skipped == nil else { return }
    progress.smoothedLoss = progress.smoothedLoss.map { 0.9 * $0 + 0.1 * step.loss } ?? step.loss
  }

  private func means(_ losses: LossSums) -> JSONValue {
    .object(
      JSONObject(
        members: sourceNames.enumerated().compactMap { index, name in
          losses.sources[index]?.mean.map { (name, .double($0)) }
        }))
  }

  private func log(_ step: TrainingStep, seconds: Double) throws {
    var members: [(key: String, value: JSONValue)] = [
      ("step", .int(step.number)), ("epoch", .double(progress.epoch)),
      ("loss", .double(step.loss)), ("learningRate", .double(step.learningRate)),
      ("gradientNorm", .double(step.gradientNorm)), ("tokens", .int(step.tokens)),
      ("supervisedTokens", .int(step.losses.all.tokens)), ("seconds", .double(seconds)),
      ("tokensPerSecond", .double(Double(step.tokens) / max(seconds, 1e-9))),
      ("memoryBytes", .int(progress.memoryBytes)), ("sources", means(step.losses)),
    ]
    if let skipped = step.skipped { members.append(("skipped", .string(skipped.rawValue))) }
    try log("step", members)
    var scalars = [
      ("loss/training", step.loss), ("learning rate", step.learningRate),
      ("gradient norm", step.gradientNorm), ("tokens per second", progress.tokensPerSecond),
      ("memory", Double(progress.memoryBytes)),
    ]
    if sourceNames.count > 1 {
      scalars += sourceNames.enumerated().compactMap { index, name in
        step.losses.sources[index]?.mean.map { ("loss/\(name)", $0) }
      }
    }
    try events.append(scalars: scalars, step: step.number)
  }

  private func log(
    _ kind: String, _ members: [(key: String, value: JSONValue)]
  ) throws(FileError) {
    let time = ISO8601DateFormatter().string(from: Date())
    let all: [(key: String, value: JSONValue)] =
      [("kind", .string(kind)), ("time", .string(time))] + members
    try directory.metrics.append(JSONValue.object(JSONObject(members: all)).serialized())
  }
}

extension JSONValue {
  static func int(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
  /// null for what is no number.
  static func double(_ value: Double) -> JSONValue {
    JSONNumber(value).map(JSONValue.number) ?? .null
  }
}

/// Time on a clock that is never set, and the pace of the last steps.
final class StepClock {
  private let start = DispatchTime.now().uptimeNanoseconds
  private var marks: [(seconds: Double, tokens: Int)] = [(0, 0)]

  /// Seconds since it was made.
  var now: Double { Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 }

  /// Says that a step is done.
  func add(tokens: Int) {
    marks.append((now, (marks.last?.tokens ?? 0) + tokens))
    if marks.count > 21 { marks.removeFirst() }
  }

  var tokensPerSecond: Double {
    guard let first = marks.first, let last = marks.last, marks.count > 1 else { return 0 }
    return Double(last.tokens - first.tokens) / max(last.seconds - first.seconds, 1e-9)
  }

  var stepsPerSecond: Double {
    guard let first = marks.first, let last = marks.last, marks.count > 1 else { return 0 }
    return Double(marks.count - 1) / max(last.seconds - first.seconds, 1e-9)
  }
}
