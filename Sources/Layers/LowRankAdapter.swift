import Tensors

/// A change of low rank to some rows of a frozen weight (Hu et al. 2021, "LoRA"):
///
///     h = drop(x) · Aᵀ,  y[:, rows] += s · h · Bᵀ
///
/// Nothing is kept for the way back: `drop(x)` and `h` are made again, which costs a rank's share of
/// the product that they stand beside.
public struct LowRankAdapter: Sendable {
  /// The rows of the weight that it changes, which are columns of y.
  public let rows: Range<Int>
  public let a: Weight  // (r, C)
  public let b: Weight  // (O, r), as many as there are rows
  public let scale: Float  // s
  let dropout: Dropout
  /// Tells its dropout from the other adapters'.
  let number: Int

  public init(
    rows: Range<Int>, a: Weight, b: Weight, scale: Float, dropout: Dropout, number: Int
  ) {
    precondition(b.rows == rows.count && a.rows == b.columns)
    self.rows = rows
    self.a = a
    self.b = b
    self.scale = scale
    self.dropout = dropout
    self.number = number
  }

  /// Adds to `y`, whose columns are the weight's rows.
  ///
  /// - Parameter firstRow: The number of the first row, where x is a stretch of more: what is left out
  ///   is what would be in the whole.
  func forward(_ x: Tensor, addingTo y: Tensor, firstRow: Int, _ precision: Precision) {
    let h = hidden(dropout.applied(to: x, number, firstRow: firstRow), precision)
    y.setProduct(
      of: h.matrix, b.value.transposed, precision, accumulating: true, column: rows.lowerBound)
  }

  /// Adds to the gradients of A and B:
  ///
  ///     dB = s · dyᵀ · h,  dA = dhᵀ · drop(x),  dh = s · dy · B
  func accumulateGradients(_ dy: Tensor, x: Tensor, firstRow: Int, _ precision: Precision) {
    let x = dropout.applied(to: x, number, firstRow: firstRow)
    let dy = dy.matrix(columns: rows)
    let h = hidden(x, precision)
    b.accumulateGradient { gradient, accumulating in
      gradient.setProduct(of: dy.transposed, h.matrix, precision, accumulating: accumulating)
    }
    let dh = hiddenGradient(dy, precision)
    a.accumulateGradient { gradient, accumulating in
      gradient.setProduct(of: dh.transposed, x.matrix, precision, accumulating: accumulating)
    }
  }

  /// Adds to the gradient of x: `dx += drop(dh · A)`, with the same numbers left out.
  func addInputGradient(_ dy: Tensor, to dx: Tensor, firstRow: Int, _ precision: Precision) {
    let dh = hiddenGradient(dy.matrix(columns: rows), precision)
    if dropout.leavesOut {
      let part = Tensor(uninitialized: dx.shape)
      part.setProduct(of: dh.matrix, a.value.matrix, precision)
      dropout.add(part, to: dx, number, firstRow: firstRow)
    } else {
      dx.setProduct(of: dh.matrix, a.value.matrix, precision, accumulating: true)
    }
  }

  /// s · x · Aᵀ
  private func hidden(_ x: Tensor, _ precision: Precision) -> Tensor {
    let h = Tensor(uninitialized: [x.rows, a.rows])
    h.setProduct(of: x.matrix, a.value.transposed, precision)
    h.scale(by: scale)
    return h
  }

  /// s · dy · B
  private func hiddenGradient(_ dy: Matrix, _ precision: Precision) -> Tensor {
    let dh = Tensor(uninitialized: [dy.rows, a.rows])
    dh.setProduct(of: dy, b.value.matrix, precision)
    dh.scale(by: scale)
    return dh
  }
}

/// Leaves out inputs of adapters at random (Srivastava et al. 2014), the same ones on the way there
/// and on the way back: which ones is a function of a place in the training and of their own.
public final class Dropout: @unchecked Sendable {
  /// Where training stands.
  public struct Place: Equatable, Sendable {
    public let seed: UInt64
    public let step: Int
    public let part: Int

    public init(seed: UInt64, step: Int, part: Int) {
      self.seed = seed
      self.step = step
      self.part = part
    }
  }

  /// The share that is left out.
  public let probability: Double
  public var place = Place(seed: 0, step: 0, part: 0)
  /// Whether anything is left out now.
  public var isActive = false

  public init(probability: Double) {
    precondition((0..<1).contains(probability))
    self.probability = probability
  }

  var leavesOut: Bool { isActive && probability > 0 }

  private func stream(_ number: Int) -> RandomStream {
    RandomStream(seed: place.seed, "dropout", place.step, place.part, number)
  }

  /// `x` itself, or a copy without what is left out.
  func applied(to x: Tensor, _ number: Int, firstRow: Int) -> Tensor {
    guard leavesOut else { return x }
    let y = Tensor(uninitialized: x.shape)
    y.setDropout(
      of: x, probability: probability, from: stream(number), first: firstRow * x.columns)
    return y
  }

  /// Adds to `to` what is not left out of `x`.
  func add(_ x: Tensor, to: Tensor, _ number: Int, firstRow: Int) {
    to.addDropout(
      of: x, probability: probability, from: stream(number), first: firstRow * x.columns)
  }
}
