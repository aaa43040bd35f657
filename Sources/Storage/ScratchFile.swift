import Foundation

/// Memory whose pages lie in a file without a name, for what is worked on and need not outlive the
/// process.
///
/// The system keeps in memory what it has room for, and writes the rest to the disk. The space is
/// allocated when the file is made, so that a full disk is an error then, and not a `SIGBUS` at the
/// first write (file systems that copy on writing promise less). The name is removed at once:
/// however the process ends, nothing is left.
public final class ScratchFile: @unchecked Sendable {
  /// Zeros at first; aligned to pages.
  public let memory: UnsafeMutableRawPointer
  public let byteCount: Int

  /// Bytes of a page: memory is read ahead and let go in whole pages.
  public static let pageSize = Int(getpagesize())

  /// - Throws: `FileError`, for a folder that is not there or a disk without so much space, among
  ///   others.
  public init(in folder: String, byteCount: Int) throws(FileError) {
    precondition(byteCount > 0, "a scratch file of \(byteCount) bytes")
    let path = folder + "/.scratch-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let descriptor = try FileSystem.open(path, O_RDWR | O_CREAT | O_EXCL)
    defer { close(descriptor) }
    try FileSystem.remove(path)
    // From here on the folder is the path: the file has none.
    try FileSystem.allocate(descriptor, byteCount, folder)
    guard let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      address != MAP_FAILED
    else { throw FileError(folder, errno: errno) }
    memory = address
    self.byteCount = byteCount
  }

  deinit { munmap(memory, byteCount) }

  /// Begins to read what will be needed soon, and does not wait for it.
  public func willNeed(_ range: Range<Int>) {
    // Linux reads no more ahead than a device takes at once, however much it is asked for.
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.readAhead) {
      advise(start..<min(start + Self.readAhead, range.upperBound), MADV_WILLNEED)
    }
  }

  private static let readAhead = 1 << 20

  /// Lets go of memory that is not needed soon; what was written stays in the file.
  public func release(_ range: Range<Int>) { advise(range, MADV_DONTNEED) }

  private func advise(_ range: Range<Int>, _ advice: Int32) {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "\(range) of \(byteCount)")
    // Of pages that are shared nothing is lost, so that whole pages may be let go.
    let start = range.lowerBound / Self.pageSize * Self.pageSize
    if range.isEmpty { return }
    madvise(memory + start, range.upperBound - start, Int32(advice))
  }
}
