import Datasets
import Foundation
import Models
import Storage
import Tensors
import Training
import TrainingRecipes
import XCTest

@testable import FineTuning

/// Smaller forms of training, as recipes ask for them.
final class FormTests: XCTestCase {
  private let lora: LowRankRecipe = {
    var lora = LowRankRecipe(rank: 3, alpha: 6)
    lora.dropout = 0.1
    return lora
  }()

  /// Every form that is stopped after every step gives what it gives that never is.
  func testEveryFormGoesOnToTheBit() throws {
    let forms: [(String, (inout FineTuningRecipe) -> Void)] = [
      ("bfloat16 weights", { $0.weights = .bfloat16 }),
      ("8-bit moments", { $0.moments = .eightBit }),
      ("moments on the disk", { $0.moments = .disk }),
      (
        "per layer",
        {
          $0.gradients = .releasedPerLayer
          $0.microbatchRows = $0.rowsPerStep
        }
      ),
      (
        "two passes, bfloat16 weights, 8-bit moments",
        {
          $0.gradients = .releasedTwoPass
          $0.microbatchRows = $0.rowsPerStep
          $0.weights = .bfloat16
          $0.moments = .eightBit
        }
      ),
      ("adapters", { [lora] in $0.lora = lora }),
      (
        "adapters beside rounded weights",
        { [lora] in
          $0.lora = lora
          $0.weights = .bfloat16
          $0.moments = .eightBit
        }
      ),
    ]
    for (name, change) in forms {
      let whole = try TinyRun(self, samples: 31) {
        $0.rowsPerStep = 3
        change(&$0)
      }
      let ready = try whole.prepared()
      let (_, losses) = try whole.run(prepared: ready)
      XCTAssertGreaterThan(losses.count, 5, name)
      XCTAssertLessThan(losses[losses.count] ?? 9, losses[1] ?? 0, name)
      var parts = whole
      parts.recipe.run = whole.folder + "/parts"
      let threads = ThreadPool.shared.threads
      defer { ThreadPool.shared.threads = threads }
      for step in 1...losses.count {
        ThreadPool.shared.threads = 1 + step % 3
        let (_, found) = try parts.run(stoppingAfter: 1)
        XCTAssertEqual(found, [step: losses[step] ?? .nan], name)
      }
      try parts.run()
      XCTAssertEqual(try parts.resultHash(), try whole.resultHash(), name)
    }
  }

  /// Weights that are read from the disk layer by layer change no bit of what adapters learn.
  func testStreamedWeights() throws {
    var hashes: [String] = []
    for base in [LowRankRecipe.Base.memory, .disk] {
      let run = try TinyRun(self, samples: 31) {
        $0.lora = lora
        $0.lora?.base = base
        $0.student += "-half"
      }
      let student = try Checkpoint(at: run.folder + "/student")
      try Checkpoint.save(
        student.decoder(precision: .bfloat16), to: run.recipe.student,
        carryingFrom: run.folder + "/student", options: .init(dtype: .bfloat16))
      let ready = try run.prepared()
      XCTAssertEqual(ready.chosen.form.streamsFrozen, base == .disk)
      XCTAssertEqual(ready.chosen.form.frozenBytes, 2)
      try run.run(prepared: ready)
      hashes.append(try run.resultHash())
    }
    XCTAssertEqual(hashes[0], hashes[1])
  }

  /// Two passes, and moments on the disk, give the student of the usual form to the bit; the others
  /// give another one.
  func testWhatIsExact() throws {
    func hash(_ change: (inout FineTuningRecipe) -> Void) throws -> String {
      let run = try TinyRun(self, samples: 31) {
        $0.rowsPerStep = 3
        $0.microbatchRows = 3
        change(&$0)
      }
      try run.run()
      return try run.weightsHash()
    }
    let usual = try hash { _ in }
    XCTAssertEqual(try hash { $0.gradients = .releasedTwoPass }, usual)
    XCTAssertEqual(try hash { $0.moments = .disk }, usual)
    XCTAssertEqual(
      try hash {
        $0.gradients = .releasedPerLayer
        $0.optimizer.clipNorm = 1e6
      }, try hash { $0.optimizer.clipNorm = 1e6 })
    XCTAssertNotEqual(try hash { $0.gradients = .releasedPerLayer }, usual)
    XCTAssertNotEqual(try hash { $0.weights = .bfloat16 }, usual)
    XCTAssertNotEqual(try hash { $0.moments = .eightBit }, usual)
  }
}

extension TinyRun {
  /// The SHA-256 of what a run made: a student's weights, or adapters.
  func resultHash() throws -> String {
    let folder = recipe.run + "/student"
    let name = recipe.lora == nil ? "model.safetensors" : "adapter_model.safetensors"
    let file = try MappedFile(at: folder + "/" + name)
    var hash = SHA256()
    hash.update(file.bytes)
    return hash.finalizedText()
  }
}

/// What a recipe leaves open is chosen by what fits.
final class FormChoiceTests: XCTestCase {
  private func candidates(
    _ name: String, gibibytes: Int, _ change: (inout FineTuningRecipe) -> Void = { _ in }
  ) throws -> [FormCandidate] {
    let recipe = try TinyRun(self) {
      $0.rowsPerStep = 1
      $0.recomputedBlocks = nil
      $0.memory = .automatic
      change(&$0)
    }.recipe
    return FormChoice(
      recipe, try KnownModel.named(name).configuration, isStoredInBFloat16: true, tokens: 2048,
      meanContext: 2048, threads: 2
    ).candidates(memory: gibibytes << 30)
  }

  func testTheUsualFormIsTakenWhereItFits() throws {
    let first = try candidates("Qwen2.5-0.5B", gibibytes: 21)[0]
    XCTAssertEqual(first.form, TrainingForm())
    XCTAssertEqual(first.recomputedBlocks, 0)
    XCTAssertEqual(first.deviations, [])
    XCTAssertEqual(try candidates("Llama-3.3-70B-Instruct", gibibytes: 2048)[0].form, .init())
  }

  /// All that fit come first, the first of them with the least time but for a twentieth; no other
  /// that is as fast deviates in less.
  func testOrder() throws {
    for (name, gibibytes) in [
      ("Qwen2.5-0.5B", 6), ("Qwen2.5-Math-1.5B", 16), ("Qwen2.5-Math-1.5B", 24),
      ("Qwen2.5-Math-7B", 40), ("Qwen2.5-Math-7B", 80),
    ] {
      let all = try candidates(name, gibibytes: gibibytes)
      XCTAssertEqual(all.count, 18)
      let limit = gibibytes << 30
      let count = all.count { $0.memory.total <= limit }
      XCTAssertTrue(all.prefix(count).allSatisfy { $0.memory.total <= limit }, name)
      XCTAssertGreaterThan(count, 0, name)
      let fastest = all.prefix(count).map(\.secondsPerStep).min() ?? 0
      XCTAssertLessThanOrEqual(all[0].secondsPerStep, 1.05 * fastest, name)
      for other in all.prefix(count) where other.secondsPerStep <= 1.05 * fastest {
        XCTAssertGreaterThanOrEqual(other.deviations.count, all[0].deviations.count, name)
      }
    }
  }

  /// What a recipe names is not chosen otherwise; what is released needs all rows at once.
  func testWhatIsStatedStays() throws {
    let all = try candidates("Qwen2.5-Math-1.5B", gibibytes: 16) {
      $0.weights = .float32
      $0.moments = .disk
    }
    XCTAssertEqual(all.count, 3)
    XCTAssertTrue(all.allSatisfy { $0.form.weights == .float32 && $0.form.moments == .disk })
    let accumulated = try candidates("Qwen2.5-Math-1.5B", gibibytes: 16) { $0.rowsPerStep = 64 }
    XCTAssertEqual(Set(accumulated.map(\.form.gradients)), [.kept])
    let stated = try candidates("Qwen2.5-Math-1.5B", gibibytes: 16) { $0.memory = nil }
    XCTAssertEqual(stated.map(\.form), [TrainingForm()])
  }

  /// Weights beside adapters stay in memory where that is as fast, and else come from the disk: that
  /// takes less time than to run blocks again.
  func testAdapters() throws {
    func first(_ name: String, _ gibibytes: Int) throws -> FormCandidate {
      try candidates(name, gibibytes: gibibytes) { $0.lora = LowRankRecipe(rank: 16, alpha: 32) }[0]
    }
    let roomy = try first("Qwen2.5-Math-7B", 64)
    XCTAssertFalse(roomy.form.streamsFrozen)
    XCTAssertEqual(roomy.recomputedBlocks, 0)
    let narrow = try first("Qwen2.5-Math-7B", 20)
    XCTAssertTrue(narrow.form.streamsFrozen)
    XCTAssertEqual(narrow.recomputedBlocks, 0)
    let large = try first("Qwen2.5-14B", 20)
    XCTAssertTrue(large.form.streamsFrozen)
    XCTAssertLessThan(large.memory.total, 20 << 30)
    XCTAssertEqual(large.deviations, [])
  }

  /// The form that a run was begun in is the one in which it goes on.
  func testABegunRunKeepsItsForm() throws {
    let run = try TinyRun(self) { $0.memory = .automatic }
    let begun = try run.prepared().chosen
    XCTAssertEqual(begun.form, TrainingForm())
    try run.run(stoppingAfter: 3)
    let later = try PreparedFineTuning(run.recipe, memory: 0) { _, _ in XCTFail("prepared again") }
    XCTAssertEqual(later.chosen.form.identity, begun.form.identity)
    var other = run.recipe
    other.run += "-other"
    let anew = try PreparedFineTuning(other, memory: 0) { _, _ in XCTFail("prepared again") }
    XCTAssertNotEqual(anew.chosen.form.identity, begun.form.identity)
  }

  /// A start that fails is no beginning: the mended recipe needs no other folder. And a run that was
  /// begun with adapters of a folder does not need it any more.
  func testAStartThatFailsChangesNothing() throws {
    var run = try TinyRun(self, samples: 31) {
      $0.lora = LowRankRecipe(rank: 3, alpha: 6)
      $0.lora?.adapter = $0.run + "-none"
    }
    XCTAssertThrowsError(try run.run()) { XCTAssertTrue("\($0)".contains("-none"), "\($0)") }
    var first = run
    first.recipe.lora?.adapter = nil
    first.recipe.run += "-first"
    try first.run()
    let adapters = first.recipe.run + "/student"
    run.recipe.lora?.adapter = adapters
    run.recipe.lora?.rankStabilized = true
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual(
        "\($0)",
        "The recipe: the adapters in '\(adapters)' are not of the form that 'lora' asks for: they are "
          + "of rank 3, scaled by 2, in 14 matrices (q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, "
          + "down_proj), not of rank 3, scaled by 3.4641, in 14 matrices (q_proj, k_proj, v_proj, "
          + "o_proj, gate_proj, up_proj, down_proj).")
    }
    run.recipe.lora?.rankStabilized = nil
    let (_, losses) = try run.run(stoppingAfter: 2)
    XCTAssertEqual(losses.count, 2)
    try FileManager.default.removeItem(atPath: adapters)
    // What can't be gone on with does not change what the run was begun with.
    var other = run
    other.recipe.lora?.rank = 5
    XCTAssertThrowsError(try other.run(allowingOtherIdentity: true))
    try run.run()
  }

  func testFindings() throws {
    func findings(_ change: (inout FineTuningRecipe) -> Void) throws -> [String] {
      try TinyRun(self, change).recipe.findings
    }
    let lora = LowRankRecipe(rank: 4, alpha: 8)
    XCTAssertEqual(
      try findings { $0.gradients = .releasedPerLayer },
      [
        "The recipe: 'gradients' is 'releasedPerLayer', which needs all rows of a step at once: "
          + "'microbatchRows' is 1, 'rowsPerStep' 2."
      ])
    XCTAssertEqual(
      try findings {
        $0.lora = lora
        $0.gradients = .releasedTwoPass
        $0.microbatchRows = 2
        $0.moments = .disk
      },
      [
        "The recipe: 'gradients' is 'releasedTwoPass'; those of adapters are so small that they are always "
          + "'kept'.",
        "The recipe: 'moments' is 'disk'; those of adapters are so small that they stay in memory.",
      ])
    XCTAssertEqual(
      try findings {
        $0.lora = lora
        $0.lora?.rank = 0
        $0.lora?.alpha = 0
        $0.lora?.dropout = 1
        $0.lora?.targetModules = ["q_proj", "lm_head"]
      },
      [
        "The recipe: 'lora.rank' is 0; it must lie between 1 and 4096.",
        "The recipe: 'lora.alpha' is 0.0; it must be above 0.",
        "The recipe: 'lora.dropout' is 1.0; it is a share, from 0 to less than 1.",
        "The recipe: 'lora.targetModules' names 'lm_head'; there are q_proj, k_proj, v_proj, "
          + "o_proj, gate_proj, up_proj, down_proj.",
      ])
    XCTAssertEqual(
      try findings {
        $0.lora = lora
        $0.weights = .float32
        $0.configuration = .init(ropeTheta: 1e6, maxPositionEmbeddings: nil)
        $0.student = "base"
      },
      [
        "The recipe: 'configuration' changes the model that adapters stand beside, which nobody who "
          + "merges or loads them would know. Change the model first: 'distill convert base <output> "
          + "--rope-theta <number> --positions <count>'.",
        "The recipe: 'weights' is 'float32'; beside adapters they stay as they are stored, unless "
          + "'bfloat16' rounds them.",
      ])
    XCTAssertEqual(
      try findings {
        $0.lora = lora
        $0.lora?.targetModules = []
      }, ["The recipe: 'lora.targetModules' names no module; without it, all are meant."])
  }
}
