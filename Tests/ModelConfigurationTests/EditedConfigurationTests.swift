import Foundation
import Models
import Storage
import XCTest

final class EditedConfigurationTests: XCTestCase {
  private func configuration(_ text: String) throws -> ModelConfiguration {
    try ModelConfiguration(try .from(text), source: "config.json")
  }

  private func small(_ members: String) -> String {
    #"""
    {"vocab_size":9,"model_type":"qwen2","hidden_size":8,"zzz":[1e-06,"\u00e9"],
    "intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,"num_key_value_heads":1
    """#.replacingOccurrences(of: "\n", with: "") + members + "}"
  }

  private func text(_ configuration: ModelConfiguration) -> String {
    String(decoding: JSONValue.object(configuration.json).serialized(), as: UTF8.self)
  }

  func testWithoutChangesTheFileStays() throws {
    let files = ["published/qwen2.5-14b-instruct", "made/llama-biases", "sparse/qwen3"]
    for file in files {
      let json = try object(in: fixtures.appending(path: "configurations/\(file).json"))
      let configuration = try ModelConfiguration(json, source: file)
      XCTAssertEqual(try configuration.replacing(), configuration)
    }
  }

  func testOnlyTheChangedMembersChange() throws {
    let name = "configurations/published/deepseek-r1-distill-qwen-32b.json"
    let json = try object(in: fixtures.appending(path: name))
    let changed = try ModelConfiguration(json, source: name).replacing(
      dtype: .float32, tieWordEmbeddings: true, ropeTheta: 300_000, maxPositionEmbeddings: 32768)

    XCTAssertEqual(changed.json.members.map(\.key), json.members.map(\.key))
    let expected: [String: JSONValue] = [
      "torch_dtype": .string("float32"), "tie_word_embeddings": .bool(true),
      "rope_theta": .decimal("300000.0"), "max_position_embeddings": .integer(32768),
    ]
    for (member, original) in zip(changed.json.members, json.members) {
      XCTAssertEqual(member.value, expected[member.key] ?? original.value, member.key)
    }
    XCTAssertEqual(changed.dtype, .float32)
    XCTAssertTrue(changed.tieWordEmbeddings)
    XCTAssertEqual(changed.rope, RotaryParameters(ropeTheta: 300_000))
    XCTAssertEqual(changed.maxPositionEmbeddings, 32768)
    XCTAssertEqual(changed.parameterCount, 32_763_876_352 - 152_064 * 5120)
  }

  func testValuesAreWrittenInTheFilesSpelling() throws {
    let bf = ModelConfiguration.Dtype.bfloat16
    let cases: [(before: String, after: String)] = [
      ("", #","torch_dtype":"bfloat16","rope_theta":5000.0"#),
      (
        #","dtype":"float32","rope_theta":7"#, #","dtype":"bfloat16","rope_theta":5000.0"#
      ),
      (
        #","dtype":"float32","torch_dtype":"float32""#,
        #","dtype":"bfloat16","torch_dtype":"bfloat16","rope_theta":5000.0"#
      ),
      (
        #","rope_parameters":{"rope_theta":7}"#,
        #","rope_parameters":{"rope_theta":5000.0},"dtype":"bfloat16""#
      ),
      (
        #","rope_parameters":{"rope_theta":7},"rope_theta":7.0"#,
        #","rope_parameters":{"rope_theta":5000.0},"rope_theta":5000.0,"dtype":"bfloat16""#
      ),
      (
        #","rope_parameters":{"rope_type":"default"}"#,
        #","rope_parameters":{"rope_type":"default","rope_theta":5000.0},"dtype":"bfloat16""#
      ),
      (
        #","rope_parameters":{"rope_type":"default"},"rope_theta":7"#,
        #","rope_parameters":{"rope_type":"default"},"rope_theta":5000.0,"dtype":"bfloat16""#
      ),
      (
        #","rope_scaling":{"type":"linear","factor":2}"#,
        #","rope_scaling":{"type":"linear","factor":2},"torch_dtype":"bfloat16","rope_theta":5000.0"#
      ),
    ]
    for (before, after) in cases {
      let changed = try configuration(small(before)).replacing(dtype: bf, ropeTheta: 5000)
      XCTAssertEqual(text(changed), try text(configuration(small(after))), before)
      XCTAssertEqual(changed.rope.ropeTheta, 5000)
      XCTAssertEqual(changed.dtype, bf)
    }
  }

  /// A YaRN without original positions has them from the positions that are being changed.
  func testMorePositionsLeaveTheFrequenciesAsTheyWere() throws {
    let scalings = [
      #"{"type":"yarn","factor":2}"#, #"{"type":"linear","factor":2}"#,
      #"""
      {"type":"llama3","factor":2,"low_freq_factor":1,"high_freq_factor":4,
      "original_max_position_embeddings":64}
      """#,
    ]
    for scaling in scalings {
      let before = try configuration(
        small(#","max_position_embeddings":128,"rope_scaling":\#(scaling)"#))
      let after = try before.replacing(maxPositionEmbeddings: 1024)
      XCTAssertEqual(after.maxPositionEmbeddings, 1024)
      XCTAssertEqual(RotaryFrequencies(after), RotaryFrequencies(before), scaling)
    }
    let yarn = try configuration(
      small(#","max_position_embeddings":128,"rope_scaling":{"type":"yarn","factor":2}"#))
    XCTAssertEqual(
      text(try yarn.replacing(maxPositionEmbeddings: 1024)),
      text(
        try configuration(
          small(
            #","max_position_embeddings":1024,"rope_scaling":{"type":"yarn","factor":2,"original_max_position_embeddings":128}"#
          ))))
  }

  func testWrongValuesAreRefused() throws {
    let configuration = try configuration(small(""))
    XCTAssertThrowsError(
      try configuration.replacing(ropeTheta: .nan, maxPositionEmbeddings: 0, source: "student")
    ) {
      XCTAssertEqual(
        "\($0)",
        """
        student: 'max_position_embeddings' is 0, not a whole number from 1 to 16777216.
        student: 'rope_theta' is 'nan', not a number above 1 and at most 1000000000000000.
        """)
    }
    XCTAssertThrowsError(
      try ModelConfiguration(
        family: .llama, vocabSize: 5, hiddenSize: .min, intermediateSize: 1, numHiddenLayers: 1,
        numAttentionHeads: 0, numKeyValueHeads: 1, rmsNormEps: .infinity, maxPositionEmbeddings: 1)
    ) {
      XCTAssertEqual(
        "\($0)",
        """
        configuration: 'hidden_size' is -9223372036854775808, \
        not a whole number from 1 to 131072.
        configuration: 'num_attention_heads' is 0, not a whole number from 1 to 1024.
        configuration: 'rms_norm_eps' is 'inf', not a number above 0 and at most 1.
        """)
    }
  }
}
