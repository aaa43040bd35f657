import Safetensors
import Storage
import Tensors

/// Numbers of a run as they are kept in memory and in a checkpoint, without conversion.
struct StoredTensor {
  let name: String
  let dtype: SafetensorsType
  let shape: [Int]
  /// All of them, as many bytes as `dtype` and `shape` say.
  let memory: UnsafeMutableRawBufferPointer
  /// What keeps the memory.
  private let owner: Any
  /// Lets bytes go that lie on the disk.
  private let release: (Range<Int>) -> Void

  /// Bytes that are read or written before the memory of those before is let go.
  private static let section = DiskFloats.section * MemoryLayout<Float>.stride

  private init(
    _ name: String, _ dtype: SafetensorsType, _ shape: [Int], _ start: UnsafeMutableRawPointer,
    owner: Any, release: @escaping (Range<Int>) -> Void = { _ in }
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    memory = UnsafeMutableRawBufferPointer(
      start: start, count: shape.reduce(1, *) * dtype.bitCount / 8)
    self.owner = owner
    self.release = release
  }

  /// The weights of a parameter, in float32 or in bfloat16.
  init(_ parameter: Parameter) {
    switch parameter.storage {
    case .float32(let values):
      self.init(parameter.name, .f32, parameter.shape, values, owner: parameter.weight)
    case .bfloat16(let words):
      self.init(parameter.name, .bf16, parameter.shape, words, owner: parameter.weight)
    }
  }

  /// A moment of a parameter: one tensor of its name in float32, or the codes, and the scales under
  /// a name of their own.
  static func tensors(of moment: Moment, _ parameter: Parameter) -> [StoredTensor] {
    switch moment {
    case .float32(let tensor):
      return [
        StoredTensor(parameter.name, .f32, parameter.shape, tensor.pointer, owner: tensor)
      ]
    case .disk(let floats):
      let size = MemoryLayout<Float>.stride
      return [
        StoredTensor(parameter.name, .f32, parameter.shape, floats.pointer, owner: floats) {
          floats.release($0.lowerBound / size..<$0.upperBound / size)
        }
      ]
    case .blocks(let blocks):
      return [
        StoredTensor(parameter.name, .u8, parameter.shape, blocks.codes, owner: blocks),
        StoredTensor(
          parameter.name + scalesSuffix, .f32, [blocks.scaleCount], blocks.scales, owner: blocks),
      ]
    }
  }

  static let scalesSuffix = ".scales"

  /// Gives all bytes to a file that is written.
  var source: TensorSource {
    TensorSource(name, dtype, shape) { emit in
      for range in sections {
        try emit(UnsafeRawBufferPointer(rebasing: memory[range]))
        release(range)
      }
    }
  }

  /// Takes all bytes over.
  func copy(from bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == memory.count, "\(bytes.count) bytes for \(memory.count)")
    for range in sections {
      UnsafeMutableRawBufferPointer(rebasing: memory[range])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
      release(range)
    }
  }

  private var sections: [Range<Int>] {
    stride(from: 0, to: memory.count, by: Self.section).map {
      $0..<min($0 + Self.section, memory.count)
    }
  }
}

extension Parameter {
  /// Whether no number of it is NaN or infinite.
  var isFinite: Bool {
    switch storage {
    case .float32: return value.squareSum().isFinite
    case .bfloat16(let words):
      let size = 1 << 16
      let found = Tensor(zeros: [(count + size - 1) / size])
      ThreadPool.shared.forEachChunk(of: count, size: size) { range, chunk, _ in
        // NaN and infinity have all bits of the exponent.
        if range.contains(where: { words[$0] & 0x7f80 == 0x7f80 }) { found.pointer[chunk] = 1 }
      }
      return found.squareSum() == 0
    }
  }
}
