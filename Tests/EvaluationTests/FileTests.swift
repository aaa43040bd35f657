import Foundation
import Scores
import Storage
import Teachers
import XCTest

@testable import Evaluation

/// What stands in the files, and what is said of files that others broke.
final class FileTests: XCTestCase {
  private func made() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    _ = try await evaluate(recipe(try folder.sums(3), folder), ScriptedTeacher(mixed))
    return folder
  }

  func testJudgedProblemsAreReadAsTheyWereWritten() async throws {
    let problem = JudgedProblem(
      id: "a\"ü", judge: "j 1",
      verdicts: [
        .init(.right, answerClass: 2, answer: "1/2", reason: "So."),
        .init(.cut, answerClass: nil, answer: nil, reason: "Cut."),
      ],
      samples: [
        .init(number: 0, verdict: 1, tokens: 96), .init(number: 3, verdict: 0, tokens: 7),
      ], rating: 1234.5)
    XCTAssertEqual(try JudgedProblem(problem.json, place: "p"), problem)
    XCTAssertEqual(problem.verdict(ofSample: 3)?.outcome, .right)
    XCTAssertNil(problem.verdict(ofSample: 1))
    XCTAssertEqual(problem.count(.cut), 1)
  }

  func testWrongFiles() async throws {
    let folder = try await made()
    let path = folder.file("out/one")
    XCTAssertNoThrow(try ModelEvaluation(at: path))
    let file = path + "/evaluation.json"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    func check(_ changed: String, _ words: String) throws {
      try changed.write(toFile: file, atomically: true, encoding: .utf8)
      XCTAssertThrowsError(try ModelEvaluation(at: path)) { XCTAssertEqual("\($0)", words) }
    }
    XCTAssertThrowsError(try ModelEvaluation(at: folder.file("out"))) {
      XCTAssertEqual(
        "\($0)",
        "\(folder.file("out")): there is no finished evaluation of a model. 'distill evaluate' makes "
          + "one; give the model's folder within its output.")
    }
    try check(
      text.replacingOccurrences(of: "\"format\": 1", with: "\"format\": 7"),
      "\(file): it is of another version of this program. Run 'distill evaluate' again.")
    try check(
      text.replacingOccurrences(of: "\"folder\": \"sums\"", with: "\"folder\": \"../sums\""),
      "\(file): 'folder' is '../sums', no name of a folder beside it.")
    try check(
      text.replacingOccurrences(of: "\"problems\": 3", with: "\"problems\": 4"),
      "\(file): benchmark 'sums' has 4 problems here, and 3 in sums/scores.jsonl. Run the evaluation "
        + "again; what was sampled is kept.")
    try check(
      text.replacingOccurrences(of: "\"refuse\"", with: "\"forget\""),
      "\(file): 'missingSamples' is 'forget', which is not known.")
    try check("[]", "\(file): an object must stand there.")
  }

  func testLinesThatDoNotFit() {
    let good = JudgedProblem(
      id: "a", judge: "j", verdicts: [.init(.right, answerClass: 0, answer: "1", reason: "r")],
      samples: [.init(number: 0, verdict: 0, tokens: 5), .init(number: 1, verdict: 0, tokens: 6)])
    func changed(_ name: String, _ value: JSONValue) -> JSONObject {
      JSONObject(members: good.json.members.map { $0.key == name ? (name, value) : $0 })
    }
    func numbers(_ values: [Int]) -> JSONValue { .array(values.map { .number(JSONNumber($0)) }) }
    let words =
      "p:1: 'samples', 'verdict' and 'tokens' don't fit together. Remove the file; what is in it is "
      + "judged again."
    for (name, value, message) in [
      ("verdict", numbers([0, 1]), words), ("samples", numbers([1, 1]), words),
      ("samples", numbers([1, 0]), words), ("tokens", numbers([5]), words),
      ("tokens", .string("5"), "p:1: 'tokens' must be a list of whole numbers."),
      ("tokens", numbers([-1, 2]), "p:1: 'tokens' must be a list of whole numbers."),
      ("problem", .null, "p:1: 'problem' must be a text."),
    ] as [(String, JSONValue, String)] {
      XCTAssertThrowsError(try JudgedProblem(changed(name, value), place: "p:1")) {
        XCTAssertEqual("\($0)", message)
      }
    }
  }

  /// Sums of tokens must not trap, whoever wrote them.
  func testTokensThatNoAnswerHas() async throws {
    for (name, words) in [
      ("promptTokens", "'promptTokens' is 1000000001, which no answer has. Remove the line."),
      (
        "completionTokens",
        "'completionTokens' is 1000000001, which no answer has. Remove the line."
      ),
    ] {
      var answer = said("\\boxed{1}")
      if name == "promptTokens" {
        answer.promptTokens = 1_000_000_001
      } else {
        answer.completionTokens = 1_000_000_001
      }
      let record = SampleRecord(
        key: String(repeating: "0", count: 64), problem: "a", sample: 0,
        settings: SamplingChoices(), answer: answer, time: "2025-01-20T08:05:09.123Z")
      XCTAssertThrowsError(try SampleRecord(record.json, place: "p:3")) {
        XCTAssertEqual("\($0)", "p:3: \(words)")
      }
    }
    var answer = said("\\boxed{1}")
    (answer.promptTokens, answer.completionTokens) = (1_000_000_000, 1_000_000_000)
    let record = SampleRecord(
      key: String(repeating: "0", count: 64), problem: "a", sample: 0, settings: SamplingChoices(),
      answer: answer, time: "2025-01-20T08:05:09.123Z")
    XCTAssertEqual(try SampleRecord(record.json, place: "p:3"), record)
  }

  /// Whatever bytes are changed, reading throws or gives figures; it never traps.
  func testBrokenBytes() async throws {
    let folder = try await made()
    let path = folder.file("out/one")
    var draws: UInt64 = 7
    func random(_ bound: Int) -> Int {
      draws = draws &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(draws >> 33) % bound
    }
    for name in ["evaluation.json", "sums/scores.jsonl"] {
      let url = URL(fileURLWithPath: path + "/" + name)
      let good = try Data(contentsOf: url)
      for _ in 0..<300 {
        var bytes = good
        for _ in 0...random(3) { bytes[random(bytes.count)] = UInt8(32 + random(95)) }
        if random(4) == 0 { bytes = bytes.prefix(random(bytes.count)) }
        try bytes.write(to: url)
        if let model = try? ModelEvaluation(at: path) {
          _ = try? BenchmarkFigures(of: model.benchmarks[0])
        }
      }
      try good.write(to: url)
    }
    XCTAssertNoThrow(try ModelEvaluation(at: path))
  }
}
