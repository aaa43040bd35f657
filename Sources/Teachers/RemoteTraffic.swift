/// Lets requests go one after the other, as fast as limits and the server's complaints permit.
///
/// All requests of a teacher pass here: a server that says "too many" to one means all of them.
actor RemoteTraffic {
  /// What a request has while it is under way.
  struct Pass: Sendable {
    let number: Int
    /// When it began.
    let time: Double
    /// The tokens that were reckoned with.
    let estimate: Double
  }

  private struct Waiter {
    let number: Int
    let continuation: CheckedContinuation<Void, Never>
  }

  private let clock: RemoteClock
  private let observe: @Sendable (TeacherEvent) -> Void
  private var requests: RateLimit?
  private var tokens: RateLimit?
  private let widest: Double
  /// How many requests may be under way: all that were asked for, half as many after each complaint,
  /// one more after as many answers.
  private var width: Double
  private var narrowedAt = -Double.infinity
  private var pausedUntil = -Double.infinity
  private var underWay = 0
  private var lastNumber = 0

  /// Whether somebody is at the head of the line.
  private var headIsTaken = false
  private var line: [Waiter] = []
  /// The head of the line, if it waits until fewer are under way.
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

  /// Waits for one's turn; who came first goes first.
  ///
  /// - Parameter estimate: The tokens of the request and of its answer.
  /// - Returns: A pass, to be given to `leave`; nil if the task was cancelled.
  func enter(estimate: Double) async -> Pass? {
    lastNumber += 1
    let number = lastNumber
    if headIsTaken {
      await wait(number) { self.line.append($0) }
      // Who is cancelled has left the line; who is at its head has to give it up below.
      if Task.isCancelled {
        if headNumber == number { passOn() }
        return nil
      }
    }
    headIsTaken = true
    headNumber = number
    defer { passOn() }
    while underWay >= Int(width) {
      if Task.isCancelled { return nil }
      await wait(number) { self.head = $0 }
    }
    while true {
      if Task.isCancelled { return nil }
      let now = clock.now()
      let pause = pausedUntil - now
      let limit = max(
        requests?.wait(cost: 1, at: now) ?? 0, tokens?.wait(cost: estimate, at: now) ?? 0)
      let seconds = max(pause, limit)
      guard seconds > 0 else {
        requests?.begin(number: number, cost: 1, at: now)
        tokens?.begin(number: number, cost: estimate, at: now)
        underWay += 1
        return Pass(number: number, time: now, estimate: estimate)
      }
      observe(.waiting(seconds: seconds, why: pause > limit ? .server : .limit))
      do { try await clock.sleep(seconds) } catch { return nil }
    }
  }

  /// Whose turn it is.
  private var headNumber = 0

  private func passOn() {
    if line.isEmpty {
      headIsTaken = false
    } else {
      let next = line.removeFirst()
      headNumber = next.number
      next.continuation.resume()
    }
  }

  private func wait(_ number: Int, _ keep: (Waiter) -> Void) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        if Task.isCancelled {
          continuation.resume()
        } else {
          keep(Waiter(number: number, continuation: continuation))
        }
      }
    } onCancel: {
      Task { await self.cancel(number) }
    }
  }

  private func cancel(_ number: Int) {
    if let i = line.firstIndex(where: { $0.number == number }) {
      line.remove(at: i).continuation.resume()
    } else if let waiter = head, waiter.number == number {
      head = nil
      waiter.continuation.resume()
    }
  }

  /// Gives a pass back.
  ///
  /// - Parameters:
  ///   - tokens: The true number of tokens, if it is known.
  ///   - isAnswered: Whether the server gave an answer.
  func leave(_ pass: Pass, tokens count: Int?, isAnswered: Bool) {
    underWay -= 1
    if isAnswered { width = min(widest, width + 1 / width) }
    if let count {
      tokens?.correct(
        number: pass.number, cost: Double(count), estimate: pass.estimate, at: clock.now())
    }
    if underWay < Int(width), let waiter = head {
      head = nil
      waiter.continuation.resume()
    }
  }

  /// Holds everybody back for a time, and lets fewer go at once from then on.
  func slow(_ pass: Pass, seconds: Double) {
    let now = clock.now()
    pausedUntil = max(pausedUntil, now + seconds)
    // Many complaints at once are one: those of requests that began before the last change.
    if pass.time >= narrowedAt {
      width = max(1, (width / 2).rounded(.down))
      narrowedAt = now
    }
  }
}
