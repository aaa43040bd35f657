import Dispatch
import Foundation

/// Work on numbered things that are independent of each other, on several threads.
struct Workers: Sendable {
  /// How many work at once.
  let threads: Int

  init(_ threads: Int?) {
    self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  /// The results for `0..<count`, in their order, whatever thread made them when.
  ///
  /// - Throws: The error of the lowest number that has one.
  func map<Value: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws -> Value
  ) throws -> [Value] {
    let slots = Slots<Value>(count: count)
    if threads == 1 || count < 2 {
      for i in 0..<count { slots.set(i, Result { try body(i) }) }
    } else {
      DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
        while let i = slots.next() { slots.set(i, Result { try body(i) }) }
      }
    }
    return try slots.values()
  }

  /// Results that threads put in, each at a place of its own.
  private final class Slots<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Result<Value, any Error>?]
    private var position = 0

    init(count: Int) { results = [Result<Value, any Error>?](repeating: nil, count: count) }

    func next() -> Int? {
      lock.withLock {
        guard position < results.count else { return nil }
        position += 1
        return position - 1
      }
    }

    func set(_ i: Int, _ result: Result<Value, any Error>) {
      lock.withLock { results[i] = result }
    }

    func values() throws -> [Value] {
      try lock.withLock { try results.compactMap { try $0?.get() } }
    }
  }
}
