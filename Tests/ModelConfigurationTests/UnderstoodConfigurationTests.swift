import Foundation
import Models
import Storage
import XCTest

/// Every file of `Fixtures/configurations` against what transformers reads in it.
final class UnderstoodConfigurationTests: XCTestCase {
  private func withEveryFile(
    _ body: (String, ModelConfiguration, JSONObject) throws -> Void
  ) throws {
    let folder = fixtures.appending(path: "configurations")
    let understood = try object(in: folder.appending(path: "understood.json"))
    guard case .object(let models) = understood["models"] else { return XCTFail("no models") }
    XCTAssertEqual(models.members.count, 22)
    for (name, value) in models.members {
      guard case .object(let expected) = value else { return XCTFail("\(name) is no object") }
      let json = try object(in: folder.appending(path: name))
      try body(name, try ModelConfiguration(json, source: name), expected)
    }
  }

  func testSizes() throws {
    try withEveryFile { name, configuration, expected in
      let sizes = [
        ("vocab_size", configuration.vocabSize),
        ("hidden_size", configuration.hiddenSize),
        ("intermediate_size", configuration.intermediateSize),
        ("num_hidden_layers", configuration.numHiddenLayers),
        ("num_attention_heads", configuration.numAttentionHeads),
        ("num_key_value_heads", configuration.numKeyValueHeads),
        ("head_dim", configuration.headDim),
        ("max_position_embeddings", configuration.maxPositionEmbeddings),
        ("parameter_count", configuration.parameterCount),
      ]
      for (key, value) in sizes {
        XCTAssertEqual(.integer(value), expected[key], "\(name): \(key)")
      }
    }
  }

  func testNumbers() throws {
    try withEveryFile { name, configuration, expected in
      XCTAssertEqual(configuration.rmsNormEps, expected["rms_norm_eps"]?.double, name)
      XCTAssertEqual(configuration.initializerRange, expected["initializer_range"]?.double, name)
      XCTAssertEqual(configuration.attentionDropout, expected["attention_dropout"]?.double ?? 0)
    }
  }

  func testNamesAndTokens() throws {
    try withEveryFile { name, configuration, expected in
      XCTAssertEqual(.string(configuration.family.modelType), expected["model_type"], name)
      XCTAssertEqual(.string(configuration.family.architecture), expected["architecture"], name)
      XCTAssertEqual(.bool(configuration.tieWordEmbeddings), expected["tie_word_embeddings"], name)
      XCTAssertEqual(configuration.dtype.map { .string($0.rawValue) } ?? .null, expected["dtype"])
      XCTAssertEqual(
        configuration.bosTokenId.map { .integer($0) } ?? .null, expected["bos_token_id"], name)
      XCTAssertEqual(
        configuration.padTokenId.map { .integer($0) } ?? .null, expected["pad_token_id"], name)
      let eos = configuration.eosTokenIds.map { JSONValue.integer($0) }
      switch expected["eos_token_id"] {
      case .array(let ids): XCTAssertEqual(eos, ids, name)
      case .null: XCTAssertEqual(eos, [], name)
      case let id: XCTAssertEqual(eos, [id], name)
      }
    }
  }

  func testRotaryParameters() throws {
    try withEveryFile { name, configuration, expected in
      guard case .object(let rope) = expected["rope_parameters"] else {
        return XCTFail("\(name): no rope_parameters")
      }
      XCTAssertEqual(configuration.rope, try parameters(from: rope), name)
    }
  }

  /// What transformers understood, by its keys alone and without any default but its own.
  private func parameters(from rope: JSONObject) throws -> RotaryParameters {
    func number(_ key: String) throws -> Double { try XCTUnwrap(rope[key]?.double, key) }
    func positions() throws -> Int {
      Int(try number("original_max_position_embeddings"))
    }
    let scaling: RotaryParameters.Scaling
    switch rope["rope_type"] {
    case .string("default"): scaling = .default
    case .string("linear"): scaling = .linear(factor: try number("factor"))
    case .string("llama3"):
      scaling = .llama3(
        RotaryParameters.Llama3(
          factor: try number("factor"), lowFreqFactor: try number("low_freq_factor"),
          highFreqFactor: try number("high_freq_factor"),
          originalMaxPositionEmbeddings: try positions()))
    case .string("yarn"):
      scaling = .yarn(
        RotaryParameters.YaRN(
          factor: rope["factor"]?.double, originalMaxPositionEmbeddings: try positions(),
          betaFast: rope["beta_fast"]?.double ?? 32, betaSlow: rope["beta_slow"]?.double ?? 1,
          attentionFactor: rope["attention_factor"]?.double, mscale: rope["mscale"]?.double,
          mscaleAllDim: rope["mscale_all_dim"]?.double,
          truncate: rope["truncate"] != .bool(false)))
    default: throw FixtureError(description: "another rope_type")
    }
    return RotaryParameters(ropeTheta: try number("rope_theta"), scaling: scaling)
  }

  func testParametersInOrder() throws {
    var compared = 0
    try withEveryFile { name, configuration, expected in
      guard case .array(let list) = expected["parameters"] else { return }
      let parameters = configuration.parameters.map { JSONValue.string("\($0.name) \($0.shape)") }
      XCTAssertEqual(parameters.count, list.count, name)
      for (i, (ours, theirs)) in zip(parameters, list).enumerated() {
        XCTAssertEqual(ours, theirs, "\(name): parameter \(i)")
      }
      XCTAssertEqual(
        configuration.parameters.map(\.count).reduce(0, +), configuration.parameterCount, name)
      compared += 1
    }
    XCTAssertEqual(compared, 17)
  }

  func testFilesKeepAllKeys() throws {
    try withEveryFile { name, configuration, _ in
      let json = try object(in: fixtures.appending(path: "configurations/\(name)"))
      XCTAssertEqual(configuration.json, json, name)
    }
  }

  func testNothingIsIgnoredInPublishedFiles() throws {
    try withEveryFile { name, configuration, _ in
      XCTAssertEqual(configuration.notes, [], name)
    }
  }
}

extension JSONValue {
  fileprivate var double: Double? {
    if case .number(let number) = self { number.double } else { nil }
  }
}
