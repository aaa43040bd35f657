/// Learned weights in one stretch of memory, and the gradient accumulated for them.
///
/// Several parameters may lie in one (query, key and value, for example), so that one product
/// serves them all. Weights that only generate text are packed, and have no value to be trained.
public final class Weight: @unchecked Sendable {
  private enum Storage {
    case value(Tensor)
    case packed(PackedMatrix)
  }

  private let storage: Storage
  /// The gradient; nil until it is first added to, or when the weight is frozen.
  public private(set) var gradient: Tensor?
  /// Whether something was added to the gradient since it was last cleared. A gradient that is not
  /// held may hold anything: whoever adds first, writes.
  public private(set) var holdsGradient = false

  public init(_ value: Tensor) { storage = .value(value) }
  public init(_ packed: PackedMatrix) { storage = .packed(packed) }

  /// The weights in float32; there are none where they are packed.
  public var value: Tensor {
    guard case .value(let value) = storage else {
      preconditionFailure("packed weights are not for training")
    }
    return value
  }

  /// The weights in bfloat16, packed for products; nil where they are in float32.
  public var packed: PackedMatrix? {
    if case .packed(let matrix) = storage { matrix } else { nil }
  }

  public var rows: Int {
    switch storage {
    case .value(let value): value.rows
    case .packed(let matrix): matrix.rows
    }
  }

  public var columns: Int {
    switch storage {
    case .value(let value): value.columns
    case .packed(let matrix): matrix.columns
    }
  }

  /// Lets `add` add to the gradient; its argument says whether to add or to write.
  public func accumulateGradient(_ add: (_ gradient: Tensor, _ accumulating: Bool) -> Void) {
    let gradient = self.gradient ?? Tensor(uninitialized: value.shape)
    self.gradient = gradient
    add(gradient, holdsGradient)
    holdsGradient = true
  }

  /// Forgets what was added; the memory is kept for the next step.
  public func clearGradient() { holdsGradient = false }
}

extension Tensor {
  /// Writes `x · weightsᵀ`, or adds it where `accumulating`: (T, C) times (O, C) into (T, O).
  public func setProduct(
    of x: Tensor, transposed weights: Weight, _ precision: Precision, accumulating: Bool = false
  ) {
    if let packed = weights.packed {
      setProduct(of: x.matrix, transposed: packed, accumulating: accumulating)
    } else {
      setProduct(of: x.matrix, weights.value.transposed, precision, accumulating: accumulating)
    }
  }
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
  public var value: Tensor { weight.value.rows(rows).reshaped(shape) }
  /// What was added since the gradient was cleared; nil when nothing was.
  public var gradient: Tensor? {
    weight.holdsGradient ? weight.gradient?.rows(rows).reshaped(shape) : nil
  }
}
