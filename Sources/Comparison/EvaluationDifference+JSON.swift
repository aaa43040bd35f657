import Scores
import Storage

extension EvaluationDifference {
  /// Everything, for programs: differences in points of 100.
  public var json: JSONValue {
    .members([
      ("first", Self.json(first.path, first.model)),
      ("second", Self.json(second.path, second.model)),
      ("settings", .array(settings.map(Self.json))),
      (
        "benchmarks",
        .array(
          benchmarks.map { benchmark in
            .members([
              ("name", .string(benchmark.name)), ("finding", .string(finding(on: benchmark))),
              ("settings", .array(benchmark.settings.map(Self.json))),
              ("scores", .array(benchmark.comparisons.map(Self.json))),
              ("gaps", .texts(benchmark.gaps)), ("shared", .whole(benchmark.flips.shared)),
              ("onlyFirst", .whole(benchmark.onlyFirst)),
              ("onlySecond", .whole(benchmark.onlySecond)),
              ("changedProblems", .texts(benchmark.changedProblems)),
              ("bothSolved", .whole(benchmark.flips.bothSolved)),
              ("neitherSolved", .whole(benchmark.flips.neitherSolved)),
              ("rightToWrong", .array(benchmark.flips.lost.map(Self.json))),
              ("wrongToRight", .array(benchmark.flips.won.map(Self.json))),
            ])
          })
      ), ("onlyFirst", .texts(onlyFirst)), ("onlySecond", .texts(onlySecond)),
    ])
  }

  private static func json(_ path: String, _ model: String) -> JSONValue {
    .members([("path", .string(path)), ("model", .string(model))])
  }

  private static func json(_ setting: Setting) -> JSONValue {
    .members([
      ("name", .string(setting.name)), ("first", .string(setting.first)),
      ("second", .string(setting.second)),
    ])
  }

  private static func json(_ comparison: PairedComparison) -> JSONValue {
    .present([
      ("score", .string(comparison.name)), ("first", .decimal(100 * comparison.firstMean)),
      ("second", .decimal(100 * comparison.secondMean)),
      ("difference", .decimal(100 * comparison.difference)),
      ("low", comparison.interval.map { .decimal(100 * $0.low) }),
      ("high", comparison.interval.map { .decimal(100 * $0.high) }),
      ("pValue", .decimal(comparison.pValue)), ("verdict", .string(comparison.verdict.rawValue)),
      ("sentence", .string(comparison.sentence)),
    ])
  }

  private static func json(_ flip: ProblemFlips.Flip) -> JSONValue {
    .present([
      ("problem", .string(flip.problem)), ("first", json(flip.first)),
      ("second", json(flip.second)), ("reference", flip.reference.map { .string($0) }),
    ])
  }

  private static func json(_ majority: ProblemFlips.Majority) -> JSONValue {
    .present([
      ("answer", majority.answer.map { .string($0) }), ("isRight", .bool(majority.isRight)),
      ("right", .whole(majority.right)), ("samples", .whole(majority.samples)),
      ("reason", .string(majority.reason)),
    ])
  }
}
