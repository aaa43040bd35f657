import Foundation
import Models
import Storage
import Tensors
import TestSupport
import XCTest

@testable import Training

/// Every form of weights, moments and gradients: the same bits whether a run is stopped or not, on
/// any number of threads.
final class FormResumeTests: XCTestCase {
  private let steps = 4

  func testStoppedAfterEveryStepIsNeverStopped() throws {
    let folder = try temporaryFolder()
    for (name, form) in TinyLoop.forms(folder) {
      for gradients in GradientKeeping.allCases {
        let what = "\(name), \(gradients.rawValue)"
        let form = form.with { $0.gradients = gradients }
        let whole = try form.made()
        var states: [[String: [UInt8]]] = []
        for step in 1...steps {
          XCTAssertNil(try whole.step(TinyLoop.rows(step))?.skipped, what)
          states.append(whole.everything)
        }
        var path: String?
        for step in 1...steps {
          // Weights that are loaded must not be those that were drawn.
          let part = try form.made(seed: path == nil ? 1 : 77)
          if let path { _ = try TrainingCheckpoint.load(into: part, from: path) }
          _ = try part.step(TinyLoop.rows(step))
          XCTAssertEqual(
            differences(part.everything, states[step - 1]), [], "\(what), step \(step)")
          let next = folder + "/" + UUID().uuidString
          _ = try TrainingCheckpoint.save(part, state: JSONObject(members: []), to: next)
          // Looking changes nothing.
          XCTAssertEqual(
            differences(part.everything, states[step - 1]), [], "\(what), step \(step), saved")
          path = next
        }
      }
    }
  }

  func testAnyNumberOfThreads() throws {
    let folder = try temporaryFolder()
    for (name, form) in TinyLoop.forms(folder) {
      for gradients in GradientKeeping.allCases {
        let form = form.with { $0.gradients = gradients }
        let states = try [1, 4].map { threads in
          try withThreads(threads) {
            let loop = try form.made()
            for step in 1...2 { _ = try loop.step(TinyLoop.rows(step)) }
            return loop.everything
          }
        }
        XCTAssertEqual(
          differences(states[0], states[1]), [], "\(name), \(gradients.rawValue)")
      }
    }
  }

  func testMomentsOnTheDiskGiveTheSameBits() throws {
    let folder = try temporaryFolder()
    for weights in TrainedStorage.allCases {
      let states = try [MomentStorage.float32, .disk(folder: folder)].map { moments in
        let loop = try TinyLoop(weights: weights, moments: moments).made()
        for step in 1...3 { _ = try loop.step(TinyLoop.rows(step)) }
        return loop.everything
      }
      XCTAssertEqual(differences(states[0], states[1]), [], "\(weights)")
    }
    // The file has no name.
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder), [])
  }

  func testFormsAreNotAlike() throws {
    func state(_ change: (inout TinyLoop) -> Void) throws -> [String: [UInt8]] {
      let loop = try TinyLoop().with(change).made()
      for step in 1...2 { _ = try loop.step(TinyLoop.rows(step)) }
      return loop.everything
    }
    let plain = try state { _ in }
    let name = "model.layers.1.mlp.up_proj.weight"
    let half = try state { $0.weights = .bfloat16 }
    XCTAssertEqual(half[name]?.count, plain[name].map { $0.count / 2 })
    let bytes = try state { $0.moments = .blockwise8Bit }
    XCTAssertEqual(bytes["first " + name]?.count, 70 * 64)
    XCTAssertEqual(bytes["second \(name).scales"]?.count, 4 * 18)
    XCTAssertNotEqual(bytes[name], plain[name])
    // Vectors and small matrices are rounded by none.
    for small in [
      "model.layers.1.input_layernorm.weight", "model.layers.1.self_attn.k_proj.weight",
    ] {
      XCTAssertEqual(bytes["first " + small]?.count, plain["first " + small]?.count)
      XCTAssertNil(bytes["first \(small).scales"])
    }
    XCTAssertEqual(
      half["model.norm.weight"]?.count, plain["model.norm.weight"]?.count)
    XCTAssertNotEqual(try state { $0.gradients = .releasedPerLayer }[name], plain[name])
  }
}
