import XCTest

@testable import Curation

final class MixtureSharesTests: XCTestCase {
  private typealias Demand = MixtureShares.Demand

  func testWithoutATotal() {
    // What asks for nothing is taken whole, counts as far as there is enough.
    var shares = MixtureShares(
      [Demand("a", available: 70), Demand("b", available: 9, count: 5)], total: nil)
    XCTAssertEqual(shares.taken, [70, 5])
    XCTAssertEqual(shares.shortages, [])
    shares = MixtureShares([Demand("b", available: 9, count: 10)], total: nil)
    XCTAssertEqual(shares.taken, [9])
    XCTAssertEqual(shares.shortages, ["b was to give 10 samples; it has 9."])
    // A share is a share of the whole: 25 of 100.
    shares = MixtureShares(
      [Demand("a", available: 75), Demand("c", available: 900, share: 0.25)], total: nil)
    XCTAssertEqual(shares.taken, [75, 25])
    // Weights as far as the scarcest goes: 3 to 1, of which there are 10.
    shares = MixtureShares(
      [Demand("a", available: 100, weight: 3), Demand("b", available: 10, weight: 1)], total: nil)
    XCTAssertEqual(shares.taken, [30, 10])
    XCTAssertEqual(shares.shortages, [])
    shares = MixtureShares(
      [
        Demand("a", available: 100, weight: 3), Demand("b", available: 10, weight: 1),
        Demand("c", available: 100, share: 0.5),
      ], total: nil)
    XCTAssertEqual(shares.taken, [30, 10, 40])
  }

  func testWithATotal() {
    // By size, where nobody asks.
    var shares = MixtureShares(
      [Demand("a", available: 300), Demand("b", available: 100)], total: 40)
    XCTAssertEqual(shares.taken, [30, 10])
    shares = MixtureShares([Demand("a", available: 30)], total: 40)
    XCTAssertEqual(shares.taken, [30])
    XCTAssertEqual(shares.shortages, ["The set was to have 40 samples; there are 30."])
    // Counts and shares first, weights divide what is left.
    shares = MixtureShares(
      [
        Demand("a", available: 300, weight: 2), Demand("b", available: 300, weight: 1),
        Demand("c", available: 300, share: 0.2), Demand("d", available: 300, count: 11),
      ], total: 100)
    XCTAssertEqual(shares.taken, [46, 23, 20, 11])
    XCTAssertEqual(shares.taken.reduce(0, +), 100)
    shares = MixtureShares(
      [Demand("a", available: 3, weight: 1), Demand("b", available: 300, weight: 1)], total: 100)
    XCTAssertEqual(shares.taken, [3, 50])
    XCTAssertEqual(shares.shortages, ["a was to give 50 samples; it has 3."])
    // More counts than the total allows leave nothing for others.
    shares = MixtureShares(
      [Demand("a", available: 3), Demand("b", available: 300, count: 120)], total: 100)
    XCTAssertEqual(shares.taken, [0, 120])
  }

  func testRemaindersGoToTheLargest() {
    XCTAssertEqual(MixtureShares.apportioned(10, by: [1, 1, 1]), [4, 3, 3])
    XCTAssertEqual(MixtureShares.apportioned(10, by: [0.5, 0.26, 0.24]), [5, 3, 2])
    XCTAssertEqual(MixtureShares.apportioned(0, by: [1, 2]), [0, 0])
    XCTAssertEqual(MixtureShares.apportioned(5, by: []), [])
    XCTAssertEqual(MixtureShares.apportioned(5, by: [0, 0]), [0, 0])
    var random = SeededRandom(seed: 3)
    for _ in 0..<500 {
      let weights = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        Double.random(in: 1e-9...1e9, using: &random)
      }
      let total = Int.random(in: 0...1_000_000, using: &random)
      let parts = MixtureShares.apportioned(total, by: weights)
      XCTAssertEqual(parts.reduce(0, +), total)
      for (part, weight) in zip(parts, weights) {
        let exact = Double(total) * weight / weights.reduce(0, +)
        XCTAssertLessThan(abs(Double(part) - exact), 1 + 1e-6)
      }
    }
  }
}
