import Foundation
import Interface
import Storage

/// Shows how a whole run goes: on a terminal a block with a line for each stage, below the one that
/// runs how far it is; elsewhere a line when a stage begins and ends, and what it says between.
public final class PipelineDisplay {
  private enum State {
    case waiting, looking, running, passed, leftOut
    case done(StageRecord)
  }

  private let console: Console
  private let names: [String]
  private let now: () -> Double
  private var states: [State]
  private var status: [String] = []
  private var current: (place: Int, start: Double)?
  private var lastBlock = -Double.infinity

  private static let secondsBetweenBlocks = 0.2
  /// More lines than that may not fit on a screen, where they could not be rewritten.
  private static let mostStages = 12

  /// - Parameter now: A clock that never goes back, in seconds.
  public init(
    _ plan: PipelinePlan, on console: Console,
    now: @escaping () -> Double = { ProcessInfo.processInfo.systemUptime }
  ) {
    self.console = console
    self.now = now
    names = plan.stages.map { printable($0.name) }
    states = plan.stages.indices.map { plan.chosen.contains($0) ? .waiting : .leftOut }
  }

  func look(at place: Int) {
    current = (place, now())
    states[place] = .looking
    show([])
  }

  func pass(_ place: Int) {
    states[place] = .passed
    if !console.isTerminal { console.note("\(names[place]): nothing changed.") }
    current = nil
  }

  func begin(_ place: Int, _ decision: StageDecision, moved: String?) {
    current = (place, now())
    states[place] = .running
    let words =
      switch decision {
      case .resumed: "\(names[place]) goes on."
      case .new: "\(names[place]) begins."
      default: "\(names[place]) begins again: \(decision.why)."
      }
    if !console.isTerminal || decision != .new && decision != .resumed { console.note(words) }
    if let moved { console.note("What it made before is in \(quoted(moved)).") }
    show([])
  }

  func end(_ place: Int, _ record: StageRecord) {
    states[place] = .done(record)
    current = nil
    status = []
    if !console.isTerminal { console.note("\(names[place]) is done: \(figures(record)).") }
    draw()
  }

  func note(_ line: String) { console.note(line) }

  func show(_ lines: [String]) {
    status = lines
    draw()
  }

  func tick() {
    if console.isTerminal, now() - lastBlock >= Self.secondsBetweenBlocks { draw() }
  }

  func finish() { console.show(block: []) }

  private func draw() {
    guard console.isTerminal else { return }
    lastBlock = now()
    console.show(block: lines)
  }

  private var lines: [String] {
    let width = names.map(\.count).max() ?? 0
    let first = max(0, min((current?.place ?? 0) - 4, names.count - Self.mostStages))
    let shown = names.indices.dropFirst(first).prefix(Self.mostStages)
    var lines: [String] = []
    for place in shown {
      let name = names[place] + String(repeating: " ", count: width - names[place].count)
      switch states[place] {
      case .waiting: lines.append("· \(names[place])")
      case .leftOut: lines.append("· \(name)   left out")
      case .passed: lines.append("✓ \(name)   nothing changed")
      case .done(let record): lines.append("✓ \(name)   \(figures(record))")
      case .looking: lines.append("▸ \(name)   looking at what it reads")
      case .running:
        let seconds = max(0, now() - (current?.start ?? now()))
        // Whole seconds: tenths would only flicker.
        let time = seconds < 10 ? "\(Int(seconds)) s" : durationText(seconds: seconds)
        lines.append("▸ \(name)   \(time)")
        lines += status.prefix(8).map { "    " + $0 }
      }
    }
    if first > 0 { lines.insert("✓ \(first) before", at: 0) }
    if let last = shown.last, last + 1 < names.count {
      lines.append("· \(names.count - last - 1) more")
    }
    return lines
  }

  private func figures(_ record: StageRecord) -> String {
    durationText(seconds: record.seconds) + (record.peakBytes.map { ", \(byteText($0))" } ?? "")
  }
}
