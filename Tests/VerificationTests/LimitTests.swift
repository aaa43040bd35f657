import XCTest

@testable import Verification

final class LimitTests: XCTestCase {
  /// Runs on a thread with as little stack as secondary threads of macOS have.
  private func onSmallStack(_ body: @escaping @Sendable () -> Void) {
    let done = expectation(description: "done")
    let thread = Thread {
      body()
      done.fulfill()
    }
    thread.stackSize = 512 << 10
    thread.start()
    wait(for: [done], timeout: 600)
  }

  func testTowersOfPowersAreTooLarge() {
    let judge = Judge()
    for answer in [
      "5^(5^(5^(5^5)))", "5^{5^{5^{5^5}}}", "9^{9^9}", "10^{10^{10}}", "2^{-10^9}", "(10^9)!",
      "5000!", "((((9!)!)!)!)!", #"\binom{10^6}{5*10^5}"#, "1e99999", "9^9^9^9^9",
    ] {
      let verdict = judge.verdict(reference: "5", answer: answer, extracting: false)
      XCTAssertFalse(verdict.equivalent, answer)
      XCTAssertNotEqual(verdict.outcome, .wrong, "\(answer): \(verdict)")
    }
    XCTAssertEqual(
      judge.verdict(reference: "5", answer: "5^(5^(5^(5^5)))").outcome, .tooLarge)
    XCTAssertTrue(judge.verdict(reference: "5^{5^5^5}", answer: "5^{5^5^5}").equivalent)
  }

  func testDepthIsBounded() {
    // Three times the default depth fits as well, so that there is room for other frames.
    checkDepth(JudgeLimits.default.depth)
    checkDepth(3 * JudgeLimits.default.depth)
  }

  private func checkDepth(_ depth: Int) {
    onSmallStack {
      let judge = Judge(limits: JudgeLimits(depth: depth))
      let n = 20_000
      for (open, inner, close) in [
        ("(", "1", ")"), ("{", "1", "}"), ("-", "1", ""), ("\\sqrt{", "2", "}"), ("[", "1", "]"),
        ("\\frac{1}{", "2", "}"), ("2^", "2", ""), ("|", "1", "|"), ("\\{", "1", "\\}"),
        ("\\boxed{", "1", "}"), ("\\text{", "a", "}"), ("f(", "x", ")"), ("\\sin ", "x", ""),
        ("2^{", "2", "}"), ("\\begin{pmatrix}", "1", "\\end{pmatrix}"),
        ("\\left(", "1", "\\right)"),
        ("", "1", "!"), ("", "1", "%"), ("x_{", "1", "}"), ("\\overline{", "1", "}"),
        ("1/", "2", ""), ("1\\pm ", "2", ""), ("(1,2)\\setminus", "(1,2)", ""), ("", "x", "^2"),
        ("(1,2)\\cup(1,2)\\setminus", "(1,2)", ""), ("1:", "2", ""), ("", "x", "'"),
        ("\\$", "1", ""),
        ("\\vec{", "x", "}"), ("1=", "2", ""), ("", "1", "\\text{ cm}"),
        ("\\lfloor ", "1", "\\rfloor "),
        ("2\\cdot -", "1", ""), ("\\log_{", "2", "}3"),
      ] {
        for count in [
          8, 240, 330, 490, 900, 990, depth / 2 - 1, depth / 2, depth - 1, depth, 2 * depth, n,
        ] {
          let text =
            String(repeating: open, count: count) + inner + String(repeating: close, count: count)
          for extracting in [true, false] {
            _ = judge.verdict(reference: "1", answer: text, extracting: extracting)
            _ = judge.verdict(reference: text, answer: text + " ", extracting: extracting)
            _ = judge.verdict(reference: text, answer: "1+" + text, extracting: extracting)
          }
        }
      }
    }
  }

  func testLongFormulasAreBounded() {
    let judge = Judge()
    let cases = [
      String(repeating: "x+", count: 900) + "1", String(repeating: "(x+y)", count: 200),
      "(a+b+c+d+e+f+g+h)^{40}", "(x+1)^{65000}", String(repeating: "1,", count: 450) + "1",
      String(repeating: "(1,2),", count: 150) + "3", String(repeating: "9", count: 100_000),
      String(repeating: "\\sqrt{2}+", count: 150) + "1",
      String(repeating: "7^{500}*", count: 80) + "1",
      (0..<150).map { "(\($0),\($0 + 1)) \\cup " }.joined() + "(1,2)",
      String(repeating: "\\sin(x)+", count: 200) + "1",
      String(repeating: "1/(1+", count: 30) + "x"
        + String(repeating: ")", count: 30),
      (0..<140).map { "\($0).\($0)x^{\($0)}" }.joined(separator: "+"),
      (2..<120).map { "\\sqrt{\($0)+x}" }.joined(separator: "+"),
      (2..<60).map { "(x^{\($0)}+\($0))" }.joined(separator: ""),
    ]
    for a in cases {
      for b in cases + [a.replacingOccurrences(of: "1", with: "2"), a + "+0"] {
        let verdict = judge.verdict(reference: a, answer: b, extracting: false)
        if a != b, !b.hasSuffix("+0") { XCTAssertFalse(verdict.equivalent) }
      }
    }
  }

  /// Any bytes get a verdict; none stops the program.
  func testAnyBytesGetAVerdict() {
    let count =
      ProcessInfo.processInfo.environment["DISTILL_FUZZ_CASES"].flatMap { Int($0) } ?? 6_000
    onSmallStack {
      let judge = Judge()
      let pieces = [
        "\\frac", "{", "}", "(", ")", "[", "]", "1", "0", "12", "x", "y", "i", "e", "\\pi", "+",
        "-", "*",
        "/", "^", "_", "=", "<", ">", "\\le", ",", ";", "\\{", "\\}", "|", "\\sqrt", "\\infty",
        "\\cup",
        "\\setminus", "\\text{", " and ", "%", "\\circ", "^\\circ", "\\boxed{", "$",
        "\\begin{pmatrix}",
        "\\end{pmatrix}", "&", "\\\\", "\\pm", "!", "\\binom", "\\sin", "\\log", "_2", "\\left",
        "\\right",
        ":", "f(x)", ".", "0.", "e9", "\\in", "\\overline{", "²", "√", "½", "\u{0}", "é", "漢", " ",
        "\n",
        "\\$", "cm", "dollars", "</think>", "<think>", "answer is", "\\lfloor", "\\rfloor",
        "99999999999",
      ]
      var state: UInt64 = 5
      func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
      }
      func text() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<(1 + next(14)) {
          bytes += Array(pieces[next(pieces.count)].utf8)
          if next(40) == 0 { bytes.append(UInt8(next(256))) }
        }
        return bytes
      }
      for _ in 0..<count {
        let (a, b) = (text(), text())
        let first = judge.verdict(reference: a, answer: b, extracting: next(2) == 0)
        if first.equivalent { XCTAssertNotNil(first.answer) }
        let again = judge.verdict(reference: a, answer: a, extracting: false)
        XCTAssertTrue(again.equivalent || again.reference == nil)
      }
    }
  }
}
