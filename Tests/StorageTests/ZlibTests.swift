import Foundation
import XCTest

@testable import Storage

/// What Python 3.11's zlib packed is unpacked, or refused.
final class ZlibTests: XCTestCase {
  private func unpacked(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try Zlib.unpacked($0, source: "x", limit: limit) }
  }

  private func sentence(_ bytes: [UInt8], limit: Int = 1 << 20) -> String? {
    do {
      _ = try unpacked(bytes, limit: limit)
      return nil
    } catch { return "\(error)" }
  }

  /// `zlib.compress(b"hello hello hello\n", 9)`.
  private let hello: [UInt8] = [
    0x78, 0xDA, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x90, 0x5C, 0x00, 0x40, 0xB5, 0x06,
    0x87,
  ]

  func testWhatIsUnpacked() throws {
    XCTAssertEqual(try unpacked(hello), Array("hello hello hello\n".utf8))
    // Level 0, and nothing at all.
    XCTAssertEqual(
      try unpacked([0x78, 1, 1, 3, 0, 0xFC, 0xFF, 1, 2, 3, 0, 0x0D, 0, 7]), [1, 2, 3])
    XCTAssertEqual(try unpacked([0x78, 0x9C, 3, 0, 0, 0, 0, 1]), [])
    // A window of 512 bytes is said in the header, and a level in its second byte.
    XCTAssertEqual(try unpacked([0x18, 0x19] + hello[2...]), Array("hello hello hello\n".utf8))
  }

  func testWhatIsRefused() {
    let nothing = "x: zlib did not write this. Pack it with zlib."
    // A file of gzip; no header; another method; a window that is too large; a wrong check; a
    // dictionary that must be known.
    for start: [UInt8] in [
      [], [0x78], [0x1F, 0x8B], Array("hello".utf8), [0x77, 0x85], [0x88, 0x1C], [0x78, 0x9D],
      [0x78, 0x20],
    ] {
      XCTAssertEqual(sentence(start), nothing, "\(start)")
      XCTAssertEqual(sentence(Array(start.prefix(2)) + Array(hello[2...])), nothing, "\(start)")
    }
    for count in 2..<hello.count {
      XCTAssertEqual(
        sentence(Array(hello[..<count])), "x: the packed bytes end too early. Get them again.")
    }
    let damaged = "x: the packed bytes are damaged. Get them again."
    for i in hello.count - 4..<hello.count {
      var wrong = hello
      wrong[i] ^= 0x10
      XCTAssertEqual(sentence(wrong), damaged)
    }
    XCTAssertEqual(sentence(hello + [0]), damaged)
    XCTAssertNil(sentence(hello, limit: 18))
    XCTAssertEqual(
      sentence(hello, limit: 17), "x: unpacked it has more than 17 bytes. Unpack it first.")
  }

  func testEveryBitMatters() {
    for i in 0..<8 * hello.count {
      var bytes = hello
      bytes[i / 8] ^= 1 << UInt8(i % 8)
      if let result = try? unpacked(bytes) {
        XCTAssertEqual(result, Array("hello hello hello\n".utf8), "bit \(i)")
      }
    }
  }

  /// 8 MiB of zeros in 8 KiB: no more is unpacked than the limit allows.
  func testBomb() throws {
    let bomb = try XCTUnwrap(try PickleFixture.rows("refused.jsonl").first { $0.name == "bomb" })
    let packed = try XCTUnwrap(bomb.packed.first).bytes
    XCTAssertLessThan(packed.count, 10_000)
    XCTAssertEqual(
      sentence(packed), "x: unpacked it has more than 1048576 bytes. Unpack it first.")
    XCTAssertEqual(try unpacked(packed, limit: 8 << 20).count, 8 << 20)
  }

  /// Sums of 200,000 bytes of 255 are divided on the way, and agree with Python's.
  func testChecksumOfManyBytes() throws {
    // `zlib.compress(b"\xff" * 200_000, 9)`.
    let packed = try XCTUnwrap(
      Data(
        base64Encoded:
          "eNrtwTEBAAAAwqD+qWcGf6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgNcAFNBgVw=="
      ))
    XCTAssertEqual(try unpacked(Array(packed)), [UInt8](repeating: 0xFF, count: 200_000))
  }
}
