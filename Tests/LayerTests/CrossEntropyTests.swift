import Foundation
import Layers
import Tensors
import TestSupport
import XCTest

final class CrossEntropyTests: XCTestCase {
  /// Fewer rows than a chunk, a chunk, and several.
  private let rowCounts = [1, 13, CrossEntropy.chunk, 2 * CrossEntropy.chunk + 11]

  func testAgainstThePlainWay() {
    let (V, C) = (101, 7)
    for precision in Precision.allCases {
      for T in rowCounts {
        let layer = crossEntropy(V, C, precision)
        let x = Tensor(seeded: [T, C], seed: 1, scale: 2)
        let targets = self.targets(T, V), weights = self.weights(T)
        let plain = Plain(layer, x, targets, weights)
        let what = "\(T) rows, \(precision)"

        assertClose(layer.logits(x).values, plain.logits, absolute: 1e-5, "logits, \(what)")
        assertClose(
          layer.logProbabilities(x, targets: targets), plain.logProbabilities, absolute: 1e-5,
          "log p, \(what)")
        let (logProbabilities, dx) = layer.forwardBackward(x, targets: targets, weights: weights)
        assertClose(
          logProbabilities, plain.logProbabilities, absolute: 1e-5, "log p of backward, \(what)")
        // The logits' gradient is rounded, by up to 2^-9 of it, when it is a factor.
        let unit = precision == .bfloat16 ? 0x1p-8 : 4e-6
        assertClose(
          dx.values, plain.dx.value, within: plain.dx.size.map { $0 * unit + 1e-6 }, "dx, \(what)")
        assertClose(
          layer.weight.gradient?.values ?? [], plain.dWeight.value,
          within: plain.dWeight.size.map { $0 * unit + 1e-6 }, "dweight, \(what)")
      }
    }
  }

  func testGradients() {
    let (T, V, C) = (4, 11, 3)
    let layer = crossEntropy(V, C, .float32)
    let x = Tensor(seeded: [T, C], seed: 1)
    let targets = self.targets(T, V), weights = self.weights(T)
    let (_, dx) = layer.forwardBackward(x, targets: targets, weights: weights)
    assertGradientsMatch([Variable("x", x, dx), Variable("weight", layer.weight)]) {
      -zip(layer.logProbabilities(x, targets: targets), weights)
        .reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
  }

  func testRowsWithoutWeightLeaveNoGradient() {
    let layer = crossEntropy(11, 3, .float32)
    let x = Tensor(seeded: [5, 3], seed: 1)
    let targets = self.targets(5, 11)
    let (_, dx) = layer.forwardBackward(x, targets: targets, weights: [1, 0, 0, 2, 0])
    let gradient = layer.weight.gradient?.values ?? []
    for t in [1, 2, 4] { XCTAssertTrue(dx.rows(t..<t + 1).values.allSatisfy { $0 == 0 }) }
    let kept = crossEntropy(11, 3, .float32)
    let two = Tensor(x.rows(0..<1).values + x.rows(3..<4).values, shape: [2, 3])
    _ = kept.forwardBackward(two, targets: [targets[0], targets[3]], weights: [1, 2])
    assertClose(
      gradient, kept.weight.gradient?.values.map(Double.init) ?? [], absolute: 1e-6, "dweight")
  }

  func testGradientsAccumulate() {
    for precision in Precision.allCases {
      let layer = crossEntropy(11, 5, precision)
      assertGradientsAccumulate([layer.weight]) { call in
        _ = layer.forwardBackward(
          Tensor(seeded: [300, 5], seed: call), targets: targets(300, 11), weights: weights(300))
      }
    }
  }

  func testTheSameBitsOnAnyThreads() {
    for precision in Precision.allCases {
      assertSameBitsOnAnyThreads("CrossEntropy, \(precision)") {
        let layer = crossEntropy(1031, 19, precision)
        let x = Tensor(seeded: [403, 19], seed: 1)
        let (logP, dx) = layer.forwardBackward(
          x, targets: targets(403, 1031), weights: weights(403))
        return [("log p", Tensor(logP, shape: [403])), ("dx", dx)]
          + gradients(["weight": layer.weight])
      }
    }
  }

  // MARK: -

  private func crossEntropy(_ V: Int, _ C: Int, _ precision: Precision) -> CrossEntropy {
    CrossEntropy(weight: Weight(Tensor(seeded: [V, C], seed: 41)), precision: precision)
  }

  private func targets(_ T: Int, _ V: Int) -> [Int32] { (0..<T).map { Int32($0 * 37 % V) } }

  private func weights(_ T: Int) -> [Float] {
    seededFloats(T, seed: 42, scale: 0.5).map { $0 + 0.75 }
  }

  /// −Σ_t w[t] log softmax(x[t] · Wᵀ)[targets[t]] and its gradients, in Double.
  private struct Plain {
    private(set) var logits: [Double]
    private(set) var logProbabilities: [Double] = []
    private(set) var dx: (value: [Double], size: [Double])
    private(set) var dWeight: (value: [Double], size: [Double])

    init(_ layer: CrossEntropy, _ x: Tensor, _ targets: [Int32], _ weights: [Float]) {
      let (T, C, V) = (x.rows, x.columns, layer.weight.value.rows)
      let xs = x.values.map { operand($0, layer.precision) }
      let ws = layer.weight.value.values.map { operand($0, layer.precision) }
      logits = (0..<T * V).map { index in
        let (t, v) = index.quotientAndRemainder(dividingBy: V)
        return (0..<C).reduce(0) { $0 + xs[t * C + $1] * ws[v * C + $1] }
      }
      var (dx, dxSize) = (
        [Double](repeating: 0, count: T * C), [Double](repeating: 0, count: T * C)
      )
      var (dw, dwSize) = (
        [Double](repeating: 0, count: V * C), [Double](repeating: 0, count: V * C)
      )
      for t in 0..<T {
        let row = logits[t * V..<(t + 1) * V], target = Int(targets[t])
        let highest = row.max() ?? 0
        let lse = highest + log(row.reduce(0) { $0 + exp($1 - highest) })
        logProbabilities.append(row[t * V + target] - lse)
        for v in 0..<V {
          let p = exp(row[t * V + v] - lse)
          let slope = Double(weights[t]) * (p - (v == target ? 1 : 0))
          let size = Double(weights[t]) * (p + (v == target ? 1 : 0))
          for c in 0..<C {
            dx[t * C + c] += slope * ws[v * C + c]
            dxSize[t * C + c] += size * abs(ws[v * C + c])
            dw[v * C + c] += slope * xs[t * C + c]
            dwSize[v * C + c] += size * abs(xs[t * C + c])
          }
        }
      }
      (self.dx, dWeight) = ((dx, dxSize), (dw, dwSize))
    }
  }
}

/// The loss of any function of log-probabilities at a temperature.
final class TemperedCrossEntropyTests: XCTestCase {
  private func layer(_ V: Int, _ C: Int, _ precision: Precision) -> CrossEntropy {
    CrossEntropy(
      weight: Weight(Tensor(seeded: [V, C], seed: 9)), precision: precision)
  }

  private func targets(_ T: Int, _ V: Int) -> [Int32] { (0..<T).map { Int32($0 * 7 % V) } }

  /// L = Σ exp(l/2) + l²/3, whose weight −dL/dl depends on l and on the row.
  private func value(_ row: Int, _ l: Double) -> Double {
    exp(l / 2) + l * l / 3 * Double(row + 1)
  }
  private func weight(_ row: Int, _ l: Float) -> Float {
    Float(-(exp(Double(l) / 2) / 2 + 2 * Double(l) / 3 * Double(row + 1)))
  }

  func testGradients() {
    let (T, V, C) = (4, 11, 3)
    for temperature in [1, 0.6, 1.7] {
      let layer = layer(V, C, .float32)
      let x = Tensor(seeded: [T, C], seed: 1)
      let targets = targets(T, V)
      let (found, dx) = layer.forwardBackward(
        x, targets: targets, temperature: temperature, weight: weight)
      XCTAssertEqual(
        found, layer.logProbabilities(x, targets: targets, temperature: temperature))
      assertGradientsMatch([Variable("x", x, dx), Variable("weight", layer.weight)]) {
        layer.logProbabilities(x, targets: targets, temperature: temperature).enumerated()
          .reduce(0) { $0 + value($1.offset, Double($1.element)) }
      }
    }
  }

  /// More rows than a chunk; at temperature 1 and with plain weights it is the cross-entropy.
  func testAtTemperatureOne() {
    let (T, V, C) = (CrossEntropy.chunk + 13, 101, 7)
    for precision in Precision.allCases {
      let plain = layer(V, C, precision), tempered = layer(V, C, precision)
      let x = Tensor(seeded: [T, C], seed: 1, scale: 2)
      let targets = targets(T, V), weights = (0..<T).map { Float($0 % 5) - 1.5 }
      let expected = plain.forwardBackward(x, targets: targets, weights: weights)
      let found = tempered.forwardBackward(x, targets: targets, temperature: 1) { t, _ in
        weights[t]
      }
      assertClose(
        found.logProbabilities, expected.logProbabilities.map { Double($0) }, absolute: 4e-6,
        "log p")
      // Products of gradients that were rounded, by up to 2^-9, from ever so little different ones.
      let unit = precision == .bfloat16 ? 0x1p-7 : 4e-6
      assertClose(
        found.dx.values, expected.dx.values.map { Double($0) },
        within: expected.dx.values.map { Double(abs($0)) * unit + 2e-5 },
        "dx, \(precision)")
      assertClose(
        tempered.weight.gradient?.values ?? [],
        (plain.weight.gradient?.values ?? []).map { Double($0) },
        within: (plain.weight.gradient?.values ?? []).map { Double(abs($0)) * unit + 2e-4 },
        "dweight, \(precision)")
    }
  }
}
