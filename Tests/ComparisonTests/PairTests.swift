import Foundation
import Scores
import Storage
import Teachers
import XCTest

@testable import Comparison
@testable import Evaluation

/// Which rows are set against each other, and what stands beneath the table.
final class PairTests: XCTestCase {
  private func comparison(
    _ path: String, _ models: [(name: String, benchmarks: [BenchmarkMaker])],
    _ change: (inout ComparisonRecipe) -> Void = { _ in }
  ) throws -> ModelComparison {
    for (name, benchmarks) in models {
      try writeEvaluation(path + "/" + name, model: name, benchmarks)
    }
    var recipe = ComparisonRecipe(
      title: "T", rows: models.map { .init(name: $0.name, evaluation: "\(path)/\($0.name)") },
      resamples: 100, output: path + "/table")
    change(&recipe)
    return try ModelComparison(recipe)
  }

  private func names(_ comparison: ModelComparison) -> [String] {
    comparison.pairs.map { "\($0.first) \($0.second)" }
  }

  func testAllPairsOfFewRows() throws {
    let path = try temporaryFolder(self)
    let maker = BenchmarkMaker(problems: problems(4, "RRAA", "RRRR"))
    let few = try comparison(path, ["a", "b", "c"].map { ($0, [maker]) })
    XCTAssertEqual(names(few), ["b a", "c b", "c a"])
    let many = try comparison(path, ["a", "b", "c", "d", "e", "f"].map { ($0, [maker]) })
    XCTAssertEqual(names(many), ["b a", "c b", "d c", "e d", "f e", "f a"])
    let chosen = try comparison(path, ["a", "b", "c"].map { ($0, [maker]) }) {
      $0.compare = [["a", "c"]]
    }
    XCTAssertEqual(names(chosen), ["a c"])
    let published = try comparison(path, ["a", "b"].map { ($0, [maker]) }) {
      $0.rows.insert(.init(published: "GPT-4o-0513"), at: 1)
    }
    XCTAssertEqual(names(published), ["b a", "GPT-4o-0513 a", "b GPT-4o-0513"])
    XCTAssertEqual(
      few.pairs[0].sentences,
      [
        "pass@1 and cons@4: Neither 'b' nor 'a' is clearly better on the one benchmark; on 'easy' they "
          + "are the same problem by problem."
      ])
  }

  func testPairsOfOtherProblemsAreComparedOnSharedOnes() throws {
    let path = try temporaryFolder(self)
    var other = BenchmarkMaker(problems: problems(9, "RRRR"), sha256: "bb")
    other.problems.removeFirst(2)
    let result = try comparison(
      path, [("a", [BenchmarkMaker(problems: problems(8, "AAAA", "RRAA"))]), ("b", [other])])
    let difference = try XCTUnwrap(result.pairs[0].differences.first)
    XCTAssertEqual(difference.sharedProblems, 6)
    guard case .paired(let comparison, _, let verdict) = difference.kind else {
      return XCTFail("not paired")
    }
    XCTAssertEqual(comparison.differences, [1, 0.5, 1, 0.5, 1, 0.5])
    XCTAssertEqual(verdict, .firstIsBetter)
    XCTAssertTrue(result.text.contains("easy pass@1 (6 shared)"), result.text)
    XCTAssertEqual(
      result.notes,
      [
        "'easy': not the same problems were asked: some 'a'; others 'b'. Pairs are compared on problems "
          + "with the same ids."
      ])
    // One problem in common says nothing.
    other.problems = [("p000", "RRRR"), ("q", "RRRR"), ("r", "RRRR")]
    let stranger = try self.comparison(
      path, [("a", [BenchmarkMaker(problems: problems(8, "AAAA"))]), ("b", [other])])
    XCTAssertEqual(stranger.pairs[0].differences.count, 0)
    XCTAssertEqual(
      stranger.notes.last,
      "'b' and 'a' share no two problems of 'easy', so that they aren't compared there.")
    XCTAssertEqual(stranger.notes.count, 2)
  }

  func testConditionsThatDiffer() throws {
    let path = try temporaryFolder(self)
    let one = BenchmarkMaker(problems: problems(3, "RRAA"))
    var other = BenchmarkMaker(problems: problems(3, "RRA"), samples: 3)
    other.sampling = SamplingChoices(
      temperature: 1, topP: 1, maxTokens: 64, seed: 7, stop: ["\n"])
    (other.judge, other.prompt) = ("mathematics 2", .members([("words", .string("2"))]))
    try writeEvaluation(path + "/a", model: "a", [one])
    try writeEvaluation(path + "/b", model: "b", [one])
    try writeEvaluation(
      path + "/c", model: "c", toolkit: "0.2.0",
      preset: .init(name: "paper", sha256: "00", changes: ["topP of easy: 1 in place of 0.95"]),
      [other])
    let result = try ModelComparison(
      ComparisonRecipe(
        title: "T", rows: ["a", "b", "c"].map { .init(name: $0, evaluation: path + "/" + $0) },
        columns: [.init(benchmark: "easy", score: "pass@1")], compare: [], resamples: 100,
        output: path + "/table"))
    XCTAssertEqual(
      result.notes,
      [
        "'easy': samples of each problem: '4' for 'a' and 'b', '3' for 'c'.",
        "'easy': temperature: '0.6' for 'a' and 'b', '1.0' for 'c'.",
        "'easy': top-p: '0.95' for 'a' and 'b', '1.0' for 'c'.",
        "'easy': the limit of tokens: '96' for 'a' and 'b', '64' for 'c'.",
        "'easy': texts that end an answer: '[]' for 'a' and 'b', '[\"\\n\"]' for 'c'.",
        "'easy': the judge's version: 'mathematics 1' for 'a' and 'b', 'mathematics 2' for 'c'.",
        "'easy': the prompt's words: '{\"words\":\"1\"}' for 'a' and 'b', '{\"words\":\"2\"}' for 'c'.",
        "Preset: 'none' for 'a' and 'b', 'paper' for 'c'.",
        "Version of this program: '0.1.0' for 'a' and 'b', '0.2.0' for 'c'.",
        "'c': not quite the preset 'paper': topP of easy: 1 in place of 0.95.",
      ])
    XCTAssertEqual(result.pairs.count, 0)
    XCTAssertTrue(result.text.contains("\neasy (3 problems)\n"), result.text)
  }

  /// A few problems of a benchmark are not the benchmark that published figures are of.
  func testAPartOfABenchmarkBesidePublishedFigures() throws {
    let path = try temporaryFolder(self)
    var part = BenchmarkMaker(problems: problems(4, "RRAA", "RRRR"))
    part.name = "AIME 2024"
    var whole = BenchmarkMaker(problems: problems(30, "RRAA", "RRRR"))
    whole.name = "AIME 2024"
    let words = "'AIME 2024': published figures are of 30 problems; 'part' was asked 4."
    let models = [("part", [part]), ("whole", [whole])]
    XCTAssertFalse(try comparison(path, models).notes.contains(words))
    let beside = try comparison(path, models) { $0.rows.append(.init(published: "GPT-4o-0513")) }
    XCTAssertEqual(beside.notes.filter { $0.contains("published figures are of") }, [words])
  }

  func testMissingSamplesAreMarkedOrRefused() throws {
    let path = try temporaryFolder(self)
    var marked = BenchmarkMaker(problems: problems(4, "RRAA", "RRI"))
    marked.missing = .mark
    var refused = marked
    refused.missing = .refuse
    let result = try comparison(path, [("a", [marked]), ("b", [refused])])
    XCTAssertEqual(
      result.notes,
      [
        "* 'a' on 'easy': 4 of 16 samples are missing (2 never came, 2 lost to failures of the "
          + "infrastructure). Figures are of those that are there.",
        "* 'b' on 'easy': 4 of 16 samples are missing (2 never came, 2 lost to failures of the "
          + "infrastructure). Figures are of those that are there.",
        "'b' has no pass@1: 'easy': 4 of 16 samples are missing (2 never came, 2 lost to failures of "
          + "the infrastructure), first of problem 'p001'. Get them, or ask for a score that is marked.",
        "'b' has no cons@2: 'easy': 4 of 16 samples are missing (2 never came, 2 lost to failures of "
          + "the infrastructure), first of problem 'p001'. Get them, or ask for a score that is marked.",
      ])
    XCTAssertEqual(result.table.cells[0][0]?.value, 75)
    XCTAssertNil(result.table.cells[1][0])
    XCTAssertTrue(result.text.contains("] *"), result.text)
    XCTAssertTrue(result.csv.contains("a,measured,,easy,pass@1,75.0,,"), result.csv)
    XCTAssertTrue(result.csv.contains(",4,4,4\r\n"), result.csv)
  }

  func testACorrectedPValueIsLargerThanItsOwn() throws {
    let path = try temporaryFolder(self)
    let names = ["one", "two", "three"]
    let a = names.map { BenchmarkMaker(name: $0, problems: problems(7, "AAAA")) }
    let b = names.map { BenchmarkMaker(name: $0, problems: problems(7, "RRRR")) }
    let result = try comparison(path, [("a", a), ("b", b)])
    for difference in result.pairs[0].differences {
      guard case .paired(let paired, let corrected, let verdict) = difference.kind else {
        return XCTFail("not paired")
      }
      XCTAssertEqual(paired.pValue, 2 / 128)
      XCTAssertEqual(corrected, 3 * 2 / 128)
      XCTAssertEqual(verdict, .firstIsBetter)
    }
    // Votes are corrected among themselves: six figures, two questions.
    XCTAssertEqual(result.pairs[0].differences.count, 6)
    XCTAssertEqual(
      result.pairs[0].sentences,
      [
        "pass@1 and cons@4: 'b' beats 'a' on 3 of 3 benchmarks ('one', 'two' and 'three')."
      ])
  }

  func testOwnFiguresOnUnknownBenchmarksHaveNoSentence() throws {
    let path = try temporaryFolder(self)
    let rows: [ComparisonRecipe.Row] = [
      .init(name: "x", source: "s", figures: ["LiveCodeBench": ["pass@1": 10]]),
      .init(published: "GPT-4o-0513"),
    ]
    let result = try ModelComparison(
      ComparisonRecipe(
        title: "T", rows: rows, columns: [.init(benchmark: "LiveCodeBench", score: "pass@1")],
        output: path + "/table"))
    XCTAssertEqual(result.pairs.count, 1)
    XCTAssertEqual(result.pairs[0].differences.count, 0)
    XCTAssertEqual(result.sentences, [])
  }
}
