import Reports
import Storage

/// What a run of `fine-tune` or `reinforce` took, and how a policy fared by its steps, from the lines
/// of its `metrics.jsonl`.
///
/// A run that goes on writes some steps again: the last line for a step counts.
struct TrainingFigures {
  /// A line of the kind `step`, as far as it is there.
  struct Step {
    let step: Int
    let sampledTokens: Double?
    /// Of fine-tuning `tokens`, of reinforcement `trainedTokens`.
    let trainedTokens: Double?
    let seconds: Double?
    /// Mean tokens of an answer.
    let length: Double?
  }

  /// A line of the kind `evaluation` of reinforcement.
  struct Evaluation {
    let step: Int
    /// From 0 to 1.
    let accuracy: Double?
    let length: Double?
    /// By the names of files, in their order.
    let sources: [(name: String, accuracy: Double)]
  }

  private(set) var steps: [Step] = []
  private(set) var evaluations: [Evaluation] = []
  private(set) var isReinforcement = false
  private(set) var parameters: Int?
  private(set) var plannedSteps: Int?
  private(set) var lines = MetricLines()

  /// - Throws: `FileError` for a file that can't be read.
  init(_ path: String) throws(FileError) {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(at: path + "/metrics.jsonl")
    } catch {
      if error.reason == .empty { return }
      throw error
    }
    var steps: [Int: Step] = [:]
    var evaluations: [Int: Evaluation] = [:]
    lines = withExtendedLifetime(file) {
      MetricLines(file.bytes, source: "metrics.jsonl") { line in
        guard case .object(let line) = line, case .string(let kind)? = line["kind"] else {
          return false
        }
        let step = line.count("step")
        switch kind {
        case "start":
          parameters = line.count("parameters") ?? parameters
          plannedSteps = line.count("steps") ?? plannedSteps
          // What was written of later steps is gone.
          if let step {
            steps = steps.filter { $0.key <= step }
            evaluations = evaluations.filter { $0.key <= step }
          }
        case "step":
          guard let step else { return false }
          steps[step] = Step(line, step)
          if line["sampledTokens"] != nil { isReinforcement = true }
        case "evaluation":
          guard let step else { return false }
          evaluations[step] = Evaluation(line, step)
        default: break
        }
        return true
      }
    }
    self.steps = steps.values.sorted { $0.step < $1.step }
    self.evaluations = evaluations.values.sorted { $0.step < $1.step }
    if let recipe = RunFile.object(path + "/recipe.json"), recipe["policy"] != nil {
      isReinforcement = true
    }
  }

  /// What a run took.
  ///
  /// - Throws: `FileError`.
  static func read(_ path: String) throws(FileError) -> RunFigures {
    let run = try TrainingFigures(path)
    var figures = RunFigures(kind: run.isReinforcement ? .reinforcement : .fineTuning)
    figures.parameters = run.parameters
    if !run.steps.isEmpty {
      var (sampled, trained, seconds) = (KnownSum(), KnownSum(), KnownSum())
      for step in run.steps {
        sampled.add(step.sampledTokens)
        trained.add(step.trainedTokens)
        seconds.add(step.seconds)
      }
      figures.sampledTokens = run.isReinforcement ? sampled.value : nil
      (figures.trainedTokens, figures.seconds) = (trained.value, seconds.value)
    }
    let last = run.steps.last?.step ?? 0
    if let planned = run.plannedSteps, last < planned {
      figures.remarks.append("\(path): it is not done, \(last) of \(planned) steps.")
    }
    if run.lines.unreadable > 0 {
      figures.remarks.append(
        "\(path): \(run.lines.unreadable) lines of metrics.jsonl could not be understood, and are not "
          + "counted.")
    }
    if let recipe = RunFile.object(path + "/recipe.json"),
      JSONMembers(recipe, place: path).has("lora")
    {
      figures.remarks.append(
        "\(path): adapters were trained, which takes about 4 FLOPs for each parameter and token, not "
          + "the 6 that are counted.")
    }
    return figures
  }
}

extension TrainingFigures.Step {
  fileprivate init(_ line: JSONObject, _ step: Int) {
    self.step = step
    sampledTokens = line.decimal("sampledTokens")
    trainedTokens = line.decimal("trainedTokens") ?? line.decimal("tokens")
    let parts = ["samplingSeconds", "judgingSeconds", "updatingSeconds"].map { line.decimal($0) }
    let known = parts.compactMap { $0 }
    seconds = line.decimal("seconds") ?? (known.count == 3 ? known.reduce(0, +) : nil)
    if case .object(let spread)? = line["length"] {
      length = spread.decimal("mean")
    } else {
      length = nil
    }
  }
}

extension TrainingFigures.Evaluation {
  fileprivate init(_ line: JSONObject, _ step: Int) {
    self.step = step
    (accuracy, length) = (line.decimal("accuracy"), line.decimal("length"))
    if case .object(let files)? = line["sources"] {
      sources = files.members.compactMap { name, value in
        guard case .object(let file) = value else { return nil }
        return file.decimal("accuracy").map { (name, $0) }
      }.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    } else {
      sources = []
    }
  }
}

extension JSONObject {
  /// A number that is finite; nil if there is none.
  func decimal(_ key: String) -> Double? {
    if case .number(let number)? = self[key] { number.double } else { nil }
  }

  /// A whole number from 0; nil if there is none.
  func count(_ key: String) -> Int? {
    if case .number(let number)? = self[key], let int = number.int, int >= 0 { int } else { nil }
  }
}

/// A run of reinforcement by its steps: the paper's Figures 2 and 3.
public struct TrainingCurve: Sendable {
  public let name: String
  public let path: String
  /// Held-out accuracy from 0 to 1, of all files and of each, if there are several.
  public let accuracies: [(source: String?, points: [(step: Int, value: Double)])]
  /// Mean tokens of sampled answers.
  public let lengths: [(step: Int, value: Double)]

  /// - Throws: `ComparisonError` if there is no such run; `FileError`.
  init(_ curve: ComparisonRecipe.Curve) throws {
    (name, path) = (curve.name, curve.run)
    let run: TrainingFigures
    do throws(FileError) {
      run = try TrainingFigures(curve.run)
    } catch {
      guard error.reason == .missing else { throw error }
      throw ComparisonError(
        "the curve \(quoted(curve.name)): \(curve.run): it is no folder of a run of 'reinforce', for "
          + "there is no 'metrics.jsonl'.")
    }
    guard run.isReinforcement else {
      throw ComparisonError(
        "the curve \(quoted(curve.name)): \(curve.run): it is no run of 'reinforce', which measures "
          + "accuracy by its steps.")
    }
    lengths = run.steps.compactMap { step in step.length.map { (step.step, $0) } }
    var accuracies: [(source: String?, points: [(step: Int, value: Double)])] = []
    let all = run.evaluations.compactMap { evaluation in
      evaluation.accuracy.map { (evaluation.step, $0) }
    }
    if !all.isEmpty { accuracies.append((nil, all)) }
    for evaluation in run.evaluations {
      for (name, accuracy) in evaluation.sources {
        let index = accuracies.firstIndex { $0.source?.utf8.elementsEqual(name.utf8) ?? false }
        if let index {
          accuracies[index].points.append((evaluation.step, accuracy))
        } else {
          accuracies.append((name, [(evaluation.step, accuracy)]))
        }
      }
    }
    self.accuracies = accuracies
  }
}
