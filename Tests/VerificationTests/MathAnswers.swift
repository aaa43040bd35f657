import Foundation
import Storage
import XCTest

@testable import Verification

/// Files under `$DISTILL_FIXTURES`.
enum SharedFixture {
  static func data(_ path: String) throws -> Data {
    guard let folder = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; answers of models are in its folder.")
    }
    return try Data(contentsOf: URL(fileURLWithPath: folder).appendingPathComponent(path))
  }

  /// The objects of a file with one on each line.
  static func lines(_ path: String) throws -> [JSONObject] {
    try objects(ofLines: data(path), path)
  }

  static func objects(ofLines data: Data, _ source: String) throws -> [JSONObject] {
    try data.split(separator: UInt8(ascii: "\n")).map { line in
      let value = try JSONValue(parsing: Data(line), source: source)
      return try XCTUnwrap(value.object)
    }
  }
}

extension JSONObject {
  func text(_ key: String) throws -> String { try XCTUnwrap(self[key]?.string, key) }
  func flag(_ key: String) throws -> Bool { try XCTUnwrap(self[key]?.bool, key) }
}

extension JSONValue {
  var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
  var array: [JSONValue]? { if case .array(let array) = self { array } else { nil } }
  var string: String? { if case .string(let string) = self { string } else { nil } }
  var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
}

/// Answers of the MATH data set that say something different from one another.
enum MathAnswers {
  static func all() throws -> [String] {
    var seen: Set<String> = []
    var answers: [String] = []
    func add(_ answer: String) {
      if !answer.isEmpty, seen.insert(answer).inserted { answers.append(answer) }
    }
    for file in ["benchmarks/math/test.jsonl", "benchmarks/math500/test.jsonl"] {
      for row in try SharedFixture.lines(file) {
        if let answer = row["answer"]?.string {
          add(answer)
        } else {
          let solution = Array(try row.text("solution").utf8)
          if let found = AnswerExtraction().answer(in: solution, isReference: true) {
            add(String(decoding: found.text, as: UTF8.self))
          }
        }
      }
    }
    let path = "benchmarks/math/train_answers.json"
    let rows = try XCTUnwrap(JSONValue(parsing: SharedFixture.data(path), source: path).array)
    for row in rows {
      switch row.object?["answer"] {
      case .string(let answer): add(answer)
      case .number(let number): add(number.text)
      default: continue
      }
    }
    return answers
  }
}
