import Evaluation
import Foundation
import Interface
import Teachers

/// Shows how an evaluation goes: two lines that are rewritten on a terminal, plain lines elsewhere.
final class EvaluationDisplay: @unchecked Sendable {
  private let console: Console
  private let lock = NSLock()
  private var retries: [String: Int] = [:]
  private var lastLine = ProcessInfo.processInfo.systemUptime
  private var lastBlock = -Double.infinity
  /// When the first sample of this session was asked for, and how many were stored then.
  private var start: (time: Double, samples: Int)?

  private static let secondsBetweenLines = 10.0
  private static let secondsBetweenBlocks = 0.2

  init(_ console: Console) { self.console = console }

  /// Counts what a server does, from any thread.
  func note(_ event: TeacherEvent) {
    guard case .retried(let kind) = event else { return }
    lock.withLock { retries[kind, default: 0] += 1 }
  }

  func show(_ progress: EvaluationProgress) {
    let now = ProcessInfo.processInfo.systemUptime
    let lines: [String]? = lock.withLock {
      if start == nil { start = (now, progress.samples) }
      if console.isTerminal {
        if now - lastBlock < Self.secondsBetweenBlocks { return nil }
        lastBlock = now
      } else {
        if now - lastLine < Self.secondsBetweenLines { return nil }
        lastLine = now
      }
      return [line(progress), total(progress, now)]
    }
    guard let lines else { return }
    if console.isTerminal {
      console.show(block: lines)
    } else {
      console.note(lines.joined(separator: "   "))
    }
  }

  func finish() { console.show(block: []) }

  private func line(_ progress: EvaluationProgress) -> String {
    let place = "\(progress.number)/\(progress.count) \(progress.model), \(progress.benchmark): "
    switch progress.phase {
    case .sampling(let sampling):
      var line =
        place + "\(groupedText(sampling.problemsDone)) of "
        + "\(groupedText(sampling.problems)) problems, "
        + "\(countText(Int(sampling.tokensPerSecond))) tokens/s"
      if !retries.isEmpty {
        let kinds = retries.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(4)
        line += "   again: " + kinds.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      }
      if !sampling.failures.isEmpty {
        line +=
          "   failed: "
          + sampling.failures.prefix(4).map { "\($0.kind) \($0.count)" }.joined(separator: ", ")
      }
      return line
    case .judging(let done, let count):
      return place + "judging, \(groupedText(done)) of \(groupedText(count)) problems"
    }
  }

  private func total(_ progress: EvaluationProgress, _ now: Double) -> String {
    let share = Double(progress.samples) / Double(max(1, progress.samplesWanted))
    var text =
      "\(groupedText(progress.samples)) of \(groupedText(progress.samplesWanted)) samples, "
      + "\(Int(share * 100)) %"
    if let start, progress.samples > start.samples, now > start.time {
      let rate = Double(progress.samples - start.samples) / (now - start.time)
      let left = Double(max(0, progress.samplesWanted - progress.samples)) / rate
      text += "   \(durationText(seconds: left)) left"
    }
    return text
  }
}
