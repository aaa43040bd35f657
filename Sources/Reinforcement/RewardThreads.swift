import Dispatch
import Foundation

/// Work on numbered things that are independent of each other, on threads of its own: a program under
/// test is waited for more than worked on, which would block a pool.
struct RewardThreads: Sendable {
  /// How many work at once.
  let count: Int

  init(_ count: Int?) {
    self.count = max(1, count ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  /// The results for `0..<count`, in their order, whatever thread made them when.
  ///
  /// - Parameter isStopped: Asked about ten times a second. Once it is true, nothing more is begun,
  ///   and what is under way is left to end by itself.
  /// - Throws: `RewardError.stopped`.
  func map<Value: Sendable>(
    _ count: Int, isStopped: () -> Bool, _ body: @escaping @Sendable (Int) -> Value
  ) throws(RewardError) -> [Value] {
    let slots = Slots<Value>(count: count)
    let group = DispatchGroup()
    for number in 0..<min(self.count, count) {
      group.enter()
      let thread = Thread {
        while let i = slots.next() { slots.set(i, body(i)) }
        group.leave()
      }
      thread.name = "reward-\(number)"
      thread.stackSize = 8 << 20
      thread.start()
    }
    while group.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      if isStopped() {
        slots.end()
        throw .stopped
      }
    }
    if isStopped() { throw .stopped }
    return slots.values
  }

  /// Results that threads put in, each at a place of its own.
  private final class Slots<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Value?]
    private var position = 0

    init(count: Int) { results = [Value?](repeating: nil, count: count) }

    func next() -> Int? {
      lock.withLock {
        guard position < results.count else { return nil }
        position += 1
        return position - 1
      }
    }

    func end() { lock.withLock { position = results.count } }

    func set(_ i: Int, _ value: Value) { lock.withLock { results[i] = value } }

    var values: [Value] { lock.withLock { results.compactMap { $0 } } }
  }
}
