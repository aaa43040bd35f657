import Adapters
import Foundation
import Interface
import Models
import Storage
import Tensors

extension Command {
  /// `merge`: writes a model with an adapter added to its weights.
  static let merge = Command(
    "merge", summary: "Writes a model with a LoRA adapter merged into it.",
    discussion: """
      Adds a LoRA adapter, as PEFT saves it, to the weights of the model that it was trained for: \
      each becomes W + scale·B·A, computed in float32 and rounded once. The merged model is a \
      folder that transformers loads without PEFT. It appears whole or not at all; neither model \
      need fit into memory.

      Tokenizer, chat template and generation settings in the adapter's folder come in place of \
      the model's, since the adapter was trained with them; licences are the model's.
      """,
    example: """
      distill merge Checkpoints/base adapter merged
      distill merge Checkpoints/base adapter merged --dtype bfloat16
      """,
    takes: checkpoint, adapter, output, dtype, shardSize, replace,
    run: prepared { arguments, console in
      let source = try ModelName.checkpoint(at: arguments[checkpoint])
      let adapter = try AdapterCheckpoint(at: arguments[adapter], for: source.configuration)
      for note in source.notes + adapter.notes { console.note("Note: \(note)") }
      let stored = arguments[dtype] ?? source.losslessType
      let writing = ModelWriting(
        configuration: source.configuration, path: arguments[output], origin: source.path,
        adapter: adapter.path,
        options: Checkpoint.SavingOptions(
          dtype: stored.dtype, maximumShardBytes: arguments[shardSize]?.bytes ?? 5_000_000_000,
          replacing: arguments[replace]))
      let pairs = Dictionary(
        adapter.pairs.map { ($0.layer.weightName, $0) }, uniquingKeysWith: { first, _ in first })
      let result = try writing.run(on: console) { _, parameter in
        let fill = try source.fill(parameter)
        guard let pair = pairs[parameter.name] else { return fill }
        try adapter.checkSize()
        return merged(fill, pair, adapter.path)
      }
      console.print(
        result.text(at: arguments[output], source.configuration, as: stored) + "\n"
          + adapter.text)
    })

  private static let checkpoint = Positional(
    "checkpoint", help: "The folder of the model that the adapter is for.")
  private static let adapter = Positional("adapter", help: "The folder of the adapter.")
  private static let output = Positional("output", help: "The folder to write.")
  private static let dtype = Option<StoredType>(
    "dtype", "type",
    help: "'float32' or 'bfloat16', rounded to nearest even; without it, the model's own.",
    .choices)
  private static let shardSize = Option<ByteSize>(
    "shard-size", "size", help: "The most bytes of tensors in one file; without it 5GB.", .sizes)
}

/// What reads a weight and adds its adapter.
private func merged(
  _ fill: @escaping ModelWriting.Fill, _ pair: AdapterPair, _ path: String
) -> ModelWriting.Fill {
  let merging = AdapterMerging(pair)
  return { range, to in
    try fill(range, to)
    merging.add(range, to: to)
    guard kernels.square_sum(to, Int64(range.count)).isFinite else {
      throw CommandError(
        "\(path): merged into '\(pair.layer.weightName)', it gives numbers that are too large for "
          + "float32. Is it for another model?")
    }
  }
}

extension AdapterCheckpoint {
  /// What was merged: into how many layers, of which rank and scale, and the base it names.
  fileprivate var text: String {
    func range<Value: Comparable>(_ values: [Value], _ text: (Value) -> String) -> String {
      guard let least = values.min(), let most = values.max() else { return "" }
      return least == most ? text(least) : "\(text(least)) to \(text(most))"
    }
    let layers = pairs.map(\.layer)
    let base = configuration.baseModel.flatMap { $0.isEmpty ? nil : $0 }
    return "Merged \(path) into \(countedText(layers.count, "linear layer")), with rank "
      + range(layers.map(\.rank), groupedText) + " and scale "
      + range(layers.map(\.scale), scaleText)
      + (base.map { "; it names \(quoted($0)) as its model." } ?? ".")
  }
}

/// A scale with at most four digits behind the point, and none that says nothing.
private func scaleText(_ scale: Double) -> String {
  let rounded = (scale * 1e4).rounded() / 1e4
  return numberText(rounded == 0 ? scale : rounded)
}
