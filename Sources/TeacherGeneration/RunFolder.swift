import Foundation
import Problems
import Storage
import Teachers

/// The folder of a run while it is written, and what was in it when it was opened.
///
/// Besides what `SampleFolder` reads there is `rounds.jsonl`: a journal of what was counted of each
/// problem after each round, so that no answer is judged twice and a decision stays what it was. One
/// process at a time works in a folder, which it locks by `.lock`.
struct RunFolder {
  let path: String
  let problems: ProblemLines
  let samples: SampleJournal
  let rounds: SampleJournal
  let failures: SampleJournal
  var state: RunState
  /// What earlier sessions stored.
  var progress: TeacherGenerationProgress
  private let lock: Journal

  /// - Throws: `TeacherGenerationError` if another process works in it, what is asked for is something
  ///   else than what the run began with, or the journals are of other problems; `SampleError` for a
  ///   damaged line; `ProblemError`, `FileError`.
  init(
    _ recipe: TeacherGenerationRecipe, recipeJSON: JSONValue, teacher: any Teacher, toolkit: String,
    shard: ProblemShard?, isJudging: Bool, retryingFailures: Bool
  ) throws {
    path = try Self.folder(recipe.output, shard)
    do {
      lock = try Journal(at: path + "/.lock") { _, _ in }
    } catch let error as FileError where error.reason == .inUse {
      throw TeacherGenerationError(
        "\(path): another process is writing samples there. Wait until it is done.")
    }
    let sources = try RunIdentity.sources(recipe.prompts)
    let identity: JSONObject
    if let was = try Self.identity(path) {
      try RunIdentity.check(
        was, recipe, teacher: teacher, sources: sources, shard: shard, path: path)
      identity = was
    } else {
      identity = try Self.begin(recipe, teacher, toolkit, sources, shard, path)
    }
    try AtomicFile.write(recipeJSON.serialized(pretty: true), to: path + "/recipe.json")
    let (problems, sha256) = try ProblemLines.open(path + "/problems.jsonl")
    guard sha256 == RunIdentity.ownProblems(identity) else {
      throw TeacherGenerationError(
        "\(problems.path): the file was changed after the run began. Put a copy of it in its place, "
          + "or name another 'output'.")
    }
    self.problems = problems
    var reading = Reading(
      problems: problems, rule: SamplingRule(recipe), isJudging: isJudging,
      forgetsFailures: retryingFailures)
    let durability = recipe.durability ?? SampleJournal.Durability()
    // The rounds first: they tell which samples are counted already.
    rounds = try Self.journal(path + "/rounds.jsonl", durability) { try reading.round($0) }
    samples = try Self.journal(path + "/samples.jsonl", durability) { try reading.sample($0, $1) }
    failures = try Self.journal(path + "/failures.jsonl", durability) { try reading.failure($0) }
    reading.finish(samplesPerProblem: recipe.sampling.samplesPerProblem)
    state = reading.state
    progress = reading.progress
    progress.problemsRepeated = RunIdentity.repeatedProblems(identity)
  }

  private static func journal(
    _ path: String, _ durability: SampleJournal.Durability,
    _ read: (JSONMembers, Range<Int>) throws -> Void
  ) throws -> SampleJournal {
    try SampleJournal(at: path, durability: durability) { object, number, range in
      do {
        try read(JSONMembers(object, place: "\(path):\(number)"), range)
      } catch let error as JSONMemberError {
        throw TeacherGenerationError("\(error)")
      }
    }
  }

  private static func journal(
    _ path: String, _ durability: SampleJournal.Durability, _ read: (JSONMembers) throws -> Void
  ) throws -> SampleJournal {
    try journal(path, durability) { members, _ in try read(members) }
  }

  func synchronize() throws {
    for journal in [samples, rounds, failures] { try journal.synchronize() }
  }

  func synchronizeIfDue() throws {
    for journal in [samples, rounds, failures] { try journal.synchronizeIfDue() }
  }

  // MARK: Beginning

  /// The folder that this process writes to.
  private static func folder(_ output: String, _ shard: ProblemShard?) throws -> String {
    try makeFolder(at: output)
    guard let shard else { return output }
    if try names(inFolder: output).contains("identity.json") {
      throw TeacherGenerationError(
        "\(output): it holds a run that is not divided into shards. Name another 'output'.")
    }
    let path = output + "/" + SampleFolder.shardName(shard.index, of: shard.count)
    try makeFolder(at: path)
    return path
  }

  private static func identity(_ path: String) throws -> JSONObject? {
    let path = path + "/identity.json"
    do {
      let file = try MappedFile(at: path)
      let value = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: path, limits: JSONLimits(bytes: 4 << 20))
      }
      guard case .object(let object) = value else {
        throw TeacherGenerationError("\(path): an object must stand there.")
      }
      return object
    } catch let error as FileError where error.reason == .missing {
      return nil
    }
  }

  /// Writes the problems, and then what the run is known by: where that is, they are whole.
  private static func begin(
    _ recipe: TeacherGenerationRecipe, _ teacher: any Teacher, _ toolkit: String,
    _ sources: [JSONValue], _ shard: ProblemShard?, _ path: String
  ) throws -> JSONObject {
    let stranger = try names(inFolder: path).first {
      $0 != "problems.jsonl" && !$0.hasPrefix(".")
    }
    if let stranger {
      throw TeacherGenerationError(
        "\(path): \(quoted(stranger)) is in it, but no 'identity.json': it is no folder of a run, or "
          + "of one in shards. Name another 'output'.")
    }
    let written = try ProblemLines.write(
      recipe.prompts, recipe.prompt ?? ProblemPrompt(), shard: shard, to: path + "/problems.jsonl")
    let identity = RunIdentity(
      recipe, teacher: teacher, toolkit: toolkit, sources: sources, written: written, shard: shard)
    try AtomicFile.write(
      JSONValue.object(identity.json).serialized(pretty: true), to: path + "/identity.json")
    return identity.json
  }

  // MARK: Lines

  static func failure(
    _ problem: String, _ samples: Range<Int>, _ error: TeacherError, _ time: String
  )
    -> JSONObject
  {
    JSONObject(members: [
      ("problem", .string(problem)),
      (
        "samples",
        .array([
          .number(JSONNumber(samples.lowerBound)), .number(JSONNumber(samples.upperBound)),
        ])
      ), ("scope", .string(error.scope == .question ? "question" : "attempt")),
      ("kind", .string(error.kind)), ("error", .string(error.description)),
      ("time", .string(time)),
    ])
  }

  /// - Parameter new: Of the counts, what the last round brought.
  static func round(
    _ problem: Problem, _ counts: RoundCounts, new: RoundCounts, _ decision: SamplingRule.Decision
  ) -> JSONObject {
    func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
    let words: String =
      switch decision {
      case .ask: "more"
      case .done(let reason): reason.rawValue
      }
    return JSONObject(members: [
      ("problem", .string(problem.id)), ("source", .string(problem.source)),
      ("samples", number(counts.samples)), ("correct", number(counts.correct)),
      ("judged", number(counts.judged)), ("promptTokens", number(counts.tokens.prompt)),
      ("completionTokens", number(counts.tokens.completion)), ("newSamples", number(new.samples)),
      ("newCorrect", number(new.correct)), ("decision", .string(words)),
    ])
  }

  /// What the journals of earlier sessions say, line by line.
  private struct Reading {
    let problems: ProblemLines
    let rule: SamplingRule
    let isJudging: Bool
    let forgetsFailures: Bool
    var state: RunState
    var progress = TeacherGenerationProgress()

    init(problems: ProblemLines, rule: SamplingRule, isJudging: Bool, forgetsFailures: Bool) {
      self.problems = problems
      self.rule = rule
      self.isJudging = isJudging
      self.forgetsFailures = forgetsFailures
      state = RunState(problems: problems.count)
    }

    private func index(_ members: JSONMembers) throws -> Int {
      let id = try members.text("problem")
      guard let index = problems.index(of: id) else {
        throw TeacherGenerationError(
          "\(members.place): there is no problem \(quoted(id)) in \(problems.path). The line is of "
            + "another run; remove it.")
      }
      return index
    }

    mutating func round(_ members: JSONMembers) throws {
      let problem = try index(members)
      let counts = RoundCounts(
        samples: try members.count("samples"), correct: try members.count("correct"),
        judged: try members.count("judged"),
        tokens: TokenCount(
          prompt: try members.count("promptTokens"),
          completion: try members.count("completionTokens")))
      guard counts.samples <= TeacherGenerationRecipe.mostSamples else {
        throw TeacherGenerationError(
          "\(members.place): \(counts.samples) samples are counted, which no problem has. Remove the "
            + "line.")
      }
      progress.add(
        source: try members.text("source"), samples: try members.count("newSamples"),
        correct: try members.count("newCorrect"))
      state.setCounted(problem, counts.samples)
      if case .done = rule.decision(after: counts) {
        state.setDone(problem)
      } else {
        state.setOpen(problem)
        state.rounds[problem] = counts
      }
    }

    mutating func sample(_ members: JSONMembers, _ range: Range<Int>) throws {
      let problem = try index(members)
      let record: SampleRecord
      record = try SampleRecord(members.object, place: members.place)
      guard record.sample < TeacherGenerationRecipe.mostSamples else {
        throw TeacherGenerationError(
          "\(members.place): the sample's number is \(record.sample), which no run has. Remove the "
            + "line.")
      }
      // A line that stands there twice is one sample.
      guard state.store(problem, record.sample) else { return }
      progress.samples += 1
      progress.add(record.answer)
      if isJudging, !state.isDone(problem),
        record.sample >= state.rounds[problem]?.samples ?? 0
      {
        state.uncounted[problem, default: []].append(
          RunState.Uncounted(sample: record.sample, range: range))
      }
    }

    mutating func failure(_ members: JSONMembers) throws {
      let problem = try index(members)
      if try members.text("scope") == "question", !forgetsFailures { state.setFailed(problem) }
    }

    mutating func finish(samplesPerProblem: Int) {
      progress.samplesBefore = progress.samples
      progress.problems = problems.count
      if isJudging { return }
      for problem in 0..<problems.count where state.storedCount(problem) >= samplesPerProblem {
        state.setDone(problem)
      }
    }
  }
}

extension TeacherGenerationProgress {
  mutating func add(source: String, samples: Int, correct: Int) {
    let index = sources.firstIndex { $0.name.utf8.elementsEqual(source.utf8) }
    guard let index else {
      sources.append(Source(name: source, samples: samples, correct: correct))
      sources.sort { $0.name < $1.name }
      return
    }
    sources[index].samples += samples
    sources[index].correct += correct
  }

  /// Counts an answer's tokens.
  mutating func add(_ answer: TeacherAnswer) {
    tokens += answer.tokens
    if answer.completionTokens == nil || answer.promptTokens == nil { tokensAreEstimated = true }
  }
}

extension TeacherAnswer {
  /// As the teacher tells, or four bytes of the answer each.
  public var tokens: TokenCount {
    TokenCount(
      prompt: promptTokens ?? 0,
      completion: completionTokens
        ?? ((reasoning?.utf8.count ?? 0) + content.utf8.count + 3) / 4)
  }
}
