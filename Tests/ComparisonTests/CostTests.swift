import Foundation
import Storage
import Teachers
import XCTest

@testable import Comparison

/// What runs took, from the files that they left.
final class CostTests: XCTestCase {
  private func writeGeneration(
    _ path: String, _ answers: [(tokens: Int?, time: String, seconds: Double)]
  ) throws {
    try write([Data("{}".utf8)], to: path, "identity.json")
    try write(
      answers.enumerated().map { number, answer in
        var hash = SHA256()
        hash.update(Array("\(path) \(number)".utf8))
        return JournalLine.encoded(
          SampleRecord(
            key: hash.finalizedText(), problem: "p", sample: number, settings: SamplingChoices(),
            answer: TeacherAnswer(
              reasoning: "abcdefghi", content: "jk", finishReason: .stop,
              completionTokens: answer.tokens, model: "t", seconds: answer.seconds),
            time: answer.time
          ).json)
      }, to: path, "samples.jsonl")
  }

  private func lines(_ texts: String...) -> [Data] { texts.map { Data($0.utf8) } }

  func testASamplingRun() throws {
    let path = try temporaryFolder(self) + "/samples"
    // Two at the same time, one that overlaps them, and one after a pause of an hour.
    try writeGeneration(
      path,
      [
        (100, "2026-01-01T00:00:10.000Z", 10), (50, "2026-01-01T00:00:08.500Z", 4),
        (7, "2026-01-01T00:00:14.250Z", 6), (1, "2026-01-01T01:00:00.000Z", 2),
      ])
    let cost = try MakingCost([.init(path, parameters: 1_000)], place: "m")
    XCTAssertEqual(cost.runs[0].kind, .generation)
    XCTAssertEqual(cost.sampledTokens, 158)
    XCTAssertNil(cost.trainedTokens)
    XCTAssertEqual(cost.seconds, 16.25)
    XCTAssertEqual(cost.operations, 2 * 1_000 * 158)
    XCTAssertEqual(cost.runs[0].remarks, [])
    // Nothing tells how large the teacher is.
    let unknown = try MakingCost([.init(path)], place: "m")
    XCTAssertNil(unknown.operations)
    XCTAssertEqual(unknown.sampledTokens, 158)
  }

  func testShardsAreAddedAndTokensGuessed() throws {
    let path = try temporaryFolder(self) + "/samples"
    try writeGeneration(path + "/shard-0-of-3", [(100, "2026-01-01T00:00:10.000Z", 10)])
    try writeGeneration(path + "/shard-1-of-3", [(nil, "2026-01-01T00:00:10.000Z", 3)])
    let run = try RunCost(.init(path), place: "m")
    XCTAssertEqual(run.sampledTokens, 103)  // 11 bytes are three times four, nearly
    XCTAssertEqual(run.seconds, 13)
    XCTAssertEqual(
      run.remarks,
      [
        "\(path): the teacher did not tell the tokens of 1 answers, which are taken to be four bytes "
          + "each.", "\(path): 1 of its shards aren't there (2), and not counted.",
      ])
  }

  func testATimeThatIsNoneMakesHoursUnknown() throws {
    let path = try temporaryFolder(self) + "/samples"
    try writeGeneration(path, [(1, "2026-01-01T00:00:10.000Z", 1), (2, "yesterday", 1)])
    let run = try RunCost(.init(path), place: "m")
    XCTAssertNil(run.seconds)
    XCTAssertEqual(run.sampledTokens, 3)
  }

  func testTimesAreThoseThatRecordsWrite() {
    for seconds in [0, 951_782_400.125, 1_709_251_199.5, 1_735_689_599.999, 4_102_444_800] {
      let text = SampleRecord.timeText(seconds)
      XCTAssertEqual(
        GenerationFigures.time(text) ?? -1, (seconds * 1_000).rounded(.down) / 1_000,
        accuracy: 1e-6,
        text)
    }
    for text in [
      "", "2025-01-20T08:05:09.123", "2025-13-20T08:05:09.123Z", "2025-00-20T08:05:09.123Z",
      "2025-01-00T08:05:09.123Z", "2025-01-20 08:05:09.123Z", "2025-01-20T08:05:09,123Z",
      "0000-01-20T08:05:09.123Z", "2025-01-20T08:05:٠٩.12Z",
    ] { XCTAssertNil(GenerationFigures.time(text), text) }
  }

  func testAFineTuningRun() throws {
    let path = try temporaryFolder(self) + "/student"
    try write(lines(#"{"student": "base"}"#), to: path, "recipe.json")
    try write(
      lines(
        #"{"kind":"start","step":0,"steps":3,"parameters":500}"#,
        #"{"kind":"step","step":1,"tokens":1000,"seconds":2}"#,
        #"{"kind":"step","step":2,"tokens":900,"seconds":3}"#,
        #"{"kind":"step","step":3,"tokens":999,"seconds":9}"#,
        #"{"kind":"start","step":2,"steps":3,"parameters":500}"#,
        #"{"kind":"step","step":3,"tokens":800,"seconds":4}"#), to: path, "metrics.jsonl")
    let run = try RunCost(.init(path), place: "m")
    XCTAssertEqual(run.kind, .fineTuning)
    XCTAssertEqual(run.parameters, 500)
    XCTAssertEqual(run.trainedTokens, 2_700)
    XCTAssertNil(run.sampledTokens)
    XCTAssertEqual(run.seconds, 9)
    XCTAssertEqual(run.operations, 6 * 500 * 2_700)
    XCTAssertEqual(run.remarks, [])
  }

  func testStepsAfterARestartAreGone() throws {
    let path = try temporaryFolder(self) + "/student"
    try write(
      lines(
        #"{"kind":"step","step":1,"tokens":1000,"seconds":2}"#,
        #"{"kind":"step","step":2,"tokens":900,"seconds":3}"#,
        #"{"kind":"start","step":1,"steps":3,"parameters":500}"#), to: path, "metrics.jsonl")
    let run = try RunCost(.init(path), place: "m")
    XCTAssertEqual(run.trainedTokens, 1_000)
    XCTAssertEqual(run.remarks, ["\(path): it is not done, 1 of 3 steps."])
  }

  func testAReinforcementRunThatIsNotDone() throws {
    let path = try temporaryFolder(self) + "/rl"
    try write(lines(#"{"policy": "base", "lora": {}}"#), to: path, "recipe.json")
    let step =
      #""samplingSeconds":1,"judgingSeconds":0.5,"updatingSeconds":2,"length":{"mean":12}"#
    try write(
      lines(
        #"{"kind":"start","step":0,"steps":5,"parameters":500}"#,
        #"{"kind":"step","step":1,"sampledTokens":100,"trainedTokens":300,\#(step)}"#, "nonsense",
        #"{"kind":"evaluation","step":1,"accuracy":0.25,"sources":{"b":{"accuracy":0.5},"a":{"accuracy":0}}}"#,
        #"{"kind":"step","step":2,"sampledTokens":10,"trainedTokens":30,\#(step)}"#), to: path,
      "metrics.jsonl")
    let run = try RunCost(.init(path, parameters: 7), place: "m")
    XCTAssertEqual(run.kind, .reinforcement)
    XCTAssertEqual(run.sampledTokens, 110)
    XCTAssertEqual(run.trainedTokens, 330)
    XCTAssertEqual(run.seconds, 7)
    XCTAssertEqual(run.operations, 7 * (2 * 110 + 6 * 330))
    XCTAssertEqual(
      run.remarks,
      [
        "\(path): it is not done, 2 of 5 steps.",
        "\(path): 1 lines of metrics.jsonl could not be understood, and are not counted.",
        "\(path): adapters were trained, which takes about 4 FLOPs for each parameter and token, not "
          + "the 6 that are counted.",
      ])
    let curve = try TrainingCurve(.init(name: "RL", run: path))
    XCTAssertEqual(curve.accuracies.map(\.source), [nil, "a", "b"])
    XCTAssertEqual(curve.accuracies.map { $0.points.map(\.value) }, [[0.25], [0], [0.5]])
    XCTAssertEqual(curve.lengths.map(\.step), [1, 2])
    XCTAssertEqual(curve.lengths.map(\.value), [12, 12])
  }

  func testWhatIsUnknownMakesSumsUnknown() throws {
    let path = try temporaryFolder(self) + "/student"
    try write(
      lines(
        #"{"kind":"start","step":0}"#, #"{"kind":"step","step":1,"tokens":1000,"seconds":2}"#,
        #"{"kind":"step","step":2,"tokens":-4,"seconds":null}"#), to: path, "metrics.jsonl")
    let run = try RunCost(.init(path, parameters: 5), place: "m")
    XCTAssertNil(run.trainedTokens)
    XCTAssertNil(run.seconds)
    XCTAssertNil(run.operations)
    // One of two that is unknown makes the sum unknown.
    let other = path + "-2"
    try write(
      lines(#"{"kind":"step","step":1,"tokens":10,"seconds":2}"#), to: other, "metrics.jsonl")
    let cost = try MakingCost(
      [.init(other, parameters: 3), .init(path, parameters: 5)], place: "m")
    XCTAssertNil(cost.trainedTokens)
    XCTAssertEqual(cost.runs[0].operations, 180)
    // A run that only began has no counts, and not 0.
    try write([], to: path + "-3", "metrics.jsonl")
    XCTAssertNil(try RunCost(.init(path + "-3", parameters: 1), place: "m").trainedTokens)
  }

  func testFoldersThatAreNoRuns() throws {
    let path = try temporaryFolder(self)
    XCTAssertEqual(
      sentence { _ = try MakingCost([.init(path + "/none")], place: "rows.1.made") },
      "'rows.1.made.0': \(path)/none: there is no such folder.")
    XCTAssertEqual(
      sentence { _ = try MakingCost([.init(path)], place: "rows.1.made") },
      "'rows.1.made.0': \(path): it is no folder of a run of 'generate', 'fine-tune' or "
        + "'reinforce', which tells what it took. Leave it out.")
    XCTAssertEqual(
      sentence { _ = try TrainingCurve(.init(name: "RL", run: path)) },
      "the curve 'RL': \(path): it is no folder of a run of 'reinforce', for there is no "
        + "'metrics.jsonl'.")
    try write(lines(#"{"kind":"step","step":1,"tokens":10}"#), to: path, "metrics.jsonl")
    XCTAssertEqual(
      sentence { _ = try TrainingCurve(.init(name: "RL", run: path)) },
      "the curve 'RL': \(path): it is no run of 'reinforce', which measures accuracy by its steps.")
  }
}
