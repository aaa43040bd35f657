import XCTest

@testable import Adapters

/// Regular expressions; what Python makes of many more is in `ModuleSelectionTests`.
final class ModulePatternTests: XCTestCase {
  func testMatches() throws {
    for (pattern, paths, others) in [
      ("", [""], ["a"]),
      ("a", ["a"], ["", "b", "aa", "ab", "ba", "A"]),
      ("a|b|", ["a", "b", ""], ["ab", "c"]),
      ("a*b", ["b", "ab", "aaaab"], ["a", "ba", "abb"]),
      ("(?:ab)+?c", ["abc", "ababc"], ["c", "ac", "abab"]),
      ("a{2}", ["aa"], ["a", "aaa"]),
      ("a{2,}", ["aa", "aaaaa"], ["a"]),
      ("a{,2}", ["", "a", "aa"], ["aaa"]),
      ("a{2,3}?b", ["aab", "aaab"], ["ab", "aaaab"]),
      ("(a|bb){2}", ["aa", "abb", "bbbb"], ["a", "bb", "aaa"]),
      ("a{", ["a{"], ["a"]), ("a{}", ["a{}"], ["a"]), ("a{1", ["a{1"], ["a"]),
      ("a{x}", ["a{x}"], ["a"]), ("{a", ["{a"], ["a"]),
      ("a{0}", [""], ["a"]), ("a{1000000000000000000000}", [], ["a"]),
      ("[abc]", ["a", "b", "c"], ["d", "ab", "A"]),
      ("[a-c-]", ["a", "c", "-"], ["d"]), ("[-a]", ["a", "-"], ["b"]),
      ("[^a-c]", ["d", "-"], ["a", "b"]), ("[]]", ["]"], ["a"]), ("[^]]", ["a"], ["]"]),
      ("[\\]\\d]", ["]", "7"], ["a", "\\"]), ("[\\w.]+", ["a_9.Z"], ["a-"]),
      ("[\\x41-\\x43]", ["A", "B", "C"], ["D"]), ("[^\\D]", ["0", "9"], ["a"]),
      ("\\.\\*\\(\\[\\_", [".*([_"], ["a"]), ("\\s\\S", [" a", "\ta"], ["aa", "  "]),
      ("\\n\\t\\r", ["\n\t\r"], []), (".", ["a", "."], ["\n", ""]),
      ("^a$", ["a"], ["aa"]), ("a^b", [], ["ab"]), ("(^|b)a", ["a", "ba"], ["aa"]),
      ("\\Aa\\Z", ["a"], []), ("\\ba\\b.*", ["a", "a.b"], ["ab"]), ("a\\B.*", ["ab"], ["a", "a."]),
      ("(?=ab)a.*", ["ab", "abc"], ["ac"]), ("(?!ab)a.*", ["ac", "a"], ["ab", "abc"]),
      (".*(?<=ab)c", ["abc", "xabc"], ["ac", "bc"]), (".*(?<!ab)c", ["ac", "bc", "c"], ["abc"]),
      ("(?P<x>a)(?#what it is)b", ["ab"], ["a"]), ("()", [""], ["a"]),
      ("(|a)+b", ["b", "aab"], []),
      ("(a*)*", ["", "aaaa"], ["b"]), ("(a*){3}", ["", "aaaa"], ["b"]), ("(^)*a", ["a"], []),
      ("((a|)(b|)){2,}c", ["c", "abc", "bac", "babc", "ababac"], ["cc"]),
      ("é|a", ["a"], ["e", "é"]), ("[é-ü]a", [], ["ea", "a"]), ("[^é]a", ["ea"], ["a"]),
    ] as [(String, [String], [String])] {
      let compiled = try ModulePattern(pattern)
      for path in paths { XCTAssertTrue(compiled.matches(path), "\(pattern) on \(path)") }
      for path in others { XCTAssertFalse(compiled.matches(path), "\(pattern) on \(path)") }
    }
  }

  func testEndsOfPaths() throws {
    let pattern = try ModulePattern("b\\.c|d")
    for (path, isMatched) in [
      ("b.c", true), ("a.b.c", true), ("ab.c", false), ("b.c.d", true), ("b.c.e", false),
      ("d", true), ("a.d", true), ("ad", false), ("", false),
    ] {
      XCTAssertEqual(pattern.matchesEnd(of: path), isMatched, path)
    }
    XCTAssertTrue(try ModulePattern("^a.*").matchesEnd(of: "a.b"))
    XCTAssertFalse(try ModulePattern("^b").matchesEnd(of: "a.b"))
  }

  func testRefusals() {
    for (pattern, words) in [
      ("(a", "'(' at character 1 is not closed."), ("a(b(c)", "'(' at character 2 is not closed."),
      ("a)", "')' at character 2 closes nothing."), ("a[b", "'[' at character 2 is not closed."),
      ("[]", "'[' at character 1 is not closed."), ("(?#a", "'(' at character 1 is not closed."),
      ("*a", "'*' at character 1 repeats nothing."), ("a|+", "'+' at character 3 repeats nothing."),
      ("(?)", "'(?)' at character 1 is not supported."),
      ("?", "'?' at character 1 repeats nothing."),
      ("{2}", "'{' at character 1 repeats nothing."), ("^*", "'*' at character 2 repeats nothing."),
      ("\\b{2}", "'{' at character 3 repeats nothing."),
      ("a**", "'*' at character 3 repeats what is repeated already."),
      ("a{2}{3}", "'{' at character 5 repeats what is repeated already."),
      ("a*???", "'?' at character 4 repeats what is repeated already."),
      ("a++", "'+' at character 3 is not supported."),
      ("a{3,2}", "'{' at character 2 has its larger number first."),
      ("\\", "it ends in a '\\'."), ("[\\", "it ends in a '\\'."),
      ("(a)\\1", "'\\1' at character 4 is not supported."),
      ("\\G", "'\\G' at character 1 is not supported."),
      ("[\\b]", "'\\b' at character 2 is not supported."),
      ("\\x4", "'\\x4' at character 1 is not supported."),
      ("\\x-0", "'\\x-0' at character 1 is not supported."),
      ("[c-a]", "the range at character 2 has no order."),
      ("[a-\\d]", "the range at character 2 has no order."),
      ("[\\d-a]", "the range at character 2 has no order."),
      ("(?i)a", "'(?i' at character 1 is not supported."),
      ("(?>a)", "'(?>' at character 1 is not supported."),
      ("(?P=x)", "'(?P' at character 1 is not supported."),
      ("(?(1)a)", "'(?(' at character 1 is not supported."),
      ("(?", "'(?' at character 1 is not supported."),
      ("(?P<>a)", "the group at character 1 has no name in '<' and '>'."),
      ("(?P<a", "the group at character 1 has no name in '<' and '>'."),
      (
        String(repeating: "(", count: 101) + String(repeating: ")", count: 101),
        "it has more than 100 groups within each other."
      ),
      (
        String(repeating: "a", count: 4097),
        "it has 4097 bytes; expressions of at most 4096 are read."
      ),
    ] {
      XCTAssertThrowsError(try ModulePattern(pattern), pattern) { error in
        XCTAssertTrue(error is ModulePatternError)
        XCTAssertEqual("\(error)", words, pattern)
      }
    }
    XCTAssertNoThrow(
      try ModulePattern(
        String(repeating: "(", count: 100) + String(repeating: ")", count: 100)))
  }

  /// Expressions over which others take forever.
  func testWhatTakesLongElsewhere() throws {
    let path = "model.layers.1023.post_attention_layernorm_layernorm_layernorm"
    for pattern in [
      "(?:(?:.*)*)*k_proj", "(.*a.*){30,}k_proj", "(.+)+x", "((a*)*|(.*)+)*x", "(.?){60}.{60}x",
      String(repeating: "(", count: 100) + "." + String(repeating: "*)*", count: 1)
        + String(repeating: ")*", count: 99) + "x",
      String(repeating: "(.*)*", count: 800), String(repeating: "(.{0,60}){60}", count: 300) + "x",
    ] {
      let compiled = try ModulePattern(pattern)
      XCTAssertEqual(
        compiled.matches(path), !pattern.hasSuffix("x") && !pattern.hasSuffix("k_proj"))
      _ = compiled.matchesEnd(of: path)
    }
    XCTAssertFalse(try ModulePattern(".*").matches(String(repeating: "a", count: 64)))
    XCTAssertTrue(try ModulePattern(".*").matches(String(repeating: "a", count: 63)))
  }

  /// No text stops the program, and one part after another is a part: `x` and `(?:x)`.
  func testAnything() {
    var dice = Dice(state: 7)
    let pieces = [
      "a", "b", ".", "*", "+", "?", "(", ")", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?P<n>", "|",
      "[", "]", "[^", "-", "{", "}", "{2}", "{1,3}", ",", "\\", "\\d", "\\w", "\\b", "^", "$", "é",
      "\u{301}", "\r\n", "\0", "9", "_", "\\x4", "(?#",
    ]
    var (read, matched) = (0, 0)
    for _ in 0..<fuzzCases(20000) {
      let text = (0..<Int.random(in: 0...12, using: &dice)).map { _ in
        pieces.randomElement(using: &dice) ?? ""
      }.joined()
      guard let pattern = try? ModulePattern(text) else { continue }
      read += 1
      for path in ["", "a", "ab", "a.b_9", "bba\n"] {
        let isMatched = pattern.matches(path)
        if isMatched { matched += 1 }
        for other in ["(?:\(text))", "(?:\(text)|\(text))", "(?:\(text)){1}", "(?=\(text)).*|x"] {
          guard let same = try? ModulePattern(other) else {
            XCTFail("\(other) is refused")
            continue
          }
          if other.hasSuffix("x") {
            XCTAssertTrue(!isMatched || same.matches(path) || path.contains("\n"), other)
          } else {
            XCTAssertEqual(same.matches(path), isMatched, "\(other) on \(path)")
          }
        }
      }
    }
    XCTAssertGreaterThan(read, 1000)
    XCTAssertGreaterThan(matched, 500)
  }
}
