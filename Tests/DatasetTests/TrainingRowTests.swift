import Models
import Tensors
import XCTest

@testable import Datasets

/// Rows are what the decoder expects: documents in one row are learned as if each were alone.
final class TrainingRowTests: XCTestCase {
  func testTargets() {
    var row = TrainingRow()
    row.append(ids: [5, 6, 7], supervised: [false, true, false])
    row.append(ids: [8], supervised: [true])
    row.append(ids: [1, 2, 3, 4], supervised: [true, false, true, true])
    XCTAssertEqual(row.ids, [5, 6, 7, 8, 1, 2, 3, 4])
    XCTAssertEqual(row.targets, [6, -1, -1, -1, -1, 3, 4, -1])
    XCTAssertEqual(row.documents, [3, 1, 4])
    XCTAssertEqual(row.supervisedCount, 3)
  }

  /// Log-probabilities to the bit, gradients within the rounding of their sums.
  func testPackedLossAndGradientsEqualUnpackedOnes() throws {
    let configuration = try ModelConfiguration(
      family: .qwen2, vocabSize: 97, hiddenSize: 20, intermediateSize: 35, numHiddenLayers: 2,
      numAttentionHeads: 4, numKeyValueHeads: 2, headDim: 6, initializerRange: 0.2,
      maxPositionEmbeddings: 64,
      tieWordEmbeddings: true)
    var random = SeededRandom(seed: 9)
    let documents = (0..<23).map { _ in
      let count = Int.random(in: 2...31, using: &random)
      return (
        ids: (0..<count).map { _ in Int32.random(in: 0..<97, using: &random) },
        supervised: (0..<count).map { _ in Bool.random(using: &random) }
      )
    }
    let packing = Packing(documents.map(\.ids.count), contextLength: 64, method: .bestFit)
    XCTAssertLessThan(packing.rows.count, 12)

    /// What rows of documents teach: each document's log-probabilities, and all gradients.
    func learn(_ rows: [[Int]]) throws -> (logProbabilities: [[Float]], gradients: [[Float]]) {
      let decoder = Decoder(configuration, precision: .bfloat16)
      decoder.initialize(seed: 3)
      var found = [[Float]](repeating: [], count: documents.count)
      for numbers in rows {
        var row = TrainingRow()
        for i in numbers { row.append(ids: documents[i].ids, supervised: documents[i].supervised) }
        let all = try decoder.accumulateGradients(
          PackedTokens(row.ids, documents: row.documents), targets: row.targets,
          weights: [Float](repeating: 1, count: row.ids.count))
        var start = 0
        for i in numbers {
          found[i] = Array(all[start..<start + documents[i].ids.count])
          start += documents[i].ids.count
        }
      }
      return (found, decoder.parameters.map { $0.gradient.map { Array($0.elements) } ?? [] })
    }
    let packed = try learn(packing.rows)
    let alone = try learn(documents.indices.map { [$0] })
    XCTAssertEqual(packed.logProbabilities, alone.logProbabilities)
    XCTAssertGreaterThan(packed.logProbabilities.joined().count { $0 != 0 }, 100)
    for (a, b) in zip(packed.gradients, alone.gradients) {
      let largest = try XCTUnwrap(b.map(abs).max())
      for (x, y) in zip(a, b) { XCTAssertEqual(x, y, accuracy: 2e-2 * largest) }
    }
  }
}
