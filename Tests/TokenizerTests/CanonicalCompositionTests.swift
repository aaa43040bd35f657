import Foundation
import XCTest

@testable import Tokenizers

/// Normal form C, which leaves most text to the eye and the rest to Foundation.
final class CanonicalCompositionTests: XCTestCase {
  private func composed(_ text: String) -> String {
    String(decoding: CanonicalComposition.composed(Array(text.utf8)), as: UTF8.self)
  }

  private func isCertain(_ text: String) -> Bool {
    Array(text.utf8).withUnsafeBufferPointer { CanonicalComposition.isCertain($0) }
  }

  /// Every scalar alone, and behind a letter and before a mark.
  func testEveryScalar() {
    var plain = 0
    for value: UInt32 in 0..<0x110000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = String(scalar)
      if isCertain(text) {
        plain += 1
        assertSameText(
          text.precomposedStringWithCanonicalMapping, text, "U+\(String(value, radix: 16))")
        XCTAssertEqual(scalar.properties.canonicalCombiningClass.rawValue, 0)
      }
      if value < 0x3100 || value % 61 == 0 {
        for text in ["a\(text)", "\(text)\u{301}", "e\u{327}\(text)\u{300}x"] {
          assertSameText(composed(text), text.precomposedStringWithCanonicalMapping)
        }
      }
    }
    XCTAssertGreaterThan(plain, 60_000)
  }

  /// A scalar that joins the one before it is never taken for plain.
  func testWhatJoinsIsNotPlain() {
    var joining: Set<Unicode.Scalar> = []
    for value: UInt32 in 0..<0x110000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      joining.formUnion(
        String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars.dropFirst())
    }
    XCTAssertGreaterThan(joining.count, 100)
    for scalar in joining { XCTAssertFalse(isCertain(String(scalar)), "\(scalar.value)") }
  }

  func testRandomText() {
    var random = SeededRandom(seed: 3)
    let scalars: [Unicode.Scalar] = Array(
      "aeouéÅ\u{301}\u{327}\u{323}\u{308}\u{344}\u{212B}\u{1100}\u{1161}\u{11A8}각か\u{3099}Ωϕ\u{5D0}\u{5B0}नि़😀"
        .unicodeScalars)
    for _ in 0..<5_000 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...90, using: &random) {
        text.append(scalars[Int.random(in: 0..<scalars.count, using: &random)])
      }
      let string = String(text)
      assertSameText(composed(string), string.precomposedStringWithCanonicalMapping)
    }
  }

  /// Marks in disorder, of which Foundation alone would take hours for so many.
  func testManyMarks() {
    let marks = String(repeating: "\u{301}\u{327}\u{323}", count: 100_000)
    let result = composed("e" + marks + "x")
    XCTAssertEqual(result.unicodeScalars.count, 300_001)
    let beginning = composed("e" + "\u{301}\u{327}\u{323}" + "\u{327}")
    XCTAssertEqual(result.unicodeScalars.first, beginning.unicodeScalars.first)
    XCTAssertTrue(isCertain("x"))
    let classes = result.unicodeScalars.dropFirst().dropLast().map {
      $0.properties.canonicalCombiningClass.rawValue
    }
    XCTAssertEqual(classes, classes.sorted())
  }

  func testBytesThatAreNoTextStay() {
    for bytes in [
      [0xFF], [0x65, 0xCC], [0x65, 0xCC, 0x81, 0xFF, 0xCC, 0x81], [0xCC, 0x81, 0xE3, 0x82],
      [0xED, 0xA0, 0x80, 0xCC, 0x81],
    ] as [[UInt8]] {
      let result = CanonicalComposition.composed(bytes)
      XCTAssertEqual(
        result.filter { $0 == 0xFF || $0 == 0xE3 || $0 == 0xED }.count,
        bytes.filter { $0 == 0xFF || $0 == 0xE3 || $0 == 0xED }.count)
      XCTAssertEqual(result.last == 0xFF, bytes.last == 0xFF)
    }
    XCTAssertEqual(CanonicalComposition.composed([0x65, 0xCC, 0x81, 0xFF]), [0xC3, 0xA9, 0xFF])
    XCTAssertEqual(CanonicalComposition.composed([0xFF, 0xCC, 0x81]), [0xFF, 0xCC, 0x81])
  }
}
