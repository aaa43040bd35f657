import Foundation

/// A file that is written whole or not at all.
///
/// The bytes go to a file beside the final name, `.name.partial`. `commit` brings them to the disk,
/// gives the file its name and brings the name to the disk. Until then, and after any error, what
/// had the name before is untouched: it is replaced, never written over, so that a program that has
/// it mapped or open keeps the old bytes. If `path` is a symbolic link, the link is replaced and
/// what it leads to stays as it is.
///
/// The unfinished file is removed when the value goes away without a commit. One that a killed
/// process left is removed by the next that writes the same path; one whose process still runs is
/// an error with the reason `inUse`.
public struct AtomicFile: ~Copyable {
  /// The final name.
  public let path: String
  /// How many bytes have been written.
  public private(set) var count = 0

  private var failure: FileError?

  private let partial: PartialOutput

  /// Starts a new file.
  ///
  /// - Throws: `FileError` if it cannot be made there.
  public init(at path: String) throws(FileError) {
    if let status = try? FileSystem.status(path, followsLinks: false), status.isFolder {
      throw FileError(path, errno: EISDIR)
    }
    partial = try PartialOutput(for: path, isFolder: false)
    self.path = path
  }

  /// Appends bytes.
  ///
  /// - Throws: `FileError` if there is no space or the disk fails; `commit` then throws it again.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    precondition(!partial.isCommitted, "a file is not written after its commit")
    do throws(FileError) {
      try FileSystem.write(bytes, to: partial.descriptor, path)
    } catch {
      failure = error
      throw error
    }
    count += bytes.count
  }

  /// Appends bytes; see `write` of a raw buffer.
  public mutating func write(_ data: Data) throws(FileError) {
    try data.withUnsafeBytes { bytes -> Result<Void, FileError> in
      do throws(FileError) {
        return .success(try write(bytes))
      } catch {
        return .failure(error)
      }
    }.get()
  }

  /// Gives the file its name, once every byte is on the disk.
  ///
  /// - Throws: `FileError`. If only the last step failed, bringing the name to the disk, the whole
  ///   file has its name, but a loss of power may still undo that.
  public mutating func commit() throws(FileError) {
    precondition(!partial.isCommitted, "a file is committed once")
    if let failure { throw failure }
    try FileSystem.sync(partial.descriptor, path)
    try FileSystem.rename(partial.path, to: path)
    partial.isCommitted = true
    try FileSystem.syncFolder(try splitPath(path).folder)
  }

  /// Writes a whole file.
  ///
  /// - Throws: `FileError`; the file then has its old contents, or is still absent.
  public static func write(_ data: Data, to path: String) throws(FileError) {
    var file = try AtomicFile(at: path)
    try file.write(data)
    try file.commit()
  }
}
