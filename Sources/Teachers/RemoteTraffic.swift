import Foundation

/// Lets requests go one after the other, as fast as limits and the server's complaints permit.
///
/// All requests of a teacher pass here: a server that says "too many" to one means all of them.
///
/// It is a class with a lock rather than an actor: who waits is kept as a continuation, and each
/// must be resumed once, whether its turn, room or a cancellation comes first. Under one lock, that
/// is seen at a glance.
final class RemoteTraffic: @unchecked Sendable {
  /// What a request has while it is under way.
  struct Pass: Sendable {
    let number: Int
    /// When it began.
    let time: Double
    /// The tokens that were reckoned with.
    let estimate: Double
  }

  /// Somebody who waits. It is resumed with whether it may go on, by whoever takes it out of `line`
  /// or `head`.
  private struct Waiter {
    let number: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  private let clock: RemoteClock
  private let observe: @Sendable (TeacherEvent) -> Void
  private let lock = NSLock()
  private var requests: RateLimit?
  private var tokens: RateLimit?
  private let widest: Double
  /// How many requests may be under way: all that were asked for, half as many after each
  /// complaint, one more after as many answers.
  private var width: Double
  private var narrowedAt = -Double.infinity
  private var pausedUntil = -Double.infinity
  private var underWay = 0
  private var lastNumber = 0
  /// Whether somebody has the turn: the one that looks for room and for time.
  private var turnIsTaken = false
  /// Those that wait for the turn.
  private var line: [Waiter] = []
  /// The one that has the turn, if it waits until fewer are under way.
  private var head: Waiter?

  init(
    settings: RemoteTeacherSettings, clock: RemoteClock,
    observe: @escaping @Sendable (TeacherEvent) -> Void
  ) {
    self.clock = clock
    self.observe = observe
    widest = Double(settings.requestsInFlight)
    width = widest
    requests = settings.requestsPerMinute.map { RateLimit(perMinute: Double($0)) }
    tokens = settings.tokensPerMinute.map { RateLimit(perMinute: Double($0)) }
  }

  private func locked<Value>(_ body: () -> Value) -> Value {
    lock.lock()
    defer { lock.unlock() }
    return body()
  }

  // MARK: Entering

  /// Waits for one's turn; who came first goes first.
  ///
  /// - Parameter estimate: The tokens of the request and of its answer.
  /// - Returns: A pass, to be given to `leave`; nil if the task was cancelled.
  func enter(estimate: Double) async -> Pass? {
    let number = locked {
      lastNumber += 1
      return lastNumber
    }
    guard await takeTurn(number) else { return nil }
    defer { passTurnOn() }
    while await waitForRoom(number) {
      switch begin(number, estimate) {
      case .begun(let pass): return pass
      case .noRoom: continue
      case .tooEarly(let seconds, let why):
        observe(.waiting(seconds: seconds, why: why))
        do { try await clock.sleep(seconds) } catch { return nil }
      }
    }
    return nil
  }

  private enum Beginning {
    case begun(Pass)
    case noRoom
    case tooEarly(seconds: Double, why: TeacherEvent.Delay)
  }

  private func begin(_ number: Int, _ estimate: Double) -> Beginning {
    locked {
      guard underWay < Int(width) else { return .noRoom }
      let now = clock.now()
      let pause = pausedUntil - now
      let limit = max(
        requests?.wait(cost: 1, at: now) ?? 0, tokens?.wait(cost: estimate, at: now) ?? 0)
      if max(pause, limit) > 0 {
        return .tooEarly(seconds: max(pause, limit), why: pause > limit ? .server : .limit)
      }
      requests?.begin(number: number, cost: 1, at: now)
      tokens?.begin(number: number, cost: estimate, at: now)
      underWay += 1
      return .begun(Pass(number: number, time: now, estimate: estimate))
    }
  }

  /// - Returns: Whether the turn is this one's, which has to pass it on then; if not, the task was
  ///   cancelled.
  private func takeTurn(_ number: Int) async -> Bool {
    await wait(number) { waiter in
      if turnIsTaken {
        line.append(waiter)
        return false
      }
      turnIsTaken = true
      return true
    }
  }

  /// - Returns: Whether there may be room; if not, the task was cancelled.
  private func waitForRoom(_ number: Int) async -> Bool {
    await wait(number) { waiter in
      if underWay < Int(width) { return true }
      head = waiter
      return false
    }
  }

  /// Waits unless it need not.
  ///
  /// - Parameter keep: Is called under the lock; true to go on at once, false if it kept the
  ///   waiter.
  private func wait(_ number: Int, _ keep: (Waiter) -> Bool) async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        // A task that is cancelled later than this finds its waiter kept.
        let answer: Bool? = locked {
          if Task.isCancelled { return false }
          return keep(Waiter(number: number, continuation: continuation)) ? true : nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let waiter: Waiter? = locked {
        if let i = line.firstIndex(where: { $0.number == number }) { return line.remove(at: i) }
        guard let head, head.number == number else { return nil }
        self.head = nil
        return head
      }
      waiter?.continuation.resume(returning: false)
    }
  }

  private func passTurnOn() {
    let next: Waiter? = locked {
      if line.isEmpty {
        turnIsTaken = false
        return nil
      }
      return line.removeFirst()
    }
    next?.continuation.resume(returning: true)
  }

  // MARK: Leaving

  /// Gives a pass back.
  ///
  /// - Parameters:
  ///   - tokens: The true number of tokens, if it is known.
  ///   - isAnswered: Whether the server gave an answer.
  func leave(_ pass: Pass, tokens count: Int?, isAnswered: Bool) {
    let waiter: Waiter? = locked {
      underWay -= 1
      if isAnswered { width = min(widest, width + 1 / width) }
      if let count {
        tokens?.correct(
          number: pass.number, cost: Double(count), estimate: pass.estimate, at: clock.now())
      }
      guard underWay < Int(width) else { return nil }
      defer { head = nil }
      return head
    }
    waiter?.continuation.resume(returning: true)
  }

  /// Holds everybody back for a time, and lets fewer go at once from then on.
  func slow(_ pass: Pass, seconds: Double) {
    locked {
      let now = clock.now()
      pausedUntil = max(pausedUntil, now + seconds)
      // Many complaints at once are one: those of requests that began before the last change.
      if pass.time >= narrowedAt {
        width = max(1, (width / 2).rounded(.down))
        narrowedAt = now
      }
    }
  }
}
