import Foundation

/// Why a file or folder could not be read or written: `path: what was found, and what to do.`
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// The cases that callers tell apart.
  public enum Reason: Equatable, Sendable {
    case missing, noPermission, isFolder, notFolder, notRegular, empty, linkLoop
    case badName, nameTooLong, noSpace, readOnly, exists, foreignFile, inUse, mountPoint, shrunk
    /// Any other error of the operating system, by its number.
    case other(Int32)
  }

  public let path: String
  public let reason: Reason
  /// What was found and what to do, in full sentences, without the path.
  public let message: String

  public var description: String { "\(path): \(message)" }

  init(_ path: String, _ reason: Reason, _ message: String) {
    self.path = path
    self.reason = reason
    self.message = message
  }

  /// An error that the operating system reported by its number.
  init(_ path: String, errno code: Int32) {
    let (reason, message): (Reason, String) =
      switch code {
      case ENOENT: (.missing, "there is no such file or folder.")
      case EACCES, EPERM: (.noPermission, "the system does not permit it. Check who owns it.")
      case EISDIR: (.isFolder, "a folder, where a file is needed.")
      case ENOTDIR: (.notFolder, "a part of this path is a file, where a folder is needed.")
      case ENXIO: (.notRegular, Self.notRegularMessage)
      case ELOOP: (.linkLoop, "symbolic links that lead in a circle, or one where none may be.")
      case ENAMETOOLONG: (.nameTooLong, "the name is too long for the file system.")
      case ENOSPC, EDQUOT:
        (.noSpace, "no space is left for it. Free some, or choose another place.")
      case EFBIG: (.noSpace, "larger than a file may be there. Choose another place.")
      case EROFS: (.readOnly, "the file system is read-only. Choose another place.")
      case EEXIST, ENOTEMPTY: (.exists, "it exists already. Choose another name, or remove it.")
      case EWOULDBLOCK: (.inUse, "another program is writing it. Wait until that is done.")
      default: (.other(code), String(cString: strerror(code)) + ".")
      }
    self.init(path, reason, message)
  }

  init(nulIn path: String) {
    self.init(path, .badName, "a name with a NUL in it, which no file can have.")
  }

  static let notRegularMessage = "a pipe, socket or device, where a file is needed."
}
