import Foundation
import Interface
import Models
import Safetensors
import Storage

/// What `distill inspect` says about a model, as text and as JSON.
struct ModelReport {
  /// The path or name of the model.
  let title: String
  let configuration: ModelConfiguration
  /// What only a folder with weights has.
  let files: CheckpointFiles?
  /// The model that a known one was trained from.
  let base: String?
  let notes: [String]

  init(_ checkpoint: Checkpoint) {
    let files = CheckpointFiles(checkpoint)
    self.init(
      title: checkpoint.path, checkpoint.configuration, files: files,
      notes: checkpoint.notes + files.notes)
  }

  init(_ known: KnownModel) {
    self.init(title: known.title, known.configuration, base: known.base)
  }

  init(
    title: String, _ configuration: ModelConfiguration, files: CheckpointFiles? = nil,
    base: String? = nil, notes: [String]? = nil
  ) {
    self.title = title
    self.configuration = configuration
    self.files = files
    self.base = base
    self.notes = notes ?? configuration.notes
  }
}

extension KnownModel {
  /// The name on Hugging Face.
  var title: String { "\(organization)/\(name)" }
}

// MARK: - Text

extension ModelReport {
  var text: String {
    ([title, "", factLines(facts)] + (notes.isEmpty ? [] : [""]) + notes.map { "Note: \($0)" })
      .joined(separator: "\n")
  }

  private var facts: [(name: String, value: String)] {
    let model = configuration
    var facts = [("Family", "\(model.family)")]
    if let base { facts.append(("Trained from", base)) }
    facts += [
      ("Layers", groupedText(model.numHiddenLayers)),
      ("Hidden size", groupedText(model.hiddenSize)),
      (
        "Attention heads",
        "\(groupedText(model.numAttentionHeads)) of \(model.headDim) channels, "
          + "\(groupedText(model.numKeyValueHeads)) for keys and values"
      ),
      ("Feed-forward size", groupedText(model.intermediateSize)),
      ("Vocabulary", groupedText(model.vocabSize)),
      ("Positions", groupedText(model.maxPositionEmbeddings)),
      ("RoPE", model.rope.words),
      ("Head", head),
      (
        "Parameters",
        "\(exactText(model.parameterCount)); "
          + "\(exactText(model.parameterCountWithoutEmbeddings)) without embedding and head"
      ),
      (
        "Memory to run",
        "\(byteText(model.bytesToRun(in: .float32))) of weights in float32, "
          + "\(byteText(model.bytesToRun(in: .bfloat16))) in bfloat16"
      ),
      (
        "Memory to train",
        "\(byteText(model.bytesToTrain())): weights, gradients and two moments in float32"
      ),
    ]
    guard let files else { return facts + [("Files", "none: this is the configuration alone")] }
    return facts + [
      (
        "Stored as",
        "\(listText(files.dtypes)), \(byteText(files.bytesOnDisk)) in "
          + countedText(files.names.count, "file")
      ),
      ("Tokenizer", files.tokenizer ?? "none: no 'tokenizer.json'"),
      ("Chat template", files.chatTemplate ?? "none"),
    ]
  }

  private var head: String {
    let kind = configuration.tieWordEmbeddings ? "tied to the embedding" : "its own weights"
    guard let files else { return kind }
    return "\(kind), stored as \(listText(files.headTensors.map { "'\($0)'" }))"
  }
}

extension RotaryParameters {
  /// The kind of RoPE and its numbers: "llama3, theta 500,000, factor 8, from 8,192 positions".
  var words: String {
    let start = "\(scaling.ropeType), theta \(numberText(ropeTheta))"
    func stretched(_ factor: Double?, _ positions: Int?) -> String {
      start + (factor.map { ", factor \(numberText($0))" } ?? "")
        + (positions.map { ", from \(groupedText($0)) positions" } ?? "")
    }
    return switch scaling {
    case .default: start
    case .linear(let factor): stretched(factor, nil)
    case .llama3(let rule): stretched(rule.factor, rule.originalMaxPositionEmbeddings)
    case .yarn(let rule): stretched(rule.factor, rule.originalMaxPositionEmbeddings)
    }
  }
}

// MARK: - JSON

extension ModelReport {
  /// The facts under Hugging Face's names in camelCase; sizes in bytes.
  var json: JSONValue {
    let model = configuration
    let floats: [ModelConfiguration.Dtype] = [.float32, .bfloat16]
    let facts: [(key: String, value: JSONValue)] = [
      ("model", .string(title)),
      ("family", .string(model.family.modelType)),
      ("base", .text(base)),
      ("numHiddenLayers", .count(model.numHiddenLayers)),
      ("hiddenSize", .count(model.hiddenSize)),
      ("numAttentionHeads", .count(model.numAttentionHeads)),
      ("numKeyValueHeads", .count(model.numKeyValueHeads)),
      ("headDim", .count(model.headDim)),
      ("intermediateSize", .count(model.intermediateSize)),
      ("vocabSize", .count(model.vocabSize)),
      ("maxPositionEmbeddings", .count(model.maxPositionEmbeddings)),
      ("ropeType", .string(model.rope.scaling.ropeType)),
      ("ropeTheta", .measure(model.rope.ropeTheta)),
      ("tieWordEmbeddings", .bool(model.tieWordEmbeddings)),
      ("parameterCount", .count(model.parameterCount)),
      ("parameterCountWithoutEmbeddings", .count(model.parameterCountWithoutEmbeddings)),
      (
        "bytesToRun",
        .members(floats.map { ($0.rawValue, .count(model.bytesToRun(in: $0))) })
      ),
      ("bytesToTrain", .count(model.bytesToTrain())),
    ]
    return .members(
      facts + [
        ("files", files?.json ?? .null), ("notes", .array(notes.map { .string($0) })),
      ])
  }
}

extension JSONValue {
  static func count(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }

  /// A number that is finite; null for one that is not.
  static func measure(_ number: Double) -> JSONValue {
    JSONNumber(number).map { .number($0) } ?? .null
  }

  static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

  static func members(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
    .object(JSONObject(members: members))
  }

  /// The value as a person and a program read it.
  var printed: String {
    String(decoding: serialized(pretty: true).dropLast(), as: UTF8.self)
  }
}
