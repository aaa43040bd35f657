import Foundation
import Storage

/// Tests as LiveCodeBench publishes its private ones: base64 of what zlib packed of a Python pickle.
extension ProgramTaskRow {
  /// The row that holds a field's value in place of its text: JSON, or base64, zlib and a pickle.
  ///
  /// A pickled text is JSON in turn, as LiveCodeBench has it; other plain data is taken as it is.
  /// Python isn't asked: see `PickleValue`.
  ///
  /// - Parameter limit: The most bytes of the pickle.
  /// - Throws: `ProgramTaskError`, which names the field.
  func unpacked(
    _ name: String, limit: Int = ProgramTask.mostUnpackedBytes
  ) throws(ProgramTaskError) -> ProgramTaskRow {
    guard case .string(let text) = object[name] else { return self }
    let value: JSONValue
    switch text.utf8.first(where: { $0 > 32 }) {
    case UInt8(ascii: "["), UInt8(ascii: "{"): value = try parsed(text, "'\(name)'")
    default: value = try unpacked(text, "'\(name)'", limit: limit)
    }
    return ProgramTaskRow(JSONObject(members: [(name, value)]), source: source)
  }

  private func unpacked(
    _ text: String, _ what: String, limit: Int
  ) throws(ProgramTaskError) -> JSONValue {
    guard let packed = Data(base64Encoded: text), packed.withUnsafeBytes(Zlib.isPacked) else {
      throw error("\(what) is neither JSON nor base64 of tests that are packed.")
    }
    let place = "\(source), \(what)"
    let json: String
    do {
      let bytes = try packed.withUnsafeBytes {
        try Zlib.unpacked($0, source: place, limit: limit)
      }
      let pickled = try bytes.withUnsafeBytes {
        try PickleValue(parsing: $0, source: place, limits: PickleLimits(bytes: limit))
      }
      guard case .text(let text) = pickled else { return try pickled.json(source: place) }
      json = text
    } catch {
      throw ProgramTaskError("\(error)")
    }
    return try parsed(json, what)
  }
}
