import Foundation
import Interface

/// The other side of a `StageProcess`: what this process does where it is a stage of a whole run.
public enum StageChild {
  /// Tells a process that it is one, as in `80:folder`: by the width of the terminal, or 0 without
  /// one, and the folder to work in, or nothing for the current one.
  static let variable = "DISTILL_STAGE"
  /// Where it has the lock of the whole run.
  static let lockDescriptor: Int32 = 3

  /// The console of a stage, whose process now ends when the one that started it is gone; nil where
  /// this process is no stage.
  public static func console() -> Console? {
    guard let text = ProcessInfo.processInfo.environment[variable],
      let colon = text.firstIndex(of: ":"), let columns = Int(text[..<colon]), isPipe(STDIN_FILENO)
    else { return nil }
    // POSIX has no way to spawn a process in another folder that all systems know.
    let folder = String(text[text.index(after: colon)...])
    if !folder.isEmpty, chdir(folder) != 0 {
      Console.standard().note("Error: \(folder): \(String(cString: strerror(errno))).")
      _exit(1)
    }
    // Programs that the stage itself starts are none.
    unsetenv(variable)
    _ = fcntl(lockDescriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC)
    Thread.detachNewThread {
      // Nothing is ever written there.
      var byte: UInt8 = 0
      while true {
        let count = Foundation.read(STDIN_FILENO, &byte, 1)
        if count == 0 || count < 0 && errno != EINTR {
          _exit(StoppedPipeline(stage: "").exitStatus)
        }
      }
    }
    return columns > 0 ? .relay(columns: columns) : .standard()
  }

  private static func isPipe(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
  }
}
