import CKernels

/// Learned weights, and the gradient accumulated for them.
///
/// Several parameters may lie in one (query, key and value, for example), so that one product
/// serves them all. Weights that only generate text are packed, and have no value to be trained.
public final class Weight: @unchecked Sendable {
  private enum Storage {
    case value(Tensor)
    case bfloat16(BFloat16Rows)
    case packed(PackedMatrix)
  }

  private let storage: Storage
  /// Whether gradients are made for it. Those that are frozen get none.
  public let isTrained: Bool
  /// The gradient; nil until it is first added to, or when the weight is frozen.
  public private(set) var gradient: Tensor?
  /// Whether something was added to the gradient since it was last cleared. A gradient that is not
  /// held may hold anything: whoever adds first, writes.
  public private(set) var holdsGradient = false

  public init(_ value: Tensor, isTrained: Bool = true) {
    storage = .value(value)
    self.isTrained = isTrained
  }

  /// - Parameter isTrained: Only numbers that are the object's own can be.
  public init(_ rows: BFloat16Rows, isTrained: Bool) {
    precondition(!isTrained || rows.own != nil, "rows of somebody else's are not trained")
    storage = .bfloat16(rows)
    self.isTrained = isTrained
  }

  public init(_ packed: PackedMatrix) {
    storage = .packed(packed)
    isTrained = false
  }

  /// The weights in float32; there are none where they are kept otherwise.
  public var value: Tensor {
    guard case .value(let value) = storage else {
      preconditionFailure("weights that are not in float32")
    }
    return value
  }

  /// The weights in bfloat16, row by row; nil where they are kept otherwise.
  public var bfloat16: BFloat16Rows? {
    if case .bfloat16(let rows) = storage { rows } else { nil }
  }

  /// The weights in bfloat16, packed for products; nil where they are kept otherwise.
  public var packed: PackedMatrix? {
    if case .packed(let matrix) = storage { matrix } else { nil }
  }

  public var rows: Int {
    switch storage {
    case .value(let value): value.rows
    case .bfloat16(let rows): rows.rows
    case .packed(let matrix): matrix.rows
    }
  }

  public var columns: Int {
    switch storage {
    case .value(let value): value.columns
    case .bfloat16(let rows): rows.columns
    case .packed(let matrix): matrix.columns
    }
  }

  /// Writes a row, in float32.
  public func copyRow(_ index: Int, to row: UnsafeMutablePointer<Float>) {
    switch storage {
    case .value(let value): row.update(from: value.row(index), count: value.columns)
    case .bfloat16(let rows):
      rows.read(rows: index..<index + 1, columns: 0..<columns, to: row, stride: columns)
    case .packed(let matrix): matrix.copyRow(index, to: row)
    }
  }

  /// Lets `add` add to the gradient; its argument says whether to add or to write. A frozen weight
  /// does not call it.
  public func accumulateGradient(_ add: (_ gradient: Tensor, _ accumulating: Bool) -> Void) {
    guard isTrained else { return }
    let gradient = self.gradient ?? Tensor(uninitialized: [rows, columns])
    self.gradient = gradient
    add(gradient, holdsGradient)
    holdsGradient = true
  }

  /// Forgets what was added; the memory is kept for the next step.
  public func clearGradient() { holdsGradient = false }

  /// Forgets what was added, and gives its memory back.
  public func releaseGradient() {
    holdsGradient = false
    gradient = nil
  }
}

extension Tensor {
  /// Writes `x · weightsᵀ`, or adds it where `accumulating`: (T, C) times (O, C) into (T, O).
  public func setProduct(
    of x: Tensor, transposed weights: Weight, _ precision: Precision, accumulating: Bool = false
  ) {
    if let packed = weights.packed {
      setProduct(of: x.matrix, transposed: packed, accumulating: accumulating)
    } else if let rows = weights.bfloat16 {
      setProduct(of: x.matrix, transposed: rows, precision, accumulating: accumulating)
    } else {
      setProduct(of: x.matrix, weights.value.transposed, precision, accumulating: accumulating)
    }
  }

  /// Writes `y · weights`, or adds it where `accumulating`: (T, O) times (O, C) into (T, C).
  /// Packed weights can't do that.
  public func setProduct(
    of y: Tensor, _ weights: Weight, _ precision: Precision, accumulating: Bool = false
  ) {
    if let rows = weights.bfloat16 {
      setProduct(of: y.matrix, rows, precision, accumulating: accumulating)
    } else {
      setProduct(of: y.matrix, weights.value.matrix, precision, accumulating: accumulating)
    }
  }
}

/// The numbers of a parameter, one behind the other.
public enum ParameterStorage {
  case float32(UnsafeMutablePointer<Float>)
  case bfloat16(UnsafeMutablePointer<UInt16>)
}

/// A named part of a model that is learned: some rows of a weight.
public struct Parameter: Sendable {
  /// The name it has in a Hugging Face checkpoint.
  public let name: String
  /// The shape it has there; vectors have one dimension.
  public let shape: [Int]
  public let weight: Weight
  private let rows: Range<Int>

  public init(_ name: String, shape: [Int], of weight: Weight, rows: Range<Int>? = nil) {
    self.name = name
    self.shape = shape
    self.weight = weight
    self.rows = rows ?? 0..<weight.rows
    precondition(
      shape.reduce(1, *) == self.rows.count * weight.columns,
      "\(name) of shape \(shape) in rows \(self.rows) of \(weight.rows)×\(weight.columns)")
  }

  public var count: Int { shape.reduce(1, *) }
  /// The numbers, where they are in float32.
  public var value: Tensor { weight.value.rows(rows).reshaped(shape) }
  /// Where the numbers are; they live as long as the parameter's weight.
  public var storage: ParameterStorage {
    guard let words = weight.bfloat16?.own else { return .float32(value.pointer) }
    return .bfloat16(words + rows.lowerBound * weight.columns)
  }
  /// Writes some of the numbers, in float32.
  public func read(_ range: Range<Int>, into to: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
    switch storage {
    case .float32(let values):
      to.update(from: values + range.lowerBound, count: range.count)
    case .bfloat16(let words):
      kernels.float_from_bfloat16(to, words + range.lowerBound, Int64(range.count))
    }
  }
  /// What was added since the gradient was cleared; nil when nothing was.
  public var gradient: Tensor? {
    weight.holdsGradient ? weight.gradient?.rows(rows).reshaped(shape) : nil
  }
}
