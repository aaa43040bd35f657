import Adapters
import Datasets
import Foundation
import Safetensors
import Storage
import Tensors
import Training
import TrainingRecipes
import XCTest

@testable import FineTuning
@testable import Models

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

  /// The student is loaded in the form that was chosen, and trained with it.
  func testTheRunHasItsForm() throws {
    func run(
      isHalf: Bool = false, _ change: (inout FineTuningRecipe) -> Void
    ) throws -> FineTuningRun {
      var tiny = try TinyRun(self, samples: 31) {
        $0.microbatchRows = 2
        change(&$0)
      }
      if isHalf {
        let path = tiny.recipe.student
        tiny.recipe.student += "-half"
        try Checkpoint.save(
          Checkpoint(at: path).decoder(precision: .bfloat16), to: tiny.recipe.student,
          carryingFrom: path, options: .init(dtype: .bfloat16))
      }
      let ready = try tiny.prepared()
      let directory = try RunDirectory(at: tiny.recipe.run, tiny.identity(ready))
      return try FineTuningRun(ready, in: directory)
    }
    func matrices(_ run: FineTuningRun) -> [Weight] {
      run.loop.decoder.parts.filter { $0.shape.count == 2 }.map(\.weight)
    }
    let usual = try run { _ in }
    XCTAssertTrue(matrices(usual).allSatisfy { $0.isTrained && $0.bfloat16 == nil })
    XCTAssertEqual(usual.loop.settings.gradients, .kept)
    XCTAssertEqual(usual.loop.optimizer.seed, 5)
    XCTAssertEqual(usual.loop.decoder.recomputedBlocks, 1)
    let half = try run {
      $0.weights = .bfloat16
      $0.gradients = .releasedTwoPass
      $0.recomputedBlocks = 2
    }
    XCTAssertTrue(matrices(half).allSatisfy { $0.isTrained && $0.bfloat16?.own != nil })
    XCTAssertEqual(half.loop.settings.gradients, .releasedTwoPass)
    XCTAssertEqual(half.loop.decoder.recomputedBlocks, 2)
    let whole = try run { $0.lora = lora }
    XCTAssertTrue(matrices(whole).allSatisfy { !$0.isTrained && $0.bfloat16 == nil })
    XCTAssertFalse(whole.loop.decoder.streamsFrozenWeights)
    let rounded = try run {
      $0.lora = lora
      $0.weights = .bfloat16
    }
    XCTAssertTrue(matrices(rounded).allSatisfy { !$0.isTrained && $0.bfloat16?.own != nil })
    let streamed = try run(isHalf: true) {
      $0.lora = lora
      $0.lora?.base = .disk
    }
    XCTAssertTrue(matrices(streamed).allSatisfy { $0.bfloat16 != nil && $0.bfloat16?.own == nil })
    XCTAssertTrue(streamed.loop.decoder.streamsFrozenWeights)
  }

  /// Adapters begin as the recipe's seed draws them, are written as the recipe says, and another run
  /// goes on from them.
  func testAdapters() throws {
    var settings = lora
    settings.targetModules = ["q_proj", "down_proj"]
    settings.rankStabilized = true
    var run = try TinyRun(self, samples: 31) {
      $0.lora = settings
      $0.export = .bfloat16
      $0.optimizer.learningRate = 0.05
    }
    func evaluations(_ run: TinyRun) throws -> [Double] {
      var losses: [Double] = []
      try run.run { if case .evaluation(let loss, _) = $0 { losses.append(loss) } }
      return losses
    }
    let first = try evaluations(run)
    let folder = run.recipe.run + "/student"
    let model = try Checkpoint.readConfiguration(in: run.recipe.student)
    let stored = try AdapterCheckpoint(at: folder, for: model)
    XCTAssertEqual(
      stored.configuration,
      AdapterConfiguration(
        rank: 3, alpha: 6, dropout: 0.1, targetModules: ["q_proj", "down_proj"],
        usesRankStabilization: true, baseModel: run.recipe.student))
    XCTAssertEqual(stored.pairs.count, 4)
    XCTAssertTrue(stored.pairs.allSatisfy { $0.a.dtype == .bf16 && $0.b.dtype == .bf16 })
    let readme = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
    XCTAssertTrue(
      readme.contains(
        "', adapters of rank 3 beside weights in float32; these are the adapters, which 'distill "
          + "merge' merges with it, with bfloat16 products."), readme)

    // Steps too small to change a number: what a run began with is what it writes.
    run.recipe.optimizer.learningRate = 1e-30
    run.recipe.optimizer.weightDecay = 0
    run.recipe.export = .float32
    run.recipe.run += "-on"
    run.recipe.lora?.adapter = folder
    let second = try evaluations(run)
    XCTAssertEqual(second[0], first[first.count - 1], accuracy: 2e-3)
    XCTAssertGreaterThan(abs(second[0] - first[0]), 0.05)
    let kept = try AdapterCheckpoint(at: run.recipe.run + "/student", for: model)
    for (found, expected) in zip(kept.pairs, stored.pairs) {
      XCTAssertEqual(found.a.dtype, .f32)
      XCTAssertEqual(Array(found.readA().elements), Array(expected.readA().elements))
      XCTAssertEqual(Array(found.readB().elements), Array(expected.readB().elements))
    }

    run.recipe.run += "-new"
    run.recipe.lora?.adapter = nil
    let anew = try evaluations(run)
    XCTAssertEqual(anew[0], first[0])
    let decoder = try Checkpoint(at: run.recipe.student).decoder(
      precision: .bfloat16, lowRank: settings.settings)
    decoder.initializeAdapters(seed: run.recipe.data.seed)
    let drawn = try AdapterCheckpoint(at: run.recipe.run + "/student", for: model)
    for (pair, a) in zip(
      drawn.pairs, decoder.parameters.filter { $0.name.contains("lora_A") })
    {
      XCTAssertEqual(Array(pair.readA().elements), Array(a.value.elements))
    }
    // New adapters change nothing: the loss is that of the student.
    run.recipe.lora = nil
    run.recipe.run += "-all"
    XCTAssertEqual(try evaluations(run)[0], anew[0])

    run.recipe.lora = lora
    run.recipe.lora?.adapter = folder
    run.recipe.run += "-other"
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual(
        "\($0)",
        "The recipe: the adapters in '\(folder)' are not of the form that 'lora' asks for: they are "
          + "of rank 3, scaled by 3.4641, in 4 matrices (q_proj, down_proj), not of rank 3, scaled by "
          + "2, in 14 matrices (q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj).")
    }
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
    _ name: String, gibibytes: Int, isStoredInBFloat16: Bool = true,
    _ change: (inout FineTuningRecipe) -> Void = { _ in }
  ) throws -> [FormCandidate] {
    try choice(name, isStoredInBFloat16: isStoredInBFloat16, change)
      .candidates(memory: gibibytes << 30)
  }

  private func choice(
    _ name: String, isStoredInBFloat16: Bool = true, threads: Int = 2,
    _ change: (inout FineTuningRecipe) -> Void
  ) throws -> FormChoice {
    let recipe = try TinyRun(self) {
      $0.student = "Checkpoints/base"
      $0.rowsPerStep = 1
      $0.recomputedBlocks = nil
      $0.memory = .automatic
      change(&$0)
    }.recipe
    return FormChoice(
      recipe, try KnownModel.named(name).configuration, isStoredInBFloat16: isStoredInBFloat16,
      tokens: 2048, meanContext: 2048, threads: threads)
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

  /// Weights that are not stored in bfloat16 are no longer where the file is mapped once they are
  /// loaded: they are not read from the disk while training, and asking for it is refused.
  func testOnlyMappedWeightsComeFromTheDisk() throws {
    let lora = LowRankRecipe(rank: 16, alpha: 32)
    for (weights, bytes, deviations) in [
      (nil, 4, []), (TrainedStorage.bfloat16, 2, [FormCandidate.Deviation.frozenWeights]),
    ] as [(TrainedStorage?, Int, [FormCandidate.Deviation])] {
      let all = try candidates("Qwen2.5-14B", gibibytes: 20, isStoredInBFloat16: false) {
        $0.lora = lora
        $0.weights = weights
      }
      XCTAssertEqual(all.map(\.form.streamsFrozen), [false])
      XCTAssertEqual(all.map(\.form.frozenBytes), [bytes])
      XCTAssertEqual(all.map(\.deviations), [deviations])
      XCTAssertGreaterThan(all[0].memory.weights, bytes * 14_000_000_000)
    }
    func check(_ isStoredInBFloat16: Bool, _ base: LowRankRecipe.Base?) throws {
      try choice("Qwen2.5-14B", isStoredInBFloat16: isStoredInBFloat16) {
        $0.lora = lora
        $0.lora?.base = base
      }.check()
    }
    XCTAssertNoThrow(try check(true, .disk))
    XCTAssertNoThrow(try check(false, .memory))
    XCTAssertNoThrow(try check(false, nil))
    let words =
      "The recipe: 'lora.base' is 'disk', which needs matrices that are stored in bfloat16; those "
      + "of 'Checkpoints/base' are not. 'distill convert' writes them so, with '--dtype bfloat16'."
    XCTAssertThrowsError(try check(false, .disk)) { XCTAssertEqual("\($0)", words) }
    // A recipe asks before anything is loaded, with data and without.
    let run = try TinyRun(self) {
      $0.lora = lora
      $0.lora?.base = .disk
      $0.expected = .init(documents: 10, tokensPerDocument: 10)
    }
    let refusal = words.replacingOccurrences(of: "Checkpoints/base", with: run.recipe.student)
    XCTAssertThrowsError(try run.prepared()) { XCTAssertEqual("\($0)", refusal) }
    XCTAssertThrowsError(
      try FineTuningPlan(
        expecting: run.recipe, Checkpoint.readConfiguration(in: run.recipe.student),
        memory: 1 << 40, threads: 1)
    ) { XCTAssertEqual("\($0)", refusal) }
  }

  /// Matrices in bfloat16 are used where they are mapped, whatever norms are stored in.
  func testNormsInFloat32() throws {
    let run = try TinyRun(self) { $0.lora = LowRankRecipe(rank: 3, alpha: 6) }
    XCTAssertEqual(try run.prepared().chosen.form.frozenBytes, 4)
    let tensors = try TensorFolder(at: run.recipe.student).files.flatMap(\.tensors).map { tensor in
      let bytes = tensor.withUnsafeBytes { Array($0) }
      guard tensor.shape.count == 2 else {
        return TensorSource(tensor.name, .f32, tensor.shape, bytes)
      }
      // The upper half of each number: what lies below is cut off.
      let halves = bytes.indices.filter { $0 % 4 >= 2 }.map { bytes[$0] }
      return TensorSource(tensor.name, .bf16, tensor.shape, halves)
    }
    try SafetensorsFile.write(tensors, to: run.recipe.student + "/model.safetensors")
    let ready = try run.prepared()
    XCTAssertEqual(ready.chosen.form.frozenBytes, 2)
    XCTAssertEqual(ready.chosen.deviations, [])
  }

  /// What is rounded or clipped otherwise is told.
  func testDeviations() throws {
    let all = try candidates("Qwen2.5-0.5B", gibibytes: 64)
    for candidate in all {
      let form = candidate.form
      XCTAssertEqual(
        candidate.deviations,
        (form.weights == .bfloat16 ? [.weights] : [])
          + (form.moments == .eightBit ? [.moments] : [])
          + (form.gradients == .releasedPerLayer ? [.clipping] : []))
    }
    let adapters = try candidates("Qwen2.5-0.5B", gibibytes: 64) {
      $0.lora = LowRankRecipe(rank: 16, alpha: 32)
      $0.moments = .eightBit
    }
    XCTAssertEqual(
      adapters.map(\.deviations),
      [[.moments], [.moments]])
    XCTAssertEqual(adapters.map(\.form.moments), [.eightBit, .eightBit])
  }

  /// What takes longer: two passes, moments from the disk or in 8 bits, weights from the disk, blocks
  /// that run again; and parts of a step read the weights once each.
  func testTimes() throws {
    let all = try candidates("Qwen2.5-0.5B", gibibytes: 256)
    func seconds(
      _ moments: TrainingForm.Moments, _ gradients: GradientKeeping
    ) throws -> Double {
      try XCTUnwrap(
        all.first {
          $0.form
            == TrainingForm(weights: .float32, moments: moments, gradients: gradients)
        }
      ).secondsPerStep
    }
    let usual = try seconds(.float32, .kept)
    let count = 494_032_768.0
    XCTAssertEqual(try seconds(.float32, .releasedPerLayer), usual)
    XCTAssertEqual(
      try seconds(.float32, .releasedTwoPass), 2 * usual - count * 1.2e-9, accuracy: 1e-9 * usual)
    XCTAssertEqual(try seconds(.eightBit, .kept), usual + count * 1.2e-9, accuracy: 1e-9 * usual)
    XCTAssertEqual(try seconds(.disk, .kept), usual + count * 8.8e-9, accuracy: 1e-9 * usual)
    // The step's parts come one after the other.
    let parts = try candidates("Qwen2.5-0.5B", gibibytes: 256) { $0.rowsPerStep = 3 }
    XCTAssertEqual(
      parts[0].secondsPerStep, 3 * usual - 2 * count * 1.2e-9, accuracy: 1e-9 * usual)
    let again = try candidates("Qwen2.5-0.5B", gibibytes: 256) { $0.recomputedBlocks = 12 }
    XCTAssertGreaterThan(again[0].secondsPerStep, 1.1 * usual)
    XCTAssertLessThan(again[0].secondsPerStep, 1.2 * usual)
    func lora(_ base: LowRankRecipe.Base, rows: Int = 1, threads: Int = 2) throws -> Double {
      try choice("Qwen2.5-0.5B", threads: threads) {
        $0.lora = LowRankRecipe(rank: 16, alpha: 32)
        $0.lora?.base = base
        $0.rowsPerStep = rows
      }.candidates(memory: 256 << 30)[0].secondsPerStep
    }
    XCTAssertLessThan(try lora(.memory), 0.8 * usual)
    XCTAssertEqual(try lora(.disk) / lora(.memory), 1.06, accuracy: 0.001)
    XCTAssertEqual(try lora(.disk, rows: 3) / lora(.disk), 3, accuracy: 0.01)
    // With so many threads the disk is what takes the time: there and back.
    let reading = 1.06 * 2 * 2 * 493_961_216e-9 + 8_798_208e-9
    XCTAssertEqual(try lora(.disk, threads: 1024), reading, accuracy: 1e-6)
    XCTAssertEqual(
      try lora(.disk, rows: 3, threads: 1024), 3 * reading - 2 * 8_798_208e-9, accuracy: 1e-6)
  }

  /// A copy that answers prompts takes its share of the memory: packed, and beside it the embedding in
  /// float32 unless it is trained in bfloat16.
  func testGenerationsTakeMemory() throws {
    func ask(_ recipe: inout FineTuningRecipe) {
      recipe.generations = .init(prompts: ["Why?"], everySteps: 10, maxNewTokens: 4)
    }
    for (name, matrices, vectors, embedding, times) in [
      ("Qwen2.5-0.5B", 493_961_216, 71_552, 151_936 * 896, 4),
      ("Qwen2.5-Math-7B", 7_615_283_200, 333_312, 152_064 * 3584, 2),
    ] {
      let all = try candidates(name, gibibytes: 64, ask)
      let layers = try KnownModel.named(name).configuration.numHiddenLayers
      for gibibytes in stride(from: 8, through: 120, by: 4) {
        for candidate in try candidates(name, gibibytes: gibibytes, ask)
        where candidate.bytes > gibibytes << 30 {
          XCTAssertEqual(candidate.recomputedBlocks, layers, "\(name) in \(gibibytes) GiB")
        }
      }
      for candidate in all {
        let isHalf = candidate.form.weights == .bfloat16
        XCTAssertEqual(
          candidate.generationBytes,
          2 * matrices + 4 * vectors + (isHalf ? 0 : times * embedding), name)
        XCTAssertEqual(candidate.bytes, candidate.memory.total + candidate.generationBytes)
      }
      let count = all.count { $0.bytes <= 64 << 30 }
      XCTAssertTrue(all.prefix(count).allSatisfy { $0.bytes <= 64 << 30 }, name)
      for candidate in all where candidate.recomputedBlocks > 0 {
        // One block fewer would not fit.
        let fewer = TrainingMemory(
          try KnownModel.named(name).configuration, form: candidate.form, tokens: 2048,
          recomputedBlocks: candidate.recomputedBlocks - 1, threads: 2)
        XCTAssertGreaterThan(fewer.total + candidate.generationBytes, 64 << 30, name)
      }
    }
    for change in [
      { $0.precision = .float32 }, { $0.lora = LowRankRecipe(rank: 16, alpha: 32) },
    ] as [(inout FineTuningRecipe) -> Void] {
      let all = try candidates("Qwen2.5-0.5B", gibibytes: 64) {
        ask(&$0)
        change(&$0)
      }
      XCTAssertTrue(all.allSatisfy { $0.generationBytes == 0 })
    }
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
        $0.lora?.alpha = 1.5e6
        $0.lora?.rank = 4097
      },
      [
        "The recipe: 'lora.rank' is 4097; it must lie between 1 and 4096.",
        "The recipe: 'lora.alpha' is 1500000.0; an adapter's is 1000000.0 at most.",
      ])
    XCTAssertEqual(
      try findings {
        $0.lora = lora
        $0.lora?.alpha = 1e39
      }, ["The recipe: 'lora.alpha' is 1e+39; it must be above 0."])
    XCTAssertEqual(
      try findings {
        $0.lora = lora
        $0.lora?.targetModules = []
      }, ["The recipe: 'lora.targetModules' names no module; without it, all are meant."])
  }
}
