import Foundation
import Storage
import Verification
import XCTest

@testable import Problems

/// Dates and ratings of problems, and the days from which a source takes them.
final class ReleaseWindowTests: XCTestCase {
  /// Records as LiveCodeBench publishes them; the problems are made up.
  private func line(_ number: Int, _ date: String) -> String {
    #"{"question_title":"T","question_content":"Add \#(number).","platform":"atcoder","#
      + #""question_id":"abc\#(number)_a","contest_id":"abc\#(number)","contest_date":"\#(date)","#
      + #""starter_code":"","difficulty":"easy","#
      + #""public_test_cases":"[{\"input\": \"1\\n\", \"output\": \"2\\n\", \"testtype\": \"stdin\"}]","#
      + #""private_test_cases":"[]","metadata":"{}"}"# + "\n"
  }

  private let days = [
    "2024-07-31T23:59:59", "2024-08-01T00:00:00", "2024-08-03", "2025-01-31T22:00:00",
    "2025-02-01 00:00:00",
  ]

  private func read(
    _ path: String, _ window: ReleaseWindow?, _ change: (inout ProblemSource) -> Void = { _ in }
  ) throws -> [Problem] {
    var source = ProblemSource(path: path, released: window)
    change(&source)
    let file = try ProblemFile(source)
    return try (0..<file.count).map { try file.problem($0) }
  }

  func testAWindowTakesItsFirstAndLastDay() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      days.enumerated().map { line($0 + 1, $1) }.joined(), as: "lcb.jsonl")
    let all = try read(path, nil)
    XCTAssertEqual(
      all.map(\.date), ["2024-07-31", "2024-08-01", "2024-08-03", "2025-01-31", "2025-02-01"])
    for (from, until, numbers) in [
      ("2024-08-01", "2025-01-31", [2, 3, 4]), ("2024-08-02", "2025-01-30", [3]),
      ("2024-08-01", nil, [2, 3, 4, 5]), (nil, "2024-08-01", [1, 2]),
      ("2024-08-03", "2024-08-03", [3]),
    ] as [(String?, String?, [Int])] {
      let found = try read(path, ReleaseWindow(from: from, until: until))
      // The problems are what they are without a window, places and all.
      XCTAssertEqual(found, numbers.map { all[$0 - 1] })
    }
    let first = try read(path, ReleaseWindow(from: "2024-08-01")) { $0.limit = 2 }
    XCTAssertEqual(first, [all[1], all[2]])
    XCTAssertThrowsError(try read(path, ReleaseWindow(from: "2025-02-02", until: "2025-03-01"))) {
      XCTAssertEqual(
        "\($0)",
        "\(path): none of its 5 problems was released from 2025-02-02 until 2025-03-01. Change "
          + "'released'.")
    }
    // What `problems.jsonl` has can be chosen from again.
    let text = all.map { String(decoding: $0.json.serialized(), as: UTF8.self) + "\n" }
    let problems = try folder.write(text.joined(), as: "problems.jsonl")
    XCTAssertEqual(
      try read(problems, ReleaseWindow(from: "2024-08-01", until: "2025-01-31")),
      Array(all[1...3]))
  }

  /// A record keeps the number that it has in its file.
  func testIdsAreThoseOfTheFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      """
      {"question":"a","answer":"1","date":"2024-01-01"}
      {"question":"b","answer":"1","date":"2024-01-02"}
      """, as: "p.jsonl")
    let found = try read(path, ReleaseWindow(from: "2024-01-02"))
    XCTAssertEqual(found.map(\.id), ["p.jsonl#2"])
    XCTAssertEqual(found.map(\.place), ["\(path):2"])
  }

  func testWhereDatesAre() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      """
      {"question":"a","answer":"1","release_date":"2024-01-01","rating":1500}
      {"question":"b","answer":"1","date":"2024-01-02T10:00:00Z","release_date":"2000-01-01"}
      {"question":"c","answer":"1","contest_date":"2024-01-03","date":"2000-01-01","rating":1e999}
      {"question":"d","answer":"1","date":"yesterday","rating":"hard"}
      {"question":"e","answer":"1","date":{"year":2024},"rating":null}
      {"question":"f","answer":"1","rating":812.5}
      """, as: "p.jsonl")
    let found = try read(path, nil)
    XCTAssertEqual(found.map(\.date), ["2024-01-01", "2024-01-02", "2024-01-03", nil, nil, nil])
    XCTAssertEqual(found.map(\.rating), [1500, nil, nil, nil, nil, 812.5])
    for problem in found {
      let text = problem.json.serialized()
      let again = try Problem(JSONValue(parsing: text, source: "again"), place: "again")
      XCTAssertEqual(again, problem)
      XCTAssertEqual(again.json.serialized(), text)
    }
    XCTAssertEqual(
      String(decoding: found[5].json.serialized(), as: UTF8.self),
      "{\"id\":\"p.jsonl#6\",\"source\":\"p.jsonl\",\"place\":\"\(path):6\",\"rating\":812.5,"
        + "\"question\":\"f\",\"reference\":{\"answer\":\"1\"}}")
    let named = try folder.write(
      #"{"question":"a","answer":"1","date":"x","day":"2024-05-06","elo":900,"rating":1}"#,
      as: "n.jsonl")
    let problem = try XCTUnwrap(
      read(named, nil) { $0.fields = ProblemFields(date: "day", rating: "elo") }.first)
    XCTAssertEqual(problem.date, "2024-05-06")
    XCTAssertEqual(problem.rating, 900)
  }

  /// Lines as they were written before there were dates and ratings.
  func testOldProblems() throws {
    let folder = try TemporaryFolder()
    let line =
      #"{"id":"a","source":"s","place":"f:1","difficulty":"5","question":"q","#
      + #""reference":{"answer":"1"},"solution":"t"}"#
    let found = try read(try folder.write(line + "\n", as: "problems.jsonl"), nil)
    XCTAssertEqual(
      found,
      [
        Problem(
          id: "a", question: "q", reference: .answer("1"), solution: "t", source: "s",
          difficulty: "5", place: "f:1")
      ])
    XCTAssertEqual(found.map { String(decoding: $0.json.serialized(), as: UTF8.self) }, [line])
    for (member, message) in [
      (#""rating":"x""#, "'rating' must be a number."), (#""date":1"#, "'date' must be a text."),
    ] {
      let line = #"{"id":"a","source":"","place":"","question":"q",\#(member),"reference":{}}"#
      XCTAssertThrowsError(
        try Problem(JSONValue(parsing: Array(line.utf8), source: "p"), place: "p:9")
      ) { XCTAssertEqual("\($0)", "p:9: \(message)") }
    }
  }

  func testSentencesOfRecords() throws {
    let folder = try TemporaryFolder()
    let window = ReleaseWindow(from: "2024-08-01")
    for (members, fields, message) in [
      (
        "", nil,
        "there is no date, which 'released' needs; its keys are 'question', 'answer'. Name its key in "
          + "'fields.date'."
      ),
      (
        ",\"date\":null", nil,
        "there is no date, which 'released' needs; its keys are 'question', 'answer', 'date'. Name its "
          + "key in 'fields.date'."
      ),
      (
        ",\"date\":\"yesterday\"", nil,
        "'date' is 'yesterday', which is no date; it must begin with one as '2024-08-03' is."
      ),
      (
        ",\"date\":20240803", nil,
        "'date' must be a date; it must begin with one as '2024-08-03' is."
      ),
      (
        "", "day",
        "there is no 'day', which the recipe names as the 'date'; its keys are 'question', 'answer'."
      ),
    ] {
      let path = try folder.write(
        "{\"question\":\"a\",\"answer\":\"1\",\"date\":\"2024-08-03\",\"day\":\"2024-08-03\"}\n"
          + "{\"question\":\"b\",\"answer\":\"1\"\(members)}\n", as: "p.jsonl")
      XCTAssertThrowsError(
        try read(path, window) { if let fields { $0.fields = ProblemFields(date: fields) } }
      ) { XCTAssertEqual("\($0)", "\(path):2: \(message)") }
    }
    let path = try folder.write(
      #"{"question":"a","answer":"1","elo":"high"}"#, as: "p.jsonl")
    XCTAssertThrowsError(try read(path, nil) { $0.fields = ProblemFields(rating: "elo") }) {
      XCTAssertEqual("\($0)", "\(path):1: 'elo' must be a number.")
    }
  }

  func testDays() {
    for (text, day) in [
      ("2024-08-03", "2024-08-03"), ("2024-08-03T00:00:00", "2024-08-03"),
      ("2024-08-03 12:00", "2024-08-03"), ("2024-02-29", "2024-02-29"), ("2023-02-29", nil),
      ("1900-02-29", nil), ("2000-02-29", "2000-02-29"), ("2024-04-31", nil), ("2024-13-01", nil),
      ("2024-00-01", nil), ("2024-01-00", nil), ("0000-01-01", nil), ("2024-8-03", nil),
      ("2024-08-031", nil), ("2024/08/03", nil), ("2024-08-0", nil), ("", nil),
      ("20240803", nil), ("2024-08-0\u{663}", nil), ("+024-08-03", nil),
    ] {
      XCTAssertEqual(ReleaseWindow.day(beginning: text), day, text)
    }
  }

  func testFindings() throws {
    XCTAssertNil(ReleaseWindow(from: "2024-08-01", until: "2024-08-01").finding)
    let folder = try TemporaryFolder()
    let path = try folder.write(line(1, "2024-08-01"), as: "p.jsonl")
    for (window, sentence) in [
      (ReleaseWindow(), "'released' must have 'from', 'until', or both."),
      (
        ReleaseWindow(from: "2024-08-01T00:00:00"),
        "'released.from' is '2024-08-01T00:00:00'; it must be a date as '2024-08-03' is."
      ),
      (
        ReleaseWindow(from: "2024-08-01", until: "2025-02-29"),
        "'released.until' is '2025-02-29'; it must be a date as '2024-08-03' is."
      ),
      (
        ReleaseWindow(from: "2024-08-02", until: "2024-08-01"),
        "'released' ends on 2024-08-01, before it begins on 2024-08-02."
      ),
    ] {
      XCTAssertThrowsError(try read(path, window)) {
        XCTAssertEqual("\($0)", "\(path): \(sentence)")
      }
    }
  }
}
