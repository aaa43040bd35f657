import Foundation
import Models
import Safetensors
import Storage
import XCTest

/// A tiny model with what PyTorch and transformers compute from it; see Tests/Fixtures/README.md.
struct ReferenceModel {
  let name: String
  let path: String
  let reference: SafetensorsFile
  let facts: JSONObject

  init(at path: String) throws {
    self.path = path
    name = (path as NSString).lastPathComponent
    reference = try SafetensorsFile(at: path + "/reference.safetensors")
    let file = path + "/reference.json"
    let json = try JSONValue(
      parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: file))), source: file)
    guard case .object(let facts) = json else { throw XCTSkip("\(file) is no object") }
    self.facts = facts
  }

  /// The project's own models, and those under `$DISTILL_FIXTURES/parity`.
  static func all() throws -> [ReferenceModel] {
    var folders = [packageFixtures + "/parity"]
    if let shared = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] {
      folders.append(shared + "/parity")
    }
    return try folders.flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        .map { folder + "/" + $0 }
        .filter { FileManager.default.fileExists(atPath: $0 + "/reference.safetensors") }
        .map { try ReferenceModel(at: $0) }
    }
  }

  static let packageFixtures =
    URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"

  func has(_ tensor: String) -> Bool { reference[tensor] != nil }

  func floats(_ tensor: String) throws -> [Float] {
    let found = try XCTUnwrap(reference[tensor], "\(name) has no \(tensor)")
    XCTAssertEqual(found.dtype, .f32, tensor)
    return found.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  func integers(_ tensor: String) throws -> [Int32] {
    let found = try XCTUnwrap(reference[tensor], "\(name) has no \(tensor)")
    XCTAssertEqual(found.dtype, .i32, tensor)
    return found.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
    }
  }

  /// The rows of `input_ids`, each a document of its own.
  func rows() throws -> PackedTokens {
    let shape = try XCTUnwrap(reference["input_ids"]).shape
    return PackedTokens(
      try integers("input_ids"), documents: [Int](repeating: shape[1], count: shape[0]))
  }

  /// What should follow each token: labels moved up by one, -1 where there is none.
  func targets() throws -> [Int32] {
    let shape = try XCTUnwrap(reference["labels"]).shape
    let labels = try integers("labels")
    return labels.indices.map { ($0 + 1) % shape[1] == 0 ? -1 : max(labels[$0 + 1], -1) }
  }

  func numbers(_ keys: String...) throws -> [Double] {
    var value = JSONValue.object(facts)
    for key in keys {
      guard case .object(let object) = value else { break }
      value = try XCTUnwrap(object[key], "\(name): no \(keys)")
    }
    switch value {
    case .number(let number): return [try XCTUnwrap(number.double)]
    case .array(let items):
      return items.compactMap { if case .number(let number) = $0 { number.double } else { nil } }
    default: throw XCTSkip("\(name): \(keys) is no number")
    }
  }
}

/// Compares element by element, and names the worst.
func assertClose(
  _ found: some Collection<Float>, _ expected: [Float], within tolerance: Float, _ what: String,
  file: StaticString = #filePath, line: UInt = #line
) {
  XCTAssertEqual(found.count, expected.count, "\(what): counts", file: file, line: line)
  var worst: (index: Int, distance: Float) = (0, 0)
  for (index, (a, b)) in zip(found, expected).enumerated() {
    let distance = abs(a - b)
    if !(distance <= worst.distance) { worst = (index, distance) }
  }
  XCTAssertTrue(
    worst.distance <= tolerance,
    "\(what)[\(worst.index)] is off by \(worst.distance), more than \(tolerance)", file: file,
    line: line)
}

/// What rounding operands to bfloat16 may do to a tensor: its root mean square error stays within
/// `share` of the tensor's own root mean square, and no element is off by more than three times
/// that share of the largest. (A product's operands carry 8 bits: each has a relative error of up
/// to 2⁻⁹, and a gradient is behind twice as many products as a logit.)
func assertCloseInBFloat16(
  _ found: some Collection<Float>, _ expected: [Float], share: Double, scale: Float = 0,
  _ what: String,
  file: StaticString = #filePath, line: UInt = #line
) {
  let largest = expected.reduce(scale) { max($0, abs($1)) }
  assertClose(found, expected, within: 3 * Float(share) * largest, what, file: file, line: line)
  if scale > 0 { return }
  var error = 0.0
  var size = 0.0
  for (a, b) in zip(found, expected) {
    error += Double(a - b) * Double(a - b)
    size += Double(b) * Double(b)
  }
  XCTAssertTrue(
    error.squareRoot() <= share * size.squareRoot(),
    "\(what): the error is \(100 * (error / size).squareRoot()) % of it", file: file, line: line)
}
