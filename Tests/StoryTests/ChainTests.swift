import XCTest

@testable import Stories

/// Chains, their keys and their splits.
final class ChainTests: XCTestCase {
  func testKeysAndAnswers() {
    let chain = Chain(
      start: 22, steps: [Step(.minus, 11), Step(.plus, 3), Step(.over, 2), Step(.times, 3)])
    XCTAssertEqual(chain.key, "22-11+3/2*3")
    XCTAssertEqual(chain.values, [22, 11, 14, 7])
    XCTAssertEqual(chain.answer, 21)
  }

  /// The split of a key may never change: models were trained on one and are measured on another.
  func testTheSplitOfAKeyIsItsHash() {
    // FNV-1a of 64 bits, modulo 20, from another program.
    let known: [(key: String, split: Split)] = [
      ("20-11*2", .development), ("21-7*2", .development), ("23-9*2", .development),
      ("20-9*2", .test), ("22-10*2", .test), ("25-8*2", .test), ("20-2*2", .training),
      ("20-3*2", .training), ("20-4*2", .training),
    ]
    for (key, split) in known { XCTAssertEqual(Split(ofKey: key), split, key) }
  }

  func testNumbersStayWhereTheyAreLearned() {
    var operations: [Step.Operation: Int] = [:]
    for number in 0..<5_000 {
      var draws = Draws(seed: 1, "test", number)
      let count = number % 8 + 1
      let chain = Chain.random(steps: count, &draws)
      XCTAssertEqual(chain.steps.count, count)
      XCTAssertTrue(Chain.starts.contains(chain.start), chain.key)
      for (value, step) in zip(chain.values + [chain.answer], chain.steps) {
        operations[step.operation, default: 0] += 1
        XCTAssertTrue((1...Chain.largestValue).contains(value), chain.key)
        switch step.operation {
        case .plus, .minus: XCTAssertTrue((2...12).contains(step.operand), chain.key)
        case .times: XCTAssertTrue((2...3).contains(step.operand), chain.key)
        case .over:
          XCTAssertEqual(step.operand, 2)
          XCTAssertTrue(value.isMultiple(of: 2), chain.key)
        }
      }
      XCTAssertTrue((1...Chain.largestValue).contains(chain.answer), chain.key)
    }
    for operation in [Step.Operation.plus, .minus, .times, .over] {
      XCTAssertGreaterThan(operations[operation] ?? 0, 500, operation.rawValue)
    }
  }

  /// The order of draws is a part of the files: these are written down once.
  func testDrawsAreTheSameForEver() {
    var draws = Draws(seed: 7, "problems test", 3)
    XCTAssertEqual((0..<6).map { _ in draws.number(in: 0...999) }, [839, 757, 447, 381, 346, 63])
    var again = Draws(seed: 7, "problems test", 4)
    XCTAssertNotEqual(
      (0..<6).map { _ in again.number(in: 0...999) }, [839, 757, 447, 381, 346, 63])
  }
}
