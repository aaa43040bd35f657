import Safetensors
import Tensors

/// Conversions between float32 and the types that weights are stored in.
enum ElementConversion {
  /// Reads elements `range` of a tensor's bytes, which may lie at any address.
  static func read(
    _ bytes: UnsafeRawBufferPointer, _ dtype: SafetensorsType, at range: Range<Int>,
    into to: UnsafeMutablePointer<Float>
  ) {
    let count = range.count
    guard let base = bytes.baseAddress, count > 0 else { return }
    if dtype == .f32 {
      UnsafeMutableRawPointer(to).copyMemory(
        from: base + range.lowerBound * 4, byteCount: count * 4)
      return
    }
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: min(count, step)) { part in
      guard let words = part.baseAddress else { return }
      for start in stride(from: 0, to: count, by: step) {
        let length = min(step, count - start)
        UnsafeMutableRawPointer(words).copyMemory(
          from: base + (range.lowerBound + start) * 2, byteCount: length * 2)
        if dtype == .bf16 {
          kernels.float_from_bfloat16(to + start, words, Int64(length))
        } else {
          kernels.float_from_float16(to + start, words, Int64(length))
        }
      }
    }
  }

  /// Gives all elements of a parameter to `emit`, a part at a time.
  static func write(
    _ parameter: Parameter, as dtype: SafetensorsType, _ emit: TensorSource.Emit
  ) throws {
    let count = parameter.count
    switch (parameter.storage, dtype) {
    case (.float32(let values), .f32):
      try emit(UnsafeRawBufferPointer(start: values, count: count * 4))
    case (.bfloat16(let words), .bf16):
      try emit(UnsafeRawBufferPointer(start: words, count: count * 2))
    default:
      let part = Tensor(uninitialized: [min(count, 1 << 16)])
      try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: part.count) { words in
        guard let base = words.baseAddress else { return }
        for start in stride(from: 0, to: count, by: part.count) {
          let length = min(part.count, count - start)
          parameter.read(start..<start + length, into: part.pointer)
          if dtype == .f32 {
            try emit(UnsafeRawBufferPointer(start: part.pointer, count: length * 4))
          } else {
            kernels.bfloat16_from_float(base, part.pointer, Int64(length))
            try emit(UnsafeRawBufferPointer(start: base, count: length * 2))
          }
        }
      }
    }
  }

  private static let step = 4096
}
