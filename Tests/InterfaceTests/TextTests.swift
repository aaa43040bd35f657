import XCTest

@testable import Interface

final class TextTests: XCTestCase {
  func testCounts() {
    let cases: [(Int, String)] = [
      (0, "0"), (7, "7"), (999, "999"), (1000, "1.00 k"), (1234, "1.23 k"), (9995, "10.0 k"),
      (12_345, "12.3 k"), (99_950, "100 k"), (123_456, "123 k"), (999_499, "999 k"),
      (999_500, "1.00 M"), (999_999, "1.00 M"), (1_543_714_304, "1.54 B"),
      (2_000_000_000_000, "2.00 T"), (.max, "9223372 T"), (-1234, "-1.23 k"),
    ]
    for (count, text) in cases { XCTAssertEqual(countText(count), text) }
    XCTAssertEqual(countText(UInt64.max), "18446744 T")
  }

  func testBytes() {
    let cases: [(Int, String)] = [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
      (1_048_575, "1.0 MiB"), (3_328_599_654, "3.1 GiB"), (150_323_855_360, "140 GiB"),
      (107_374_182_400, "100 GiB"), (.max, "8192 PiB"),
    ]
    for (bytes, text) in cases { XCTAssertEqual(byteText(bytes), text) }
  }

  func testDurations() {
    let cases: [(Double, String)] = [
      (0, "0 ms"), (-3, "0 ms"), (0.0124, "12 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"),
      (4.24, "4.2 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
      (119.6, "2 min 00 s"), (125, "2 min 05 s"), (3599.6, "1 h 00 min"), (7529, "2 h 05 min"),
      (7530, "2 h 06 min"), (86_369, "23 h 59 min"), (86_370, "1 d 00 h"),
      (273_600, "3 d 04 h"), (1e18, "11574074074074 d 02 h"), (.infinity, "unknown"),
      (.nan, "unknown"), (1e300, "unknown"),
    ]
    for (seconds, text) in cases { XCTAssertEqual(durationText(seconds: seconds), text) }
  }

  func testRates() {
    let cases: [(Double, String)] = [
      (0, "0"), (0.05333, "0.0533"), (0.9999, "1.00"), (3.2, "3.20"), (3, "3.00"),
      (15_400, "15.4 k"), (.nan, "?"), (-1, "?"), (.infinity, "?"), (1e-9, "1e-09"),
    ]
    for (rate, text) in cases { XCTAssertEqual(rateText(rate), text) }
  }

  func testATable() {
    var table = Table(.left("model"), .right("AIME 2024"), .left("note"))
    table.append("distilled", "28.9", "")
    table.append("a\u{1B}[2J\nb", "1", "ok")
    XCTAssertEqual(
      table.description,
      """
      model              AIME 2024   note
      ----------------   ---------   ----
      distilled               28.9
      a\\u{1b}[2J\\u{a}b           1   ok
      """)
    XCTAssertEqual(Table(.right("n")).lines, ["n", "-"])
    XCTAssertEqual(Table([]).description, "\n")
  }

  func testTheNearestSpelling() {
    let words = ["learningRate", "weightDecay", "seed", "--threads", "in"]
    let cases: [(String, String?)] = [
      ("learningrate", "learningRate"), ("learning_rate", "learningRate"),
      ("lerningRate", "learningRate"), ("learn", "learningRate"), ("weigthDecay", "weightDecay"),
      ("sede", "seed"), ("seeds", "seed"), ("sed", "seed"), ("--thread", "--threads"),
      ("s", nil), ("", nil), ("decay", nil), ("no", nil), ("on", "in"),
      (String(repeating: "a", count: 1_000_000), nil),
    ]
    for (word, expected) in cases {
      XCTAssertEqual(closest(to: word, in: words), expected, word)
    }
    XCTAssertNil(closest(to: "a", in: [String]()))
  }

  func testEditDistances() {
    let cases: [(String, String, Int)] = [
      ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "acb", 1),
      ("kitten", "sitting", 3), ("ca", "abc", 3), ("abcdef", "badcfe", 3),
    ]
    for (a, b, distance) in cases {
      XCTAssertEqual(editDistance(Array(a), Array(b)), distance, "\(a) \(b)")
      XCTAssertEqual(editDistance(Array(b), Array(a)), distance, "\(b) \(a)")
    }
  }

  func testQuoting() {
    XCTAssertEqual(quoted("plain"), "'plain'")
    XCTAssertEqual(quoted("a\u{1B}[31m\n"), "'a\\u{1b}[31m\\u{a}'")
    XCTAssertEqual(
      quoted("\u{202E}abc\u{2028}\u{7F}\u{9B}"), "'\\u{202e}abc\\u{2028}\\u{7f}\\u{9b}'")
    XCTAssertEqual(quoted("👩‍👧 é"), "'👩‍👧 é'")
    XCTAssertEqual(quoted("abcd", limit: 4), "'abcd'")
    XCTAssertEqual(quoted("abcde", limit: 4), "'abcd…'")
    XCTAssertEqual(listed([String]()), "")
    XCTAssertEqual(listed(["a"]), "'a'")
    XCTAssertEqual(listed(["a", "b"]), "'a' and 'b'")
    XCTAssertEqual(listed(["a", "b", "c"], last: "or"), "'a', 'b' or 'c'")
  }
}
