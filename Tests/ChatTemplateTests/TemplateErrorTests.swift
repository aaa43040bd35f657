import ChatTemplates
import Foundation
import Storage
import XCTest

/// What is said about templates that cannot be read or rendered, word for word.
final class TemplateErrorTests: XCTestCase {
  func testWords() {
    let words: [(source: String, kind: ChatTemplateError.Kind, words: String)] = [
      ("a\n\n{{ x|nosuch }}", .unsupported, "t:3: the filter 'nosuch' is not known."),
      ("{{ x is nosuch }}", .unsupported, "t:1: the test 'nosuch' is not known."),
      (
        "\n{% include 'x' %}", .unsupported,
        "t:2: the tag 'include' is not known in chat templates."
      ),
      ("{% nosuch %}", .syntax, "t:1: the tag 'nosuch' is not known."),
      (
        "{% for a in b recursive %}{% endfor %}", .unsupported,
        "t:1: 'recursive' loops are not known. Use a macro."
      ),
      ("{{ 'a'.encode() }}", .unsupported, "t:1: the method 'encode' of str is not known."),
      ("{{ x|map('nosuch') }}", .unsupported, "t:1: the filter 'nosuch' is not known in 'map'."),
      (
        "{{ (x|safe) ~ 'a' }}", .unsupported,
        "t:1: the filter 'safe' is only known at the end of an output."
      ),
      (
        "{{ '\\N{DASH}' }}", .unsupported,
        "t:1: the escape '\\N' is not known. Write the character."
      ),
      ("{% if x %}\n\n", .syntax, "t:2: the end of the template where 'endif' must be."),
      ("{{ x", .syntax, "t:1: a tag that has no '}}'."),
      ("a\n{# x", .syntax, "t:2: a comment that has no '#}'."),
      ("{% raw %}", .syntax, "t:1: a 'raw' block that has no 'endraw'."),
      ("{{ 'x }}", .syntax, "t:1: a string that is never closed. Add the quote that is missing."),
      ("{{ x y }}", .syntax, "t:1: 'y' where '}}' must be."),
      ("{% set = 1 %}", .syntax, "t:1: '=' where a name must be."),
      ("{{ 1 + }}", .syntax, "t:1: the end of the tag where a value must be."),
      ("{{ (1] }}", .syntax, "t:1: ']' closes no bracket of its kind."),
      (
        "{{ größe }}", .syntax,
        "t:1: 'ö' where an expression is read. Names are of ASCII letters, digits and '_'."
      ),
      ("{% break %}", .syntax, "t:1: 'break' outside of a loop."),
      ("{{ x.y }}", .evaluation, "t:1: 'x' is undefined."),
      ("{% set d = {} %}\n{{ d.x.y }}", .evaluation, "t:2: a dict has no 'x'."),
      ("{{ 'a' + 1 }}", .evaluation, "t:1: '+' does not take a str and a int."),
      ("{{ 'a' < 1 }}", .evaluation, "t:1: '<' does not compare a str with a int."),
      ("{{ 1 // 0 }}", .evaluation, "t:1: a division by zero."),
      (
        "{{ [].append(1) }}", .evaluation,
        "t:1: 'append' would change a list, which templates may not."
      ),
      (
        "{{ 2 ** 64 }}", .evaluation,
        "t:1: an integer beyond 64 bits, which is more than is computed here."
      ),
      (
        "{% for a, b in [[1]] %}{% endfor %}", .evaluation,
        "t:1: 1 values for 2 names. Give each name one."
      ),
      (
        "\n{{ raise_exception('No ' ~ 'tools!') }}", .raised("No tools!"),
        "t:2: the template says: No tools!"
      ),
      (
        "{% macro m() %}\n\n{{ 1 + 'a' }}{% endmacro %}{{ m() }}", .evaluation,
        "t:3: '+' does not take a int and a str."
      ),
    ]
    for (source, kind, words) in words {
      let error = failure(source)
      XCTAssertEqual(error?.description, words, source)
      XCTAssertEqual(error?.kind, kind, source)
    }
  }

  func testRaisedIsToldApart() {
    XCTAssertEqual(
      failure("{{ raise_exception('Roles must alternate.') }}")?.raised, "Roles must alternate.")
    XCTAssertNil(failure("{{ 1 // 0 }}")?.raised)
  }

  func testInvalidUTF8() {
    XCTAssertThrowsError(try ChatTemplate([0x61, 0x0A, 0xC3, 0x28], name: "t")) { error in
      XCTAssertEqual("\(error)", "t:2: bytes that are no UTF-8. Save the template as UTF-8.")
    }
  }

  /// After a call, errors have the line of the caller again.
  func testLineAfterACall() {
    XCTAssertEqual(
      failure("{% macro m() %}\n\n{{ 1 }}{% endmacro %}\n{{ m() + 1 }}")?.line, 4)
  }

  func testTemplateIsUnchangedByRendering() throws {
    let source = "{% set ns = namespace(a=0) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}"
    let template = try ChatTemplate(Array(source.utf8), name: "t")
    let first = try template.render([], addGenerationPrompt: false)
    XCTAssertEqual(first.string, "1")
    XCTAssertEqual(try template.render([], addGenerationPrompt: false), first)
  }
}
