import Foundation
import Models
import Storage
import Tensors

/// Why a run's folder can't be used, in a sentence.
public struct RunError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The folder of a run: its resolved recipe, what it ran on, its metrics and its checkpoints.
///
///     recipe.json         what is asked for, all defaults written out
///     environment.json    versions, instruction set, hashes of data and template
///     metrics.jsonl       a line for every step, evaluation, sample and checkpoint
///     log.txt             what was said, with the time
///     checkpoints/step-N  where training goes on
///     student/            the trained model, once it is done
///
/// One process at a time works in it: the metrics are locked as long as this object lives, and a
/// process that died holds no lock.
public final class RunDirectory: @unchecked Sendable {
  public let path: String
  public let metrics: Journal
  private let log: Journal
  private let identity: Identity
  /// Whether the folder was there, with a recipe, before.
  public let isContinued: Bool

  public var checkpointsPath: String { path + "/checkpoints" }
  public var studentPath: String { path + "/student" }
  public var bestPath: String { path + "/best" }

  /// What a run must not change while it goes on, and what may.
  public struct Identity: Equatable, Sendable {
    /// The resolved recipe, as JSON.
    public let recipe: JSONValue
    /// What results depend on to the bit, each by a name: versions, instruction set, hashes.
    public let fingerprint: [(name: String, value: String)]
    /// What results don't depend on: threads, the machine's name.
    public let remarks: [(name: String, value: String)]
    /// Keys of the recipe on which results don't depend either, with all below them.
    public let freeKeys: [String]

    public init(
      recipe: JSONValue, fingerprint: [(name: String, value: String)],
      remarks: [(name: String, value: String)], freeKeys: [String] = []
    ) {
      self.recipe = recipe
      self.freeKeys = freeKeys
      self.fingerprint = fingerprint
      self.remarks = remarks
    }

    /// What every run's results depend on, and what they don't, of program and machine.
    public static func machine(
      version: String, usesOpenBLAS: Bool
    ) -> (
      fingerprint: [(name: String, value: String)], remarks: [(name: String, value: String)]
    ) {
      let blas =
        switch OpenBLAS.shared {
        case .success(let library): "\(library.version), \(library.core)"
        case .failure: "none"
        }
      return (
        [
          ("toolkit", version),
          ("instruction set", (try? InstructionSet.chosen())?.name ?? "unknown"),
          ("OpenBLAS", usesOpenBLAS ? blas : "not used"),
        ],
        [
          ("threads", "\(ThreadPool.shared.threads)"),
          ("system", ProcessInfo.processInfo.operatingSystemVersionString),
        ]
      )
    }

    public static func == (a: Identity, b: Identity) -> Bool {
      a.recipe == b.recipe && a.environment == b.environment
    }

    var environment: JSONValue {
      .object(JSONObject(members: (fingerprint + remarks).map { ($0.name, .string($0.value)) }))
    }
  }

  /// Opens a run's folder, or makes it.
  ///
  /// - Parameters:
  ///   - allowingOtherIdentity: Whether a run may go on with another recipe or another environment;
  ///     it is then no longer the same to the bit.
  ///   - note: Takes what is said about that.
  /// - Throws: `RunError` if another process works in it, or its identity is another one;
  ///   `FileError`.
  public init(
    at path: String, _ identity: Identity, allowingOtherIdentity: Bool = false,
    note: (String) -> Void = { _ in }
  ) throws {
    self.path = path
    try makeFolder(at: path)
    do {
      metrics = try Journal(at: path + "/metrics.jsonl") { _, _ in }
    } catch let error as FileError where error.reason == .inUse {
      throw RunError("\(path): another process is training in this folder. Wait until it is done.")
    }
    log = try Journal(at: path + "/log.txt") { _, _ in }
    let recipePath = path + "/recipe.json", environmentPath = path + "/environment.json"
    let recipe = try Self.json(recipePath), environment = try Self.json(environmentPath)
    isContinued = recipe != nil
    if let recipe, let environment {
      let changed = Self.differences(recipe, environment, identity)
      if !changed.isEmpty {
        let words = changed.joined(separator: "\n")
        guard allowingOtherIdentity else {
          throw RunError(
            words + "\n\(path): going on would give other results than one run from the beginning. "
              + "Name another folder, or accept that with '--allow-inexact-resume'.")
        }
        note(words)
      }
    } else {
      let strangers = try names(inFolder: path).filter {
        !["metrics.jsonl", "log.txt", "recipe.json", "environment.json", "checkpoints"].contains($0)
          && !$0.hasPrefix(".") && !$0.hasPrefix("events.out.tfevents.")
      }
      if let stranger = strangers.first {
        throw RunError(
          "\(path): \(quoted(stranger)) is in it, which is no part of a run. Name another folder.")
      }
    }
    self.identity = identity
    try makeFolder(at: path + "/checkpoints")
  }

  /// Keeps recipe and environment: from now on the run is one that was begun with them.
  ///
  /// To be called when all that the run begins with is loaded, so that a start that fails changes
  /// nothing for the next.
  public func recordIdentity() throws(FileError) {
    try AtomicFile.write(
      identity.environment.serialized(pretty: true) + Data("\n".utf8),
      to: path + "/environment.json")
    try AtomicFile.write(
      identity.recipe.serialized(pretty: true) + Data("\n".utf8), to: path + "/recipe.json")
  }

  /// Keeps what was said, with the time. What can't be kept is no reason to stop.
  public func note(_ text: String) {
    let time = ISO8601DateFormatter().string(from: Date())
    let line = text.split(separator: "\n").joined(separator: " ")
    try? log.append(Data("\(time) \(line)".utf8))
  }

  /// What of a folder's recipe and environment is another now, a sentence each.
  private static func differences(
    _ recipe: JSONValue, _ environment: JSONValue, _ identity: Identity
  ) -> [String] {
    var found: [String] = []
    func text(_ value: JSONValue?) -> String {
      value.map { quoted(String(decoding: $0.serialized(), as: UTF8.self), longest: 60) }
        ?? "not there"
    }
    for change in JSONValue.differences(recipe, identity.recipe)
    where !identity.freeKeys.contains(where: {
      change.path == $0 || change.path.hasPrefix($0 + ".")
    }) {
      found.append(
        "The recipe's '\(change.path)' was \(text(change.was)) when this run began; it is "
          + "\(text(change.now)) now.")
    }
    guard case .object(let environment) = environment else { return found }
    for (name, value) in identity.fingerprint {
      let was: String? =
        if case .string(let text)? = environment[name] { text } else { nil }
      if was != value {
        found.append(
          "The \(name) was \(was.map { quoted($0) } ?? "not told") when this run began; it is "
            + "\(quoted(value)) now.")
      }
    }
    return found
  }

  private static func json(_ path: String) throws -> JSONValue? {
    do {
      let file = try MappedFile(at: path)
      return try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: path, limits: JSONLimits(bytes: 4 << 20))
      }
    } catch let error as FileError where error.reason == .missing {
      return nil
    }
  }

  /// What the environment of a run that was begun says under a name; nil if there is no such run.
  public static func recorded(_ name: String, at path: String) -> String? {
    guard case .object(let members)? = try? json(path + "/environment.json"),
      case .string(let text)? = members[name]
    else { return nil }
    return text
  }

  // MARK: - Checkpoints

  /// The steps of which there are checkpoints, ascending; whether they are good is not looked at.
  public func checkpoints() throws(FileError) -> [Int] {
    try names(inFolder: checkpointsPath).compactMap { name in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0 else {
        return nil
      }
      return step
    }.sorted()
  }

  public func checkpointPath(_ step: Int) -> String {
    let digits = String(step)
    return checkpointsPath + "/step-" + String(repeating: "0", count: max(0, 6 - digits.count))
      + digits
  }

  /// Reads the newest checkpoint that is good into a loop.
  ///
  /// - Parameter note: Takes what is said of those that are not.
  /// - Returns: What the run kept in it; nil if there is none.
  /// - Throws: `TrainingCheckpointError` for one of another model; `RunError` if there are some and
  ///   none is good: beginning anew would lose them without a word.
  public func restore(
    _ loop: TrainingLoop, note: (String) -> Void
  ) throws -> JSONObject? {
    let steps = try checkpoints()
    var damaged: [Int] = []
    for step in steps.reversed() {
      do throws(TrainingCheckpointError) {
        let state = try TrainingCheckpoint.load(into: loop, from: checkpointPath(step))
        // Left there, they would count as checkpoints when older ones are removed.
        for step in damaged { try? removeFolder(at: checkpointPath(step)) }
        return state
      } catch {
        guard error.reason == .damaged else { throw error }
        damaged.append(step)
        note("\(error) The one before it is taken, if there is one.")
      }
    }
    if let newest = steps.last {
      throw RunError(
        "\(checkpointsPath): none of its checkpoints is good, the newest of step \(newest). Remove "
          + "the folder '\(path)' to begin anew.")
    }
    return nil
  }

  /// Writes a checkpoint, and then removes the oldest beyond `keeping`, at least two.
  ///
  /// - Parameter step: By which the checkpoint is named; without it, the loop's.
  /// - Returns: The bytes that were written; 0 if the step has a good checkpoint already.
  /// - Throws: `TrainingCheckpointError`.
  public func save(
    _ loop: TrainingLoop, state: JSONObject, step: Int? = nil, keeping: Int
  ) throws(TrainingCheckpointError) -> Int {
    let number = step ?? loop.stepCount
    let path = checkpointPath(number)
    var bytes = 0
    do {
      if try checkpoints().contains(number) {
        if (try? TrainingCheckpoint.check(path)) == nil { try removeFolder(at: path) }
      }
      if try !checkpoints().contains(number) {
        bytes = try TrainingCheckpoint.save(loop, state: state, to: path)
      }
      for step in try checkpoints().dropLast(max(2, keeping)) {
        try removeFolder(at: checkpointPath(step))
      }
    } catch let error as TrainingCheckpointError {
      throw error
    } catch {
      let isFull = (error as? FileError)?.reason == .noSpace
      throw TrainingCheckpointError(isFull ? .diskFull : .other, path, "\(error)")
    }
    return bytes
  }

  /// Writes a checkpoint; where the disk is full, it waits a while for room.
  ///
  /// - Parameters:
  ///   - step: By which the checkpoint is named; without it, the loop's.
  ///   - isStopped: Once it says so, a full disk is an error at once.
  ///   - note: Takes what is said while waiting.
  /// - Returns: The bytes that were written; 0 if the step has a good checkpoint already.
  /// - Throws: `TrainingCheckpointError`; the last good checkpoint stands.
  public func save(
    _ loop: TrainingLoop, state: JSONObject, step: Int? = nil, keeping: Int, isStopped: () -> Bool,
    note: (String) -> Void
  ) throws(TrainingCheckpointError) -> Int {
    let start = DispatchTime.now().uptimeNanoseconds
    while true {
      do throws(TrainingCheckpointError) {
        return try save(loop, state: state, step: step, keeping: keeping)
      } catch {
        let waited = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        guard error.reason == .diskFull, waited < Self.diskPatienceSeconds, !isStopped() else {
          throw error
        }
        note("\(error) Trying again in \(Int(Self.diskPauseSeconds)) seconds.")
        Thread.sleep(forTimeInterval: Self.diskPauseSeconds)
      }
    }
  }

  /// How long a full disk is waited for, and how long between two attempts.
  nonisolated(unsafe) static var diskPatienceSeconds = 600.0
  nonisolated(unsafe) static var diskPauseSeconds = 30.0

  /// Removes the checkpoints of a run that is done, all but the newest `keeping`.
  public func prune(keeping: Int) throws(FileError) {
    for step in try checkpoints().dropLast(keeping) {
      try removeFolder(at: checkpointPath(step))
    }
  }
}
