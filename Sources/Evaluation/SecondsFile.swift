import Foundation
import Storage

/// `seconds.json`: what the sessions of an evaluation took, by benchmark.
///
/// It is written while there is work, so that a killed session is counted but for its last minute.
/// Safe to use from several threads.
final class SecondsFile: @unchecked Sendable {
  private let path: String
  private let secondsBetweenNotes: Double
  private let lock = NSLock()
  // Everything below is touched with the lock held.
  private var members: [(key: String, value: JSONValue)] = []
  private var name = ""
  /// What was before is written.
  private var start = ContinuousClock.now

  /// What can't be read counts as nothing: it is told beside figures, and none depends on it.
  ///
  /// - Parameter secondsBetweenNotes: How often `writeIfDue` writes.
  init(at path: String, every secondsBetweenNotes: Double) {
    self.path = path
    self.secondsBetweenNotes = secondsBetweenNotes
    if let file = try? MappedFile(at: path),
      case .object(let object)? = withExtendedLifetime(
        file, { try? JSONValue(parsing: file.bytes, source: path) })
    {
      members = object.members
    }
  }

  /// From here on, time is that of a benchmark.
  func begin(_ name: String) {
    lock.withLock { (self.name, start) = (name, .now) }
  }

  func seconds(of name: String) -> Double { lock.withLock { stored(name) } }

  /// Adds what passed since it was last written, or since `begin`.
  ///
  /// - Throws: `FileError`.
  func write() throws { try lock.withLock { try add() } }

  /// The same, if enough passed; to be called whenever something was made.
  func writeIfDue() {
    // A later one will throw if this can't be written.
    lock.withLock { if elapsed >= secondsBetweenNotes { try? add() } }
  }

  private var elapsed: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  private func stored(_ name: String) -> Double {
    guard case .number(let number)? = JSONObject(members: members)[name],
      let seconds = number.double, (0...1e12).contains(seconds)
    else { return 0 }
    return seconds
  }

  private func add() throws {
    let sum = stored(name) + elapsed
    start = .now
    let name = Array(name.utf8)
    members.removeAll { $0.key.utf8.elementsEqual(name) }
    members.append((self.name, JSONNumber(sum).map { .number($0) } ?? .null))
    try AtomicFile.write(
      JSONValue.object(JSONObject(members: members)).serialized(pretty: true), to: path)
  }
}
