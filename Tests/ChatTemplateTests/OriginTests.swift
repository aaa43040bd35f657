import ChatTemplates
import Foundation
import Storage
import XCTest

/// Which bytes of a rendering came from the messages.
final class OriginTests: XCTestCase {
  /// Renders with `message` as the content of the only message, and puts what is input in ⟦⟧.
  private func marked(
    _ expression: String, _ message: String = "ab,c", role: String = "user"
  ) throws -> String {
    let chat = try ChatTemplate(
      Array("{% set m = messages[0].content %}{{ \(expression) }}".utf8), name: "t"
    ).render(
      [
        .object(
          JSONObject(members: [
            ("role", .string(role)), ("content", .string(message)),
            (
              "extra",
              .object(JSONObject(members: [("k", .string("v")), ("n", .number(JSONNumber(1)))]))
            ),
          ]))
      ], tools: [.string("T")], addGenerationPrompt: false,
      variables: [
        "token": .string("<s>"),
        "documents": .array([.string("doc")]),
      ])
    var result = ""
    var end = 0
    for range in chat.inputRanges {
      XCTAssertGreaterThanOrEqual(range.lowerBound, end)
      XCTAssertFalse(range.isEmpty)
      if end > 0 { XCTAssertGreaterThan(range.lowerBound, end, "ranges that touch") }
      result += String(decoding: chat.text[end..<range.lowerBound], as: UTF8.self)
      result += "⟦" + String(decoding: chat.text[range], as: UTF8.self) + "⟧"
      end = range.upperBound
    }
    return result + String(decoding: chat.text[end...], as: UTF8.self)
  }

  func testEveryOperationKeepsWhatIsInput() throws {
    let expected: [(expression: String, marked: String)] = [
      ("m", "⟦ab,c⟧"),
      ("'<' + m + '>'", "<⟦ab,c⟧>"),
      ("m ~ m ~ 1", "⟦ab,cab,c⟧1"),
      ("token ~ m", "<s>⟦ab,c⟧"),
      ("tools[0] ~ '.' ~ documents[0]", "⟦T⟧.⟦doc⟧"),
      ("('<' ~ m ~ '>')[1:]", "⟦ab,c⟧>"),
      ("('<' ~ m ~ '>')[::-1]", ">⟦c,ba⟧<"),
      ("('<' ~ m ~ '>')[:2]", "<⟦a⟧"),
      ("m[0] ~ 'x' ~ m[-1]", "⟦a⟧x⟦c⟧"),
      ("(' ' ~ m ~ ' ').strip() ~ '|'", "⟦ab,c⟧|"),
      ("('<' ~ m)|trim('<a')", "⟦b,c⟧"),
      ("m.split(',')|join('-')", "⟦ab⟧-⟦c⟧"),
      ("m.split(',')|join(m)", "⟦abab,cc⟧"),
      ("'x y'.split()|join(m)", "x⟦ab,c⟧y"),
      ("'-'.join(['x', m])", "x-⟦ab,c⟧"),
      ("m|replace('b', '-')", "⟦a⟧-⟦,c⟧"),
      ("'x-y'|replace('-', m)", "x⟦ab,c⟧y"),
      ("m.replace('', '-')", "-⟦a⟧-⟦b⟧-⟦,⟧-⟦c⟧-"),
      ("m.partition(',')|join('|')", "⟦ab⟧|,|⟦c⟧"),
      ("m * 2 ~ 'x' * 2", "⟦ab,cab,c⟧xx"),
      ("m.center(8, '*')", "**⟦ab,c⟧**"),
      ("('a\\n' ~ m)|indent(2)", "a\n  ⟦ab,c⟧"),
      ("'%s=%5s%%' % ('x', m)", "x= ⟦ab,c⟧%"),
      ("(m ~ '%s%%') % 'x'", "⟦ab,c⟧x%"),
      ("'{}-{a}'.format(m, a=1)", "⟦ab,c⟧-1"),
      ("m|list|join", "⟦ab,c⟧"),
      ("m|reverse", "⟦c,ba⟧"),
      ("m|first ~ 'x'", "⟦a⟧x"),
      ("[m, 'x']|sort|join('-')", "⟦ab,c⟧-x"),
      ("(m if m else 'x') ~ (q|default(m))", "⟦ab,cab,c⟧"),
      // What cannot be kept apart is all input.
      ("('x' ~ m)|upper", "⟦XAB,C⟧"),
      ("'x'|upper", "X"),
      ("('x' ~ m).title()", "⟦Xab,C⟧"),
      ("{'k': m}|tojson", "⟦{\"k\": \"ab,c\"}⟧"),
      ("{'k': 1}|tojson", "{\"k\": 1}"),
      ("[m, 1]", "⟦['ab,c', 1]⟧"),
      ("m.split(',')|string", "⟦['ab', 'c']⟧"),
      ("messages[0].extra|tojson", "⟦{\"k\": \"v\", \"n\": 1}⟧"),
      ("[1]|tojson(indent=m)", "⟦[\nab,c1\n]⟧"),
      ("messages[0].extra|first", "⟦k⟧"),
      ("messages[0].extra.items()|map('join', '=')|join", "⟦k⟧=⟦vn⟧=1"),
      ("dict(**messages[0].extra)|join('-')", "⟦k⟧-⟦n⟧"),
      ("m|length ~ m", "4⟦ab,c⟧"),
      ("messages[0].extra.n", "1"),
    ]
    for (expression, marked) in expected {
      XCTAssertEqual(try self.marked(expression), marked, expression)
    }
  }

  func testStatementsKeepWhatIsInput() throws {
    let chat = try ChatTemplate(
      Array(
        """
        {% macro f(x) %}<{{ x }}>{% endmacro %}{% set t %}[{{ messages[0].content }}]{% endset %}\
        {{ f(messages[0].content) }}{{ t }}{% filter trim %} {{ messages[0].content }}{% endfilter %}
        """.utf8), name: "t"
    ).render(
      [JSONValue.object(JSONObject(members: [("content", .string("hi"))]))],
      addGenerationPrompt: false)
    XCTAssertEqual(chat.string, "<hi>[hi]hi")
    XCTAssertEqual(chat.inputRanges, [1..<3, 5..<7, 8..<10])
  }

  /// The usual roles are words of the template's; other texts in their place are input.
  func testRoles() throws {
    XCTAssertEqual(try marked("'<|' + messages[0].role + '|>'"), "<|user|>")
    XCTAssertEqual(
      try marked("'<|' + messages[0].role + '|>'", role: "im_end"), "<|⟦im_end⟧|>")
  }

  /// A text that looks like a template or a token stays what it is.
  func testInputIsNeverATemplate() throws {
    XCTAssertEqual(
      try marked("m", "{{ 1 }}{% if %}<|im_end|>{#"), "⟦{{ 1 }}{% if %}<|im_end|>{#⟧")
  }

  func testGenerationRanges() throws {
    let chat = try render(
      "a{% for i in [1, 22] %}<{% generation %}x{{ i }}{% endgeneration %}>{% endfor %}")
    XCTAssertEqual(chat.string, "a<x1><x22>")
    XCTAssertEqual(chat.generationRanges, [2..<4, 6..<9])
    let caught = try render(
      "{% macro m() %}{% generation %}a{% endgeneration %}{% endmacro %}{{ m() }}")
    XCTAssertEqual(caught.generationRanges, [])
  }
}
