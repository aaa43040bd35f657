import Foundation
import Tensors

extension GRPORun {
  /// Asks the held-out problems; false if it was stopped meanwhile.
  ///
  /// The seed is the same every time: what differs between two evaluations is the policy.
  func evaluate() throws -> Bool {
    guard let evaluation = recipe.evaluation, let heldOut = prepared.heldOut else { return true }
    let start = now
    let settings = PolicySampler.Settings(
      temperature: evaluation.temperature,
      maxTokens: evaluation.maxTokens ?? recipe.sampling.maxTokens,
      seed: RandomStream(seed: recipe.sampling.seed, "evaluation")[0])
    let sampled = try sampler.answers(
      to: heldOut.questions, count: evaluation.samplesPerProblem, settings, isStopped: isStopped)
    guard let sampled else { return false }
    let answers = sampled.flatMap { $0.map(\.answer) }
    let accuracies: [Double?]
    do {
      accuracies = try rewarder.accuracies(of: answers, isStopped: isStopped)
    } catch {
      if error.reason == .stopped { return false }
      throw error
    }
    sampler.makeRoom()
    state.evaluatedStep = state.step
    let figures = EvaluationFigures(
      step: state.step, samplesPerProblem: evaluation.samplesPerProblem, answers: answers,
      accuracies: accuracies, seconds: now - start)
    let failed = accuracies.count { $0 == nil }
    if failed > 0 {
      report(
        .note(
          "Step \(state.step): \(failed) of \(answers.count) held-out answers can't be judged, "
            + "and are left out of the accuracy."))
    }
    // Nothing is known then; an accuracy of 0 would say that all were wrong.
    if figures.problems == 0 { return true }
    try tell(figures)
    if figures.accuracy > state.best?.accuracy ?? -1 {
      state.best = GRPOState.Best(accuracy: figures.accuracy, step: state.step)
      if recipe.checkpoints.best, state.step > 0 { try exportPolicy(to: directory.bestPath) }
    }
    return true
  }
}

extension EvaluationFigures {
  /// - Parameter accuracies: Of each answer, problem by problem; nil where something other than the
  ///   answer failed: such an answer is left out, and a problem without any.
  init(
    step: Int, samplesPerProblem: Int, answers: [SampledAnswer], accuracies: [Double?],
    seconds: Double
  ) {
    var means: [Double] = []
    var sources: [String: [Double]] = [:]
    for first in stride(from: 0, to: answers.count, by: samplesPerProblem) {
      let found = accuracies[first..<min(first + samplesPerProblem, answers.count)]
        .compactMap { $0 }
      if found.isEmpty { continue }
      means.append(found.reduce(0, +) / Double(found.count))
      sources[answers[first].problem.source, default: []].append(means[means.count - 1])
    }
    let all = Source(means)
    let count = Double(max(1, answers.count))
    self.init(
      step: step, problems: means.count, samplesPerProblem: samplesPerProblem,
      accuracy: all.accuracy, interval: all.interval,
      sources: sources.count > 1 ? sources.mapValues { Source($0) } : nil,
      length: Double(answers.reduce(0) { $0 + $1.tokenCount }) / count,
      shareCut: Double(answers.count(where: \.isCut)) / count, seconds: seconds,
      failedAnswers: accuracies.count { $0 == nil })
  }
}

extension EvaluationFigures.Source {
  /// - Parameter means: The share of right answers to each problem.
  init(_ means: [Double]) {
    let spread = StepFigures.Spread(of: means)
    // The spread divides by n, the standard error's estimate by n − 1.
    self.init(
      problems: means.count, accuracy: spread.mean,
      interval: 1.96 * spread.deviation / Double(max(1, means.count - 1)).squareRoot())
  }
}
