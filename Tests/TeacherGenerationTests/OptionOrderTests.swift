import Foundation
import Problems
import Storage
import Teachers
import XCTest

@testable import TeacherGeneration

/// Options in one order for a problem, or in one for each sample.
final class OptionOrderTests: XCTestCase {
  private func questions(_ folder: TemporaryFolder) throws -> [String] {
    let choices = try folder.write(
      """
      {"id":"one","question":"Which?","choices":["w","x","y","z"],"answer":2}
      {"id":"two","question":"Which is it?","choices":["w","x","y","z"],"answer":0}
      """, as: "choices.jsonl")
    return [choices, try folder.sums(1, from: 1)]
  }

  private func recipe(
    _ folder: TemporaryFolder, _ order: OptionOrder?, output: String, samples: Int = 8
  ) throws -> TeacherGenerationRecipe {
    var recipe = TeacherGenerationRecipe.of(
      try questions(folder), output: folder.file(output), samples: samples)
    if let order { recipe.prompt = ProblemPrompt(optionOrder: order) }
    return recipe
  }

  /// Names the letter at which an option stands.
  private static func naming(_ option: String) -> CountingTeacher.Answering {
    { question, sample in
      let line = question.split(separator: "\n").first { $0.hasSuffix(") \(option)") }
      return TeacherAnswer(
        reasoning: nil, content: "Answer: \(line?.first ?? "2")", finishReason: .stop,
        promptTokens: 1, completionTokens: 1, model: "m")
    }
  }

  private func identity() -> JSONValue { .object(JSONObject(members: [("model", .string("m"))])) }

  func testEachSampleIsAskedAndJudgedInItsOrder() async throws {
    let folder = try TemporaryFolder()
    let recipe = try recipe(folder, .sample, output: "out")
    let teacher = CountingTeacher(identity: identity(), answering: Self.naming("y"))
    let summary = try await generate(recipe, teacher, isJudging: true)
    XCTAssertEqual(summary.ending, .complete)
    // Eight questions of one sample for each problem with options, and one for the sum.
    XCTAssertEqual(teacher.questionCount, 17)
    // All of "one" are right by their own orders, none of "two"; the sum is given "2".
    XCTAssertEqual(
      summary.progress.sources,
      [
        .init(name: "choices.jsonl", samples: 16, correct: 8),
        .init(name: "sums.jsonl", samples: 8, correct: 8),
      ])
    let prompt = try XCTUnwrap(recipe.prompt)
    let files = try recipe.prompts.map { try ProblemFile($0) }
    var texts = Set<String>()
    var keys: [String: String] = [:]
    for index in 0..<3 {
      let problem = try index < 2 ? files[0].problem(index) : files[1].problem(0)
      for sample in 0..<8 {
        let turns = try prompt.messages(for: problem, sample: sample, seed: 3)
        let messages = turns.map {
          TeacherQuestion.Message(role: $0.role, content: $0.content)
        }
        keys["\(problem.id) \(sample)"] =
          SampleKey(
            teacher: identity(), messages: messages, settings: recipe.sampling.choices
          ).text(sample: sample)
        let text = messages.last?.content ?? ""
        XCTAssertEqual(teacher.counts["\(text) #\(sample)"], 1, "\(problem.id) \(sample)")
        if index == 0 { texts.insert(text) }
      }
    }
    XCTAssertGreaterThan(texts.count, 3)
    var found: [String: String] = [:]
    try SampleFolder(at: recipe.output).forEachRecord { record, _ in
      found["\(record.problem) \(record.sample)"] = record.key
    }
    XCTAssertEqual(found, keys)
    XCTAssertEqual(Set(keys.values).count, 24)
    // Nothing is left to ask.
    let again = CountingTeacher(identity: identity(), answering: Self.naming("y"))
    let second = try await generate(recipe, again, isJudging: true)
    XCTAssertEqual(again.questionCount, 0)
    XCTAssertEqual(second.progress.sources, summary.progress.sources)
  }

  /// The usual order, named or not, is one run with the keys that it had.
  func testTheUsualOrderIsWhatItWas() async throws {
    let folder = try TemporaryFolder()
    let usual = try recipe(folder, nil, output: "out", samples: 1)
    try await generate(
      usual, CountingTeacher(identity: identity(), answering: Self.naming("y")), isJudging: true)
    var found: [String: String] = [:]
    try SampleFolder(at: usual.output).forEachRecord { record, _ in
      found[record.problem] = record.key
    }
    let layout =
      #"{"teacher":{"model":"m"},"messages":[{"role":"user","content":"Answer the following "#
      + #"multiple choice question. The last line of your response should be of the following "#
      + #"format: 'Answer: $LETTER' (without quotes) where LETTER is one of ABCD. Think step by "#
      + #"step before answering.\n\nWhich?\n\nA) w\nB) x\nC) y\nD) z"}],"settings":"#
      + #"{"temperature":0.6,"topP":0.95,"maxTokens":100,"seed":3,"stop":[]},"sample":0}"#
    var hash = SHA256()
    hash.update(Array(layout.utf8))
    XCTAssertEqual(found["one"], hash.finalizedText())
    let identity = try folder.text("out/identity.json")
    XCTAssertFalse(identity.contains("optionOrder"))
    XCTAssertFalse(identity.contains("released"))
    let named = try recipe(folder, .item, output: "out", samples: 2)
    let teacher = CountingTeacher(identity: self.identity(), answering: Self.naming("y"))
    let summary = try await generate(named, teacher, isJudging: true)
    XCTAssertEqual(summary.progress.samplesBefore, 3)
    XCTAssertEqual(teacher.questionCount, 3)
    XCTAssertEqual(try folder.text("out/identity.json"), identity)
  }

  func testARunKeepsItsOrderAndItsWindow() async throws {
    let folder = try TemporaryFolder()
    let recipe = try recipe(folder, .sample, output: "out", samples: 1)
    let make = { CountingTeacher(identity: self.identity(), answering: Self.naming("y")) }
    try await generate(recipe, make(), isJudging: true)
    var changed = recipe
    changed.prompt = nil
    let end =
      "\n\(recipe.output): going on would mix samples of both. Name another 'output', or put the "
      + "recipe back."
    let order = await sentence { try await generate(changed, make(), isJudging: true) }
    XCTAssertEqual(
      order, "'prompt.optionOrder' was '\"sample\"' when this run began; it is not there now." + end
    )
    changed = recipe
    changed.prompts[0].released = ReleaseWindow(from: "2024-08-01", until: "2025-01-31")
    let window = await sentence { try await generate(changed, make(), isJudging: true) }
    XCTAssertEqual(
      window,
      "'prompts[0].released' was not there when this run began; it is '{\"from\":\"2024-08-01\","
        + "\"until\":\"2025-01-31\"}' now." + end)
    changed.prompts[0].released = ReleaseWindow(from: "2025-08-01", until: "2025-01-31")
    XCTAssertEqual(
      changed.findings,
      [
        "The recipe: 'prompts[0].released' ends on 2025-01-31, before it begins on 2025-08-01."
      ])
  }
}
