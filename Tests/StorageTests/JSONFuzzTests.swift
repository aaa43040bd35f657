import Foundation
import XCTest

@testable import Storage

/// Damages texts: each must be refused in one line, or be read, written and read again the same.
/// Nothing may be read past its end.
final class JSONFuzzTests: XCTestCase {
  func testDamagedTexts() {
    let memory = GuardedBytes(capacity: 1 << 16)
    var readCount = 0
    let seeds = fuzzSeeds()
    for seed in seeds {
      var random = SplitMix64(seed: seed)
      var text = Array(
        ("[" + Self.text(depth: 4, &random) + "," + Self.text(depth: 4, &random) + "]").utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) { Self.damage(&text, &random) }
      let context = "Repeat it with DISTILL_FUZZ_SEED=\(seed) DISTILL_FUZZ_CASES=1."
      do throws(JSONError) {
        let value = try JSONValue(parsing: memory.place(text), source: "x")
        readCount += 1
        for pretty in [false, true] {
          let again = try JSONValue(parsing: value.serialized(pretty: pretty), source: "y")
          XCTAssertEqual(again, value, context)
        }
      } catch {
        let message = error.description
        if !message.hasPrefix("x:") || !message.hasSuffix(".") || message.utf8.count > 600
          || message.unicodeScalars.contains(where: { $0.value < 0x20 })
        {
          XCTFail("\(message) \(context)")
        }
      }
    }
    guard seeds.count >= 20_000 else { return }
    XCTAssertGreaterThan(readCount, seeds.count / 5)
    XCTAssertLessThan(readCount, seeds.count * 4 / 5)
  }

  private static func text(depth: Int, _ random: inout SplitMix64) -> String {
    let count = Int.random(in: 0...4, using: &random)
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
    case 0: return ["null", "true", "false"].randomElement(using: &random) ?? ""
    case 1: return String(Int.random(in: -1000...1000, using: &random))
    case 2: return ["-0", "0.5", "1e-6", "1E+30", "12.25e2"].randomElement(using: &random) ?? ""
    case 3...5: return string(&random)
    case 6:
      return "[" + (0..<count).map { _ in text(depth: depth - 1, &random) }.joined(separator: ", ")
        + "]"
    default:
      let members = (0..<count).map {
        "\"\($0)" + string(&random).dropFirst() + ":" + text(depth: depth - 1, &random)
      }
      return "{" + members.joined(separator: ",\n") + "}"
    }
  }

  private static func string(_ random: inout SplitMix64) -> String {
    let pieces = [
      "a", "é", "€", "😀", "e\u{301}", #"\n"#, #"\u0000"#, #"\ud83d\ude00"#, #"\""#, #"\\"#,
      "\u{7f}",
      "\u{2028}", "/", #"\/"#, #"\uFFFF"#,
    ]
    let text = (0..<Int.random(in: 0...5, using: &random)).map { _ in
      pieces.randomElement(using: &random) ?? ""
    }
    return "\"" + text.joined() + "\""
  }

  private static func damage(_ text: inout [UInt8], _ random: inout SplitMix64) {
    guard let at = text.indices.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: text[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: text.remove(at: at)
    case 2: text.insert(UInt8.random(in: 0...255, using: &random), at: at)
    case 3: text.removeSubrange(at...)
    case 4:
      let pieces = [
        "\\", "\"", "{", "}", "[", "]", ",", ":", "\\u", "\\ud800", "1e", "-", "NaN", "\u{feff}",
        " ",
      ]
      text.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: at)
    default:
      let other = text.indices.randomElement(using: &random) ?? at
      let range = min(at, other)..<max(at, other)
      text.insert(contentsOf: Array(text[range]), at: at)
    }
  }
}
