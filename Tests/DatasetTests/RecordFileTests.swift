import Foundation
import Storage
import XCTest

@testable import Datasets

final class RecordFileTests: XCTestCase {
  private func file(_ text: String, _ name: String = "d.jsonl") throws -> RecordFile {
    try RecordFile(at: temporaryFile(self, name, text))
  }

  private func texts(_ file: RecordFile) throws -> [String] {
    try (0..<file.count).map { i in
      guard case .string(let text)? = try file.record(i).object["t"] else { return "none" }
      return text
    }
  }

  func testLines() throws {
    let lines = try file("{\"t\": \"a\"}\n\n  \t\n{\"t\": \"b\"}\r\n{\"t\": \"c\"}")
    XCTAssertEqual(try texts(lines), ["a", "b", "c"])
    XCTAssertEqual(try (0..<3).map { try lines.record($0).line }, [1, 4, 5])
    XCTAssertEqual(
      lines.oddities,
      RecordFile.Oddities(hasByteOrderMark: false, carriageReturns: 1, blankLines: 2))
    XCTAssertTrue(lines.place(of: 1).hasSuffix("/d.jsonl:4"))
  }

  /// Only a line feed ends a line; other characters that end lines elsewhere are text.
  func testOnlyLineFeedsEndLines() throws {
    let text = "\u{2028}\u{2029}\u{85}\u{0B}\u{0C}".replacingOccurrences(of: "\u{0B}", with: "")
      .replacingOccurrences(of: "\u{0C}", with: "")
    let lines = try file("{\"t\": \"x\(text)y\"}\n{\"t\": \"z\"}\n")
    XCTAssertEqual(try texts(lines), ["x\(text)y", "z"])
  }

  func testByteOrderMark() throws {
    let lines = try file("\u{FEFF}{\"t\": \"a\"}\n{\"t\": \"\u{FEFF}b\"}\n")
    XCTAssertEqual(try texts(lines), ["a", "\u{FEFF}b"])
    XCTAssertTrue(lines.oddities.hasByteOrderMark)
  }

  func testHalfSurrogatesAreReplacedAndCounted() throws {
    let lines = try file(
      #"{"t": "a\ud83d"}"# + "\n" + #"{"t": "\ude00b\ud83d\ude00\ud83dx"}"# + "\n")
    XCTAssertEqual(try texts(lines), ["a\u{FFFD}", "\u{FFFD}b😀\u{FFFD}x"])
    XCTAssertEqual(try lines.record(0).replacedSurrogates, 1)
    XCTAssertEqual(try lines.record(1).replacedSurrogates, 2)
  }

  func testAnArray() throws {
    let array = try file(
      " [\n {\"t\": \"a\"},\n\n {\"t\":\n \"b]\"} , {\"t\": \"c\"}\n]\n", "d.json")
    XCTAssertEqual(try texts(array), ["a", "b]", "c"])
    XCTAssertEqual(try (0..<3).map { try array.record($0).line }, [2, 4, 5])
  }

  /// Records may be asked for in any order.
  func testAnyOrder() throws {
    let lines = try file((0..<1000).map { "{\"t\": \"\($0)\"}\n" }.joined())
    for i in [999, 0, 500, 3] { XCTAssertEqual(try lines.record(i).object["t"], .string("\(i)")) }
  }

  func testMistakes() throws {
    for (text, index, message) in [
      (
        "{\"t\": NaN}\n", 0,
        ":1: column 7: 'NaN' is not a JSON value. Write null or a finite number."
      ),
      (
        "{\"t\": 1}\n{\"t\": Infinity}\n", 1,
        ":2: column 7: 'Infinity' is not a JSON value. Write null or a finite number."
      ),
      (
        "{\"t\": 1, \"t\": 2}\n", 0,
        ":1: column 10: key 't' a second time in one object. Keep one of them."
      ),
      ("{\"t\": 1}\n[1]\n", 1, ":2: a sample must be a JSON object."),
      ("{\"t\": 1}\n7\n", 1, ":2: a sample must be a JSON object."),
      (
        "{\n\"t\": 1\n}\n", 0,
        ":1: column 2: the text ends where a key in double quotes must be. Each line must hold a whole sample; a "
          + "file that spreads samples over lines must be one array."
      ),
      ("{\"t\": 1} {\"t\": 2}\n", 0, ":1: column 10: '{' after the end of the JSON value."),
      (
        "[{\"t\": 1},\n {\"t\": 1, \"t\": 2}]", 1,
        ":2: column 10: key 't' a second time in one object. Keep one of them."
      ),
      ("[{\"t\": 1},\n 7]", 1, ":2: a sample must be a JSON object."),
    ] {
      let lines = try file(text)
      XCTAssertThrowsError(try lines.record(index), text) {
        XCTAssertEqual("\($0)", lines.path + message)
      }
    }
    for (data, message) in [
      (Data("\n  \n".utf8), ": it holds no samples."), (Data("[]".utf8), ": it holds no samples."),
      (Data("\u{FEFF}".utf8), ": it holds no samples."), (Data(), ": the file is empty."),
      (Data([0xFF, 0xFE, 0x7B, 0x00]), ":1: the file is UTF-16. Save it as UTF-8."),
      (Data("[{\"t\": 1}\n {\"t\": 2}]".utf8), ":2: column 2: '{' where ',' or ']' must be."),
      (Data("[{\"t\": 1}\n".utf8), ":2: column 1: the text ends where ',' or ']' must be."),
    ] {
      let path = try temporaryFile(self, "d.json", data)
      assertThrows(path + message) { try RecordFile(at: path) }
    }
    let bytes = try RecordFile(
      at: temporaryFile(
        self, "d.jsonl", Data("{\"t\": \"".utf8) + [0xC3, 0x28] + Data("\"}\n".utf8)))
    XCTAssertThrowsError(try bytes.record(0)) {
      XCTAssertTrue("\($0)".contains(":1: column 8: "), "\($0)")
    }
    assertThrows("/no/such.jsonl: there is no such file or folder.") {
      try RecordFile(at: "/no/such.jsonl")
    }
  }

  /// Whatever bytes a file holds, its records are read or refused.
  func testMutatedFiles() throws {
    let count = ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] == nil ? 2_000 : 50_000
    var random = SeededRandom(seed: 2)
    let folder = try temporaryFolder(self)
    let original = Array(
      "[{\"messages\": [{\"role\": \"user\", \"content\": \"é\\ud83d\"}]},\n {\"t\": [1, null]}]\n"
        .utf8)
    let lines = Array(original.dropFirst().dropLast(2)).filter { $0 != UInt8(ascii: ",") }
    var read = 0
    for i in 0..<count {
      var bytes = i % 2 == 0 ? original : lines
      for _ in 0...2 {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert("{}[]\",:\n\\".utf8.randomElement(using: &random) ?? 0, at: place)
        }
      }
      let path = "\(folder)/\(i % 8)"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do {
        let file = try RecordFile(at: path)
        for record in 0..<file.count {
          _ = try file.record(record)
          read += 1
        }
      } catch {
        XCTAssertTrue("\(error)".hasPrefix(path))
      }
    }
    XCTAssertGreaterThan(read, 20)
  }
}
