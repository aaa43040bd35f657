import ChatTemplates
import Foundation
import Storage
import Tokenizers
import XCTest

@testable import Datasets

final class RenderingTests: XCTestCase {
  private func rendering(
    _ template: String?, _ supervision: Supervision = .assistant, specialTokensInText: Bool = false,
    endTokens: Set<Int32>? = nil
  ) throws -> Rendering {
    let tokenizer = try chatTokenizer()
    return Rendering(
      tokenizer: tokenizer, template: try template.map(chatTemplate),
      endTokens: try endTokens ?? [XCTUnwrap(tokenizer.id(role: "eos_token"))],
      supervision: supervision, specialTokensInText: specialTokensInText)
  }

  private func talk(_ turns: String...) -> Sample {
    let roles = ["user", "assistant"]
    return Sample(
      .conversation(turns.enumerated().map { Message(roles[$0 % 2], $1) }, tools: []),
      place: "d.jsonl:1")
  }

  /// The text of a document, its learned parts in brackets.
  private func marked(_ document: RenderedDocument, _ rendering: Rendering) -> String {
    var text = ""
    var bytes: [Int32] = []
    var learned = false
    func flush() {
      text += rendering.tokenizer.decode(bytes)
      bytes = []
    }
    for (id, isSupervised) in zip(document.ids, document.supervised) {
      if isSupervised != learned {
        flush()
        text += isSupervised ? "[" : "]"
        learned = isSupervised
      }
      bytes.append(id)
    }
    flush()
    return text + (learned ? "]" : "")
  }

  private func marked(_ sample: Sample, _ rendering: Rendering) throws -> [String] {
    try rendering.documents(of: sample).map { marked($0, rendering) }
  }

  func testTheAnswerIsLearnedWithItsEndToken() throws {
    XCTAssertEqual(
      try marked(talk("Hi", "Hello."), rendering(Templates.plain)),
      ["<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n[Hello.<|im_end|>]\n"])
  }

  func testEveryTurnOrTheLast() throws {
    let sample = talk("a", "b", "c", "d")
    XCTAssertEqual(
      try marked(sample, rendering(Templates.plain)),
      [
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n[b<|im_end|>]\n<|im_start|>user\nc"
          + "<|im_end|>\n<|im_start|>assistant\n[d<|im_end|>]\n"
      ])
    XCTAssertEqual(
      try marked(sample, rendering(Templates.plain, .last)),
      [
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc"
          + "<|im_end|>\n<|im_start|>assistant\n[d<|im_end|>]\n"
      ])
    XCTAssertEqual(
      try marked(sample, rendering(Templates.plain, .everything)),
      [
        "<|im_start|>[user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc"
          + "<|im_end|>\n<|im_start|>assistant\nd<|im_end|>\n]"
      ])
  }

  func testTurnEnds() throws {
    let document = try rendering(Templates.plain).documents(of: talk("a", "b", "c", "d"))[0]
    XCTAssertEqual(document.turnEnds.count, 2)
    let end = try XCTUnwrap(chatTokenizer().id(role: "eos_token"))
    for place in document.turnEnds {
      XCTAssertEqual(document.ids[place - 1], end)
      XCTAssertTrue(document.supervised[place - 1])
      XCTAssertFalse(document.supervised[place])
    }
  }

  /// R1's template drops the reasoning of every turn and opens one in the prompt.
  func testReasoningSurvivesATemplateThatDropsIt() throws {
    let rendering = try rendering(Templates.dropping)
    for content in [
      "<think>\nLet me see.\n</think>\n\n4", "<think>Let me see.\n</think>\n\n4",
      "Let me see.\n</think>\n\n4", "\n<think>\nLet me see.\n</think>\n\n4",
    ] {
      XCTAssertEqual(
        try marked(talk("2+2?", content), rendering),
        ["user:2+2?<|im_start|><think>\n[Let me see.\n</think>\n\n4<|im_end|>]"], content)
    }
    assertThrows(
      "d.jsonl:1: the prompt opens '<think>', but turn 2 has no reasoning. Put "
        + "'<think>\\n\\n</think>\\n\\n' before an answer that needs none."
    ) { try rendering.documents(of: self.talk("2+2?", "4")) }
  }

  /// The same where the prompt does not open a thought, and so begins the turn as the template has it.
  func testReasoningSurvivesATemplateThatDropsItSilently() throws {
    let rendering = try rendering(
      Templates.dropping.replacingOccurrences(of: "<|im_start|><think>\n", with: "<|im_start|>"))
    XCTAssertEqual(
      try marked(talk("2+2?", "<think>\nLet me see.\n</think>\n\n4"), rendering),
      ["user:2+2?<|im_start|>[<think>\nLet me see.\n</think>\n\n4<|im_end|>]"])
  }

  /// Reasoning in a key of its own, which a template may write or not know.
  func testReasoningInAKeyOfItsOwn() throws {
    let sample = Sample(
      .conversation(
        [
          Message("user", "2+2?"),
          Message(
            "assistant", "4", extras: [(key: "reasoning_content", value: .string("Let me see."))]),
        ], tools: []), place: "d.jsonl:1")
    let writing = Templates.plain.replacingOccurrences(
      of: "{{ m.content }}",
      with: "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
        + "{{ m.content }}")
    XCTAssertEqual(
      try marked(sample, rendering(writing)),
      [
        "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n"
          + "[<think>Let me see.</think>4<|im_end|>]\n"
      ])
    assertThrows(
      "d.jsonl:1: turn 2 has reasoning that the template drops, and keys besides 'content', which "
        + "only the template can write. Put the reasoning into 'content', between '<think>' and "
        + "'</think>', and leave the others out."
    ) { try self.rendering(Templates.plain).documents(of: sample) }
  }

  /// Where earlier turns change, each learned turn is a document, prompted as generation will.
  func testEachTurnByItselfWhereTheTemplateForgets() throws {
    let sample = talk("a", "<think>\nx\n</think>\nb", "c", "<think>\ny\n</think>\nd")
    XCTAssertEqual(
      try marked(sample, rendering(Templates.dropping)),
      [
        "user:a<|im_start|><think>\n[x\n</think>\nb<|im_end|>]",
        "user:a<|im_start|>\nb<|im_end|>user:c<|im_start|><think>\n[y\n</think>\nd<|im_end|>]",
      ])
    XCTAssertEqual(
      try marked(sample, rendering(Templates.lastOnly)),
      [
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n[<think>\nx\n</think>\nb<|im_end|>]\n",
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc"
          + "<|im_end|>\n<|im_start|>assistant\n[<think>\ny\n</think>\nd<|im_end|>]\n",
      ])
  }

  /// The ids before an answer are those that will ask for it, turn by turn.
  func testPromptsAreThoseOfGeneration() throws {
    for template in [Templates.plain, Templates.dropping, Templates.lastOnly] {
      let rendering = try rendering(template)
      let turns = [
        "What is 12 * 12?\n", "<think>\n\n12 squared\n</think>\n\n\n 144", "  And\n\n13?",
        "\n<think>\n…\n</think>169",
      ]
      let sample = talk(turns[0], turns[1], turns[2], turns[3])
      guard case .conversation(let messages, _) = sample.body else { return XCTFail() }
      let documents = try rendering.documents(of: sample)
      for turn in [1, 3] {
        let prompt = try rendering.prompt(Array(messages[..<turn]), place: "x")
        XCTAssertTrue(
          documents.contains { document in
            document.ids.starts(with: prompt) && document.supervised[prompt.count]
              && !document.supervised[prompt.count - 1]
          }, "\(template) turn \(turn)")
      }
    }
  }

  /// Where an answer would be joined with the prompt before it once the conversation goes on, the
  /// next turn begins a document of its own, with the ids that generation will see.
  func testAnAnswerThatIsJoinedLater() throws {
    let rendering = try rendering(
      "{% for m in messages %}{% if m.role == 'assistant' %}d{{ m.content }}<|im_end|>"
        + "{% else %}|{{ m.content }}|{% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}d{% endif %}")
    XCTAssertEqual(rendering.tokenizer.encode("do").count, 1)
    let sample = talk("a", "o", "c", "x")
    XCTAssertEqual(
      try marked(sample, rendering), ["|a|d[o<|im_end|>]", "|a|do<|im_end|>|c|d[x<|im_end|>]"])
    guard case .conversation(let messages, _) = sample.body else { return XCTFail() }
    let prompt = try rendering.prompt(Array(messages[..<3]), place: "x")
    XCTAssertTrue(try rendering.documents(of: sample)[1].ids.starts(with: prompt))
    // Where nothing is joined the document goes on.
    XCTAssertEqual(
      try marked(talk("a", "x", "c", "x"), rendering),
      ["|a|d[x<|im_end|>]|c|d[x<|im_end|>]"])
  }

  /// An answer that begins with a line break is not merged with the one that ends the prompt.
  func testTheBorderOfPromptAndAnswer() throws {
    let rendering = try rendering(Templates.plain)
    let document = try rendering.documents(of: talk("a", "\n\nb"))[0]
    let first = try XCTUnwrap(document.supervised.firstIndex(of: true))
    XCTAssertEqual(
      rendering.tokenizer.decode(Array(document.ids[..<first])),
      "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n")
    XCTAssertEqual(
      Array(document.ids[first...].dropLast()), rendering.tokenizer.encode("\n\nb<|im_end|>"))
  }

  /// What users write cannot end a turn, nor begin one.
  func testSpecialTokensInSamplesAreText() throws {
    let rendering = try rendering(Templates.plain)
    let sample = talk("x<|im_end|>\n<|im_start|>assistant\ny", "z<|im_end|>w")
    let document = try rendering.documents(of: sample)[0]
    let (start, end) = (
      rendering.tokenizer.id(of: "<|im_start|>"), rendering.tokenizer.id(of: "<|im_end|>")
    )
    XCTAssertEqual(document.ids.filter { $0 == start }.count, 2)
    XCTAssertEqual(document.ids.filter { $0 == end }.count, 2)
    XCTAssertEqual(
      document.ids.indices.filter { document.supervised[$0] && document.ids[$0] == end }.count, 1)
    let asked = try self.rendering(Templates.plain, specialTokensInText: true)
    let other = try asked.documents(of: sample)[0]
    XCTAssertEqual(other.ids.filter { $0 == end }.count, 4)
    XCTAssertEqual(marked(other, asked), marked(document, rendering))
  }

  func testSamplesWithoutATemplate() throws {
    let rendering = try rendering(nil)
    let text = Sample(.text("one <|im_end|> two"), place: "d.jsonl:1")
    let document = try rendering.documents(of: text)[0]
    XCTAssertEqual(document.ids.filter { rendering.endTokens.contains($0) }.count, 1)
    XCTAssertEqual(document.ids.last, rendering.tokenizer.id(role: "eos_token"))
    XCTAssertEqual(
      document.supervised, [false] + [Bool](repeating: true, count: document.ids.count - 1))
    let completion = Sample(
      .completion(prompt: "Say yes. ", completion: "Yes."), place: "d.jsonl:1")
    XCTAssertEqual(try marked(completion, rendering), ["Say yes. [Yes.<|im_end|>]"])
    assertThrows("d.jsonl:1: the checkpoint has no chat template, which a conversation needs.") {
      try rendering.documents(of: self.talk("a", "b"))
    }
  }

  func testOrderOfRoles() throws {
    let rendering = try rendering(Templates.plain)
    func documents(_ roles: String...) throws -> Int {
      try rendering.documents(
        of: Sample(
          .conversation(roles.map { Message($0, "x") }, tools: []), place: "d.jsonl:1")
      ).count
    }
    XCTAssertEqual(try documents("system", "user", "assistant", "tool", "tool", "assistant"), 1)
    XCTAssertEqual(try documents("developer", "user", "assistant", "user", "assistant"), 1)
    for (roles, message) in [
      (
        ["assistant"],
        "the conversation begins with 'assistant'; it must begin with 'system' or 'user'."
      ),
      (
        ["user", "user", "assistant"],
        "turn 2 is 'user' behind 'user', which breaks the order of turns."
      ),
      (
        ["user", "assistant", "assistant"],
        "turn 3 is 'assistant' behind 'assistant', which breaks the order of turns."
      ),
      (
        ["user", "system", "assistant"],
        "turn 2 is 'system' behind 'user', which breaks the order of turns."
      ),
      (
        ["user", "tool", "assistant"],
        "turn 2 is 'tool' behind 'user', which breaks the order of turns."
      ),
      (["user", "assistant", "user"], "the conversation must end with the assistant."),
      (["system"], "the conversation must end with the assistant."),
      ([], "the conversation is empty."),
      (
        ["user", "critic"],
        "turn 2 has the role 'critic', not one of 'system', 'user', 'assistant', 'tool'."
      ),
    ] {
      assertThrows("d.jsonl:1: " + message) {
        try rendering.documents(
          of: Sample(.conversation(roles.map { Message($0, "x") }, tools: []), place: "d.jsonl:1"))
      }
    }
  }

  func testTemplatesThatCannotTeach() throws {
    let endless = Templates.plain.replacingOccurrences(of: "<|im_end|>", with: "")
    assertThrows(
      "d.jsonl:1: turn 2 ends without a token that ends generation ('<|im_end|>'): the model would "
        + "not learn to stop."
    ) { try self.rendering(endless).documents(of: self.talk("a", "b")) }
    let closing = Templates.plain + "{% if add_generation_prompt %}<think>\n\n</think>\n{% endif %}"
    assertThrows(
      "d.jsonl:1: the prompt ends its thought before turn 2, which then thinks. Templates have a "
        + "variable for that: 'templateVariables: {enable_thinking: true}', or one of another name."
    ) {
      try self.rendering(closing).documents(of: self.talk("a", "<think>\nx\n</think>\nb"))
    }
    assertThrows("d.jsonl:1: chat.jinja:1: the template says: no") {
      try self.rendering("{{ raise_exception('no') }}").documents(of: self.talk("a", "b"))
    }
  }
}
