import Foundation
import Layers
import Tensors
import TestSupport
import XCTest

final class RotaryEmbeddingTests: XCTestCase {
  private let frequencies: [Float] = [1, 0.1, 0.017]
  private let (heads, column, width) = (3, 4, 25)

  func testForward() {
    // Out of order, repeated, and beyond the tables made so far.
    for positions: [Int32] in [[0, 1, 2, 3], [7, 7, 0, 300, 5], [1500, 2], [0]] {
      for factor: Float in [1, 1.25] {
        let rotary = RotaryEmbedding(frequencies: frequencies, factor: factor)
        for direction: Float in [1, -1] {
          let x = Tensor(seeded: [positions.count, width], seed: 1)
          let expected = turned(x, positions, factor, direction)
          rotary.rotate(
            x, column: column, heads: heads, positions: positions, direction: direction)
          assertClose(
            x.values, expected, absolute: 4e-7, "\(positions), factor \(factor), \(direction)")
        }
      }
    }
  }

  func testTablesGrow() {
    let rotary = RotaryEmbedding(frequencies: frequencies)
    for last: Int32 in [0, 1, 2, 255, 256, 257, 1000, 3] {
      let x = Tensor(seeded: [2, width], seed: 1)
      let expected = turned(x, [last, 0], 1, 1)
      rotary.rotate(x, column: column, heads: heads, positions: [last, 0])
      assertClose(x.values, expected, absolute: 4e-7, "up to \(last)")
    }
  }

  func testGradients() {
    for factor: Float in [1, 1.25] {
      let rotary = RotaryEmbedding(frequencies: frequencies, factor: factor)
      let positions: [Int32] = [0, 5, 2, 40]
      let x = Tensor(seeded: [4, width], seed: 1), dy = Tensor(seeded: [4, width], seed: 2)
      let dx = dy.copy()
      rotary.rotate(dx, column: column, heads: heads, positions: positions, direction: -1)
      assertGradientsMatch([Variable("x", x, dx)]) {
        let y = x.copy()
        rotary.rotate(y, column: column, heads: heads, positions: positions)
        return y.dot(dy)
      }
    }
  }

  /// What the embedding is for: the product of a query and a key depends on their distance alone.
  func testOnlyTheDistanceShows() {
    let rotary = RotaryEmbedding(frequencies: frequencies)
    func score(_ i: Int32, _ j: Int32) -> Double {
      let q = Tensor(seeded: [1, 6], seed: 1), k = Tensor(seeded: [1, 6], seed: 2)
      rotary.rotate(q, column: 0, heads: 1, positions: [i])
      rotary.rotate(k, column: 0, heads: 1, positions: [j])
      return q.dot(k)
    }
    for shift: Int32 in [1, 17, 200] {
      XCTAssertEqual(score(9 + shift, 4 + shift), score(9, 4), accuracy: 2e-5)
    }
    XCTAssertNotEqual(score(9, 5), score(9, 4), accuracy: 1e-3)
  }

  func testTheSameBitsOnAnyThreads() {
    assertSameBitsOnAnyThreads("RotaryEmbedding") {
      let rotary = RotaryEmbedding(frequencies: frequencies)
      let x = Tensor(seeded: [501, width], seed: 1)
      rotary.rotate(x, column: column, heads: heads, positions: (0..<501).map { Int32($0) })
      return [("x", x)]
    }
  }

  private func turned(
    _ x: Tensor, _ positions: [Int32], _ factor: Float, _ direction: Float
  ) -> [Double] {
    var y = x.values.map(Double.init)
    let half = frequencies.count
    for (t, position) in positions.enumerated() {
      for head in 0..<heads {
        for i in 0..<half {
          // The angle is rounded to float, as in the models' own code.
          let angle = Double(Float(position) * frequencies[i])
          let at = t * width + column + head * 2 * half + i
          let (a, b) = (y[at], y[at + half])
          let (c, s) = (cos(angle) * Double(factor), sin(angle) * Double(factor * direction))
          y[at] = a * c - b * s
          y[at + half] = b * c + a * s
        }
      }
    }
    return y
  }
}
