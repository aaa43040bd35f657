import Tensors

/// Runs `body` with the process's pool at `threads` threads, and sets it back.
public func withThreads<Result>(_ threads: Int, _ body: () throws -> Result) rethrows -> Result {
  let before = ThreadPool.shared.threads
  ThreadPool.shared.threads = threads
  defer { ThreadPool.shared.threads = before }
  return try body()
}

/// What `body` makes has the same bits on 1, 2, 3 and 8 threads.
public func assertSameBitsOnAnyThreads(
  _ what: String, file: StaticString = #filePath, line: UInt = #line,
  _ body: () -> [(name: String, tensor: Tensor)]
) {
  let alone = withThreads(1) { body().map { ($0.name, $0.tensor.copy()) } }
  for threads in [2, 3, 8] {
    for ((name, expected), made) in zip(alone, withThreads(threads, body)) {
      assertSameBits(
        made.tensor, expected, "\(what), \(name) on \(threads) threads", file: file, line: line)
    }
  }
}
