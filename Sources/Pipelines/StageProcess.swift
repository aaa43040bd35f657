import Foundation
import Interface
import Storage

/// A stage as a process of its own: this program, with the command of the stage.
///
/// So a stage that crashes, or that the system kills for its memory, is told as such; its peak of
/// memory is its own, and all of it is given back. The process is in a group of its own, so that
/// Ctrl-C reaches it once, through this one. It ends when this one is gone (`StageChild`).
public struct StageProcess: Sendable {
  /// The program's file.
  let executable: String
  /// The folder that the stage runs in; empty for the current one.
  let folder: String
  /// The width of the terminal on which its status is shown; nil where there is none.
  let columns: Int?

  public init(executable: String, folder: String = "", columns: Int? = nil) {
    (self.executable, self.folder, self.columns) = (executable, folder, columns)
  }

  /// Runs the program with these words and waits for its end.
  ///
  /// - Throws: `PipelineError` if it cannot be started.
  public func run(_ words: [String], _ observer: StageObserver) throws(PipelineError) -> StageEnding
  {
    let start = ProcessInfo.processInfo.systemUptime
    // What it reads from ends when this process does, however it ends.
    let life = try Pipe()
    let output = try Pipe()
    let errors = try Pipe()
    let pid = try spawn(words, life, output, errors, lock: observer.lock)
    life.closeReading()
    output.unblock()
    errors.unblock()
    output.closeWriting()
    errors.closeWriting()

    var printed: [UInt8] = []
    var said = StageLines()
    var mistakes: [String] = []
    var usage = rusage()
    var status: Int32 = 0
    var isOver = false
    var stopsAsked = false
    var secondsLeft = 20  // tenths, for what a process of the stage's own still holds open
    while !(isOver && (secondsLeft == 0 || output.isAtEnd && errors.isAtEnd)) {
      if observer.isStopped(), !stopsAsked {
        stopsAsked = true
        kill(pid, SIGTERM)
      }
      Pipe.wait(for: [output, errors], milliseconds: 100)
      output.read { printed += $0 }
      errors.read { bytes in
        said.add(bytes) { line in Self.tell(line, observer, &mistakes) }
      }
      observer.tick()
      if isOver {
        secondsLeft -= 1
      } else if wait4(pid, &status, WNOHANG, &usage) == pid {
        isOver = true
      }
    }
    said.finish { line in Self.tell(line, observer, &mistakes) }
    observer.status([])
    _ = life  // held until here
    let words = mistakes.joined(separator: "\n")
    return StageEnding(
      Self.outcome(status, stopsAsked: stopsAsked, words),
      seconds: ProcessInfo.processInfo.systemUptime - start, peakBytes: Self.peak(usage),
      printed: String(decoding: printed, as: UTF8.self))
  }

  /// Takes a line of the stage's errors: its status, its errors, or what else it says.
  static func tell(_ line: String, _ observer: StageObserver, _ errors: inout [String]) {
    let mark = "Error: "
    if let lines = Console.statusLines(in: line) {
      observer.status(lines)
    } else if line.hasPrefix(mark) {
      errors.append(String(line.dropFirst(mark.count)))
    } else {
      observer.note(line)
    }
  }

  static func outcome(_ status: Int32, stopsAsked: Bool, _ words: String) -> StageEnding.Outcome {
    let signal = status & 0x7F
    if signal == 0 {
      let code = status >> 8 & 0xFF
      if code == 0 { return .done }
      if code == StoppedPipeline(stage: "").exitStatus { return .stopped }
      return .failed(words.isEmpty ? "The program ended with status \(code)." : words)
    }
    // Before it has begun its work, a stage ends at the signal itself.
    if stopsAsked { return .stopped }
    let name = String(cString: strsignal(signal))
    let found = words.isEmpty ? "" : words + "\n"
    return .failed(
      found + "The program was ended by signal \(signal) (\(name))."
        + (signal == SIGKILL ? " The system does that when memory runs out." : ""))
  }

  private static func peak(_ usage: rusage) -> Int? {
    #if canImport(Darwin)
      let bytes = Int(usage.ru_maxrss)
    #else
      let (bytes, overflow) = Int(usage.ru_maxrss).multipliedReportingOverflow(by: 1024)
      if overflow { return nil }
    #endif
    return bytes > 0 ? bytes : nil
  }

  private func spawn(
    _ words: [String], _ life: Pipe, _ output: Pipe, _ errors: Pipe, lock: Int32?
  ) throws(PipelineError) -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_adddup2(&actions, life.reading, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.writing, 2)
    if let lock { posix_spawn_file_actions_adddup2(&actions, lock, StageChild.lockDescriptor) }
    // Signals that this process ignores or keeps for itself have their usual meaning there.
    var none = sigset_t()
    var usual = sigset_t()
    sigemptyset(&none)
    sigemptyset(&usual)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&usual, signal) }
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &usual)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags =
      Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
    posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))
    var arguments = ([executable] + words).map { strdup($0) } + [nil]
    let variables =
      ProcessInfo.processInfo.environment.filter { $0.key != StageChild.variable }
      .map { "\($0.key)=\($0.value)" } + ["\(StageChild.variable)=\(columns ?? 0):\(folder)"]
    var environment = variables.map { strdup($0) } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var pid: pid_t = -1
    let code = posix_spawn(&pid, executable, &actions, &attributes, &arguments, &environment)
    guard code == 0 else {
      throw PipelineError(
        "\(executable): the program cannot be started for a stage: "
          + "\(String(cString: strerror(code))).")
    }
    return pid
  }
}

/// The lines of what a process says, as it arrives.
struct StageLines {
  private var rest: [UInt8] = []

  mutating func add(_ bytes: ArraySlice<UInt8>, _ line: (String) -> Void) {
    rest += bytes
    while let feed = rest.firstIndex(of: 0x0A) {
      line(String(decoding: rest[..<feed], as: UTF8.self))
      rest.removeSubrange(...feed)
    }
  }

  /// The last line, if it has no line feed.
  mutating func finish(_ line: (String) -> Void) {
    if !rest.isEmpty { line(String(decoding: rest, as: UTF8.self)) }
    rest = []
  }
}

/// A pipe whose ends no other program inherits, unless it is given one.
private final class Pipe {
  private(set) var reading: Int32 = -1
  private(set) var writing: Int32 = -1
  private(set) var isAtEnd = false

  init() throws(PipelineError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw PipelineError("No pipe to a stage can be made: \(String(cString: strerror(errno))).")
    }
    // Below 4 they would stand where the child's own descriptors go.
    (reading, writing) = (fcntl(ends[0], F_DUPFD_CLOEXEC, 10), fcntl(ends[1], F_DUPFD_CLOEXEC, 10))
    for end in ends { close(end) }
    guard reading >= 0, writing >= 0 else {
      throw PipelineError("No pipe to a stage can be made: too many files are open.")
    }
  }

  /// Lets `read` return where nothing is there yet. The other side of the end has that too.
  func unblock() { _ = fcntl(reading, F_SETFL, O_NONBLOCK) }

  deinit {
    closeReading()
    closeWriting()
  }

  func closeReading() {
    if reading >= 0 { close(reading) }
    reading = -1
  }

  func closeWriting() {
    if writing >= 0 { close(writing) }
    writing = -1
  }

  /// Takes what there is, without waiting.
  func read(_ body: (ArraySlice<UInt8>) -> Void) {
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while !isAtEnd {
      let count = part.withUnsafeMutableBytes {
        Foundation.read(reading, $0.baseAddress, $0.count)
      }
      if count > 0 {
        body(part[..<count])
      } else if count == 0 {
        isAtEnd = true
      } else if errno != EINTR {
        return
      }
    }
  }

  /// Waits until there is something to read, or some time has passed.
  static func wait(for pipes: [Pipe], milliseconds: Int32) {
    var polled = pipes.filter { !$0.isAtEnd }.map {
      pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0)
    }
    guard !polled.isEmpty else {
      usleep(UInt32(milliseconds) * 100)
      return
    }
    poll(&polled, nfds_t(polled.count), milliseconds)
  }
}
