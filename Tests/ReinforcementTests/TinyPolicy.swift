import Foundation
import Models
import Problems
import Storage
import Tensors
import Training
import TrainingRecipes
import XCTest

@testable import Reinforcement

/// A run small enough to be made hundreds of times: a random model of 5,000 parameters that is to
/// repeat the digit it is shown.
struct TinyPolicy {
  let folder: String
  var recipe: GRPORecipe

  static let characters = Array("0123456789=abcdefghij<>/thnk \n").map(String.init)

  init(_ test: XCTestCase, _ change: (inout GRPORecipe) -> Void = { _ in }) throws {
    folder = try temporaryFolder(test)
    recipe = GRPORecipe(
      policy: folder + "/policy", run: folder + "/run",
      problems: [ProblemSource(path: folder + "/problems.jsonl")],
      prompt: ProblemPrompt(mathematics: "{question}"), template: "{prompt}",
      sampling: .init(questionsPerStep: 10, answersPerQuestion: 16, maxTokens: 1, seed: 1),
      steps: 6, updates: .init(rowTokens: 64),
      rewards: RewardSettings(
        accuracy: .init(weight: 1, judgesCutAnswers: true, unjudged: .wrong)),
      objective: PolicyObjective(klCoefficient: 0),
      optimizer: OptimizerSettings(learningRate: 0.005, schedule: .constant),
      checkpoints: CheckpointSettings(), export: .float32,
      completionsEverySteps: 100)
    try Self.makePolicy(at: folder + "/policy")
    try write(
      (0..<10).map { "{\"question\": \"\($0)=\", \"answer\": \"\($0)\"}\n" }.joined(),
      as: "problems.jsonl")
    change(&recipe)
  }

  func write(_ text: String, as name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
  }

  /// A random model whose tokens are single characters and `<end>`.
  static func makePolicy(at path: String, seed: UInt64 = 3) throws {
    var tokens: [String] = []
    for character in characters where !tokens.contains(character) { tokens.append(character) }
    let configuration = try ModelConfiguration(
      family: .llama, vocabSize: tokens.count + 1, hiddenSize: 16, intermediateSize: 32,
      numHiddenLayers: 2, numAttentionHeads: 2, numKeyValueHeads: 1, maxPositionEmbeddings: 48)
    let decoder = Decoder(configuration, precision: .bfloat16)
    decoder.initialize(seed: seed)
    try Checkpoint.save(decoder, to: path, options: .init(dtype: .float32))
    let names = ["<end>"] + tokens.map { $0 == " " ? "Ġ" : $0 == "\n" ? "Ċ" : $0 }
    let vocabulary = names.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    let tokenizer = """
      {
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [{
          "id": 0, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false,
          "normalized": false, "special": true
        }],
        "normalizer": null,
        "pre_tokenizer": {
          "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
        },
        "post_processor": null,
        "decoder": {
          "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true
        },
        "model": {
          "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
          "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
          "vocab": {\(vocabulary)}, "merges": []
        }
      }
      """
    try Data(tokenizer.utf8).write(to: URL(fileURLWithPath: path + "/tokenizer.json"))
    try Data(#"{"eos_token": "<end>", "tokenizer_class": "PreTrainedTokenizerFast"}"#.utf8)
      .write(to: URL(fileURLWithPath: path + "/tokenizer_config.json"))
  }

  func identity(_ prepared: PreparedGRPO) throws -> RunDirectory.Identity {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(recipe).withUnsafeBytes {
      try JSONValue(parsing: $0, source: "recipe")
    }
    return try prepared.identity(version: "test", resolvedRecipe: json)
  }

  /// What a run said and came to.
  struct Ended {
    var outcome: GRPOOutcome
    var steps: [StepFigures] = []
    var evaluations: [EvaluationFigures] = []
    var notes: [String] = []
    var findings: [String] = []
  }

  /// Runs until it ends, or is stopped.
  @discardableResult
  func run(
    isStopped: @escaping @Sendable (_ asked: Int) -> Bool = { _ in false },
    before: (GRPORun) throws -> Void = { _ in }
  ) throws -> Ended {
    let prepared = try PreparedGRPO(recipe, memory: 1 << 40)
    let directory = try RunDirectory(at: recipe.run, identity(prepared))
    let asked = Counter()
    let told = Told()
    let run = try GRPORun(
      prepared, in: directory, sandbox: nil, isStopped: { isStopped(asked.next()) },
      report: { told.add($0) })
    try before(run)
    told.ended.outcome = try run.run()
    return told.ended
  }

  /// Runs, and is stopped when as many steps were made in this life.
  func run(stoppingAfter steps: Int) throws -> Ended {
    let prepared = try PreparedGRPO(recipe, memory: 1 << 40)
    let directory = try RunDirectory(at: recipe.run, identity(prepared))
    let made = Counter()
    let told = Told()
    let run = try GRPORun(
      prepared, in: directory, sandbox: nil, isStopped: { made.value >= steps },
      report: {
        told.add($0)
        if case .step = $0 { _ = made.next() }
      })
    told.ended.outcome = try run.run()
    return told.ended
  }

  /// The SHA-256 of the finished policy's weights.
  func weightsHash(_ path: String? = nil) throws -> String {
    let file = try MappedFile(at: (path ?? recipe.run + "/student") + "/model.safetensors")
    return withExtendedLifetime(file) {
      var hash = SHA256()
      hash.update(file.bytes)
      return hash.finalizedText()
    }
  }

  /// The figures of every step, without what depends on the machine's pace.
  func figures() throws -> [Int: StepFigures] {
    var found: [Int: StepFigures] = [:]
    let text = try String(contentsOfFile: recipe.run + "/metrics.jsonl", encoding: .utf8)
    for line in text.split(separator: "\n") where line.contains("\"kind\":\"step\"") {
      var figures = try JSONDecoder().decode(StepFigures.self, from: Data(line.utf8))
      figures.forgetPace()
      found[figures.step] = figures
    }
    return found
  }

  private final class Told {
    var ended = Ended(outcome: .stopped(step: -1))
    func add(_ event: GRPOEvent) {
      switch event {
      case .note(let text): ended.notes.append(text)
      case .step(let figures): ended.steps.append(figures)
      case .evaluation(let figures): ended.evaluations.append(figures)
      case .finding(let text, _): ended.findings.append(text)
      case .began, .sampling, .saved: break
      }
    }
  }
}

final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  var value: Int { lock.withLock { count } }
  func next() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}

extension StepFigures {
  mutating func forgetPace() {
    (samplingSeconds, judgingSeconds, updatingSeconds, memoryBytes) = (0, 0, 0, 0)
  }
}

/// A folder that is gone when the test is over.
func temporaryFolder(_ test: XCTestCase) throws -> String {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  test.addTeardownBlock { try? FileManager.default.removeItem(at: url) }
  return url.path
}
