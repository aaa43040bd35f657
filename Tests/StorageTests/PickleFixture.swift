import Foundation
import XCTest

@testable import Storage

/// Pickles made by Python; `Tests/Fixtures/pickles/generate.py` tells how.
struct PickleFixture {
  let name: String
  /// As zlib packed them, by the number of the protocol where a value is written in several.
  let packed: [(key: String, bytes: [UInt8])]
  /// What Python reads in it, tagged with its types; null for nothing that is plain data.
  let value: JSONValue?

  /// The rows of a file.
  static func rows(_ name: String) throws -> [PickleFixture] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/pickles/" + name)
    let limits = JSONLimits(depth: 1_000)
    return try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).enumerated().map {
      let value = try JSONValue(parsing: Data($1), source: name, limits: limits)
      let row = try JSONMembers(value, place: "\(name):\($0 + 1)")
      var texts: [(key: String, value: JSONValue)] = []
      switch row.object["packed"] {
      case .object(let object): texts = object.members
      case let text?: texts = [("", text)]
      case nil: break
      }
      return PickleFixture(
        name: try row.optionalText("name") ?? row.place,
        packed: try texts.map { key, value in
          guard case .string(let text) = value, let bytes = Data(base64Encoded: text) else {
            throw JSONMemberError(row.place, "'packed' must be base64.")
          }
          return (key, Array(bytes))
        },
        value: row.object["value"])
    }
  }

  /// The pickles, unpacked.
  func pickles() throws -> [(key: String, bytes: [UInt8])] {
    try packed.map { key, bytes in
      (
        key,
        try bytes.withUnsafeBytes { try Zlib.unpacked($0, source: name, limit: 16 << 20) }
      )
    }
  }

  /// The only pickle, unpacked.
  func pickle() throws -> [UInt8] {
    let pickles = try pickles()
    XCTAssertEqual(pickles.count, 1, name)
    return try XCTUnwrap(pickles.first).bytes
  }
}

extension PickleValue {
  init(_ pickle: [UInt8], limits: PickleLimits = .default) throws {
    self = try pickle.withUnsafeBytes { try PickleValue(parsing: $0, source: "x", limits: limits) }
  }

  /// The value with its types, as `generate.py` writes it.
  var tagged: JSONValue {
    func tag(_ name: String, _ value: JSONValue) -> JSONValue {
      .object(JSONObject(members: [(name, value)]))
    }
    switch self {
    case .null: return tag("none", .null)
    case .bool(let value): return tag("bool", .bool(value))
    case .integer(let digits): return tag("int", .string(digits))
    case .float(let value):
      return tag(
        "float", .string(hexadecimal(withUnsafeBytes(of: value.bitPattern.bigEndian, Array.init))))
    case .text(let text): return tag("str", .string(text))
    case .bytes(let bytes): return tag("bytes", .string(hexadecimal(bytes)))
    case .list(let values): return tag("list", .array(values.map(\.tagged)))
    case .tuple(let values): return tag("tuple", .array(values.map(\.tagged)))
    case .dictionary(let pairs):
      return tag("dict", .array(pairs.map { .array([.string($0.key), $0.value.tagged]) }))
    }
  }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
