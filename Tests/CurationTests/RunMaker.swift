import Foundation
import Problems
import Storage
import Teachers
import XCTest

@testable import Curation

/// A folder that is gone when the test is over.
func temporaryFolder(_ test: XCTestCase) throws -> String {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  test.addTeardownBlock { try? FileManager.default.removeItem(at: url) }
  return url.path
}

/// A run of sampling that a test writes: problems and answers.
struct RunMaker {
  var problems: [Problem] = []
  var records: [SampleRecord] = []
  /// What the run's identity says of prompts, as JSON.
  var prompt: String?

  @discardableResult
  mutating func add(
    _ id: String, _ question: String, _ reference: Problem.Reference, source: String = "math",
    difficulty: String? = nil
  ) -> String {
    problems.append(
      Problem(
        id: id, question: question, reference: reference, source: source, difficulty: difficulty,
        place: "\(source).jsonl:\(problems.count + 1)"))
    return id
  }

  /// Adds an answer; returns its key.
  @discardableResult
  mutating func answer(
    _ problem: String, reasoning: String? = "Let me see. It is plain.", _ content: String,
    finish: TeacherAnswer.FinishReason = .stop, tokens: Int? = 100, prompt: Int? = 10
  ) -> String {
    let sample = records.count { $0.problem == problem }
    var hash = SHA256()
    hash.update(Array("\(problem) \(sample) \(content)".utf8))
    let key = hash.finalizedText()
    records.append(
      SampleRecord(
        key: key, problem: problem, sample: sample, settings: SamplingChoices(maxTokens: 1_000),
        answer: TeacherAnswer(
          reasoning: reasoning, content: content, finishReason: finish, promptTokens: prompt,
          completionTokens: tokens, model: "teacher-1"),
        time: "2026-01-01T00:00:00.000Z"))
    return key
  }

  /// Writes the run into a folder, which is made.
  func write(to path: String) throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true)
    func file(_ name: String, _ lines: [Data]) throws {
      var text = Data()
      for line in lines { text += line + Data([0x0A]) }
      try text.write(to: URL(fileURLWithPath: path + "/" + name))
    }
    try file("identity.json", [Data("{\"prompt\": \(prompt ?? "null")}".utf8)])
    try file("problems.jsonl", problems.map { $0.json.serialized() })
    try file("samples.jsonl", records.map { JournalLine.encoded($0.json) })
  }
}

/// The rules, without a sandbox; a text that holds FAILURE can't be judged for the machine's sake.
let rules = RuleJudge(version: "test 1") { text, problem in
  if text.utf8.count < 10_000, text.contains("FAILURE") {
    return AnswerVerdict(
      outcome: .infrastructure, reason: "The sandbox did not start.", version: "test 1")
  }
  return AnswerJudge().verdict(of: text, on: problem)
}

/// The lines of a file, as JSON objects.
func objects(_ path: String) throws -> [JSONObject] {
  let data = try Data(contentsOf: URL(fileURLWithPath: path))
  return try data.split(separator: 0x0A).map { line in
    guard case .object(let object) = try JSONValue(parsing: Data(line), source: path) else {
      throw CurationError(.input, "no object")
    }
    return object
  }
}

extension JSONValue {
  subscript(key: String) -> JSONValue? {
    if case .object(let object) = self { object[key] } else { nil }
  }

  subscript(index: Int) -> JSONValue? {
    if case .array(let values) = self, values.indices.contains(index) { values[index] } else { nil }
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var int: Int? { if case .number(let number) = self { number.int } else { nil } }
  var double: Double? { if case .number(let number) = self { number.double } else { nil } }
}

/// The sample keys of a set, in order; nil for samples of the mixture.
func keys(_ output: String) throws -> [String?] {
  try objects(output + "/samples.jsonl").map { $0["provenance"]?["key"]?.string }
}

/// Checks the words of an error.
func assertThrows<T>(
  _ message: String, file: StaticString = #filePath, line: UInt = #line,
  _ body: () async throws -> T
) async {
  do {
    _ = try await body()
    XCTFail("nothing was thrown, but expected: \(message)", file: file, line: line)
  } catch {
    XCTAssertEqual("\(error)", message, file: file, line: line)
  }
}

/// Every file of a folder by its name.
func contents(_ folder: String) throws -> [String: Data] {
  var files: [String: Data] = [:]
  for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
    files[name] = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
  }
  return files
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
