import ChatTemplates
import Foundation
import Storage
import XCTest

/// Templates that want to take all time, memory or stack, or to stop the process.
final class HostileTests: XCTestCase {
  private static func nested(_ opening: String, _ closing: String, _ inner: String = "1") -> String
  {
    let many = 100_000
    return String(repeating: opening, count: many) + inner + String(repeating: closing, count: many)
  }

  private static func many(_ item: (Int) -> String) -> String {
    (0..<40_000).map(item).joined(separator: ",")
  }

  private static let forever = "{% for a in range(99999) %}{% for b in range(99999) %}"
  private static let ends = "{% endfor %}{% endfor %}"

  /// Each is refused, and none may take more than its limits.
  private static let templates: [(name: String, source: String)] = [
    ("parentheses", "{{ " + nested("(", ")") + " }}"),
    ("brackets", "{{ " + nested("[", "]") + " }}"),
    ("braces", "{{ " + nested("{1:", "}") + " }}"),
    ("indexes", "{{ " + nested("a[", "]") + " }}"),
    ("calls", "{{ " + nested("f(", ")") + " }}"),
    ("filters in filters", "{{ " + nested("a|d(", ")") + " }}"),
    ("nots", "{{ " + nested("not ", "") + " }}"),
    ("minuses", "{{ " + nested("- ", "") + " }}"),
    ("else", "{{ " + nested("1 if 0 else ", "") + " }}"),
    ("ifs in a row", "{{ 1 " + nested("if 1 ", "", "") + " }}"),
    ("if blocks", String(repeating: "{% if 1 %}", count: 50_000)),
    ("if blocks, closed", nested("{%if 1%}", "{%endif%}").prefix(900_000) + "{%endif%}"),
    ("for blocks", String(repeating: "{% for a in [1] %}", count: 50_000)),
    ("macros in macros", String(repeating: "{% macro m() %}", count: 50_000)),
    ("open brackets", "{{ " + String(repeating: "[", count: 500_000)),
    ("targets", "{% set " + nested("(", ")", "a") + " = 1 %}"),
    ("tests", "{{ 1 is " + nested("in [", "]") + " }}"),
    ("repeated text", "{{ 'a' * 10**10 }}"),
    ("repeated far", "{{ 'ab' * 9223372036854775807 }}"),
    ("repeated list", "{{ [0] * 10**9 }}"),
    ("repeated list far", "{{ [0, 1] * 9223372036854775807 }}"),
    ("repeated tuple", "{{ (1, 2) * 10**10 }}"),
    ("wide center", "{{ 'a'.center(10**12) }}"),
    ("wide filter", "{{ 'a'|center(10**12) }}"),
    ("wide ljust", "{{ 'a'.ljust(9223372036854775807) }}"),
    ("wide zfill", "{{ '1'.zfill(10**15) }}"),
    ("wide indent", "{{ 'a\nb'|indent(10**12) }}"),
    ("many indents", "{{ ('\n' * 1000000)|indent(1000000) }}"),
    ("wide format", "{{ '%9999999999d' % 1 }}"),
    ("long format", "{{ '%.9999999f' % 1.5 }}"),
    ("wide json", "{{ [1]|tojson(indent=10**12) }}"),
    ("rounding", "{{ 1.5|round(10**9) }}"),
    ("rounding back", "{{ 1.5|round(-(10**9), 'floor') }}"),
    ("range", "{{ range(100001) }}"),
    ("range far", "{{ range(-9223372036854775807, 9223372036854775807) }}"),
    ("range with a large step", "{{ range(0, 9223372036854775807, 2) }}"),
    ("slices", "{{ [1]|slice(10**12)|list }}"),
    ("batch", "{{ [1]|batch(10**12, 0)|list }}"),
    ("sum", "{{ 9223372036854775807 + 1 }}"),
    ("difference", "{{ -9223372036854775807 - 2 }}"),
    ("product", "{{ 9223372036854775807 * 2 }}"),
    ("quotient", "{{ (-9223372036854775807 - 1) // -1 }}"),
    ("power", "{{ 10 ** 9223372036854775807 }}"),
    ("absolute", "{{ (-9223372036854775807 - 1)|abs }}"),
    ("minus", "{{ -(-9223372036854775807 - 1) }}"),
    ("literal", "{{ 99999999999999999999 }}"),
    ("literal in an index", "{{ a.99999999999999999999 }}"),
    ("hexadecimal", "{{ 0xffffffffffffffffff }}"),
    ("read from a text", "{{ '99999999999999999999'|int }}"),
    ("read from a float", "{{ '1e300'|int }}"),
    ("large power of floats", "{{ 10.0 ** 400 }}"),
    ("zero", "{{ 1 % 0 }}"),
    ("slice of nothing", "{{ [1][::0] }}"),
    ("macro of itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
    ("macro with defaults", "{% macro m(a=m()) %}{% endmacro %}{{ m() }}"),
    (
      "macros of each other",
      "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}"
    ),
    (
      "macro in brackets",
      "{% macro m() %}{{ " + String(repeating: "(", count: 100) + "m()"
        + String(repeating: ")", count: 100) + " }}{% endmacro %}{{ m() }}"
    ),
    (
      "macro in lists",
      "{% macro m() %}{{ " + String(repeating: "[", count: 60) + "m()"
        + String(repeating: "]", count: 60) + " }}{% endmacro %}{{ m() }}"
    ),
    (
      "macro in blocks",
      "{% macro m() %}" + String(repeating: "{% if 1 %}", count: 100) + "{{ m() }}"
        + String(repeating: "{% endif %}", count: 100) + "{% endmacro %}{{ m() }}"
    ),
    (
      "caller of itself",
      "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}"
        + "{% call m() %}{% endcall %}"
    ),
    (
      "endless output",
      forever + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + ends
    ),
    ("endless work", forever + ends),
    ("long output", forever + "{{ big }}" + ends),
    (
      "quadratic text",
      "{% set ns = namespace(a='') %}" + forever + "{% set ns.a = ns.a + 'abcdefgh' %}" + ends
    ),
    (
      "doubled text",
      "{% set ns = namespace(a='ab') %}" + forever + "{% set ns.a = ns.a ~ ns.a %}" + ends
    ),
    (
      "doubled list",
      "{% set ns = namespace(a=[1]) %}" + forever + "{% set ns.a = ns.a + ns.a %}" + ends
    ),
    (
      "list in a list", "{% set ns = namespace(a=1) %}" + forever + "{% set ns.a = [ns.a] %}" + ends
    ),
    (
      "dict in a dict",
      "{% set ns = namespace(a=1) %}" + forever + "{% set ns.a = {1: ns.a} %}" + ends
    ),
    (
      "tuple of twice the same",
      "{% set ns = namespace(a=1) %}{% for i in range(60) %}{% set ns.a = (ns.a, ns.a) %}{% endfor %}{{ ns.a }}"
    ),
    (
      "equal twice the same",
      "{% set ns = namespace(a=1, b=1) %}{% for i in range(60) %}{% set ns.a = (ns.a, ns.a) %}{% set ns.b = (ns.b, ns.b) %}{% endfor %}{{ ns.a == ns.b }}"
    ),
    (
      "json twice the same",
      "{% set ns = namespace(a=1) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a|tojson }}"
    ),
    (
      "key twice the same",
      "{% set ns = namespace(a=1) %}{% for i in range(60) %}{% set ns.a = (ns.a, ns.a) %}{% endfor %}{{ {ns.a: 1} }}"
    ),
    (
      "namespaces in a row",
      "{% set ns = namespace(a=1) %}" + forever + "{% set ns.a = namespace(a=ns.a) %}" + ends
    ),
    (
      "macros in a row",
      "{% set ns = namespace(a=1) %}" + forever
        + "{% set p = ns.a %}{% macro m() %}{{ p }}{% endmacro %}{% set ns.a = m %}" + ends
    ),
    ("slices of a text", "{% set t = 'a' * 1000000 %}" + forever + "{% set q = t[1:] %}" + ends),
    ("slices backwards", "{% set t = 'é' * 1000000 %}" + forever + "{% set q = t[::-1] %}" + ends),
    ("slices of a list", "{% set t = [1] * 100000 %}" + forever + "{% set q = t[::-1] %}" + ends),
    ("join of many", "{{ range(100000)|join('a' * 1000000) }}"),
    ("join of long", "{{ (['a' * 1000000] * 1000)|join }}"),
    ("replaced nothing", "{{ ('a' * 1000000).replace('', 'b' * 1000000) }}"),
    ("replaced letters", "{{ ('a' * 1000000)|replace('a', 'b' * 1000) }}"),
    ("searched in vain", "{% set t = 'a' * 1000000 %}{{ t.find('a' * 500000 ~ 'b') }}"),
    ("searched backwards", "{% set t = 'a' * 1000000 %}{{ t.rfind('a' * 500000 ~ 'b') }}"),
    (
      "contained in vain", "{% set t = 'a' * 1000000 %}" + forever + "{% set q = 'b' in t %}" + ends
    ),
    (
      "compared",
      "{% set t = 'a' * 1000000 %}{% set v = 'a' * 999999 ~ 'a' %}" + forever
        + "{% set q = t == v %}" + ends
    ),
    ("split", "{% set t = ' a' * 1000000 %}" + forever + "{% set q = t.split() %}" + ends),
    ("characters", "{% set t = 'a' * 10000000 %}{{ t|list }}"),
    ("upper", "{% set t = 'ß' * 1000000 %}" + forever + "{% set q = t.upper() %}" + ends),
    (
      "printed lists",
      "{% set t = range(99999)|list %}" + forever + "{% set q = t|string|string %}" + ends
    ),
    (
      "sorted",
      "{% set t = range(99999)|list %}" + forever + "{% set q = t|sort(reverse=true) %}" + ends
    ),
    ("filters in a row", "{{ 'a'" + String(repeating: "|replace('a', 'aa')", count: 40) + " }}"),
    ("formats", "{{ '%s%s' % ('a' * 10000000, 'b' * 10000000) }}"),
    ("escapes", "{{ ('<' * 5000000)|e }}"),
    ("json escapes", "{{ ('\\x01' * 5000000)|tojson }}"),
    ("unique", "{% for i in range(99999) %}{% set q = range(99999)|unique|list %}{% endfor %}"),
    ("a method that changes", "{% set l = [] %}{{ l.append(l) }}"),
    ("Python's inside", "{{ ''.__class__.__mro__ }}"),
    ("spread arguments", "{{ dict(**(dict(**{1: 2}))) }}"),
    ("cycle of none", "{% for i in [1] %}{{ loop.cycle() }}{% endfor %}"),
    ("loop that is called", "{% for i in [1] %}{{ loop([1]) }}{% endfor %}"),
    ("strftime", "{{ strftime_now('%Q') }}"),
    ("strftime of much", "{{ strftime_now('%c' * 1000000) }}"),
    ("keys of JSON", "{{ {(1,): 2}|tojson }}"),
    (
      "many parameters",
      "{% macro m(" + many { "p\($0)" } + ") %}{% endmacro %}{{ m("
        + many { "p\(39_999 - $0)=1" } + ") }}"
    ),
    ("many places", "{{ ('{p39999}' * 100000).format(" + many { "p\($0)=1" } + ") }}"),
    ("arguments of one name", "{{ f(" + String(repeating: "a=1,", count: 200_000) + ") }}"),
  ]

  /// Runs on the smallest stack that callers have, that of Dispatch's threads.
  func testEachIsRefused() throws {
    let report = Report()
    let big = JSONValue.string(String(repeating: "b", count: 1_000_000))
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      for (name, source) in Self.templates {
        let start = Date()
        do {
          let chat = try render(source, name == "long output" ? ["big": big] : [:])
          report.lines.append("\(name): rendered \(chat.text.count) bytes")
        } catch let error as ChatTemplateError {
          let needsMoreWords = error.message.isEmpty || !error.message.hasSuffix(".")
          if needsMoreWords || error.raised != nil { report.lines.append("\(name): \(error)") }
          report.seconds.append((name, Date().timeIntervalSince(start), "\(error)"))
        } catch {
          report.lines.append("\(name): \(error)")
        }
      }
      done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    done.wait()
    XCTAssertEqual(report.lines, [])
    XCTAssertGreaterThan(Self.templates.count, 50)
    if ProcessInfo.processInfo.environment["DISTILL_LONG_TESTS"] != nil {
      for (name, seconds, error) in report.seconds.sorted(by: { $0.1 > $1.1 }) {
        print(String(format: "%.3f s", seconds), name, error.prefix(100))
      }
    }
  }

  private final class Report: @unchecked Sendable {
    var lines: [String] = []
    var seconds: [(String, Double, String)] = []
  }
}
