import Foundation
import Safetensors
import Tensors
import Training
import XCTest

@testable import Layers
@testable import Models

/// How frozen weights are kept: where they are mapped, rounded, or in float32.
final class FrozenWeightsTests: XCTestCase {
  private let settings = LowRankSettings(rank: 3, alpha: 5)

  /// Whatever types a checkpoint mixes, and wherever its data begin, frozen weights compute like all
  /// of them in float32.
  func testMixedTypes() throws {
    let key = "model.layers.0.self_attn.k_proj.weight"
    for model in try TinyModel.families(TinyModel.wide) {
      for (what, isWhole, isOdd, isMapped) in [
        ("vectors in float32", { (tensor: StoredTensor) in tensor.shape.count == 1 }, false, true),
        ("keys in float32", { $0.name == key }, false, false),
        ("all but keys in float32", { $0.name != key }, false, false),
        ("odd addresses", { _ in false }, true, false),
      ] {
        let folder = try ModelFolder(model)
        try folder.edit { tensors in
          for index in tensors.indices {
            let halves = tensors[index].floats.map { BFloat16($0) }
            if isWhole(tensors[index]) {
              tensors[index].floats = halves.map { Float($0) }
            } else {
              tensors[index].dtype = .bf16
              tensors[index].bytes = halves.flatMap {
                [UInt8($0.bitPattern & 0xff), UInt8($0.bitPattern >> 8)]
              }
            }
          }
        }
        if isOdd { try folder.moveDataByAByte() }
        let checkpoint = try Checkpoint(at: folder.path)
        XCTAssertEqual(checkpoint.hasMappedMatrices, isMapped, "\(model.name), \(what)")
        let lesson = model.lesson([37, 5])
        for precision in Precision.allCases {
          let expected = try checkpoint.decoder(precision: precision).logits(lesson.row)
          for rounds in [false, true] {
            let decoder = try checkpoint.decoder(
              precision: precision, lowRank: settings, rounds: rounds)
            assertSame(
              try decoder.logits(lesson.row).elements, expected.elements,
              "\(model.name), \(what), \(precision), rounds: \(rounds)")
            let matrices = decoder.parts.filter { $0.shape.count == 2 }.map(\.weight)
            XCTAssertEqual(
              matrices.allSatisfy { $0.bfloat16 != nil && $0.bfloat16?.own == nil }, isMapped)
            if rounds { XCTAssertTrue(matrices.allSatisfy { $0.bfloat16 != nil }) }
          }
        }
      }
    }
  }

  /// Adapters beside weights compute what W + s · B · A does, whichever matrices have them; each draws
  /// its dropout by a number of its own.
  func testAdaptersAreTheirMergedWeights() throws {
    for model in try TinyModel.families() {
      for roles in [
        LowRankSettings.adaptable, [.valueWeight, .upWeight], [.keyWeight, .outputWeight],
        [.queryWeight, .downWeight, .gateWeight],
      ] as [[ParameterRole]] {
        let settings = LowRankSettings(
          rank: 3, alpha: 5, usesRankStabilization: roles.count == 2, roles: roles)
        let folder = try ModelFolder(model)
        let checkpoint = try Checkpoint(at: folder.path)
        let adapted = try checkpoint.decoder(precision: .float32, lowRank: settings)
        let merged = try checkpoint.decoder(precision: .float32)
        XCTAssertEqual(adapted.parameters.count, 2 * 2 * roles.count)
        for (index, parameter) in adapted.parameters.enumerated() {
          parameter.value.fillNormal(
            standardDeviation: 0.2, from: RandomStream(seed: 8, "adapters", index))
        }
        for layer in 0..<2 {
          for role in roles {
            func named(_ name: String, _ decoder: Decoder) throws -> Tensor {
              try XCTUnwrap(decoder.parameters.first { $0.name == name }, name).value
            }
            let a = try named(role.name(of: .a, layer: layer), adapted)
            let b = try named(role.name(of: .b, layer: layer), adapted)
            let w = try named(role.name(layer: layer), merged)
            for o in 0..<w.rows {
              for c in 0..<w.columns {
                let sum = (0..<3).reduce(0.0) { $0 + Double(b.row(o)[$1]) * Double(a.row($1)[c]) }
                w.row(o)[c] += Float(settings.scale * sum)
              }
            }
          }
        }
        let row = model.lesson([11, 7]).row
        let found = try adapted.logits(row), expected = try merged.logits(row)
        for (a, b) in zip(found.elements, expected.elements) {
          XCTAssertEqual(a, b, accuracy: 2e-3 + 2e-3 * abs(b), "\(model.name), \(roles)")
        }
        let adapters = adapted.blocks.flatMap { block in
          [block.queryKeyValue, block.output, block.feedForward.gateUp, block.feedForward.down]
            .flatMap(\.adapters)
        }
        XCTAssertEqual(adapters.map(\.number), Array(1...2 * roles.count))
      }
    }
  }

  /// Parameters are done once each, when their gradients are complete: outside of the layers, then
  /// the layers from the last; a tied embedding at the end.
  func testLayersAreDoneInOrder() throws {
    for model in try TinyModel.all() {
      let lesson = model.lesson([11, 7])
      let folder = try ModelFolder(model)
      let checkpoint = try Checkpoint(at: folder.path)
      for decoder in [
        try checkpoint.decoder(precision: .float32),
        try checkpoint.decoder(precision: .float32, lowRank: settings),
      ] {
        _ = try decoder.accumulateGradients(
          lesson.row, targets: lesson.targets, weights: lesson.weights)
        let whole = try decoder.gradients()
        decoder.clearGradients()
        var calls: [[String]] = []
        _ = try decoder.accumulateGradients(
          lesson.row, targets: lesson.targets, weights: lesson.weights, isInterrupted: { false },
          layerDone: { indices in
            calls.append(indices.map { decoder.parameters[$0].name })
            for index in indices {
              assertSame(
                decoder.parameters[index].gradient.map { Array($0.elements) } ?? [],
                whole[index].values, "\(model.name), \(whole[index].name)")
            }
          })
        let names = decoder.parameters.map(\.name)
        let layers = (0..<2).map { layer in names.filter { $0.contains("layers.\(layer).") } }
        let outside = names.filter { !$0.contains("layers.") }
        let late = outside.filter { $0.contains("embed") }
        XCTAssertEqual(
          calls, [outside.filter { !late.contains($0) }, layers[1], layers[0], late],
          model.name)
      }
    }
  }

  /// What is in the memory is what is planned; frozen weights get no gradients.
  func testPlannedBytes() throws {
    for model in try TinyModel.all() {
      let folder = try TemporaryFolder()
      for dtype in [ModelConfiguration.Dtype.float32, .bfloat16] {
        try Checkpoint.save(
          model.decoder(.float32), to: folder.file(dtype.rawValue), options: .init(dtype: dtype))
      }
      let whole = try Checkpoint(at: folder.file("float32"))
      let half = try Checkpoint(at: folder.file("bfloat16"))
      XCTAssertTrue(half.hasMappedMatrices)
      XCTAssertFalse(whole.hasMappedMatrices)
      let lesson = model.lesson([11, 7])
      for (form, decoder) in [
        (TrainingForm(), try whole.decoder(precision: .float32)),
        (
          TrainingForm(weights: .bfloat16),
          try whole.decoder(precision: .float32, storage: .bfloat16)
        ),
        (
          TrainingForm(lowRank: settings, frozenBytes: 4),
          try whole.decoder(precision: .float32, lowRank: settings)
        ),
        (
          TrainingForm(lowRank: settings),
          try whole.decoder(precision: .float32, lowRank: settings, rounds: true)
        ),
        (
          TrainingForm(lowRank: settings),
          try half.decoder(precision: .float32, lowRank: settings)
        ),
      ] {
        _ = try decoder.accumulateGradients(
          lesson.row, targets: lesson.targets, weights: lesson.weights)
        var all: [ObjectIdentifier: Weight] = [:]
        for weight in decoder.parts.map(\.weight) + decoder.parameters.map(\.weight) {
          all[ObjectIdentifier(weight)] = weight
        }
        let planned = TrainingMemory(
          model.configuration, form: form, tokens: 18, recomputedBlocks: 0, threads: 1)
        XCTAssertEqual(
          all.values.reduce(0) {
            $0 + $1.rows * $1.columns * ($1.bfloat16 == nil ? 4 : 2)
          }, planned.weights, "\(model.name), \(form.words)")
        XCTAssertEqual(
          all.values.reduce(0) { $0 + 4 * ($1.gradient?.count ?? 0) }, planned.gradients,
          "\(model.name), \(form.words)")
        let frozen = form.lowRank == nil ? [] : decoder.parts.map(\.weight)
        XCTAssertTrue(frozen.allSatisfy { !$0.isTrained && $0.gradient == nil })
      }
    }
  }

  /// Weights of more rows than are rounded at a time, one of them of two parts, are those that are
  /// mapped; and what is saved of them is what they are.
  func testManyRows() throws {
    let sizes = TinyModel.Sizes(vocabulary: 70_001, hidden: 64, intermediate: 33_000, layers: 1)
    let model = try TinyModel.all(sizes)[3]
    let folder = try TemporaryFolder()
    let path = folder.file("half")
    try Checkpoint.save(model.decoder(.bfloat16), to: path, options: .init(dtype: .bfloat16))
    let half = try Checkpoint(at: path)
    let row = PackedTokens([3, 65_535, 65_536, 70_000, 1])
    let expected = try half.decoder(precision: .bfloat16, lowRank: settings).logits(row)
    let rounded = try half.decoder(precision: .bfloat16, storage: .bfloat16)
    assertSame(try rounded.logits(row).elements, expected.elements, "rounded")
    for dtype in [ModelConfiguration.Dtype.bfloat16, .float32] {
      try Checkpoint.save(rounded, to: folder.file(dtype.rawValue), options: .init(dtype: dtype))
      let again = try Checkpoint(at: folder.file(dtype.rawValue)).decoder(precision: .bfloat16)
      assertSame(try again.logits(row).elements, expected.elements, "saved as \(dtype)")
    }
  }

  /// NaN and infinity are found in weights wherever they are kept.
  func testBrokenWeights() throws {
    let model = try TinyModel.all()[1]
    let folder = try ModelFolder(model)
    try Checkpoint.save(
      folder.decoder, to: folder.path, options: .init(dtype: .bfloat16, replacing: true))
    for (name, element) in [("model.layers.1.mlp.up_proj.weight", 7), ("lm_head.weight", 2036)] {
      try folder.edit(name) {
        $0.bytes.replaceSubrange(2 * element..<2 * element + 2, with: [0x80, 0x7f])
      }
      let checkpoint = try Checkpoint(at: folder.path)
      for load in [
        { _ = try checkpoint.decoder(precision: .float32, lowRank: self.settings) },
        { _ = try checkpoint.decoder(precision: .float32, storage: .bfloat16) },
      ] {
        assertRefused(
          "FOLDER: '\(name)' holds NaN or infinity. The checkpoint is damaged, or its training "
            + "diverged; take an earlier one.", in: folder.path, name, load)
      }
      try folder.edit(name) {
        $0.bytes.replaceSubrange(2 * element..<2 * element + 2, with: [0, 0])
      }
    }
  }

  #if os(Linux)
    /// With `streamsFrozenWeights` a block's matrices are out of the memory when it is done, on the way
    /// there and back and in steps, and no bit changes.
    func testStreaming() throws {
      // So large that what lies beside a page, and is mapped with it, does not matter.
      let sizes = TinyModel.Sizes(vocabulary: 24_001, hidden: 92, intermediate: 5300, layers: 3)
      for model in try TinyModel.families(sizes) {
        let folder = try TemporaryFolder()
        try Checkpoint.save(
          model.decoder(.bfloat16), to: folder.file("model"), options: .init(dtype: .bfloat16))
        let checkpoint = try Checkpoint(at: folder.file("model"))
        let decoder = try checkpoint.decoder(precision: .bfloat16, lowRank: settings)
        func resident() throws -> Int { try residentBytes(folder.file("model/model.safetensors")) }
        let bytes = checkpoint.byteCount, head = 2 * 24_001 * 92
        XCTAssertLessThan(try resident(), bytes / 4, "loaded, \(model.name)")
        let lesson = model.lesson([37, 5])
        let expected = try Outcome(decoder, lesson)
        let expectedStep = try KeyValueCache(decoder, capacity: 9).append(model.tokens(9))
        XCTAssertGreaterThan(try resident(), bytes / 10 * 7, model.name)
        for weight in decoder.parts.map(\.weight) { weight.bfloat16?.release() }
        decoder.streamsFrozenWeights = true
        for recomputed in [0, 2] {
          decoder.recomputedBlocks = recomputed
          try Outcome(decoder, lesson).assertSameBits(as: expected, model.name)
          var turned = Int.max
          // Tokens enough to read the whole embedding.
          let long = model.lesson([1000])
          _ = try decoder.accumulateGradients(
            long.row, targets: long.targets, weights: long.weights, isInterrupted: { false },
            found: { _ in
              turned = (try? resident()) ?? Int.max
              return true
            })
          XCTAssertLessThan(turned, bytes / 8, "before the way back, \(model.name)")
          XCTAssertLessThan(try resident(), bytes / 8, "trained, \(model.name)")
        }
        _ = try decoder.logits(lesson.row)
        XCTAssertLessThan(try resident(), head + bytes / 8, "logits, \(model.name)")
        for weight in decoder.parts.map(\.weight) { weight.bfloat16?.release() }
        let step = try KeyValueCache(decoder, capacity: 9).append(model.tokens(9))
        assertSame(step.elements, expectedStep.elements, model.name)
        XCTAssertLessThan(try resident(), head + bytes / 8, "step, \(model.name)")
      }
    }

    /// How much of a mapped file is in this process's memory.
    private func residentBytes(_ path: String) throws -> Int {
      // In one go only a page of it is read.
      let maps = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/smaps"))
      var text = Data()
      while let part = try maps.read(upToCount: 1 << 16), !part.isEmpty { text += part }
      var isOfFile = false
      var kibibytes = 0
      for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
        let isFigure = line.prefix { $0 != " " }.hasSuffix(":")
        if !isFigure { isOfFile = line.hasSuffix(path) }
        if isOfFile, line.hasPrefix("Rss:") {
          kibibytes += line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }
      }
      return kibibytes << 10
    }
  #endif

  /// The plan's figures of forms, by hand: 2 layers, C 24, F 40, V 400, 3 heads of 8, one of keys.
  func testPlannedForms() throws {
    let c = try ModelConfiguration(
      family: .llama, vocabSize: 400, hiddenSize: 24, intermediateSize: 40, numHiddenLayers: 2,
      numAttentionHeads: 3, numKeyValueHeads: 1, maxPositionEmbeddings: 128)
    let layer = 24 * (24 + 8 + 8 + 24) + 3 * 24 * 40, embedding = 400 * 24
    let matrices = 2 * layer + 2 * embedding, vectors = 5 * 24
    XCTAssertEqual(c.matrixCount, matrices)
    XCTAssertEqual(c.vectorCount, vectors)
    let adapters = 2 * 3 * (48 + 32 + 32 + 48 + 64 + 64 + 64)
    func memory(_ form: TrainingForm, tokens: Int = 100, recomputed: Int = 0) -> TrainingMemory {
      TrainingMemory(c, form: form, tokens: tokens, recomputedBlocks: recomputed, threads: 1)
    }
    func figures(_ form: TrainingForm) -> [Int] {
      let memory = memory(form)
      return [memory.weights, memory.gradients, memory.moments]
    }
    XCTAssertEqual(
      figures(TrainingForm()),
      [4 * (matrices + vectors), 4 * (matrices + vectors), 8 * (matrices + vectors)])
    XCTAssertEqual(
      figures(TrainingForm(weights: .bfloat16, moments: .eightBit, gradients: .releasedPerLayer)),
      [
        2 * matrices + 4 * vectors, 4 * (embedding + layer + vectors),
        2 * (matrices + matrices / 64) + 8 * vectors,
      ])
    XCTAssertEqual(
      figures(TrainingForm(moments: .disk, gradients: .releasedTwoPass)),
      [4 * (matrices + vectors), 4 * (embedding + layer + vectors), 256 << 20])
    var settings = LowRankSettings(rank: 3, alpha: 5)
    XCTAssertEqual(
      figures(TrainingForm(lowRank: settings)),
      [4 * (adapters + vectors) + 2 * matrices, 4 * adapters, 8 * adapters])
    XCTAssertEqual(
      figures(TrainingForm(moments: .eightBit, lowRank: settings, frozenBytes: 4)),
      [4 * (adapters + vectors + matrices), 4 * adapters, 2 * (adapters + adapters / 64)])
    XCTAssertEqual(
      figures(TrainingForm(lowRank: settings, streamsFrozen: true))[0],
      4 * (adapters + vectors) + 2 * embedding)
    let short = try ModelConfiguration(
      family: .llama, vocabSize: 50, hiddenSize: 24, intermediateSize: 40, numHiddenLayers: 2,
      numAttentionHeads: 3, numKeyValueHeads: 1, maxPositionEmbeddings: 128)
    XCTAssertEqual(
      TrainingMemory(
        short, form: TrainingForm(lowRank: settings, streamsFrozen: true), tokens: 100,
        recomputedBlocks: 0, threads: 1
      ).weights, 4 * (adapters + vectors) + 2 * layer)
    // Dropout copies what goes into the widest matrix, all rows of it where blocks keep all.
    let before = TrainingForm(lowRank: settings)
    settings.dropout = 0.1
    let after = TrainingForm(lowRank: settings)
    for (tokens, recomputed, copied) in [
      (100, 0, 100), (100, 2, 100), (9000, 0, 9000), (9000, 1, 9000), (9000, 2, 4096),
    ] {
      XCTAssertEqual(
        memory(after, tokens: tokens, recomputed: recomputed).working
          - memory(before, tokens: tokens, recomputed: recomputed).working, 4 * 2 * 40 * copied,
        "\(tokens) tokens, \(recomputed) recomputed")
    }
  }

  /// Operations of a token by hand, of the same model with 50 tokens before it on average.
  func testOperations() throws {
    let c = try ModelConfiguration(
      family: .llama, vocabSize: 400, hiddenSize: 24, intermediateSize: 40, numHiddenLayers: 2,
      numAttentionHeads: 3, numKeyValueHeads: 1, maxPositionEmbeddings: 128)
    let layers = Double(c.parameterCountWithoutEmbeddings), head = 400.0 * 24
    let attention = 100.0 * 3 * 8 * 2
    XCTAssertEqual(
      c.trainingOperationsPerToken(contextLength: 100), 6 * (layers + head) + 7 * attention)
    XCTAssertEqual(
      c.trainingOperationsPerToken(contextLength: 100, isFrozen: true),
      4 * (layers + head) + 7 * attention)
    XCTAssertEqual(
      c.trainingOperationsPerToken(contextLength: 100, recomputed: 0.5),
      6 * (layers + head) + 7 * attention + layers + attention)
  }

  /// What a form is called, and what runs are told apart by.
  func testWordsOfForms() {
    let lora = LowRankSettings(rank: 3, alpha: 5)
    for (form, identity, words) in [
      (
        TrainingForm(), "weights in float32, moments in float32, gradients clipped together",
        "float32 weights, float32 moments, gradients kept"
      ),
      (
        TrainingForm(weights: .bfloat16, moments: .eightBit, gradients: .releasedTwoPass),
        "weights in bfloat16, moments in 8 bits, gradients clipped together",
        "bfloat16 weights, 8-bit moments, gradients released, in two passes"
      ),
      (
        TrainingForm(moments: .disk, gradients: .releasedPerLayer),
        "weights in float32, moments in float32, gradients clipped by layer",
        "float32 weights, moments on the disk, gradients released, clipped by layer"
      ),
      (
        TrainingForm(lowRank: lora, streamsFrozen: true),
        "adapters of rank 3 beside bfloat16, moments in float32",
        "adapters of rank 3 beside weights in bfloat16 from the disk"
      ),
      (
        TrainingForm(moments: .eightBit, lowRank: lora, frozenBytes: 4),
        "adapters of rank 3 beside float32, moments in 8 bits",
        "adapters of rank 3 beside weights in float32, 8-bit moments"
      ),
    ] {
      let moments: MomentStorage =
        switch form.moments {
        case .float32: .float32
        case .eightBit: .blockwise8Bit
        case .disk: .disk(folder: "here")
        }
      XCTAssertEqual(form.momentStorage(in: "here"), moments)
      XCTAssertEqual(form.identity, identity)
      XCTAssertEqual(form.words, words)
    }
  }
}

extension ModelFolder {
  /// One more space in the header: allowed, and moves all data by a byte.
  fileprivate func moveDataByAByte() throws {
    let file = URL(fileURLWithPath: path + "/model.safetensors")
    var data = try Data(contentsOf: file)
    let length = data.prefix(8).enumerated().reduce(0) { $0 + Int($1.1) << (8 * $1.0) }
    data.insert(UInt8(ascii: " "), at: 8 + length)
    for i in 0..<8 { data[i] = UInt8((length + 1) >> (8 * i) & 0xff) }
    try data.write(to: file)
  }
}
