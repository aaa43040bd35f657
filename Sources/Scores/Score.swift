import Storage

/// A figure of a benchmark: one value for each problem, and their mean.
///
/// All values are from 0 to 1; words give them in points of 100.
public struct Score: Sendable {
  public let benchmark: String
  /// `pass@1`, `cons@64` and so on.
  public let name: String
  /// The ids of the problems, in the order of their bytes.
  public let problems: [String]
  /// One for each problem.
  public let values: [Double]
  /// The mean over problems, summed in their order.
  public let mean: Double
  /// What is missing, if anything is; the words of the score then say so.
  public let missing: MissingSamples?
  /// Every value is a multiple of 1 / `denominator`, if that is known: then what flipped signs make of
  /// differences can be counted.
  let denominator: Int?
  /// The variance that each value would have over new samples of the same problem, estimated without
  /// bias; nil where that is unknown, as with one sample.
  let samplingVariances: [Double]?

  /// A figure whose values come from elsewhere, for intervals and comparisons.
  ///
  /// - Throws: `ScoreError` if there is no value, a value isn't from 0 to 1, or an id is there
  ///   twice.
  public init(
    benchmark: String, name: String, values: [(problem: String, value: Double)]
  ) throws(ScoreError) {
    let sorted = values.sorted { isBefore($0.problem, $1.problem) }
    guard !sorted.isEmpty else { throw ScoreError(benchmark, "no values of problems.") }
    for (problem, value) in sorted where !(0...1).contains(value) {
      throw ScoreError(
        benchmark, "problem \(quoted(problem)) has the value \(value); give 0 to 1.")
    }
    for (one, next) in zip(sorted, sorted.dropFirst())
    where one.problem.utf8.elementsEqual(next.problem.utf8) {
      throw ScoreError(benchmark, "problem \(quoted(one.problem)) is there twice.")
    }
    self.init(
      benchmark: benchmark, name: name, problems: sorted.map(\.problem),
      values: sorted.map(\.value))
  }

  /// Of problems in the order of their ids, at least one.
  init(
    benchmark: String, name: String, problems: [String], values: [Double],
    missing: MissingSamples? = nil, denominator: Int? = nil, samplingVariances: [Double]? = nil
  ) {
    precondition(!values.isEmpty && values.count == problems.count)
    (self.benchmark, self.name, self.problems) = (benchmark, name, problems)
    (self.values, self.missing, self.denominator) = (values, missing, denominator)
    self.samplingVariances = samplingVariances
    mean = values.reduce(0, +) / Double(values.count)
  }

  /// The score on the problems that another one has too, in which what is missing of the others stays
  /// marked.
  ///
  /// - Throws: `ScoreError` if they share none.
  public func shared(with other: Score) throws(ScoreError) -> Score {
    let others = Set(other.problems.map { Array($0.utf8) })
    let kept = problems.indices.filter { others.contains(Array(problems[$0].utf8)) }
    guard !kept.isEmpty else {
      throw ScoreError(
        benchmark, "no problem is in both scores. Compare scores of the same benchmark.")
    }
    return Score(
      benchmark: benchmark, name: name, problems: kept.map { problems[$0] },
      values: kept.map { values[$0] }, missing: missing, denominator: denominator,
      samplingVariances: samplingVariances.map { all in kept.map { all[$0] } })
  }

  /// How far the mean of other problems of this kind, with samples of their own, would be off: the
  /// standard deviation of the values over √N. Nil for one problem.
  public var standardError: Double? {
    standardDeviation(of: values).map { $0 / Double(values.count).squareRoot() }
  }

  /// How far the mean of the same problems with new samples would be off: the root of the sum of
  /// the values' variances over N. Nil where a problem has one sample, and for other figures than
  /// pass@1, whose variance a set of samples doesn't tell.
  public var samplingError: Double? {
    samplingVariances.map { $0.reduce(0, +).squareRoot() / Double(values.count) }
  }

  /// The score in one sentence, and another on what is missing.
  ///
  ///     'R1-Distill' has 43.3 points on 'AIME 2024' (pass@1, 30 problems; 95 %: 27.1 to 60.2).
  public func sentence(for model: String, _ interval: ConfidenceInterval?) -> String {
    let words = interval.map { "; " + Wording.interval($0) } ?? ""
    return "\(quoted(model)) has \(Wording.points(mean)) points on \(quoted(benchmark)) (\(name), "
      + Wording.count(values.count, "problem", "problems") + words + ")."
      + (missing.map { " " + $0.sentence } ?? "")
  }

  /// What an interval over problems covers, in one sentence: both levels, problems and samples.
  ///
  /// The values that are drawn again are means over samples, and vary for both reasons: the variance
  /// of a value is that of the problems' true values plus the mean of their samples' (the law of
  /// total variance). So nothing is to be added for the samples, and drawing those again too would
  /// count them twice.
  public func coverage(confidence: Double = 0.95) -> String {
    let start =
      "The interval is for other problems like these "
      + "\(values.count), with other samples; "
    guard let error = samplingError else {
      return start + "how much of it is due to the samples alone isn't known for this score."
    }
    let width = Elementary.normalQuantile((1 + confidence) / 2) * error
    return start + "on these problems, other samples alone would move the score by up to "
      + "\(Wording.points(width)) points (\(Wording.percent(confidence)))."
  }
}

/// The standard deviation with n − 1; nil for fewer than two values.
func standardDeviation(of values: [Double]) -> Double? {
  guard values.count > 1 else { return nil }
  let mean = values.reduce(0, +) / Double(values.count)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares / Double(values.count - 1)).squareRoot()
}
