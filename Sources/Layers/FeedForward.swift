import CKernels
import Tensors

/// The gated feed-forward network of the Llama and Qwen families (Shazeer 2020, "SwiGLU"):
/// `y = (silu(x · Wgᵀ) ⊙ (x · Wuᵀ)) · Wdᵀ`.
///
/// Gate and up lie in one weight, one above the other, so that one product makes both.
public struct FeedForward: Sendable {
  public let gateUp: Linear  // (2F, C): gate, then up
  public let down: Linear  // (C, F)

  public init(gateUp: Linear, down: Linear) {
    self.gateUp = gateUp
    self.down = down
  }

  /// Rows that are worked on at a time when nothing is kept: a multiple of every size at which
  /// sums over rows are cut, so that stretches give the bits of the whole.
  public static let stretch = 4096

  private var F: Int { down.weight.columns }

  /// What the backward pass needs beside the input: gate and up, (T, 2F).
  public struct Cache { let gateUp: Tensor }

  /// Returns `residual + y`, and keeps what `backward` needs.
  public func forward(_ x: Tensor, adding residual: Tensor) -> (y: Tensor, cache: Cache) {
    let gateUp = self.gateUp.forward(x)
    return (down.forward(activation(gateUp), adding: residual), Cache(gateUp: gateUp))
  }

  /// Returns `residual + y` and keeps nothing.
  public func forwardOnly(_ x: Tensor, adding residual: Tensor) -> Tensor {
    if x.rows <= Self.stretch {
      return down.forward(activation(gateUp.forward(x)), adding: residual)
    }
    let y = Tensor(uninitialized: x.shape)
    for rows in stretches(of: x.rows) {
      let first = rows.lowerBound
      let part = down.forward(
        activation(gateUp.forward(x.rows(rows), firstRow: first)), adding: residual.rows(rows),
        firstRow: first)
      y.rows(rows).pointer.update(from: part.pointer, count: part.count)
    }
    return y
  }

  /// Adds to the weights' gradients and returns that of `x`. The cache is used up: its memory
  /// becomes the gradient of gate and up.
  public func backward(_ dy: Tensor, x: Tensor, _ cache: Cache) -> Tensor {
    backward(dy, x: x, cache, firstRow: 0)
  }

  private func backward(_ dy: Tensor, x: Tensor, _ cache: Cache, firstRow: Int) -> Tensor {
    let gateUp = cache.gateUp
    let dh = down.inputGradient(dy, firstRow: firstRow)
    ThreadPool.shared.forEachChunk(of: x.rows, size: 8) { range, _, _ in
      for t in range {
        let (row, gate) = (dh.pointer + t * F, gateUp.pointer + t * 2 * F)
        kernels.swiglu_backward(row, row, gate, gate + F, Int64(F))
      }
    }
    let h = dh  // the kernel wrote the activation where its gradient was
    down.accumulateGradients(dy, x: h, firstRow: firstRow)
    return self.gateUp.backward(gateUp, x: x, firstRow: firstRow)
  }

  /// `backward` without a cache: gate and up are made again, a stretch of rows at a time.
  public func backwardRecomputing(_ dy: Tensor, x: Tensor) -> Tensor {
    if x.rows <= Self.stretch { return backward(dy, x: x, Cache(gateUp: gateUp.forward(x))) }
    let dx = Tensor(uninitialized: x.shape)
    for rows in stretches(of: x.rows) {
      let part = x.rows(rows), first = rows.lowerBound
      let dPart = backward(
        dy.rows(rows), x: part, Cache(gateUp: gateUp.forward(part, firstRow: first)),
        firstRow: first)
      dx.rows(rows).pointer.update(from: dPart.pointer, count: dPart.count)
    }
    return dx
  }

  private func stretches(of rows: Int) -> [Range<Int>] {
    stride(from: 0, to: rows, by: Self.stretch).map { $0..<min(rows, $0 + Self.stretch) }
  }

  private func activation(_ gateUp: Tensor) -> Tensor {
    let h = Tensor(uninitialized: [gateUp.rows, F])
    ThreadPool.shared.forEachChunk(of: h.rows, size: 8) { range, _, _ in
      for t in range {
        let gate = gateUp.pointer + t * 2 * F
        kernels.swiglu(h.pointer + t * F, gate, gate + F, Int64(F))
      }
    }
    return h
  }
}
