import Foundation
import Storage
import XCTest

@testable import Comparison

/// The table of models, in all its forms.
final class TableTests: XCTestCase {
  /// Two models on two benchmarks, and two rows that were not measured.
  private func recipe(_ path: String) throws -> ComparisonRecipe {
    try writeEvaluation(
      path + "/base", model: "base",
      [
        BenchmarkMaker(problems: problems(20, "RABA", "AAAL", "RRAA", "ABCN")),
        BenchmarkMaker(name: "AIME 2024", problems: problems(6, "RABC", "AAAL", "RRRR")),
      ])
    try writeEvaluation(
      path + "/student", model: "student",
      [
        BenchmarkMaker(problems: problems(20, "RRRR", "RRAA", "RRRA", "RRRR")),
        BenchmarkMaker(name: "AIME 2024", problems: problems(6, "RRRA", "AARN", "RRRR")),
      ])
    return ComparisonRecipe(
      title: "A small | table",
      rows: [
        .init(name: "base", evaluation: path + "/base", parameters: 1_000),
        .init(name: "distilled", evaluation: path + "/student"),
        .init(published: "QwQ-32B-Preview"),
        .init(name: "own", source: "a model card", figures: ["AIME 2024": ["pass@1": 12.5]]),
      ], resamples: 200, output: path + "/table")
  }

  func testTheText() throws {
    let comparison = try ModelComparison(try recipe(try temporaryFolder(self)))
    XCTAssertEqual(
      comparison.text,
      """
      A small | table

      easy (20 problems, 4 samples of each, temperature 0.6, top-p 0.95, at most 96 tokens)

      model                  pass@1              cons@4   tokens
      ---------   -----------------   -----------------   ------
      base        18.8 [11.3, 30.2]    12.5 [5.5, 26.9]     17.3
      distilled   81.3 [72.3, 88.8]   87.5 [77.5, 95.0]     18.1

      AIME 2024 (6 problems, 4 samples of each, temperature 0.6, top-p 0.95, at most 96 tokens)

      model                          pass@1               cons@4   tokens
      -----------------   -----------------   ------------------   ------
      base                41.7 [12.5, 75.0]    41.7 [12.5, 75.0]     21.3
      distilled           66.7 [41.7, 88.7]   66.7 [22.7, 100.0]     16.7
      QwQ-32B-Preview †                50.0                    —        —
      own ‡                            12.5                    —        —

      [low, high]: intervals of 95 % over problems. Tokens: of an answer, the mean.
      'base' on 'easy': 6.3 % of the answers were cut at 96 tokens, which counts as not right; whole ones
        would be longer.
      'base' on 'AIME 2024': 8.3 % of the answers were cut at 96 tokens, which counts as not right; whole
        ones would be longer.
      'AIME 2024': published figures are of 30 problems; 'base' was asked 6.
      'AIME 2024': published figures are of 30 problems; 'distilled' was asked 6.
      † 'QwQ-32B-Preview': as published, DeepSeek-R1, arXiv 2501.12948, Tables 5 and 6; not measured here,
        so without an interval.
      ‡ 'own': from a model card; not measured here, so without an interval.
      † 'QwQ-32B-Preview': The model's card has 44.0 on 'AIME 2024' (pass@1), where the paper has 50.0.

      What it supports

      pass@1 and cons@4: 'distilled' beats 'base' on 1 of 2 benchmarks ('easy'); on 'AIME 2024' the
        difference isn't clear.
      6 problems can't tell 'distilled' (66.7) from 'base' (41.7) on 'AIME 2024' (pass@1): the difference
        is 25.0 points (95 %: 12.5 to 40.6; p 0.125), and only one of 25.6 would show with a power of
        80 %.
      'QwQ-32B-Preview' † and 'distilled' on 'AIME 2024', pass@1: 6 problems can't tell 50.0 from 66.7:
        with one sample of each, only a difference of 78.6 points would show (95 % confidence, 80 %
        power); 134 problems could.
      'own' ‡ and 'QwQ-32B-Preview' † on 'AIME 2024', pass@1: 30 problems can tell 12.5 from 50.0: with
        one sample of each, a difference of 30.7 points would show (95 % confidence, 80 % power).

      first             second            column                     difference   p, corrected   would show
      ---------------   ---------------   ----------------   ------------------   ------------   ----------
      distilled         base              easy pass@1        +62.5 [48.8, 71.3]       < 0.0001         18.0
      distilled         base              easy cons@4        +75.0 [60.0, 83.8]       < 0.0001         16.1
      distilled         base              AIME 2024 pass@1   +25.0 [12.5, 40.6]          0.125         25.6
      distilled         base              AIME 2024 cons@4    +25.0 [0.0, 50.0]          0.500         44.3
      QwQ-32B-Preview   distilled         AIME 2024 pass@1                -16.7              —         78.6
      own               QwQ-32B-Preview   AIME 2024 pass@1                -37.5              —         30.7
      Points of the first minus the second, problem by problem. What is called better is so with 95 %
        confidence for all benchmarks of a pair together: p-values are corrected by Holm's method. 'would
        show': the smallest difference that so many problems show with 95 % confidence and 80 % power.
      """)
    XCTAssertTrue(comparison.text.split(separator: "\n").allSatisfy { $0.count <= 105 })
  }

  func testTheMarkdown() throws {
    let markdown = try ModelComparison(try recipe(try temporaryFolder(self))).markdown
    XCTAssertTrue(
      markdown.hasPrefix(
        """
        # A small \\| table

        ## easy (20 problems, 4 samples of each, temperature 0.6, top-p 0.95, at most 96 tokens)

        | model | pass@1 | cons@4 | tokens |
        |---|---:|---:|---:|
        | base | 18.8 \\[11.3, 30.2] | 12.5 \\[5.5, 26.9] | 17.3 |
        | distilled | 81.3 \\[72.3, 88.8] | 87.5 \\[77.5, 95.0] | 18.1 |

        ## AIME 2024
        """), markdown)
    XCTAssertTrue(markdown.contains("\n| QwQ-32B-Preview † | 50.0 | — | — |\n"))
    XCTAssertTrue(markdown.contains("\n- † 'QwQ-32B-Preview': The model's card has 44.0 on "))
    XCTAssertTrue(
      markdown.contains(
        "\n| first | second | column | difference | p, corrected | would show |\n"
          + "|---|---|---|---:|---:|---:|\n"
          + "| distilled | base | easy pass@1 | +62.5 \\[48.8, 71.3] | &lt; 0.0001 | 18.0 |\n"))
  }

  func testWhatMarkdownWouldTakeForSigns() {
    XCTAssertEqual(
      Markdown.escaped("a|b\n<i>&`*_[x](y)~$#\\ @you pass@1\u{202E}"),
      "a\\|b &lt;i&gt;&amp;\\`\\*\\_\\[x](y)\\~\\$\\#\\\\ \\@you pass@1 ")
  }

  func testTheLinesOfCSV() throws {
    let comparison = try ModelComparison(try recipe(try temporaryFolder(self)))
    let lines = comparison.csv.components(separatedBy: "\r\n")
    XCTAssertEqual(lines.count, 1 + 6 + 6 + 1 + 1 + 1)
    XCTAssertEqual(
      lines[0],
      "model,kind,source,benchmark,score,value,bound,low,high,confidence,problems,"
        + "samples_per_problem,samples_missing")
    XCTAssertEqual(
      lines.filter { $0.hasPrefix("base,measured,,AIME 2024") },
      [
        "base,measured,,AIME 2024,pass@1,41.66666666666667,,12.5,75.0,0.95,6,4,0",
        "base,measured,,AIME 2024,cons@4,41.66666666666667,,12.5,75.0,0.95,6,4,0",
        "base,measured,,AIME 2024,tokens,21.333333333333332,,,,,6,4,0",
      ])
    XCTAssertEqual(
      lines.suffix(3),
      [
        "QwQ-32B-Preview,published,\"DeepSeek-R1, arXiv 2501.12948, Tables 5 and 6\",AIME 2024,pass@1,"
          + "50.0,,,,,,,", "own,stated,a model card,AIME 2024,pass@1,12.5,,,,,,,", "",
      ])
  }

  func testTheJSON() throws {
    let path = try temporaryFolder(self)
    let json = try ModelComparison(try recipe(path)).json
    let text = String(decoding: json.serialized(), as: UTF8.self)
    let published =
      "{\"name\":\"QwQ-32B-Preview\",\"kind\":\"published\",\"source\":\"DeepSeek-R1, arXiv 2501.12948, "
      + "Tables 5 and 6\",\"remarks\":[\"The model's card has 44.0 on 'AIME 2024' (pass@1), where the "
      + "paper has 50.0.\"],\"cells\":[null,null,{\"value\":50.0},null]}"
    XCTAssertTrue(text.contains(published), text)
    XCTAssertTrue(
      text.contains(
        "\"cells\":[{\"value\":18.75,\"low\":11.25,\"high\":30.247939923670724,\"problems\":20,"
          + "\"samplesPerProblem\":4},"))
    XCTAssertTrue(text.contains("\"consensus\":[0.1875,0.1875,0.16666666666666666,0.125]}"))
    XCTAssertTrue(
      text.contains(
        "{\"benchmark\":\"AIME 2024\",\"score\":\"pass@1\",\"difference\":-37.5,\"problems\":30,"
          + "\"wouldShow\":"))
  }

  func testAllFilesAreWritten() throws {
    let path = try temporaryFolder(self)
    let recipe = try recipe(path)
    let (text, report) = try ModelComparison.run(recipe)
    XCTAssertEqual(report, path + "/table/report.html")
    let names = try FileManager.default.contentsOfDirectory(atPath: path + "/table").sorted()
    XCTAssertEqual(names, ModelComparison.files.sorted())
    func contents() throws -> [Data] {
      try names.map { try Data(contentsOf: URL(fileURLWithPath: path + "/table/" + $0)) }
    }
    let first = try contents()
    XCTAssertTrue(first.contains(Data((text + "\n").utf8)))
    // Again, the same bytes.
    _ = try ModelComparison.run(recipe)
    XCTAssertEqual(try contents(), first)
  }

  func testColumnsAndTheirGaps() throws {
    let path = try temporaryFolder(self)
    var recipe = try recipe(path)
    try writeEvaluation(
      path + "/programs", model: "programs",
      [BenchmarkMaker(name: "code", problems: problems(4, "++", "+-"), samples: 2)])
    recipe.rows = [recipe.rows[0], .init(name: "programs", evaluation: path + "/programs")]
    recipe.columns = [
      .init(benchmark: "code", score: "cons@2"), .init(benchmark: "code", score: "pass@2"),
      .init(benchmark: "easy", score: "cons@64"), .init(benchmark: "easy", score: "rating"),
      .init(benchmark: "easy", score: "pass@2"), .init(benchmark: "easy", score: "avg@1"),
    ]
    let comparison = try ModelComparison(recipe)
    XCTAssertEqual(comparison.table.benchmarks, ["code", "easy"])
    XCTAssertEqual(
      comparison.table.cells.map { $0.map { $0.map { Words.points($0.value) } } },
      [[nil, nil, nil, nil, "33.3", "50.0"], [nil, "100.0", nil, nil, nil, nil]])
    XCTAssertEqual(
      comparison.table.gaps,
      [
        "'base' has no cons@64: 'easy': cons@64 needs 64 samples of each problem; problem 'p000' has "
          + "4. Get more, or ask for a k of at most 4.",
        "'base' has no rating: 'easy': problem 'p000' has no rating. Leave it out or rate it.",
        "'programs' has no cons@2: 'code': problem 'p000', sample 1 is 'right' without a class of "
          + "answers. Only answers that were compared with each other can vote.",
      ])
    recipe.columns = [.init(benchmark: "eas", score: "pass@1")]
    XCTAssertEqual(
      sentence { _ = try ModelComparison(recipe) },
      "'columns' names the benchmark 'eas', which no row has. Did you mean 'easy'?")
    recipe.columns = [.init(benchmark: "GSM8K", score: "pass@1")]
    XCTAssertEqual(
      sentence { _ = try ModelComparison(recipe) },
      "'columns' names the benchmark 'GSM8K', which no row has. There are 'easy', 'AIME 2024', "
        + "'code'.")
  }

  func testTheMostCommonNumberOfSamples() {
    XCTAssertEqual(ComparisonTable.mostCommon([8, 16, 8]), 8)
    XCTAssertEqual(ComparisonTable.mostCommon([8, 16]), 16)
    XCTAssertNil(ComparisonTable.mostCommon([]))
  }

  func testParametersAreThoseOfTheTrainedModel() throws {
    let path = try temporaryFolder(self)
    try write([Data("{}".utf8)], to: path + "/samples", "identity.json")
    try write(
      [Data(#"{"kind":"start","step":0,"parameters":500}"#.utf8)], to: path + "/student",
      "metrics.jsonl")
    func parameters(_ own: Int?) throws -> Int? {
      let row = ComparisonRecipe.Row(
        name: "a", parameters: own,
        made: [.init(path + "/student"), .init(path + "/samples", parameters: 9_000)], source: "s",
        figures: ["easy": ["pass@1": 1]])
      return try ComparedRow(row, number: 0).parameters
    }
    XCTAssertEqual(try parameters(nil), 500)
    XCTAssertEqual(try parameters(7), 7)
  }

  func testFieldsOfCSVInQuotes() throws {
    let recipe = ComparisonRecipe(
      title: "T",
      rows: [.init(name: "a \"b\",\nc", source: "s", figures: ["e": ["pass@1": 1]])], output: "o")
    XCTAssertEqual(
      try ModelComparison(recipe).csv.components(separatedBy: "\r\n")[1],
      "\"a \"\"b\"\",\nc\",stated,s,e,pass@1,1.0,,,,,,,")
  }

  func testUsualColumns() throws {
    let path = try temporaryFolder(self)
    // Two of three have 8 samples; programs have no vote; all problems are rated.
    for (name, samples) in [("a", "RRAA"), ("b", "RRAARRAA"), ("c", "RRAAAAAA")] {
      try writeEvaluation(
        path + "/" + name, model: name,
        [
          BenchmarkMaker(problems: problems(3, samples), samples: samples.count),
          BenchmarkMaker(
            name: "code", problems: problems(2, "+-", "--"), samples: 2, ratings: [1_200, 1_600]),
        ])
    }
    let comparison = try ModelComparison(
      ComparisonRecipe(
        title: "T",
        rows: ["a", "b", "c"].map { .init(name: $0, evaluation: path + "/" + $0) }
          + [
            .init(published: "GPT-4o-0513"),
            .init(name: "own", source: "s", figures: ["code": ["rating": 1_500]]),
          ], output: path + "/table"))
    XCTAssertEqual(
      comparison.table.columns.map { "\($0.benchmark) \($0.score.text)" },
      ["easy pass@1", "easy cons@8", "code pass@1", "code rating"])
    // At 1,200 + d one problem of two attempts each is solved once: 1 / (1 + 10^(…)) summed is 1/2.
    let rating = try XCTUnwrap(comparison.table.cells[0][3])
    let expected = [1_200.0, 1_600].reduce(0) { $0 + 2 / (1 + pow(10, ($1 - rating.value) / 400)) }
    XCTAssertEqual(expected, 1, accuracy: 1e-6)
    XCTAssertTrue(
      comparison.text.contains("code (2 problems, 2 samples of each"), comparison.text)
    XCTAssertEqual(
      comparison.notes.suffix(3),
      [
        "'GPT-4o-0513' † has none of these figures of 'easy' and 'code'.",
        "‡ 'own': from s; not measured here, so without an interval.",
        "A rating measured here is that of the problems' own ratings; published ones come from "
          + "simulated contests. They aren't to be compared.",
      ])
    XCTAssertFalse(comparison.text.contains("\nGPT"), comparison.text)
    // Published rows alone have all of their columns.
    let published = try ModelComparison(
      ComparisonRecipe(
        title: "T",
        rows: [
          .init(published: "GPT-4o-0513"), .init(published: "DeepSeek-R1-Zero-Qwen-32B"),
        ], output: path + "/table"))
    XCTAssertEqual(published.table.columns.count, 6)
    XCTAssertEqual(published.table.cells[1].map { $0?.value }, [47, 60, 91.6, 55, 40.2, nil])
    XCTAssertTrue(published.text.contains("\nDeepSeek-R1-Zero-Qwen-32B †"), published.text)
  }

  func testFoldersThatAreNoEvaluations() throws {
    let path = try temporaryFolder(self)
    func error(_ folder: String) -> String {
      sentence {
        _ = try ModelComparison(
          ComparisonRecipe(
            title: "T", rows: [.init(name: "base", evaluation: folder)], output: path + "/table"))
      }
    }
    XCTAssertEqual(error(path + "/none"), "row 'base': \(path)/none: there is no such folder.")
    XCTAssertEqual(
      error(path),
      "row 'base': \(path): it is no evaluation of a model. Name a folder that 'distill evaluate' "
        + "left.")
    // Samples, and no evaluation.json yet.
    let unfinished =
      "the evaluation isn't finished. Run 'distill evaluate' again; what was sampled is kept."
    try write([Data("{}".utf8)], to: path + "/e/base/easy", "identity.json")
    XCTAssertEqual(error(path + "/e/base"), "row 'base': \(path)/e/base: \(unfinished)")
    XCTAssertEqual(error(path + "/e"), "row 'base': \(path)/e: \(unfinished)")
    // An output of one model is that model; of two it is not clear which.
    let maker = BenchmarkMaker(problems: problems(3, "RRAA"))
    try writeEvaluation(path + "/f/base", model: "base", [maker])
    XCTAssertEqual(error(path + "/f"), "no error")
    XCTAssertEqual(
      error(path + "/f/bsae"),
      "row 'base': \(path)/f/bsae: there is no such folder. Did you mean 'base'?")
    try writeEvaluation(path + "/f/student", model: "student", [maker])
    XCTAssertEqual(
      error(path + "/f"),
      "row 'base': \(path)/f: it holds the evaluations of several models, 'base', 'student'. Name the "
        + "folder of one.")
  }

  func testTextsAreBrokenAtBlanks() {
    XCTAssertEqual(wrapped("", width: 10, indent: 2), [""])
    XCTAssertEqual(wrapped("aaaa bbbb cccc", width: 9, indent: 2), ["aaaa bbbb", "  cccc"])
    XCTAssertEqual(wrapped("aaaa bbb 95 %", width: 11, indent: 2), ["aaaa bbb", "  95 %"])
    XCTAssertEqual(wrapped("aaaaaaaaaaaa b", width: 5, indent: 1), ["aaaaaaaaaaaa", " b"])
  }
}
