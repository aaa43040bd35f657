/// Learned weights in one stretch of memory, and the gradient accumulated for them.
///
/// Several parameters may lie in one (query, key and value, for example), so that one product
/// serves them all.
public final class Weight: @unchecked Sendable {
  public let value: Tensor
  /// The gradient; nil until it is first added to, or when the weight is frozen.
  public private(set) var gradient: Tensor?
  /// Whether something was added to the gradient since it was last cleared. A gradient that is not
  /// held may hold anything: whoever adds first, writes.
  public private(set) var holdsGradient = false

  public init(_ value: Tensor) { self.value = value }

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
    self.rows = rows ?? 0..<weight.value.rows
    precondition(
      shape.reduce(1, *) == self.rows.count * weight.value.columns,
      "\(name) of shape \(shape) in rows \(self.rows) of \(weight.value.shape)")
  }

  public var count: Int { shape.reduce(1, *) }
  public var value: Tensor { weight.value.rows(rows).reshaped(shape) }
  /// What was added since the gradient was cleared; nil when nothing was.
  public var gradient: Tensor? {
    weight.holdsGradient ? weight.gradient?.rows(rows).reshaped(shape) : nil
  }
}
