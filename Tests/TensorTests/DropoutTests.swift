import Tensors
import TestSupport
import XCTest

final class DropoutTests: XCTestCase {
  private let shape = [3, 50_001]  // more than one chunk

  func testTheSameOnAnyNumberOfThreads() {
    let x = Tensor(seeded: shape, seed: 1)
    assertSameBitsOnAnyThreads("dropout") {
      let y = Tensor(seeded: shape, seed: 2), z = Tensor(uninitialized: shape)
      y.addDropout(of: x, probability: 0.1, from: RandomStream(seed: 5, "dropout", 1))
      z.setDropout(of: x, probability: 0.6, from: RandomStream(seed: 5, "dropout", 2))
      return [("y", y), ("z", z)]
    }
  }

  func testShareAndScale() {
    let x = Tensor(seeded: shape, seed: 1, scale: 0.25, center: 1)
    for probability in [0.05, 0.5, 0.9] {
      let y = Tensor(uninitialized: shape)
      y.setDropout(of: x, probability: probability, from: RandomStream(seed: 5, "dropout"))
      let dropped = y.values.filter { $0 == 0 }.count
      let error = (probability * (1 - probability) / Double(x.count)).squareRoot()
      XCTAssertEqual(
        Double(dropped) / Double(x.count), probability, accuracy: 4 * error, "\(probability)")
      let scale = Float(1 / (1 - probability))
      assertSameBits(y.values, zip(x.values, y.values).map { $1 == 0 ? 0 : $0 * scale })
      // The same stream drops the same again, and another one others.
      let again = Tensor(zeros: shape), other = Tensor(zeros: shape)
      again.addDropout(of: x, probability: probability, from: RandomStream(seed: 5, "dropout"))
      other.addDropout(of: x, probability: probability, from: RandomStream(seed: 6, "dropout"))
      assertSameBits(again, y)
      let alike = zip(y.values, other.values).filter { ($0 == 0) == ($1 == 0) }.count
      let chance = probability * probability + (1 - probability) * (1 - probability)
      XCTAssertEqual(Double(alike) / Double(x.count), chance, accuracy: 0.01)
    }
  }

  /// A part of a tensor loses what it would lose in the whole.
  func testParts() {
    let x = Tensor(seeded: [10, 301], seed: 1), stream = RandomStream(seed: 5, "dropout")
    let whole = Tensor(uninitialized: x.shape), sum = Tensor(zeros: x.shape)
    whole.setDropout(of: x, probability: 0.5, from: stream)
    sum.addDropout(of: x, probability: 0.5, from: stream)
    for rows in [0..<4, 4..<10, 6..<7] {
      let first = rows.lowerBound * 301
      let part = Tensor(uninitialized: [rows.count, 301]), added = Tensor(zeros: part.shape)
      part.setDropout(of: x.rows(rows), probability: 0.5, from: stream, first: first)
      added.addDropout(of: x.rows(rows), probability: 0.5, from: stream, first: first)
      assertSameBits(part, whole.rows(rows), "\(rows)")
      assertSameBits(added, sum.rows(rows), "\(rows), added")
    }
  }

  func testNothingIsDropped() {
    let x = Tensor(seeded: shape, seed: 1)
    let y = Tensor(uninitialized: shape)
    y.setDropout(of: x, probability: 0, from: RandomStream(seed: 5, "dropout"))
    assertSameBits(y, x)
    x.setDropout(of: x, probability: 0.5, from: RandomStream(seed: 5, "dropout"))
    y.setDropout(of: y, probability: 0.5, from: RandomStream(seed: 5, "dropout"))
    assertSameBits(y, x, "over itself")
  }
}
