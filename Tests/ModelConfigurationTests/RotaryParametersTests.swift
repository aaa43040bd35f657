import Foundation
import Models
import Storage
import XCTest

/// RoPE in `config.json`: its two spellings, and what is refused.
final class RotaryParametersTests: XCTestCase {
  /// Reads a small Llama with the members of a JSON object, and without any RoPE otherwise.
  private func configuration(_ members: String) throws -> ModelConfiguration {
    let base = try object(in: fixtures.appending(path: "configurations/made/llama-biases.json"))
    let added = try object(in: Data(members.utf8)).members
    let changes = Dictionary(uniqueKeysWithValues: added.map { ($0.key, Optional($0.value)) })
    return try ModelConfiguration(
      base.with(["rope_theta": nil, "rope_scaling": nil]).with(changes),
      source: "config.json")
  }

  private func assertFindings(
    _ cases: [(members: String, finding: String)], line: UInt = #line
  ) throws {
    for (members, finding) in cases {
      XCTAssertThrowsError(try configuration(members), members, line: line) {
        XCTAssertEqual("\($0)", "config.json: \(finding)", members, line: line)
      }
    }
  }

  func testSpellings() throws {
    let linear = RotaryParameters(ropeTheta: 5000, scaling: .linear(factor: 2))
    let cases: [(members: String, rope: RotaryParameters)] = [
      ("{}", RotaryParameters(ropeTheta: 10_000)),
      (#"{"rope_theta": 5000}"#, RotaryParameters(ropeTheta: 5000)),
      (#"{"rope_theta": 5e3, "rope_scaling": null}"#, RotaryParameters(ropeTheta: 5000)),
      (#"{"rope_scaling": {}, "rope_parameters": {}}"#, RotaryParameters(ropeTheta: 10_000)),
      (#"{"rope_parameters": {"rope_theta": 5000}}"#, RotaryParameters(ropeTheta: 5000)),
      (
        #"{"rope_parameters": {"rope_theta": 5000, "rope_type": "default"}}"#,
        RotaryParameters(ropeTheta: 5000)
      ),
      (#"{"rope_theta": 5000, "rope_scaling": {"type": "linear", "factor": 2}}"#, linear),
      (#"{"rope_theta": 5000, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}"#, linear),
      (
        #"{"rope_theta": 5000, "rope_scaling": {"rope_type": "linear", "type": "linear", "factor": 2}}"#,
        linear
      ),
      (
        #"{"rope_parameters": {"rope_theta": 5000, "rope_type": "linear", "factor": 2}}"#, linear
      ),
      (#"{"rope_theta": 5000, "rope_parameters": {"rope_type": "linear", "factor": 2}}"#, linear),
      (
        #"{"rope_theta": 5000, "rope_parameters": {"rope_theta": 5e3, "rope_type": "linear", "factor": 2}}"#,
        linear
      ),
      (
        #"""
        {"rope_theta": 5000, "rope_scaling": {"rope_type": "linear", "factor": 2},
         "rope_parameters": {"rope_type": "linear", "factor": 2}}
        """#, linear
      ),
    ]
    for (members, rope) in cases {
      XCTAssertEqual(try configuration(members).rope, rope, members)
    }
  }

  func testYaRN() throws {
    typealias YaRN = RotaryParameters.YaRN
    let cases: [(members: String, yarn: YaRN)] = [
      (#""factor": 4"#, YaRN(factor: 4, originalMaxPositionEmbeddings: 256)),
      (#""factor": null"#, YaRN(factor: nil, originalMaxPositionEmbeddings: 256)),
      (
        #""factor": 4, "original_max_position_embeddings": 64"#,
        YaRN(factor: 4, originalMaxPositionEmbeddings: 64)
      ),
      (
        #"""
        "factor": 4, "beta_fast": 16, "beta_slow": 2, "attention_factor": 1.5, "mscale": 0.5,
        "mscale_all_dim": 0.25, "truncate": false
        """#,
        YaRN(
          factor: 4, originalMaxPositionEmbeddings: 256, betaFast: 16, betaSlow: 2,
          attentionFactor: 1.5, mscale: 0.5, mscaleAllDim: 0.25, truncate: false)
      ),
      (
        #"""
        "factor": 4, "beta_fast": null, "beta_slow": null, "attention_factor": null,
        "mscale": null, "mscale_all_dim": null, "truncate": true
        """#, YaRN(factor: 4, originalMaxPositionEmbeddings: 256)
      ),
      (
        #""factor": 4, "truncate": null"#,
        YaRN(factor: 4, originalMaxPositionEmbeddings: 256, truncate: false)
      ),
    ]
    for (members, yarn) in cases {
      let text = #"{"rope_scaling": {"type": "yarn", \#(members)}}"#
      XCTAssertEqual(try configuration(text).rope.scaling, .yarn(yarn), members)
    }
  }

  func testOtherTypes() throws {
    let names = "'default', 'linear', 'llama3' and 'yarn'"
    for type in ["dynamic", "longrope", "su", "mrope", "ntk", "proportional", "axial"] {
      try assertFindings([
        (
          #"{"rope_scaling": {"type": "\#(type)", "factor": 2.0}}"#,
          "'rope_scaling.type' is '\(type)', not one of \(names)."
        )
      ])
    }
    try assertFindings([
      (
        #"{"rope_parameters": {"rope_type": "longrope"}}"#,
        "'rope_parameters.rope_type' is 'longrope', not one of \(names)."
      ),
      (
        #"{"rope_scaling": {"rope_type": "lama3"}}"#,
        "'rope_scaling.rope_type' is 'lama3', not one of \(names). Did you mean 'llama3'?"
      ),
      (
        #"{"rope_scaling": {"rope_type": 3}}"#,
        "'rope_scaling.rope_type' is 3, not one of \(names)."
      ),
      (
        #"{"rope_scaling": {"factor": 2.0}}"#,
        "missing key 'rope_scaling.rope_type', which is one of \(names)."
      ),
      (
        #"{"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}"#,
        "'rope_parameters' has parameters for 'full_attention' layers. "
          + "Only one kind of RoPE for all layers can be computed."
      ),
    ])
  }

  func testContradictions() throws {
    try assertFindings([
      (
        #"{"rope_theta": 5000, "rope_parameters": {"rope_theta": 10000.0}}"#,
        "'rope_theta' is 5000, but 'rope_parameters.rope_theta' is 10000.0. Keep one of them."
      ),
      (
        #"{"rope_scaling": {"rope_type": "linear", "factor": 2}, "rope_parameters": {"rope_theta": 5}}"#,
        "'rope_parameters' and 'rope_scaling' differ. Keep one of them."
      ),
      (
        #"{"rope_scaling": {"rope_type": "default", "type": "linear"}}"#,
        "'rope_scaling.rope_type' is 'default', but 'rope_scaling.type' is 'linear'. "
          + "Keep one of them."
      ),
      (
        #"""
        {"original_max_position_embeddings": 128, "rope_scaling":
         {"type": "yarn", "factor": 2, "original_max_position_embeddings": 64}}
        """#,
        "'original_max_position_embeddings' is 128, but "
          + "'rope_scaling.original_max_position_embeddings' is 64. Keep one of them."
      ),
    ])
  }

  func testNumbers() throws {
    let theta = "not a number above 1 and at most 1000000000000000."
    let llama3 = #""rope_type": "llama3", "original_max_position_embeddings": 8"#
    let yarn = #""rope_type": "yarn", "factor": 2"#
    try assertFindings([
      (#"{"rope_theta": 0}"#, "'rope_theta' is 0, \(theta)"),
      (#"{"rope_theta": 1}"#, "'rope_theta' is 1, \(theta)"),
      (#"{"rope_theta": 1e999}"#, "'rope_theta' is 1e999, \(theta)"),
      (#"{"rope_theta": 1e16}"#, "'rope_theta' is 1e16, \(theta)"),
      (#"{"rope_theta": null}"#, "'rope_theta' is null, \(theta)"),
      (
        #"{"rope_parameters": {"rope_theta": "x"}}"#,
        "'rope_parameters.rope_theta' is 'x', \(theta)"
      ),
      (#"{"rope_scaling": 2}"#, "'rope_scaling' is 2, not an object."),
      (#"{"rope_parameters": []}"#, "'rope_parameters' is a list, not an object."),
      (#"{"rope_scaling": {"type": "linear"}}"#, "missing key 'rope_scaling.factor'."),
      (
        #"{"rope_scaling": {"type": "linear", "factor": 0.5}}"#,
        "'rope_scaling.factor' is 0.5, not a number from 1 to 1000000."
      ),
      (
        #"{"rope_scaling": {"type": "linear", "factor": null}}"#,
        "'rope_scaling.factor' is null, not a number from 1 to 1000000."
      ),
      (
        #"{"rope_scaling": {\#(llama3), "factor": 2, "low_freq_factor": 1}}"#,
        "missing key 'rope_scaling.high_freq_factor'."
      ),
      (
        #"{"rope_scaling": {"rope_type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 4}}"#,
        "missing key 'rope_scaling.original_max_position_embeddings'."
      ),
      (
        #"{"rope_scaling": {\#(llama3), "factor": 2, "low_freq_factor": 0, "high_freq_factor": 4}}"#,
        "'rope_scaling.low_freq_factor' is 0, not a number above 0 and at most 1000000."
      ),
      (
        #"{"rope_scaling": {\#(llama3), "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4.0}}"#,
        "'rope_scaling.low_freq_factor' is 4, not less than 'high_freq_factor', which is 4.0."
      ),
      (
        #"{"rope_scaling": {\#(yarn), "original_max_position_embeddings": 0}}"#,
        "'rope_scaling.original_max_position_embeddings' is 0, "
          + "not a whole number from 1 to 16777216."
      ),
      (
        #"{"rope_scaling": {\#(yarn), "beta_fast": 0}}"#,
        "'rope_scaling.beta_fast' is 0, not a number above 0 and at most 1000000."
      ),
      (
        #"{"rope_scaling": {\#(yarn), "beta_slow": 33}}"#,
        "'rope_scaling.beta_fast' (32 where it is missing) is less than 'beta_slow' "
          + "(1 where it is missing). Exchange them."
      ),
      (
        #"{"rope_scaling": {\#(yarn), "attention_factor": -1}}"#,
        "'rope_scaling.attention_factor' is -1, not a number above 0 and at most 1000000."
      ),
      (
        #"{"rope_scaling": {\#(yarn), "mscale": -1}}"#,
        "'rope_scaling.mscale' is -1, not a number from 0 to 1000000."
      ),
      (
        #"{"rope_scaling": {\#(yarn), "truncate": 1}}"#,
        "'rope_scaling.truncate' is 1, not true or false."
      ),
    ])
  }

  /// The extremes of what is accepted give numbers, not NaN or infinity.
  func testExtremesAreFinite() throws {
    let extremes = [
      #"{"rope_theta": 1e15, "rope_scaling": {"type": "linear", "factor": 1e6}}"#,
      #"{"rope_theta": 1.0000001}"#,
      #"""
      {"rope_theta": 1.0000000001, "rope_scaling": {"type": "yarn", "factor": 1e6,
       "original_max_position_embeddings": 1, "beta_fast": 1e6, "beta_slow": 1e-300}}
      """#,
      #"""
      {"rope_scaling": {"type": "yarn", "factor": 1e6, "mscale": 1e6, "mscale_all_dim": 1e-300,
       "original_max_position_embeddings": 16777216, "truncate": false}}
      """#,
      #"""
      {"rope_theta": 1e15, "rope_scaling": {"type": "llama3", "factor": 1e6,
       "low_freq_factor": 1e-300, "high_freq_factor": 1e6, "original_max_position_embeddings": 1}}
      """#,
      #"""
      {"rope_scaling": {"type": "llama3", "factor": 1, "low_freq_factor": 1,
       "high_freq_factor": 1.0000000000000002, "original_max_position_embeddings": 8}}
      """#,
    ]
    for members in extremes {
      let frequencies = RotaryFrequencies(try configuration(members))
      XCTAssertTrue(frequencies.inverseFrequencies.allSatisfy { $0.isFinite && $0 >= 0 }, members)
      XCTAssertTrue(frequencies.attentionFactor.isFinite, members)
    }
  }
}
