import Foundation
import Interface
import Models
import Safetensors
import Tensors
import XCTest

@testable import Commands

final class InitializeTests: XCTestCase {
  /// Writes a recipe; the embedding of its model has more elements than are written at a time.
  private func makeRecipe(_ folder: TemporaryFolder, _ changes: [String: String] = [:]) throws {
    var values = [
      "configuration": "'\(folder.file("config.json"))'", "seed": "7", "dtype": "'float32'",
      "output": "'\(folder.file("out"))'", "shardSize": "'3MB'",
    ]
    values.merge(changes) { $1 }
    let members = values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value),\n" }
    try folder.write("{\n\(members.joined())}", as: "recipe.json5")
    try folder.write(
      """
      {"model_type": "qwen2", "vocab_size": 33000, "hidden_size": 32, "intermediate_size": 40,
      "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
      "initializer_range": 0.125, "tie_word_embeddings": true}
      """, as: "config.json")
  }

  func testSameBytesAsSavingADecoder() throws {
    for dtype in StoredType.allCases {
      let folder = try TemporaryFolder()
      try makeRecipe(folder, ["dtype": "'\(dtype.rawValue)'"])
      let configuration = try ModelName(folder.file("config.json")).configuration
      let decoder = Decoder(configuration, precision: .float32)
      decoder.initialize(seed: 7)
      try Checkpoint.save(
        decoder, to: folder.file("saved"),
        options: .init(dtype: dtype.dtype, maximumShardBytes: 3_000_000))

      let output = folder.file("out")
      let size = dtype == .float32 ? "4.1 MiB in 2 files" : "2.0 MiB in 1 file"
      assertPrints(
        distill("initialize", folder.file("recipe.json5")),
        "\(output): 1,063,072 (1.06 M) parameters as \(dtype.rawValue), \(size).")
      XCTAssertEqual(folder.names("out"), folder.names("saved"))
      for name in folder.names("out") {
        XCTAssertTrue(folder.bytes("out/" + name) == folder.bytes("saved/" + name), name)
      }
    }
  }

  func testSameWeightsOnAnyNumberOfThreads() throws {
    let folder = try TemporaryFolder()
    try makeRecipe(folder)
    let pool = ThreadPool.shared
    let threads = pool.threads
    defer { pool.threads = threads }
    let recipe = folder.file("recipe.json5")
    for (count, name) in [("1", "one"), ("3", "three")] {
      let output = folder.file(name)
      let run = distill("initialize", recipe, "--threads", count, "--set", "output=\(output)")
      XCTAssertEqual(run.status, 0, run.errors)
      XCTAssertEqual(pool.threads, Int(count))
    }
    XCTAssertEqual(
      folder.names("one"),
      ["config.json"] + [1, 2].map { "model-0000\($0)-of-00002.safetensors" }
        + ["model.safetensors.index.json"])
    for name in folder.names("one") {
      XCTAssertTrue(folder.bytes("one/" + name) == folder.bytes("three/" + name), name)
    }
  }

  func testSeedAndDistribution() throws {
    let folder = try TemporaryFolder()
    try makeRecipe(folder, ["shardSize": "'5GB'"])
    let recipe = folder.file("recipe.json5")
    var weights: [[Float]] = []
    for seed in ["7", "8"] {
      XCTAssertEqual(distill("initialize", recipe, "--set", "seed=\(seed)", "--replace").status, 0)
      let file = try SafetensorsFile(at: folder.file("out/model.safetensors"))
      weights.append(floats(try XCTUnwrap(file["model.embed_tokens.weight"])))
      let norm = floats(try XCTUnwrap(file["model.norm.weight"]))
      XCTAssertEqual(norm, [Float](repeating: 1, count: 32))
      let bias = floats(try XCTUnwrap(file["model.layers.0.self_attn.k_proj.bias"]))
      XCTAssertEqual(bias, [Float](repeating: 0, count: 16))
    }
    XCTAssertEqual(zip(weights[0], weights[1]).filter { $0 == $1 }.count, 0)
    let squares = weights[0].reduce(0.0) { $0 + Double($1) * Double($1) }
    XCTAssertEqual((squares / Double(weights[0].count)).squareRoot(), 0.125, accuracy: 1e-3)
  }

  func testRoundTrips() throws {
    let folder = try TemporaryFolder()
    try makeRecipe(folder, ["tokenizer": "'\(folder.file("tokenizer"))'"])
    try folder.makeFolder("tokenizer")
    try folder.write("{}", as: "tokenizer/tokenizer.json")
    try folder.write("{{ x }}", as: "tokenizer/chat_template.jinja")
    try folder.write("x", as: "tokenizer/model.safetensors")
    let output = folder.file("out")
    assertPrints(
      distill("initialize", folder.file("recipe.json5")),
      """
      \(output): 1,063,072 (1.06 M) parameters as float32, 4.1 MiB in 2 files.
      Carried along: chat_template.jinja and tokenizer.json.
      """)
    let converted = folder.file("converted")
    assertPrints(
      distill("convert", output, converted, "--dtype", "bfloat16", "--shard-size", "1MiB"),
      """
      \(converted): 1,063,072 (1.06 M) parameters as bfloat16, 2.0 MiB in 2 files.
      Carried along: chat_template.jinja and tokenizer.json.
      """)
    assertPrints(
      distill("inspect", converted),
      """
      \(converted)

      Family              qwen2
      Layers              1
      Hidden size         32
      Attention heads     4 of 8 channels, 2 for keys and values
      Feed-forward size   40
      Vocabulary          33,000
      Positions           32,768
      RoPE                default, theta 10,000
      Head                tied to the embedding, stored as 'model.embed_tokens.weight'
      Parameters          1,063,072 (1.06 M); 7,072 (7.07 k) without embedding and head
      Memory to run       4.1 MiB of weights in float32, 2.0 MiB in bfloat16
      Memory to train     16.2 MiB: weights, gradients and two moments in float32
      Stored as           bfloat16, 2.0 MiB in 2 files
      Tokenizer           tokenizer.json
      Chat template       chat_template.jinja
      """)
    let before = try Checkpoint(at: output).tensors
    let after = try Checkpoint(at: converted).tensors
    for name in before.tensorNames {
      XCTAssertEqual(
        words(try XCTUnwrap(after[name])),
        floats(try XCTUnwrap(before[name])).map { BFloat16($0).bitPattern }, name)
    }
  }

  func testConfigurationByFolderAndName() throws {
    let folder = try TemporaryFolder()
    try makeRecipe(folder, ["configuration": "'\(fixtures)/parity/llama3-untied'"])
    XCTAssertEqual(distill("initialize", folder.file("recipe.json5")).status, 0)
    let configuration = try Checkpoint(at: folder.file("out")).configuration
    XCTAssertEqual(configuration.vocabSize, 59)
    guard case .known(let known) = try ModelName("llama-3.2-1b") else { return XCTFail("known") }
    XCTAssertEqual(known.name, "Llama-3.2-1B")
  }

  // MARK: - Refusals

  func testMistakesInTheRecipe() throws {
    let folder = try TemporaryFolder()
    let recipe = folder.file("recipe.json5")
    try makeRecipe(
      folder,
      [
        "shardSize": "5", "dtype": "'float16'", "seed": "-1", "configuration": "3",
        "output": "[]",
      ])
    assertFails(
      distill("initialize", recipe, "--set", "tokenizer=1"),
      "\(recipe):2:16: 'configuration' must be a text; it is 3.",
      "\(recipe):3:8: 'dtype' must be 'float32' or 'bfloat16'; it is 'float16'.",
      "\(recipe):4:9: 'output' must be a text; it is a list.",
      "\(recipe):5:7: 'seed' must be at least 0; it is -1.",
      "\(recipe):6:12: 'shardSize' must be a text; it is 5.",
      "--set 'tokenizer=1': 'tokenizer' must be a text; it is 1. If it is meant as a text, write "
        + "--set 'tokenizer=\"1\"'.")
    try folder.write("{ sed: 1 }", as: "recipe.json5")
    assertFails(
      distill("initialize", recipe),
      "\(recipe):1:1: missing key 'configuration'.", "\(recipe):1:1: missing key 'dtype'.",
      "\(recipe):1:1: missing key 'output'.", "\(recipe):1:1: missing key 'shardSize'.",
      "\(recipe):1:3: unknown key 'sed'. Did you mean 'seed'?")
    try makeRecipe(folder, ["shardSize": "'5'"])
    assertFails(
      distill("initialize", recipe),
      "\(recipe): 'shardSize' must be a size such as '5GB' or '500MB'; it is '5'.")
    XCTAssertThrowsError(
      try RecipeKind.initialize.check(
        Data(try XCTUnwrap(folder.bytes("recipe.json5"))), file: "recipe.json5")
    ) {
      XCTAssertEqual(
        "\($0)", "The recipe: 'shardSize' must be a size such as '5GB' or '500MB'; it is '5'.")
    }
    assertFails(
      distill("initialize", folder.file("recipe.json")),
      "\(folder.file("recipe.json")): there is no such file. Did you mean 'recipe.json5'?")
  }

  func testPlacesInTheRecipe() throws {
    let folder = try TemporaryFolder()
    let recipe = folder.file("recipe.json5")
    try makeRecipe(folder)
    assertFails(
      distill("initialize", recipe, "--set", "configuration=Qwen2.5-0.6B"),
      "Qwen2.5-0.6B: there is no such file or folder. 'Qwen2.5-0.6B' is not the name of a known "
        + "model. Did you mean 'Qwen2.5-0.5B'?")
    assertFails(
      distill("initialize", recipe, "--set", "tokenizer=\(folder.path)"),
      "\(folder.path): no 'tokenizer.json', which 'tokenizer' is to carry along.")
    XCTAssertEqual(folder.names(), ["config.json", "recipe.json5"])

    XCTAssertEqual(distill("initialize", recipe).status, 0)
    let output = folder.file("out")
    assertFails(
      distill("initialize", recipe),
      "\(output): the folder is not empty. Choose another name, or add '--replace'.")
    try folder.write("{}", as: "out/tokenizer.json")
    assertFails(
      distill("initialize", recipe, "--replace", "--set", "tokenizer=\(output)"),
      "\(output): the folder that is read. Choose another one to write.")
    XCTAssertEqual(distill("initialize", recipe, "--replace").status, 0)
  }

  func testModelLargerThanTheDiskIsRefusedAtOnce() throws {
    let folder = try TemporaryFolder()
    // 2^50 bytes and more.
    try makeRecipe(folder)
    try folder.write(
      """
      {"model_type": "llama", "vocab_size": 16777216, "hidden_size": 131072,
      "intermediate_size": 1048576, "num_hidden_layers": 1024, "num_attention_heads": 1024,
      "num_key_value_heads": 1024, "head_dim": 256}
      """, as: "config.json")
    let run = distill("initialize", folder.file("recipe.json5"))
    let start = "Error: \(folder.file("out")): 2.0 PiB are to be written, but "
    XCTAssertTrue(run.errors.hasPrefix(start), run.errors)
    XCTAssertEqual(run.status, 1)
    XCTAssertEqual(folder.names(), ["config.json", "recipe.json5"])
  }

  func testTemplate() throws {
    for kind in Program.recipeKinds { XCTAssertNoThrow(try kind.checkTemplate(), kind.name) }
    let folder = try TemporaryFolder()
    let template = distill("recipe", "initialize").output
    try folder.write(template, as: "recipe.json5")
    let recipe = try readRecipe(
      InitializeRecipe.self, at: folder.file("recipe.json5")
    ).recipe
    XCTAssertEqual(recipe.configuration, "Qwen2.5-0.5B")
    XCTAssertEqual(recipe.seed, 42)
    XCTAssertEqual(recipe.dtype, .float32)
    XCTAssertEqual(ByteSize(recipe.shardSize)?.bytes, 5_000_000_000)
    XCTAssertNil(recipe.tokenizer)
    // The key that is commented out is right, too.
    try folder.edit("recipe.json5", "// tokenizer:", "tokenizer:")
    let full = try readRecipe(InitializeRecipe.self, at: folder.file("recipe.json5")).recipe
    XCTAssertEqual(full.tokenizer, "Checkpoints/qwen2.5-0.5b")
  }
}
