import Foundation
import Models
import Safetensors
import Storage
import XCTest

@testable import Adapters

/// Folders that can be read, and what every other folder is refused with.
final class AdapterCheckpointTests: XCTestCase {
  private let question = "Is it for another model? Its configuration names 'somebody/tiny-base'."
  private let merge = "Merge the adapter with PEFT's 'merge_and_unload'."
  private let weights = "FOLDER/adapter/adapter_model.safetensors: "
  private let first = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"

  private func assertRefused(
    _ words: String..., in folder: TemporaryFolder, model: ModelConfiguration? = nil,
    line: UInt = #line
  ) {
    AdapterTests.assertRefused(
      words.joined(separator: "\n"), in: folder.path, line: line
    ) { _ = try folder.open(model) }
  }

  private func copy(_ name: String = "all-linear") throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.copyAdapter(name)
    return folder
  }

  func testPairs() throws {
    for (name, count, dtype) in [
      ("all-linear", 21, SafetensorsType.f32), ("rank-stabilized", 9, .f32), ("pattern", 8, .bf16),
      ("some-layers", 4, .f16), ("bfloat16", 12, .f32),
    ] {
      let adapter = try AdapterCheckpoint(at: fixtures + "/" + name, for: baseModel())
      XCTAssertEqual(adapter.notes, [], name)
      XCTAssertEqual(adapter.pairs.count, count, name)
      XCTAssertEqual(
        adapter.pairs.map(\.layer), try adapter.configuration.adaptedLayers(of: baseModel()))
      let file = try SafetensorsFile(at: "\(fixtures)/\(name)/adapter_model.safetensors")
      XCTAssertEqual(file.tensorNames.count, 2 * count, name)
      for pair in adapter.pairs {
        for (tensor, name, shape) in [
          (pair.readA(), pair.layer.nameOfA, pair.layer.shapeOfA),
          (pair.readB(), pair.layer.nameOfB, pair.layer.shapeOfB),
        ] {
          let stored = try XCTUnwrap(file[name])
          XCTAssertEqual(stored.dtype, dtype)
          XCTAssertEqual(tensor.shape, shape)
          XCTAssertEqual(Array(tensor.elements), StoredTensor(stored).floats, name)
        }
      }
      XCTAssertNoThrow(try adapter.checkSize())
    }
  }

  func testNotes() throws {
    let folder = try copy()
    try folder.configure(
      "target_modules",
      "[\"q_proj\",\"k_proj\",\"v_proj\",\"o_proj\",\"up_proj\",\"gate_proj\",\"down_proj\","
        + "\"c_attn\",\"fc1\"]")
    try folder.configure("new_key", "7")
    try folder.edit { tensors in
      for index in tensors.indices where tensors[index].name.hasSuffix("lora_B.weight") {
        tensors[index].bytes = Array(repeating: 0, count: tensors[index].bytes.count)
      }
    }
    XCTAssertEqual(
      try folder.open().notes.map { $0.replacingOccurrences(of: folder.path, with: "FOLDER") },
      [
        "FOLDER/adapter/adapter_config.json: 'new_key' is 7, which is not known here and has no "
          + "effect.",
        "FOLDER/adapter/adapter_config.json: no module of the model is named 'c_attn' and 1 more.",
        "\(weights)every B is zero, so that the adapter changes nothing. Was it saved before it was "
          + "trained?",
      ])
  }

  // MARK: - Folders

  func testWrongFolders() throws {
    let folder = try TemporaryFolder()
    assertRefused("FOLDER/adapter: there is no such folder.", in: folder)
    try folder.write("", as: "adapter")
    assertRefused("FOLDER/adapter: a file. Give the folder that it is in.", in: folder)
    try folder.remove("adapter")
    try folder.makeFolder("adapter")
    assertRefused(
      "FOLDER/adapter: no 'adapter_config.json'. An adapter is a folder with that file and "
        + "'adapter_model.safetensors', as PEFT saves it.", in: folder)
    try folder.makeFolder("adapter/checkpoint-500")
    try folder.write("{}", as: "adapter/checkpoint-500/adapter_config.json")
    assertRefused(
      "FOLDER/adapter: no 'adapter_config.json', but there is one in its folder 'checkpoint-500'. "
        + "Give the folder of the adapter itself.", in: folder)
    for (text, words) in [
      ("", "FOLDER/adapter/adapter_config.json: the file is empty."),
      (
        "{\"r\": 1,}",
        "FOLDER/adapter/adapter_config.json:1:8: a comma before '}'. Remove the comma."
      ),
      (
        "[]",
        "FOLDER/adapter/adapter_config.json: the file holds a list, not an object with the "
          + "adapter's configuration."
      ),
    ] {
      try folder.write(text, as: "adapter/adapter_config.json")
      assertRefused(words, in: folder)
    }
    try folder.remove("adapter/adapter_config.json")
    try folder.makeFolder("adapter/adapter_config.json")
    assertRefused(
      "FOLDER/adapter/adapter_config.json: a folder, where a file is needed.", in: folder)
  }

  func testNoWeights() throws {
    let folder = try copy()
    try folder.remove("adapter/adapter_model.safetensors")
    assertRefused(
      "FOLDER/adapter: no 'adapter_model.safetensors' beside 'adapter_config.json'. Fetch the whole "
        + "adapter.", in: folder)
    try folder.write("PK", as: "adapter/adapter_model.bin")
    assertRefused(
      "FOLDER/adapter: there is only 'adapter_model.bin', a pickle, which may run code when it is "
        + "read, and is not read here. Save the adapter again with PEFT, as "
        + "'adapter_model.safetensors'.", in: folder)
    try folder.write("short", as: "adapter/adapter_model.safetensors")
    assertRefused(
      "\(weights)the file has 5 bytes, fewer than the length of a header. Fetch it again.",
      in: folder)
  }

  func testWhatPEFTWritesBesideDoesNoHarm() throws {
    let folder = try copy()
    try folder.write("PK", as: "adapter/adapter_model.bin")
    try folder.write("# Card", as: "adapter/README.md")
    XCTAssertEqual(try folder.open().pairs.count, 21)
  }

  // MARK: - Tensors

  func testMissing() throws {
    let folder = try copy()
    try folder.edit { $0.removeAll { $0.name == first } }
    assertRefused(
      "\(weights)no tensor '\(first)', which the adapter's configuration asks for. \(question)",
      in: folder)
    try folder.edit { $0.removeAll { $0.name.contains("layers.0.") } }
    assertRefused(
      "\(weights)no tensor '\(first)' and 13 more, which the adapter's configuration asks for. "
        + question, in: folder)
    try folder.configure("base_model_name_or_path", "\"\"")
    assertRefused(
      "\(weights)no tensor '\(first)' and 13 more, which the adapter's configuration asks for. Is "
        + "it for another model?", in: folder)
  }

  func testSurplus() throws {
    let place = "base_model.model.model."
    let whole =
      "is a whole weight beside the adapter, as of a vocabulary that has grown, which is not "
      + "supported. \(merge)"
    for (name, words) in [
      (
        place + "layers.3.mlp.up_proj.lora_A.weight",
        "is none of those that the adapter's configuration asks for in a qwen2 model of 3 layers. "
          + question
      ),
      (
        "base_model.model.layers.0.mlp.up_proj.lora_A.weight",
        "has another name than PEFT gives to adapters of a qwen2 model with its head, which begin "
          + "with 'base_model.model.model.layers.'."
      ),
      (
        place + "layers.0.mlp.up_proj.lora_A.default.weight",
        "has an adapter's name in its own, as adapters have in memory only. Save it with PEFT's "
          + "'save_pretrained'."
      ),
      (
        place + "layers.0.mlp.up_proj.lora_magnitude_vector",
        "has lengths of DoRA, which is not supported. \(merge)"
      ),
      (
        place + "layers.0.mlp.up_proj.lora_B.bias",
        "is a bias of the adapter's own, which is not supported. \(merge)"
      ),
      (
        place + "embed_tokens.lora_embedding_A",
        "is an adapter of an embedding, which is not supported. \(merge)"
      ),
      (
        "base_model.model.lm_head.lora_A.weight",
        "is an adapter of the head, which is not supported. \(merge)"
      ),
      (place + "embed_tokens.weight", whole),
      ("base_model.model.lm_head.modules_to_save.weight", whole),
      (place + "layers.0.mlp.up_proj.lora_E", "is no tensor that adapters have. \(question)"),
    ] {
      let folder = try copy()
      try folder.edit { $0.append(StoredTensor(name, .f32, [1])) }
      assertRefused("\(weights)'\(name)' \(words)", in: folder)
      try folder.edit { $0.append(StoredTensor("\u{7f0}" + name, .f32, [1])) }
      AdapterTests.assertRefused("\(weights)'\(name)' and 1 more \(words)", in: folder.path) {
        _ = try folder.open()
      }
    }
  }

  func testAdapterForFewerModules() throws {
    let folder = try copy()
    try folder.configure("target_modules", "[\"k_proj\"]")
    XCTAssertThrowsError(try folder.open()) { error in
      XCTAssertTrue("\(error)".contains(" and 35 more is none of those that"), "\(error)")
    }
  }

  func testShapes() throws {
    let folder = try copy()
    try folder.edit(first) { tensor in
      tensor = StoredTensor(first, .f32, [3, 22])
    }
    assertRefused(
      "\(weights)'\(first)' is 3×22; the model and the adapter's configuration need 3×21. "
        + question, in: folder)
    try folder.edit(first) { $0 = StoredTensor(first, .f32, [21, 3]) }
    let b = first.replacingOccurrences(of: "lora_A", with: "lora_B")
    try folder.edit(b) { $0 = StoredTensor(b, .f32, [90]) }
    assertRefused(
      "\(weights)'\(first)' is 21×3; the model and the adapter's configuration need 3×21. Of 1 more "
        + "tensor the shape is another one too. \(question)", in: folder)
    try folder.edit(first) { $0 = StoredTensor(first, .f32, []) }
    assertRefused(
      "\(weights)'\(first)' is a single number; the model and the adapter's configuration need "
        + "3×21. Of 1 more tensor the shape is another one too. \(question)", in: folder)
  }

  func testRanks() throws {
    let folder = try copy()
    try folder.configure("r", "4")
    assertRefused(
      "\(weights)'\(first)' is 3×21; the model and the adapter's configuration need 4×21. Of 41 "
        + "more tensors the shape is another one too. Is 'r' or 'rank_pattern' another adapter's?",
      in: folder)
  }

  func testAnotherModel() throws {
    let folder = try copy()
    let other = try Checkpoint.readConfiguration(
      in: fixtures.replacingOccurrences(of: "/adapters", with: "/parity/qwen2-tied"))
    assertRefused(
      "\(weights)'base_model.model.model.layers.2.mlp.down_proj.lora_A.weight' and 13 more is none of "
        + "those that the adapter's configuration asks for in a qwen2 model of 2 layers. \(question)",
      "\(weights)'\(first)' is 3×21; the model and the adapter's configuration need 3×24. Of 27 more "
        + "tensors the shape is another one too. \(question)", in: folder, model: other)
  }

  func testTypes() throws {
    let folder = try copy()
    try folder.edit(first) { $0 = StoredTensor(first, .f64, [3, 21]) }
    assertRefused(
      "\(weights)'\(first)' is of type F64, not F32, BF16 or F16. Save the adapter in one of these.",
      in: folder)
    let b = first.replacingOccurrences(of: "lora_A", with: "lora_B")
    try folder.edit(b) { $0 = StoredTensor(b, .i8, [30, 3]) }
    assertRefused(
      "\(weights)'\(first)' and 1 more is of type F64, not F32, BF16 or F16. Save the adapter in one "
        + "of these.", in: folder)
  }

  func testNotFinite() throws {
    let broken =
      "NaN or infinity. The adapter is damaged, or its training diverged; take an earlier one."
    for (name, dtype, bits) in [
      ("all-linear", SafetensorsType.f32, [0, 0, 0xC0, 0x7F] as [UInt8]),
      ("all-linear", .f32, [0, 0, 0x80, 0xFF]),
      ("pattern", .bf16, [0x80, 0x7F]), ("some-layers", .f16, [1, 0xFC]),
    ] {
      let folder = try copy(name)
      var names: [String] = []
      try folder.edit { tensors in
        let index = tensors.count - 1
        XCTAssertEqual(tensors[index].dtype, dtype)
        let start = tensors[index].bytes.count - bits.count
        tensors[index].bytes.replaceSubrange(start..<start + bits.count, with: bits)
        names = [tensors[index].name]
      }
      assertRefused("\(weights)'\(names[0])' holds \(broken)", in: folder)
    }
    let folder = try copy()
    try folder.edit { tensors in
      for index in tensors.indices { tensors[index].bytes[2...3] = [0xC0, 0x7F] }
    }
    assertRefused("\(weights)'\(first)' and 41 more tensors hold \(broken)", in: folder)
    // The largest and the smallest there are, are numbers.
    try folder.edit { tensors in
      for index in tensors.indices {
        tensors[index].bytes[0...7] = [0xFF, 0xFF, 0x7F, 0xFF, 1, 0, 0, 0]
      }
    }
    XCTAssertEqual(try folder.open().notes, [])
  }
}
