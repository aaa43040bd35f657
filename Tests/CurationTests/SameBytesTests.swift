import Foundation
import Problems
import Storage
import Teachers
import XCTest

@testable import Curation

/// The same command writes the same bytes: on any number of threads, again, and after a stop.
final class SameBytesTests: XCTestCase {
  /// Counts what was judged, and stops after so many.
  private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0

    func add() { lock.withLock { number += 1 } }
    var count: Int { lock.withLock { number } }
    func reset() { lock.withLock { number = 0 } }
  }

  private func counting(_ counter: Counter, version: String = "test 1") -> RuleJudge {
    RuleJudge(version: version) { text, problem in
      counter.add()
      return rules.verdict(text, problem)
    }
  }

  func testThreadsMakeNoDifference() async throws {
    let folder = try temporaryFolder(self)
    _ = try ReasonTests.prepare(folder)
    var first: [String: Data] = [:]
    for threads in [1, 2, 5] {
      let recipe = ReasonTests.recipe(folder)
      // Nothing is remembered.
      try? FileManager.default.removeItem(atPath: recipe.output + ".work")
      try await CurationRun(recipe, judge: rules, version: "9", threads: threads).run()
      let files = try contents(recipe.output)
      XCTAssertEqual(
        files.keys.sorted(),
        ["manifest.json", "report.html", "report.json", "report.txt", "samples.jsonl"])
      if first.isEmpty { first = files }
      for (name, data) in files { XCTAssertEqual(data, first[name], "\(threads) threads, \(name)") }
    }
  }

  /// A teacher that is asked many questions at once answers in another order each time.
  func testTheOrderOfAnswersMakesNoDifference() async throws {
    let folder = try temporaryFolder(self)
    _ = try ReasonTests.prepare(folder)
    let recipe = ReasonTests.recipe(folder)
    try await CurationRun(recipe, judge: rules, version: "9").run()
    let first = try XCTUnwrap(contents(recipe.output)["samples.jsonl"])
    XCTAssertGreaterThan(first.count, 1_000)
    let journal = URL(fileURLWithPath: folder + "/run/samples.jsonl")
    let lines = try String(contentsOf: journal, encoding: .utf8).split(separator: "\n")
    XCTAssertGreaterThan(lines.count, 10)
    let turned = lines.indices.map { lines[($0 * 7 + 3) % lines.count] }
    XCTAssertEqual(Set(turned), Set(lines), "7 divides the number of lines")
    try Data((turned.joined(separator: "\n") + "\n").utf8).write(to: journal)
    try await CurationRun(recipe, judge: rules, version: "9").run()
    XCTAssertEqual(try contents(recipe.output)["samples.jsonl"], first)
  }

  func testTheSameCommandAgainJudgesNothing() async throws {
    let folder = try temporaryFolder(self)
    _ = try ReasonTests.prepare(folder)
    let recipe = ReasonTests.recipe(folder)
    let samples = try Data(contentsOf: URL(fileURLWithPath: folder + "/run/samples.jsonl"))
    let counter = Counter()
    try await CurationRun(recipe, judge: counting(counter), version: "9").run()
    let first = try contents(recipe.output)
    // All but the one that was cut; the one that fails three times.
    let all = try XCTUnwrap(ReasonTests.synthetic().run.records.count)
    XCTAssertEqual(counter.count, all - 1 + 2)
    counter.reset()
    try await CurationRun(recipe, judge: counting(counter), version: "9").run()
    XCTAssertEqual(counter.count, 3, "only the failure is judged again")
    XCTAssertEqual(try contents(recipe.output), first)
    // Other rules judge again.
    counter.reset()
    try await CurationRun(recipe, judge: counting(counter, version: "test 2"), version: "9").run()
    XCTAssertEqual(counter.count, all - 1 + 2)
    // The samples are as they were.
    XCTAssertEqual(
      try Data(contentsOf: URL(fileURLWithPath: folder + "/run/samples.jsonl")), samples)
  }

  func testStoppedAnywhereItGoesOn() async throws {
    let folder = try temporaryFolder(self)
    var (run, _) = ReasonTests.synthetic()
    // Enough for several batches.
    for k in 0..<300 {
      let id = run.add("more-\(k)", "What is \(k) times \(k)?", .answer("\(k * k)"))
      for sample in 0..<3 {
        run.answer(id, reasoning: "Way \(sample).", "\\boxed{\(sample == 1 ? 0 : k * k)}")
      }
    }
    _ = try ReasonTests.prepare(folder)
    try run.write(to: folder + "/run")
    let recipe = ReasonTests.recipe(folder)
    try await CurationRun(recipe, judge: rules, version: "9").run()
    let expected = try contents(recipe.output)

    // Another recipe's set is there, which a stop must leave alone.
    var other = recipe
    other.perProblem.most = 1
    try await CurationRun(other, judge: rules, version: "9").run()
    let before = try contents(recipe.output)
    XCTAssertNotEqual(before, expected)
    try FileManager.default.removeItem(atPath: recipe.output + ".work")

    let counter = Counter()
    var stops = 0
    var judgedInAll = 0
    for limit in 1..<100 {
      counter.reset()
      let asked = Counter()
      do {
        try await CurationRun(recipe, judge: counting(counter), version: "9").run(
          isStopped: {
            asked.add()
            return asked.count > limit
          })
        judgedInAll += counter.count
        break
      } catch let error as CurationError {
        judgedInAll += counter.count
        stops += 1
        XCTAssertEqual(error.reason, .stopped)
        XCTAssertEqual(
          error.description,
          "Stopped. \(recipe.output) is as it was; the same command goes on with the verdicts in "
            + "\(recipe.output).work.")
        XCTAssertEqual(try contents(recipe.output), before)
      }
    }
    XCTAssertGreaterThan(stops, 4)
    XCTAssertEqual(try contents(recipe.output), expected)
    // Each answer was judged once, whenever it was stopped; the failure three times a run.
    XCTAssertLessThanOrEqual(judgedInAll, run.records.count - 1 + 3 * (stops + 1))
  }

  /// A journal that was cut within a line, or damaged, costs a verdict and no more.
  func testDamagedVerdictsAreJudgedAgain() async throws {
    let folder = try temporaryFolder(self)
    _ = try ReasonTests.prepare(folder)
    let recipe = ReasonTests.recipe(folder)
    try await CurationRun(recipe, judge: rules, version: "9").run()
    let expected = try contents(recipe.output)
    let url = URL(fileURLWithPath: recipe.output + ".work/verdicts.jsonl")
    let whole = try Data(contentsOf: url)
    var random = SeededRandom(seed: 7)
    for _ in 0..<40 {
      var data = whole
      if Bool.random(using: &random) {
        data = data.prefix(Int.random(in: 0...data.count, using: &random))
      } else {
        for _ in 0..<4 {
          let place = Int.random(in: 0..<data.count, using: &random)
          data[place] = UInt8.random(in: 0...255, using: &random)
        }
      }
      try data.write(to: url)
      try await CurationRun(recipe, judge: rules, version: "9").run()
      XCTAssertEqual(try contents(recipe.output), expected)
    }
  }

  /// The order of two runs decides which duplicate stays, and nothing else of either.
  func testShardsDivideTheSet() async throws {
    let folder = try temporaryFolder(self)
    var run = RunMaker()
    for k in 0..<60 {
      // Every question twice, in other words' clothing.
      let question = "What is \(k / 2) plus one?"
      run.add(
        "p\(k)", k % 2 == 0 ? question : "  " + question.uppercased(), .answer("\(k / 2 + 1)"))
      run.answer("p\(k)", reasoning: "Plain.", "\\boxed{\(k / 2 + 1)}")
    }
    try run.write(to: folder + "/run")
    let recipe = CurationRecipe(
      samples: [CurationRecipe.SampleRun(run: folder + "/run")], output: folder + "/set")
    let whole = try await CurationRun(recipe, judge: rules, version: "9").run()
    XCTAssertEqual(whole.total[.kept], 30)
    XCTAssertEqual(whole.total[.sameAnswer], 30)
    XCTAssertEqual(whole.repeatedQuestions, 30)
    let all = try keys(folder + "/set")

    var sharded = recipe
    sharded.output = folder + "/shards"
    var found: [String?] = []
    for index in 0..<4 {
      let shard = try CurationRun.Shard(index: index, count: 4)
      let report = try await CurationRun(sharded, judge: rules, version: "9", shard: shard).run()
      let part = try keys(folder + "/shards/shard-\(index)-of-4")
      XCTAssertEqual(report.total[.kept], part.count)
      XCTAssertEqual(report.total[.sameAnswer], part.count)
      XCTAssertEqual(report.prompts.all, 2 * part.count)
      found += part
    }
    XCTAssertEqual(found.compactMap { $0 }.sorted(), all.compactMap { $0 }.sorted())
    await assertThrows(
      "There is no shard 4 of 4: shards are counted from 0, and there are at most 10000."
    ) { try CurationRun.Shard(index: 4, count: 4) }
    XCTAssertEqual(
      (0..<4).map { try? CurationRun.Shard(index: $0, count: 4).part(of: 10) }, [3, 3, 2, 2])
  }
}
