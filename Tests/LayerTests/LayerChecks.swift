import Tensors
import TestSupport
import XCTest

/// A factor as a product takes it.
func operand(_ x: Float, _ precision: Precision) -> Double {
  Double(precision == .bfloat16 ? x.roundedToBFloat16 : x)
}

/// The gradients that weights hold, by name.
func gradients(_ weights: KeyValuePairs<String, Weight?>) -> [(name: String, tensor: Tensor)] {
  weights.compactMap { name, weight in weight?.gradient.map { ("d" + name, $0) } }
}

/// Two calls of `backward` (numbers 1 and 2) leave the sum of what each leaves alone, and a cleared
/// gradient does not show.
func assertGradientsAccumulate(
  _ weights: [Weight], file: StaticString = #filePath, line: UInt = #line,
  _ backward: (_ call: Int) -> Void
) {
  func gradients(_ calls: [Int]) -> [[Float]] {
    for weight in weights { weight.clearGradient() }
    for call in calls { backward(call) }
    return weights.map { weight in
      XCTAssertTrue(weight.holdsGradient, file: file, line: line)
      return weight.gradient?.values ?? []
    }
  }
  let (first, second, both) = (gradients([1]), gradients([2]), gradients([1, 2]))
  for (number, weight) in weights.enumerated() {
    XCTAssertEqual(first[number].count, weight.value.count, file: file, line: line)
    XCTAssertNotEqual(first[number], second[number], file: file, line: line)
    assertClose(
      both[number], zip(first[number], second[number]).map { Double($0) + Double($1) },
      relative: 4e-6, absolute: 4e-6, "gradient \(number)", file: file, line: line)
  }
}
