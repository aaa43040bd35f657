import CKernels
import TestSupport
import XCTest

@testable import Tensors

/// Blocks of 8-bit codes: every variant against a search for the nearest value, code by code.
final class QuantizationKernelTests: XCTestCase {
  private let lengths = [1, 7, 8, 15, 16, 17, 33, 255, 256, 257, 511, 512, 513, 900]
  private let maps = [("signed", CodeMap.signed), ("unsigned", CodeMap.unsigned)]

  /// The code of the value nearest to a number of a block with this scale, by the definition.
  private func code(_ x: Float, scale: Float, _ map: CodeMap) -> UInt8 {
    let quotient = Double(x / scale)
    let values = map.values.map(Double.init)
    let isUnsigned = values[0] == 0
    if isUnsigned && x <= 0 { return 0 }
    var best = isUnsigned ? 1 : 0
    for candidate in best..<256 {
      let (distance, least) = (abs(values[candidate] - quotient), abs(values[best] - quotient))
      if distance < least || (distance == least && abs(values[candidate]) < abs(values[best])) {
        best = candidate
      }
    }
    return UInt8(best)
  }

  private func quantized(
    _ x: [Float], _ map: CodeMap, _ variant: Variant
  ) -> (codes: [UInt8], scales: [Float]) {
    let codes = Guarded<UInt8>(count: x.count)
    let scales = Guarded([Float](repeating: 7, count: (x.count + 255) / 256))
    let fence = Fenced(bytes: 4 * x.count)
    variant.kernels.quantize(
      codes.pointer, scales.floats, fence.place(x), Int64(x.count), map.tables)
    codes.checkZones("\(variant) quantize of \(x.count), codes,")
    scales.checkZones("\(variant) quantize of \(x.count), scales,")
    return (codes.elements, scales.values)
  }

  func testNearestCodes() {
    for (name, map) in maps {
      for count in lengths {
        let exponents = seededFloats(count, seed: count + 1, scale: 13)
        let x = zip(seededFloats(count, seed: count), exponents).map { x, exponent in
          let wide = x * Float(sign: .plus, exponent: Int(exponent), significand: 1)
          return name == "signed" ? wide : wide * wide
        }
        let scales = stride(from: 0, to: count, by: 256).map { start in
          x[start..<min(start + 256, count)].map(\.magnitude).max() ?? 0
        }
        let expected = x.enumerated().map { code($1, scale: scales[$0 / 256], map) }
        for variant in Variant.all {
          let found = quantized(x, map, variant)
          XCTAssertEqual(found.scales, scales, "\(variant), \(name), \(count)")
          XCTAssertEqual(found.codes, expected, "\(variant), \(name), \(count)")
        }
      }
    }
  }

  /// The floats just below, at and just above every value and every middle between two, both signs.
  func testAroundEveryBoundary() {
    for (name, map) in maps {
      let values = map.values
      let middles = zip(values, values.dropFirst()).map { ($0 + $1) / 2 }
      var x = (values + middles).flatMap { [$0.nextDown, $0, $0.nextUp] }
        .filter { $0.magnitude <= 1 }
      x = (x + x.map { -$0 }).flatMap { [$0, $0 * 0.5] }
      // Each block has a 1, so that its scale is 1.
      let blocks = stride(from: 0, to: x.count, by: 255).flatMap { start in
        [1] + x[start..<min(start + 255, x.count)]
      }
      let expected = blocks.map { code($0, scale: 1, map) }
      for variant in Variant.all {
        let found = quantized(blocks, map, variant)
        XCTAssertTrue(found.scales.allSatisfy { $0 == 1 })
        let wrong = blocks.indices.filter { found.codes[$0] != expected[$0] }
        XCTAssertEqual(
          wrong.count, 0,
          "\(variant), \(name): "
            + "\(wrong.prefix(3).map { (blocks[$0], found.codes[$0], expected[$0]) })")
      }
    }
  }

  func testAPositiveSecondMomentIsNeverNothing() {
    let small: [Float] = [
      .leastNonzeroMagnitude, .leastNormalMagnitude, 1e-30, 1e-12, 3e-7, 1.7e-7, 1,
    ]
    for variant in Variant.all {
      for largest in [Float.leastNonzeroMagnitude, 1e-38, 1e-32, 1, .greatestFiniteMagnitude] {
        let x = [largest] + small.filter { $0 <= largest } + [0]
        let (codes, scales) = quantized(x, .unsigned, variant)
        XCTAssertFalse(codes.dropLast().contains(0), "\(variant), \(largest)")
        XCTAssertEqual(codes.last, 0)
        var y = [Float](repeating: .nan, count: x.count)
        variant.kernels.dequantize(&y, codes, scales, Int64(x.count), CodeMap.unsigned.tables)
        XCTAssertTrue(y.dropLast().allSatisfy { $0.isNormal && $0 > 0 }, "\(variant), \(largest)")
        XCTAssertEqual(y.last, 0)
      }
    }
  }

  func testBlocksOfZerosAndOfWhatIsNoNumber() {
    let zeros: [Float] = [Float](repeating: 0, count: 100) + [Float](repeating: -0.0, count: 156)
    for (name, map) in maps {
      for variant in Variant.all {
        for strange in [Float.nan, -.nan, .infinity, -.infinity] {
          for place in [0, 100, 255] {
            var broken = seededFloats(256, seed: 3)
            broken[place] = strange
            let (codes, scales) = quantized(zeros + broken + [1], map, variant)
            let what = "\(variant), \(name), \(strange) at \(place)"
            XCTAssertEqual(scales[0], 0, what)
            XCTAssertTrue(scales[1].isNaN, what)
            XCTAssertEqual(scales[2], 1, what)
            var y = [Float](repeating: 7, count: 513)
            variant.kernels.dequantize(&y, codes, scales, 513, map.tables)
            XCTAssertTrue(y[..<256].allSatisfy { $0 == 0 }, what)
            XCTAssertTrue(y[256..<512].allSatisfy(\.isNaN), what)
            XCTAssertEqual(y[512], 1, what)
          }
        }
      }
    }
  }

  func testDequantization() {
    for (name, map) in maps {
      for count in lengths {
        let codes = (0..<count).map { UInt8(truncatingIfNeeded: 37 * $0) }
        let scales = seededFloats((count + 255) / 256, seed: 5).map { $0 + 2 }
        for variant in Variant.all {
          let y = Guarded<UInt32>(count: count)
          let fence = Fenced(bytes: count)
          variant.kernels.dequantize(
            y.floats, fence.place(codes), scales, Int64(count), map.tables)
          assertSameBits(
            y.values, codes.enumerated().map { map.values[Int($1)] * scales[$0 / 256] },
            "\(variant), \(name), \(count)")
          y.checkZones("\(variant) dequantize of \(count)")
        }
      }
    }
  }
}
