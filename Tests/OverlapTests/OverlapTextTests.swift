import XCTest

@testable import Overlap

final class OverlapTextTests: XCTestCase {
  /// The text of each word, by its bytes.
  private func words(_ text: String, _ signs: OverlapText.Signs = .dropped) -> [String] {
    let bytes = Array(text.utf8)
    return OverlapText(text, signs: signs).ranges.map {
      String(decoding: bytes[$0], as: UTF8.self)
    }
  }

  func testWordsAndWhereTheyStand() {
    for (text, expected) in [
      ("Find $x+1$, please.", ["Find", "x", "1", "please"]),
      ("Juan's 3rd stamp", ["Juan's", "3", "rd", "stamp"]),
      (#"\frac{1}{137}"#, ["1", "137"]),
      (#"\left(\dfrac12\right)"#, ["1", "2"]),
      ("2.6 of 24,000 or 1,2", ["2.6", "of", "24,000", "or", "1", "2"]),
      (#"$\$24,\!000$"#, [#"24,\!000"#]),
      ("人工 知能とAI", ["人", "工", "知", "能", "と", "AI"]),
      (#"\begin{array}{cl} a & b \end{array}"#, ["a", "b"]),
      ("before [asy]draw(A--B);[/asy] after", ["before", "after"]),
      ("[asy] never ends", ["asy", "never", "ends"]),
      ("![a plot](http://x.y/z.png) seen", ["seen"]),
      ("see [this](https://a.b/c) <b>now</b>", ["see", "this", "now"]),
      ("a <b and c> d", ["a", "b", "and", "c", "d"]),
      ("", []), ("+-=!?", []),
    ] {
      XCTAssertEqual(words(text), expected, text)
    }
  }

  func testTextsThatAreTheSameWords() {
    for (a, b) in [
      (#"\dfrac{1}{2}"#, #"\frac12"#), (#"\frac{1}{2}"#, "1/2"), (#"\tfrac 3 4"#, "3/4"),
      ("Café NAÏVE", "cafe\u{301} naive"), ("Straße Œuvre", "strasse oeuvre"),
      ("π r²", #"\pi r^2"#), ("√2", #"\sqrt{2}"#), ("∠ABC", #"\angle ABC"#),
      ("x₁ + ｘ₂", "x_1 + x_2"), ("𝑥𝑦", "xy"), ("𝟑7", "37"), ("Дом", "дом"),
      (#"x \le 3"#, "x ≤ 3"), (#"\mathbf{v}"#, "v"), ("it’s", "it's"), ("10,000", "10000"),
      ("so\u{ad}lu\u{200b}tion", "solution"), (#"\(x\)"#, "$x$"), ("**bold** _it_", "bold it"),
    ] {
      XCTAssertEqual(OverlapText(a).words, OverlapText(b).words, "\(a) and \(b)")
      XCTAssertFalse(OverlapText(a).words.isEmpty, a)
    }
  }

  func testTextsThatAreDifferentWords() {
    for (a, b) in [
      ("37", "3 7"), ("ab", "a b"), ("1", "l"), ("sin x", "cos x"), ("π", "τ"), ("人", "工"),
      ("2.6", "26"), ("дом", "том"),
    ] {
      XCTAssertNotEqual(OverlapText(a).words, OverlapText(b).words, "\(a) and \(b)")
    }
  }

  func testSignsAreWordsWhereTheyAreKept() {
    XCTAssertEqual(words("3 + 5 = 8", .kept), ["3", "+", "5", "=", "8"])
    XCTAssertEqual(words("two-digit x - 1\n- item\n> quote", .kept).filter { $0 == "-" }.count, 1)
    for (a, b) in [(#"x \le 3"#, "x ≤ 3"), ("a − b", "a - b"), (#"a \pm b"#, "a ± b")] {
      XCTAssertEqual(
        OverlapText(a, signs: .kept).words, OverlapText(b, signs: .kept).words, "\(a) and \(b)")
    }
    for (a, b) in [("3 + 5", "3 - 5"), ("x < 3", "x > 3"), ("x < 3", "x ≤ 3"), ("5!", "5")] {
      XCTAssertNotEqual(
        OverlapText(a, signs: .kept).words, OverlapText(b, signs: .kept).words, "\(a) and \(b)")
    }
  }

  /// Computed from the definition of FNV-1a and MurmurHash3's finalizer by another program: they must not
  /// change from machine to machine.
  func testHashesAreTheseNumbers() {
    XCTAssertEqual(OverlapText("Find 12").words, [4546758815534908332, 7984924753380390861])
    XCTAssertTrue(OverlapText.isNumber(OverlapText("12").words[0]))
    XCTAssertFalse(OverlapText.isNumber(OverlapText("twelve").words[0]))
  }

  func testEveryLatinLetterHasItsBase() {
    for scalar in UInt32(0xc0)...0x17f {
      switch ScalarFolding.folded(scalar) {
      case .latin(let a, let b):
        XCTAssertTrue((0x61...0x7a).contains(a), "\(scalar)")
        XCTAssertTrue(b == 0 || (0x61...0x7a).contains(b), "\(scalar)")
      case .separator: XCTAssertTrue([0xd7, 0xf7].contains(scalar), "\(scalar)")
      default: XCTFail("U+\(String(scalar, radix: 16))")
      }
    }
    for (text, folded) in [("ÀÿŽſ", "ayzs"), ("Łódź", "lodz"), ("Þ", "th")] {
      XCTAssertEqual(OverlapText(text).words, OverlapText(folded).words, text)
    }
  }

  func testRangesLieInTheTextForAnyBytes() {
    var random = SeededRandom(seed: 1)
    let pieces = [
      "\\frac", "[asy]", "[/asy]", "![", "](", ")", "<b", ">", "{,}", "1,", "\\begin{array}", "{",
      "\\", "人", "π", "é", "\u{301}", "'", "x", "7", " ", "\n", "-", "\\end{asy}", "²", "𝑥",
    ].map { Array($0.utf8) }
    for _ in 0..<4_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        if Bool.random(using: &random) {
          bytes += pieces.randomElement(using: &random) ?? []
        } else {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        }
      }
      for signs in [OverlapText.Signs.dropped, .kept] {
        let text = OverlapText(bytes, signs: signs)
        XCTAssertEqual(text.words.count, text.ranges.count)
        var end = 0
        for range in text.ranges {
          XCTAssertGreaterThanOrEqual(range.lowerBound, end, "\(bytes)")
          XCTAssertGreaterThan(range.upperBound, range.lowerBound, "\(bytes)")
          end = range.upperBound
        }
        XCTAssertLessThanOrEqual(end, bytes.count, "\(bytes)")
      }
    }
  }

  /// Each would take hours if an opening without an end were searched anew each time.
  func testLargeHostileTextsAreReadInOnePass() {
    let million = 1_000_000
    XCTAssertEqual(OverlapText([UInt8](repeating: 0x61, count: million)).words.count, 1)
    XCTAssertEqual(OverlapText([UInt8](repeating: 0x37, count: million)).words.count, 1)
    XCTAssertEqual(OverlapText([UInt8](repeating: 0xff, count: million)).words.count, 0)
    for piece in [
      "[asy]", "![](", "![", "](http", "<b ", "\\begin{asy}", "\\begin{array}{", "<br ",
    ] {
      let bytes = Array(
        repeatElement(Array(piece.utf8), count: million / piece.utf8.count).joined())
      XCTAssertLessThanOrEqual(OverlapText(bytes).words.count, million, piece)
    }
  }

  func testStringsAndBytesAreReadAlike() {
    let text = "Größe: \\sqrt{x} — 3,5 人"
    XCTAssertEqual(OverlapText(text).words, OverlapText(Array(text.utf8)).words)
    XCTAssertEqual(OverlapText(text).ranges, OverlapText(Array(text.utf8)).ranges)
  }
}
