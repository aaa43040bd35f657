import ChatTemplates
import Foundation
import Storage
import XCTest

/// Where a checkpoint's templates are looked for.
final class TemplateFileTests: XCTestCase {
  private var folder = ""

  override func setUpWithError() throws {
    folder = NSTemporaryDirectory() + "chat-templates-" + UUID().uuidString
    try FileManager.default.createDirectory(
      atPath: folder + "/additional_chat_templates", withIntermediateDirectories: true)
  }

  override func tearDown() { try? FileManager.default.removeItem(atPath: folder) }

  private func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  private func rendered() throws -> [String: String] {
    try ChatTemplate.templates(in: folder).mapValues {
      try $0.render([], addGenerationPrompt: false).string
    }
  }

  func testNone() throws {
    XCTAssertEqual(try rendered(), [:])
    try write(#"{"chat_template": null}"#, "tokenizer_config.json")
    XCTAssertEqual(try rendered(), [:])
  }

  func testOneInTheConfiguration() throws {
    try write(#"{"chat_template": "a{{ 1 }}"}"#, "tokenizer_config.json")
    XCTAssertEqual(try rendered(), ["default": "a1"])
  }

  func testNamedInTheConfiguration() throws {
    try write(
      #"{"chat_template": [{"name": "default", "template": "a"}, {"name": "rag", "template": "b"}]}"#,
      "tokenizer_config.json")
    XCTAssertEqual(try rendered(), ["default": "a", "rag": "b"])
  }

  func testFilesWin() throws {
    try write(#"{"chat_template": [{"name": "rag", "template": "b"}]}"#, "tokenizer_config.json")
    try write("c", "chat_template.jinja")
    XCTAssertEqual(try rendered(), ["default": "c"])
    try write("d", "additional_chat_templates/tool_use.jinja")
    try write("e", "additional_chat_templates/notes.txt")
    XCTAssertEqual(try rendered(), ["default": "c", "tool_use": "d"])
    try write("", "chat_template.jinja")
    XCTAssertEqual(try rendered(), ["default": "", "tool_use": "d"])
  }

  func testWords() throws {
    func words() -> String {
      do {
        return "\(try rendered())"
      } catch {
        return "\(error)".replacingOccurrences(of: folder, with: "F")
      }
    }
    try write(#"{"chat_template": 1}"#, "tokenizer_config.json")
    XCTAssertEqual(
      words(),
      "F/tokenizer_config.json: 'chat_template' must be a text, or a list of templates with names.")
    try write(#"{"chat_template": [{"name": "a"}]}"#, "tokenizer_config.json")
    XCTAssertEqual(
      words(),
      "F/tokenizer_config.json: 'chat_template[0]' must have a 'name' and a 'template', both text.")
    try write("[]", "tokenizer_config.json")
    XCTAssertEqual(words(), "F/tokenizer_config.json: the file is not a JSON object.")
    try write(#"{"chat_template": [{"name": "a", "template": "{{"}]}"#, "tokenizer_config.json")
    XCTAssertEqual(
      words(), "F/tokenizer_config.json, template 'a':1: a tag that has no '}}'.")
    try write("\n{% x %}", "chat_template.jinja")
    XCTAssertEqual(words(), "F/chat_template.jinja:2: the tag 'x' is not known.")
  }

  func testReasoningIsFoundUnderTheNamesTemplatesKnow() throws {
    let template = try ChatTemplate(Array("{{ messages[0]|tojson }}".utf8), name: "t")
    func text(_ members: [(key: String, value: JSONValue)]) throws -> String {
      try template.render([.object(JSONObject(members: members))], addGenerationPrompt: false)
        .string
    }
    XCTAssertEqual(try text([("content", .string("a"))]), #"{"content": "a"}"#)
    XCTAssertEqual(
      try text([("content", .string("a")), ("reasoning", .string("r"))]),
      #"{"thinking": "r", "content": "a", "reasoning": "r", "reasoning_content": "r"}"#)
    XCTAssertEqual(
      try text([("thinking", .string("t")), ("reasoning_content", .null)]),
      #"{"thinking": "t", "reasoning_content": "t"}"#)
  }
}
