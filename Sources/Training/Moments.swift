import Storage
import Tensors

/// Where an optimizer keeps the moments of what it trains.
public enum MomentStorage: Equatable, Sendable {
  /// In memory, in float32: 8 bytes a parameter.
  case float32
  /// In memory, matrices of at least `Moment.leastQuantized` elements in 8-bit blocks (Dettmers et
  /// al. 2022, "8-bit Optimizers via Block-wise Quantization"), 2 bytes a parameter; all else in
  /// float32.
  case blockwise8Bit
  /// In float32, in a file without a name in this folder: 8 bytes a parameter of the disk. Results
  /// are those of `float32` to the bit.
  case disk(folder: String)
}

/// A running mean of a parameter's gradients, or of their squares.
enum Moment {
  case float32(Tensor)
  case blocks(QuantizedBlocks)
  case disk(DiskFloats)

  /// Of matrices: smaller ones are not worth the rounding (as in bitsandbytes).
  static let leastQuantized = 4096

  /// The numbers, where they are in float32 and may be changed.
  var floats: UnsafeMutablePointer<Float>? {
    switch self {
    case .float32(let tensor): tensor.pointer
    case .blocks: nil
    case .disk(let floats): floats.pointer
    }
  }

  /// The numbers in float32: their own memory where they are kept so, else a copy.
  var tensor: Tensor {
    switch self {
    case .float32(let tensor): return tensor
    case .blocks(let blocks):
      let tensor = Tensor(uninitialized: [blocks.count])
      blocks.expand(0..<blocks.count, into: tensor.pointer)
      return tensor
    case .disk(let floats):
      let tensor = Tensor(uninitialized: [floats.count])
      tensor.pointer.update(from: floats.pointer, count: floats.count)
      floats.release(0..<floats.count)
      return tensor
    }
  }

  /// First and second moments of parameters, all 0.
  ///
  /// - Throws: `FileError` where there is no such folder, or no space on its disk.
  static func zeros(
    of parameters: [Parameter], _ storage: MomentStorage
  ) throws(FileError) -> (first: [Moment], second: [Moment]) {
    switch storage {
    case .float32: return (parameters.map(float32), parameters.map(float32))
    case .blockwise8Bit:
      return (
        parameters.map { isQuantized($0) ? .blocks(.init(zeros: $0.count, .signed)) : float32($0) },
        parameters.map {
          isQuantized($0) ? .blocks(.init(zeros: $0.count, .unsigned)) : float32($0)
        }
      )
    case .disk(let folder):
      let both = try DiskFloats.zeros(
        counts: parameters.flatMap { [$0.count, $0.count] }, in: folder
      )
      .map(Moment.disk)
      return (
        parameters.indices.map { both[2 * $0] }, parameters.indices.map { both[2 * $0 + 1] }
      )
    }
  }

  private static func float32(_ parameter: Parameter) -> Moment {
    .float32(Tensor(zeros: [parameter.count]))
  }

  private static func isQuantized(_ parameter: Parameter) -> Bool {
    parameter.shape.count > 1 && parameter.count >= leastQuantized
  }
}

/// Numbers in a part of a scratch file.
struct DiskFloats {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int
  private let file: ScratchFile
  private let start: Int

  /// Numbers that are worked on before the next ones: what is in memory at a time.
  static let section = 1 << 22

  /// One stretch of zeros after the other in one file, each of which begins with a page.
  static func zeros(counts: [Int], in folder: String) throws(FileError) -> [DiskFloats] {
    let page = ScratchFile.pageSize
    var starts: [Int] = []
    var end = 0
    for count in counts {
      starts.append(end)
      end += (count * MemoryLayout<Float>.stride + page - 1) / page * page
    }
    if end == 0 { return [] }
    let file = try ScratchFile(in: folder, byteCount: end)
    return zip(counts, starts).map { count, start in
      DiskFloats(
        pointer: (file.memory + start).bindMemory(to: Float.self, capacity: count), count: count,
        file: file, start: start)
    }
  }

  private init(
    pointer: UnsafeMutablePointer<Float>, count: Int, file: ScratchFile, start: Int
  ) {
    self.pointer = pointer
    self.count = count
    self.file = file
    self.start = start
  }

  /// Begins to read numbers that will be needed.
  func willNeed(_ range: Range<Int>) { file.willNeed(bytes(range)) }

  /// Lets the memory of numbers go.
  func release(_ range: Range<Int>) { file.release(bytes(range)) }

  private func bytes(_ range: Range<Int>) -> Range<Int> {
    let size = MemoryLayout<Float>.stride
    return start + range.lowerBound * size..<start + range.upperBound * size
  }
}

extension Moment {
  /// Begins to read numbers that will be needed, where they are on the disk.
  func willNeed(_ range: Range<Int>) {
    if case .disk(let floats) = self { floats.willNeed(range.clamped(to: 0..<floats.count)) }
  }

  /// Lets the memory of numbers go that are on the disk.
  func release(_ range: Range<Int>) {
    if case .disk(let floats) = self { floats.release(range.clamped(to: 0..<floats.count)) }
  }

  /// How many numbers are worked on before the next ones are begun to be read.
  var section: Int {
    if case .disk = self { DiskFloats.section } else { .max }
  }
}
