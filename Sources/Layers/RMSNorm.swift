import CKernels
import Tensors

/// Scales each row to root mean square 1, then each channel by a learned gain
/// (Zhang & Sennrich 2019): `y = gain · x · r`, `r = 1 / √(⟨x²⟩ + ε)`.
public struct RMSNorm: Sendable {
  public let gain: Weight  // (C, 1)
  public let epsilon: Float

  public init(gain: Weight, epsilon: Float) {
    self.gain = gain
    self.epsilon = epsilon
  }

  public func forward(_ x: Tensor) -> Tensor {
    let gain = self.gain.value, C = gain.count
    precondition(x.columns == C, "RMSNorm over \(C) channels given input of shape \(x.shape)")
    let y = Tensor(uninitialized: x.shape)
    ThreadPool.shared.forEachChunk(of: x.rows, size: 16) { range, _, _ in
      for t in range {
        _ = kernels.rms_norm(
          y.pointer + t * C, x.pointer + t * C, gain.pointer, epsilon, Int64(C))
      }
    }
    return y
  }

  /// Adds this layer's share to the gradient of `gain` and, row by row, to `dx`.
  ///
  /// Write `n = x · r` and `⟨·⟩` for the mean over the channels of one row. Then
  ///
  ///     dgain[i] = Σ_t dy[t,i] · n[t,i]
  ///     dx[t,i]  = r[t] · (gain[i] · dy[t,i] − n[t,i] · ⟨gain · dy[t] · n[t]⟩)
  ///
  /// The subtracted term is the path through `r`, from ∂r/∂x[i] = −r² · n[i] / C. `r` and `n` are
  /// made again from `x`: that costs less than reading them from memory.
  public func backward(_ dy: Tensor, x: Tensor, addingTo dx: Tensor) {
    let C = gain.value.count
    precondition(x.columns == C && dy.shape == x.shape && dx.shape == x.shape)
    accumulateGainSums(of: x.rows) { t, sum in
      let row = x.pointer + t * C
      let r = 1 / (kernels.dot(row, row, Int64(C)) / Float(C) + epsilon).squareRoot()
      kernels.rms_norm_backward(
        dx.pointer + t * C, sum, dy.pointer + t * C, row, gain.value.pointer, r, Int64(C))
    }
  }

  /// Adds `Σ_t add(t)` to the gain's gradient; to nothing where it is frozen.
  private func accumulateGainSums(
    of rows: Int, add: (_ t: Int, _ sum: UnsafeMutablePointer<Float>) -> Void
  ) {
    if gain.isTrained {
      gain.accumulateGradient { gradient, accumulating in
        accumulateRowSums(of: rows, into: gradient, accumulating: accumulating, add: add)
      }
    } else {
      let unused = Tensor(uninitialized: [gain.value.count])
      accumulateRowSums(of: rows, into: unused, accumulating: false, add: add)
    }
  }

  /// Normalizes heads that lie side by side, each by itself, as Qwen3 does with queries and keys.
  ///
  /// - Parameters:
  ///   - x: One row per token; the other columns of `y` are left alone.
  ///   - column: Where the first head begins.
  public func forwardHeads(_ x: Tensor, into y: Tensor, column: Int, heads: Int) {
    let D = gain.value.count
    ThreadPool.shared.forEachChunk(of: x.rows, size: 16) { range, _, _ in
      for t in range {
        for head in 0..<heads {
          let at = t * x.columns + column + head * D
          _ = kernels.rms_norm(
            y.pointer + at, x.pointer + at, gain.value.pointer, epsilon, Int64(D))
        }
      }
    }
  }

  /// The mirror of `forwardHeads`: replaces the gradient of its output by that of its input.
  public func backwardHeads(_ dy: Tensor, x: Tensor, column: Int, heads: Int) {
    let D = gain.value.count
    accumulateGainSums(of: x.rows) { t, sum in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: D) { scratch in
        guard let dx = scratch.baseAddress else { return }
        for head in 0..<heads {
          let at = t * x.columns + column + head * D
          let row = x.pointer + at
          dx.update(repeating: 0, count: D)
          let r = 1 / (kernels.dot(row, row, Int64(D)) / Float(D) + epsilon).squareRoot()
          kernels.rms_norm_backward(
            dx, sum, dy.pointer + at, row, gain.value.pointer, r, Int64(D))
          (dy.pointer + at).update(from: dx, count: D)
        }
      }
    }
  }
}
