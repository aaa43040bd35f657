import Tensors
import XCTest

@testable import Generation

/// Stop strings are found wherever the text is cut.
final class StopMatcherTests: XCTestCase {
  func testOneStringInRandomPiecesAgainstASearchOfTheWhole() {
    let random = RandomStream(seed: 1, "stop matcher")
    var next = 0
    func number(_ bound: UInt64) -> Int {
      next += 1
      return Int(random[next] % bound)
    }
    func text(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(97 + number(3)) } }
    var stopped = 0
    for _ in 0..<3000 {
      let (whole, stop) = (text(number(17)), text(1 + number(4)))
      let place = (0..<max(1, whole.count)).first { whole[$0...].starts(with: stop) }
      var matcher = StopMatcher([String(decoding: stop, as: UTF8.self)])
      var (given, position) = ("", 0)
      while position < whole.count {
        let end = min(whole.count, position + 1 + number(4))
        given += matcher.append(String(decoding: whole[position..<end], as: UTF8.self))
        XCTAssertTrue(whole[..<(place ?? whole.count)].starts(with: given.utf8))
        position = end
      }
      given += matcher.finish()
      XCTAssertEqual(Array(given.utf8), Array(whole[..<(place ?? whole.count)]))
      XCTAssertEqual(matcher.found != nil, place != nil)
      if place != nil { stopped += 1 }
    }
    XCTAssertGreaterThan(stopped, 500)
  }

  /// The match that ends first counts, however the text is cut.
  func testSeveralStopStrings() {
    for (strings, text, given, found) in [
      (["abc", "b"], "xabcx", "xa", "b"), (["ab", "a"], "xab", "x", "a"),
      (["bc", "abc"], "xabcx", "x", "abc"), (["é€", "€x"], "aé€x", "a", "é€"),
      (["😀b", "😁"], "a😀😁b", "a😀", "😁"), (["zz"], "azbz", "azbz", nil),
    ] as [([String], String, String, String?)] {
      let characters = Array(text)
      for first in 0...characters.count {
        for second in first...characters.count {
          var matcher = StopMatcher(strings)
          let pieces = [characters[..<first], characters[first..<second], characters[second...]]
          let result = pieces.map { matcher.append(String($0)) }.joined() + matcher.finish()
          XCTAssertEqual(result, given, "\(strings) in \(text), cut at \(first) and \(second)")
          XCTAssertEqual(matcher.found, found, "\(strings) in \(text)")
          XCTAssertEqual(String(decoding: matcher.bytes, as: UTF8.self), given)
        }
      }
    }
  }
}
