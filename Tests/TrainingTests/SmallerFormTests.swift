import Tensors
import TestSupport
import XCTest

@testable import Models
@testable import Training

/// What weights in bfloat16 and moments in 8 bits do to what is learned.
final class SmallerFormTests: XCTestCase {
  private func halves(_ values: [Float], rows: Int) -> BFloat16Rows {
    let half = BFloat16Rows(rows: rows, columns: values.count / rows)
    half.round(Tensor(values, shape: [rows, values.count / rows]), at: 0)
    return half
  }

  private func read(_ parameter: Parameter) -> [Float] {
    var values = [Float](repeating: 0, count: parameter.count)
    parameter.read(0..<parameter.count, into: &values)
    return values
  }

  /// Steps of a fortieth of what lies between two weights: rounded to nearest each would be lost.
  func testSmallUpdatesAreNotLost() throws {
    let count = 1 << 14, rate: Float = 1e-4, steps = 100
    let parameter = Parameter(
      "p", shape: [128, 128],
      of: Weight(halves([Float](repeating: 1, count: count), rows: 128), isTrained: true))
    XCTAssertEqual(BFloat16(1 - rate).bitPattern, BFloat16(1).bitPattern)
    let optimizer = AdamW([parameter], AdamW.Settings(epsilon: 0), seed: 3)
    for _ in 0..<steps {
      // A constant gradient makes steps of the learning rate.
      parameter.weight.accumulateGradient { gradient, _ in
        gradient.elements.update(repeating: 0.5)
      }
      optimizer.update(learningRate: rate)
    }
    let values = read(parameter)
    let mean = values.reduce(0) { $0 + Double($1) } / Double(count)
    let variance =
      values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(count)
    let error = (variance / Double(count)).squareRoot()
    XCTAssertEqual(mean, 1 - Double(steps) * Double(rate), accuracy: 4 * error)
    XCTAssertLessThan(error, 1e-4)
    XCTAssertGreaterThan(Set(values).count, 3)
  }

  /// The rounded weights of one update are those of float32, rounded with the numbers of the step, the
  /// parameter and the element.
  func testRoundingOfAnUpdate() throws {
    let shapes = [[5, 7], [311, 233], [96, 70]]
    let start = shapes.enumerated().map { Tensor(seeded: $1, seed: $0) }
    let exact = start.map { x in
      x.elements.indices.forEach { x.elements[$0] = Float(BFloat16(x.elements[$0])) }
      return x
    }
    let half = zip(shapes, exact).enumerated().map { index, pair in
      Parameter(
        "\(index)", shape: pair.0,
        of: Weight(halves(pair.1.values, rows: pair.0[0]), isTrained: true))
    }
    let whole = zip(shapes, exact).enumerated().map { index, pair in
      Parameter("\(index)", shape: pair.0, of: Weight(pair.1.copy()))
    }
    let settings = AdamW.Settings(weightDecay: 0.1)
    let optimizers = [AdamW(half, settings, seed: 12), AdamW(whole, settings)]
    for (parameters, optimizer) in zip([half, whole], optimizers) {
      for (index, parameter) in parameters.enumerated() {
        parameter.weight.accumulateGradient { gradient, _ in
          gradient.fillNormal(standardDeviation: 1, from: RandomStream(seed: 1, "g", index))
        }
      }
      optimizer.update(learningRate: 0.01, gradientScale: 0.5)
    }
    for index in shapes.indices {
      let stream = RandomStream(seed: 12, "rounding", 1, index)
      let expected = whole[index].value.elements.enumerated().map { i, x in
        Float(
          BFloat16(x, random: UInt16(truncatingIfNeeded: stream[i / 4] >> UInt64(16 * (i % 4)))))
      }
      assertSameBits(read(half[index]), expected, "parameter \(index)")
      assertSameBits(optimizers[0].firstMoments[index], optimizers[1].firstMoments[index])
      assertSameBits(optimizers[0].secondMoments[index], optimizers[1].secondMoments[index])
    }
  }

  /// A step made in parts, in any order, is the whole step.
  func testPartsOfAStep() throws {
    let folder = try temporaryFolder()
    for (name, form) in TinyLoop.forms(folder) {
      let loops = try (0..<2).map { _ in try form.made() }
      for step in 1...2 {
        let rows = TrainingSequence(joining: TinyLoop.rows(step))
        for loop in loops {
          _ = try loop.decoder.accumulateGradients(
            rows.tokens, targets: rows.targets,
            weights: [Float](repeating: 0.1, count: rows.tokens.count))
        }
        loops[0].optimizer.update(learningRate: 1e-3, gradientScale: 0.7)
        loops[1].optimizer.beginUpdate()
        let parameters = loops[1].decoder.parameters
        // Parameters of one weight together, the last first.
        var left = Array(parameters.indices)
        while let last = left.popLast() {
          let together = left.filter { parameters[$0].weight === parameters[last].weight }
          left.removeAll { together.contains($0) }
          loops[1].optimizer.update([last] + together, learningRate: 1e-3, gradientScale: 0.7)
        }
        XCTAssertTrue(parameters.allSatisfy { $0.gradient == nil })
        XCTAssertEqual(
          differences(loops[0].everything, loops[1].everything), [], "\(name), step \(step)")
      }
    }
  }

  /// A model that learns two sequences by heart: in every form it learns about as fast.
  func testEveryFormLearnsAboutAsWell() throws {
    let folder = try temporaryFolder()
    let steps = 60
    func losses(_ form: TinyLoop) throws -> [Double] {
      let loop = try form.with { $0.clipNorm = 1 }.made()
      return try (1...steps).map { _ in try loop.step(TinyLoop.rows(1))?.loss ?? .nan }
    }
    let plain = try losses(TinyLoop())
    XCTAssertGreaterThan(plain[0], 4)
    XCTAssertLessThan(plain[steps - 1], 0.2)
    for (name, form) in TinyLoop.forms(folder).dropFirst() {
      let found = try losses(form)
      for (step, (loss, expected)) in zip(found, plain).enumerated() {
        XCTAssertEqual(loss, expected, accuracy: 0.05 + 0.05 * expected, "\(name), step \(step)")
      }
    }
  }

  /// Two rows are computed at once, and each step has two such parts.
  func testDropoutDependsOnStepAndPart() throws {
    let loop = try TinyLoop().made()
    _ = try loop.step(TinyLoop.rows(1) + TinyLoop.rows(2))
    _ = try loop.step(TinyLoop.rows(1) + TinyLoop.rows(2))
    let place = loop.decoder.dropout.place
    XCTAssertEqual([Int(place.seed), place.step, place.part], [9, 2, 2])
  }
}
