import Evaluation
import Scores
import Storage

/// Why two evaluations have different scores: what differs in their settings, and which problems
/// flipped.
public struct EvaluationDifference: Sendable {
  /// A setting that is another in both.
  public struct Setting: Equatable, Sendable {
    /// Its path: `sampling.temperature`.
    public let name: String
    public let first: String
    public let second: String
  }

  /// A benchmark that both have.
  public struct Benchmark: Sendable {
    public let name: String
    /// Of the benchmark alone; those of the models come on top.
    public let settings: [Setting]
    /// On the problems that both have, where there are two at least.
    public let comparisons: [PairedComparison]
    /// Why scores can't be compared, a sentence each.
    public let gaps: [String]
    public let flips: ProblemFlips
    /// Problems that only one of them was asked.
    public let onlyFirst: Int
    public let onlySecond: Int
    /// Shared ids whose question or reference is another, where the files of problems differ.
    public let changedProblems: [String]
  }

  public let first: ModelEvaluation
  public let second: ModelEvaluation
  /// What sentences call them: the models' names, or where they have one name, their folders.
  public let names: (first: String, second: String)
  /// What differs for all benchmarks: the models, presets and versions.
  public let settings: [Setting]
  public let benchmarks: [Benchmark]
  /// Benchmarks that only one of them has.
  public let onlyFirst: [String]
  public let onlySecond: [String]

  /// Reads two evaluations: models' folders, or outputs that hold one.
  ///
  /// - Throws: `ComparisonError` if one is no finished evaluation, both are the same folder, or they
  ///   share no benchmark; `EvaluationError`, `SampleError`, `ScoreError` for damaged ones.
  public init(_ firstPath: String, _ secondPath: String) throws {
    let first = try EvaluationFolder.evaluation(at: firstPath)
    let second = try EvaluationFolder.evaluation(at: secondPath)
    (self.first, self.second) = (first, second)
    guard try resolvedPath(first.path) != resolvedPath(second.path) else {
      throw ComparisonError("\(firstPath) and \(secondPath) are the same evaluation. Name two.")
    }
    let isOneName = first.model.utf8.elementsEqual(second.model.utf8)
    names = isOneName ? (first.path, second.path) : (first.model, second.model)
    settings = Self.settings(first, second)
    var benchmarks: [Benchmark] = []
    for one in first.benchmarks {
      guard
        let other = second.benchmarks.first(where: { $0.name.utf8.elementsEqual(one.name.utf8) })
      else { continue }
      benchmarks.append(
        try Benchmark(one, in: first.path, other, in: second.path, names: names))
    }
    self.benchmarks = benchmarks
    let shared = benchmarks.map(\.name)
    func only(_ evaluation: ModelEvaluation) -> [String] {
      evaluation.benchmarks.map(\.name).filter { name in
        !shared.contains { $0.utf8.elementsEqual(name.utf8) }
      }
    }
    (onlyFirst, onlySecond) = (only(first), only(second))
    if benchmarks.isEmpty {
      throw ComparisonError(
        "\(firstPath) and \(secondPath) share no benchmark: the first has "
          + "\(Words.list(onlyFirst.map { quoted($0) })), the second "
          + "\(Words.list(onlySecond.map { quoted($0) })).")
    }
  }

  private static func settings(_ a: ModelEvaluation, _ b: ModelEvaluation) -> [Setting] {
    func preset(_ evaluation: ModelEvaluation) -> JSONValue? {
      evaluation.preset.map {
        .members([
          ("name", .string($0.name)), ("sha256", .string($0.sha256)),
          ("changes", .texts($0.changes)),
        ])
      }
    }
    return differing("model", a.identity, b.identity)
      + differing("preset", preset(a), preset(b))
      + differing("program's version", .string(a.toolkit), .string(b.toolkit))
  }

  /// The values in which two documents differ, by their paths beneath a name.
  static func differing(_ name: String, _ a: JSONValue?, _ b: JSONValue?) -> [Setting] {
    func text(_ value: JSONValue?) -> String {
      switch value {
      case nil, .null?: "none"
      case .string(let text)?: text
      case let value?: String(decoding: value.serialized(), as: UTF8.self)
      }
    }
    return JSONValue.differences(a, b).map { change in
      let path = change.path.isEmpty || change.path.hasPrefix("[") ? change.path : ".\(change.path)"
      return Setting(name: name + path, first: text(change.was), second: text(change.now))
    }
  }

  /// What the difference on a benchmark is due to, in one sentence.
  public func finding(on benchmark: Benchmark) -> String {
    let names = (settings + benchmark.settings).map(\.name)
    let seeds = names.allSatisfy { $0 == "sampling.seed" }
    let isSame = benchmark.comparisons.allSatisfy { $0.verdict == .same }
    if names.isEmpty {
      return isSame
        ? "The settings are the same, and so are the scores of every problem."
        : "The settings are the same: the difference is that of sampling."
    }
    if seeds { return "Nothing differs but the seed: the difference is that of sampling." }
    let groups = Conditions.groups(names.map { ($0, Self.group($0)) }).map(\.value)
    return "Nothing differs but \(Words.list(groups))."
  }

  /// The kind of a setting, for sentences: `the model`, `the sampling`.
  private static func group(_ name: String) -> String {
    let end = name.utf8.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") }
    return "the " + String(name[..<(end ?? name.utf8.endIndex)])
  }
}

extension EvaluationDifference.Benchmark {
  init(
    _ a: EvaluatedBenchmark, in firstPath: String, _ b: EvaluatedBenchmark, in secondPath: String,
    names: (first: String, second: String)
  ) throws {
    name = a.name
    var settings = EvaluationDifference.differing("sampling", a.sampling.json, b.sampling.json)
    settings += EvaluationDifference.differing("prompt", a.prompt, b.prompt)
    for (name, first, second) in [
      ("problems", a.problemsSHA256, b.problemsSHA256),
      ("samples of each problem", "\(a.samplesPerProblem)", "\(b.samplesPerProblem)"),
      ("judge", a.judge, b.judge),
      ("missing samples", a.missingSamples.rawValue, b.missingSamples.rawValue),
    ] where !first.utf8.elementsEqual(second.utf8) {
      settings.append(.init(name: name, first: first, second: second))
    }
    self.settings = settings
    let firsts = try ProblemTexts(firstPath + "/" + a.folder)
    let seconds = try ProblemTexts(secondPath + "/" + b.folder)
    flips = ProblemFlips(a, b, texts: firsts, seconds)
    let shared = flips.shared
    (onlyFirst, onlySecond) = (a.problems.count - shared, b.problems.count - shared)
    changedProblems =
      a.problemsSHA256 == b.problemsSHA256
      ? [] : a.problems.map(\.id).filter { firsts.isChanged($0, in: seconds) }
    (comparisons, gaps) = try Self.comparisons(a, b, names)
  }

  private static func comparisons(
    _ a: EvaluatedBenchmark, _ b: EvaluatedBenchmark, _ names: (first: String, second: String)
  ) throws -> ([PairedComparison], [String]) {
    let (one, other) = (try MeasuredBenchmark(a), try MeasuredBenchmark(b))
    var scores: [ScoreName] = [.pass(1)]
    let most = min(one.votes?.most ?? 0, other.votes?.most ?? 0)
    if most > 1 { scores.append(.consensus(most)) }
    var (comparisons, gaps) = ([PairedComparison](), [String]())
    for score in scores {
      do throws(ScoreError) {
        let (first, second) = (try one.score(score), try other.score(score))
        comparisons.append(
          try PairedComparison(
            try first.shared(with: second), of: names.first, with: try second.shared(with: first),
            of: names.second))
      } catch {
        gaps.append("\(score.text): \(error)")
      }
    }
    return (comparisons, gaps)
  }
}
