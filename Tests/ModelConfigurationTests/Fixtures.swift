import Foundation
import Models
import Storage
import XCTest

/// The folder of files that tests read.
let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "Fixtures")

/// The object in a JSON file.
func object(in file: URL) throws -> JSONObject {
  try object(in: Data(contentsOf: file))
}

func object(in data: Data) throws -> JSONObject {
  guard case .object(let object) = try JSONValue(parsing: data, source: "fixture") else {
    throw FixtureError(description: "The fixture holds no object.")
  }
  return object
}

struct FixtureError: Error, CustomStringConvertible {
  let description: String
}

extension JSONObject {
  /// The object with members changed, added or, where the value is nil, removed.
  func with(_ changes: [String: JSONValue?]) -> JSONObject {
    var members = members.filter { changes[$0.key] == nil }
    for (key, value) in changes.sorted(by: { $0.key < $1.key }) {
      if let value { members.append((key, value)) }
    }
    return JSONObject(members: members)
  }
}

extension JSONValue {
  static func integer(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
  static func decimal(_ text: String) -> JSONValue { .number(JSONNumber(text: text)) }

  static func from(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Data(text.utf8), source: "text")
  }
}
