import Foundation
import Storage

extension GRPORun {
  /// Writes a step's figures down, and says what they mean.
  func tell(_ figures: StepFigures) throws {
    state.sampledTokens += figures.sampledTokens
    state.trainedTokens += figures.trainedTokens
    try log(figures, kind: "step")
    var scalars: [(String, Double)] = [
      ("reward/mean", figures.reward.mean), ("reward/deviation", figures.reward.deviation),
      ("groups without signal", figures.shareWithoutSignal), ("length/mean", figures.length.mean),
      ("length/cut", figures.shareCut), ("entropy", figures.entropy),
      ("clipped", figures.shareClipped), ("loss", figures.loss),
      ("gradient norm", figures.gradientNorm), ("learning rate", figures.learningRate),
      ("seconds/sampling", figures.samplingSeconds), ("seconds/judging", figures.judgingSeconds),
      ("seconds/updating", figures.updatingSeconds), ("memory", Double(figures.memoryBytes)),
    ]
    scalars += rewarder.names.compactMap { name in
      figures.rewards[name].map { ("reward/\(name)", $0.mean) }
    }
    if let kl = figures.kl { scalars.append(("kl", kl)) }
    try events.append(scalars: scalars.filter { $0.1.isFinite }, step: figures.step)
    report(.step(figures))
    try tell(state.findings.add(figures), step: figures.step)
  }

  func tell(_ evaluation: EvaluationFigures) throws {
    try log(evaluation, kind: "evaluation")
    try events.append(
      scalars: [
        ("accuracy/held out", evaluation.accuracy), ("length/held out", evaluation.length),
      ],
      step: evaluation.step)
    report(.evaluation(evaluation))
    try tell(state.findings.add(evaluation), step: evaluation.step)
  }

  private func tell(_ findings: [String], step: Int) throws {
    for finding in findings {
      try log("finding", [("step", .int(step)), ("text", .string(finding))])
      report(.finding(finding, step: step))
    }
  }

  /// Keeps all answers of a step, to be read.
  func keepCompletions(_ groups: RewardedGroups, step: Int) throws {
    var records: [CompletionRecord] = []
    for (number, group) in groups.groups.enumerated() {
      for (index, rollout) in group.rollouts.enumerated() {
        records.append(
          CompletionRecord(
            step: step, question: number, answer: rollout.answer, rewarded: group.rewards[index],
            advantage: groups.advantage(group: number, answer: index),
            finishReason: rollout.answer.isCut ? "length" : "stop"))
      }
    }
    try CompletionRecord.write(records, step: step, inRun: directory.path)
  }

  /// Writes a line of figures.
  private func log(_ figures: some Encodable, kind: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // JSON has no such numbers; a reader takes them for what is not known.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let json = try encoder.encode(figures).withUnsafeBytes {
      try JSONValue(parsing: $0, source: "figures")
    }
    guard case .object(let object) = json else { return }
    try log(kind, object.members)
  }

  func log(_ kind: String, _ members: [(key: String, value: JSONValue)]) throws(FileError) {
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
