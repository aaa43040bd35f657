import CKernels
import Tensors

/// A matrix product with a learned weight, `y = x · Wᵀ + b`, and the adapters beside it.
public struct Linear: Sendable {
  public let weight: Weight  // (O, C)
  public let bias: Weight?  // (O, 1)
  public let adapters: [LowRankAdapter]
  public let precision: Precision

  public init(
    weight: Weight, bias: Weight? = nil, adapters: [LowRankAdapter] = [], precision: Precision
  ) {
    self.weight = weight
    self.bias = bias
    self.adapters = adapters
    self.precision = precision
  }

  /// - Parameters:
  ///   - residual: Added to the result, if given: `y = residual + x · Wᵀ + b`.
  ///   - firstRow: The number of x's first row, even, where x is a stretch of more rows: adapters
  ///     leave out of it what they would in the whole.
  public func forward(
    _ x: Tensor, adding residual: Tensor? = nil, firstRow: Int = 0
  ) -> Tensor {
    let y = Tensor(uninitialized: [x.rows, weight.rows])
    if bias != nil || residual != nil {
      let (bias, from) = (self.bias?.value.pointer, residual?.pointer)
      ThreadPool.shared.forEachChunk(of: y.rows, size: 64) { range, _, _ in
        for t in range {
          let row = y.pointer + t * y.columns
          let columns = Int64(y.columns)
          if let bias {
            if let from {
              kernels.sum(row, bias, from + t * y.columns, columns)
            } else {
              row.update(from: bias, count: y.columns)
            }
          } else if let from {
            row.update(from: from + t * y.columns, count: y.columns)
          }
        }
      }
    }
    y.setProduct(
      of: x, transposed: weight, precision, accumulating: bias != nil || residual != nil)
    for adapter in adapters { adapter.forward(x, addingTo: y, firstRow: firstRow, precision) }
    return y
  }

  /// Adds to the weight's and bias's gradients, and returns that of `x`:
  ///
  ///     dW = dyᵀ · x,  db = Σ_t dy[t],  dx = dy · W
  public func backward(_ dy: Tensor, x: Tensor, firstRow: Int = 0) -> Tensor {
    accumulateGradients(dy, x: x, firstRow: firstRow)
    return inputGradient(dy, firstRow: firstRow)
  }

  /// The part of `backward` that concerns the input.
  public func inputGradient(_ dy: Tensor, firstRow: Int = 0) -> Tensor {
    let dx = Tensor(uninitialized: [dy.rows, weight.columns])
    dx.setProduct(of: dy, weight, precision)
    for adapter in adapters {
      adapter.addInputGradient(dy, to: dx, firstRow: firstRow, precision)
    }
    return dx
  }

  /// The part of `backward` that concerns the weights.
  public func accumulateGradients(_ dy: Tensor, x: Tensor, firstRow: Int = 0) {
    weight.accumulateGradient { gradient, accumulating in
      gradient.setProduct(of: dy.transposed, x.matrix, precision, accumulating: accumulating)
    }
    bias?.accumulateGradient { gradient, accumulating in
      accumulateRowSums(of: dy.rows, into: gradient, accumulating: accumulating) { t, sum in
        kernels.add(sum, dy.pointer + t * dy.columns, Int64(dy.columns))
      }
    }
    for adapter in adapters {
      adapter.accumulateGradients(dy, x: x, firstRow: firstRow, precision)
    }
  }
}

/// Rows whose sums are made apart before they are added up: part of what a gradient's bits mean.
/// A row of tokens may be trained in stretches of any multiple of it.
let rowsPerSum = 64

/// Adds `Σ_t add(t)` to `gradient`, in an order that does not depend on the number of threads.
func accumulateRowSums(
  of rows: Int, into gradient: Tensor, accumulating: Bool,
  add: (_ t: Int, _ sum: UnsafeMutablePointer<Float>) -> Void
) {
  let sums = Tensor(uninitialized: [(rows + rowsPerSum - 1) / rowsPerSum, gradient.count])
  ThreadPool.shared.forEachChunk(of: rows, size: rowsPerSum) { range, chunk, _ in
    let sum = sums.pointer + chunk * sums.columns
    sum.update(repeating: 0, count: sums.columns)
    for t in range { add(t, sum) }
  }
  if !accumulating { gradient.setZero() }
  for chunk in 0..<sums.rows {
    kernels.add(gradient.pointer, sums.row(chunk), Int64(gradient.count))
  }
}
