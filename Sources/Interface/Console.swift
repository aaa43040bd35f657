import Foundation

/// Where a command's words go: the standard output for what was asked for, the standard errors
/// for everything about it.
///
/// What is printed is written at once. On a terminal, a status line is kept below it. Safe to
/// use from several threads: all state is guarded by a lock.
public final class Console: @unchecked Sendable {
  private let output: Output
  private let errors: Output
  private let lock = NSLock()
  private var statusWidth = 0
  private var status = ""
  /// What stands above the status line, if the status is a block of lines; and how much of it is on
  /// the screen.
  private var block: [String] = []
  private var drawnBlock = 0
  private var closed: Set<Stream> = []
  private var firstFailure: String?

  private enum Stream { case output, errors }

  public init(output: Output, errors: Output) {
    self.output = output
    self.errors = errors
  }

  /// The process's own standard output and standard errors.
  ///
  /// From here on, the process ignores the signal SIGPIPE: a reader that goes away, such as
  /// `head`, silences the output, and the run goes on.
  public static func standard() -> Console {
    signal(SIGPIPE, SIG_IGN)
    return Console(output: .descriptor(STDOUT_FILENO), errors: .descriptor(STDERR_FILENO))
  }

  /// The console of a process that another one started and shows: words go to the standard output
  /// and errors, and a status as a line of its own among the errors, which `statusLines(in:)` reads.
  ///
  /// - Parameter columns: The width of the terminal on which it is shown.
  public static func relay(columns: Int) -> Console {
    signal(SIGPIPE, SIG_IGN)
    return Console(
      output: .descriptor(STDOUT_FILENO),
      errors: .relay(columns: columns, write: Output.descriptor(STDERR_FILENO).write))
  }

  /// The lines of a status that a console of `relay` wrote; nil for a line of another kind.
  public static func statusLines(in line: String) -> [String]? {
    guard line.unicodeScalars.first == Output.statusMark else { return nil }
    let lines = line.unicodeScalars.dropFirst().split(
      separator: Output.lineMark, omittingEmptySubsequences: false)
    return lines.count == 1 && lines[0].isEmpty ? [] : lines.map { String($0) }
  }

  /// Whether the standard errors, where progress is shown, are a terminal.
  public var isTerminal: Bool { errors.isTerminal }

  /// Whether the standard output is a terminal.
  public var outputIsTerminal: Bool { output.isTerminal }

  /// The width of the terminal on which progress is shown.
  public var columns: Int { errors.columns() }

  /// Prints a line, or several, to the standard output.
  public func print(_ line: String = "") { write(line + "\n") }

  /// Writes text as it is to the standard output, for what arrives piece by piece.
  public func write(_ text: String) { send(text, to: .output) }

  /// Prints a line, or several, to the standard errors: warnings, remarks, errors.
  public func note(_ line: String) { send(line + "\n", to: .errors) }

  /// Why the output could not be written, if so; a reader that went away is no failure.
  public var failure: String? { lock.withLock { firstFailure } }

  /// Shows `text` as the status line in place of the one before; nil takes it away. Without a
  /// terminal, nothing happens.
  func show(status text: String?) {
    guard isTerminal else { return }
    lock.withLock {
      if errors.relaysStatus { return relay(text.map { [$0] } ?? []) }
      let room = max(errors.columns() - 1, 0)  // a full line would move the cursor to the next
      if drawnBlock > 0 { eraseStatus() }
      block = []
      status = String((text ?? "").prefix(room))
      drawStatus()
    }
  }

  /// Shows lines as a block that is rewritten in place; an empty list takes it away. Without a
  /// terminal, nothing happens.
  public func show(block lines: [String]) {
    guard isTerminal else { return }
    lock.withLock {
      if errors.relaysStatus { return relay(lines) }
      let room = max(errors.columns() - 1, 0)
      eraseStatus()
      block = lines.dropLast().map { String($0.prefix(room)) }
      status = String((lines.last ?? "").prefix(room))
      drawStatus()
    }
  }

  /// Writes a status as one line, unless it is none and was none before.
  private func relay(_ lines: [String]) {
    guard !lines.isEmpty || !block.isEmpty else { return }
    block = lines
    let text = lines.map(printable).joined(separator: String(Output.lineMark))
    put(String(Output.statusMark) + text + "\n", to: .errors)
  }

  private func send(_ text: String, to stream: Stream) {
    guard !text.isEmpty else { return }
    lock.withLock {
      let sharesTerminal = stream == .errors || output.isTerminal
      if sharesTerminal, statusWidth > 0 || drawnBlock > 0 { eraseStatus() }
      put(text, to: stream)
      // Beside half a line there is no room; the next `show` brings it back.
      if sharesTerminal, text.hasSuffix("\n"), !status.isEmpty { drawStatus() }
    }
  }

  /// Writes the status over the one on the screen; blanks cover what the old one has more.
  private func drawStatus() {
    guard statusWidth > 0 || !status.isEmpty else { return }
    if !block.isEmpty, drawnBlock == 0 {
      put(block.map { $0 + "\n" }.joined(), to: .errors)
      drawnBlock = block.count
    }
    let blanks = String(repeating: " ", count: max(0, statusWidth - status.count))
    put("\r\(status)\(blanks)" + (blanks.isEmpty ? "" : "\r\(status)"), to: .errors)
    statusWidth = status.count
  }

  private func eraseStatus() {
    if statusWidth > 0 {
      put("\r\(String(repeating: " ", count: statusWidth))\r", to: .errors)
    }
    // One line up, and clear what stands there.
    if drawnBlock > 0 {
      put(String(repeating: "\u{1B}[1A\u{1B}[2K", count: drawnBlock), to: .errors)
    }
    statusWidth = 0
    drawnBlock = 0
  }

  private func put(_ text: String, to stream: Stream) {
    guard !closed.contains(stream) else { return }
    do {
      try (stream == .output ? output : errors).write(text)
    } catch {
      closed.insert(stream)
      if error.code != EPIPE, firstFailure == nil { firstFailure = error.description }
    }
  }
}

/// One stream that text is written to.
public struct Output: Sendable {
  let isTerminal: Bool
  /// The width of the terminal; read anew each time, since windows change.
  let columns: @Sendable () -> Int
  let write: @Sendable (String) throws(OutputError) -> Void
  /// Whether a status is written as a line for another process to show.
  private(set) var relaysStatus: Bool

  /// A stream of one's own.
  public init(
    isTerminal: Bool = false, columns: @escaping @Sendable () -> Int = { 80 },
    write: @escaping @Sendable (String) throws(OutputError) -> Void
  ) {
    self.isTerminal = isTerminal
    self.columns = columns
    self.write = write
    relaysStatus = false
  }

  /// What another process reads and shows, as `Console.statusLines(in:)` has it.
  static func relay(
    columns: Int, write: @escaping @Sendable (String) throws(OutputError) -> Void
  ) -> Output {
    var output = Output(isTerminal: true, columns: { columns }, write: write)
    output.relaysStatus = true
    return output
  }

  /// What begins a line that is a status, and what parts the lines of the status in it. Nothing that
  /// is printed holds them, since `printable` writes them as escapes.
  static let statusMark = Unicode.Scalar(UInt8(0x1E))
  static let lineMark = Unicode.Scalar(UInt8(0x1F))

  /// A file descriptor, which stays open. Writing to a pipe without a reader also raises
  /// SIGPIPE, which ends the process unless it is ignored, as `Console.standard()` does.
  public static func descriptor(_ descriptor: Int32) -> Output {
    Output(
      isTerminal: isatty(descriptor) == 1, columns: { terminalColumns(of: descriptor) }
    ) { (text) throws(OutputError) in
      try writeAll(Array(text.utf8), to: descriptor)
    }
  }
}

/// Why text could not be written, as the system's error number.
public struct OutputError: Error, Equatable, CustomStringConvertible {
  public let code: Int32
  public var description: String { String(cString: strerror(code)) }

  public init(code: Int32) { self.code = code }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(OutputError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    let code = errno
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if count < 0, code == EAGAIN {
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&wait, 1, -1)
    } else if count < 0, code != EINTR {
      throw OutputError(code: code)
    }
  }
}

private func terminalColumns(of descriptor: Int32) -> Int {
  var size = winsize()
  guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
  return Int(size.ws_col)
}

/// What a console was given to print, kept for tests to look at.
public final class Transcript: @unchecked Sendable {
  private let lock = NSLock()
  private var texts = (output: "", errors: "")

  public init() {}

  /// What went to the standard output so far.
  public var output: String { lock.withLock { texts.output } }
  /// What went to the standard errors so far.
  public var errors: String { lock.withLock { texts.errors } }

  /// A console that writes here, as a terminal would or as a pipe would.
  public func console(isTerminal: Bool = false, columns: Int = 80) -> Console {
    Console(
      output: Output(isTerminal: isTerminal, columns: { columns }) { [self] text in
        lock.withLock { texts.output += text }
      },
      errors: Output(isTerminal: isTerminal, columns: { columns }) { [self] text in
        lock.withLock { texts.errors += text }
      })
  }
}
