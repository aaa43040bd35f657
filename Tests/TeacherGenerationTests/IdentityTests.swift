import Foundation
import Problems
import Storage
import Teachers
import XCTest

@testable import TeacherGeneration

/// A folder holds one run, and says so.
final class IdentityTests: XCTestCase {
  private func error(
    _ recipe: TeacherGenerationRecipe, identity: String = "test", shard: ProblemShard? = nil
  ) async -> String? {
    await sentence {
      try await generate(
        recipe,
        CountingTeacher(
          identity: .object(JSONObject(members: [("model", .string(identity))]))
        ) { sum($0, $1) }, shard: shard)
    }
  }

  func testWhatMustNotChange() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(3)
    let output = folder.file("out")
    let recipe = TeacherGenerationRecipe.of([path], output: output)
    let first = await error(recipe)
    XCTAssertNil(first)
    let end =
      "\n\(output): going on would mix samples of both. Name another 'output', or put the recipe back."

    let teacher = await error(recipe, identity: "other")
    XCTAssertEqual(
      teacher, "'teacher.model' was '\"test\"' when this run began; it is '\"other\"' now." + end)
    var changed = recipe
    changed.sampling.temperature = 1
    changed.sampling.seed = 4
    let settings = await error(changed)
    XCTAssertEqual(
      settings,
      "'settings.temperature' was '0.6' when this run began; it is '1.0' now.\n"
        + "'settings.seed' was '3' when this run began; it is '4' now." + end)
    changed = recipe
    changed.prompt = ProblemPrompt(mathematics: "{question}!")
    let prompt = await error(changed)
    XCTAssertEqual(
      prompt,
      "'prompt.mathematics' was not there when this run began; it is '\"{question}!\"' now." + end)
    changed = recipe
    changed.prompts[0].limit = 2
    let limit = await error(changed)
    XCTAssertEqual(
      limit, "'prompts[0].limit' was not there when this run began; it is '2' now." + end)
    let shard = await error(recipe, shard: try ProblemShard(0, of: 2))
    XCTAssertEqual(
      shard,
      "\(output): it holds a run that is not divided into shards. Name another 'output'.")

    // What decides only which samples there are may change.
    changed = recipe
    changed.sampling.samplesPerProblem = 2
    changed.budget = .init(tokens: 1_000_000)
    changed.durability = .init(records: 1, seconds: 1)
    let more = await error(changed)
    XCTAssertNil(more)

    _ = try folder.sums(4)
    let file = await error(recipe)
    XCTAssertTrue(
      try XCTUnwrap(file).hasPrefix("'prompts[0].sha256' was '\""), file ?? "")
    _ = try folder.sums(3)
    let back = await error(recipe)
    XCTAssertNil(back)

    let problems = try folder.text("out/problems.jsonl")
    try folder.write(
      problems.replacingOccurrences(of: "0 + 1", with: "0 + 2"), as: "out/problems.jsonl")
    let tampered = await error(recipe)
    XCTAssertEqual(
      tampered,
      "\(output)/problems.jsonl: the file was changed after the run began. Put a copy of it in its "
        + "place, or name another 'output'.")
    try folder.write(problems, as: "out/problems.jsonl")
    let identity = try folder.text("out/identity.json")
    try folder.write(
      identity.replacingOccurrences(of: "\"format\": 1", with: "\"format\": 9"),
      as: "out/identity.json")
    let format = await error(recipe)
    XCTAssertEqual(
      format,
      "\(output)/identity.json: it is of another version of this program. Name another 'output'.")
  }

  func testFoldersThatAreNoRun() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(3)], output: folder.path)
    let strange = await error(recipe)
    XCTAssertEqual(
      strange,
      "\(folder.path): 'sums.jsonl' is in it, but no 'identity.json': it is no folder of a run, or of "
        + "one in shards. Name another 'output'.")
    let nowhere = await error(.of([folder.file("sums.jsonl")], output: folder.file("a/b")))
    XCTAssertEqual(nowhere, "\(folder.file("a/b")): there is no such file or folder.")
    let missing = await error(.of([folder.file("none.jsonl")], output: folder.file("out")))
    XCTAssertEqual(missing, "\(folder.file("none.jsonl")): there is no such file or folder.")
  }

  func testOneProcess() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(3)], output: folder.file("out"))
    let first = await error(recipe)
    XCTAssertNil(first)
    let lock = try Journal(at: recipe.output + "/.lock") { _, _ in }
    let error = await error(recipe)
    XCTAssertEqual(
      error, "\(recipe.output): another process is writing samples there. Wait until it is done.")
    withExtendedLifetime(lock) {}
  }

  /// A kill before `identity.json` leaves problems that nobody was asked.
  func testAKillBeforeTheIdentity() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of([try folder.sums(3)], output: folder.file("out"))
    let first = await error(recipe)
    XCTAssertNil(first)
    for name in ["samples", "rounds", "failures"] {
      try FileManager.default.removeItem(atPath: recipe.output + "/\(name).jsonl")
    }
    for name in ["identity.json", "recipe.json"] {
      try FileManager.default.removeItem(atPath: recipe.output + "/" + name)
    }
    let again = await error(recipe)
    XCTAssertNil(again)
    XCTAssertEqual(try samples(recipe.output).count, 3)
  }

  func testIdsThatComeTwice() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("other"), withIntermediateDirectories: true)
    let a = try folder.sums(3), b = try folder.sums(3, as: "other/sums.jsonl")
    let error1 = await error(.of([a, b], output: folder.file("out")))
    XCTAssertEqual(
      error1,
      "\(b):1: the id 'sums.jsonl#1' is that of \(a):1 too. Give each file a 'source' name of its own, "
        + "or name another key in 'fields.id'.")
    // Two of the three are asked already: a second sample with one key would be none.
    let c = try folder.sums(3, as: "other/sums.jsonl", from: 1)
    var recipe = TeacherGenerationRecipe.of([a, c], output: folder.file("out"))
    recipe.prompts[1].source = "others"
    let none = await error(recipe)
    XCTAssertNil(none)
    XCTAssertEqual(
      Set(try samples(recipe.output).keys),
      ["sums.jsonl#1 0", "sums.jsonl#2 0", "sums.jsonl#3 0", "others#3 0"])
    let summary = try await generate(
      recipe,
      CountingTeacher(
        identity: .object(JSONObject(members: [("model", .string("test"))]))
      ) { sum($0, $1) })
    XCTAssertEqual(summary.progress.problemsRepeated, 2)
    XCTAssertEqual(summary.progress.problems, 4)
    let same = try folder.write(
      "{\"id\":\"x\",\"question\":\"a\"}\n\n{\"id\":\"x\",\"question\":\"b\"}\n", as: "same.jsonl")
    let error2 = await error(.of([same], output: folder.file("same")))
    XCTAssertEqual(
      error2,
      "\(same):3: the id 'x' is that of \(same):1 too. Give each file a 'source' name of its own, or "
        + "name another key in 'fields.id'.")
  }

  func testAJournalOfOtherProblems() async throws {
    let folder = try TemporaryFolder()
    let a = TeacherGenerationRecipe.of([try folder.sums(3)], output: folder.file("a"))
    let b = TeacherGenerationRecipe.of(
      [try folder.sums(3, as: "b.jsonl")], output: folder.file("b"))
    let first = await error(a), second = await error(b)
    XCTAssertNil(first)
    XCTAssertNil(second)
    // Samples lie in the order in which the answers arrived, which may be any.
    try folder.write(
      try folder.text("b/samples.jsonl").split(separator: "\n")
        .filter { $0.contains("\"b.jsonl#1\"") }.joined() + "\n",
      as: "a/samples.jsonl")
    let error = await error(a)
    XCTAssertEqual(
      error,
      "\(a.output)/samples.jsonl:1: there is no problem 'b.jsonl#1' in \(a.output)/problems.jsonl. The "
        + "line is of another run; remove it.")
  }

  // MARK: Shards

  func testShardsArePartsOfTheWhole() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.sums(200)
    let recipe = TeacherGenerationRecipe.of([path], output: folder.file("out"), samples: 2)
    var totals: [Int] = []
    for index in [2, 0, 1] {
      let summary = try await generate(
        recipe, CountingTeacher { sum($0, $1) }, isJudging: true,
        shard: try ProblemShard(index, of: 3))
      totals.append(summary.progress.problems)
    }
    XCTAssertEqual(totals.reduce(0, +), 200)
    XCTAssertTrue(totals.allSatisfy { $0 > 40 }, "\(totals)")
    XCTAssertEqual(
      try names(inFolder: recipe.output), ["shard-0-of-3", "shard-1-of-3", "shard-2-of-3"])
    let whole = TeacherGenerationRecipe.of([path], output: folder.file("whole"), samples: 2)
    try await generate(whole, CountingTeacher { sum($0, $1) }, isJudging: true)
    XCTAssertEqual(try samples(recipe.output), try samples(whole.output))
    let merged = try SampleFolder(at: recipe.output)
    XCTAssertEqual(merged.shards.map { $0.number?.index }, [0, 1, 2])
    XCTAssertEqual(merged.missingShards, [])
    var problems: Set<String> = []
    try merged.forEachProblem { json, place in
      let problem = try Problem(json, place: place)
      XCTAssertTrue(problems.insert(problem.id).inserted)
      XCTAssertEqual(
        SHA256.digest(of: problem.id.utf8).reduce(0) { ($0 * 256 + Int($1)) % 3 },
        Int(String(place.split(separator: "/").dropLast().last?.dropFirst(6).first ?? "x")))
    }
    XCTAssertEqual(problems.count, 200)
    XCTAssertEqual(
      sentence { _ = try ProblemShard(3, of: 3) },
      "Shard 3 of 3 can't be: shards are counted from 0, and there may be up to 10000.")
    let error = await error(recipe)
    XCTAssertEqual(
      error,
      "\(recipe.output): 'shard-0-of-3' is in it, but no 'identity.json': it is no folder of a run, or "
        + "of one in shards. Name another 'output'.")
  }

  /// The same for every machine: a change would ask problems twice.
  func testShardsStayWhatTheyAre() throws {
    let three = try (0..<3).map { try ProblemShard($0, of: 3) }
    let shards = ["HumanEval/0", "train.jsonl#1", "é"].map { id in
      three.firstIndex { $0.contains(id) }
    }
    XCTAssertEqual(shards, [2, 0, 0])
  }

  // MARK: The recipe

  func testFindings() throws {
    var recipe = TeacherGenerationRecipe.of(["a"], output: "out")
    XCTAssertEqual(recipe.findings, [])
    recipe.prompts = []
    recipe.output = ""
    recipe.prompt = ProblemPrompt(
      mathematics: "no place", choices: "{question}", program: "{tests}", other: "")
    recipe.sampling = .init(
      samplesPerProblem: 0, temperature: -1, topP: 0, maxTokens: 0, seed: 0, stop: [""])
    recipe.adaptive = AdaptiveSampling(
      correct: 0, maxSamples: -1, maxTokens: 0, maxCost: 0, round: 0,
      passRate: .init(min: 0.5, max: 0.5, after: 0))
    recipe.budget = .init(tokens: 0, cost: 0)
    recipe.durability = .init(records: 0, seconds: 0)
    XCTAssertEqual(
      recipe.findings,
      [
        "The recipe: 'prompts' must name a file of problems.",
        "The recipe: 'prompt.mathematics' must hold '{question}', where it is to stand.",
        "The recipe: 'prompt.choices' must hold '{options}', where it is to stand.",
        "The recipe: 'prompt.program' must hold '{question}', where it is to stand.",
        "The recipe: 'prompt.other' must hold '{question}', where it is to stand.",
        "The recipe: 'sampling.samplesPerProblem' is 0; it must lie between 1 and 10000.",
        "The recipe: 'sampling.temperature' is -1.0; it must lie between 0 and 10.",
        "The recipe: 'sampling.topP' is 0.0; it must be above 0, and 1 at most.",
        "The recipe: 'sampling.maxTokens' must be 1 at least.",
        "The recipe: 'sampling.stop' has an empty text.",
        "The recipe: 'adaptive.correct' must be 1 at least.",
        "The recipe: 'adaptive.round' must be 1 at least.",
        "The recipe: 'adaptive.maxSamples' is -1; it must lie between "
          + "'sampling.samplesPerProblem', 0, and 10000.",
        "The recipe: 'adaptive.maxTokens' must be 1 at least.",
        "The recipe: 'adaptive.maxCost' must be above 0.",
        "The recipe: 'adaptive.maxCost' needs 'prices'.",
        "The recipe: 'adaptive.passRate' must have a 'min' from 0 and a 'max' above it, up to 1.",
        "The recipe: 'adaptive.passRate.after' must be 1 at least.",
        "The recipe: 'budget.tokens' must be 1 at least.",
        "The recipe: 'budget.cost' must be above 0.",
        "The recipe: 'budget.cost' needs 'prices'.",
        "The recipe: 'durability.records' must be 1 at least.",
        "The recipe: 'durability.seconds' must be above 0, and 3600 at most.",
        "The recipe: 'output' must name a folder.",
      ])
    recipe = .of(["a"], output: "out", samples: 2)
    recipe.sampling.temperature = 0
    recipe.prompts[0].limit = 0
    recipe.prices = .init(prompt: -1, completion: 0, currency: "USD")
    XCTAssertEqual(
      recipe.findings,
      [
        "The recipe: 'prompts[0].limit' must be 1 at least.",
        "The recipe: 'sampling.temperature' is 0, so that all samples of a problem are the same. Raise "
          + "it, or draw one sample.",
        "The recipe: 'prices' must not be negative.",
      ])
    recipe = .of(
      ["a"], output: "out", adaptive: AdaptiveSampling(correct: 1, maxSamples: 4, round: 1))
    XCTAssertEqual(
      sentence {
        _ = try TeacherGenerationRun(
          recipe, recipeJSON: .null, teacher: CountingTeacher { sum($0, $1) }, toolkit: "0",
          judge: nil)
      }, "The recipe: 'adaptive' needs a judge, to tell which answers are correct.")
  }
}
