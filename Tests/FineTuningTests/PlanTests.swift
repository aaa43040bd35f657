import Datasets
import Foundation
import Models
import XCTest

@testable import FineTuning
@testable import Training

final class PlanTests: XCTestCase {
  private func recipe(_ change: (inout FineTuningRecipe) -> Void = { _ in }) throws
    -> FineTuningRecipe
  {
    try TinyRun(self) {
      $0.data.contextLength = 32768
      $0.rowsPerStep = 64
      $0.recomputedBlocks = nil
      $0.expected = .init(documents: 804_745, tokensPerDocument: 5355)
      change(&$0)
    }.recipe
  }

  private func configuration(_ name: String) throws -> ModelConfiguration {
    try KnownModel.named(name).configuration
  }

  func testThePapersLargestStudent() throws {
    let plan = try FineTuningPlan(
      expecting: recipe(), configuration("Llama-3.3-70B-Instruct"), memory: 2 << 40, threads: 128)
    XCTAssertEqual(plan.tokens, 4_309_409_475)
    XCTAssertEqual(plan.rows, 131_513)
    XCTAssertEqual(plan.steps, 4110)
    XCTAssertEqual(plan.memory.weights, 4 * 70_553_706_496)
    XCTAssertEqual(plan.memory.moments, 8 * 70_553_706_496)
    XCTAssertEqual(plan.checkpointBytes, 12 * 70_553_706_496)
    XCTAssertEqual(plan.studentBytes, 4 * 70_553_706_496)
    // Six operations for every weight but the embedding, and attention over the mean document.
    let weights = 70_553_706_496 - 128_256 * 8192
    let expected = 2 * 4_309_409_475.0 * (6 * Double(weights) + 80 * 7 * 5355 * 8192)
    XCTAssertEqual(plan.operations, expected, accuracy: expected * 1e-9)
  }

  /// Less memory: more blocks are recomputed, and never more than are needed.
  func testBlocksAreRecomputedAsMemoryAsks() throws {
    let c = try configuration("Qwen2.5-0.5B")
    var last = -1
    for gigabytes in [9, 12, 14, 16, 20, 24, 40, 80] {
      let plan = try FineTuningPlan(
        expecting: recipe(), c, memory: gigabytes << 30, threads: 2)
      let recomputed = plan.recomputedBlocks
      if last >= 0 { XCTAssertLessThanOrEqual(recomputed, last) }
      last = recomputed
      if recomputed > 0, recomputed < c.numHiddenLayers {
        let fewer = TrainingMemory(
          c, tokens: 32768, recomputedBlocks: recomputed - 1, threads: 2)
        XCTAssertGreaterThan(fewer.total, gigabytes << 30)
        XCTAssertLessThanOrEqual(plan.memory.total, gigabytes << 30)
      }
    }
    XCTAssertEqual(last, 0)
  }

  func testWhatDoesNotFitIsRefusedWithWhatWouldHelp() throws {
    let plan = try FineTuningPlan(
      expecting: recipe {
        $0.microbatchRows = 2
        $0.recomputedBlocks = 0
      }, configuration("Qwen2.5-0.5B"), memory: 24 << 30, threads: 2)
    XCTAssertThrowsError(try plan.checkFits(24 << 30)) {
      XCTAssertEqual(
        "\($0)",
        "The run needs 89.9 GiB of memory; there are 24.0 GiB. To need less: 'lora: { rank: 16, "
          + "alpha: 32 }', which trains less, saves 77.2 GiB; 'recomputedBlocks: 24', which takes "
          + "25 % more time, saves 70.9 GiB; 'microbatchRows: 1' saves 40.9 GiB; "
          + "'data.contextLength: 16384', without the documents that are longer, saves 40.9 GiB; "
          + "'memory: \"automatic\"', at most, saves 4.4 GiB.")
    }
    XCTAssertNoThrow(try plan.checkFits(100 << 30))
  }

  func testWithoutSamplesExpectationsAreNeeded() throws {
    XCTAssertThrowsError(
      try FineTuningPlan(
        expecting: recipe { $0.expected = nil }, configuration("Qwen2.5-0.5B"), memory: 1 << 40,
        threads: 2)
    ) {
      XCTAssertEqual(
        "\($0)",
        "The recipe: its samples are not there, and it has no 'expected' to plan with. Add "
          + "'expected: { documents: 800000, tokensPerDocument: 5355 }', with your own figures.")
    }
  }

  /// The plan of data that is there has its counts.
  func testPlanOfPreparedData() throws {
    let run = try TinyRun(self)
    let ready = try run.prepared()
    let plan = FineTuningPlan(ready, threads: 1)
    XCTAssertEqual(plan.documents, 55)
    XCTAssertEqual(ready.order.heldOut.count, 6)
    XCTAssertEqual(
      plan.tokens, ready.order.documents.reduce(0) { $0 + ready.data.length(of: $1) })
    XCTAssertEqual(plan.steps, ready.order.totalSteps)
    XCTAssertLessThanOrEqual(plan.longestRow, 128)
    XCTAssertFalse(plan.isExpected)
  }
}

/// Every document comes once in every epoch, in whole rows, and what is held out never.
final class TrainingOrderTests: XCTestCase {
  func testEpochs() throws {
    let run = try TinyRun(self) { $0.epochs = 3 }
    let order = try run.prepared().order
    var reader = TrainingOrder.Reader(order)
    var orders: [[Int]] = []
    for epoch in 0..<3 {
      var seen: [Int] = []
      for step in order.epochStarts[epoch]..<order.epochStarts[epoch + 1] {
        XCTAssertEqual(order.epoch(of: step), epoch)
        let rows = reader.documents(ofStep: step)
        XCTAssertTrue((1...2).contains(rows.count))
        seen += rows.flatMap { $0 }
      }
      XCTAssertEqual(seen.sorted(), order.documents)
      orders.append(seen)
    }
    XCTAssertNotEqual(orders[0], orders[1])
    XCTAssertEqual((order.documents + order.heldOut).sorted(), Array(0..<61))
    XCTAssertEqual(order.epochs(after: order.totalSteps), 3)
    XCTAssertEqual(order.epochs(after: order.epochStarts[1]), 1)
    // A reader that begins in the middle finds the same rows.
    var late = TrainingOrder.Reader(order)
    let step = order.epochStarts[2] + 3
    XCTAssertEqual(late.documents(ofStep: step), reader.documents(ofStep: step))
  }

  func testRowsAreDocumentsThatDoNotSeeEachOther() throws {
    let run = try TinyRun(self)
    let ready = try run.prepared()
    var reader = TrainingOrder.Reader(ready.order)
    let documents = reader.documents(ofStep: 0)
    for (row, sequence) in zip(documents, try reader.rows(ofStep: 0)) {
      XCTAssertEqual(sequence.tokens.documents, row.map { ready.data.length(of: $0) })
      XCTAssertEqual(sequence.sources, row.map { _ in 0 })
      var start = 0
      for document in row {
        let (ids, supervised) = try ready.data.document(document)
        XCTAssertEqual(Array(sequence.tokens.tokens[start..<start + ids.count]), ids)
        let targets = zip(ids, supervised).dropFirst().map { $1 ? $0 : -1 } + [-1]
        XCTAssertEqual(Array(sequence.targets[start..<start + ids.count]), targets)
        start += ids.count
      }
    }
  }
}
