import CKernels
import TestSupport
import XCTest

/// Halves to floats and back, for every half there is.
final class ConversionTests: XCTestCase {
  private let patterns = (0...UInt16.max).map { $0 }

  func testEveryBFloat16ToFloat() {
    for variant in Variant.all {
      let y = Guarded<UInt32>(count: patterns.count)
      variant.kernels.float_from_bfloat16(y.floats, patterns, Int64(patterns.count))
      XCTAssertEqual(y.elements, patterns.map { UInt32($0) << 16 }, "\(variant)")
      y.checkZones("\(variant) float_from_bfloat16")
    }
  }

  func testEveryBFloat16AndWhatLiesBetweenToBFloat16() {
    // The half itself, and the float just below, at and just above the middle to the next one.
    let floats = patterns.flatMap { half in
      [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff].map {
        Float(bitPattern: UInt32(half) << 16 | $0)
      }
    }
    for variant in Variant.all {
      let y = Guarded<UInt16>(count: floats.count)
      variant.kernels.bfloat16_from_float(y.pointer, floats, Int64(floats.count))
      y.checkZones("\(variant) bfloat16_from_float")
      let wrong = zip(floats, y.elements).filter { x, half in
        let back = Float(bitPattern: UInt32(half) << 16)
        return x.isNaN
          ? !back.isNaN || back.isSignalingNaN
          : back.bitPattern != x.roundedToBFloat16.bitPattern
      }
      XCTAssertEqual(wrong.count, 0, "\(variant): \(wrong.prefix(3))")
    }
  }

  func testEveryFloat16ToFloat() {
    for variant in Variant.all {
      let y = Guarded<UInt32>(count: patterns.count)
      variant.kernels.float_from_float16(y.floats, patterns, Int64(patterns.count))
      y.checkZones("\(variant) float_from_float16")
      let values = y.values
      let wrong = patterns.filter { half in
        let x = values[Int(half)]
        let expected = float16(half)
        return expected.isNaN ? !x.isNaN : x.bitPattern != expected.bitPattern
      }
      XCTAssertEqual(wrong.count, 0, "\(variant): \(wrong.prefix(3))")
    }
  }

  func testConversionsOfAnyLength() {
    let fence = Fenced(bytes: 4 * 897)
    for variant in Variant.all {
      for count in lengths {
        let halves = patterns.prefix(count).map { 0x3f00 + $0 }
        let y = Guarded<UInt32>(count: count)
        variant.kernels.float_from_bfloat16(y.floats, fence.place(halves), Int64(count))
        XCTAssertEqual(y.elements, halves.map { UInt32($0) << 16 })
        y.checkZones("\(variant) float_from_bfloat16 of \(count)")
        variant.kernels.float_from_float16(y.floats, fence.place(halves), Int64(count))
        XCTAssertEqual(y.values, halves.map(float16))
        y.checkZones("\(variant) float_from_float16 of \(count)")
        let back = Guarded<UInt16>(count: count)
        let floats = halves.map { Float(bitPattern: UInt32($0) << 16) }
        variant.kernels.bfloat16_from_float(back.pointer, fence.place(floats), Int64(count))
        XCTAssertEqual(back.elements, halves)
        back.checkZones("\(variant) bfloat16_from_float of \(count)")
      }
    }
  }

  /// (-1)^sign · 2^(exponent - 15) · 1.fraction, by the definition of IEEE 754's binary16.
  private func float16(_ half: UInt16) -> Float {
    let exponent = Int(half >> 10 & 31), fraction = Float(half & 1023)
    let magnitude: Float
    switch exponent {
    case 31: magnitude = fraction == 0 ? .infinity : .nan
    case 0: magnitude = fraction * 0x1p-24
    default:
      magnitude = (1024 + fraction) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
    }
    return half >> 15 == 0 ? magnitude : -magnitude
  }
}
