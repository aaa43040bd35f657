import Layers
import Models
import Tensors
import Training
import XCTest

/// Our decoder against transformers': logits, log-probabilities, every gradient, packed documents,
/// greedy decoding, and ten steps of AdamW; in float32 at the reference's own noise, and in
/// bfloat16 at tolerances of that precision.
final class ParityTests: XCTestCase {
  private func forEachModel(_ body: (ReferenceModel, Checkpoint) throws -> Void) throws {
    let models = try ReferenceModel.all()
    XCTAssertGreaterThanOrEqual(models.count, 3)
    for model in models { try body(model, Checkpoint(at: model.path)) }
  }

  private func largest(_ values: [Float]) -> Float { values.reduce(0) { max($0, abs($1)) } }

  func testLogits() throws {
    try forEachModel { model, checkpoint in
      let expected = try model.floats("logits")
      let exact = try checkpoint.decoder(precision: .float32).logits(model.rows())
      assertClose(
        exact.elements, expected, within: 2e-5 * max(1, largest(expected)), "\(model.name) logits")
      let rounded = try checkpoint.decoder(precision: .bfloat16).logits(model.rows())
      assertCloseInBFloat16(
        rounded.elements, expected, share: 0.04, "\(model.name) bfloat16 logits")
    }
  }

  func testNextTokenLogProbabilities() throws {
    try forEachModel { model, checkpoint in
      let rows = try model.rows()
      let length = rows.documents[0]
      let targets = rows.tokens.indices.map {
        ($0 + 1) % length == 0 ? -1 : rows.tokens[$0 + 1]
      }
      let found = try checkpoint.decoder(precision: .float32)
        .logProbabilities(rows, targets: targets)
      assertClose(
        found.indices.filter { targets[$0] >= 0 }.map { found[$0] },
        try model.floats("next_token_logprobs"), within: 3e-5, "\(model.name) log-probabilities")
    }
  }

  func testGradients() throws {
    try forEachModel { model, checkpoint in
      let targets = try model.targets()
      let supervised = targets.filter { $0 >= 0 }.count
      let weights = [Float](repeating: 1 / Float(supervised), count: targets.count)
      for precision in Precision.allCases {
        let decoder = try checkpoint.decoder(precision: precision)
        let logProbabilities = try decoder.accumulateGradients(
          model.rows(), targets: targets, weights: weights)
        let loss = -logProbabilities.reduce(0) { $0 + Double($1) } / Double(supervised)
        XCTAssertEqual(
          loss, try model.numbers("loss")[0], accuracy: precision == .float32 ? 1e-5 : 0.02,
          "\(model.name) \(precision) loss")
        for parameter in decoder.parameters {
          let expected = try model.floats("grad." + parameter.name)
          let found = try XCTUnwrap(parameter.gradient, parameter.name)
          // A key bias moves all scores of a query alike, so its gradient is 0 but for rounding,
          // and is measured by the query bias's.
          let query = parameter.name.replacingOccurrences(of: "k_proj.bias", with: "q_proj.bias")
          let scale = query == parameter.name ? 0 : largest(try model.floats("grad." + query))
          let what = "\(model.name) \(precision) d \(parameter.name)"
          if precision == .float32 {
            assertClose(
              found.elements, expected, within: 1e-4 * max(scale, largest(expected)), what)
          } else {
            assertCloseInBFloat16(found.elements, expected, share: 0.08, scale: scale, what)
          }
        }
      }
    }
  }

  func testPackedDocuments() throws {
    try forEachModel { model, checkpoint in
      let tokens = try model.integers("packed.documents")
      let lengths = try model.integers("packed.lengths").map(Int.init)
      let expected = try model.floats("packed.logits")
      let decoder = try checkpoint.decoder(precision: .float32)
      let packed = try decoder.logits(PackedTokens(tokens, documents: lengths))
      assertClose(
        packed.elements, expected, within: 2e-5 * max(1, largest(expected)),
        "\(model.name) packed logits")
    }
  }

  func testGreedyCompletion() throws {
    try forEachModel { model, checkpoint in
      let prompt = try model.integers("greedy.prompt")
      let expected = try model.integers("greedy.completion")
      let decoder = try checkpoint.decoder(precision: .float32)
      let cache = KeyValueCache(decoder, capacity: prompt.count + expected.count)
      XCTAssertEqual(
        try cache.greedy(prompt, count: expected.count), expected, "\(model.name) completion")
    }
  }

  func testTenStepsOfAdamW() throws {
    try forEachModel { model, checkpoint in
      let decoder = try checkpoint.decoder(precision: .float32)
      func number(_ key: String) throws -> Float { Float(try model.numbers("adamw", key)[0]) }
      let optimizer = AdamW(
        decoder.parameters,
        .init(
          betas: try model.numbers("adamw", "betas").map { Float($0) },
          epsilon: try number("epsilon"), weightDecay: try number("weight_decay_matrices")))
      XCTAssertEqual(try number("weight_decay_vectors"), 0)
      let targets = try model.targets()
      let supervised = targets.filter { $0 >= 0 }.count
      let weights = [Float](repeating: 1 / Float(supervised), count: targets.count)
      let losses = try model.numbers("adamw", "losses")
      let norms = try model.numbers("adamw", "gradient_norms")
      XCTAssertEqual(losses.count, 10)
      for (step, (loss, norm)) in zip(losses, norms).enumerated() {
        let found = try decoder.accumulateGradients(
          model.rows(), targets: targets, weights: weights)
        XCTAssertEqual(
          -found.reduce(0) { $0 + Double($1) } / Double(supervised), loss, accuracy: 1e-4,
          "\(model.name) loss of step \(step)")
        let foundNorm = optimizer.gradientNorm()
        XCTAssertEqual(
          foundNorm, norm, accuracy: 1e-3 * norm, "\(model.name) norm of step \(step)")
        optimizer.update(
          learningRate: try number("learning_rate"),
          gradientScale: AdamW.clippingScale(
            norm: foundNorm, limit: Double(try number("clip_norm"))))
      }
    }
  }
}
