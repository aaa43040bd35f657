import Foundation
import Models
import Safetensors
import Storage
import XCTest

@testable import Commands

final class InspectTests: XCTestCase {
  func testTiedModel() {
    let path = fixtures + "/parity/qwen2-tied"
    assertPrints(
      distill("inspect", path),
      """
      \(path)

      Family              qwen2
      Layers              2
      Hidden size         24
      Attention heads     6 of 4 channels, 2 for keys and values
      Feed-forward size   35
      Vocabulary          61
      Positions           512
      RoPE                default, theta 1,000,000
      Head                tied to the embedding, stored as 'model.embed_tokens.weight'
      Parameters          9,776 (9.78 k); 8,312 (8.31 k) without embedding and head
      Memory to run       38.2 KiB of weights in float32, 19.1 KiB in bfloat16
      Memory to train     153 KiB: weights, gradients and two moments in float32
      Stored as           float32, 40.7 KiB in 1 file
      Tokenizer           none: no 'tokenizer.json'
      Chat template       none
      """)
  }

  func testUntiedModel() {
    let path = fixtures + "/parity/llama3-untied"
    assertPrints(
      distill("inspect", path),
      """
      \(path)

      Family              llama
      Layers              2
      Hidden size         24
      Attention heads     3 of 8 channels, 1 for keys and values
      Feed-forward size   25
      Vocabulary          59
      Positions           2,048
      RoPE                llama3, theta 500,000, factor 8, from 256 positions
      Head                its own weights, stored as 'lm_head.weight'
      Parameters          9,624 (9.62 k); 6,792 (6.79 k) without embedding and head
      Memory to run       37.6 KiB of weights in float32, 18.8 KiB in bfloat16
      Memory to train     150 KiB: weights, gradients and two moments in float32
      Stored as           float32, 39.6 KiB in 1 file
      Tokenizer           none: no 'tokenizer.json'
      Chat template       none
      """)
  }

  func testHeadsOfTheirOwnSize() {
    let path = fixtures + "/parity/qwen3-headdim"
    assertPrints(
      distill("inspect", path),
      """
      \(path)

      Family              qwen3
      Layers              2
      Hidden size         21
      Attention heads     4 of 8 channels, 2 for keys and values
      Feed-forward size   25
      Vocabulary          67
      Positions           512
      RoPE                default, theta 1,000,000
      Head                tied to the embedding, stored as 'model.embed_tokens.weight'
      Parameters          8,726 (8.73 k); 7,319 (7.32 k) without embedding and head
      Memory to run       34.1 KiB of weights in float32, 17.0 KiB in bfloat16
      Memory to train     136 KiB: weights, gradients and two moments in float32
      Stored as           float32, 36.4 KiB in 1 file
      Tokenizer           none: no 'tokenizer.json'
      Chat template       none
      """)
  }

  func testJSON() throws {
    let path = fixtures + "/parity/llama3-untied"
    let run = distill("inspect", path, "--json")
    XCTAssertEqual(run.status, 0)
    let found = try JSONValue(parsing: Data(run.output.utf8), source: "output")
    let expected = """
      {"model": "\(path)", "family": "llama", "base": null, "numHiddenLayers": 2,
      "hiddenSize": 24, "numAttentionHeads": 3, "numKeyValueHeads": 1, "headDim": 8,
      "intermediateSize": 25, "vocabSize": 59, "maxPositionEmbeddings": 2048,
      "ropeType": "llama3", "ropeTheta": 500000.0, "tieWordEmbeddings": false,
      "parameterCount": 9624, "parameterCountWithoutEmbeddings": 6792,
      "bytesToRun": {"float32": 38496, "bfloat16": 19248}, "bytesToTrain": 153984,
      "files": {"weights": ["model.safetensors"], "bytesOnDisk": 40592, "dtypes": ["float32"],
      "headTensors": ["lm_head.weight"], "tokenizer": null, "chatTemplate": null}, "notes": []}
      """
    XCTAssertEqual(found, try JSONValue(parsing: Data(expected.utf8), source: "expected"))
    XCTAssertNotNil(try? JSONSerialization.jsonObject(with: Data(run.output.utf8)))
  }

  func testKnownModel() {
    assertPrints(
      distill("inspect", "deepseek-ai/deepseek-r1-distill-llama-70b"),
      """
      deepseek-ai/DeepSeek-R1-Distill-Llama-70B

      Family              llama
      Trained from        Llama-3.3-70B-Instruct
      Layers              80
      Hidden size         8,192
      Attention heads     64 of 128 channels, 8 for keys and values
      Feed-forward size   28,672
      Vocabulary          128,256
      Positions           131,072
      RoPE                llama3, theta 500,000, factor 8, from 8,192 positions
      Head                its own weights
      Parameters          70,553,706,496 (70.6 B); 68,452,360,192 (68.5 B) without embedding and head
      Memory to run       263 GiB of weights in float32, 131 GiB in bfloat16
      Memory to train     1.0 TiB: weights, gradients and two moments in float32
      Files               none: this is the configuration alone
      """)
    XCTAssertEqual(distill("inspect", "qwen2.5-math-7b").status, 0)
  }

  func testConfigurationAlone() {
    let path = fixtures + "/parity/qwen2-tied/config.json"
    assertPrints(
      distill("inspect", path),
      """
      \(path)

      Family              qwen2
      Layers              2
      Hidden size         24
      Attention heads     6 of 4 channels, 2 for keys and values
      Feed-forward size   35
      Vocabulary          61
      Positions           512
      RoPE                default, theta 1,000,000
      Head                tied to the embedding
      Parameters          9,776 (9.78 k); 8,312 (8.31 k) without embedding and head
      Memory to run       38.2 KiB of weights in float32, 19.1 KiB in bfloat16
      Memory to train     153 KiB: weights, gradients and two moments in float32
      Files               none: this is the configuration alone
      """)
  }

  func testKindsOfRoPE() throws {
    let rope = { (scaling: RotaryParameters.Scaling) in
      RotaryParameters(ropeTheta: 12345.5, scaling: scaling).words
    }
    XCTAssertEqual(rope(.default), "default, theta 12345.5")
    XCTAssertEqual(rope(.linear(factor: 2.5)), "linear, theta 12345.5, factor 2.5")
    XCTAssertEqual(
      rope(.yarn(.init(factor: 4, originalMaxPositionEmbeddings: 32768))),
      "yarn, theta 12345.5, factor 4, from 32,768 positions")
    XCTAssertEqual(
      rope(.yarn(.init(factor: nil, originalMaxPositionEmbeddings: 512))),
      "yarn, theta 12345.5, from 512 positions")
  }

  func testListOfKnownModels() throws {
    let table = """
      model                           parameters   layers   hidden   heads   to train
      -----------------------------   ----------   ------   ------   -----   --------
      DeepSeek-R1-Distill-Qwen-1.5B       1.78 B       28     1536    12/2   26.5 GiB
      Qwen2.5-Math-1.5B                   1.54 B       28     1536    12/2   23.0 GiB
      DeepSeek-R1-Distill-Qwen-7B         7.62 B       28     3584    28/4    113 GiB
      Qwen2.5-Math-7B                     7.62 B       28     3584    28/4    113 GiB
      DeepSeek-R1-Distill-Qwen-14B        14.8 B       48     5120    40/8    220 GiB
      Qwen2.5-14B                         14.8 B       48     5120    40/8    220 GiB
      DeepSeek-R1-Distill-Qwen-32B        32.8 B       64     5120    40/8    488 GiB
      Qwen2.5-32B                         32.8 B       64     5120    40/8    488 GiB
      DeepSeek-R1-Distill-Llama-8B        8.03 B       32     4096    32/8    120 GiB
      Llama-3.1-8B                        8.03 B       32     4096    32/8    120 GiB
      DeepSeek-R1-Distill-Llama-70B       70.6 B       80     8192    64/8    1.0 TiB
      Llama-3.3-70B-Instruct              70.6 B       80     8192    64/8    1.0 TiB
      Qwen2.5-0.5B                         494 M       24      896    14/2    7.4 GiB
      Llama-3.2-1B                        1.24 B       16     2048    32/8   18.4 GiB
      """
    assertPrints(
      distill("inspect", "--models"),
      """
      \(table)

      Heads are those of queries / of keys and values. To train is the memory of
      weights, gradients and two moments in float32; activations come on top.
      """)

    let json = distill("inspect", "--models", "--json").output
    let models = try XCTUnwrap(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
    XCTAssertEqual(models.count, KnownModel.all.count)
    XCTAssertEqual(models[0]["model"] as? String, "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B")
    XCTAssertEqual(models[0]["base"] as? String, "Qwen2.5-Math-1.5B")
    XCTAssertEqual(models[0]["parameterCount"] as? Int, 1_777_088_000)
    XCTAssertTrue(models[0]["files"] is NSNull)
  }

  // MARK: - Files of the folder

  func testTokenizerAndChatTemplate() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    let path = folder.file("model")
    func facts() throws -> (tokenizer: String?, template: String?, notes: [String]) {
      let report = try ModelReport(named: path)
      return (report.files?.tokenizer, report.files?.chatTemplate, report.notes)
    }
    try folder.write("{}", as: "model/tokenizer_config.json")
    try folder.write("x", as: "model/tokenizer.model")
    XCTAssertNil(try facts().tokenizer)
    XCTAssertNil(try facts().template)
    XCTAssertEqual(
      try facts().notes,
      [
        "\(path): there is 'tokenizer.model', but only 'tokenizer.json' is read. transformers "
          + "writes one with 'AutoTokenizer.from_pretrained(…).save_pretrained(…)'."
      ])
    XCTAssertTrue(
      distill("inspect", path).output.hasSuffix(
        "Chat template       none\n\nNote: \(try facts().notes[0])\n"))

    try folder.write("{}", as: "model/tokenizer.json")
    try folder.write(#"{"chat_template": null}"#, as: "model/tokenizer_config.json")
    XCTAssertEqual(try facts().tokenizer, "tokenizer.json")
    XCTAssertNil(try facts().template)
    try folder.write(#"{"chat_template": "{{ x }}"}"#, as: "model/tokenizer_config.json")
    XCTAssertEqual(try facts().template, "tokenizer_config.json")
    try folder.write("{{ x }}", as: "model/chat_template.jinja")
    XCTAssertEqual(try facts().template, "chat_template.jinja")
    XCTAssertEqual(try facts().notes, [])
    XCTAssertTrue(
      distill("inspect", path).output.hasSuffix(
        "Tokenizer           tokenizer.json\nChat template       chat_template.jinja\n"))
  }

  func testBrokenTokenizerConfigurationIsNoted() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    try folder.write("{", as: "model/tokenizer_config.json")
    let notes = try ModelReport(named: folder.file("model")).notes
    XCTAssertEqual(notes.count, 1)
    XCTAssertTrue(
      notes[0].hasPrefix(folder.file("model/tokenizer_config.json") + ":1:2: "), notes[0])
  }

  func testOtherTypeThanConfiguredIsNoted() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    try folder.edit("model/config.json", #""dtype": "float32""#, #""dtype": "bfloat16""#)
    XCTAssertEqual(
      try ModelReport(named: folder.file("model")).notes,
      [
        "\(folder.file("model")): config.json says 'bfloat16', but the weights are stored as "
          + "float32."
      ])
  }

  func testTensorsOfTiedHead() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    func head() throws -> [String]? {
      try ModelReport(named: folder.file("model")).files?.headTensors
    }
    try folder.rewrite("model") { tensor in
      guard tensor.name == "model.embed_tokens.weight" else { return [TensorSource(tensor)] }
      return [
        TensorSource(tensor),
        TensorSource(
          "lm_head.weight", tensor.dtype, tensor.shape, tensor.withUnsafeBytes(Array.init)),
      ]
    }
    XCTAssertEqual(try head(), ["model.embed_tokens.weight", "lm_head.weight"])
    XCTAssertTrue(
      distill("inspect", folder.file("model")).output.contains(
        "tied to the embedding, stored as 'model.embed_tokens.weight' and 'lm_head.weight'\n"))
    try folder.rewrite("model") { tensor in
      tensor.name == "model.embed_tokens.weight" ? [] : [TensorSource(tensor)]
    }
    XCTAssertEqual(try head(), ["lm_head.weight"])
  }

  // MARK: - Refusals

  func testWrongNames() throws {
    let folder = try TemporaryFolder()
    assertFails(
      distill("inspect", folder.file("none")),
      "\(folder.file("none")): there is no such file or folder, nor a known model of that name; "
        + "'distill inspect --models' lists these.")
    assertFails(
      distill("inspect", "Qwen/Qwen2.5-0.6B"),
      "Qwen/Qwen2.5-0.6B: there is no such file or folder. 'Qwen/Qwen2.5-0.6B' is not the name of "
        + "a known model. Did you mean 'Qwen2.5-0.5B'?")
    try folder.write("", as: "model.safetensors")
    assertFails(
      distill("inspect", folder.file("model.safetensors")),
      "\(folder.file("model.safetensors")): a file. Give the folder that it is in, or a "
        + "config.json.")
  }

  func testWrongFolders() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("model")
    let path = folder.file("model")
    assertFails(
      distill("inspect", path),
      "\(path): no 'config.json'. A checkpoint is a folder with config.json and safetensors files, "
        + "as transformers saves it.")

    try folder.remove("model")
    try folder.copyModel("qwen2-tied", as: "model")
    try folder.remove("model/model.safetensors")
    assertFails(
      distill("inspect", path),
      "\(path): there is neither 'model.safetensors' nor 'model.safetensors.index.json' in it.")
    try folder.write("x", as: "model/pytorch_model.bin")
    assertFails(
      distill("inspect", path),
      "\(path): there is no 'model.safetensors' in it. 'pytorch_model.bin' is of a kind that may "
        + "run code when it is read, and is not read here; convert it to safetensors.")
    try folder.write("GGUF....", as: "model/model.safetensors")
    assertFails(
      distill("inspect", path),
      "\(path)/model.safetensors: a GGUF file. Use the safetensors files of the model.")
    try folder.write("{", as: "model/config.json")
    let run = distill("inspect", path)
    XCTAssertTrue(run.errors.hasPrefix("Error: \(path)/config.json:1:2: "), run.errors)
    XCTAssertEqual(run.status, 1)
  }

  func testEveryFindingHasALine() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    let path = folder.file("model")
    try folder.rewrite("model") { tensor in
      switch tensor.name {
      case "model.norm.weight": []
      case "model.layers.0.self_attn.q_proj.bias":
        [TensorSource(tensor.name, .f32, [2], [UInt8](repeating: 0, count: 8))]
      default: [TensorSource(tensor)]
      }
    }
    assertFails(
      distill("inspect", path, "--json"),
      "\(path): 'model.layers.0.self_attn.q_proj.bias' is 2; the configuration needs 24.",
      "\(path): no tensor 'model.norm.weight'. The configuration needs it; are all files there?")

    let configuration = folder.file("model/config.json")
    try folder.edit("model/config.json", #""hidden_size": 24"#, #""hidden_size": 0"#)
    try folder.edit("model/config.json", #""vocab_size": 61"#, #""vocab_size": "x""#)
    let findings = [
      "\(configuration): 'vocab_size' is 'x', not a whole number from 1 to 16777216.",
      "\(configuration): 'hidden_size' is 0, not a whole number from 1 to 131072.",
    ]
    assertFails(distill("inspect", path), findings[0], findings[1])
    assertFails(distill("inspect", configuration), findings[0], findings[1])
  }

  func testMisuse() {
    assertMisuse(distill("inspect"), "Missing argument '<model>'.")
    assertMisuse(distill("inspect", "--models", "x"), "'--models' takes no '<model>'.")
    assertMisuse(distill("inspect", "a", "b"), "Unexpected argument 'b'.")
  }
}
