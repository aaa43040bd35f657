import Storage

extension PairedComparison {
  /// What is supported, in one sentence; others say what is missing.
  ///
  ///     'distilled' is 12.3 points better than 'base' on 'AIME 2024' (pass@1, 30 problems; 95 %: 8.1
  ///     to 16.4; p 0.0004).
  ///     30 problems can't tell 'distilled' (60.0) from 'base' (50.0) on 'AIME 2024' (pass@1): the
  ///     difference is 10.0 points (95 %: -3.1 to 22.9; p 0.120), and only one of 18.4 would show with
  ///     a power of 80 %.
  public var sentence: String { finding + missing }

  private var finding: String {
    let problems = Wording.count(differences.count, "problem", "problems")
    switch verdict {
    case .same:
      return "\(quoted(first)) and \(quoted(second)) have \(Wording.points(firstMean)) points on "
        + "\(quoted(benchmark)) (\(name)), the same on each of the \(problems)."
    case .firstIsBetter: return better(first, second, problems, sign: 1)
    case .secondIsBetter: return better(second, first, problems, sign: -1)
    case .undecided:
      return "\(problems) can't tell \(quoted(first)) (\(Wording.points(firstMean))) from "
        + "\(quoted(second)) (\(Wording.points(secondMean))) on \(quoted(benchmark)) (\(name)): "
        + "the difference is \(Wording.points(difference)) points (\(bounds(sign: 1)))\(limit)."
    }
  }

  /// What these problems could have shown.
  private var limit: String {
    // With all signs alike the p-value is 2 / 2ᴺ.
    if differences.count < 40, 2 / Double(1 << differences.count) > 1 - confidence {
      return ", and so few show none with a confidence of \(Wording.percent(confidence))"
    }
    guard let detectable, detectable.difference > difference.magnitude else { return "" }
    return ", and only one of \(Wording.points(detectable.difference)) would show with a power of "
      + Wording.percent(detectable.power)
  }

  private func better(_ one: String, _ other: String, _ problems: String, sign: Double) -> String {
    "\(quoted(one)) is \(Wording.points(sign * difference)) points better than \(quoted(other)) on "
      + "\(quoted(benchmark)) (\(name), \(problems); \(bounds(sign: sign)))."
  }

  /// The interval, seen from the one that is better, and the p-value.
  private func bounds(sign: Double) -> String {
    guard let interval else { return Wording.pValue(pValue) }
    let seen =
      sign < 0
      ? ConfidenceInterval(-interval.high, -interval.low, interval.confidence, interval.method)
      : interval
    return Wording.interval(seen) + "; " + Wording.pValue(pValue)
  }

  private var missing: String {
    [(first, missingOfFirst), (second, missingOfSecond)].map { model, missing in
      missing.map { " Of \(quoted(model)), " + $0.sentence } ?? ""
    }.joined()
  }
}
