import Foundation
import Problems
import Storage
import TeacherGeneration
import Teachers
import XCTest

@testable import Curation

/// What a sampling run writes is what curation reads.
final class SamplingRunTests: XCTestCase {
  /// Answers every second sample wrongly, with thinking.
  private let teacher = ReplyingTeacher { question in
    let text = question.messages.last?.content ?? ""
    let digits = text.utf8.filter { (0x30...0x39).contains($0) }
    let number = Int(String(decoding: digits.prefix(4), as: UTF8.self)) ?? 0
    let answer = question.samples.lowerBound % 2 == 0 ? 2 * number : number - 1
    return reply("It is \\boxed{\(answer)}.", reasoning: "\nTwice \(number).\n")
  }

  func testFromSamplingToTheSet() async throws {
    let folder = try temporaryFolder(self)
    let problems = (0..<40).map {
      #"{"problem": "Double the number \#($0)", "answer": "\#(2 * $0)", "level": \#($0 % 5)}"#
    }
    let path = folder + "/numbers.jsonl"
    try Data((problems.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
    let recipe = TeacherGenerationRecipe(
      prompts: [ProblemSource(path: path)],
      prompt: ProblemPrompt(system: "Be brief.", mathematics: "Do this: {question}."),
      sampling: TeacherGenerationRecipe.Sampling(samplesPerProblem: 3), output: folder + "/run")
    for index in 0..<3 {
      let run = try TeacherGenerationRun(
        recipe, recipeJSON: .members([]), teacher: teacher, toolkit: "9", judge: nil,
        shard: ProblemShard(index, of: 3))
      _ = try await run.run()
    }
    XCTAssertEqual(teacher.asked.reduce(0) { $0 + $1.samples.count }, 120)
    let report = try await CurationRun(
      CurationRecipe(
        samples: [CurationRecipe.SampleRun(run: folder + "/run")], output: folder + "/set"),
      judge: rules, version: "9"
    ).run()
    XCTAssertEqual(report.prompts.all, 40)
    XCTAssertEqual(report.total.read, 120)
    // Two right answers of each with the same text, and a wrong one.
    XCTAssertEqual(report.total[.wrong], 40)
    XCTAssertEqual(report.total[.sameAnswer], 40)
    XCTAssertEqual(report.total[.kept], 40)
    // Users' turns are what the teacher was asked.
    let asked = Set(teacher.asked.map { $0.messages.map { $0.role + ":" + $0.content } })
    var found: Set<[String]> = []
    for line in try objects(folder + "/set/samples.jsonl") {
      guard case .array(let turns)? = line["messages"] else { return XCTFail("no turns") }
      found.insert(
        turns.dropLast().map { ($0["role"]?.string ?? "") + ":" + ($0["content"]?.string ?? "") })
      XCTAssertTrue(
        turns.last?["content"]?.string?.hasPrefix("<think>\nTwice ") ?? false)
    }
    XCTAssertEqual(found, asked)
    XCTAssertEqual(
      report.notes, ["No evaluation sets were looked at: the recipe has no 'decontaminate'."])

    // A shard that is missing is told.
    try FileManager.default.removeItem(atPath: folder + "/run/shard-1-of-3")
    let less = try await CurationRun(
      CurationRecipe(
        samples: [CurationRecipe.SampleRun(run: folder + "/run")], output: folder + "/set"),
      judge: rules, version: "9"
    ).run()
    XCTAssertEqual(less.notes.first, "\(folder)/run: shard 1 is not there.")
  }
}
