import Foundation

/// A path as the folder, with its slash, and the name in it.
func splitPath(_ path: String) throws(FileError) -> (folder: String, name: String) {
  let bytes = path.utf8
  let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes.index(after: $0) }
  let name = String(path[(start ?? path.startIndex)...])
  guard !["", ".", ".."].contains(name) else {
    throw FileError(path, .badName, "a path that does not end in the name of a file or folder.")
  }
  return (start.map { String(path[..<$0]) } ?? "./", name)
}

/// An unfinished file or folder beside its final name, which goes away with this object.
///
/// A lock, not the name, says that somebody is writing: what a killed process left has none and is
/// removed. Where the file system has no locks, what is there counts as left.
final class PartialOutput {
  /// Where the output is until it has its final name.
  let path: String
  let descriptor: Int32
  private let isFolder: Bool
  /// Set once the output has its final name.
  var isCommitted = false

  /// Creates `.name.partial` beside `final`.
  init(for final: String, isFolder: Bool) throws(FileError) {
    let (folder, name) = try splitPath(final)
    path = folder + ".\(name).partial"
    self.isFolder = isFolder
    descriptor = try claim(path, for: final, isFolder: isFolder)
  }

  deinit {
    if !isCommitted { removePartial(path, isFolder: isFolder) }
    close(descriptor)
  }
}

/// Removes an unfinished output as far as that goes; the next writer removes the rest.
func removePartial(_ partial: String, isFolder: Bool) {
  if isFolder {
    try? FileSystem.removeFlat(partial)
  } else {
    try? FileSystem.remove(partial)
  }
}

/// Creates and locks an unfinished output, whose final name `path` is for errors.
private func claim(
  _ partial: String, for path: String, isFolder: Bool
) throws(FileError) -> Int32 {
  for _ in 0..<100 {
    if let descriptor = try create(partial, for: path, isFolder: isFolder) {
      do throws(FileError) {
        let isLocked = try lockIfCurrent(descriptor, partial)
        if isLocked { return descriptor }
      } catch {
        // In use means that another writer takes it for left over and is removing it.
        guard error.reason == .inUse else {
          removePartial(partial, isFolder: isFolder)
          close(descriptor)
          throw FileError(path, error.reason, error.message)
        }
      }
      close(descriptor)
    } else {
      try removeLeftOver(partial, for: path, isFolder: isFolder)
    }
  }
  throw FileError(path, errno: EWOULDBLOCK)
}

/// A new file or folder; nil if there is one.
private func create(
  _ partial: String, for path: String, isFolder: Bool
) throws(FileError) -> Int32? {
  var isMade = false
  do throws(FileError) {
    if isFolder {
      try FileSystem.makeFolder(partial)
      isMade = true
    }
    return try FileSystem.open(
      partial, isFolder ? O_RDONLY | O_DIRECTORY | O_NOFOLLOW : O_RDWR | O_CREAT | O_EXCL)
  } catch {
    if isMade { try? FileSystem.removeFolder(partial) }
    switch error.reason {
    case .exists: return nil
    case .missing:
      let folder = try splitPath(path).folder
      throw FileError(path, .missing, "there is no folder '\(folder)' to write it in. Make it.")
    default: throw FileError(path, error.reason, error.message)
    }
  }
}

/// Locks what was opened; false if it is no longer what has the name.
private func lockIfCurrent(_ descriptor: Int32, _ partial: String) throws(FileError) -> Bool {
  _ = try FileSystem.lock(descriptor, partial)
  let opened = try FileSystem.status(descriptor, partial)
  do throws(FileError) {
    return try FileSystem.status(partial, followsLinks: false).isSameFile(as: opened)
  } catch {
    guard error.reason == .missing else { throw error }
    return false
  }
}

/// Removes the unfinished output of a process that is gone.
private func removeLeftOver(
  _ partial: String, for path: String, isFolder: Bool
) throws(FileError) {
  do throws(FileError) {
    let descriptor = try FileSystem.open(
      partial, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (isFolder ? O_DIRECTORY : 0))
    defer { close(descriptor) }
    guard try lockIfCurrent(descriptor, partial) else { return }
    if isFolder { try FileSystem.removeFlat(partial) } else { try FileSystem.remove(partial) }
  } catch {
    switch error.reason {
    case .missing: return
    case .inUse: throw FileError(path, error.reason, error.message)
    default:
      throw FileError(
        path, error.reason, "'\(partial)' is in the way: \(error.message) Remove it.")
    }
  }
}
