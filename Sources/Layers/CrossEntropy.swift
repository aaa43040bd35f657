import CKernels
import Tensors

/// The output projection and the cross-entropy of its softmax, fused, a chunk of rows at a time.
///
/// Logits over a vocabulary of 151,936 take 600 KB a token: a chunk of them is made, turned into
/// losses and gradients, and let go. Only rows with a target should be given.
public struct CrossEntropy: Sendable {
  public let weight: Weight  // (V, C): the head's, or the embedding's when they are tied
  public let precision: Precision

  /// Rows at a time: part of what the head's gradient's bits mean, since its sums are cut there.
  public static let chunk = 256

  public init(weight: Weight, precision: Precision) {
    self.weight = weight
    self.precision = precision
  }

  /// The logits of every row: (T, V).
  public func logits(_ x: Tensor) -> Tensor {
    let logits = Tensor(uninitialized: [x.rows, weight.rows])
    logits.setProduct(of: x, transposed: weight, precision)
    return logits
  }

  /// The log-probability of each row's target, in nats.
  public func logProbabilities(_ x: Tensor, targets: [Int32]) -> [Float] {
    var result = [Float](repeating: 0, count: targets.count)
    inChunks(x, targets, &result) { logits, _, target, _ in
      logits[target] - kernels.log_sum_exp(logits, Int64(weight.rows))
    }
    return result
  }

  /// Adds to the weight's gradient, for the loss `−Σ_t weights[t] · log p(targets[t])`.
  ///
  ///     dlogits[t] = weights[t] · (softmax(logits[t]) − onehot(targets[t]))
  ///     dx = dlogits · W,  dW = dlogitsᵀ · x
  ///
  /// - Returns: Each target's log-probability, in nats, and the gradient of `x`.
  public func forwardBackward(
    _ x: Tensor, targets: [Int32], weights: [Float]
  ) -> (logProbabilities: [Float], dx: Tensor) {
    precondition(weights.count == targets.count)
    var result = [Float](repeating: 0, count: targets.count)
    let dx = Tensor(uninitialized: x.shape)
    inChunks(x, targets, &result) { logits, t, target, _ in
      var logSumExp: Float = 0
      return kernels.cross_entropy(
        logits, Int64(target), weights[t], &logSumExp, Int64(weight.rows))
    } then: { rows, dlogits in
      addProducts(dlogits, x, rows, dx)
    }
    return (result, dx)
  }

  /// The log-probability of each row's target at a temperature, in nats.
  public func logProbabilities(
    _ x: Tensor, targets: [Int32], temperature: Double
  ) -> [Float] {
    let scratch = Tensor(uninitialized: [ThreadPool.shared.threads, weight.rows])
    var result = [Float](repeating: 0, count: targets.count)
    inChunks(x, targets, &result) { logits, _, target, worker in
      TemperedSoftmax(
        logits, count: weight.rows, temperature: temperature, into: scratch.row(worker)
      ).logProbability(ofLogit: logits[target])
    }
    return result
  }

  /// Adds to the weight's gradient, for any loss of the targets' log-probabilities at a temperature:
  /// with `w = −dL/dlog p(target)`, which may depend on that log-probability,
  ///
  ///     dlogits[t] = w[t] / T · (p[t] − onehot(targets[t])),  p = softmax(logits / T)
  ///
  /// - Parameter weight: Takes a row's number and its target's log-probability, on any thread.
  /// - Returns: Each target's log-probability, in nats, and the gradient of `x`.
  public func forwardBackward(
    _ x: Tensor, targets: [Int32], temperature: Double,
    weight w: (_ row: Int, _ logProbability: Float) -> Float
  ) -> (logProbabilities: [Float], dx: Tensor) {
    let V = weight.rows
    let scratch = Tensor(uninitialized: [ThreadPool.shared.threads, V])
    var result = [Float](repeating: 0, count: targets.count)
    let dx = Tensor(uninitialized: x.shape)
    inChunks(x, targets, &result) { logits, t, target, worker in
      let softmax = TemperedSoftmax(
        logits, count: V, temperature: temperature, into: scratch.row(worker))
      let found = softmax.logProbability(ofLogit: logits[target])
      let factor = Double(w(t, found)) / temperature
      logits.update(from: softmax.weights, count: V)
      kernels.scale(logits, Float(factor / softmax.total), Int64(V))
      logits[target] -= Float(factor)
      return found
    } then: { rows, dlogits in
      addProducts(dlogits, x, rows, dx)
    }
    return (result, dx)
  }

  /// `dx = dlogits · W` of some rows, and `dW += dlogitsᵀ · x`.
  private func addProducts(_ dlogits: Tensor, _ x: Tensor, _ rows: Range<Int>, _ dx: Tensor) {
    dx.rows(rows).setProduct(of: dlogits, weight, precision)
    weight.accumulateGradient { gradient, accumulating in
      gradient.setProduct(
        of: dlogits.transposed, x.rows(rows).matrix, precision, accumulating: accumulating)
    }
  }

  private func inChunks(
    _ x: Tensor, _ targets: [Int32], _ result: inout [Float],
    row: (_ logits: UnsafeMutablePointer<Float>, _ t: Int, _ target: Int, _ worker: Int) -> Float,
    then: (_ rows: Range<Int>, _ logits: Tensor) -> Void = { _, _ in }
  ) {
    let V = weight.rows
    precondition(targets.count == x.rows && targets.allSatisfy { $0 >= 0 && $0 < V })
    result.withUnsafeMutableBufferPointer { result in
      nonisolated(unsafe) let result = result
      for start in stride(from: 0, to: x.rows, by: Self.chunk) {
        let rows = start..<min(x.rows, start + Self.chunk)
        let logits = self.logits(x.rows(rows))
        ThreadPool.shared.run(rows.count) { index, worker in
          let t = start + index
          result[t] = row(logits.pointer + index * V, t, Int(targets[t]), worker)
        }
        then(rows, logits)
      }
    }
  }
}
