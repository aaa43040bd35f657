import Foundation
import Storage
import XCTest

final class JSONParsingTests: XCTestCase {
  func testErrorsSayWhereAndWhat() {
    let cases: [(text: String, message: String)] = [
      ("", "1:1: the text ends where a value must be."),
      (" \n ", "2:2: the text ends where a value must be."),
      ("[", "1:2: the text ends where a value must be."),
      ("[1", "1:3: the text ends where ',' or ']' must be."),
      ("[1,", "1:4: the text ends where a value must be."),
      ("[1,]", "1:3: a comma before ']'. Remove the comma."),
      ("[1 ,\n ]", "1:4: a comma before ']'. Remove the comma."),
      ("[,1]", "1:2: ',' where a value must be."),
      ("[1 2]", "1:4: '2' where ',' or ']' must be."),
      ("[1}", "1:3: '}' where ',' or ']' must be."),
      ("]", "1:1: ']' where a value must be."),
      ("{", "1:2: the text ends where a key in double quotes must be."),
      ("{]", "1:2: ']' where a key in double quotes must be."),
      ("{a: 1}", "1:2: 'a' where a key in double quotes must be."),
      ("{1: 1}", "1:2: '1' where a key in double quotes must be."),
      (
        "{'a': 1}",
        "1:2: a single quote where a key in double quotes must be. "
          + "JSON has double quotes only."
      ),
      (#"{"a" 1}"#, "1:6: '1' where ':' must be."),
      (#"{"a""#, "1:5: the text ends where ':' must be."),
      (#"{"a":}"#, "1:6: '}' where a value must be."),
      (#"{"a": 1"#, "1:8: the text ends where ',' or '}' must be."),
      (#"{"a": 1]"#, "1:8: ']' where ',' or '}' must be."),
      (#"{"a": 1,}"#, "1:8: a comma before '}'. Remove the comma."),
      (#"{"a": 1,, "b": 2}"#, "1:9: ',' where a key in double quotes must be."),
      ("1 2", "1:3: '2' after the end of the JSON value."),
      ("[]]", "1:3: ']' after the end of the JSON value."),
      ("// a\n1", "1:1: '/' where a value must be. JSON has no comments; remove them."),
      ("1 # a", "1:3: '#' after the end of the JSON value. JSON has no comments; remove them."),
      ("[1 /* a */]", "1:4: '/' where ',' or ']' must be. JSON has no comments; remove them."),
      ("nan", "1:1: 'nan' where a value must be."),
      ("[NaN]", "1:2: 'NaN' is not a JSON value. Write null or a finite number."),
      ("[Infinity]", "1:2: 'Infinity' is not a JSON value. Write null or a finite number."),
      (
        "[-Infinity]",
        "1:2: '-Infinity' is not a JSON number. Write it like 12, -0.5 or 1e-6."
      ),
      ("True", "1:1: 'True' is not a JSON value. Write 'true'."),
      ("None", "1:1: 'None' is not a JSON value. Write 'null'."),
      ("nul", "1:1: 'nul' where a value must be."),
      ("truefalse", "1:1: 'truefalse' where a value must be."),
      ("'a'", "1:1: a single quote where a value must be. JSON has double quotes only."),
      ("\u{7}", "1:1: 'U+0007' where a value must be."),
      ("[\u{a0}]", "1:2: '\u{a0}' where a value must be."),
      ("\u{c}1", "1:1: 'U+000C' where a value must be."),
      (#""a"#, "1:1: a string that is never closed. Add the double quote that is missing."),
      (#""a\"#, "1:3: the text ends inside an escape."),
      (#""a\""#, "1:1: a string that is never closed. Add the double quote that is missing."),
      ("\"a\nb\"", #"1:3: a line break inside a string. Write it as '\n'."#),
      ("\"\t\"", #"1:2: a tab inside a string. Write it as '\t'."#),
      ("\"\r\"", #"1:2: a carriage return inside a string. Write it as '\r'."#),
      ("\"\0\"", #"1:2: control character U+0000 inside a string. Write it as '\u0000'."#),
      ("\"\u{1f}\"", #"1:2: control character U+001F inside a string. Write it as '\u001f'."#),
      (#""\x41""#, #"1:2: '\x41' is not an escape of JSON. Write a backslash as '\\'."#),
      (#""\é""#, #"1:2: '\é' is not an escape of JSON. Write a backslash as '\\'."#),
      (#""\u12""#, #"1:2: '\u' needs four hexadecimal digits after it."#),
      (#""\u12g4""#, #"1:2: '\u' needs four hexadecimal digits after it."#),
      (#""\u+123""#, #"1:2: '\u' needs four hexadecimal digits after it."#),
      (
        #""\ud83d""#,
        #"1:2: '\ud83d' is half of a surrogate pair. "#
          + "Write the whole pair, or U+FFFD in its place."
      ),
      (
        #""é\ude00\ud83d""#,
        #"1:3: '\ude00' is half of a surrogate pair. "#
          + "Write the whole pair, or U+FFFD in its place."
      ),
      (
        #""\uD83D\u0041""#,
        #"1:2: '\uD83D' is half of a surrogate pair. "#
          + "Write the whole pair, or U+FFFD in its place."
      ),
      (
        #"{"a": 1, "b": 2, "a": 3}"#,
        "1:18: key 'a' a second time in one object. "
          + "Keep one of them."
      ),
      (
        #"{"a": 1, "\u0061": 3}"#,
        "1:10: key 'a' a second time in one object. "
          + "Keep one of them."
      ),
    ]
    for (text, message) in cases { assertRefused(Array(text.utf8), "x.json:" + message) }
  }

  func testNumbersFollowTheGrammar() throws {
    for text in [
      "-", "01", "-01", "1.", "1.e5", "1e", "1e+", "0x10", "1_000", "--1", "1.2.3",
      "1ee2",
      "-.5", "1-2", "0e", "00",
    ] {
      assertRefused(
        Array(text.utf8),
        "x.json:1:1: '\(text)' is not a JSON number. Write it like 12, -0.5 or 1e-6.")
    }
    assertRefused(Array("+1".utf8), "x.json:1:1: '+1' where a value must be.")
    assertRefused(Array(".5".utf8), "x.json:1:1: '.5' where a value must be.")
    for text in ["0", "-0", "0e1", "12", "-0.5", "1E+2", "1e-6", "0.0", "123456789012345678901"] {
      XCTAssertEqual(
        try JSONValue(parsing: Array(text.utf8), source: "x"), .number(JSONNumber(text: text)))
    }
    XCTAssertEqual(JSONNumber(text: "-12").int, -12)
    XCTAssertNil(JSONNumber(text: "1.0").int)
    XCTAssertNil(JSONNumber(text: "9223372036854775808").int)
    XCTAssertEqual(JSONNumber(text: "1e3").double, 1000)
    XCTAssertNil(JSONNumber(text: "1e999").double)
  }

  func testBytesThatAreNotUTF8() {
    func message(_ byte: String) -> String {
      "x.json:1:3: byte \(byte) is not valid UTF-8 here. Save the text as UTF-8."
    }
    let cases: [(bytes: [UInt8], byte: String)] = [
      ([0x80], "0x80"), ([0xFF], "0xFF"), ([0xC0, 0xAF], "0xC0"), ([0xC1, 0xBF], "0xC1"),
      ([0xE0, 0x80, 0xAF], "0xE0"), ([0xF0, 0x80, 0x80, 0xAF], "0xF0"),
      ([0xED, 0xA0, 0x80], "0xED"), ([0xF4, 0x90, 0x80, 0x80], "0xF4"), ([0xF5, 0x80], "0xF5"),
      ([0xC3], "0xC3"), ([0xE2, 0x82], "0xE2"), ([0xF0, 0x9F, 0x98], "0xF0"),
    ]
    for (bytes, byte) in cases {
      assertRefused([0x22, 0x61] + bytes + [0x22], message(byte))
      // Where the text ends inside the sequence, nothing past its end may be read.
      assertRefused([0x22, 0x61] + bytes, message(byte))
    }
    assertRefused(
      [0xEF, 0xBB, 0xBF, 0x31],
      "x.json:1:1: the text begins with a byte order mark. Save it as UTF-8 without one.")
    assertRefused([0xFF, 0xFE, 0x31, 0], "x.json:1:1: the text is UTF-16. Save it as UTF-8.")
    assertRefused([0xFE, 0xFF, 0, 0x31], "x.json:1:1: the text is UTF-16. Save it as UTF-8.")
    assertRefused([0x5B, 0, 0x5D, 0], "x.json:1:2: 'U+0000' where a value must be.")
    assertRefused([0x31, 0xFF], "x.json:1:2: 'byte 0xFF' after the end of the JSON value.")
  }

  func testTrees() throws {
    XCTAssertEqual(
      try parse(#" {"b": [1, true, null, {}], "a": {"": "x"}} "#),
      .object(
        JSONObject(members: [
          (
            "b",
            .array([
              .number(JSONNumber(1)), .bool(true), .null, .object(JSONObject(members: [])),
            ])
          ), ("a", .object(JSONObject(members: [("", .string("x"))]))),
        ])))
    XCTAssertEqual(try parse("\t\r\n[ ]\n"), .array([]))
    XCTAssertEqual(try parse(#""\"\\\/\b\f\n\r\t""#), .string("\"\\/\u{8}\u{c}\n\r\t"))
    XCTAssertEqual(try parse(#""a\u00e9\uD83D\uDe00\u0000z""#), .string("aé😀\0z"))
    XCTAssertEqual(try parse("\"aé€😀\u{7f}\u{2028}\""), .string("aé€😀\u{7f}\u{2028}"))
    XCTAssertEqual(try parse(#""\ud7ff\ue000\uffff""#), .string("\u{d7ff}\u{e000}\u{ffff}"))
  }

  func testStringsOfOneNormalFormAreNotThoseOfAnother() throws {
    let object = try parse("{\"\u{e9}\": 1, \"e\u{301}\": 2}")
    XCTAssertNotEqual(object, try parse("{\"e\u{301}\": 1, \"\u{e9}\": 2}"))
    XCTAssertNotEqual(try parse("\"\u{e9}\""), try parse("\"e\u{301}\""))
  }

  func testDepthOnASmallStack() {
    onASmallStack {
      for depth in [127, 128] {
        for (opening, closing) in [("[", "]"), (#"{"a":"#, "}"), (#"[{"a":"#, "}]")] {
          let levels = opening.count > 5 ? depth / 2 : depth
          let text =
            String(repeating: opening, count: levels) + "1"
            + String(repeating: closing, count: levels)
          do {
            let value = try JSONValue(parsing: Array(text.utf8), source: "x")
            XCTAssertEqual(value, value)
            XCTAssertEqual(String(decoding: value.serialized(), as: UTF8.self), text)
          } catch { XCTFail("\(error)") }
        }
      }
      for depth in [129, 511, 512, 100_000] {
        assertRefused(
          Array(String(repeating: "[", count: depth).utf8),
          "x.json:1:129: arrays and objects inside one another deeper than 128 levels.")
        assertRefused(
          Array(String(repeating: #"{"a":"#, count: depth).utf8),
          "x.json:1:641: arrays and objects inside one another deeper than 128 levels.")
      }
    }
  }

  func testManyKeys() throws {
    // Keys that differ only in the last of 100,000 would take minutes if each were compared with all.
    let keys = (0..<100_000).map { #""model.layers.\#($0)":\#($0)"# }
    let text = "{" + keys.joined(separator: ",") + "}"
    guard case .object(let object) = try parse(text) else { return XCTFail() }
    XCTAssertEqual(object.members.count, 100_000)
    XCTAssertEqual(object.members[99_999].key, "model.layers.99999")
    for again in [0, 15, 16, 17, 50_000, 99_999] {
      let doubled = text.dropLast() + #","model.layers.\#(again)":0}"#
      assertRefused(
        Array(doubled.utf8),
        "x.json:1:\(text.utf8.count + 1): key 'model.layers.\(again)' a second time in one object. "
          + "Keep one of them.")
    }
  }

  func testLimits() {
    XCTAssertThrowsError(
      try JSONValue(
        parsing: Data("[1, 2]".utf8), source: "x.json", limits: JSONLimits(bytes: 5))
    ) { XCTAssertEqual("\($0)", "x.json:1:1: the text has 6 bytes; at most 5 are read.") }
    XCTAssertThrowsError(
      try JSONValue(
        parsing: Data("\n\n [[1]]".utf8), source: "x.json", limits: JSONLimits(depth: 1))
    ) {
      XCTAssertEqual(
        $0 as? JSONError,
        JSONError(
          source: "x.json", line: 3, column: 3,
          message: "arrays and objects inside one another deeper than 1 levels."))
    }
  }

  func testEveryPrefixOfATextIsRefused() throws {
    let text = Array(#"{"a":["é\u00e9",-1.5e3,true,{"b":null}],"c":"😀\uD83D\uDE00"}"#.utf8)
    XCTAssertNoThrow(try JSONValue(parsing: text, source: "x"))
    for count in 0..<text.count {
      XCTAssertThrowsError(try JSONValue(parsing: Array(text.prefix(count)), source: "x")) {
        XCTAssertTrue($0 is JSONError)
      }
    }
  }

  func testTokensAfterTheEnd() throws {
    try Array(" [1] ".utf8).withUnsafeBytes {
      var tokens = try JSONTokens($0, source: "x")
      XCTAssertEqual(try tokens.next(), .beginArray)
      XCTAssertEqual(tokens.depth, 1)
      XCTAssertEqual(try tokens.next(), .number(2..<3))
      XCTAssertEqual(try tokens.next(), .endArray)
      XCTAssertEqual(try tokens.next(), .end)
      XCTAssertEqual(try tokens.next(), .end)
      XCTAssertEqual(tokens.position, 5)
    }
  }
}

private func parse(_ text: String) throws -> JSONValue {
  try JSONValue(parsing: Data(text.utf8), source: "x.json")
}

private func assertRefused(
  _ bytes: [UInt8], _ message: String, file: StaticString = #filePath, line: UInt = #line
) {
  do throws(JSONError) {
    let value = try JSONValue(parsing: bytes, source: "x.json")
    XCTFail("read as \(value); expected: \(message)", file: file, line: line)
  } catch {
    XCTAssertEqual(error.description, message, file: file, line: line)
  }
}

/// Runs `body` on a thread with the stack that a task of the cooperative pool has at least.
private func onASmallStack(_ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  let thread = Thread {
    body()
    done.signal()
  }
  thread.stackSize = 512 << 10
  thread.start()
  done.wait()
}
