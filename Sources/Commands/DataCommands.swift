import Datasets
import FineTuning
import Foundation
import Interface
import Models
import Storage

extension Command {
  /// `check`: renders all samples of a recipe and says what is wrong with them.
  static let check = Command(
    "check", summary: "Checks samples before a model is trained on them.",
    discussion: """
      Renders every sample of a data recipe as training would, and refuses it when a model could \
      not learn from it what it should: a beginning of sequence that is missing or there twice, a \
      turn whose end is not learned, no learned token, reasoning that the template dropped, a \
      prompt that differs from the one of generation, tokens beyond the embedding, turns out of \
      order. Each finding names the sample. Prints counts for each source, the lengths, and how \
      full the rows are.
      """,
    example: """
      distill check my-data.json5
      distill check my-data.json5 --set contextLength=4096 --json
      """,
    takes: recipe, set, json,
    run: prepared { arguments, console in
      let preparation = try preparation(arguments)
      let progress = progress(preparation, console)
      let report = try preparation.run(progress: progress)
      let data = DataReport(preparation.recipe, report)
      console.print(arguments[json] ? data.json.printed : data.text)
      try refuse(report)
    })

  /// `prepare`: renders all samples of a recipe into its cache.
  static let prepare = Command(
    "prepare", summary: "Turns samples into token ids on disk.",
    discussion: """
      Renders and checks every sample of a data recipe, and keeps the documents in the folder that \
      the recipe calls its cache. Data that was prepared from the same samples, tokenizer, \
      template and settings is used again.
      """,
    example: """
      distill prepare my-data.json5
      """,
    takes: recipe, set, json,
    run: prepared { arguments, console in
      let preparation = try preparation(arguments)
      let key = try preparation.key()
      let path = preparation.recipe.cache
      if let data = try existing(at: path, key: key, console) {
        return console.print(
          arguments[json]
            ? JSONValue.object(data.report).printed
            : "\(path) is up to date: \(countText(data.count)) documents.")
      }
      var writer = try PreparedDataWriter(
        at: path, key: key, sources: preparation.files.count,
        idLimit: preparation.checkpoint.tokenizer.idLimit)
      let progress = progress(preparation, console)
      let report = try preparation.run(
        write: { try writer.append($0, source: $1, sample: $2) }, progress: progress)
      try refuse(report)
      let data = DataReport(preparation.recipe, report)
      guard case .object(let counts) = data.json else { return }
      try writer.finish(report: counts)
      console.print(
        arguments[json] ? data.json.printed : "\(data.text)\n\nPrepared in \(path).")
    })

  private static let recipe = Positional(
    "recipe", help: "A recipe of the kind 'data' or 'fine-tune'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let json = Flag("json", help: "Print the counts as JSON.")

  private static func preparation(_ arguments: Arguments) throws -> Preparation {
    try Preparation(dataRecipe(at: arguments[recipe], overrides: arguments[set]))
  }

  /// Data that was prepared before with this key; nil if there is none that can be used.
  private static func existing(
    at path: String, key: String, _ console: Console
  ) throws -> PreparedData? {
    do throws(PreparedDataError) {
      return try PreparedData(at: path, key: key)
    } catch {
      if error.reason == .damaged { console.note("Note: \(error)") }
      return nil
    }
  }

  private static func progress(
    _ preparation: Preparation, _ console: Console
  ) -> (Int) -> Void {
    let line = ProgressLine(total: preparation.count, unit: "samples", console: console)
    var done = 0
    return { count in
      line.advance(by: count - done)
      done = count
      if done == preparation.count { line.finish() }
    }
  }
}

/// The data of a recipe: of the kind 'data', or of one for training, whose rows must then have
/// room in the student's positions.
func dataRecipe(at path: String, overrides: [String]) throws -> DataRecipe {
  struct Probe: Decodable { var student: String? }
  let decoder = JSONDecoder()
  decoder.allowsJSON5 = true
  let data = FileManager.default.contents(atPath: path) ?? Data()
  guard (try? decoder.decode(Probe.self, from: data))?.student != nil else {
    return try readRecipe(DataRecipe.self, at: path, overrides: overrides).recipe
  }
  let recipe = try readRecipe(FineTuningRecipe.self, at: path, overrides: overrides).recipe
  try recipe.checkPositions(recipe.changed(Checkpoint.readConfiguration(in: recipe.student)))
  return recipe.studentData
}

/// Ends with what was found, if anything was.
func refuse(_ report: PreparationReport) throws {
  if report.findingCount == 0 {
    guard report.lengths.isEmpty else { return }
    throw CommandError("Nothing is left to train on: every document is too long.")
  }
  let shown = 20
  var lines = report.findings.prefix(shown).map { finding in
    let others = finding.count - 1
    return "\(finding.place): \(finding.message)"
      + (others > 0 ? " (And \(countedText(others, "other")) like it.)" : "")
  }
  if report.findings.count > shown {
    lines.append("… and \(report.findings.count - shown) other findings.")
  }
  if !report.failedChecks.isEmpty {
    let names = report.failedChecks.map { "\"\($0.rawValue)\"" }.sorted().joined(separator: ", ")
    lines.append("To train on them all the same, name the checks: 'skippedChecks: [\(names)]'.")
  }
  throw CommandError(
    countedText(report.sources.reduce(0) { $0 + $1.refused }, "sample")
      + " can't be trained on.\n" + lines.joined(separator: "\n"))
}
