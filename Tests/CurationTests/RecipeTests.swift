import Foundation
import Interface
import Problems
import XCTest

@testable import Curation

final class RecipeTests: XCTestCase {
  private func decoded(_ text: String) throws -> CurationRecipe {
    try decodeRecipe(CurationRecipe.self, from: Data(text.utf8), file: "curate.json5").recipe
  }

  func testEverythingButSamplesAndOutputHasADefault() throws {
    let recipe = try decoded(#"{samples: [{run: "runs/math"}], output: "set"}"#)
    XCTAssertEqual(
      recipe,
      CurationRecipe(samples: [CurationRecipe.SampleRun(run: "runs/math")], output: "set"))
    XCTAssertEqual(recipe.keep, [.correct])
    XCTAssertFalse(recipe.keepsCutAnswers)
    XCTAssertTrue(recipe.format)
    XCTAssertTrue(recipe.duplicates.exact)
    XCTAssertNil(recipe.duplicates.near)
    XCTAssertEqual(recipe.readability.thresholds, .default)
    XCTAssertEqual(recipe.readability.drops.count, 7)
    XCTAssertEqual(recipe.findings, [])
  }

  func testAWholeRecipe() throws {
    let text = """
      {
        samples: [{ run: "runs/math", source: "math", count: 1000 }, { run: "runs/code", weight: 2 }],
        keep: ["correct", "unjudged"],
        keepsCutAnswers: true,
        format: false,
        readability: { drops: ["loop"], paragraphWords: 200 },
        language: { name: "chinese" },
        length: { maxTokens: 32768 },
        tokenizer: "Checkpoints/student",
        duplicates: { near: 0.85 },
        perProblem: { most: 2, choose: "mostReadable", seed: 3 },
        passRate: { min: 0.1, max: 0.9, fewest: 4 },
        decontaminate: { sets: [{ path: "math500.jsonl", source: "MATH-500" }], traces: false },
        judge: { retries: 1 },
        mixture: [{ path: "chat.jsonl", share: 0.25, reasoning: "drop" }],
        prices: { prompt: 0.5, completion: 2.0, currency: "USD" },
        keepInstruction: false,
        seed: 42,
        output: "set",
      }
      """
    let recipe = try decoded(text)
    XCTAssertEqual(recipe.readability.paragraphWords, 200)
    XCTAssertEqual(recipe.readability.paragraphBytes, 6_000)
    XCTAssertEqual(recipe.language, CurationRecipe.LanguageRule(.chinese, share: 0.9))
    XCTAssertEqual(recipe.duplicates, CurationRecipe.DuplicateRules(exact: true, near: 0.85))
    XCTAssertEqual(recipe.judge?.agreement, 100)
    XCTAssertEqual(recipe.decontaminate?.rules, .init())
    XCTAssertEqual(recipe.findings, [])
    // What a manifest keeps reads as the same recipe.
    let again = try JSONDecoder().decode(
      CurationRecipe.self, from: JSONEncoder().encode(recipe))
    XCTAssertEqual(again, recipe)
  }

  func testMistakesInTheFile() {
    for (text, message) in [
      (#"{output: "set"}"#, "curate.json5:1:1: missing key 'samples'."),
      (
        #"{samples: [], output: "s", perProblm: {most: 1}}"#,
        "curate.json5:1:28: unknown key 'perProblm'. Did you mean 'perProblem'?"
      ),
      (
        #"{samples: [], output: "s", perProblem: {choose: "best"}}"#,
        "curate.json5:1:49: 'perProblem.choose' must be 'shortest', 'random', 'mostReadable' or "
          + "'first'; it is 'best'."
      ),
      (
        #"{samples: [], output: "s", readability: {drops: ["loops"]}}"#,
        "curate.json5:1:50: 'readability.drops.0' must be 'mixedLanguages', 'longParagraph', "
          + "'codeBlock', 'loop', 'repeatedSentences', 'recurringPhrases' or 'repeatedText'; it is "
          + "'loops'."
      ),
    ] {
      XCTAssertThrowsError(try decoded(text), text) { XCTAssertEqual("\($0)", message) }
    }
  }

  func testFindings() {
    func check(_ messages: [String], _ change: (inout CurationRecipe) -> Void) {
      var recipe = CurationRecipe(
        samples: [CurationRecipe.SampleRun(run: "run")], output: "set")
      change(&recipe)
      XCTAssertEqual(recipe.findings, messages.map { "The recipe: " + $0 })
    }
    check([]) { _ in }
    check(["it has no 'samples', the runs whose samples are curated."]) { $0.samples = [] }
    check(["'keep' names no outcome, so that no sample would be kept."]) { $0.keep = [] }
    check(["'output' is empty."]) { $0.output = "" }
    check(["'samples.0' has both 'weight' and 'count'. Leave one."]) {
      $0.samples[0].weight = 1
      $0.samples[0].count = 1
    }
    check(["'samples.0.count' must lie between 1 and 10¹²."]) { $0.samples[0].count = 0 }
    check(["'samples.0.weight' must lie between 10⁻⁹ and 10⁹."]) { $0.samples[0].weight = 0 }
    check(["'mixture.0' has more than one of 'count', 'weight' and 'share'."]) {
      $0.mixture = [.init(path: "m", count: 1, share: 0.5)]
    }
    check(["'mixture.0.share' must lie between 0 and 1."]) {
      $0.mixture = [.init(path: "m", share: -0.5)]
    }
    check([
      "the shares of 'mixture' add up to 1 or more, so that nothing is left for the samples."
    ]) { $0.mixture = [.init(path: "m", share: 0.5), .init(path: "n", share: 0.5)] }
    check([
      "with 'total', a source with a 'weight' stands beside one that asks for nothing. Give every "
        + "source a 'weight', 'count' or 'share', or none a weight."
    ]) {
      $0.mixture = [.init(path: "m", weight: 1)]
      $0.total = 5
    }
    check(["'total' must lie between 1 and 10¹²."]) { $0.total = 0 }
    check(["'total' must lie between 1 and 10¹²."]) { $0.total = .max }
    check([
      "'readability.paragraphWords' and 'readability.paragraphBytes' must be above 0."
    ]) { $0.readability.paragraphBytes = 0 }
    check(["'readability.loopRepeats' must be 2 at least."]) { $0.readability.loopRepeats = 1 }
    check(["'readability.sentenceTimes' must be 1 at least."]) { $0.readability.sentenceTimes = 0 }
    check(["'readability.phraseShare' is 1.5; it is a share, from 0 to 1."]) {
      $0.readability.phraseShare = 1.5
    }
    check(["'language.share' is -1.0; it is a share, from 0 to 1."]) {
      $0.language = .init(.english, share: -1)
    }
    check(["'duplicates.near' is 0.5; it must be above 0.5, and at most 1."]) {
      $0.duplicates.near = 0.5
    }
    check(["'length.minTokens' must not be negative."]) { $0.length.minTokens = -1 }
    check(["'length.maxTokens' must be 1 at least, and no less than 'length.minTokens'."]) {
      $0.length = .init(minTokens: 9, maxTokens: 8)
    }
    check(["'perProblem.most' must be 1 at least."]) { $0.perProblem.most = 0 }
    check(["'passRate.min' is above 'passRate.max'."]) {
      $0.passRate = .init(min: 0.6, max: 0.5)
    }
    check(["'passRate.fewest' must be 1 at least."]) { $0.passRate = .init(fewest: 0) }
    check(["'judge.temperature' must not be negative."]) { $0.judge = .init(temperature: -1) }
    check(["'judge.topP' must be above 0 and at most 1."]) { $0.judge = .init(topP: 0) }
    check(["'judge.maxTokens' must be 1 at least."]) { $0.judge = .init(maxTokens: 0) }
    check(["'judge.retries' must lie between 0 and 100."]) { $0.judge = .init(retries: -1) }
    check(["'judge.agreement' must lie between 0 and 10,000."]) { $0.judge = .init(agreement: -1) }
    check(["'decontaminate.sets' is empty."]) { $0.decontaminate = .init(sets: []) }
    check(["'prices' must not be negative."]) {
      $0.prices = .init(prompt: -1, completion: 0, currency: "USD")
    }
    // All at once, a line each.
    XCTAssertThrowsError(
      try CurationRun(
        CurationRecipe(samples: [], keep: [], output: "s"), judge: rules, version: "9")
    ) {
      XCTAssertEqual(
        "\($0)",
        "The recipe: it has no 'samples', the runs whose samples are curated.\n"
          + "The recipe: 'keep' names no outcome, so that no sample would be kept.")
      XCTAssertEqual(($0 as? CurationError)?.reason, .recipe)
    }
  }
}
