import Datasets
import Foundation
import Models
import Tensors
import TrainingRecipes
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
          + "alpha: 32 }', which trains less, saves 76.3 GiB; 'recomputedBlocks: 24', which takes "
          + "25 % more time, saves 70.9 GiB; 'microbatchRows: 1' saves 40.9 GiB; "
          + "'data.contextLength: 16384', without the documents that are longer, saves 40.9 GiB; "
          + "'memory: \"automatic\"', at most, saves 4.4 GiB.")
    }
    XCTAssertNoThrow(try plan.checkFits(100 << 30))
  }

  /// A copy that generates counts: what does not fit with it is refused.
  func testGenerationsCount() throws {
    let plan = try FineTuningPlan(
      expecting: recipe {
        $0.generations = .init(prompts: ["Why?"], everySteps: 10, maxNewTokens: 4)
      }, configuration("Qwen2.5-0.5B"), memory: 64 << 30, threads: 2)
    let copy = 2 * 493_961_216 + 4 * 71_552 + 4 * 151_936 * 896
    XCTAssertEqual(plan.memoryBytes, plan.memory.total + copy)
    XCTAssertEqual(plan.memoryParts.reduce(0) { $0 + $1.bytes }, plan.memoryBytes)
    XCTAssertEqual(plan.memoryParts.last?.bytes, copy)
    XCTAssertEqual(plan.savings.first { $0.change == "no 'generations'" }?.bytes, copy)
    XCTAssertNoThrow(try plan.checkFits(plan.memoryBytes))
    XCTAssertThrowsError(try plan.checkFits(plan.memoryBytes - 1))
  }

  /// Nothing is advised that the recipe's form rules out, and what is saved beside adapters is by
  /// how the student is stored.
  func testAdviceIsAllowed() throws {
    func changes(_ gradients: GradientKeeping) throws -> [String] {
      try FineTuningPlan(
        expecting: recipe {
          $0.rowsPerStep = 4
          $0.microbatchRows = 4
          $0.gradients = gradients
        }, configuration("Qwen2.5-0.5B"), memory: 24 << 30, threads: 2
      ).savings.map(\.change)
    }
    XCTAssertTrue(try changes(.kept).contains("'microbatchRows: 1'"))
    XCTAssertFalse(try changes(.releasedTwoPass).contains("'microbatchRows: 1'"))
    // A choice that is made already, and the smallest form of all, are no advice.
    for change in [
      { $0.memory = .automatic },
      {
        $0.weights = .bfloat16
        $0.moments = .disk
        $0.gradients = .releasedTwoPass
      },
    ] as [(inout FineTuningRecipe) -> Void] {
      let savings = try FineTuningPlan(
        expecting: recipe {
          $0.rowsPerStep = 1
          change(&$0)
        }, configuration("Qwen2.5-0.5B"), memory: 1 << 40, threads: 2
      ).savings
      XCTAssertFalse(savings.contains { $0.change.contains("automatic") }, "\(savings)")
    }
    // The recipe's student is in float32; one that is known by its name is stored in bfloat16.
    func saved(_ change: (inout FineTuningRecipe) -> Void) throws -> Int {
      let plan = try FineTuningPlan(
        expecting: recipe(change), configuration("Qwen2.5-0.5B"), memory: 24 << 30, threads: 2)
      return try XCTUnwrap(
        plan.savings.first { $0.change.hasPrefix("'lora:") }?.bytes) - plan.memory.total
    }
    let whole = try saved { _ in }, half = try saved { $0.student = "Qwen2.5-0.5B" }
    XCTAssertEqual(half - whole, 2 * 493_961_216)
    XCTAssertEqual(
      try saved { $0.weights = .bfloat16 }, half)
  }

  /// What stays on the disk, by form.
  func testDisk() throws {
    func plan(_ change: (inout FineTuningRecipe) -> Void) throws -> FineTuningPlan {
      try FineTuningPlan(
        expecting: recipe(change), configuration("Qwen2.5-0.5B"), memory: 1 << 40, threads: 2)
    }
    let count = 494_032_768
    let half = try plan {
      $0.weights = .bfloat16
      $0.moments = .eightBit
      $0.export = .bfloat16
    }
    XCTAssertEqual(half.checkpointBytes, 2 * count + 2 * (count + count / 64))
    XCTAssertEqual(half.studentBytes, 2 * count)
    XCTAssertEqual(half.diskBytes, 3 * half.checkpointBytes + half.studentBytes)
    let disk = try plan {
      $0.moments = .disk
      $0.checkpoints.best = true
      $0.checkpoints.keep = 5
    }
    XCTAssertEqual(disk.checkpointBytes, 12 * count)
    XCTAssertEqual(disk.diskBytes, 6 * 12 * count + 2 * 4 * count + 8 * count)
    let lora = try plan {
      $0.lora = LowRankRecipe(rank: 16, alpha: 32)
      $0.weights = .bfloat16
    }
    XCTAssertEqual(lora.trainedCount, 8_798_208)
    XCTAssertEqual(lora.checkpointBytes, 12 * 8_798_208)
    let twice = try plan {
      $0.rowsPerStep = 1
      $0.gradients = .releasedTwoPass
    }
    XCTAssertEqual(twice.operations, 2 * (try plan { _ in }).operations)
    XCTAssertLessThan(lora.operations, 0.8 * (try plan { _ in }).operations)
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
    var pairs = run
    pairs.recipe.microbatchRows = 2
    let together = try pairs.prepared()
    XCTAssertEqual(
      together.chosen.memory,
      TrainingMemory(
        together.configuration, form: TrainingForm(), tokens: 2 * together.order.longestRow,
        recomputedBlocks: 1, threads: ThreadPool.shared.threads))
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
