import Tensors
import Training
import XCTest

final class AdamWTests: XCTestCase {
  /// The algorithm as its paper has it, in Double.
  private struct Reference {
    var p: [Double]
    var m: [Double]
    var v: [Double]
    let isMatrix: Bool

    init(_ values: [Float], isMatrix: Bool) {
      p = values.map { Double($0) }
      m = p.map { _ in 0 }
      v = m
      self.isMatrix = isMatrix
    }

    mutating func update(
      _ gradient: [Float], _ settings: AdamW.Settings, step: Int, rate: Double, scale: Double
    ) {
      let (b1, b2) = (Double(settings.betas[0]), Double(settings.betas[1]))
      var (power1, power2) = (1.0, 1.0)
      for _ in 0..<step {
        power1 *= b1
        power2 *= b2
      }
      for i in p.indices {
        let g = Double(gradient[i]) * scale
        if isMatrix { p[i] -= rate * Double(settings.weightDecay) * p[i] }
        m[i] = b1 * m[i] + (1 - b1) * g
        v[i] = b2 * v[i] + (1 - b2) * g * g
        let first = m[i] / (1 - power1)
        let second = v[i] / (1 - power2)
        p[i] -= rate * first / (second.squareRoot() + Double(settings.epsilon))
      }
    }
  }

  private func random(_ shape: [Int], _ numbers: Int..., scale: Double = 1) -> Tensor {
    let tensor = Tensor(uninitialized: shape)
    let stream = RandomStream(seed: 1, "adamw", numbers[0], numbers.count > 1 ? numbers[1] : 0)
    tensor.fillNormal(standardDeviation: scale, from: stream)
    return tensor
  }

  /// Two matrices in one weight, a vector, one element, and a matrix of more than one chunk.
  private func parameters(_ copies: Int = 0) -> [Parameter] {
    let stacked = Weight(random([5 + 8, 7], 1, copies))
    return [
      Parameter("upper", shape: [5, 7], of: stacked, rows: 0..<5),
      Parameter("lower", shape: [8, 7], of: stacked, rows: 5..<13),
      Parameter("vector", shape: [11], of: Weight(random([11, 1], 2, copies))),
      Parameter("one", shape: [1, 1], of: Weight(random([1, 1], 3, copies))),
      Parameter("large", shape: [311, 233], of: Weight(random([311, 233], 4, copies))),
    ]
  }

  private func setGradient(_ parameters: [Parameter], step: Int) -> [[Float]] {
    var done: Set<ObjectIdentifier> = []
    for (index, parameter) in parameters.enumerated()
    where done.insert(ObjectIdentifier(parameter.weight)).inserted {
      let new = random(parameter.weight.value.shape, 100 + step, index, scale: 0.3)
      parameter.weight.accumulateGradient { gradient, accumulating in
        XCTAssertFalse(accumulating)
        gradient.pointer.update(from: new.pointer, count: new.count)
      }
    }
    return parameters.map {
      Array($0.gradient?.elements ?? UnsafeMutableBufferPointer(start: nil, count: 0))
    }
  }

  func testAgainstDouble() {
    let cases: [(AdamW.Settings, Double)] = [
      (.init(), 1), (.init(betas: [0.9, 0.999], epsilon: 1e-6, weightDecay: 0.1), 0.37),
      (.init(betas: [0, 0], weightDecay: 0.5), 2), (.init(betas: [0.5, 0.25], epsilon: 0.1), 1),
    ]
    for (number, (settings, scale)) in cases.enumerated() {
      let parameters = parameters()
      let optimizer = AdamW(parameters, settings)
      XCTAssertEqual(optimizer.step, 0)
      var references = parameters.map {
        Reference(Array($0.value.elements), isMatrix: $0.shape.count == 2)
      }
      for step in 1...20 {
        let rate = Float(0.02) / Float(step)
        let gradients = setGradient(parameters, step: step)
        optimizer.update(learningRate: rate, gradientScale: Float(scale))
        XCTAssertEqual(optimizer.step, step)
        for (index, parameter) in parameters.enumerated() {
          references[index].update(
            gradients[index], settings, step: step, rate: Double(rate),
            scale: Double(Float(scale)))
          let what = "case \(number), step \(step), \(parameter.name)"
          assertClose(parameter.value, references[index].p, 1.5e-7 * Double(step), what)
          assertClose(optimizer.firstMoments[index], references[index].m, 1e-6, what + " m")
          assertClose(optimizer.secondMoments[index], references[index].v, 1e-6, what + " v")
        }
      }
    }
  }

  private func assertClose(
    _ found: Tensor, _ expected: [Double], _ tolerance: Double, _ what: String,
    line: UInt = #line
  ) {
    XCTAssertEqual(found.count, expected.count, line: line)
    // Each step rounds the sum: the error grows with it.
    func distance(_ i: Int) -> Double {
      abs(Double(found.elements[i]) - expected[i]) / max(1, abs(expected[i]))
    }
    let worst = expected.indices.max { a, b in
      let (x, y) = (distance(a), distance(b))
      return x < y || y.isNaN
    }
    guard let worst else { return XCTFail("\(what) is empty", line: line) }
    XCTAssertEqual(
      Double(found.elements[worst]), expected[worst],
      accuracy: tolerance * max(1, abs(expected[worst])), "\(what)[\(worst)]",
      line: line)
  }

  /// Without gradients to speak of, decay alone moves matrices, and vectors stay.
  func testOnlyMatricesDecay() {
    let parameters = parameters()
    let before = parameters.map { Array($0.value.elements) }
    let optimizer = AdamW(parameters, .init(weightDecay: 0.25))
    for parameter in parameters {
      parameter.weight.accumulateGradient { gradient, _ in gradient.setZero() }
    }
    optimizer.update(learningRate: 0.5)
    for (parameter, old) in zip(parameters, before) {
      let keep: Float = parameter.shape.count == 2 ? 1 - 0.5 * 0.25 : 1
      XCTAssertEqual(Array(parameter.value.elements), old.map { $0 * keep }, parameter.name)
    }
  }

  func testParametersWithoutGradientStay() {
    let parameters = parameters()
    let optimizer = AdamW(parameters, .init(weightDecay: 0.1))
    _ = setGradient(parameters, step: 1)
    optimizer.update(learningRate: 0.1)
    // All have moments now. In the next step only the vector has a gradient.
    let values = parameters.map { Array($0.value.elements) }
    let moments = optimizer.firstMoments.map { Array($0.elements) }
    let squares = optimizer.secondMoments.map { Array($0.elements) }
    _ = setGradient([parameters[2]], step: 2)
    optimizer.update(learningRate: 0.1)
    for (index, parameter) in parameters.enumerated() {
      let isSame =
        Array(parameter.value.elements) == values[index]
        && Array(optimizer.firstMoments[index].elements) == moments[index]
        && Array(optimizer.secondMoments[index].elements) == squares[index]
      XCTAssertEqual(isSame, index != 2, parameter.name)
    }
  }

  func testUpdateForgetsGradients() {
    let parameters = parameters()
    let optimizer = AdamW(parameters, .init())
    _ = setGradient(parameters, step: 1)
    XCTAssertTrue(parameters.allSatisfy { $0.gradient != nil })
    XCTAssertGreaterThan(optimizer.gradientNorm(), 0)
    optimizer.update(learningRate: 0.1)
    XCTAssertTrue(parameters.allSatisfy { $0.gradient == nil })
    XCTAssertEqual(optimizer.gradientNorm(), 0)
    // What is added next is not added to the old.
    parameters[2].weight.accumulateGradient { _, accumulating in XCTAssertFalse(accumulating) }
    parameters[2].weight.accumulateGradient { _, accumulating in XCTAssertTrue(accumulating) }
  }

  func testGradientNorm() {
    let parameters = parameters()
    let optimizer = AdamW(parameters, .init())
    let gradients = setGradient(parameters, step: 1)
    let sum = gradients.joined().reduce(0) { $0 + Double($1) * Double($1) }
    XCTAssertEqual(optimizer.gradientNorm(), sum.squareRoot(), accuracy: 1e-9 * sum)

    // A gradient whose square float32 can't hold.
    parameters[3].weight.accumulateGradient { gradient, _ in gradient.elements[0] = 1e30 }
    XCTAssertEqual(optimizer.gradientNorm(), 1e30, accuracy: 1e23)
  }

  func testClippingScale() {
    XCTAssertEqual(AdamW.clippingScale(norm: 0, limit: 1), 1)
    XCTAssertEqual(AdamW.clippingScale(norm: 0.5, limit: 1), 1)
    XCTAssertEqual(AdamW.clippingScale(norm: 1, limit: 1), 1)
    XCTAssertEqual(AdamW.clippingScale(norm: 4, limit: 1), Float(1 / 4.000001))
    XCTAssertEqual(AdamW.clippingScale(norm: 3, limit: 1.5), Float(1.5 / 3.000001))
    XCTAssertEqual(AdamW.clippingScale(norm: 1e30, limit: 1), 1e-30)
    XCTAssertEqual(AdamW.clippingScale(norm: .infinity, limit: 1), 0)
    // Nothing can mend NaN; it is not hidden by a scale of 0.
    XCTAssertEqual(AdamW.clippingScale(norm: .nan, limit: 1), 1)
  }

  func testAnyNumberOfThreads() {
    let before = ThreadPool.shared.threads
    defer { ThreadPool.shared.threads = before }
    var first: [[UInt32]]?
    var firstNorms: [Double]?
    for threads in [1, 2, 3, 8] {
      ThreadPool.shared.threads = threads
      let parameters = parameters()
      let optimizer = AdamW(parameters, .init(weightDecay: 0.1))
      var norms: [Double] = []
      for step in 1...5 {
        _ = setGradient(parameters, step: step)
        norms.append(optimizer.gradientNorm())
        optimizer.update(learningRate: 0.01, gradientScale: 0.7)
      }
      let bits = (parameters.map(\.value) + optimizer.firstMoments + optimizer.secondMoments)
        .map { $0.elements.map(\.bitPattern) }
      XCTAssertTrue(bits == first ?? bits, "\(threads) threads")
      XCTAssertEqual(norms, firstNorms ?? norms, "\(threads) threads")
      first = first ?? bits
      firstNorms = firstNorms ?? norms
    }
  }

  /// A parameter's bits do not depend on the parameters beside it.
  func testStackedIsApart() {
    let parameters = parameters()
    let alone = Parameter(
      "alone", shape: [8, 7],
      of: Weight(Tensor(Array(parameters[1].value.elements), shape: [8, 7])))
    let optimizer = AdamW(parameters, .init(weightDecay: 0.1))
    let other = AdamW([alone], .init(weightDecay: 0.1))
    for step in 1...3 {
      let gradients = setGradient(parameters, step: step)
      alone.weight.accumulateGradient { gradient, _ in
        for (i, g) in gradients[1].enumerated() { gradient.elements[i] = g }
      }
      optimizer.update(learningRate: 0.01)
      other.update(learningRate: 0.01)
    }
    XCTAssertEqual(Array(alone.value.elements), Array(parameters[1].value.elements))
  }
}
