import Models
import Tensors
import TestSupport
import XCTest

@testable import Training

/// Steps whose gradients are released layer by layer.
final class ReleasedStepTests: XCTestCase {
  private let released: [GradientKeeping] = [.releasedPerLayer, .releasedTwoPass]

  func testTwoPassesAreOneToTheBit() throws {
    let folder = try temporaryFolder()
    for isTied in [false, true] {
      for (name, form) in TinyLoop.forms(folder) {
        let form = form.with { $0.isTied = isTied }
        let kept = try form.made(), twice = try form.with { $0.gradients = .releasedTwoPass }.made()
        for step in 1...4 {
          let expected = try XCTUnwrap(kept.step(TinyLoop.rows(step)))
          XCTAssertGreaterThan(expected.gradientNorm, form.clipNorm, "it is clipped")
          XCTAssertEqual(try twice.step(TinyLoop.rows(step)), expected, "\(name), step \(step)")
          XCTAssertEqual(
            differences(twice.everything, kept.everything), [],
            "\(name), tied: \(isTied), step \(step)")
        }
      }
    }
  }

  func testLayerByLayerIsAsAlwaysWhereNothingIsClipped() throws {
    let folder = try temporaryFolder()
    for isTied in [false, true] {
      for (name, form) in TinyLoop.forms(folder) {
        let form = form.with {
          $0.isTied = isTied
          $0.clipNorm = 1e30
        }
        let kept = try form.made()
        let layered = try form.with { $0.gradients = .releasedPerLayer }.made()
        for step in 1...4 {
          let expected = try XCTUnwrap(kept.step(TinyLoop.rows(step)))
          XCTAssertEqual(try layered.step(TinyLoop.rows(step)), expected, "\(name), step \(step)")
          XCTAssertEqual(
            differences(layered.everything, kept.everything), [],
            "\(name), tied: \(isTied), step \(step)")
        }
      }
    }
  }

  /// Each layer, the embedding alone, and the norm with the head, each by its own norm.
  func testEachLayerIsClippedByItsOwnNorm() throws {
    let clip = 0.05
    let loop = try TinyLoop(gradients: .releasedPerLayer, clipNorm: clip).made()
    let other = try TinyLoop(clipNorm: 1e30).made()
    // The same gradients, scaled by hand, group by group.
    let rows = TrainingSequence(joining: TinyLoop.rows(1))
    _ = try other.decoder.accumulateGradients(
      rows.tokens, targets: rows.targets,
      weights: [Float](repeating: 1 / Float(rows.supervisedCount), count: rows.tokens.count))
    let parameters = other.decoder.parameters
    var groups: [String: [Int]] = [:]
    for (index, parameter) in parameters.enumerated() {
      let parts = parameter.name.split(separator: ".")
      let group =
        parts.contains("layers")
        ? "layer \(parts[2])"
        : parameter.name.contains("embed") ? "embedding" : "outside"
      groups[group, default: []].append(index)
    }
    XCTAssertEqual(groups.count, 5)
    XCTAssertEqual(groups["outside"]?.count, 2)
    let global = other.optimizer.gradientNorm()
    other.optimizer.beginUpdate()
    var scales: Set<Float> = []
    for group in groups.values {
      let norm = group.reduce(0) { $0 + other.optimizer.gradientSquares($1) }.squareRoot()
      let scale = AdamW.clippingScale(norm: norm, limit: clip)
      scales.insert(scale)
      other.optimizer.update(
        group, learningRate: Float(loop.settings.schedule[1]), gradientScale: scale)
    }
    XCTAssertEqual(scales.count, 5, "each has a scale of its own")
    let step = try XCTUnwrap(loop.step(TinyLoop.rows(1)))
    XCTAssertEqual(step.gradientNorm, global)
    XCTAssertEqual(differences(loop.numbers, other.numbers), [])
  }

  func testGradientsAreGivenBack() throws {
    for gradients in released {
      let loop = try TinyLoop(gradients: gradients).made()
      _ = try loop.step(TinyLoop.rows(1))
      for parameter in loop.decoder.parameters {
        XCTAssertNil(parameter.weight.gradient, parameter.name)
      }
    }
  }

  /// Stopped at whatever question it is asked, a step has changed nothing, or is whole.
  func testInterruptedAnywhere() throws {
    for gradients in GradientKeeping.allCases {
      let form = TinyLoop(gradients: gradients)
      let whole = try form.made()
      _ = try whole.step(TinyLoop.rows(1))
      let before = whole.everything
      var questions = 0
      _ = try whole.step(TinyLoop.rows(2)) {
        questions += 1
        return false
      }
      let after = whole.everything
      // Three blocks there and, as long as no weight has changed, three back.
      XCTAssertEqual(
        questions,
        [.kept: 6, .releasedPerLayer: 3, .releasedTwoPass: 9][gradients], gradients.rawValue)
      for last in 1...questions {
        let loop = try form.made()
        _ = try loop.step(TinyLoop.rows(1))
        var asked = 0
        let step = try loop.step(TinyLoop.rows(2)) {
          asked += 1
          return asked == last
        }
        let what = "\(gradients.rawValue), question \(last) of \(questions)"
        XCTAssertNil(step, what)
        XCTAssertEqual(asked, last, what)
        XCTAssertEqual(differences(loop.everything, before), [], what)
        if gradients != .kept {
          XCTAssertTrue(loop.decoder.parameters.allSatisfy { $0.weight.gradient == nil }, what)
        }
        _ = try loop.step(TinyLoop.rows(2))
        XCTAssertEqual(differences(loop.everything, after), [], what)
      }
    }
  }

  // MARK: - Steps that are not taken

  /// A guard that has seen such steps.
  private func spikes(loss: Double, gradientNorm: Double) -> SpikeGuard {
    var spikes = SpikeGuard(.init(window: 4))
    for i in 0..<4 {
      let factor = 1 + 0.01 * Double(i)
      XCTAssertNil(spikes.judge(loss: loss * factor, gradientNorm: gradientNorm * factor))
    }
    return spikes
  }

  func testALossThatIsASpikeChangesNothing() throws {
    for gradients in GradientKeeping.allCases {
      let loop = try TinyLoop(gradients: gradients, spikes: spikes(loss: 0.1, gradientNorm: 1e3))
        .made()
      let before = loop.numbers
      let step = try XCTUnwrap(loop.step(TinyLoop.rows(1)))
      XCTAssertEqual(step.skipped, .lossSpike, gradients.rawValue)
      XCTAssertGreaterThan(step.loss, 1)
      XCTAssertEqual(step.gradientNorm.isNaN, gradients == .releasedPerLayer)
      XCTAssertEqual(differences(loop.numbers, before), [], gradients.rawValue)
      XCTAssertEqual(loop.stepCount, 1)
      XCTAssertEqual(loop.optimizer.step, 0)
      XCTAssertEqual(loop.spikes.skipsInARow, 1)
    }
  }

  func testALossThatIsNoNumberChangesNothing() throws {
    for gradients in GradientKeeping.allCases {
      let loop = try TinyLoop(gradients: gradients).made()
      loop.decoder.parameters[3].value.elements[0] = .nan
      let before = loop.numbers
      let step = try XCTUnwrap(loop.step(TinyLoop.rows(1)))
      XCTAssertEqual(step.skipped, .lossNotFinite, gradients.rawValue)
      XCTAssertEqual(differences(loop.numbers, before), [], gradients.rawValue)
      XCTAssertEqual(loop.optimizer.step, 0)
      XCTAssertEqual(loop.spikes.skipsInARow, 1)
    }
  }

  /// It is known only when all updates are made: layer by layer it is no reason to skip them, nor does
  /// it become usual.
  func testAGradientThatIsASpike() throws {
    for gradients in GradientKeeping.allCases {
      let start = spikes(loss: 10, gradientNorm: 1e-3)
      let loop = try TinyLoop(gradients: gradients, spikes: start).made()
      let before = loop.numbers
      let step = try XCTUnwrap(loop.step(TinyLoop.rows(1)))
      if gradients == .releasedPerLayer {
        XCTAssertNil(step.skipped)
        XCTAssertNotEqual(differences(loop.numbers, before), [])
        XCTAssertEqual(loop.optimizer.step, 1)
        var after = loop.spikes
        XCTAssertNotEqual(after, start, "its loss is taken in")
        XCTAssertEqual(after.judge(loss: step.loss, gradientNorm: 0.1), .gradientSpike)
      } else {
        XCTAssertEqual(step.skipped, .gradientSpike, gradients.rawValue)
        XCTAssertEqual(differences(loop.numbers, before), [], gradients.rawValue)
        XCTAssertEqual(loop.optimizer.step, 0)
      }
    }
  }

  /// A gradient that overflows in the middle of the model: what lies above is updated, what lies below
  /// stays as it was.
  func testALayerWhoseGradientIsNotFinite() throws {
    for gradients in GradientKeeping.allCases {
      let loop = try TinyLoop(gradients: gradients).made()
      for parameter in loop.decoder.parameters {
        // Nothing goes through layer 1's feed-forward layer, so that the loss is a number; on the way
        // back its huge weights are met.
        switch parameter.name {
        case "model.layers.1.mlp.gate_proj.weight": parameter.value.setZero()
        case "model.layers.1.mlp.down_proj.weight":
          parameter.value.elements.update(repeating: 3e38)
        case "lm_head.weight": parameter.value.scale(by: 100)
        default: break
        }
      }
      let before = loop.numbers
      let step = try XCTUnwrap(loop.step(TinyLoop.rows(1)))
      XCTAssertTrue(step.loss.isFinite)
      XCTAssertEqual(step.skipped, .gradientNotFinite, gradients.rawValue)
      XCTAssertFalse(step.gradientNorm.isFinite)
      XCTAssertEqual(loop.spikes.skipsInARow, 1)
      let changed = differences(loop.numbers, before)
      if gradients == .releasedPerLayer {
        XCTAssertTrue(changed.contains("lm_head.weight"))
        XCTAssertTrue(changed.contains("model.layers.2.mlp.up_proj.weight"))
        XCTAssertFalse(
          changed.contains { $0.contains("layers.1") || $0.contains("layers.0") }, "\(changed)")
        XCTAssertFalse(changed.contains { $0.contains("embed") })
        XCTAssertEqual(loop.optimizer.step, 1)
      } else {
        XCTAssertEqual(changed, [], gradients.rawValue)
        XCTAssertEqual(loop.optimizer.step, 0)
      }
      // No gradient that is not finite is left for the next step.
      XCTAssertTrue(loop.decoder.parameters.allSatisfy { $0.gradient == nil })
    }
  }

  func testNothingToLearn() throws {
    for gradients in released {
      let loop = try TinyLoop(gradients: gradients).made()
      let before = loop.numbers
      let rows = TinyLoop.rows(1).map {
        TrainingSequence(
          $0.tokens, targets: $0.targets.map { _ in -1 }, sources: $0.sources)
      }
      XCTAssertEqual(try loop.step(rows)?.skipped, .nothingToLearn)
      XCTAssertEqual(differences(loop.numbers, before), [])
    }
  }
}
