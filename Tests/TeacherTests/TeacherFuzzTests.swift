import Foundation
import Storage
import XCTest

@testable import Teachers

/// Damaged replies: each must be refused in one line or be read, and never trap.
final class TeacherFuzzTests: XCTestCase {
  private static let stream: String = {
    func chunk(_ delta: String, _ index: Int, _ finish: String = "null") -> String {
      #"data: {"id":"1","model":"R1","choices":[{"index":\#(index),"delta":{\#(delta)},"#
        + #""finish_reason":\#(finish)}]}"# + "\n\n"
    }
    return ": hi\nid: 1\n" + chunk(#""reasoning_content":"é\u00e9""#, 0)
      + chunk(#""content":"<think>a</think>b""#, 1) + chunk(#""content":"😀""#, 0)
      + chunk("", 0, #""stop""#) + chunk("", 1, #""length""#)
      + #"data: {"model":"R1","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":4}}"#
      + "\n\ndata: [DONE]\n\n"
  }()

  private static let whole =
    #"{"id":"1","model":"R1","choices":[{"index":0,"message":{"content":"<think>é</think>b","#
    + #""reasoning":null},"finish_reason":"stop"},{"index":1,"message":{"content":"b","#
    + #""reasoning_content":"a"},"finish_reason":"length"}],"#
    + #""usage":{"prompt_tokens":3,"completion_tokens":5}}"#

  func testDamagedReplies() throws {
    let secret = try Secret(TestTeacher.canary, source: "")
    var answers = 0
    let cases = Int(ProcessInfo.processInfo.environment["DISTILL_FUZZ_CASES"] ?? "") ?? 8000
    for seed in 0..<UInt64(cases) {
      var random = SplitMix64(seed: seed)
      let isStream = Bool.random(using: &random)
      var bytes = Array((isStream ? Self.stream : Self.whole).utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) { Self.damage(&bytes, &random) }
      var reader = ChatCompletionReader(
        .init(
          choices: 2, stream: true,
          status: ReplyStatus(model: "R1", texts: ServerText(secret: secret))))
      let status = Int.random(in: 0..<10, using: &random) == 0 ? 400 : 200
      do throws(ReplyFault) {
        try reader.begin(
          ReplyHead(
            status: status, contentType: isStream ? "text/event-stream" : "application/json",
            wait: WaitRequest()))
        var start = 0
        while start < bytes.count {
          let end = min(bytes.count, start + Int.random(in: 1...200, using: &random))
          let result: Result<Void, ReplyFault> = bytes[start..<end].withUnsafeBytes { bytes in
            do throws(ReplyFault) {
              return .success(try reader.add(bytes))
            } catch {
              return .failure(error)
            }
          }
          try result.get()
          start = end
        }
        let completion = try reader.end()
        answers += 1
        XCTAssertEqual(completion.choices.count, 2)
        XCTAssertFalse(completion.choices.contains { $0.content.isEmpty && $0.reasoning == nil })
      } catch {
        if error.words.isEmpty || error.words.utf8.count > 900 || error.kind.isEmpty
          || !(error.words.hasSuffix(".") || error.words.hasSuffix("?"))
          || error.words.unicodeScalars.contains(where: { $0.value < 0x20 })
        {
          XCTFail("\(error.words) Repeat it with seed \(seed).")
        }
      }
    }
    guard cases >= 8000 else { return }
    XCTAssertGreaterThan(answers, cases / 6)
    XCTAssertLessThan(answers, cases / 2)
  }

  func testDamagedHeads() {
    for seed in 0..<4000 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      let starts = [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "120", "1.5",
      ]
      var bytes = Array((starts.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) { Self.damage(&bytes, &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      let wait = WaitRequest(
        header: { _ in text }, now: Date(timeIntervalSince1970: 784_111_000), longest: 600)
      if let seconds = wait.seconds { XCTAssertTrue(seconds > 0 && seconds <= 600, text) }
    }
  }

  private static func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard let at = bytes.indices.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes.remove(at: at)
    case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
    case 3: bytes.removeSubrange(at...)
    case 4:
      let pieces = [
        "\n", "\r", "\n\n", "data:", "data: [DONE]\n\n", "null", "-1", "99999999999999999999", "{}",
        "[]", "\"", "\\ud800", "</think>", "<think>", "\u{feff}", "\0", TestTeacher.canary,
      ]
      bytes.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: at)
    default:
      let other = bytes.indices.randomElement(using: &random) ?? at
      bytes.insert(contentsOf: Array(bytes[min(at, other)..<max(at, other)]), at: at)
    }
  }
}
