import Storage

/// The tensors of a model folder: `model.safetensors`, or shards with
/// `model.safetensors.index.json`, as the Hugging Face hub has them.
///
/// A file of a folder may be a symbolic link only to a file inside the folder, or, if the folder is
/// a snapshot in the hub's cache (`<model>/snapshots/<revision>`), to a file in the cache's
/// `<model>/blobs`. The folder itself may be given by a link.
public struct TensorFolder: Sendable {
  static let singleName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"

  /// The folder, as it was given.
  public let path: String
  /// The files, in order of their names.
  public let files: [SafetensorsFile]

  /// Which of the files has a tensor.
  private let owners: [String: Int]

  /// Maps the files of a folder and checks them against each other.
  ///
  /// - Throws: `SafetensorsError`, which names the file and the tensor. No file is opened before
  ///   the names of all are checked.
  public init(at path: String) throws(SafetensorsError) {
    var folder = path
    while folder.utf8.count > 1, folder.utf8.last == UInt8(ascii: "/") { folder.removeLast() }
    let location = try ModelLocation(folder)
    let hasSingle = location.names.contains(Self.singleName)
    switch (hasSingle, location.names.contains(Self.indexName)) {
    case (true, true):
      throw SafetensorsError(
        folder,
        "both '\(Self.singleName)' and '\(Self.indexName)' are in it. "
          + "Remove the one that is not the model's.")
    case (false, false):
      throw SafetensorsError(folder, location.reasonForNoModel)
    case (true, false):
      files = [try location.file(Self.singleName)]
    case (false, true):
      files = try Self.shards(of: location)
    }
    self.path = path
    var owners: [String: Int] = [:]
    for (i, file) in files.enumerated() {
      for name in file.tensorNames { owners[name] = i }
    }
    self.owners = owners
  }

  /// The names of all tensors, file by file.
  public var tensorNames: [String] { files.flatMap(\.tensorNames) }

  /// The tensor of this name, byte for byte; nil if there is none.
  public subscript(name: String) -> SafetensorsTensor? {
    owners[name].flatMap { files[$0][name] }
  }

  private static func shards(
    of location: ModelLocation
  ) throws(SafetensorsError) -> [SafetensorsFile] {
    let path = location.path + "/" + indexName
    let index = try ShardIndex(at: try location.resolved(indexName), named: path)
    for shard in index.shards where !location.names.contains(shard) {
      throw SafetensorsError(
        path, "its shard '\(shard)' is not in the folder. Fetch the whole model again.")
    }
    var files: [SafetensorsFile] = []
    var indices: [String: Int] = [:]
    var byteCount = 0
    for shard in index.shards {
      let file = try location.file(shard)
      for tensor in file.tensors {
        guard let owner = index.owners[tensor.name] else {
          throw SafetensorsError(
            file.path, tensor: tensor.name,
            "\(quoted(tensor.name)) is in this file, but not in the index.")
        }
        guard owner == shard else {
          throw SafetensorsError(
            file.path, tensor: tensor.name,
            "\(quoted(tensor.name)) is in this file, but by the index in '\(owner)'.")
        }
        // Each is mapped, so that their sum does not overflow.
        byteCount += tensor.byteCount
      }
      indices[shard] = files.count
      files.append(file)
    }
    for (tensor, shard) in index.ownersInOrder {
      guard let i = indices[shard], files[i][tensor] != nil else {
        throw SafetensorsError(
          location.path + "/" + shard, tensor: tensor,
          "\(quoted(tensor)) is by the index in this file, but is not. "
            + "Fetch the whole model again.")
      }
    }
    if let totalSize = index.totalSize, totalSize != byteCount {
      throw SafetensorsError(
        path,
        "'total_size' is \(totalSize), but the tensors have \(byteCount) bytes. "
          + "Fetch the whole model again, or correct it.")
    }
    return files
  }
}

/// A model folder with its links resolved, and which files may be read in it.
struct ModelLocation {
  /// The folder, as it was given.
  let path: String
  let names: [String]
  /// The folder without links, with a slash.
  private let root: String
  /// The folder of the hub's cache that links of a snapshot may lead to, with a slash.
  private let blobs: String?

  init(_ path: String) throws(SafetensorsError) {
    self.path = path
    do throws(FileError) {
      let root = try resolvedPath(path)
      names = try Storage.names(inFolder: root)
      self.root = root.utf8.last == UInt8(ascii: "/") ? root : root + "/"
      let parts = root.split(separator: "/", omittingEmptySubsequences: false)
      blobs =
        parts.count >= 4 && parts[parts.count - 2] == "snapshots"
        ? parts.dropLast(2).joined(separator: "/") + "/blobs/" : nil
    } catch {
      throw SafetensorsError(error, file: path)
    }
  }

  /// The file without links.
  ///
  /// - Throws: `SafetensorsError` if it is not there or a link leads out.
  func resolved(_ name: String) throws(SafetensorsError) -> String {
    let resolved: String
    do throws(FileError) {
      resolved = try resolvedPath(root + name)
    } catch {
      throw SafetensorsError(error, file: path + "/" + name)
    }
    for allowed in [root, blobs] {
      if let allowed, resolved.utf8.starts(with: allowed.utf8) { return resolved }
    }
    throw SafetensorsError(
      path + "/" + name,
      "a link out of the folder. Copy the file into it, or give the folder that the file is in.")
  }

  func file(_ name: String) throws(SafetensorsError) -> SafetensorsFile {
    try SafetensorsFile(
      at: try resolved(name), followsLinks: false, named: path + "/" + name)
  }

  /// Why there is no model to read, as a sentence.
  var reasonForNoModel: String {
    let pickles = [".bin", ".pt", ".pth", ".ckpt", ".pkl"]
    for name in names
    where pickles.contains(where: { name.utf8.reversed().starts(with: $0.utf8.reversed()) }) {
      return
        "there is no '\(TensorFolder.singleName)' in it. \(quoted(name)) is of a kind that may "
        + "run code when it is read, and is not read here; convert it to safetensors."
    }
    return "there is neither '\(TensorFolder.singleName)' nor '\(TensorFolder.indexName)' in it."
  }
}
