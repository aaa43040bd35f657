import Foundation
import Interface
import Storage

/// Whether a stage runs, and why.
public enum StageDecision: Equatable, Sendable {
  /// It is done, and would make the same again.
  case unchanged
  /// Nothing is known of it. What another command made of the same recipe is gone on with.
  case new
  /// It was stopped, and goes on.
  case resumed
  /// It is done, and what it made is not there any more.
  case outputGone
  /// It was begun with something else, a few words for each.
  case changed([String])
  /// Somebody asked for it.
  case asked
  /// It depends on what other stages make, which run before it; only a list says so.
  case after([String])
  /// It was not chosen.
  case leftOut

  /// Whether it runs for certain.
  public var runs: Bool {
    switch self {
    case .unchanged, .after, .leftOut: false
    case .new, .resumed, .outputGone, .changed, .asked: true
    }
  }

  /// The word for it in a list.
  public var word: String {
    switch self {
    case .unchanged: "unchanged"
    case .after: "perhaps"
    case .leftOut: "left out"
    case .resumed: "goes on"
    case .new, .outputGone, .changed, .asked: "runs"
    }
  }

  /// Why, in a few words; empty where there is nothing to say.
  public var why: String {
    switch self {
    case .unchanged, .leftOut: ""
    case .new: "it was not run yet"
    case .resumed: "it was stopped"
    case .outputGone: "what it made is gone"
    case .changed(let words):
      words.prefix(3).joined(separator: "; ")
        + (words.count > 3 ? "; and \(words.count - 3) more" : "")
    case .asked: "as asked for"
    case .after(let names):
      "it reads what " + names.map { "'\($0)'" }.joined(separator: ", ")
        + (names.count == 1 ? " makes" : " make")
    }
  }
}

/// What a stage came to in one session.
public struct StageEnding: Sendable {
  public enum Outcome: Equatable, Sendable {
    case done
    /// It was asked to stop, and goes on the next time.
    case stopped
    /// It could not do its work: sentences, a line each.
    case failed(String)
  }

  public var outcome: Outcome
  public var seconds: Double
  /// The most memory that it held; nil where the system does not tell.
  public var peakBytes: Int?
  /// What it printed to the standard output.
  public var printed: String

  public init(_ outcome: Outcome, seconds: Double, peakBytes: Int? = nil, printed: String = "") {
    self.outcome = outcome
    self.seconds = seconds
    self.peakBytes = peakBytes
    self.printed = printed
  }
}

/// What a running stage tells, and is told.
public struct StageObserver {
  /// Takes a line that the stage says.
  public let note: (String) -> Void
  /// Takes the lines that show how far it is, in place of those before.
  public let status: ([String]) -> Void
  /// To be called several times a second.
  public let tick: () -> Void
  /// Whether it should stop.
  public let isStopped: () -> Bool
  /// A descriptor that a process of its own keeps open while it lives; with it, the next run waits.
  public let lock: Int32?
}

/// Runs a stage to its end.
public typealias StagePerformance = (Stage, StageObserver) throws -> StageEnding

/// A stage that could not do its work; nothing after it was run.
public struct StageFailure: Error, Equatable, CustomStringConvertible {
  public let description: String
}

/// A whole run that was stopped.
public struct StoppedPipeline: ErrorWithStatus, Equatable, CustomStringConvertible {
  /// The stage it was in, or the one before which it was.
  public let stage: String
  /// The status of a failure which another try mends.
  public var exitStatus: Int32 { 75 }
  public var description: String { "Stopped in '\(stage)'. The same command goes on from there." }
}
