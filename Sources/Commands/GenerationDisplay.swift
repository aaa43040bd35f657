import Foundation
import Interface
import TeacherGeneration
import Teachers

/// Shows how sampling goes: a block of lines that is rewritten on a terminal, plain lines elsewhere.
final class GenerationDisplay: @unchecked Sendable {
  private let console: Console
  private let lock = NSLock()
  private var retries: [String: Int] = [:]
  private var waitsForServer = false
  private var lastLine = ProcessInfo.processInfo.systemUptime
  private var lastBlock = -Double.infinity

  private static let secondsBetweenLines = 10.0
  private static let secondsBetweenBlocks = 0.2

  init(_ console: Console) { self.console = console }

  /// Counts what a server does, from any thread.
  func note(_ event: TeacherEvent) {
    lock.withLock {
      switch event {
      case .retried(let kind): retries[kind, default: 0] += 1
      case .waiting(_, .server): waitsForServer = true
      case .answered: waitsForServer = false
      default: break
      }
    }
  }

  func show(_ progress: TeacherGenerationProgress) {
    let now = ProcessInfo.processInfo.systemUptime
    if console.isTerminal {
      let isDue = lock.withLock {
        if now - lastBlock < Self.secondsBetweenBlocks { return false }
        lastBlock = now
        return true
      }
      if isDue { console.show(block: block(progress)) }
    } else {
      let isDue = lock.withLock {
        if now - lastLine < Self.secondsBetweenLines { return false }
        lastLine = now
        return true
      }
      if isDue { console.note(line(progress)) }
    }
  }

  func finish() { console.show(block: []) }

  private func block(_ progress: TeacherGenerationProgress) -> [String] {
    let share = Double(progress.problemsDone) / Double(max(1, progress.problems))
    let width = 30
    let done = Int((share * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
    var lines = [
      "\(bar) \(Int(share * 100)) %   \(groupedText(progress.problemsDone)) of "
        + "\(groupedText(progress.problems)) problems   \(left(progress))",
      "\(groupedText(progress.samples)) samples   \(speed(progress))   "
        + "\(progress.questionsInFlight) under way" + cost(progress),
    ]
    let kept = progress.sources.prefix(4).map {
      "\($0.name) \(groupedText($0.correct))/\(groupedText($0.samples))"
    }
    if !kept.isEmpty { lines.append("correct: " + kept.joined(separator: ", ")) }
    let troubles = troubles(progress)
    if !troubles.isEmpty { lines.append(troubles) }
    return lines
  }

  private func line(_ progress: TeacherGenerationProgress) -> String {
    let correct = progress.sources.reduce(0) { $0 + $1.correct }
    var parts = [
      "\(groupedText(progress.problemsDone))/\(groupedText(progress.problems)) problems",
      "\(groupedText(progress.samples)) samples, \(groupedText(correct)) correct", speed(progress),
    ]
    let troubles = troubles(progress)
    if !troubles.isEmpty { parts.append(troubles) }
    parts.append(left(progress))
    return parts.joined(separator: "   ") + cost(progress)
  }

  private func speed(_ progress: TeacherGenerationProgress) -> String {
    String(format: "%.2f samples/s, ", progress.samplesPerSecond)
      + "\(countText(Int(progress.tokensPerSecond))) tokens/s"
  }

  private func cost(_ progress: TeacherGenerationProgress) -> String {
    let tokens = progress.tokens.prompt + progress.tokens.completion
    guard let cost = progress.cost else { return "   \(countText(tokens)) tokens" }
    return "   \(countText(tokens)) tokens, cost \(String(format: "%.2f", cost))"
  }

  /// What went wrong, by kind: tried again, and given up.
  private func troubles(_ progress: TeacherGenerationProgress) -> String {
    let (again, waits) = lock.withLock { (retries, waitsForServer) }
    var parts: [String] = []
    if !again.isEmpty {
      let kinds = again.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(4)
      parts.append("again: " + kinds.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
    }
    if !progress.failures.isEmpty {
      parts.append(
        "failed: "
          + progress.failures.prefix(4).map { "\($0.kind) \($0.count)" }.joined(separator: ", "))
    }
    if waits { parts.append("waiting for the server") }
    return parts.joined(separator: "   ")
  }

  private func left(_ progress: TeacherGenerationProgress) -> String {
    guard let seconds = progress.secondsLeft else { return "" }
    return durationText(seconds: seconds) + " left"
  }
}
