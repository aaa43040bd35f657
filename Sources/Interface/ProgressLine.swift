import Foundation

/// How far a long piece of work is, on one line of the terminal that is rewritten:
///
///     412 of 800 steps   51 %   3.2 steps/s   2 min 01 s left
///
/// Without a terminal it prints nothing, and it stays away from work that is done within two
/// seconds. Safe to use from several threads: all state is guarded by a lock.
public final class ProgressLine: @unchecked Sendable {
  private let total: Int?
  private let unit: String
  private let console: Console
  private let now: @Sendable () -> Double
  private let start: (seconds: Double, count: Int)
  private let lock = NSLock()
  private var count: Int
  private var lastShown = -Double.infinity

  private static let quietSeconds = 2.0
  private static let secondsBetweenLines = 0.2  // faster than this is flicker

  /// Work that begins now.
  ///
  /// - Parameters:
  ///   - total: How many there are to do; nil if that is not known.
  ///   - unit: What is counted, as a plural.
  ///   - startingAt: How many were done before, in the run that this one resumes.
  ///   - now: A clock that never goes back, in seconds.
  public init(
    total: Int?, unit: String, console: Console, startingAt: Int = 0,
    now: @escaping @Sendable () -> Double = { ProcessInfo.processInfo.systemUptime }
  ) {
    self.total = total
    self.unit = unit
    self.console = console
    self.now = now
    self.start = (now(), startingAt)
    self.count = startingAt
  }

  deinit { if lastShown > -.infinity { console.show(status: nil) } }

  /// Says that `step` more are done; `remark` is shown at the end of the line.
  public func advance(by step: Int = 1, remark: String = "") {
    lock.withLock {
      let (sum, overflow) = count.addingReportingOverflow(step)
      count = overflow ? .max : sum
      guard console.isTerminal else { return }
      let time = now()
      guard time - start.seconds > Self.quietSeconds,
        time - lastShown >= Self.secondsBetweenLines
      else { return }
      lastShown = time
      console.show(status: line(after: time - start.seconds, remark: remark))
    }
  }

  /// Takes the line away.
  public func finish() { console.show(status: nil) }

  private func line(after seconds: Double, remark: String) -> String {
    let rate = (Double(count) - Double(start.count)) / seconds
    var parts = [total.map { "\(count) of \($0) \(unit)" } ?? "\(count) \(unit)"]
    if let total, total > 0 {
      parts.append("\(Int(100 * min(max(Double(count) / Double(total), 0), 1))) %")
    }
    parts.append("\(rateText(rate)) \(unit)/s")
    if let total, count < total, rate > 0 {
      parts.append("\(durationText(seconds: (Double(total) - Double(count)) / rate)) left")
    }
    if !remark.isEmpty { parts.append(printable(remark)) }
    return parts.joined(separator: "   ")
  }
}
