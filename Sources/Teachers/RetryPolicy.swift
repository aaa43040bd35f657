import Foundation

/// How long to wait before a request is sent again: exponential backoff with full jitter (Brooker,
/// "Exponential Backoff And Jitter", 2015).
struct RetryPolicy: Equatable, Sendable {
  /// The first bound, in seconds; it doubles with every time.
  var base = 0.5
  /// The last bound, in seconds.
  var cap = 60.0

  /// Seconds to wait before a request is sent again for the `count`th time, from 1.
  ///
  /// It lies evenly between 0 and the bound. Where the server asked for a time, it is that and the
  /// jitter on top, since everybody else was told the same time.
  ///
  /// - Parameter share: A random number from 0 to less than 1.
  func seconds(count: Int, retryAfter: Double?, share: Double) -> Double {
    let doublings = min(max(count, 1) - 1, 30)
    let bound = min(cap, base * Double(1 << doublings))
    return (retryAfter ?? 0) + share * bound
  }
}

/// The clock and the chance that a teacher goes by; tests put others in their place.
public struct RemoteClock: Sendable {
  /// Seconds on a clock that never goes back.
  public var now: @Sendable () -> Double
  /// The time of day, which dates in replies are compared with.
  public var date: @Sendable () -> Date
  /// Waits so many seconds; throws if the task is cancelled.
  public var sleep: @Sendable (Double) async throws -> Void
  /// A random number from 0 to less than 1.
  public var random: @Sendable () -> Double

  public init(
    now: @escaping @Sendable () -> Double, date: @escaping @Sendable () -> Date,
    sleep: @escaping @Sendable (Double) async throws -> Void,
    random: @escaping @Sendable () -> Double
  ) {
    self.now = now
    self.date = date
    self.sleep = sleep
    self.random = random
  }

  /// The machine's.
  public static let system = RemoteClock(
    now: { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }, date: { Date() },
    sleep: { seconds in
      try await Task.sleep(nanoseconds: UInt64(max(0, min(seconds, 1e6)) * 1e9))
    }, random: { Double.random(in: 0..<1) })
}
