import Datasets
import Foundation
import Models
import Storage
import Tensors
import Training
import XCTest

@testable import FineTuning

/// A run small enough to be made hundreds of times: a random student of two layers, 61 samples.
struct TinyRun {
  let folder: String
  var recipe: FineTuningRecipe

  init(
    _ test: XCTestCase, samples: Int = 61, _ change: (inout FineTuningRecipe) -> Void = { _ in }
  ) throws {
    folder = try temporaryFolder(test)
    let student = folder + "/student"
    try Self.makeStudent(at: student)
    let lines = (0..<samples).map { i in
      let words = String(repeating: "so \(i) ", count: 1 + i % 7)
      return
        "{\"q\": \"What is \(i)?\", \"a\": \"<think>\\n\(words)\\n</think>\\n\\nIt is \(i).\"}\n"
    }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: folder + "/samples.jsonl"))
    recipe = FineTuningRecipe(
      student: student, run: folder + "/run", configuration: nil,
      data: DataRecipe(
        sources: [
          SampleSource(
            path: folder + "/samples.jsonl", fields: ["user": "q", "assistant": "a"])
        ], contextLength: 128, supervision: .assistant, longerDocuments: .drop,
        packing: .bestFit, specialTokensInText: false, seed: 5, cache: folder + "/prepared"),
      evaluation: .init(share: 0.1, everySteps: 7), epochs: 2, rowsPerStep: 2, microbatchRows: 1,
      precision: .bfloat16, recomputedBlocks: 1,
      optimizer: .init(
        learningRate: 3e-3, schedule: .cosine, warmupShare: 0.1, floor: 0.1, betas: [0.9, 0.95],
        epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1),
      spikes: nil, checkpoints: .init(everySteps: nil, everyMinutes: nil, keep: 2, best: false),
      export: .float32, generations: nil, expected: nil)
    change(&recipe)
  }

  static func makeStudent(at path: String) throws {
    let configuration = try ModelConfiguration(
      family: .llama, vocabSize: 400, hiddenSize: 24, intermediateSize: 40, numHiddenLayers: 2,
      numAttentionHeads: 3, numKeyValueHeads: 1, maxPositionEmbeddings: 128)
    let decoder = Decoder(configuration, precision: .bfloat16)
    decoder.initialize(seed: 3)
    try Checkpoint.save(decoder, to: path, options: .init(dtype: .float32))
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      try FileManager.default.copyItem(
        atPath: "\(chatFolder)/\(name)", toPath: "\(path)/\(name)")
    }
    let template =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
      + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    try Data(template.utf8).write(to: URL(fileURLWithPath: path + "/chat_template.jinja"))
  }

  func prepared() throws -> PreparedFineTuning {
    try PreparedFineTuning(recipe, memory: 1 << 40) { preparation, key in
      var writer = try PreparedDataWriter(
        at: preparation.recipe.cache, key: key, sources: preparation.files.count,
        idLimit: preparation.checkpoint.tokenizer.idLimit)
      let report = try preparation.run(write: { try writer.append($0, source: $1, sample: $2) })
      XCTAssertEqual(report.findings.map(\.message), [])
      try writer.finish(report: JSONObject(members: []))
    }
  }

  func identity(
    _ prepared: PreparedFineTuning, overfitting: Bool = false
  ) throws -> RunDirectory.Identity {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try encoder.encode(recipe)
    let json = try Array(data).withUnsafeBytes { try JSONValue(parsing: $0, source: "recipe") }
    return try prepared.identity(
      version: "test", resolvedRecipe: json, overfitsOneBatch: overfitting)
  }

  /// Runs until it ends, or has made `steps` steps in this life.
  @discardableResult
  func run(
    stoppingAfter steps: Int? = nil, overfitting: Bool = false,
    prepared ready: PreparedFineTuning? = nil, allowingOtherIdentity: Bool = false,
    report: @escaping (FineTuningEvent) -> Void = { _ in }
  ) throws -> (outcome: FineTuningOutcome, losses: [Int: Double]) {
    let ready = try ready ?? prepared()
    var losses: [Int: Double] = [:]
    var made = 0
    let directory = try RunDirectory(
      at: recipe.run, identity(ready, overfitting: overfitting),
      allowingOtherIdentity: allowingOtherIdentity)
    let run = try FineTuningRun(
      ready, in: directory, overfitsOneBatch: overfitting,
      isStopped: { steps.map { made >= $0 } ?? false },
      report: { event in
        if case .step(let step, _) = event {
          losses[step.number] = step.loss
          made += 1
        }
        report(event)
      })
    return (try run.run(), losses)
  }

  /// The SHA-256 of the finished student's weights.
  func weightsHash(_ run: String? = nil) throws -> String {
    let file = try MappedFile(at: (run ?? recipe.run) + "/student/model.safetensors")
    var hash = SHA256()
    hash.update(file.bytes)
    return hash.finalizedText()
  }
}

/// A folder that is gone when the test is over.
func temporaryFolder(_ test: XCTestCase) throws -> String {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  test.addTeardownBlock { try? FileManager.default.removeItem(at: url) }
  return url.path
}

var chatFolder: String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/tokenizers/chat").path
}
