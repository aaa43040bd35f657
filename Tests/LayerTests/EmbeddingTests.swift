import Layers
import Tensors
import TestSupport
import XCTest

final class EmbeddingTests: XCTestCase {
  private let tokens: [Int32] = [3, 0, 3, 10, 3, 1]

  func testForward() {
    let embedding = Embedding(weight: Weight(Tensor(seeded: [11, 5], seed: 1)))
    let y = embedding.forward(tokens)
    XCTAssertEqual(y.shape, [6, 5])
    for (t, token) in tokens.enumerated() {
      let row = Int(token)
      assertSameBits(
        y.rows(t..<t + 1).values, embedding.weight.value.rows(row..<row + 1).values, "row \(t)")
    }
  }

  func testGradientsWithRepeatedTokens() {
    // More channels than one worker takes, too.
    for C in [5, 131] {
      let embedding = Embedding(weight: Weight(Tensor(seeded: [11, C], seed: 1)))
      let dy = Tensor(seeded: [6, C], seed: 2)
      embedding.backward(dy, tokens: tokens)
      assertGradientsMatch([Variable("weight", embedding.weight)]) {
        embedding.forward(tokens).dot(dy)
      }
    }
  }

  func testGradientsAccumulate() {
    let embedding = Embedding(weight: Weight(Tensor(seeded: [11, 5], seed: 1)))
    assertGradientsAccumulate([embedding.weight]) { call in
      embedding.backward(Tensor(seeded: [6, 5], seed: call), tokens: tokens)
    }
  }

  func testTheSameBitsOnAnyThreads() {
    let tokens = (0..<500).map { Int32($0 * $0 % 11) }
    assertSameBitsOnAnyThreads("Embedding") {
      let embedding = Embedding(weight: Weight(Tensor(seeded: [11, 301], seed: 1)))
      embedding.backward(Tensor(seeded: [500, 301], seed: 2), tokens: tokens)
      return gradients(["weight": embedding.weight])
    }
  }
}
