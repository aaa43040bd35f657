import Foundation
import XCTest

@testable import Teachers

final class RetryTests: XCTestCase {
  /// Friday, 29 September 2023, 16:26:37 GMT, as in openai-python's table.
  private let now = Date(timeIntervalSince1970: 1_696_004_797)

  private func wait(_ headers: [String: String], longest: Double = 600) -> WaitRequest {
    WaitRequest(header: { headers[$0] }, now: now, longest: longest)
  }

  /// The values of openai-python's table. Where it does not follow the header (nil here), it waits
  /// as it would without; where it gives up, a job waits up to its limit.
  func testRetryAfter() {
    let table: [(String, Double?)] = [
      ("20", 20), ("0", nil), ("-10", nil), ("60", 60), ("61", 61), ("120", 120), ("121", 121),
      ("Fri, 29 Sep 2023 16:26:57 GMT", 20), ("Fri, 29 Sep 2023 16:26:37 GMT", nil),
      ("Fri, 29 Sep 2023 16:26:27 GMT", nil), ("Fri, 29 Sep 2023 16:27:37 GMT", 60),
      ("Fri, 29 Sep 2023 16:27:38 GMT", 61), ("Fri, 29 Sep 2023 16:28:37 GMT", 120),
      ("Fri, 29 Sep 2023 16:28:38 GMT", 121),
      ("99999999999999999999999999999999999", 600), ("inf", nil), ("nan", nil),
      ("Zun, 29 Sep 2023 16:26:27 GMT", nil), ("Fri, 29 Sep 100000 16:26:27 GMT", nil), ("", nil),
      ("   ", nil), ("-0", nil), ("-1100", nil),
      // Further ones.
      ("1.5", 1.5), (" 7 ", 7), ("0.25", 0.25), (".5", 0.5), ("1e3", nil), ("0x10", nil),
      ("1.2.3", nil), ("+5", nil), ("٣", nil), ("601", 600), ("600", 600),
      ("Friday, 29-Sep-23 16:26:57 GMT", 20), ("Fri Sep 29 16:26:57 2023", 20),
      ("Fri, 29 Sep 2023 16:26:57 UTC", 20), ("Fri, 29 Sep 2023 16:26:57 +0000", 20),
      ("Fri, 29 Sep 2023 16:26:57 CET", nil), ("Fri, 29 Sep 2024 16:26:57 GMT", 600),
      ("Fri, 32 Sep 2023 16:26:57 GMT", nil), ("Fri, 29 Sop 2023 16:26:57 GMT", nil),
      ("Fri, 29 Sep 2023 24:26:57 GMT", nil), ("Fri, 29 Sep 2023 16:60:57 GMT", nil),
      ("Fri, 29 Sep 2023 16:26 GMT", nil), ("Fri, 29 Sep 23 16:26:57 GMT", nil),
      ("Fri, -9 Sep 2023 16:26:57 GMT", nil), ("29 Sep 2023 16:26:57 GMT", nil),
      ("2023-09-29T16:26:57Z", nil), (String(repeating: "9", count: 5000), nil),
    ]
    for (text, seconds) in table {
      XCTAssertEqual(wait(["retry-after": text]).seconds, seconds, text)
    }
    XCTAssertEqual(table.count, 50)
  }

  func testMillisecondsComeFirst() {
    XCTAssertEqual(wait(["retry-after-ms": "1500"]).seconds, 1.5)
    XCTAssertEqual(wait(["retry-after-ms": "20.5", "retry-after": "7"]).seconds, 0.0205)
    XCTAssertEqual(wait(["retry-after-ms": "0", "retry-after": "7"]).seconds, 7)
    XCTAssertEqual(wait(["retry-after-ms": "soon", "retry-after": "7"]).seconds, 7)
    XCTAssertEqual(wait(["retry-after-ms": "9999999999"], longest: 30).seconds, 30)
    XCTAssertNil(wait([:]).seconds)
  }

  func testShouldRetry() {
    XCTAssertEqual(wait(["x-should-retry": "true"]).shouldRetry, true)
    XCTAssertEqual(wait(["x-should-retry": " False "]).shouldRetry, false)
    XCTAssertNil(wait(["x-should-retry": "1"]).shouldRetry)
    XCTAssertNil(wait([:]).shouldRetry)
  }

  func testDates() {
    // The standard's own example, in its three forms.
    for text in [
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ] {
      XCTAssertEqual(HTTPDate.seconds(text, near: 2024), 784_111_777, text)
    }
    XCTAssertEqual(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT"), 0)
    XCTAssertEqual(HTTPDate.seconds("Thu, 29 Feb 2024 12:00:00 GMT"), 1_709_208_000)
    XCTAssertEqual(HTTPDate.seconds("Fri, 01 Jan 2100 00:00:00 GMT"), 4_102_444_800)
    XCTAssertEqual(HTTPDate.seconds("Monday, 01-Jan-74 00:00:00 GMT", near: 2024), 3_281_990_400)
    XCTAssertEqual(HTTPDate.seconds("Wednesday, 01-Jan-75 00:00:00 GMT", near: 2024), 157_766_400)
  }

  func testBackoff() {
    let policy = RetryPolicy()
    for (count, bound) in [
      (1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 16), (7, 32), (8, 60), (9, 60), (1000, 60),
      (0, 0.5), (-1100, 0.5), (.max, 60), (.min, 0.5),
    ] as [(Int, Double)] {
      XCTAssertEqual(policy.seconds(count: count, retryAfter: nil, share: 0), 0)
      XCTAssertEqual(policy.seconds(count: count, retryAfter: nil, share: 0.5), bound / 2)
      XCTAssertEqual(policy.seconds(count: count, retryAfter: 20, share: 0.25), 20 + bound / 4)
    }
  }

  /// Sixty-four clients are told "too many" at once by a server that takes ten requests a second.
  func testClientsSpreadOut() {
    var random = SplitMix64(seed: 5)
    let policy = RetryPolicy()
    // (time, how often it was asked)
    var waiting = (0..<64).map { _ in (time: 0.0, count: 0) }
    var arrivals: [Double] = []
    var taken: [Int: Int] = [:]
    while let next = waiting.indices.min(by: { waiting[$0].time < waiting[$1].time }) {
      let (time, count) = waiting[next]
      if count > 0 { arrivals.append(time) }
      let second = Int(time)
      if count > 0, taken[second, default: 0] < 10 {
        taken[second, default: 0] += 1
        waiting.remove(at: next)
      } else {
        let share = Double.random(in: 0..<1, using: &random)
        waiting[next] = (
          time + policy.seconds(count: count + 1, retryAfter: nil, share: share), count + 1
        )
      }
    }
    // Everybody has an answer within half a minute, and from the tenth second on hardly more comes
    // than the server takes.
    XCTAssertLessThan(arrivals.max() ?? 0, 30)
    var bins: [Int: Int] = [:]
    for arrival in arrivals { bins[Int(arrival), default: 0] += 1 }
    XCTAssertLessThanOrEqual(bins.filter { $0.key >= 10 }.values.max() ?? 0, 10)
  }

  // MARK: Classes

  private typealias Remedy = ReplyFault.Remedy

  private func fault(
    _ status: Int, _ body: String = "", wait: WaitRequest = WaitRequest(), noPath: Bool = false
  ) -> ReplyFault {
    ReplyStatus(model: "R1", texts: ServerText(secret: nil), addressHasNoPath: noPath)
      .fault(status: status, body: Array(body.utf8), wait: wait)
  }

  func testClasses() {
    let table: [(Int, Remedy)] = [
      (201, .again), (204, .again), (206, .again), (300, .againIfServerIsKnown),
      (301, .againIfServerIsKnown), (304, .againIfServerIsKnown), (307, .againIfServerIsKnown),
      (400, .giveUpQuestion), (401, .stopJob), (402, .stopJob), (403, .stopJob), (404, .stopJob),
      (405, .stopJob), (406, .giveUpQuestion), (407, .stopJob), (408, .again), (409, .again),
      (410, .giveUpQuestion), (411, .giveUpQuestion), (413, .giveUpQuestion),
      (414, .giveUpQuestion), (415, .giveUpQuestion), (418, .giveUpQuestion),
      (422, .giveUpQuestion), (425, .again), (429, .again), (431, .giveUpQuestion),
      (451, .giveUpQuestion), (500, .again), (501, .again), (502, .again), (503, .again),
      (504, .again), (520, .again), (529, .again), (599, .again), (999, .again),
    ]
    for (status, remedy) in table {
      XCTAssertEqual(fault(status).remedy, remedy, "\(status)")
      XCTAssertEqual(fault(status).kind, "HTTP \(status)")
    }
    XCTAssertEqual(table.count, 37)
  }

  func testWishesOfServers() {
    for status in 400..<600 {
      let before = fault(status).remedy
      let yes = fault(status, wait: WaitRequest(seconds: 3, shouldRetry: true))
      let no = fault(status, wait: WaitRequest(seconds: 3, shouldRetry: false))
      if [400, 401, 403, 404, 422].contains(status) {
        XCTAssertEqual(yes.remedy, before, "\(status)")
        XCTAssertEqual(no.remedy, before, "\(status)")
      } else {
        XCTAssertEqual(yes.remedy, .again, "\(status)")
        XCTAssertEqual(yes.retryAfter, 3)
        XCTAssertEqual(no.remedy, before == .again ? .giveUpAttempt : before, "\(status)")
        XCTAssertNil(no.retryAfter)
      }
    }
    XCTAssertTrue(fault(429).slowsAll)
    XCTAssertFalse(fault(503).slowsAll)
    XCTAssertTrue(fault(503, wait: WaitRequest(seconds: 1)).slowsAll)
    XCTAssertFalse(fault(500, wait: WaitRequest(seconds: 1)).slowsAll)
    XCTAssertEqual(
      fault(503, "busy", wait: WaitRequest(shouldRetry: false)).words,
      "answered with status 503: 'busy'. It says not to ask again.")
  }

  func testWords() {
    for (found, words) in [
      (fault(500), "answered with status 500."),
      (fault(502, "<html>x"), "answered with status 502."),
      (fault(400, #"{"error":{"message":"Too long"}}"#), "answered with status 400: 'Too long'."),
      (
        fault(401, "no"),
        "answered with status 401: 'no'. Is the key right, and may it use the "
          + "model?"
      ), (fault(403), "answered with status 403. Is the key right, and may it use the model?"),
      (fault(402), "answered with status 402. The account must be filled up."),
      (fault(404), "answered with status 404. Are 'url' and 'model' right?"),
      (fault(404, noPath: true), "answered with status 404. The 'url' usually ends in '/v1'."),
      (fault(405), "answered with status 405. Are 'url' and 'model' right?"),
      (
        fault(407), "answered with status 407. The proxy asks for a name and a password."
      ),
    ] {
      XCTAssertEqual(found.words, words)
    }
  }

  func testUnknownModels() {
    for body in [
      #"{"error":{"message":"x","code":"model_not_found"}}"#,
      #"{"error":{"message":"x","param":"model"}}"#,
      #"{"object":"error","message":"The model `r1` does not exist.","code":404}"#,
      #"{"error":{"message":"model \"R1\" not found, try pulling it first"}}"#,
    ] {
      for status in [400, 404, 422] {
        let found = fault(status, body)
        XCTAssertEqual(found.remedy, .stopJob, body)
        XCTAssertEqual(found.kind, "unknown model")
        XCTAssertTrue(
          found.words.hasSuffix(" Set 'model' to one that the server has."), found.words)
      }
      XCTAssertEqual(fault(500, body).remedy, .again)
    }
    for body in [
      #"{"error":{"message":"R1's maximum context length is 4096 tokens"}}"#,
      #"{"error":{"message":"The file does not exist."}}"#, "R1 does not exist",
    ] {
      XCTAssertEqual(fault(400, body).remedy, .giveUpQuestion, body)
    }
    let quota = fault(
      429, #"{"error":{"message":"Pay.","code":"insufficient_quota"}}"#,
      wait: WaitRequest(seconds: 1, shouldRetry: true))
    XCTAssertEqual(quota.remedy, .stopJob)
    XCTAssertEqual(quota.kind, "no quota")
    XCTAssertEqual(
      quota.words, "answered with status 429: 'Pay.'. The account must be filled up.")
  }
}
