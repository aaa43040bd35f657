import Foundation
import Models
import Storage
import XCTest

/// What is refused, and in which words.
final class RefusedConfigurationTests: XCTestCase {
  /// A small Qwen2 with members changed, which the text of a JSON object states; null removes.
  private func file(_ changes: String) throws -> JSONObject {
    let base = try object(in: fixtures.appending(path: "configurations/made/qwen2-tied.json"))
    let changes = try object(in: Data(changes.utf8))
    return base.with(
      Dictionary(
        uniqueKeysWithValues: changes.members.map { key, value in
          (key, value == .string("removed") ? nil : value)
        }))
  }

  private func findings(_ changes: String) throws -> [String] {
    do {
      _ = try ModelConfiguration(try file(changes), source: "config.json")
      return []
    } catch let error as ModelConfigurationError {
      return error.findings
    }
  }

  private func assertFindings(
    _ cases: [(changes: String, findings: [String])], line: UInt = #line
  ) throws {
    for (changes, expected) in cases {
      XCTAssertEqual(
        try findings(changes), expected.map { "config.json: \($0)" }, changes, line: line)
    }
  }

  private func assertFinding(
    _ cases: [(changes: String, finding: String)], line: UInt = #line
  ) throws {
    try assertFindings(cases.map { ($0.changes, [$0.finding]) }, line: line)
  }

  func testTheFileItselfIsAccepted() throws {
    try assertFindings([("{}", [])])
  }

  func testOtherModels() throws {
    let names = "'llama', 'qwen2' and 'qwen3'"
    try assertFinding([
      (
        #"{"model_type": "qwen2_moe"}"#,
        "'model_type' is 'qwen2_moe', a mixture of experts, not one of \(names)."
      ),
      (
        #"{"model_type": "mixtral"}"#,
        "'model_type' is 'mixtral', a mixture of experts, not one of \(names)."
      ),
      (
        #"{"model_type": "quen2"}"#,
        "'model_type' is 'quen2', not one of \(names). Did you mean 'qwen2'?"
      ),
      (#"{"model_type": "gpt_neox"}"#, "'model_type' is 'gpt_neox', not one of \(names)."),
      (#"{"model_type": 3}"#, "'model_type' is 3, not one of \(names)."),
      (#"{"model_type": "removed"}"#, "missing key 'model_type', which is one of \(names)."),
      (
        #"{"model_type": "a\nb\u001b[31m"}"#,
        "'model_type' is 'a\u{FFFD}b\u{FFFD}[31m', not one of \(names)."
      ),
      (
        #"{"architectures": ["Qwen2ForSequenceClassification"]}"#,
        "'architectures' is ['Qwen2ForSequenceClassification'], not ['Qwen2ForCausalLM']: "
          + "only models with a head over the vocabulary can be used."
      ),
      (
        #"{"architectures": "Qwen2ForCausalLM"}"#,
        "'architectures' is 'Qwen2ForCausalLM', not ['Qwen2ForCausalLM']: "
          + "only models with a head over the vocabulary can be used."
      ),
      (
        #"{"architectures": [3]}"#,
        "'architectures' is a list, not ['Qwen2ForCausalLM']: "
          + "only models with a head over the vocabulary can be used."
      ),
      (
        #"{"text_config": {}}"#,
        "the text model stands under 'text_config', as in models that read images or sound too. "
          + "Only models of text alone can be used."
      ),
      (
        #"{"text_config": {}, "model_type": "removed"}"#,
        "the text model stands under 'text_config', as in models that read images or sound too. "
          + "Only models of text alone can be used."
      ),
    ])
    let long = String(repeating: "x", count: 100_000)
    try assertFinding([
      (
        #"{"model_type": "\#(long)"}"#,
        "'model_type' is '\(long.prefix(60))…', not one of \(names)."
      )
    ])
    try assertFindings([
      (#"{"architectures": "removed"}"#, []), (#"{"architectures": null}"#, []),
      (#"{"architectures": []}"#, []), (#"{"architectures": ["other", "QWEN2ForCausalLM"]}"#, []),
      (#"{"text_config": null}"#, []),
    ])
  }

  func testExperts() throws {
    for key in ["num_experts", "num_local_experts", "n_routed_experts"] {
      try assertFindings([
        (
          #"{"\#(key)": 8}"#,
          [
            "'\(key)' is 8: a mixture of experts. Only models without experts can be used."
          ]
        ),
        (#"{"\#(key)": null}"#, []), (#"{"\#(key)": 0}"#, []),
      ])
    }
  }

  func testOtherComputations() throws {
    try assertFinding([
      (
        #"{"hidden_act": "gelu"}"#,
        "'hidden_act' is 'gelu', not 'silu', the only activation there is here."
      ),
      (
        #"{"pretraining_tp": 2}"#,
        "'pretraining_tp' is 2, not 1: products cut into slices are not supported. "
          + "Set it to 1; results then differ by rounding only."
      ),
      (
        #"{"per_layer_config": {"0": {}}}"#,
        "'per_layer_config' is an object. Only models with equal layers can be used."
      ),
      (
        #"{"partial_rotary_factor": 0.5}"#,
        "'partial_rotary_factor' is 0.5, not 1: heads turn with all their channels here."
      ),
      (
        #"{"rope_scaling": {"rope_type": "default", "partial_rotary_factor": 0.25}}"#,
        "'rope_scaling.partial_rotary_factor' is 0.25, not 1: "
          + "heads turn with all their channels here."
      ),
      (
        #"{"quantization_config": []}"#,
        "'quantization_config' is a list: the weights are quantized. "
          + "Use the model's original weights in float32, bfloat16 or float16."
      ),
    ])
    try assertFindings([
      (#"{"hidden_act": "swish"}"#, []), (#"{"hidden_act": "removed"}"#, []),
      (#"{"pretraining_tp": 1}"#, []), (#"{"pretraining_tp": null}"#, []),
      (#"{"per_layer_config": {}}"#, []), (#"{"per_layer_config": null}"#, []),
      (#"{"partial_rotary_factor": 1.0}"#, []), (#"{"partial_rotary_factor": null}"#, []),
      (#"{"quantization_config": null}"#, []),
    ])
  }

  func testAQuantizedModelOfTheHub() throws {
    let file = "llama-3.1-8b-instruct-8-bit.json"
    let json = try object(in: fixtures.appending(path: "configurations/refused/\(file)"))
    XCTAssertThrowsError(try ModelConfiguration(json, source: "llama/config.json")) {
      XCTAssertEqual(
        "\($0)",
        "llama/config.json: 'quantization_config' is an object with 'quant_method' "
          + "'bitsandbytes': the weights are quantized. "
          + "Use the model's original weights in float32, bfloat16 or float16.")
    }
  }

  func testWindows() throws {
    let advice = "Only layers that see all tokens before them can be computed."
    try assertFindings([
      (#"{"use_sliding_window": false, "sliding_window": 32768, "max_window_layers": 0}"#, []),
      (#"{"use_sliding_window": true, "sliding_window": 8, "max_window_layers": 2}"#, []),
      (#"{"use_sliding_window": true, "sliding_window": 8}"#, []),
      (#"{"use_sliding_window": true, "sliding_window": null, "max_window_layers": 0}"#, []),
      (
        #"{"use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1}"#,
        ["'use_sliding_window' is true: layers from 1 on see a window of 8 tokens. \(advice)"]
      ),
      (
        #"{"use_sliding_window": true, "num_hidden_layers": 29}"#,
        ["'use_sliding_window' is true: layers from 28 on see a window of 4096 tokens. \(advice)"]
      ),
      (
        #"{"use_sliding_window": true, "max_window_layers": "x"}"#,
        ["'max_window_layers' is 'x', not a whole number."]
      ),
      (#"{"use_sliding_window": "yes"}"#, ["'use_sliding_window' is 'yes', not true or false."]),
      (
        #"{"layer_types": ["full_attention", "sliding_attention"]}"#,
        ["'layer_types' has 'sliding_attention', not only 'full_attention'. \(advice)"]
      ),
      (
        #"{"layer_types": ["full_attention", 3]}"#,
        ["'layer_types' has 3, not only 'full_attention'. \(advice)"]
      ),
      (
        #"{"layer_types": ["full_attention"]}"#,
        ["'layer_types' has 1 layers, but 'num_hidden_layers' is 2."]
      ),
      (
        #"{"layer_types": 2}"#,
        ["'layer_types' is 2, not a list with one name for each layer."]
      ),
      (
        #"{"layer_types": ["full_attention", "full_attention"], "use_sliding_window": true}"#, []
      ),
    ])
  }

  func testSizes() throws {
    let limits = [
      ("vocab_size", 16_777_216), ("hidden_size", 131_072), ("intermediate_size", 1_048_576),
      ("num_hidden_layers", 1024), ("num_attention_heads", 1024),
      ("max_position_embeddings", 16_777_216),
    ]
    let wrong = [
      "0", "-5", "1.5", "2.0", "1e3", "null", "true", #""4""#, "[]", "{}", "9223372036854775808",
      "1e999", "-9223372036854775809",
    ]
    let shown = [#""4""#: "'4'", "[]": "a list", "{}": "an object"]
    for (key, limit) in limits {
      for value in wrong + ["\(limit + 1)"] {
        try assertFindings([
          (
            #"{"\#(key)": \#(value)}"#,
            ["'\(key)' is \(shown[value] ?? value), not a whole number from 1 to \(limit)."]
          )
        ])
      }
    }
    for (key, _) in limits.dropLast() {
      try assertFinding([(#"{"\#(key)": "removed"}"#, "missing key '\(key)'.")])
    }
    let digits = String(repeating: "9", count: 100_000)
    try assertFinding([
      (
        #"{"hidden_size": \#(digits)}"#,
        "'hidden_size' is \(digits.prefix(30))…, not a whole number from 1 to 131072."
      )
    ])
  }

  func testHeads() throws {
    try assertFinding([
      (
        #"{"num_key_value_heads": 3}"#,
        "'num_attention_heads' is 4, not a multiple of 'num_key_value_heads', which is 3."
      ),
      (
        #"{"num_key_value_heads": 8}"#,
        "'num_attention_heads' is 4, not a multiple of 'num_key_value_heads', which is 8."
      ),
      (
        #"{"num_key_value_heads": "removed"}"#,
        "'num_attention_heads' is 4, not a multiple of 'num_key_value_heads', which is 32 "
          + "(what qwen2 has where the key is missing)."
      ),
      (
        #"{"num_key_value_heads": 0}"#,
        "'num_key_value_heads' is 0, not a whole number from 1 to 1024."
      ),
      (
        #"{"hidden_size": 42}"#,
        "'hidden_size' is 42, not a multiple of 'num_attention_heads', which is 4. "
          + "Add 'head_dim' if heads have another size."
      ),
      (
        #"{"hidden_size": 12}"#,
        "'hidden_size' / 'num_attention_heads' is 3; "
          + "heads must have an even number of channels for RoPE."
      ),
      (
        #"{"hidden_size": 1032}"#,
        "'hidden_size' / 'num_attention_heads' is 258; "
          + "heads of more than 256 channels cannot be computed."
      ),
      (
        #"{"head_dim": 7}"#,
        "'head_dim' is 7; heads must have an even number of channels for RoPE."
      ),
      (#"{"head_dim": 258}"#, "'head_dim' is 258, not a whole number from 1 to 256."),
      (#"{"head_dim": 0}"#, "'head_dim' is 0, not a whole number from 1 to 256."),
      (
        #"{"model_type": "qwen3", "architectures": null, "head_dim": null}"#,
        "'head_dim' is null, not a whole number from 1 to 256."
      ),
    ])
    try assertFindings([
      (#"{"head_dim": 256}"#, []), (#"{"head_dim": 2}"#, []), (#"{"hidden_size": 1024}"#, []),
      (#"{"num_key_value_heads": null}"#, []), (#"{"hidden_size": 42, "head_dim": 8}"#, []),
      (#"{"num_key_value_heads": 4}"#, []), (#"{"head_dim": null}"#, []),
    ])
  }

  func testNumbersAndSwitches() throws {
    try assertFinding([
      (#"{"rms_norm_eps": 0}"#, "'rms_norm_eps' is 0, not a number above 0 and at most 1."),
      (#"{"rms_norm_eps": 1.5}"#, "'rms_norm_eps' is 1.5, not a number above 0 and at most 1."),
      (#"{"rms_norm_eps": null}"#, "'rms_norm_eps' is null, not a number above 0 and at most 1."),
      (
        #"{"rms_norm_eps": "1e-6"}"#,
        "'rms_norm_eps' is '1e-6', not a number above 0 and at most 1."
      ),
      (#"{"initializer_range": -1}"#, "'initializer_range' is -1, not a number from 0 to 1."),
      (#"{"initializer_range": 2}"#, "'initializer_range' is 2, not a number from 0 to 1."),
      (#"{"attention_dropout": 1.1}"#, "'attention_dropout' is 1.1, not a number from 0 to 1."),
      (
        #"{"tie_word_embeddings": null}"#, "'tie_word_embeddings' is null, not true or false."
      ),
      (#"{"tie_word_embeddings": 1}"#, "'tie_word_embeddings' is 1, not true or false."),
      (
        #"{"model_type": "llama", "architectures": [], "attention_bias": "no"}"#,
        "'attention_bias' is 'no', not true or false."
      ),
      (
        #"{"model_type": "llama", "architectures": [], "mlp_bias": 0}"#,
        "'mlp_bias' is 0, not true or false."
      ),
      (
        #"{"torch_dtype": "int8"}"#,
        "'torch_dtype' is 'int8', not 'float32', 'bfloat16' or 'float16'."
      ),
      (#"{"dtype": 16}"#, "'dtype' is 16, not 'float32', 'bfloat16' or 'float16'."),
      (
        #"{"dtype": "float32"}"#,
        "'dtype' is 'float32', but 'torch_dtype' is 'bfloat16'. Keep one of them."
      ),
    ])
    try assertFindings([
      (#"{"initializer_range": 0}"#, []), (#"{"rms_norm_eps": 1}"#, []),
      (#"{"dtype": "bfloat16"}"#, []), (#"{"dtype": null, "torch_dtype": null}"#, []),
    ])
  }

  func testTokens() throws {
    let words = "not a token of the vocabulary, a whole number from 0 to 100."
    try assertFinding([
      (#"{"bos_token_id": 101}"#, "'bos_token_id' is 101, \(words)"),
      (#"{"bos_token_id": -1}"#, "'bos_token_id' is -1, \(words)"),
      (#"{"bos_token_id": [1]}"#, "'bos_token_id' is a list, \(words)"),
      (#"{"eos_token_id": 101}"#, "'eos_token_id' is 101, \(words)"),
      (#"{"eos_token_id": "</s>"}"#, "'eos_token_id' is '</s>', \(words)"),
      (#"{"eos_token_id": [2, 101, 102]}"#, "'eos_token_id[1]' is 101, \(words)"),
      (#"{"eos_token_id": [2.0]}"#, "'eos_token_id[0]' is 2.0, \(words)"),
      (
        #"{"eos_token_id": [2, null]}"#,
        "'eos_token_id[1]' is null, not a token of the vocabulary. Remove it."
      ),
      (#"{"pad_token_id": "<pad>"}"#, "'pad_token_id' is '<pad>', \(words)"),
    ])
    try assertFindings([
      (#"{"bos_token_id": 100}"#, []), (#"{"eos_token_id": [0, 100]}"#, []),
      (#"{"eos_token_id": []}"#, []), (#"{"pad_token_id": -1}"#, []),
    ])
  }

  /// Llama's tokens 1 and 2 stand in for missing keys, but not in a vocabulary without them.
  func testMissingTokensAreInTheVocabulary() throws {
    for (rows, bos, eos) in [(1, nil, []), (2, 1, []), (3, 1, [2])] as [(Int, Int?, [Int])] {
      let configuration = try ModelConfiguration(
        try file(
          #"""
          {"model_type": "llama", "architectures": [], "vocab_size": \#(rows),
           "bos_token_id": "removed", "eos_token_id": "removed"}
          """#), source: "config.json")
      XCTAssertEqual(configuration.bosTokenId, bos)
      XCTAssertEqual(configuration.eosTokenIds, eos)
    }
  }

  func testAllFindingsAtOnce() throws {
    XCTAssertEqual(
      try findings(
        #"{"hidden_act": "relu", "vocab_size": 0, "rope_theta": "x", "eos_token_id": 1e9}"#
      ).joined(separator: "\n"),
      """
      config.json: 'hidden_act' is 'relu', not 'silu', the only activation there is here.
      config.json: 'vocab_size' is 0, not a whole number from 1 to 16777216.
      config.json: 'rope_theta' is 'x', not a number above 1 and at most 1000000000000000.
      config.json: 'eos_token_id' is 1e9, not a token of the vocabulary, \
      a whole number from 0 to 16777215.
      """)
    XCTAssertThrowsError(
      try ModelConfiguration(
        JSONObject(members: [("model_type", .string("llama"))]), source: "a/config.json")
    ) {
      XCTAssertEqual(
        "\($0)",
        """
        a/config.json: missing key 'vocab_size'.
        a/config.json: missing key 'hidden_size'.
        a/config.json: missing key 'intermediate_size'.
        a/config.json: missing key 'num_hidden_layers'.
        a/config.json: missing key 'num_attention_heads'.
        """)
    }
  }

  func testAFileThatHoldsNoObject() throws {
    for (text, shown) in [("[]", "a list"), ("3", "3"), ("null", "null"), (#""a""#, "'a'")] {
      XCTAssertThrowsError(try ModelConfiguration(try .from(text), source: "config.json")) {
        XCTAssertEqual(
          "\($0)",
          "config.json: the file holds \(shown), not an object with the model's configuration.")
      }
    }
  }

  /// The largest configuration that is accepted: no count or size may overflow.
  func testTheLargestSizes() throws {
    let configuration = try ModelConfiguration(
      try file(
        #"""
        {"model_type": "llama", "architectures": [], "attention_bias": true, "mlp_bias": true,
         "vocab_size": 16777216, "hidden_size": 131072, "intermediate_size": 1048576,
         "num_hidden_layers": 1024, "num_attention_heads": 1024, "num_key_value_heads": 1024,
         "head_dim": 256, "max_position_embeddings": 16777216, "tie_word_embeddings": false}
        """#), source: "config.json")
    XCTAssertEqual(configuration.parameterCount, 567_351_489_724_416)
    XCTAssertEqual(configuration.bytesToTrain(), 16 * 567_351_489_724_416)
    XCTAssertEqual(
      configuration.parameters.map(\.count).reduce(0, +), configuration.parameterCount)
  }

  func testNotes() throws {
    func notes(_ changes: String) throws -> [String] {
      try ModelConfiguration(try file(changes), source: "config.json").notes
    }
    let cases = [
      (
        #"{"attention_dropout": 0.1}"#,
        "'attention_dropout' is 0.1, and is ignored: training here drops nothing out."
      ),
      (
        #"{"attention_bias": false}"#,
        "'attention_bias' is false, and is ignored: qwen2 has biases on query, key and value only."
      ),
      (#"{"mlp_bias": true}"#, "'mlp_bias' is true, and is ignored: qwen2 has no biases there."),
      (
        #"{"pad_token_id": -1}"#,
        "'pad_token_id' is -1, outside the vocabulary of 101 rows, and is ignored."
      ),
      (
        #"{"rope_scaling": {"type": "linear", "factor": 2, "beta_fast": 3}}"#,
        "'rope_scaling.beta_fast' has no meaning for RoPE of type 'linear', and is ignored."
      ),
    ]
    for (changes, note) in cases {
      XCTAssertEqual(try notes(changes), ["config.json: \(note)"], changes)
    }
    XCTAssertEqual(try notes("{}"), [])
    XCTAssertEqual(try notes(#"{"mlp_bias": false, "attention_dropout": null}"#), [])
    XCTAssertNil(
      try ModelConfiguration(try file(#"{"pad_token_id": -1}"#), source: "").padTokenId)
  }
}
