import CKernels

/// A row-major array of float32: the last dimension is contiguous, all before it are rows.
///
/// A tensor has reference semantics: copies and row ranges share its memory.
public struct Tensor: @unchecked Sendable {
  public let shape: [Int]
  // Kept, since kernels ask for them once a row.
  public let count: Int
  public let rows: Int
  public let columns: Int
  /// The first element.
  public let pointer: UnsafeMutablePointer<Float>
  private let buffer: Buffer

  private init(shape: [Int], pointer: UnsafeMutablePointer<Float>, buffer: Buffer) {
    self.shape = shape
    columns = shape.last ?? 1
    rows = shape.dropLast().reduce(1, *)
    count = rows * columns
    self.pointer = pointer
    self.buffer = buffer
  }

  /// A tensor holding whatever its memory held before; every element must be written first.
  public init(uninitialized shape: [Int]) {
    let count = shape.reduce(1, *)
    precondition(shape.allSatisfy { $0 >= 0 }, "a tensor of shape \(shape)")
    let buffer = Buffer(bytes: max(count, 1) * MemoryLayout<Float>.stride)
    let pointer = buffer.pointer.bindMemory(to: Float.self, capacity: max(count, 1))
    self.init(shape: shape, pointer: pointer, buffer: buffer)
  }

  public init(zeros shape: [Int]) {
    self.init(uninitialized: shape)
    setZero()
  }

  public init(_ values: [Float], shape: [Int]) {
    precondition(
      values.count == shape.reduce(1, *),
      "\(values.count) values do not fill a tensor of shape \(shape)")
    self.init(uninitialized: shape)
    values.withUnsafeBufferPointer { from in
      if let base = from.baseAddress { pointer.update(from: base, count: values.count) }
    }
  }

  /// All elements, row after row.
  public var elements: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }

  /// The start of row `index`.
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> {
    precondition(index >= 0 && index < rows, "row \(index) of a tensor of shape \(shape)")
    return pointer + index * columns
  }

  /// Some of the rows, in the same memory.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows,
      "rows \(range) of a tensor of shape \(shape)")
    return Tensor(
      shape: [range.count, columns], pointer: pointer + range.lowerBound * columns, buffer: buffer)
  }

  /// The same elements in the same memory, counted otherwise.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "\(self.shape) does not make \(shape)")
    return Tensor(shape: shape, pointer: pointer, buffer: buffer)
  }

  public func copy() -> Tensor {
    let copy = Tensor(uninitialized: shape)
    copy.pointer.update(from: pointer, count: count)
    return copy
  }

  public func setZero() { inChunks { $0.update(repeating: 0) } }

  /// Adds `other` element by element.
  public func add(_ other: Tensor) {
    precondition(other.count == count, "\(other.shape) added to \(shape)")
    inChunks { chunk in
      guard let base = chunk.baseAddress else { return }
      kernels.add(base, other.pointer + (base - pointer), Int64(chunk.count))
    }
  }

  /// Multiplies every element.
  public func scale(by factor: Float) {
    inChunks { chunk in
      guard let base = chunk.baseAddress else { return }
      kernels.scale(base, factor, Int64(chunk.count))
    }
  }

  /// Σ x², in Double, the same bits on any number of threads.
  public func squareSum() -> Double {
    let size = 1 << 16
    let sums = UnsafeMutablePointer<Double>.allocate(capacity: max(1, (count + size - 1) / size))
    defer { sums.deallocate() }
    ThreadPool.shared.forEachChunk(of: count, size: size) { range, chunk, _ in
      sums[chunk] = kernels.square_sum(pointer + range.lowerBound, Int64(range.count))
    }
    return (0..<(count + size - 1) / size).reduce(0) { $0 + sums[$1] }
  }

  private func inChunks(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    let elements = elements
    ThreadPool.shared.forEachChunk(of: count, size: 1 << 16) { range, _, _ in
      body(UnsafeMutableBufferPointer(rebasing: elements[range]))
    }
  }
}
