import ChatTemplates
import Foundation
import Storage
import XCTest

/// The files that tests read.
enum Fixture {
  /// The folder of shared fixtures, from `DISTILL_FIXTURES`.
  static func shared() throws -> String {
    guard let folder = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; the checkpoints' templates are in its folder.")
    }
    return folder
  }

  /// A file of `Tests/Fixtures/chat-templates`.
  static func own(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/chat-templates/\(name)").path
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The values of a file with one on each line.
  static func rows(_ path: String) throws -> [JSONValue] {
    try bytes(path).split(separator: 0x0A).enumerated().map { i, line in
      try JSONValue(parsing: Array(line), source: "\(path):\(i + 1)")
    }
  }
}

extension JSONValue {
  var string: String? { if case .string(let string) = self { string } else { nil } }
  var array: [JSONValue]? { if case .array(let array) = self { array } else { nil } }
  var members: [(key: String, value: JSONValue)]? {
    if case .object(let object) = self { object.members } else { nil }
  }
  subscript(key: String) -> JSONValue? {
    if case .object(let object) = self { object[key] } else { nil }
  }
}

extension RenderedChat {
  var string: String { String(decoding: text, as: UTF8.self) }

  /// The bytes that are not input.
  var ownText: String {
    var own: [UInt8] = []
    var start = 0
    for range in inputRanges {
      own += text[start..<range.lowerBound]
      start = range.upperBound
    }
    return String(decoding: own + text[start...], as: UTF8.self)
  }
}

/// Renders a template without messages.
func render(
  _ source: String, _ variables: [String: JSONValue] = [:], messages: [JSONValue] = [],
  limits: TemplateLimits = .default
) throws -> RenderedChat {
  try ChatTemplate(Array(source.utf8), name: "t", limits: limits).render(
    messages, addGenerationPrompt: false, variables: variables,
    now: TemplateDate(year: 2024, month: 7, day: 6, hour: 15, minute: 4, second: 9))
}

/// The error of a template, or nothing.
func failure(
  _ source: String, _ variables: [String: JSONValue] = [:], messages: [JSONValue] = [],
  limits: TemplateLimits = .default
) -> ChatTemplateError? {
  do {
    _ = try render(source, variables, messages: messages, limits: limits)
    return nil
  } catch {
    return error as? ChatTemplateError
  }
}
