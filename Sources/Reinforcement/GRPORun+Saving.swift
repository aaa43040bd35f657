import Datasets
import Foundation
import Models
import Storage
import Training

extension GRPORun {
  func save() throws {
    if savedUpdates == loop.stepCount, state.step > 0 { return }
    let start = now
    let bytes = try directory.save(
      loop, state: state.json(), step: state.step, keeping: recipe.checkpoints.keep,
      isStopped: isStopped,
      note: { report(.note($0)) })
    savedUpdates = loop.stepCount
    try directory.metrics.synchronize()
    let seconds = now - start
    try log(
      "checkpoint",
      [
        ("step", .int(state.step)), ("seconds", .double(seconds)), ("bytes", .int(bytes)),
      ])
    try pruneReferences()
    report(.saved(step: state.step, seconds: seconds, bytes: bytes))
  }

  /// Writes the policy as a model, with what it takes to ask it as it was trained.
  func exportPolicy(to path: String) throws {
    var additions: [String: Data] = [
      "generation_config.json": JSONValue.object(generation).serialized(pretty: true)
        + Data("\n".utf8),
      "README.md": Data(readme.utf8),
    ]
    if let name = recipe.chatTemplate, FileManager.default.fileExists(atPath: name) {
      additions["chat_template.jinja"] = Data(try MappedFile(at: name).contents)
    }
    try Checkpoint.save(
      loop.decoder, to: path, carryingFrom: recipe.policy, additions: additions,
      options: .init(dtype: recipe.export == .float32 ? .float32 : .bfloat16, replacing: true))
  }

  /// The policy's own settings, with the tokens that ended answers.
  private var generation: JSONObject {
    let text = prepared.prompts.text
    let ids = text.endTokens.sorted().map { JSONValue.int(Int($0)) }
    var members = text.generation?.members ?? []
    members.removeAll { ["eos_token_id", "transformers_version"].contains($0.key) }
    members.append(("eos_token_id", ids.count == 1 ? ids[0] : .array(ids)))
    return JSONObject(members: members)
  }

  private var readme: String {
    let base = recipe.policy.split(separator: "/").last.map(String.init) ?? recipe.policy
    let sampling = recipe.sampling
    let rewards = zip(rewarder.names, rewarder.weights).map { "\($0) (\($1))" }
    let best = state.best.map {
      String(format: "%.1f %% at step %d", 100 * $0.accuracy, $0.step)
    }
    return """
      # \(base), reinforced

      Trained with Distill from '\(recipe.policy)' by group relative policy optimization, all \
      parameters.

      | | |
      |---|---|
      | steps | \(state.step), \(sampling.questionsPerStep) questions with \
      \(sampling.answersPerQuestion) answers each |
      | problems | \(prepared.questions.questions.count) |
      | rewards | \(rewards.joined(separator: ", ")) |
      | tokens | \(state.sampledTokens) sampled, \(state.trainedTokens) learned from |
      | learning rate | \(recipe.optimizer.learningRate), \(recipe.optimizer.schedule.rawValue) |
      | best accuracy on what was held out | \(best ?? "not taken") |

      The run's folder, '\(recipe.run)', holds the whole recipe and what was measured.

      """
  }

  // MARK: - The reference

  /// Where the policy of a step is kept that became the reference.
  static func referencePath(_ directory: RunDirectory, step: Int) -> String {
    directory.path + "/references/step-\(step)"
  }

  /// Takes the policy as the reference from now on.
  func replaceReference() throws {
    guard let reference else { return }
    try makeFolder(at: directory.path + "/references")
    // In float32, since the embedding of a packed decoder is not rounded.
    try Checkpoint.save(
      loop.decoder, to: Self.referencePath(directory, step: state.step),
      options: .init(dtype: .float32, replacing: true))
    reference.repack(loop.decoder)
    state.referenceStep = state.step
    // Not only when it is saved: each is as large as the policy.
    try pruneReferences()
  }

  /// Removes references that neither this run nor a checkpoint goes on with.
  private func pruneReferences() throws {
    guard recipe.referenceEverySteps != nil else { return }
    var needed: Set<String> = ["step-\(state.referenceStep)"]
    for step in try directory.checkpoints() {
      // Nobody goes on from one that can't be read.
      let kept = try? TrainingCheckpoint.state(of: directory.checkpointPath(step))
      if case .number(let number)? = kept?["referenceStep"], let step = number.int {
        needed.insert("step-\(step)")
      }
    }
    let folder = directory.path + "/references"
    guard FileManager.default.fileExists(atPath: folder) else { return }
    for name in try names(inFolder: folder) where name.hasPrefix("step-") && !needed.contains(name)
    {
      try removeFolder(at: folder + "/" + name)
    }
  }
}
