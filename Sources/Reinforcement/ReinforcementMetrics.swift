import Reports
import Storage
import Training

/// What `metrics.jsonl` of a run of reinforcement tells, in order of the steps.
///
/// A run that was stopped goes on from its last checkpoint: a line of the kind `start` says from
/// where, what was written of later steps is then gone, and of what is written twice the last
/// counts. Numbers may be missing, or null where they were not finite. A last line without a line
/// feed was never finished and is left out.
struct ReinforcementMetrics {
  /// A mean and a standard deviation.
  struct Spread {
    let mean: Double?
    let deviation: Double?
  }

  /// `StepFigures`, as far as they are there.
  struct Step {
    let step: Int
    /// Everything that is a number, by its name in `StepFigures`.
    private let numbers: [String: Double]
    let reward: Spread
    let length: Spread
    /// By name, in order of the names.
    let rewards: [(name: String, spread: Spread)]
    let skipped: [String]

    fileprivate init(_ step: Int, _ line: JSONObject) {
      self.step = step
      var numbers: [String: Double] = [:]
      for member in line.members { numbers[member.key] = member.value.decimal }
      self.numbers = numbers
      (reward, length) = (Spread(line["reward"]), Spread(line["length"]))
      rewards = (line["rewards"]?.members ?? []).map { ($0.key, Spread($0.value)) }
        .sorted { $0.name < $1.name }
      if case .array(let reasons)? = line["skipped"] {
        // Where there was nothing to learn, none was wrong.
        skipped = reasons.map { if case .string(let text) = $0 { text } else { "skipped" } }
          .filter { $0 != SpikeGuard.Finding.nothingToLearn.rawValue }
      } else {
        skipped = []
      }
    }

    subscript(name: String) -> Double? { numbers[name] }
  }

  /// `EvaluationFigures`, as far as they are there.
  struct Evaluation {
    let step: Int
    private let line: JSONObject

    fileprivate init(_ step: Int, _ line: JSONObject) { (self.step, self.line) = (step, line) }

    subscript(name: String) -> Double? { line[name]?.decimal }

    /// The files of problems, where there are several, in order of their names.
    var sources: [(name: String, accuracy: Double?, interval: Double?)] {
      (line["sources"]?.members ?? []).map { name, value in
        let members = value.members
        func number(_ key: String) -> Double? { members.first { $0.key == key }?.value.decimal }
        return (name, number("accuracy"), number("interval"))
      }.sorted { $0.name < $1.name }
    }
  }

  struct Finding {
    let step: Int
    let text: String
  }

  struct Checkpoint {
    let step: Int
    let seconds: Double?
    let bytes: Double?
  }

  private(set) var starts: [(time: String?, step: Int)] = []
  private(set) var steps: [Step] = []
  private(set) var evaluations: [Evaluation] = []
  private(set) var findings: [Finding] = []
  private(set) var checkpoints: [Checkpoint] = []
  /// What could not be read.
  private(set) var lines = MetricLines()

  init() {}

  /// Reads the lines.
  ///
  /// - Parameter source: The name of the file in sentences about it.
  init(_ bytes: UnsafeRawBufferPointer, source: String) {
    var reading = Reading()
    lines = MetricLines(bytes, source: source) { reading.add($0) }
    starts = reading.starts
    steps = reading.steps.values.sorted { $0.step < $1.step }
    evaluations = reading.evaluations.values.sorted { $0.step < $1.step }
    findings = reading.findings
    checkpoints = reading.checkpoints.values.sorted { $0.step < $1.step }
  }

  private struct Reading {
    var starts: [(time: String?, step: Int)] = []
    var steps: [Int: Step] = [:]
    var evaluations: [Int: Evaluation] = [:]
    var findings: [Finding] = []
    var checkpoints: [Int: Checkpoint] = [:]

    /// Adds a line; false if it is none of a run.
    mutating func add(_ line: JSONValue) -> Bool {
      guard case .object(let line) = line, let kind = line["kind"]?.text else { return false }
      let step = line["step"]?.whole
      if kind == "start" {
        starts.append((line["time"]?.text, step ?? 0))
        if let step { forget(after: step) }
        return true
      }
      guard ["step", "evaluation", "finding", "checkpoint"].contains(kind) else { return true }
      guard let step else { return false }
      switch kind {
      case "step": steps[step] = Step(step, line)
      case "evaluation": evaluations[step] = Evaluation(step, line)
      case "finding":
        guard let text = line["text"]?.text else { return false }
        findings.append(Finding(step: step, text: text))
      default:
        checkpoints[step] = Checkpoint(
          step: step, seconds: line["seconds"]?.decimal, bytes: line["bytes"]?.decimal)
      }
      return true
    }

    private mutating func forget(after step: Int) {
      steps = steps.filter { $0.key <= step }
      evaluations = evaluations.filter { $0.key <= step }
      findings.removeAll { $0.step > step }
    }
  }
}

extension ReinforcementMetrics.Spread {
  fileprivate init(_ value: JSONValue?) {
    guard case .object(let object)? = value else {
      (mean, deviation) = (nil, nil)
      return
    }
    (mean, deviation) = (object["mean"]?.decimal, object["deviation"]?.decimal)
  }
}

extension JSONValue {
  fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
  fileprivate var decimal: Double? {
    if case .number(let number) = self { number.double } else { nil }
  }
  /// A whole number from 0.
  fileprivate var whole: Int? {
    if case .number(let number) = self, let int = number.int, int >= 0 { int } else { nil }
  }
  fileprivate var members: [(key: String, value: JSONValue)] {
    if case .object(let object) = self { object.members } else { [] }
  }
}
