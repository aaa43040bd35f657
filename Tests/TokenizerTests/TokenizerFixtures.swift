import Foundation
import Storage
import XCTest

@testable import Tokenizers

/// Where the tokenizers of other projects and the encodings made with them are.
enum TokenizerFixtures {
  static func shared() throws -> String {
    guard let path = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip(
        "DISTILL_FIXTURES is not set; tokenizers and their encodings are in its folder.")
    }
    return path
  }

  /// The project's own tokenizers.
  static var own: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/tokenizers").path
  }

  private static let lock = NSLock()
  nonisolated(unsafe) private static var tokenizers: [String: Tokenizer] = [:]

  /// The tokenizer of a folder, read once.
  static func tokenizer(_ path: String) throws -> Tokenizer {
    if let found = lock.withLock({ tokenizers[path] }) { return found }
    let tokenizer = try Tokenizer(at: path)
    lock.withLock { tokenizers[path] = tokenizer }
    return tokenizer
  }

  static func json(_ path: String) throws -> JSONValue {
    try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: path)), source: path)
  }

  static func lines(_ path: String) throws -> [JSONObject] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try data.split(separator: 0x0A).map {
      guard case .object(let object) = try JSONValue(parsing: Data($0), source: path) else {
        throw FixtureError(description: "\(path): a line is no object")
      }
      return object
    }
  }
}

struct FixtureError: Error, CustomStringConvertible {
  let description: String
}

extension JSONValue {
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var list: [JSONValue]? { if case .array(let list) = self { list } else { nil } }
  var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
  var ids: [Int32]? {
    list?.compactMap {
      if case .number(let n) = $0 { n.int.flatMap { Int32(exactly: $0) } } else { nil }
    }
  }
}

/// Fails unless the bytes are the same; `String` would also call other spellings equal.
func assertSameText(
  _ actual: String, _ expected: String, _ message: @autoclosure () -> String = "",
  file: StaticString = #filePath, line: UInt = #line
) {
  if !actual.utf8.elementsEqual(expected.utf8) {
    XCTFail(
      "'\(actual.prefix(200))' is not '\(expected.prefix(200))' \(message())", file: file,
      line: line)
  }
}
