import Foundation
import Models
import Safetensors
import Storage
import Tensors
import XCTest

/// Folders that can be read, and what every other folder is refused with.
final class CheckpointLoadingTests: XCTestCase {
  /// `llama` with biases: every role there is but the norms of heads.
  private func llama() throws -> ModelFolder { try ModelFolder(TinyModel.all()[2]) }
  private func tied() throws -> ModelFolder { try ModelFolder(TinyModel.all()[0]) }
  private func untied() throws -> ModelFolder { try ModelFolder(TinyModel.all()[1]) }

  private func assertRefused(
    _ words: String..., opening model: ModelFolder, line: UInt = #line
  ) {
    ModelTests.assertRefused(
      words.joined(separator: "\n"), in: model.path, line: line
    ) { _ = try Checkpoint(at: model.path) }
  }

  // MARK: - Configuration

  func testConfigurationMissingOrBroken() throws {
    let model = try llama()
    let config = model.path + "/config.json"
    let missing =
      "FOLDER: no 'config.json'. A checkpoint is a folder with config.json and safetensors files, "
      + "as transformers saves it."
    for (text, words) in [
      (nil, missing), ("", "FOLDER/config.json: the file is empty."),
      (
        "{\"model_type\": \"llama\",}",
        "FOLDER/config.json:1:23: a comma before '}'. Remove the comma."
      ),
      (
        "[1]",
        "FOLDER/config.json: the file holds a list, not an object with the model's configuration."
      ),
      (
        "{}",
        "FOLDER/config.json: missing key 'model_type', which is one of 'llama', 'qwen2' and 'qwen3'."
      ),
      (
        "{\"model_type\": \"gpt2\"}",
        "FOLDER/config.json: 'model_type' is 'gpt2', not one of 'llama', 'qwen2' and 'qwen3'."
      ),
    ] {
      try? FileManager.default.removeItem(atPath: config)
      if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: config)) }
      assertRefused(words, opening: model)
      ModelTests.assertRefused(words, in: model.path) {
        _ = try Checkpoint.readConfiguration(in: model.path)
      }
    }
    try FileManager.default.removeItem(atPath: config)
    try FileManager.default.createDirectory(atPath: config, withIntermediateDirectories: false)
    assertRefused("FOLDER/config.json: a folder, where a file is needed.", opening: model)

    ModelTests.assertRefused(
      missing.replacingOccurrences(of: "FOLDER", with: "FOLDER/nowhere"), in: model.path
    ) { _ = try Checkpoint(at: model.path + "/nowhere") }
    ModelTests.assertRefused(
      "FOLDER/model.safetensors/config.json: a part of this path is a file, where a folder is "
        + "needed.", in: model.path
    ) { _ = try Checkpoint(at: model.path + "/model.safetensors") }
  }

  /// Findings about the configuration come together, each in a sentence of its own.
  func testAllFindingsOfTheConfiguration() throws {
    let model = try llama()
    try model.configure("num_key_value_heads", .number(JSONNumber(4)))
    try model.configure("bos_token_id", .number(JSONNumber(97)))
    try model.configure(
      "rope_scaling",
      .object(
        JSONObject(members: [
          ("rope_type", .string("dynamic")), ("factor", .number(JSONNumber(2))),
        ])))
    XCTAssertThrowsError(try Checkpoint(at: model.path)) { error in
      let findings = (error as? CheckpointError)?.findings ?? []
      XCTAssertEqual(findings.count, 3, "\(error)")
      for word in ["num_attention_heads", "dynamic", "bos_token_id"] {
        XCTAssertTrue(findings.contains { $0.contains(word) }, "\(word) in \(error)")
      }
    }
  }

  // MARK: - Tensors

  func testNoTensors() throws {
    let model = try llama()
    try FileManager.default.removeItem(atPath: model.path + "/model.safetensors")
    assertRefused(
      "FOLDER: there is neither 'model.safetensors' nor 'model.safetensors.index.json' in it.",
      opening: model)
    try model.folder.write("PK", as: "pytorch_model.bin")
    assertRefused(
      "FOLDER: there is no 'model.safetensors' in it. 'pytorch_model.bin' is of a kind that may "
        + "run code when it is read, and is not read here; convert it to safetensors.",
      opening: model)
  }

  func testDamagedFile() throws {
    let model = try llama()
    let file = model.path + "/model.safetensors"
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    for length in [1, 7, 8, 100, whole.count / 2, whole.count - 1] {
      try whole.prefix(length).write(to: URL(fileURLWithPath: file))
      XCTAssertThrowsError(try Checkpoint(at: model.path), "\(length) bytes") { error in
        XCTAssertTrue(error is CheckpointError)
        XCTAssertTrue("\(error)".hasPrefix(file + ": "), "\(error)")
      }
    }
  }

  func testMissingTensors() throws {
    let names = try llama().tensors().map(\.name).filter { $0 != "lm_head.weight" }
    XCTAssertEqual(names.count, 2 * 16 + 2)
    for name in names {
      let model = try llama()
      try model.edit { tensors in tensors.removeAll { $0.name == name } }
      assertRefused(
        "FOLDER: no tensor '\(name)'. The configuration needs it; are all files there?",
        opening: model)
    }
  }

  func testMissingHead() throws {
    let model = try untied()
    try model.edit { tensors in tensors.removeAll { $0.name == "lm_head.weight" } }
    assertRefused(
      "FOLDER: no tensor 'lm_head.weight'. If the head is the embedding, set "
        + "'tie_word_embeddings' to true in config.json.", opening: model)
    try model.configure("tie_word_embeddings", .bool(true))
    _ = try Checkpoint(at: model.path)

    // Without either there is no such advice.
    try model.configure("tie_word_embeddings", .bool(false))
    try model.edit { tensors in tensors.removeAll { $0.name.contains("embed_tokens") } }
    assertRefused(
      "FOLDER: no tensor 'model.embed_tokens.weight'. The configuration needs it; are all files "
        + "there?",
      "FOLDER: no tensor 'lm_head.weight'. The configuration needs it; are all files there?",
      opening: model)
  }

  func testExtraTensors() throws {
    let model = try llama()
    let gain = StoredTensor(
      name: "model.layers.2.input_layernorm.weight", dtype: .f32, shape: [21],
      bytes: [UInt8](repeating: 0, count: 84))
    try model.edit { $0.append(gain) }
    assertRefused(
      "FOLDER: 'model.layers.2.input_layernorm.weight' has no place in a llama model as config.json "
        + "describes it. Is it another model's, or an adapter's?", opening: model)
    var other = gain
    other.name = "model.layers.0.self_attn.q_norm.weight"
    try model.edit { $0.append(other) }
    assertRefused(
      "FOLDER: 'model.layers.0.self_attn.q_norm.weight' and 1 more has no place in a llama model as "
        + "config.json describes it. Is it another model's, or an adapter's?", opening: model)
  }

  /// Older checkpoints hold the frequencies of positions, which are computed here.
  func testFrequenciesAreIgnored() throws {
    let model = try llama()
    try model.edit { tensors in
      for (layer, dtype) in [SafetensorsType.f32, .f64].enumerated() {
        tensors.append(
          StoredTensor(
            name: "model.layers.\(layer).self_attn.rotary_emb.inv_freq", dtype: dtype, shape: [5],
            bytes: [UInt8](repeating: 255, count: 5 * dtype.bitCount / 8)))
      }
    }
    let checkpoint = try Checkpoint(at: model.path)
    XCTAssertEqual(checkpoint.dtypes, [.f32])
    XCTAssertEqual(checkpoint.notes, [])
    assertSameParameters(try checkpoint.decoder(precision: .float32), model.decoder, "inv_freq")
  }

  func testWrongShapes() throws {
    var model = try llama()
    try model.edit("model.layers.1.mlp.up_proj.weight") { $0.shape = [21, 35] }
    assertRefused(
      "FOLDER: 'model.layers.1.mlp.up_proj.weight' is 21×35; the configuration needs 35×21. "
        + "It is stored transposed.", opening: model)

    model = try llama()
    try model.edit("model.layers.0.mlp.down_proj.weight") { $0.shape = [3, 245] }
    assertRefused(
      "FOLDER: 'model.layers.0.mlp.down_proj.weight' is 3×245; the configuration needs 21×35.",
      opening: model)

    model = try llama()
    try model.edit("model.norm.weight") { $0.shape = [1, 21] }
    assertRefused(
      "FOLDER: 'model.norm.weight' is 1×21; the configuration needs 21.", opening: model)

    // Fewer rows than the vocabulary, and more.
    for rows in [96, 98] {
      model = try llama()
      try model.edit("lm_head.weight") { tensor in
        tensor.shape = [rows, 21]
        tensor.bytes = [UInt8](repeating: 0, count: rows * 21 * 4)
      }
      assertRefused(
        "FOLDER: 'lm_head.weight' is \(rows)×21; the configuration needs 97×21.", opening: model)
    }

    // Heads of another size than the configuration's.
    model = try untied()
    try model.configure("head_dim", .number(JSONNumber(12)))
    let layers = (0..<2).flatMap { layer in
      [
        ("q_proj.weight", "60×21", "72×21"), ("q_proj.bias", "60", "72"),
        ("k_proj.weight", "20×21", "24×21"), ("k_proj.bias", "20", "24"),
        ("v_proj.weight", "20×21", "24×21"), ("v_proj.bias", "20", "24"),
        ("o_proj.weight", "21×60", "21×72"),
      ].map { name, found, needed in
        "FOLDER: 'model.layers.\(layer).self_attn.\(name)' is \(found); the configuration needs "
          + "\(needed)."
      }
    }
    assertRefused(layers.joined(separator: "\n"), opening: model)
  }

  func testWrongTypes() throws {
    for dtype in [SafetensorsType.i64, .f64, .i32, .u16, .i8, .f8E4M3, .bool] {
      let model = try llama()
      try model.edit("model.layers.0.self_attn.k_proj.weight") { tensor in
        tensor.dtype = dtype
        tensor.bytes = [UInt8](repeating: 0, count: 30 * 21 * dtype.bitCount / 8)
      }
      assertRefused(
        "FOLDER: 'model.layers.0.self_attn.k_proj.weight' is of type \(dtype.rawValue), not F32, "
          + "BF16 or F16. Convert it first; quantized weights can't be trained.", opening: model)
    }
  }

  /// Shape and type of one tensor are wrong, another is missing, a third too many: all is said.
  func testAllFindings() throws {
    let model = try llama()
    try model.edit { tensors in
      tensors.removeAll { $0.name == "model.norm.weight" }
      let index = try XCTUnwrap(tensors.firstIndex { $0.name == "lm_head.weight" })
      tensors[index] = StoredTensor(
        name: "lm_head.weight", dtype: .i8, shape: [21, 97],
        bytes: [UInt8](repeating: 0, count: 21 * 97))
      tensors.append(StoredTensor(name: "x", dtype: .i8, shape: [], bytes: [0]))
    }
    assertRefused(
      "FOLDER: no tensor 'model.norm.weight'. The configuration needs it; are all files there?",
      "FOLDER: 'lm_head.weight' is 21×97; the configuration needs 97×21. It is stored transposed.",
      "FOLDER: 'lm_head.weight' is of type I8, not F32, BF16 or F16. Convert it first; quantized "
        + "weights can't be trained.",
      "FOLDER: 'x' has no place in a llama model as config.json describes it. Is it another "
        + "model's, or an adapter's?", opening: model)
  }

  func testSavedWithoutHead() throws {
    let model = try tied()
    try model.edit { tensors in
      for index in tensors.indices {
        tensors[index].name = String(tensors[index].name.dropFirst("model.".count))
      }
    }
    let names = model.decoder.parameters.map(\.name)
    let findings = names.map { name in
      "FOLDER: no tensor '\(name)'. There is '\(name.dropFirst(6))': the model was saved without "
        + "its head; save it with AutoModelForCausalLM."
    }
    assertRefused(
      findings.joined(separator: "\n"),
      "FOLDER: 'embed_tokens.weight' and \(names.count - 1) more has no place in a qwen2 model as "
        + "config.json describes it. Is it another model's, or an adapter's?", opening: model)
  }

  // MARK: - Tied embeddings

  func testTiedAsItIsSaved() throws {
    let model = try tied()
    XCTAssertFalse(try model.tensors().contains { $0.name == "lm_head.weight" })
    let checkpoint = try Checkpoint(at: model.path)
    XCTAssertEqual(checkpoint.notes, [])
    assertSameParameters(try checkpoint.decoder(precision: .float32), model.decoder, "embedding")
  }

  func testTiedWithHeadOnly() throws {
    let model = try tied()
    try model.edit("model.embed_tokens.weight") { $0.name = "lm_head.weight" }
    let checkpoint = try Checkpoint(at: model.path)
    XCTAssertEqual(
      checkpoint.notes,
      ["\(model.path): the embedding is stored as 'lm_head.weight', which it is tied to."])
    assertSameParameters(try checkpoint.decoder(precision: .float32), model.decoder, "head")

    try model.edit("lm_head.weight") { $0.shape = [21, 97] }
    assertRefused(
      "FOLDER: 'lm_head.weight' is 21×97; the configuration needs 97×21. It is stored transposed.",
      opening: model)
    try model.edit { tensors in tensors.removeAll { $0.name == "lm_head.weight" } }
    assertRefused(
      "FOLDER: no tensor 'model.embed_tokens.weight'. The configuration needs it; are all files "
        + "there?", opening: model)
  }

  func testTiedWithBoth() throws {
    let model = try tied()
    try model.edit { tensors in
      var head = try XCTUnwrap(tensors.first { $0.name == "model.embed_tokens.weight" })
      head.name = "lm_head.weight"
      tensors.append(head)
    }
    let checkpoint = try Checkpoint(at: model.path)
    XCTAssertEqual(checkpoint.notes, [])
    assertSameParameters(try checkpoint.decoder(precision: .float32), model.decoder, "both")

    let different =
      "FOLDER: 'tie_word_embeddings' is true, but 'model.embed_tokens.weight' and 'lm_head.weight' "
      + "differ. Set it to false in config.json if the head is the model's own, or remove the head."
    let equal = try model.tensors()
    // One bit of the last element.
    try model.edit("lm_head.weight") { $0.bytes[$0.bytes.count - 4] ^= 1 }
    assertRefused(different, opening: model)
    try model.edit { $0 = equal }
    try model.edit("lm_head.weight") { $0.shape = [21, 97] }
    assertRefused(different, opening: model)

    // Untied, the same folder is a model with a head of its own.
    try model.edit { $0 = equal }
    try model.edit("lm_head.weight") { $0.floats[5] = 7 }
    try model.configure("tie_word_embeddings", .bool(false))
    let untied = try Checkpoint(at: model.path).decoder(precision: .float32)
    XCTAssertEqual(untied.parameters.last?.name, "lm_head.weight")
    XCTAssertEqual(untied.parameters.last?.value.elements[5], 7)
    XCTAssertNotEqual(untied.parameters[0].value.elements[5], 7)
  }

  // MARK: - Values

  func testValuesThatAreNotFinite() throws {
    let patterns: [(SafetensorsType, [UInt8])] = [
      (.f32, [0, 0, 0xc0, 0x7f]), (.f32, [1, 0, 0x80, 0x7f]), (.f32, [0, 0, 0x80, 0x7f]),
      (.f32, [0, 0, 0x80, 0xff]), (.bf16, [0xc0, 0x7f]), (.bf16, [0x80, 0x7f]),
      (.bf16, [0x80, 0xff]), (.f16, [0, 0x7e]), (.f16, [0, 0x7c]), (.f16, [0, 0xfc]),
    ]
    for (dtype, pattern) in patterns {
      for name in ["model.embed_tokens.weight", "model.layers.1.self_attn.v_proj.bias"] {
        let model = try llama()
        for place in [0, 29] {
          try model.edit(name) { tensor in
            tensor.dtype = dtype
            tensor.bytes = [UInt8](
              repeating: 0, count: tensor.shape.reduce(pattern.count, *))
            tensor.bytes.replaceSubrange(
              place * pattern.count..<(place + 1) * pattern.count, with: pattern)
          }
          let checkpoint = try Checkpoint(at: model.path)
          ModelTests.assertRefused(
            "FOLDER: '\(name)' holds NaN or infinity. The checkpoint is damaged, or its training "
              + "diverged; take an earlier one.", in: model.path, "\(dtype) \(pattern)"
          ) { _ = try checkpoint.decoder(precision: .float32) }
        }
      }
    }
    // All that are not finite are named; the largest number is finite.
    let model = try llama()
    try model.edit("model.norm.weight") { $0.floats[20] = .nan }
    try model.edit("lm_head.weight") { $0.floats[97 * 21 - 1] = -.infinity }
    try model.edit("model.embed_tokens.weight") { tensor in
      tensor.floats = tensor.floats.map { _ in .greatestFiniteMagnitude }
    }
    ModelTests.assertRefused(
      "FOLDER: 'model.norm.weight' holds NaN or infinity. The checkpoint is damaged, or its "
        + "training diverged; take an earlier one.",
      "FOLDER: 'lm_head.weight' holds NaN or infinity. The checkpoint is damaged, or its training "
        + "diverged; take an earlier one.", in: model.path
    ) { _ = try Checkpoint(at: model.path).decoder(precision: .float32) }
  }

  /// A NaN beyond the first stretch of a tensor that is converted in several.
  func testNaNAtTheEndOfALargeTensor() throws {
    let sizes = TinyModel.Sizes(vocabulary: 1987, hidden: 67, intermediate: 5, layers: 1)
    let model = try ModelFolder(TinyModel.all(sizes)[3])
    let name = "model.embed_tokens.weight"
    XCTAssertGreaterThan(1987 * 67, 2 * 65536)
    assertSameParameters(
      try Checkpoint(at: model.path).decoder(precision: .float32), model.decoder, "large")
    for element in [65535, 65536, 131_072, 1987 * 67 - 1] {
      let before = try XCTUnwrap(model.tensors().first { $0.name == name })
      try model.edit(name) {
        $0.bytes.replaceSubrange(4 * element..<4 * element + 4, with: [0, 0, 0x80, 0x7f])
      }
      XCTAssertThrowsError(
        try Checkpoint(at: model.path).decoder(precision: .float32), "\(element)")
      try model.edit(name) { $0 = before }
    }
    assertSameParameters(
      try Checkpoint(at: model.path).decoder(precision: .float32), model.decoder, "mended")
  }

  /// Every finite bfloat16 and float16 there is, and a file whose data begin at an odd address.
  func testStoredTypes() throws {
    for dtype in [SafetensorsType.bf16, .f16] {
      let exponent: UInt16 = dtype == .bf16 ? 0x7f80 : 0x7c00
      let patterns = (UInt16.min...UInt16.max).filter { $0 & exponent != exponent }
      XCTAssertEqual(patterns.count, dtype == .bf16 ? 65280 : 63488)
      let sizes = TinyModel.Sizes(
        vocabulary: patterns.count / 32, hidden: 32, intermediate: 5, layers: 1)
      let model = try ModelFolder(TinyModel.all(sizes)[3])
      let name = "model.embed_tokens.weight"
      try model.edit(name) { tensor in
        tensor.dtype = dtype
        tensor.bytes = patterns.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
      }
      let expected = patterns.map { dtype == .bf16 ? fromBFloat16($0) : fromFloat16($0) }
      let file = URL(fileURLWithPath: model.path + "/model.safetensors")
      for isOdd in [false, true] {
        if isOdd {
          // One more space in the header: allowed, and moves all data by a byte.
          var data = try Data(contentsOf: file)
          let length = data.prefix(8).enumerated().reduce(0) { $0 + Int($1.1) << (8 * $1.0) }
          data.insert(UInt8(ascii: " "), at: 8 + length)
          for i in 0..<8 { data[i] = UInt8((length + 1) >> (8 * i) & 0xff) }
          try data.write(to: file)
        }
        let checkpoint = try Checkpoint(at: model.path)
        XCTAssertEqual(checkpoint.dtypes, [dtype, .f32])
        XCTAssertEqual(
          checkpoint.byteCount,
          patterns.count * 2
            + (model.decoder.parameters.reduce(0) { $0 + $1.count }
              - patterns.count) * 4)
        let decoder = try checkpoint.decoder(precision: .float32)
        assertSame(decoder.parameters[0].value.elements, expected, "\(dtype), odd: \(isOdd)")
        for (a, b) in zip(decoder.parameters, model.decoder.parameters).dropFirst() {
          assertSame(a.value.elements, b.value.elements, "\(a.name), odd: \(isOdd)")
        }
      }
    }
  }

  private func fromBFloat16(_ bits: UInt16) -> Float {
    value(bits, exponentBits: 8, fractionBits: 7)
  }

  private func fromFloat16(_ bits: UInt16) -> Float {
    value(bits, exponentBits: 5, fractionBits: 10)
  }

  /// The number that the bits mean, by the definition of binary floating point.
  private func value(_ bits: UInt16, exponentBits: Int, fractionBits: Int) -> Float {
    let fraction = Int(bits) & ((1 << fractionBits) - 1)
    let exponent = Int(bits) >> fractionBits & ((1 << exponentBits) - 1)
    let bias = (1 << (exponentBits - 1)) - 1
    let whole = exponent == 0 ? fraction : fraction + 1 << fractionBits
    let power = max(exponent, 1) - bias - fractionBits
    let magnitude = Float(Double(whole) * pow(2, Double(power)))
    return bits >> 15 == 1 ? -magnitude : magnitude
  }

  func testFileCutShortAfterOpening() throws {
    let model = try llama()
    let file = model.path + "/model.safetensors"
    let checkpoint = try Checkpoint(at: model.path)
    let size = try Data(contentsOf: URL(fileURLWithPath: file)).count
    XCTAssertEqual(truncate(file, size - 4096), 0)
    ModelTests.assertRefused(
      "FOLDER/model.safetensors: the file was cut from \(size) to \(size - 4096) bytes while it was "
        + "in use.", in: model.path
    ) { _ = try checkpoint.decoder(precision: .float32) }
  }

  // MARK: - Places

  /// A snapshot in the hub's cache: every file is a link into the blobs.
  func testHubCache() throws {
    let model = try untied()
    let cache = try TemporaryFolder()
    let snapshot = "models--x--y/snapshots/0123abc"
    try cache.makeFolder("models--x--y/blobs")
    try cache.makeFolder(snapshot)
    for (blob, name) in [("aaa", "config.json"), ("bbb", "model.safetensors")] {
      try FileManager.default.copyItem(
        atPath: model.path + "/" + name, toPath: cache.file("models--x--y/blobs/" + blob))
      try cache.link("\(snapshot)/\(name)", to: "../../blobs/\(blob)")
    }
    try cache.makeFolder("elsewhere")
    try cache.link("elsewhere/link", to: cache.file(snapshot))
    for path in [snapshot, snapshot + "/", "elsewhere/link"] {
      let checkpoint = try Checkpoint(at: cache.file(path))
      XCTAssertEqual(checkpoint.path, cache.file(path))
      assertSameParameters(try checkpoint.decoder(precision: .float32), model.decoder, path)
    }

    // The same links outside a cache lead out of the folder.
    try cache.makeFolder("a/b")
    try cache.makeFolder("a/blobs")
    try FileManager.default.copyItem(
      atPath: model.path + "/config.json", toPath: cache.file("a/b/config.json"))
    try FileManager.default.copyItem(
      atPath: model.path + "/model.safetensors", toPath: cache.file("a/blobs/bbb"))
    try cache.link("a/b/model.safetensors", to: "../blobs/bbb")
    ModelTests.assertRefused(
      "FOLDER/a/b/model.safetensors: a link out of the folder. Copy the file into it, or give the "
        + "folder that the file is in.", in: cache.path
    ) { _ = try Checkpoint(at: cache.file("a/b")) }
  }

  func testNotes() throws {
    let model = try llama()
    try model.configure("attention_dropout", .number(JSONNumber(text: "0.1")))
    XCTAssertEqual(
      try Checkpoint(at: model.path).notes,
      [
        "\(model.path)/config.json: 'attention_dropout' is 0.1, and is ignored: training here "
          + "drops nothing out."
      ])
  }
}
