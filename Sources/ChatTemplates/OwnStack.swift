import Foundation

/// Runs work on a thread with a stack of its own.
///
/// The parser and the interpreter recurse as deep as a template is nested, which the limits
/// bound, but not to what every caller's stack has left: threads of Dispatch have 512 KiB.
enum OwnStack {
  /// The memory is taken as it is touched, so the size costs nothing where it is not needed.
  private static let bytes = 256 << 20

  /// Runs the work and waits for its end.
  static func run<Result>(_ body: () throws -> Result) throws -> Result {
    try withoutActuallyEscaping(body) { body in
      let work = Work(body)
      let thread = Thread { work.run() }
      thread.stackSize = bytes
      thread.start()
      return try work.result().get()
    }
  }

  /// The semaphore makes the other thread's writes seen here; only one of them runs at a time.
  private final class Work<Value>: @unchecked Sendable {
    private var body: (() throws -> Value)?
    private var outcome: Swift.Result<Value, any Error>?
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping () throws -> Value) { self.body = body }

    func run() {
      if let body { outcome = Swift.Result { try body() } }
      body = nil
      done.signal()
    }

    func result() -> Swift.Result<Value, any Error> {
      done.wait()
      return outcome ?? .failure(TemplateFault.limit("no stack for the template."))
    }
  }
}
