import Foundation

/// The calls of the operating system by which outputs are written, each in one place.
///
/// A call that a signal interrupts is made again; any other failure is a `FileError`.
enum FileSystem {
  enum Call: Equatable, Sendable {
    case open, lock, status, write, sync, rename, exchange, remove, makeFolder, removeFolder,
      allocate
  }

  enum Fault: Equatable, Sendable {
    case error(Int32)
    /// A write that takes only a part of the bytes.
    case short
    /// Success without the call.
    case skipped
  }

  /// What happens instead of a call, so that tests can let any of them fail; nil makes the call.
  ///
  /// Unsafe only for a test that sets it while another thread writes; nothing else sets it.
  nonisolated(unsafe) static var fault: (@Sendable (Call) -> Fault?)?

  private static func attempt(
    _ call: Call, _ path: String, _ body: (_ short: Bool) -> Int
  ) throws(FileError) -> Int {
    guard !path.utf8.contains(0) else { throw FileError(nulIn: path) }
    while true {
      var code: Int32
      switch fault?(call) {
      case .error(let number)?: code = number
      case .skipped?: return 0
      case let fault:
        let result = body(fault == .short)
        if result >= 0 { return result }
        code = errno
      }
      if code != EINTR { throw FileError(path, errno: code) }
    }
  }

  static func open(_ path: String, _ flags: Int32) throws(FileError) -> Int32 {
    Int32(
      try attempt(.open, path) { _ in
        Int(Foundation.open(path, flags | O_CLOEXEC | O_NOCTTY, 0o666))
      })
  }

  /// Locks an open file or folder for this process; false if the file system has no locks.
  static func lock(_ descriptor: Int32, _ path: String) throws(FileError) -> Bool {
    do throws(FileError) {
      _ = try attempt(.lock, path) { _ in Int(flock(descriptor, LOCK_EX | LOCK_NB)) }
      return true
    } catch {
      switch error.reason {
      case .other(ENOTSUP), .other(EOPNOTSUPP), .other(ENOLCK), .other(ENOSYS), .other(EINVAL):
        return false
      default: throw error
      }
    }
  }

  static func status(_ path: String, followsLinks: Bool) throws(FileError) -> stat {
    var result = stat()
    _ = try attempt(.status, path) { _ in
      Int(followsLinks ? stat(path, &result) : lstat(path, &result))
    }
    return result
  }

  static func status(_ descriptor: Int32, _ path: String) throws(FileError) -> stat {
    var result = stat()
    _ = try attempt(.status, path) { _ in Int(fstat(descriptor, &result)) }
    return result
  }

  /// Writes all the bytes, however many calls that takes.
  static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String
  ) throws(FileError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = try attempt(.write, path) { short in
        // Some systems refuse more than 2 GiB at once.
        let count = short ? (rest.count + 1) / 2 : min(rest.count, 1 << 30)
        return Foundation.write(descriptor, rest.baseAddress, count)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
    }
  }

  /// Makes an open file that long, with space on the disk for all of it.
  static func allocate(_ descriptor: Int32, _ count: Int, _ path: String) throws(FileError) {
    _ = try attempt(.allocate, path) { _ in
      #if canImport(Darwin)
        var store = fstore_t(
          fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0,
          fst_length: off_t(count), fst_bytesalloc: 0)
        guard fcntl(descriptor, F_PREALLOCATE, &store) == 0 else { return -1 }
        return Int(ftruncate(descriptor, off_t(count)))
      #else
        errno = posix_fallocate(descriptor, 0, off_t(count))
        return errno == 0 ? 0 : -1
      #endif
    }
  }

  /// Waits until what was written is on the disk.
  static func sync(_ descriptor: Int32, _ path: String) throws(FileError) {
    _ = try attempt(.sync, path) { _ in
      #if canImport(Darwin)
        // There, fsync leaves the data in the disk's own cache.
        if fcntl(descriptor, F_FULLFSYNC) == 0 { return 0 }
      #endif
      return Int(fsync(descriptor))
    }
  }

  /// Waits until the names in a folder are on the disk.
  static func syncFolder(_ path: String) throws(FileError) {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    do throws(FileError) {
      try sync(descriptor, path)
    } catch {
      // Some file systems know no such thing for folders.
      guard error.reason == .other(EINVAL) || error.reason == .other(ENOTSUP) else { throw error }
    }
  }

  /// Gives a file or folder its new name, in place of any file of that name.
  static func rename(_ old: String, to new: String) throws(FileError) {
    _ = try attempt(.rename, new) { _ in Int(Foundation.rename(old, new)) }
  }

  /// Exchanges two names at once; false if the system cannot.
  static func exchange(_ a: String, _ b: String) throws(FileError) -> Bool {
    do throws(FileError) {
      _ = try attempt(.exchange, b) { _ in
        #if canImport(Darwin)
          return Int(renamex_np(a, b, UInt32(RENAME_SWAP)))
        #else
          // Swift does not see this function of the C library, which older ones lack.
          typealias Exchange =
            @convention(c) (
              Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
            ) -> Int32
          guard let symbol = dlsym(nil, "renameat2") else {
            errno = ENOSYS
            return -1
          }
          let renameExchange: UInt32 = 2
          return Int(
            unsafeBitCast(symbol, to: Exchange.self)(AT_FDCWD, a, AT_FDCWD, b, renameExchange))
        #endif
      }
      return true
    } catch {
      switch error.reason {
      case .other(ENOSYS), .other(EINVAL), .other(ENOTSUP), .other(EOPNOTSUPP): return false
      default: throw error
      }
    }
  }

  static func remove(_ path: String) throws(FileError) {
    _ = try attempt(.remove, path) { _ in Int(unlink(path)) }
  }

  static func makeFolder(_ path: String) throws(FileError) {
    _ = try attempt(.makeFolder, path) { _ in Int(mkdir(path, 0o777)) }
  }

  static func removeFolder(_ path: String) throws(FileError) {
    _ = try attempt(.removeFolder, path) { _ in Int(rmdir(path)) }
  }

  /// The names in a folder, in order of their bytes.
  static func names(in folder: String) throws(FileError) -> [String] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      let isFolder = try status(folder, followsLinks: true).isFolder
      throw FileError(folder, errno: isFolder ? EACCES : ENOTDIR)
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Removes a folder and the files in it; one that holds folders is left.
  static func removeFlat(_ folder: String) throws(FileError) {
    for name in try names(in: folder) { try remove(folder + "/" + name) }
    try removeFolder(folder)
  }
}

extension stat {
  var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
  var isRegular: Bool { st_mode & S_IFMT == S_IFREG }
  var isLink: Bool { st_mode & S_IFMT == S_IFLNK }

  func isSameFile(as other: stat) -> Bool {
    st_dev == other.st_dev && st_ino == other.st_ino
  }
}
