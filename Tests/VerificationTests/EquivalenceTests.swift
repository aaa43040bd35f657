import XCTest

@testable import Verification

final class EquivalenceTests: XCTestCase {
  private static let equal: [(String, String)] = [
    (#"\frac12"#, #"0.5"#),
    (#"\dfrac{3}{4}"#, #"3/4"#),
    (#"-\frac{1}{2}"#, #"\frac{-1}{2}"#),
    (#"-\frac{1}{2}"#, #"\frac{1}{-2}"#),
    (#"1\frac{1}{2}"#, #"1.5"#),
    (#"3 1/2"#, #"7/2"#),
    (#"2\sqrt{3}"#, #"\sqrt{12}"#),
    (#"\frac{\sqrt{2}}{2}"#, #"\frac{1}{\sqrt{2}}"#),
    (#"\sqrt[3]{54}"#, #"3\sqrt[3]{2}"#),
    (#"x^2+2x+1"#, #"(x+1)^2"#),
    (#"(x-1)(x+1)"#, #"x^2-1"#),
    (#"\frac{x^2-1}{x-1}"#, #"x+1"#),
    (#"\{1,2,3\}"#, #"\{3,2,1\}"#),
    (#"1,2,3"#, #"3, 1 and 2"#),
    (#"(1,2)"#, #"\left(1,2\right)"#),
    (#"[1,2)"#, #"\left[1,2\right)"#),
    (#"x \in [1,2)"#, #"1 \le x < 2"#),
    (#"x\ge 3"#, #"[3,\infty)"#),
    (#"3 \le x"#, #"x \geqslant 3"#),
    (#"\mathbb{R}"#, #"(-\infty,\infty)"#),
    (#"(-\infty,\infty)"#, #"\mathbb R"#),
    (#"50\%"#, #"50"#),
    (#"50"#, #"50\%"#),
    (#"50\%"#, #"0.5"#),
    (#"\$5.00"#, #"5"#),
    (#"5 \text{ dollars}"#, #"\$5"#),
    (#"10^{-3}"#, #"0.001"#),
    (#"1.2 \times 10^5"#, #"120000"#),
    (#"1{,}234{,}567"#, #"1234567"#),
    (#"10!"#, #"3628800"#),
    (#"\binom{5}{2}"#, #"10"#),
    (#"2^{10}"#, #"1024"#),
    (#"e^{2x}"#, #"(e^x)^2"#),
    (#"\ln 8"#, #"3\ln 2"#),
    (#"\log_{10} 100"#, #"2"#),
    (#"\cos^2 x"#, #"1-\sin^2 x"#),
    (#"\tan x"#, #"\frac{\sin x}{\cos x}"#),
    (#"x+y<2"#, #"-2x-2y>-4"#),
    (#"x+1=0"#, #"x=-1"#),
    (#"y=2x+3"#, #"2x - y + 3 = 0"#),
    (#"y = 2x+3"#, #"y=3+2x"#),
    (#"x=3"#, #"3"#),
    (#"f(x)=x^2"#, #"x^2"#),
    (#"3"#, #"x = 3"#),
    (#"\pi/4"#, #"\frac{\pi}{4}"#),
    (#"0.25\pi"#, #"\pi/4"#),
    (#"i"#, #"\sqrt{-1}"#),
    (#"3+4i"#, #"4i+3"#),
    (#"\frac{1+i}{2}"#, #"\frac12+\frac i2"#),
    (#"90^\circ"#, #"90"#),
    (#"90^\circ"#, #"90 degrees"#),
    (#"90"#, #"90^{\circ}"#),
    (#"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"#, #"\begin{bmatrix}1&2\\3&4\end{bmatrix}"#),
    (#"\text{Monday}"#, #"monday"#),
    (#"\text{(A)}"#, #"A"#),
    (#"A"#, #"(A)"#),
    (#"\text{yes}"#, #"Yes"#),
    (#"1:2"#, #"2:4"#),
    (#"2:3"#, #"\frac{2}{3}"#),
    (#"\sqrt{x+1}\cdot\sqrt{x+1}"#, #"x+1"#),
    (#"a^{-1}"#, #"\frac1a"#),
    (#"\frac{a}{b}+\frac{c}{d}"#, #"\frac{ad+bc}{bd}"#),
    (#"\lfloor 3.7\rfloor"#, #"3"#),
    (#"|{-5}|"#, #"5"#),
    (#"\pm 2"#, #"2,-2"#),
    (#"x = \pm 2"#, #"x=2, x=-2"#),
    (#"x = \pm 2"#, #"x = 2 \text{ or } x = -2"#),
    (#"-2 \text{ and } 3"#, #"3, -2"#),
    (#"(2,3),(4,5)"#, #"(4,5),(2,3)"#),
    (#"\emptyset"#, #"\varnothing"#),
    (#"(-\infty,1)\cup(1,\infty)"#, #"x\neq 1"#),
    (#"(-\infty,1)\cup(1,\infty)"#, #"\mathbb{R}\setminus\{1\}"#),
    (#"0.1\overline{6}"#, #"\frac16"#),
    (#"12\text{ cm}^2"#, #"12 cm^2"#),
    (#"12\text{ square centimeters}"#, #"12 \text{ cm}^2"#),
    (#"12"#, #"12\text{ cm}^2"#),
    (#"5\text{ hours}"#, #"5 h"#),
    (#"1011_2"#, #"1011_{2}"#),
    (#"\frac{3\pi}{2}\text{ radians}"#, #"\frac{3\pi}2"#),
    (#"2\cdot 3^{n}"#, #"3^n\cdot 2"#),
    (#"n(n+1)/2"#, #"\frac{n^2+n}{2}"#),
    (#"\frac{n!}{2}"#, #"n!/2"#),
    (#"x<2"#, #"2>x"#),
    (#"x^2+y^2=4"#, #"y^2+x^2-4=0"#),
    (#"2x+3y=6"#, #"4x+6y=12"#),
    (#"\sqrt{2}+\sqrt{3}"#, #"\sqrt{5+2\sqrt{6}}"#),
    (#"\cos 60^\circ"#, #"\frac12"#),
    (#"\sin\frac{\pi}{6}"#, #"0.5"#),
    (#"\arctan 1"#, #"\frac{\pi}{4}"#),
    (#"\left\{ -1, 2 \right\}"#, #"\{2,-1\}"#),
    (#"\langle 1,2,3\rangle"#, #"(1,2,3)"#),
    (#"\frac{1}{3}"#, #".\overline{3}"#),
    (#"1/2 + 1/3"#, #"5/6"#),
    (#"7\,000"#, #"7000"#),
    (#"\text{100 miles}"#, #"100"#),
    (#"3\text{ and }4"#, #"3,4"#),
    (#"\frac{\sqrt{3}}{3}x"#, #"\frac{x}{\sqrt{3}}"#),
    (#"(x+y)^3"#, #"x^3+3x^2y+3xy^2+y^3"#),
    (#"\sqrt{\frac{2}{3}}"#, #"\frac{\sqrt{6}}{3}"#),
    (#"8^{2/3}"#, #"4"#),
    (#"\sqrt[3]{-8}"#, #"-2"#),
    (#"-\infty"#, #"-∞"#),
    (#"½"#, #"1/2"#),
    (#"2π"#, #"2\pi"#),
    (#"x² + 1"#, #"x^2+1"#),
    (#"√2"#, #"\sqrt{2}"#),
    (#"√(x+1)"#, #"\sqrt{x+1}"#),
    (#"3×10^4"#, #"30000"#),
    (#"4 \cdot 10^{-2}"#, #"0.04"#),
    (#"1e-3"#, #"0.001"#),
    (#"\text{2 hours and 30 minutes}"#, #"2 hours and 30 minutes"#),
    (#"5x"#, #"5 \cdot x"#),
    (#"\overline{AB}"#, #"\overline{AB}"#),
    (#"12\%"#, #"\frac{12}{100}"#),
    (#"(0, 1)"#, #"0 < x < 1"#),
    (#"\frac{5}{2} \le x \le 3"#, #"[2.5, 3]"#),
    (#"x > 2 \text{ and } x < 5"#, #"(2,5)"#),
    (#"2 < x < 5"#, #"x > 2, x < 5"#),
    (#"C"#, #"\text{(C)}"#),
    (
      #"\begin{pmatrix}1\\2\end{pmatrix}+\begin{pmatrix}1\\1\end{pmatrix}"#,
      #"\begin{pmatrix}2\\3\end{pmatrix}"#
    ),
    (#"\text{$5$}"#, #"5"#),
    (#"\textbf{(C)}"#, #"C"#),
    (#"\textbf{(C)}\ 5"#, #"\text{(C) }5"#),
    (#"2.50"#, #"2.5"#),
    (#"\$2.50"#, #"2.50 dollars"#),
    (#"5 million"#, #"5000000"#),
    (#"\left(\frac{1}{2}\right)^{3}"#, #"0.125"#),
    (#"k\pi, k \in \mathbb{Z}"#, #"k \pi, k\in\mathbb{Z}"#),
    (
      #"\frac{-b\pm\sqrt{b^2-4ac}}{2a}"#,
      #"\frac{-b+\sqrt{b^2-4ac}}{2a}, \frac{-b-\sqrt{b^2-4ac}}{2a}"#
    ),
    (#"x=1, y=2"#, #"(1,2)"#),
    (#"(x,y)=(1,2)"#, #"(1,2)"#),
    (#"a=1,b=2"#, #"b=2,a=1"#),
    (#"\{x \mid x > 2\}"#, #"(2,\infty)"#),
    (#"\{x : x > 2\}"#, #"x>2"#),
    (#"1 - \frac{1}{2^n}"#, #"1-2^{-n}"#),
    (#"2^{n}-1"#, #"-1+2^n"#),
    (#"\frac{9\sqrt{3}}{4}"#, #"\frac{9}{4}\sqrt3"#),
    (#"\text{east}"#, #"East"#),
    (#"\frac{\pi}{2} + 2k\pi"#, #"2\pi k+\frac{\pi}{2}"#),
  ]

  private static let different: [(String, String)] = [
    (#"\frac12"#, #"0.51"#),
    (#"\frac{1}{3}"#, #"0.333"#),
    (#"\frac13"#, #"0.33333333"#),
    (#"\sqrt2"#, #"1.414"#),
    (#"\pi"#, #"3.14"#),
    (#"\pi"#, #"\frac{22}{7}"#),
    (#"1,2,3"#, #"1,2"#),
    (#"1,2"#, #"1,2,3"#),
    (#"(1,2)"#, #"(2,1)"#),
    (#"(1,2)"#, #"[1,2]"#),
    (#"(1,2)"#, #"(1,2]"#),
    (#"[1,2)"#, #"[1,2]"#),
    (#"x\ge 3"#, #"x>3"#),
    (#"x>3"#, #"x<3"#),
    (#"3"#, #"-3"#),
    (#"x=3"#, #"x=-3"#),
    (#"x=3"#, #"y=3"#),
    (#"x+y<2"#, #"-x-y<-2"#),
    (#"x=2"#, #"2x=4"#),
    (#"(1,2)"#, #"1,2"#),
    (#"(1,2)"#, #"[1,2"#),
    (#"[0,\infty)"#, #"[0,\infty]"#),
    (#"50"#, #"0.5"#),
    (#"x=1,y=2"#, #"2,1"#),
    (#"y=2x"#, #"x=2y"#),
    (#"x+1"#, #"x-1"#),
    (#"(x+1)^2"#, #"x^2+1"#),
    (#"2x"#, #"2"#),
    (#"x"#, #"y"#),
    (#"\sqrt{x^2}"#, #"x"#),
    (#"\sin x"#, #"\cos x"#),
    (#"e^{x}"#, #"e^{-x}"#),
    (#"\log 2"#, #"\ln 2"#),
    (#"\{1,2\}"#, #"\{1,2,2,3\}"#),
    (#"\{1,2\}"#, #"(1,2)"#),
    (#"1:2"#, #"2:1"#),
    (#"10\text{ cm}"#, #"10\text{ m}"#),
    (#"\$5"#, #"5 cents"#),
    (#"5"#, #"6"#),
    (#"5"#, #"55"#),
    (#"12"#, #"1,2"#),
    (#"1,2"#, #"12"#),
    (#"\text{Monday}"#, #"Tuesday"#),
    (#"A"#, #"B"#),
    (#"1011_2"#, #"1011_3"#),
    (#"1011_2"#, #"11"#),
    (
      #"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"#,
      #"\begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}"#
    ),
    (#"(-\infty,1)"#, #"(-\infty,1]"#),
    (#"(-\infty,1)\cup(2,\infty)"#, #"(-\infty,1)\cup[2,\infty)"#),
    (#"50\%"#, #"5"#),
    (#"50\%"#, #"5000"#),
    (#"1\frac12"#, #"\frac{11}{2}"#),
    (#"1\frac12"#, #"1/2"#),
    (#"2^{10}"#, #"2^{11}"#),
    (#"10^{100}"#, #"10^{100}+1"#),
    (#"10^{50}+1"#, #"10^{50}"#),
    (#"1+10^{-70}"#, #"1"#),
    (#"\sqrt{10^{100}+1}"#, #"10^{50}"#),
    (#"4:30 \text{ p.m.}"#, #"4:30 \text{ a.m.}"#),
    (#"4:30"#, #"4:3"#),
    (#"1:03"#, #"2:06"#),
    (#"\frac{1}{0}"#, #"\frac{2}{0}"#),
    (#"0"#, #"\frac{0}{0}"#),
    (#"x^2+y^2=4"#, #"x^2-y^2=4"#),
    (#"x<2"#, #"x \le 2"#),
    (#"-x<2"#, #"x<2"#),
    (#"\pm 2"#, #"2"#),
    (#"\pm 2"#, #"-2"#),
    (#"2"#, #"\pm 2"#),
    (#"3,4"#, #"4"#),
    (#"\infty"#, #"-\infty"#),
    (#"\infty"#, #"1000000"#),
    (#"\emptyset"#, #"0"#),
    (#"\mathbb{R}"#, #"(0,\infty)"#),
    (#"f(2) < f(1) < f(4)"#, #"f(1)<f(2)<f(4)"#),
    (#"12!"#, #"11!"#),
    (#"5"#, #"5x"#),
    (#"5"#, #"5\pi"#),
    (#"5"#, #"5i"#),
    (#"5!"#, #"5"#),
    (#"|x|"#, #"x"#),
    (#"\text{no}"#, #"on"#),
    (#"\text{odd}"#, #"even"#),
    (#"1e10"#, #"1e11"#),
    (#"e^{\pi\sqrt{163}}"#, #"262537412640768744"#),
    (#"99999999999999999999999999999999999999"#, #"99999999999999999999999999999999999998"#),
    (#"0.1"#, #"0.10000000000000000000000000000001"#),
    (#"\text{A, B}"#, #"A"#),
    (#"AB"#, #"BA C"#),
    (#"2, 2"#, #"2"#),
    (#"(1,2),(3,4)"#, #"(1,2,3,4)"#),
    (#"1, 2, 3"#, #"(1,2,3"#),
    (#"5 million"#, #"5"#),
    (#"\frac{\pi}{6}"#, #"30"#),
    (#"3\text{ feet}"#, #"3\text{ inches}"#),
    (#"x\neq 1"#, #"x=1"#),
    (#"x=1"#, #"x\neq 1"#),
    (#"7"#, #"7, 8"#),
    (#"1/2/3"#, #"3/2"#),
    (#"x^{2}"#, #"x^{3}"#),
    (#"x_1"#, #"x_2"#),
    (#"[2,3]"#, #"2,3"#),
    (#"\frac{12}{3}"#, #"\frac{1}{23}"#),
    (#"11+9a/20"#, #"\frac{11+9a}{20}"#),
    (#"ab"#, #"a+b"#),
  ]

  func testAcceptsWhatIsEqual() {
    check(Self.equal, areEqual: true)
  }

  func testRefusesWhatIsDifferent() {
    check(Self.different, areEqual: false)
  }

  /// The same verdict for bare formulas, formulas in dollar signs and boxes.
  private func check(_ pairs: [(String, String)], areEqual: Bool) {
    let judge = Judge()
    for (reference, answer) in pairs {
      let bare = judge.verdict(reference: reference, answer: answer, extracting: false)
      XCTAssertEqual(bare.equivalent, areEqual, "\(reference) and \(answer): \(bare)")
      let boxed = judge.verdict(
        reference: "$\(reference)$", answer: "So we get\n\\[\\boxed{\(answer)}.\\]")
      XCTAssertEqual(boxed.equivalent, areEqual, "\(reference) and \(answer): \(boxed)")
    }
  }

  /// An answer is the same as itself, and the order of the two matters for few rules only.
  func testIsSymmetricForWhatIsEqual() {
    let judge = Judge()
    for (reference, answer) in Self.equal where reference != "x+1=0" {
      let turned = judge.verdict(reference: answer, answer: reference, extracting: false)
      XCTAssertTrue(turned.equivalent, "\(answer) and \(reference): \(turned)")
      let same = judge.verdict(reference: answer, answer: answer, extracting: false)
      XCTAssertEqual(same.rule, .sameText)
    }
  }

  func testSaysWhichRuleDecided() {
    let cases: [(String, String, Verdict.Rule, Verdict.Outcome)] = [
      ("5", "5", .sameText, .correct),
      ("1/2", "0.5", .canonicalForm, .correct),
      ("0.50", "0.5", .sameExpression, .correct),
      ("5", "6", .value, .wrong),
      (#"\sin 2x"#, #"2\sin x\cos x"#, .evaluation, .correct),
      ("1,2", "2,1", .lists, .correct),
      ("(1,2)", "(2,1)", .tuples, .wrong),
      ("x>2", #"(2,\infty)"#, .sets, .correct),
      (#"\text{even}"#, "odd", .words, .wrong),
      ("2x+2y=2", "x+y=1", .relations, .correct),
      ("11_2", "11_3", .bases, .wrong),
      ("1:2", "2:4", .ratios, .correct),
      (#"5\text{ cm}"#, #"5\text{ m}"#, .units, .wrong),
      ("1,5", "1.5", .decimalComma, .correct),
      (
        #"\begin{pmatrix}1\\2\end{pmatrix}"#, #"\begin{pmatrix}1\\3\end{pmatrix}"#, .matrices,
        .wrong
      ),
    ]
    for (reference, answer, rule, outcome) in cases {
      let verdict = Judge().verdict(reference: reference, answer: answer, extracting: false)
      XCTAssertEqual(verdict.rule, rule, "\(reference) and \(answer): \(verdict)")
      XCTAssertEqual(verdict.outcome, outcome, "\(reference) and \(answer): \(verdict)")
      XCTAssertEqual(verdict.version, Judge.version)
    }
  }

  func testExplainsItself() throws {
    let verdict = Judge().verdict(reference: #"\boxed{\frac12}"#, answer: "The answer is 0.5.")
    XCTAssertEqual(
      verdict,
      Verdict(
        outcome: .correct, rule: .canonicalForm, reference: #"\frac12"#, answer: "0.5",
        reason: "Algebra makes them equal.", version: Judge.version))
    let data = try JSONEncoder().encode(verdict)
    XCTAssertEqual(try JSONDecoder().decode(Verdict.self, from: data), verdict)
  }
}
