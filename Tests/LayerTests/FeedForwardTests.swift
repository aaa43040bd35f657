import Foundation
import Layers
import Tensors
import TestSupport
import XCTest

final class FeedForwardTests: XCTestCase {
  func testForward() {
    let (T, C, F) = (13, 5, 7)
    let x = Tensor(seeded: [T, C], seed: 1), residual = Tensor(seeded: [T, C], seed: 2)
    let layer = feedForward(C, F, .float32)
    let (y, _) = layer.forward(x, adding: residual)
    let W = layer.gateUp.weight.value, V = layer.down.weight.value
    let expected = (0..<T).flatMap { t in
      let h = (0..<F).map { f in
        let (gate, up) = (0..<C).reduce((0.0, 0.0)) {
          let x = Double(x.row(t)[$1])
          return ($0.0 + x * Double(W.row(f)[$1]), $0.1 + x * Double(W.row(F + f)[$1]))
        }
        return gate / (1 + exp(-gate)) * up
      }
      return (0..<C).map { c in
        (0..<F).reduce(Double(residual.row(t)[c])) { $0 + h[$1] * Double(V.row(c)[$1]) }
      }
    }
    assertClose(y.values, expected, absolute: 4e-6)
  }

  func testGradients() {
    for (T, C, F) in [(4, 5, 7), (3, 1, 2), (2, 3, 1), (1, 7, 11)] {
      for recomputing in [false, true] {
        let layer = feedForward(C, F, .float32)
        let x = Tensor(seeded: [T, C], seed: 1), residual = Tensor(seeded: [T, C], seed: 2)
        let dy = Tensor(seeded: [T, C], seed: 3)
        let dx =
          recomputing
          ? layer.backwardRecomputing(dy, x: x)
          : layer.backward(dy, x: x, layer.forward(x, adding: residual).cache)
        assertGradientsMatch(
          [
            Variable("x", x, dx), Variable("gateUp", layer.gateUp.weight),
            Variable("down", layer.down.weight),
          ], step: 4e-3, tolerance: 2e-3
        ) { layer.forward(x, adding: residual).y.dot(dy) }
      }
    }
  }

  /// Kept, made again, or made in stretches: the same bits.
  func testRecomputingAndStretchesChangeNoBits() {
    let more = FeedForward.stretch + 1
    for (T, C, F) in [
      (7, 5, 3), (97, 33, 65), (more, 3, 5), (8269, 5, 7), (more, 65, 129), (5000, 67, 33),
      (4608, 64, 128),
    ] {
      for precision in Precision.allCases {
        let what = "\(T)×\(C), F \(F), \(precision)"
        let x = Tensor(seeded: [T, C], seed: 1), residual = Tensor(seeded: [T, C], seed: 2)
        let dy = Tensor(seeded: [T, C], seed: 3)
        let kept = feedForward(C, F, precision), recomputed = feedForward(C, F, precision)
        let (y, cache) = kept.forward(x, adding: residual)
        assertSameBits(recomputed.forwardOnly(x, adding: residual), y, "y of \(what)")
        let dx = kept.backward(dy, x: x, cache)
        assertSameBits(recomputed.backwardRecomputing(dy, x: x), dx, "dx of \(what)")
        for (name, layer) in [("gateUp", \FeedForward.gateUp), ("down", \.down)] {
          assertSameBits(
            recomputed[keyPath: layer].weight.gradient?.values ?? [],
            kept[keyPath: layer].weight.gradient?.values ?? [0], "d\(name) of \(what)")
        }
      }
    }
  }

  func testGradientsAccumulate() {
    for precision in Precision.allCases {
      let layer = feedForward(5, 7, precision)
      assertGradientsAccumulate([layer.gateUp.weight, layer.down.weight]) { call in
        _ = layer.backwardRecomputing(
          Tensor(seeded: [9, 5], seed: call), x: Tensor(seeded: [9, 5], seed: call + 10))
      }
    }
  }

  func testTheSameBitsOnAnyThreads() {
    for precision in Precision.allCases {
      assertSameBitsOnAnyThreads("FeedForward, \(precision)") {
        let layer = feedForward(33, 65, precision)
        let x = Tensor(seeded: [331, 33], seed: 1), dy = Tensor(seeded: [331, 33], seed: 2)
        let (y, cache) = layer.forward(x, adding: dy)
        let dx = layer.backward(dy, x: x, cache)
        return [("y", y), ("dx", dx)]
          + gradients(["gateUp": layer.gateUp.weight, "down": layer.down.weight])
      }
    }
  }

  private func feedForward(_ C: Int, _ F: Int, _ precision: Precision) -> FeedForward {
    FeedForward(
      gateUp: Linear(weight: Weight(Tensor(seeded: [2 * F, C], seed: 31)), precision: precision),
      down: Linear(weight: Weight(Tensor(seeded: [C, F], seed: 32)), precision: precision))
  }
}
