import ChatTemplates
import Foundation
import Storage
import XCTest

/// Conversations with tools, reasoning, images and mistakes, which transformers rendered with
/// checkpoints' templates and with some that are written for this test.
final class ConversationTests: XCTestCase {
  func testEveryConversationIsRenderedOrRefusedAlike() throws {
    let fixtures = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"]
    var templates: [String: ChatTemplate] = [:]
    var count = 0
    for row in try Fixture.rows(Fixture.own("conversations.jsonl")) {
      if let name = row["name"]?.string, let source = row["source"]?.string {
        templates[name] = try ChatTemplate(Array(source.utf8), name: name)
        continue
      }
      let name = try XCTUnwrap(row["template"]?.string)
      if templates[name] == nil, let fixtures {
        templates[name] = try ChatTemplate(Fixture.bytes("\(fixtures)/\(name)"), name: name)
      }
      guard let template = templates[name] else { continue }
      try check(row, template)
      count += 1
    }
    XCTAssertGreaterThan(count, 100)
  }

  private func check(_ row: JSONValue, _ template: ChatTemplate) throws {
    let words = "\(template.name) \(String(decoding: row.serialized(), as: UTF8.self).prefix(300))"
    let outcome = Result {
      try template.render(
        XCTUnwrap(row["messages"]?.array), tools: row["tools"]?.array,
        addGenerationPrompt: row["add_generation_prompt"] == .bool(true),
        variables: [
          "bos_token": .string("<s>"), "eos_token": .string("</s>"),
          "date_string": .string("1 Jan 2025"),
        ], now: TemplateDate(year: 2024, month: 7, day: 6, hour: 15, minute: 4, second: 9))
    }
    switch (outcome, row["rendered"]?.string) {
    case (.success(let chat), let expected?):
      XCTAssertTrue(
        chat.text == Array(expected.utf8), "\(words)\n\(chat.string)\n--- and not\n\(expected)")
      guard let ranges = row["generation"]?.array else { return }
      let spans = ranges.map {
        $0.array?.map { Int(String(decoding: $0.serialized(), as: UTF8.self)) }
      }
      XCTAssertEqual(
        spans, chat.generationRanges.map { [$0.lowerBound, $0.upperBound] }, words)
    case (.success(let chat), nil):
      XCTFail("\(words) gives \(chat.string), and not \(row["error"]?.string ?? "")")
    case (.failure(let error), let expected?):
      XCTFail("\(words) gives \(error), and not \(expected)")
    case (.failure(let error), nil):
      XCTAssertEqual((error as? ChatTemplateError)?.raised, row["raised"]?.string, words)
    }
  }
}
