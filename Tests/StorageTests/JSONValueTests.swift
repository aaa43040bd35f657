import Storage
import XCTest

final class JSONValueTests: XCTestCase {
  func testLookupIsByBytes() {
    let object = JSONObject(members: [("\u{e9}", .null), ("e\u{301}", .bool(true))])
    XCTAssertEqual(object["e\u{301}"], .bool(true))
  }
}
