import Foundation
import Interface
import Storage

/// The stages of a folder, one after the other, each only if something changed.
///
/// What is known of them lies in the folder `plan.record`:
///
///     stages.json     of each stage, with what it was begun, and what came of it
///     hashes.json     digests of files that did not change since
///     <stage>.txt     what the stage printed at its end
///     report.html     the page of the whole run
///
/// A stage runs again if its recipe, the program's version, or the content of anything that it reads
/// is another than when it was begun. What it made before is then moved aside, never removed. A stage
/// whose inputs are the same is done, or goes on by itself, as nearly all commands do.
public struct Pipeline {
  public let plan: PipelinePlan
  /// The program's version.
  let version: String

  public init(_ plan: PipelinePlan, version: String) {
    self.plan = plan
    self.version = version
  }

  /// What would be done, without doing it.
  ///
  /// - Throws: `PipelineError`.
  public func decisions() throws(PipelineError) -> [StageDecision] {
    let record = try RunRecord(at: recordPath)
    let hashes = ContentHashes(at: hashesPath)
    var decisions = [StageDecision](repeating: .leftOut, count: plan.stages.count)
    for place in plan.chosen {
      decisions[place] = decision(place, try state(place, hashes), record)
      let running = plan.sources(of: place).filter {
        decisions[$0].runs || decisions[$0].word == "perhaps"
      }
      if decisions[place] == .unchanged, !running.isEmpty {
        decisions[place] = .after(running.map { plan.stages[$0].name })
      }
    }
    return decisions
  }

  /// Runs the stages that have to run, until one fails or somebody wants to stop.
  ///
  /// - Throws: `StageFailure`, `StoppedPipeline`, `PipelineError` where a record cannot be used,
  ///   `FileError` where it cannot be written, and what `perform` throws.
  public func run(
    display: PipelineDisplay, isStopped: @escaping () -> Bool = { false },
    perform: StagePerformance
  ) throws -> PipelineSummary {
    try makeFolder(at: plan.record)
    let lock = try RunLock(in: plan.record)
    var record = try RunRecord(at: recordPath)
    let hashes = ContentHashes(at: hashesPath)
    defer {
      hashes.write()
      display.finish()
    }
    var decisions = [StageDecision](repeating: .leftOut, count: plan.stages.count)
    for place in plan.chosen {
      let stage = plan.stages[place]
      if isStopped() { throw StoppedPipeline(stage: stage.name) }
      display.look(at: place)
      try checkInputs(place)
      var state = try state(place, hashes)
      let decision = decision(place, state, record)
      decisions[place] = decision
      guard decision.runs else {
        display.pass(place)
        continue
      }
      let old = record[stage.name]
      if decision == .resumed, let old {
        (state.seconds, state.peakBytes, state.isAsked) = (old.seconds, old.peakBytes, old.isAsked)
      }
      if decision == .asked { state.isAsked = true }
      let moved = try moveAside(stage, decision, old)
      record[stage.name] = state
      try record.write(to: recordPath)
      hashes.write()
      display.begin(place, decision, moved: moved)
      let ending = try perform(
        stage,
        StageObserver(
          note: { display.note($0) }, status: { display.show($0) }, tick: { display.tick() },
          isStopped: isStopped, lock: lock.descriptor))
      state.seconds += ending.seconds
      state.peakBytes = [state.peakBytes, ending.peakBytes].compactMap { $0 }.max()
      if ending.outcome == .done {
        state.state = .done
        try AtomicFile.write(Data(ending.printed.utf8), to: printedPath(stage))
        writePage(stage, display)
      }
      record[stage.name] = state
      try record.write(to: recordPath)
      switch ending.outcome {
      case .done: display.end(place, state)
      case .stopped: throw StoppedPipeline(stage: stage.name)
      case .failed(let words):
        throw StageFailure(
          description: words + "\n'\(stage.name)' failed, and nothing after it was run. The same "
            + "command goes on with it, and with '--again \(stage.name)' begins it anew.")
      }
    }
    return PipelineSummary(plan, decisions, record) { printed($0) }
  }

  // MARK: - What is known

  private var recordPath: String { plan.record + "/stages.json" }
  private var hashesPath: String { plan.record + "/hashes.json" }

  private func printedPath(_ stage: Stage) -> String { "\(plan.record)/\(stage.name).txt" }

  private func printed(_ stage: Stage) -> String {
    guard let file = try? MappedFile(at: printedPath(stage)) else { return "" }
    return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
  }

  /// What a stage would be begun with now.
  private func state(_ place: Int, _ hashes: ContentHashes) throws(PipelineError) -> StageRecord {
    let stage = plan.stages[place]
    var inputs: [StageRecord.Input] = []
    for input in stage.inputs
    where !inputs.contains(where: { $0.path.utf8.elementsEqual(input.path.utf8) }) {
      let digest = try hashes.digest(of: input.path, isShallow: input.isShallow)
      if digest != nil || input.isRequired {
        inputs.append(.init(path: input.path, digest: digest))
      }
    }
    return StageRecord(
      state: .begun, kind: stage.kind.name, recipe: stage.recipe,
      versions: [version] + stage.kind.rules, inputs: inputs, output: stage.output.canonical,
      isAsked: false, seconds: 0)
  }

  /// What an earlier stage did not make, although it is done, or somebody removed meanwhile.
  private func checkInputs(_ place: Int) throws(PipelineError) {
    let stage = plan.stages[place]
    guard let missing = stage.inputs.first(where: { $0.isRequired && !$0.exists }) else { return }
    let maker = plan.stages[..<place].first { $0.output.overlaps(missing) }
    throw PipelineError(
      "\(printable(stage.file.path)): '\(missing.key)' is \(quoted(missing.path)), "
        + (maker.map { "which '\($0.name)' should have made, and it is not there." }
          ?? "and there is no such file or folder."))
  }

  private func decision(
    _ place: Int, _ state: StageRecord, _ record: RunRecord
  ) -> StageDecision {
    let stage = plan.stages[place]
    let isAsked = plan.again.contains(place)
    guard let old = record[stage.name] else { return isAsked ? .asked : .new }
    let changes = state.changes(since: old)
    if !changes.isEmpty { return .changed(changes) }
    // Asked for, begun and stopped: the same command goes on.
    if old.state == .begun { return isAsked && !old.isAsked ? .asked : .resumed }
    if isAsked { return .asked }
    return stage.output.exists ? .unchanged : .outputGone
  }

  // MARK: - What is done

  /// Moves what a stage made before out of the way, if it would not go on with it.
  ///
  /// - Returns: Where it is now; nil if there was nothing to move.
  private func moveAside(
    _ stage: Stage, _ decision: StageDecision, _ old: StageRecord?
  ) throws(PipelineError) -> String? {
    switch decision {
    case .asked: break
    case .resumed where !stage.kind.resumes: break
    // What lies elsewhere is in nobody's way.
    case .changed where old?.output == stage.output.canonical: break
    default: return nil
    }
    guard stage.output.exists else { return nil }
    var number = 1
    while fileStatus("\(stage.output.path).earlier-\(number)") != nil { number += 1 }
    let place = "\(stage.output.path).earlier-\(number)"
    guard rename(stage.output.path, place) == 0 else {
      throw PipelineError(
        "\(stage.output.path): it cannot be moved aside to \(quoted(place)): "
          + "\(String(cString: strerror(errno))).")
    }
    return place
  }

  /// Writes the page of what a stage made. Without it the run is whole all the same.
  private func writePage(_ stage: Stage, _ display: PipelineDisplay) {
    guard let page = stage.kind.page else { return }
    do {
      try page(stage.output.path, stage.output.path + "/report.html")
    } catch {
      display.note("Note: \(stage.name): its page could not be written. \(error)")
    }
  }
}
