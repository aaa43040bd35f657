import Foundation
import Models
import Safetensors
import Tensors
import XCTest

@testable import Commands

/// `merge`, against what PEFT's `merge_and_unload` made; see `Fixtures/adapters/generate.py`.
final class MergeTests: XCTestCase {
  private let adapters = fixtures + "/adapters"
  private var base: String { adapters + "/base" }

  func testMergedModelsOfPEFT() throws {
    var changed = 0
    for name in ["all-linear", "rank-stabilized", "pattern", "some-layers"] {
      let folder = try TemporaryFolder()
      let run = distill("merge", base, "\(adapters)/\(name)", folder.file("out"))
      XCTAssertEqual(run.errors, "", name)
      XCTAssertEqual(run.status, 0, name)
      XCTAssertEqual(folder.names("out"), ["config.json", "model.safetensors"])
      let before = try SafetensorsFile(at: base + "/model.safetensors")
      let merged = try SafetensorsFile(at: "\(adapters)/\(name)/merged.safetensors")
      let after = try SafetensorsFile(at: folder.file("out/model.safetensors"))
      XCTAssertEqual(after.tensorNames, before.tensorNames)
      for tensor in after.tensors {
        let old = try XCTUnwrap(before[tensor.name])
        XCTAssertEqual(tensor.shape, old.shape)
        XCTAssertEqual(tensor.dtype, .f32)
        guard let expected = merged[tensor.name] else {
          XCTAssertEqual(floats(tensor).map(\.bitPattern), floats(old).map(\.bitPattern))
          continue
        }
        for (i, (value, other)) in zip(floats(tensor), floats(expected)).enumerated() {
          // Sums of at most seven products of numbers near 1, in any order.
          XCTAssertEqual(value, other, accuracy: 2e-6, "\(name): \(tensor.name)[\(i)]")
        }
        changed += 1
      }
    }
    XCTAssertEqual(changed, 42)
  }

  /// A base in bfloat16: the sum is rounded once, as PEFT does it.
  func testBFloat16() throws {
    let folder = try TemporaryFolder()
    let (narrow, output) = (folder.file("base"), folder.file("out"))
    XCTAssertEqual(distill("convert", base, narrow, "--dtype", "bfloat16").status, 0)
    XCTAssertEqual(distill("merge", narrow, adapters + "/bfloat16", output).status, 0)
    XCTAssertEqual(try Checkpoint.readConfiguration(in: output).dtype, .bfloat16)
    let before = try SafetensorsFile(at: narrow + "/model.safetensors")
    let merged = try SafetensorsFile(at: adapters + "/bfloat16/merged.safetensors")
    let after = try SafetensorsFile(at: output + "/model.safetensors")
    var (compared, other) = (0, 0)
    for tensor in after.tensors {
      XCTAssertEqual(tensor.dtype, .bf16)
      guard let expected = merged[tensor.name] else {
        XCTAssertEqual(words(tensor), words(try XCTUnwrap(before[tensor.name])))
        continue
      }
      XCTAssertEqual(tensor.shape, expected.shape)
      for (value, reference) in zip(words(tensor), words(expected)) {
        // A sum in another order may fall on the other side of a half.
        XCTAssertLessThanOrEqual(abs(Int(value) - Int(reference)), 1, tensor.name)
        if value != reference { other += 1 }
        compared += 1
      }
    }
    XCTAssertEqual(compared, 6930)
    XCTAssertLessThanOrEqual(other, 3)
    // Written wider, the base's own type does not round the sum.
    XCTAssertEqual(
      distill(
        "merge", narrow, adapters + "/bfloat16", folder.file("wide"), "--dtype", "float32"
      ).status, 0)
    let wide = try SafetensorsFile(at: folder.file("wide/model.safetensors"))
    for tensor in after.tensors {
      let values = floats(try XCTUnwrap(wide[tensor.name]))
      XCTAssertEqual(values.map { BFloat16($0).bitPattern }, words(tensor), tensor.name)
    }
  }

  func testOutput() throws {
    let folder = try TemporaryFolder()
    let output = folder.file("out")
    assertPrints(
      distill("merge", base, adapters + "/all-linear", output),
      """
      \(output): 10,713 (10.7 k) parameters as float32, 45.5 KiB in 1 file.
      Merged \(adapters)/all-linear into 21 linear layers, with rank 3 and scale 2.3333; it names \
      'somebody/tiny-base' as its model.
      """)
    assertPrints(
      distill(
        "merge", base, adapters + "/rank-stabilized", output, "--replace", "--dtype", "bfloat16",
        "--shard-size", "9KB"),
      """
      \(output): 10,713 (10.7 k) parameters as bfloat16, 24.7 KiB in 3 files.
      Merged \(adapters)/rank-stabilized into 9 linear layers, with rank 2 to 7 and scale 1.3416 to \
      5.6569; it names 'somebody/tiny-base' as its model.
      """)
  }

  func testSameBitsOnAnyThreads() throws {
    let pool = ThreadPool.shared
    let threads = pool.threads
    defer { pool.threads = threads }
    let folder = try TemporaryFolder()
    for count in ["1", "3"] {
      XCTAssertEqual(
        distill(
          "merge", base, adapters + "/all-linear", folder.file(count), "--threads", count
        ).status, 0)
    }
    XCTAssertEqual(
      folder.bytes("1/model.safetensors"), folder.bytes("3/model.safetensors"))
    XCTAssertNotNil(folder.bytes("1/model.safetensors"))
  }

  // MARK: - Files that come along

  /// Merges with a model and an adapter that have these files, a text each.
  private func carried(
    _ model: [String: String], _ adapter: [String: String],
    notes: (TemporaryFolder) -> String = { _ in "" },
    line: UInt = #line
  ) throws -> [String: String] {
    let folder = try TemporaryFolder()
    for (name, origin, files) in [
      ("model", base, model), ("adapter", adapters + "/pattern", adapter),
    ] {
      try FileManager.default.copyItem(atPath: origin, toPath: folder.file(name))
      for (file, text) in files { try folder.write(text, as: "\(name)/\(file)") }
    }
    let run = distill("merge", folder.file("model"), folder.file("adapter"), folder.file("out"))
    XCTAssertEqual(run.errors, notes(folder), line: line)
    XCTAssertEqual(run.status, 0, line: line)
    var found: [String: String] = [:]
    for name in folder.names("out") where !["config.json", "model.safetensors"].contains(name) {
      found[name] = String(decoding: try XCTUnwrap(folder.bytes("out/" + name)), as: UTF8.self)
    }
    XCTAssertEqual(
      run.output.contains("\nCarried along: "), !found.isEmpty, run.output, line: line)
    return found
  }

  func testFilesOfTheModel() throws {
    let files = [
      "tokenizer.json": "t", "tokenizer_config.json": "{}", "generation_config.json": "g",
      "chat_template.jinja": "c", "merges.txt": "", "LICENSE": "l",
    ]
    XCTAssertEqual(try carried(files, [:]), files)
    XCTAssertEqual(try carried(files.merging(["README.md": "r"]) { $1 }, ["README.md": "r"]), files)
  }

  func testFilesOfTheAdapterComeFirst() throws {
    let old = ["generation_config.json": "g", "chat_template.jinja": "c", "NOTICE": "n"]
    XCTAssertEqual(
      try carried(old, ["generation_config.json": "new", "chat_template.jinja": "newer"]),
      ["generation_config.json": "new", "chat_template.jinja": "newer", "NOTICE": "n"])
  }

  func testTokenizersAreNotMixed() throws {
    let old = [
      "tokenizer.json": "t", "vocab.json": "v", "merges.txt": "m", "special_tokens_map.json": "s",
      "tokenizer_config.json": "{}", "added_tokens.json": "a", "generation_config.json": "g",
      "LICENSE": "l", "chat_template.jinja": "c",
    ]
    XCTAssertEqual(
      try carried(old, ["tokenizer.json": "new", "tokenizer_config.json": "{\"a\": 1}"]),
      [
        "tokenizer.json": "new", "tokenizer_config.json": "{\"a\": 1}",
        "generation_config.json": "g", "LICENSE": "l", "chat_template.jinja": "c",
      ])
    XCTAssertEqual(
      try carried(old, ["tokenizer.json": "new"]),
      [
        "tokenizer.json": "new", "tokenizer_config.json": "{}", "generation_config.json": "g",
        "LICENSE": "l", "chat_template.jinja": "c",
      ])
    // Only some of its settings are other ones.
    XCTAssertEqual(
      try carried(old, ["special_tokens_map.json": "new"]),
      old.merging(["special_tokens_map.json": "new"]) { $1 })
  }

  /// transformers prefers a template in a file of its own to one in tokenizer_config.json.
  func testTemplatesAreNotMixed() throws {
    let old = ["chat_template.jinja": "c", "tokenizer_config.json": "{\"chat_template\": \"x\"}"]
    let new = "{\"chat_template\": \"new\"}"
    XCTAssertEqual(
      try carried(old, ["tokenizer_config.json": new]), ["tokenizer_config.json": new])
    for other in ["{\"chat_template\": null}", "{}", "not JSON", ""] {
      XCTAssertEqual(
        try carried(old, ["tokenizer_config.json": other]),
        ["chat_template.jinja": "c", "tokenizer_config.json": other])
    }
    XCTAssertEqual(
      try carried(old, ["chat_template.json": "new"]),
      ["chat_template.json": "new", "tokenizer_config.json": "{\"chat_template\": \"x\"}"])
  }

  func testLicences() throws {
    XCTAssertEqual(
      try carried(["LICENSE": "l"], ["LICENSE": "l", "NOTICE": "n"]),
      ["LICENSE": "l", "NOTICE": "n"])
    XCTAssertEqual(
      try carried(["LICENSE": "l"], ["LICENSE": "other"]) {
        "Note: \($0.file("adapter/LICENSE")): differs from the model's own, which is the one that is "
          + "carried along.\n"
      }, ["LICENSE": "l"])
  }

  func testFoldersAndLinks() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("model")
    for part in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: "\(base)/\(part)", toPath: folder.file("model/" + part))
    }
    try folder.makeFolder("model/LICENSES")
    let adapter = adapters + "/pattern"
    XCTAssertEqual(distill("merge", folder.file("model"), adapter, folder.file("out")).status, 0)
    XCTAssertEqual(folder.names("out"), ["config.json", "model.safetensors"])
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("model/tokenizer.json"), withDestinationPath: "nowhere")
    assertFails(
      distill("merge", folder.file("model"), adapter, folder.file("other")),
      "\(folder.file("model/tokenizer.json")): there is no such file or folder.")
    XCTAssertEqual(folder.names(), ["model", "out"])
  }

  // MARK: - Refusals

  func testWrongPlaces() throws {
    let folder = try TemporaryFolder()
    let (missing, output) = (folder.file("missing"), folder.file("out"))
    let adapter = adapters + "/pattern"
    assertFails(distill("merge", missing, adapter, output), "\(missing): there is no such folder.")
    assertFails(distill("merge", base, missing, output), "\(missing): there is no such folder.")
    assertFails(
      distill("merge", base, adapter + "/adapter_config.json", output),
      "\(adapter)/adapter_config.json: a file. Give the folder that it is in.")
    assertFails(
      distill("merge", base, base, output),
      "\(base): no 'adapter_config.json'. An adapter is a folder with that file and "
        + "'adapter_model.safetensors', as PEFT saves it.")
    assertFails(
      distill("merge", adapter, base, output),
      "\(adapter): no 'config.json'. A checkpoint is a folder with config.json and safetensors "
        + "files, as transformers saves it.")
    XCTAssertEqual(folder.names(), [])
    // Copies, which a mistake may overwrite.
    let (model, own) = (folder.file("model"), folder.file("own"))
    try FileManager.default.copyItem(atPath: base, toPath: model)
    try FileManager.default.copyItem(atPath: adapter, toPath: own)
    for place in [model, own, own + "/"] {
      assertFails(
        distill("merge", model, own, place, "--replace"),
        "\(place): the folder that is read. Choose another one to write.")
    }
    XCTAssertEqual(folder.names("model"), ["config.json", "model.safetensors"])
    XCTAssertEqual(distill("merge", base, adapter, output).status, 0)
    assertFails(
      distill("merge", base, adapter, output),
      "\(output): the folder is not empty. Choose another name, or add '--replace'.")
    XCTAssertEqual(distill("merge", base, adapter, output, "--replace").status, 0)
    try FileManager.default.copyItem(atPath: adapter, toPath: folder.file("other"))
    assertFails(
      distill("merge", base, adapter, folder.file("other"), "--replace"),
      "\(folder.file("other")): 'adapter_config.json' in it would be lost, as the folder is replaced "
        + "as a whole. Move that away, or choose another folder.")
  }

  func testAdapterOfAnotherModel() throws {
    let folder = try TemporaryFolder()
    let file = adapters + "/pattern/adapter_model.safetensors"
    assertFails(
      distill("merge", fixtures + "/parity/qwen2-tied", adapters + "/pattern", folder.file("out")),
      "\(file): 'base_model.model.model.layers.2.mlp.down_proj.lora_A.weight' and 7 more is none of "
        + "those that the adapter's configuration asks for in a qwen2 model of 2 layers. Is it for "
        + "another model? Its configuration names 'somebody/tiny-base'.",
      "\(file): 'base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight' is 2×21; the model "
        + "and the adapter's configuration need 2×24. Of 7 more tensors the shape is another one "
        + "too. Is it for another model? Its configuration names 'somebody/tiny-base'.")
    XCTAssertEqual(folder.names(), [])
  }

  func testNumbersThatAreTooLarge() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: adapters + "/all-linear", toPath: folder.file("adapter"))
    let path = folder.file("adapter/adapter_model.safetensors")
    let large = Float(1e30).bitPattern
    let bytes = (0..<4).map { UInt8(large >> (8 * $0) & 0xff) }
    let sources = try SafetensorsFile(at: path).tensors.map { tensor in
      tensor.name.contains("layers.1.mlp.up_proj")
        ? TensorSource(
          tensor.name, .f32, tensor.shape,
          (0..<tensor.byteCount).map { bytes[$0 % 4] }) : TensorSource(tensor)
    }
    try SafetensorsFile.write(sources, to: path)
    assertFails(
      distill("merge", base, folder.file("adapter"), folder.file("out")),
      "\(folder.file("adapter")): merged into 'model.layers.1.mlp.up_proj.weight', it gives numbers "
        + "that are too large for float32. Is it for another model?")
    XCTAssertEqual(folder.names(), ["adapter"])
  }

  func testNotes() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: adapters + "/all-linear", toPath: folder.file("adapter"))
    try folder.edit(
      "adapter/adapter_config.json", "\"velora_config\": null", "\"velora_config\": {\"x\": 1}")
    try folder.edit(
      "adapter/adapter_config.json", "\"somebody/tiny-base\"", "null")
    let run = distill("merge", base, folder.file("adapter"), folder.file("out"))
    XCTAssertEqual(
      run.errors,
      "Note: \(folder.file("adapter"))/adapter_config.json: 'velora_config' is an object, which is "
        + "not known here and has no effect.\n")
    XCTAssertTrue(run.output.hasSuffix("with rank 3 and scale 2.3333.\n"), run.output)
  }

  func testMisuse() {
    assertMisuse(distill("merge", "a", "b"), "Missing argument '<output>'.")
    assertMisuse(
      distill("merge", "a", "b", "c", "--dtype", "float16"),
      "'--dtype <type>' must be 'float32' or 'bfloat16', but was given 'float16'.")
  }
}
