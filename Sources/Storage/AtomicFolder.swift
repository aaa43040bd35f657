import Foundation

/// A folder of files that appears whole or not at all, such as a checkpoint.
///
/// The files are written into `partialPath`, a folder beside the final one. `commit` brings each to
/// the disk and then gives the folder its name, which is one step: at no moment, whenever the
/// process or the power goes, does the final name hold a part of the files, or files of two
/// checkpoints.
///
/// An older folder of that name is exchanged for the new one and removed afterwards, so that a
/// program that has its files mapped keeps the old bytes. Because it is removed, it may hold only
/// files that the caller calls its own. Where the system cannot exchange, the old folder is moved
/// to `.name.replaced` first; if the process goes just then, the next writer moves it back.
///
/// Folders inside the folder are not supported. The unfinished folder is removed when the value
/// goes away without a commit, and treated like `AtomicFile`'s after a kill.
public struct AtomicFolder: ~Copyable {
  /// The final name, with symbolic links resolved.
  public let path: String
  /// Where the files are to be written until the commit.
  public var partialPath: String { partial.path }

  private let replacedPath: String
  private let parent: String
  private let isOwn: ((String) -> Bool)?
  private let partial: PartialOutput

  /// Starts a new folder.
  ///
  /// - Parameters:
  ///   - path: The final name. A folder of that name must be empty, unless `isOwn` is given.
  ///   - isOwn: Whether an older folder's file of this name may be removed. If the older folder
  ///     holds any other file, or a folder, it is not replaced.
  /// - Throws: `FileError` if the folder cannot be made or the older one not be replaced; that is
  ///   found out here, before the work whose result is to be written.
  public init(at path: String, replacing isOwn: ((String) -> Bool)? = nil) throws(FileError) {
    var path = path
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    if let status = try? FileSystem.status(path, followsLinks: false), status.isLink {
      path = try resolvedPath(path)
    }
    let (parent, name) = try splitPath(path)
    let replacedPath = parent + ".\(name).replaced"
    let partial = try PartialOutput(for: path, isFolder: true)
    if try older(at: replacedPath) != nil {
      // A writer was killed in the two steps of replacing, or in removing what it had replaced.
      if try older(at: path) == nil {
        try FileSystem.rename(replacedPath, to: path)
      } else {
        try FileSystem.removeFlat(replacedPath)
      }
    }
    try checkOlder(at: path, in: parent, isOwn)
    self.partial = partial
    self.path = path
    self.parent = parent
    self.isOwn = isOwn
    self.replacedPath = replacedPath
  }

  /// Writes a whole file into the folder.
  ///
  /// - Throws: `FileError`.
  public borrowing func write(_ data: Data, as name: String) throws(FileError) {
    try AtomicFile.write(data, to: partialPath + "/" + name)
  }

  /// Gives the folder its name, once all its files are on the disk.
  ///
  /// - Throws: `FileError`. If only the last step failed, bringing the name to the disk, the whole
  ///   folder has its name, but a loss of power may still undo that.
  public mutating func commit() throws(FileError) {
    precondition(!partial.isCommitted, "a folder is committed once")
    for name in try FileSystem.names(in: partialPath) {
      let path = partialPath + "/" + name
      let file = try FileSystem.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      defer { close(file) }
      guard try !FileSystem.status(file, path).isFolder else {
        throw FileError(path, .isFolder, "a folder inside a folder that is written as a whole.")
      }
      try FileSystem.sync(file, path)
    }
    try FileSystem.syncFolder(partialPath)

    try checkOlder(at: path, in: parent, isOwn)
    if try older(at: path)?.isEmpty ?? true {
      try FileSystem.rename(partialPath, to: path)
      partial.isCommitted = true
      try FileSystem.syncFolder(parent)
    } else if try FileSystem.exchange(partialPath, path) {
      partial.isCommitted = true
      try FileSystem.syncFolder(parent)
      removePartial(partialPath, isFolder: true)
    } else {
      try replaceInTwoSteps()
    }
  }

  private mutating func replaceInTwoSteps() throws(FileError) {
    try FileSystem.rename(path, to: replacedPath)
    do throws(FileError) {
      try FileSystem.rename(partialPath, to: path)
    } catch {
      try? FileSystem.rename(replacedPath, to: path)
      throw error
    }
    partial.isCommitted = true
    try FileSystem.syncFolder(parent)
    removePartial(replacedPath, isFolder: true)
  }
}

/// The names in the folder at `path`; nil if nothing is there.
private func older(at path: String) throws(FileError) -> [String]? {
  do throws(FileError) {
    guard try FileSystem.status(path, followsLinks: false).isFolder else {
      throw FileError(path, .notFolder, "a file, where a folder is to be written. Remove it.")
    }
    return try FileSystem.names(in: path)
  } catch {
    guard error.reason == .missing else { throw error }
    return nil
  }
}

/// Checks that what has the name of a new folder may be replaced by it.
private func checkOlder(
  at path: String, in parent: String, _ isOwn: ((String) -> Bool)?
) throws(FileError) {
  guard let names = try older(at: path) else { return }
  let device = try FileSystem.status(path, followsLinks: false).st_dev
  guard try FileSystem.status(parent, followsLinks: true).st_dev == device else {
    throw FileError(
      path, .mountPoint, "a mount point, which cannot be replaced. Choose a folder inside it.")
  }
  guard !names.isEmpty else { return }
  guard let isOwn else {
    throw FileError(
      path, .exists, "the folder is not empty. Choose another name, or remove its files.")
  }
  for name in names {
    let isFolder = try FileSystem.status(path + "/" + name, followsLinks: false).isFolder
    guard !isFolder, isOwn(name) else {
      throw FileError(
        path, .foreignFile,
        "\(quoted(name)) in it would be lost, as the folder is replaced as a whole. "
          + "Move that away, or choose another folder.")
    }
  }
}
