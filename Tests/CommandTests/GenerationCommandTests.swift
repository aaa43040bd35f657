import Datasets
import Foundation
import Generation
import Models
import Storage
import XCTest

@testable import Commands
@testable import Interface

/// `sample` and `chat` on a small random model with a tokenizer and a chat template.
final class GenerationCommandTests: XCTestCase {
  private let folder = TemporaryFolder.made
  private var model: String { folder.file("model") }

  override func setUpWithError() throws {
    let configuration = try ModelConfiguration(
      family: .qwen2, vocabSize: 384, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 2,
      numAttentionHeads: 4, numKeyValueHeads: 2, headDim: 8, maxPositionEmbeddings: 256)
    let decoder = Decoder(configuration, precision: .float32)
    decoder.initialize(seed: 4)
    for parameter in decoder.parameters where parameter.shape.count == 2 {
      parameter.value.scale(by: 4)
    }
    try Checkpoint.save(decoder, to: model, options: .init(dtype: .bfloat16))
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      try FileManager.default.copyItem(
        atPath: tokenizerFixture("chat") + "/" + name, toPath: model + "/" + name)
    }
    try Data(
      """
      {% for m in messages %}<|im_start|>{{ m.role }}
      {{ m.content }}<|im_end|>
      {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
      {% endif %}
      """.utf8
    ).write(to: URL(fileURLWithPath: model + "/chat_template.jinja"))
    try folder.write(
      """
      {"messages":[{"role":"user","content":"the dog"}],"id":"a"}
      {"prompt":"the dog and"}
      {"messages":[{"role":"system","content":"s"},{"role":"user","content":"the dog"}]}

      """, as: "prompts.jsonl")
  }

  /// The engine's sample of a question is the same, whichever command asks.
  func testALocalTeacherAnswersAsSampleDoes() throws {
    try folder.write(
      #"{"question": "the dog", "answer": "1"}"# + "\n"
        + #"{"question": "a dog and", "answer": "2"}"#,
      as: "problems.jsonl")
    try folder.write(
      """
      {
        teacher: { local: { checkpoint: "\(model)", sequences: 3 } },
        prompts: [{ path: "\(folder.file("problems.jsonl"))" }], prompt: { mathematics: "{question}" },
        sampling: { samplesPerProblem: 3, temperature: 0.8, topP: 0.9, maxTokens: 12, seed: 5 },
        output: "\(folder.file("run"))",
      }
      """, as: "recipe.json5")
    let run = distill("generate", folder.file("recipe.json5"))
    XCTAssertEqual(run.status, 0, run.errors)
    var answers: [String: String] = [:]
    for record in try records(
      String(decoding: XCTUnwrap(folder.bytes("run/samples.jsonl")), as: UTF8.self))
    {
      guard case .string(let problem)? = record["problem"],
        case .number(let sample)? = record["sample"],
        case .object(let answer)? = record["answer"],
        case .string(let content)? = answer["content"],
        case .number(let tokens)? = answer["completionTokens"]
      else { return XCTFail("\(record)") }
      // A random model closes a thought that it never opened.
      var text = content
      if case .string(let reasoning)? = answer["reasoning"] { text = reasoning + "</think>" + text }
      answers["\(problem) \(sample.int ?? -1)"] = "\(tokens.int ?? -1) \(text)"
    }
    try folder.write("the dog\na dog and\n", as: "prompts.txt")
    let samples = distill(
      "sample", model, folder.file("prompts.txt"), "--samples", "3", "--temperature", "0.8",
      "--top-p", "0.9", "--max-new-tokens", "12", "--seed", "5")
    var expected: [String: String] = [:]
    for record in try records(samples.output) {
      guard case .number(let prompt)? = record["prompt_index"],
        case .number(let sample)? = record["sample"],
        case .string(let text)? = record["completion"],
        case .number(let tokens)? = record["completion_tokens"]
      else { return XCTFail("\(record)") }
      expected["problems.jsonl#\((prompt.int ?? -1) + 1) \(sample.int ?? -1)"] =
        "\(tokens.int ?? -1) \(text)"
    }
    XCTAssertEqual(expected.count, 6)
    XCTAssertEqual(answers, expected)
  }

  private func generate(maxTokens: Int) throws -> Run {
    try folder.write(#"{"question": "the dog", "answer": "1"}"#, as: "problems.jsonl")
    try folder.write(
      """
      {
        teacher: { local: { checkpoint: "\(model)" } },
        prompts: [{ path: "\(folder.file("problems.jsonl"))" }],
        sampling: { samplesPerProblem: 4, temperature: 0.8, topP: 0.9, maxTokens: \(maxTokens), seed: 5 },
        output: "\(folder.file("run"))",
      }
      """, as: "recipe.json5")
    return distill("generate", folder.file("recipe.json5"))
  }

  /// What a template opens at the end of the prompt is part of the answer.
  func testALocalTeacherWhosePromptOpensTheThinking() throws {
    try Data(
      """
      {% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}<think>
      {% endif %}
      """.utf8
    ).write(to: URL(fileURLWithPath: model + "/chat_template.jinja"))
    let run = try generate(maxTokens: 5)
    XCTAssertEqual(run.status, 0, run.errors)
    let found = try records(
      String(decoding: XCTUnwrap(folder.bytes("run/samples.jsonl")), as: UTF8.self))
    XCTAssertEqual(found.count, 4)
    for record in found {
      guard case .object(let answer)? = record["answer"],
        case .string(let reasoning)? = answer["reasoning"],
        case .string(let content)? = answer["content"]
      else { return XCTFail("\(record)") }
      XCTAssertEqual(reasoning.utf8.first, 0x0A, reasoning)
      XCTAssertEqual(answer["finishReason"], .string("length"))
      XCTAssertEqual(content, "")
    }
  }

  func testALocalTeacherWithoutATemplate() throws {
    try FileManager.default.removeItem(atPath: model + "/chat_template.jinja")
    assertFails(
      try generate(maxTokens: 5),
      "\(model): it has no chat template, by which questions become prompts. Name a file with "
        + "'chatTemplate'.")
  }

  private func records(_ text: String) throws -> [JSONObject] {
    try text.split(separator: "\n").map { line in
      let json = try Array(line.utf8).withUnsafeBytes {
        try JSONValue(parsing: $0, source: "output")
      }
      guard case .object(let object) = json else { throw CommandError("no object: \(line)") }
      return object
    }
  }

  private func sorted(_ name: String) throws -> [String] {
    String(decoding: try XCTUnwrap(folder.bytes(name)), as: UTF8.self).split(separator: "\n")
      .map(String.init).sorted()
  }

  private func sample(_ words: String...) -> Run {
    let transcript = Transcript()
    let all = ["sample", model, folder.file("prompts.jsonl"), "--max-new-tokens", "9"] + words
    let status = Program.distill.run(all, on: transcript.console())
    return Run(output: transcript.output, errors: transcript.errors, status: status)
  }

  func testRecords() throws {
    let run = sample("--samples", "2", "--temperature", "0.5", "--log-probabilities")
    XCTAssertEqual(run.status, 0, run.errors)
    XCTAssertTrue(run.errors.hasPrefix("Sampling at temperature 0.5, seed 0.\n"), run.errors)
    let records = try records(run.output)
    XCTAssertEqual(records.count, 6)
    var seen = Set<String>()
    for record in records {
      guard case .number(let prompt)? = record["prompt_index"],
        case .number(let number)? = record["sample"],
        case .array(let ids)? = record["token_ids"],
        case .array(let probabilities)? = record["log_probabilities"],
        case .number(let count)? = record["completion_tokens"]
      else { return XCTFail("\(record)") }
      seen.insert("\(prompt.text) \(number.text)")
      XCTAssertEqual(ids.count, count.int)
      XCTAssertEqual(probabilities.count, count.int)
      XCTAssertEqual(record["messages"] == nil, prompt.int == 1)
      XCTAssertEqual(record["id"] == .string("a"), prompt.int == 0)
    }
    XCTAssertEqual(seen, ["0 0", "0 1", "1 0", "1 1", "2 0", "2 1"])
  }

  func testSettingsFromTheCheckpoint() throws {
    try Data(#"{"temperature": 0.6, "top_p": 0.95, "eos_token_id": 2}"#.utf8).write(
      to: URL(fileURLWithPath: model + "/generation_config.json"))
    XCTAssertTrue(
      sample().errors.hasPrefix(
        "Sampling at temperature 0.6 and top-p 0.95, seed 0 (what is not given: "
          + "generation_config.json).\n"))
    XCTAssertTrue(
      sample("--temperature", "0").errors.hasPrefix("The most probable token, always.\n"))
  }

  func testItGoesOnWhereItWas() throws {
    let output = folder.file("out.jsonl")
    let whole = folder.file("whole.jsonl")
    XCTAssertEqual(sample("--samples", "3", "--output", whole).status, 0)
    let lines = try sorted("whole.jsonl")
    XCTAssertEqual(lines.count, 9)
    let bytes = try XCTUnwrap(folder.bytes("whole.jsonl"))
    for cut in [0, 1, bytes.count / 3, bytes.count / 2, bytes.count - 1, bytes.count] {
      try Data(bytes.prefix(cut)).write(to: URL(fileURLWithPath: output))
      let run = sample("--samples", "3", "--output", output)
      XCTAssertEqual(run.status, 0, run.errors)
      XCTAssertEqual(try sorted("out.jsonl"), lines, "cut at \(cut)")
      XCTAssertEqual(run.errors.contains("are there already."), cut > bytes.count / 4, run.errors)
    }
    // More samples of the same are added to; other settings are refused.
    XCTAssertEqual(sample("--samples", "4", "--output", output).status, 0)
    XCTAssertEqual(Set(try sorted("out.jsonl")).intersection(lines).count, 9)
    XCTAssertEqual(try sorted("out.jsonl").count, 12)
    assertFails(
      sample("--seed", "1", "--output", output),
      "\(output):1: it was made from another prompt, with other settings or by another model. Name "
        + "another file with '--output', or remove this one.")
    XCTAssertEqual(try sorted("out.jsonl").count, 12)
  }

  func testBadInput() throws {
    assertFails(
      sample("--stop-token", "<nothing>"),
      "'--stop-token' is '<nothing>', which is no token of \(model). A text of several tokens goes "
        + "with '--stop'.")
    assertFails(
      sample("--top-p", "0"), "'topP' is 0.0; it must be above 0 and at most 1.")
    try folder.write(
      """
      {"prompt":"the dog"}
      {"prompt":"\(String(repeating: "the dog ", count: 200))"}

      """, as: "prompts.jsonl")
    let run = sample("--samples", "2")
    XCTAssertEqual(run.status, 1)
    XCTAssertEqual(try records(run.output).count, 2, "the other prompt is unharmed")
    XCTAssertTrue(
      run.errors.contains("Error: \(folder.file("prompts.jsonl")):2: The prompt has "), run.errors)
    XCTAssertTrue(run.errors.hasSuffix("Error: 2 samples of 4 could not be made.\n"), run.errors)
    let small = sample("--cache-memory", "1kB")
    XCTAssertTrue(small.errors.contains("needs a cache of "), small.errors)
    for (text, words) in [
      ("", "the file is empty."), ("\n  \n", "it holds no prompts."),
      (
        #"{"question":"x"}"#,
        "its keys ('question') are neither 'messages', a list of turns with 'role' and 'content', "
          + "nor 'prompt', a text."
      ),
      (#"{"prompt":"x","messages":[]}"#, "it has both 'messages' and 'prompt'. Leave one."),
      (#"{"messages":[]}"#, "the conversation is empty."),
      (
        #"{"messages":[{"role":"assistant","content":"x"}]}"#,
        "the conversation ends with the assistant; nothing is asked."
      ),
    ] {
      try folder.write(text, as: "prompts.jsonl")
      let run = sample()
      XCTAssertEqual(run.status, 1, text)
      XCTAssertTrue(run.errors.hasSuffix(words + "\n"), run.errors)
      XCTAssertEqual(run.output, "")
    }
  }

  func testLinesOfText() throws {
    try folder.write("the dog\r\n\n and \n", as: "prompts.jsonl")
    let records = try records(sample().output)
    XCTAssertEqual(records.count, 2)
    XCTAssertTrue(records.allSatisfy { $0["messages"] != nil })
    let raw = try self.records(sample("--raw").output)
    XCTAssertEqual(
      Set(
        raw.compactMap { record in
          if case .string(let text)? = record["prompt"] { text } else { nil }
        }), ["the dog", " and "])
  }

  // MARK: - chat

  private func chat(
    _ lines: [String], _ words: String..., isTerminal: Bool = false
  ) throws -> Transcript {
    let transcript = Transcript()
    let console = transcript.console(isTerminal: isTerminal)
    var rest = lines[...]
    let arguments = try Arguments(
      parsing: [model, "--max-new-tokens", "7"] + words, for: Command.chat.declarations)
    let text = try TextModel(arguments, at: model)
    let session = ChatSession(
      text, engine: try text.engine(EngineSettings(maxSequences: 1)), system: nil,
      hidesThinking: words.contains("--hide-thinking"), console)
    session.run(isInteractive: isTerminal) { rest.popFirst() }
    return transcript
  }

  func testAConversation() throws {
    let saved = folder.file("saved.json")
    let transcript = try chat([
      "the dog", "", "and the dog", "/save \(saved)", "/nonsense", "/save", "/reset",
      "/save \(saved)", "/thinking", "/exit", "never read",
    ])
    XCTAssertEqual(
      transcript.errors.split(separator: "\n").filter { !$0.hasPrefix("The answer was cut") },
      [
        "Saved 4 turns in \(saved).", "Error: '/nonsense' is no command; '/help' lists them.",
        "Error: '/save' needs the name of a file.", "A new conversation.",
        "Error: Nothing was said yet.",
      ])
    let sample = try XCTUnwrap(
      try records(String(decoding: folder.bytes("saved.json") ?? [], as: UTF8.self)).first)
    guard case .array(let turns)? = sample["messages"] else { return XCTFail("\(sample)") }
    XCTAssertEqual(turns.count, 4)
    XCTAssertEqual(turns[0], Message("user", "the dog").json)
    XCTAssertEqual(turns[2], Message("user", "and the dog").json)
    // What was printed is what was said.
    guard case .object(let answer) = turns[1], case .string(let text)? = answer["content"] else {
      return XCTFail("\(turns)")
    }
    XCTAssertTrue(transcript.output.hasPrefix(text + "\n"), transcript.output)
    XCTAssertTrue(transcript.output.hasSuffix("The last answer has no thinking.\n"))
  }

  func testThinkingIsDimmedOrHidden() throws {
    let words = ["--force-prefix", "<think>\\n", "--thinking-budget", "3"]
    let plain = try chat(
      ["the dog"], words[0], words[1], words[2], words[3], "--max-new-tokens", "12")
    XCTAssertTrue(plain.output.hasPrefix("<think>"), plain.output)
    XCTAssertTrue(plain.output.contains("</think>"), plain.output)
    let dimmed = try chat(
      ["the dog"], words[0], words[1], words[2], words[3], "--max-new-tokens", "12",
      isTerminal: true)
    XCTAssertTrue(dimmed.output.contains("\u{1B}[2m"), dimmed.output)
    XCTAssertTrue(dimmed.output.contains("\u{1B}[0m"), dimmed.output)
    XCTAssertFalse(dimmed.output.contains("think>"), dimmed.output)
    let hidden = try chat(
      ["the dog"], words[0], words[1], words[2], words[3], "--max-new-tokens", "12",
      "--hide-thinking")
    XCTAssertTrue(hidden.output.hasPrefix("(thought for "), hidden.output)
  }

  func testThinkingPrinterWhereverTextIsCut() {
    let text = "a<think>bé</think>c<thin"
    let characters = Array(text)
    for first in 0...characters.count {
      for second in first...characters.count {
        var printer = ThinkingPrinter(startsInside: false, hides: false, dims: true)
        let pieces = [characters[..<first], characters[first..<second], characters[second...]]
        let printed =
          pieces.map { printer.append(String($0), tokens: 1) }.joined() + printer.finish()
        XCTAssertEqual(printed, "a\u{1B}[2mbé\u{1B}[0mc<thin", "\(first) \(second)")
        XCTAssertEqual(printer.thinking, "bé")
      }
    }
    var printer = ThinkingPrinter(startsInside: true, hides: true, dims: false)
    XCTAssertEqual(
      printer.append("x", tokens: 1) + printer.append("y</think>z", tokens: 1) + printer.finish(),
      "(thought for 2 tokens)\nz")
  }
}

extension TemporaryFolder {
  /// A folder that a test can't do without.
  fileprivate static var made: TemporaryFolder {
    do { return try TemporaryFolder() } catch { preconditionFailure("\(error)") }
  }
}
