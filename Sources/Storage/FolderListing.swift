import Foundation

/// The path of a file or folder that exists, absolute and with all symbolic links resolved.
///
/// - Throws: `FileError` if nothing is there.
public func resolvedPath(_ path: String) throws(FileError) -> String {
  guard !path.utf8.contains(0) else { throw FileError(nulIn: path) }
  guard let resolved = realpath(path, nil) else { throw FileError(path, errno: errno) }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// The names in a folder, hidden ones too, in order of their bytes.
///
/// - Throws: `FileError` if it is not a folder or cannot be read.
public func names(inFolder path: String) throws(FileError) -> [String] {
  try FileSystem.names(in: path)
}

/// Makes a folder, unless it is there already; what holds it must exist.
///
/// - Throws: `FileError` if it can't be made, or a file has its name.
public func makeFolder(at path: String) throws(FileError) {
  do throws(FileError) {
    try FileSystem.makeFolder(path)
    try FileSystem.syncFolder(splitPath(path).folder)
  } catch {
    guard error.reason == .exists else { throw error }
    guard try FileSystem.status(path, followsLinks: true).isFolder else {
      throw FileError(path, errno: ENOTDIR)
    }
  }
}

/// Removes a folder of files. First it gets a name by which nobody takes it for whole.
///
/// - Throws: `FileError`, also if it holds a folder.
public func removeFolder(at path: String) throws(FileError) {
  let (folder, name) = try splitPath(path)
  let doomed = folder + ".\(name).removed"
  if (try? FileSystem.status(doomed, followsLinks: false)) != nil {
    try FileSystem.removeFlat(doomed)
  }
  try FileSystem.rename(path, to: doomed)
  try FileSystem.removeFlat(doomed)
}

/// Removes a file, if it is there, and waits until that is on the disk.
///
/// - Throws: `FileError`.
public func removeFile(at path: String) throws(FileError) {
  do throws(FileError) {
    try FileSystem.remove(path)
  } catch {
    guard error.reason == .missing else { throw error }
    return
  }
  try FileSystem.syncFolder(splitPath(path).folder)
}
