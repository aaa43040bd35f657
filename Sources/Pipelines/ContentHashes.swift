import Foundation
import Storage

/// Digests of files and folders, kept so that what did not change is not read again.
///
/// A file counts as unchanged while its size, its times, its place on the disk and its name are the
/// same. A file that was written less than two seconds before it was read is not kept, since another
/// write within the same tick of the clock would not show.
final class ContentHashes {
  private struct Entry: Equatable {
    let size: Int
    /// Nanoseconds since 1970, of the content and of the file's own entry.
    let modified: Int
    let changed: Int
    let inode: Int
    let digest: String
  }

  private let path: String
  private var entries: [String: Entry] = [:]
  private var isChanged = false
  /// How many bytes were read.
  private(set) var bytesRead = 0
  private let now: () -> Int

  /// The digests in a file; a file that is not there or not to be understood is an empty one.
  ///
  /// - Parameter now: The time in nanoseconds since 1970.
  init(
    at path: String, now: @escaping () -> Int = { Int(Date().timeIntervalSince1970 * 1e9) }
  ) {
    self.path = path
    self.now = now
    guard let file = try? MappedFile(at: path),
      case .object(let whole)? = withExtendedLifetime(
        file, { try? JSONValue(parsing: file.bytes, source: path) }),
      let digests = whole["digests"], whole["check"] == .string(Self.check(digests)),
      case .object(let object) = digests
    else { return }
    for (name, value) in object.members {
      guard case .array(let parts) = value, parts.count == 5, case .string(let digest) = parts[4]
      else { continue }
      let numbers = parts[..<4].compactMap { part -> Int? in
        if case .number(let number) = part { number.int } else { nil }
      }
      guard numbers.count == 4 else { continue }
      entries[name] = Entry(
        size: numbers[0], modified: numbers[1], changed: numbers[2], inode: numbers[3],
        digest: digest)
    }
  }

  /// Keeps the digests. What cannot be kept is read again next time, and no reason to stop.
  func write() {
    guard isChanged else { return }
    let members = entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
      name, entry in
      (
        key: name,
        value: JSONValue.array(
          [entry.size, entry.modified, entry.changed, entry.inode].map { .number(JSONNumber($0)) }
            + [.string(entry.digest)])
      )
    }
    let digests = JSONValue.object(JSONObject(members: members))
    let whole = JSONObject(members: [
      ("check", .string(Self.check(digests))), ("digests", digests),
    ])
    try? AtomicFile.write(JSONValue.object(whole).serialized(pretty: true), to: path)
    isChanged = false
  }

  /// By which a damaged file is told: a wrong digest would let a change pass.
  private static func check(_ digests: JSONValue) -> String {
    var hash = SHA256()
    hash.update(Array(digests.serialized()))
    return hash.finalizedText()
  }

  /// The SHA-256 of a file, or of the names and digests of all files in a folder; nil where there is
  /// nothing.
  ///
  /// Names that begin with a dot are left out: locks, and what is being written. A folder that leads
  /// back into itself is followed to 32 levels.
  ///
  /// - Parameter isShallow: Whether folders in the folder are left out.
  /// - Throws: `PipelineError` for what cannot be read.
  func digest(of path: String, isShallow: Bool = false) throws(PipelineError) -> String? {
    guard let status = fileStatus(path) else { return nil }
    if status.st_mode & S_IFMT == S_IFREG { return try digest(ofFile: path, status) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw PipelineError("\(path): a pipe, socket or device, where a file is needed.")
    }
    var hash = SHA256()
    try add(path, as: "", to: &hash, levels: isShallow ? 1 : 32)
    return hash.finalizedText()
  }

  private func add(
    _ folder: String, as name: String, to hash: inout SHA256, levels: Int
  ) throws(PipelineError) {
    guard levels > 0 else { return }
    let found: [String]
    do throws(FileError) {
      found = try names(inFolder: folder)
    } catch {
      throw PipelineError("\(error)")
    }
    for part in found where !part.hasPrefix(".") {
      let path = folder + "/" + part
      // Leads nowhere, or went away meanwhile.
      guard let status = fileStatus(path) else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        try add(path, as: name + part + "/", to: &hash, levels: levels - 1)
      } else if status.st_mode & S_IFMT == S_IFREG {
        let digest = try digest(ofFile: path, status)
        // A name holds no NUL, so that no two folders give the same bytes.
        hash.update(Array((name + part).utf8) + [0] + Array(digest.utf8) + [0])
      }
    }
  }

  private func digest(ofFile path: String, _ status: stat) throws(PipelineError) -> String {
    let key = canonicalPath(path)
    let (modified, changed) = times(status)
    let size = Int(status.st_size), inode = Int(truncatingIfNeeded: status.st_ino)
    if let entry = entries[key], entry.size == size, entry.modified == modified,
      entry.changed == changed, entry.inode == inode
    {
      return entry.digest
    }
    let digest = try read(path)
    let age = now().subtractingReportingOverflow(max(modified, changed))
    // Also where the clock went back.
    if !age.overflow, age.partialValue > 2_000_000_000 {
      entries[key] = Entry(
        size: size, modified: modified, changed: changed, inode: inode, digest: digest)
      isChanged = true
    } else if entries.removeValue(forKey: key) != nil {
      isChanged = true
    }
    return digest
  }

  /// Read, not mapped: pages of a mapped file count as memory of the process.
  private func read(_ path: String) throws(PipelineError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw PipelineError("\(path): \(String(cString: strerror(errno))).")
    }
    defer { close(descriptor) }
    var hash = SHA256()
    var part = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = part.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw PipelineError("\(path): \(String(cString: strerror(errno))).") }
      if count == 0 { return hash.finalizedText() }
      part.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      bytesRead = bytesRead &+ count
    }
  }

  private func times(_ status: stat) -> (modified: Int, changed: Int) {
    func nanoseconds(_ time: timespec) -> Int {
      Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }
    #if canImport(Darwin)
      return (nanoseconds(status.st_mtimespec), nanoseconds(status.st_ctimespec))
    #else
      return (nanoseconds(status.st_mtim), nanoseconds(status.st_ctim))
    #endif
  }
}
