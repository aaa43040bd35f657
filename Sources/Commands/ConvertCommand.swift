import Foundation
import Interface
import Models
import Safetensors
import Tensors

extension Command {
  /// `convert`: writes a checkpoint again, in another type, in other shards, or edited.
  static let convert = Command(
    "convert", summary: "Writes a model again in another type or other files.",
    discussion: """
      Writes a copy of a model's folder that transformers loads, with its tokenizer and licence. \
      The copy appears whole or not at all. The model is read tensor by tensor and need not fit \
      into memory.

      '--rope-theta' and '--positions' change what config.json says and no weight: they are for \
      models that are to be trained at greater lengths.
      """,
    example: """
      distill convert Checkpoints/student Checkpoints/student-bf16 --dtype bfloat16
      distill convert Checkpoints/base long --rope-theta 1e6 --positions 131072
      """,
    takes: checkpoint, output, dtype, shardSize, ropeTheta, positions, untie, replace,
    run: prepared { arguments, console in
      let source = try ModelName.checkpoint(at: arguments[checkpoint])
      for note in source.notes { console.note("Note: \(note)") }
      let stored = arguments[dtype] ?? source.losslessType
      let configuration = try source.configuration.replacing(
        tieWordEmbeddings: arguments[untie] ? false : nil, ropeTheta: arguments[ropeTheta],
        maxPositionEmbeddings: arguments[positions], source: arguments[output] + "/config.json")
      let writing = ModelWriting(
        configuration: configuration, path: arguments[output], origin: source.path,
        options: Checkpoint.SavingOptions(
          dtype: stored.dtype, maximumShardBytes: arguments[shardSize]?.bytes ?? 5_000_000_000,
          replacing: arguments[replace]))
      let result = try writing.run(on: console) { _, parameter in
        try source.fill(parameter)
      }
      console.print(result.text(at: arguments[output], configuration, as: stored))
    })

  private static let checkpoint = Positional("checkpoint", help: "The folder of the model.")
  private static let output = Positional("output", help: "The folder to write.")
  private static let dtype = Option<StoredType>(
    "dtype", "type",
    help: "'float32' or 'bfloat16', rounded to nearest even; without it, the model's own.",
    .choices)
  private static let shardSize = Option<ByteSize>(
    "shard-size", "size", help: "The most bytes of tensors in one file; without it 5GB.", .sizes)
  private static let ropeTheta = Option(
    "rope-theta", "number", help: "RoPE's base.",
    Values("a number above 1 and at most \(numberText(ModelConfiguration.Limits.ropeTheta))") {
      text in
      Double(text).flatMap { $0 > 1 && $0 <= ModelConfiguration.Limits.ropeTheta ? $0 : nil }
    })
  private static let positions = Option(
    "positions", "count", help: "The longest text, in tokens.",
    .wholeNumbers(in: 1...ModelConfiguration.Limits.maxPositionEmbeddings))
  private static let untie = Flag(
    "untie", help: "Give the head weights of its own, equal to the embedding's.")
  static let replace = Flag(
    "replace", help: "Exchange a model that is in the output folder for the new one.")
}

extension Checkpoint {
  /// bfloat16 if all weights are, otherwise float32, which holds every type that is read.
  var losslessType: StoredType { dtypes == [.bf16] ? .bfloat16 : .float32 }

  /// What reads a parameter; the head of an untied copy may be the embedding.
  ///
  /// - Throws: `CommandError`, also when it is called, for a weight that is not finite.
  func fill(_ parameter: ParameterShape) throws -> ModelWriting.Fill {
    let others: [ParameterRole: ParameterRole] = [.head: .embedding, .embedding: .head]
    let other = others[parameter.role].flatMap { tensors[$0.name()] }
    guard let tensor = tensors[parameter.name] ?? other, tensor.shape == parameter.shape else {
      throw CommandError("\(path): no tensor '\(parameter.name)'.")
    }
    for file in tensors.files { try file.checkSize() }
    let path = path
    return { range, to in
      tensor.withUnsafeBytes { read($0, tensor.dtype, range, into: to) }
      guard kernels.square_sum(to, Int64(range.count)).isFinite else {
        throw CommandError(
          "\(path): '\(tensor.name)' holds NaN or infinity. The checkpoint is damaged, or its "
            + "training diverged; take an earlier one.")
      }
    }
  }
}

/// Reads elements `range` of a tensor as float32; its bytes may lie at any address.
private func read(
  _ bytes: UnsafeRawBufferPointer, _ dtype: SafetensorsType, _ range: Range<Int>,
  into to: UnsafeMutablePointer<Float>
) {
  let size = dtype.bitCount / 8
  let part = UnsafeRawBufferPointer(
    rebasing: bytes[range.lowerBound * size..<range.upperBound * size])
  if dtype == .f32 {
    UnsafeMutableRawBufferPointer(start: to, count: part.count).copyMemory(from: part)
    return
  }
  let words = [UInt16](unsafeUninitializedCapacity: range.count) { buffer, count in
    UnsafeMutableRawBufferPointer(buffer).copyMemory(from: part)
    count = range.count
  }
  if dtype == .bf16 {
    kernels.float_from_bfloat16(to, words, Int64(range.count))
  } else {
    kernels.float_from_float16(to, words, Int64(range.count))
  }
}
