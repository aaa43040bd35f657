import Foundation
import Models
import Safetensors
import Storage
import Tensors

/// A and B of one linear layer, in memory.
public struct AdapterWeights {
  public let layer: AdaptedLayer
  /// (rank, in)
  public let a: Tensor
  /// (out, rank)
  public let b: Tensor

  public init(_ layer: AdaptedLayer, a: Tensor, b: Tensor) {
    self.layer = layer
    self.a = a
    self.b = b
  }
}

extension AdapterCheckpoint {
  /// How an adapter is written.
  public struct SavingOptions: Sendable {
    /// The type of the stored A and B: float32, or bfloat16 by rounding to nearest even.
    public var dtype: ModelConfiguration.Dtype
    /// Whether an adapter that is there already is exchanged for the new one.
    public var replacing: Bool

    public init(dtype: ModelConfiguration.Dtype, replacing: Bool = false) {
      self.dtype = dtype
      self.replacing = replacing
    }
  }

  /// Whether this package writes files of that name into an adapter's folder, so that a newer one
  /// may replace them.
  static func isOwn(_ name: String) -> Bool {
    name == configurationName || name == weightsName || Checkpoint.isCarried(name)
  }

  /// Writes an adapter as a folder that PEFT loads; it appears whole or not at all.
  ///
  /// - Parameters:
  ///   - weights: A and B of each layer of `configuration.adaptedLayers`, in any order.
  ///   - path: The folder, which must not exist or be empty unless `options.replacing`.
  ///   - origin: A checkpoint whose tokenizer, generation settings and licence are carried along.
  ///   - additions: Other files by their names, which come in place of those carried along.
  /// - Throws: `AdapterError`, also for weights that are not those of the configuration, or not
  ///   finite in the type that is written.
  public static func save(
    _ weights: [AdapterWeights], _ configuration: AdapterConfiguration,
    for model: ModelConfiguration, to path: String, carryingFrom origin: String? = nil,
    additions: [String: Data] = [:], options: SavingOptions
  ) throws(AdapterError) {
    guard options.dtype != .float16 else {
      throw AdapterError(
        "\(path): adapters are written as float32 or bfloat16; float16 would overflow.")
    }
    try check(weights, configuration.adaptedLayers(of: model, source: path), path)
    do {
      var folder =
        options.replacing
        ? try AtomicFolder(at: path) { isOwn($0) || additions[$0] != nil }
        : try AtomicFolder(at: path)
      if let origin {
        for name in try Storage.names(inFolder: origin)
        where Checkpoint.isCarried(name) && additions[name] == nil {
          guard let bytes = try bytesOfFile(at: origin + "/" + name) else { continue }
          try folder.write(bytes, as: name)
        }
      }
      for (name, data) in additions { try folder.write(data, as: name) }
      try folder.write(
        JSONValue.object(configuration.json).serialized(pretty: true), as: configurationName)
      let type: SafetensorsType = options.dtype == .float32 ? .f32 : .bf16
      let sources = weights.flatMap {
        [source($0.layer.nameOfA, $0.a, type, path), source($0.layer.nameOfB, $0.b, type, path)]
      }
      try SafetensorsFile.write(sources, to: folder.partialPath + "/" + weightsName)
      try folder.commit()
    } catch let error as AdapterError {
      throw error
    } catch {
      throw AdapterError("\(error)")
    }
  }

  private static func check(
    _ weights: [AdapterWeights], _ layers: [AdaptedLayer], _ path: String
  ) throws(AdapterError) {
    for layer in layers {
      let own = weights.filter { $0.layer == layer }
      guard own.count == 1, let weights = own.first else {
        throw AdapterError(
          "\(path): \(own.count) pairs of A and B for '\(layer.path)', in place of one.")
      }
      for (name, tensor, shape) in [
        ("A", weights.a, layer.shapeOfA), ("B", weights.b, layer.shapeOfB),
      ] where tensor.shape != shape {
        throw AdapterError(
          "\(path): \(name) of '\(layer.path)' has the shape \(tensor.shape), not \(shape).")
      }
    }
    if weights.count > layers.count,
      let other = weights.first(where: { !layers.contains($0.layer) })
    {
      throw AdapterError(
        "\(path): A and B of '\(other.layer.path)', for which the configuration has no adapter.")
    }
  }

  private static func source(
    _ name: String, _ value: Tensor, _ type: SafetensorsType, _ path: String
  ) -> TensorSource {
    TensorSource(name, type, value.shape) { emit in
      func check(_ isFinite: Bool) throws(AdapterError) {
        guard !isFinite else { return }
        throw AdapterError(
          "\(path): '\(name)' holds NaN or a number that is too large for \(type.rawValue). "
            + "Its training has diverged.")
      }
      if type == .f32 {
        try check(value.squareSum().isFinite)
        return try emit(UnsafeRawBufferPointer(value.elements))
      }
      var words = [UInt16](repeating: 0, count: value.count)
      try words.withUnsafeMutableBufferPointer { words in
        guard let base = words.baseAddress else { return }
        kernels.bfloat16_from_float(base, value.pointer, Int64(value.count))
        try check(words.allSatisfy { $0 & 0x7f80 != 0x7f80 })
        try emit(UnsafeRawBufferPointer(words))
      }
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
