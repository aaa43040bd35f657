import Foundation
import Storage
import XCTest

final class JSONSerializingTests: XCTestCase {
  private let value = JSONValue.object(
    JSONObject(members: [
      ("b", .array([.number(JSONNumber(-1)), .bool(false), .null])),
      ("a", .object(JSONObject(members: [("é/", .string("\"\\\n\u{1}😀"))]))),
      ("none", .array([])),
      ("nothing", .object(JSONObject(members: []))),
    ]))

  func testOneLine() {
    XCTAssertEqual(
      String(decoding: value.serialized(), as: UTF8.self),
      #"{"b":[-1,false,null],"a":{"é/":"\"\\\n\u0001😀"},"none":[],"nothing":{}}"#)
  }

  func testPretty() {
    XCTAssertEqual(
      String(decoding: value.serialized(pretty: true), as: UTF8.self),
      #"""
      {
        "b": [
          -1,
          false,
          null
        ],
        "a": {
          "é/": "\"\\\n\u0001😀"
        },
        "none": [],
        "nothing": {}
      }

      """#)
  }

  func testWhatIsWrittenReadsBackTheSame() throws {
    for pretty in [false, true] {
      let text = value.serialized(pretty: pretty)
      XCTAssertEqual(try JSONValue(parsing: text, source: "x"), value)
    }
    let all = JSONValue.string(
      String(String.UnicodeScalarView((0...0x7F).map(Unicode.Scalar.init))))
    XCTAssertEqual(try JSONValue(parsing: all.serialized(), source: "x"), all)
  }

  func testDoublesReadBackTheSame() throws {
    for double in [
      0, -0.0, 1e-6, 1e16, 0.1, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e6,
    ] {
      let number = try XCTUnwrap(JSONNumber(double))
      let text = JSONValue.number(number).serialized()
      guard case .number(let read) = try JSONValue(parsing: text, source: "x") else {
        return XCTFail("\(number.text)")
      }
      XCTAssertEqual(read.double?.bitPattern, double.bitPattern)
    }
    XCTAssertNil(JSONNumber(.nan))
    XCTAssertNil(JSONNumber(.infinity))
  }
}
