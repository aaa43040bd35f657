import Foundation

/// A program that runs beside this one and is spoken to through pipes, from one thread.
///
/// It is the leader of a process group of its own, so that whatever it started can be ended with it,
/// and gets no descriptors but its three. Foundation's `Process` has no groups.
final class RewardProcess {
  /// How a program ended.
  enum Ending: Equatable {
    case status(Int32)
    case signal(Int32)

    var description: String {
      switch self {
      case .status(let status): "ended with exit status \(status)"
      case .signal(let number): "was ended by signal \(number)"
      }
    }
  }

  /// Bytes of standard error that are kept: its end.
  static let longestErrors = 2_048

  private var pid: pid_t
  private var input: Int32
  private var output: Int32
  private var errors: Int32
  /// The end of what it wrote to standard error.
  private(set) var lastErrors: [UInt8] = []

  /// It does not read its input any more.
  var inputIsClosed: Bool { input < 0 }
  var outputIsClosed: Bool { output < 0 }

  /// Starts a program.
  ///
  /// - Parameter command: Its path, or its name to be looked up in `PATH`, and its arguments.
  /// - Throws: `RewardError` that names what can't be started.
  init(_ command: [String]) throws(RewardError) {
    var pipes: [(reading: Int32, writing: Int32)] = []
    func closeAll() {
      for pipe in pipes {
        Foundation.close(pipe.reading)
        Foundation.close(pipe.writing)
      }
    }
    for _ in 0..<3 {
      guard let pipe = Self.pipe() else {
        let code = errno
        closeAll()
        throw Self.error(command, code)
      }
      pipes.append(pipe)
    }
    let (code, pid) = Self.spawn(
      command, input: pipes[0].reading, output: pipes[1].writing, errors: pipes[2].writing)
    guard code == 0 else {
      closeAll()
      throw Self.error(command, code)
    }
    self.pid = pid
    for end in [pipes[0].reading, pipes[1].writing, pipes[2].writing] { Foundation.close(end) }
    (input, output, errors) = (pipes[0].writing, pipes[1].reading, pipes[2].reading)
    for end in [input, output, errors] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    #if canImport(Darwin)
      _ = fcntl(input, F_SETNOSIGPIPE, 1)
    #endif
  }

  deinit { end(waitingSeconds: 0) }

  private static func error(_ command: [String], _ code: Int32) -> RewardError {
    RewardError(
      .program,
      "The reward 'program': \(RewardProgram.name(of: command)) can't be started: "
        + "\(String(cString: strerror(code))). Give the program's path, or a name that is in PATH, "
        + "and make it executable.")
  }

  // MARK: Talking

  /// Waits until something can be written or read, and does it.
  ///
  /// - Parameters:
  ///   - bytes: What is to be written; what was is taken off. All of it goes once the program has
  ///     closed its input.
  ///   - milliseconds: The longest wait.
  ///   - received: Is given what the program wrote, at most 64 KiB at a time.
  /// - Returns: Whether anything happened.
  @discardableResult
  func step(
    writing bytes: inout ArraySlice<UInt8>, waiting milliseconds: Int32,
    received: (UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    // Negative descriptors are passed over.
    var waits = [
      pollfd(fd: bytes.isEmpty ? -1 : input, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&waits, 3, milliseconds) > 0 else { return false }
    if waits[0].revents != 0 { write(&bytes) }
    if waits[1].revents != 0 { Self.read(&output, received) }
    if waits[2].revents != 0 {
      Self.read(&errors) { text in
        lastErrors += text.suffix(Self.longestErrors)
        lastErrors.removeFirst(max(0, lastErrors.count - Self.longestErrors))
      }
    }
    return true
  }

  private func write(_ bytes: inout ArraySlice<UInt8>) {
    // More than a pipe holds need not be offered.
    let part = bytes.prefix(1 << 16)
    let (count, code) = part.withUnsafeBytes { Self.writeQuietly(input, $0) }
    if count > 0 {
      bytes = bytes.dropFirst(count)
    } else if count < 0, code != EAGAIN, code != EINTR {
      Self.close(&input)
      bytes = []
    }
  }

  /// Writes to a pipe; that nobody reads from it is an error number and no signal.
  private static func writeQuietly(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer
  ) -> (count: Int, code: Int32) {
    #if canImport(Darwin)
      let count = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
      return (count, errno)
    #else
      // A library can't ignore SIGPIPE for all of the process: this thread takes it, and drops it.
      var pipe = sigset_t()
      var before = sigset_t()
      var pending = sigset_t()
      sigemptyset(&pipe)
      sigaddset(&pipe, SIGPIPE)
      sigpending(&pending)
      let wasPending = sigismember(&pending, SIGPIPE) == 1
      pthread_sigmask(SIG_BLOCK, &pipe, &before)
      let count = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
      let code = errno
      if count < 0, code == EPIPE, !wasPending {
        var now = timespec()
        while sigtimedwait(&pipe, nil, &now) < 0, errno == EINTR {}
      }
      pthread_sigmask(SIG_SETMASK, &before, nil)
      return (count, code)
    #endif
  }

  private static func read(
    _ descriptor: inout Int32, _ received: (UnsafeRawBufferPointer) -> Void
  ) {
    let reading = descriptor
    let isOver = withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
      let count = Foundation.read(reading, buffer.baseAddress, buffer.count)
      if count > 0 {
        received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return false
      }
      return count == 0 || (errno != EAGAIN && errno != EINTR)
    }
    if isOver { close(&descriptor) }
  }

  // MARK: Ending

  /// Whether it has ended; it stays to be collected, so that its group's number is nobody else's.
  var hasEnded: Bool {
    guard pid > 0 else { return true }
    var information = siginfo_t()
    let result = waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT)
    return result == 0 ? information.si_signo == SIGCHLD : errno == ECHILD
  }

  /// Closes its input, waits for its end, and ends it and all of its group where it takes longer.
  ///
  /// - Returns: How it ended, if it did by itself.
  @discardableResult
  func end(waitingSeconds seconds: Double) -> Ending? {
    guard pid > 0 else { return nil }
    Self.close(&input)
    let deadline = DispatchTime.now() + seconds
    var nothing: ArraySlice<UInt8> = []
    while !hasEnded, DispatchTime.now() < deadline {
      // It may have a word to say before, and waits until it is read.
      step(writing: &nothing, waiting: 10, received: { _ in })
    }
    let endedByItself = hasEnded
    // What a pipe holds of its last words; something it started may go on writing.
    var rounds = 0
    while rounds < 16, step(writing: &nothing, waiting: 0, received: { _ in }) { rounds += 1 }
    kill(-pid, SIGKILL)
    // It may have left its group.
    kill(pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    pid = -1
    Self.close(&output)
    Self.close(&errors)
    guard endedByItself else { return nil }
    let signal = status & 0x7F
    return signal == 0 ? .status(status >> 8 & 0xFF) : .signal(signal)
  }

  private static func close(_ descriptor: inout Int32) {
    if descriptor >= 0 { _ = Foundation.close(descriptor) }
    descriptor = -1
  }

  // MARK: Starting

  /// A pipe that other programs do not inherit, with numbers above those of the three that it
  /// becomes. A program that another thread starts in this moment might; those in sandboxes close
  /// all that they inherit.
  private static func pipe() -> (reading: Int32, writing: Int32)? {
    var ends: [Int32] = [-1, -1]
    guard Foundation.pipe(&ends) == 0 else { return nil }
    let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 3) }
    let code = errno
    for end in ends { Foundation.close(end) }
    guard moved[0] >= 0, moved[1] >= 0 else {
      for end in moved where end >= 0 { Foundation.close(end) }
      errno = code
      return nil
    }
    return (moved[0], moved[1])
  }

  private static func spawn(
    _ command: [String], input: Int32, output: Int32, errors: Int32
  ) -> (code: Int32, pid: pid_t) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
      let others = Int32(POSIX_SPAWN_CLOEXEC_DEFAULT)
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
      let others: Int32 = 0
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, errors, 2)
    #if os(Linux)
      // What somebody before us left open is not for it. That one is closed meanwhile is no error.
      for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
        if let number = Int32(name), number > 2 {
          posix_spawn_file_actions_addclose(&actions, number)
        }
      }
    #endif
    // Signals that this process ignores, as SIGINT while it saves its work, end the program.
    var none = sigset_t()
    var usual = sigset_t()
    sigemptyset(&none)
    sigemptyset(&usual)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&usual, signal) }
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &usual)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags =
      Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGMASK)
      | Int32(POSIX_SPAWN_SETSIGDEF) | others
    posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))
    var arguments = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    #if canImport(Darwin)
      let environment = _NSGetEnviron().pointee
    #else
      let environment = environ
    #endif
    var pid: pid_t = -1
    let code = posix_spawnp(
      &pid, command.first ?? "", &actions, &attributes, &arguments, environment)
    return (code, pid)
  }
}
