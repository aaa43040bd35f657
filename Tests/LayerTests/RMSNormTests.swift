import Foundation
import Layers
import Tensors
import TestSupport
import XCTest

final class RMSNormTests: XCTestCase {
  func testForward() {
    let (T, C) = (37, 19)
    let norm = self.norm(C), x = Tensor(seeded: [T, C], seed: 1, scale: 3)
    let y = norm.forward(x)
    XCTAssertEqual(y.shape, [T, C])
    for t in 0..<T {
      assertClose(rows(y, t), expected(rows(x, t), norm), relative: 2e-6, "row \(t)")
    }
  }

  func testKnownValues() {
    let norm = RMSNorm(gain: Weight(Tensor([2, 10], shape: [2, 1])), epsilon: 0)
    let y = norm.forward(Tensor([3, 4], shape: [1, 2]))
    assertClose(y.values, [6 / 12.5.squareRoot(), 40 / 12.5.squareRoot()], relative: 1e-6)
    // The epsilon stands under the root.
    let zeros = RMSNorm(gain: norm.gain, epsilon: 0.25).forward(Tensor([1, 0], shape: [1, 2]))
    assertClose(zeros.values, [2 / 0.75.squareRoot(), 0], relative: 1e-6)
  }

  func testScalingDoesNotShow() {
    let norm = RMSNorm(gain: Weight(Tensor(seeded: [19, 1], seed: 1)), epsilon: 0)
    let x = Tensor(seeded: [5, 19], seed: 2), larger = x.copy()
    larger.scale(by: 64)
    assertSameBits(norm.forward(larger), norm.forward(x))
  }

  func testGradients() {
    for (T, C) in [(7, 5), (1, 3), (67, 2)] {
      let norm = self.norm(C)
      let x = Tensor(seeded: [T, C], seed: 1), dy = Tensor(seeded: [T, C], seed: 2)
      let before = Tensor(seeded: [T, C], seed: 3), dx = before.copy()
      norm.backward(dy, x: x, addingTo: dx)
      // It adds: what stood in `dx` is the gradient of something linear beside the norm.
      assertGradientsMatch(
        [Variable("x", x, dx), Variable("gain", norm.gain)], step: 4e-3, tolerance: 2e-3
      ) { norm.forward(x).dot(dy) + x.dot(before) }
    }
  }

  func testHeads() {
    let (T, D, heads, column, width) = (9, 6, 3, 5, 29)
    let norm = self.norm(D)
    let x = Tensor(seeded: [T, width], seed: 1), y = Tensor(seeded: [T, width], seed: 2)
    let before = y.copy()
    norm.forwardHeads(x, into: y, column: column, heads: heads)
    for t in 0..<T {
      let found = rows(y, t), row = rows(x, t)
      for head in 0..<heads {
        let range = column + head * D..<column + (head + 1) * D
        assertClose(
          Array(found[range]), expected(Array(row[range]), norm), relative: 2e-6,
          "head \(head) of row \(t)")
      }
      assertSameBits(Array(found[..<column]), Array(rows(before, t)[..<column]), "before")
      let end = column + heads * D
      assertSameBits(Array(found[end...]), Array(rows(before, t)[end...]), "behind")
    }
  }

  func testGradientsOfHeads() {
    let (T, D, heads, column, width) = (5, 4, 3, 2, 17)
    let norm = self.norm(D)
    let x = Tensor(seeded: [T, width], seed: 1), dy = Tensor(seeded: [T, width], seed: 2)
    let dx = dy.copy()
    norm.backwardHeads(dx, x: x, column: column, heads: heads)
    assertGradientsMatch(
      [Variable("x", x, dx), Variable("gain", norm.gain)], step: 4e-3, tolerance: 2e-3
    ) {
      // What is no head goes through as it is.
      let y = x.copy()
      norm.forwardHeads(x, into: y, column: column, heads: heads)
      return y.dot(dy)
    }
  }

  func testGradientsAccumulate() {
    let norm = self.norm(7)
    assertGradientsAccumulate([norm.gain]) { call in
      let shape = [70, 7]
      norm.backward(
        Tensor(seeded: shape, seed: call), x: Tensor(seeded: shape, seed: call + 10),
        addingTo: Tensor(zeros: shape))
    }
    assertGradientsAccumulate([norm.gain]) { call in
      let shape = [70, 21]
      norm.backwardHeads(
        Tensor(seeded: shape, seed: call), x: Tensor(seeded: shape, seed: call + 10), column: 0,
        heads: 3)
    }
  }

  func testTheSameBitsOnAnyThreads() {
    assertSameBitsOnAnyThreads("RMSNorm") {
      let norm = self.norm(33)
      let x = Tensor(seeded: [331, 33], seed: 1), dy = Tensor(seeded: [331, 33], seed: 2)
      let y = norm.forward(x), dx = Tensor(zeros: x.shape)
      norm.backward(dy, x: x, addingTo: dx)
      return [("y", y), ("dx", dx)] + gradients(["gain": norm.gain])
    }
    assertSameBitsOnAnyThreads("RMSNorm of heads") {
      let norm = self.norm(11)
      let x = Tensor(seeded: [331, 33], seed: 1), dx = Tensor(seeded: [331, 33], seed: 2)
      norm.backwardHeads(dx, x: x, column: 0, heads: 3)
      return [("dx", dx)] + gradients(["gain": norm.gain])
    }
  }

  // MARK: -

  private func norm(_ C: Int) -> RMSNorm {
    RMSNorm(gain: Weight(Tensor(seeded: [C, 1], seed: 11, scale: 0.5, center: 1)), epsilon: 1e-3)
  }

  private func rows(_ x: Tensor, _ t: Int) -> [Float] { x.rows(t..<t + 1).values }

  private func expected(_ x: [Float], _ norm: RMSNorm) -> [Double] {
    let square = x.reduce(0) { $0 + Double($1) * Double($1) } / Double(x.count)
    let r = 1 / (square + Double(norm.epsilon)).squareRoot()
    return zip(x, norm.gain.value.values).map { Double($0) * r * Double($1) }
  }
}
