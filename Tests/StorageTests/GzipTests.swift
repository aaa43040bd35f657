import Foundation
import XCTest

@testable import Storage

/// Packed files are unpacked, or refused; Python 3.11's gzip and zlib made them.
final class GzipTests: XCTestCase {
  private func unpacked(
    _ bytes: [UInt8], limit: Int = 1 << 20
  ) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try Gzip.unpacked($0, source: "x.gz", limit: limit) }
  }

  private func bytes(_ text: String) -> [UInt8] { Array(Data(base64Encoded: text) ?? Data()) }

  /// `gzip.compress(b"hello hello hello\n", 9, mtime=0)`: a block of fixed codes.
  private var fixed: [UInt8] { bytes("H4sIAAAAAAACA8tIzcnJV8hAkFwAO3yK3xIAAAA=") }
  /// The numbers 0 to 159 with their squares modulo 1,000, a line each: codes of its own.
  private var dynamic: [UInt8] {
    bytes(
      """
      H4sIAAAAAAACAz2TwZUEIQgF70RBCKIIkn9iW2jPnuYxyAc+1UOHmJpMdVla4mohW+eW0BWS6iVHw6X0mNhQGxRQ\
      MYmmmrvYoqbEKK0Qo5hqCzSIUuchd3RNXhaa9BrqqExTdyJaH5e5dM+S6bozZG4NVGZodJSanTua/ZJRqFtDC5Vl\
      WmiuqTRYS+m2mITe602ymIS5VtKb3KEpD4tuJj400HDTYDufmmzqiLC1uxYO+DXDQw1jnHUGKdYZPCz2MNlDNyIb\
      kY4QIbcR4eVGpA29IhsRFDci6G9E6LYRoXe8ScLYlGgygktwEWYORELirRPcheWCy7BqcBv2jmJyk3yWJMYScB3c\
      yoX1JenqOJnP1wzNjlKrc0f7YTGWyXnHOaYbxcM26B+2odvhOCHnDXIYhLFO8h8pbsPEp1A0qcdJGdcn4sJN0IKj\
      knI9uFDXkuI4+FNsg1vFNnhXHHg0bKPhHIjcCBWSNpDhrQ10KLVxhWygtDpEyjuNVvRzxJrcf3QNPzqeuhte6M2m\
      F3yr8f3xC8DeAENwNMEgXI0wDFs0+88nvgO26piT4aLBseGpAfLCYvtINlA+N84vz/nv+3r1H84Gz1cfoL37gfTt\
      D9TV83xUAxKfZsf55r9g81NvvY9sA+27Pmxb2wHc1x7ozrbr4W3wvdpMAL/mQni12SB+zf8YNyC/p4Fy6zyY9+EM\
      zrPrH+h8fbpaHdT75Abr1d2BvYH4AxMhp351BAAA
      """)
  }
  private var numbers: [UInt8] {
    (0..<160).flatMap { Array("\($0) \($0 * $0 % 1_000)\n".utf8) }
  }
  /// Level 0: stored blocks; with a name and a comment.
  private var stored: [UInt8] {
    bytes(
      """
      H4sIGAAAAAAA/25hbWUAYSBjb21tZW50AAEPAPD/c3RvcmVkIGFzIGl0IGlzZXjRWg8AAAA=
      """)
  }

  func testBlocksOfEveryKind() throws {
    XCTAssertEqual(try unpacked(fixed), Array("hello hello hello\n".utf8))
    XCTAssertEqual(try unpacked(dynamic), numbers)
    XCTAssertEqual(try unpacked(stored), Array("stored as it is".utf8))
    XCTAssertEqual(
      try unpacked(fixed + stored), Array("hello hello hello\nstored as it is".utf8))
  }

  func testWhatIsRefused() {
    func sentence(_ bytes: [UInt8], limit: Int = 1 << 20) -> String? {
      do {
        _ = try unpacked(bytes, limit: limit)
        return nil
      } catch { return "\(error)" }
    }
    XCTAssertEqual(
      sentence(Array(dynamic.dropLast(9))), "x.gz: the packed file ends too early. Get it again.")
    XCTAssertEqual(
      sentence(dynamic, limit: numbers.count - 1),
      "x.gz: unpacked it has more than \(numbers.count - 1) bytes. Unpack it first.")
    XCTAssertNil(sentence(dynamic, limit: numbers.count))
    var wrong = fixed
    wrong[wrong.count - 5] ^= 1
    XCTAssertEqual(sentence(wrong), "x.gz: the packed file is damaged. Get it again.")
  }

  func testEveryPrefixAndManyMutationsAreRefusedOrTheSame() {
    for count in 0..<dynamic.count { XCTAssertThrowsError(try unpacked(Array(dynamic[..<count]))) }
    var state: UInt64 = 7
    for _ in 0..<3_000 {
      var bytes = dynamic
      state = state &* 6_364_136_223_846_793_005 &+ 1
      bytes[Int(state >> 33) % bytes.count] ^= UInt8(1 << (state >> 29 & 7))
      if let result = try? unpacked(bytes) { XCTAssertEqual(result, numbers) }
    }
  }
}
