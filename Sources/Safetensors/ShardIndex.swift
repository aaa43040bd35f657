import Storage

/// `model.safetensors.index.json`: which shard has which tensor.
struct ShardIndex {
  /// The file names of the shards, each once, in order.
  let shards: [String]
  /// The shard of each tensor.
  let owners: [String: String]
  /// The same, in the order of the file.
  let ownersInOrder: [(tensor: String, shard: String)]
  /// The bytes of all tensors, if the index says so.
  let totalSize: Int?

  private static let longestIndex = 64 << 20

  /// Reads an index and checks the names in it, before any of them is used.
  ///
  /// - Parameter name: What the file is called in errors.
  init(at path: String, named name: String) throws(SafetensorsError) {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(at: path, followsLinks: false)
    } catch {
      throw SafetensorsError(error, file: name)
    }
    let value: JSONValue
    do throws(JSONError) {
      defer { withExtendedLifetime(file) {} }
      value = try JSONValue(
        parsing: file.bytes, source: name, limits: JSONLimits(bytes: Self.longestIndex))
    } catch {
      throw SafetensorsError("\(name):\(error.line):\(error.column)", error.message)
    }
    guard case .object(let index) = value, case .object(let map)? = index["weight_map"] else {
      throw SafetensorsError(name, "it has no object 'weight_map' with the file of each tensor.")
    }
    var owners: [String: String] = [:]
    var ownersInOrder: [(tensor: String, shard: String)] = []
    for (tensor, shard) in map.members {
      if let problem = problem(ofName: tensor) {
        throw SafetensorsError(name, tensor: tensor, problem)
      }
      guard case .string(let shard) = shard, Self.isPlain(shard) else {
        let found =
          if case .string(let shard) = shard { quoted(shard) } else { "what is no string" }
        throw SafetensorsError(
          name, tensor: tensor,
          "\(quoted(tensor)) is to be in \(found), which is not the plain name of a "
            + "'.safetensors' file in this folder.")
      }
      guard owners.updateValue(shard, forKey: tensor) == nil else {
        throw SafetensorsError(
          name, tensor: tensor,
          "\(quoted(tensor)) is there twice, in two normal forms of Unicode.")
      }
      ownersInOrder.append((tensor, shard))
    }
    guard !owners.isEmpty else { throw SafetensorsError(name, "'weight_map' has no tensors.") }

    shards = Set(owners.values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var byLowercase: [String: String] = [:]
    for shard in shards {
      if let twin = byLowercase.updateValue(shard, forKey: shard.lowercased()) {
        throw SafetensorsError(name, "'\(twin)' and '\(shard)' differ only in case.")
      }
    }
    totalSize = try Self.totalSize(of: index, name)
    self.owners = owners
    self.ownersInOrder = ownersInOrder
  }

  /// Whether a shard's name is letters, digits, dots, dashes and underscores, in ASCII, with the
  /// right ending: it then is one component of a path on every system, and says what it seems to.
  private static func isPlain(_ name: String) -> Bool {
    let ending = ".safetensors"
    return name.utf8.count <= 255 && name.utf8.count > ending.utf8.count
      && name.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
      && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
          UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  private static func totalSize(
    of index: JSONObject, _ name: String
  ) throws(SafetensorsError) -> Int? {
    guard let metadata = index["metadata"] else { return nil }
    guard case .object(let metadata) = metadata else {
      throw SafetensorsError(name, "'metadata' is not an object.")
    }
    guard let size = metadata["total_size"] else { return nil }
    // Some tools write it with a fraction of zero.
    guard case .number(let number) = size,
      let bytes = number.int ?? number.double.flatMap({ Int(exactly: $0) }), bytes >= 0
    else { throw SafetensorsError(name, "'total_size' is not a whole number.") }
    return bytes
  }
}
