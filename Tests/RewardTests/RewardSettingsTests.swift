import Foundation
import Interface
import Teachers
import XCTest

@testable import Reinforcement

/// What a recipe may say under `rewards`.
final class RewardSettingsTests: XCTestCase {
  private struct Recipe: Codable { var rewards: RewardSettings }

  private func settings(_ text: String) throws -> RewardSettings {
    try decoded(Recipe.self, "{ rewards: \(text) }").rewards
  }

  private func decoded<R: Codable>(_ type: R.Type, _ text: String) throws -> R {
    try decodeRecipe(R.self, from: Data(text.utf8), file: "r.json5").recipe
  }

  func testARecipe() throws {
    let given = try settings(
      """
      {
        harmlessness: { weight: 0.25, teacher: { recorded: { path: "a" } }, maxTokens: 9, attempts: 1 },
        accuracy: { weight: 1 },
        format: { weight: 0.5, answerTags: true },
        language: { weight: 0.1, language: "en" },
        length: { weight: 0.2, most: 2000, buffer: 500 },
        repetition: { weight: -0.1 },
        program: { weight: 2, command: ["python3", "my-reward.py"] },
        helpfulness: { weight: 0.5, teacher: { recorded: { path: "b" } } },
      }
      """)
    XCTAssertEqual(
      given,
      RewardSettings(
        accuracy: .init(weight: 1, judgesCutAnswers: false, unjudged: .wrong),
        format: .init(weight: 0.5, answerTags: true),
        language: .init(weight: 0.1, language: "en"),
        length: .init(weight: 0.2, most: 2000, buffer: 500),
        repetition: .init(weight: -0.1, words: 20),
        program: .init(weight: 2, command: ["python3", "my-reward.py"], timeoutSeconds: 60),
        helpfulness: .init(
          weight: 0.5, teacher: .init(recorded: .init(path: "b")), maxTokens: 4096, attempts: 3),
        harmlessness: .init(
          weight: 0.25, teacher: .init(recorded: .init(path: "a")), maxTokens: 9, attempts: 1)))
    XCTAssertEqual(given.findings(), [])
    // The order is the one of the settings, wherever a recipe has them.
    XCTAssertEqual(
      given.weights.map(\.name),
      [
        "accuracy", "format", "language", "length", "repetition", "program", "helpfulness",
        "harmlessness",
      ])
    XCTAssertEqual(given.weights.map(\.weight), [1, 0.5, 0.1, 0.2, -0.1, 2, 0.5, 0.25])
    let again = try JSONDecoder().decode(
      RewardSettings.self, from: JSONEncoder().encode(given))
    XCTAssertEqual(again, given)
  }

  func testMistakesOfForm() {
    for (text, words) in [
      (
        "{ acuracy: { weight: 1 } }",
        "r.json5:1:14: unknown key 'acuracy' in 'rewards'. Did you mean 'accuracy'?"
      ),
      ("{ accuracy: {} }", "r.json5:1:24: missing key 'rewards.accuracy.weight'."),
      (
        "{ accuracy: { weight: 1, unjudged: \"right\" } }",
        "r.json5:1:47: 'rewards.accuracy.unjudged' must be 'leftOut' or 'wrong'; it is 'right'."
      ),
    ] {
      XCTAssertThrowsError(try settings(text)) { XCTAssertEqual("\($0)", words) }
    }
  }

  func testFindings() throws {
    let rows: [(RewardSettings, [String])] = [
      (.init(), ["'rewards' is empty. Name a reward, such as 'accuracy: { weight: 1 }'."]),
      (
        .init(accuracy: .init(weight: 0), format: .init(weight: .nan)),
        [
          "'rewards.accuracy.weight' is 0. Give another, or take the reward out.",
          "'rewards.format.weight' is nan; it must lie between -10⁶ and 10⁶.",
        ]
      ),
      (
        .init(accuracy: .init(weight: -.infinity), format: .init(weight: 1_000_001)),
        [
          "'rewards.accuracy.weight' is -inf; it must lie between -10⁶ and 10⁶.",
          "'rewards.format.weight' is 1000001.0; it must lie between -10⁶ and 10⁶.",
        ]
      ),
      (
        .init(language: .init(weight: 1, language: "klingon")),
        [
          "'rewards.language.language' is 'klingon', no language that is known here. Write one of "
            + "en, es, fr, de, pt, it, ru, uk, bg, ar, fa, ur, zh, ja, ko, hi."
        ]
      ),
      (
        .init(length: .init(weight: 1, most: 10, buffer: 11)),
        ["'rewards.length.buffer' is 11; it must lie between 0 and 'most', 10."]
      ),
      (
        .init(length: .init(weight: 1, most: .min, buffer: -1)),
        [
          "'rewards.length.most' is \(Int.min); it must be 1 at least.",
          "'rewards.length.buffer' is -1; it must lie between 0 and 'most', \(Int.min).",
        ]
      ),
      (
        .init(repetition: .init(weight: 1, words: 0)),
        ["'rewards.repetition.words' is 0; it must lie between 1 and 1000."]
      ),
      (
        .init(program: .init(weight: 1, command: [], timeoutSeconds: 0)),
        [
          "'rewards.program.command' is empty. Write the program and its arguments, such as "
            + "'[\"python3\", \"reward.py\"]'.",
          "'rewards.program.timeoutSeconds' is 0.0; it must be above 0 and at most 86400.",
        ]
      ),
      (
        .init(program: .init(weight: 1, command: ["a\u{0}b"], timeoutSeconds: .nan)),
        [
          "'rewards.program.command' holds a zero byte.",
          "'rewards.program.timeoutSeconds' is nan; it must be above 0 and at most 86400.",
        ]
      ),
      (
        .init(
          helpfulness: .init(weight: 1, teacher: .init(), maxTokens: 0, attempts: 0)),
        [
          "'rewards.helpfulness.teacher' is empty. Name a server with 'remote: { url, model }', a "
            + "checkpoint with 'local: { checkpoint }', or a file of answers with "
            + "'recorded: { path }'.",
          "'rewards.helpfulness.maxTokens' is 0; it must be 1 at least.",
          "'rewards.helpfulness.attempts' is 0; it must lie between 1 and 100.",
        ]
      ),
    ]
    for (settings, words) in rows {
      XCTAssertEqual(settings.findings(), words.map { "The recipe: \($0)" })
      XCTAssertThrowsError(
        try Rewarder(settings: settings, sandbox: nil, folder: "/nowhere")
      ) {
        XCTAssertEqual(
          $0 as? RewardError,
          RewardError(.recipe, words.map { "The recipe: \($0)" }.joined(separator: "\n")))
      }
    }
    XCTAssertEqual(
      RewardSettings(language: .init(weight: 1, language: "x")).findings(at: "r").first?
        .hasPrefix("The recipe: 'r.language.language' is 'x'"), true)
    for name in ["en", "english", "hi", "hindi", "ja"] {
      XCTAssertEqual(
        RewardSettings(language: .init(weight: 1, language: name)).findings(), [], name)
    }
  }
}
