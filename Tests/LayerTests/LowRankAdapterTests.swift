import Layers
import Tensors
import TestSupport
import XCTest

final class LowRankAdapterTests: XCTestCase {
  private let place = Dropout.Place(seed: 3, step: 5, part: 7)

  /// In an adapter's rows of the weight `s · x · Aᵀ · Bᵀ` is added, in the others nothing.
  func testForward() {
    for T in [1, 5, 67] {
      let layer = adapted(Dropout(probability: 0.4)), plain = Linear(layer)
      let x = Tensor(seeded: [T, 6], seed: 1), residual = Tensor(seeded: [T, 12], seed: 2)
      let y = layer.forward(x, adding: residual), before = plain.forward(x, adding: residual)
      assertClose(
        y.values, (0..<T * 12).map { Double(before.elements[$0]) + change(layer, x, $0) },
        absolute: 4e-6, "\(T) rows")
      for t in 0..<T {
        assertSameBits(
          (4..<7).map { y.row(t)[$0] }, (4..<7).map { before.row(t)[$0] }, "row \(t)")
      }
    }
  }

  func testGradients() {
    for isActive in [false, true] {
      let dropout = Dropout(probability: 0.4)
      dropout.place = place
      dropout.isActive = isActive
      let layer = adapted(dropout)
      let x = Tensor(seeded: [5, 6], seed: 1), dy = Tensor(seeded: [5, 12], seed: 2)
      let dx = layer.backward(dy, x: x)
      let adapters = layer.adapters.enumerated().flatMap { index, adapter in
        [Variable("A\(index)", adapter.a), Variable("B\(index)", adapter.b)]
      }
      assertGradientsMatch([Variable("x", x, dx)] + adapters) { layer.forward(x).dot(dy) }
      XCTAssertNil(layer.weight.gradient)
      XCTAssertNil(layer.bias?.gradient)
    }
  }

  func testGradientsAccumulate() {
    for precision in Precision.allCases {
      let layer = adapted(Dropout(probability: 0), precision)
      assertGradientsAccumulate(layer.adapters.flatMap { [$0.a, $0.b] }) { call in
        _ = layer.backward(
          Tensor(seeded: [9, 12], seed: call), x: Tensor(seeded: [9, 6], seed: call + 10))
      }
    }
  }

  /// What is left out is told by seed, step, part and the adapter's number, and nothing is where
  /// dropout is not active.
  func testDropout() {
    let dropout = Dropout(probability: 0.4)
    let layer = adapted(dropout), plain = Linear(layer)
    let x = Tensor(seeded: [5, 6], seed: 1)
    let before = plain.forward(x), whole = layer.forward(x)
    dropout.place = place
    assertSameBits(layer.forward(x), whole, "not active")
    dropout.isActive = true
    let y = layer.forward(x)
    for (adapter, number) in zip(layer.adapters, [5, 9]) {
      let left = Tensor(uninitialized: [5, 6])
      left.setDropout(
        of: x, probability: 0.4, from: RandomStream(seed: 3, "dropout", 5, 7, number))
      XCTAssertGreaterThan(left.values.count { $0 == 0 }, 3)
      for index in 0..<60 where adapter.rows.contains(index % 12) {
        XCTAssertEqual(
          Double(y.elements[index]), Double(before.elements[index]) + change(layer, left, index),
          accuracy: 4e-6, "adapter \(number), element \(index)")
      }
    }
  }

  /// Rows that are computed in stretches leave out what they would at once, on the way there and on
  /// the way back.
  func testStretchesLeaveOutTheSame() {
    let (T, C, F) = (FeedForward.stretch + 67, 5, 7)
    for precision in Precision.allCases {
      func network() -> FeedForward {
        let dropout = Dropout(probability: 0.3)
        dropout.place = place
        dropout.isActive = true
        func linear(_ O: Int, _ C: Int, _ rows: [Range<Int>], seed: Int) -> Linear {
          Linear(
            weight: Weight(Tensor(seeded: [O, C], seed: seed), isTrained: false),
            adapters: rows.enumerated().map { index, rows in
              adapter(rows, C, dropout, scale: 0.5, number: seed + index)
            }, precision: precision)
        }
        return FeedForward(
          gateUp: linear(2 * F, C, [0..<F, F..<2 * F], seed: 31),
          down: linear(C, F, [0..<C], seed: 41))
      }
      let kept = network(), recomputed = network()
      let x = Tensor(seeded: [T, C], seed: 1), residual = Tensor(seeded: [T, C], seed: 2)
      let dy = Tensor(seeded: [T, C], seed: 3)
      let (y, cache) = kept.forward(x, adding: residual)
      assertSameBits(recomputed.forwardOnly(x, adding: residual), y, "y, \(precision)")
      let dx = kept.backward(dy, x: x, cache)
      assertSameBits(recomputed.backwardRecomputing(dy, x: x), dx, "dx, \(precision)")
      let pairs = zip(
        recomputed.gateUp.adapters + recomputed.down.adapters,
        kept.gateUp.adapters + kept.down.adapters)
      for (index, (found, expected)) in pairs.enumerated() {
        for (name, factor) in [("A", \LowRankAdapter.a), ("B", \.b)] {
          assertSameBits(
            found[keyPath: factor].gradient?.values ?? [],
            expected[keyPath: factor].gradient?.values ?? [0], "d\(name)\(index), \(precision)")
        }
      }
    }
  }

  func testTheSameBitsOnAnyThreads() {
    for precision in Precision.allCases {
      assertSameBitsOnAnyThreads("adapters, \(precision)") {
        let dropout = Dropout(probability: 0.2)
        dropout.isActive = true
        let layer = adapted(dropout, precision)
        let x = Tensor(seeded: [331, 6], seed: 1), dy = Tensor(seeded: [331, 12], seed: 2)
        let y = layer.forward(x)
        return [("y", y), ("dx", layer.backward(dy, x: x))]
          + layer.adapters.flatMap { gradients(["A": $0.a, "B": $0.b]) }
      }
    }
  }

  /// A frozen weight of 12 rows, whose first four and last five have adapters.
  private func adapted(_ dropout: Dropout, _ precision: Precision = .float32) -> Linear {
    Linear(
      weight: Weight(Tensor(seeded: [12, 6], seed: 21), isTrained: false),
      bias: Weight(Tensor(seeded: [12, 1], seed: 22), isTrained: false),
      adapters: [
        adapter(0..<4, 6, dropout, scale: 0.5, number: 5),
        adapter(7..<12, 6, dropout, scale: 1.5, number: 9),
      ], precision: precision)
  }

  private func adapter(
    _ rows: Range<Int>, _ C: Int, _ dropout: Dropout, scale: Float, number: Int
  ) -> LowRankAdapter {
    LowRankAdapter(
      rows: rows, a: Weight(Tensor(seeded: [3, C], seed: 100 + number)),
      b: Weight(Tensor(seeded: [rows.count, 3], seed: 200 + number)), scale: scale,
      dropout: dropout, number: number)
  }

  /// What the adapters add to an element of y, in Double.
  private func change(_ layer: Linear, _ x: Tensor, _ index: Int) -> Double {
    let (t, o) = index.quotientAndRemainder(dividingBy: layer.weight.rows)
    return layer.adapters.filter { $0.rows.contains(o) }.reduce(0) { sum, adapter in
      let b = adapter.b.value.row(o - adapter.rows.lowerBound)
      return sum
        + (0..<3).reduce(0.0) { sum, r in
          let h = (0..<x.columns).reduce(0.0) {
            $0 + Double(x.row(t)[$1]) * Double(adapter.a.value.row(r)[$1])
          }
          return sum + Double(adapter.scale) * h * Double(b[r])
        }
    }
  }
}

extension Linear {
  /// The same without adapters.
  fileprivate init(_ other: Linear) {
    self.init(weight: other.weight, bias: other.bias, precision: other.precision)
  }
}
