import CKernels
import Foundation
import TestSupport
import XCTest

/// The row kernels of every instruction set, the portable one included, against sums in Double.
///
/// All are held to the same reference, element by element, so each agrees with the portable one
/// within twice the tolerance given here.
final class RowKernelTests: XCTestCase {
  func testRMSNorm() {
    forEachVariant { variant, n, operand in
      let x = seededFloats(n, seed: n), gain = seededFloats(n, seed: n + 1000)
      let y = Guarded<UInt32>(count: n)
      let r = variant.rms_norm(y.floats, operand(0, x), operand(1, gain), 1e-3, Int64(n))
      let expectedR =
        1
        / (x.reduce(0) { $0 + Double($1) * Double($1) } / Double(n) + 1e-3)
        .squareRoot()
      assertClose([r], [expectedR], relative: 2e-6, "r of \(n)")
      assertClose(
        y.values, (0..<n).map { Double(gain[$0]) * Double(x[$0]) * expectedR }, relative: 2e-6,
        "rms_norm of \(n)")
      y.checkZones("rms_norm")
    }
  }

  func testRMSNormBackward() {
    forEachVariant { variant, n, operand in
      let x = seededFloats(n, seed: n), gain = seededFloats(n, seed: n + 1000)
      let dy = seededFloats(n, seed: n + 2000), before = seededFloats(n, seed: n + 3000)
      let dx = Guarded(before), dgain = Guarded(before), r: Float = 1.7
      variant.rms_norm_backward(
        dx.floats, dgain.floats, operand(0, dy), operand(1, x), operand(2, gain), r, Int64(n))
      let terms = (0..<n).map { Double(gain[$0]) * Double(dy[$0]) * Double(x[$0]) }
      let mean = terms.reduce(0, +) * Double(r) / Double(n)
      let size = terms.reduce(0) { $0 + abs($1) } * Double(r) / Double(n)
      let normed = x.map { Double($0) * Double(r) }
      assertClose(
        dx.values,
        (0..<n).map {
          Double(before[$0]) + Double(r) * (Double(gain[$0]) * Double(dy[$0]) - normed[$0] * mean)
        },
        within: (0..<n).map { 2e-6 * (1 + abs(normed[$0]) * size) }, "dx of \(n)")
      assertClose(
        dgain.values, (0..<n).map { Double(before[$0]) + Double(dy[$0]) * normed[$0] },
        absolute: 1e-6, "dgain of \(n)")
      dx.checkZones("rms_norm_backward, dx,")
      dgain.checkZones("rms_norm_backward, dgain,")
    }
  }

  func testRotate() {
    forEachVariant { variant, half, operand in
      let x = seededFloats(2 * half, seed: half)
      let angles = seededFloats(half, seed: half + 1, scale: 3).map(Double.init)
      let cosine = angles.map { Float(cos($0)) }, sine = angles.map { Float(sin($0)) }
      for direction in [1.0, -1] {
        let y = Guarded(x)
        variant.rotate(
          y.floats, operand(0, cosine), operand(1, sine), Float(direction), Int64(half))
        let first = (0..<half).map {
          Double(x[$0]) * cos(angles[$0]) - Double(x[$0 + half]) * sin(angles[$0]) * direction
        }
        let second = (0..<half).map {
          Double(x[$0 + half]) * cos(angles[$0]) + Double(x[$0]) * sin(angles[$0]) * direction
        }
        assertClose(y.values, first + second, absolute: 4e-7, "\(half) pairs, \(direction)")
        y.checkZones("rotate")
      }
    }
  }

  func testSwiGLU() {
    forEachVariant { variant, n, operand in
      let gate = seededFloats(n, seed: n, scale: 12), up = seededFloats(n, seed: n + 1)
      let h = Guarded<UInt32>(count: n)
      variant.swiglu(h.floats, operand(0, gate), operand(1, up), Int64(n))
      assertClose(
        h.values, (0..<n).map { silu(Double(gate[$0])).value * Double(up[$0]) }, relative: 1e-6,
        absolute: 1e-37, "swiglu of \(n)")
      h.checkZones("swiglu")
    }
  }

  func testSwiGLUBackwardWithAndWithoutAliasing() {
    forEachVariant { variant, n, operand in
      let a = seededFloats(n, seed: n, scale: 12), b = seededFloats(n, seed: n + 1)
      let d = seededFloats(n, seed: n + 2)
      for aliased in [false, true] {
        let gate = Guarded(a), up = Guarded(b), h = Guarded(d)
        variant.swiglu_backward(
          h.floats, aliased ? UnsafePointer(h.floats) : operand(0, d), gate.floats, up.floats,
          Int64(n))
        let silus = a.map { silu(Double($0)) }
        let what = "\(n), aliased: \(aliased)"
        assertClose(
          gate.values, (0..<n).map { Double(d[$0]) * Double(b[$0]) * silus[$0].slope },
          absolute: 2e-6, "dgate of \(what)")
        assertClose(
          up.values, (0..<n).map { Double(d[$0]) * silus[$0].value }, relative: 1e-6,
          absolute: 1e-37, "dup of \(what)")
        assertClose(
          h.values, (0..<n).map { silus[$0].value * Double(b[$0]) }, relative: 1e-6,
          absolute: 1e-37, "h of \(what)")
        for result in [gate, up, h] { result.checkZones("swiglu_backward") }
      }
    }
  }

  func testCrossEntropyLogSumExpAndSoftmax() {
    forEachVariant { variant, n, operand in
      let x = seededFloats(n, seed: n, scale: 30)
      let highest = Double(x.max() ?? 0)
      let sum = x.reduce(0) { $0 + exp(Double($1) - highest) }
      let expectedLSE = highest + log(sum)
      let p = x.map { exp(Double($0) - expectedLSE) }
      // log Σ exp is rounded at the size of the maximum, exp at its own.
      let absolute = 4e-7 * (abs(highest) + 1)

      assertClose(
        [variant.log_sum_exp(operand(0, x), Int64(n))], [expectedLSE], absolute: absolute,
        "log_sum_exp of \(n)")
      let y = Guarded<UInt32>(count: n)
      variant.softmax(y.floats, operand(0, x), Int64(n))
      // x - maximum is exact to half an ulp of at most 60.
      assertClose(y.values, p, relative: 6e-6, absolute: 1e-37, "softmax of \(n)")
      y.checkZones("softmax")

      for label in Set([0, n / 2, n - 1]) {
        let logits = Guarded(x), weight: Float = 0.7
        var lse: Float = 0
        let logP = variant.cross_entropy(logits.floats, Int64(label), weight, &lse, Int64(n))
        assertClose([lse], [expectedLSE], absolute: absolute, "lse of \(n)")
        assertClose(
          [logP], [Double(x[label]) - expectedLSE], absolute: 2 * absolute, "log p of \(n)")
        let expected = (0..<n).map { Double(weight) * (p[$0] - ($0 == label ? 1 : 0)) }
        assertClose(
          logits.values, expected,
          within: (0..<n).map { 6e-6 * p[$0] + ($0 == label ? 1e-7 : 1e-37) },
          "dlogits of \(n), label \(label)")
        logits.checkZones("cross_entropy")
      }
    }
  }

  func testSoftmaxOfInfinitiesAndNaN() {
    forEachVariant { variant, n, operand in
      guard n > 1 else { return }
      // What is masked by -infinity gets exactly 0.
      var x = seededFloats(n, seed: n)
      x[n - 1] = -.infinity
      x[n / 2] = n > 2 ? -.infinity : x[n / 2]
      let y = Guarded<UInt32>(count: n)
      variant.softmax(y.floats, operand(0, x), Int64(n))
      XCTAssertEqual(y.values[n - 1], 0)
      assertClose([y.values.reduce(0, +)], [1], absolute: 1e-5, "Σ softmax of \(n)")
      // NaN is seen wherever it stands.
      for place in Set([0, n / 2, n - 1]) {
        var x = seededFloats(n, seed: n)
        x[place] = .nan
        XCTAssertTrue(variant.log_sum_exp(operand(0, x), Int64(n)).isNaN, "[\(place)] of \(n)")
        let logits = Guarded(x)
        var lse: Float = 0
        let label = Int64((place + 1) % n)
        XCTAssertTrue(variant.cross_entropy(logits.floats, label, 1, &lse, Int64(n)).isNaN)
        XCTAssertTrue(lse.isNaN)
        XCTAssertTrue(logits.values.allSatisfy(\.isNaN), "dlogits, NaN at [\(place)] of \(n)")
      }
    }
  }

  func testSumsAndScaling() {
    forEachVariant { variant, n, operand in
      let a = seededFloats(n, seed: n), b = seededFloats(n, seed: n + 1)
      let added = Guarded(a), summed = Guarded<UInt32>(count: n), scaled = Guarded(a)
      variant.add(added.floats, operand(0, b), Int64(n))
      variant.sum(summed.floats, operand(0, a), operand(1, b), Int64(n))
      variant.scale(scaled.floats, 0.3, Int64(n))
      // One operation each: exactly what Swift computes.
      assertSameBits(added.values, zip(a, b).map { $0 + $1 }, "add of \(n)")
      assertSameBits(summed.values, zip(a, b).map { $0 + $1 }, "sum of \(n)")
      assertSameBits(scaled.values, a.map { $0 * 0.3 }, "scale of \(n)")
      for result in [added, summed, scaled] { result.checkZones("add, sum or scale") }
    }
  }

  func testDotAndSquareSum() {
    forEachVariant { variant, n, operand in
      let a = seededFloats(n, seed: n), b = seededFloats(n, seed: n + 1)
      let terms = (0..<n).map { Double(a[$0]) * Double(b[$0]) }
      assertClose(
        [variant.dot(operand(0, a), operand(1, b), Int64(n))], [terms.reduce(0, +)],
        absolute: 1e-6 * terms.reduce(0) { $0 + abs($1) }, "dot of \(n)")
      let squares = a.reduce(0) { $0 + Double($1) * Double($1) }
      XCTAssertEqual(
        variant.square_sum(operand(0, a), Int64(n)), squares, accuracy: 1e-13 * squares,
        "square_sum of \(n)")
    }
    // In Double all the way: a float would overflow.
    for variant in Variant.all {
      XCTAssertEqual(variant.kernels.square_sum([3e30, 4e30], 2), 2.5e61, accuracy: 1e56)
    }
  }

  func testArgmax() {
    forEachVariant { variant, n, operand in
      func argmax(_ x: [Float]) -> Int { Int(variant.argmax(operand(0, x), Int64(n))) }
      for place in 0..<min(n, 70) {
        var x = seededFloats(n, seed: n)
        x[place] = 2
        XCTAssertEqual(argmax(x), place, "of \(n)")
        // A later equal does not win, nor does NaN before or after it.
        x[n - 1] = 2
        XCTAssertEqual(argmax(x), place, "of \(n), equals")
        if place > 0 { x[0] = .nan }
        if place < n - 1 { x[n - 1] = .nan }
        XCTAssertEqual(argmax(x), place, "of \(n), NaN")
        var low = [Float](repeating: .nan, count: n)
        low[place] = -.infinity
        XCTAssertEqual(argmax(low), place, "of \(n), all else NaN")
      }
      XCTAssertEqual(argmax([Float](repeating: -.infinity, count: n)), 0)
      XCTAssertEqual(argmax([Float](repeating: .nan, count: n)), 0)
      XCTAssertEqual(argmax([Float](repeating: -3, count: n)), 0)
    }
  }

  func testAdamW() {
    forEachVariant { variant, n, operand in
      let start = seededFloats(n, seed: n)
      let p = Guarded(start), m = Guarded([Float](repeating: 0, count: n))
      let v = Guarded([Float](repeating: 0, count: n))
      let (scale, rate, b1, b2) = (Float(0.5), Float(0.01), Float(0.9), Float(0.95))
      let (epsilon, decay) = (Float(1e-3), Float(0.1))
      var expected = start.map { (p: Double($0), m: 0.0, v: 0.0) }
      for step in 1...3 {
        let gradient = seededFloats(n, seed: n + step)
        let c1 = Float(1 - pow(Double(b1), Double(step)))
        let c2 = Float(1 - pow(Double(b2), Double(step)))
        variant.adamw(
          p.floats, operand(0, gradient), m.floats, v.floats, Int64(n), scale, rate, b1, b2,
          epsilon, decay, c1, c2)
        for i in 0..<n {
          let g = Double(gradient[i]) * Double(scale)
          expected[i].p -= Double(rate) * Double(decay) * expected[i].p
          expected[i].m = Double(b1) * expected[i].m + (1 - Double(b1)) * g
          expected[i].v = Double(b2) * expected[i].v + (1 - Double(b2)) * g * g
          expected[i].p -=
            Double(rate) * (expected[i].m / Double(c1))
            / ((expected[i].v / Double(c2)).squareRoot() + Double(epsilon))
        }
      }
      assertClose(p.values, expected.map(\.p), absolute: 3e-7, "p of \(n)")
      assertClose(m.values, expected.map(\.m), absolute: 3e-7, "m of \(n)")
      assertClose(v.values, expected.map(\.v), relative: 2e-6, "v of \(n)")
      for result in [p, m, v] { result.checkZones("adamw") }
    }
  }

  // MARK: -

  private func silu(_ a: Double) -> (value: Double, slope: Double) {
    let s = 1 / (1 + exp(-a))
    return (a * s, s + a * s * (1 - s))
  }

  /// Runs `body` for each variant and length; its last argument puts an operand into memory whose
  /// end is fenced, one of three places of it.
  private func forEachVariant(
    _ body: (
      _ variant: ck_kernels, _ count: Int,
      _ operand: (_ place: Int, _ values: [Float]) -> UnsafePointer<Float>
    ) -> Void
  ) {
    let places = (0..<3).map { _ in Fenced(bytes: 4 * 897) }
    for variant in Variant.all {
      let failures = testRun?.failureCount ?? 0
      for count in lengths {
        body(variant.kernels, count) { UnsafePointer(places[$0].place($1)) }
      }
      if (testRun?.failureCount ?? 0) > failures { XCTFail("the above with \(variant)") }
    }
  }
}
