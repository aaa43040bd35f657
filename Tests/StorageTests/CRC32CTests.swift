import XCTest

@testable import Storage

/// Eight bytes at once give what one at a time gives.
final class CRC32CTests: XCTestCase {
  /// RFC 3720, B.4, and the check value of the Rocksoft model.
  func testChecksumsOfTheRFC() {
    XCTAssertEqual(CRC32C.checksum([UInt8](repeating: 0, count: 32)), 0x8A91_36AA)
    XCTAssertEqual(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)), 0x62A8_AB43)
    XCTAssertEqual(CRC32C.checksum(0..<32), 0x46DD_794E)
    XCTAssertEqual(CRC32C.checksum((0..<32).reversed()), 0x113F_DB5C)
    XCTAssertEqual(CRC32C.checksum(Array("123456789".utf8)), 0xE306_9283)
    XCTAssertEqual(CRC32C.checksum([]), 0)
  }

  func testEveryLengthAndEveryOffset() {
    let bytes = (0..<80).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ $0 &* $0) }
    for start in 0..<9 {
      for end in start...bytes.count {
        var expected = ~UInt32(0)
        for byte in bytes[start..<end] {
          expected ^= UInt32(byte)
          for _ in 0..<8 { expected = expected >> 1 ^ (expected & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
        let found = bytes.withUnsafeBytes {
          CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start..<end]))
        }
        XCTAssertEqual(found, ~expected, "\(start)..<\(end)")
      }
    }
  }
}
