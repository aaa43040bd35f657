import Foundation
import Storage

/// What `metrics.jsonl` of a run tells, in order of the steps.
///
/// A run that was stopped goes on from its last checkpoint and writes some steps again: what was
/// written last counts. A last line without a line feed was never finished and is left out.
struct RunMetrics {
  struct Start {
    let time: String?
    let step: Int
    let steps: Int?
    let parameters: Int?
  }

  struct Step {
    let step: Int
    let loss: Double?
    let learningRate: Double?
    let gradientNorm: Double?
    let tokens: Double?
    let supervisedTokens: Double?
    let seconds: Double?
    let tokensPerSecond: Double?
    let fractionOfPeak: Double?
    let memoryBytes: Double?
    let sources: [(name: String, loss: Double)]
    /// Why the update was left out.
    let skipped: String?
  }

  struct Evaluation {
    let step: Int
    let loss: Double?
    let tokens: Double?
    let sources: [(name: String, loss: Double)]
  }

  struct Sample {
    let step: Int
    let prompt: String
    let text: String
  }

  struct Checkpoint {
    let step: Int
    let seconds: Double?
    let bytes: Double?
  }

  private(set) var starts: [Start] = []
  private(set) var steps: [Step] = []
  private(set) var evaluations: [Evaluation] = []
  private(set) var samples: [Sample] = []
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
    samples = reading.samples.sorted { $0.key < $1.key }.flatMap(\.value.samples)
    checkpoints = reading.checkpoints.values.sorted { $0.step < $1.step }
  }

  /// The lines read so far, by step.
  private struct Reading {
    var starts: [Start] = []
    var steps: [Int: Step] = [:]
    var evaluations: [Int: Evaluation] = [:]
    /// Several samples may belong to a step; `part` says after how many starts they were written.
    var samples: [Int: (part: Int, samples: [Sample])] = [:]
    var checkpoints: [Int: Checkpoint] = [:]

    /// Adds a line; false if it is none of a run.
    mutating func add(_ line: JSONValue) -> Bool {
      guard case .object(let line) = line, let kind = line.text("kind") else { return false }
      let step = line.whole("step")
      switch kind {
      case "start":
        starts.append(
          Start(
            time: line.text("time"), step: step ?? 0, steps: line.whole("steps"),
            parameters: line.whole("parameters")))
      case "step":
        guard let step else { return false }
        steps[step] = Step(
          step: step, loss: line.number("loss"), learningRate: line.number("learningRate"),
          gradientNorm: line.number("gradientNorm"), tokens: line.number("tokens"),
          supervisedTokens: line.number("supervisedTokens"), seconds: line.number("seconds"),
          tokensPerSecond: line.number("tokensPerSecond"),
          fractionOfPeak: line.number("fractionOfPeak"), memoryBytes: line.number("memoryBytes"),
          sources: line.numbers("sources"), skipped: line.reason("skipped"))
      case "evaluation":
        guard let step else { return false }
        evaluations[step] = Evaluation(
          step: step, loss: line.number("loss"), tokens: line.number("tokens"),
          sources: line.numbers("sources"))
      case "sample":
        guard let step, let text = line.text("text") else { return false }
        let sample = Sample(step: step, prompt: line.text("prompt") ?? "", text: text)
        if samples[step]?.part == starts.count {
          samples[step]?.samples.append(sample)
        } else {
          samples[step] = (starts.count, [sample])
        }
      case "checkpoint":
        guard let step else { return false }
        checkpoints[step] = Checkpoint(
          step: step, seconds: line.number("seconds"), bytes: line.number("bytes"))
      default: break
      }
      return true
    }
  }
}

extension JSONObject {
  func text(_ key: String) -> String? {
    if case .string(let text)? = self[key] { text } else { nil }
  }

  func number(_ key: String) -> Double? {
    if case .number(let number)? = self[key] { number.double } else { nil }
  }

  func whole(_ key: String) -> Int? {
    if case .number(let number)? = self[key] { number.int } else { nil }
  }

  /// The members of an object that are numbers.
  func numbers(_ key: String) -> [(name: String, loss: Double)] {
    guard case .object(let object)? = self[key] else { return [] }
    return object.members.compactMap { member in
      guard case .number(let number) = member.value else { return nil }
      return number.double.map { (member.key, $0) }
    }
  }

  /// A reason, or `true` for one that is not told.
  func reason(_ key: String) -> String? {
    switch self[key] {
    case .string(let text)?: text
    case .bool(true)?: "skipped"
    default: nil
    }
  }
}
