import Interface
import Training

/// When training is saved. Without `everySteps` and `everyMinutes`, only at the end and when it is
/// stopped.
public struct CheckpointSettings: Codable, Equatable, Sendable {
  public var everySteps: Int?
  public var everyMinutes: Double?
  /// How many stay; two at least.
  public var keep: Int
  /// Whether the model of the best evaluation is kept beside the last.
  public var best: Bool

  public init(
    everySteps: Int? = nil, everyMinutes: Double? = nil, keep: Int = 2, best: Bool = false
  ) {
    self.everySteps = everySteps
    self.everyMinutes = everyMinutes
    self.keep = keep
    self.best = best
  }

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    if keep < 2 { found.append("The recipe: 'checkpoints.keep' must be 2 at least.") }
    if everySteps ?? 1 < 1 {
      found.append("The recipe: 'checkpoints.everySteps' must be 1 at least.")
    }
    if !(everyMinutes ?? 1 > 0) {
      found.append("The recipe: 'checkpoints.everyMinutes' must be above 0.")
    }
    return found
  }

  /// Whether it is time to save.
  ///
  /// - Parameter minutes: Since it was last saved.
  public func isDue(step: Int, minutes: Double) -> Bool {
    if let everySteps, step % everySteps == 0 { return true }
    return everyMinutes.map { minutes >= $0 } ?? false
  }
}

/// Which updates are skipped because they are not like the others.
public struct SpikeSettings: Codable, Equatable, Sendable {
  public var window: Int
  public var threshold: Double
  public var mostSkips: Int

  public init(window: Int, threshold: Double, mostSkips: Int) {
    self.window = window
    self.threshold = threshold
    self.mostSkips = mostSkips
  }

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    if window < 4 { found.append("The recipe: 'spikes.window' must be 4 at least.") }
    if !(threshold > 0) { found.append("The recipe: 'spikes.threshold' must be above 0.") }
    if mostSkips < 1 { found.append("The recipe: 'spikes.mostSkips' must be 1 at least.") }
    return found
  }

  public var spikeGuard: SpikeGuard.Settings {
    SpikeGuard.Settings(window: window, threshold: threshold, mostSkips: mostSkips)
  }
}

/// The type of a finished model's weights.
public enum ExportType: String, Choice {
  case float32, bfloat16
}

/// In what products are computed.
public enum ArithmeticPrecision: String, Choice {
  case float32, bfloat16
}

/// What is wrong with a recipe that can be read: a sentence each.
public struct RecipeMistakes: Error, Equatable, CustomStringConvertible {
  public let findings: [String]
  public var description: String { findings.joined(separator: "\n") }

  public init(findings: [String]) { self.findings = findings }
}
