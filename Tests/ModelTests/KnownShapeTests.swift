import Models
import Storage
import XCTest

/// The decoders of the published models, one layer deep and with narrow channels: their parameters
/// are those that the configuration lists.
final class KnownShapeTests: XCTestCase {
  /// The same shape with one layer, a small vocabulary, and every width divided by 16.
  private func shrunk(_ model: KnownModel) throws -> ModelConfiguration {
    let real = model.configuration
    for width in [real.hiddenSize, real.intermediateSize, real.headDim] {
      XCTAssertEqual(width % 16, 0, model.name)
    }
    return try ModelConfiguration(
      family: real.family, vocabSize: 37, hiddenSize: real.hiddenSize / 16,
      intermediateSize: real.intermediateSize / 16, numHiddenLayers: 1,
      numAttentionHeads: real.numAttentionHeads, numKeyValueHeads: real.numKeyValueHeads,
      headDim: real.headDim / 16, attentionBias: real.attentionBias, mlpBias: real.mlpBias,
      maxPositionEmbeddings: real.maxPositionEmbeddings, rope: real.rope,
      tieWordEmbeddings: real.tieWordEmbeddings)
  }

  func testParameters() throws {
    XCTAssertEqual(KnownModel.all.count, 14)
    for model in KnownModel.all {
      let configuration = try shrunk(model)
      let decoder = Decoder(configuration, precision: .bfloat16)
      let expected = configuration.parameters
      XCTAssertEqual(decoder.parameters.map(\.name), expected.map(\.name), model.name)
      XCTAssertEqual(decoder.parameters.map(\.shape), expected.map(\.shape), model.name)
      XCTAssertEqual(decoder.parameters.map(\.count), expected.map(\.count), model.name)
      XCTAssertEqual(
        decoder.parameters.map { $0.value.shape }, expected.map(\.shape), model.name)

      // The real one has the same tensors in its first layer.
      let layer = "model.layers.0."
      let real = model.configuration.parameters
      XCTAssertEqual(
        real.filter { $0.name.hasPrefix(layer) || !$0.name.hasPrefix("model.layers.") }.map(\.name),
        expected.map(\.name), model.name)
      let factors = zip(
        real.filter { $0.name.hasPrefix(layer) }, expected.filter { $0.name.hasPrefix(layer) }
      ).flatMap { zip($0.shape, $1.shape).map { $0 / $1 } }
      XCTAssertEqual(Set(factors), [16], model.name)
    }
  }

  /// The names of a layer, written out once by hand, as transformers lists them.
  func testNamesAndOrder() throws {
    func layer(_ biases: Bool) -> [String] {
      ["q", "k", "v"].flatMap { name in
        ["self_attn.\(name)_proj.weight"] + (biases ? ["self_attn.\(name)_proj.bias"] : [])
      } + [
        "self_attn.o_proj.weight", "mlp.gate_proj.weight", "mlp.up_proj.weight",
        "mlp.down_proj.weight", "input_layernorm.weight", "post_attention_layernorm.weight",
      ]
    }
    for model in KnownModel.all {
      let decoder = Decoder(try shrunk(model), precision: .float32)
      let isQwen = model.configuration.family == .qwen2
      XCTAssertEqual(
        decoder.parameters.map(\.name),
        ["model.embed_tokens.weight"] + layer(isQwen).map { "model.layers.0." + $0 }
          + ["model.norm.weight"]
          + (model.configuration.tieWordEmbeddings ? [] : ["lm_head.weight"]),
        model.name)
    }
  }

  /// Every parameter has memory of its own.
  func testParametersDoNotOverlap() throws {
    for model in try TinyModel.all() {
      let decoder = Decoder(model.configuration, precision: .float32)
      XCTAssertEqual(
        decoder.parameters.map(\.name), model.configuration.parameters.map(\.name))
      for (index, parameter) in decoder.parameters.enumerated() {
        parameter.value.elements.update(repeating: Float(index))
      }
      for (index, parameter) in decoder.parameters.enumerated() {
        XCTAssertTrue(
          parameter.value.elements.allSatisfy { $0 == Float(index) },
          "\(model.name) \(parameter.name)")
      }
    }
  }
}
