import Layers
import Tensors
import TestSupport
import XCTest

final class LinearTests: XCTestCase {
  private let (T, C, O) = (5, 7, 3)

  func testForward() {
    for precision in Precision.allCases {
      for (T, C, O) in [(5, 7, 3), (67, 33, 31), (1, 1, 1), (9, 1, 2), (8, 5, 1)] {
        for (hasBias, hasResidual) in [(false, false), (false, true), (true, false), (true, true)] {
          let layer = linear(C, O, hasBias, precision)
          let x = Tensor(seeded: [T, C], seed: 1), residual = Tensor(seeded: [T, O], seed: 2)
          let y = layer.forward(x, adding: hasResidual ? residual : nil)
          XCTAssertEqual(y.shape, [T, O])
          assertClose(
            y.values,
            (0..<T * O).map { index in
              let (t, o) = index.quotientAndRemainder(dividingBy: O)
              var sum = (0..<C).reduce(0.0) {
                $0 + operand(x.row(t)[$1], precision)
                  * operand(layer.weight.value.row(o)[$1], precision)
              }
              if let bias = layer.bias { sum += Double(bias.value.elements[o]) }
              return sum + (hasResidual ? Double(residual.row(t)[o]) : 0)
            }, absolute: 1e-6 + 2e-7 * Double(C),
            "\(T)×\(C) to \(O), \(precision), bias: \(hasBias), residual: \(hasResidual)")
        }
      }
    }
  }

  func testGradients() {
    for (T, C, O) in [(5, 7, 3), (9, 1, 2), (8, 3, 1), (1, 4, 5)] {
      for hasBias in [false, true] {
        let layer = linear(C, O, hasBias, .float32)
        let x = Tensor(seeded: [T, C], seed: 1), dy = Tensor(seeded: [T, O], seed: 2)
        let residual = Tensor(seeded: [T, O], seed: 3)
        let dx = layer.backward(dy, x: x)
        var variables = [
          Variable("x", x, dx), Variable("weight", layer.weight),
          Variable("residual", residual, dy),
        ]
        if let bias = layer.bias { variables.append(Variable("bias", bias)) }
        assertGradientsMatch(variables) { layer.forward(x, adding: residual).dot(dy) }
      }
    }
  }

  /// In bfloat16 slopes can't be measured, but a product is a product.
  func testBFloat16Gradients() {
    let (T, C, O) = (131, 19, 23)
    let layer = linear(C, O, true, .bfloat16)
    let x = Tensor(seeded: [T, C], seed: 1), dy = Tensor(seeded: [T, O], seed: 2)
    let dx = layer.backward(dy, x: x)
    assertClose(
      dx.values,
      (0..<T * C).map { index in
        let (t, c) = index.quotientAndRemainder(dividingBy: C)
        return (0..<O).reduce(0.0) {
          $0 + operand(dy.row(t)[$1], .bfloat16)
            * operand(layer.weight.value.row($1)[c], .bfloat16)
        }
      }, absolute: 4e-6, "dx")
    assertClose(
      layer.weight.gradient?.values ?? [],
      (0..<O * C).map { index in
        let (o, c) = index.quotientAndRemainder(dividingBy: C)
        return (0..<T).reduce(0.0) {
          $0 + operand(dy.row($1)[o], .bfloat16) * operand(x.row($1)[c], .bfloat16)
        }
      }, absolute: 2e-5, "dweight")
    // A bias is added, not multiplied: its gradient is a plain sum of what was not rounded.
    assertClose(
      layer.bias?.gradient?.values ?? [],
      (0..<O).map { o in (0..<T).reduce(0.0) { $0 + Double(dy.row($1)[o]) } }, absolute: 2e-5,
      "dbias")
  }

  func testGradientsAccumulate() {
    for precision in Precision.allCases {
      let layer = linear(C, O, true, precision)
      assertGradientsAccumulate([layer.weight, layer.bias].compactMap { $0 }) { call in
        _ = layer.backward(
          Tensor(seeded: [70, O], seed: call), x: Tensor(seeded: [70, C], seed: call + 10))
      }
    }
  }

  func testTheSameBitsOnAnyThreads() {
    for precision in Precision.allCases {
      assertSameBitsOnAnyThreads("Linear, \(precision)") {
        let layer = linear(67, 131, true, precision)
        let x = Tensor(seeded: [331, 67], seed: 1), dy = Tensor(seeded: [331, 131], seed: 2)
        let y = layer.forward(x, adding: dy)
        let dx = layer.backward(dy, x: x)
        return [("y", y), ("dx", dx)] + gradients(["weight": layer.weight, "bias": layer.bias])
      }
    }
  }

  private func linear(_ C: Int, _ O: Int, _ hasBias: Bool, _ precision: Precision) -> Linear {
    Linear(
      weight: Weight(Tensor(seeded: [O, C], seed: 21)),
      bias: hasBias ? Weight(Tensor(seeded: [O, 1], seed: 22)) : nil, precision: precision)
  }
}
