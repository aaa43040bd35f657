import Storage

/// A problem with a rating, and how often it was solved.
public struct RatedProblem: Equatable, Sendable {
  public let id: String
  /// On the scale of the solver: at a rating equal to it, the problem is solved every second time.
  public let rating: Double
  public let solved: Int
  public let attempts: Int

  public init(id: String, rating: Double, solved: Int, attempts: Int = 1) {
    (self.id, self.rating, self.solved, self.attempts) = (id, rating, solved, attempts)
  }
}

/// The rating of a solver, from rated problems that it solved and did not solve.
///
/// A problem of rating r is solved with the probability of Elo's logistic,
///
///     P = 1 / (1 + 10^((r − R) / 400))
///
/// which Codeforces uses between contestants (Mirzayanov, "Open Codeforces Rating System",
/// codeforces.com/blog/entry/20762); a problem counts as an opponent of its own rating. R is where the
/// likelihood of what was solved is highest: there the expected number of solved attempts, Σ n P, is
/// the number that was solved. With s = ln 10 / 400 the information is I = s² Σ n P (1 − P).
///
/// It is *like* a Codeforces rating and none: contests also count time and wrong attempts, and
/// published ratings of models come from simulated contests among people. Compare it only with
/// ratings of the same problems by the same formula.
public struct SolverRating: Equatable, Sendable {
  /// What the data say.
  public enum Estimate: Equatable, Sendable {
    /// The highest likelihood; the standard error is 1 / √I. With several attempts at a problem these
    /// succeed and fail together more often than chance has it, and `clusteredError` allows for that:
    /// √(Σ (solved − n P)²) / (s Σ n P (1 − P)), a sum over problems (Liang & Zeger, "Longitudinal
    /// Data Analysis Using Generalized Linear Models", Biometrika 73, 1986).
    case rating(Double, standardError: Double, clusteredError: Double)
    /// Everything was solved, so that the likelihood rises without end. A lower rating than this one
    /// would solve all problems, with one attempt at each, less often than 1 − confidence.
    case atLeast(Double)
    /// Nothing was solved, so that the likelihood rises without end as the rating falls. A higher
    /// rating than this one would fail at all problems less often than 1 − confidence.
    case atMost(Double)
  }

  public let estimate: Estimate
  public let problems: Int
  public let confidence: Double

  /// Ratings and bounds are within ±10,000 of 0 and of the problems.
  private static let largest = 10_000.0
  private static let steepness = Elementary.log(10) / 400

  /// - Throws: `ScoreError` if there is no problem, a rating isn't a number within ±10,000, or
  ///   the counts of a problem are impossible.
  public init(_ problems: [RatedProblem], confidence: Double = 0.95) throws(ScoreError) {
    try ConfidenceInterval.checkConfidence(confidence)
    guard !problems.isEmpty else { throw ScoreError(nil, "No rated problems: no rating.") }
    for problem in problems {
      guard problem.rating.magnitude <= Self.largest else {
        throw ScoreError(
          nil,
          "Problem \(quoted(problem.id)) is rated \(problem.rating); give a number within ±10000.")
      }
      guard (1...ScoredBenchmark.mostSamples).contains(problem.attempts),
        (0...problem.attempts).contains(problem.solved)
      else {
        throw ScoreError(
          nil,
          "Problem \(quoted(problem.id)): solved in \(problem.solved) of \(problem.attempts) "
            + "attempts. Give 1 attempt or more, and no more solved ones.")
      }
    }
    (self.problems, self.confidence) = (problems.count, confidence)
    // In one order, so that sums don't depend on the order given.
    let sorted = problems.sorted {
      ($0.rating, $0.attempts, $0.solved) < ($1.rating, $1.attempts, $1.solved)
    }
    if sorted.allSatisfy({ $0.solved == $0.attempts }) {
      estimate = .atLeast(Self.bound(sorted, confidence, solved: true))
    } else if sorted.allSatisfy({ $0.solved == 0 }) {
      estimate = .atMost(Self.bound(sorted, confidence, solved: false))
    } else {
      estimate = Self.likeliest(sorted)
    }
  }

  /// The rating of what a model solved, with the ratings of problems by their ids.
  ///
  /// - Throws: `ScoreError` if a problem has no rating, or samples are missing and the rule is to
  ///   refuse.
  public init(
    _ benchmark: ScoredBenchmark, confidence: Double = 0.95,
    missing rule: MissingSamplesRule = .refuse, rating: (String) -> Double?
  ) throws(ScoreError) {
    _ = try MissingSamples.found(in: benchmark, rule)
    var rated: [RatedProblem] = []
    for problem in benchmark.problems where problem.there > 0 {
      guard let rating = rating(problem.id) else {
        throw ScoreError(
          benchmark.name, "problem \(quoted(problem.id)) has no rating. Leave it out or rate it.")
      }
      rated.append(
        RatedProblem(
          id: problem.id, rating: rating, solved: problem.right, attempts: problem.there))
    }
    try self.init(rated, confidence: confidence)
  }

  /// The interval rating ± z · error with the larger of the two errors; nil where there is no rating.
  public var interval: ClosedRange<Double>? {
    guard case .rating(let rating, let error, let clustered) = estimate else { return nil }
    let width = Elementary.normalQuantile((1 + confidence) / 2) * max(error, clustered)
    return rating - width...rating + width
  }

  /// What is known, in one sentence.
  public var sentence: String {
    let all = Wording.count(problems, "rated problem", "rated problems")
    let percent = Wording.percent(confidence)
    switch estimate {
    case .rating(let rating, _, _):
      let bounds = interval.map {
        "\(Wording.fixed($0.lowerBound, 0)) to \(Wording.fixed($0.upperBound, 0))"
      }
      return "A rating of \(Wording.fixed(rating, 0)) from \(all) (\(percent): \(bounds ?? ""))."
    case .atLeast(let bound):
      return "A rating of at least \(Wording.fixed(bound, 0)) (\(percent)): all of \(all) "
        + "\(problems == 1 ? "was" : "were") solved every time, so that there is no likeliest "
        + "rating. Harder problems would tell."
    case .atMost(let bound):
      return "A rating of at most \(Wording.fixed(bound, 0)) (\(percent)): none of \(all) was "
        + "ever solved, so that there is no likeliest rating. Easier problems would tell."
    }
  }

  /// P at a rating. With the two exchanged it is 1 − P, exact however small that is.
  static func probability(of problem: Double, at rating: Double) -> Double {
    1 / (1 + Elementary.exp(steepness * (problem - rating)))
  }

  /// n P minus the solved attempts, which rises with the rating, as failed · P − solved · (1 − P):
  /// so nothing is lost where P is nearly 0 or 1.
  private static func excess(_ problem: RatedProblem, at rating: Double) -> Double {
    Double(problem.attempts - problem.solved) * probability(of: problem.rating, at: rating)
      - Double(problem.solved) * probability(of: rating, at: problem.rating)
  }

  /// Where as much is expected to be solved as was.
  private static func likeliest(_ problems: [RatedProblem]) -> Estimate {
    let rating = crossing(problems) { rating in
      problems.reduce(0) { $0 + excess($1, at: rating) }
    }
    var (information, squares) = (0.0, 0.0)
    for problem in problems {
      information +=
        Double(problem.attempts) * probability(of: problem.rating, at: rating)
        * probability(of: rating, at: problem.rating)
      let excess = excess(problem, at: rating)
      squares += excess * excess
    }
    return .rating(
      rating, standardError: 1 / (steepness * information.squareRoot()),
      clusteredError: squares.squareRoot() / (steepness * information))
  }

  /// Where solving all, or failing at all, has a probability of 1 − confidence.
  private static func bound(
    _ problems: [RatedProblem], _ confidence: Double, solved: Bool
  ) -> Double {
    let sign = solved ? 1.0 : -1
    let chance = Elementary.log(1 - confidence)
    return crossing(problems) { rating in
      // ln P = −ln(1 + e^x), of which x is below 200 for all ratings that there can be; for 1 − P
      // the same with −x. Both written so that they rise with R.
      let sum = problems.reduce(0.0) {
        $0 - Elementary.log(1 + Elementary.exp(sign * steepness * ($1.rating - rating)))
      }
      return sign * (sum - chance)
    }
  }

  /// Where a rising function is 0, by halving; it must be below 0 and above it at the ends of where
  /// ratings can be: as many as 10⁶ attempts at each of 10⁷ problems move one by less than 5,600.
  private static func crossing(_ problems: [RatedProblem], _ value: (Double) -> Double) -> Double {
    let ratings = problems.map(\.rating)
    var low = (ratings.min() ?? 0) - largest
    var high = (ratings.max() ?? 0) + largest
    while true {
      let middle = low + (high - low) / 2
      guard low < middle, middle < high, high - low > 1e-9 else { return middle }
      if value(middle) < 0 { low = middle } else { high = middle }
    }
  }
}
