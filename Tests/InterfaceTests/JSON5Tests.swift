import Foundation
import XCTest

@testable import Interface

/// Any JSON as Foundation decodes it.
indirect enum FoundationValue: Decodable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case text(String)
  case list([FoundationValue])
  case object([String: FoundationValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let bool = try? container.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let list = try? container.decode([FoundationValue].self) {
      self = .list(list)
    } else {
      self = .object(try container.decode([String: FoundationValue].self))
    }
  }

  /// What Foundation reads in JSON5; nil if it refuses it.
  init?(json5 text: String) {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    guard let value = try? decoder.decode(Self.self, from: Data(text.utf8)) else { return nil }
    self = value
  }

  init(_ value: RecipeValue) {
    switch value.content {
    case .null: self = .null
    case .bool(let bool): self = .bool(bool)
    case .number(let digits): self = .number(Double(digits) ?? .nan)
    case .text(let text): self = .text(text)
    case .list(let elements): self = .list(elements.map(Self.init))
    case .object(let object):
      self = .object(
        Dictionary(object.members.map { ($0.key, Self($0.value)) }, uniquingKeysWith: { $1 }))
    }
  }
}

extension FoundationValue {
  fileprivate var hasBackslashInKey: Bool {
    switch self {
    case .null, .bool, .number, .text: false
    case .list(let elements): elements.contains(where: \.hasBackslashInKey)
    case .object(let members):
      members.contains { $0.key.contains("\\") || $0.value.hasBackslashInKey }
    }
  }
}

final class JSON5Tests: XCTestCase {
  private func scan(_ text: String) throws -> RecipeValue {
    var scanner = JSON5Scanner(RecipeText(text))
    return try scanner.document()
  }

  func testWhatJSON5Allows() throws {
    let cases: [(text: String, value: FoundationValue)] = [
      ("{}", .object([:])),
      ("[]", .list([])),
      (" \t\n\r\u{B}\u{C}\u{A0}\u{FEFF}\u{2003}\u{2028}null // end", .null),
      ("/* a *//**/true/***/", .bool(true)),
      ("//\nfalse//", .bool(false)),
      ("{a:1,}", .object(["a": .number(1)])),
      ("[1,]", .list([.number(1)])),
      ("{'a': 1, \"b\": 2}", .object(["a": .number(1), "b": .number(2)])),
      ("{$_é9: 1, null: 2}", .object(["$_é9": .number(1), "null": .number(2)])),
      ("{\\u0061b: 1}", .object(["ab": .number(1)])),
      ("'\"' ", .text("\"")),
      ("\"'\"", .text("'")),
      ("'\\'\\\"\\\\\\b\\f\\n\\r\\t\\v\\0\\a\\/'", .text("'\"\\\u{8}\u{C}\n\r\t\u{B}\0a/")),
      ("'\\x41\\u00e9\\ud83d\\ude00'", .text("Aé😀")),
      ("'a\\\nb\\\r\nc\\\rd\\\u{2028}e'", .text("abcde")),
      ("'\u{2028}\u{2029}\t'", .text("\u{2028}\u{2029}\t")),
      ("0", .number(0)), ("-0", .number(0)), ("+1", .number(1)), (".5", .number(0.5)),
      ("5.", .number(5)), ("-.5e+2", .number(-50)), ("1E3", .number(1000)), ("0e9", .number(0)),
      ("0x1F", .number(31)), ("-0XfF", .number(-255)), ("0x0", .number(0)),
      ("123456789012345678901234567890", .number(1.2345678901234568e29)),
      ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
      ("5e-324", .number(.leastNonzeroMagnitude)),
    ]
    for (text, value) in cases {
      XCTAssertEqual(FoundationValue(try scan(text)), value, text)
    }
  }

  func testWhereItStopsAndWhy() {
    let cases: [(text: String, finding: String)] = [
      ("", "1:1: the text is empty; it must hold an object, such as '{ seed: 1 }'."),
      (" // x\n", "2:1: the text is empty; it must hold an object, such as '{ seed: 1 }'."),
      (
        "{student: 'q',\n packing 'none'}",
        "2:10: expected ':' after the key 'packing', but found '''."
      ),
      ("{a: 1 b: 2}", "1:7: expected ',' or '}' after the value of 'a', but found 'b'."),
      ("{a: 1\n  bc: 2}", "2:3: expected ',' or '}' after the value of 'a', but found 'bc'."),
      ("{a: }", "1:5: expected a value, but found '}'."),
      ("{,}", "1:2: expected a key or '}', but found ','."),
      ("{a: 1,,}", "1:7: expected a key or '}', but found ','."),
      ("[1 2]", "1:4: expected ',' or ']' after an element of the list, but found '2'."),
      ("[1,,]", "1:4: expected a value, but found ','."),
      ("[1}", "1:3: expected ',' or ']' after an element of the list, but found '}'."),
      ("{a: [1,\n2", "1:5: the list that begins here is not closed; add ']'."),
      ("{a: [1,", "1:5: the list that begins here is not closed; add ']'."),
      ("{a: 1", "1:1: the object that begins here is not closed; add '}'."),
      ("{a:", "1:1: the object that begins here is not closed; add '}'."),
      ("{a", "1:1: the object that begins here is not closed; add '}'."),
      ("\n {", "2:2: the object that begins here is not closed; add '}'."),
      ("{a: 'b}\n", "1:5: the text that begins here is not closed; add ' in its line."),
      ("{a: \"b", "1:5: the text that begins here is not closed; add \" in its line."),
      ("['a\\", "1:2: the text that begins here is not closed; add ' in its line."),
      ("/* a", "1:1: the comment that begins here is not closed; add '*/'."),
      ("{} /*/", "1:4: the comment that begins here is not closed; add '*/'."),
      ("{} x", "1:4: expected the end of the text, but found 'x'."),
      ("{}\r\n}", "2:1: expected the end of the text, but found '}'."),
      ("/", "1:1: expected a value, but found '/'."),
      ("{2a: 1}", "1:2: the key '2a' needs quotes."),
      ("{a-b: 1}", "1:3: expected ':' after the key 'a', but found '-'."),
      ("{\\x41: 1}", "1:3: a key may only hold escapes such as '\\u0041'."),
      ("{\\u0020: 1}", "1:2: the key ' ' needs quotes."),
      ("{a: bestFit}", "1:5: the text 'bestFit' needs quotes."),
      ("{a: True}", "1:5: the text 'True' needs quotes. Did you mean 'true'?"),
      ("{a: None}", "1:5: 'None' is written 'null' here."),
      ("01", "1:1: '01' is not a number."),
      ("1.2.3", "1:1: '1.2.3' is not a number."),
      ("1e", "1:1: '1e' is not a number."),
      ("1e+", "1:1: '1e+' is not a number."),
      ("+-1", "1:1: '+-1' is not a number."),
      (".", "1:1: '.' is not a number."),
      ("-", "1:1: '-' is not a number."),
      ("0x", "1:1: '0x' is not a number."),
      ("0x1.8", "1:1: '0x1.8' is not a number."),
      ("3GiB", "1:1: '3GiB' is not a number."),
      ("1_000", "1:1: '1_000' is not a number."),
      ("٣", "1:1: the text '٣' needs quotes."),
      ("'\\1'", "1:2: there is no escape '\\1'."),
      ("'\\01'", "1:2: there is no escape '\\01'."),
      ("'\\x4'", "1:2: this escape needs 2 digits from 0 to f."),
      ("'\\u00'", "1:2: this escape needs 4 digits from 0 to f."),
      ("'\\ud83d'", "1:2: this escape is half of a character; write both halves, or none."),
      ("'\\ude00'", "1:2: this escape is half of a character; write both halves, or none."),
      ("'\\ud83d\\u0041'", "1:2: this escape is half of a character; write both halves, or none."),
      ("é: \u{1B}", "1:1: the text 'é' needs quotes."),
      ("[\u{1B}]", "1:2: expected a value, but found '\\u{1b}'."),
      ("\u{0}", "1:1: expected a value, but found '\\u{0}'."),
    ]
    for (text, finding) in cases {
      XCTAssertThrowsError(
        try decodeRecipe(FineTuning.self, from: Data(text.utf8), file: "f"), text
      ) { XCTAssertEqual("\($0)", "f:\(finding)", text) }
    }
  }

  func testDepthIsLimited() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    XCTAssertNoThrow(try scan(nested(64)))
    for text in [
      nested(65), String(repeating: "[", count: 500_000),
      String(repeating: "{a:", count: 200_000),
    ] {
      XCTAssertThrowsError(
        try decodeRecipe(FineTuning.self, from: Data(text.utf8), file: "f")
      ) {
        XCTAssertTrue(
          "\($0)".hasSuffix(": lists and objects are nested more than 64 deep."), "\($0)")
      }
    }
  }

  func testBytesThatAreNotUTF8() {
    let cases: [(bytes: [UInt8], place: String)] = [
      ([0xFF, 0xFE, 0x7B, 0x00], "1:1"), (Array("{a:\n 'é".utf8) + [0xC3], "2:4"),
      (Array("[".utf8) + [0xED, 0xA0, 0x80], "1:2"), ([0x7B, 0x80, 0x7D], "1:2"),
    ]
    for (bytes, place) in cases {
      XCTAssertThrowsError(try decodeRecipe(FineTuning.self, from: Data(bytes), file: "f")) {
        XCTAssertEqual("\($0)", "f:\(place): what follows is not UTF-8; save the file as UTF-8.")
      }
    }
  }

  func testAByteOrderMarkIsSkipped() throws {
    XCTAssertEqual(FoundationValue(try scan("\u{FEFF}{}")), .object([:]))
  }

  func testLinesEndInEveryWay() {
    XCTAssertThrowsError(
      try decodeRecipe(FineTuning.self, from: Data("\n\r\n\r// c\n  x".utf8), file: "f")
    ) { XCTAssertEqual("\($0)", "f:5:3: the text 'x' needs quotes.") }
  }

  /// Foundation reads the same in everything that both accept, but for two things: of a text
  /// that goes on in the next line it keeps the line's end, which JSON5 leaves out; and of a key
  /// without quotes it keeps the escapes as they are written.
  func testAgreementWithFoundation() throws {
    let seeds = [
      "{a: 1, 'b': [true, null, -.5e2], \"c\": {d: 'x\\n\\u00e9', e: 0x1F, f: +7.,},} // z",
      "[1, 2.5, '\\x41', \"a\\\\b\", /* c */ {k: []}, -0, 5e-3, 123456789]",
    ]
    var random = SeededRandom(seed: 5)
    var agreed = 0
    for number in 0..<fuzzCases {
      let text = mutated(seeds[number % seeds.count], using: &random)
      var scanner = JSON5Scanner(RecipeText(text))
      guard let value = try? scanner.document(), scanner.findings.isEmpty,
        !continuesALine(text),
        let foundation = FoundationValue(json5: text), !foundation.hasBackslashInKey
      else { continue }
      XCTAssertEqual(FoundationValue(value), foundation, text)
      agreed += 1
    }
    XCTAssertGreaterThan(agreed, fuzzCases / 20)
  }

  private func continuesALine(_ text: String) -> Bool {
    zip(text.unicodeScalars, text.unicodeScalars.dropFirst()).contains {
      $0 == "\\" && isLineEnd($1)
    }
  }
}
