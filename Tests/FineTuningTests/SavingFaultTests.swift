import Foundation
import Models
import Tensors
import XCTest

@testable import FineTuning
@testable import Storage
@testable import Training

/// Every call of a save fails in its turn: what was saved before is still there.
final class SavingFaultTests: XCTestCase {
  override func tearDown() { FileSystem.fault = nil }

  private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    func next() -> Int {
      lock.withLock {
        count += 1
        return count
      }
    }
  }

  /// A loop after two steps, whose state is saved.
  private func loop(_ run: TinyRun) throws -> (TrainingLoop, [TrainingSequence]) {
    let ready = try run.prepared()
    let decoder = try Checkpoint(at: run.recipe.student).decoder(precision: .bfloat16)
    let loop = TrainingLoop(
      decoder, AdamW(decoder.parameters, run.recipe.optimizer.adamW),
      run.recipe.loopSettings(totalSteps: 10))
    var reader = TrainingOrder.Reader(ready.order)
    return (loop, try reader.rows(ofStep: 0))
  }

  private func weights(_ loop: TrainingLoop) -> [[Float]] {
    loop.decoder.parameters.map { Array($0.value.elements) }
      + loop.optimizer.firstMoments.map { Array($0.elements) }
      + loop.optimizer.secondMoments.map { Array($0.elements) }
  }

  func testEveryCallFails() throws {
    let run = try TinyRun(self)
    let ready = try run.prepared()
    let (loop, rows) = try loop(run)
    _ = try loop.step(rows)
    let faults: [(FileSystem.Call, [FileSystem.Fault])] = [
      (.write, [.error(ENOSPC), .error(EIO), .short]),
      (.sync, [.error(ENOSPC), .error(EIO)]), (.rename, [.error(ENOSPC), .error(EIO)]),
      (.open, [.error(ENOSPC), .error(EMFILE)]), (.makeFolder, [.error(ENOSPC)]),
      (.remove, [.error(EIO)]), (.removeFolder, [.error(EIO)]),
    ]
    var failed = 0
    for (call, kinds) in faults {
      for fault in kinds {
        var k = 1
        while true {
          let path = "\(run.folder)/\(call)-\(failed)-\(k)"
          let directory = try RunDirectory(at: path, run.identity(ready))
          for step in 0..<3 {
            loop.stepCount = step + 1
            _ = try directory.save(loop, state: JSONObject(members: []), keeping: 2)
          }
          let before = weights(loop)
          loop.stepCount = 4
          let counter = Counter(), number = k
          FileSystem.fault = { $0 == call && counter.next() == number ? fault : nil }
          var thrown: TrainingCheckpointError?
          do throws(TrainingCheckpointError) {
            _ = try directory.save(loop, state: JSONObject(members: []), keeping: 2)
          } catch {
            thrown = error
          }
          FileSystem.fault = nil
          let wasMet = counter.next() > number
          // Whatever failed, two good checkpoints are there, and the newest loads as it was.
          let steps = try directory.checkpoints()
          XCTAssertGreaterThanOrEqual(steps.count, 2, "\(call) \(k), \(fault)")
          for step in steps { try TrainingCheckpoint.check(directory.checkpointPath(step)) }
          for parameter in loop.decoder.parameters { parameter.value.setZero() }
          XCTAssertNotNil(try directory.restore(loop) { XCTFail($0) })
          XCTAssertEqual(weights(loop), before, "\(call) \(k), \(fault)")
          if let thrown {
            failed += 1
            let isFull = thrown.reason == .diskFull
            if fault == .error(ENOSPC) { XCTAssertTrue(isFull, "\(call) \(k): \(thrown)") }
            XCTAssertTrue(thrown.description.hasPrefix(path), thrown.description)
          }
          // Saving again succeeds, and nothing is left over.
          loop.stepCount = 5
          _ = try directory.save(loop, state: JSONObject(members: []), keeping: 2)
          let names = try FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints")
          XCTAssertEqual(
            names.filter { $0.hasSuffix(".partial") }, [], "\(call) \(k), \(fault)")
          if !wasMet { break }
          k += 1
        }
      }
    }
    XCTAssertGreaterThan(failed, 30)
  }

  func testAFullDiskIsWaitedFor() throws {
    RunDirectory.diskPauseSeconds = 0.01
    defer { RunDirectory.diskPauseSeconds = 30 }
    let run = try TinyRun(self) { $0.checkpoints.everySteps = 5 }
    let counter = Counter()
    var notes: [String] = []
    // Files of prepared data come first; no space from then on, for some attempts.
    let ready = try run.prepared()
    FileSystem.fault = { call in
      guard call == .makeFolder else { return nil }
      return (4...6).contains(counter.next()) ? .error(ENOSPC) : nil
    }
    let (outcome, _) = try run.run(prepared: ready) { event in
      if case .note(let text) = event { notes.append(text) }
    }
    FileSystem.fault = nil
    XCTAssertEqual(outcome, .finished(student: run.recipe.run + "/student"))
    XCTAssertEqual(notes.count, 3, notes.joined(separator: "\n"))
    XCTAssertTrue(
      notes[0].hasSuffix(
        "no space is left for it. Free some, or choose another place. "
          + "Trying again in 0 seconds."), notes[0])
  }

  func testWeightsThatAreNotFiniteAreNotKept() throws {
    let run = try TinyRun(self)
    let (loop, _) = try loop(run)
    loop.decoder.parameters[3].value.elements[2] = .nan
    let path = run.folder + "/bad"
    XCTAssertThrowsError(
      try TrainingCheckpoint.save(loop, state: JSONObject(members: []), to: path)
    ) {
      XCTAssertEqual(
        "\($0)",
        "\(path): '\(loop.decoder.parameters[3].name)' holds NaN or infinity, so this is not kept.")
    }
    XCTAssertFalse(FileManager.default.fileExists(atPath: path))
  }
}
