import Foundation

/// A file of lines that only grows, so that a program that is stopped anywhere goes on from there.
///
/// A line is written with one call and its line feed last. A line without one, which a killed
/// process may leave, was never promised to anybody and is cut off when the file is opened again.
/// Only one process may have a journal open. Safe to use from several threads.
public final class Journal: @unchecked Sendable {
  public let path: String
  private let descriptor: Int32
  private let lock = NSLock()
  private var size: Int
  private var synced: Int

  /// Opens a journal, or begins one.
  ///
  /// - Parameter line: Called with each line there is, without its line feed, and its number from 1.
  /// - Throws: `FileError` if it can't be read or written, or another process has it open; what
  ///   `line` throws.
  public init(
    at path: String, reading line: (_ bytes: [UInt8], _ number: Int) throws -> Void
  ) throws {
    self.path = path
    let isNew = (try? FileSystem.status(path, followsLinks: true)) == nil
    descriptor = try FileSystem.open(path, O_RDWR | O_CREAT | O_APPEND)
    size = 0
    synced = 0
    guard try FileSystem.status(descriptor, path).isRegular else {
      throw FileError(path, errno: EINVAL)
    }
    _ = try FileSystem.lock(descriptor, path)
    if isNew { try FileSystem.syncFolder(try splitPath(path).folder) }
    size = try Self.read(descriptor, path, line)
    if ftruncate(descriptor, off_t(size)) != 0 { throw FileError(path, errno: errno) }
    synced = size
  }

  deinit { close(descriptor) }

  /// Appends a line, which must not hold a line feed.
  ///
  /// - Throws: `FileError` if there is no space or the disk fails; the journal is then as it was.
  public func append(_ line: Data) throws(FileError) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(line.count + 1)
    bytes += line
    // Looked for in an array: Data is slow to walk through.
    precondition(!bytes.contains(0x0A), "a line of a journal is one line")
    bytes.append(0x0A)
    lock.lock()
    defer { lock.unlock() }
    do throws(FileError) {
      try bytes.withUnsafeBytes { bytes -> Result<Void, FileError> in
        do throws(FileError) {
          return .success(try FileSystem.write(bytes, to: descriptor, path))
        } catch {
          return .failure(error)
        }
      }.get()
      size += bytes.count
    } catch {
      _ = ftruncate(descriptor, off_t(size))
      throw error
    }
  }

  /// Waits until every line is on the disk.
  ///
  /// - Throws: `FileError` if the disk fails.
  public func synchronize() throws(FileError) {
    lock.lock()
    defer { lock.unlock() }
    if synced == size { return }
    try FileSystem.sync(descriptor, path)
    synced = size
  }

  /// Reads whole lines; returns where the last one ends.
  private static func read(
    _ descriptor: Int32, _ path: String, _ line: ([UInt8], Int) throws -> Void
  ) throws -> Int {
    var part = [UInt8](repeating: 0, count: 1 << 20)
    var pending: [UInt8] = []
    var offset = 0
    var number = 0
    var end = 0
    while true {
      let count = part.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
      }
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw FileError(path, errno: errno) }
      if count == 0 { return end }
      offset += count
      var start = 0
      while let feed = part[start..<count].firstIndex(of: 0x0A) {
        number += 1
        try line(pending + part[start..<feed], number)
        pending = []
        start = feed + 1
        end = offset - count + start
      }
      pending += part[start..<count]
    }
  }
}
