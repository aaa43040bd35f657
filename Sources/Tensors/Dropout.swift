import CKernels

/// Dropout (Srivastava et al. 2014): each element is dropped with a probability p, and those that
/// stay are divided by 1 − p, so that the mean stays what it was.
///
/// Whether element `i` is dropped depends on the stream and on `i` alone: 32 bits of number `i` / 2
/// are compared with p · 2^32. The same stream drops the same elements again, on the way back.
extension Tensor {
  /// Writes `x` with elements dropped; a tensor may be written over itself.
  ///
  /// - Parameters:
  ///   - x: As many elements as here.
  ///   - probability: From 0 up to, not including, 1.
  ///   - first: The number of the first element, even: a part of a tensor gives it to be dropped from
  ///     as in the whole.
  public func setDropout(
    of x: Tensor, probability: Double, from stream: RandomStream, first: Int = 0
  ) {
    drop(x, probability, first) { y, x, count, threshold, scale, first in
      kernels.set_dropout(y, x, count, threshold, scale, stream.key, first)
    }
  }

  /// Adds `x` with elements dropped; see `setDropout(of:probability:from:first:)`.
  public func addDropout(
    of x: Tensor, probability: Double, from stream: RandomStream, first: Int = 0
  ) {
    drop(x, probability, first) { y, x, count, threshold, scale, first in
      kernels.add_dropout(y, x, count, threshold, scale, stream.key, first)
    }
  }

  private func drop(
    _ x: Tensor, _ probability: Double, _ first: Int,
    _ kernel: (
      _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int64,
      _ threshold: UInt32, _ scale: Float, _ first: Int64
    ) -> Void
  ) {
    precondition(x.count == count, "dropout of \(x.shape) into \(shape)")
    precondition(probability >= 0 && probability < 1, "dropout of \(probability)")
    precondition(first >= 0 && first % 2 == 0, "dropout from element \(first)")
    let threshold = UInt32(min((probability * 0x1p32).rounded(), 0x1p32 - 1))
    let scale = Float(1 / (1 - probability))
    ThreadPool.shared.forEachChunk(of: count, size: 1 << 16) { range, _, _ in
      let at = range.lowerBound
      kernel(pointer + at, x.pointer + at, Int64(range.count), threshold, scale, Int64(first + at))
    }
  }
}
