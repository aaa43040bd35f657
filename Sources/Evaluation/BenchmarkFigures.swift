import Scores
import Storage

/// What is said of a model on a benchmark: rates, votes, intervals, counts.
public struct BenchmarkFigures: Sendable {
  /// A score and its interval, which one problem does not give.
  public struct Figure: Sendable {
    public let score: Score
    public let interval: ConfidenceInterval?
  }

  public let counts: OutcomeCounts
  /// Why there are no figures: samples are missing, and the rule is to refuse. Nil if there are.
  public let refusal: String?
  public let passAt1: Figure?
  /// pass@k by the unbiased estimator for k = 2, 4, 8 and so on, and for as many samples as every problem
  /// has.
  public let passAt: [(k: Int, figure: Figure)]
  /// cons@k with as many samples as every problem has; nil for programs, which have no classes.
  public let consensus: Figure?
  /// cons@1, cons@2 and so on, exactly; empty where there is no vote.
  public let curve: [Double]
  /// By the problems' own ratings, if all have one.
  public let rating: SolverRating?

  /// - Throws: `ScoreError` for samples that no evaluation writes.
  public init(
    of benchmark: EvaluatedBenchmark, bootstrap: Bootstrap = .standard
  ) throws(ScoreError) {
    let scored = try benchmark.scored
    counts = OutcomeCounts(scored)
    let rates: PassRates
    do throws(ScoreError) {
      rates = try PassRates(scored, missing: benchmark.missingSamples)
    } catch {
      (refusal, passAt1, passAt, consensus, curve, rating) = ("\(error)", nil, [], nil, [], nil)
      return
    }
    refusal = nil
    func figure(_ score: Score) throws(ScoreError) -> Figure {
      Figure(
        score: score,
        interval: score.values.count > 1 ? try bootstrap.interval(of: score) : nil)
    }
    let fewest = benchmark.problems.map(\.samplesThere).filter { $0 > 0 }.min() ?? 0
    passAt1 = try figure(rates.passAt1)
    var several: [(k: Int, figure: Figure)] = []
    var k = 2
    while k <= fewest {
      several.append((k, try figure(try rates.pass(at: k))))
      k = k < fewest ? min(2 * k, fewest) : k + 1
    }
    passAt = several
    let canVote = benchmark.problems.allSatisfy(\.canVote)
    if canVote, fewest > 1, fewest <= 1_000 {
      let votes = try Votes(scored, missing: benchmark.missingSamples)
      consensus = try figure(votes.consensus(at: fewest))
      curve = votes.curve
    } else {
      (consensus, curve) = (nil, [])
    }
    let rated = benchmark.problems.compactMap { problem in
      problem.rating.map {
        RatedProblem(
          id: problem.id, rating: $0, solved: problem.count(.right), attempts: problem.samplesThere)
      }
    }.filter { $0.attempts > 0 }
    rating =
      benchmark.problems.allSatisfy { $0.rating != nil } && !rated.isEmpty
      ? try SolverRating(rated, confidence: bootstrap.confidence) : nil
  }

  // MARK: JSON

  public var json: JSONValue {
    func number(_ value: Double) -> JSONValue { JSONNumber(value).map { .number($0) } ?? .null }
    func figure(_ figure: Figure?) -> JSONValue? {
      guard let figure else { return nil }
      return .object(
        JSONObject(present: [
          ("name", .string(figure.score.name)), ("mean", number(figure.score.mean)),
          ("low", figure.interval.map { number($0.low) }),
          ("high", figure.interval.map { number($0.high) }),
          ("confidence", figure.interval.map { number($0.confidence) }),
          ("method", figure.interval.map { .string($0.method.rawValue) }),
          ("samplingError", figure.score.samplingError.map(number)),
          ("missing", figure.score.missing.map { .string($0.sentence) }),
        ]))
    }
    func count(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
    return .object(
      JSONObject(present: [
        ("refused", refusal.map { .string($0) }), ("passAt1", figure(passAt1)),
        ("passAt", passAt.isEmpty ? nil : .array(passAt.compactMap { figure($0.figure) })),
        ("consensus", figure(consensus)),
        ("curve", curve.isEmpty ? nil : .array(curve.map(number))),
        ("rating", rating.map { .string($0.sentence) }),
        (
          "counts",
          .object(
            JSONObject(present: [
              ("problems", count(counts.problems)), ("asked", count(counts.asked)),
              ("right", count(counts.right)), ("wrong", count(counts.wrong)),
              ("cut", count(counts.cut)), ("noAnswer", count(counts.noAnswer)),
              ("unreadable", count(counts.unreadable)), ("timeouts", count(counts.timeouts)),
              ("infrastructure", count(counts.infrastructure)),
              ("neverCame", count(counts.neverCame)), ("tokens", count(counts.tokens)),
              ("meanTokens", counts.meanTokens.map(number)),
              ("medianTokens", counts.medianTokens.map(number)),
            ]))
        ),
      ]))
  }
}

extension BenchmarkFigures {
  /// What readers of the figures must know and no number tells, a sentence each.
  public func remarks(on benchmark: EvaluatedBenchmark) -> [String] {
    var remarks: [String] = []
    let name = quoted(benchmark.name)
    let repeated = benchmark.problemsRepeated
    if repeated > 0 {
      let (ask, are) = repeated == 1 ? ("problem asks", "is") : ("problems ask", "are")
      remarks.append(
        "\(name): \(repeated) \(ask) word for word what an earlier one asks, and \(are) left out.")
    }
    if let vote = consensus?.score.name, vote != "cons@\(benchmark.samplesPerProblem)" {
      remarks.append("\(name): the vote is \(vote), of as many samples as every problem has.")
    }
    if let words = earlyCuts(of: benchmark) { remarks.append("\(name): \(words)") }
    if benchmark.tokensAreEstimated {
      remarks.append("\(name): tokens are estimated, at four bytes each, where they were not told.")
    }
    return remarks
  }

  /// Answers that something else than the recipe's limit cut.
  private func earlyCuts(of benchmark: EvaluatedBenchmark) -> String? {
    let limit = benchmark.sampling.maxTokens
    if benchmark.tokensAreEstimated { return nil }
    let count = benchmark.problems.reduce(0) { sum, problem in
      sum
        + problem.samples.count {
          problem.verdicts[$0.verdict].outcome == .cut && $0.tokens < limit
        }
    }
    if count == 0 { return nil }
    let (are, them) = count == 1 ? ("is", "it") : ("are", "them")
    return "\(count) of the answers that were cut \(are) shorter than 'maxTokens', \(limit): the "
      + "context of the model, or a limit of its server, ended \(them)."
  }
}

extension JudgedProblem {
  /// How many samples have an outcome.
  public func count(_ outcome: SampleOutcome) -> Int {
    samples.count { verdicts[$0.verdict].outcome == outcome }
  }

  /// Samples that say something of the model.
  var samplesThere: Int { samples.count - count(.infrastructure) }

  /// Whether its answers were compared with each other, as votes need.
  var canVote: Bool {
    samples.allSatisfy { sample in
      let verdict = verdicts[sample.verdict]
      return verdict.answerClass != nil || ![.right, .wrong].contains(verdict.outcome)
    }
  }
}
