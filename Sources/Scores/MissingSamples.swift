import Storage

/// What becomes of a figure when samples are missing.
public enum MissingSamplesRule: String, Codable, CaseIterable, Sendable {
  /// There is no figure, but an error.
  case refuse
  /// The figure is of the samples that are there, and carries `MissingSamples`.
  case mark
}

/// Samples that were asked for and say nothing: they never came, or the machinery failed.
///
/// They count neither as right nor as wrong. Those of a problem's samples that are there stand for
/// the others, which is fair only if the loss had nothing to do with the answers: long texts are lost
/// more often than short ones, and are more often wrong.
public struct MissingSamples: Equatable, Sendable {
  /// Samples asked for, of all problems.
  public let asked: Int
  public let neverCame: Int
  public let infrastructure: Int
  /// Problems of which no sample is there, and which no figure includes.
  public let problemsLeftOut: Int
  public var count: Int { neverCame + infrastructure }

  /// What is missing, in one sentence.
  public var sentence: String { facts + "." }

  private var facts: String {
    var ways: [String] = []
    if neverCame > 0 { ways.append("\(neverCame) never came") }
    if infrastructure > 0 {
      ways.append("\(infrastructure) lost to failures of the infrastructure")
    }
    let problems =
      problemsLeftOut == 0
      ? ""
      : "; \(Wording.count(problemsLeftOut, "problem", "problems")) without any "
        + "\(problemsLeftOut == 1 ? "is" : "are") left out"
    return "\(count) of \(Wording.count(asked, "sample", "samples")) "
      + "\(count == 1 ? "is" : "are") missing (" + ways.joined(separator: ", ") + problems + ")"
  }

  /// Nil if every sample is there.
  init?(_ benchmark: ScoredBenchmark) {
    var (received, there, empty) = (0, 0, 0)
    for problem in benchmark.problems {
      let count = problem.there
      received += problem.samples.count
      there += count
      if count == 0 { empty += 1 }
    }
    asked = benchmark.problems.count * benchmark.samplesAsked
    guard there < asked else { return nil }
    (neverCame, infrastructure, problemsLeftOut) = (asked - received, received - there, empty)
  }

  /// What is missing, if the rule lets figures be computed at all.
  static func found(
    in benchmark: ScoredBenchmark, _ rule: MissingSamplesRule
  ) throws(ScoreError) -> MissingSamples? {
    guard let missing = MissingSamples(benchmark) else { return nil }
    let first = benchmark.problems.first { $0.there < benchmark.samplesAsked }?.id ?? ""
    if rule == .refuse {
      throw ScoreError(
        benchmark.name,
        missing.facts + ", first of problem \(quoted(first)). "
          + "Get them, or ask for a score that is marked.")
    }
    if missing.problemsLeftOut == benchmark.problems.count {
      throw ScoreError(benchmark.name, "no sample is there, so that there is no score.")
    }
    return missing
  }
}
