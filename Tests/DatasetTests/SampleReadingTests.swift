import Foundation
import Storage
import XCTest

@testable import Datasets

final class SampleReadingTests: XCTestCase {
  private func sample(
    _ line: String, form: SampleForm? = nil, fields: [String: String]? = nil, system: String? = nil
  ) throws -> Sample.Body {
    let path = try temporaryFile(self, "d.jsonl", line + "\n")
    let file = try SampleFile(
      SampleSource(path: path, form: form, fields: fields, system: system))
    return try file.sample(0).0.body
  }

  private func assertRefused(
    _ line: String, _ message: String, form: SampleForm? = nil, fields: [String: String]? = nil,
    file: StaticString = #filePath, number: UInt = #line
  ) {
    XCTAssertThrowsError(
      try sample(line, form: form, fields: fields), line, file: file, line: number
    ) { error in
      let text = "\(error)"
      let name = text.range(of: "/d.jsonl").map { text[$0.upperBound...] } ?? ""
      XCTAssertEqual(String(name), message, file: file, line: number)
    }
  }

  func testForms() throws {
    let talk = Sample.Body.conversation(
      [Message("user", "q"), Message("assistant", "a")], tools: [])
    for (line, body) in [
      (
        #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
        talk
      ),
      (
        #"{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}"#,
        talk
      ),
      (
        #"{"conversations": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
        talk
      ),
      (
        #"{"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]}"#,
        talk
      ),
      (#"{"instruction": "q", "output": "a"}"#, talk),
      (#"{"instruction": "q", "input": "", "output": "a", "system": "", "history": null}"#, talk),
      (
        #"{"instruction": "q", "input": "i", "output": "a", "system": "s", "history": [["x", "y"]]}"#,
        .conversation(
          [
            Message("system", "s"), Message("user", "x"), Message("assistant", "y"),
            Message("user", "q\ni"), Message("assistant", "a"),
          ], tools: [])
      ),
      (#"{"prompt": "q", "completion": "a"}"#, .completion(prompt: "q", completion: "a")),
      (#"{"text": "t", "id": 7}"#, .text("t")),
      (
        #"{"system": "s", "tools": "[{\"name\": \"f\"}]", "conversations": [{"from": "human", "value": "q"}, {"from": "observation", "value": "o"}]}"#,
        .conversation(
          [Message("system", "s"), Message("user", "q"), Message("tool", "o")],
          tools: [.object(JSONObject(members: [("name", .string("f"))]))])
      ),
    ] { XCTAssertEqual(try sample(line), body, line) }
  }

  func testFields() throws {
    let line = #"{"question": "q", "answer": "a", "hint": "s"}"#
    XCTAssertEqual(
      try sample(line, fields: ["user": "question", "assistant": "answer"]),
      .conversation([Message("user", "q"), Message("assistant", "a")], tools: []))
    XCTAssertEqual(
      try sample(line, fields: ["user": "question", "assistant": "answer", "system": "hint"]),
      .conversation(
        [Message("system", "s"), Message("user", "q"), Message("assistant", "a")], tools: []))
    assertRefused(
      line, ":1: 'prompt' is missing.", fields: ["user": "prompt", "assistant": "answer"])
    assertRefused(
      line, ": 'fields' must name the keys of 'user' and 'assistant'.", fields: ["user": "question"]
    )
    assertRefused(
      line, ": 'fields' must name the keys of 'user' and 'assistant'.", form: .fields)
    assertRefused(
      line, ": 'fields' names the role 'bot', not one of 'system', 'user', 'assistant'.",
      fields: ["user": "question", "bot": "answer"])
    assertRefused(
      line, ": 'fields' goes with the form 'fields', not with 'text'.", form: .text,
      fields: ["user": "question", "assistant": "answer"])
  }

  func testTheRecipesSystemTurn() throws {
    let line = #"{"instruction": "q", "output": "a"}"#
    XCTAssertEqual(
      try sample(line, system: "be brief"),
      .conversation(
        [Message("system", "be brief"), Message("user", "q"), Message("assistant", "a")],
        tools: []))
    let own = #"{"instruction": "q", "output": "a", "system": "s"}"#
    XCTAssertEqual(
      try sample(own, system: "be brief"),
      .conversation(
        [Message("system", "s"), Message("user", "q"), Message("assistant", "a")], tools: []))
  }

  /// What a turn says besides its content goes to the template, in the order of the file.
  func testTurnsKeepWhatTheySay() throws {
    let line =
      #"{"messages": [{"content": null, "role": "assistant", "tool_calls": [1], "name": "n"}, "#
      + #"{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}"#
    guard case .conversation(let messages, _) = try sample(line) else { return XCTFail() }
    XCTAssertEqual(
      String(decoding: messages[0].json.serialized(), as: UTF8.self),
      #"{"role":"assistant","content":null,"tool_calls":[1],"name":"n"}"#)
    XCTAssertEqual(messages[1], Message("user", "ab"))
  }

  func testMistakes() {
    for (line, message) in [
      (
        #"{"question": "q", "answer": "a"}"#,
        ":1: its keys ('question', 'answer') are none of the forms known. Say with 'fields' which "
          + "key holds the text of which role, for example {user: \"question\", assistant: "
          + "\"answer\"}."
      ),
      (
        #"{"messages": [], "text": "t"}"#,
        ":1: it can be read as 'messages' or 'text'. Name one with 'form'."
      ),
      (#"{"messages": {}}"#, ":1: 'messages' is not a list."),
      (#"{"messages": [7]}"#, ":1: 'messages[0]' is not an object."),
      (#"{"messages": [{"content": "x"}]}"#, ":1: 'messages[0].role' is missing."),
      (#"{"messages": [{"role": 1, "content": "x"}]}"#, ":1: 'messages[0].role' is not a text."),
      (#"{"messages": [{"role": "", "content": "x"}]}"#, ":1: 'messages[0].role' is empty."),
      (#"{"messages": [{"role": "user"}]}"#, ":1: 'messages[0]' has no 'content'."),
      (
        #"{"messages": [{"role": "user", "content": 7}]}"#,
        ":1: 'messages[0].content' is not a text."
      ),
      (
        #"{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}"#,
        ":1: 'messages[0].content' holds 'image_url'; only text can be learned from."
      ),
      (
        #"{"messages": [{"role": "user", "content": ["x"]}]}"#,
        ":1: 'messages[0].content' holds a part without a 'type'."
      ),
      (#"{"conversations": [7]}"#, ":1: 'conversations[0]' is not an object."),
      (
        #"{"conversations": [{"from": "bot", "value": "x"}]}"#,
        ":1: 'conversations[0].from' is 'bot', not one of 'assistant', 'chatgpt', "
          + "'function_response', 'gpt', 'human', 'model', 'observation', 'system', 'tool', 'user'."
      ),
      (#"{"conversations": [{"from": "gpt"}]}"#, ":1: 'conversations[0].value' is missing."),
      (#"{"text": ["x"]}"#, ":1: 'text' is not a text."),
      (#"{"prompt": "q", "completion": 7}"#, ":1: 'completion' is not a text."),
      (#"{"prompt": [], "completion": "a"}"#, ":1: 'completion' is not a list."),
      (#"{"instruction": "q", "output": "a", "input": 7}"#, ":1: 'input' is not a text."),
      (#"{"instruction": "q", "output": "a", "history": 7}"#, ":1: 'history' is not a list."),
      (
        #"{"instruction": "q", "output": "a", "history": [["x"]]}"#,
        ":1: 'history' must hold pairs of texts."
      ),
      (#"{"messages": [], "tools": 7}"#, ":1: 'tools' is not a list."),
      (#"{"messages": [], "tools": "x"}"#, ":1: 'tools' is a text that is not a JSON list."),
    ] { assertRefused(line, message) }
    assertRefused(
      #"{"messages": []}"#, ":1: no 'text', which a sample of the form 'text' has.", form: .text)
  }

  /// One form for a file: a sample of another one is a mistake.
  func testASampleOfAnotherForm() throws {
    let path = try temporaryFile(self, "d.jsonl", "{\"text\": \"a\"}\n{\"messages\": []}\n")
    let file = try SampleFile(SampleSource(path: path))
    XCTAssertEqual(file.form, .text)
    assertThrows("\(path):2: no 'text', which a sample of the form 'text' has.") {
      try file.sample(1)
    }
  }
}
