import Foundation
import Models
import Problems
import Scores
import Storage
import TeacherGeneration
import Teachers
import Verification

/// Asks models the problems of benchmarks, judges what they answer, and keeps all of it.
///
///     let run = try EvaluationRun(recipe, recipeJSON: resolved, …)
///     let summary = try await run.run()
///
/// Sampling is teacher generation's, with its journal: nothing that is stored is sampled again, and an
/// evaluation that was stopped anywhere goes on. Verdicts are kept too. A model is done when its
/// `evaluation.json` stands there; it is taken away before a verdict changes. One process at a time
/// works in a model's folder, which it locks by `.lock`.
public struct EvaluationRun: Sendable {
  let recipe: EvaluationRecipe
  let recipeJSON: JSONValue
  let toolkit: String
  let judge: AnswerJudge
  let teacher: @Sendable (EvaluatedModel) throws -> any Teacher
  let retryingFailures: Bool
  let isStopped: @Sendable () -> Bool
  let observer: @Sendable (EvaluationProgress) -> Void
  /// After how many seconds of work `seconds.json` is written again: what a kill may cost of it.
  var secondsBetweenNotes = 60.0

  /// - Parameters:
  ///   - recipeJSON: The whole recipe as it is kept beside the results.
  ///   - toolkit: The version of this program, which is kept too.
  ///   - judge: Must have a sandbox if a benchmark is of programs.
  ///   - teacher: Makes who answers for a model; called once for each, when its turn comes.
  ///   - retryingFailures: Asks questions again that failed for good in an earlier session.
  ///   - isStopped: Asked about ten times a second; once it is true, the run ends soon, with all that
  ///     came stored.
  ///   - observer: Gets the progress, from any thread.
  /// - Throws: `EvaluationError`, with a line for each thing in the recipe that can't be meant.
  public init(
    _ recipe: EvaluationRecipe, recipeJSON: JSONValue, toolkit: String, judge: AnswerJudge,
    teacher: @escaping @Sendable (EvaluatedModel) throws -> any Teacher = { model in
      try model.teacher.teacher()
    }, retryingFailures: Bool = false, isStopped: @escaping @Sendable () -> Bool = { false },
    observer: @escaping @Sendable (EvaluationProgress) -> Void = { _ in }
  ) throws(EvaluationError) {
    let findings = recipe.findings
    if !findings.isEmpty { throw EvaluationError(findings.joined(separator: "\n")) }
    self.recipe = recipe
    self.recipeJSON = recipeJSON
    self.toolkit = toolkit
    self.judge = judge
    self.teacher = teacher
    self.retryingFailures = retryingFailures
    self.isStopped = isStopped
    self.observer = observer
  }

  private struct Counts {
    var samples = 0
    var samplesNow = 0
    var toRetry = 0
    var forGood = 0
    /// The number of the model and benchmark, from 0.
    var number = 0
    /// Samples of those before.
    var before = 0
  }

  /// Does all that is not done yet.
  ///
  /// - Throws: `EvaluationError`, `TeacherGenerationError`, `TeacherError`, `SampleError`,
  ///   `ProblemError`, `CheckpointError`, `ReportError`, `FileError`. What was stored by then stays,
  ///   and the same command goes on.
  public func run() async throws -> EvaluationSummary {
    let start = ContinuousClock.now
    let plans = recipe.plans
    // Those whose turn comes late too.
    for model in recipe.models {
      if let local = model.local { _ = try Checkpoint(at: local.checkpoint) }
    }
    let sizes = try plans.map { try checkedSize(of: $0) }
    let wanted = zip(plans, sizes).reduce(0) { $0 + $1.0.samplesPerProblem * $1.1 }
    try makeFolder(at: recipe.output)
    try AtomicFile.write(recipeJSON.serialized(pretty: true), to: recipe.output + "/recipe.json")
    var counts = Counts()
    var done: [ModelEvaluation] = []
    var isStoppedEarly = false
    for (index, model) in recipe.models.enumerated() where !isStoppedEarly {
      if let evaluation = try await evaluate(
        model, index, plans, wanted: wanted * recipe.models.count, &counts)
      {
        done.append(evaluation)
      } else {
        isStoppedEarly = true
      }
    }
    if !isStoppedEarly {
      try EvaluationPage.overview(of: done, bootstrap: recipe.bootstrap)
        .write(to: recipe.output + "/report.html")
    }
    return EvaluationSummary(
      ending: isStoppedEarly ? .stopped : .complete, models: done,
      failuresToRetry: counts.toRetry, failuresForGood: counts.forGood, samples: counts.samples,
      samplesNow: counts.samplesNow, seconds: Self.seconds(since: start))
  }

  /// As `SolverRating` has it.
  private static let largestRating = 10_000.0

  /// Reads a benchmark's files before anything is asked: hours later is too late to learn that they
  /// can't be judged.
  ///
  /// - Returns: The number of problems.
  private func checkedSize(of plan: BenchmarkPlan) throws -> Int {
    var count = 0
    for source in plan.problems {
      let file = try ProblemFile(source)
      for index in 0..<file.count {
        let problem = try file.problem(index)
        count += 1
        if let rating = problem.rating, rating.magnitude > Self.largestRating {
          throw EvaluationError(
            problem.place,
            "its rating is \(rating); ratings lie within ±\(Int(Self.largestRating)). Correct it, or "
              + "take it out.")
        }
        switch problem.reference {
        case .answer(let text):
          if AnswerExtraction().answer(in: Array(text.utf8), isReference: true) == nil {
            throw EvaluationError(
              problem.place,
              "its reference holds no answer to judge by. Name the key that has it "
                + "in 'fields: { answer: … }'.")
          }
        case .choices: break
        case .program:
          guard judge.runsPrograms else {
            throw EvaluationError(
              problem.place,
              "programs are judged in a sandbox, which needs Linux with user "
                + "namespaces. Leave \(quoted(plan.title)) out, or run it there.")
          }
        case .none:
          throw EvaluationError(
            problem.place,
            "no rule can judge an answer to it: there is no reference. Name the key "
              + "that has it in 'fields: { answer: … }'.")
        }
      }
    }
    return count
  }

  /// - Returns: Nil if it was stopped.
  private func evaluate(
    _ model: EvaluatedModel, _ index: Int, _ plans: [BenchmarkPlan], wanted: Int,
    _ counts: inout Counts
  ) async throws -> ModelEvaluation? {
    let path = recipe.output + "/" + model.folder
    try makeFolder(at: path)
    let lock = try Self.lock(path)
    defer { withExtendedLifetime(lock) {} }
    let teacher = try teacher(model)
    let seconds = SecondsFile(at: path + "/seconds.json", every: secondsBetweenNotes)
    var benchmarks: [EvaluatedBenchmark] = []
    for plan in plans {
      defer { counts.number += 1 }
      seconds.begin(plan.folder)
      let evaluated: Evaluated?
      do {
        evaluated = try await evaluate(
          plan, teacher, model.title, index, in: path, wanted: wanted, seconds, &counts)
      } catch {
        // What is thrown tells more than that this can't be written either.
        try? seconds.write()
        throw error
      }
      guard let evaluated else {
        try seconds.write()
        return nil
      }
      // A session that found all done is not counted.
      if evaluated.hasWorked { try seconds.write() }
      benchmarks.append(
        try benchmark(plan, evaluated, in: path, seconds: seconds.seconds(of: plan.folder)))
    }
    let preset = recipe.preset?.preset
    let evaluation = ModelEvaluation(
      path: path, model: model.title, identity: teacher.identity,
      preset: preset.map { preset in
        ModelEvaluation.Preset(
          name: preset.name.rawValue, sha256: preset.sha256, changes: plans.flatMap(\.changes))
      }, toolkit: toolkit, benchmarks: benchmarks)
    try EvaluationPage(evaluation, bootstrap: try recipe.bootstrap).write(to: path + "/report.html")
    try evaluation.write(with: try recipe.bootstrap)
    return evaluation
  }

  /// Two processes in a folder would each take away what the other one wrote.
  private static func lock(_ path: String) throws -> Journal {
    do {
      return try Journal(at: path + "/.lock") { _, _ in }
    } catch let error as FileError where error.reason == .inUse {
      throw EvaluationError(
        path, "another process is evaluating this model there. Wait until it is done.")
    }
  }

  /// What came of a benchmark.
  private struct Evaluated {
    let judged: BenchmarkJudging.Outcome
    let problemsRepeated: Int
    let hasWorked: Bool
  }

  /// - Returns: Nil if it was stopped.
  private func evaluate(
    _ plan: BenchmarkPlan, _ teacher: any Teacher, _ model: String, _ index: Int, in path: String,
    wanted: Int, _ seconds: SecondsFile, _ counts: inout Counts
  ) async throws -> Evaluated? {
    let folder = path + "/" + plan.folder
    let (number, before) = (counts.number, counts.before)
    let report: @Sendable (EvaluationProgress.Phase, Int) -> Void = { [self] phase, samples in
      observer(
        EvaluationProgress(
          model: model, modelNumber: index + 1, models: recipe.models.count,
          benchmark: plan.title, number: number + 1,
          count: recipe.models.count * recipe.benchmarks.count, phase: phase,
          samples: before + samples, samplesWanted: wanted))
    }
    let generation = try TeacherGenerationRun(
      plan.generation(into: folder, durability: recipe.durability), recipeJSON: recipeJSON,
      teacher: teacher, toolkit: toolkit, judge: nil, retryingFailures: retryingFailures,
      isStopped: isStopped,
      observer: {
        if $0.samplesInSession > 0 { seconds.writeIfDue() }
        report(.sampling($0), $0.samples)
      })
    let summary = try await generation.run()
    counts.samples += summary.progress.samples
    counts.samplesNow += summary.progress.samplesInSession
    counts.before += summary.progress.samples
    counts.toRetry += summary.failuresToRetry
    counts.forGood += summary.failuresForGood
    if summary.ending == .stopped { return nil }
    let judging = BenchmarkJudging(
      path: folder, judge: judge.taking(plan.extraction), samplesPerProblem: plan.samplesPerProblem,
      prompt: plan.prompt,
      seed: plan.sampling.seed, isStopped: isStopped,
      willWrite: {
        try removeFile(at: path + "/" + ModelEvaluation.fileName)
        seconds.writeIfDue()
      }, observer: { report(.judging($0, of: $1), summary.progress.samples) })
    guard let judged = try judging.run() else { return nil }
    return Evaluated(
      judged: judged, problemsRepeated: summary.progress.problemsRepeated,
      hasWorked: summary.progress.samplesInSession > 0 || judged.judgedNow > 0)
  }

  private func benchmark(
    _ plan: BenchmarkPlan, _ evaluated: Evaluated, in path: String, seconds: Double
  ) throws -> EvaluatedBenchmark {
    // Where a problem's file lies may differ from one machine to the next.
    var hash = SHA256()
    try SampleFolder(at: path + "/" + plan.folder).forEachProblem { json, place in
      var problem = try Problem(json, place: place)
      problem.place = ""
      hash.update(Array(problem.json.serialized()))
    }
    return EvaluatedBenchmark(
      name: plan.title, folder: plan.folder, problemsSHA256: hash.finalizedText(),
      samplesPerProblem: plan.samplesPerProblem, sampling: plan.sampling, prompt: plan.prompt.json,
      judge: judge.taking(plan.extraction).version, missingSamples: plan.missingSamples,
      seconds: seconds,
      problems: evaluated.judged.problems, problemsRepeated: evaluated.problemsRepeated,
      tokensAreEstimated: evaluated.judged.tokensAreEstimated)
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
