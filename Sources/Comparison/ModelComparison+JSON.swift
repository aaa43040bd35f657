import Scores
import Storage

extension ModelComparison {
  /// The version of `table.json`.
  static let format = 1

  /// Everything, for programs: values of scores in points of 100, differences too; curves of votes and
  /// of training from 0 to 1.
  public var json: JSONValue {
    .members([
      ("format", .whole(Self.format)), ("title", .string(title)),
      ("confidence", .decimal(confidence)),
      (
        "columns",
        .array(
          table.columns.map {
            .members([
              ("benchmark", .string($0.benchmark)), ("score", .string($0.score.text)),
            ])
          })
      ), ("rows", .array(rows.indices.map(rowJSON))), ("pairs", .array(pairs.map(Self.json))),
      ("curves", .array(curves.map(Self.json))), ("notes", .texts(notes)),
      ("sentences", .texts(sentences)), ("costs", .string(MakingCost.formula)),
    ])
  }

  private func rowJSON(_ number: Int) -> JSONValue {
    let row = rows[number]
    var evaluation: JSONValue?
    if case .measured(let measured) = row.origin {
      evaluation = .present([
        ("path", .string(measured.path)), ("model", .string(measured.model)),
        ("identity", measured.identity), ("preset", measured.preset.map { .string($0.name) }),
        ("toolkit", .string(measured.toolkit)),
      ])
    }
    let cells = table.cells[number].map { $0.map(Self.json) ?? .null }
    let benchmarks = table.benchmarks.enumerated().compactMap { place, name in
      row.benchmark(name).map { measured -> JSONValue in
        .present([
          ("benchmark", .string(name)), ("problems", .whole(measured.evaluated.problems.count)),
          ("problemsSHA256", .string(measured.evaluated.problemsSHA256)),
          ("samplesPerProblem", .whole(measured.evaluated.samplesPerProblem)),
          ("sampling", measured.evaluated.sampling.json), ("prompt", measured.evaluated.prompt),
          ("judge", .string(measured.evaluated.judge)),
          ("meanTokens", table.tokens[number][place].map { .decimal($0) }),
          ("samples", .whole(measured.counts.there)), ("right", .whole(measured.counts.right)),
          ("cut", .whole(measured.counts.cut)), ("missing", .whole(measured.counts.missing)),
          ("consensus", measured.votes.map { .array($0.curve.map { .decimal($0) }) }),
        ])
      }
    }
    return .present([
      ("name", .string(row.name)), ("kind", .string(row.kind)),
      ("source", row.source.map { .string($0) }),
      ("remarks", row.remarks.isEmpty ? nil : .texts(row.remarks)),
      ("evaluation", evaluation), ("parameters", row.parameters.map { .whole($0) }),
      ("cells", .array(cells)), ("benchmarks", benchmarks.isEmpty ? nil : .array(benchmarks)),
      ("cost", row.cost.map(Self.json)),
    ])
  }

  private static func json(_ cell: ComparedCell) -> JSONValue {
    .present([
      ("value", .decimal(cell.value)), ("bound", cell.bound.map { .string($0.rawValue) }),
      ("low", cell.low.map { .decimal($0) }), ("high", cell.high.map { .decimal($0) }),
      ("problems", cell.problems.map { .whole($0) }),
      ("samplesPerProblem", cell.samples.map { .whole($0) }),
      ("missing", cell.missing.map { .whole($0.count) }),
    ])
  }

  private static func json(_ cost: MakingCost) -> JSONValue {
    func totals(
      _ sampled: Double?, _ trained: Double?, _ operations: Double?, _ seconds: Double?
    ) -> [(key: String, value: JSONValue)] {
      [
        ("sampledTokens", .decimal(sampled)), ("trainedTokens", .decimal(trained)),
        ("operations", .decimal(operations)), ("seconds", .decimal(seconds)),
      ]
    }
    let runs = cost.runs.map { run in
      JSONValue.members(
        [
          ("path", .string(run.path)), ("kind", .string(run.kind.rawValue)),
          ("parameters", run.parameters.map { .whole($0) } ?? .null),
        ] + totals(run.sampledTokens, run.trainedTokens, run.operations, run.seconds)
          + [("remarks", .texts(run.remarks))])
    }
    return .members(
      totals(cost.sampledTokens, cost.trainedTokens, cost.operations, cost.seconds)
        + [("runs", .array(runs))])
  }

  private static func json(_ pair: ComparedPair) -> JSONValue {
    .members([
      ("first", .string(pair.first)), ("second", .string(pair.second)),
      ("differences", .array(pair.differences.map(json))), ("sentences", .texts(pair.sentences)),
    ])
  }

  private static func json(_ difference: ComparedPair.Difference) -> JSONValue {
    let column: [(key: String, value: JSONValue?)] = [
      ("benchmark", .string(difference.column.benchmark)),
      ("score", .string(difference.column.score.text)),
    ]
    switch difference.kind {
    case .paired(let comparison, let corrected, let verdict):
      return .present(
        column + [
          ("difference", .decimal(100 * comparison.difference)),
          ("low", comparison.interval.map { .decimal(100 * $0.low) }),
          ("high", comparison.interval.map { .decimal(100 * $0.high) }),
          ("pValue", .decimal(comparison.pValue)), ("correctedPValue", .decimal(corrected)),
          ("verdict", .string(verdict.rawValue)),
          ("problems", .whole(comparison.differences.count)),
          ("wouldShow", comparison.detectable.map { .decimal(100 * $0.difference) }),
        ])
    case .stated(let value, let problems, let smallest):
      return .present(
        column + [
          ("difference", .decimal(value)), ("problems", .whole(problems)),
          ("wouldShow", .decimal(100 * smallest.difference)),
        ])
    }
  }

  private static func json(_ curve: TrainingCurve) -> JSONValue {
    func points(_ points: [(step: Int, value: Double)]) -> JSONValue {
      .array(points.map { .array([.whole($0.step), .decimal($0.value)]) })
    }
    return .members([
      ("name", .string(curve.name)), ("run", .string(curve.path)),
      (
        "accuracy",
        .array(
          curve.accuracies.map {
            .present([
              ("source", $0.source.map { .string($0) }), ("points", points($0.points)),
            ])
          })
      ), ("lengths", points(curve.lengths)),
    ])
  }
}

extension JSONValue {
  static func whole(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

  /// Null for what is not known or not finite.
  static func decimal(_ value: Double?) -> JSONValue {
    value.flatMap { JSONNumber($0) }.map { .number($0) } ?? .null
  }

  static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

  static func members(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
    .object(JSONObject(members: members))
  }

  /// An object of the members that are not nil.
  static func present(_ members: [(key: String, value: JSONValue?)]) -> JSONValue {
    .object(JSONObject(present: members))
  }
}
