import CKernels
import Foundation
import Tensors

/// Rotary position embedding (Su et al. 2021), in the half-split form of the Llama and Qwen
/// checkpoints: channels `i` and `i + D/2` of a head turn by the angle `position · frequency[i]`.
public final class RotaryEmbedding: @unchecked Sendable {
  private let frequencies: [Float]
  private let factor: Float
  private let lock = NSLock()
  private var cosines: Tensor
  private var sines: Tensor

  /// - Parameters:
  ///   - frequencies: One for each pair of channels, in radians per position.
  ///   - factor: What YaRN multiplies sines and cosines by; 1 elsewhere.
  public init(frequencies: [Float], factor: Float = 1) {
    self.frequencies = frequencies
    self.factor = factor
    cosines = Tensor(zeros: [0, frequencies.count])
    sines = Tensor(zeros: [0, frequencies.count])
  }

  /// Turns `heads` heads of every row in place, by the row's position; -1 turns back.
  ///
  /// - Parameters:
  ///   - x: One row per token.
  ///   - column: Where the first head begins in a row; heads follow one another.
  ///   - positions: One per row.
  public func rotate(
    _ x: Tensor, column: Int, heads: Int, positions: [Int32], direction: Float = 1
  ) {
    let half = frequencies.count
    precondition(x.rows == positions.count && column + heads * 2 * half <= x.columns)
    let (cosines, sines) = tables(upTo: Int(positions.max() ?? 0) + 1)
    // The inverse of a turn by a factored angle is the transposed turn times the same factor:
    // that is what the backward pass needs.
    ThreadPool.shared.forEachChunk(of: x.rows, size: 32) { range, _, _ in
      for t in range {
        let angle = Int(positions[t]) * half
        for head in 0..<heads {
          kernels.rotate(
            x.pointer + t * x.columns + column + head * 2 * half, cosines.pointer + angle,
            sines.pointer + angle, direction, Int64(half))
        }
      }
    }
  }

  private func tables(upTo count: Int) -> (cosines: Tensor, sines: Tensor) {
    lock.lock()
    defer { lock.unlock() }
    if cosines.rows < count {
      let rows = max(count, 2 * cosines.rows)
      let shape = [rows, frequencies.count]
      let newCosines = Tensor(uninitialized: shape), newSines = Tensor(uninitialized: shape)
      ThreadPool.shared.forEachChunk(of: rows, size: 256) { [frequencies, factor] range, _, _ in
        for position in range {
          for (i, frequency) in frequencies.enumerated() {
            let angle = Float(position) * frequency
            newCosines.pointer[position * frequencies.count + i] = cos(angle) * factor
            newSines.pointer[position * frequencies.count + i] = sin(angle) * factor
          }
        }
      }
      (cosines, sines) = (newCosines, newSines)
    }
    return (cosines, sines)
  }
}
