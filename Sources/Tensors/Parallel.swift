import CKernels
import Foundation

/// The one place where threads are started: a pool of workers that share the tasks of a loop.
///
/// A worker that runs out of work spins for some tens of microseconds, so that the next loop of a
/// training or decoding step finds it awake, and then parks, so that a machine shared with others
/// is left alone. Which worker runs which task is left to chance; results must not depend on it.
public final class ThreadPool: @unchecked Sendable {
  /// The pool of this process. Its width is `DISTILL_THREADS`, or the number of cores.
  public static let shared = ThreadPool(
    threads: ThreadPool.threadsWished(in: ProcessInfo.processInfo.environment)
      ?? ProcessInfo.processInfo.activeProcessorCount)

  /// The most workers a pool may have.
  public static let limit = 1024

  /// The number of threads that share a loop, the calling one included.
  public var threads: Int {
    get { width }
    set {
      precondition((1...Self.limit).contains(newValue), "a pool of \(newValue) threads")
      turn.lock()
      width = newValue
      startMissingWorkers()
      turn.unlock()
    }
  }

  /// The number of threads that would share a loop begun here: one within a loop.
  public var threadsHere: Int { Self.workerOfThisThread == nil ? width : 1 }

  /// The value of `DISTILL_THREADS`; nil when it is absent or no number from 1 to `limit`.
  public static func threadsWished(in environment: [String: String]) -> Int? {
    environment["DISTILL_THREADS"].flatMap(Int.init).flatMap { (1...limit).contains($0) ? $0 : nil }
  }

  public init(threads: Int) {
    width = min(max(threads, 1), Self.limit)
    state = .allocate(capacity: 3 * Self.line)
    state.initialize(repeating: 0, count: 3 * Self.line)
    startMissingWorkers()
  }

  /// Calls `body` once for each index below `count`, on all threads, and returns when all are done.
  ///
  /// - Parameter body: Takes the task's index, and a number below `threads` that no other running
  ///   task has, for scratch memory. A loop within a loop runs on the thread it is met on.
  public func run(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    if let worker = Self.workerOfThisThread {
      for index in 0..<count { body(index, worker) }
      return
    }
    if count <= 0 { return }
    turn.lock()
    defer { turn.unlock() }
    Self.workerOfThisThread = 0
    defer { Self.workerOfThisThread = nil }
    if width == 1 || count == 1 {
      for index in 0..<count { body(index, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      job = (count, body)
      ck_store(finished, 0)
      generation &+= 1
      ck_store(ticket, Int64(generation & 0x7fff_ffff) << 32 | Int64(count))
      if ck_fetch_add(sleeping, 0) > 0 {
        pthread_mutex_lock(parking)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(parking)
      }
      while runOneTask(worker: 0) {}
      var rounds = 0
      while ck_load(finished) < Int64(count) {
        rounds += 1
        if rounds < 4096 { ck_pause() } else { sched_yield() }
      }
      job = nil
    }
  }

  /// Calls `body` for chunks of `0..<count` of at most `size` indices, in parallel.
  ///
  /// The cuts depend on `count` and `size` alone, so sums made per chunk and added in the order of
  /// the chunks have the same bits on any number of threads.
  public func forEachChunk(
    of count: Int, size: Int, _ body: (_ range: Range<Int>, _ chunk: Int, _ worker: Int) -> Void
  ) {
    precondition(size > 0, "chunks of \(size)")
    run((count + size - 1) / size) { chunk, worker in
      body(chunk * size..<min(count, (chunk + 1) * size), chunk, worker)
    }
  }

  // MARK: - Workers

  // The ticket holds a loop's generation in its high half and the number of tasks not yet taken in
  // its low half. Taking one is a compare-and-swap, so a worker that comes late takes from the loop
  // that is running, or nothing; and the loop can't end, nor `job` change, before it is done.
  // Each counter has a cache line of its own.
  private static let line = 16
  private let state: UnsafeMutablePointer<Int64>
  private var ticket: UnsafeMutablePointer<Int64> { state }
  private var finished: UnsafeMutablePointer<Int64> { state + Self.line }
  private var sleeping: UnsafeMutablePointer<Int64> { state + 2 * Self.line }

  private var width: Int
  private var started = 1
  private var generation = 0
  private var job: (count: Int, body: (Int, Int) -> Void)?
  private let turn = NSLock()
  private let parking: UnsafeMutablePointer<pthread_mutex_t> = {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    return mutex
  }()
  private let wake: UnsafeMutablePointer<pthread_cond_t> = {
    let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    pthread_cond_init(condition, nil)
    return condition
  }()

  // Kept in C: Foundation's dictionary of a thread costs more than the rest of a short loop.
  private static var workerOfThisThread: Int? {
    get {
      let number = Int(ck_number_of_this_thread().pointee)
      return number == 0 ? nil : number - 1
    }
    set { ck_number_of_this_thread().pointee = newValue.map { Int64($0) + 1 } ?? 0 }
  }

  private func startMissingWorkers() {
    while started < width {
      let worker = started
      started += 1
      let thread = Thread { [self] in work(as: worker) }
      thread.name = "distill-\(worker)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  private func work(as worker: Int) {
    Self.workerOfThisThread = worker
    while true {
      var rounds = 0
      while rounds < Self.spins {
        if runOneTask(worker: worker) {
          rounds = 0
        } else {
          ck_pause()
          rounds += 1
        }
      }
      pthread_mutex_lock(parking)
      _ = ck_fetch_add(sleeping, 1)
      while worker >= width || ck_fetch_add(ticket, 0) & 0xffff_ffff == 0 {
        pthread_cond_wait(wake, parking)
      }
      _ = ck_fetch_add(sleeping, -1)
      pthread_mutex_unlock(parking)
    }
  }

  private static let spins = 5000

  private func runOneTask(worker: Int) -> Bool {
    var seen = ck_load(ticket)
    while true {
      let left = Int(seen & 0xffff_ffff)
      // The width is that of the loop just seen: were it looked at before, a loop begun since then
      // might be too narrow for this worker.
      if left == 0 || worker >= width { return false }
      if ck_compare_and_swap(ticket, &seen, seen - 1) {
        runTask(left: left, worker: worker)
        _ = ck_fetch_add(finished, 1)
        return true
      }
    }
  }

  // A function of its own, so that nothing here refers to the loop's closure once its last task is
  // counted as finished: `run` checks that when it returns.
  @inline(never)
  private func runTask(left: Int, worker: Int) {
    if let job { job.body(job.count - left, worker) }
  }
}
