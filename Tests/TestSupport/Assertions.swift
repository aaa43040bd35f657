import Tensors
import XCTest

/// Every element lies within its own tolerance; the message names the one farthest outside.
///
/// Where NaN is expected only NaN will do, and where an infinity, only that infinity.
public func assertClose(
  _ actual: [Float], _ expected: [Double], within tolerances: [Double],
  _ what: @autoclosure () -> String = "", file: StaticString = #filePath, line: UInt = #line
) {
  guard actual.count == expected.count, expected.count == tolerances.count else {
    let counts = "\(actual.count), \(expected.count) and \(tolerances.count)"
    XCTFail("\(what()): \(counts) elements, expected and tolerances", file: file, line: line)
    return
  }
  var (worst, worstExcess, failures) = (0, 0.0, 0)
  for i in actual.indices {
    let excess = excess(of: Double(actual[i]), over: expected[i], tolerance: tolerances[i])
    if excess > 1 { failures += 1 }
    if excess > worstExcess { (worst, worstExcess) = (i, excess) }
  }
  if failures > 0 {
    XCTFail(
      "\(what()): \(failures) of \(actual.count) elements are off, most of all [\(worst)]: "
        + "\(actual[worst]), not \(expected[worst]) ± \(tolerances[worst])",
      file: file, line: line)
  }
}

/// How many tolerances lie between `actual` and `expected`.
private func excess(of actual: Double, over expected: Double, tolerance: Double) -> Double {
  if expected.isNaN { return actual.isNaN ? 0 : .infinity }
  if actual == expected { return 0 }
  let difference = abs(actual - expected)
  return difference <= tolerance
    ? difference / max(tolerance, 1e-300) : max(difference / tolerance, 2)
}

/// `assertClose` with one tolerance: `relative` of the expected element, and `absolute` besides.
public func assertClose(
  _ actual: [Float], _ expected: [Double], relative: Double = 0, absolute: Double = 0,
  _ what: @autoclosure () -> String = "", file: StaticString = #filePath, line: UInt = #line
) {
  assertClose(
    actual, expected, within: expected.map { abs($0) * relative + absolute }, what(), file: file,
    line: line)
}

/// Every element has the same bits; any NaN equals any other.
public func assertSameBits(
  _ actual: [Float], _ expected: [Float], _ what: @autoclosure () -> String = "",
  file: StaticString = #filePath, line: UInt = #line
) {
  guard actual.count == expected.count else {
    XCTFail("\(what()): \(actual.count) elements, not \(expected.count)", file: file, line: line)
    return
  }
  let different = actual.indices.filter {
    actual[$0].bitPattern != expected[$0].bitPattern && !(actual[$0].isNaN && expected[$0].isNaN)
  }
  if let first = different.first {
    XCTFail(
      "\(what()): \(different.count) of \(actual.count) elements differ, first [\(first)]: "
        + "\(actual[first]), not \(expected[first])",
      file: file, line: line)
  }
}

/// `assertSameBits` for tensors, which must also have the same shape.
public func assertSameBits(
  _ actual: Tensor, _ expected: Tensor, _ what: @autoclosure () -> String = "",
  file: StaticString = #filePath, line: UInt = #line
) {
  XCTAssertEqual(actual.shape, expected.shape, "\(what()): shapes", file: file, line: line)
  assertSameBits(actual.values, expected.values, what(), file: file, line: line)
}
