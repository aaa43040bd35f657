import XCTest

@testable import Storage

final class SHA256Tests: XCTestCase {
  private func digest(_ bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalizedText()
  }

  /// The examples of NIST.
  func testExamples() {
    let long =
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
      + "lmnopqrsmnopqrstnopqrstu"
    for (text, expected) in [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (long, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ] { XCTAssertEqual(digest(Array(text.utf8)), expected) }
  }

  /// Lengths around the edges of blocks; the digest of all digests is Python's.
  func testLengths() {
    var all = SHA256()
    for n in 0...130 { all.update(SHA256.digest(of: (0..<n).map { UInt8((7 * $0 + n) % 251) })) }
    XCTAssertEqual(
      all.finalizedText(), "807e93d057ef74e1e1082bbf43d7a7621a826f60961e4cab14b36aa0b0078d3c")
  }

  func testPieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 31) }
    for size in [1, 3, 63, 64, 65, 127, 128, 129, 999] {
      var hash = SHA256()
      for start in stride(from: 0, to: bytes.count, by: size) {
        hash.update(Array(bytes[start..<min(start + size, bytes.count)]))
        _ = hash.finalized()  // asking changes nothing
      }
      XCTAssertEqual(hash.finalizedText(), digest(bytes), "\(size)")
    }
  }
}
