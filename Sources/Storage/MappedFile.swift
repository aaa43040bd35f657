import Foundation

/// A file's bytes, mapped into memory to be read.
///
/// Nothing is copied; pages are read when they are touched. The bytes stay what they are when the
/// file is replaced or removed, as everything in this package writes: a new file takes the name
/// and the mapping keeps the old one. If another program *shortens* the file in place, touching a
/// byte past its new end stops the process with `SIGBUS`; `checkSize()` before a long read turns
/// most such cases into an error.
public final class MappedFile: @unchecked Sendable {
  /// The path, as it was given.
  public let path: String
  /// The whole file, valid as long as this object.
  ///
  /// Swift may release an object after its last use, so keep this one (`withExtendedLifetime`, or
  /// a stored property) while the bytes are read.
  public let bytes: UnsafeRawBufferPointer

  private let identity: stat

  /// Maps a regular file that is not empty.
  ///
  /// - Parameter followsLinks: Whether `path` may be a symbolic link itself.
  /// - Throws: `FileError` for anything else: a missing file, a folder, pipe, socket or device, an
  ///   empty file, links in a circle, no permission. A pipe does not make it wait.
  public init(at path: String, followsLinks: Bool = true) throws(FileError) {
    let descriptor = try FileSystem.open(
      path, O_RDONLY | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW))
    defer { close(descriptor) }
    let status = try FileSystem.status(descriptor, path)
    if status.isFolder { throw FileError(path, errno: EISDIR) }
    guard status.isRegular else {
      throw FileError(path, .notRegular, FileError.notRegularMessage)
    }
    guard status.st_size > 0 else { throw FileError(path, .empty, "the file is empty.") }
    guard let count = Int(exactly: status.st_size),
      let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
      address != MAP_FAILED
    else { throw FileError(path, errno: errno) }
    self.path = path
    bytes = UnsafeRawBufferPointer(start: address, count: count)
    identity = status
  }

  /// The whole file, copied.
  public var contents: [UInt8] { withExtendedLifetime(self) { Array(bytes) } }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }

  /// Checks that the file has not become shorter than it was when it was mapped.
  ///
  /// A file that was replaced or removed passes: the mapping has the old one.
  ///
  /// - Throws: `FileError` with the reason `shrunk`.
  public func checkSize() throws(FileError) {
    guard let now = try? FileSystem.status(path, followsLinks: true),
      now.isSameFile(as: identity), now.st_size < identity.st_size
    else { return }
    throw FileError(
      path, .shrunk,
      "the file was cut from \(identity.st_size) to \(now.st_size) bytes while it was in use.")
  }
}
