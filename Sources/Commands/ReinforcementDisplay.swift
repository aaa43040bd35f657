import Foundation
import Interface
import Reinforcement
import Reports
import Training

/// Shows how reinforcement goes: a block of lines that is rewritten on a terminal, plain lines
/// elsewhere.
final class ReinforcementDisplay {
  private let console: Console
  private let directory: RunDirectory
  private var last: StepFigures?
  private var lastEvaluation: EvaluationFigures?
  private var lastLine = -Double.infinity
  private var lastBlock = -Double.infinity
  /// Seconds that the last steps took.
  private var paces: [Double] = []
  private var total = 0
  private var lastSavedLine = -Double.infinity

  private static let secondsBetweenLines = 10.0
  private static let secondsBetweenBlocks = 0.2
  /// Saving that is quicker than that is told once in a while.
  private static let quickSave = 2.0

  /// - Parameter directory: Where what is said is kept too.
  init(_ console: Console, _ directory: RunDirectory) {
    self.console = console
    self.directory = directory
  }

  private func note(_ text: String) {
    console.note(text)
    directory.note(text)
  }

  private var now: Double { ProcessInfo.processInfo.systemUptime }

  func show(_ event: GRPOEvent) {
    switch event {
    case .note(let text): note(text)
    case .began(let step, let steps):
      total = steps
      if step == 0 { note("Reinforcing.") }
    case .sampling(let step, let answers, let all, let tokens, let seconds):
      show(step, answers, all, tokens, seconds)
    case .step(let figures): show(figures)
    case .evaluation(let figures):
      lastEvaluation = figures
      note("Step \(figures.step): \(words(figures)).")
    case .finding(let text, let step): note("Step \(step): \(text)")
    case .saved(let step, let seconds, let bytes):
      guard seconds >= Self.quickSave || now - lastSavedLine > 60 else { return }
      lastSavedLine = now
      note("Saved step \(step): \(byteText(bytes)) in \(durationText(seconds: seconds)).")
    }
  }

  func finish() { console.show(block: []) }

  private func words(_ figures: EvaluationFigures) -> String {
    let parts = (figures.sources ?? [:]).sorted { $0.key < $1.key }
      .map { "\($0.key) \(NumberText.fixed(100 * $0.value.accuracy, 1))" }
    return "\(NumberText.fixed(100 * figures.accuracy, 1)) ± "
      + "\(NumberText.fixed(100 * figures.interval, 1)) % of held-out answers right"
      + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
      + ", \(Int(figures.length.rounded())) tokens an answer"
  }

  private func show(_ step: Int, _ answers: Int, _ all: Int, _ tokens: Int, _ seconds: Double) {
    let pace = "\(countText(Int(Double(tokens) / max(seconds, 1e-3)))) tokens/s"
    let words = "step \(step)/\(total)   \(answers) of \(all) answers   \(pace)"
    if console.isTerminal {
      guard now - lastBlock >= Self.secondsBetweenBlocks else { return }
      lastBlock = now
      console.show(block: (last.map { block($0) } ?? []) + ["sampling: " + words])
    } else if now - lastLine >= Self.secondsBetweenLines {
      lastLine = now
      console.note(words)
    }
  }

  private func show(_ figures: StepFigures) {
    last = figures
    paces.append(figures.samplingSeconds + figures.judgingSeconds + figures.updatingSeconds)
    if paces.count > 20 { paces.removeFirst() }
    let isLast = figures.step == figures.totalSteps
    if console.isTerminal {
      guard now - lastBlock >= Self.secondsBetweenBlocks || isLast else { return }
      lastBlock = now
      console.show(block: block(figures))
    } else {
      guard now - lastLine >= Self.secondsBetweenLines || isLast else { return }
      lastLine = now
      console.note(line(figures))
    }
  }

  private func block(_ figures: StepFigures) -> [String] {
    let share = Double(figures.step) / Double(max(1, figures.totalSteps))
    let width = 30
    let done = Int((share * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
    return [
      "\(bar) \(Int(share * 100)) %   step \(figures.step) of \(figures.totalSteps)   "
        + left(figures),
      "reward \(rewards(figures))   without signal \(percent(figures.shareWithoutSignal))",
      "\(Int(figures.length.mean.rounded())) tokens an answer   "
        + String(format: "entropy %.3f   ", figures.entropy)
        + (figures.kl.map { String(format: "KL %.4f   ", $0) } ?? "") + times(figures)
        + "   \(byteText(figures.memoryBytes))",
    ] + (lastEvaluation.map { ["step \($0.step): \(words($0))"] } ?? [])
  }

  private func line(_ figures: StepFigures) -> String {
    "step \(figures.step)/\(figures.totalSteps)   reward \(rewards(figures))   without signal "
      + "\(percent(figures.shareWithoutSignal))   \(Int(figures.length.mean.rounded())) tokens   "
      + String(format: "entropy %.3f   ", figures.entropy)
      + (figures.kl.map { String(format: "KL %.4f   ", $0) } ?? "")
      + String(format: "norm %.3g   ", figures.gradientNorm) + "\(times(figures))   "
      + left(figures)
  }

  private func rewards(_ figures: StepFigures) -> String {
    let parts = figures.rewards.sorted { $0.key < $1.key }
      .map { String(format: "%@ %.3f", $0.key, $0.value.mean) }
    return String(format: "%.3f", figures.reward.mean)
      + (parts.count > 1 ? " (\(parts.joined(separator: ", ")))" : "")
  }

  /// Where the time of a step went.
  private func times(_ figures: StepFigures) -> String {
    let seconds = figures.samplingSeconds + figures.judgingSeconds + figures.updatingSeconds
    return durationText(seconds: seconds)
      + " (sampling \(percent(figures.samplingSeconds / max(seconds, 1e-9))), updating "
      + "\(percent(figures.updatingSeconds / max(seconds, 1e-9))))"
  }

  private func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }

  private func left(_ figures: StepFigures) -> String {
    let steps = figures.totalSteps - figures.step
    guard steps > 0, !paces.isEmpty else { return "done" }
    let pace = paces.reduce(0, +) / Double(paces.count)
    return durationText(seconds: pace * Double(steps)) + " left"
  }
}
