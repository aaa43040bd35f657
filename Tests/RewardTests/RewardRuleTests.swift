import Foundation
import Problems
import Sandbox
import Verification
import XCTest

@testable import Reinforcement

/// The rewards that are functions of the answer.
final class RewardRuleTests: XCTestCase {
  private func rewarder(
    _ settings: RewardSettings, threads: Int = 2,
    verdict: (@Sendable (String, Problem) -> AnswerVerdict)? = nil
  ) throws -> Rewarder {
    let folder = FileManager.default.temporaryDirectory.path
    if let verdict {
      return try Rewarder(settings: settings, verdict: verdict, folder: folder, threads: threads)
    }
    return try Rewarder(settings: settings, sandbox: nil, folder: folder, threads: threads)
  }

  private func part(
    _ settings: RewardSettings, _ answer: SampledAnswer
  ) throws -> RewardedAnswer {
    try XCTUnwrap(rewarder(settings).rewards(for: [answer]).first)
  }

  // MARK: Accuracy

  func testAccuracy() throws {
    let settings = RewardSettings(accuracy: .init(weight: 2, unjudged: .leftOut))
    let rows: [(SampledAnswer, Double?, String)] = [
      (sampled("<think>5</think>\\boxed{4}"), 1, "The texts are the same: '4'."),
      (sampled("<think>5</think>\\boxed{8/2}"), 1, "Algebra makes them equal: '8/2'."),
      (sampled("<think>4</think>\\boxed{5}"), 0, "The values differ: '5'."),
      (sampled("<think>5</think> <answer>4</answer>"), 1, "The texts are the same: '4'."),
      (sampled("<think>5</think>\n<answer>\nIt is \\boxed{4}.\n</answer>"), 1, ""),
      (sampled("<think>4</think> <answer>5</answer>"), 0, "The values differ: '5'."),
      (sampled("<think>4</think> <answer>B</answer>", .choices(["x", "y"], correct: 1)), 1, ""),
      (sampled("<think>\\boxed{4}"), 0, "No answer was found."),
      (sampled(""), 0, "No answer was found."),
      (sampled(" \n "), 0, "No answer was found."),
      (
        sampled("<think>5</think>\\boxed{4}", isCut: true), 0,
        "The answer was cut at the token limit."
      ),
      (sampled("Answer: B", .choices(["x", "y"], correct: 1)), 1, ""),
      (sampled("Answer: A", .choices(["x", "y"], correct: 1)), 0, ""),
      (
        sampled("\\boxed{I do not know it}"), nil,
        "The answer is no formula that the judge reads, and the texts differ: 'I do not know it'."
      ),
      (
        sampled("Because.", .none("because")), nil,
        "The problem has no answer that a rule could compare with."
      ),
      (
        sampled("```python\nx\n```", .program(task)), nil,
        "Programs are judged in a sandbox, and there is none."
      ),
      (sampled("x = 1", .program(task)), 0, "The reply holds no closed block of code."),
    ]
    for (answer, value, reason) in rows {
      let given = try part(settings, answer)
      XCTAssertEqual(given.total, value.map { 2 * $0 }, answer.text)
      XCTAssertEqual(given.parts.map(\.value), value.map { [$0] } ?? [], answer.text)
      XCTAssertEqual(try rewarder(settings).accuracies(of: [answer]), [value], answer.text)
      if value == nil {
        XCTAssertEqual(given.failure, reason)
      } else {
        XCTAssertNil(given.failure)
        if !reason.isEmpty { XCTAssertEqual(given.parts.first?.reason, reason) }
      }
    }
  }

  private let task = ProgramTask(tests: .assertions(.init(tests: ["assert add(1, 2) == 3"])))

  func testWhatARecipeSaysOfCutAndUnreadableAnswers() throws {
    let cut = sampled("</think>\\boxed{4}", isCut: true)
    XCTAssertEqual(
      try part(.init(accuracy: .init(weight: 1, judgesCutAnswers: true)), cut).total, 1)
    let settings = RewardSettings(accuracy: .init(weight: 1))
    XCTAssertEqual(try part(settings, sampled("\\boxed{I do not know it}")).total, 0)
    XCTAssertNil(
      try part(
        .init(accuracy: .init(weight: 1, unjudged: .leftOut)),
        sampled("\\boxed{I do not know it}")
      ).total)
    // Of these nothing is known, whatever the answer is.
    XCTAssertNil(try part(settings, sampled("\\boxed{4}", .none("4"))).total)
    XCTAssertNil(try part(settings, sampled("```python\nx\n```", .program(task))).total)
    XCTAssertNil(try part(settings, sampled("Answer: A", .choices(["x"], correct: 0))).total)
  }

  /// A failure of the machine is no reward; what else is known of the answer is still told.
  func testAFailingSandboxIsNoWrongAnswer() throws {
    let rewarder = try rewarder(
      .init(accuracy: .init(weight: 1), format: .init(weight: 0.5)),
      verdict: { text, _ in
        AnswerVerdict(
          outcome: text.utf8.contains(0x39) ? .infrastructure : .wrong,
          reason: "The box could not be made.", version: "1")
      })
    let given = try rewarder.rewards(
      for: [sampled("<think>a</think>9"), sampled("<think>a</think>8")])
    XCTAssertEqual(
      given[0],
      RewardedAnswer(
        parts: [.init(name: "format", value: 1)], total: nil,
        failure: "The box could not be made."))
    XCTAssertEqual(given[1].total, 0.5)
    XCTAssertEqual(try rewarder.accuracies(of: [sampled("8"), sampled("9")]), [0, nil])
  }

  // MARK: Format

  func testFormat() throws {
    let rows: [(String, Double, Double)] = [
      // The text, its value, and its value with tags around the answer.
      ("<think>Some reasoning</think><answer>The answer</answer>", 1, 1),
      ("<think>\nSome\n</think>\n\n<answer>\nThe answer\n</answer>\n", 1, 1),
      ("<think>\na\n</think>\n<answer>9</answer><|im_end|>", 1, 1),
      ("<think>\na\n</think>\n<answer>9</answer><｜end▁of▁sentence｜>", 1, 1),
      ("<think>Some</think>The answer", 1, 0),
      ("<think>Some</think>It is <answer>4</answer>", 1, 0),
      ("<think>Some</think><answer>4</answer> is it", 1, 0),
      ("<think>Some</think><answer>4", 1, 0),
      ("<think>Some</think><answer><answer>4</answer>", 1, 0),
      ("<think>Some</think><answer>4</answer><answer>4</answer>", 1, 0),
      ("<think>Some</think><answer> </answer>", 0, 0),
      ("<think>Some</think><answer></answer>x", 1, 0),
      ("<think>Only thinking</think>", 0, 0),
      ("<answer>Only answer</answer>", 0, 0),
      ("No tags at all", 0, 0),
      ("<think>Missing closing</think><answer>Missing closing", 1, 0),
      ("<think>Wrong order</answer><answer>Wrong order</think>", 0, 0),
      ("", 0, 0), ("<think>", 0, 0), ("<think></think>4", 0, 0),
      ("<think><think>a</think>4", 0, 0), ("a</think>4", 0, 0),
    ]
    for (text, plain, tagged) in rows {
      XCTAssertEqual(
        try part(.init(format: .init(weight: 1)), sampled(text)).total, plain, text)
      XCTAssertEqual(
        try part(.init(format: .init(weight: 1, answerTags: true)), sampled(text)).total, tagged,
        text)
    }
    XCTAssertEqual(
      try part(.init(format: .init(weight: 1)), sampled("<think>a")).parts.first?.reason,
      "The thinking is not closed by '</think>'.")
    XCTAssertEqual(
      try part(.init(format: .init(weight: 1, answerTags: true)), sampled("<think>a</think>b"))
        .parts.first?.reason, "The answer does not begin with '<answer>'.")
  }

  /// Elsewhere a prompt that ends in `<think>` made this reward 0 whatever was answered: what a
  /// prompt began is part of the text, so that it does not matter who wrote it.
  func testAPrefilledTagIsWorthAsMuchAsAWrittenOne() throws {
    for answer in ["\nTwo and two.\n</think>\n4", "\n</think>4", "\nTwo", "\n<think>a</think>4"] {
      let prefilled = SampledAnswer(
        problem: problem(), prompt: "2+2?", sample: 0, text: "<think>" + answer, tokenCount: 5,
        isCut: false)
      let written = SampledAnswer(
        problem: problem(), prompt: "2+2?", sample: 0, text: "<think>" + answer, tokenCount: 6,
        isCut: false)
      let settings = RewardSettings(
        accuracy: .init(weight: 1, judgesCutAnswers: true), format: .init(weight: 1),
        language: .init(weight: 1, language: "en"), repetition: .init(weight: 1, words: 2))
      XCTAssertEqual(try part(settings, prefilled), try part(settings, written))
    }
    let right = sampled("<think>" + "\nTwo and two.\n</think>\n4")
    XCTAssertEqual(try part(.init(format: .init(weight: 1)), right).total, 1)
  }

  // MARK: The others

  func testLanguage() throws {
    let settings = RewardSettings(language: .init(weight: 1, language: "en"))
    let german = "Das ist ein sehr langer Satz und er ist nicht auf Englisch geschrieben."
    let english = "This is a very long sentence and it is written in English for you."
    let rows: [(String, Double)] = [
      ("<think>\(english)</think>\(german)", 1), ("<think>\(german)</think>\(english)", 0),
      // There is nothing foreign in formulas, but to think nothing is not to think in English.
      ("<think>2+2=4</think>\(german)", 1), ("<think></think>\(english)", 0), (english, 0), ("", 0),
      // Thinking that was cut counts.
      ("<think>\(english)", 1),
    ]
    for (text, value) in rows {
      XCTAssertEqual(try part(settings, sampled(text)).total, value, text)
    }
    let mixed = sampled("<think>\(english)\n\n\(german)</think>4")
    let share = LanguageConsistency.share(of: .english, in: "\(english)\n\n\(german)").share
    XCTAssertTrue(share > 0.4 && share < 0.6)
    XCTAssertEqual(try part(settings, mixed).total, share)
    XCTAssertEqual(
      try part(settings, mixed).parts.first?.reason,
      "\(Int(share * 100)) % of the words of the thinking are English.")
    XCTAssertEqual(
      try part(.init(language: .init(weight: 1, language: "german")), mixed).total, 1 - share)
  }

  /// DAPO's own figures: at most 20,480 tokens, of which the last 4,096 are punished.
  func testLength() throws {
    let settings = RewardSettings(length: .init(weight: 1, most: 20_480, buffer: 4_096))
    for (tokens, value) in [
      (0, 0), (1, 0), (16_383, 0), (16_384, 0), (16_385, -1.0 / 4096), (17_408, -0.25),
      (18_432, -0.5), (20_479, -4095.0 / 4096), (20_480, -1), (20_481, -1), (.max, -1),
    ] {
      let given = try part(settings, sampled("", tokens: tokens))
      XCTAssertEqual(given.total, value, "\(tokens)")
      XCTAssertEqual(given.parts.first?.reason == nil, value == 0)
    }
    let steps = RewardSettings(length: .init(weight: 1, most: 8, buffer: 0))
    XCTAssertEqual(try part(steps, sampled("", tokens: 8)).total, 0)
    XCTAssertEqual(try part(steps, sampled("", tokens: 9)).total, -1)
    XCTAssertEqual(
      try part(steps, sampled("", tokens: 9)).parts.first?.reason,
      "The answer has 9 tokens; more than 8 are punished.")
  }

  /// The values that open-r1's tests have, for a penalty of 1.
  func testRepetition() throws {
    let rows: [(String, Int, Double)] = [
      ("this is a test sentence", 2, 0), ("this this this this this", 2, -0.75),
      ("this is a this is a test", 2, -1.0 / 3), ("this is a test", 3, 0),
      ("test test test test", 3, -0.5), ("", 2, 0), ("this is a this is a test", 3, -0.2),
      ("This is A Test this IS a test", 2, -3.0 / 7), ("word", 3, 0), ("two words", 3, 0),
      ("three different words", 3, 0), ("word word word word", 3, -0.5),
      ("one two one two", 3, 0), ("A B C A B", 3, 0), ("A B C A B C", 3, -0.25),
      ("A B C A B C E F G A B C A B C", 3, -5.0 / 13), ("A B C D E F G H I J K L", 3, 0),
      ("a\tb\r\na\n\n\nb", 2, -1.0 / 3), ("a", 1, 0), ("a a", 1, -0.5),
      // Letters of Chinese and Japanese are words, those of others are not.
      ("重复重复重复", 2, -0.6), ("ああああ", 2, -2.0 / 3), ("привет", 2, 0), ("\u{20000}\u{20000}", 1, -0.5),
      // Long words are cut.
      (String(repeating: "x", count: 320), 1, -0.9),
    ]
    for (text, words, value) in rows {
      let given = try part(.init(repetition: .init(weight: 1, words: words)), sampled(text))
      XCTAssertEqual(try XCTUnwrap(given.total), value, accuracy: 1e-15, text)
    }
    XCTAssertEqual(
      try part(.init(repetition: .init(weight: 1, words: 3)), sampled("A B C A B C"))
        .parts.first?.reason, "1 of 4 runs of 3 words were written before.")
  }

  /// Rolling along gives what looking at every run on its own does.
  func testRepetitionAgainstThePlainWay() {
    var random = Seeded(state: 5)
    for _ in 0..<400 {
      let kinds = Int.random(in: 1...6, using: &random)
      let words = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        "w\(Int.random(in: 0..<kinds, using: &random))"
      }
      let length = Int.random(in: 1...7, using: &random)
      let found = RepetitionShare(Array(words.joined(separator: " ").utf8), words: length)
      let runs = max(0, words.count - length + 1)
      let different = Set((0..<runs).map { words[$0..<$0 + length].joined(separator: " ") })
      XCTAssertEqual(found.runs, runs)
      XCTAssertEqual(found.repeated, runs - different.count, "\(words) \(length)")
    }
    // Bytes of all kinds, and letters that are cut.
    for _ in 0..<400 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        [UInt8(0xE3), 0xF0, 0xEF, 0x81, 0xA4, 0x20, 0x61][Int.random(in: 0..<7, using: &random)]
      }
      let found = RepetitionShare(bytes, words: 1)
      XCTAssertTrue(found.repeated <= max(0, found.runs - 1))
    }
  }

  func testAMegabyteOfText() throws {
    let sentence = "Wait, let me think about it again, 重复 and again. "
    let long = "<think>" + String(repeating: sentence, count: (1 << 20) / sentence.utf8.count)
    let endless = String(repeating: "<think>", count: 150_000)
    let tags = "<think>a</think><answer>" + String(repeating: "</answe", count: 150_000)
    let settings = RewardSettings(
      accuracy: .init(weight: 1), format: .init(weight: 1, answerTags: true),
      language: .init(weight: 1, language: "en"), length: .init(weight: 1, most: 10, buffer: 10),
      repetition: .init(weight: 1))
    let given = try rewarder(settings).rewards(
      for: [sampled(long), sampled(endless), sampled(tags)])
    XCTAssertEqual(given[0].parts.map(\.name), Rewarder.order(of: settings))
    XCTAssertLessThan(given[0].parts[4].value, -0.99)
    XCTAssertEqual(given.map { $0.parts[1].value }, [0, 0, 0])
  }
}

extension Rewarder {
  static func order(of settings: RewardSettings) -> [String] { settings.weights.map(\.name) }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
