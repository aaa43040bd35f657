import Foundation
import Storage
import XCTest

@testable import Adapters

final class AdapterConfigurationTests: XCTestCase {
  private func read(_ changes: [String: String?] = [:]) throws -> AdapterConfiguration {
    try AdapterConfiguration(reading: configuration(changes), source: "c")
  }

  private func read(fixture name: String) throws -> AdapterConfiguration {
    try AdapterCheckpoint.readConfiguration(in: "\(fixtures)/\(name)")
  }

  // MARK: - What is read

  func testLeastConfiguration() throws {
    let read = try read(["task_type": nil])
    XCTAssertEqual(read.rank, 3)
    XCTAssertEqual(read.alpha, 7)
    XCTAssertEqual(read.dropout, 0)
    XCTAssertEqual(read.targetModules, .names(["q_proj"]))
    XCTAssertNil(read.excludedModules)
    XCTAssertNil(read.layersToTransform)
    XCTAssertFalse(read.usesRankStabilization)
    XCTAssertEqual(read.rankPattern, [])
    XCTAssertEqual(read.alphaPattern, [])
    XCTAssertNil(read.baseModel)
    XCTAssertNil(read.revision)
    XCTAssertEqual(read.notes, [])
    XCTAssertEqual(read, AdapterConfiguration(rank: 3, alpha: 7, targetModules: ["q_proj"]))
  }

  func testWhatPEFTWrites() throws {
    let all = try read(fixture: "all-linear")
    XCTAssertEqual(all.rank, 3)
    XCTAssertEqual(all.alpha, 7)
    XCTAssertEqual(all.dropout, 0.05)
    XCTAssertEqual(all.baseModel, "somebody/tiny-base")
    XCTAssertEqual(all.scale, 7.0 / 3)
    let stabilized = try read(fixture: "rank-stabilized")
    XCTAssertTrue(stabilized.usesRankStabilization)
    XCTAssertEqual(stabilized.targetModules, .names(["mlp.up_proj", "q_proj", "v_proj"]))
    XCTAssertEqual(stabilized.scale, 8 / 5.0.squareRoot())
    XCTAssertEqual(
      stabilized.rankPattern,
      [
        .init(try ModulePattern("^model\\.layers\\.2\\..*up_proj"), 7),
        .init(try ModulePattern("v_proj"), 2),
      ])
    XCTAssertEqual(
      stabilized.alphaPattern, [.init(try ModulePattern("layers\\.[12]\\.self_attn\\.q_proj"), 3)])
    XCTAssertEqual(
      try read(fixture: "pattern").targetModules,
      .pattern(try ModulePattern(".*\\.(?:0|2)\\.(self_attn\\.[kv]_proj|mlp\\.(?!up)\\w+_proj)")))
    let some = try read(fixture: "some-layers")
    XCTAssertEqual(some.layersToTransform, [0, 2])
    XCTAssertEqual(some.excludedModules, .names(["2.mlp.down_proj"]))
    for name in adapterNames {
      XCTAssertEqual(try read(fixture: name).notes, [], name)
    }
  }

  func testOneThatIsInUse() throws {
    guard let folder = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; a published adapter's file is in its folder.")
    }
    let json = try readJSON(folder + "/models/peft-adapter-config.example.json")
    let read = try AdapterConfiguration(reading: json)
    XCTAssertEqual(read.rank, 64)
    XCTAssertEqual(read.scale, 2)
    XCTAssertEqual(read.notes, [])
    // The same file comes out, but for the order of the keys.
    guard case .object(let object) = json else { return XCTFail("no object") }
    XCTAssertEqual(
      JSONObject(members: object.members.sorted { $0.key < $1.key }), read.json)
  }

  // MARK: - What is written

  func testWhatIsReadIsWritten() throws {
    for name in adapterNames {
      let read = try read(fixture: name)
      let again = try AdapterConfiguration(reading: .object(read.json))
      XCTAssertEqual(again, read, name)
      // Each key that is written has the value that PEFT wrote.
      guard case .object(let before) = try readJSON("\(fixtures)/\(name)/adapter_config.json")
      else { return XCTFail("no object") }
      var compared = 0
      for (key, value) in read.json.members where key != "peft_version" {
        XCTAssertEqual(value, before[key], "\(name): \(key)")
        compared += 1
      }
      XCTAssertEqual(compared, 35)
    }
  }

  func testWords() throws {
    let made = AdapterConfiguration(
      rank: 16, alpha: 32.5, dropout: 0.1, targetModules: ["q_proj", "v_proj"],
      layersToTransform: [1, 3], usesRankStabilization: true, baseModel: "base")
    XCTAssertEqual(
      String(decoding: JSONValue.object(made.json).serialized(pretty: true), as: UTF8.self),
      """
      {
        "alora_invocation_tokens": null,
        "alpha_pattern": {},
        "arrow_config": null,
        "auto_mapping": null,
        "base_model_name_or_path": "base",
        "bias": "none",
        "corda_config": null,
        "ensure_weight_tying": false,
        "eva_config": null,
        "exclude_modules": null,
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "layer_replication": null,
        "layers_pattern": null,
        "layers_to_transform": [
          1,
          3
        ],
        "loftq_config": {},
        "lora_alpha": 32.5,
        "lora_bias": false,
        "lora_dropout": 0.1,
        "megatron_config": null,
        "megatron_core": "megatron.core",
        "modules_to_save": null,
        "peft_type": "LORA",
        "peft_version": "0.18.0",
        "qalora_group_size": 16,
        "r": 16,
        "rank_pattern": {},
        "revision": null,
        "target_modules": [
          "q_proj",
          "v_proj"
        ],
        "target_parameters": null,
        "task_type": "CAUSAL_LM",
        "trainable_token_indices": null,
        "use_dora": false,
        "use_qalora": false,
        "use_rslora": true
      }

      """)
    XCTAssertEqual(try AdapterConfiguration(reading: .object(made.json)), made)
    XCTAssertEqual(made.scale, 32.5 / 4)
  }

  func testPatternsAreWrittenInTheirOrder() throws {
    let read = try read([
      "rank_pattern": "{\"q_proj\": 5, \"a.*\": 2}", "alpha_pattern": "{\"z\": 1.5, \"b\": 4.0}",
      "revision": "\"main\"", "target_modules": "\"all-linear\"", "lora_alpha": "16.0",
    ])
    XCTAssertEqual(read.json["rank_pattern"], try parse("{\"q_proj\": 5, \"a.*\": 2}"))
    XCTAssertEqual(read.json["alpha_pattern"], try parse("{\"z\": 1.5, \"b\": 4}"))
    XCTAssertEqual(read.json["revision"], .string("main"))
    XCTAssertEqual(read.json["target_modules"], .string("all-linear"))
    XCTAssertEqual(read.json["lora_alpha"], .number(JSONNumber(16)))
    XCTAssertEqual(read.json["lora_dropout"], try parse("0.0"))
  }

  // MARK: - Refusals

  func testValues() throws {
    for (key, value, words) in [
      (
        "peft_type", nil,
        "missing key 'peft_type'. Is it an adapter's configuration, as PEFT saves it?"
      ),
      (
        "peft_type", "\"ADALORA\"",
        "'peft_type' is 'ADALORA', not 'LORA', the only kind of adapter that is read."
      ),
      (
        "task_type", "\"SEQ_CLS\"",
        "'task_type' is 'SEQ_CLS', not 'CAUSAL_LM': only models that write text are read."
      ),
      ("r", nil, "missing key 'r'."),
      ("r", "null", "'r' is null, not a whole number from 1 to 65536."),
      ("r", "0", "'r' is 0, not a whole number from 1 to 65536."),
      ("r", "65537", "'r' is 65537, not a whole number from 1 to 65536."),
      ("r", "8.0", "'r' is 8.0, not a whole number from 1 to 65536."),
      (
        "r", "123456789012345678901234567890123",
        "'r' is 123456789012345678901234567890…, not a whole number from 1 to 65536."
      ),
      ("lora_alpha", nil, "missing key 'lora_alpha'."),
      ("lora_alpha", "\"x\"", "'lora_alpha' is 'x', not a number from -1000000 to 1000000."),
      ("lora_alpha", "1e400", "'lora_alpha' is 1e400, not a number from -1000000 to 1000000."),
      ("lora_alpha", "1e7", "'lora_alpha' is 1e7, not a number from -1000000 to 1000000."),
      ("lora_dropout", "1.5", "'lora_dropout' is 1.5, not a number from 0 to 1."),
      ("lora_dropout", "[]", "'lora_dropout' is a list, not a number from 0 to 1."),
      ("use_rslora", "1", "'use_rslora' is 1, not true or false."),
      ("base_model_name_or_path", "{}", "'base_model_name_or_path' is an object, not a text."),
      ("revision", "7", "'revision' is 7, not a text."),
      ("target_modules", nil, "missing key 'target_modules'."),
      (
        "target_modules", "null",
        "'target_modules' is null. Name the modules that the adapter is for."
      ),
      (
        "target_modules", "[]",
        "'target_modules' is empty. Name the modules that the adapter is for."
      ),
      (
        "target_modules", "true",
        "'target_modules' is true, not a list of names or a regular expression."
      ),
      ("target_modules", "[\"a\", 7]", "'target_modules' has 7 in it, which is not a name."),
      (
        "target_modules", "\"(q_proj\"",
        "'target_modules' has the regular expression '(q_proj': '(' at character 1 is not closed. "
          + "Write it another way, or list the names of the modules."
      ),
      (
        "exclude_modules", "\"[a\"",
        "'exclude_modules' has the regular expression '[a': '[' at character 1 is not closed. "
          + "Write it another way, or list the names of the modules."
      ),
      (
        "exclude_modules", "{}",
        "'exclude_modules' is an object, not a list of names or a regular expression."
      ),
      (
        "layers_to_transform", "\"1\"",
        "'layers_to_transform' is '1', not a layer's number or a list of them."
      ),
      (
        "layers_to_transform", "-1",
        "'layers_to_transform' is -1, not a layer's number or a list of them."
      ),
      (
        "layers_to_transform", "[0, -1]",
        "'layers_to_transform' has -1 in it, which is not the number of a layer."
      ),
      (
        "layers_to_transform", "[true]",
        "'layers_to_transform' has true in it, which is not the number of a layer."
      ),
      (
        "rank_pattern", "[]", "'rank_pattern' is a list, not an object with a number for each name."
      ),
      (
        "rank_pattern", "{\"q\": 0}",
        "'q' in 'rank_pattern' is 0, not a whole number from 1 to 65536."
      ),
      (
        "rank_pattern", "{\"q\": 1.5}",
        "'q' in 'rank_pattern' is 1.5, not a whole number from 1 to 65536."
      ),
      (
        "alpha_pattern", "{\"q\": \"7\"}",
        "'q' in 'alpha_pattern' is '7', not a number within ±1000000."
      ),
      (
        "alpha_pattern", "{\"q)\": 7}",
        "'alpha_pattern' has the regular expression 'q)': ')' at character 2 closes nothing. "
          + "Write it another way, or list the names of the modules."
      ),
    ] as [(String, String?, String)] {
      assertRefused("c: " + words, about: "\(key) \(value ?? "")") { _ = try read([key: value]) }
    }
    assertRefused(
      "c: 'layers_to_transform' goes with a list of names in 'target_modules' only. Put the layers "
        + "into the regular expression."
    ) { _ = try read(["layers_to_transform": "[1]", "target_modules": "\"all-linear\""]) }
    assertRefused(
      "c: 'layers_pattern' is 'h', but the layers of the models read here are in 'layers'."
    ) { _ = try read(["layers_to_transform": "1", "layers_pattern": "\"h\""]) }
    let many = "[" + Array(repeating: "\"a\"", count: 16385).joined(separator: ",") + "]"
    assertRefused("c: 'target_modules' has 16385 elements; at most 16384 are read.") {
      _ = try read(["target_modules": many])
    }
    for (json, words) in [
      ("[]", "c: the file holds a list, not an object with the adapter's configuration."),
      ("7", "c: the file holds 7, not an object with the adapter's configuration."),
    ] {
      assertRefused(words) { _ = try AdapterConfiguration(reading: parse(json), source: "c") }
    }
  }

  func testOtherKindsOfAdapters() throws {
    let merge = "Merge the adapter with PEFT's 'merge_and_unload'."
    let words: [(String, String, String)] = [
      (
        "bias", "\"all\"",
        "'bias' is 'all', not 'none': the model's biases were trained too. \(merge)"
      ),
      (
        "fan_in_fan_out", "true",
        "'fan_in_fan_out' is true, which is for layers that store their weights transposed; those "
          + "of the models read here do not. Set it to false."
      ),
      (
        "use_dora", "true",
        "'use_dora' is true: DoRA gives the merged weights lengths of their own. \(merge)"
      ),
      (
        "use_qalora", "true",
        "'use_qalora' is true: A of QALoRA is for groups of a quantized model's inputs. \(merge)"
      ),
      ("lora_bias", "true", "'lora_bias' is true: the adapter has biases of its own. \(merge)"),
      (
        "modules_to_save", "[\"lm_head\"]",
        "'modules_to_save' is a list: whole modules were trained beside the adapter. \(merge)"
      ),
      (
        "trainable_token_indices", "[1]",
        "'trainable_token_indices' is a list: rows of the embedding were trained beside the "
          + "adapter. \(merge)"
      ),
      (
        "target_parameters", "[\"experts\"]",
        "'target_parameters' is a list: the adapter is for parameters that are no linear layers. "
          + merge
      ),
      (
        "layer_replication", "[[0, 2], [1, 3]]",
        "'layer_replication' is a list: the adapter is for a model with some layers of the base "
          + "repeated. \(merge)"
      ),
      (
        "use_bdlora", "{}",
        "'use_bdlora' is an object: A or B is stored as the blocks of a block-diagonal matrix. "
          + merge
      ),
      (
        "kasa_config", "{}",
        "'kasa_config' is an object: KaSA changes the base's weights and has a third factor. "
          + merge
      ),
      (
        "monteclora_config", "{\"num_samples\": 8}",
        "'monteclora_config' is an object: the adapter's weights are drawn at random. Use it with "
          + "PEFT."
      ),
      (
        "alora_invocation_tokens", "[]",
        "'alora_invocation_tokens' is a list: the adapter works only from some tokens on, and "
          + "can't be merged. Use it with PEFT."
      ),
      (
        "arrow_config", "{}",
        "'arrow_config' is an object: several adapters are chosen from for each token. Use it with "
          + "PEFT."
      ),
    ]
    for (key, value, sentence) in words {
      assertRefused("c: " + sentence, about: key) { _ = try read([key: value]) }
      if key != "bias" {
        for nothing in ["null", "false"] { XCTAssertNoThrow(try read([key: nothing]), key) }
      }
    }
    for (value, sentence) in [
      ("\"pissa\"", nil), ("\"pissa_niter_16\"", nil), ("\"olora\"", nil), ("\"corda\"", nil),
      ("\"lora_ga\"", nil), ("\"loftq\"", nil),
      (
        "\"kaiming\"",
        "'init_lora_weights' is 'kaiming', not true, false, or one of 'gaussian', 'eva', 'orthogonal', 'mica'."
      ),
      (
        "7",
        "'init_lora_weights' is 7, not true, false, or one of 'gaussian', 'eva', 'orthogonal', 'mica'."
      ),
    ] as [(String, String?)] {
      let name = value.replacingOccurrences(of: "\"", with: "'")
      assertRefused(
        "c: "
          + (sentence ?? "'init_lora_weights' is \(name), which changes the base's weights before "
            + "the adapter is added. Save the adapter with PEFT's "
            + "'path_initial_model_for_weight_conversion', for the base as it is.")
      ) { _ = try read(["init_lora_weights": value]) }
    }
    for value in ["true", "false", "null", "\"gaussian\"", "\"eva\"", "\"orthogonal\"", "\"mica\""]
    {
      XCTAssertNoThrow(try read(["init_lora_weights": value]), value)
    }
  }

  func testEverythingIsFoundAtOnce() throws {
    assertRefused(
      "c: 'r' is 0, not a whole number from 1 to 65536.",
      "c: missing key 'target_modules'.",
      "c: 'use_dora' is true: DoRA gives the merged weights lengths of their own. Merge the adapter "
        + "with PEFT's 'merge_and_unload'."
    ) { _ = try read(["r": "0", "target_modules": nil, "use_dora": "true"]) }
  }

  func testUnknownKeys() throws {
    let read = try read([
      "velora_config": "{\"num_groups\": 64}", "runtime_config": "{}", "new_switch": "false",
      "ensure_weight_tying": "true", "other": "[]", "more": "0", "null": "null", "text": "\"\"",
      "loftq_config": "{\"loftq_bits\": 4}", "layers_pattern": "[]",
      "\u{1b}[1m": "\"\\u001b\\u0007\"",
    ])
    XCTAssertEqual(
      read.notes,
      [
        "c: '\\u001b[1m' is '\\u001b\\u0007', which is not known here and has no effect.",
        "c: 'ensure_weight_tying' is true, which is not known here and has no effect.",
        "c: 'more' is 0, which is not known here and has no effect.",
        "c: 'velora_config' is an object, which is not known here and has no effect.",
      ])
  }
}
