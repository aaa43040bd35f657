import Evaluation
import Foundation
import Interface
import Problems
import Reports
import Sandbox
import Scores
import Storage

extension Command {
  /// `evaluate`: measures models on benchmarks as a recipe says.
  static let evaluate = Command(
    "evaluate", summary: "Measures models on benchmarks: pass@1, cons@k, intervals.",
    discussion: """
      Asks each model of a recipe the problems of its benchmarks, k times each, and judges the \
      answers by the rules that also filter and reward: pass@1 is the mean over the samples that are \
      there, cons@k a vote over equal answers, and intervals come from a bootstrap over problems. \
      The presets 'paper' and 'open-r1' hold those protocols' settings.

      Nothing is sampled or judged twice: stopped at any moment, the same command goes on. After \
      Ctrl-C or SIGTERM the program ends with status \(stoppedStatus). What models wrote, what was taken from \
      it, and why it was judged so is read with 'distill responses'; 'distill compare' sets models \
      side by side, and 'distill diff' explains a changed score.
      """,
    example: """
      distill evaluate my-evaluate.json5
      distill evaluate my-evaluate.json5 --set sampling.samplesPerProblem=4 --json
      """,
    takes: recipe, set, retryFailed, json,
    run: prepared { arguments, console in
      let resolved = try readRecipe(
        EvaluationRecipe.self, of: .evaluate, at: arguments[recipe], overrides: arguments[set])
      let recipe = resolved.recipe
      let display = EvaluationDisplay(console)
      let stop = StopSignal {
        console.note("Stopping: what is under way has a few seconds. Once more ends it at once.")
      }
      let run = try EvaluationRun(
        recipe, recipeJSON: parsed(resolved.resolvedJSON), toolkit: Program.distillVersion,
        judge: AnswerJudge(sandbox: try? Sandbox()),
        teacher: { model in
          let teacher = try model.teacher.teacher(observer: { display.note($0) })
          console.note("Asking \(teacher.name).")
          return teacher
        }, retryingFailures: arguments[retryFailed],
        isStopped: { stop.isRaised }, observer: { display.show($0) })
      let summary: EvaluationSummary
      do {
        summary = try waiting { try await run.run() }
      } catch {
        display.finish()
        throw error
      }
      display.finish()
      let report = try EvaluationReport(summary, recipe)
      console.print(arguments[json] ? report.json : report.text)
      if summary.ending == .stopped { throw StoppedEvaluation(samples: summary.samples) }
      if let refusal = report.refusal { throw CommandError(refusal) }
    })

  private static let recipe = Positional("recipe", help: "A recipe of the kind 'evaluate'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let retryFailed = Flag(
    "retry-failed", help: "Ask questions again that failed for good.")
  private static let json = Flag("json", help: "Print the figures as JSON.")
}

/// An evaluation that was stopped by a signal, with all samples stored.
struct StoppedEvaluation: ErrorWithStatus, CustomStringConvertible {
  let samples: Int
  var exitStatus: Int32 { stoppedStatus }
  var description: String {
    "Stopped with \(countedText(samples, "sample")) stored. The same command goes on from there."
  }
}

/// What an evaluation found, as text and as JSON.
struct EvaluationReport {
  private let summary: EvaluationSummary
  private let recipe: EvaluationRecipe
  private let figures: [[BenchmarkFigures]]
  private let bootstrap: Bootstrap

  init(_ summary: EvaluationSummary, _ recipe: EvaluationRecipe) throws {
    self.summary = summary
    self.recipe = recipe
    bootstrap = try recipe.bootstrap
    let bootstrap = bootstrap
    figures = try summary.models.map { model in
      try model.benchmarks.map { try BenchmarkFigures(of: $0, bootstrap: bootstrap) }
    }
  }

  var text: String {
    var blocks: [String] = []
    for (model, figures) in zip(summary.models, figures) {
      blocks.append(model.model + "\n" + table(model, figures))
      let remarks = remarks(model, figures)
      if !remarks.isEmpty { blocks.append(remarks.joined(separator: "\n")) }
    }
    blocks.append(facts.joined(separator: "\n"))
    return blocks.joined(separator: "\n\n")
  }

  /// What is said, with another status than 0, where there are no figures; nil if all are there.
  var refusal: String? {
    let places = zip(summary.models, figures).flatMap { model, figures in
      zip(model.benchmarks, figures).filter { $1.refusal != nil }
        .map { benchmark, _ in "\(model.path)/\(benchmark.folder)" }
    }
    if places.isEmpty { return nil }
    return "There are no figures for \(countedText(places.count, "benchmark")), since samples are "
      + "missing; '\(places[0])/failures.jsonl' says why. Figures of those that are there are given "
      + "with 'missingSamples: \"mark\"'."
  }

  private func table(_ model: ModelEvaluation, _ figures: [BenchmarkFigures]) -> String {
    let counts = Set(model.benchmarks.map(\.samplesPerProblem))
    let k = counts.count == 1 ? "\(counts.first ?? 1)" : "k"
    var table = Table(
      .left("benchmark"), .right("problems"), .right("k"), .right("pass@1"), .left(confidence),
      .right("cons@\(k)"), .left(confidence), .right("pass@\(k)"), .right("tokens"))
    for (benchmark, figure) in zip(model.benchmarks, figures) {
      let most = figure.passAt.last
      table.append(
        benchmark.name, groupedText(figure.counts.problems),
        groupedText(benchmark.samplesPerProblem), points(figure.passAt1),
        interval(figure.passAt1), points(figure.consensus), interval(figure.consensus),
        most.map { $0.k == benchmark.samplesPerProblem ? points($0.figure) : "—" } ?? "—",
        figure.counts.meanTokens.map { groupedText(Int($0.rounded())) } ?? "—")
    }
    return table.lines.joined(separator: "\n")
  }

  private var confidence: String { String(format: "%g %%", 100 * bootstrap.confidence) }

  private func points(_ figure: BenchmarkFigures.Figure?) -> String {
    figure.map { NumberText.fixed(100 * $0.score.mean, 1) } ?? "—"
  }

  private func interval(_ figure: BenchmarkFigures.Figure?) -> String {
    figure?.interval.map {
      "\(NumberText.fixed(100 * $0.low, 1)) to \(NumberText.fixed(100 * $0.high, 1))"
    } ?? ""
  }

  /// What became of the samples, what is missing, and what is not the preset's.
  private func remarks(_ model: ModelEvaluation, _ figures: [BenchmarkFigures]) -> [String] {
    var lines: [String] = []
    for (benchmark, figure) in zip(model.benchmarks, figures) {
      lines.append(figure.counts.sentence)
      lines += figure.remarks(on: benchmark)
      if let refusal = figure.refusal { lines.append("No figures: \(refusal)") }
      if let missing = figure.passAt1?.score.missing { lines.append("Marked: \(missing.sentence)") }
      if let rating = figure.rating { lines.append(rating.sentence) }
    }
    if let preset = model.preset {
      lines.append(
        preset.changes.isEmpty
          ? "By the preset '\(preset.name)' (\(preset.sha256.prefix(12)))."
          : "By the preset '\(preset.name)' (\(preset.sha256.prefix(12))), but for "
            + listText(preset.changes) + ".")
    }
    return lines
  }

  private var facts: [String] {
    var lines = [
      factLines([
        (
          "samples",
          "\(groupedText(summary.samples)), \(groupedText(summary.samplesNow)) of them now"
        ), ("time", durationText(seconds: summary.seconds)), ("folder", recipe.output),
      ])
    ]
    if summary.failuresToRetry > 0 {
      lines.append(
        "The same command asks \(countedText(summary.failuresToRetry, "question")) again.")
    }
    if summary.failuresForGood > 0 {
      lines.append("'failures.jsonl' says why questions failed; '--retry-failed' asks them again.")
    }
    if let model = summary.models.first, let benchmark = model.benchmarks.first {
      lines.append(
        "All of it is in \(recipe.output)/report.html. To read answers: distill responses "
          + "\(model.path)/\(benchmark.folder)")
    }
    return lines
  }

  var json: String {
    let models: [JSONValue] = summary.models.map { model in
      (try? model.json(with: bootstrap)) ?? .null
    }
    return JSONValue.members([
      ("ending", .text(summary.ending.rawValue)), ("samples", .count(summary.samples)),
      ("samplesNow", .count(summary.samplesNow)),
      ("failuresToRetry", .count(summary.failuresToRetry)),
      ("failuresForGood", .count(summary.failuresForGood)), ("output", .text(recipe.output)),
      ("models", .array(models)),
    ]).printed
  }
}
