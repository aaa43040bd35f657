import Foundation
import Models
import Storage
import XCTest

/// Frequencies against `Fixtures/rope/frequencies.json`, to the bit.
final class RotaryFrequenciesTests: XCTestCase {
  private struct Case {
    let name: String
    let configuration: ModelConfiguration
    let attentionFactor: Float
    let frequencies: [Float]
    /// What torch's vectorized power gives, where it differs.
    let vectorized: [Float]?
  }

  private func cases() throws -> [Case] {
    let file = try object(in: fixtures.appending(path: "rope/frequencies.json"))
    guard case .array(let elements) = file["cases"] else {
      throw FixtureError(description: "no cases")
    }
    return try elements.map { element in
      guard case .object(let object) = element, case .string(let name) = object["name"],
        case .number(let attentionFactor) = object["attention_factor"],
        let frequencies = floats(object["inverse_frequencies"])
      else { throw FixtureError(description: "another case") }
      let json = JSONObject(members: [
        ("model_type", .string("llama")), ("vocab_size", .integer(8)),
        ("hidden_size", .integer(8)), ("intermediate_size", .integer(8)),
        ("num_hidden_layers", .integer(1)), ("num_attention_heads", .integer(2)),
        ("head_dim", object["head_dim"] ?? .null),
        ("max_position_embeddings", object["max_position_embeddings"] ?? .null),
        ("rope_theta", object["rope_theta"] ?? .null),
        ("rope_scaling", object["rope_scaling"] ?? .null),
      ])
      return Case(
        name: name, configuration: try ModelConfiguration(json, source: name),
        attentionFactor: Float(try XCTUnwrap(attentionFactor.double)), frequencies: frequencies,
        vectorized: floats(object["vectorized"]))
    }
  }

  private func floats(_ value: JSONValue?) -> [Float]? {
    guard case .string(let text) = value else { return nil }
    return text.split(separator: " ").map { Float(bitPattern: UInt32($0, radix: 16) ?? .max) }
  }

  func testFrequenciesAreThoseOfTransformers() throws {
    let cases = try cases()
    XCTAssertEqual(cases.count, 23)
    for each in cases {
      let frequencies = RotaryFrequencies(each.configuration).inverseFrequencies
      XCTAssertEqual(frequencies.count, each.configuration.headDim / 2, each.name)
      XCTAssertEqual(frequencies.count, each.frequencies.count, each.name)
      for (i, (ours, theirs)) in zip(frequencies, each.frequencies).enumerated() {
        XCTAssertEqual(ours.bitPattern, theirs.bitPattern, "\(each.name): \(i), \(ours), \(theirs)")
      }
    }
  }

  func testAttentionFactorsAreThoseOfTransformers() throws {
    for each in try cases() {
      XCTAssertEqual(
        RotaryFrequencies(each.configuration).attentionFactor, each.attentionFactor, each.name)
    }
  }

  /// The power function of vector units is one bit off now and then, after stretching two.
  func testVectorizedFrequenciesAreNear() throws {
    let cases = try cases().filter { $0.vectorized != nil }
    XCTAssertEqual(cases.count, 5)
    for each in cases {
      let frequencies = RotaryFrequencies(each.configuration).inverseFrequencies
      for (i, (ours, theirs)) in zip(frequencies, each.vectorized ?? []).enumerated() {
        let bits = Int(theirs.bitPattern) - Int(ours.bitPattern)
        XCTAssertLessThanOrEqual(abs(bits), 2, "\(each.name): \(i), \(ours), \(theirs)")
      }
    }
  }

  /// Values that can be worked out by hand: theta^(-2i/D) for theta = 10,000 and D = 8.
  func testFrequenciesOfASmallHead() {
    let rope = RotaryParameters(ropeTheta: 10_000)
    let frequencies = RotaryFrequencies(rope, headDim: 8, maxPositionEmbeddings: 1)
    XCTAssertEqual(frequencies.inverseFrequencies, [1, 0.1, 0.01, 0.001])
    XCTAssertEqual(frequencies.attentionFactor, 1)
  }

  func testLinearDividesByTheFactor() {
    let rope = RotaryParameters(ropeTheta: 10_000, scaling: .linear(factor: 4))
    let frequencies = RotaryFrequencies(rope, headDim: 4, maxPositionEmbeddings: 1)
    XCTAssertEqual(frequencies.inverseFrequencies, [0.25, 0.0025])
  }
}
