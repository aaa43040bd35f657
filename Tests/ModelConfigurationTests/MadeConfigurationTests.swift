import Foundation
import Models
import Storage
import XCTest

/// Configurations that no file states, and the files they write.
///
/// transformers has loaded these files; see `UnderstoodConfigurationTests`.
final class MadeConfigurationTests: XCTestCase {
  private func made() throws -> [String: ModelConfiguration] {
    let llama3 = RotaryParameters.Llama3(
      factor: 4, lowFreqFactor: 1, highFreqFactor: 3.5, originalMaxPositionEmbeddings: 64)
    let yarn = RotaryParameters.YaRN(
      factor: 2.5, originalMaxPositionEmbeddings: 128, betaFast: 30, betaSlow: 2,
      attentionFactor: 1.5, mscale: 0.5, mscaleAllDim: 0.75, truncate: false)
    return [
      "qwen2-tied": try ModelConfiguration(
        family: .qwen2, vocabSize: 101, hiddenSize: 40, intermediateSize: 52, numHiddenLayers: 2,
        numAttentionHeads: 4, numKeyValueHeads: 2, maxPositionEmbeddings: 512,
        tieWordEmbeddings: true, bosTokenId: 1, eosTokenIds: [2], dtype: .bfloat16),
      "qwen2-own-head-size": try ModelConfiguration(
        family: .qwen2, vocabSize: 101, hiddenSize: 42, intermediateSize: 52, numHiddenLayers: 1,
        numAttentionHeads: 4, numKeyValueHeads: 1, headDim: 16, rmsNormEps: 1e-5,
        initializerRange: 0.25, maxPositionEmbeddings: 512,
        rope: RotaryParameters(ropeTheta: 2e6, scaling: .linear(factor: 1.5)), padTokenId: 7),
      "llama-biases": try ModelConfiguration(
        family: .llama, vocabSize: 103, hiddenSize: 48, intermediateSize: 76, numHiddenLayers: 3,
        numAttentionHeads: 6, numKeyValueHeads: 2, attentionBias: true, mlpBias: true,
        maxPositionEmbeddings: 256,
        rope: RotaryParameters(ropeTheta: 5e5, scaling: .llama3(llama3)), bosTokenId: 3,
        eosTokenIds: [4, 5, 102], dtype: .float32),
      "llama-head-size": try ModelConfiguration(
        family: .llama, vocabSize: 103, hiddenSize: 48, intermediateSize: 76, numHiddenLayers: 1,
        numAttentionHeads: 6, numKeyValueHeads: 6, headDim: 10, maxPositionEmbeddings: 256,
        tieWordEmbeddings: true, dtype: .float16),
      "qwen3-biases": try ModelConfiguration(
        family: .qwen3, vocabSize: 107, hiddenSize: 36, intermediateSize: 44, numHiddenLayers: 2,
        numAttentionHeads: 3, numKeyValueHeads: 3, attentionBias: true,
        maxPositionEmbeddings: 320, rope: RotaryParameters(ropeTheta: 1e4, scaling: .yarn(yarn)),
        bosTokenId: 0, eosTokenIds: [1], padTokenId: 1, dtype: .float32),
    ]
  }

  func testFilesAreTheOnesThatTransformersLoads() throws {
    for (name, configuration) in try made() {
      let file = fixtures.appending(path: "configurations/made/\(name).json")
      let text = JSONValue.object(configuration.json).serialized(pretty: true)
      XCTAssertEqual(
        String(decoding: text, as: UTF8.self), try String(contentsOf: file, encoding: .utf8), name)
    }
  }
}
