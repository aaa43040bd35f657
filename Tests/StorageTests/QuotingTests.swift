import Storage
import XCTest

final class QuotingTests: XCTestCase {
  func testQuotes() {
    XCTAssertEqual(quoted(""), "''")
    XCTAssertEqual(quoted("aé😀'"), "'aé😀''")
    XCTAssertEqual(
      quoted("a\nb\u{1b}[31m\u{7f}\u{9b}\u{2028}\u{202e}\u{2066}"),
      #"'a\u000ab\u001b[31m\u007f\u009b\u2028\u202e\u2066'"#)
    XCTAssertEqual(quoted("12345", longest: 5), "'12345'")
    XCTAssertEqual(quoted("123456", longest: 5), "'12345…'")
  }
}
