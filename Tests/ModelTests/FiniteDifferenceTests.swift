import Models
import Tensors
import XCTest

/// Gradients of the whole decoder against differences of its loss.
final class FiniteDifferenceTests: XCTestCase {
  private let samples = 7

  func testEveryParameter() throws {
    for model in try TinyModel.all() {
      let lesson = model.lesson([11, 1, 7])
      XCTAssertGreaterThan(lesson.targets.filter { $0 >= 0 }.count, 8)
      let decoder = model.decoder(.float32)
      _ = try decoder.accumulateGradients(
        lesson.row, targets: lesson.targets, weights: lesson.weights)
      let gradients = try decoder.gradients()
      XCTAssertEqual(gradients.count, model.configuration.parameters.count)
      for (index, parameter) in decoder.parameters.enumerated() {
        let gradient = gradients[index].values
        let scale = gradient.reduce(0) { max($0, abs($1)) }
        XCTAssertGreaterThan(scale, 0, "\(model.name) \(parameter.name)")
        for element in sampled(parameter.count, index, gradient, lesson, parameter.name) {
          let expected = try slope(decoder, lesson, parameter.value, element)
          XCTAssertEqual(
            Double(gradient[element]), expected, accuracy: 2e-5 + 3e-3 * Double(scale),
            "\(model.name) d \(parameter.name)[\(element)], of at most \(scale)")
        }
      }
    }
  }

  /// The first and last element, the largest gradient, and some at random.
  private func sampled(
    _ count: Int, _ index: Int, _ gradient: [Float], _ lesson: Lesson, _ name: String
  ) -> [Int] {
    let largest = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
    let stream = RandomStream(seed: 4, "samples", index)
    var elements = [0, count - 1, largest]
    elements += (0..<samples).map { Int(stream[$0] % UInt64(count)) }
    if name == "model.embed_tokens.weight" {
      let columns = count / 97
      elements += lesson.row.tokens.prefix(samples).map { Int($0) * columns + Int($0) % columns }
    }
    return Set(elements).sorted()
  }

  /// The derivative by four points, whose error is of the fourth order.
  private func slope(
    _ decoder: Decoder, _ lesson: Lesson, _ value: Tensor, _ element: Int
  ) throws -> Double {
    let before = value.elements[element]
    defer { value.elements[element] = before }
    func loss(_ nudge: Float) throws -> Double {
      value.elements[element] = before + nudge
      let found = try decoder.logProbabilities(lesson.row, targets: lesson.targets)
      return -zip(found, lesson.weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let h: Float = 0.02
    let near = try loss(h) - loss(-h)
    let far = try loss(2 * h) - loss(-2 * h)
    return (8 * near - far) / (12 * Double(h))
  }
}
