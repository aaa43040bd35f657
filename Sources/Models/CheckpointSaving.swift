import Foundation
import Safetensors
import Storage
import Tensors

extension Checkpoint {
  /// How a checkpoint is written.
  public struct SavingOptions: Sendable {
    /// The type of the stored weights: float32, or bfloat16 by rounding to nearest even.
    public var dtype: ModelConfiguration.Dtype
    /// The most bytes of tensors in one file.
    public var maximumShardBytes: Int
    /// Whether a checkpoint that is there already is exchanged for the new one.
    public var replacing: Bool

    public init(
      dtype: ModelConfiguration.Dtype, maximumShardBytes: Int = 5_000_000_000,
      replacing: Bool = false
    ) {
      self.dtype = dtype
      self.maximumShardBytes = maximumShardBytes
      self.replacing = replacing
    }
  }

  /// Files that are carried along beside the weights: the tokenizer's, how to generate, a licence.
  public static func isCarried(_ name: String) -> Bool {
    carried.contains(name) || name.hasSuffix(".jinja") || name.uppercased().hasPrefix("LICENSE")
      || name.uppercased().hasPrefix("NOTICE")
  }

  private static let carried: Set = [
    "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.json",
  ]

  /// Whether this package writes files of that name into a checkpoint, so that a newer one may
  /// replace them.
  static func isOwn(_ name: String) -> Bool {
    isCarried(name) || name == "config.json" || name == "model.safetensors"
      || name == "model.safetensors.index.json"
      || (name.hasPrefix("model-") && name.hasSuffix(".safetensors"))
  }

  /// Writes a decoder as a folder that transformers loads; it appears whole or not at all.
  ///
  /// - Parameters:
  ///   - path: The folder, which must not exist or be empty unless `options.replacing`.
  ///   - origin: A checkpoint whose tokenizer, generation settings and licence are carried along.
  ///   - additions: Other files by their names, which come in place of those carried along.
  /// - Throws: `CheckpointError`.
  public static func save(
    _ decoder: Decoder, to path: String, carryingFrom origin: String? = nil,
    additions: [String: Data] = [:], options: SavingOptions
  ) throws(CheckpointError) {
    precondition(decoder.lowRank == nil, "adapters are no checkpoint: merge or save them as such")
    guard options.dtype != .float16 else {
      throw CheckpointError(
        "\(path): weights are written as float32 or bfloat16; float16 would overflow.")
    }
    do {
      let configuration = try decoder.configuration.replacing(
        dtype: options.dtype, source: path + "/config.json")
      let type: SafetensorsType = options.dtype == .float32 ? .f32 : .bf16
      var folder =
        options.replacing
        ? try AtomicFolder(at: path) { isOwn($0) || additions[$0] != nil }
        : try AtomicFolder(at: path)
      if let origin {
        for name in try Storage.names(inFolder: origin)
        where isCarried(name) && additions[name] == nil {
          guard let bytes = try bytesOfFile(at: origin + "/" + name) else { continue }
          try folder.write(bytes, as: name)
        }
      }
      for (name, data) in additions { try folder.write(data, as: name) }
      try folder.write(
        JSONValue.object(configuration.json).serialized(pretty: true), as: "config.json")
      let tensors = decoder.parameters.map { parameter in
        TensorSource(parameter.name, type, parameter.shape) { emit in
          try ElementConversion.write(parameter, as: type, emit)
        }
      }
      try TensorFolder.write(
        tensors, to: folder.partialPath, maximumShardBytes: options.maximumShardBytes)
      try folder.commit()
    } catch {
      throw CheckpointError("\(error)")
    }
  }

  /// What a file holds; nil for a folder, such as one of licences, which is left behind.
  private static func bytesOfFile(at path: String) throws(FileError) -> Data? {
    do throws(FileError) {
      let file = try MappedFile(at: path)
      return withExtendedLifetime(file) { Data(file.bytes) }
    } catch {
      switch error.reason {
      case .isFolder: return nil
      case .empty: return Data()
      default: throw error
      }
    }
  }
}
