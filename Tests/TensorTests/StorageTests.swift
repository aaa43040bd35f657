import Foundation
import TestSupport
import XCTest

@testable import Tensors

/// Memory that is used again, and tensors that share it.
final class StorageTests: XCTestCase {
  func testFreedMemoryIsUsedAgain() {
    let pool = StoragePool()
    let (first, size) = pool.take(10_000)
    XCTAssertGreaterThanOrEqual(size, 10_000)
    pool.give(first, size: size)
    let (again, sizeAgain) = pool.take(10_000)
    XCTAssertEqual(again, first)
    XCTAssertEqual(sizeAgain, size)
    // What is in use is not given twice.
    let (other, otherSize) = pool.take(10_000)
    XCTAssertNotEqual(other, first)
    pool.give(again, size: sizeAgain)
    pool.give(other, size: otherSize)
    pool.trim()
  }

  func testOnlyMemoryOfNearlyTheSizeIsUsedAgain() {
    let pool = StoragePool()
    let (large, size) = pool.take(90 * 4096)
    pool.give(large, size: size)
    // Up to an eighth too large will do.
    let (near, nearSize) = pool.take(80 * 4096)
    XCTAssertEqual(near, large)
    XCTAssertEqual(nearSize, size)
    pool.give(near, size: nearSize)
    let (small, smallSize) = pool.take(79 * 4096)
    XCTAssertNotEqual(small, large)
    XCTAssertLessThan(smallSize, size)
    // Nothing too small is ever used.
    pool.give(small, size: smallSize)
    let (larger, largerSize) = pool.take(91 * 4096)
    XCTAssertGreaterThanOrEqual(largerSize, 91 * 4096)
    XCTAssertNotEqual(larger, large)
    pool.give(larger, size: largerSize)
    // Of several that fit, the smallest.
    let (smallest, smallestSize) = pool.take(79 * 4096)
    XCTAssertEqual(smallest, small)
    pool.give(smallest, size: smallestSize)
    pool.trim()
  }

  /// Buffers of ever larger sizes do not add up: beyond a quarter of a gigabyte, what is free goes
  /// back to the system when something else is needed.
  func testFreeMemoryOfManySizesDoesNotAddUp() {
    let pool = StoragePool()
    for number in 1...30 {
      let (pointer, size) = pool.take(number * number * 1_000_000)
      XCTAssertLessThanOrEqual(pool.bytesFree, 256 << 20, "while \(size) bytes are in use")
      pool.give(pointer, size: size)
    }
    XCTAssertLessThanOrEqual(pool.bytesFree, (256 << 20) + 902 * 1_000_000)
    pool.trim()
    XCTAssertEqual(pool.bytesFree, 0)
  }

  func testMemoryIsAligned() {
    let pool = StoragePool()
    for bytes in [0, 1, 63, 64, 65, 4095, 4096, 4097, 3 << 20] {
      let (pointer, size) = pool.take(bytes)
      XCTAssertEqual(Int(bitPattern: pointer) % 64, 0, "\(bytes) bytes")
      XCTAssertGreaterThanOrEqual(size, max(bytes, 1))
      memset(pointer, 0xa5, size)
      pool.give(pointer, size: size)
    }
    pool.trim()
  }

  func testTensorsGiveTheirMemoryBack() {
    let shape = [3, 12_347]
    var address: UnsafeMutablePointer<Float>?
    do { address = Tensor(uninitialized: shape).pointer }
    let again = Tensor(uninitialized: shape)
    XCTAssertEqual(again.pointer, address)
    // A view keeps it.
    var whole: Tensor? = Tensor(seeded: shape, seed: 1)
    let expected = Array(whole?.values[12_347...] ?? [])
    let view = whole?.rows(1..<3)
    whole = nil
    let others = (0..<4).map { _ in Tensor(zeros: shape) }
    XCTAssertEqual(others.count, 4)
    assertSameBits(view?.values ?? [], expected)
  }

  func testShapes() {
    let x = Tensor((0..<24).map(Float.init), shape: [2, 3, 4])
    XCTAssertEqual([x.count, x.rows, x.columns], [24, 6, 4])
    XCTAssertEqual(x.row(4)[1], 17)
    XCTAssertEqual(x.rows(1..<3).shape, [2, 4])
    XCTAssertEqual(x.rows(1..<3).values, (4..<12).map(Float.init))
    XCTAssertEqual(x.rows(2..<2).count, 0)
    XCTAssertEqual(x.reshaped([4, 6]).row(1)[0], 6)
    XCTAssertEqual(x.matrix.rows, 6)
    XCTAssertEqual([x.transposed.rows, x.transposed.columns], [4, 6])
    let line = Tensor([1, 2, 3], shape: [3])
    XCTAssertEqual([line.count, line.rows, line.columns], [3, 1, 3])
    XCTAssertEqual(Tensor(zeros: [0, 5]).values, [])
    // Views share memory, copies do not.
    let copy = x.copy()
    x.rows(1..<2).elements[0] = 99
    x.reshaped([24]).elements[23] = 98
    XCTAssertEqual([x.elements[4], x.elements[23]], [99, 98])
    XCTAssertEqual([copy.elements[4], copy.elements[23]], [4, 23])
  }

  func testElementwise() {
    // More than one chunk of the pool's loops, and a tail.
    let count = (1 << 16) + 7
    let a = seededFloats(count, seed: 1), b = seededFloats(count, seed: 2)
    let x = Tensor(a, shape: [count])
    x.add(Tensor(b, shape: [count]))
    assertSameBits(x.values, zip(a, b).map { $0 + $1 }, "add")
    x.scale(by: 0.25)
    assertSameBits(x.values, zip(a, b).map { ($0 + $1) * 0.25 }, "scale")
    x.setZero()
    assertSameBits(x.values, [Float](repeating: 0, count: count), "setZero")
  }

  func testSquareSumHasTheSameBitsOnAnyThreads() {
    let x = Tensor(seeded: [5, (1 << 16) + 3], seed: 3)
    let expected = x.values.reduce(0) { $0 + Double($1) * Double($1) }
    let alone = withThreads(1) { x.squareSum() }
    XCTAssertEqual(alone, expected, accuracy: 1e-12 * expected)
    for threads in [2, 3, 8] { XCTAssertEqual(withThreads(threads) { x.squareSum() }, alone) }
    XCTAssertEqual(Tensor(zeros: [0]).squareSum(), 0)
  }

  func testBFloat16() {
    for high in 0...UInt16.max {
      XCTAssertEqual(Float(BFloat16(bitPattern: high)).bitPattern, UInt32(high) << 16)
      for low: UInt32 in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
        let x = Float(bitPattern: UInt32(high) << 16 | low)
        let rounded = Float(BFloat16(x))
        if x.isNaN {
          XCTAssertTrue(rounded.isNaN && !rounded.isSignalingNaN, "\(high)")
        } else {
          XCTAssertEqual(rounded.bitPattern, x.roundedToBFloat16.bitPattern, "\(x)")
        }
      }
    }
    XCTAssertEqual(Float(BFloat16(1.00390625)), 1)  // a tie, to even: down
    XCTAssertEqual(Float(BFloat16(1.01171875)), 1.015625)  // a tie, to even: up
    XCTAssertEqual(Float(BFloat16(.greatestFiniteMagnitude)), .infinity)
  }
}
