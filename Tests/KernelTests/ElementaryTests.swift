import CKernels
import Foundation
import TestSupport
import XCTest

/// exp, log and sigmoid against Double, over all magnitudes.
final class ElementaryTests: XCTestCase {
  private typealias Function = (
    UnsafeMutablePointer<Float>?, UnsafePointer<Float>?, Int64
  ) -> Void

  /// e^x is normal from here on; below, the kernels give 0.
  private let lowest: Float = -87.33654
  private let subnormal = Double(Float.leastNormalMagnitude)

  /// The worst of all floats, 1.01 ulp, is at -5.87788439.
  func testExp() {
    let x = everyMagnitude(by: 1021) + interval(-87.4...88.8, count: 300_000) + [-5.87788439]
    check("exp", x, ulps: 1.02, { $0.exp }) { x in
      x < Double(self.lowest) ? 0 : exp(x)
    }
  }

  func testExpAtItsEdges() {
    let tiny = Float.leastNormalMagnitude
    let largest: Float = 88.72283
    check(
      "exp",
      [
        0, -0.0, .infinity, -.infinity, .nan, -.nan, Float.leastNonzeroMagnitude, tiny, -tiny,
        largest, largest.nextUp, 89, 89.5, 1000, .greatestFiniteMagnitude, lowest, lowest.nextDown,
        -88, -104, -1000, -.greatestFiniteMagnitude, 1, -1,
      ], ulps: 1.02, { $0.exp }
    ) { x in x < Double(self.lowest) ? 0 : exp(x) }
  }

  func testLog() {
    check("log", everyMagnitude(by: 1021), ulps: 1, { $0.log }, reference: logarithm)
    check("log", interval(0.5...2, count: 300_000), ulps: 1, { $0.log }, reference: logarithm)
  }

  func testLogAtItsEdges() {
    let tiny = Float.leastNormalMagnitude
    check(
      "log",
      [
        0, -0.0, 1, Float(1).nextUp, Float(1).nextDown, .infinity, -.infinity, .nan, -.nan, tiny,
        tiny.nextDown, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, -tiny, -1,
        .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0.70710677, 0.70710683, 1.4142135,
      ], ulps: 1, { $0.log }, reference: logarithm)
  }

  /// Where the result would be subnormal, 0 is near enough.
  func testSigmoid() {
    let x = everyMagnitude(by: 1021) + interval(-89...20, count: 300_000)
    check("sigmoid", x, ulps: 2.5, absolute: subnormal, { $0.sigmoid }) { 1 / (1 + exp(-$0)) }
  }

  func testSigmoidAtItsEdges() {
    check(
      "sigmoid",
      [
        0, -0.0, .infinity, -.infinity, .nan, 17, 18, 100, 1e30, -1e30, -87.3, -1000,
        .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      ], ulps: 2.5, absolute: subnormal, { $0.sigmoid }
    ) { 1 / (1 + exp(-$0)) }
  }

  func testTailsAreComputedLikeWholeVectors() {
    for variant in Variant.all {
      let functions: [(String, Function)] = [
        ("exp", { variant.kernels.exp($0, $1, $2) }), ("log", { variant.kernels.log($0, $1, $2) }),
        ("sigmoid", { variant.kernels.sigmoid($0, $1, $2) }),
      ]
      for (name, function) in functions {
        for count in lengths {
          let x = seededFloats(count, seed: count, scale: 10).map { name == "log" ? abs($0) : $0 }
          let y = Guarded([Float](repeating: 0, count: count))
          let input = Fenced(bytes: count * 4)
          function(y.floats, input.place(x), Int64(count))
          y.checkZones("\(variant) \(name)")
          // Each element alone, in a vector of itself and what the tail was filled with.
          let alone = x.map { x in
            var (x, y) = (x, Float(0))
            function(&y, &x, 1)
            return y
          }
          assertSameBits(y.values, alone, "\(variant) \(name) of \(count)")
        }
      }
    }
  }

  // MARK: -

  private func logarithm(_ x: Double) -> Double {
    if x.isNaN || x < 0 { return .nan }
    return x < Double(Float.leastNormalMagnitude) ? -.infinity : log(x)
  }

  /// Every `step`th of all bit patterns: both signs, subnormals, infinities and NaN.
  private func everyMagnitude(by step: Int) -> [Float] {
    stride(from: 0, through: Int(UInt32.max), by: step).map { Float(bitPattern: UInt32($0)) }
  }

  private func interval(_ range: ClosedRange<Double>, count: Int) -> [Float] {
    (0..<count).map { i in
      Float(range.lowerBound + (range.upperBound - range.lowerBound) * Double(i) / Double(count))
    }
  }

  private func check(
    _ name: String, _ x: [Float], ulps: Double, absolute: Double = 0,
    _ function: (ck_kernels) ->
      @convention(c) (
        UnsafeMutablePointer<Float>?, UnsafePointer<Float>?, Int64
      ) -> Void,
    line: UInt = #line, reference: (Double) -> Double
  ) {
    let expected = x.map { reference(Double($0)) }
    let tolerances = expected.map { max(ulps * Double(Float($0).ulp), absolute) }
    // Where the nearest float is infinite, infinity is what is expected.
    let nearest = expected.map { Float($0).isInfinite ? Double(Float($0)) : $0 }
    for variant in Variant.all {
      var y = [Float](repeating: 0, count: x.count)
      function(variant.kernels)(&y, x, Int64(x.count))
      assertClose(
        y, nearest, within: tolerances.map { $0.isFinite ? $0 : 0 }, "\(variant) \(name)",
        line: line)
    }
  }
}
