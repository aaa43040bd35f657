import Foundation
import Problems
import Storage
import Teachers

/// Asks a teacher the problems of a recipe and stores what it answers.
///
///     let run = try TeacherGenerationRun(recipe, recipeJSON: resolved, teacher: teacher, …)
///     let summary = try await run.run()
///
/// It may be stopped anywhere, also by a kill or a loss of power: the same command goes on, and in the
/// end each sample that is wanted is there once. Problems are read one at a time as they are asked;
/// kept in memory are some 25 bytes of each, and the answers that are under way.
public struct TeacherGenerationRun: Sendable {
  /// Gives an answer's verdict; may take its time.
  typealias Judging = @Sendable (String, Problem) -> AnswerVerdict

  let recipe: TeacherGenerationRecipe
  let recipeJSON: JSONValue
  let teacher: any Teacher
  let toolkit: String
  let shard: ProblemShard?
  let retryingFailures: Bool
  let judging: Judging?
  let isStopped: @Sendable () -> Bool
  let observer: @Sendable (TeacherGenerationProgress) -> Void
  /// How long questions that are under way may still take after a stop.
  var graceSeconds = 5.0
  var tickSeconds = 0.1

  /// - Parameters:
  ///   - recipeJSON: The whole recipe as it is kept beside the samples.
  ///   - toolkit: The version of this program, which is kept too.
  ///   - judge: Says which answers are correct, which adaptive runs need and displays show; nil judges
  ///     none.
  ///   - shard: The part of the problems that this process asks; nil for all.
  ///   - retryingFailures: Asks questions again that failed for good in an earlier session.
  ///   - isStopped: Asked about ten times a second; once it is true, no question is asked any more,
  ///     those under way have five seconds left, and `run` returns.
  ///   - observer: Gets the progress whenever it changes, and about ten times a second.
  /// - Throws: `TeacherGenerationError`, with a line for each thing in the recipe that can't be meant.
  public init(
    _ recipe: TeacherGenerationRecipe, recipeJSON: JSONValue, teacher: any Teacher, toolkit: String,
    judge: AnswerJudge?, shard: ProblemShard? = nil, retryingFailures: Bool = false,
    isStopped: @escaping @Sendable () -> Bool = { false },
    observer: @escaping @Sendable (TeacherGenerationProgress) -> Void = { _ in }
  ) throws(TeacherGenerationError) {
    var judging: Judging?
    if let judge { judging = { text, problem in judge.verdict(of: text, on: problem) } }
    try self.init(
      recipe, recipeJSON: recipeJSON, teacher: teacher, toolkit: toolkit, judging: judging,
      shard: shard, retryingFailures: retryingFailures, isStopped: isStopped, observer: observer)
  }

  init(
    _ recipe: TeacherGenerationRecipe, recipeJSON: JSONValue, teacher: any Teacher, toolkit: String,
    judging: Judging?, shard: ProblemShard? = nil, retryingFailures: Bool = false,
    isStopped: @escaping @Sendable () -> Bool = { false },
    observer: @escaping @Sendable (TeacherGenerationProgress) -> Void = { _ in }
  ) throws(TeacherGenerationError) {
    var findings = recipe.findings
    if recipe.adaptive != nil, judging == nil {
      findings.append("The recipe: 'adaptive' needs a judge, to tell which answers are correct.")
    }
    if !findings.isEmpty { throw TeacherGenerationError(findings.joined(separator: "\n")) }
    self.recipe = recipe
    self.recipeJSON = recipeJSON
    self.teacher = teacher
    self.toolkit = toolkit
    self.judging = judging
    self.shard = shard
    self.retryingFailures = retryingFailures
    self.isStopped = isStopped
    self.observer = observer
  }

  /// Asks all that is wanted and not stored yet.
  ///
  /// Opening the folder reads the whole journals of earlier sessions.
  ///
  /// - Throws: `TeacherGenerationError` if the folder is of another run or in use, the teacher fails
  ///   for every question, samples can't be stored, or judging fails; `SampleError` for a damaged
  ///   journal; `ProblemError` and `FileError` for problems that can't be read. What was stored by then
  ///   stays, and the same command goes on.
  public func run() async throws -> TeacherGenerationSummary {
    let folder = try RunFolder(
      recipe, recipeJSON: recipeJSON, teacher: teacher, toolkit: toolkit, shard: shard,
      isJudging: judging != nil, retryingFailures: retryingFailures)
    return try await GenerationLoop(self, folder).run()
  }
}
