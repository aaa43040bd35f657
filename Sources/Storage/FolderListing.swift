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
