import Foundation

/// A tensor that is to be written, with where its bytes come from.
public struct TensorSource {
  /// Takes the next bytes of a tensor.
  public typealias Emit = (UnsafeRawBufferPointer) throws -> Void

  public let name: String
  public let dtype: SafetensorsType
  /// The dimensions, the last of which is contiguous.
  public let shape: [Int]
  /// Gives all bytes of the tensor to its argument, in order, little-endian, in any number of parts.
  public let write: (Emit) throws -> Void

  /// A tensor whose bytes are made when it is written, so that a model need not be in memory twice.
  ///
  /// - Parameter write: Gives all bytes to its argument, in order, in any number of parts. It is
  ///   called once for each time that the tensor is written.
  public init(
    _ name: String, _ dtype: SafetensorsType, _ shape: [Int],
    write: @escaping (Emit) throws -> Void
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.write = write
  }

  /// A tensor whose bytes are there.
  public init(_ name: String, _ dtype: SafetensorsType, _ shape: [Int], _ bytes: [UInt8]) {
    self.init(name, dtype, shape) { emit in try bytes.withUnsafeBytes(emit) }
  }

  /// A tensor of another file.
  public init(_ tensor: SafetensorsTensor) {
    self.init(tensor.name, tensor.dtype, tensor.shape) { emit in
      try tensor.withUnsafeBytes { bytes in try emit(bytes) }
    }
  }
}
