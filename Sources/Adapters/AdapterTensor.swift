import Safetensors
import Tensors

/// What an adapter's tensors hold: float32, bfloat16 or float16, at any address.
extension SafetensorsTensor {
  static let adapterTypes: [SafetensorsType] = [.f32, .bf16, .f16]

  /// The elements as float32.
  var floats: Tensor {
    let tensor = Tensor(uninitialized: shape)
    read(0..<tensor.count, into: tensor.pointer)
    return tensor
  }

  /// Whether no element is NaN or infinity.
  var isFinite: Bool { squareSums.allSatisfy(\.isFinite) }
  /// Whether every element is 0.
  var isZero: Bool { squareSums.allSatisfy { $0 == 0 } }

  /// Σ x² of each part, in Double, in which no square of a float32 overflows or vanishes.
  private var squareSums: [Double] {
    let count = shape.reduce(1, *)
    let size = 1 << 16
    var sums = [Double](repeating: 0, count: (count + size - 1) / size)
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let to = sums
      ThreadPool.shared.forEachChunk(of: count, size: size) { range, chunk, _ in
        let part = Tensor(uninitialized: [range.count])
        read(range, into: part.pointer)
        to[chunk] = kernels.square_sum(part.pointer, Int64(range.count))
      }
    }
    return sums
  }

  /// Reads elements `range` as float32.
  private func read(_ range: Range<Int>, into to: UnsafeMutablePointer<Float>) {
    let size = dtype.bitCount / 8
    withUnsafeBytes { bytes in
      let part = UnsafeRawBufferPointer(
        rebasing: bytes[range.lowerBound * size..<range.upperBound * size])
      if dtype == .f32 {
        UnsafeMutableRawBufferPointer(start: to, count: part.count).copyMemory(from: part)
        return
      }
      let words = [UInt16](unsafeUninitializedCapacity: range.count) { buffer, count in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: part)
        count = range.count
      }
      if dtype == .bf16 {
        kernels.float_from_bfloat16(to, words, Int64(range.count))
      } else {
        kernels.float_from_float16(to, words, Int64(range.count))
      }
    }
  }
}
