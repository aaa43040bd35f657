import CKernels
import Foundation
import TestSupport
import XCTest

@testable import Tensors

/// Every index once, whatever the threads, and whoever else is calling.
final class ThreadPoolTests: XCTestCase {
  func testEveryIndexOnce() {
    for threads in [1, 2, 3, 8] {
      let pool = ThreadPool(threads: threads)
      for count in [0, 1, 2, 3, 7, 64, 1000] {
        let calls = Counts(count)
        pool.run(count) { index, worker in
          calls.add(index)
          XCTAssertTrue((0..<threads).contains(worker), "worker \(worker) of \(threads)")
        }
        XCTAssertEqual(calls.values, Array(repeating: 1, count: count), "\(threads) threads")
      }
    }
  }

  func testChunksCoverTheRange() {
    let pool = ThreadPool(threads: 3)
    for (count, size) in [(0, 4), (1, 4), (4, 4), (5, 4), (1000, 7), (3, 1000)] {
      let calls = Counts(count), chunks = Counts((count + size - 1) / size)
      pool.forEachChunk(of: count, size: size) { range, chunk, _ in
        XCTAssertEqual(range.lowerBound, chunk * size)
        XCTAssertLessThanOrEqual(range.count, size)
        chunks.add(chunk)
        for index in range { calls.add(index) }
      }
      XCTAssertEqual(calls.values, Array(repeating: 1, count: count), "\(count) by \(size)")
      XCTAssertEqual(chunks.values, Array(repeating: 1, count: chunks.count), "\(count) by \(size)")
    }
  }

  /// No two tasks that run at once have the same worker's number: it stands for scratch memory.
  func testWorkersHaveNumbersOfTheirOwn() {
    let pool = ThreadPool(threads: 8)
    let busy = Counts(8), clashes = Counts(1)
    for _ in 0..<200 {
      pool.run(64) { _, worker in
        if busy.add(worker) != 0 { clashes.add(0) }
        for _ in 0..<50 { ck_pause() }
        busy.add(worker, -1)
      }
    }
    XCTAssertEqual(clashes.values, [0])
  }

  /// Tasks do run beside one another: each of two waits for the other.
  func testTasksRunAtTheSameTime() {
    let pool = ThreadPool(threads: 2)
    let arrived = Counts(1)
    let deadline = Date(timeIntervalSinceNow: 20)
    pool.run(2) { _, _ in
      arrived.add(0)
      while arrived.values[0] < 2 && Date() < deadline { sched_yield() }
    }
    XCTAssertEqual(arrived.values, [2])
    XCTAssertLessThan(Date(), deadline, "one task waited in vain for the other")
  }

  func testALoopWithinALoop() {
    for threads in [1, 2, 3, 8] {
      let pool = ThreadPool(threads: threads)
      let calls = Counts(20 * 30)
      pool.run(20) { outer, worker in
        pool.run(30) { inner, innerWorker in
          XCTAssertEqual(innerWorker, worker, "a loop within a loop runs on its thread")
          calls.add(outer * 30 + inner)
        }
      }
      XCTAssertEqual(calls.values, Array(repeating: 1, count: 600), "\(threads) threads")
      // One task alone, too, and afterwards the calling thread shares its loops again.
      let once = Counts(5)
      pool.run(1) { _, _ in pool.run(5) { index, _ in once.add(index) } }
      XCTAssertEqual(once.values, Array(repeating: 1, count: 5))
    }
  }

  func testManyTinyLoops() {
    let pool = ThreadPool(threads: 3)
    let calls = Counts(3)
    for _ in 0..<100_000 { pool.run(3) { index, _ in calls.add(index) } }
    XCTAssertEqual(calls.values, [100_000, 100_000, 100_000])
  }

  /// Loops far enough apart for workers to park in between.
  func testWorkersWakeUp() {
    let pool = ThreadPool(threads: 3)
    let calls = Counts(40)
    for _ in 0..<50 {
      usleep(1000)
      pool.run(40) { index, _ in calls.add(index) }
    }
    XCTAssertEqual(calls.values, Array(repeating: 50, count: 40))
  }

  func testCallersOnSeveralThreads() {
    let pool = ThreadPool(threads: 3)
    let callers = 4, loops = 500
    let calls = (0..<callers).map { _ in Counts(17) }
    let done = DispatchGroup()
    for caller in 0..<callers {
      done.enter()
      let thread = Thread {
        for _ in 0..<loops {
          pool.run(17) { index, worker in
            calls[caller].add(index)
            XCTAssertTrue((0..<3).contains(worker))
          }
        }
        done.leave()
      }
      thread.start()
    }
    XCTAssertEqual(done.wait(timeout: .now() + 30), .success, "the callers did not come back")
    for caller in 0..<callers {
      XCTAssertEqual(calls[caller].values, Array(repeating: loops, count: 17), "caller \(caller)")
    }
  }

  /// After the pool is made narrower, no task gets a number beyond its width: scratch memory was
  /// made for that many. (A worker that looked at the width before it looked for a task once came
  /// too late, in one of some ten thousand loops.)
  func testChangingTheNumberOfThreads() {
    let pool = ThreadPool(threads: 32)
    let calls = Counts(32), strangers = Counts(1)
    let rounds = 40_000
    let widths = [2, 32, 3, 32]
    for round in 0..<rounds {
      let threads = widths[round % widths.count]
      pool.threads = threads
      XCTAssertEqual(pool.threads, threads)
      pool.run(32) { index, worker in
        calls.add(index)
        if worker >= threads { strangers.add(0) }
      }
    }
    XCTAssertEqual(calls.values, Array(repeating: rounds, count: 32))
    XCTAssertEqual(strangers.values, [0], "tasks with a number beyond the pool's width")
  }

  func testWhatTheEnvironmentWishes() {
    let cases: [(String?, Int?)] = [
      (nil, nil), ("", nil), ("0", nil), ("-1", nil), ("x", nil), ("1.5", nil), ("1025", nil),
      ("1", 1), ("12", 12), ("1024", 1024),
    ]
    for (text, threads) in cases {
      let environment = text.map { ["DISTILL_THREADS": $0] } ?? [:]
      XCTAssertEqual(ThreadPool.threadsWished(in: environment), threads, "'\(text ?? "")'")
    }
  }
}

/// Counters that any thread may add to.
private final class Counts: @unchecked Sendable {
  let count: Int
  private let memory: UnsafeMutablePointer<Int64>

  init(_ count: Int) {
    self.count = count
    memory = .allocate(capacity: max(1, count))
    memory.initialize(repeating: 0, count: max(1, count))
  }

  deinit { memory.deallocate() }

  /// Returns what was there before.
  @discardableResult
  func add(_ index: Int, _ amount: Int64 = 1) -> Int64 { ck_fetch_add(memory + index, amount) }

  var values: [Int] { (0..<count).map { Int(ck_fetch_add(memory + $0, 0)) } }
}
