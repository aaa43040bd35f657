import Foundation
import Problems
import Scores
import Storage
import TeacherGeneration
import Teachers
import Verification

/// A benchmark with all its settings told: the recipe's own, the preset's, or the paper's values.
public struct BenchmarkPlan: Equatable, Sendable {
  public let title: String
  public let folder: String
  public let problems: [ProblemSource]
  public let samplesPerProblem: Int
  public let sampling: SamplingChoices
  public let prompt: ProblemPrompt
  public let extraction: AnswerExtraction.Rules
  public let missingSamples: MissingSamplesRule
  /// What the recipe has in place of the preset's: `maxTokens 64 in place of 32768`.
  public let changes: [String]

  /// The settings of the recipe's preset, or the paper's for what every evaluation must have.
  init(_ benchmark: BenchmarkRecipe, of recipe: EvaluationRecipe) {
    let preset = recipe.preset?.preset
    let usual = preset ?? .paper
    let title = benchmark.title
    var changes: [String] = []
    /// The most particular value; one that isn't the preset's is told.
    func chosen<Value: Equatable>(
      _ name: String, _ own: Value?, _ shared: Value?, preset: Value?, usual: Value
    ) -> Value {
      guard let value = own ?? shared else { return usual }
      if let preset, value != preset {
        changes.append("\(name) of \(title): \(value) in place of \(preset)")
      }
      return value
    }
    let own = benchmark.sampling
    let shared = recipe.sampling
    let k = benchmark.benchmark.flatMap { preset?.samplesPerProblem[$0] }
    samplesPerProblem = chosen(
      "samplesPerProblem", own?.samplesPerProblem, shared?.samplesPerProblem, preset: k,
      usual: k ?? 0)
    sampling = SamplingChoices(
      temperature: chosen(
        "temperature", own?.temperature, shared?.temperature, preset: preset?.temperature,
        usual: usual.temperature),
      topP: chosen("topP", own?.topP, shared?.topP, preset: preset?.topP, usual: usual.topP),
      maxTokens: chosen(
        "maxTokens", own?.maxTokens, shared?.maxTokens, preset: preset?.maxTokens,
        usual: usual.maxTokens),
      seed: own?.seed ?? shared?.seed ?? 0, stop: own?.stop ?? shared?.stop ?? [])
    let words = (benchmark.prompt ?? ProblemPrompt()).completed(
      by: recipe.prompt ?? ProblemPrompt())
    prompt = words.completed(by: preset?.prompt ?? ProblemPrompt())
    if let preset, prompt != preset.prompt { changes.append("the prompt of \(title)") }
    extraction = (benchmark.extraction ?? recipe.extraction ?? .all).rules
    if preset != nil {
      if extraction != .all { changes.append("answers of \(title) in boxes only") }
      if !sampling.stop.isEmpty {
        let texts = sampling.stop.map { quoted($0, longest: 20) }.joined(separator: ", ")
        changes.append("stop of \(title): \(texts) in place of none")
      }
      for source in benchmark.problems {
        guard let limit = source.limit else { continue }
        changes.append(
          "problems of \(title): at most \(limit) of \(quoted(source.fileName)) in place of all")
      }
    }
    missingSamples = (benchmark.missingSamples ?? recipe.missingSamples ?? .refuse).rule
    (self.title, folder, problems) = (title, benchmark.folder, benchmark.problems)
    self.changes = changes
  }

  /// The sampling of it, into a folder.
  func generation(
    into output: String, durability: SampleJournal.Durability?
  ) -> TeacherGenerationRecipe {
    TeacherGenerationRecipe(
      prompts: problems, prompt: prompt,
      sampling: TeacherGenerationRecipe.Sampling(
        samplesPerProblem: samplesPerProblem, temperature: sampling.temperature,
        topP: sampling.topP, maxTokens: sampling.maxTokens, seed: sampling.seed,
        stop: sampling.stop.isEmpty ? nil : sampling.stop),
      durability: durability, output: output)
  }
}

extension EvaluationRecipe {
  /// The benchmarks with all their settings.
  public var plans: [BenchmarkPlan] { benchmarks.map { BenchmarkPlan($0, of: self) } }

  /// How intervals are drawn.
  ///
  /// - Throws: `ScoreError` for values that can't be.
  public var bootstrap: Bootstrap {
    get throws(ScoreError) {
      try Bootstrap(
        resamples: intervals?.resamples ?? Bootstrap.standard.resamples,
        confidence: intervals?.confidence ?? Bootstrap.standard.confidence)
    }
  }

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: @autoclosure () -> String) {
      if !holds { found.append("The recipe: \(words())") }
    }
    check(!models.isEmpty, "'models' must name a model.")
    check(!benchmarks.isEmpty, "'benchmarks' must name a benchmark.")
    check(!output.isEmpty, "'output' must name a folder.")
    for (i, model) in models.enumerated() {
      found += model.teacher.findings(at: "models[\(i)]")
      check(!(model.name?.isEmpty ?? false), "'models[\(i)].name' is empty.")
    }
    for (i, model) in models.enumerated() {
      found += Self.unfit(model.folder, for: "models[\(i)]", taken: ["recipe.json"])
    }
    for (i, benchmark) in benchmarks.enumerated() {
      found += Self.unfit(
        benchmark.folder, for: "benchmarks[\(i)]",
        taken: [ModelEvaluation.fileName, "report.html", "seconds.json"])
    }
    found += Self.twice(models.map { ($0.title, $0.folder) }, "models")
    found += Self.twice(benchmarks.map { ($0.title, $0.folder) }, "benchmarks")
    for (i, plan) in plans.enumerated() {
      let key = "benchmarks[\(i)]"
      check(!plan.problems.isEmpty, "'\(key).problems' must name a file of problems.")
      if plan.samplesPerProblem == 0, let preset {
        check(
          false,
          "'\(key).sampling.samplesPerProblem' is missing: the preset '\(preset.rawValue)' does not "
            + "tell it for \(quoted(plan.title)).")
        continue
      }
      check(
        plan.samplesPerProblem != 0,
        "'\(key).sampling.samplesPerProblem' is missing, and there is no 'preset' that tells it.")
      if plan.samplesPerProblem == 0 { continue }
      // The rest is what sampling asks of its recipes, under the keys that are written here.
      for finding in plan.generation(into: "x", durability: durability).findings
      where !finding.contains("'prompts' must name") {
        let start = "The recipe: "
        let words = (finding.hasPrefix(start) ? String(finding.dropFirst(start.count)) : finding)
          .replacingOccurrences(of: "'prompts[", with: "'problems[")
        found.append("The recipe: \(quoted(plan.title)): \(words)")
      }
    }
    do throws(ScoreError) { _ = try bootstrap } catch {
      found.append("The recipe: 'intervals': \(error)")
    }
    return found
  }

  /// The most bytes of a folder's name.
  private static let longestName = 200

  /// What keeps a name from being that of a folder, which would else be found once it is made.
  private static func unfit(_ folder: String, for key: String, taken: [String]) -> [String] {
    if folder.utf8.count > longestName {
      return [
        "The recipe: '\(key)': the name of its folder would have \(folder.utf8.count) bytes; it may "
          + "have \(longestName). Give it a shorter 'name'."
      ]
    }
    guard taken.contains(where: { $0.utf8.elementsEqual(folder.utf8) }) else { return [] }
    return [
      "The recipe: '\(key)': its folder would be '\(folder)', which is a file of the evaluation. Give "
        + "it another 'name'."
    ]
  }

  /// Names that two have, or that become one folder.
  private static func twice(
    _ names: [(title: String, folder: String)], _ key: String
  ) -> [String] {
    var found: [String] = []
    for (i, one) in names.enumerated() {
      guard let other = names[..<i].first(where: { $0.folder == one.folder }) else { continue }
      found.append(
        "The recipe: '\(key)' has \(quoted(other.title)) and \(quoted(one.title)), which would share "
          + "the folder '\(one.folder)'. Give one of them another 'name'.")
    }
    return found
  }
}
