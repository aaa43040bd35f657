import Tensors
import XCTest

/// A tensor that a loss depends on, with the gradient that was derived for it.
public struct Variable {
  public let name: String
  public let value: Tensor
  public let gradient: Tensor

  public init(_ name: String, _ value: Tensor, _ gradient: Tensor) {
    self.name = name
    self.value = value
    self.gradient = gradient
  }

  /// A learned weight, with what was added to its gradient so far.
  public init(_ name: String, _ weight: Weight, file: StaticString = #filePath, line: UInt = #line)
  {
    XCTAssertTrue(weight.holdsGradient, "\(name) has no gradient", file: file, line: line)
    self.init(name, weight.value, weight.gradient ?? Tensor(zeros: weight.value.shape))
  }
}

/// Checks a layer's hand-derived backward pass against central differences.
///
/// The loss is `Σ y · dy` for a fixed random `dy`, summed in Double, so that the gradient of the
/// loss by `y` is `dy` itself. Each element of each variable is nudged both ways, and the slope
/// measured must match the one derived; where it does not, the message names the element.
///
/// - Parameter tolerance: Relative to the slope, or absolute where the slope is below 1.
public func assertGradientsMatch(
  _ variables: [Variable], step: Float = 1e-2, tolerance: Double = 1e-3,
  file: StaticString = #filePath, line: UInt = #line, loss: () -> Double
) {
  for variable in variables {
    let elements = variable.value.elements
    XCTAssertEqual(
      variable.value.count, variable.gradient.count, "d\(variable.name)", file: file, line: line)
    let measured = elements.indices.map { i in
      let original = elements[i]
      defer { elements[i] = original }
      elements[i] = original + step
      let above = loss()
      let stepUp = Double(elements[i]) - Double(original)
      elements[i] = original - step
      let stepDown = Double(original) - Double(elements[i])
      return (above - loss()) / (stepUp + stepDown)
    }
    assertClose(
      variable.gradient.values, measured,
      within: measured.map { tolerance * max(1, abs($0)) }, "d\(variable.name)", file: file,
      line: line)
  }
}
