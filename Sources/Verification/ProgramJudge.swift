import Foundation
import Sandbox
import Storage

/// Says whether programs that models wrote do what their tasks ask.
///
///     let judge = ProgramJudge(sandbox: try Sandbox())
///     let verdict = judge.verdict(of: program, on: task)
///     verdict.passed
///
/// Programs run in boxes that hold nothing but the program and its inputs; all that is compared with
/// what they say stays outside. A value may be used from many threads at once.
public struct ProgramJudge: Sendable {
  /// The Python that runs programs and tests.
  public static let python = "/usr/bin/python3"

  /// Times that a judging that failed is begun again.
  public static let retries = 2

  private let attempt:
    @Sendable (String, ProgramTask, @escaping @Sendable () -> Bool) -> ProgramVerdict
  private let isUnsafe: Bool

  public init(sandbox: Sandbox) {
    isUnsafe = sandbox.isolation == .none
    attempt = {
      ProgramRun(sandbox: sandbox, program: $0, task: $1, isStopped: $2).verdict()
    }
  }

  /// A judge whose attempts are given, for tests.
  init(attempt: @escaping @Sendable (String, ProgramTask) -> ProgramVerdict) {
    isUnsafe = false
    self.attempt = { program, task, _ in attempt(program, task) }
  }

  /// Judges a program; blocks until its tests are done, and stops at the first that fails.
  ///
  /// - Parameter isStopped: Asked between tests of standard input or of a function; once it is true, the
  ///   verdict is `infrastructure`, soon. Assertions are run to their end.
  public func verdict(
    of program: String, on task: ProgramTask,
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) -> ProgramVerdict {
    var verdict = attempt(program, task, isStopped)
    for _ in 0..<Self.retries where verdict.outcome == .infrastructure && !isStopped() {
      verdict = attempt(program, task, isStopped)
    }
    return verdict
  }

  /// Judges the program in what a model wrote, as `ProgramExtraction` finds it.
  public func verdict(
    ofReply reply: String, on task: ProgramTask, thinkingStarted: Bool = false
  ) -> ProgramVerdict {
    guard
      let program = ProgramExtraction.program(in: reply, thinkingStarted: thinkingStarted)
    else {
      return ProgramVerdict(
        .wrong, failingTest: 1, tests: task.count, isUnsafe: isUnsafe,
        reason: "The reply holds no closed block of code.")
    }
    return verdict(of: program, on: task)
  }

  /// Judges many programs, several at once.
  ///
  /// - Parameters:
  ///   - threads: How many are judged at once.
  ///   - write: Gets each verdict and the number of its program as it comes, on the calling thread.
  /// - Returns: The verdicts, in the order of the programs.
  /// - Throws: `ProgramJudgingError` when judging failed, after retries, for 5 programs in a row or
  ///   for more than 1 % of at least 500: then something is broken, and no rate means anything.
  @discardableResult
  public func verdicts(
    of programs: [(program: String, task: ProgramTask)], threads: Int,
    write: (Int, ProgramVerdict) -> Void = { _, _ in }
  ) throws(ProgramJudgingError) -> [ProgramVerdict] {
    let queue = ProgramQueue(count: programs.count, threads: max(1, min(threads, programs.count)))
    // Threads of their own, since they wait more than they work: a pool would be blocked.
    for _ in 0..<queue.threads {
      Thread.detachNewThread {
        while let number = queue.next() {
          let (program, task) = programs[number]
          queue.put(verdict(of: program, on: task), at: number)
        }
        queue.leave()
      }
    }
    while let (number, verdict) = queue.judged() { write(number, verdict) }
    if let error = queue.error { throw error }
    return queue.verdicts
  }
}

/// Why judging was stopped: too much of it failed, whatever the programs were.
public struct ProgramJudgingError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Counts judgings that failed, and says when there are too many to go on.
struct InfrastructureCount {
  private(set) var judged = 0
  private(set) var failed = 0
  private var inARow = 0

  static let mostInARow = 5
  static let fewestForShare = 500

  private var lastReason = ""

  mutating func add(_ verdict: ProgramVerdict) -> ProgramJudgingError? {
    judged += 1
    if verdict.outcome == .infrastructure {
      failed += 1
      inARow += 1
      lastReason = verdict.reason
    } else {
      inARow = 0
    }
    if inARow == Self.mostInARow {
      return ProgramJudgingError(
        "Judging failed for \(inARow) programs in a row; the last time: \(lastReason)")
    }
    if judged >= Self.fewestForShare, failed * 100 > judged {
      return ProgramJudgingError(
        "Judging failed for \(failed) of \(judged) programs, which is more than 1 %; the last time: "
          + lastReason)
    }
    return nil
  }
}

/// The programs that threads take one after the other, and their verdicts.
private final class ProgramQueue: @unchecked Sendable {
  private let condition = NSCondition()
  private let count: Int
  // Everything below is touched with the condition locked.
  private var taken = 0
  private var atWork: Int
  private var found: [ProgramVerdict?]
  private var unwritten: [Int] = []
  private var infrastructure = InfrastructureCount()
  private var stop: ProgramJudgingError?

  let threads: Int

  init(count: Int, threads: Int) {
    self.count = count
    self.threads = threads
    atWork = threads
    found = Array(repeating: nil, count: count)
  }

  /// The next program; nil when there is none, or too much failed.
  func next() -> Int? {
    condition.withLock {
      guard taken < count, stop == nil else { return nil }
      taken += 1
      return taken - 1
    }
  }

  func put(_ verdict: ProgramVerdict, at number: Int) {
    condition.withLock {
      found[number] = verdict
      if stop == nil { stop = infrastructure.add(verdict) }
      unwritten.append(number)
      condition.broadcast()
    }
  }

  /// A thread has nothing more to do.
  func leave() {
    condition.withLock {
      atWork -= 1
      condition.broadcast()
    }
  }

  /// Waits for a verdict that was not returned before; nil when all threads have left.
  func judged() -> (Int, ProgramVerdict)? {
    condition.withLock {
      while unwritten.isEmpty, atWork > 0 { condition.wait() }
      guard !unwritten.isEmpty else { return nil }
      let number = unwritten.removeFirst()
      return found[number].map { (number, $0) }
    }
  }

  var error: ProgramJudgingError? { condition.withLock { stop } }
  var verdicts: [ProgramVerdict] { condition.withLock { found.compactMap { $0 } } }
}
