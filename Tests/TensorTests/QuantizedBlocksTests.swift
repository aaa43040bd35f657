import Foundation
import TestSupport
import XCTest

@testable import Tensors

/// The maps and codes of bitsandbytes, and blocks in parts.
final class QuantizedBlocksTests: XCTestCase {
  private struct Case: Decodable {
    let map: [Int32]
    let numbers: [Int32]
    let codes: [UInt8]
    let scales: [Int32]
    let back: [Int32]
  }

  private func fixture() throws -> [(name: String, Case, CodeMap)] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/quantization/blocks.json")
    let cases = try JSONDecoder().decode([String: Case].self, from: Data(contentsOf: path))
    return [
      ("signed", try XCTUnwrap(cases["signed"]), .signed),
      ("unsigned", try XCTUnwrap(cases["unsigned"]), .unsigned),
    ]
  }

  private func floats(_ bits: [Int32]) -> [Float] {
    bits.map { Float(bitPattern: UInt32(bitPattern: $0)) }
  }

  /// It computes its values in float32, so they are off by a bit or two.
  func testTheMapsAreThoseOfBitsandbytes() throws {
    for (name, reference, map) in try fixture() {
      XCTAssertEqual(map.values.count, 256)
      assertClose(map.values, floats(reference.map).map(Double.init), relative: 2.5e-7, name)
      XCTAssertTrue(zip(map.values, map.values.dropFirst()).allSatisfy { $0 < $1 })
      XCTAssertEqual(map.values[Int(map.tables.pointee.zero)], 0)
    }
  }

  func testTheCodesAreThoseOfBitsandbytes() throws {
    for (name, reference, map) in try fixture() {
      let x = floats(reference.numbers), scales = floats(reference.scales)
      let blocks = QuantizedBlocks(zeros: x.count, map)
      blocks.set(0..<x.count, from: x)
      XCTAssertEqual(Array(UnsafeBufferPointer(start: blocks.scales, count: scales.count)), scales)
      var raised = 0
      for (i, expected) in reference.codes.enumerated() where blocks.codes[i] != expected {
        let found = blocks.codes[i]
        if name == "unsigned", expected == 0, found == 1, x[i] > 0 {
          raised += 1
          continue
        }
        // Between two values, but for rounding.
        let quotient = Double(x[i] / scales[i / 256])
        let middle = (Double(map.values[Int(found)]) + Double(map.values[Int(expected)])) / 2
        XCTAssertEqual(abs(Int(found) - Int(expected)), 1, "\(name)[\(i)]")
        XCTAssertEqual(quotient, middle, accuracy: 3e-7 * abs(middle), "\(name)[\(i)]")
      }
      XCTAssertEqual(raised > 0, name == "unsigned")
      // What both have the same codes for comes back alike.
      var back = [Float](repeating: 0, count: x.count)
      blocks.expand(0..<x.count, into: &back)
      let same = x.indices.filter { blocks.codes[$0] == reference.codes[$0] }
      XCTAssertGreaterThan(same.count, x.count * 3 / 4)
      let expected = floats(reference.back)
      assertClose(
        same.map { back[$0] }, same.map { Double(expected[$0]) }, relative: 3e-7, name)
    }
  }

  func testPartsAreLikeTheWhole() {
    for map in [CodeMap.signed, .unsigned] {
      let count = 1000
      let x = seededFloats(count, seed: 1).map { map === CodeMap.signed ? $0 : $0 * $0 }
      let whole = QuantizedBlocks(zeros: count, map), parts = QuantizedBlocks(zeros: count, map)
      var start = [Float](repeating: 7, count: count)
      whole.expand(0..<count, into: &start)
      XCTAssertTrue(start.allSatisfy { $0 == 0 }, "it begins with zeros")
      whole.set(0..<count, from: x)
      var expected = [Float](repeating: 0, count: count)
      whole.expand(0..<count, into: &expected)
      for range in [768..<1000, 0..<256, 256..<768] {
        x.withUnsafeBufferPointer { parts.set(range, from: $0.baseAddress! + range.lowerBound) }
      }
      for range in [256..<512, 512..<1000, 0..<256] {
        var found = [Float](repeating: 0, count: range.count)
        parts.expand(range, into: &found)
        assertSameBits(found, Array(expected[range]), "\(range)")
      }
      // Twice is as once, but for the block's largest where that is negative.
      let again = QuantizedBlocks(zeros: count, map)
      again.set(0..<count, from: expected)
      var twice = [Float](repeating: 0, count: count)
      again.expand(0..<count, into: &twice)
      assertClose(
        twice, expected.map(Double.init), relative: map === CodeMap.signed ? 0.03 : 1e-6,
        absolute: map === CodeMap.signed ? 1e-5 : 0)
    }
  }
}
