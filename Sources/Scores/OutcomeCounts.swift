import Storage

/// How many samples of a benchmark ended in which way, and how long they were.
public struct OutcomeCounts: Equatable, Sendable {
  public let benchmark: String
  public let problems: Int
  /// Samples asked for.
  public let asked: Int
  /// Samples with a verdict: right and wrong ones.
  public var finished: Int { right + wrong }
  public let right: Int
  public let wrong: Int
  /// Cut by the limit of tokens.
  public let cut: Int
  public let noAnswer: Int
  public let unreadable: Int
  public let timeouts: Int
  public let infrastructure: Int
  public let neverCame: Int
  /// Samples that say something of the model, and count in scores.
  public var there: Int { finished + cut + noAnswer + unreadable + timeouts }
  /// Samples that don't: never came, or were lost to failures of the infrastructure.
  public var missing: Int { infrastructure + neverCame }
  /// Tokens of the samples that are there.
  public let tokens: Int
  /// The mean and the median number of tokens of the samples that are there; nil if none is. What
  /// was cut counts with the tokens it has, so that both are too small where much is cut.
  public let meanTokens: Double?
  public let medianTokens: Double?

  public init(_ benchmark: ScoredBenchmark) {
    var counts: [SampleOutcome: Int] = [:]
    var lengths: [Int] = []
    for sample in benchmark.problems.flatMap(\.samples) {
      counts[sample.outcome, default: 0] += 1
      if sample.outcome.isThere { lengths.append(sample.tokens) }
    }
    func count(_ outcome: SampleOutcome) -> Int { counts[outcome] ?? 0 }
    self.benchmark = benchmark.name
    problems = benchmark.problems.count
    asked = problems * benchmark.samplesAsked
    (right, wrong, cut) = (count(.right), count(.wrong), count(.cut))
    (noAnswer, unreadable) = (count(.noAnswer), count(.unreadable))
    (timeouts, infrastructure) = (count(.timeout), count(.infrastructure))
    neverCame = asked - lengths.count - infrastructure
    lengths.sort()
    tokens = lengths.reduce(0, +)
    meanTokens = lengths.isEmpty ? nil : Double(tokens) / Double(lengths.count)
    let middle = lengths.count / 2
    medianTokens =
      lengths.isEmpty
      ? nil
      : lengths.count.isMultiple(of: 2)
        ? Double(lengths[middle - 1] + lengths[middle]) / 2 : Double(lengths[middle])
  }

  /// All of it in one sentence; kinds of which there is none are left out.
  public var sentence: String {
    let kinds = [
      (cut, "cut by length"), (noAnswer, "without an answer"), (unreadable, "unreadable"),
      (timeouts, "timed out"), (infrastructure, "lost to failures of the infrastructure"),
      (neverCame, "that never came"),
    ]
    let others = kinds.filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }.joined()
    return quoted(benchmark) + ": " + Wording.count(asked, "sample", "samples") + " of "
      + Wording.count(problems, "problem", "problems") + ": \(finished) finished (\(right) right)"
      + others + "."
  }
}
