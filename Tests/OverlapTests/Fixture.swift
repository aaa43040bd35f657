import Foundation
import Storage
import XCTest

@testable import Overlap

enum Fixture {
  /// The rows of a file under `$DISTILL_FIXTURES`.
  static func rows(_ path: String) throws -> [JSONValue] {
    try rows(of: shared(path), path)
  }

  /// The elements of a file under `$DISTILL_FIXTURES` that is one array.
  static func array(_ path: String) throws -> [JSONValue] {
    guard case .array(let rows) = try JSONValue(parsing: shared(path), source: path) else {
      throw XCTSkip("\(path) is no array.")
    }
    return rows
  }

  /// The rows of a file of this package.
  static func own(_ name: String) throws -> [JSONValue] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/overlap/\(name)")
    return try rows(of: Data(contentsOf: url), name)
  }

  private static func shared(_ path: String) throws -> Data {
    guard let folder = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; evaluation sets are in its folder.")
    }
    return try Data(contentsOf: URL(fileURLWithPath: folder).appendingPathComponent(path))
  }

  private static func rows(of data: Data, _ source: String) throws -> [JSONValue] {
    try data.split(separator: 10).map { try JSONValue(parsing: Array($0), source: source) }
  }

  /// The 500 rows of MATH-500 with ids as the audited pairs have them, `math500_0000` on.
  static func math500() throws -> [EvaluationItem] {
    try rows("benchmarks/math500/test.jsonl").enumerated().map { k, row in
      EvaluationItem(
        set: "MATH-500", id: "math500_" + String(String(10_000 + k).dropFirst()),
        question: try row.text("problem"), solution: try row.text("solution"))
    }
  }

  /// The rows of MATH's test set that are not in MATH-500, with their places in the file.
  static func mathTest() throws -> [(row: Int, problem: String, solution: String)] {
    let known = Set(try math500().map { Array($0.question.utf8) })
    return try rows("benchmarks/math/test.jsonl").enumerated().compactMap { k, row in
      let problem = try row.text("problem")
      return known.contains(Array(problem.utf8))
        ? nil : (k, problem, try row.text("solution"))
    }
  }

  static func mathTrain() throws -> [(row: Int, problem: String)] {
    try array("benchmarks/math/train_answers.json").enumerated().map {
      ($0, try $1.text("problem"))
    }
  }
}

extension JSONValue {
  func text(_ key: String) throws -> String {
    guard case .object(let object) = self, case .string(let text)? = object[key] else {
      throw MissingMember(key: key)
    }
    return text
  }

  func int(_ key: String) throws -> Int {
    guard case .object(let object) = self, case .number(let number)? = object[key],
      let int = number.int
    else { throw MissingMember(key: key) }
    return int
  }

  func flag(_ key: String) throws -> Bool {
    guard case .object(let object) = self, case .bool(let flag)? = object[key] else {
      throw MissingMember(key: key)
    }
    return flag
  }
}

struct MissingMember: Error { let key: String }

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
