import Foundation
import Storage

/// Keeps others from the same whole run, as long as this object and the stage it started live.
final class RunLock {
  let descriptor: Int32

  /// Takes the lock of a run's folder. Who was killed may have left a stage that is about to end, so
  /// that it is tried for a few seconds.
  ///
  /// - Throws: `PipelineError` if another run has it, or it cannot be made.
  init(in folder: String, seconds: Double = 5) throws(PipelineError) {
    let path = folder + "/.lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard file >= 0 else {
      throw PipelineError("\(path): \(String(cString: strerror(errno))).")
    }
    // Not where a stage's own descriptors stand.
    descriptor = fcntl(file, F_DUPFD_CLOEXEC, 10)
    close(file)
    let start = ProcessInfo.processInfo.systemUptime
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      // Some file systems have no locks.
      guard errno == EWOULDBLOCK || errno == EINTR else { return }
      guard ProcessInfo.processInfo.systemUptime - start < seconds else {
        close(descriptor)
        throw PipelineError("\(folder): another run is at work here. Wait until it is done.")
      }
      usleep(50_000)
    }
  }

  deinit { close(descriptor) }
}
