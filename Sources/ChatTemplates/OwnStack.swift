import Foundation

/// Runs work on a thread with a stack of its own.
///
/// The parser and the interpreter recurse as deep as a template is nested, which the limits
/// bound, but not to what every caller's stack has left: threads of Dispatch have 512 KiB.
///
/// Inside of work that runs here already, work runs at once: whoever renders many conversations can
/// have one thread for all of them.
public enum OwnStack {
  /// Four times what the deepest evaluation takes in a debug build. Memory is taken as it is
  /// touched, so the size costs nothing where it is not needed.
  private static let bytes = 64 << 20

  /// Runs the work and waits for its end.
  ///
  /// - Throws: What the work throws, or that the system gives no thread.
  public static func run<Result>(_ body: () throws -> Result) throws -> Result {
    if pthread_getspecific(mark) != nil { return try body() }
    return try withoutActuallyEscaping(body) { body in
      let work = Work(body)
      let job = Job { work.run() }
      // The job outlives the thread, which is waited for.
      try withExtendedLifetime(job) {
        try runToItsEnd(Unmanaged.passUnretained(job).toOpaque())
      }
      return try work.result()
    }
  }

  /// Set on threads that were made here.
  fileprivate static let mark: pthread_key_t = {
    var key = pthread_key_t()
    // Without a key every run has a thread of its own.
    pthread_key_create(&key, nil)
    return key
  }()

  private static let noThread = TemplateFault.limit(
    "the system gives no thread to work with the template on.")

  private final class Work<Value> {
    private let body: () throws -> Value
    private var outcome: Swift.Result<Value, any Error>?

    init(_ body: @escaping () throws -> Value) { self.body = body }

    func run() { outcome = Swift.Result { try body() } }

    func result() throws -> Value {
      guard let outcome else { throw OwnStack.noThread }
      return try outcome.get()
    }
  }

  /// What C can hand to a thread.
  fileprivate final class Job {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
  }

  /// Runs a job on a thread, and waits for it.
  private static func runToItsEnd(_ job: UnsafeMutableRawPointer) throws {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, bytes)
    #if canImport(Darwin)
      var thread: pthread_t?
      let code = pthread_create(&thread, &attributes, start, job)
    #else
      var thread = pthread_t()
      let code = pthread_create(&thread, &attributes, start, job)
    #endif
    pthread_attr_destroy(&attributes)
    guard code == 0 else { throw noThread }
    #if canImport(Darwin)
      if let thread { pthread_join(thread, nil) }
    #else
      pthread_join(thread, nil)
    #endif
  }
}

/// Where the thread begins; the system's declarations differ in whether there may be no argument.
#if canImport(Darwin)
  private func start(_ job: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    pthread_setspecific(OwnStack.mark, job)
    Unmanaged<OwnStack.Job>.fromOpaque(job).takeUnretainedValue().run()
    return nil
  }
#else
  private func start(_ job: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    pthread_setspecific(OwnStack.mark, job)
    if let job { Unmanaged<OwnStack.Job>.fromOpaque(job).takeUnretainedValue().run() }
    return nil
  }
#endif
