import Datasets
import Foundation
import Problems
import Storage
import Teachers
import Tokenizers

/// Makes a training set from sampled answers, as a recipe says.
///
///     let run = try CurationRun(recipe, judge: rules, version: "0.1.0")
///     let report = try await run.run()
///
/// Three passes: the first reads every sample once and keeps `bytesPerSample` of it in memory, the
/// second compares them with each other, the third reads those that are kept again and writes them.
/// The samples are never changed. The same command writes the same bytes, on any number of threads.
public struct CurationRun: Sendable {
  public let recipe: CurationRecipe
  /// A part of the problems, by a hash of their question, so that equal questions meet.
  public let shard: Shard?
  let judge: RuleJudge
  let model: (any Teacher)?
  let toolkit: String
  let workers: Workers

  /// One of several parts that are curated apart.
  public struct Shard: Equatable, Codable, Sendable {
    /// From 0.
    public var index: Int
    public var count: Int

    /// - Throws: `CurationError` if there is no such shard.
    public init(index: Int, count: Int) throws(CurationError) {
      guard count >= 1, count <= SampleFolder.mostShards, (0..<count).contains(index) else {
        throw CurationError(
          .recipe,
          "There is no shard \(index) of \(count): shards are counted from 0, and there are at most "
            + "\(SampleFolder.mostShards).")
      }
      (self.index, self.count) = (index, count)
    }

    /// Its part of a number, such as a source's count; the parts of all shards add up to it.
    func part(of number: Int) -> Int {
      number / count + (index < number % count ? 1 : 0)
    }

    func holds(_ question: Digest) -> Bool { question.high % UInt64(count) == UInt64(index) }
  }

  /// What is known while it runs, for a display.
  public enum Progress: Equatable, Sendable {
    /// Samples read, and how many of them pass the rules for single samples.
    case read(samples: Int, kept: Int)
    /// Answers that the judge model was asked about, of how many.
    case asked(Int, of: Int)
    /// Samples of the mixture.
    case mixed(Int)
    /// Samples written, of how many.
    case written(Int, of: Int)
  }

  /// - Parameters:
  ///   - judge: The rules for answers.
  ///   - model: The judge model; needed if the recipe has a `judge`.
  ///   - version: The toolkit's version, for the manifest.
  ///   - threads: How many samples are judged at once; nil for as many as there are processors.
  /// - Throws: `CurationError` for a recipe that can't be meant as it is.
  public init(
    _ recipe: CurationRecipe, judge: RuleJudge, model: (any Teacher)? = nil, version: String,
    shard: Shard? = nil, threads: Int? = nil
  ) throws(CurationError) {
    var findings = recipe.findings
    if recipe.judge != nil, model == nil {
      findings.append("The recipe: it has a 'judge', but no model was given to ask.")
    }
    if !findings.isEmpty {
      throw CurationError(.recipe, findings.joined(separator: "\n"))
    }
    self.recipe = recipe
    self.judge = judge
    self.model = recipe.judge == nil ? nil : model
    self.shard = shard
    toolkit = version
    workers = Workers(threads)
  }

  /// What is kept in memory of each sample while a run lasts, in bytes; problems, and hash tables
  /// that live for a pass, come on top.
  public static var bytesPerSample: Int { MemoryLayout<SampleEntry>.stride }

  /// The folder of the training set: the recipe's, or the shard's inside it.
  public var outputPath: String {
    var path = recipe.output
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    guard let shard else { return path }
    return path + "/" + SampleFolder.shardName(shard.index, of: shard.count)
  }

  /// The folder beside the output where verdicts and judgements are kept.
  public var workPath: String { outputPath + ".work" }

  /// Runs to the end, or until it is stopped; then the same command goes on where this one was.
  ///
  /// - Parameters:
  ///   - isStopped: Asked between batches.
  ///   - progress: Called between batches, from one thread at a time.
  /// - Returns: What was found; the training set is in `outputPath`.
  /// - Throws: `CurationError`, `FileError`, `TeacherError` of the judge model.
  @discardableResult
  public func run(
    isStopped: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws -> CurationReport {
    if shard != nil { try makeFolder(at: recipe.output) }
    // Found out before the work whose result is to be written.
    var output = try AtomicFolder(at: outputPath, replacing: CurationOutput.isOwn)
    try makeFolder(at: workPath)
    let inputs = try CurationInputs(recipe)
    var state = CurationState(inputs, recipe)
    try assess(inputs, &state, isStopped, progress)
    try checkJudging(state)
    state.sortSamples()
    try await askModel(inputs, &state, isStopped, progress)
    try select(inputs, &state)
    let mixture = try readMixture(inputs, &state, isStopped, progress)
    let shares = takeShares(inputs, mixture, &state)
    return try write(
      inputs, &state, mixture, shares, to: &output, isStopped, progress)
  }

  func checkStop(_ isStopped: () -> Bool) throws(CurationError) {
    if isStopped() {
      throw CurationError(
        .stopped,
        "Stopped. \(outputPath) is as it was; the same command goes on with the verdicts in "
          + "\(workPath).")
    }
  }

  /// Stops where judging fails more often than once in a hundred answers.
  func checkJudging(_ state: CurationState, atLeast least: Int = 1) throws(CurationError) {
    let (failed, judged) = (state.failures.count, state.judged)
    guard failed >= least, failed * 100 > judged else { return }
    let one = state.failures.first.map { " The first: \($0)" } ?? ""
    throw CurationError(
      .judging,
      "Judging failed for \(failed) of \(judged) answers, which says nothing about them; more than "
        + "1 % is not gone on with.\(one) Verdicts are kept in \(workPath): the same command "
        + "judges only what is left.")
  }
}
