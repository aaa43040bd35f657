import Models
import Tensors
import Training
import XCTest

/// Adapters beside frozen weights.
final class LowRankTests: XCTestCase {
  private let settings = LowRankSettings(rank: 3, alpha: 5)

  /// Adapters' gradients against differences of the loss, with and without dropout.
  func testGradients() throws {
    for model in try TinyModel.all() {
      for dropout in [0, 0.3] {
        var settings = settings
        settings.dropout = dropout
        let lesson = model.lesson([11, 1, 7])
        let decoder = try frozen(model, .float32, settings, dtype: .float32)
        fillB(decoder)
        decoder.setDropout(seed: 3, step: 5, part: 7)
        func loss() throws -> Double {
          let found = try decoder.accumulateGradients(
            lesson.row, targets: lesson.targets, weights: lesson.weights)
          return -zip(found, lesson.weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        _ = try loss()
        let gradients = decoder.parameters.map {
          $0.gradient.map { Array($0.copy().elements) } ?? []
        }
        XCTAssertEqual(gradients.count, 2 * 7 * 2, model.name)
        for (index, parameter) in decoder.parameters.enumerated() {
          let scale = gradients[index].reduce(0) { max($0, abs($1)) }
          XCTAssertGreaterThan(scale, 0, "\(model.name) \(parameter.name)")
          let stream = RandomStream(seed: 4, "samples", index)
          for sample in 0..<5 {
            let element = Int(stream[sample] % UInt64(parameter.count))
            let value = parameter.value
            let before = value.elements[element]
            func nudged(_ nudge: Float) throws -> Double {
              value.elements[element] = before + nudge
              decoder.clearGradients()
              return try loss()
            }
            let h: Float = 0.02
            let near = try nudged(h) - nudged(-h), far = try nudged(2 * h) - nudged(-2 * h)
            value.elements[element] = before
            let expected = (8 * near - far) / (12 * Double(h))
            XCTAssertEqual(
              Double(gradients[index][element]), expected,
              accuracy: 3e-5 + 3e-3 * Double(scale),
              "\(model.name) d \(parameter.name)[\(element)], dropout \(dropout)")
          }
        }
      }
    }
  }

  /// New adapters change no bit, whatever the weights are frozen in; and what is frozen in bfloat16,
  /// mapped or rounded, computes like the same numbers in float32.
  func testNewAdaptersChangeNothing() throws {
    for model in try TinyModel.all(TinyModel.wide) {
      let lesson = model.lesson([37, 5, 161])
      for precision in Precision.allCases {
        let folder = try TemporaryFolder()
        let trained = model.decoder(precision)
        try Checkpoint.save(trained, to: folder.file("half"), options: .init(dtype: .bfloat16))
        let half = try Checkpoint(at: folder.file("half"))
        try Checkpoint.save(
          half.decoder(precision: precision), to: folder.file("whole"),
          options: .init(dtype: .float32))
        let whole = try Checkpoint(at: folder.file("whole"))
        let expected = try whole.decoder(precision: precision).logits(lesson.row)
        let decoders = [
          try half.decoder(precision: precision, lowRank: settings),
          try whole.decoder(precision: precision, lowRank: settings),
          try whole.decoder(precision: precision, lowRank: settings, rounds: true),
          try half.decoder(precision: precision, storage: .bfloat16),
        ]
        for (index, decoder) in decoders.enumerated() {
          let found = try decoder.logits(lesson.row)
          assertSame(
            Array(found.elements), Array(expected.elements),
            "\(model.name), \(precision), decoder \(index)")
        }
      }
    }
  }

  /// Gradients do not depend on how frozen weights are kept, on the blocks that run again, or on the
  /// threads; and only adapters have any.
  func testSameBits() throws {
    let model = try TinyModel.families(TinyModel.wide)[0]
    let lesson = model.lesson([37, 5, 161])
    var settings = settings
    settings.dropout = 0.2
    var expected: [(name: String, values: [Float])] = []
    for (dtype, rounds) in [(ModelConfiguration.Dtype.bfloat16, false), (.float32, true)] {
      for (recomputed, threads) in [(0, 1), (1, 3), (2, 4)] {
        let decoder = try frozen(model, .bfloat16, settings, dtype: dtype, rounds: rounds)
        fillB(decoder)
        decoder.recomputedBlocks = recomputed
        let before = ThreadPool.shared.threads
        ThreadPool.shared.threads = threads
        defer { ThreadPool.shared.threads = before }
        let outcome = try Outcome(decoder, lesson)
        if expected.isEmpty { expected = outcome.gradients }
        assertSameGradients(outcome.gradients, expected, "\(dtype), \(recomputed), \(threads)")
      }
    }
  }

  /// With A held at 1 and as wide as the matrix, B learns what the matrix would: W + B is what full
  /// fine-tuning makes of W.
  func testFullRankIsFullFineTuning() throws {
    let model = try TinyModel.all()[0]
    let folder = try TemporaryFolder()
    let start = model.decoder(.float32)
    try Checkpoint.save(start, to: folder.file("model"), options: .init(dtype: .float32))
    let checkpoint = try Checkpoint(at: folder.file("model"))
    let wide = LowRankSettings(rank: 21, alpha: 21, roles: [.queryWeight, .gateWeight, .upWeight])
    let adapted = try checkpoint.decoder(precision: .float32, lowRank: wide)
    let full = try checkpoint.decoder(precision: .float32)
    let learned = full.parameters.filter { parameter in
      ["q_proj.weight", "gate_proj.weight", "up_proj.weight"].contains {
        parameter.name.hasSuffix($0)
      }
    }
    XCTAssertEqual(learned.count, 6)
    let optimizers = [
      AdamW(adapted.parameters, AdamW.Settings()), AdamW(learned, AdamW.Settings()),
    ]
    for step in 0..<8 {
      for parameter in adapted.parameters where parameter.name.contains("lora_A") {
        let value = parameter.value
        value.setZero()
        for i in 0..<21 { value.row(i)[i] = 1 }
      }
      let lesson = model.lesson([19, 30], seed: UInt64(step))
      for (decoder, optimizer) in zip([adapted, full], optimizers) {
        decoder.clearGradients()
        _ = try decoder.accumulateGradients(
          lesson.row, targets: lesson.targets, weights: lesson.weights)
        optimizer.update(learningRate: 0.01)
      }
    }
    for parameter in adapted.parameters where parameter.name.contains("lora_A") {
      let value = parameter.value
      value.setZero()
      for i in 0..<21 { value.row(i)[i] = 1 }
    }
    for parameter in learned {
      let name =
        "base_model.model." + parameter.name.dropLast(".weight".count) + ".lora_B.weight"
      guard let b = adapted.parameters.first(where: { $0.name == name }),
        let base = start.parameters.first(where: { $0.name == parameter.name })
      else { return XCTFail(name) }
      var moved: Float = 0
      for i in 0..<parameter.count {
        let change = parameter.value.elements[i] - base.value.elements[i]
        moved = max(moved, abs(change))
        XCTAssertEqual(b.value.elements[i], change, accuracy: 2e-4, "\(name)[\(i)]")
      }
      XCTAssertGreaterThan(moved, 0.03, name)
    }
  }

  /// Dropout draws by seed, step, part and adapter, and only while learning.
  func testDropout() throws {
    let model = try TinyModel.families()[1]
    var settings = settings
    settings.dropout = 0.5
    let decoder = try frozen(model, .float32, settings, dtype: .float32)
    fillB(decoder)
    let lesson = model.lesson([17])
    func trained(_ seed: UInt64, _ step: Int, _ part: Int) throws -> [Float] {
      decoder.setDropout(seed: seed, step: step, part: part)
      decoder.clearGradients()
      return try decoder.accumulateGradients(
        lesson.row, targets: lesson.targets, weights: lesson.weights)
    }
    let first = try trained(1, 2, 3)
    XCTAssertEqual(first, try trained(1, 2, 3))
    for (seed, step, part) in [(2, 2, 3), (1, 3, 3), (1, 2, 4)] {
      XCTAssertNotEqual(first, try trained(UInt64(seed), step, part))
    }
    let plain = try decoder.logProbabilities(lesson.row, targets: lesson.targets)
    XCTAssertNotEqual(first, plain)
    decoder.setDropout(seed: 9, step: 9, part: 9)
    XCTAssertEqual(plain, try decoder.logProbabilities(lesson.row, targets: lesson.targets))
  }

  /// New adapters are drawn as PEFT draws them.
  func testInitialization() throws {
    let model = try TinyModel.families()[0]
    let decoder = try frozen(model, .float32, settings, dtype: .float32)
    for parameter in decoder.parameters {
      let values = Array(parameter.value.elements)
      if parameter.name.contains("lora_B") {
        XCTAssertTrue(values.allSatisfy { $0 == 0 }, parameter.name)
        continue
      }
      let bound = 1 / Float(parameter.value.columns).squareRoot()
      XCTAssertTrue(values.allSatisfy { abs($0) <= bound }, parameter.name)
      XCTAssertGreaterThan(values.max() ?? 0, 0.8 * bound, parameter.name)
      XCTAssertLessThan(values.min() ?? 0, -0.8 * bound, parameter.name)
    }
    // q, k and v of both layers have the same input: none draws the same numbers.
    let starts = decoder.parameters.filter { $0.name.contains("lora_A") }
      .map { $0.value.elements[0] * Float($0.value.columns).squareRoot() }
    XCTAssertEqual(Set(starts).count, 14)
    let first = Array(decoder.parameters[0].value.elements)
    decoder.initializeAdapters(seed: 1)
    XCTAssertNotEqual(first, Array(decoder.parameters[0].value.elements))
    decoder.initializeAdapters(seed: 0)
    XCTAssertEqual(first, Array(decoder.parameters[0].value.elements))
  }

  /// Names and sizes are PEFT's.
  func testNames() throws {
    let model = try TinyModel.families()[0]
    let decoder = try frozen(model, .float32, settings, dtype: .float32)
    XCTAssertEqual(
      decoder.parameters.prefix(4).map { "\($0.name) \($0.shape)" },
      [
        "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight [3, 21]",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight [60, 3]",
        "base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight [3, 21]",
        "base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight [20, 3]",
      ])
    XCTAssertEqual(
      decoder.parameters.reduce(0) { $0 + $1.count },
      model.configuration.parameterCount(of: settings))
    XCTAssertEqual(LowRankSettings(rank: 16, alpha: 8).scale, 0.5)
    XCTAssertEqual(
      LowRankSettings(rank: 16, alpha: 8, usesRankStabilization: true).scale, 2)
  }

  // MARK: -

  /// A decoder of the model's weights, rounded to bfloat16, stored as `dtype` and frozen.
  private func frozen(
    _ model: TinyModel, _ precision: Precision, _ settings: LowRankSettings,
    dtype: ModelConfiguration.Dtype, rounds: Bool = false
  ) throws -> Decoder {
    let folder = try TemporaryFolder()
    try Checkpoint.save(
      model.decoder(precision), to: folder.file("half"), options: .init(dtype: .bfloat16))
    let half = try Checkpoint(at: folder.file("half"))
    if dtype == .bfloat16 {
      return try half.decoder(precision: precision, lowRank: settings, rounds: rounds)
    }
    try Checkpoint.save(
      half.decoder(precision: precision), to: folder.file("whole"), options: .init(dtype: dtype))
    return try Checkpoint(at: folder.file("whole"))
      .decoder(precision: precision, lowRank: settings, rounds: rounds)
  }

  /// Adapters that change something.
  private func fillB(_ decoder: Decoder) {
    for (index, parameter) in decoder.parameters.enumerated()
    where parameter.name.contains("lora_B") {
      parameter.value.fillNormal(
        standardDeviation: 0.1, from: RandomStream(seed: 8, "b", index))
    }
  }
}
