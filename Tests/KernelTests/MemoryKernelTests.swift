import CKernels
import Foundation
import TestSupport
import XCTest

/// Sums above a threshold, and reading through memory, in every instruction set.
final class MemoryKernelTests: XCTestCase {
  /// Around every vector, and around the stretches in which sums are taken.
  private let counts = [0] + lengths + [1023, 1024, 1029, 2048, 2061, 4095, 4096, 4097, 8192, 9001]
  private let memory = Fenced(bytes: 1 << 16)

  /// What is gathered is what a filter leaves, in order; nothing is written beyond the room.
  func testGathering() {
    for count in lengths + [0, 1000] {
      let x = seededFloats(count, seed: count) + [.nan, .infinity, -.infinity]
      for (least, end) in [
        (Float(-2), Float(2)), (-0.3, -0.2), (0, .infinity), (0.5, 0.6), (2, 1), (0.1, 0.1),
        (.infinity, .nan), (-.infinity, 0),
      ] {
        let expected = x.filter { $0 >= least && $0 < end }
        for variant in Variant.all {
          var y = [Float](repeating: .pi, count: x.count + 1)
          let held = variant.kernels.gather_between(&y, x, least, end, Int64(x.count))
          XCTAssertEqual(Int(held), expected.count, "\(variant)")
          XCTAssertEqual(
            Array(y.prefix(expected.count)), expected,
            "\(count) from \(least) to \(end), \(variant)")
          XCTAssertEqual(y[x.count], .pi, "beyond the room, \(variant)")
        }
      }
    }
  }

  func testTempering() {
    for count in lengths + [4095, 4096, 4111, 9001] {
      let x = seededFloats(count, seed: count, scale: 9)
      let high = x.max() ?? 0
      for variant in Variant.all {
        XCTAssertEqual(variant.kernels.maximum(x, Int64(count)), high, "\(variant)")
        var y = [Float](repeating: 0, count: count)
        let sum = variant.kernels.temper(&y, x, high, 1.7, Int64(count))
        let exact = y.reduce(0) { $0 + Double($1) }
        XCTAssertEqual(sum, exact, accuracy: exact * 1e-6, "\(variant)")
        for (found, x) in zip(y, x) {
          let expected = exp((Double(x) - Double(high)) * 1.7)
          XCTAssertEqual(Double(found), expected, accuracy: expected * 2e-5 + 1e-37, "\(variant)")
        }
        XCTAssertEqual(y.max(), 1, "the most probable has the weight 1")
      }
    }
  }

  func testSumFrom() {
    for variant in Variant.all {
      for n in counts {
        let x = seededFloats(n, seed: n)
        var mixed = x
        // What is not a number, and what a threshold must keep out of the sum.
        for i in stride(from: 0, to: n, by: 5) { mixed[i] = i % 2 == 0 ? .nan : -.infinity }
        for (name, values) in [("plain", x), ("mixed", mixed)] {
          for least in [0, 0.25, -0.5, 2, -.greatestFiniteMagnitude, .infinity] as [Float] {
            assertSum(variant, values, least, "\(variant), \(n) \(name) from \(least)")
          }
        }
        assertSum(variant, x, -.infinity, "\(variant), all \(n)")
        if n > 0 { assertSum(variant, x, x[n - 1], "\(variant), \(n) from the last of them") }
      }
    }
  }

  func testSumFromOfWhatIsNotFinite() {
    for variant in Variant.all {
      for n in counts where n > 0 {
        var x = seededFloats(n, seed: n)
        for place in Set([0, n / 2, n - 1]) {
          x[place] = .infinity
          assertSum(variant, x, .infinity, "\(variant), infinity at \(place) of \(n)")
          assertSum(variant, x, 0, "\(variant), infinity at \(place) of \(n) from 0")
          x[place] = -.infinity
          assertSum(variant, x, -.infinity, "\(variant), -infinity at \(place) of \(n)")
          x[place] = .nan
          assertSum(variant, x, -.infinity, "\(variant), NaN at \(place) of \(n)")
          x[place] = 0.5
        }
        let nothing = [Float](repeating: .nan, count: n)
        for least in [0, -.infinity, .infinity, .nan] as [Float] {
          assertSum(variant, nothing, least, "\(variant), \(n) NaN from \(least)")
        }
        assertSum(variant, x, .nan, "\(variant), \(n) from NaN")
      }
    }
  }

  func testReadMemoryDependsOnEveryWord() {
    for variant in Variant.all {
      for streams in [1, 4] {
        // Eight of the widest vectors for each stream.
        let unit = streams * 8 * 16
        func read(_ words: UnsafePointer<UInt32>, _ count: Int) -> UInt32 {
          variant.kernels.read_memory(words, Int64(4 * count), Int64(streams))
        }
        XCTAssertEqual(read(memory.place([0]), 0), 0, "\(variant)")
        for count in [unit, 3 * unit] {
          var generator = SeededGenerator(seed: count)
          let words = (0..<count).map { _ in UInt32(truncatingIfNeeded: generator.next()) }
          let expected = words.reduce(0, ^)
          XCTAssertEqual(
            read(memory.place(words), count), expected, "\(variant), \(count) words, \(streams)")
          let pointer = memory.place(words)
          for index in 0..<count {
            pointer[index] ^= 1 << UInt32(index % 32)
            XCTAssertEqual(
              read(pointer, count), expected ^ 1 << UInt32(index % 32), "\(variant), word \(index)")
            pointer[index] = words[index]
          }
        }
        // Lengths that are no multiple: nothing beyond them is read.
        for count in [1, 127, 511, 513, 700, 1537] {
          _ = read(memory.place([UInt32](repeating: 7, count: count)), count)
        }
      }
    }
  }

  private func assertSum(
    _ variant: Variant, _ x: [Float], _ least: Float, _ what: String, line: UInt = #line
  ) {
    let kept = x.filter { $0 >= least }
    var count: Int64 = -1
    let sum = variant.kernels.sum_from(memory.place(x), least, Int64(x.count), &count)
    XCTAssertEqual(Int(count), kept.count, "count, \(what)", line: line)
    let expected = kept.reduce(0) { $0 + Double($1) }
    if !expected.isFinite {
      XCTAssertEqual(sum, expected, what, line: line)
      return
    }
    // At most 256 floats are added to one lane.
    let size = kept.reduce(0) { $0 + abs(Double($1)) }
    XCTAssertEqual(sum, expected, accuracy: 0x1p-24 * 32 * size, what, line: line)
  }
}
