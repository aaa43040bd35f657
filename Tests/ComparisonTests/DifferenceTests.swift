import Foundation
import Storage
import Teachers
import XCTest

@testable import Comparison
@testable import Evaluation

/// Why two evaluations have different scores.
final class DifferenceTests: XCTestCase {
  private let maker = BenchmarkMaker(problems: problems(6, "RRRA", "AAAB", "RRAA"))

  private func difference(
    _ path: String, _ a: BenchmarkMaker, _ b: BenchmarkMaker, weights: String = "11"
  ) throws -> EvaluationDifference {
    try writeEvaluation(path + "/a", model: "model", [a])
    try writeEvaluation(path + "/b", model: "model", weights: weights, [b])
    return try EvaluationDifference(path + "/a", path + "/b")
  }

  private func finding(_ difference: EvaluationDifference) -> String {
    difference.finding(on: difference.benchmarks[0])
  }

  func testWhatNothingButSamplingExplains() throws {
    let path = try temporaryFolder(self)
    var other = maker
    XCTAssertEqual(
      finding(try difference(path, maker, other)),
      "The settings are the same, and so are the scores of every problem.")
    other.problems[1].samples = "RAAB"
    XCTAssertEqual(
      finding(try difference(path, maker, other)),
      "The settings are the same: the difference is that of sampling.")
    other.sampling.seed = 7
    let seeds = try difference(path, maker, other)
    XCTAssertEqual(
      finding(seeds), "Nothing differs but the seed: the difference is that of sampling.")
    XCTAssertEqual(
      seeds.benchmarks[0].settings, [.init(name: "sampling.seed", first: "42", second: "7")])
    other.judge = "mathematics 2"
    XCTAssertEqual(
      finding(try difference(path, maker, other)), "Nothing differs but the sampling and the judge."
    )
    // Both have one name, so that their folders tell them apart.
    XCTAssertEqual(seeds.names.first, path + "/a")
  }

  func testEverySettingThatDiffers() throws {
    let path = try temporaryFolder(self)
    var other = maker
    other.sampling = SamplingChoices(
      temperature: 1, topP: 0.9, maxTokens: 50, seed: 42, stop: ["x"])
    other.prompt = .members([
      ("words", .string("1")), ("mathematics", .string("Think: {question}")),
    ])
    (other.judge, other.samples, other.missing) = ("mathematics 2", 5, .mark)
    try writeEvaluation(path + "/a", model: "base", [maker])
    try writeEvaluation(
      path + "/b", model: "student", weights: "22", toolkit: "0.2.0",
      preset: .init(name: "paper", sha256: "00", changes: []), [other])
    let difference = try EvaluationDifference(path + "/a", path + "/b")
    XCTAssertEqual(
      (difference.settings + difference.benchmarks[0].settings).map {
        "\($0.name): \($0.first) -> \($0.second)"
      },
      [
        "model.weights: 11 -> 22",
        "preset: none -> {\"name\":\"paper\",\"sha256\":\"00\",\"changes\":[]}",
        "program's version: 0.1.0 -> 0.2.0", "sampling.temperature: 0.6 -> 1.0",
        "sampling.topP: 0.95 -> 0.9", "sampling.maxTokens: 96 -> 50",
        "sampling.stop: [] -> [\"x\"]",
        "prompt.mathematics: none -> Think: {question}", "samples of each problem: 4 -> 5",
        "judge: mathematics 1 -> mathematics 2", "missing samples: refuse -> mark",
      ])
    XCTAssertEqual(
      finding(difference),
      "Nothing differs but the model, the preset, the program's version, the sampling, the prompt, the "
        + "samples of each problem, the judge and the missing samples.")
    XCTAssertEqual(difference.names.second, "student")
  }

  func testOtherProblems() throws {
    let path = try temporaryFolder(self)
    var other = maker
    other.sha256 = "bb"
    other.problems[0].id = "new"
    other.references = ["100", "another"]
    let difference = try difference(path, maker, other)
    let benchmark = difference.benchmarks[0]
    XCTAssertEqual(finding(difference), "Nothing differs but the problems.")
    XCTAssertEqual([benchmark.onlyFirst, benchmark.onlySecond, benchmark.flips.shared], [1, 1, 5])
    XCTAssertEqual(benchmark.changedProblems, ["p001"])
    XCTAssertEqual(benchmark.comparisons.map(\.differences.count), [5, 5])
    XCTAssertEqual(
      difference.dataSentences(benchmark),
      [
        "1 problem was asked in the first alone; scores are compared on the 5 that both have.",
        "1 problem was asked in the second alone; scores are compared on the 5 that both have.",
        "One problem has another question or reference in the second: 'p001'.",
      ])
  }

  func testProblemsThatFlip() throws {
    let path = try temporaryFolder(self)
    let samples = [
      // id, first, second
      ("lost", "RRRR", "AAAR"), ("lost-less", "RRRA", "RAAA"), ("won", "AAAR", "RRRA"),
      ("tie", "RRAA", "RRRA"), ("same", "RRRR", "RRRR"), ("cut", "LLLR", "LLLL"),
      ("never", "NNNN", "LLNN"), ("split", "RRAB", "RAAB"),
    ]
    func maker(_ sample: KeyPath<(String, String, String), String>) -> BenchmarkMaker {
      BenchmarkMaker(problems: samples.map { ($0.0, $0[keyPath: sample]) })
    }
    let difference = try difference(path, maker(\.1), maker(\.2))
    let flips = difference.benchmarks[0].flips
    XCTAssertEqual(flips.lost.map(\.problem), ["lost", "lost-less", "cut", "split"])
    // A tie of right and wrong is no solution.
    XCTAssertEqual(flips.won.map(\.problem), ["won", "tie"])
    XCTAssertEqual([flips.bothSolved, flips.neitherSolved, flips.shared], [1, 1, 8])
    XCTAssertEqual(
      flips.lost[0],
      ProblemFlips.Flip(
        problem: "lost",
        first: .init(answer: "100", isRight: true, reason: "It is equal.", right: 4, samples: 4),
        second: .init(
          answer: "wrong A", isRight: false, reason: "It is another number.", right: 1, samples: 4),
        reference: "100"))
    XCTAssertEqual(
      flips.lost[2].second,
      .init(answer: nil, isRight: false, reason: "It was cut.", right: 0, samples: 4))
    XCTAssertEqual(
      flips.sentence,
      "6 of 8 problems flipped: 4 from right to wrong and 2 from wrong to right, by the answer that "
        + "most samples have; both solve 1, neither 1.")
  }

  func testProgramsFlipByTheirRate() throws {
    let path = try temporaryFolder(self)
    func maker(_ first: String, _ second: String) -> BenchmarkMaker {
      BenchmarkMaker(
        name: "code", problems: [("p", first), ("q", second), ("r", "++T-")], missing: .mark)
    }
    let difference = try difference(path, maker("+++-", "--T-"), maker("++--", "+I++"))
    let benchmark = difference.benchmarks[0]
    XCTAssertEqual(benchmark.flips.lost.map(\.problem), ["p"])
    XCTAssertEqual(benchmark.flips.won.map(\.problem), ["q"])
    XCTAssertEqual(benchmark.flips.won[0].second.samples, 3)
    XCTAssertEqual(benchmark.flips.won[0].first.reason, "Test 2 failed.")
    XCTAssertNil(benchmark.flips.won[0].first.answer)
    XCTAssertTrue(
      difference.text().contains("0/4      3/3   (Test 2 failed.)"),
      difference.text())
    XCTAssertEqual(benchmark.comparisons.map(\.name), ["pass@1"])
  }

  func testTheSameAnswerJudgedOtherwise() throws {
    let path = try temporaryFolder(self)
    var other = maker
    // The wrong answer A became the reference: its letter is R, its text the same.
    other.problems[1].samples = "RRRB"
    other.references = ["100", "wrong A"]
    other.judge = "mathematics 2"
    let difference = try difference(path, maker, other)
    let won = try XCTUnwrap(difference.benchmarks[0].flips.won.first)
    XCTAssertTrue(won.isSameAnswer)
    XCTAssertEqual(
      difference.text(),
      """
      first    \(path)/a, 'model'
      second   \(path)/b, 'model'

      easy

      \(wrapped(difference.benchmarks[0].comparisons[0].sentence, width: 100, indent: 2)
        .joined(separator: "\n"))
      \(wrapped(difference.benchmarks[0].comparisons[1].sentence, width: 100, indent: 2)
        .joined(separator: "\n"))

      Nothing differs but the judge.

      setting   first           second
      -------   -------------   -------------
      judge     mathematics 1   mathematics 2

      1 of 6 problems flipped: 0 from right to wrong and 1 from wrong to right, by the answer that most
        samples have; both solve 2, neither 3.

      wrong to right   first   second   first's answer   second's answer              reference
      --------------   -----   ------   --------------   --------------------------   ---------
      p001               0/4      3/4   wrong A          wrong A (judged otherwise)   101
      """)
    XCTAssertFalse(difference.text(problems: 0).contains("wrong to right  "))
  }

  func testManyFlipsAreCut() throws {
    let path = try temporaryFolder(self)
    let difference = try difference(
      path, BenchmarkMaker(problems: problems(14, "AAAA")),
      BenchmarkMaker(problems: problems(14, "RRRR")))
    XCTAssertTrue(difference.text().hasSuffix("\nand 4 more; '--problems' lists them."))
    XCTAssertTrue(difference.text(problems: 14).hasSuffix("113"))
    let json = String(decoding: difference.json.serialized(), as: UTF8.self)
    XCTAssertEqual(json.components(separatedBy: "\"problem\":").count, 15)
    XCTAssertTrue(
      json.contains(
        "{\"problem\":\"p000\",\"first\":{\"answer\":\"wrong A\",\"isRight\":false,\"right\":0,"
          + "\"samples\":4,\"reason\":\"It is another number.\"},\"second\":{\"answer\":\"100\","
          + "\"isRight\":true,\"right\":4,\"samples\":4,\"reason\":\"It is equal.\"},"
          + "\"reference\":\"100\"}"), json)
  }

  func testWhatCantBeSetAgainstEachOther() throws {
    let path = try temporaryFolder(self)
    try writeEvaluation(path + "/a", model: "a", [maker])
    XCTAssertEqual(
      sentence { _ = try EvaluationDifference(path + "/a", path + "/a/../a") },
      "\(path)/a and \(path)/a/../a are the same evaluation. Name two.")
    try writeEvaluation(
      path + "/b", model: "b", [BenchmarkMaker(name: "hard", problems: problems(3, "RRAA"))])
    XCTAssertEqual(
      sentence { _ = try EvaluationDifference(path + "/a", path + "/b") },
      "\(path)/a and \(path)/b share no benchmark: the first has 'easy', the second 'hard'.")
    XCTAssertEqual(
      sentence { _ = try EvaluationDifference(path + "/a", path + "/elsewhere") },
      "\(path)/elsewhere: there is no such folder.")
  }

  func testReferencesOfAllKinds() throws {
    let path = try temporaryFolder(self)
    try write(
      [
        #"{"id": "a", "reference": {"answer": "1/2"}}"#,
        #"{"id": "b", "reference": {"choices": ["x", "y"], "correct": 1}}"#,
        #"{"id": "c", "reference": {"program": {}}}"#, #"{"id": "d", "reference": {"text": "t"}}"#,
        #"{"id": "e", "reference": {"choices": ["x"], "correct": 3}}"#, #"{"id": "f"}"#, "[1]", "{",
      ].map { Data($0.utf8) }, to: path, "problems.jsonl")
    let texts = try ProblemTexts(path)
    XCTAssertEqual(
      ["a", "b", "c", "d", "e", "f", "g"].map { texts.reference($0) },
      ["1/2", "B (y)", "tests", "t", nil, nil, nil])
  }
}
