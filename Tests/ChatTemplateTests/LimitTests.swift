import ChatTemplates
import Foundation
import Storage
import XCTest

/// Every limit is met exactly: what reaches it is rendered, one more is refused.
final class LimitTests: XCTestCase {
  private func limits(_ change: (inout TemplateLimits) -> Void) -> TemplateLimits {
    var limits = TemplateLimits.default
    change(&limits)
    return limits
  }

  func testStandardLimits() {
    let limits = TemplateLimits.default
    XCTAssertEqual(limits.operations, 10_000_000)
    XCTAssertEqual(limits.output, 16 << 20)
    XCTAssertEqual(limits.depth, 128)
    XCTAssertEqual(limits.range, 100_000)
    XCTAssertEqual(limits.template, 1 << 20)
  }

  /// There is one number of operations that is just enough, and it is the same each time.
  func testOperations() throws {
    let source = "{% for i in range(9) %}{{ 'a' * i }}{% endfor %}"
    func isEnough(_ operations: Int) -> Bool {
      failure(source, limits: limits { $0.operations = operations }) == nil
    }
    var low = 0
    var high = 10_000
    XCTAssertTrue(isEnough(high))
    while high - low > 1 {
      let middle = (low + high) / 2
      if isEnough(middle) { high = middle } else { low = middle }
    }
    XCTAssertGreaterThan(high, 9 * 4)
    XCTAssertEqual(
      failure(source, limits: limits { $0.operations = high - 1 })?.description,
      "t:1: the template needs more than \(high - 1) operations.")
    XCTAssertTrue(isEnough(high))
  }

  func testOutput() throws {
    let limits = limits { $0.output = 10 }
    XCTAssertEqual(try render("{{ 'ab' * 5 }}", limits: limits).text.count, 10)
    XCTAssertEqual(
      failure("{{ 'ab' * 6 }}", limits: limits)?.description, "t:1: a text of more than 10 bytes.")
    XCTAssertEqual(try render("12345{{ 67890 }}", limits: limits).text.count, 10)
    XCTAssertEqual(
      failure("12345{{ 678901 }}", limits: limits)?.description,
      "t:1: the output is longer than 10 bytes.")
  }

  func testRange() throws {
    let limits = limits { $0.range = 5 }
    XCTAssertEqual(
      try render("{{ range(0, -10, -2)|list }}", limits: limits).string, "[0, -2, -4, -6, -8]")
    XCTAssertEqual(
      failure("{{ range(0, -11, -2) }}", limits: limits)?.description,
      "t:1: a range of more than 5 numbers.")
  }

  func testTemplate() throws {
    let limits = limits { $0.template = 5 }
    XCTAssertEqual(try render("12345", limits: limits).string, "12345")
    XCTAssertEqual(
      failure("123456", limits: limits)?.description,
      "t:1: the template has 6 bytes; at most 5 are read.")
  }

  private func nested(_ count: Int, _ opening: String, _ closing: String, _ inner: String) -> String
  {
    String(repeating: opening, count: count) + inner + String(repeating: closing, count: count)
  }

  func testNesting() throws {
    let deepest: [(allowed: String, refused: String)] = [
      ("{{ \(nested(127, "[", "]", "1"))|length }}", "{{ \(nested(128, "[", "]", "1"))|length }}"),
      (
        nested(127, "{% if 1 %}", "{% endif %}", "{{ 1 }}"),
        nested(128, "{% if 1 %}", "{% endif %}", "{{ 1 }}")
      ),
      ("{{ \(nested(127, "not ", "", "1")) }}", "{{ \(nested(128, "not ", "", "1")) }}"),
    ]
    let done = DispatchSemaphore(value: 0)
    let findings = Findings()
    let thread = Thread {
      for (allowed, refused) in deepest {
        findings.add(failure(allowed)?.description ?? "rendered")
        findings.add(failure(refused)?.description ?? "rendered")
      }
      done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    done.wait()
    let refusal = "t:1: blocks and brackets inside one another deeper than 128 levels."
    XCTAssertEqual(findings.lines, ["rendered", refusal, "rendered", refusal, "rendered", refusal])
  }

  private final class Findings: @unchecked Sendable {
    private(set) var lines: [String] = []
    func add(_ line: String) { lines.append(line) }
  }

  func testCalls() throws {
    let macro = "{% macro m(n) %}{% if n > 1 %}{{ m(n - 1) }}{% endif %}x{% endmacro %}"
    XCTAssertEqual(try render(macro + "{{ m(128)|length }}").string, "128")
    XCTAssertEqual(
      failure(macro + "{{ m(129) }}")?.description,
      "t:1: macro calls inside one another deeper than 128 levels.")
  }

  /// Nesting and calls together are refused before their stack is used up.
  func testCallsInNesting() {
    let macros = [
      "{% macro m() %}{{ \(nested(60, "[", "]", "m()")) }}{% endmacro %}{{ m() }}",
      "{% macro m() %}\(nested(100, "{% if 1 %}", "{% endif %}", "{{ m() }}")){% endmacro %}{{ m() }}",
      "{% macro m() %}{{ \(nested(60, "1 if 0 else ", "", "m()|map('map', 'list')")) }}"
        + "{% endmacro %}{{ m() }}",
    ]
    for macro in macros {
      XCTAssertEqual(
        failure(macro)?.description, "t:1: expressions and macro calls too deep inside one another."
      )
    }
  }

  func testDepthOfValues() throws {
    let source =
      "{% set ns = namespace(a=[]) %}{% for i in range(n) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a|length }}"
    XCTAssertEqual(try render(source, ["n": .number(JSONNumber(127))]).string, "1")
    XCTAssertEqual(
      failure(source, ["n": .number(JSONNumber(128))])?.description,
      "t:1: lists and dictionaries inside one another deeper than 128 levels.")
  }

  func testDepthOfInput() throws {
    func value(_ depth: Int) -> JSONValue {
      (0..<depth).reduce(JSONValue.null) { inner, i in
        i % 2 == 0 ? .array([inner]) : .object(JSONObject(members: [("a", inner)]))
      }
    }
    XCTAssertEqual(
      try render("{{ deep|tojson|length }}", ["deep": value(128)]).string, "580")
    XCTAssertEqual(
      failure("", ["deep": value(129)])?.description,
      "t:1: lists and dictionaries inside one another deeper than 128 levels.")
    XCTAssertEqual(failure("", ["deep": value(5_000)])?.kind, .limit)
  }

  func testLongInput() {
    let long = JSONValue.string(String(repeating: "a", count: (16 << 20) + 1))
    XCTAssertEqual(
      failure("", messages: [long])?.description, "t:1: a text of more than 16777216 bytes.")
  }
}
