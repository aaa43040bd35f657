import Interface
import Problems
import Scores
import Teachers
import Verification

/// Everything about the measuring of models on benchmarks.
public struct EvaluationRecipe: Codable, Equatable, Sendable {
  /// The models, all asked the same; each gets a folder of its own in the output.
  public var models: [EvaluatedModel]
  /// A published protocol, whose settings stand where the recipe has none.
  public var preset: PresetName?
  public var benchmarks: [BenchmarkRecipe]
  /// For benchmarks that don't say it themselves.
  public var sampling: BenchmarkSampling?
  public var prompt: ProblemPrompt?
  /// Where answers to mathematics are looked for; without it, everywhere.
  public var extraction: ExtractionChoice?
  /// What becomes of figures where samples are missing; without it, they are refused.
  public var missingSamples: MissingSamplesChoice?
  public var intervals: Intervals?
  /// When samples are brought to the disk; without it, after 64 of them or 5 seconds.
  public var durability: SampleJournal.Durability?
  /// The folder of the evaluation, which is made. What holds it must exist.
  public var output: String

  public init(
    models: [EvaluatedModel], preset: PresetName? = nil, benchmarks: [BenchmarkRecipe],
    sampling: BenchmarkSampling? = nil, prompt: ProblemPrompt? = nil,
    extraction: ExtractionChoice? = nil, missingSamples: MissingSamplesChoice? = nil,
    intervals: Intervals? = nil,
    durability: SampleJournal.Durability? = nil, output: String
  ) {
    self.models = models
    self.preset = preset
    self.benchmarks = benchmarks
    self.sampling = sampling
    self.prompt = prompt
    self.extraction = extraction
    self.missingSamples = missingSamples
    self.intervals = intervals
    self.durability = durability
    self.output = output
  }

  /// How intervals are drawn.
  public struct Intervals: Codable, Equatable, Sendable {
    /// 0.95 where it isn't told.
    public var confidence: Double?
    /// 10,000 where it isn't told.
    public var resamples: Int?

    public init(confidence: Double? = nil, resamples: Int? = nil) {
      (self.confidence, self.resamples) = (confidence, resamples)
    }
  }
}

/// A model that is measured: exactly one of a checkpoint here, a server, and a file of answers.
public struct EvaluatedModel: Codable, Equatable, Sendable {
  /// What tables call it; without it, the checkpoint's folder or the server's model.
  public var name: String?
  public var local: LocalTeacherSettings?
  public var remote: RemoteTeacherSettings?
  public var recorded: TeacherSettings.RecordedAnswers?

  public init(
    name: String? = nil, local: LocalTeacherSettings? = nil, remote: RemoteTeacherSettings? = nil,
    recorded: TeacherSettings.RecordedAnswers? = nil
  ) {
    self.name = name
    self.local = local
    self.remote = remote
    self.recorded = recorded
  }

  /// Who answers for it.
  public var teacher: TeacherSettings {
    TeacherSettings(remote: remote, local: local, recorded: recorded)
  }

  /// What tables call it.
  public var title: String {
    name ?? remote?.model ?? lastPart(of: local?.checkpoint ?? recorded?.path ?? "model")
  }

  /// Its folder's name.
  public var folder: String { folderName(title) }
}

/// A benchmark: its problems, and how they are asked.
public struct BenchmarkRecipe: Codable, Equatable, Sendable {
  /// One that the field knows, for its name and what the preset says of it.
  public var benchmark: KnownBenchmark?
  /// What tables call it; without it, the known benchmark's name or the first file's.
  public var name: String?
  public var problems: [ProblemSource]
  /// In place of the recipe's.
  public var sampling: BenchmarkSampling?
  public var prompt: ProblemPrompt?
  public var extraction: ExtractionChoice?
  public var missingSamples: MissingSamplesChoice?

  public init(
    benchmark: KnownBenchmark? = nil, name: String? = nil, problems: [ProblemSource],
    sampling: BenchmarkSampling? = nil, prompt: ProblemPrompt? = nil,
    extraction: ExtractionChoice? = nil, missingSamples: MissingSamplesChoice? = nil
  ) {
    self.benchmark = benchmark
    self.name = name
    self.problems = problems
    self.sampling = sampling
    self.prompt = prompt
    self.extraction = extraction
    self.missingSamples = missingSamples
  }

  /// What tables call it.
  public var title: String {
    if let name = name ?? benchmark?.name { return name }
    let file = problems.first?.fileName ?? "benchmark"
    return file.utf8.split(separator: UInt8(ascii: ".")).first
      .map { String(decoding: Array($0), as: UTF8.self) } ?? file
  }

  /// Its folder's name.
  public var folder: String { folderName(title) }
}

/// How answers are drawn; what is nil comes from the recipe, its preset, or the paper's values.
public struct BenchmarkSampling: Codable, Equatable, Sendable {
  public var samplesPerProblem: Int?
  public var temperature: Double?
  public var topP: Double?
  /// The most tokens of an answer, its reasoning included.
  public var maxTokens: Int?
  public var seed: UInt64?
  /// Texts that end an answer; without it, none.
  public var stop: [String]?

  public init(
    samplesPerProblem: Int? = nil, temperature: Double? = nil, topP: Double? = nil,
    maxTokens: Int? = nil, seed: UInt64? = nil, stop: [String]? = nil
  ) {
    self.samplesPerProblem = samplesPerProblem
    self.temperature = temperature
    self.topP = topP
    self.maxTokens = maxTokens
    self.seed = seed
    self.stop = stop
  }
}

/// The last part of a path that is no empty one.
private func lastPart(of path: String) -> String {
  path.utf8.split(separator: UInt8(ascii: "/")).last
    .map { String(decoding: Array($0), as: UTF8.self) } ?? path
}

/// A name of letters, digits and dashes for a folder: `AIME 2024` becomes `aime-2024`.
func folderName(_ title: String) -> String {
  var name: [UInt8] = []
  for byte in title.utf8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.append(byte + 32)
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"):
      name.append(byte)
    default: if name.last != UInt8(ascii: "-") { name.append(UInt8(ascii: "-")) }
    }
  }
  while name.last == UInt8(ascii: "-") { name.removeLast() }
  while let first = name.first, first == UInt8(ascii: "-") || first == UInt8(ascii: ".") {
    name.removeFirst()
  }
  return name.isEmpty ? "unnamed" : String(decoding: name, as: UTF8.self)
}

/// Where answers to mathematics are looked for.
public enum ExtractionChoice: String, Choice {
  /// In boxes, behind "the answer is" and the like, and in the last formula or number.
  case all
  /// In boxes only.
  case boxes

  var rules: AnswerExtraction.Rules { self == .boxes ? .boxes : .all }
}

/// What becomes of figures where samples are missing.
public enum MissingSamplesChoice: String, Choice {
  /// There are none.
  case refuse
  /// They are of the samples that are there, and say so.
  case mark

  var rule: MissingSamplesRule { self == .refuse ? .refuse : .mark }
}
