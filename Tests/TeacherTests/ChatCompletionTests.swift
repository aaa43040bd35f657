import Foundation
import Storage
import XCTest

@testable import Teachers

final class ChatCompletionTests: XCTestCase {
  private let key = "sk-0123456789-ABCDEFGH"

  private func reader(
    stream: Bool, choices: Int = 1, longest: Int = 1 << 20
  ) -> ChatCompletionReader {
    let secret = try? Secret(key, source: "")
    return ChatCompletionReader(
      .init(
        choices: choices, stream: stream,
        status: ReplyStatus(model: "R1", texts: ServerText(secret: secret)), longestBody: longest))
  }

  /// Reads a reply; in pieces if it says so.
  private func read(
    _ pieces: [[UInt8]], stream: Bool, choices: Int = 1, status: Int = 200, type: String? = nil,
    encoding: String? = nil, longest: Int = 1 << 20
  ) -> Result<ChatCompletion, ReplyFault> {
    var reader = reader(stream: stream, choices: choices, longest: longest)
    do throws(ReplyFault) {
      try reader.begin(
        ReplyHead(
          status: status,
          contentType: type ?? (stream ? "text/event-stream" : "application/json"),
          contentEncoding: encoding, wait: WaitRequest()))
      for piece in pieces {
        let result: Result<Void, ReplyFault> = piece.withUnsafeBytes { bytes in
          do throws(ReplyFault) {
            return .success(try reader.add(bytes))
          } catch {
            return .failure(error)
          }
        }
        try result.get()
      }
      return .success(try reader.end())
    } catch {
      return .failure(error)
    }
  }

  private func whole(_ body: String, choices: Int = 1) -> Result<ChatCompletion, ReplyFault> {
    read([Array(body.utf8)], stream: false, choices: choices)
  }

  private func streamed(_ events: [String], choices: Int = 1) -> Result<ChatCompletion, ReplyFault>
  {
    read(
      [Array(events.map { "data: \($0)\n\n" }.joined().utf8)], stream: true, choices: choices)
  }

  /// The remedy, the kind and the words; or the answers.
  private func told(_ result: Result<ChatCompletion, ReplyFault>) -> String {
    switch result {
    case .success(let completion):
      return completion.choices.map {
        ($0.reasoning.map { "<\($0)>" } ?? "") + $0.content + "|\($0.finish)"
      }.joined(separator: " ")
    case .failure(let fault): return "\(fault.remedy): \(fault.kind): \(fault.words)"
    }
  }

  private func choice(
    _ content: String, index: Int = 0, finish: String = #""stop""#, more: String = ""
  ) -> String {
    #"{"index":\#(index),"message":{"role":"assistant","content":\#(content)\#(more)},"#
      + #""finish_reason":\#(finish)}"#
  }

  private func reply(_ choices: String...) -> String {
    #"{"id":"1","model":"R1","choices":[\#(choices.joined(separator: ","))],"#
      + #""usage":{"prompt_tokens":3,"completion_tokens":5}}"#
  }

  // MARK: Whole replies

  func testWhole() throws {
    let completion = try whole(reply(choice(#""Four.""#))).get()
    XCTAssertEqual(
      completion,
      ChatCompletion(
        choices: [.init(reasoning: nil, content: "Four.", finish: .stop)], model: "R1",
        promptTokens: 3, completionTokens: 5))
    XCTAssertEqual(told(whole(" \n" + reply(choice(#""a""#)) + "\n")), "a|stop")
    // Without usage, with usage that is none.
    for usage in ["null", "{}", "3", #"{"prompt_tokens":-1,"completion_tokens":1e99}"#] {
      let completion = try whole(
        #"{"model":"R1","choices":[\#(choice(#""a""#))],"usage":\#(usage)}"#
      ).get()
      XCTAssertNil(completion.promptTokens)
      XCTAssertNil(completion.completionTokens)
    }
    // Another name than the one asked for is kept.
    XCTAssertEqual(
      try whole(#"{"model":"R1-0528","choices":[\#(choice(#""a""#))]}"#).get().model, "R1-0528")
    // A number may be missing where there is one choice only.
    XCTAssertEqual(
      told(whole(#"{"model":"m","choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#)),
      "a|stop")
    XCTAssertEqual(
      told(whole(reply(choice(#""b""#, index: 1), choice(#""a""#, index: 0)), choices: 2)),
      "a|stop b|stop")
  }

  func testReasoning() {
    for (content, more, expected) in [
      (#""b""#, #","reasoning_content":"a""#, "<a>b|stop"),
      (#""b""#, #","reasoning":"a""#, "<a>b|stop"),
      (#""b""#, #","reasoning":"a","reasoning_content":"a""#, "<a>b|stop"),
      (#""b""#, #","reasoning":null,"reasoning_content":"""#, "b|stop"),
      (#""\n\nb""#, #","reasoning_content":"\na\n""#, "<\na\n>\n\nb|stop"),
      // Tags in an answer whose reasoning is told apart are left where they are.
      (#""<think>b""#, #","reasoning_content":"a""#, "<a><think>b|stop"),
      (#""<think>\na\n</think>\n\nb""#, "", "<\na\n>\n\nb|stop"),
      (#""a</think>b""#, "", "<a>b|stop"),
      (
        "null", #","reasoning_content":"a""#,
        "again: empty answer: sent an answer without any "
          + "text."
      ),
      (#"" \n\t""#, "", "again: empty answer: sent an answer without any text."),
      (#""""#, "", "again: empty answer: sent an answer without any text."),
      (
        #""b""#, #","reasoning":"a","reasoning_content":"c""#,
        "again: broken answer: sent an answer with one text in 'reasoning_content' and another in "
          + "'reasoning'."
      ),
      (
        #"["a"]"#, "", "again: broken answer: sent an answer whose 'content' is not a text."
      ),
      (
        #""a""#, #","reasoning":1"#,
        "again: broken answer: sent an answer whose 'reasoning' is not a text."
      ),
    ] {
      XCTAssertEqual(told(whole(reply(choice(content, more: more)))), expected, content + more)
    }
    // Cut while thinking.
    let cut = #""length""#
    XCTAssertEqual(
      told(whole(reply(choice("null", finish: cut, more: #","reasoning_content":"a""#)))),
      "<a>|length")
    XCTAssertEqual(told(whole(reply(choice(#""<think>a""#, finish: cut)))), "<a>|length")
    XCTAssertEqual(
      told(whole(reply(choice(#""<think>""#, finish: cut)))),
      "again: empty answer: sent an answer without any text.")
  }

  func testThinkingText() {
    for (text, isCut, reasoning, content) in [
      ("<think>a</think>b", false, "a", "b"), ("<think></think>b", false, "", "b"),
      (" \n<think>\na</think>\n\nb", false, "\na", "\n\nb"), ("a</think>b", false, "a", "b"),
      ("</think>b", false, "", "b"), ("a</think>", false, "a", ""),
      ("<think>a</think>b</think>c", false, "a", "b</think>c"),
      ("<think>a<think>b</think>c", false, "a<think>b", "c"),
      ("Well. <think>a</think>b", false, nil, "Well. <think>a</think>b"),
      ("<think>a", true, "a", ""), ("<think>a", false, nil, "<think>a"), ("a", true, nil, "a"),
      ("<THINK>a</THINK>b", false, nil, "<THINK>a</THINK>b"), ("<thin", true, nil, "<thin"),
      ("", false, nil, ""), ("e\u{301}</think>\u{301}b", false, "e\u{301}", "\u{301}b"),
      ("a\r\n</think>\r\nb", false, "a\r\n", "\r\nb"), ("</thin", false, nil, "</thin"),
    ] as [(String, Bool, String?, String)] {
      let parts = ThinkingText.split(text, isCut: isCut)
      XCTAssertEqual(parts.reasoning.map { Array($0.utf8) }, reasoning.map { Array($0.utf8) }, text)
      XCTAssertEqual(Array(parts.content.utf8), Array(content.utf8), text)
    }
  }

  func testEnds() {
    for (finish, expected) in [
      (#""stop""#, "a|stop"), (#""length""#, "a|length"),
      (
        #""content_filter""#,
        "giveUpQuestion: finish: content_filter: ended the answer with 'content_filter', which "
          + "makes "
          + "it no sample."
      ),
      (
        #""tool_calls""#,
        "giveUpQuestion: finish: tool_calls: ended the answer with 'tool_calls', which makes it no "
          + "sample."
      ),
      (
        #""weary""#,
        "giveUpQuestion: finish: unknown: ended the answer with 'weary', which makes it no sample."
      ),
      ("null", "again: no finish reason: sent an answer that does not say why it ended."),
      (#""""#, "again: no finish reason: sent an answer that does not say why it ended."),
      (
        "1", "again: broken answer: sent an answer whose 'finish_reason' is not a text."
      ),
    ] {
      XCTAssertEqual(told(whole(reply(choice(#""a""#, finish: finish)))), expected)
    }
  }

  func testBrokenBodies() {
    let good = reply(choice(#""a""#))
    let json = "again: broken JSON: sent JSON that cannot be read"
    for (body, expected) in [
      ("", "again: empty body: sent an answer without a body."),
      (" \n", "again: empty body: sent an answer without a body."),
      ("[1]", "again: broken answer: sent JSON that is no object."),
      ("3", "again: broken answer: sent JSON that is no object."),
      ("{}", "again: broken answer: sent an answer without 'choices'."),
      (#"{"choices":{}}"#, "again: broken answer: sent an answer without 'choices'."),
      (
        #"{"model":"m","choices":[]}"#, "again: wrong choices: sent 0 of 1 choice."
      ),
      (
        #"{"model":"m","choices":[{"index":0}]}"#,
        "again: broken answer: sent an answer with a choice without a 'message'."
      ),
      (
        #"{"choices":[\#(choice(#""a""#))]}"#,
        "again: no model: sent an answer that does not name its model."
      ),
      (
        reply(choice(#""a""#), choice(#""a""#)), "again: wrong choices: sent choice 0 twice."
      ),
      (
        reply(choice(#""a""#), choice(#""a""#, index: 1)),
        "again: wrong choices: sent a choice with another number than 0."
      ),
      (
        reply(choice(#""a""#, index: -1)),
        "again: wrong choices: sent a choice with another number than 0."
      ),
      (
        String(good.dropLast()),
        "\(json) (line 1, column 165): the text ends where ',' or '}' must be."
      ),
      (good + good, "\(json) (line 1, column 166): '{' after the end of the JSON value."),
      (good + "x", "\(json) (line 1, column 166): 'x' after the end of the JSON value."),
      (
        reply(choice(#""\ud83d""#)),
        "\(json) (line 1, column 87): '\\ud83d' is half of a surrogate pair. Write the whole "
          + "pair, or "
          + "U+FFFD in its place."
      ),
      (
        #"{"error":{"message":"Overloaded \#(key)."}}"#,
        "again: error in the answer: sent an error in place of an answer: 'Overloaded <secret>.'."
      ),
      (#"{"error":{}}"#, "again: error in the answer: sent an error in place of an answer."),
      (
        #"{"error":{"message":"Too long.","code":400}}"#,
        "giveUpQuestion: HTTP 400: answered with status 400: 'Too long.'."
      ),
      (
        #"{"error":{"message":"Model R1 not found."}}"#,
        "stopJob: unknown model: answered with status 404: 'Model R1 not found.'. Set 'model' to "
          + "one "
          + "that the server has."
      ),
      (
        reply(choice("\"the key is \(key)\"")),
        "again: key in the answer: sent an answer with the key in it."
      ),
    ] {
      XCTAssertEqual(told(whole(body)), expected, body)
    }
    let invalid = Array(good.utf8).map { $0 == UInt8(ascii: "R") ? 0xFF : $0 }
    XCTAssertEqual(
      told(read([invalid], stream: false)),
      "\(json) (line 1, column 20): byte 0xFF is not valid UTF-8 here. Save the text as UTF-8.")
    // A cut at every byte is found.
    let bytes = Array(good.utf8)
    for cut in 0..<bytes.count {
      guard case .failure(let fault) = read([Array(bytes[..<cut])], stream: false) else {
        XCTFail("Cut at \(cut).")
        continue
      }
      XCTAssertEqual(fault.remedy, .again)
    }
    XCTAssertEqual(
      told(read([bytes], stream: false, longest: bytes.count)), "a|stop")
    XCTAssertEqual(
      told(read([bytes], stream: false, longest: bytes.count - 1)),
      "again: too long: sent an answer of more than \(bytes.count - 1) bytes.")
  }

  func testHeads() {
    let good = Array(reply(choice(#""a""#)).utf8)
    for (stream, type, expected) in [
      (false, "application/json", "a|stop"), (true, "application/json", "a|stop"),
      (
        false, "text/html",
        "again: wrong content type: sent an answer whose content type is 'text/html', not "
          + "'application/json'."
      ),
      (
        false, "text/event-stream",
        "again: wrong content type: sent an answer whose content type is 'text/event-stream', not "
          + "'application/json'."
      ),
      (
        true, "text/plain",
        "again: wrong content type: sent an answer whose content type is 'text/plain', not "
          + "'text/event-stream'."
      ),
    ] {
      XCTAssertEqual(told(read([good], stream: stream, type: type)), expected)
    }
    var untyped = reader(stream: false)
    XCTAssertThrowsError(try untyped.begin(ReplyHead(status: 200, wait: WaitRequest()))) {
      XCTAssertEqual(
        ($0 as? ReplyFault)?.words,
        "sent an answer whose content type is not told, not 'application/json'.")
    }
    XCTAssertEqual(
      told(read([good], stream: false, encoding: "gzip")),
      "again: compressed: sent an answer compressed as 'gzip', which was not asked for.")
    XCTAssertEqual(told(read([good], stream: false, encoding: "Identity")), "a|stop")
    XCTAssertEqual(
      told(read([Array("busy \(key)".utf8)], stream: true, status: 503, type: "text/plain")),
      "again: HTTP 503: answered with status 503: 'busy <secret>'.")
    // A body that says it is too long is not waited for.
    var long = reader(stream: false, longest: 1000)
    let head = ReplyHead(
      status: 200, contentType: "application/json", contentLength: 1001, wait: WaitRequest())
    XCTAssertThrowsError(try long.begin(head)) {
      XCTAssertEqual(
        $0 as? ReplyFault, .broken("too long", "sent an answer of more than 1000 bytes."))
    }
    var early = reader(stream: true)
    XCTAssertThrowsError(try early.end()) {
      XCTAssertEqual(
        $0 as? ReplyFault, .broken("no reply", "ended the connection without a reply."))
    }
  }

  // MARK: Streams

  private func chunk(
    _ delta: String, index: Int = 0, finish: String = "null", id: String = "1"
  ) -> String {
    #"{"id":"\#(id)","model":"R1","choices":[{"index":\#(index),"delta":{\#(delta)},"#
      + #""finish_reason":\#(finish)}]}"#
  }

  private func text(_ content: String, index: Int = 0) -> String {
    chunk(#""content":"\#(content)""#, index: index)
  }

  private func end(_ index: Int = 0, _ reason: String = "stop") -> String {
    chunk("", index: index, finish: "\"\(reason)\"")
  }

  private func usage(_ count: Int) -> String {
    #"{"model":"R1","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":\#(count)}}"#
  }

  func testStream() throws {
    let completion = try streamed([
      chunk(#""role":"assistant","content":"""#), chunk(#""reasoning_content":"Hm""#),
      chunk(#""reasoning_content":"m.","content":null"#), text("Fo"), text("ur"), end(), usage(4),
      "[DONE]",
    ]).get()
    XCTAssertEqual(
      completion,
      ChatCompletion(
        choices: [.init(reasoning: "Hmm.", content: "Four", finish: .stop)], model: "R1",
        promptTokens: 2, completionTokens: 4))
    // Two choices in turn.
    XCTAssertEqual(
      told(
        streamed(
          [text("a"), text("c", index: 1), text("b"), end(1, "length"), end(), "[DONE]"], choices: 2
        )), "ab|stop c|length")
    // The tag's pieces.
    XCTAssertEqual(
      told(streamed([text("<th"), text("ink>a</"), text("think>b"), end(), "[DONE]"])), "<a>b|stop")
    // The end with the last text; usage beside choices; no choices at all; a missing number.
    XCTAssertEqual(
      told(
        streamed([
          #"{"model":"m","choices":null}"#, #"{"model":"m"}"#,
          #"{"model":"m","choices":[{"delta":{"content":"a"}}]}"#,
          chunk(#""content":"b""#, finish: #""stop""#), "[DONE]",
        ])), "ab|stop")
    // An end mark in the last line, without its line feed.
    XCTAssertEqual(
      told(
        read([Array("data: \(text("a"))\n\ndata: \(end())\n\ndata: [DONE]".utf8)], stream: true)),
      "a|stop")
  }

  func testBrokenStreams() {
    let after = "again: text after the end: went on with a choice after its end."
    for (events, expected) in [
      ([text("a"), end()], "again: cut short: ended the stream without '[DONE]'."),
      ([], "again: cut short: ended the stream without '[DONE]'."),
      (["[DONE]"], "again: wrong choices: sent 0 of 1 choice."),
      (
        [text("a"), "[DONE]"],
        "again: no finish reason: sent an answer that does not say why it ended."
      ),
      ([text("a"), end(), end(), "[DONE]"], after),
      ([text("a"), end(), text("b"), "[DONE]"], after),
      (
        [text("a"), end(), "[DONE]", text("b")],
        "again: text after the end: went on after '[DONE]'."
      ),
      (
        [text("a"), end(), "[DONE]", "[DONE]"],
        "again: text after the end: went on after '[DONE]'."
      ),
      (
        [text("a", index: 1), end(), "[DONE]"],
        "again: wrong choices: sent a choice with another number than 0."
      ),
      (
        [text("a"), chunk(#""content":"b""#, id: "2"), end(), "[DONE]"],
        "again: two answers: mixed two answers in one stream."
      ),
      ([end(), "[DONE]"], "again: empty answer: sent an answer without any text."),
      (
        [text("a"), #"{"error":{"message":"Died."}}"#, "[DONE]"],
        "again: error in the answer: sent an error in place of an answer: 'Died.'."
      ),
      (["[1]"], "again: broken answer: sent JSON that is no object."),
      (
        [#"{"choices":1}"#], "again: broken answer: sent an answer whose 'choices' is no list."
      ),
      (
        [#"{"choices":[1]}"#],
        "again: broken answer: sent an answer with a choice that is no object."
      ),
      (
        [#"{"choices":[{"index":0,"delta":"a"}]}"#],
        "again: broken answer: sent an answer whose 'delta' is no object."
      ),
      (
        [text("a"), text("a"), end(), usage(1), "[DONE]"],
        "again: twice the same: sent 2 pieces of text for 1 tokens, two of them the same: an event "
          + "may have come twice. If it always does, set 'stream' to false."
      ),
      // As many tokens as pieces, or no two alike: nothing says that one came twice.
      ([text("a"), text("a"), end(), usage(2), "[DONE]"], "aa|stop"),
      ([text("a"), text("b"), end(), usage(1), "[DONE]"], "ab|stop"),
      ([text("a"), text("a"), end(), "[DONE]"], "aa|stop"),
    ] {
      XCTAssertEqual(told(streamed(events)), expected, "\(events)")
    }
    XCTAssertEqual(
      told(streamed([text("a"), end(), "[DONE]"], choices: 2)),
      "again: wrong choices: sent 1 of 2 choices. If it always does, set 'samplesPerRequest' to 1.")
    XCTAssertEqual(
      told(streamed([text("a", index: 2)], choices: 2)),
      "again: wrong choices: sent a choice with another number than 0 to 1.")
    func raw(_ text: String) -> String { told(read([Array(text.utf8)], stream: true)) }
    XCTAssertEqual(
      raw("id: 5\ndata: \(text("a"))\n\nid: 5\ndata: \(text("a"))\n\n"),
      "again: twice the same: sent the event '5' twice.")
    XCTAssertEqual(
      raw("data: \(text("a"))\n\ndata: {\"mod"),
      "again: cut short: ended the stream in the middle of a line.")
    XCTAssertEqual(
      raw("data: \(text("a"))\n\ndata: [DON"),
      "again: cut short: ended the stream in the middle of a line.")
  }

  func testLongStreams() {
    let comment = [UInt8](repeating: UInt8(ascii: ":"), count: 600)
    XCTAssertEqual(
      told(read([comment, comment], stream: true, longest: 1000)),
      "again: too long: sent an answer of more than 1000 bytes.")
    XCTAssertEqual(
      told(read([comment, comment], stream: true, choices: 2, longest: 1000)),
      "again: cut short: ended the stream without '[DONE]'.")
  }

  /// One stream, in two pieces at every byte and byte by byte, is always the same answer.
  func testPieces() throws {
    let events = [
      chunk(#""role":"assistant""#), chunk(#""reasoning_content":"é漢""#), text("😀"),
      text("\u{2028}x"), end(), usage(4), "[DONE]",
    ]
    for lineEnd in ["\n", "\r", "\r\n"] {
      let bytes = Array(
        (": hello" + lineEnd + events.map { "data: \($0)\(lineEnd)\(lineEnd)" }.joined()).utf8)
      let expected = try read([bytes], stream: true).get()
      XCTAssertEqual(
        expected.choices, [.init(reasoning: "é漢", content: "😀\u{2028}x", finish: .stop)])
      XCTAssertEqual(try read(bytes.map { [$0] }, stream: true).get(), expected)
      for cut in 0...bytes.count {
        XCTAssertEqual(
          try read([Array(bytes[..<cut]), Array(bytes[cut...])], stream: true).get(), expected)
      }
      // Whatever is missing at the end, the rest is no answer: but for the last line's own end.
      let needed = bytes.count - 2 * lineEnd.utf8.count
      for cut in 0..<needed {
        guard case .failure = read([Array(bytes[..<cut])], stream: true) else {
          XCTFail("Cut at \(cut).")
          continue
        }
      }
    }
  }

  // MARK: Requests

  func testRequest() throws {
    var settings = RemoteTeacherSettings(url: "http://h", model: "R1")
    settings.extra = RemoteExtra(JSONObject(members: [("top_k", .number(JSONNumber(20)))]))
    var question = TeacherQuestion(
      [.init(role: "system", content: "Be \"brief\"."), .init(role: "user", content: "1+1?\n")],
      samples: 0..<4, settings: SamplingChoices(seed: 42), place: "p:1")
    func body(_ samples: Range<Int>) throws -> String {
      let request = ChatCompletionRequest(settings: settings, question: question, samples: samples)
      return String(decoding: try request.body(), as: UTF8.self)
    }
    let messages =
      #"[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"1+1?\n"}]"#
    var digest = SHA256.digest(of: Array("distill seed\n42\n3\n\(messages)".utf8))
    digest[0] &= 0x7F
    let seed = digest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    XCTAssertEqual(
      try body(3..<4),
      #"{"model":"R1","messages":\#(messages),"temperature":0.6,"top_p":0.95,"max_tokens":32768,"#
        + #""seed":\#(seed),"stream":true,"stream_options":{"include_usage":true},"top_k":20}"#)
    settings.stream = false
    question.settings.stop = ["</s>"]
    settings.extra = nil
    question.settings.temperature = 1e-5
    let two = try body(2..<4)
    XCTAssertTrue(
      two.contains(#""temperature":1e-05,"top_p":0.95,"max_tokens":32768,"n":2,"seed":"#))
    XCTAssertTrue(two.hasSuffix(#","stop":["</s>"],"stream":false}"#), two)

    // Seeds differ by seed, sample and messages; by nothing else.
    func drawn(_ first: Int) -> Int {
      ChatCompletionRequest(settings: settings, question: question, samples: first..<(first + 1))
        .seed
    }
    var seeds: Set<Int> = Set((0..<1000).map(drawn))
    XCTAssertEqual(seeds.count, 1000)
    XCTAssertTrue(seeds.allSatisfy { (0..<(1 << 31)).contains($0) })
    XCTAssertGreaterThan(seeds.filter { $0 >= 1 << 30 }.count, 400)
    question.settings.seed = 43
    seeds.insert(drawn(0))
    question.messages[1].content = "1+2?\n"
    seeds.insert(drawn(0))
    question.messages[1].role = "assistant"
    seeds.insert(drawn(0))
    XCTAssertEqual(seeds.count, 1003)
    let before = drawn(0)
    question.settings.temperature = 1
    question.place = "other"
    settings.model = "m"
    XCTAssertEqual(drawn(0), before)

    question.settings.topP = .nan
    XCTAssertThrowsError(try body(0..<1))
  }
}
