import CKernels
import Tensors
import TestSupport
import XCTest

/// Kernels that draw random numbers: every variant against the numbers themselves, bit by bit.
final class RandomKernelTests: XCTestCase {
  private let stream = RandomStream(seed: 11, "kernels")
  /// Around every vector width and the numbers that are drawn at once.
  private let lengths = [1, 3, 4, 7, 8, 17, 63, 64, 127, 128, 129, 255, 256, 257, 896, 1027]

  private func bits16(_ element: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: stream[element / 4] >> UInt64(16 * (element % 4)))
  }

  private func bits32(_ element: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: stream[element / 2] >> UInt64(32 * (element % 2)))
  }

  func testStochasticRounding() {
    let fence = Fenced(bytes: 4 * 1027)
    for variant in Variant.all {
      for count in lengths {
        for first in [0, 4, 256, 1 << 40] {
          let x = seededFloats(count, seed: count, scale: 3)
          let y = Guarded<UInt16>(count: count)
          variant.kernels.round_stochastically(
            y.pointer, fence.place(x), Int64(count), stream.key, Int64(first))
          XCTAssertEqual(
            y.elements,
            x.enumerated().map { BFloat16($1, random: bits16(first + $0)).bitPattern },
            "\(variant), \(count) from \(first)")
          y.checkZones("\(variant) round_stochastically of \(count)")
        }
      }
    }
  }

  /// Every upper half there is, with lower halves at both ends and in the middle.
  func testStochasticRoundingOfAllKindsOfNumbers() {
    let x = (0...UInt32(UInt16.max)).flatMap { half in
      [0, 1, 0x8000, 0xffff].map { Float(bitPattern: half << 16 | $0) }
    }
    for variant in Variant.all {
      var y = [UInt16](repeating: 0, count: x.count)
      variant.kernels.round_stochastically(&y, x, Int64(x.count), stream.key, 0)
      var wrong: [Float] = []
      for (i, x) in x.enumerated() {
        let found = Float(bitPattern: UInt32(y[i]) << 16)
        let isRight: Bool
        if x.isNaN {
          isRight = found.isNaN && !found.isSignalingNaN && found.sign == x.sign
        } else if x.isInfinite {
          isRight = found == x
        } else {
          let toZero = Float(bitPattern: x.bitPattern & 0xffff_0000)
          let away = Float(bitPattern: (x.bitPattern & 0xffff_0000) &+ 0x1_0000)
          let rest = x.bitPattern & 0xffff
          let carries = rest + UInt32(bits16(i)) > 0xffff
          isRight =
            found.bitPattern == (carries && away.isFinite ? away : toZero).bitPattern
            && found.isFinite
        }
        if !isRight { wrong.append(x) }
      }
      XCTAssertEqual(wrong.count, 0, "\(variant): \(wrong.prefix(3))")
    }
  }

  func testTheMeanOfManyRoundingsIsTheNumber() {
    let count = 1 << 16
    for variant in Variant.all {
      for value in [Float(1.001), -0.3, 1e-20, 12345.678, -7e30] {
        var y = [UInt16](repeating: 0, count: count)
        variant.kernels.round_stochastically(
          &y, [Float](repeating: value, count: count), Int64(count), stream.key, 0)
        let below = Double(Float(bitPattern: value.bitPattern & 0xffff_0000))
        let above = Double(Float(bitPattern: (value.bitPattern & 0xffff_0000) + 0x1_0000))
        let mean =
          y.reduce(0) { $0 + Double(Float(bitPattern: UInt32($1) << 16)) } / Double(count)
        let share = (Double(value) - below) / (above - below)
        let error = abs(above - below) * (share * (1 - share) / Double(count)).squareRoot()
        XCTAssertEqual(mean, Double(value), accuracy: 4 * error, "\(variant), \(value)")
        XCTAssertGreaterThan(share, 0.01)
        XCTAssertLessThan(share, 0.99)
      }
    }
  }

  func testDropout() {
    let input = Fenced(bytes: 4 * 1027)
    let scale: Float = 1.6
    for variant in Variant.all {
      for count in lengths {
        for (first, threshold) in [
          (0, UInt32(1) << 30), (4, 3_000_000_000), (1 << 40, 0), (8, .max),
        ] {
          let x = seededFloats(count, seed: count), before = seededFloats(count, seed: 1)
          let kept = x.enumerated().map { bits32(first + $0) >= threshold ? $1 * scale : 0 }
          let what = "\(variant), \(count) from \(first), \(threshold)"
          let y = Guarded(before)
          variant.kernels.set_dropout(
            y.floats, input.place(x), Int64(count), threshold, scale, stream.key, Int64(first))
          assertSameBits(y.values, kept, what)
          y.checkZones("\(variant) set_dropout of \(count)")
          let sum = Guarded(before)
          variant.kernels.add_dropout(
            sum.floats, input.place(x), Int64(count), threshold, scale, stream.key, Int64(first))
          assertSameBits(sum.values, zip(before, kept).map { $0 + $1 }, what + ", added")
          sum.checkZones("\(variant) add_dropout of \(count)")
        }
      }
    }
  }

  func testWhatIsDroppedIsNotLookedAt() {
    for variant in Variant.all {
      var y = [Float](repeating: 0, count: 64)
      variant.kernels.set_dropout(
        &y, [Float](repeating: .nan, count: 64), 64, 1 << 31, 2, stream.key, 0)
      XCTAssertEqual(
        y.map { $0.isNaN }, (0..<64).map { bits32($0) >= 1 << 31 }, "\(variant)")
      XCTAssertTrue(y.allSatisfy { $0.isNaN || $0 == 0 })
    }
  }
}
