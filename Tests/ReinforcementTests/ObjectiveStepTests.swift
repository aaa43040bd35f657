import Foundation
import Models
import Tensors
import Training
import XCTest

@testable import Reinforcement

/// A step of training by an objective, apart from any policy.
final class ObjectiveStepTests: XCTestCase {
  private func loop(
    microbatchRows: Int = 1, spikes: SpikeGuard = SpikeGuard()
  ) throws -> TrainingLoop {
    let configuration = try ModelConfiguration(
      family: .llama, vocabSize: 11, hiddenSize: 16, intermediateSize: 32, numHiddenLayers: 2,
      numAttentionHeads: 2, numKeyValueHeads: 1, maxPositionEmbeddings: 32)
    let decoder = Decoder(configuration, precision: .float32)
    decoder.initialize(seed: 5)
    return TrainingLoop(
      decoder, AdamW(decoder.parameters, AdamW.Settings()),
      TrainingLoop.Settings(
        schedule: LearningRateSchedule(
          peak: 0.01, shape: .constant, warmupSteps: 0, totalSteps: 50, floor: 1),
        clipNorm: 1, microbatchRows: microbatchRows),
      spikes: spikes)
  }

  /// Rows of 3, 5, 2, 4 and 1 tokens, each with a token that is not learned.
  private var rows: [TrainingSequence] {
    [3, 5, 2, 4, 1].enumerated().map { row, length in
      let tokens = (0..<length).map { Int32((3 * row + 2 * $0) % 11) }
      return TrainingSequence(
        PackedTokens(tokens),
        targets: (0..<length).map {
          length > 1 && $0 == row % length ? -1 : Int32((row + 5 * $0) % 11)
        }, sources: [0])
    }
  }

  /// A weight and a loss for each place, all of them different.
  private func term(_ row: Int, _ token: Int, _ l: Float) -> TokenObjective.Term {
    let weight = Float(10 * row + token + 1) / 50
    return TokenObjective.Term(loss: -Double(weight) * Double(l), weight: weight)
  }

  /// Terms know their row and their place in it, however many rows are computed at once.
  func testRowsAtATimeChangeNothing() throws {
    var expected: (step: ObjectiveStep, weights: [Float])?
    for microbatchRows in [1, 2, 3, 5] {
      let loop = try loop(microbatchRows: microbatchRows)
      let objective = TokenObjective(temperature: 0.7, term: term)
      let step = try XCTUnwrap(try loop.step(rows, by: objective))
      XCTAssertEqual(step.logProbabilities.map(\.count), [3, 5, 2, 4, 1])
      XCTAssertEqual(step.tokens, 15)
      XCTAssertNil(step.skipped)
      var loss = 0.0
      for (row, sequence) in rows.enumerated() {
        for (token, target) in sequence.targets.enumerated() {
          let l = step.logProbabilities[row][token]
          if target < 0 {
            XCTAssertEqual(l, 0)
          } else {
            XCTAssertLessThan(l, 0)
            loss += term(row, token, l).loss
          }
        }
      }
      XCTAssertEqual(step.loss, loss, accuracy: 1e-9)
      let weights = loop.decoder.parameters.flatMap { Array($0.value.elements) }
      guard let expected else {
        expected = (step, weights)
        continue
      }
      for (a, b) in zip(step.logProbabilities.joined(), expected.step.logProbabilities.joined()) {
        XCTAssertEqual(a, b, accuracy: 1e-5)
      }
      XCTAssertEqual(step.gradientNorm, expected.step.gradientNorm, accuracy: 1e-4)
    }
  }

  /// A step without anything to learn counts, and changes nothing.
  func testNothingToLearn() throws {
    let loop = try loop()
    let before = loop.decoder.parameters.flatMap { Array($0.value.elements) }
    let objective = TokenObjective(temperature: 1, term: term)
    let rows = [
      TrainingSequence(PackedTokens([1, 2, 3]), targets: [-1, -1, -1], sources: [0])
    ]
    for (number, rows) in [(1, rows), (2, [])] {
      let step = try XCTUnwrap(try loop.step(rows, by: objective))
      XCTAssertEqual(step.skipped, .nothingToLearn)
      XCTAssertEqual(step.number, number)
      XCTAssertEqual(loop.stepCount, number)
      XCTAssertEqual(step.logProbabilities, rows.map { _ in [0, 0, 0] })
    }
    XCTAssertEqual(loop.optimizer.step, 0)
    XCTAssertEqual(loop.decoder.parameters.flatMap { Array($0.value.elements) }, before)
  }

  /// The terms of a policy's objective cancel out, and what is left is rounding: no loss is a spike.
  /// One that is no number is.
  func testNoLossIsASpike() throws {
    let loop = try loop(spikes: SpikeGuard(.init(window: 4, threshold: 8, mostSkips: 3)))
    func step(_ loss: Double) throws -> SpikeGuard.Finding? {
      let objective = TokenObjective(temperature: 1) { row, token, l in
        TokenObjective.Term(loss: row == 0 && token == 1 ? loss : 0, weight: 1)
      }
      return try XCTUnwrap(try loop.step(rows, by: objective)).skipped
    }
    for loss in [1e-18, -1e-18, 2e-18, 1e-18, -2e-18, 1e-18, 1e-15, 0.5] {
      XCTAssertNil(try step(loss), "\(loss)")
    }
    XCTAssertEqual(try step(.nan), .lossNotFinite)
    XCTAssertEqual(try step(.infinity), .lossNotFinite)
    XCTAssertEqual(loop.stepCount, 10)
    XCTAssertEqual(loop.optimizer.step, 8)
  }

  /// Interrupted anywhere, nothing has changed.
  func testInterrupted() throws {
    let objective = TokenObjective(temperature: 1, term: term)
    let whole = try loop()
    let asked = Counter()
    _ = try whole.step(
      rows, by: objective,
      isInterrupted: {
        _ = asked.next()
        return false
      })
    XCTAssertGreaterThan(asked.value, 15)
    let other = try loop()
    for limit in 1...asked.value {
      let counter = Counter()
      XCTAssertNil(
        try other.step(rows, by: objective, isInterrupted: { counter.next() >= limit }))
      XCTAssertEqual(other.stepCount, 0)
    }
    _ = try other.step(rows, by: objective)
    for (a, b) in zip(whole.decoder.parameters, other.decoder.parameters) {
      XCTAssertEqual(Array(a.value.elements), Array(b.value.elements), a.name)
    }
  }
}
