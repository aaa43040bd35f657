import ChatTemplates
import Foundation
import Storage
import XCTest

/// The conversations of `chat-templates/rendered.jsonl`, which transformers rendered with the
/// templates of real checkpoints.
final class RenderedChatTests: XCTestCase {
  /// Where each template of the rows is.
  private static let files = [
    "qwen2.5": "tokenizers/qwen2.5/chat_template.jinja",
    "deepseek-r1-distill-qwen": "tokenizers/deepseek-r1-distill-qwen/chat_template.jinja",
    "llama3.1": "tokenizers/llama3/chat_template.Llama-3.1-8B-Instruct.jinja",
    "llama3.2": "tokenizers/llama3/chat_template.Llama-3.2-3B-Instruct.jinja",
    "minimind": "tokenizers/minimind",
  ]

  private func templates() throws -> [String: ChatTemplate] {
    let fixtures = try Fixture.shared()
    return try Self.files.mapValues { path in
      guard path.hasSuffix(".jinja") else {
        return try XCTUnwrap(ChatTemplate.templates(in: "\(fixtures)/\(path)")["default"])
      }
      return try ChatTemplate(Fixture.bytes("\(fixtures)/\(path)"), name: path)
    }
  }

  func testEveryRowIsRenderedAlike() throws {
    let rows = try Fixture.rows("\(Fixture.shared())/chat-templates/rendered.jsonl")
    let templates = try templates()
    XCTAssertEqual(rows.count, 90)
    for (i, row) in rows.enumerated() {
      let name = try XCTUnwrap(row["template"]?.string)
      let template = try XCTUnwrap(templates[name], name)
      let expected = try XCTUnwrap(row["rendered"]?.string)
      let chat = try template.render(row)
      XCTAssertEqual(chat.text, Array(expected.utf8), "row \(i): \(chat.string)")
    }
  }

  /// What a user wrote is input, whole, and the template's special tokens are not.
  func testInputIsMarked() throws {
    let rows = try Fixture.rows("\(Fixture.shared())/chat-templates/rendered.jsonl")
    let templates = try templates()
    for (i, row) in rows.enumerated() {
      let name = try XCTUnwrap(row["template"]?.string)
      let chat = try XCTUnwrap(templates[name]).render(row)
      let own = chat.ownText
      for message in try XCTUnwrap(row["messages"]?.array) {
        guard let content = message["content"]?.string, content.utf8.count > 12 else { continue }
        XCTAssertFalse(own.contains(content), "row \(i): '\(content)' is not marked as input")
      }
      for token in ["<|im_start|>", "<|im_end|>", "<|eot_id|>", "<｜Assistant｜>", "<｜User｜>"] {
        let all = chat.string.components(separatedBy: token).count
        XCTAssertEqual(own.components(separatedBy: token).count, all, "row \(i): \(token)")
      }
    }
  }

  /// Each prefix of a real template is read or refused with a line, and nothing else.
  func testEveryPrefixIsReadOrRefused() throws {
    let fixtures = try Fixture.shared()
    for path in Self.files.values where path.hasSuffix(".jinja") {
      let source = try Fixture.bytes("\(fixtures)/\(path)")
      let lines = source.reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
      var refused = 0
      for end in stride(from: 0, to: source.count, by: 7) {
        do {
          _ = try ChatTemplate(Array(source[..<end]), name: "t")
        } catch let error as ChatTemplateError {
          XCTAssertEqual(error.kind, .syntax, "\(path), \(end) bytes: \(error)")
          XCTAssertTrue((1...lines).contains(error.line), "\(error)")
          refused += 1
        }
      }
      XCTAssertGreaterThan(refused, source.count / 14, path)
    }
  }
}

extension ChatTemplate {
  /// Renders a row of `rendered.jsonl`.
  fileprivate func render(_ row: JSONValue) throws -> RenderedChat {
    var variables: [String: JSONValue] = [:]
    variables["date_string"] = row["date_string"]
    for (key, token) in row["special_tokens"]?.members ?? [] { variables[key] = token }
    return try render(
      try XCTUnwrap(row["messages"]?.array), tools: row["tools"]?.array,
      addGenerationPrompt: row["add_generation_prompt"] == .bool(true), variables: variables)
  }
}
