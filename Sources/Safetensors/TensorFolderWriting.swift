import Storage

extension TensorFolder {
  /// Writes the tensors of a model into a folder: `model.safetensors`, or, if that would be too
  /// large, shards and then their index.
  ///
  /// The shards are filled in the order of `tensors`, and named, as transformers does it; the same
  /// tensors in the same order give the same bytes. To make the whole folder appear at once, let
  /// `folder` be the `partialPath` of an `AtomicFolder` and commit that afterwards.
  ///
  /// - Parameters:
  ///   - folder: An existing folder without model files: it is not for replacing an older model.
  ///   - maximumShardBytes: The most bytes of tensors in one file. A larger tensor has a file of its
  ///     own.
  /// - Throws: `SafetensorsError`, or what the source of a tensor throws.
  public static func write(
    _ tensors: [TensorSource], to folder: String, metadata: [String: String] = ["format": "pt"],
    maximumShardBytes: Int = 5_000_000_000
  ) throws {
    let present: [String]
    do {
      present = try Storage.names(inFolder: folder)
    } catch {
      throw SafetensorsError(error, file: folder)
    }
    for name in present where name.hasPrefix("model") && name.contains(".safetensors") {
      throw SafetensorsError(
        folder, "\(quoted(name)) is in it already. Write the model into a new folder.")
    }
    // All are checked before the first is written, and together: a name may be in one file only.
    let layout = try SafetensorsLayout(tensors, [:], file: folder)
    let sizes = Dictionary(
      uniqueKeysWithValues: layout.tensors.map { ($0.source.name, $0.byteCount) })
    let shards = split(tensors, sizes, maximumShardBytes)
    guard shards.count > 1 else {
      return try SafetensorsFile.write(
        tensors, metadata: metadata, to: folder + "/" + singleName)
    }
    var owners: [(key: String, value: JSONValue)] = []
    for (i, shard) in shards.enumerated() {
      let name = "model-\(padded(i + 1))-of-\(padded(shards.count)).safetensors"
      try SafetensorsFile.write(shard, metadata: metadata, to: folder + "/" + name)
      owners += shard.map { ($0.name, .string(name)) }
    }
    owners.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    // The layout has added up the sizes without overflow.
    let totalSize = sizes.values.reduce(0, +)
    let index = JSONValue.object(
      JSONObject(members: [
        (
          "metadata", .object(JSONObject(members: [("total_size", .number(JSONNumber(totalSize)))]))
        ),
        ("weight_map", .object(JSONObject(members: owners))),
      ]))
    do {
      try AtomicFile.write(index.serialized(pretty: true), to: folder + "/" + indexName)
    } catch {
      throw SafetensorsError(error, file: folder + "/" + indexName)
    }
  }

  /// Fills one shard after the other, as `split_state_dict_into_shards_factory` of huggingface_hub
  /// does: a tensor larger than a shard does not end the shard that is being filled.
  private static func split(
    _ tensors: [TensorSource], _ sizes: [String: Int], _ maximum: Int
  ) -> [[TensorSource]] {
    var shards: [[TensorSource]] = []
    var current: [TensorSource] = []
    var currentSize = 0
    for tensor in tensors {
      let size = sizes[tensor.name] ?? 0
      if size > maximum {
        shards.append([tensor])
        continue
      }
      if currentSize + size > maximum {
        shards.append(current)
        current = []
        currentSize = 0
      }
      current.append(tensor)
      currentSize += size
    }
    return current.isEmpty ? shards : shards + [current]
  }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}
