import Foundation
import Scores
import Storage
import Teachers

/// One model's samples of one benchmark, judged: an entry of `evaluation.json` and the lines of
/// `scores.jsonl` in the benchmark's folder.
public struct EvaluatedBenchmark: Sendable {
  /// What tables call it: `AIME 2024`.
  public let name: String
  /// Its folder's name beside `evaluation.json`.
  public let folder: String
  /// SHA-256 of the benchmark's `problems.jsonl`: two with the same one asked the same problems.
  public let problemsSHA256: String
  public let samplesPerProblem: Int
  public let sampling: SamplingChoices
  /// What made prompts of problems, as the recipe or its preset has it.
  public let prompt: JSONValue
  /// The rules by which answers were judged, with their versions.
  public let judge: String
  /// What to do where samples are missing: refuse figures, or mark them.
  public let missingSamples: MissingSamplesRule
  /// Seconds of sampling and judging, over all sessions.
  public let seconds: Double
  /// All problems that were to be asked, those without a sample too.
  public let problems: [JudgedProblem]
  /// Problems of the files that are left out because they ask word for word what an earlier one asks.
  public let problemsRepeated: Int
  /// Some tokens were not told by the teacher, and are taken to be four bytes each.
  public let tokensAreEstimated: Bool

  /// What figures are computed from.
  ///
  /// - Throws: `ScoreError`.
  public var scored: ScoredBenchmark {
    get throws(ScoreError) {
      try ScoredBenchmark(
        name: name, samplesAsked: samplesPerProblem, problems: problems.map(\.scored))
    }
  }

  // MARK: Files

  /// The file of verdicts in a benchmark's folder.
  static let scoresName = "scores.jsonl"

  /// What its entry of `evaluation.json` holds besides figures.
  var members: [(key: String, value: JSONValue)] {
    JSONObject(present: [
      ("name", .string(name)), ("folder", .string(folder)),
      ("problems", .number(JSONNumber(problems.count))),
      ("problemsRepeated", problemsRepeated > 0 ? .number(JSONNumber(problemsRepeated)) : nil),
      ("problemsSHA256", .string(problemsSHA256)),
      ("samplesPerProblem", .number(JSONNumber(samplesPerProblem))),
      ("sampling", sampling.json), ("prompt", prompt), ("judge", .string(judge)),
      ("missingSamples", .string(missingSamples.rawValue)),
      ("seconds", JSONNumber(seconds).map { .number($0) } ?? .null),
      ("tokensAreEstimated", tokensAreEstimated ? .bool(true) : nil),
    ]).members
  }

  init(
    name: String, folder: String, problemsSHA256: String, samplesPerProblem: Int,
    sampling: SamplingChoices, prompt: JSONValue, judge: String, missingSamples: MissingSamplesRule,
    seconds: Double, problems: [JudgedProblem], problemsRepeated: Int = 0,
    tokensAreEstimated: Bool = false
  ) {
    (self.name, self.folder, self.problemsSHA256) = (name, folder, problemsSHA256)
    (self.samplesPerProblem, self.sampling, self.prompt) = (samplesPerProblem, sampling, prompt)
    (self.judge, self.missingSamples, self.seconds) = (judge, missingSamples, seconds)
    self.problems = problems
    (self.problemsRepeated, self.tokensAreEstimated) = (problemsRepeated, tokensAreEstimated)
  }

  /// Reads an entry, and the verdicts of its folder.
  ///
  /// - Throws: `EvaluationError`, `SampleError`, `FileError`.
  init(_ value: JSONValue, in path: String, place: String) throws {
    do {
      let members = try JSONMembers(value, place: place)
      name = try members.text("name")
      folder = try members.text("folder")
      problemsSHA256 = try members.text("problemsSHA256")
      samplesPerProblem = try members.count("samplesPerProblem")
      sampling = try SamplingChoices(try members.members("sampling"))
      prompt = members.object["prompt"] ?? .null
      judge = try members.text("judge")
      missingSamples = try members.choice("missingSamples", as: MissingSamplesRule.self)
      seconds = try members.number("seconds")
      problemsRepeated = try members.optionalCount("problemsRepeated") ?? 0
      tokensAreEstimated = members.object["tokensAreEstimated"] == .bool(true)
      guard !folder.isEmpty, !folder.hasPrefix("."), !folder.utf8.contains(UInt8(ascii: "/")) else {
        throw EvaluationError(
          place, "'folder' is \(quoted(folder)), no name of a folder beside it.")
      }
      problems = try Self.judged(at: path + "/" + folder + "/" + Self.scoresName)
      let count = try members.count("problems")
      guard count == problems.count else {
        throw EvaluationError(
          place,
          "benchmark \(quoted(name)) has \(count) problems here, and \(problems.count) in "
            + "\(folder)/\(Self.scoresName). Run the evaluation again; what was sampled is kept.")
      }
    } catch let error as JSONMemberError {
      throw EvaluationError("\(error)")
    }
  }

  /// The problems of a file of verdicts. Of a problem that is there twice, the last line counts.
  ///
  /// - Throws: `EvaluationError`, `SampleError`, `FileError`.
  static func judged(at path: String) throws -> [JudgedProblem] {
    var problems: [JudgedProblem] = []
    var places: [[UInt8]: Int] = [:]
    try SampleLines(at: path).forEach { line, _, number in
      let place = "\(path):\(number)"
      let problem = try JudgedProblem(JournalLine.decoded(line, place: place), place: place)
      let id = Array(problem.id.utf8)
      if let index = places[id] {
        problems[index] = problem
      } else {
        places[id] = problems.count
        problems.append(problem)
      }
    }
    return problems
  }
}
