import Foundation
import Scores
import Storage
import Teachers
import XCTest

@testable import Comparison
@testable import Evaluation

/// A folder that is gone when the test is over.
func temporaryFolder(_ test: XCTestCase) throws -> String {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  test.addTeardownBlock { try? FileManager.default.removeItem(at: url) }
  return url.path
}

/// Writes a file of lines into a folder, which is made.
func write(_ lines: [Data], to path: String, _ name: String) throws {
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  var text = Data()
  for line in lines { text += line + Data([0x0A]) }
  try text.write(to: URL(fileURLWithPath: path + "/" + name))
}

/// What a body throws, in words.
func sentence(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}

/// A benchmark that a test writes: problems with their samples, a letter for each.
///
///     R right   A, B, C wrong, of three classes   L cut   N no answer   T out of time
///     I infrastructure   + right, - wrong, both of programs, which have no class
struct BenchmarkMaker {
  var name = "easy"
  var problems: [(id: String, samples: String)]
  var samples = 4
  var sampling = SamplingChoices(maxTokens: 96, seed: 42)
  var prompt = JSONValue.members([("words", .string("1"))])
  var judge = "mathematics 1"
  var sha256 = "aa"
  var missing = MissingSamplesRule.refuse
  var ratings: [Double] = []
  /// Of a sample's letter: tokens of its answer.
  var tokens: [Character: Int] = ["R": 20, "L": 96]
  /// The right answers, by the problems' places.
  var references: [String] = []

  var folder: String { name.lowercased().split(separator: " ").joined(separator: "-") }

  func judged(_ place: Int) -> JudgedProblem {
    let (id, letters) = problems[place]
    var verdicts: [JudgedProblem.Verdict] = []
    var samples: [JudgedProblem.Sample] = []
    for (number, letter) in letters.enumerated() {
      let verdict = self.verdict(letter, reference(place))
      let index = verdicts.firstIndex(of: verdict) ?? verdicts.count
      if index == verdicts.count { verdicts.append(verdict) }
      samples.append(.init(number: number, verdict: index, tokens: tokens[letter] ?? 10))
    }
    return JudgedProblem(
      id: id, judge: judge, verdicts: verdicts, samples: samples,
      rating: place < ratings.count ? ratings[place] : nil)
  }

  func reference(_ place: Int) -> String {
    place < references.count ? references[place] : "\(100 + place)"
  }

  private func verdict(_ letter: Character, _ reference: String) -> JudgedProblem.Verdict {
    switch letter {
    case "R": .init(.right, answerClass: 0, answer: reference, reason: "It is equal.")
    case "L": .init(.cut, answerClass: nil, answer: nil, reason: "It was cut.")
    case "N": .init(.noAnswer, answerClass: nil, answer: nil, reason: "There is no answer.")
    case "T": .init(.timeout, answerClass: nil, answer: "loop()", reason: "It ran past its time.")
    case "I": .init(.infrastructure, answerClass: nil, answer: nil, reason: "No sandbox.")
    case "+": .init(.right, answerClass: nil, answer: "good()", reason: "All tests passed.")
    case "-": .init(.wrong, answerClass: nil, answer: "bad()", reason: "Test 2 failed.")
    default:
      .init(
        .wrong, answerClass: Int(letter.asciiValue ?? 0), answer: "wrong \(letter)",
        reason: "It is another number.")
    }
  }

  func evaluated(in path: String) throws -> EvaluatedBenchmark {
    let folder = path + "/" + self.folder
    let judged = problems.indices.map { self.judged($0) }
    try write(judged.map { JournalLine.encoded($0.json) }, to: folder, "scores.jsonl")
    try write(
      problems.enumerated().map { place, problem in
        JSONValue.members([
          ("id", .string(problem.id)), ("question", .string("What is number \(problem.id)?")),
          ("reference", .members([("answer", .string(reference(place)))])),
        ]).serialized()
      }, to: folder, "problems.jsonl")
    try write([Data("{}".utf8)], to: folder, "identity.json")
    return EvaluatedBenchmark(
      name: name, folder: self.folder, problemsSHA256: sha256, samplesPerProblem: samples,
      sampling: sampling, prompt: prompt, judge: judge, missingSamples: missing, seconds: 1.5,
      problems: judged)
  }
}

/// Writes a model's folder with `evaluation.json` as `distill evaluate` leaves it.
@discardableResult
func writeEvaluation(
  _ path: String, model: String, weights: String = "11", toolkit: String = "0.1.0",
  preset: ModelEvaluation.Preset? = nil, _ benchmarks: [BenchmarkMaker]
) throws -> String {
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  let evaluation = ModelEvaluation(
    path: path, model: model,
    identity: .members([("kind", .string("local")), ("weights", .string(weights))]),
    preset: preset, toolkit: toolkit, benchmarks: try benchmarks.map { try $0.evaluated(in: path) })
  try evaluation.write(with: try Bootstrap(resamples: 100))
  return path
}

/// So many problems of an id each, with samples that repeat.
func problems(_ count: Int, _ samples: String...) -> [(id: String, samples: String)] {
  (0..<count).map { (String(format: "p%03d", $0), samples[$0 % samples.count]) }
}
